//! Reads a topic from its beginning through librdkafka, with consumers that know nothing of each other.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use clap::Args;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer};

use crate::client::{self, From, Target};
use crate::measure::Stopwatch;
use crate::report::Report;

/// What all consumers together keep in their queues.
const QUEUED_KBYTES: u32 = 1_048_576;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    target: Target,
    /// How many records each consumer reads from all partitions together.
    #[arg(long)]
    records: u64,
    #[arg(long, default_value_t = 1)]
    consumers: u32,
    /// Bytes of a record, if known: bounds the queues in records too.
    #[arg(long)]
    size_hint: Option<u32>,
    /// A setting of librdkafka, as key=value; may be given several times.
    #[arg(long, value_parser = client::pair)]
    consumer_config: Vec<(String, String)>,
}

/// What one consumer read.
struct Seen {
    records: u64,
    bytes: u64,
    first: Option<Instant>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Report> {
    let settings = settings(arguments);
    let (broker, topic) = (&arguments.target.broker, &arguments.target.topic);
    let readers = (0..arguments.consumers).map(|_| {
        let consumer = client::reader(broker, &settings)?;
        let positions = client::positions(&consumer, topic, From::Beginning)?;
        Ok((consumer, positions))
    });
    let readers: Vec<(BaseConsumer, TopicPartitionList)> = readers.collect::<Result<_>>()?;
    let start = Barrier::new(readers.len() + 1);
    let (watch, seen) = thread::scope(|scope| {
        let (start, records) = (&start, arguments.records);
        let worker = |(consumer, positions): (BaseConsumer, TopicPartitionList)| {
            scope.spawn(move || {
                start.wait();
                // The consumer goes back: closing it is not part of the measurement.
                read(&consumer, &positions, records).map(|seen| (consumer, seen))
            })
        };
        let workers: Vec<_> = readers.into_iter().map(worker).collect();
        start.wait();
        let watch = Stopwatch::start();
        let seen: Vec<_> = workers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        (watch, seen)
    });
    let elapsed = watch.stop();
    let seen = seen.into_iter().map(|seen| seen.map_err(|_| anyhow!("a thread ended"))?);
    let (_consumers, seen): (Vec<BaseConsumer>, Vec<Seen>) =
        seen.collect::<Result<Vec<_>>>()?.into_iter().unzip();
    let first = seen.iter().filter_map(|seen| seen.first).min().context("no record was read")?;
    Ok(Report::new()
        .count("records", seen.iter().map(|seen| seen.records).sum())
        .count("bytes", seen.iter().map(|seen| seen.bytes).sum())
        .seconds("seconds", elapsed.wall)
        .seconds("cpu_seconds", elapsed.cpu)
        .seconds("first_record_seconds", first.saturating_duration_since(watch.begin())))
}

/// `queued.min.messages`, unless records are large.
const MESSAGES_MAX: u32 = 100_000;
/// Milliseconds that librdkafka does not fetch after it found its queue full; its default is a second.
const BACKOFF_MS: u32 = 2;

/// librdkafka's defaults, but for the memory that all consumers share (`queued.max.messages.kbytes`) and for what it does
/// with a full queue: a pause of a second would be all that is measured, and a queue without an end costs the client more
/// the faster the broker is, because it fills memory that was not touched before.
fn settings(arguments: &Arguments) -> Vec<(String, String)> {
    let kbytes = (QUEUED_KBYTES / arguments.consumers.max(1)).clamp(8_192, 65_536);
    let messages = arguments
        .size_hint
        .map_or(MESSAGES_MAX, |size| (kbytes.saturating_mul(1_024) / size.max(1)).clamp(1_000, MESSAGES_MAX));
    let own = [
        ("queued.min.messages", messages.to_string()),
        ("queued.max.messages.kbytes", kbytes.to_string()),
        ("fetch.queue.backoff.ms", BACKOFF_MS.to_string()),
    ];
    let own = own.into_iter().map(|(key, value)| (key.to_owned(), value));
    own.chain(arguments.consumer_config.iter().cloned()).collect()
}

fn read(consumer: &BaseConsumer, positions: &TopicPartitionList, records: u64) -> Result<Seen> {
    let mut seen = Seen { records: 0, bytes: 0, first: None };
    consumer.assign(positions)?;
    while seen.records < records {
        if let Some(message) = client::next(consumer, Duration::from_secs(1))? {
            if seen.first.is_none() {
                seen.first = Some(Instant::now());
            }
            seen.records += 1;
            seen.bytes += (message.payload_len() + message.key_len()) as u64;
        }
    }
    Ok(seen)
}
