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
