//! Producers of librdkafka that send marked records and tell the checker what was acknowledged.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};

use super::anomaly::Kind;
use super::checker::{Place, Sending};
use super::dice::Dice;
use super::record::{Content, MARK};
use super::world::{World, now_ms};

/// Records that wait for their acknowledgement, at most.
const OUTSTANDING_MAX: usize = 400;
/// Between two bursts.
const PAUSE: Duration = Duration::from_millis(2);
/// One of so many records of a compacted topic deletes its key.
const TOMBSTONES: u64 = 8;
/// Keys of a compacted topic.
const KEYS: u64 = 12;

/// Where a producer sends to.
pub(crate) struct Target {
    pub(crate) topic: String,
    pub(crate) place: Place,
    /// Whether its records need keys.
    pub(crate) keyed: bool,
}

struct Deliveries {
    world: Arc<World>,
    outstanding: AtomicUsize,
}

impl ClientContext for Deliveries {
    fn log(&self, _: RDKafkaLogLevel, _: &str, _: &str) {}
    fn error(&self, _: KafkaError, _: &str) {}
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<Content>;

    fn delivery(&self, result: &DeliveryResult<'_>, content: Box<Content>) {
        match result {
            Ok(message) => self.world.checker().acknowledged(message.offset(), *content),
            Err((error, message)) => {
                let place = format!("{}-{}", message.topic(), message.partition());
                let detail = format!("{:?} was not delivered: {error}", content.mark);
                self.world.checker().add(Kind::Stuck, place, detail);
            }
        }
        self.outstanding.fetch_sub(1, Ordering::SeqCst);
    }
}

pub(crate) struct Sender {
    world: Arc<World>,
    producer: ThreadedProducer<Deliveries>,
    targets: Vec<(Target, u32)>,
}

impl Sender {
    pub(crate) fn new(
        world: &Arc<World>,
        sending: Sending,
        codec: &str,
        targets: Vec<Target>,
    ) -> Result<Self> {
        let mut config = match sending {
            Sending::Idempotent => world.far_client(),
            Sending::Plain | Sending::Refused => world.client(),
        };
        config.set("acks", "all").set("linger.ms", "1").set("batch.num.messages", "20");
        config.set("message.timeout.ms", "60000").set("queue.buffering.max.messages", "10000");
        config.set("compression.codec", codec);
        match sending {
            Sending::Idempotent => config.set("enable.idempotence", "true"),
            // A batch that is sent again must not get behind a later one.
            Sending::Plain | Sending::Refused => config.set("max.in.flight", "1"),
        };
        let context = Deliveries { world: Arc::clone(world), outstanding: AtomicUsize::new(0) };
        let producer = config.create_with_context(context).context("a producer")?;
        let numbered = |target: Target| {
            let stream = world.checker().stream(target.place, sending);
            (target, stream)
        };
        let targets = targets.into_iter().map(numbered).collect();
        Ok(Self { world: Arc::clone(world), producer, targets })
    }

    /// Sends in bursts while the load goes on.
    pub(crate) fn run(&self, mut dice: Dice) {
        while self.world.loading() {
            if self.outstanding() < OUTSTANDING_MAX
                && let Some((target, stream)) =
                    self.targets.get(dice.below(self.targets.len() as u64) as usize)
            {
                for _ in 0..=dice.below(8) {
                    self.send(target, *stream, &mut dice);
                }
            }
            thread::sleep(PAUSE);
        }
    }

    fn send(&self, target: &Target, stream: u32, dice: &mut Dice) {
        let key = target.keyed.then(|| format!("key-{}", dice.below(KEYS)));
        let tombstone = target.keyed && dice.below(TOMBSTONES) == 0;
        let length = 40 + dice.below(260) as usize;
        let now_ms = now_ms();
        let mark = self.world.checker().sending(stream);
        let value = (!tombstone).then(|| mark.value(length));
        let content = Content::new(
            mark,
            key.as_ref().map(String::as_bytes),
            value.as_ref().map(String::as_bytes),
            now_ms,
        );
        let encoded = mark.encode();
        let header = Header { key: MARK, value: Some(&encoded) };
        let mut record: BaseRecord<'_, str, str, Box<Content>> =
            BaseRecord::with_opaque_to(&target.topic, Box::new(content))
                .partition(target.place.partition)
                .timestamp(now_ms)
                .headers(OwnedHeaders::new().insert(header));
        if let Some(key) = &key {
            record = record.key(key);
        }
        if let Some(value) = &value {
            record = record.payload(value);
        }
        self.outstanding_add();
        if let Err((error, _)) = self.producer.send(record) {
            self.producer.context().outstanding.fetch_sub(1, Ordering::SeqCst);
            let detail = format!("{mark:?} cannot be sent: {error}");
            self.world.checker().add(Kind::Stuck, &target.topic, detail);
        }
    }

    fn outstanding_add(&self) {
        self.producer.context().outstanding.fetch_add(1, Ordering::SeqCst);
    }

    fn outstanding(&self) -> usize {
        self.producer.context().outstanding.load(Ordering::SeqCst)
    }

    /// Waits until all that was sent is acknowledged.
    pub(crate) fn drain(&self, limit: Duration) {
        let begin = Instant::now();
        while self.outstanding() > 0 {
            if begin.elapsed() > limit {
                let detail = format!("{} records are not acknowledged after {limit:?}", self.outstanding());
                self.world.checker().add(Kind::Stuck, "a producer", detail);
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}
