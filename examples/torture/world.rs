//! What all clients of a run share: the checker, the broker's address, and whether the load goes on.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rdkafka::ClientConfig;

use super::broker;
use super::checker::Checker;
use super::wire::Raw;

/// Between two tries of a client that does not reach the broker.
const AGAIN: Duration = Duration::from_millis(5);
/// Longer than all that one cycle waits for.
const CYCLE_LIMIT: Duration = Duration::from_mins(4);

pub(crate) struct World {
    pub(crate) address: SocketAddr,
    /// The same broker, far away.
    far_address: SocketAddr,
    checker: Mutex<Checker>,
    load: AtomicBool,
    /// Cycles that have begun.
    cycles: AtomicU32,
    /// The broker's process, 0 when there is none.
    broker: AtomicU32,
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

impl World {
    pub(crate) fn new(address: SocketAddr, far_address: SocketAddr) -> Self {
        Self {
            address,
            far_address,
            checker: Mutex::new(Checker::default()),
            load: AtomicBool::new(false),
            cycles: AtomicU32::new(0),
            broker: AtomicU32::new(0),
        }
    }

    /// A cycle begins.
    pub(crate) fn alive(&self) {
        self.cycles.fetch_add(1, Ordering::SeqCst);
    }

    /// This is the broker's process now.
    pub(crate) fn runs(&self, broker: Option<u32>) {
        self.broker.store(broker.unwrap_or_default(), Ordering::SeqCst);
    }

    /// Ends the program when a cycle takes far too long: then something waits that should not, and a run that says nothing
    /// is worse than one that fails. Ends with the world.
    pub(crate) fn watch(self: &Arc<Self>, directory: &Path) {
        let (world, directory) = (Arc::downgrade(self), directory.to_owned());
        let mut seen = (0, now_ms());
        thread::spawn(move || {
            while let Some(world) = world.upgrade() {
                let cycles = world.cycles.load(Ordering::SeqCst);
                if cycles != seen.0 {
                    seen = (cycles, now_ms());
                } else if now_ms() - seen.1 > CYCLE_LIMIT.as_millis() as i64 {
                    let broker = world.broker.load(Ordering::SeqCst);
                    let _ = broker::send(broker, rustix::process::Signal::KILL);
                    println!(
                        "torture: stuck in cycle {cycles}; data and output are in {}",
                        directory.display()
                    );
                    std::process::exit(1);
                }
                drop(world);
                thread::sleep(Duration::from_secs(1));
            }
        });
    }

    pub(crate) fn checker(&self) -> MutexGuard<'_, Checker> {
        self.checker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether clients go on.
    pub(crate) fn loading(&self) -> bool {
        self.load.load(Ordering::SeqCst)
    }

    pub(crate) fn set_loading(&self, on: bool) {
        self.load.store(on, Ordering::SeqCst);
    }

    /// A connection, tried again and again while the load goes on.
    pub(crate) fn connect(&self) -> Option<Raw> {
        while self.loading() {
            if let Ok(raw) = Raw::connect(self.address) {
                return Some(raw);
            }
            thread::sleep(AGAIN);
        }
        None
    }

    /// The configuration of a client that is far away.
    pub(crate) fn far_client(&self) -> ClientConfig {
        let mut config = self.client();
        config.set("bootstrap.servers", self.far_address.to_string());
        config
    }

    /// How librdkafka's clients are configured: they come back soon, and say nothing.
    pub(crate) fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.address.to_string());
        config.set("reconnect.backoff.ms", "5").set("reconnect.backoff.max.ms", "20");
        config.set("retry.backoff.ms", "5").set("retry.backoff.max.ms", "50");
        config.set("topic.metadata.refresh.fast.interval.ms", "20");
        config.set("socket.timeout.ms", "10000").set("log_level", "0");
        config
    }
}
