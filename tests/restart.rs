//! What a clean stop leaves on disk, and what the next start makes of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use kafka_protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::*;
use kafka_protocol::protocol::StrBytes;
use milena::wire::batch::BatchBuilder;
use support::requests::{FETCH, fetch, produce, values};
use support::{RawClient, TestBroker};

fn orders() -> TopicName {
    StrBytes::from_static_str("orders").into()
}

async fn append(client: &mut RawClient, records: usize) {
    let topic = MetadataRequestTopic::default().with_name(Some(orders()));
    let request =
        MetadataRequest::default().with_topics(Some(vec![topic])).with_allow_auto_topic_creation(true);
    let _: MetadataResponse = client.ask(ApiKey::Metadata, 9, &request).await;
    let now_ms = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64;
    let mut builder = BatchBuilder::new(now_ms);
    for _ in 0..records {
        builder.push(None, Some(b"value"), now_ms);
    }
    let data = PartitionProduceData::default().with_records(Some(builder.build(0).bytes));
    let topic = TopicProduceData::default().with_name(orders()).with_partition_data(vec![data]);
    let request = ProduceRequest::default().with_acks(-1).with_topic_data(vec![topic]);
    let answer: ProduceResponse = client.ask(ApiKey::Produce, 9, &request).await;
    assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
}

/// Appends one record with a key and a timestamp that rises.
async fn append_keyed(client: &mut RawClient) {
    let end = offset(client, -1).await;
    let now_ms = support::requests::now_ms() - 10_000 + 100 * end;
    let mut builder = BatchBuilder::new(now_ms);
    builder.push(Some(format!("{end}").as_bytes()), Some(b"value"), now_ms);
    let request = produce("orders", 0, builder.build(0).bytes, -1);
    let answer: ProduceResponse = client.ask(ApiKey::Produce, 9, &request).await;
    assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
}

async fn delete_before(client: &mut RawClient, offset: i64) {
    let topic = DeleteRecordsTopic::default()
        .with_name(orders())
        .with_partitions(vec![DeleteRecordsPartition::default().with_offset(offset)]);
    let request = DeleteRecordsRequest::default().with_topics(vec![topic]);
    let answer: DeleteRecordsResponse = client.ask(ApiKey::DeleteRecords, 2, &request).await;
    assert_eq!(answer.topics[0].partitions[0].low_watermark, offset);
}

async fn offset(client: &mut RawClient, timestamp: i64) -> i64 {
    let topic = ListOffsetsTopic::default()
        .with_name(orders())
        .with_partitions(vec![ListOffsetsPartition::default().with_timestamp(timestamp)]);
    let request = ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(vec![topic]);
    let answer: ListOffsetsResponse = client.ask(ApiKey::ListOffsets, 7, &request).await;
    answer.topics[0].partitions[0].offset
}

#[tokio::test]
async fn deleted_records_stay_deleted_over_clean_restarts_even_unopened_ones() {
    let mut broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    append(&mut client, 10).await;
    delete_before(&mut client, 4).await;
    for _ in 0..3 {
        // The second and third restart find a log that nobody has used.
        broker = broker.restart(&[]).await;
    }
    let mut client = broker.connect().await;
    assert_eq!((offset(&mut client, -2).await, offset(&mut client, -1).await), (4, 10));
}

#[tokio::test]
async fn a_clean_stop_notes_that_everything_is_on_stable_storage() {
    let broker = TestBroker::start().await;
    append(&mut broker.connect().await, 10).await;
    let broker = broker.restart(&[]).await;
    let read = |name: &str| std::fs::read_to_string(broker.directory.path().join(name)).unwrap();
    assert_eq!(read("recovery-point-offset-checkpoint"), "0\n1\norders 0 10\n");
    assert_eq!(read("replication-offset-checkpoint"), "0\n1\norders 0 10\n");
    assert_eq!(read("log-start-offset-checkpoint"), "0\n0\n");
}

#[tokio::test]
async fn checkpoints_that_are_missing_empty_torn_or_lie_cost_no_record() {
    const CHECKPOINTS: [&str; 3] =
        ["recovery-point-offset-checkpoint", "replication-offset-checkpoint", "cleaner-offset-checkpoint"];
    let settings = [("log.index.interval.bytes", "1")];
    let broker = TestBroker::start_with(&settings).await;
    let mut client = broker.connect().await;
    // A batch each segment: the jitter aside, a timestamp that is later than `segment.ms` allows rolls.
    client.create("orders", 1, &[("segment.ms", "1"), ("cleanup.policy", "compact,delete")]).await;
    for _ in 0..5 {
        append_keyed(&mut client).await;
    }
    let mut broker = broker.restart(&settings).await;
    for clean in [true, false] {
        for file in CHECKPOINTS {
            let damages =
                [None, Some(""), Some("0\n"), Some("0\n7\norders 0 3\n"), Some("0\n1\norders 0 999\n")];
            for damage in damages.into_iter().chain([Some("0\n1\norders 0 1\n")]) {
                broker.server.stop().await.unwrap();
                let path = |name: &str| broker.directory.path().join(name);
                match damage {
                    Some(text) => std::fs::write(path(file), text).unwrap(),
                    None => drop(std::fs::remove_file(path(file))),
                }
                if !clean {
                    std::fs::remove_file(path(".kafka_cleanshutdown")).unwrap();
                }
                broker = TestBroker::start_on(broker.directory, &settings).await;
                let mut client = broker.connect().await;
                let ends = (offset(&mut client, -2).await, offset(&mut client, -1).await);
                assert_eq!(ends, (0, 5), "{file}: {damage:?}, clean: {clean}");
                let answer: FetchResponse = client.ask(ApiKey::Fetch, FETCH, &fetch("orders", 4, 0)).await;
                assert_eq!(values(&answer.responses[0].partitions[0]).len(), 1, "{file}: {damage:?}");
            }
        }
    }
}
