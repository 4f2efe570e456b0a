//! Answers as Apache Kafka 4.3 gives them, compared field by field: which code, where a message stands, null or empty,
//! what is told once. Each expectation was measured against Kafka 4.3.0.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use bytes::Bytes;
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::produce_response::PartitionProduceResponse;
use kafka_protocol::messages::*;
use kafka_protocol::protocol::StrBytes;
use milena::wire::batch::BatchBuilder;
use milena::wire::compress::Codec;
use support::{RawClient, TestBroker};
use uuid::Uuid;

/// Every operation that a topic has.
const OPERATIONS: i32 = 3576;
const OPERATIONS_UNASKED: i32 = i32::MIN;

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn name(name: &str) -> TopicName {
    text(name).into()
}

fn new_topic(topic: &str, partitions: i32) -> CreatableTopic {
    CreatableTopic::default()
        .with_name(name(topic))
        .with_num_partitions(partitions)
        .with_replication_factor(1)
}

/// A broker with the topic `t` of two partitions.
async fn broker() -> (TestBroker, RawClient) {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    let request = CreateTopicsRequest::default().with_topics(vec![new_topic("t", 2)]).with_timeout_ms(1000);
    let answer: CreateTopicsResponse = client.ask(ApiKey::CreateTopics, 7, &request).await;
    assert_eq!(answer.topics[0].error_code, 0);
    (broker, client)
}

fn batch(producer: (i64, i16, i32)) -> Bytes {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64;
    let mut builder = BatchBuilder::new(now).producer(producer.0, producer.1, producer.2);
    builder.push(Some(b"k"), Some(b"v"), now);
    builder.build(0).bytes
}

const NO_PRODUCER: (i64, i16, i32) = (-1, -1, -1);

async fn produce(
    client: &mut RawClient,
    version: i16,
    acks: i16,
    topic: &str,
    records: Bytes,
) -> PartitionProduceResponse {
    let data = PartitionProduceData::default().with_index(0).with_records(Some(records));
    let data = TopicProduceData::default().with_name(name(topic)).with_partition_data(vec![data]);
    let request = ProduceRequest::default().with_acks(acks).with_timeout_ms(1000).with_topic_data(vec![data]);
    let mut answer: ProduceResponse = client.ask(ApiKey::Produce, version, &request).await;
    answer.responses.remove(0).partition_responses.remove(0)
}

#[tokio::test]
async fn a_refusal_by_the_log_names_the_log_start_and_one_by_the_bytes_does_not() {
    let (_broker, mut client) = broker().await;
    let told = |answer: PartitionProduceResponse| {
        assert_eq!((answer.error_message, answer.record_errors.len()), (None, 0));
        (answer.error_code, answer.log_start_offset)
    };
    assert_eq!(told(produce(&mut client, 9, 1, "t", batch((7, 0, 0))).await), (0, 0));
    assert_eq!(told(produce(&mut client, 9, 1, "t", batch((7, 0, 9))).await), (45, 0));
    assert_eq!(told(produce(&mut client, 9, 1, "t", batch((8, 0, -1))).await), (87, 0));
    assert_eq!(told(produce(&mut client, 9, 1, "t", Bytes::new()).await), (87, -1));
    let mut junk = batch(NO_PRODUCER).to_vec();
    junk.extend_from_slice(&[0; 20]);
    assert_eq!(told(produce(&mut client, 9, 1, "t", junk.into()).await), (2, -1));
    let mut wrong = batch(NO_PRODUCER).to_vec();
    wrong[17] ^= 1;
    assert_eq!(told(produce(&mut client, 9, 1, "t", wrong.into()).await), (2, -1));
}

#[tokio::test]
async fn an_unknown_topic_is_unknown_whatever_the_acknowledgements_asked_for() {
    let (_broker, mut client) = broker().await;
    assert_eq!(produce(&mut client, 9, 2, "t", batch(NO_PRODUCER)).await.error_code, 21);
    assert_eq!(produce(&mut client, 9, 2, "nowhere", batch(NO_PRODUCER)).await.error_code, 3);
}

#[tokio::test]
async fn zstandard_is_refused_before_version_7_of_produce() {
    let (_broker, mut client) = broker().await;
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64;
    let mut builder = BatchBuilder::new(now);
    builder.push(None, Some(b"v"), now);
    let records = builder.build_compressed(0, Codec::Zstd, None).unwrap().bytes;
    assert_eq!(produce(&mut client, 6, 1, "t", records.clone()).await.error_code, 76);
    assert_eq!(produce(&mut client, 7, 1, "t", records).await.error_code, 0);
    let mut unknown = batch(NO_PRODUCER).to_vec();
    unknown[22] |= 7;
    let answer = produce(&mut client, 6, 1, "t", unknown.into()).await;
    assert_eq!((answer.error_code, answer.log_start_offset), (-1, -1));
}

fn fetch(topic: &str, offset: i64, current_epoch: i32, last_epoch: i32) -> FetchRequest {
    let partition = FetchPartition::default()
        .with_fetch_offset(offset)
        .with_current_leader_epoch(current_epoch)
        .with_last_fetched_epoch(last_epoch)
        .with_partition_max_bytes(1 << 20);
    FetchRequest::default()
        .with_max_bytes(1 << 20)
        .with_session_epoch(-1)
        .with_topics(vec![FetchTopic::default().with_topic(name(topic)).with_partitions(vec![partition])])
}

#[tokio::test]
async fn a_fetch_takes_every_negative_epoch_for_none_and_tells_a_parted_asker_where_the_log_is() {
    let (_broker, mut client) = broker().await;
    produce(&mut client, 9, 1, "t", batch(NO_PRODUCER)).await;
    let mut ask = async |request: FetchRequest| {
        let mut answer: FetchResponse = client.ask(ApiKey::Fetch, 12, &request).await;
        answer.responses.remove(0).partitions.remove(0)
    };
    let read = ask(fetch("t", 0, -2, -2)).await;
    assert_eq!((read.error_code, read.high_watermark, read.aborted_transactions), (0, 1, None));
    assert!(!read.records.unwrap().is_empty());
    let parted = ask(fetch("t", 50, -1, 0)).await;
    assert_eq!((parted.diverging_epoch.epoch, parted.diverging_epoch.end_offset), (0, 1));
    assert_eq!((parted.high_watermark, parted.last_stable_offset, parted.log_start_offset), (1, 1, 0));
    let unknown = ask(fetch("nowhere", 0, -1, -1)).await;
    assert_eq!((unknown.error_code, unknown.aborted_transactions), (3, Some(Vec::new())));
    let beyond = ask(fetch("t", 9, -1, -1)).await;
    assert_eq!((beyond.error_code, beyond.aborted_transactions), (1, None));
}

fn offsets(partitions: &[(i32, i64)]) -> ListOffsetsTopic {
    let asked = partitions.iter().map(|&(index, timestamp)| {
        ListOffsetsPartition::default()
            .with_partition_index(index)
            .with_timestamp(timestamp)
            .with_current_leader_epoch(-1)
    });
    ListOffsetsTopic::default().with_name(name("t")).with_partitions(asked.collect())
}

#[tokio::test]
async fn the_earliest_offset_of_an_empty_partition_has_the_epoch_that_comes_first() {
    let (_broker, mut client) = broker().await;
    let request = ListOffsetsRequest::default().with_topics(vec![offsets(&[(0, -2), (1, -4)])]);
    let answer: ListOffsetsResponse = client.ask(ApiKey::ListOffsets, 10, &request).await;
    let told = answer.topics[0].partitions.iter().map(|p| (p.error_code, p.offset, p.leader_epoch));
    assert_eq!(told.collect::<Vec<_>>(), [(0, 0, 0), (0, 0, 0)]);
}

#[tokio::test]
async fn a_partition_that_is_named_twice_is_answered_once() {
    let (_broker, mut client) = broker().await;
    let topics = vec![offsets(&[(0, -1), (0, -2), (1, -1)]), offsets(&[(0, -1)])];
    let request = ListOffsetsRequest::default().with_topics(topics);
    let answer: ListOffsetsResponse = client.ask(ApiKey::ListOffsets, 10, &request).await;
    assert_eq!(answer.topics.len(), 1);
    let told = answer.topics[0].partitions.iter().map(|p| (p.partition_index, p.error_code));
    assert_eq!(told.collect::<Vec<_>>(), [(0, 42), (1, 0)]);

    for _ in 0..3 {
        produce(&mut client, 9, 1, "t", batch(NO_PRODUCER)).await;
    }
    let asked = |offset| DeleteRecordsPartition::default().with_partition_index(0).with_offset(offset);
    let topic = DeleteRecordsTopic::default().with_name(name("t"));
    let topics =
        vec![topic.clone().with_partitions(vec![asked(3), asked(1)]), topic.with_partitions(vec![asked(2)])];
    let request = DeleteRecordsRequest::default().with_topics(topics).with_timeout_ms(1000);
    let answer: DeleteRecordsResponse = client.ask(ApiKey::DeleteRecords, 2, &request).await;
    let told = answer.topics.iter().flat_map(|topic| &topic.partitions);
    assert_eq!(told.map(|p| (p.error_code, p.low_watermark)).collect::<Vec<_>>(), [(0, 2)]);
}

async fn metadata(
    client: &mut RawClient,
    version: i16,
    topics: Vec<MetadataRequestTopic>,
) -> MetadataResponse {
    let request = MetadataRequest::default()
        .with_topics(Some(topics))
        .with_include_topic_authorized_operations(version >= 8)
        .with_allow_auto_topic_creation(false);
    client.ask(ApiKey::Metadata, version, &request).await
}

fn by_name(topic: &str) -> MetadataRequestTopic {
    MetadataRequestTopic::default().with_name(Some(name(topic)))
}

fn by_id(id: Uuid) -> MetadataRequestTopic {
    MetadataRequestTopic::default().with_name(None).with_topic_id(id)
}

#[tokio::test]
async fn metadata_tells_a_topic_once_however_often_it_was_asked_for() {
    let (_broker, mut client) = broker().await;
    for version in [4, 9, 12] {
        let asked = ["t", "gone", "t", "gone"].map(by_name);
        let answer = metadata(&mut client, version, asked.to_vec()).await;
        let codes: Vec<i16> = answer.topics.iter().map(|topic| topic.error_code).collect();
        assert_eq!(codes, [0, 3], "version {version}");
    }
    let id = metadata(&mut client, 12, vec![by_name("t")]).await.topics[0].topic_id;
    let unknown = Uuid::from_u128(7);
    let asked = vec![by_id(id), by_name("gone"), by_id(id), by_id(unknown), by_id(unknown)];
    let answer = metadata(&mut client, 12, asked).await;
    let codes: Vec<i16> = answer.topics.iter().map(|topic| topic.error_code).collect();
    assert_eq!(codes, [100, 0], "unknown ids first, and no names beside ids");
    let answer = metadata(&mut client, 12, ["gone", "t"].map(by_name).to_vec()).await;
    let codes: Vec<i16> = answer.topics.iter().map(|topic| topic.error_code).collect();
    assert_eq!(codes, [0, 3], "what is there first");
}

#[tokio::test]
async fn metadata_tells_what_is_allowed_on_names_and_neither_name_nor_rights_for_an_unknown_id() {
    let (_broker, mut client) = broker().await;
    let unknown = by_id(Uuid::from_u128(7)).with_name(Some(name("t")));
    let mut answer = metadata(&mut client, 12, vec![by_name("gone"), by_name("a b")]).await;
    answer.topics.extend(metadata(&mut client, 12, vec![unknown]).await.topics);
    let told = |topic: &metadata_response::MetadataResponseTopic| {
        (topic.error_code, topic.name.is_some(), topic.topic_authorized_operations)
    };
    let told: Vec<_> = answer.topics.iter().map(told).collect();
    assert_eq!(told, [(3, true, OPERATIONS), (17, true, OPERATIONS), (100, false, OPERATIONS_UNASKED)]);
}

/// Whether the broker closes the connection on this body of a request with an empty client id.
async fn is_refused(broker: &TestBroker, api: ApiKey, version: i16, flexible: bool, body: &[u8]) -> bool {
    let mut client = broker.connect().await;
    let mut message = Vec::new();
    message.extend_from_slice(&(api as i16).to_be_bytes());
    message.extend_from_slice(&version.to_be_bytes());
    message.extend_from_slice(&[0, 0, 0, 1, 0, 0]);
    if flexible {
        message.push(0);
    }
    message.extend_from_slice(body);
    client.send(&support::framed(&message)).await;
    client.read_frame().await.is_none()
}

#[tokio::test]
async fn a_null_that_a_version_does_not_have_closes_the_connection() {
    let (broker, _client) = broker().await;
    let null_array = [0xff, 0xff, 0xff, 0xff];
    assert!(is_refused(&broker, ApiKey::Metadata, 0, false, &null_array).await);
    assert!(!is_refused(&broker, ApiKey::Metadata, 1, false, &null_array).await);
    let null_name = [0, 0, 0, 1, 0xff, 0xff];
    assert!(is_refused(&broker, ApiKey::Metadata, 1, false, &null_name).await);
    assert!(is_refused(&broker, ApiKey::Metadata, 9, true, &[2, 0, 0, 1, 0, 0, 0]).await);
    let group_and_null = [0, 1, b'g', 0xff, 0xff, 0xff, 0xff];
    assert!(is_refused(&broker, ApiKey::OffsetFetch, 1, false, &group_and_null).await);
    assert!(!is_refused(&broker, ApiKey::OffsetFetch, 2, false, &group_and_null).await);
}

#[tokio::test]
async fn a_change_without_time_is_timed_out_and_not_made() {
    let (_broker, mut client) = broker().await;
    let topics = vec![new_topic("a", 1), new_topic("a b", 1), new_topic("a", 1)];
    let request = CreateTopicsRequest::default().with_topics(topics).with_timeout_ms(0);
    let answer: CreateTopicsResponse = client.ask(ApiKey::CreateTopics, 7, &request).await;
    let told = answer.topics.iter().map(|topic| (topic.error_code, topic.error_message.is_some()));
    assert_eq!(told.collect::<Vec<_>>(), [(7, false); 3]);

    let grown = CreatePartitionsTopic::default().with_name(name("t")).with_count(5).with_assignments(None);
    let request = CreatePartitionsRequest::default().with_topics(vec![grown]).with_timeout_ms(0);
    let answer: CreatePartitionsResponse = client.ask(ApiKey::CreatePartitions, 3, &request).await;
    assert_eq!((answer.results[0].error_code, &answer.results[0].error_message), (7, &None));

    let request =
        DeleteTopicsRequest::default().with_topic_names(vec![name("t"), name("x")]).with_timeout_ms(-1);
    let answer: DeleteTopicsResponse = client.ask(ApiKey::DeleteTopics, 5, &request).await;
    assert_eq!(answer.responses.iter().map(|topic| topic.error_code).collect::<Vec<_>>(), [7, 7]);

    let answer = metadata(&mut client, 9, vec![by_name("a"), by_name("t")]).await;
    let told = answer.topics.iter().map(|topic| (topic.error_code, topic.partitions.len()));
    assert_eq!(told.collect::<Vec<_>>(), [(0, 2), (3, 0)]);
}

#[tokio::test]
async fn each_deletion_that_names_no_topic_is_answered() {
    let (_broker, mut client) = broker().await;
    let nothing = DeleteTopicState::default().with_name(None);
    let topics = vec![nothing.clone(), nothing];
    let request = DeleteTopicsRequest::default().with_topics(topics).with_timeout_ms(1000);
    let answer: DeleteTopicsResponse = client.ask(ApiKey::DeleteTopics, 6, &request).await;
    assert_eq!(answer.responses.iter().map(|topic| topic.error_code).collect::<Vec<_>>(), [42, 42]);
}

#[tokio::test]
async fn a_configuration_stands_in_the_answer_to_a_creation_as_it_was_written() {
    let (_broker, mut client) = broker().await;
    let config =
        CreatableTopicConfig::default().with_name(text("preallocate")).with_value(Some(text("FALSE")));
    let topics = vec![new_topic("a", 1).with_configs(vec![config])];
    let request = CreateTopicsRequest::default().with_topics(topics).with_timeout_ms(1000);
    let answer: CreateTopicsResponse = client.ask(ApiKey::CreateTopics, 7, &request).await;
    let configs = answer.topics[0].configs.as_ref().unwrap();
    let told = configs.iter().find(|config| &*config.name == "preallocate").unwrap();
    assert_eq!(told.value.as_deref(), Some("FALSE"));
}

#[tokio::test]
async fn a_topic_that_a_commit_names_twice_is_answered_twice_and_a_deleted_group_once() {
    let (_broker, mut client) = broker().await;
    let find = FindCoordinatorRequest::default().with_key(text("g"));
    let found: FindCoordinatorResponse = client.ask(ApiKey::FindCoordinator, 3, &find).await;
    assert_eq!(found.error_code, 0);
    let topic = |index| {
        let partition =
            OffsetCommitRequestPartition::default().with_partition_index(index).with_committed_offset(1);
        OffsetCommitRequestTopic::default().with_name(name("t")).with_partitions(vec![partition])
    };
    let request = OffsetCommitRequest::default()
        .with_group_id(text("g").into())
        .with_generation_id_or_member_epoch(-1)
        .with_topics(vec![topic(0), topic(0)]);
    let answer: OffsetCommitResponse = client.ask(ApiKey::OffsetCommit, 9, &request).await;
    assert_eq!(answer.topics.iter().map(|topic| topic.partitions.len()).collect::<Vec<_>>(), [1, 1]);

    let names = vec![text("g").into(), text("none").into(), text("g").into()];
    let request = DeleteGroupsRequest::default().with_groups_names(names);
    let answer: DeleteGroupsResponse = client.ask(ApiKey::DeleteGroups, 2, &request).await;
    let told = answer.results.iter().map(|group| (group.group_id.as_str(), group.error_code));
    assert_eq!(told.collect::<Vec<_>>(), [("g", 0), ("none", 69)]);
}

#[tokio::test]
async fn a_key_type_that_does_not_exist_is_refused_in_words() {
    let (_broker, mut client) = broker().await;
    for (key_type, words) in [(2, Some("")), (3, None), (-1, None)] {
        let request =
            FindCoordinatorRequest::default().with_key_type(key_type).with_coordinator_keys(vec![text("a")]);
        let answer: FindCoordinatorResponse = client.ask(ApiKey::FindCoordinator, 6, &request).await;
        let coordinator = &answer.coordinators[0];
        assert_eq!(coordinator.error_code, 42, "key type {key_type}");
        let message = coordinator.error_message.as_deref();
        assert!(words.map_or(message.is_some_and(|told| !told.is_empty()), |words| message == Some(words)));
    }
}

#[tokio::test]
async fn produce_counts_the_last_of_what_is_named_twice_and_leaves_out_topics_without_partitions() {
    let (_broker, mut client) = broker().await;
    let data = |index: i32, records: Bytes| {
        PartitionProduceData::default().with_index(index).with_records(Some(records))
    };
    let topic = |partitions| TopicProduceData::default().with_name(name("t")).with_partition_data(partitions);
    let bad = Bytes::from_static(b"bad");
    let none = TopicProduceData::default().with_name(name("none"));
    let topics = vec![
        topic(vec![data(1, batch(NO_PRODUCER)), data(0, bad)]),
        none,
        topic(vec![data(0, batch(NO_PRODUCER))]),
    ];
    let request = ProduceRequest::default().with_acks(1).with_timeout_ms(1000).with_topic_data(topics);
    let answer: ProduceResponse = client.ask(ApiKey::Produce, 9, &request).await;
    assert_eq!(answer.responses.len(), 1);
    let told = answer.responses[0].partition_responses.iter().map(|done| (done.index, done.error_code));
    assert_eq!(told.collect::<Vec<_>>(), [(1, 0), (0, 0)]);
}
