//! Members of consumer groups (librdkafka) that read and commit, by themselves or when they are told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::{ClientContext, Offset, TopicPartitionList};
use uuid::Uuid;

use super::checker::{Place, Read};
use super::dice::Dice;
use super::record::{Content, MARK, Mark};
use super::world::World;

const POLL: Duration = Duration::from_millis(10);
/// A commit comes after so many records, at most.
const COMMIT_AFTER: u64 = 60;

struct Watching {
    world: Arc<World>,
    group: String,
    name: String,
    topics: BTreeMap<String, Uuid>,
}

impl Watching {
    fn place(&self, topic: &str, partition: i32) -> Option<Place> {
        Some(Place { topic: *self.topics.get(topic)?, partition })
    }
}

impl ClientContext for Watching {
    fn log(&self, _: RDKafkaLogLevel, _: &str, _: &str) {}
    fn error(&self, _: KafkaError, _: &str) {}
}

impl ConsumerContext for Watching {
    fn post_rebalance(&self, _: &BaseConsumer<Self>, _: &Rebalance<'_>) {
        self.world.checker().assigned(&self.name);
    }

    fn commit_callback(&self, result: KafkaResult<()>, offsets: &TopicPartitionList) {
        let done = |element: &TopicPartitionListElem<'_>| {
            matches!(element.offset(), Offset::Offset(_)) && element.error().is_ok()
        };
        if result.is_ok() {
            for _ in offsets.elements().iter().filter(|element| done(element)) {
                self.world.checker().commit_acknowledged_by_timer();
            }
        }
    }
}

/// How a member commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Commit {
    /// By itself, every few milliseconds.
    Auto,
    /// When it is told, waiting for the answer.
    Manual,
}

pub(crate) struct MemberOf {
    world: Arc<World>,
    consumer: BaseConsumer<Watching>,
    commit: Commit,
}

impl MemberOf {
    /// Joins a group for topics, whose ids are known.
    pub(crate) fn join(
        world: &Arc<World>,
        group: &str,
        name: &str,
        commit: Commit,
        topics: &BTreeMap<String, Uuid>,
    ) -> Result<Self> {
        let mut config = world.client();
        config.set("group.id", group).set("auto.offset.reset", "earliest").set("check.crcs", "true");
        config.set("session.timeout.ms", "6000").set("heartbeat.interval.ms", "300");
        config.set("fetch.wait.max.ms", "20").set("fetch.error.backoff.ms", "10");
        config.set("enable.auto.commit", (commit == Commit::Auto).to_string());
        config.set("auto.commit.interval.ms", "20");
        let context = Watching {
            world: Arc::clone(world),
            group: group.to_owned(),
            name: name.to_owned(),
            topics: topics.clone(),
        };
        let consumer: BaseConsumer<Watching> = config.create_with_context(context).context("a consumer")?;
        let names: Vec<&str> = topics.keys().map(String::as_str).collect();
        consumer.subscribe(&names).context("subscribing")?;
        Ok(Self { world: Arc::clone(world), consumer, commit })
    }

    /// Reads while the load goes on.
    pub(crate) fn run(&self, mut dice: Dice) {
        let mut until_commit = dice.below(COMMIT_AFTER);
        while self.world.loading() {
            match self.consumer.poll(POLL) {
                Some(Ok(message)) => {
                    self.came(&message);
                    until_commit = until_commit.saturating_sub(1);
                }
                Some(Err(_)) => thread::sleep(Duration::from_millis(2)),
                None => {}
            }
            if self.commit == Commit::Manual && until_commit == 0 {
                self.commit_position();
                until_commit = dice.below(COMMIT_AFTER) + 1;
            }
        }
    }

    /// Leaves the group and ends. The library can block for ever when its group rebalances just then (its callback asks a
    /// thread that has stopped to answer); such a member is left behind.
    pub(crate) fn leave(self, limit: Duration) {
        let (left, wait) = channel();
        thread::spawn(move || {
            drop(self);
            let _ = left.send(());
        });
        let _ = wait.recv_timeout(limit);
    }

    fn came(&self, message: &BorrowedMessage<'_>) {
        let watching = self.consumer.context();
        let Some(place) = watching.place(message.topic(), message.partition()) else { return };
        let mark = message.headers().and_then(|headers| {
            let header = headers.iter().find(|header| header.key == MARK)?;
            Mark::decode(header.value?)
        });
        let timestamp_ms = message.timestamp().to_millis().unwrap_or_default();
        let content = mark.map(|mark| Content::new(mark, message.key(), message.payload(), timestamp_ms));
        let read = Read { offset: message.offset(), content };
        self.world.checker().consumed(&watching.group, &watching.name, place, &read);
    }

    fn commit_position(&self) {
        let Ok(position) = self.consumer.position() else { return };
        let mut known = TopicPartitionList::new();
        for element in position.elements() {
            if let Offset::Offset(_) = element.offset() {
                let _ = known.add_partition_offset(element.topic(), element.partition(), element.offset());
            }
        }
        if known.count() > 0 && self.consumer.commit(&known, CommitMode::Sync).is_ok() {
            let watching = self.consumer.context();
            for element in known.elements() {
                if let (Offset::Offset(offset), Some(place)) =
                    (element.offset(), watching.place(element.topic(), element.partition()))
                {
                    self.world.checker().commit_acknowledged(&watching.group, place, offset);
                }
            }
        }
    }
}
