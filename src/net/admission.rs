//! What all connections share: memory for requests that are still arriving, and for answers that are not taken. Both are
//! counted, never allocated here.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{AcquireError, Semaphore};

use crate::limits::{
    ADMISSION_HOLDER_WAIT_MS_MAX, ADMISSION_WAIT_MS_MAX, ANSWER_BYTES_UNIT, ANSWER_MEMORY_BYTES_MAX,
    REQUEST_MEMORY_BYTES_MAX,
};

/// Permits are counted in KiB, because a semaphore counts to `u32`.
const UNIT_BYTES: usize = 1024;

/// The units of the largest request in each class of sizes but the last, which has no bound.
const CLASS_UNITS_MAX: [u32; 4] = [16, 64, 256, 1024 + 64];
/// Classes of sizes in which requests of unproven connections wait for each other.
const CLASSES: usize = CLASS_UNITS_MAX.len() + 1;
/// So many times what it delivered at once a connection is trusted to deliver: requests differ in size.
const PROVEN_FACTOR: u32 = 2;

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
    /// Units of these that connections may take beyond what they proved to send at once, half of all, in equal parts by
    /// the size of their requests. Who sends slowly on thousands of connections has no more; whoever proved to be fast
    /// does not wait behind them, and who begins with a small request not behind those that announce large ones.
    unproven: [Semaphore; CLASSES],
    /// Connections that wait for some.
    waiting: AtomicUsize,
    /// Units of answers that wait for their sockets.
    answer_units: AtomicUsize,
}

/// No memory became free in time: the connection has to end, or requests that are half here could wait for each
/// other for ever.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("no memory for a request became free within {wait_ms} ms")]
pub struct Exhausted {
    wait_ms: u64,
}

impl Admission {
    /// Memory of `queued.max.request.bytes`, or of a size of our own where that is not set.
    pub fn new(bytes: Option<i64>) -> Self {
        let bytes = bytes.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(REQUEST_MEMORY_BYTES_MAX);
        let units = (bytes / UNIT_BYTES).min(Semaphore::MAX_PERMITS);
        let request_units = u32::try_from(units).unwrap_or(u32::MAX);
        let requests = Semaphore::new(request_units as usize);
        let unproven = std::array::from_fn(|_| Semaphore::new(class_units(request_units) as usize));
        let (waiting, answer_units) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { pool: Arc::new(Pool { requests, request_units, unproven, waiting, answer_units }) }
    }

    /// A permit for a connection, which holds nothing yet.
    pub fn permit(&self) -> Permit {
        Permit { pool: self.pool.clone(), held: 0, proven: 0, class: 0, unproven: 0 }
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
        self.answers_are_over(1)
    }

    /// Whether the answers that nobody takes are more than `times` as many as they should be.
    pub fn answers_are_over(&self, times: usize) -> bool {
        let units = self.pool.answer_units.load(Ordering::Relaxed);
        units.saturating_mul(ANSWER_BYTES_UNIT) > ANSWER_MEMORY_BYTES_MAX.saturating_mul(times)
    }

    /// What one connection's answers take, which is nothing yet.
    pub fn answers(&self) -> Untaken {
        Untaken { pool: self.pool.clone(), bytes: 0 }
    }
}

/// Units of one class of sizes, of so many in all.
const fn class_units(request_units: u32) -> u32 {
    request_units / 2 / CLASSES as u32
}

/// What one connection holds for the requests that arrive on it.
#[derive(Debug)]
pub struct Permit {
    pool: Arc<Pool>,
    held: u32,
    /// The most units that were held when what they were for had arrived.
    proven: u32,
    /// Of those held, the units that are taken of an unproven connection's part, and the class that they are of.
    unproven: u32,
    class: u8,
}

/// What is missing for a request: units of all, and of a class.
#[derive(Clone, Copy)]
struct Missing {
    units: u32,
    class: u8,
    unproven: u32,
}

impl Permit {
    /// Units for `bytes`; a request that is larger than all memory takes all.
    fn units(&self, bytes: usize) -> u32 {
        u32::try_from(bytes.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX).min(self.pool.request_units)
    }

    /// Of so many units those that have to be of the unproven connections' part.
    fn unproven_units(&self, units: u32) -> u32 {
        let beyond = units.saturating_sub(self.proven.saturating_mul(PROVEN_FACTOR));
        beyond.min(class_units(self.pool.request_units))
    }

    /// What is missing for `bytes`; `None` when nothing is.
    fn missing(&self, bytes: usize) -> Option<Missing> {
        let units = self.units(bytes);
        if units <= self.held {
            return None;
        }
        let class = CLASS_UNITS_MAX.iter().take_while(|max| units > **max).count();
        let class = u8::try_from(class).unwrap_or(0);
        let has = if class == self.class { self.unproven } else { 0 };
        let unproven = self.unproven_units(units).saturating_sub(has);
        Some(Missing { units: units.saturating_sub(self.held), class, unproven })
    }

    fn class(&self, class: u8) -> &Semaphore {
        let [first, ..] = &self.pool.unproven;
        self.pool.unproven.get(usize::from(class)).unwrap_or(first)
    }

    /// Notes what was taken.
    fn took(&mut self, missing: Missing) {
        self.held = self.held.saturating_add(missing.units);
        if missing.class != self.class {
            self.give_back_unproven(self.unproven);
            self.class = missing.class;
        }
        self.unproven = self.unproven.saturating_add(missing.unproven);
        self.fit_unproven();
    }

    /// Gives back what is of the unproven connections' part and need not be.
    fn fit_unproven(&mut self) {
        self.give_back_unproven(self.unproven.saturating_sub(self.unproven_units(self.held)));
    }

    fn give_back_unproven(&mut self, units: u32) {
        if units > 0 {
            self.class(self.class).add_permits(units as usize);
            self.unproven = self.unproven.saturating_sub(units);
        }
    }

    /// Makes the permit cover `bytes` if that needs no waiting. `false` when it does.
    pub fn try_cover(&mut self, bytes: usize) -> bool {
        let Some(missing) = self.missing(bytes) else { return true };
        let pool = self.pool.clone();
        let Ok(part) = self.class(missing.class).try_acquire_many(missing.unproven) else { return false };
        let Ok(more) = pool.requests.try_acquire_many(missing.units) else { return false };
        part.forget();
        more.forget();
        self.took(missing);
        true
    }

    /// Makes the permit cover `bytes`: all that the request needs, or two that have a part each would wait for each
    /// other. One that has some because of what it read ahead waits less: many of these might.
    pub async fn cover(&mut self, bytes: usize) -> Result<(), Exhausted> {
        let Some(missing) = self.missing(bytes).filter(|_| !self.try_cover(bytes)) else { return Ok(()) };
        self.pool.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(self.pool.clone());
        let wait_ms = if self.is_held() { ADMISSION_HOLDER_WAIT_MS_MAX } else { ADMISSION_WAIT_MS_MAX };
        let exhausted = Exhausted { wait_ms };
        let both = async {
            let part = self.class(missing.class).acquire_many(missing.unproven).await?;
            Ok::<_, AcquireError>((part, self.pool.requests.acquire_many(missing.units).await?))
        };
        let taken = tokio::time::timeout(Duration::from_millis(wait_ms), both).await;
        let (part, more) = taken.map_err(|_| exhausted)?.map_err(|_| exhausted)?;
        part.forget();
        more.forget();
        self.took(missing);
        Ok(())
    }

    /// Whether the connection holds any.
    pub fn is_held(&self) -> bool {
        self.held > 0
    }

    /// A request was handled: gives back what is more than the `needed_bytes` of what arrives behind it, or, when these
    /// are more than it holds and have to be waited for, more than the `bytes` that are there.
    pub fn delivered(&mut self, needed_bytes: usize, bytes: usize) {
        self.proven = self.proven.max(self.held);
        let is_enough = self.units(needed_bytes) <= self.held;
        self.shrink(if is_enough { needed_bytes } else { bytes });
    }

    fn shrink(&mut self, bytes: usize) {
        let spare = self.held.saturating_sub(self.units(bytes));
        if spare > 0 {
            self.pool.requests.add_permits(spare as usize);
            self.held = self.held.saturating_sub(spare);
        }
        self.fit_unproven();
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.shrink(0);
    }
}

struct Waiting(Arc<Pool>);

impl Drop for Waiting {
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

    fn unproven(admission: &Admission) -> [usize; CLASSES] {
        admission.pool.unproven.each_ref().map(Semaphore::available_permits)
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
        let begin = tokio::time::Instant::now();
        assert!(second.cover(1).await.is_err());
        let waited_ms = begin.elapsed().as_millis();
        assert!(waited_ms.abs_diff(u128::from(ADMISSION_WAIT_MS_MAX)) < 10, "{waited_ms}");
        first.delivered(0, 0);
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
        permit.delivered(1024 * 1024, 0);
        assert_eq!(free(&admission), 7 * 1024);
        drop(permit);
        assert_eq!(free(&admission), 8 * 1024);
        assert_eq!(unproven(&admission), unproven(&Admission::new(Some(8 * 1024 * 1024))));
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_delivered_a_request_does_not_wait_behind_those_who_have_not() {
        let admission = Admission::new(Some(8 * 1024 * 1024));
        let mib = 1024 * 1024;
        let mut good = admission.permit();
        good.cover(mib).await.unwrap();
        good.delivered(0, 0);
        let mut slow: Vec<Permit> = (0..10).map(|_| admission.permit()).collect();
        let covered = slow.iter_mut().filter_map(|permit| permit.try_cover(mib).then_some(())).count();
        assert_eq!(covered, 1, "a fifth of half of the memory is less than the second needs");
        {
            let mut waits = std::pin::pin!(slow[9].cover(mib));
            let polled = std::future::poll_fn(|context| std::task::Poll::Ready(waits.as_mut().poll(context)));
            assert!(polled.await.is_pending());
        }
        assert!(good.try_cover(4 * mib));
        good.delivered(0, 0);
        drop(slow);
        assert_eq!(free(&admission), 8 * 1024);
        assert_eq!(unproven(&admission), unproven(&Admission::new(Some(8 * 1024 * 1024))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_trusted_with_no_more_than_twice_what_it_delivered() {
        let admission = Admission::new(None);
        let [mut good, mut sly, mut slyer] = [(); 3].map(|()| admission.permit());
        let mib = 1024 * 1024;
        for (permit, bytes) in [(&mut good, mib), (&mut sly, 8 * 1024), (&mut slyer, 8 * 1024)] {
            permit.cover(bytes).await.unwrap();
            permit.delivered(0, 0);
        }
        assert!(sly.try_cover(100 * mib) && !slyer.try_cover(20 * mib));
        assert!(good.try_cover(2 * mib) && slyer.try_cover(16 * 1024));
        drop((good, sly, slyer));
        assert_eq!(free(&admission), REQUEST_MEMORY_BYTES_MAX / UNIT_BYTES);
        assert_eq!(unproven(&admission), unproven(&Admission::new(None)));
    }

    #[tokio::test]
    async fn who_begins_with_a_small_request_does_not_wait_behind_those_that_announce_large_ones() {
        let admission = Admission::new(None);
        let large: Vec<Permit> = (0..9)
            .map(|_| {
                let mut permit = admission.permit();
                permit.try_cover(20 * 1024 * 1024);
                permit
            })
            .collect();
        assert_eq!(large.iter().filter(|permit| permit.is_held()).count(), 1);
        assert!(admission.permit().try_cover(10 * 1024));
        assert!(admission.permit().try_cover(1024 * 1024));
    }

    #[tokio::test(start_paused = true)]
    async fn who_holds_some_memory_waits_less_long_for_more() {
        let admission = Admission::new(None);
        let [mut all, mut holder, mut other] = [(); 3].map(|()| admission.permit());
        holder.cover(1024).await.unwrap();
        all.cover(REQUEST_MEMORY_BYTES_MAX - 1024).await.unwrap();
        let begun = tokio::time::Instant::now();
        assert!(holder.cover(2048).await.is_err());
        assert_eq!(begun.elapsed(), Duration::from_millis(ADMISSION_HOLDER_WAIT_MS_MAX));
        drop(holder);
        assert!(other.cover(4096).await.is_err());
        let both = ADMISSION_HOLDER_WAIT_MS_MAX + ADMISSION_WAIT_MS_MAX;
        assert_eq!(begun.elapsed(), Duration::from_millis(both));
    }

    #[tokio::test]
    async fn what_was_held_for_one_request_is_not_kept_while_a_larger_one_is_waited_for() {
        let admission = Admission::new(Some(8 * 1024 * 1024));
        let mut permit = admission.permit();
        permit.cover(4 * 1024 * 1024).await.unwrap();
        permit.delivered(8 * 1024 * 1024, 10 * 1024);
        assert_eq!(free(&admission), 8 * 1024 - 10);
        permit.cover(4 * 1024 * 1024).await.unwrap();
        permit.delivered(3 * 1024 * 1024, 10 * 1024);
        assert_eq!(free(&admission), 5 * 1024, "it has all that is needed");
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
