//! Compacted topics as clients see them: the log cleaner at work in a running broker, over changed configurations, kills
//! and restarts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::*;
use kafka_protocol::protocol::StrBytes;
use milena::wire::batch::BatchBuilder;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, StreamConsumer};
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};
use support::process::Process;
use support::{RawClient, TestBroker};

const WAIT: Duration = Duration::from_secs(40);
const TOPIC: &str = "prices";

/// The cleaner looks as often as it can; each produced batch below is 2 s younger than the one before.
const CLEANING: [(&str, &str); 2] = [("log.cleaner.backoff.ms", "0"), ("log.segment.delete.delay.ms", "0")];

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(WAIT, waiting).await.unwrap_or_else(|_| panic!("{what}"));
}

fn admin(bootstrap: &str) -> AdminClient<DefaultClientContext> {
    ClientConfig::new().set("bootstrap.servers", bootstrap).create().unwrap()
}

async fn create(bootstrap: &str, configs: &[(&str, &str)]) {
    let mut topic = NewTopic::new(TOPIC, 1, TopicReplication::Fixed(1));
    for (key, value) in configs {
        topic = topic.set(key, value);
    }
    let created = admin(bootstrap).create_topics([&topic], &AdminOptions::new()).await.unwrap();
    assert!(created.iter().all(Result::is_ok), "{created:?}");
}

async fn alter(bootstrap: &str, configs: &[(&str, &str)]) {
    let mut change = AlterConfig::new(ResourceSpecifier::Topic(TOPIC));
    for (key, value) in configs {
        change = change.set(key, value);
    }
    let altered = admin(bootstrap).alter_configs([&change], &AdminOptions::new()).await.unwrap();
    assert!(altered.iter().all(Result::is_ok), "{altered:?}");
}

/// Appends one record of its own batch.
async fn put(client: &mut RawClient, key: &str, value: Option<&str>, timestamp: i64) -> i64 {
    let mut builder = BatchBuilder::new(timestamp);
    builder.push(Some(key.as_bytes()), value.map(str::as_bytes), timestamp);
    let data = PartitionProduceData::default().with_records(Some(builder.build(0).bytes));
    let name = TopicName(StrBytes::from_static_str(TOPIC));
    let topic = TopicProduceData::default().with_name(name).with_partition_data(vec![data]);
    let request = ProduceRequest::default().with_acks(-1).with_timeout_ms(5000).with_topic_data(vec![topic]);
    let answer: ProduceResponse = client.ask(ApiKey::Produce, 9, &request).await;
    let partition = &answer.responses[0].partition_responses[0];
    assert_eq!(partition.error_code, 0);
    partition.base_offset
}

fn now_ms() -> i64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64
}

async fn end_offset(client: &mut RawClient) -> i64 {
    let partition = ListOffsetsPartition::default().with_timestamp(-1);
    let name = TopicName(StrBytes::from_static_str(TOPIC));
    let topic = ListOffsetsTopic::default().with_name(name).with_partitions(vec![partition]);
    let request = ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(vec![topic]);
    let answer: ListOffsetsResponse = client.ask(ApiKey::ListOffsets, 7, &request).await;
    answer.topics[0].partitions[0].offset
}

/// Every record as a consumer reads it: offset, key, value.
fn consumed(bootstrap: &str, end: i64) -> Vec<(i64, String, Option<String>)> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("group.id", "none")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("auto.offset.reset", "error")
        .create()
        .unwrap();
    let mut assigned = TopicPartitionList::new();
    assigned.add_partition_offset(TOPIC, 0, Offset::Beginning).unwrap();
    consumer.assign(&assigned).unwrap();
    let mut found = Vec::new();
    loop {
        match consumer.poll(WAIT).expect("an end in time") {
            Ok(message) => {
                let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                found.push((message.offset(), text(message.key().unwrap()), message.payload().map(text)));
            }
            Err(rdkafka::error::KafkaError::PartitionEOF(_)) => break,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(found.iter().all(|(offset, ..)| *offset < end));
    found
}

/// Where the cleaner's checkpoint says that a partition is clean up to.
fn cleaned_upto(directory: &Path, partition: &str) -> i64 {
    let text = std::fs::read_to_string(directory.join("cleaner-offset-checkpoint")).unwrap_or_default();
    let entry = text.lines().find_map(|line| line.strip_prefix(partition)?.trim().parse().ok());
    entry.unwrap_or(0)
}

/// A compacted topic of many small segments that is never dirty enough by itself.
const COMPACTED: [(&str, &str); 4] = [
    ("cleanup.policy", "compact"),
    ("segment.ms", "10000"),
    ("min.cleanable.dirty.ratio", "1.0"),
    ("delete.retention.ms", "0"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_configuration_has_the_cleaner_begin_and_end_at_once() {
    let broker = TestBroker::start_with(&CLEANING).await;
    let bootstrap = broker.bootstrap();
    let mut client = broker.connect().await;
    create(&bootstrap, &COMPACTED).await;
    let mut at = now_ms() - 1_000_000;
    let mut all = BTreeMap::new();
    for n in 0..100 {
        let (key, value) = (format!("k{}", n % 4), if n == 90 { None } else { Some(format!("v{n}")) });
        at += 2_000;
        put(&mut client, &key, value.as_deref(), at).await;
        all.insert(n, (key, value));
    }
    assert_eq!(consumed(&bootstrap, 100).len(), 100);
    let entry = format!("{TOPIC} 0");
    let directory = broker.directory.path().to_owned();
    let with_ratio = |ratio| {
        let mut configs = COMPACTED;
        configs[2].1 = ratio;
        configs
    };
    alter(&bootstrap, &with_ratio("0.01")).await;
    until("the first round", async || cleaned_upto(&directory, &entry) > 80).await;
    let active = cleaned_upto(&directory, &entry);
    let found = consumed(&bootstrap, 100);
    // Of what lay below the active segment the newest record of each key is left, at its offset.
    let expected: Vec<_> = (0..100)
        .filter(|n| *n >= active || *n + 4 >= active)
        .map(|n| (n, all[&n].0.clone(), all[&n].1.clone()))
        .collect();
    assert_eq!(found, expected);

    // As `delete` it is left alone, and keeps what it has.
    let mut deleting = with_ratio("0.01");
    deleting[0].1 = "delete";
    alter(&bootstrap, &deleting).await;
    for n in 100..160 {
        at += 2_000;
        put(&mut client, &format!("k{}", n % 4), Some(&format!("v{n}")), at).await;
    }
    assert_eq!(cleaned_upto(&directory, &entry), active);
    assert_eq!(consumed(&bootstrap, 160).len(), found.len() + 60);
    let mut both = with_ratio("0.01");
    both[0].1 = "compact,delete";
    alter(&bootstrap, &both).await;
    until("the round after", async || cleaned_upto(&directory, &entry) > 140).await;
    let found = consumed(&bootstrap, 160);
    assert!(found.len() < 20 && found.iter().all(|(offset, ..)| *offset >= 136), "{found:?}");
    drop(client);
    let broker = broker.restart(&CLEANING).await;
    assert_eq!(consumed(&broker.bootstrap(), 160), found);
    assert_eq!(end_offset(&mut broker.connect().await).await, 160);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_killed_while_it_compacts_keeps_the_last_value_of_each_key() {
    let mut broker = Process::start(&CLEANING);
    let mut configs = COMPACTED;
    configs[2].1 = "0.01";
    create(&broker.bootstrap(), &configs).await;
    let mut model: BTreeMap<String, Option<String>> = BTreeMap::new();
    let (mut at, mut n) = (now_ms() - 100_000_000, 0_u32);
    for round in 0..8 {
        let mut client = RawClient::connect(broker.bootstrap().parse().unwrap()).await;
        // Each round is killed at another moment of the cleaner, which is at work all the time.
        for _ in 0..60 + round * 7 {
            let key = format!("k{}", n.wrapping_mul(2_654_435_761) % 13);
            let value = (n % 11 != 0).then(|| format!("v{n}"));
            at += 3_000;
            put(&mut client, &key, value.as_deref(), at).await;
            model.insert(key, value);
            n += 1;
        }
        broker.kill();
        broker.start_again();
        let bootstrap = broker.bootstrap();
        let mut client = RawClient::connect(bootstrap.parse().unwrap()).await;
        assert_eq!(end_offset(&mut client).await, i64::from(n));
        let mut seen: BTreeMap<String, Option<String>> = BTreeMap::new();
        for (_, key, value) in consumed(&bootstrap, i64::from(n)) {
            seen.insert(key, value);
        }
        seen.retain(|_, value| value.is_some());
        let expected: BTreeMap<_, _> =
            model.iter().filter(|(_, v)| v.is_some()).map(|(k, v)| (k.clone(), v.clone())).collect();
        assert_eq!(seen, expected, "round {round}");
    }
    let directory = broker.directory().to_owned();
    until("a last round", async || cleaned_upto(&directory, &format!("{TOPIC} 0")) > i64::from(n) - 20).await;
    assert!(consumed(&broker.bootstrap(), i64::from(n)).len() < 60);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_topic_of_committed_offsets_stops_growing_and_loads_as_before() {
    let settings = [
        CLEANING[0],
        CLEANING[1],
        ("offsets.topic.num.partitions", "1"),
        ("log.roll.ms", "20"),
        ("log.cleaner.min.cleanable.ratio", "0.01"),
    ];
    let broker = TestBroker::start_with(&settings).await;
    let bootstrap = broker.bootstrap();
    create(&bootstrap, &[]).await;
    let mut client = broker.connect().await;
    for n in 0..20 {
        put(&mut client, "k", Some("v"), now_ms() + n).await;
    }
    let consumer = |group: &str, bootstrap: &str| -> StreamConsumer {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", bootstrap).set("group.id", group).set("enable.auto.commit", "false");
        config.create().unwrap()
    };
    let at = |offset| {
        let mut offsets = TopicPartitionList::new();
        offsets.add_partition_offset(TOPIC, 0, offset).unwrap();
        offsets
    };
    for group in ["a", "b"] {
        let consumer = consumer(group, &bootstrap);
        for n in 0..150 {
            consumer.commit(&at(Offset::Offset(n % 20)), CommitMode::Sync).unwrap();
        }
    }
    let logs = broker.directory.path().join("__consumer_offsets-0");
    let bytes = || {
        let files = std::fs::read_dir(&logs).unwrap().map(|entry| entry.unwrap().path());
        let logs = files.filter(|path| path.extension().is_some_and(|ending| ending == "log"));
        // A file that goes in between is as if it had gone before.
        logs.filter_map(|path| path.metadata().ok()).map(|metadata| metadata.len()).sum::<u64>()
    };
    // The active segment is never compacted: another commit, after a while, makes it a closed one.
    let late = consumer("a", &bootstrap);
    until("the topic to shrink", async || {
        late.commit(&at(Offset::Offset(149 % 20)), CommitMode::Sync).unwrap();
        bytes() < 10_000
    })
    .await;
    drop((client, late));
    let broker = broker.restart(&settings).await;
    for group in ["a", "b"] {
        let committed = consumer(group, &broker.bootstrap()).committed_offsets(at(Offset::Invalid), WAIT);
        assert_eq!(committed.unwrap().elements()[0].offset(), Offset::Offset(149 % 20), "{group}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_cleaner_said_of_records_that_a_cut_took_is_forgotten() {
    let mut broker = Process::start(&CLEANING);
    let bootstrap = broker.bootstrap();
    let mut configs = COMPACTED;
    configs[2].1 = "0.01";
    create(&bootstrap, &configs).await;
    let mut client = RawClient::connect(bootstrap.parse().unwrap()).await;
    let at = now_ms() - 1_000_000;
    for n in 0..60 {
        put(&mut client, &format!("k{}", n % 4), Some("v"), at + n * 2_000).await;
    }
    let (directory, entry) = (broker.directory().to_owned(), format!("{TOPIC} 0"));
    until("a round", async || cleaned_upto(&directory, &entry) > 50).await;
    // What comes from now on is not compacted.
    alter(&bootstrap, &COMPACTED).await;
    broker.kill();
    let log = directory.join(format!("{TOPIC}-0")).join("00000000000000000000.log");
    let mut bytes = std::fs::read(&log).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&log, bytes).unwrap();
    std::fs::remove_file(directory.join("recovery-point-offset-checkpoint")).unwrap();
    broker.start_again();
    let mut client = RawClient::connect(broker.bootstrap().parse().unwrap()).await;
    let end = end_offset(&mut client).await;
    assert!(end < 60);
    broker.kill();
    // Records that take the lost ones' offsets were never compacted.
    assert!(cleaned_upto(&directory, &entry) <= end, "{}", cleaned_upto(&directory, &entry));
}
