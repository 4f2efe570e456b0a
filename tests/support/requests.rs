//! Requests that many tests send, and what they want to know of the answers.

use bytes::Bytes;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic, ForgottenTopic};
use kafka_protocol::messages::fetch_response::PartitionData;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::*;
use kafka_protocol::protocol::StrBytes;
use milena::wire::batch::{Batch, BatchBuilder};

use super::RawClient;

pub const PRODUCE: i16 = 9;
/// The last version of Fetch that names topics.
pub const FETCH: i16 = 12;

pub fn name(text: &str) -> TopicName {
    StrBytes::from_string(text.to_owned()).into()
}

pub fn now_ms() -> i64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64
}

pub fn batch(values: &[&str]) -> Bytes {
    let mut builder = BatchBuilder::new(now_ms());
    for value in values {
        builder.push(None, Some(value.as_bytes()), now_ms());
    }
    builder.build(0).bytes
}

pub fn produce(topic: &str, partition: i32, records: Bytes, acks: i16) -> ProduceRequest {
    let data = PartitionProduceData::default().with_index(partition).with_records(Some(records));
    let topic = TopicProduceData::default().with_name(name(topic)).with_partition_data(vec![data]);
    ProduceRequest::default().with_acks(acks).with_timeout_ms(1000).with_topic_data(vec![topic])
}

/// One partition of a Fetch, from `offset` on.
pub fn from(partition: i32, offset: i64) -> FetchPartition {
    FetchPartition::default()
        .with_partition(partition)
        .with_fetch_offset(offset)
        .with_partition_max_bytes(1 << 20)
}

pub fn of_topic(topic: &str, partitions: Vec<FetchPartition>) -> FetchTopic {
    FetchTopic::default().with_topic(name(topic)).with_partitions(partitions)
}

pub fn forgotten(topic: &str, partitions: Vec<i32>) -> ForgottenTopic {
    ForgottenTopic::default().with_topic(name(topic)).with_partitions(partitions)
}

/// A Fetch of partitions that waits for one byte, without a session.
pub fn fetch_of(topics: Vec<FetchTopic>, max_wait_ms: i32) -> FetchRequest {
    FetchRequest::default()
        .with_max_wait_ms(max_wait_ms)
        .with_min_bytes(1)
        .with_max_bytes(1 << 20)
        .with_session_epoch(-1)
        .with_topics(topics)
}

/// A Fetch of partition 0.
pub fn fetch(topic: &str, offset: i64, max_wait_ms: i32) -> FetchRequest {
    fetch_of(vec![of_topic(topic, vec![from(0, offset)])], max_wait_ms)
}

/// The values of all records, control batches left out.
pub fn values(partition: &PartitionData) -> Vec<String> {
    let mut rest = partition.records.clone().unwrap_or_default();
    let mut values = Vec::new();
    while !rest.is_empty() {
        let batch = Batch::parse(rest.clone()).unwrap();
        rest = rest.slice(batch.bytes.len()..);
        if batch.header.is_control() {
            continue;
        }
        for record in batch.records().unwrap() {
            let value = record.unwrap().value.unwrap_or_default();
            values.push(String::from_utf8(value.to_vec()).unwrap());
        }
    }
    values
}

impl RawClient {
    /// Creates a topic with configurations of its own.
    pub async fn create(&mut self, topic: &str, partitions: i32, configs: &[(&'static str, &'static str)]) {
        let configs = configs.iter().map(|(key, value)| {
            CreatableTopicConfig::default()
                .with_name(StrBytes::from_static_str(key))
                .with_value(Some(StrBytes::from_static_str(value)))
        });
        let topic = CreatableTopic::default()
            .with_name(name(topic))
            .with_num_partitions(partitions)
            .with_replication_factor(1)
            .with_configs(configs.collect());
        let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(1000);
        let answer: CreateTopicsResponse = self.ask(ApiKey::CreateTopics, 5, &request).await;
        assert_eq!(answer.topics[0].error_code, 0, "{:?}", answer.topics[0].error_message);
    }

    pub async fn delete(&mut self, topic: &str) {
        let request =
            DeleteTopicsRequest::default().with_timeout_ms(1000).with_topic_names(vec![name(topic)]);
        let answer: DeleteTopicsResponse = self.ask(ApiKey::DeleteTopics, 5, &request).await;
        assert_eq!(answer.responses[0].error_code, 0);
    }

    /// Appends one batch and tells its offset.
    pub async fn send_values(&mut self, topic: &str, partition: i32, values: &[&str]) -> i64 {
        let request = produce(topic, partition, batch(values), -1);
        let answer: ProduceResponse = self.ask(ApiKey::Produce, PRODUCE, &request).await;
        let partition = &answer.responses[0].partition_responses[0];
        assert_eq!(partition.error_code, 0);
        partition.base_offset
    }

    /// The error and offset that ListOffsets has for a timestamp.
    pub async fn list_offset(&mut self, topic: &str, partition: i32, timestamp: i64) -> (i16, i64) {
        let asked = ListOffsetsPartition::default().with_partition_index(partition).with_timestamp(timestamp);
        let topic = ListOffsetsTopic::default().with_name(name(topic)).with_partitions(vec![asked]);
        let request = ListOffsetsRequest::default().with_topics(vec![topic]);
        let answer: ListOffsetsResponse = self.ask(ApiKey::ListOffsets, 7, &request).await;
        let found = &answer.topics[0].partitions[0];
        (found.error_code, found.offset)
    }

    pub async fn delete_records(&mut self, topic: &str, before: i64) {
        let asked = DeleteRecordsPartition::default().with_offset(before);
        let topic = DeleteRecordsTopic::default().with_name(name(topic)).with_partitions(vec![asked]);
        let request = DeleteRecordsRequest::default().with_topics(vec![topic]).with_timeout_ms(1000);
        let answer: DeleteRecordsResponse = self.ask(ApiKey::DeleteRecords, 1, &request).await;
        assert_eq!(answer.topics[0].partitions[0].error_code, 0);
    }
}
