//! What all connections share: memory for requests that are still arriving, and for answers that are not taken. Both are
//! counted, never allocated here.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{AcquireError, Semaphore};

use crate::limits::{
    ADMISSION_WAIT_MS_MAX, ANSWER_BYTES_UNIT, ANSWER_MEMORY_BYTES_MAX, REQUEST_MEMORY_BYTES_MAX,
};

/// Permits are counted in KiB, because a semaphore counts to `u32`.
const UNIT_BYTES: usize = 1024;

/// The memory that all connections share.
#[derive(Clone, Debug)]
pub struct Admission {
    pool: Arc<Pool>,
}

#[derive(Debug)]
struct Pool {
    /// Units of memory that arriving requests may still take.
    requests: Semaphore,
    /// How many there are.
    request_units: u32,
    /// Units of these that connections may take which have not delivered a request that needed any: half of all. Who
    /// sends slowly on thousands of connections has no more, and whoever proved to be fast does not wait behind them.
    unproven: Semaphore,
    /// Connections that wait for some.
    waiting: AtomicUsize,
    /// Units of answers that wait for their sockets.
    answer_units: AtomicUsize,
}

/// No memory became free in time: the connection has to end, or requests that are half here could wait for each
/// other for ever.
#[derive(Debug, thiserror::Error)]
#[error("no memory for a request became free within {ADMISSION_WAIT_MS_MAX} ms")]
pub struct Exhausted;

impl Admission {
    /// Memory of `queued.max.request.bytes`, or of a size of our own where that is not set.
    pub fn new(bytes: Option<i64>) -> Self {
        let bytes = bytes.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(REQUEST_MEMORY_BYTES_MAX);
        let units = (bytes / UNIT_BYTES).min(Semaphore::MAX_PERMITS);
        let request_units = u32::try_from(units).unwrap_or(u32::MAX);
        let requests = Semaphore::new(request_units as usize);
        let unproven = Semaphore::new((request_units / 2) as usize);
        let (waiting, answer_units) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { pool: Arc::new(Pool { requests, request_units, unproven, waiting, answer_units }) }
    }

    /// A permit for a connection, which holds nothing yet.
    pub fn permit(&self) -> Permit {
        Permit { pool: self.pool.clone(), held: 0, is_proven: false }
    }

    /// Bytes that are held for requests that arrive.
    pub fn request_bytes(&self) -> usize {
        let free = self.pool.requests.available_permits();
        (self.pool.request_units as usize).saturating_sub(free).saturating_mul(UNIT_BYTES)
    }

    /// Whether a connection waits for memory: who holds some has to get on.
    pub fn is_short(&self) -> bool {
        self.pool.waiting.load(Ordering::Relaxed) > 0
    }

    /// Whether the answers that nobody takes are too many.
    pub fn is_short_of_answers(&self) -> bool {
        let units = self.pool.answer_units.load(Ordering::Relaxed);
        units.saturating_mul(ANSWER_BYTES_UNIT) > ANSWER_MEMORY_BYTES_MAX
    }

    /// What one connection's answers take, which is nothing yet.
    pub fn answers(&self) -> Untaken {
        Untaken { pool: self.pool.clone(), bytes: 0 }
    }
}

/// What one connection holds for the requests that arrive on it.
#[derive(Debug)]
pub struct Permit {
    pool: Arc<Pool>,
    held: u32,
    /// A request that needed memory was delivered.
    is_proven: bool,
}

impl Permit {
    /// Units for `bytes`; a request that is larger than all memory takes all.
    fn units(&self, bytes: usize) -> u32 {
        u32::try_from(bytes.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX).min(self.pool.request_units)
    }

    /// Of so many units those that an unproven connection has to have of their part.
    fn unproven_units(&self, units: u32) -> u32 {
        if self.is_proven { 0 } else { units.min(self.pool.request_units / 2) }
    }

    /// Units that are missing for `bytes`, and those of the unproven connections' part.
    fn missing(&self, bytes: usize) -> (u32, u32) {
        let units = self.units(bytes).max(self.held);
        let unproven = self.unproven_units(units).saturating_sub(self.unproven_units(self.held));
        (units.saturating_sub(self.held), unproven)
    }

    /// Makes the permit cover `bytes` if that needs no waiting. `false` when it does.
    pub fn try_cover(&mut self, bytes: usize) -> bool {
        let (missing, unproven) = self.missing(bytes);
        if missing == 0 {
            return true;
        }
        let Ok(part) = self.pool.unproven.try_acquire_many(unproven) else { return false };
        let Ok(more) = self.pool.requests.try_acquire_many(missing) else { return false };
        part.forget();
        more.forget();
        self.held = self.held.saturating_add(missing);
        true
    }

    /// Makes the permit cover `bytes`: all that the request needs, or two that have a part each would wait for each other.
    pub async fn cover(&mut self, bytes: usize) -> Result<(), Exhausted> {
        if self.try_cover(bytes) {
            return Ok(());
        }
        let (missing, unproven) = self.missing(bytes);
        self.pool.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.pool);
        let wait = Duration::from_millis(ADMISSION_WAIT_MS_MAX);
        let both = async {
            let part = self.pool.unproven.acquire_many(unproven).await?;
            Ok::<_, AcquireError>((part, self.pool.requests.acquire_many(missing).await?))
        };
        let (part, more) =
            tokio::time::timeout(wait, both).await.map_err(|_| Exhausted)?.map_err(|_| Exhausted)?;
        part.forget();
        more.forget();
        self.held = self.held.saturating_add(missing);
        Ok(())
    }

    /// Whether the connection holds any.
    pub fn is_held(&self) -> bool {
        self.held > 0
    }

    /// Gives back what is more than `bytes` need: a request was handled.
    pub fn delivered(&mut self, bytes: usize) {
        if self.is_held() && !self.is_proven {
            self.pool.unproven.add_permits(self.unproven_units(self.held) as usize);
            self.is_proven = true;
        }
        self.shrink(bytes);
    }

    fn shrink(&mut self, bytes: usize) {
        let spare = self.held.saturating_sub(self.units(bytes));
        if spare > 0 {
            let left = self.held.saturating_sub(spare);
            let unproven = self.unproven_units(self.held).saturating_sub(self.unproven_units(left));
            self.pool.unproven.add_permits(unproven as usize);
            self.pool.requests.add_permits(spare as usize);
            self.held = left;
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.shrink(0);
    }
}

struct Waiting<'a>(&'a Pool);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What the answers take that one connection's client has not taken.
#[derive(Debug)]
pub struct Untaken {
    pool: Arc<Pool>,
    bytes: usize,
}

impl Untaken {
    /// Counts bytes that are there now.
    pub fn add(&mut self, bytes: usize) {
        self.set(self.bytes.saturating_add(bytes));
    }

    /// Counts bytes no more that the client has.
    pub fn sub(&mut self, bytes: usize) {
        self.set(self.bytes.saturating_sub(bytes));
    }

    fn set(&mut self, bytes: usize) {
        let (had, has) = (self.bytes / ANSWER_BYTES_UNIT, bytes / ANSWER_BYTES_UNIT);
        if has > had {
            self.pool.answer_units.fetch_add(has.saturating_sub(had), Ordering::Relaxed);
        } else if has < had {
            self.pool.answer_units.fetch_sub(had.saturating_sub(has), Ordering::Relaxed);
        }
        self.bytes = bytes;
    }

    /// What is counted.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether the connection has its part in it when memory for answers is short.
    pub fn is_in_the_way(&self) -> bool {
        self.bytes >= ANSWER_BYTES_UNIT
            && self.pool.answer_units.load(Ordering::Relaxed).saturating_mul(ANSWER_BYTES_UNIT)
                > ANSWER_MEMORY_BYTES_MAX
    }
}

impl Drop for Untaken {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free(admission: &Admission) -> usize {
        admission.pool.requests.available_permits()
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_beyond_the_shared_memory_waits_and_then_fails() {
        let admission = Admission::new(None);
        let (mut first, mut second) = (admission.permit(), admission.permit());
        first.cover(REQUEST_MEMORY_BYTES_MAX).await.unwrap();
        assert!(!admission.is_short());
        let polled = {
            let mut waits = std::pin::pin!(second.cover(1));
            let polled = std::future::poll_fn(|context| std::task::Poll::Ready(waits.as_mut().poll(context)));
            let polled = polled.await.is_pending();
            polled && admission.is_short()
        };
        assert!(polled && !admission.is_short());
        assert!(second.cover(1).await.is_err());
        first.delivered(0);
        second.cover(REQUEST_MEMORY_BYTES_MAX).await.unwrap();
    }

    #[tokio::test]
    async fn a_permit_grows_by_what_is_missing_and_is_given_back() {
        let admission = Admission::new(Some(8 * 1024 * 1024));
        let mut permit = admission.permit();
        for part in 1..=4 {
            permit.cover(part * 2 * 1024 * 1024).await.unwrap();
        }
        assert_eq!(free(&admission), 0);
        permit.delivered(1024 * 1024);
        assert_eq!(free(&admission), 7 * 1024);
        drop(permit);
        assert_eq!(free(&admission), 8 * 1024);
        assert_eq!(admission.pool.unproven.available_permits(), 4 * 1024);
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_delivered_a_request_does_not_wait_behind_those_who_have_not() {
        let admission = Admission::new(Some(8 * 1024 * 1024));
        let mib = 1024 * 1024;
        let mut good = admission.permit();
        good.cover(mib).await.unwrap();
        good.delivered(0);
        let mut slow: Vec<Permit> = (0..10).map(|_| admission.permit()).collect();
        let covered = slow.iter_mut().filter_map(|permit| permit.try_cover(mib).then_some(())).count();
        assert_eq!(covered, 4, "half of the memory");
        {
            let mut waits = std::pin::pin!(slow[9].cover(mib));
            let polled = std::future::poll_fn(|context| std::task::Poll::Ready(waits.as_mut().poll(context)));
            assert!(polled.await.is_pending());
        }
        assert!(good.try_cover(4 * mib));
        good.delivered(0);
        drop(slow);
        assert_eq!((free(&admission), admission.pool.unproven.available_permits()), (8 * 1024, 4 * 1024));
    }

    #[tokio::test]
    async fn a_request_larger_than_all_memory_takes_all_of_it() {
        let admission = Admission::new(Some(1024 * 1024));
        let mut permit = admission.permit();
        permit.cover(100 * 1024 * 1024).await.unwrap();
        assert_eq!(free(&admission), 0);
    }

    #[test]
    fn answers_that_nobody_takes_are_counted_until_their_connection_ends() {
        let admission = Admission::new(None);
        let (mut little, mut much) = (admission.answers(), admission.answers());
        little.set(ANSWER_BYTES_UNIT - 1);
        much.set(ANSWER_MEMORY_BYTES_MAX + ANSWER_BYTES_UNIT);
        assert!(admission.is_short_of_answers());
        assert!(much.is_in_the_way() && !little.is_in_the_way());
        much.set(ANSWER_MEMORY_BYTES_MAX);
        assert!(!admission.is_short_of_answers());
        little.set(2 * ANSWER_BYTES_UNIT);
        assert!(admission.is_short_of_answers());
        drop(much);
        assert_eq!(admission.pool.answer_units.load(Ordering::Relaxed), 2);
    }
}
