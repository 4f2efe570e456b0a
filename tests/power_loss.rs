//! A broker on a disk in memory whose power goes at any change, also while it starts or recovers: what was acknowledged as
//! durable is there afterwards, and of the rest no more than the end of a partition is missing. `MILENA_POWER_POINTS` says
//! at how many points in each mode, `MILENA_POWER_SEED` repeats a run's choices (not its timing).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use bytes::Bytes;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::*;
use kafka_protocol::protocol::StrBytes;
use milena::config::Config;
use milena::log::storage::Storage as _;
use milena::server::Server;
use milena::wire::batch::{Batch, BatchBuilder};
use support::RawClient;
use support::dice::Dice;
use support::requests::{FETCH, PRODUCE, fetch_of, from, name, now_ms, of_topic, produce};
use support::sim_disk::{Lie, Moment, SimDisk};
use tempfile::TempDir;

/// Clients of the workload; each has topics of its own, so that it knows what they hold.
const CLIENTS: usize = 2;
/// Changes of the disk after which the process dies or stops, and another one goes on; and after which a workload ends.
const FIRST_MOMENTS: usize = 200;
const MOMENTS: usize = 500;
const PARTITIONS: i32 = 2;
/// `COORDINATOR_LOAD_IN_PROGRESS`
const LOADING: i16 = 14;
/// Keys of the compacted topic.
const KEYS: i64 = 3;
/// Between the timestamps of two records; segments are rolled by them.
const STEP_MS: i64 = 1000;
/// The first record's timestamp: of today, because producers are forgotten a day after their last record.
static T0: LazyLock<i64> = LazyLock::new(|| now_ms() - 3_600_000);
/// Points at which the power goes, unless the environment says otherwise, and how many of them share a workload.
const POINTS: u64 = 200;
const POINTS_OF_A_WORKLOAD: u64 = 100;
const POINTS_OF_A_LIE: u64 = 50;
const POINTS_BETWEEN_LINES: u64 = 1000;
/// Brokers that are checked at a time.
const AT_ONCE: usize = 4;
/// A point where the power went: of so many, one is met by a second loss, while the broker recovers.
const TWICE: u64 = 3;

const SETTINGS: [(&str, &str); 12] = [
    ("listeners", "PLAINTEXT://127.0.0.1:0"),
    ("auto.create.topics.enable", "false"),
    ("log.flush.offset.checkpoint.interval.ms", "1"),
    ("log.flush.start.offset.checkpoint.interval.ms", "1"),
    ("log.retention.check.interval.ms", "1"),
    ("log.segment.delete.delay.ms", "1"),
    ("log.cleaner.backoff.ms", "1"),
    ("metadata.log.max.record.bytes.between.snapshots", "1000"),
    ("offsets.topic.num.partitions", "1"),
    ("log.index.interval.bytes", "64"),
    ("log.retention.ms", "-1"),
    ("log.message.timestamp.type", "CreateTime"),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    /// An acknowledgement means stable storage.
    Fsync,
    /// It means the page cache, as Kafka's defaults do.
    Default,
}

/// One change that a client asked for.
#[derive(Clone, Debug)]
enum Deed {
    Created {
        topic: String,
    },
    Deleted {
        topic: String,
    },
    /// Records up to `end`, of which the last batch began at `base`.
    Sent {
        topic: String,
        partition: i32,
        base: i64,
        end: i64,
        producer: i64,
    },
    /// Records below `start` are of no use any more.
    Trimmed {
        topic: String,
        partition: i32,
        start: i64,
    },
    Committed {
        topic: String,
        partition: i32,
        offset: i64,
    },
    /// Asked for another generation of the group of members.
    Joining {
        topic: String,
    },
    /// Got it, and an assignment.
    Joined {
        topic: String,
        membership: Membership,
    },
}

/// Who is in a group, and in which generation of it.
#[derive(Clone, Debug, PartialEq)]
struct Membership {
    member: StrBytes,
    generation: i32,
}

/// What a client did, in order, and how much of it was answered.
#[derive(Clone, Default)]
struct History {
    deeds: Arc<Mutex<Vec<Deed>>>,
    answered: Arc<AtomicUsize>,
}

impl History {
    fn begin(&self, deed: Deed) {
        self.deeds.lock().unwrap().push(deed);
    }

    fn answered(&self) {
        self.answered.fetch_add(1, Ordering::SeqCst);
    }
}

#[derive(Clone, Debug, Default)]
struct PartitionModel {
    end: i64,
    /// Base offset and producer of the last batch.
    last: Option<(i64, i64)>,
    /// The records from here on are wanted.
    start: i64,
    committed: Vec<i64>,
}

#[derive(Clone, Debug, Default)]
struct TopicModel {
    /// How often a topic of this name was made.
    generation: usize,
    exists: bool,
    partitions: BTreeMap<i32, PartitionModel>,
    /// The group of members; whether another generation was asked for since.
    membership: Option<Membership>,
    is_joining: bool,
}

type Model = BTreeMap<String, TopicModel>;

fn model<'a>(deeds: impl IntoIterator<Item = &'a Deed>) -> Model {
    let mut model = Model::new();
    for deed in deeds {
        match deed.clone() {
            Deed::Created { topic } => {
                let topic = model.entry(topic).or_default();
                topic.exists = true;
                topic.generation += 1;
                topic.partitions = (0..PARTITIONS).map(|index| (index, PartitionModel::default())).collect();
            }
            Deed::Deleted { topic } => model.get_mut(&topic).unwrap().exists = false,
            Deed::Sent { topic, partition, base, end, producer } => {
                let partition = partition_of(&mut model, &topic, partition);
                (partition.last, partition.end) = (Some((base, producer)), end);
            }
            Deed::Trimmed { topic, partition, start } => {
                partition_of(&mut model, &topic, partition).start = start;
            }
            Deed::Committed { topic, partition, offset } => {
                partition_of(&mut model, &topic, partition).committed.push(offset);
            }
            Deed::Joining { topic } => model.get_mut(&topic).unwrap().is_joining = true,
            Deed::Joined { topic, membership } => {
                let topic = model.get_mut(&topic).unwrap();
                (topic.membership, topic.is_joining) = (Some(membership), false);
            }
        }
    }
    model
}

fn partition_of<'a>(model: &'a mut Model, topic: &str, partition: i32) -> &'a mut PartitionModel {
    model.get_mut(topic).unwrap().partitions.get_mut(&partition).unwrap()
}

/// The value of the record at an offset.
fn value(topic: &str, generation: usize, partition: i32, offset: i64) -> String {
    format!("{topic}-{generation}-{partition}-{offset}")
}

/// Its key; only the compacted topic's matter.
fn key(offset: i64) -> i64 {
    offset * 7 % 11 % KEYS
}

/// The batch at an offset. Its first record's offset is its sequence: whoever sends it again sends a duplicate.
fn records(topic: &str, generation: usize, partition: i32, base: i64, end: i64, producer: i64) -> Bytes {
    let timestamp = |offset: i64| *T0 + offset * STEP_MS;
    let mut builder = BatchBuilder::new(timestamp(base)).producer(producer, 0, base as i32);
    for offset in base..end {
        let key = format!("k{}", key(offset));
        let value = value(topic, generation, partition, offset);
        builder.push(Some(key.as_bytes()), Some(value.as_bytes()), timestamp(offset));
    }
    builder.build(0).bytes
}

async fn send(client: &mut RawClient, topic: &str, partition: i32, records: Bytes) -> (i16, i64) {
    let request = produce(topic, partition, records, -1);
    let answer: ProduceResponse = client.ask(ApiKey::Produce, PRODUCE, &request).await;
    let answer = &answer.responses[0].partition_responses[0];
    (answer.error_code, answer.base_offset)
}

async fn producer_id(client: &mut RawClient) -> i64 {
    let request = InitProducerIdRequest::default().with_transactional_id(None);
    let answer: InitProducerIdResponse = client.ask(ApiKey::InitProducerId, 4, &request).await;
    assert_eq!(answer.error_code, 0);
    answer.producer_id.0
}

fn group(topic: &str) -> GroupId {
    StrBytes::from_string(format!("readers of {topic}")).into()
}

async fn commit(client: &mut RawClient, topic: &str, partition: i32, offset: i64) {
    let partition =
        OffsetCommitRequestPartition::default().with_partition_index(partition).with_committed_offset(offset);
    let of = OffsetCommitRequestTopic::default().with_name(name(topic)).with_partitions(vec![partition]);
    let request = OffsetCommitRequest::default()
        .with_group_id(group(topic))
        .with_generation_id_or_member_epoch(-1)
        .with_topics(vec![of]);
    loop {
        let answer: OffsetCommitResponse = client.ask(ApiKey::OffsetCommit, 8, &request).await;
        let error = answer.topics[0].partitions[0].error_code;
        if error != LOADING {
            return assert_eq!(error, 0);
        }
    }
}

async fn find_coordinator(client: &mut RawClient, topic: &str) {
    let request = FindCoordinatorRequest::default().with_key(group(topic).0);
    let answer: FindCoordinatorResponse = client.ask(ApiKey::FindCoordinator, 3, &request).await;
    assert_eq!(answer.error_code, 0);
}

/// Committed offsets by partition, −1 where there is none.
async fn committed(client: &mut RawClient, topic: &str) -> Vec<i64> {
    let topics = OffsetFetchRequestTopics::default()
        .with_name(name(topic))
        .with_partition_indexes((0..PARTITIONS).collect());
    let asked =
        OffsetFetchRequestGroup::default().with_group_id(group(topic)).with_topics(Some(vec![topics]));
    let request = OffsetFetchRequest::default().with_groups(vec![asked]);
    loop {
        let answer: OffsetFetchResponse = client.ask(ApiKey::OffsetFetch, 8, &request).await;
        let group = &answer.groups[0];
        if group.error_code != LOADING {
            assert_eq!(group.error_code, 0);
            return group.topics[0].partitions.iter().map(|partition| partition.committed_offset).collect();
        }
    }
}

fn members(topic: &str) -> GroupId {
    StrBytes::from_string(format!("members of {topic}")).into()
}

/// Joins, or begins another generation, and takes an assignment.
async fn join(client: &mut RawClient, topic: &str, known: Option<&Membership>) -> Membership {
    let member = known.map(|known| known.member.clone()).unwrap_or_default();
    let protocol = JoinGroupRequestProtocol::default().with_name(StrBytes::from_static_str("range"));
    let request = JoinGroupRequest::default()
        .with_group_id(members(topic))
        .with_session_timeout_ms(600_000)
        .with_rebalance_timeout_ms(600_000)
        .with_member_id(member)
        .with_protocol_type(StrBytes::from_static_str("consumer"))
        .with_protocols(vec![protocol]);
    let joined = loop {
        let answer: JoinGroupResponse = client.ask(ApiKey::JoinGroup, 2, &request).await;
        if answer.error_code != LOADING {
            break answer;
        }
    };
    assert_eq!(joined.error_code, 0, "{topic}: {known:?}");
    let assigned = SyncGroupRequestAssignment::default()
        .with_member_id(joined.member_id.clone())
        .with_assignment(Bytes::from_static(b"all"));
    let request = SyncGroupRequest::default()
        .with_group_id(members(topic))
        .with_generation_id(joined.generation_id)
        .with_member_id(joined.member_id.clone())
        .with_assignments(vec![assigned]);
    let answer: SyncGroupResponse = client.ask(ApiKey::SyncGroup, 2, &request).await;
    assert_eq!((answer.error_code, &answer.assignment[..]), (0, &b"all"[..]));
    Membership { member: joined.member_id, generation: joined.generation_id }
}

/// What the group says to a member that is alive.
async fn heartbeat(client: &mut RawClient, topic: &str, of: &Membership) -> i16 {
    let request = HeartbeatRequest::default()
        .with_group_id(members(topic))
        .with_generation_id(of.generation)
        .with_member_id(of.member.clone());
    loop {
        let answer: HeartbeatResponse = client.ask(ApiKey::Heartbeat, 2, &request).await;
        if answer.error_code != LOADING {
            return answer.error_code;
        }
    }
}

/// Offset, value, for each record of a partition, and where it starts and ends.
struct Held {
    start: i64,
    end: i64,
    records: Vec<(i64, String)>,
}

async fn read(client: &mut RawClient, topic: &str, partition: i32) -> Result<Held, String> {
    let (error, start) = client.list_offset(topic, partition, -2).await;
    let (_, end) = client.list_offset(topic, partition, -1).await;
    if error != 0 {
        return Err(format!("unreadable: {topic}-{partition}: error {error}"));
    }
    let mut held = Held { start, end, records: Vec::new() };
    let mut offset = start;
    while offset < end {
        let request = fetch_of(vec![of_topic(topic, vec![from(partition, offset)])], 0);
        let answer: FetchResponse = client.ask(ApiKey::Fetch, FETCH, &request).await;
        let found = &answer.responses[0].partitions[0];
        let mut rest = found.records.clone().unwrap_or_default();
        if found.error_code != 0 || rest.is_empty() {
            return Err(format!("unreadable: {topic}-{partition} at {offset}: error {}", found.error_code));
        }
        while !rest.is_empty() {
            let batch =
                Batch::parse(rest.clone()).map_err(|error| format!("unreadable: {topic}: {error}"))?;
            rest = rest.slice(batch.bytes.len()..);
            let unreadable = |error| format!("unreadable: {topic}-{partition} at {offset}: {error}");
            for record in batch.records().map_err(unreadable)? {
                let record = record.map_err(unreadable)?;
                let at = batch.header.base_offset + i64::from(record.offset_delta);
                let value = String::from_utf8_lossy(&record.value.unwrap_or_default()).into_owned();
                if at >= start {
                    held.records.push((at, value));
                }
            }
            offset = batch.header.next_offset();
        }
    }
    Ok(held)
}

/// One client at work.
struct Worker {
    client: RawClient,
    dice: Dice,
    history: History,
    prefix: String,
    producer: i64,
}

impl Worker {
    async fn new(server: &Server, number: usize, seed: u64, history: History) -> Self {
        let mut client = connect(server).await;
        let producer = producer_id(&mut client).await;
        Self {
            client,
            dice: Dice::new(seed + number as u64),
            history,
            prefix: format!("c{number}"),
            producer,
        }
    }

    fn topic(&self, kind: &str) -> String {
        format!("{}-{kind}", self.prefix)
    }

    async fn begin(mut self) -> Self {
        for kind in ["kept", "short", "compacted"] {
            self.create(kind).await;
        }
        self
    }

    async fn run(mut self, disk: SimDisk<Known>, moments: usize) -> Self {
        let kept = self.topic("kept");
        find_coordinator(&mut self.client, &kept).await;
        while disk.recorded() < moments {
            match self.dice.below(21) {
                0..=7 => self.send("kept").await,
                8..=10 => self.send("short").await,
                11..=13 => self.send("compacted").await,
                14..=15 => self.commit().await,
                16 => self.trim().await,
                17..=18 => self.come_and_go().await,
                19 => self.join().await,
                _ => tokio::time::sleep(self.dice.ms(0, 4)).await,
            }
        }
        self
    }

    fn now(&self, topic: &str) -> TopicModel {
        model(&*self.history.deeds.lock().unwrap()).remove(topic).unwrap_or_default()
    }

    async fn create(&mut self, kind: &str) {
        let topic = self.topic(kind);
        self.history.begin(Deed::Created { topic: topic.clone() });
        let configs: &[_] = match kind {
            "short" => &[("segment.ms", "5000"), ("retention.bytes", "600")],
            "compacted" => &[
                ("segment.ms", "3000"),
                ("cleanup.policy", "compact"),
                ("min.cleanable.dirty.ratio", "0.01"),
            ],
            _ => &[("segment.ms", "10000")],
        };
        self.client.create(&topic, PARTITIONS, configs).await;
        self.history.answered();
    }

    async fn send(&mut self, kind: &str) {
        let topic = self.topic(kind);
        let partition = self.dice.below(PARTITIONS as u64) as i32;
        let known = self.now(&topic);
        let base = known.partitions[&partition].end;
        let end = base + 1 + self.dice.below(4) as i64;
        let producer = self.producer;
        self.history.begin(Deed::Sent { topic: topic.clone(), partition, base, end, producer });
        let records = records(&topic, known.generation, partition, base, end, producer);
        assert_eq!(send(&mut self.client, &topic, partition, records).await, (0, base), "{topic}");
        self.history.answered();
    }

    async fn commit(&mut self) {
        let topic = self.topic("kept");
        let partition = self.dice.below(PARTITIONS as u64) as i32;
        let offset = self.now(&topic).partitions[&partition].end;
        self.history.begin(Deed::Committed { topic: topic.clone(), partition, offset });
        commit(&mut self.client, &topic, partition, offset).await;
        self.history.answered();
    }

    async fn join(&mut self) {
        let topic = self.topic("kept");
        let known = self.now(&topic).membership;
        self.history.begin(Deed::Joining { topic: topic.clone() });
        let membership = join(&mut self.client, &topic, known.as_ref()).await;
        self.history.answered();
        self.history.begin(Deed::Joined { topic, membership });
        self.history.answered();
    }

    async fn trim(&mut self) {
        let topic = self.topic("kept");
        let known = &self.now(&topic).partitions[&0];
        let start = known.start + self.dice.below((known.end - known.start) as u64 / 2 + 1) as i64;
        self.history.begin(Deed::Trimmed { topic: topic.clone(), partition: 0, start });
        self.client.delete_records(&topic, start).await;
        self.history.answered();
    }

    async fn come_and_go(&mut self) {
        let topic = self.topic("come");
        if !self.now(&topic).exists {
            self.create("come").await;
        } else if self.dice.below(3) > 0 {
            self.send("come").await;
        } else {
            self.history.begin(Deed::Deleted { topic: topic.clone() });
            self.client.delete(&topic).await;
            self.history.answered();
        }
    }
}

/// How many deeds of each client were answered.
type Known = Vec<usize>;

async fn start(home: &TempDir, disk: SimDisk<Known>, mode: Mode) -> anyhow::Result<Server> {
    let mut settings = SETTINGS.to_vec();
    let path = home.path().join("made/data");
    // The lock alone lies there; the files are on the disk in memory.
    std::fs::create_dir_all(&path).unwrap();
    settings.push(("log.dirs", path.to_str().unwrap()));
    if mode == Mode::Fsync {
        settings.push(("log.flush.interval.messages", "1"));
    }
    Server::start_on(Config::from_pairs(settings).unwrap(), Arc::new(disk)).await
}

async fn connect(server: &Server) -> RawClient {
    RawClient::connect(server.addresses()[0].1).await
}

/// A disk on which nothing was, or on which the first start was killed.
async fn new_disk(home: &TempDir, mode: Mode, dice: &mut Dice) -> SimDisk<Known> {
    let disk = SimDisk::new(home.path());
    if dice.below(2) == 0 {
        return disk;
    }
    disk.record(Vec::new);
    start(home, disk.clone(), mode).await.unwrap().stop().await.unwrap();
    let moments = disk.take();
    moments[dice.below(moments.len() as u64) as usize].kill()
}

/// Works on a new disk until it has changed often enough; on the way the broker is killed or stopped and started again.
/// What happened, and the disk at each change.
async fn work(mode: Mode, seed: u64, lie: Lie) -> (Vec<History>, Vec<Moment<Known>>) {
    let mut dice = Dice::new(seed);
    let histories: Vec<History> = (0..CLIENTS).map(|_| History::default()).collect();
    let home = tempfile::tempdir().unwrap();
    let mut disk = new_disk(&home, mode, &mut dice).await;
    disk.lie(lie);
    let watched = histories.clone();
    disk.record(move || watched.iter().map(|history| history.answered.load(Ordering::SeqCst)).collect());
    let mut server = start(&home, disk.clone(), mode).await.unwrap();
    let mut workers = Vec::new();
    for (number, history) in histories.iter().enumerate() {
        let worker = Worker::new(&server, number, seed * CLIENTS as u64, history.clone()).await;
        workers.push(worker.begin().await);
    }
    for moments in [FIRST_MOMENTS, MOMENTS] {
        let mut tasks = tokio::task::JoinSet::new();
        for worker in workers {
            tasks.spawn(worker.run(disk.clone(), moments));
        }
        workers = tasks.join_all().await;
        if dice.below(2) == 0 {
            disk = disk.kill();
        }
        server.stop().await.unwrap();
        server = start(&home, disk.clone(), mode).await.unwrap();
        for worker in &mut workers {
            worker.client = connect(&server).await;
        }
    }
    server.stop().await.unwrap();
    (histories, disk.take())
}

/// What is wrong after a power loss at `moment`.
async fn check(
    mode: Mode,
    histories: &[History],
    moment: &Moment<Known>,
    dice: &mut Dice,
) -> Result<(), String> {
    let home = tempfile::tempdir().unwrap();
    let mut disk = moment.lose_power(dice, home.path());
    let twice = dice.below(TWICE) == 0;
    if twice {
        disk.record(Vec::new);
        let recovering =
            start(&home, disk.clone(), mode).await.map_err(|error| format!("no start: {error:#}"))?;
        recovering.stop().await.map_err(|error| format!("no stop: {error:#}"))?;
        let moments = disk.take();
        disk = moments[dice.below(moments.len() as u64) as usize].lose_power(dice, home.path());
    }
    let server = start(&home, disk, mode).await.map_err(|error| format!("no start: {error:#}"))?;
    let mut client = connect(&server).await;
    let mut wrong = Ok(());
    for (history, answered) in histories.iter().zip(&moment.known) {
        let deeds = history.deeds.lock().unwrap().clone();
        let before = model(&deeds[..*answered]);
        let after = model(deeds.iter().take(answered + 1));
        wrong = wrong.and(check_client(&mut client, mode, &before, &after).await);
    }
    server.stop().await.map_err(|error| format!("no stop: {error:#}"))?;
    wrong.map_err(|wrong| if twice { format!("{wrong}, after a second loss") } else { wrong })
}

async fn check_client(
    client: &mut RawClient,
    mode: Mode,
    before: &Model,
    after: &Model,
) -> Result<(), String> {
    let nothing = TopicModel::default();
    for (topic, after) in after {
        let before = before.get(topic).unwrap_or(&nothing);
        let exists = client.list_offset(topic, 0, -1).await.0 == 0;
        if exists != before.exists && exists != after.exists {
            return Err(format!("{}: {topic}", if exists { "deleted topic is back" } else { "topic lost" }));
        }
        if !exists {
            continue;
        }
        let is_settled = mode == Mode::Fsync && !before.is_joining && !after.is_joining;
        if let Some(membership) = before.membership.as_ref().filter(|_| is_settled) {
            let told = heartbeat(client, topic, membership).await;
            if told != 0 {
                return Err(format!("membership lost: {topic}, {membership:?}: error {told}"));
            }
        }
        // One that was made or deleted just then has no other generation's records either.
        let generation = after.generation;
        for (partition, after) in &after.partitions {
            let none = PartitionModel::default();
            let before =
                before.partitions.get(partition).filter(|_| before.generation == generation).unwrap_or(&none);
            let held = read(client, topic, *partition).await?;
            let place = format!("{topic}-{partition} has {}..{}", held.start, held.end);
            check_records(topic, generation, *partition, &held)
                .map_err(|wrong| format!("{wrong}: {place}"))?;
            if held.end > after.end || (mode == Mode::Fsync && held.end < before.end) {
                return Err(format!(
                    "records lost or made up: {place}, sent {}, told {}",
                    after.end, before.end
                ));
            }
            if topic.ends_with("kept") {
                if held.start > after.start {
                    return Err(format!("start lost: {place}, trimmed to {}", after.start));
                }
                check_commit(client, mode, topic, *partition, (before, after), held.end).await?;
                check_writable(client, mode, topic, generation, *partition, before, held.end).await?;
            }
        }
    }
    Ok(())
}

/// That the records are those that were sent to these offsets, and all of them, or all that compaction leaves.
fn check_records(topic: &str, generation: usize, partition: i32, held: &Held) -> Result<(), String> {
    for (offset, found) in &held.records {
        if *found != value(topic, generation, partition, *offset) {
            return Err(format!("foreign record {found} at {offset}"));
        }
    }
    if !held.records.is_sorted_by(|one, next| one.0 < next.0) {
        return Err("offsets do not rise".into());
    }
    let wanted: Vec<i64> = if topic.ends_with("compacted") {
        (0..KEYS).filter_map(|of| (0..held.end).rfind(|offset| key(*offset) == of)).collect()
    } else {
        (held.start..held.end).collect()
    };
    let lost = wanted.iter().find(|offset| held.records.binary_search_by_key(offset, |(at, _)| at).is_err());
    lost.map_or(Ok(()), |offset| Err(format!("record lost at {offset}")))
}

async fn check_commit(
    client: &mut RawClient,
    mode: Mode,
    topic: &str,
    partition: i32,
    (before, after): (&PartitionModel, &PartitionModel),
    end: i64,
) -> Result<(), String> {
    find_coordinator(client, topic).await;
    let found = committed(client, topic).await[partition as usize];
    let last = |model: &PartitionModel| model.committed.last().copied().unwrap_or(-1);
    let fits = match mode {
        Mode::Fsync => found == last(before) || found == last(after),
        // Cut to the end of the log, where that was lost.
        Mode::Default => found == -1 || found == end || after.committed.contains(&found),
    };
    if !fits || found > end {
        return Err(format!(
            "commit lost: {topic}-{partition} ends at {end}, has {found}, told {}",
            last(before)
        ));
    }
    Ok(())
}

/// That what was acknowledged is known as a duplicate, and the next record follows.
async fn check_writable(
    client: &mut RawClient,
    mode: Mode,
    topic: &str,
    generation: usize,
    partition: i32,
    before: &PartitionModel,
    end: i64,
) -> Result<(), String> {
    let new = producer_id(client).await;
    if before.last.is_some_and(|(_, producer)| producer >= new) {
        return Err(format!("producer id {new} was given before"));
    }
    if let Some((base, producer)) = before.last.filter(|_| mode == Mode::Fsync && before.end == end) {
        let again = records(topic, generation, partition, base, before.end, producer);
        let answer = send(client, topic, partition, again).await;
        if answer != (0, base) {
            return Err(format!("duplicate: {topic}-{partition} at {base}: {answer:?}"));
        }
    }
    let next = records(topic, generation, partition, end, end + 1, new);
    let answer = send(client, topic, partition, next).await;
    if answer != (0, end) {
        return Err(format!("not writable: {topic}-{partition} at {end}: {answer:?}"));
    }
    Ok(())
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |value| value.parse().unwrap())
}

/// Checks so many of the moments, a few at a time. What was wrong.
async fn check_some(
    mode: Mode,
    seed: u64,
    points: u64,
    deeds: Vec<History>,
    moments: Vec<Moment<Known>>,
) -> Vec<String> {
    let (deeds, moments) = (Arc::new(deeds), Arc::new(moments));
    let turn = Arc::new(tokio::sync::Semaphore::new(AT_ONCE));
    let mut checks = tokio::task::JoinSet::new();
    for point in 0..points {
        let (deeds, moments, turn) = (deeds.clone(), moments.clone(), turn.clone());
        checks.spawn(async move {
            let _turn = turn.acquire().await.unwrap();
            let mut dice = Dice::new(seed.wrapping_mul(1_000_003) + point);
            let chosen = dice.below(moments.len() as u64) as usize;
            let wrong = check(mode, &deeds, &moments[chosen], &mut dice).await;
            wrong.map_err(|wrong| {
                format!("{wrong} (seed {seed}, {mode:?}, change {chosen} of {})", moments.len())
            })
        });
    }
    checks.join_all().await.into_iter().filter_map(Result::err).collect()
}

/// A marker that came back would hide from the next start what was not synced.
#[tokio::test]
async fn the_marker_of_a_clean_stop_is_gone_for_good_before_anything_else_is_written() {
    let home = tempfile::tempdir().unwrap();
    let disk = SimDisk::new(home.path());
    start(&home, disk.clone(), Mode::Default).await.unwrap().stop().await.unwrap();
    let marker = home.path().join("made/data/.kafka_cleanshutdown");
    assert!(disk.exists(&marker));
    disk.record(Vec::new);
    start(&home, disk.clone(), Mode::Default).await.unwrap().stop().await.unwrap();
    let moments = disk.take();
    assert!(!moments[0].kill().exists(&marker), "the first change");
    let mut dice = Dice::new(1);
    let marked = moments.iter().position(|moment| moment.kill().exists(&marker)).unwrap();
    for moment in &moments[1..marked] {
        for _ in 0..10 {
            assert!(
                !moment.lose_power(&mut dice, home.path()).exists(&marker),
                "the second makes it durable"
            );
        }
    }
}

/// How often each kind of anomaly was met.
fn kinds(wrong: &[String]) -> BTreeMap<&str, usize> {
    let mut kinds = BTreeMap::new();
    for one in wrong {
        *kinds.entry(one.split(':').next().unwrap()).or_insert(0) += 1;
    }
    kinds
}

fn seed() -> u64 {
    number("MILENA_POWER_SEED", std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as u64)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_loss_of_power_at_any_change() {
    let points = number("MILENA_POWER_POINTS", POINTS);
    let first = seed();
    let modes = [Mode::Fsync, Mode::Default];
    let (mut done, mut changes, mut wrong) = (0, [0; 2], [Vec::new(), Vec::new()]);
    for seed in first.. {
        for (index, mode) in modes.into_iter().enumerate() {
            let (deeds, moments) = work(mode, seed, |_| false).await;
            changes[index] += moments.len();
            wrong[index].extend(check_some(mode, seed, POINTS_OF_A_WORKLOAD, deeds, moments).await);
        }
        done += POINTS_OF_A_WORKLOAD;
        let is_last = done >= points || wrong.iter().any(|wrong| wrong.len() > 20);
        if is_last || done % POINTS_BETWEEN_LINES == 0 {
            for ((mode, changes), wrong) in modes.iter().zip(changes).zip(&wrong) {
                let kinds = kinds(wrong);
                println!("{mode:?}, seed {first}: {done} points of {changes} changes, anomalies {kinds:?}");
            }
        }
        if is_last {
            break;
        }
    }
    let wrong = wrong.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn is_log(name: &str) -> bool {
    std::path::Path::new(name).extension().is_some_and(|extension| extension == "log")
}

/// The proof that the checks above would see a loss: a disk that says that it synced, and did not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_that_the_disk_does_not_do_is_found_out() {
    let lies: [(&str, Mode, Lie); 5] = [
        ("records", Mode::Fsync, is_log),
        ("names", Mode::Fsync, |name| !name.contains('.')),
        ("the topic's id", Mode::Fsync, |name| name.starts_with("partition.metadata")),
        ("closed segments", Mode::Default, is_log),
        ("checkpoints", Mode::Default, |name| name.contains("checkpoint") || name == "data"),
    ];
    for (what, mode, lie) in lies {
        let mut wrong = Vec::new();
        for seed in (seed()..).take(20) {
            let (deeds, moments) = work(mode, seed, lie).await;
            wrong.extend(check_some(mode, seed, POINTS_OF_A_LIE, deeds, moments).await);
            if !wrong.is_empty() {
                break;
            }
        }
        println!("{what} not synced, {mode:?}: {:?}", kinds(&wrong));
        assert!(!wrong.is_empty(), "{what}");
    }
}
