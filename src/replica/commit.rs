//! Up to where a partition's records are committed, and who waits for it. Shared with the log, which tells it what
//! reached stable storage.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use tokio::sync::Notify;

use super::waiters::Waiters;
use crate::log::SyncListener;
use crate::types::{ErrorCode, Offset};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Commit {
    watermark: AtomicI64,
    /// No sync will succeed any more.
    failed: AtomicBool,
    /// The partition was deleted or closed.
    ended: AtomicBool,
    /// Readers that wait for records.
    pub(super) waiters: Waiters,
    advanced: Notify,
}

impl Commit {
    /// The high watermark.
    pub(super) fn watermark(&self) -> Offset {
        Offset(self.watermark.load(Ordering::Acquire))
    }

    /// Raises the high watermark; it never falls. Tells whether it rose.
    pub(super) fn advance(&self, upto: Offset) -> bool {
        let before = self.watermark.fetch_max(upto.0, Ordering::AcqRel);
        self.advanced.notify_waiters();
        before < upto.0
    }

    /// Tells everyone who waits that nothing more will come.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Release);
        self.advanced.notify_waiters();
        self.waiters.wake(0);
    }

    /// Tells everyone who waits that the log failed: what is not committed never will be.
    pub(super) fn fail(&self) {
        self.failed.store(true, Ordering::Release);
        self.advanced.notify_waiters();
        self.waiters.wake(0);
    }

    /// Completes when everything below `upto` is committed.
    pub(super) async fn reached(&self, upto: Offset) -> Result<(), ErrorCode> {
        loop {
            let advanced = self.advanced.notified();
            tokio::pin!(advanced);
            // Registered before the look, so that nothing between the two is missed.
            advanced.as_mut().enable();
            if self.watermark() >= upto {
                return Ok(());
            }
            if self.failed.load(Ordering::Acquire) {
                return Err(ErrorCode::KafkaStorageError);
            }
            if self.ended.load(Ordering::Acquire) {
                return Err(ErrorCode::NotLeaderOrFollower);
            }
            advanced.await;
        }
    }
}

impl SyncListener for Commit {
    fn synced(&self, upto: Offset) {
        // Which bytes became visible is not counted, so readers look however many they wait for.
        if self.advance(upto) {
            self.waiters.wake(0);
        }
    }

    fn failed(&self) {
        self.failed.store(true, Ordering::Release);
        self.advanced.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn a_wait_ends_when_the_watermark_reaches_it_and_fails_with_the_disk() {
        let commit = Arc::new(Commit::default());
        commit.advance(Offset(5));
        assert_eq!(commit.reached(Offset(5)).await, Ok(()));
        let waiter = commit.clone();
        let waiting = tokio::spawn(async move { waiter.reached(Offset(6)).await });
        tokio::task::yield_now().await;
        commit.synced(Offset(3));
        assert_eq!(commit.watermark(), Offset(5), "it never falls");
        commit.synced(Offset(6));
        assert_eq!(waiting.await.unwrap(), Ok(()));
        commit.failed();
        assert_eq!(commit.reached(Offset(7)).await, Err(ErrorCode::KafkaStorageError));
        assert_eq!(commit.reached(Offset(6)).await, Ok(()));
    }

    #[test]
    fn a_sync_that_raises_the_watermark_lets_readers_look_and_another_one_does_not() {
        let commit = Commit::default();
        let signal = Arc::new(crate::replica::waiters::Signal::default());
        commit.waiters.register(&signal, 7);
        for upto in [3, 4] {
            commit.synced(Offset(upto));
            assert!(signal.is_urgent());
            signal.take();
            commit.synced(Offset(upto));
            assert!(!signal.is_urgent());
        }
    }

    #[tokio::test]
    async fn a_wait_ends_with_the_partition() {
        let commit = Commit::default();
        commit.end();
        assert_eq!(commit.reached(Offset(1)).await, Err(ErrorCode::NotLeaderOrFollower));
    }
}
