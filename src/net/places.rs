//! How many connections there may be, over all listeners and for one address, and how fast new ones may come. The
//! limits change at run time. No socket is touched here.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rustix::process::{Resource, getrlimit};
use tokio::sync::{Notify, watch};

use super::admission::Admission;
use super::arrival::patience_s;
use crate::config::{Config, NetworkConfig};
use crate::limits::{LOG_FILES_MAX, OTHER_FILES_MAX, UNTAKEN_SHORT_MS_MAX};
use crate::types::Clock;

/// What `max.connection.creation.rate` is measured over: as many connections may come at once as in this time.
const RATE_WINDOW_SECONDS: u32 = 10;

const SECOND_MS: i64 = 1_000;

/// A connection that is idle may stay for one part in so many of `connections.max.idle.ms` longer: all that become due
/// in this time cost one look.
const IDLE_LOOKS: u64 = 100;

/// The limits as they are now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `max.connections`, or what the limit of open files leaves.
    pub max: usize,
    /// `max.connections.per.ip`.
    pub per_ip_max: usize,
    /// `max.connections.per.ip.overrides`, names resolved.
    pub overrides: HashMap<IpAddr, usize>,
    /// `max.connection.creation.rate`: connections a second.
    pub rate_max: u32,
}

/// How many connections leave enough of the files that the process may have open (`None`: as many as it likes) to logs,
/// which have a third of them at most, and to answers, which keep half as many open: without them nobody is served.
fn connections_max(open_files_max: Option<u64>) -> usize {
    let Some(files) = open_files_max else { return usize::MAX };
    let of_logs = (files / 3).min(LOG_FILES_MAX);
    let others = of_logs.saturating_add(of_logs / 2).saturating_add(OTHER_FILES_MAX);
    usize::try_from(files.saturating_sub(others).max(files / 4)).unwrap_or(usize::MAX)
}

impl Limits {
    /// The limits that `network` sets. Resolves names; one that cannot be resolved is left out.
    pub async fn of(network: &NetworkConfig) -> Self {
        let mut overrides = HashMap::new();
        for (host, max) in &network.max_connections_per_ip_overrides {
            let name = if host.is_empty() { "localhost" } else { host };
            match tokio::net::lookup_host((name, 0)).await {
                Ok(found) => overrides.extend(found.map(|address| (address.ip().to_canonical(), *max))),
                Err(error) => {
                    tracing::warn!("max.connections.per.ip.overrides: {name} has no effect: {error}");
                }
            }
        }
        Self {
            max: network.max_connections.min(connections_max(getrlimit(Resource::Nofile).current)),
            per_ip_max: network.max_connections_per_ip,
            overrides,
            rate_max: network.max_connection_creation_rate,
        }
    }

    fn of_ip(&self, ip: IpAddr) -> usize {
        self.overrides.get(&ip).copied().unwrap_or(self.per_ip_max)
    }
}

/// A connection as the places know it.
#[derive(Debug, Default)]
struct Held {
    used_mono_ms: AtomicI64,
    /// The second, as [`Places`] counts them, in which a request began to arrive that is not whole; 0 when there is none.
    arrives_since_s: AtomicU32,
    /// Bytes of it that were there at that time.
    arrived_before: AtomicU32,
    is_given_up: AtomicBool,
    call: Mutex<Call>,
}

/// How a connection is told to look whether it has to end: one waker for all reasons, because each connection keeps
/// what it waits with for as long as it lives.
#[derive(Debug, Default)]
struct Call {
    is_called: bool,
    waker: Option<Waker>,
}

impl Held {
    fn lock(&self) -> MutexGuard<'_, Call> {
        self.call.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn call(&self) {
        let mut call = self.lock();
        call.is_called = true;
        let waker = call.waker.take();
        drop(call);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn arriving_s(&self, second: u32) -> Option<u32> {
        let since = self.arrives_since_s.load(Ordering::Relaxed);
        (since != 0).then(|| second.wrapping_sub(since))
    }

    fn unused_ms(&self, now_mono_ms: i64) -> u64 {
        let used_mono_ms = self.used_mono_ms.load(Ordering::Relaxed);
        now_mono_ms.saturating_sub(used_mono_ms).max(0).unsigned_abs()
    }
}

#[derive(Debug)]
struct Taken {
    limits: Limits,
    /// Places that are reserved for whoever is accepted next.
    reserved: usize,
    per_ip: HashMap<IpAddr, usize>,
    held: BTreeMap<u64, Arc<Held>>,
    next: u64,
    rate: Rate,
}

impl Taken {
    fn has_room(&self) -> bool {
        self.held.len().saturating_add(self.reserved) < self.limits.max
    }

    /// Tells those that were used the longest ago to end, until the others are as many as there may be.
    fn give_up_excess(&self) {
        let excess = self.held.len().saturating_sub(self.limits.max);
        let mut by_age: Vec<&Arc<Held>> = self.held.values().collect();
        by_age.sort_by_key(|held| held.used_mono_ms.load(Ordering::Relaxed));
        for held in by_age.into_iter().take(excess) {
            held.is_given_up.store(true, Ordering::Release);
            held.call();
        }
    }
}

/// How many connections there are and may be.
#[derive(Debug)]
pub struct Places {
    taken: Mutex<Taken>,
    changed: Notify,
    /// Seconds since the start, counted by [`call_slow`]; they begin with 1.
    second: AtomicU32,
}

/// Room for one connection; there again when it is dropped.
pub(super) struct Reserved {
    places: Arc<Places>,
}

/// A connection's place; free again when it is dropped.
pub struct Place {
    places: Arc<Places>,
    ip: IpAddr,
    id: u64,
    held: Arc<Held>,
}

impl Places {
    /// Places that are all free.
    pub fn new(limits: Limits) -> Self {
        let rate = Rate::default();
        let taken =
            Taken { limits, reserved: 0, per_ip: HashMap::new(), held: BTreeMap::new(), next: 0, rate };
        Self { taken: Mutex::new(taken), changed: Notify::new(), second: AtomicU32::new(1) }
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many connections there are.
    pub fn taken(&self) -> usize {
        self.lock().held.len()
    }

    /// Other limits from now on. When there are more connections than there may be, those that were used the longest
    /// ago end, as with Kafka; a limit for an address holds for those that come.
    pub fn set_limits(&self, limits: Limits) {
        let mut taken = self.lock();
        if taken.limits != limits {
            taken.limits = limits;
            taken.give_up_excess();
            self.changed.notify_waiters();
        }
    }

    /// Waits until there is room for one more and reserves it.
    pub(super) async fn room(self: &Arc<Self>) -> Reserved {
        self.wait(|taken| {
            taken.reserved = taken.reserved.saturating_add(1);
            Reserved { places: self.clone() }
        })
        .await
    }

    /// Whether there is room for one more.
    pub(super) fn has_room(&self) -> bool {
        self.lock().has_room()
    }

    /// Waits until there is room for one more, which another may take.
    pub(super) async fn some_room(&self) {
        self.wait(|_| ()).await;
    }

    async fn wait<T>(&self, take: impl Fn(&mut Taken) -> T) -> T {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // From here on a change wakes, and the look comes after.
            changed.as_mut().enable();
            {
                let mut taken = self.lock();
                if taken.has_room() {
                    return take(&mut taken);
                }
            }
            changed.await;
        }
    }

    /// Takes a place for a client; `None` when its address has all that it may have.
    pub(super) fn take(self: &Arc<Self>, reserved: Reserved, ip: IpAddr, now_mono_ms: i64) -> Option<Place> {
        // A client of IPv4 comes in through a socket for both as a mapped address.
        let ip = ip.to_canonical();
        let mut taken = self.lock();
        let max = taken.limits.of_ip(ip);
        let of_ip = taken.per_ip.get(&ip).copied().unwrap_or(0);
        if of_ip >= max {
            // The room is given back by its drop, which locks.
            drop(taken);
            drop(reserved);
            return None;
        }
        taken.per_ip.insert(ip, of_ip.saturating_add(1));
        let id = taken.next;
        taken.next = id.wrapping_add(1);
        let held = Arc::new(Held { used_mono_ms: AtomicI64::new(now_mono_ms), ..Held::default() });
        taken.held.insert(id, held.clone());
        drop(taken);
        drop(reserved);
        Some(Place { places: self.clone(), ip, id, held })
    }

    /// Has every connection look whether it has to end: its listener closes.
    pub(super) fn call_all(&self) {
        self.lock().held.values().for_each(|held| held.call());
    }

    /// Has those connections look that were not used for `ms_max`. Milliseconds until another may be due.
    fn call_unused(&self, ms_max: u64, now_mono_ms: i64) -> u64 {
        let mut next_ms = ms_max;
        for held in self.lock().held.values() {
            match ms_max.checked_sub(held.unused_ms(now_mono_ms)) {
                None | Some(0) => held.call(),
                Some(left_ms) => next_ms = next_ms.min(left_ms),
            }
        }
        next_ms
    }

    /// A second later. Has those connections look on which a request arrives for so long that it may be too slow, and
    /// while answers take too much memory those that were not used for a while.
    fn tick(&self, admission: &Admission, now_mono_ms: i64) {
        let second = self.second.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let patience_s = patience_s(admission.is_short());
        let is_short_of_answers = admission.is_short_of_answers();
        for held in self.lock().held.values() {
            let is_slow = held.arriving_s(second).is_some_and(|seconds| seconds >= patience_s);
            if is_slow || (is_short_of_answers && held.unused_ms(now_mono_ms) >= UNTAKEN_SHORT_MS_MAX) {
                held.call();
            }
        }
    }

    /// Milliseconds until the next connection may come; 0 counts it.
    pub(super) fn wait_for_rate_ms(&self, now_mono_ms: i64) -> u64 {
        let mut taken = self.lock();
        let rate_max = taken.limits.rate_max;
        taken.rate.wait_ms(rate_max, now_mono_ms)
    }
}

impl Place {
    /// Notes that the connection was used.
    pub fn used(&self, now_mono_ms: i64) {
        self.held.used_mono_ms.store(now_mono_ms, Ordering::Relaxed);
    }

    /// Milliseconds since the connection was used last.
    pub fn unused_ms(&self, now_mono_ms: i64) -> u64 {
        self.held.unused_ms(now_mono_ms)
    }

    fn second(&self) -> u32 {
        self.places.second.load(Ordering::Relaxed)
    }

    /// Notes that a part of a request is there. What was noted before stands.
    pub fn arrives(&self) {
        if self.held.arrives_since_s.load(Ordering::Relaxed) == 0 {
            self.arrives_on(0);
        }
    }

    /// Looks anew at how fast a request arrives of which `bytes` are there.
    pub(super) fn arrives_on(&self, bytes: usize) {
        self.held.arrived_before.store(u32::try_from(bytes).unwrap_or(u32::MAX), Ordering::Relaxed);
        self.held.arrives_since_s.store(self.second(), Ordering::Relaxed);
    }

    /// Bytes of the request that arrives that were there when it was looked at anew.
    pub(super) fn arrived_before(&self) -> usize {
        self.held.arrived_before.load(Ordering::Relaxed) as usize
    }

    /// Notes that no request is arriving, or that nothing is read.
    pub fn arrived(&self) {
        if self.held.arrives_since_s.load(Ordering::Relaxed) != 0 {
            self.held.arrives_since_s.store(0, Ordering::Relaxed);
        }
    }

    /// Seconds since a request began to arrive that is not whole yet, or was looked at anew.
    pub fn arriving_s(&self) -> Option<u32> {
        self.held.arriving_s(self.second())
    }

    /// Nothing is read for a while; what [`Self::resume_arrival`] wants to know.
    pub(super) fn pause_arrival(&self) -> Option<u32> {
        let seconds = self.arriving_s();
        self.arrived();
        seconds
    }

    /// Goes on where [`Self::pause_arrival`] stopped.
    pub(super) fn resume_arrival(&self, seconds: Option<u32>) {
        if let Some(seconds) = seconds {
            let since = self.second().saturating_sub(seconds).max(1);
            self.held.arrives_since_s.store(since, Ordering::Relaxed);
        }
    }

    /// Whether the place is wanted back.
    pub fn is_given_up(&self) -> bool {
        self.held.is_given_up.load(Ordering::Acquire)
    }

    /// Ready once after each call to look whether the connection has to end; wakes whoever polled last.
    pub fn poll_called(&self, context: &Context<'_>) -> Poll<()> {
        let mut call = self.held.lock();
        if std::mem::take(&mut call.is_called) {
            return Poll::Ready(());
        }
        if !call.waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            call.waker = Some(context.waker().clone());
        }
        Poll::Pending
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.reserved = taken.reserved.saturating_sub(1);
        drop(taken);
        self.places.changed.notify_waiters();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.held.remove(&self.id);
        if let Some(of_ip) = taken.per_ip.get_mut(&self.ip) {
            *of_ip = of_ip.saturating_sub(1);
            if *of_ip == 0 {
                taken.per_ip.remove(&self.ip);
            }
        }
        drop(taken);
        self.places.changed.notify_waiters();
    }
}

/// Connections that may come now: some at once, then as many a second as allowed.
#[derive(Debug, Default)]
struct Rate {
    /// What `credit_ms` was computed for.
    per_second: u32,
    /// Milliseconds times connections; a connection costs a second.
    credit_ms: i64,
    at_mono_ms: i64,
}

impl Rate {
    fn wait_ms(&mut self, per_second: u32, now_mono_ms: i64) -> u64 {
        let count = i64::from(per_second.max(1));
        let full = count.saturating_mul(i64::from(RATE_WINDOW_SECONDS)).saturating_mul(SECOND_MS);
        let earned = now_mono_ms.saturating_sub(self.at_mono_ms).max(0).saturating_mul(count);
        self.credit_ms = if self.per_second == per_second {
            self.credit_ms.saturating_add(earned).min(full)
        } else {
            full
        };
        (self.per_second, self.at_mono_ms) = (per_second, now_mono_ms);
        let missing = SECOND_MS.saturating_sub(self.credit_ms);
        if missing <= 0 {
            self.credit_ms = self.credit_ms.saturating_sub(SECOND_MS);
            return 0;
        }
        u64::try_from(missing).unwrap_or(0).div_ceil(count.unsigned_abs()).max(1)
    }
}

/// Hands the limits of each new configuration to the places, until the broker stops.
pub async fn follow(
    places: Arc<Places>,
    mut config: watch::Receiver<Arc<Config>>,
    mut stopping: watch::Receiver<bool>,
) {
    loop {
        tokio::select! {
            changed = config.changed() => if changed.is_err() { return },
            _ = stopping.wait_for(|stopping| *stopping) => return,
        }
        let current = config.borrow_and_update().clone();
        tokio::select! {
            limits = Limits::of(&current.network) => places.set_limits(limits),
            // Looking names up may take long.
            _ = stopping.wait_for(|stopping| *stopping) => return,
        }
    }
}

/// Calls the connections that were not used for `idle_ms_max`, until the broker stops. One timer for all: a timer of its
/// own would be a part of each connection.
pub async fn call_idle(
    places: Arc<Places>,
    clock: Arc<dyn Clock>,
    idle_ms_max: u64,
    mut stopping: watch::Receiver<bool>,
) {
    loop {
        let next_ms = places.call_unused(idle_ms_max, clock.now().mono_ms);
        let pause_ms = next_ms.max(idle_ms_max / IDLE_LOOKS).max(1);
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(pause_ms)) => {}
            _ = stopping.wait_for(|stopping| *stopping) => return,
        }
    }
}

/// Counts the seconds by which requests that arrive too slowly are found, until the broker stops.
pub async fn call_slow(
    places: Arc<Places>,
    admission: Admission,
    clock: Arc<dyn Clock>,
    mut stopping: watch::Receiver<bool>,
) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)) => places.tick(&admission, clock.now().mono_ms),
            _ = stopping.wait_for(|stopping| *stopping) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;

    use super::*;

    fn limits(max: usize, per_ip_max: usize) -> Limits {
        Limits { max, per_ip_max, overrides: HashMap::new(), rate_max: u32::MAX }
    }

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([127, 0, 0, last])
    }

    async fn take(places: &Arc<Places>, last: u8) -> Option<Place> {
        let room = places.room().await;
        places.take(room, ip(last), 0)
    }

    #[tokio::test]
    async fn an_address_has_no_more_places_than_it_may_have_until_one_is_free() {
        let places = Arc::new(Places::new(limits(3, 1)));
        let place = take(&places, 1).await.unwrap();
        assert!(take(&places, 1).await.is_none());
        assert!(take(&places, 2).await.is_some());
        drop(place);
        assert!(take(&places, 1).await.is_some());
        assert!(places.lock().per_ip.is_empty() && places.lock().held.is_empty());
    }

    #[tokio::test]
    async fn an_address_may_have_a_limit_of_its_own() {
        let overrides = HashMap::from([(ip(1), 2), (ip(2), 0)]);
        let places = Arc::new(Places::new(Limits { overrides, ..limits(9, 1) }));
        let (_first, second) = (take(&places, 1).await.unwrap(), take(&places, 1).await);
        assert!(second.is_some());
        assert!(take(&places, 1).await.is_none());
        assert!(take(&places, 2).await.is_none());
    }

    #[tokio::test]
    async fn an_address_is_the_same_through_a_socket_for_both_kinds() {
        let overrides = HashMap::from([(ip(1), 2)]);
        let places = Arc::new(Places::new(Limits { overrides, ..limits(9, 1) }));
        let mapped: IpAddr = "::ffff:127.0.0.1".parse().unwrap();
        let _first = take(&places, 1).await.unwrap();
        let second = places.take(places.room().await, mapped, 0);
        assert!(second.is_some());
        assert!(places.take(places.room().await, mapped, 0).is_none());
        assert!(take(&places, 1).await.is_none());
    }

    #[tokio::test]
    async fn who_waits_for_room_gets_it_when_a_place_is_free_or_there_may_be_more() {
        let places = Arc::new(Places::new(limits(1, 9)));
        let place = take(&places, 1).await.unwrap();
        let waiting = tokio::spawn({
            let places = places.clone();
            async move { take(&places, 2).await.unwrap() }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(place);
        let second = waiting.await.unwrap();
        let waiting = tokio::spawn({
            let places = places.clone();
            async move { take(&places, 3).await.unwrap() }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        places.set_limits(limits(2, 9));
        waiting.await.unwrap();
        drop(second);
    }

    #[tokio::test]
    async fn a_lower_limit_ends_what_was_used_the_longest_ago() {
        let places = Arc::new(Places::new(limits(3, 9)));
        let held = [take(&places, 1).await.unwrap(), take(&places, 1).await.unwrap()];
        held[0].used(20);
        held[1].used(10);
        places.set_limits(limits(1, 9));
        poll_fn(|context| held[1].poll_called(context)).await;
        let is_given_up = held.map(|place| place.is_given_up());
        assert_eq!(is_given_up, [false, true]);
    }

    #[tokio::test]
    async fn a_call_wakes_who_waits_for_it_and_is_there_once() {
        let places = Arc::new(Places::new(limits(1, 9)));
        let place = take(&places, 1).await.unwrap();
        let mut called = pin!(poll_fn(|context| place.poll_called(context)));
        tokio::join!(called.as_mut(), async { places.call_all() });
        assert!(poll_fn(|context| Poll::Ready(called.as_mut().poll(context))).await.is_pending());
        places.call_all();
        called.await;
    }

    #[tokio::test]
    async fn who_was_not_used_for_long_enough_is_called_and_the_next_is_known() {
        let places = Arc::new(Places::new(limits(3, 9)));
        let held = [take(&places, 1).await.unwrap(), take(&places, 1).await.unwrap()];
        held[1].used(300);
        assert_eq!(places.call_unused(1_000, 999), 1);
        assert_eq!(places.call_unused(1_000, 1_000), 300);
        let polled = held.each_ref().map(|place| place.poll_called(&Context::from_waker(Waker::noop())));
        assert_eq!(polled, [Poll::Ready(()), Poll::Pending]);
        drop(held);
        assert_eq!(places.call_unused(1_000, 2_000), 1_000);
    }

    #[tokio::test]
    async fn who_sends_a_request_for_too_long_is_called_and_time_in_which_nothing_is_read_does_not_count() {
        let places = Arc::new(Places::new(limits(3, 9)));
        let admission = Admission::new(None);
        let place = take(&places, 1).await.unwrap();
        let polled = || place.poll_called(&Context::from_waker(Waker::noop()));
        let pass = |seconds: u32| (0..seconds).for_each(|_| places.tick(&admission, 0));
        pass(100);
        assert_eq!((place.arriving_s(), polled()), (None, Poll::Pending));
        place.arrives();
        pass(20);
        place.arrives();
        let paused = place.pause_arrival();
        pass(50);
        place.resume_arrival(paused);
        assert_eq!((place.arriving_s(), polled()), (Some(20), Poll::Pending));
        pass(10);
        assert_eq!((place.arriving_s(), polled()), (Some(30), Poll::Ready(())));
        place.arrived();
        pass(50);
        assert_eq!((place.arriving_s(), polled()), (None, Poll::Pending));
    }

    #[test]
    fn connections_leave_files_to_logs() {
        let cases = [(None, usize::MAX), (Some(20_000), 18_436), (Some(1024), 449), (Some(128), 32)];
        for (files, connections) in cases {
            assert_eq!(connections_max(files), connections, "{files:?}");
        }
    }

    #[test]
    fn connections_come_at_once_up_to_a_window_and_then_at_the_rate() {
        let mut rate = Rate::default();
        for _ in 0..20 {
            assert_eq!(rate.wait_ms(2, 1000), 0);
        }
        assert_eq!(rate.wait_ms(2, 1000), 500);
        assert_eq!(rate.wait_ms(2, 1499), 1);
        assert_eq!(rate.wait_ms(2, 1500), 0);
        assert_eq!(rate.wait_ms(2, 1500), 500);
        assert_eq!(rate.wait_ms(u32::MAX, 1500), 0, "another rate holds at once");
    }

    #[tokio::test]
    async fn names_in_the_overrides_are_resolved_and_unknown_ones_left_out() {
        let pairs = [("max.connections.per.ip.overrides", "localhost:2, :3, 10.0.0.1:4")];
        let config = Config::from_pairs(pairs).unwrap();
        let limits = Limits::of(&config.network).await;
        assert_eq!(limits.of_ip(IpAddr::from([10, 0, 0, 1])), 4);
        assert_eq!(limits.of_ip(ip(1)), 3, "the later entry");
    }
}
