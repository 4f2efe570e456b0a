//! Who wants to know when a partition gets news. A reader registers one signal with many partitions, then looks
//! once more, then sleeps; so nothing is missed, and a poll of many partitions costs nothing while all are quiet.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::Notify;

/// Locks a mutex whose data stays consistent even when a holder panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What one reader sleeps on.
#[derive(Debug, Default)]
pub struct Signal {
    /// The reader's own numbers of the partitions with news since the last [`Signal::take`].
    news: Mutex<HashSet<u32>>,
    /// Bytes appended to these partitions since the last [`Signal::take`].
    bytes: AtomicU64,
    /// Set by news that is worth an answer however few bytes there are: a deleted partition.
    urgent: AtomicBool,
    woken: Notify,
}

impl Signal {
    /// The partitions with news and the bytes that were appended to them, since the last call.
    pub fn take(&self) -> (HashSet<u32>, u64) {
        let mut news = lock(&self.news);
        self.urgent.store(false, Ordering::Relaxed);
        (std::mem::take(&mut *news), self.bytes.swap(0, Ordering::Relaxed))
    }

    /// Bytes appended since the last [`Signal::take`].
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Whether there is news that should not wait for more bytes.
    pub fn is_urgent(&self) -> bool {
        self.urgent.load(Ordering::Relaxed)
    }

    /// Sleeps until a partition has news; returns at once when there were some since the last sleep.
    pub async fn woken(&self) {
        self.woken.notified().await;
    }

    fn tell(&self, token: u32, bytes: u64) {
        let mut news = lock(&self.news);
        news.insert(token);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        if bytes == 0 {
            self.urgent.store(true, Ordering::Relaxed);
        }
        drop(news);
        self.woken.notify_one();
    }
}

/// The readers that are registered with one partition.
#[derive(Debug, Default)]
pub struct Waiters {
    list: Mutex<Vec<(Weak<Signal>, u32)>>,
}

impl Waiters {
    /// Registers a reader, which knows the partition as `token`. It is forgotten when its signal is dropped.
    pub fn register(&self, signal: &Arc<Signal>, token: u32) {
        let mut list = lock(&self.list);
        // Dead entries go when the list would grow, so a quiet partition does not collect them.
        if list.len() == list.capacity() {
            list.retain(|(signal, _)| signal.strong_count() > 0);
        }
        list.push((Arc::downgrade(signal), token));
    }

    /// Forgets a registration.
    pub fn deregister(&self, signal: &Arc<Signal>, token: u32) {
        let mut list = lock(&self.list);
        list.retain(|(other, number)| *number != token || other.as_ptr() != Arc::as_ptr(signal));
    }

    /// Tells everyone that there is news, `bytes` of it appended; with 0 bytes it is urgent.
    pub fn wake(&self, bytes: u64) {
        let mut list = lock(&self.list);
        list.retain(|(signal, token)| match signal.upgrade() {
            Some(signal) => {
                signal.tell(*token, bytes);
                true
            }
            None => false,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn news_between_looking_and_sleeping_ends_the_sleep() {
        let waiters = Waiters::default();
        let signal = Arc::new(Signal::default());
        waiters.register(&signal, 7);
        waiters.wake(10);
        waiters.wake(5);
        signal.woken().await;
        assert_eq!(signal.bytes(), 15);
        assert_eq!(signal.take(), (HashSet::from([7]), 15));
        assert_eq!(signal.take(), (HashSet::new(), 0));
    }

    #[test]
    fn registrations_of_readers_that_are_gone_do_not_pile_up() {
        let waiters = Waiters::default();
        let kept = Arc::new(Signal::default());
        waiters.register(&kept, 0);
        for token in 0..10_000 {
            waiters.register(&Arc::new(Signal::default()), token);
        }
        assert!(lock(&waiters.list).len() < 100);
        waiters.wake(1);
        assert_eq!(lock(&waiters.list).len(), 1);
        waiters.deregister(&kept, 0);
        assert!(lock(&waiters.list).is_empty());
    }
}
