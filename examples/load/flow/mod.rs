//! Records that flow from one producer to consumers at the tail, through librdkafka. At a fixed pace this is an open
//! loop: the moment of each record is fixed beforehand and travels in its value, and every latency counts from there. A
//! broker that stalls, or a backlog that cannot be sent, makes the latencies of all records behind it long.

mod sender;
mod tail;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::client::Target;
use crate::measure::Elapsed;
use crate::payload::Payloads;
use crate::report::Latencies;

use sender::Sender;
use tail::Tail;

/// When the records are to be sent.
#[derive(Clone, Copy)]
pub(crate) enum Pace {
    /// So many records a second, evenly.
    PerSecond(f64),
    /// As fast as the broker takes them, at most so many; a record's moment is when it is sent.
    Unpaced { records_max: u64 },
}

/// One run.
pub(crate) struct Flow {
    pub(crate) target: Target,
    pub(crate) pace: Pace,
    /// Bytes of a value; at least the 8 that the moment takes.
    pub(crate) size: usize,
    /// What lies before counts in no figure.
    pub(crate) warmup: Duration,
    /// The measured part, behind the warm-up.
    pub(crate) measured: Duration,
    pub(crate) consumers: u32,
    pub(crate) producer_config: Vec<(String, String)>,
    pub(crate) consumer_config: Vec<(String, String)>,
}

/// What came out of the measured part.
pub(crate) struct Outcome {
    pub(crate) records: u64,
    pub(crate) errors: u64,
    /// Records that consumers saw, all together.
    pub(crate) delivered: u64,
    /// From the intended moment to when librdkafka had taken the record: shows a sender that is behind.
    pub(crate) send: Latencies,
    /// … to the delivery report.
    pub(crate) ack: Latencies,
    /// … to each consumer.
    pub(crate) delivery: Latencies,
    /// From the end of the warm-up to the last record at the last consumer.
    pub(crate) elapsed: Elapsed,
}

/// The time line of a run. Moments are nanoseconds since its origin, which lies ahead of the set-up.
pub(crate) struct Timeline {
    origin: Instant,
    /// Records before this moment are warm-up; none counts until the run has begun.
    counts_from: AtomicU64,
}

impl Timeline {
    fn new() -> Self {
        Self { origin: Instant::now(), counts_from: AtomicU64::new(MARK) }
    }

    fn now(&self) -> u64 {
        self.origin.elapsed().as_nanos() as u64
    }

    fn begin(&self, counts_from: u64) {
        self.counts_from.store(counts_from, Ordering::Release);
    }

    fn counts(&self, moment: u64) -> bool {
        moment != MARK && moment >= self.counts_from.load(Ordering::Acquire)
    }

    /// From that moment to now.
    fn since(&self, moment: u64) -> Duration {
        Duration::from_nanos(self.now().saturating_sub(moment))
    }
}

impl Flow {
    pub(crate) fn run(&self) -> Result<Outcome> {
        if self.size < MOMENT_BYTES {
            bail!("a record has at least {MOMENT_BYTES} bytes, the moment when it is to be sent");
        }
        let timeline = Arc::new(Timeline::new());
        let tail = Tail::stand(self, &timeline)?;
        let sender = Sender::new(self, &timeline)?;
        tail.await_marks(sender.mark(&self.target.topic)?)?;
        let payloads = Payloads::new(self.size);
        let sent = sender.send(self, &payloads)?;
        let reports = sender.finish(sent.all)?;
        let seen = tail.finish(sent.all - reports.errors_all)?;
        let mut elapsed = sent.watch.stop();
        if seen.last > sent.begun {
            elapsed.wall = Duration::from_nanos(seen.last - sent.begun);
        }
        Ok(Outcome {
            records: sent.counted,
            errors: reports.errors,
            delivered: seen.counted,
            send: sent.latencies,
            ack: reports.latencies,
            delivery: seen.latencies,
            elapsed,
        })
    }
}

/// A value's first bytes are its moment.
const MOMENT_BYTES: usize = 8;

/// What the moment of a mark is: a record that is sent before the run to see that consumers stand at the tail.
const MARK: u64 = u64::MAX;

fn stamp(value: &mut [u8], moment: u64) {
    value[..MOMENT_BYTES].clone_from_slice(&moment.to_be_bytes());
}

/// The moment of a value; nothing for one that is too short to come from here.
fn moment(value: Option<&[u8]>) -> Option<u64> {
    Some(u64::from_be_bytes(*value?.first_chunk()?))
}
