//! librdkafka, the client below most languages', against a broker in this process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};
use support::TestBroker;

const WAIT: Duration = Duration::from_secs(20);

fn client(broker: &TestBroker) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", broker.bootstrap());
    config
}

fn producer(broker: &TestBroker, settings: &[(&str, &str)]) -> FutureProducer {
    let mut config = client(broker);
    config.set("linger.ms", "0");
    for (key, value) in settings {
        config.set(*key, *value);
    }
    config.create().unwrap()
}

fn consumer(broker: &TestBroker, group: &str, settings: &[(&str, &str)]) -> StreamConsumer {
    let mut config = client(broker);
    config.set("group.id", group).set("auto.offset.reset", "earliest").set("enable.auto.commit", "false");
    for (key, value) in settings {
        config.set(*key, *value);
    }
    config.create().unwrap()
}

async fn send(producer: &FutureProducer, topic: &str, key: &str, value: &str) -> (i32, i64) {
    let record = FutureRecord::to(topic).key(key).payload(value);
    let delivery = producer.send(record, WAIT).await.map_err(|(error, _)| error).unwrap();
    (delivery.partition, delivery.offset)
}

async fn create_topic(broker: &TestBroker, topic: &str, partitions: i32) {
    let admin: AdminClient<DefaultClientContext> = client(broker).create().unwrap();
    let topic = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
    for result in admin.create_topics([&topic], &AdminOptions::new()).await.unwrap() {
        result.unwrap();
    }
}

/// Receives `count` messages as text.
async fn receive(consumer: &StreamConsumer, count: usize) -> Vec<String> {
    let mut values = Vec::new();
    while values.len() < count {
        let message = tokio::time::timeout(WAIT, consumer.recv()).await.expect("a message in time").unwrap();
        values.push(String::from_utf8(message.payload().unwrap().to_vec()).unwrap());
    }
    values
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_comes_back_with_key_value_headers_and_timestamp() {
    let broker = TestBroker::start().await;
    let producer = producer(&broker, &[]);
    let headers = OwnedHeaders::new()
        .insert(Header { key: "trace", value: Some("t-1") })
        .insert(Header { key: "none", value: None::<&str> });
    let record =
        FutureRecord::to("orders").key("k").payload("v").headers(headers).timestamp(1_700_000_000_000);
    producer.send(record, WAIT).await.map_err(|(error, _)| error).unwrap();
    let consumer = consumer(&broker, "g", &[]);
    consumer.subscribe(&["orders"]).unwrap();
    let message = tokio::time::timeout(WAIT, consumer.recv()).await.unwrap().unwrap();
    assert_eq!((message.key(), message.payload()), (Some(&b"k"[..]), Some(&b"v"[..])));
    assert_eq!(message.timestamp().to_millis(), Some(1_700_000_000_000));
    let headers = message.headers().unwrap();
    assert_eq!((headers.get(0).key, headers.get(0).value), ("trace", Some(&b"t-1"[..])));
    assert_eq!((headers.get(1).key, headers.get(1).value), ("none", None));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_codec_is_stored_and_read_back() {
    let broker = TestBroker::start().await;
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let producer = producer(&broker, &[("compression.codec", codec), ("linger.ms", "50")]);
        let payload = codec.repeat(200);
        let sends = (0..20).map(|_| {
            let record: FutureRecord<'_, str, str> = FutureRecord::to(codec).payload(&payload);
            producer.send_result(record).map_err(|(error, _)| error).unwrap()
        });
        for sent in sends.collect::<Vec<_>>() {
            sent.await.unwrap().map_err(|(error, _)| error).unwrap();
        }
        let consumer = consumer(&broker, codec, &[("check.crcs", "true")]);
        consumer.subscribe(&[codec]).unwrap();
        assert_eq!(receive(&consumer, 20).await, vec![payload; 20]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn committed_offsets_survive_a_clean_restart() {
    let broker = TestBroker::start().await;
    let writer = producer(&broker, &[]);
    for number in 0..10 {
        send(&writer, "orders", "k", &number.to_string()).await;
    }
    {
        let consumer = consumer(&broker, "g", &[]);
        consumer.subscribe(&["orders"]).unwrap();
        receive(&consumer, 4).await;
        let mut offsets = TopicPartitionList::new();
        offsets.add_partition_offset("orders", 0, Offset::Offset(4)).unwrap();
        consumer.commit(&offsets, CommitMode::Sync).unwrap();
    }
    drop(writer);
    let broker = broker.restart(&[]).await;
    let consumer = consumer(&broker, "g", &[]);
    consumer.subscribe(&["orders"]).unwrap();
    assert_eq!(receive(&consumer, 6).await, ["4", "5", "6", "7", "8", "9"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_members_share_the_partitions_and_get_everything_once() {
    let broker = TestBroker::start().await;
    create_topic(&broker, "orders", 4).await;
    let settings = [("session.timeout.ms", "6000"), ("heartbeat.interval.ms", "200")];
    let members = [consumer(&broker, "g", &settings), consumer(&broker, "g", &settings)];
    for member in &members {
        member.subscribe(&["orders"]).unwrap();
    }
    let both_assigned = async {
        loop {
            // Polling is what lets a member take part in a rebalance.
            for member in &members {
                let _ = tokio::time::timeout(Duration::from_millis(50), member.recv()).await;
            }
            if members.iter().all(|member| member.assignment().unwrap().count() == 2) {
                break;
            }
        }
    };
    tokio::time::timeout(WAIT, both_assigned).await.expect("two partitions each");
    let writer = producer(&broker, &[]);
    for number in 0..100 {
        send(&writer, "orders", &number.to_string(), &number.to_string()).await;
    }
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    while seen.len() < 100 {
        let [first, second] = &members;
        let message = tokio::time::timeout(WAIT, async {
            tokio::select! { message = first.recv() => message, message = second.recv() => message }
        });
        let message = message.await.expect("every message arrives").unwrap();
        *seen.entry(String::from_utf8(message.payload().unwrap().to_vec()).unwrap()).or_default() += 1;
    }
    assert!(seen.values().all(|count| *count == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_topic_can_be_made_again_at_once_and_is_empty() {
    let broker = TestBroker::start().await;
    let writer = producer(&broker, &[]);
    let admin: AdminClient<DefaultClientContext> = client(&broker).create().unwrap();
    for round in 0..5 {
        create_topic(&broker, "again", 1).await;
        assert_eq!(send(&producer(&broker, &[]), "again", "k", "v").await, (0, 0), "round {round}");
        for result in admin.delete_topics(&["again"], &AdminOptions::new()).await.unwrap() {
            result.unwrap();
        }
    }
    writer.flush(WAIT).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_go_on_after_their_own_topic_was_deleted() {
    let broker = TestBroker::start().await;
    let admin: AdminClient<DefaultClientContext> = client(&broker).create().unwrap();
    let writer = producer(&broker, &[]);
    for round in 0..2 {
        send(&writer, "orders", "k", "v").await;
        let consumer = consumer(&broker, &format!("g{round}"), &[]);
        consumer.subscribe(&["orders"]).unwrap();
        receive(&consumer, round + 1).await;
        consumer.commit_consumer_state(CommitMode::Sync).unwrap();
        drop(consumer);
        for result in admin.delete_topics(&["__consumer_offsets"], &AdminOptions::new()).await.unwrap() {
            result.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn offsets_are_found_by_time() {
    let broker = TestBroker::start().await;
    let writer = producer(&broker, &[]);
    for number in 0..10_i64 {
        let record: FutureRecord<'_, str, str> =
            FutureRecord::to("orders").payload("v").timestamp(1_700_000_000_000 + 1000 * number);
        writer.send(record, WAIT).await.map_err(|(error, _)| error).unwrap();
    }
    let reader: BaseConsumer = client(&broker).set("group.id", "g").create().unwrap();
    tokio::task::spawn_blocking(move || {
        let mut asked = TopicPartitionList::new();
        asked.add_partition_offset("orders", 0, Offset::Offset(1_700_000_003_500)).unwrap();
        let found = reader.offsets_for_times(asked, WAIT).unwrap();
        assert_eq!(found.elements()[0].offset(), Offset::Offset(4));
        assert_eq!(reader.fetch_watermarks("orders", 0, WAIT).unwrap(), (0, 10));
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotent_producer_is_served_and_a_transactional_one_is_refused() {
    let broker = TestBroker::start().await;
    let idempotent = producer(&broker, &[("enable.idempotence", "true")]);
    for number in 0..10 {
        assert_eq!(send(&idempotent, "orders", "k", "v").await, (0, number));
    }
    let transactional = producer(&broker, &[("transactional.id", "tx")]);
    let refused =
        tokio::task::spawn_blocking(move || transactional.init_transactions(Duration::from_secs(5)));
    let Err(KafkaError::Transaction(reason)) = refused.await.unwrap() else { panic!("not refused") };
    assert!(reason.is_fatal(), "{reason}");
}
