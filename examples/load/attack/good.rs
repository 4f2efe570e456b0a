//! The client that wants no harm: it writes a record and reads it back, again and again, and now and then comes in by a
//! new connection. What an attack does to others shows in its latencies and errors.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::{ApiKey, BrokerId, FetchRequest, FetchResponse, ProduceResponse, TopicName};
use kafka_protocol::protocol::StrBytes;

use crate::raw::connection::Connection;
use crate::raw::frames::{Produce, Request, decode};
use crate::report::Latencies;

/// The last versions that name topics.
const FETCH_VERSION: i16 = 12;
const PRODUCE_VERSION: i16 = 12;
/// An answer that takes longer is an error.
const LIMIT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(2);
const SMALL_BYTES: usize = 100;
const LARGE_BYTES: usize = 100_000;
/// Every so many round trips one is of a large record, and one goes through a new connection.
const LARGE_EVERY: u64 = 50;
const CONNECT_EVERY: u64 = 50;
/// Errors whose words are kept.
const ERRORS_KEPT: usize = 5;

/// What the client saw.
#[derive(Clone)]
pub(crate) struct Seen {
    /// Round trips of small records.
    pub(crate) small: Latencies,
    /// Round trips of large ones.
    pub(crate) large: Latencies,
    /// A connection and its first round trip.
    pub(crate) connect: Latencies,
    pub(crate) errors: u64,
    pub(crate) words: Vec<String>,
}

impl Seen {
    fn new() -> Self {
        Self {
            small: Latencies::new(),
            large: Latencies::new(),
            connect: Latencies::new(),
            errors: 0,
            words: Vec::new(),
        }
    }
}

pub(crate) struct Good {
    seen: Arc<Mutex<Seen>>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Good {
    /// Begins on a topic that is there.
    pub(crate) fn start(address: &str, topic: &'static str) -> Result<Self> {
        let seen = Arc::new(Mutex::new(Seen::new()));
        let ends = Arc::new(AtomicBool::new(false));
        let mut client = Client::new(address, topic)?;
        let (shared, until) = (seen.clone(), ends.clone());
        let thread = thread::spawn(move || {
            while !until.load(Ordering::Relaxed) {
                let outcome = client.round();
                note(&shared, outcome);
                thread::sleep(PAUSE);
            }
        });
        Ok(Self { seen, ends, thread: Some(thread) })
    }

    /// What was seen since the last call.
    pub(crate) fn take(&self) -> Seen {
        std::mem::replace(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner), Seen::new())
    }
}

impl Drop for Good {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn note(seen: &Mutex<Seen>, outcome: Result<(Kind, Duration)>) {
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    match outcome {
        Ok((Kind::Small, took)) => seen.small.record(took),
        Ok((Kind::Large, took)) => seen.large.record(took),
        Ok((Kind::Connect, took)) => seen.connect.record(took),
        Err(error) => {
            seen.errors += 1;
            if seen.words.len() < ERRORS_KEPT {
                seen.words.push(format!("{error:#}"));
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Small,
    Large,
    Connect,
}

struct Client {
    address: String,
    topic: &'static str,
    connection: Option<Connection>,
    small: Produce,
    large: Produce,
    rounds: u64,
}

impl Client {
    fn new(address: &str, topic: &'static str) -> Result<Self> {
        let now_ms = 1_700_000_000_000;
        Ok(Self {
            address: address.to_owned(),
            topic,
            connection: None,
            small: Produce::new(topic, 0, SMALL_BYTES, now_ms)?,
            large: Produce::new(topic, 0, LARGE_BYTES, now_ms)?,
            rounds: 0,
        })
    }

    fn round(&mut self) -> Result<(Kind, Duration)> {
        self.rounds += 1;
        let kind = match self.rounds {
            rounds if rounds % LARGE_EVERY == LARGE_EVERY / 2 => Kind::Large,
            rounds if rounds % CONNECT_EVERY == 0 => Kind::Connect,
            _ => Kind::Small,
        };
        let begin = Instant::now();
        let done = self.trip(kind);
        let took = begin.elapsed();
        if done.is_err() {
            self.connection = None;
        }
        done.map(|()| (kind, took))
    }

    fn trip(&mut self, kind: Kind) -> Result<()> {
        if matches!(kind, Kind::Connect) {
            let mut other = Connection::open_within(&self.address, LIMIT)?;
            return write_and_read(&mut other, &mut self.small, self.topic);
        }
        let produce = if matches!(kind, Kind::Large) { &mut self.large } else { &mut self.small };
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(Connection::open_within(&self.address, LIMIT)?),
        };
        write_and_read(connection, produce, self.topic)
    }
}

/// Writes a record and reads it back.
fn write_and_read(connection: &mut Connection, produce: &mut Produce, topic: &str) -> Result<()> {
    let answer = connection.ask(&mut produce.request)?;
    produce.check(answer)?;
    let written: ProduceResponse = decode(answer, PRODUCE_VERSION)?;
    let partition = written.responses.first().and_then(|topic| topic.partition_responses.first());
    let offset = partition.context("an answer without a partition")?.base_offset;
    let partition =
        FetchPartition::default().with_fetch_offset(offset).with_partition_max_bytes(2 * LARGE_BYTES as i32);
    let topic = FetchTopic::default()
        .with_topic(TopicName(StrBytes::from_string(topic.to_owned())))
        .with_partitions(vec![partition]);
    let fetch = FetchRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_max_wait_ms(5_000)
        .with_min_bytes(1)
        .with_session_epoch(-1)
        .with_topics(vec![topic]);
    let answer = connection.ask(&mut Request::encode(ApiKey::Fetch, FETCH_VERSION, &fetch)?)?;
    let read: FetchResponse = decode(answer, FETCH_VERSION)?;
    let partition = read.responses.first().and_then(|topic| topic.partitions.first());
    let partition = partition.context("an answer without a partition")?;
    if partition.error_code != 0 || partition.records.as_ref().is_none_or(bytes::Bytes::is_empty) {
        bail!("Fetch from {offset} was answered with error {} and no record", partition.error_code);
    }
    Ok(())
}
