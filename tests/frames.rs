//! Raw frames against a broker in this process: what the protocol's edges do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::*;
use kafka_protocol::protocol::StrBytes;
use milena::types::ErrorCode;
use milena::wire::batch::BatchBuilder;
use support::requests::{batch, fetch, name, now_ms, produce};
use support::{RawClient, TestBroker, framed};

const V: i16 = 9;

async fn create(client: &mut RawClient, topic: &str) {
    let request = MetadataRequest::default()
        .with_topics(Some(vec![MetadataRequestTopic::default().with_name(Some(name(topic)))]))
        .with_allow_auto_topic_creation(true);
    let answer: MetadataResponse = client.ask(ApiKey::Metadata, V, &request).await;
    assert_eq!(answer.topics[0].error_code, 0);
    assert_eq!(answer.topics[0].partitions[0].leader_id, answer.brokers[0].node_id);
}

#[tokio::test]
async fn a_topic_that_metadata_creates_has_a_leader_in_the_same_answer() {
    let broker = TestBroker::start().await;
    create(&mut broker.connect().await, "orders").await;
}

#[tokio::test]
async fn pipelined_requests_are_applied_and_answered_in_order() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    create(&mut client, "orders").await;
    let mut bytes = Vec::new();
    let mut ids = Vec::new();
    for number in 0..200 {
        let (frame, id) =
            client.frame(ApiKey::Produce, V, &produce("orders", 0, batch(&[&number.to_string()]), -1));
        bytes.extend_from_slice(&frame);
        ids.push(id);
    }
    client.send(&bytes).await;
    for (number, id) in ids.into_iter().enumerate() {
        let answer: ProduceResponse = client.answer(V, id).await;
        let partition = &answer.responses[0].partition_responses[0];
        assert_eq!((partition.error_code, partition.base_offset), (0, number as i64));
    }
}

#[tokio::test]
async fn a_waiting_fetch_does_not_stop_the_requests_behind_it() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    create(&mut client, "orders").await;
    let (wait, wait_id) = client.frame(ApiKey::Fetch, 12, &fetch("orders", 0, 15_000));
    let (send, send_id) = client.frame(ApiKey::Produce, V, &produce("orders", 0, batch(&["a"]), 1));
    client.send(&[wait, send].concat()).await;
    // The fetch is answered because the request behind it was handled.
    let fetched: FetchResponse = client.answer(12, wait_id).await;
    assert!(!fetched.responses[0].partitions[0].records.as_ref().unwrap().is_empty());
    let produced: ProduceResponse = client.answer(V, send_id).await;
    assert_eq!(produced.responses[0].partition_responses[0].error_code, 0);
}

#[tokio::test]
async fn a_connection_is_idle_from_its_last_answer_on() {
    let broker = TestBroker::start_with(&[("connections.max.idle.ms", "2000")]).await;
    let mut client = broker.connect().await;
    create(&mut client, "orders").await;
    let _: FetchResponse = client.ask(ApiKey::Fetch, 12, &fetch("orders", 0, 3_000)).await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let _: FetchResponse = client.ask(ApiKey::Fetch, 12, &fetch("orders", 0, 0)).await;
    let answered = tokio::time::Instant::now();
    assert!(client.read_frame().await.is_none());
    assert!(answered.elapsed() >= Duration::from_millis(1_900));
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answer_is_idle() {
    let broker = TestBroker::start_with(&[("connections.max.idle.ms", "1000")]).await;
    let mut client = broker.connect().await;
    create(&mut client, "orders").await;
    let record = "x".repeat(900_000);
    for _ in 0..20 {
        client.send_values("orders", 0, &[&record]).await;
    }
    let mut all = fetch("orders", 0, 0).with_max_bytes(50_000_000);
    all.topics[0].partitions[0].partition_max_bytes = 50_000_000;
    let (frame, _) = client.frame(ApiKey::Fetch, 12, &all);
    client.send(&frame).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(client.read_frame().await.is_none(), "the connection was closed before all was sent");
}

#[tokio::test]
async fn a_fetch_of_nothing_waits_and_then_answers_with_empty_records() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    create(&mut client, "orders").await;
    let asked = tokio::time::Instant::now();
    let answer: FetchResponse = client.ask(ApiKey::Fetch, 12, &fetch("orders", 0, 300)).await;
    assert!(asked.elapsed() >= Duration::from_millis(290));
    let partition = &answer.responses[0].partitions[0];
    assert_eq!((partition.error_code, partition.records.as_ref().map(Bytes::len)), (0, Some(0)));
    let beyond: FetchResponse = client.ask(ApiKey::Fetch, 12, &fetch("orders", 5, 15_000)).await;
    assert_eq!(beyond.responses[0].partitions[0].error_code, ErrorCode::OffsetOutOfRange.code());
}

#[tokio::test]
async fn what_kafka_closes_the_connection_for_is_closed_and_others_go_on() {
    let broker = TestBroker::start().await;
    let mut bystander = broker.connect().await;
    let header = |key: i16, version: i16| {
        let mut message = Vec::new();
        message.extend_from_slice(&key.to_be_bytes());
        message.extend_from_slice(&version.to_be_bytes());
        message.extend_from_slice(&[0, 0, 0, 1, 255, 255]);
        message
    };
    let too_large = (104_857_601_i32).to_be_bytes().to_vec();
    let hostile_metadata = [header(3, 1), vec![0x7f, 255, 255, 255]].concat();
    let hostile: [(&str, Vec<u8>); 9] = [
        ("a negative size", vec![255, 255, 255, 255]),
        ("a size above socket.request.max.bytes", too_large),
        ("an empty frame", framed(&[]).to_vec()),
        ("a truncated header", framed(&[0, 3, 0, 1]).to_vec()),
        ("an unknown key", framed(&header(999, 0)).to_vec()),
        ("Produce 2", framed(&header(0, 2)).to_vec()),
        ("Metadata 99", framed(&header(3, 99)).to_vec()),
        ("a count beyond the body", framed(&hostile_metadata).to_vec()),
        ("a truncated body", framed(&header(1, 12)).to_vec()),
    ];
    for (what, bytes) in hostile {
        let mut client = broker.connect().await;
        client.send(&bytes).await;
        assert!(client.read_frame().await.is_none(), "{what}");
    }
    create(&mut bystander, "still-here").await;
}

#[tokio::test]
async fn api_versions_above_ours_is_answered_in_version_zero() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    client.send(&framed(&[0, 18, 0, 99, 0, 0, 0, 5, 255, 255, 0])).await;
    let answer = client.read_frame().await.unwrap();
    assert_eq!(answer[..], [0, 0, 0, 5, 0, 35, 0, 0, 0, 1, 0, 18, 0, 0, 0, 4]);
    let good: ApiVersionsResponse = client
        .ask(
            ApiKey::ApiVersions,
            4,
            &ApiVersionsRequest::default()
                .with_client_software_name(StrBytes::from_static_str("raw"))
                .with_client_software_version(StrBytes::from_static_str("1.0")),
        )
        .await;
    let produce = good.api_keys.iter().find(|row| row.api_key == 0).unwrap();
    assert_eq!((produce.min_version, produce.max_version), (0, 13));
    assert!(good.supported_features.iter().any(|feature| &*feature.name == "metadata.version"));
}

#[tokio::test]
async fn an_announced_size_takes_no_memory() {
    let broker = TestBroker::start().await;
    let mut clients = Vec::new();
    for _ in 0..200 {
        let mut client = broker.connect().await;
        client.send(&100_000_000_i32.to_be_bytes()).await;
        client.send(&[0, 3]).await;
        clients.push(client);
    }
    create(&mut broker.connect().await, "still-here").await;
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kib: u64 = resident.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kib < 500_000, "{kib} KiB resident");
}

#[tokio::test]
async fn acks_zero_has_no_answer_and_an_error_closes_the_connection() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    create(&mut client, "orders").await;
    let (silent, _) = client.frame(ApiKey::Produce, V, &produce("orders", 0, batch(&["a"]), 0));
    client.send(&silent).await;
    let answer: FetchResponse = client.ask(ApiKey::Fetch, 12, &fetch("orders", 0, 5_000)).await;
    assert!(!answer.responses[0].partitions[0].records.as_ref().unwrap().is_empty());
    let (silent, _) = client.frame(ApiKey::Produce, V, &produce("nowhere", 0, batch(&["a"]), 0));
    client.send(&silent).await;
    assert!(client.read_frame().await.is_none());
}

#[tokio::test]
async fn transactional_requests_are_refused_with_a_fatal_error() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    create(&mut client, "orders").await;
    let mut request = produce("orders", 0, batch(&["a"]), -1);
    request.transactional_id = Some(StrBytes::from_static_str("tx").into());
    let answer: ProduceResponse = client.ask(ApiKey::Produce, V, &request).await;
    let fatal = ErrorCode::TransactionalIdAuthorizationFailed.code();
    assert_eq!(answer.responses[0].partition_responses[0].error_code, fatal);
    let mut builder = BatchBuilder::new(now_ms()).producer(1, 0, 0).transactional();
    builder.push(None, Some(b"a"), now_ms());
    let records = builder.build(0).bytes;
    let answer: ProduceResponse = client.ask(ApiKey::Produce, V, &produce("orders", 0, records, -1)).await;
    assert_eq!(answer.responses[0].partition_responses[0].error_code, fatal);
}
