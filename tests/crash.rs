//! The real binary, killed and started again: everything acknowledged is still there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{ApiKey, MetadataRequest, MetadataResponse};
use kafka_protocol::protocol::StrBytes;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{CommitMode, Consumer, StreamConsumer};
use rdkafka::message::Message;
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{Offset, TopicPartitionList};
use support::RawClient;
use support::process::Process;

const WAIT: Duration = Duration::from_secs(30);

fn producer(broker: &Process) -> FutureProducer {
    ClientConfig::new()
        .set("bootstrap.servers", broker.bootstrap())
        .set("enable.idempotence", "true")
        .set("linger.ms", "0")
        // A failed test must not wait for five minutes in the producer's drop.
        .set("message.timeout.ms", "30000")
        .set("reconnect.backoff.max.ms", "100")
        .create()
        .unwrap()
}

fn consumer(broker: &Process, group: &str) -> StreamConsumer {
    ClientConfig::new()
        .set("bootstrap.servers", broker.bootstrap())
        .set("group.id", group)
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .create()
        .unwrap()
}

async fn send(producer: &FutureProducer, value: &str) {
    let record: FutureRecord<'_, str, str> = FutureRecord::to("orders").payload(value);
    producer.send(record, WAIT).await.map_err(|(error, _)| error).unwrap();
}

async fn receive(consumer: &StreamConsumer, count: usize) -> Vec<String> {
    let mut values = Vec::new();
    while values.len() < count {
        let message = tokio::time::timeout(WAIT, consumer.recv()).await.expect("a message in time").unwrap();
        values.push(String::from_utf8(message.payload().unwrap().to_vec()).unwrap());
    }
    values
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_records_and_offsets_survive_being_killed_again_and_again() {
    let mut broker = Process::start(&[]);
    let mut expected = Vec::new();
    for round in 0..4 {
        let producer = producer(&broker);
        for number in 0..50 {
            let value = format!("{round}-{number}");
            send(&producer, &value).await;
            expected.push(value);
        }
        {
            let consumer = consumer(&broker, "g");
            let mut offsets = TopicPartitionList::new();
            offsets.add_partition_offset("orders", 0, Offset::Offset(expected.len() as i64 - 10)).unwrap();
            consumer.commit(&offsets, CommitMode::Sync).unwrap();
        }
        broker.kill();
        broker.start_again();
        let consumer = consumer(&broker, "g");
        consumer.subscribe(&["orders"]).unwrap();
        assert_eq!(receive(&consumer, 10).await, expected[expected.len() - 10..]);
    }
    let reader = consumer(&broker, "another");
    reader.subscribe(&["orders"]).unwrap();
    assert_eq!(receive(&reader, expected.len()).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotent_producer_goes_on_over_a_kill_without_a_gap_or_a_duplicate() {
    let mut broker = Process::start(&[]);
    let producer = producer(&broker);
    send(&producer, "first").await;
    let sends: Vec<_> = (0..2000)
        .map(|number| {
            let producer = producer.clone();
            tokio::spawn(async move { send(&producer, &number.to_string()).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(20)).await;
    broker.kill();
    broker.start_again();
    for sent in sends {
        sent.await.unwrap();
    }
    let reader = consumer(&broker, "g");
    reader.subscribe(&["orders"]).unwrap();
    let mut values = receive(&reader, 2001).await;
    values.sort();
    values.dedup();
    assert_eq!(values.len(), 2001);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_start_of_a_topic_that_a_crash_deleted_is_not_the_next_ones() {
    let mut broker = Process::start(&[]);
    broker.kill();
    // As a crash leaves it between the deletion of the topic and that of its entry.
    let checkpoint = broker.directory().join("log-start-offset-checkpoint");
    std::fs::write(&checkpoint, "0\n1\norders 0 500\n").unwrap();
    broker.start_again();
    send(&producer(&broker), "first").await;
    broker.kill();
    broker.start_again();
    let reader = consumer(&broker, "g");
    reader.subscribe(&["orders"]).unwrap();
    assert_eq!(receive(&reader, 1).await, ["first"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_a_crash_left_of_an_older_topic_of_the_name_is_set_aside() {
    let mut broker = Process::start(&[]);
    send(&producer(&broker), "old").await;
    broker.kill();
    let metadata = broker.directory().join("orders-0/partition.metadata");
    std::fs::write(&metadata, "version: 0\ntopic_id: B6G_RwcNSD6o6trLeAETPg").unwrap();
    std::fs::write(broker.directory().join("log-start-offset-checkpoint"), "0\n1\norders 0 1\n").unwrap();
    for round in ["new", "newer"] {
        broker.start_again();
        send(&producer(&broker), round).await;
        broker.kill();
    }
    broker.start_again();
    let reader = consumer(&broker, "g");
    reader.subscribe(&["orders"]).unwrap();
    assert_eq!(receive(&reader, 2).await, ["new", "newer"]);
    let names = std::fs::read_dir(broker.directory()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.into_iter().any(|name| name.to_string_lossy().ends_with("-stray")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offset_of_a_deleted_topic_that_a_crash_brings_back_is_not_the_next_ones() {
    let mut broker = Process::start(&[("offsets.topic.num.partitions", "1")]);
    send(&producer(&broker), "old").await;
    let mut offsets = TopicPartitionList::new();
    offsets.add_partition_offset("orders", 0, Offset::Offset(1)).unwrap();
    consumer(&broker, "g").commit(&offsets, CommitMode::Sync).unwrap();
    // The tombstones that the deletion writes never reach this copy.
    let log = "__consumer_offsets-0/00000000000000000000.log";
    let before = std::fs::read(broker.directory().join(log)).unwrap();
    let admin: AdminClient<_> =
        ClientConfig::new().set("bootstrap.servers", broker.bootstrap()).create().unwrap();
    admin.delete_topics(&["orders"], &AdminOptions::new()).await.unwrap();
    broker.kill();
    std::fs::write(broker.directory().join(log), before).unwrap();
    broker.start_again();
    send(&producer(&broker), "new").await;
    let reader = consumer(&broker, "g");
    reader.subscribe(&["orders"]).unwrap();
    assert_eq!(receive(&reader, 1).await, ["new"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offset_above_the_end_of_a_log_that_lost_records_is_cut_to_it() {
    let mut broker = Process::start(&[("offsets.topic.num.partitions", "1")]);
    send(&producer(&broker), "kept").await;
    let log = "orders-0/00000000000000000000.log";
    let kept = std::fs::read(broker.directory().join(log)).unwrap();
    for value in ["lost", "lost"] {
        send(&producer(&broker), value).await;
    }
    let mut offsets = TopicPartitionList::new();
    offsets.add_partition_offset("orders", 0, Offset::Offset(3)).unwrap();
    consumer(&broker, "g").commit(&offsets, CommitMode::Sync).unwrap();
    broker.kill();
    // What a loss of power does to bytes that were not synced.
    std::fs::write(broker.directory().join(log), kept).unwrap();
    broker.start_again();
    let reader = consumer(&broker, "g");
    let mut asked = TopicPartitionList::new();
    asked.add_partition("orders", 0);
    let committed = tokio::task::spawn_blocking(move || reader.committed_offsets(asked, WAIT));
    assert_eq!(committed.await.unwrap().unwrap().elements()[0].offset(), Offset::Offset(1));
}

async fn leader_epoch(broker: &Process) -> i32 {
    let mut client = RawClient::connect(broker.bootstrap().parse().unwrap()).await;
    let asked = MetadataRequestTopic::default().with_name(Some(StrBytes::from_static_str("orders").into()));
    let request = MetadataRequest::default().with_topics(Some(vec![asked]));
    let answer: MetadataResponse = client.ask(ApiKey::Metadata, 9, &request).await;
    answer.topics[0].partitions[0].leader_epoch
}

#[tokio::test(flavor = "multi_thread")]
async fn the_leader_epoch_rises_over_a_kill_and_stays_over_a_clean_stop() {
    let mut broker = Process::start(&[]);
    send(&producer(&broker), "first").await;
    assert_eq!(leader_epoch(&broker).await, 0);
    for epoch in 1..3 {
        broker.kill();
        broker.start_again();
        assert_eq!(leader_epoch(&broker).await, epoch);
        send(&producer(&broker), "next").await;
        broker.terminate();
        broker.start_again();
        assert_eq!(leader_epoch(&broker).await, epoch);
    }
}

#[test]
fn a_start_that_cannot_be_ends_with_one_sentence_and_exit_code_1() {
    let running = Process::start(&[]);
    let port_in_use = Process::fail(&[("listeners", &format!("PLAINTEXT://{}", running.bootstrap()))]);
    assert!(port_in_use.contains("cannot listen on") && port_in_use.contains("in use"), "{port_in_use}");
    let directory = running.directory().to_str().unwrap().to_owned();
    let locked = Process::fail(&[("log.dirs", &directory)]);
    assert!(locked.contains(&directory) && locked.contains("another process"), "{locked}");
    let unwritable = Process::fail(&[("log.dirs", "/proc/nothing")]);
    assert!(unwritable.contains("/proc/nothing"), "{unwritable}");
    let other = Process::fail_in(&running.copy_of_meta(), &[("milena.cluster.id", "AAAAAAAAAAAAAAAAAAAAAA")]);
    assert!(other.contains("cluster.id"), "{other}");
    let bad_value = Process::fail(&[("num.partitions", "none")]);
    assert!(bad_value.contains("num.partitions") && bad_value.contains("none"), "{bad_value}");
    for message in [port_in_use, locked, unwritable, other, bad_value] {
        assert_eq!(message.trim_end().lines().count(), 1, "{message}");
    }
}

#[test]
fn sigterm_stops_cleanly_and_the_health_check_tells_who_answers() {
    let mut broker = Process::start(&[]);
    assert!(broker.check());
    assert_eq!(broker.terminate(), Some(0));
    assert!(!broker.check());
    assert!(broker.directory().join(".kafka_cleanshutdown").exists());
    broker.start_again();
    assert!(!broker.directory().join(".kafka_cleanshutdown").exists());
    assert!(broker.check());
}

#[tokio::test(flavor = "multi_thread")]
async fn more_partitions_than_the_system_allows_open_files_are_written_read_and_closed() {
    const PARTITIONS: i32 = 160;
    let count = PARTITIONS.to_string();
    let mut broker = Process::start_with_open_files(128, &[("num.partitions", count.as_str())]);
    let sender = producer(&broker);
    for partition in 0..PARTITIONS {
        let record: FutureRecord<'_, str, str> = FutureRecord::to("orders").payload("v").partition(partition);
        let sent = sender.send(record, Duration::from_secs(5)).await;
        sent.map_err(|(error, _)| format!("partition {partition}: {error}")).unwrap();
    }
    let reader = consumer(&broker, "g");
    reader.subscribe(&["orders"]).unwrap();
    assert_eq!(receive(&reader, PARTITIONS as usize).await.len(), PARTITIONS as usize);
    assert!(broker.check());
    assert_eq!(broker.terminate(), Some(0));
    assert!(broker.directory().join(".kafka_cleanshutdown").exists());
}
