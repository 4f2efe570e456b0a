//! Start-up and shutdown order; owns every task and the system's clocks. A start does, in this order: bind the
//! listeners (a port in use is found before anything is touched), lock the data directory, load the journal, make
//! the partitions known, recover after an unclean stop, load the coordinators, accept.

use std::net::SocketAddr;
use std::sync::Arc;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::broker::Broker;
use crate::broker::endpoints::advertised;
use crate::config::Config;
use crate::coordinator;
use crate::log::LogDirectory;
use crate::log::storage::{Disk, Storage};
use crate::net::admission::Admission;
use crate::net::connection;
use crate::net::places::{self, Limits, Places};
use crate::types::Clock;
use failures::{Fatal, Watched};

mod cleaner;
mod clock;
mod directories;
mod failures;
mod housekeeping;
mod listening;
mod metrics;
mod refusals;
mod start;

pub use clock::SystemClock;

/// The exit code of a broker that cannot go on.
const EXIT_FAILED: i32 = 1;

/// Starts a broker and runs it until SIGTERM or SIGINT; then stops it cleanly. Ends the process where it stands when a
/// data directory failed without which there is no broker.
pub fn run(config: Config) -> anyhow::Result<()> {
    raise_open_files_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let server = Server::start(config).await?;
        tokio::select! {
            // Nothing is closed, and nobody waited for: the disk may hold who is asked.
            _ = server.failed() => std::process::exit(EXIT_FAILED),
            _ = terminate.recv() => tracing::info!("stopping: SIGTERM"),
            _ = interrupt.recv() => tracing::info!("stopping: SIGINT"),
        }
        server.stop().await
    })
}

/// A running broker.
pub struct Server {
    broker: Arc<Broker>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    addresses: Vec<(Arc<str>, SocketAddr)>,
    metrics_address: Option<SocketAddr>,
    fatal: watch::Receiver<Fatal>,
    /// Held for its lock, when the metadata are in none of `log.dirs`.
    _metadata: Option<Arc<LogDirectory>>,
}

impl Server {
    /// Starts a broker inside the current runtime; when this returns it answers.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        Self::start_on(config, Arc::new(Disk)).await
    }

    /// Starts a broker whose files lie in `storage`, but for the lock of the data directory: for tests.
    pub async fn start_on(config: Config, storage: Arc<dyn Storage>) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let config = Arc::new(config);
        let bound = listening::bind(&config.network).await?;
        let metrics = listening::bind_metrics(&config).await?;
        let metrics_address = metrics.as_ref().map(TcpListener::local_addr).transpose()?;
        let mut addresses = Vec::new();
        for (name, listener) in &bound {
            addresses.push((name.clone(), listener.local_addr()?));
        }
        let started = start::open(config.clone(), clock, storage).await?;
        let broker = started.broker;
        let (stop, stopping) = watch::channel(false);
        let limits = Limits::of(&broker.live.current().network).await;
        let places = Arc::new(Places::new(limits));
        let shared = connection::Shared {
            broker: broker.clone(),
            admission: Admission::new(config.network.queued_max_request_bytes),
            places: places.clone(),
            request_bytes_max: config.network.socket_request_max_bytes,
            idle_ms_max: u64::try_from(config.network.connections_max_idle_ms).ok(),
            complaints: Arc::default(),
            stopping: stopping.clone(),
        };
        let slow = (places.clone(), shared.admission.clone(), broker.clock.clone());
        let mut tasks = vec![tokio::spawn(places::call_slow(slow.0, slow.1, slow.2, stopping.clone()))];
        if let Some(listener) = metrics {
            let (broker, admission) = (broker.clone(), shared.admission.clone());
            let sources = metrics::Sources { broker, places: places.clone(), admission };
            tasks.push(tokio::spawn(metrics::run(listener, sources, stopping.clone())));
        }
        if let Some(ms_max) = shared.idle_ms_max {
            let (places, clock) = (places.clone(), broker.clock.clone());
            tasks.push(tokio::spawn(places::call_idle(places, clock, ms_max, stopping.clone())));
        }
        let metadata = started.metadata.map(Arc::new);
        let (ended, fatal) = watch::channel(None);
        let watched = Watched {
            broker: broker.clone(),
            context: started.log_context.clone(),
            metadata: metadata.clone(),
        };
        tasks.extend([
            tokio::spawn(listening::run(bound, shared, broker.live.subscribe())),
            tokio::spawn(places::follow(places, broker.live.subscribe(), stopping.clone())),
            tokio::spawn(failures::run(watched, ended, stopping.clone())),
            tokio::spawn(housekeeping::run(broker.clone(), started.log_context.clone(), stopping.clone())),
            tokio::spawn(run_group_deadlines(broker.clone(), stopping)),
        ]);
        let server = Self { broker, stop, tasks, addresses, metrics_address, fatal, _metadata: metadata };
        server.announce(started.recovered);
        Ok(server)
    }

    /// The listeners' names and the addresses they are bound to.
    pub fn addresses(&self) -> &[(Arc<str>, SocketAddr)] {
        &self.addresses
    }

    /// The address on which metrics are told, if they are.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// Resolves, with the reason, when the broker cannot go on because a data directory failed without which there is
    /// none: the metadata's, or the last one. It is not to be stopped then; a start checks what it left.
    pub async fn failed(&self) -> Arc<str> {
        let mut fatal = self.fatal.clone();
        match fatal.wait_for(Option::is_some).await.map(|why| why.clone()) {
            Ok(Some(why)) => why,
            _ => std::future::pending().await,
        }
    }

    /// The broker's parts, for tests and embedding.
    pub fn broker(&self) -> &Arc<Broker> {
        &self.broker
    }

    /// Two lines: what started, and the one by which Testcontainers and scripts know that it is ready.
    fn announce(&self, recovered: usize) {
        let image = self.broker.controller.image();
        let partitions: usize = image.topics().map(|topic| topic.partitions.len()).sum();
        let shown = |(name, address): &(Arc<str>, SocketAddr)| {
            let configured = self.broker.config.network.listeners.iter().find(|known| *known.name == **name);
            if configured.is_none_or(|configured| configured.advertised.is_none()) {
                return format!("{name}://{address}");
            }
            let (host, port) = advertised(&self.broker.config, name, *address);
            let host = if host.contains(':') { format!("[{host}]") } else { host };
            format!("{name}://{address} (advertised as {host}:{port})")
        };
        let addresses: Vec<String> = self.addresses.iter().map(shown).collect();
        let directories = self.broker.partitions.directories();
        let directories: Vec<String> =
            directories.iter().map(|directory| directory.path().display().to_string()).collect();
        tracing::info!(
            "milena {} listens on {}, data directory {}, {} topics, {partitions} partitions, {} recovered, {} ms",
            env!("CARGO_PKG_VERSION"),
            addresses.join(", "),
            directories.join(", "),
            image.topics().len(),
            recovered,
            self.broker.clock.now().mono_ms,
        );
        if let Some(address) = self.metrics_address {
            tracing::info!("metrics are told on http://{address}/metrics");
        }
        if self.broker.config.network.listeners.iter().all(|listener| listener.advertised.is_none()) {
            tracing::info!(
                "clients are told the address they came in through; behind a port mapping set advertised.listeners"
            );
        }
        tracing::info!("broker {}: Transitioning from RECOVERY to RUNNING", self.broker.node_id);
    }

    /// Stops cleanly: requests in flight are answered, logs flushed and closed, checkpoints and the marker of a
    /// clean stop written.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.stop.send_replace(true);
        // Answers that wait for other members of a group would wait for ever.
        self.broker.coordinator.remove_all();
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!("a task failed: {error}");
            }
        }
        let broker = self.broker;
        tokio::task::spawn_blocking(move || -> anyhow::Result<()> {
            broker.controller.close();
            let broker_epoch = broker.controller.image().broker_epoch(broker.node_id);
            broker.partitions.close(CLOSING_THREADS, broker_epoch)?;
            Ok(())
        })
        .await??;
        tracing::info!("stopped");
        Ok(())
    }
}

/// Ends sessions and rebalances whose time is over, until the broker stops.
async fn run_group_deadlines(broker: Arc<Broker>, mut stopping: watch::Receiver<bool>) {
    tokio::select! {
        () = coordinator::drive(broker.coordinator.clone(), broker.clock.clone()) => {}
        _ = stopping.wait_for(|stopping| *stopping) => {}
    }
}

/// Threads that close logs at a stop. They wait for the disk, whose journal commits what waits together; recovery's
/// threads compute, so their configuration says nothing here.
const CLOSING_THREADS: usize = 8;

/// A connection costs a file descriptor: take as many as the system gives.
fn raise_open_files_limit() {
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        tracing::warn!("the limit of open files stays at {:?}: {error}", limit.current);
    }
}
