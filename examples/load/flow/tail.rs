//! The reading side of a flow: consumers at the tail, each with a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use rdkafka::Message;
use rdkafka::consumer::{BaseConsumer, Consumer};

use super::{Flow, MARK, Timeline, moment};
use crate::client::{self, From};
use crate::report::Latencies;

/// How long a consumer waits for a record before it looks whether the run is over.
const POLL: Duration = Duration::from_millis(20);

/// What all consumers saw.
pub(super) struct Seen {
    pub(super) counted: u64,
    pub(super) latencies: Latencies,
    /// When the last consumer had its last record that counts; 0 when none had one.
    pub(super) last: u64,
    all: u64,
}

/// What the threads and their owner share.
struct Progress {
    timeline: Arc<Timeline>,
    marks: AtomicU64,
    /// Records that each consumer is to see; unknown until all were sent.
    expected: AtomicU64,
    failed: AtomicBool,
}

pub(super) struct Tail {
    progress: Arc<Progress>,
    threads: Vec<JoinHandle<Result<(BaseConsumer, Seen)>>>,
}

impl Tail {
    /// Starts the consumers where the partitions end now.
    pub(super) fn stand(flow: &Flow, timeline: &Arc<Timeline>) -> Result<Self> {
        let progress = Arc::new(Progress {
            timeline: Arc::clone(timeline),
            marks: AtomicU64::new(0),
            expected: AtomicU64::new(u64::MAX),
            failed: AtomicBool::new(false),
        });
        let threads = (0..flow.consumers).map(|_| {
            let consumer = client::reader(&flow.target.broker, &flow.consumer_config)?;
            consumer.assign(&client::positions(&consumer, &flow.target.topic, From::Tail)?)?;
            let progress = Arc::clone(&progress);
            Ok(thread::spawn(move || {
                let seen = progress.read(&consumer);
                progress.failed.fetch_or(seen.is_err(), Ordering::Relaxed);
                seen.map(|seen| (consumer, seen))
            }))
        });
        let threads = threads.collect::<Result<_>>()?;
        Ok(Self { progress, threads })
    }

    /// Waits until every consumer has seen these many marks.
    pub(super) fn await_marks(&self, marks: u64) -> Result<()> {
        while self.progress.marks.load(Ordering::Relaxed) < marks * self.threads.len() as u64 {
            if self.progress.failed.load(Ordering::Relaxed) {
                bail!("a consumer failed before the run began");
            }
            thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// Waits until every consumer has seen these many records.
    pub(super) fn finish(self, records: u64) -> Result<Seen> {
        self.progress.expected.store(records, Ordering::Release);
        let mut total = Seen { counted: 0, latencies: Latencies::new(), last: 0, all: 0 };
        let ended =
            self.threads.into_iter().map(|thread| thread.join().map_err(|_| anyhow!("a thread ended"))?);
        for (_consumer, seen) in ended.collect::<Result<Vec<_>>>()? {
            total.counted += seen.counted;
            total.latencies.add(&seen.latencies);
            total.last = total.last.max(seen.last);
        }
        Ok(total)
    }
}

impl Progress {
    fn read(&self, consumer: &BaseConsumer) -> Result<Seen> {
        let mut seen = Seen { counted: 0, latencies: Latencies::new(), last: 0, all: 0 };
        while seen.all < self.expected.load(Ordering::Acquire) {
            let Some(message) = client::next(consumer, POLL)? else { continue };
            let Some(moment) = moment(message.payload()) else { continue };
            if moment == MARK {
                self.marks.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            seen.all += 1;
            if self.timeline.counts(moment) {
                seen.counted += 1;
                seen.last = self.timeline.now();
                seen.latencies.record(Duration::from_nanos(seen.last.saturating_sub(moment)));
            }
        }
        Ok(seen)
    }
}
