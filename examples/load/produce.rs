//! Sends records through librdkafka as fast as the broker takes them, from the first send to the last delivery report.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use rdkafka::client::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};

use crate::client::{self, SETUP_TIMEOUT, Target};
use crate::measure::Stopwatch;
use crate::payload::Payloads;
use crate::report::Report;

/// Threads that fill the producers' queues; librdkafka has threads of its own for the connections.
const THREADS_MAX: u32 = 4;
/// Records between two looks for delivery reports.
const RECORDS_PER_POLL: u64 = 1_000;
/// What one producer keeps in its queue, librdkafka's default: a longer queue falls out of the CPU's caches.
const QUEUED_RECORDS: u32 = 100_000;
/// The least that each of many producers keeps, a full batch.
const QUEUED_RECORDS_MIN: u32 = 10_000;
/// What all producers keep in their queues, librdkafka's default for one.
const QUEUED_KBYTES: u32 = 1_048_576;
const QUEUED_KBYTES_MIN: u32 = 16_384;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    target: Target,
    /// How many records all connections send together.
    #[arg(long)]
    records: u64,
    /// Bytes of each record's value; there is no key.
    #[arg(long, default_value_t = 100)]
    size: usize,
    /// 0, 1 or all.
    #[arg(long, default_value = "1")]
    acks: String,
    /// none, gzip, snappy, lz4 or zstd.
    #[arg(long, default_value = "none")]
    compression: String,
    /// How many producers, each with connections of its own.
    #[arg(long, default_value_t = 1)]
    connections: u32,
    /// A setting of librdkafka, as key=value; may be given several times.
    #[arg(long, value_parser = client::pair)]
    producer_config: Vec<(String, String)>,
}

/// Counts deliveries. Only one thread polls a producer, so plain loads and stores do.
#[derive(Default)]
struct Deliveries {
    done: AtomicU64,
    failed: AtomicU64,
}

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        self.done.store(self.done.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        if result.is_err() {
            self.failed.store(self.failed.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
    }
}

/// A producer and its part of the load.
struct Source {
    producer: BaseProducer<Deliveries>,
    records: u64,
    sent: u64,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Report> {
    if arguments.connections == 0 {
        bail!("a load needs a connection");
    }
    let mut sources = sources(arguments)?;
    let threads = arguments.connections.min(THREADS_MAX) as usize;
    let share = sources.len().div_ceil(threads);
    let payloads = Payloads::new(arguments.size);
    let watch = Stopwatch::start();
    thread::scope(|scope| -> Result<()> {
        let (topic, payloads) = (arguments.target.topic.as_str(), &payloads);
        let workers: Vec<_> = sources
            .chunks_mut(share)
            .map(|sources| scope.spawn(move || drive(sources, topic, payloads)))
            .collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().map_err(|_| anyhow::anyhow!("a thread ended"))?)
    })?;
    let elapsed = watch.stop();
    let failed = sources.iter().map(|source| source.producer.context().failed.load(Ordering::Relaxed)).sum();
    if failed == arguments.records && failed > 0 {
        bail!("none of {failed} records was delivered");
    }
    Ok(Report::new()
        .count("records", arguments.records)
        .count("bytes", arguments.records * arguments.size as u64)
        .seconds("seconds", elapsed.wall)
        .seconds("cpu_seconds", elapsed.cpu)
        .count("errors", failed))
}

fn sources(arguments: &Arguments) -> Result<Vec<Source>> {
    let connections = u64::from(arguments.connections);
    let config = config(arguments);
    let sources = (0..connections).map(|index| {
        let producer: BaseProducer<Deliveries> =
            config.create_with_context(Deliveries::default()).context("a producer")?;
        // Metadata opens the connection, so that the clock starts on one that stands.
        producer.client().fetch_metadata(Some(&arguments.target.topic), SETUP_TIMEOUT)?;
        let extra = u64::from(index < arguments.records % connections);
        Ok(Source { producer, records: arguments.records / connections + extra, sent: 0 })
    });
    sources.collect()
}

/// librdkafka's defaults (`linger.ms` 5, batches of 1 MB or 10,000 records), but for the bounds of the queues
/// (`queue.buffering.max.*`): all producers share what one has by default, so that 100 of them take no more memory.
fn config(arguments: &Arguments) -> rdkafka::ClientConfig {
    let connections = arguments.connections;
    let queued = (QUEUED_RECORDS / connections).max(QUEUED_RECORDS_MIN);
    let kbytes = (QUEUED_KBYTES / connections).max(QUEUED_KBYTES_MIN);
    let mut config = client::base(&arguments.target.broker);
    config
        .set("acks", &arguments.acks)
        .set("compression.type", &arguments.compression)
        .set("queue.buffering.max.messages", queued.to_string())
        .set("queue.buffering.max.kbytes", kbytes.to_string());
    client::apply(&mut config, &arguments.producer_config);
    config
}

/// Sends what these producers have to send, then waits for their last delivery reports.
fn drive(sources: &mut [Source], topic: &str, payloads: &Payloads) -> Result<()> {
    loop {
        let mut open = false;
        let mut moved = false;
        for source in &mut *sources {
            let before = source.delivered();
            moved |= source.fill(topic, payloads)?;
            source.producer.poll(Duration::ZERO);
            moved |= source.delivered() > before;
            open |= source.delivered() < source.records;
        }
        if !open {
            return Ok(());
        }
        if !moved && let Some(source) = sources.iter().find(|source| source.delivered() < source.records) {
            source.producer.poll(Duration::from_millis(1));
        }
    }
}

impl Source {
    fn delivered(&self) -> u64 {
        self.producer.context().done.load(Ordering::Relaxed)
    }

    /// Sends a bounded number of records, fewer when the queue is full; true when any was sent.
    fn fill(&mut self, topic: &str, payloads: &Payloads) -> Result<bool> {
        let before = self.sent;
        let until = self.records.min(self.sent + RECORDS_PER_POLL);
        while self.sent < until {
            let record = BaseRecord::<(), [u8]>::to(topic).payload(payloads.get(self.sent));
            match self.producer.send(record) {
                Ok(()) => self.sent += 1,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => break,
                Err((error, _)) => return Err(error).context("while sending"),
            }
        }
        Ok(self.sent > before)
    }
}
