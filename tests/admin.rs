//! Topics and configurations over the wire: what one answer says, every later one sees, also after a restart.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::HashSet;

use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::*;
use kafka_protocol::protocol::StrBytes;
use milena::controller::command::TopicIdPartition;
use support::{RawClient, TestBroker};

fn name(text: &str) -> TopicName {
    StrBytes::from_string(text.to_owned()).into()
}

fn topic(text: &str, partitions: i32) -> CreatableTopic {
    CreatableTopic::default().with_name(name(text)).with_num_partitions(partitions).with_replication_factor(1)
}

async fn create(client: &mut RawClient, version: i16, topic: CreatableTopic) -> i16 {
    let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(1000);
    let answer: CreateTopicsResponse = client.ask(ApiKey::CreateTopics, version, &request).await;
    answer.topics[0].error_code
}

async fn delete(client: &mut RawClient, version: i16, text: &str) -> i16 {
    let request = if version >= 6 {
        let state = DeleteTopicState::default().with_name(Some(name(text)));
        DeleteTopicsRequest::default().with_timeout_ms(1000).with_topics(vec![state])
    } else {
        DeleteTopicsRequest::default().with_timeout_ms(1000).with_topic_names(vec![name(text)])
    };
    let answer: DeleteTopicsResponse = client.ask(ApiKey::DeleteTopics, version, &request).await;
    answer.responses[0].error_code
}

/// The topic's error, its id and the leader epochs of its partitions.
async fn describe(client: &mut RawClient, text: &str) -> (i16, uuid::Uuid, Vec<i32>) {
    let asked = MetadataRequestTopic::default().with_name(Some(name(text)));
    let request =
        MetadataRequest::default().with_topics(Some(vec![asked])).with_allow_auto_topic_creation(false);
    let answer: MetadataResponse = client.ask(ApiKey::Metadata, 12, &request).await;
    let topic = &answer.topics[0];
    let led = |partition: &metadata_response::MetadataResponsePartition| {
        assert_eq!((partition.error_code, partition.leader_id), (0, answer.brokers[0].node_id));
        partition.leader_epoch
    };
    (topic.error_code, topic.topic_id, topic.partitions.iter().map(led).collect())
}

async fn grow(client: &mut RawClient, version: i16, text: &str, count: i32) -> i16 {
    let topic =
        CreatePartitionsTopic::default().with_name(name(text)).with_count(count).with_assignments(None);
    let request = CreatePartitionsRequest::default().with_topics(vec![topic]).with_timeout_ms(1000);
    let answer: CreatePartitionsResponse = client.ask(ApiKey::CreatePartitions, version, &request).await;
    answer.results[0].error_code
}

async fn alter(client: &mut RawClient, version: i16, text: &str, key: &str, value: &str) -> i16 {
    let config = AlterableConfig::default()
        .with_name(StrBytes::from_string(key.to_owned()))
        .with_value(Some(StrBytes::from_string(value.to_owned())));
    let resource = AlterConfigsResource::default()
        .with_resource_type(2)
        .with_resource_name(StrBytes::from_string(text.to_owned()))
        .with_configs(vec![config]);
    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
    let answer: IncrementalAlterConfigsResponse =
        client.ask(ApiKey::IncrementalAlterConfigs, version, &request).await;
    answer.responses[0].error_code
}

/// The value of a topic's configuration and the number of its source.
async fn configured(client: &mut RawClient, text: &str, key: &str) -> (Option<String>, i8) {
    let resource = DescribeConfigsResource::default()
        .with_resource_type(2)
        .with_resource_name(StrBytes::from_string(text.to_owned()))
        .with_configuration_keys(Some(vec![StrBytes::from_string(key.to_owned())]));
    let request = DescribeConfigsRequest::default().with_resources(vec![resource]);
    let answer: DescribeConfigsResponse = client.ask(ApiKey::DescribeConfigs, 4, &request).await;
    let config = &answer.results[0].configs[0];
    (config.value.as_ref().map(ToString::to_string), config.config_source)
}

async fn producer_id(client: &mut RawClient, version: i16) -> i64 {
    let request = InitProducerIdRequest::default().with_transactional_id(None);
    let answer: InitProducerIdResponse = client.ask(ApiKey::InitProducerId, version, &request).await;
    assert_eq!((answer.error_code, answer.producer_epoch), (0, 0));
    answer.producer_id.0
}

#[tokio::test]
async fn a_topic_is_there_and_gone_as_soon_as_the_answer_says_so_in_every_version() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    let mut ids = HashSet::new();
    for round in 0..6 {
        assert_eq!(create(&mut client, 2 + round, topic("t", 2)).await, 0);
        assert_eq!(create(&mut client, 7, topic("t", 2)).await, 36);
        let (error, id, epochs) = describe(&mut client, "t").await;
        assert_eq!((error, epochs), (0, vec![0, 0]));
        assert!(ids.insert(id), "a topic that is made again is another one");
        assert_eq!(grow(&mut client, round % 4, "t", 3).await, 0);
        assert_eq!(grow(&mut client, round % 4, "t", 3).await, 37);
        assert_eq!(describe(&mut client, "t").await.2, [0, 0, 0]);
        assert_eq!(delete(&mut client, 1 + round, "t").await, 0);
        assert_eq!(delete(&mut client, 1 + round, "t").await, 3);
        assert_eq!(describe(&mut client, "t").await.0, 3);
    }
}

#[tokio::test]
async fn topics_configurations_and_producer_ids_outlive_a_restart() {
    let mut broker = TestBroker::start().await;
    let mut producers = HashSet::new();
    let mut client = broker.connect().await;
    let retention = CreatableTopicConfig::default()
        .with_name(StrBytes::from_static_str("retention.ms"))
        .with_value(Some(StrBytes::from_static_str("5000")));
    assert_eq!(create(&mut client, 7, topic("kept", 3).with_configs(vec![retention])).await, 0);
    assert_eq!(create(&mut client, 7, topic("gone", 1)).await, 0);
    assert_eq!(delete(&mut client, 6, "gone").await, 0);
    let before = describe(&mut client, "kept").await;
    for restart in 0..2 {
        for version in 0..=5 {
            assert!(producers.insert(producer_id(&mut client, version).await), "restart {restart}");
        }
        let bytes = if restart == 0 { "1000000" } else { "2000000" };
        assert_eq!(alter(&mut client, restart, "kept", "segment.bytes", "5").await, 40);
        assert_eq!(alter(&mut client, restart, "kept", "retention.bytes", bytes).await, 0);
        broker = broker.restart(&[]).await;
        client = broker.connect().await;
        assert_eq!(describe(&mut client, "kept").await, before);
        assert_eq!(describe(&mut client, "gone").await.0, 3);
        assert_eq!(configured(&mut client, "kept", "retention.ms").await, (Some("5000".into()), 1));
        assert_eq!(configured(&mut client, "kept", "retention.bytes").await, (Some(bytes.into()), 1));
    }
}

#[tokio::test]
async fn the_cluster_is_described_at_the_address_that_the_client_used() {
    let broker = TestBroker::start_with(&[("node.id", "7"), ("broker.rack", "r1")]).await;
    let mut client = broker.connect().await;
    for version in 0..=2 {
        let mut request = DescribeClusterRequest::default();
        request.include_cluster_authorized_operations = true;
        let answer: DescribeClusterResponse = client.ask(ApiKey::DescribeCluster, version, &request).await;
        let node = &answer.brokers[0];
        assert_eq!((answer.error_code, answer.controller_id.0, node.broker_id.0), (0, 7, 7));
        assert_eq!(format!("{}:{}", &*node.host, node.port), broker.bootstrap());
        assert_eq!(node.rack.as_deref(), Some("r1"));
        assert!(!answer.cluster_id.is_empty() && answer.cluster_authorized_operations > 0);
    }
    let controllers = DescribeClusterRequest::default().with_endpoint_type(2);
    let answer: DescribeClusterResponse = client.ask(ApiKey::DescribeCluster, 1, &controllers).await;
    assert_eq!(answer.error_code, 114);
}

async fn commit(client: &mut RawClient) -> i16 {
    let find = FindCoordinatorRequest::default().with_key(StrBytes::from_static_str("g"));
    let found: FindCoordinatorResponse = client.ask(ApiKey::FindCoordinator, 3, &find).await;
    assert_eq!(found.error_code, 0);
    let partition = OffsetCommitRequestPartition::default().with_committed_offset(5);
    let topic = OffsetCommitRequestTopic::default().with_name(name("t")).with_partitions(vec![partition]);
    let request = OffsetCommitRequest::default()
        .with_group_id(StrBytes::from_static_str("g").into())
        .with_generation_id_or_member_epoch(-1)
        .with_topics(vec![topic]);
    let answer: OffsetCommitResponse = client.ask(ApiKey::OffsetCommit, 8, &request).await;
    answer.topics[0].partitions[0].error_code
}

#[tokio::test]
async fn groups_begin_anew_when_the_topic_of_their_offsets_was_deleted() {
    let settings = [("offsets.topic.num.partitions", "1")];
    let broker = TestBroker::start_with(&settings).await;
    let mut client = broker.connect().await;
    assert_eq!(create(&mut client, 7, topic("t", 1)).await, 0);
    assert_eq!(commit(&mut client).await, 0);
    // Leader epochs are above 0 after every unclean stop.
    let image = broker.server.broker().controller.image();
    let topic_id = image.topic("__consumer_offsets").unwrap().id;
    let raised = vec![TopicIdPartition { topic_id, partition: 0 }];
    broker.server.broker().controller.raise_leader_epochs(raised).await.unwrap();
    let broker = broker.restart(&settings).await;
    let mut client = broker.connect().await;
    assert_eq!(commit(&mut client).await, 0);
    assert_eq!(delete(&mut client, 5, "__consumer_offsets").await, 0);
    assert_eq!(commit(&mut client).await, 0);
}
