//! Clients that change things: topics that come and go, log starts that are moved, records that have to be refused.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use milena::wire::batch::BatchBuilder;
use rdkafka::ClientContext;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use uuid::Uuid;

use super::anomaly::Kind;
use super::checker::{Place, Rules, Sending};
use super::dice::Dice;
use super::record::{Content, MARK};
use super::wire::Raw;
use super::world::{World, now_ms};

/// A change of topics waits no longer; what a kill cut off is never answered.
const ADMIN_LIMIT: Duration = Duration::from_secs(8);
/// So many partitions have the topics that come and go.
pub(crate) const PARTITIONS: i32 = 2;
const CONFIGS: [(&str, &str); 1] = [("internal.segment.bytes", "2000")];

struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, _: RDKafkaLogLevel, _: &str, _: &str) {}
    fn error(&self, _: KafkaError, _: &str) {}
}

/// Who creates and deletes.
enum Changer {
    /// librdkafka's client; it tells no ids.
    Library(AdminClient<Quiet>),
    /// The connection that is there anyway.
    Raw,
}

/// Makes a topic, fills it, trims it and deletes it, again and again under the same name.
pub(crate) struct Comer {
    world: Arc<World>,
    name: &'static str,
    changer: Changer,
    runtime: tokio::runtime::Runtime,
}

/// The topic that is there, with the stream of each partition.
struct Current {
    id: Uuid,
    streams: Vec<u32>,
}

impl Comer {
    pub(crate) fn with_library(world: &Arc<World>, name: &'static str) -> Result<Self> {
        let client = world.client().create_with_context(Quiet).context("an admin client")?;
        Self::new(world, name, Changer::Library(client))
    }

    pub(crate) fn with_raw(world: &Arc<World>, name: &'static str) -> Result<Self> {
        Self::new(world, name, Changer::Raw)
    }

    fn new(world: &Arc<World>, name: &'static str, changer: Changer) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { world: Arc::clone(world), name, changer, runtime })
    }

    /// Goes on until the load ends or until it does not know any more what is there, which the next check tells.
    pub(crate) fn run(&self, mut dice: Dice) {
        let id = self.world.checker().topic(self.name);
        let mut current = id.map(|id| self.current(id));
        let Some(mut raw) = self.world.connect() else { return };
        while self.world.loading() {
            let Ok(next) = self.step(&mut raw, current, &mut dice) else { return };
            current = next;
        }
    }

    fn current(&self, id: Uuid) -> Current {
        let mut checker = self.world.checker();
        let place = |partition| Place { topic: id, partition };
        let streams = (0..PARTITIONS).map(|partition| checker.stream(place(partition), Sending::Idempotent));
        Current { id, streams: streams.collect() }
    }

    fn step(&self, raw: &mut Raw, current: Option<Current>, dice: &mut Dice) -> Result<Option<Current>> {
        let Some(current) = current else { return self.create(raw).map(Some) };
        match dice.below(12) {
            0..=7 => self.fill(raw, &current, dice)?,
            8 => self.trim(raw, &current, dice)?,
            9 => thread::sleep(dice.ms(1, 20)),
            _ => {
                self.delete(raw, current.id)?;
                return Ok(None);
            }
        }
        Ok(Some(current))
    }

    fn create(&self, raw: &mut Raw) -> Result<Current> {
        self.world.checker().creating(self.name);
        match &self.changer {
            Changer::Raw => match raw.create(self.name, PARTITIONS, &CONFIGS)? {
                Ok(id) => self.world.checker().created(self.name, id, PARTITIONS, Rules::default()),
                Err(code) => return self.refused("created", code),
            },
            Changer::Library(client) => {
                let new = NewTopic::new(self.name, PARTITIONS, TopicReplication::Fixed(1));
                let [(key, value)] = CONFIGS;
                let new = new.set(key, value);
                let created = self.runtime.block_on(client.create_topics([&new], &options()))?;
                if let Some(Err((_, code))) = created.first() {
                    return self.refused("created", *code as i16);
                }
            }
        }
        // On a connection of its own: what was answered to one client, all see.
        let topics = Raw::connect(self.world.address)?.topics()?;
        let Some(listed) = topics.get(self.name) else {
            self.world.checker().add(Kind::TopicLost, self.name, "just created, it is not listed");
            anyhow::bail!("not listed");
        };
        self.world.checker().created(self.name, listed.id, PARTITIONS, Rules::default());
        Ok(self.current(listed.id))
    }

    fn delete(&self, raw: &mut Raw, id: Uuid) -> Result<()> {
        self.world.checker().deleting(self.name);
        match &self.changer {
            Changer::Raw => match raw.delete(id)? {
                0 => {}
                code => return self.refused("deleted", code),
            },
            Changer::Library(client) => {
                let deleted = self.runtime.block_on(client.delete_topics(&[self.name], &options()))?;
                if let Some(Err((_, code))) = deleted.first() {
                    return self.refused("deleted", *code as i16);
                }
            }
        }
        self.world.checker().deleted(self.name);
        if Raw::connect(self.world.address)?.topics()?.contains_key(self.name) {
            self.world.checker().add(Kind::TopicReturned, self.name, "just deleted, it is listed");
        }
        Ok(())
    }

    /// A change that nothing stands against was refused. What a library says by itself, of the way there, counts as no
    /// answer: its codes are negative.
    fn refused<T>(&self, what: &str, code: i16) -> Result<T> {
        if code > 0 && self.world.loading() {
            let kind = if what == "created" { Kind::TopicReturned } else { Kind::TopicLost };
            let detail = format!("it cannot be {what}: error {code}");
            self.world.checker().add(kind, self.name, detail);
        }
        anyhow::bail!("refused")
    }

    fn fill(&self, raw: &mut Raw, current: &Current, dice: &mut Dice) -> Result<()> {
        let partition = dice.below(PARTITIONS as u64) as i32;
        let Some(stream) = current.streams.get(partition as usize) else { return Ok(()) };
        let (contents, batch) = marked(&self.world, *stream, 1 + dice.below(5), true);
        // A deletion can be seen by nobody else: an error is one of the broker.
        if let Ok(offset) = raw.produce(self.name, partition, batch)? {
            let mut checker = self.world.checker();
            for (offset, content) in (offset..).zip(contents) {
                checker.acknowledged(offset, content);
            }
        }
        Ok(())
    }

    fn trim(&self, raw: &mut Raw, current: &Current, dice: &mut Dice) -> Result<()> {
        let partition = dice.below(PARTITIONS as u64) as i32;
        trim(&self.world, raw, self.name, Place { topic: current.id, partition }, dice)
    }
}

fn options() -> AdminOptions {
    AdminOptions::new().operation_timeout(Some(ADMIN_LIMIT)).request_timeout(Some(ADMIN_LIMIT))
}

/// A batch of marked records, and what they hold.
fn marked(world: &World, stream: u32, count: u64, keyed: bool) -> (Vec<Content>, Bytes) {
    let now_ms = now_ms();
    let mut builder = BatchBuilder::new(now_ms);
    let mut contents = Vec::new();
    for _ in 0..count {
        let mark = world.checker().sending(stream);
        let (value, encoded) = (mark.value(120), mark.encode());
        let key = keyed.then_some(&b"key"[..]);
        let header = (MARK.as_bytes(), Some(encoded.as_bytes()));
        builder.push_with_headers(key, Some(value.as_bytes()), now_ms, &[header]);
        contents.push(Content::new(mark, key, Some(value.as_bytes()), now_ms));
    }
    (contents, builder.build(0).bytes)
}

/// Moves a log start to somewhere between where it is and the end.
fn trim(world: &World, raw: &mut Raw, topic: &str, place: Place, dice: &mut Dice) -> Result<()> {
    let (end, life) = {
        let checker = world.checker();
        (checker.end(place), checker.life())
    };
    let offset = dice.below(end as u64 + 1) as i64;
    world.checker().trimming(place, offset);
    if let Ok(low_watermark) = raw.trim(topic, place.partition, offset)? {
        world.checker().trimmed(place, life, low_watermark);
    }
    Ok(())
}

/// Moves the log starts of partitions while the load goes on.
pub(crate) fn run_trims(world: &World, topic: &str, places: &[Place], mut dice: Dice) {
    while let Some(mut raw) = world.connect() {
        while world.loading() {
            thread::sleep(dice.ms(20, 120));
            let Some(place) = places.get(dice.below(places.len() as u64) as usize) else { return };
            if trim(world, &mut raw, topic, *place, &mut dice).is_err() {
                break;
            }
        }
    }
}

/// What a broker has to refuse.
pub(crate) struct Refused {
    /// A compacted topic: its records need keys.
    pub(crate) keyed: (String, Place),
    /// Any topic: checksums have to be right.
    pub(crate) any: (String, Place),
}

impl Refused {
    /// Sends such records while the load goes on.
    pub(crate) fn run(&self, world: &World, mut dice: Dice) {
        let without_key = world.checker().stream(self.keyed.1, Sending::Refused);
        let damaged = world.checker().stream(self.any.1, Sending::Refused);
        while let Some(mut raw) = world.connect() {
            while world.loading() {
                thread::sleep(dice.ms(10, 60));
                let ((topic, place), stream) =
                    if dice.below(2) == 0 { (&self.keyed, without_key) } else { (&self.any, damaged) };
                let (contents, mut batch) = marked(world, stream, 2, false);
                if stream == damaged {
                    let mut bytes = batch.to_vec();
                    bytes.last_mut().into_iter().for_each(|last| *last ^= 1);
                    batch = bytes.into();
                }
                match raw.produce(topic, place.partition, batch) {
                    Err(_) => break,
                    Ok(Err(_)) => {}
                    Ok(Ok(_)) => {
                        for content in &contents {
                            world.checker().accepted(content.mark);
                        }
                    }
                }
            }
        }
    }
}

/// Sends a few records to partition 0 of a topic.
pub(crate) fn fill_once(world: &World, raw: &mut Raw, topic: &str, id: Uuid) -> Result<()> {
    let stream = world.checker().stream(Place { topic: id, partition: 0 }, Sending::Idempotent);
    let (contents, batch) = marked(world, stream, 5, true);
    let offset = raw.produce(topic, 0, batch)?.map_err(super::wire::answered)?;
    let mut checker = world.checker();
    for (offset, content) in (offset..).zip(contents) {
        checker.acknowledged(offset, content);
    }
    Ok(())
}
