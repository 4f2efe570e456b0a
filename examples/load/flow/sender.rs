//! The sending side of a flow: one producer whose own thread takes the delivery reports as they come.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use rdkafka::client::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};

use super::{Flow, MARK, Pace, Timeline, stamp};
use crate::client::{self, SETUP_TIMEOUT};
use crate::measure::Stopwatch;
use crate::payload::Payloads;
use crate::report::Latencies;

/// How long until the next try when the queue is full.
const QUEUE_FULL_WAIT: Duration = Duration::from_millis(1);

/// What the delivery reports said.
#[derive(Clone)]
pub(super) struct Reports {
    pub(super) latencies: Latencies,
    /// Errors that count, and those of the warm-up with them.
    pub(super) errors: u64,
    pub(super) errors_all: u64,
    done: u64,
}

struct Listener {
    timeline: Arc<Timeline>,
    reports: Mutex<Reports>,
}

impl ClientContext for Listener {}

impl ProducerContext for Listener {
    /// The record's moment.
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, moment: usize) {
        let moment = moment as u64;
        let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        reports.done += u64::from(moment != MARK);
        if result.is_err() {
            reports.errors_all += 1;
            reports.errors += u64::from(self.timeline.counts(moment));
        } else if self.timeline.counts(moment) {
            let latency = self.timeline.since(moment);
            reports.latencies.record(latency);
        }
    }
}

pub(super) struct Sender {
    producer: ThreadedProducer<Listener>,
    timeline: Arc<Timeline>,
}

/// What was sent.
pub(super) struct Sent {
    pub(super) all: u64,
    pub(super) counted: u64,
    pub(super) latencies: Latencies,
    /// When the first record that counts was sent.
    pub(super) begun: u64,
    /// Runs since then.
    pub(super) watch: Stopwatch,
}

impl Sender {
    pub(super) fn new(flow: &Flow, timeline: &Arc<Timeline>) -> Result<Self> {
        let reports = Reports { latencies: Latencies::new(), errors: 0, errors_all: 0, done: 0 };
        let listener = Listener { timeline: Arc::clone(timeline), reports: Mutex::new(reports) };
        let mut config = client::base(&flow.target.broker);
        client::apply(&mut config, &flow.producer_config);
        let producer: ThreadedProducer<Listener> =
            config.create_with_context(listener).context("a producer")?;
        Ok(Self { producer, timeline: Arc::clone(timeline) })
    }

    /// Sends a mark to each partition and says how many these are.
    pub(super) fn mark(&self, topic: &str) -> Result<u64> {
        let metadata = self.producer.client().fetch_metadata(Some(topic), SETUP_TIMEOUT)?;
        let found = metadata.topics().iter().find(|found| found.name() == topic);
        let partitions = found.map_or(&[][..], |topic| topic.partitions());
        for partition in partitions {
            let record = BaseRecord::<(), [u8], usize>::with_opaque_to(topic, MARK as usize)
                .partition(partition.id())
                .payload(&[0xff; 8]);
            self.producer.send(record).map_err(|(error, _)| error)?;
        }
        Ok(partitions.len() as u64)
    }

    /// Sends the records of a run, each when its moment has come.
    pub(super) fn send(&self, flow: &Flow, payloads: &Payloads) -> Result<Sent> {
        let start = self.timeline.now();
        let counts_from = start + flow.warmup.as_nanos() as u64;
        let end = counts_from + flow.measured.as_nanos() as u64;
        self.timeline.begin(counts_from);
        let watch = Stopwatch::start();
        let mut sent = Sent { all: 0, counted: 0, latencies: Latencies::new(), begun: start, watch };
        let mut value = vec![0; flow.size];
        while let Some(moment) = self.next_moment(flow.pace, sent.all, start, end) {
            if self.timeline.counts(moment) && sent.counted == 0 {
                sent.begun = self.timeline.now();
                sent.watch = Stopwatch::start();
            }
            value.clone_from_slice(payloads.get(sent.all));
            stamp(&mut value, moment);
            self.send_one(&flow.target.topic, &value, moment)?;
            sent.all += 1;
            if self.timeline.counts(moment) {
                sent.counted += 1;
                sent.latencies.record(self.timeline.since(moment));
            }
        }
        Ok(sent)
    }

    /// Waits for the moment of the record with this number; nothing when the run is over. The moment does not depend on
    /// when the record can be sent.
    fn next_moment(&self, pace: Pace, index: u64, start: u64, end: u64) -> Option<u64> {
        match pace {
            Pace::PerSecond(rate) => {
                let moment = start + (index as f64 * 1e9 / rate) as u64;
                if moment >= end {
                    return None;
                }
                let ahead = moment.saturating_sub(self.timeline.now());
                if ahead > 0 {
                    thread::sleep(Duration::from_nanos(ahead));
                }
                Some(moment)
            }
            Pace::Unpaced { records_max } => {
                let now = self.timeline.now();
                (index < records_max && now < end).then_some(now)
            }
        }
    }

    fn send_one(&self, topic: &str, value: &[u8], moment: u64) -> Result<()> {
        loop {
            let record = BaseRecord::<(), [u8], usize>::with_opaque_to(topic, moment as usize).payload(value);
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                    thread::sleep(QUEUE_FULL_WAIT);
                }
                Err((error, _)) => return Err(error).context("while sending"),
            }
        }
    }

    /// Waits for the reports of all records that were sent.
    pub(super) fn finish(&self, records: u64) -> Result<Reports> {
        self.producer.flush(rdkafka::util::Timeout::Never)?;
        loop {
            let reports = self.reports()?;
            if reports.done >= records {
                return Ok(reports);
            }
            // A report may be in the hands of the producer's own thread.
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn reports(&self) -> Result<Reports> {
        let reports = self.producer.context().reports.lock();
        reports.map(|reports| reports.clone()).map_err(|_| anyhow!("a delivery report could not be counted"))
    }
}
