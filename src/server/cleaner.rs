//! The log cleaner's worker: beside the other chores, because a round may take minutes; never more than one at a time.
//! It looks for something to compact every `log.cleaner.backoff.ms`, goes on while it finds anything, and keeps to
//! `log.cleaner.io.max.bytes.per.second`.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::broker::Broker;
use crate::config::CleanerConfig;
use crate::log::cleaner::{CleanerOptions, Pace};
use crate::types::Clock;

/// The longest that a worker sleeps without a look at whether the broker stops.
const NAP_MS: i64 = 50;

/// Starts a worker when one is due and none runs.
pub(super) struct Cleaner {
    due_mono_ms: i64,
    running: Option<JoinHandle<()>>,
}

impl Cleaner {
    pub(super) fn new(broker: &Broker) -> Self {
        let due_mono_ms = broker.clock.now().mono_ms.saturating_add(broker.config.storage.cleaner.backoff_ms);
        Self { due_mono_ms, running: None }
    }

    /// Looks whether a worker has to be started.
    pub(super) fn tick(&mut self, broker: &Arc<Broker>, stopping: &watch::Receiver<bool>) {
        let now = broker.clock.now();
        let runs = self.running.as_ref().is_some_and(|running| !running.is_finished());
        if runs || self.due_mono_ms > now.mono_ms {
            return;
        }
        let config = broker.live.current().storage.cleaner;
        self.due_mono_ms = now.mono_ms.saturating_add(config.backoff_ms);
        if !config.enable || config.threads == 0 {
            return;
        }
        let (broker, stopping) = (broker.clone(), stopping.clone());
        self.running = Some(tokio::task::spawn_blocking(move || clean(&broker, &config, stopping)));
    }

    /// Waits for the worker; it ends soon once the broker stops.
    pub(super) async fn finish(self) {
        if let Some(Err(error)) = match self.running {
            Some(running) => Some(running.await),
            None => None,
        } {
            tracing::error!("the log cleaner failed: {error}");
        }
    }
}

/// Cleans until nothing is due.
fn clean(broker: &Broker, config: &CleanerConfig, stopping: watch::Receiver<bool>) {
    let options = CleanerOptions {
        map_bytes: u64::try_from(config.dedupe_buffer_size).unwrap_or(0),
        load_factor: config.io_buffer_load_factor,
        // Half to read, half to write.
        io_bytes: config.io_buffer_size / 2,
    };
    let throttle = Throttle::new(broker.clock.clone(), config.io_max_bytes_per_second, stopping);
    while !throttle.stops() && broker.partitions.clean_filthiest(&options, &throttle, broker.clock.now()) {}
}

/// Makes a round wait when it was faster than allowed, and ends it when the broker stops.
struct Throttle {
    clock: Arc<dyn Clock>,
    bytes_per_second: f64,
    stopping: watch::Receiver<bool>,
    spent: Mutex<Spent>,
}

#[derive(Clone, Copy)]
struct Spent {
    since_mono_ms: i64,
    bytes: u64,
}

impl Throttle {
    fn new(clock: Arc<dyn Clock>, bytes_per_second: f64, stopping: watch::Receiver<bool>) -> Self {
        let spent = Mutex::new(Spent { since_mono_ms: clock.now().mono_ms, bytes: 0 });
        Self { clock, bytes_per_second, stopping, spent }
    }

    fn stops(&self) -> bool {
        *self.stopping.borrow()
    }
}

impl Pace for Throttle {
    fn spent(&self, bytes: u64) -> bool {
        let spent = {
            let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
            spent.bytes = spent.bytes.saturating_add(bytes);
            *spent
        };
        loop {
            if self.stops() {
                return false;
            }
            let passed_ms = self.clock.now().mono_ms.saturating_sub(spent.since_mono_ms);
            let owed_ms = owed_ms(spent.bytes, self.bytes_per_second, passed_ms);
            if owed_ms <= 0 {
                return true;
            }
            std::thread::sleep(Duration::from_millis(owed_ms.min(NAP_MS).unsigned_abs()));
        }
    }
}

/// How long to wait after `bytes` in `passed_ms`; without a rate never.
fn owed_ms(bytes: u64, bytes_per_second: f64, passed_ms: i64) -> i64 {
    if bytes_per_second <= 0.0 {
        return 0;
    }
    let needed_ms = bytes as f64 / bytes_per_second * 1000.0;
    (needed_ms as i64).saturating_sub(passed_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_waits_for_what_it_spent_beyond_its_rate() {
        assert_eq!(owed_ms(5_000, 1_000.0, 0), 5_000);
        assert_eq!(owed_ms(5_000, 1_000.0, 4_000), 1_000);
        assert!(owed_ms(5_000, 1_000.0, 6_000) <= 0);
        assert_eq!(owed_ms(u64::MAX, f64::MAX, 0), 0, "Kafka's default is no limit");
        assert_eq!(owed_ms(u64::MAX, 0.0, 0), 0);
    }

    #[test]
    fn a_round_that_waits_ends_when_the_broker_stops() {
        let (stop, stopping) = watch::channel(false);
        let throttle = Throttle::new(Arc::new(super::super::SystemClock::start()), 1.0, stopping);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| throttle.spent(3_600));
            stop.send_replace(true);
            assert!(!waiting.join().unwrap());
        });
    }
}
