//! The real binary, killed at random moments under load, again and again: after every start, what was acknowledged is
//! there, in order and once where the producer is idempotent. `MILENA_SOAK_ROUNDS` says how often, `MILENA_SOAK_SEED`
//! repeats a run's choices (not its timing); `scripts/soak` runs more rounds than a test has time for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};
use support::dice::Dice;
use support::process::Process;
use tokio::task::JoinHandle;

const WAIT: Duration = Duration::from_secs(30);
/// How long a change of topics is waited for; what a kill cut off is never answered.
const ADMIN_WAIT: Duration = Duration::from_secs(2);
/// Polls of a tenth of a second in which nothing comes, until nothing will.
const POLLS_MAX: usize = 300;
const ROUNDS: u32 = 2;
const PARTITIONS: i32 = 3;
/// Written by one idempotent producer, trimmed by `DeleteRecords`.
const KEPT: &str = "kept";
/// Written by the same producer; retention takes its oldest segments.
const SHORT: &str = "short";
/// Written by a producer of each round that is not idempotent.
const PLAIN: &str = "plain";
/// Topics that come and go.
const COMING_AND_GOING: [&str; 2] = ["come", "go"];
const GROUP: &str = "group";

const SETTINGS: [(&str, &str); 9] = [
    ("auto.create.topics.enable", "false"),
    ("log.flush.offset.checkpoint.interval.ms", "1"),
    ("log.flush.start.offset.checkpoint.interval.ms", "1"),
    ("log.retention.check.interval.ms", "1"),
    ("log.segment.delete.delay.ms", "100"),
    ("metadata.log.max.record.bytes.between.snapshots", "2000"),
    ("offsets.topic.num.partitions", "4"),
    ("log.index.interval.bytes", "512"),
    ("log.message.timestamp.type", "CreateTime"),
];

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |value| value.parse().unwrap())
}

fn config(broker: &Process) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", broker.bootstrap());
    config.set("reconnect.backoff.ms", "10").set("reconnect.backoff.max.ms", "50");
    config.set("retry.backoff.ms", "10").set("retry.backoff.max.ms", "50");
    config.set("topic.metadata.refresh.fast.interval.ms", "20");
    config.set("log_level", "2");
    config
}

fn producer(broker: &Process, idempotent: bool) -> FutureProducer {
    let mut config = config(broker);
    config.set("enable.idempotence", idempotent.to_string()).set("acks", "all").set("linger.ms", "1");
    config.set("batch.num.messages", "20").set("message.timeout.ms", "60000");
    if !idempotent {
        // A batch that is sent again after a later one would not be where it was acknowledged, but nor is it lost.
        config.set("max.in.flight", "1");
    }
    config.create().unwrap()
}

fn consumer(broker: &Process, group: &str) -> BaseConsumer {
    let mut config = config(broker);
    config.set("group.id", group).set("enable.auto.commit", "false").set("auto.offset.reset", "earliest");
    config.create().unwrap()
}

/// A record's value: its number, long enough to fill segments.
fn value(number: i64) -> String {
    format!("{number:0>300}")
}

/// What one partition holds, from its log start to its end.
struct Held {
    start: i64,
    end: i64,
    records: Vec<(i64, i64)>,
}

fn read_all(broker: &Process, topic: &str, partition: i32) -> Held {
    let consumer = consumer(broker, "reader");
    let (start, end) = consumer.fetch_watermarks(topic, partition, WAIT).unwrap();
    let mut held = Held { start, end, records: Vec::new() };
    if start == end {
        return held;
    }
    let mut assignment = TopicPartitionList::new();
    assignment.add_partition_offset(topic, partition, Offset::Offset(start)).unwrap();
    consumer.assign(&assignment).unwrap();
    let mut polls = 0;
    while held.records.last().is_none_or(|(offset, _)| offset + 1 < end) {
        polls += 1;
        assert!(
            polls < POLLS_MAX + held.records.len(),
            "{topic}-{partition} ends at {:?}, not {end}",
            held.records.last()
        );
        let Some(message) = consumer.poll(Duration::from_millis(100)) else { continue };
        let Ok(message) = message else { continue };
        let text = std::str::from_utf8(message.payload().unwrap()).unwrap();
        held.records.push((message.offset(), text.parse().unwrap()));
    }
    held
}

/// What is known of a topic that comes and goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Fate {
    #[default]
    Gone,
    /// It has so many records of its own, numbered from 0.
    There(i64),
    /// A change was not answered.
    Unknown,
}

/// Records by partition and offset.
type Placed = BTreeMap<(i32, i64), i64>;

/// What the broker has acknowledged.
#[derive(Default)]
struct Acknowledged {
    /// Records sent by the idempotent producer, all of which it waits for; record `n` has to be at offset `n`.
    numbered: BTreeMap<(&'static str, i32), i64>,
    /// The highest offset that `DeleteRecords` was asked for.
    trimmed: BTreeMap<i32, i64>,
    plain: Placed,
    plain_sent: i64,
    /// The last committed offset that was acknowledged, and the last one that was sent.
    committed: (i64, i64),
    fates: BTreeMap<&'static str, Fate>,
    verified: usize,
}

type Admin = AdminClient<DefaultClientContext>;

fn options() -> AdminOptions {
    AdminOptions::new().operation_timeout(Some(ADMIN_WAIT)).request_timeout(Some(ADMIN_WAIT))
}

async fn create(admin: &Admin, topic: &str, settings: &[(&str, &str)], partitions: i32) -> bool {
    let mut new = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
    for (key, value) in settings {
        new = new.set(key, value);
    }
    let created = admin.create_topics([&new], &options()).await;
    created.is_ok_and(|results| results.iter().all(Result::is_ok))
}

/// Sends numbered records to all partitions until told to stop; ends when each is acknowledged.
fn send_numbered(
    producer: FutureProducer,
    mut next: BTreeMap<(&'static str, i32), i64>,
    stop: Arc<AtomicBool>,
) -> JoinHandle<BTreeMap<(&'static str, i32), i64>> {
    tokio::spawn(async move {
        let mut sent = Vec::new();
        while !stop.load(Ordering::SeqCst) {
            for topic in [KEPT, SHORT] {
                for partition in 0..PARTITIONS {
                    let number = next.entry((topic, partition)).or_default();
                    let value = value(*number);
                    let record: FutureRecord<'_, (), str> =
                        FutureRecord::to(topic).partition(partition).payload(&value);
                    if let Ok(delivery) = producer.send_result(record) {
                        sent.push((*number, delivery));
                        *number += 1;
                    }
                }
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        for (number, delivery) in sent {
            let delivered = delivery.await.unwrap().map_err(|(error, _)| error).unwrap();
            assert_eq!(delivered.offset, number, "where {number} was acknowledged");
        }
        next
    })
}

/// Sends records without idempotence; returns which were acknowledged where.
fn send_plain(producer: FutureProducer, mut number: i64, stop: Arc<AtomicBool>) -> JoinHandle<(Placed, i64)> {
    tokio::spawn(async move {
        let mut sent = Vec::new();
        while !stop.load(Ordering::SeqCst) {
            for _ in 0..5 {
                let (partition, value) = (number as i32 % PARTITIONS, value(number));
                let record: FutureRecord<'_, (), str> =
                    FutureRecord::to(PLAIN).partition(partition).payload(&value);
                sent.extend(producer.send_result(record).ok().map(|delivery| (number, delivery)));
                number += 1;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let mut acknowledged = BTreeMap::new();
        for (number, delivery) in sent {
            let delivered = delivery.await.unwrap().map_err(|(error, _)| error).unwrap();
            acknowledged.insert((delivered.partition, delivered.offset), number);
        }
        (acknowledged, number)
    })
}

/// Commits rising offsets until told to stop; returns the last acknowledged and the last that was sent.
fn commit_offsets(
    broker: &Process,
    (mut acknowledged, mut last): (i64, i64),
    stop: Arc<AtomicBool>,
) -> JoinHandle<(i64, i64)> {
    let consumer = consumer(broker, GROUP);
    tokio::task::spawn_blocking(move || {
        while !stop.load(Ordering::SeqCst) {
            last += 1;
            let mut offsets = TopicPartitionList::new();
            offsets.add_partition_offset(KEPT, 0, Offset::Offset(last)).unwrap();
            if consumer.commit(&offsets, CommitMode::Sync).is_ok() {
                acknowledged = last;
            }
        }
        (acknowledged, last)
    })
}

/// Creates topics, fills them, trims and deletes them until told to stop or until an answer does not come.
fn come_and_go(
    broker: &Process,
    topic: &'static str,
    mut fate: Fate,
    stop: Arc<AtomicBool>,
    mut dice: Dice,
) -> JoinHandle<Fate> {
    let admin: Admin = config(broker).create().unwrap();
    let settings = config(broker);
    let fresh =
        move || settings.clone().set("enable.idempotence", "true").create::<FutureProducer>().unwrap();
    tokio::spawn(async move {
        let mut sender = fresh();
        while !stop.load(Ordering::SeqCst) {
            fate = match fate {
                Fate::Unknown => return fate,
                Fate::Gone if create(&admin, topic, &[("internal.segment.bytes", "2000")], 1).await => {
                    // A producer must not go on with what it knew of an older topic of the name.
                    sender = fresh();
                    Fate::There(0)
                }
                Fate::There(count) if dice.below(3) > 0 => {
                    let text = value(count);
                    let record: FutureRecord<'_, (), str> =
                        FutureRecord::to(topic).partition(0).payload(&text);
                    match sender.send(record, WAIT).await {
                        Ok(_) => Fate::There(count + 1),
                        Err(_) => Fate::Unknown,
                    }
                }
                Fate::There(count) => {
                    // Where the log began must not be taken for the next topic's of the same name.
                    trim(&admin, topic, 0, count).await;
                    let deleted = admin.delete_topics(&[topic], &options()).await;
                    let gone = deleted.is_ok_and(|results| results.iter().all(Result::is_ok));
                    if gone { Fate::Gone } else { Fate::Unknown }
                }
                Fate::Gone => Fate::Unknown,
            }
        }
        fate
    })
}

async fn trim(admin: &Admin, topic: &str, partition: i32, to: i64) {
    let mut offsets = TopicPartitionList::new();
    offsets.add_partition_offset(topic, partition, Offset::Offset(to)).unwrap();
    // Whether it was done before the kill does not matter: the log start may be where it was.
    let _ = admin.delete_records(&offsets, &options()).await;
}

struct Soak {
    broker: Process,
    numbered: FutureProducer,
    acknowledged: Acknowledged,
    dice: Dice,
}

impl Soak {
    async fn begin(seed: u64) -> Self {
        let broker = Process::start(&SETTINGS);
        let admin: Admin = config(&broker).create().unwrap();
        let small = ("internal.segment.bytes", "20000");
        for (topic, retention) in [(KEPT, "-1"), (SHORT, "60000"), (PLAIN, "-1")] {
            assert!(create(&admin, topic, &[small, ("retention.bytes", retention)], PARTITIONS).await);
        }
        let numbered = producer(&broker, true);
        Self { broker, numbered, acknowledged: Acknowledged::default(), dice: Dice::new(seed) }
    }

    /// Load, a kill in the middle of it, a start, and the rest of the load; then everything is looked at.
    async fn round(&mut self) {
        let stop = Arc::new(AtomicBool::new(false));
        let known = &self.acknowledged;
        let numbered = send_numbered(self.numbered.clone(), known.numbered.clone(), stop.clone());
        let plain = send_plain(producer(&self.broker, false), known.plain_sent, stop.clone());
        let commits = commit_offsets(&self.broker, known.committed, stop.clone());
        let comers: Vec<_> = COMING_AND_GOING
            .iter()
            .map(|topic| {
                let fate = known.fates.get(topic).copied().unwrap_or_default();
                let dice = Dice::new(self.dice.below(u64::MAX));
                (*topic, come_and_go(&self.broker, topic, fate, stop.clone(), dice))
            })
            .collect();
        tokio::time::sleep(self.dice.ms(30, 300)).await;
        self.trim_kept().await;
        tokio::time::sleep(self.dice.ms(0, 300)).await;
        self.die(&stop).await;
        let known = &mut self.acknowledged;
        known.numbered = numbered.await.unwrap();
        let (acknowledged, sent) = plain.await.unwrap();
        known.plain.extend(acknowledged);
        known.plain_sent = sent;
        known.committed = commits.await.unwrap();
        for (topic, fate) in comers {
            known.fates.insert(topic, fate.await.unwrap());
        }
    }

    async fn trim_kept(&mut self) {
        let admin: Admin = config(&self.broker).create().unwrap();
        let partition = self.dice.below(PARTITIONS as u64) as i32;
        let end = self.acknowledged.numbered.get(&(KEPT, partition)).copied().unwrap_or_default();
        let to = self.dice.below(end as u64 + 1) as i64;
        let trimmed = self.acknowledged.trimmed.entry(partition).or_default();
        *trimmed = (*trimmed).max(to);
        trim(&admin, KEPT, partition, to).await;
    }

    /// The broker ends, seldom cleanly, sometimes again while it starts; then it starts.
    async fn die(&mut self, stop: &AtomicBool) {
        let clean = self.dice.below(6) == 0;
        if clean {
            assert_eq!(self.broker.terminate(), Some(0));
        } else {
            self.broker.kill();
        }
        while self.dice.below(3) == 0 {
            self.broker.die_while_starting(self.dice.ms(1, 60));
        }
        self.broker.start_again();
        tokio::time::sleep(self.dice.ms(0, 50)).await;
        stop.store(true, Ordering::SeqCst);
    }

    fn verify(&mut self) {
        let known = &mut self.acknowledged;
        for (&(topic, partition), &sent) in &known.numbered {
            let held = read_all(&self.broker, topic, partition);
            assert_eq!(held.end, sent, "the end of {topic}-{partition}");
            let first = held.records.first().map_or(held.end, |(offset, _)| *offset);
            assert!(
                held.records.iter().copied().eq((first..held.end).map(|n| (n, n))),
                "{topic}-{partition}"
            );
            if topic == KEPT {
                let trimmed = known.trimmed.get(&partition).copied().unwrap_or_default();
                assert!(held.start <= trimmed && first == held.start, "{topic}-{partition}: {}", held.start);
            }
            known.verified += held.records.len();
        }
        let mut plain = BTreeMap::new();
        for partition in 0..PARTITIONS {
            let held = read_all(&self.broker, PLAIN, partition);
            plain.extend(held.records.into_iter().map(|(offset, number)| ((partition, offset), number)));
        }
        for (place, number) in &known.plain {
            assert_eq!(plain.get(place), Some(number), "{PLAIN} {place:?}");
        }
        known.verified += known.plain.len();
        self.verify_committed();
        self.verify_topics();
    }

    fn verify_committed(&mut self) {
        let mut asked = TopicPartitionList::new();
        asked.add_partition(KEPT, 0);
        let (acknowledged, sent) = self.acknowledged.committed;
        let found = consumer(&self.broker, GROUP).committed_offsets(asked, WAIT).unwrap();
        let offset = found.elements()[0].offset().to_raw().unwrap_or(-1);
        let range = acknowledged..=sent;
        assert!(range.contains(&offset) || acknowledged == 0, "{offset} is committed, not one of {range:?}");
        self.acknowledged.committed.0 = acknowledged.max(offset);
    }

    fn verify_topics(&mut self) {
        let metadata = self.numbered.client().fetch_metadata(None, WAIT).unwrap();
        let exists = |name: &str| metadata.topics().iter().any(|topic| topic.name() == name);
        for (&topic, fate) in &mut self.acknowledged.fates {
            match *fate {
                Fate::There(count) => {
                    assert!(exists(topic), "{topic} is gone");
                    let held = read_all(&self.broker, topic, 0);
                    let whole = (0..count).map(|n| (n, n));
                    assert!(
                        held.start == 0 && held.records.iter().copied().eq(whole),
                        "{topic}: {}",
                        held.end
                    );
                    self.acknowledged.verified += held.records.len();
                }
                Fate::Gone => assert!(!exists(topic), "{topic} is back"),
                Fate::Unknown => {}
            }
        }
    }

    /// Topics of which nothing is known begin anew.
    async fn clear_unknown(&mut self) {
        let admin: Admin = config(&self.broker).create().unwrap();
        for (&topic, fate) in &mut self.acknowledged.fates {
            if *fate == Fate::Unknown {
                let _ = admin.delete_topics(&[topic], &options()).await.unwrap();
                *fate = Fate::Gone;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_however_often_the_broker_is_killed() {
    let rounds = number("MILENA_SOAK_ROUNDS", u64::from(ROUNDS));
    let seed = number("MILENA_SOAK_SEED", u64::from(std::process::id())) | 1;
    println!("soak: {rounds} rounds, seed {seed}");
    let mut soak = Soak::begin(seed).await;
    for round in 1..=rounds {
        soak.round().await;
        soak.verify();
        soak.clear_unknown().await;
        println!(
            "soak: round {round}, {} records verified, {:?}",
            soak.acknowledged.verified, soak.acknowledged.fates
        );
    }
    assert!(soak.acknowledged.verified > 0);
    println!("soak: {rounds} rounds passed, {} records verified", soak.acknowledged.verified);
}
