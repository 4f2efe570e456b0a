//! What tools ask about the cluster: quorum, producers, reassignments, and what is refused without security.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use bytes::Bytes;
use kafka_protocol::messages::describe_producers_request::TopicRequest;
use kafka_protocol::messages::describe_quorum_request::{PartitionData, TopicData};
use kafka_protocol::messages::*;
use kafka_protocol::protocol::StrBytes;
use milena::wire::batch::BatchBuilder;
use support::{RawClient, TestBroker, requests};
use uuid::Uuid;

fn text(text: &'static str) -> StrBytes {
    StrBytes::from_static_str(text)
}

async fn offered(client: &mut RawClient) -> Vec<i16> {
    let answer: ApiVersionsResponse =
        client.ask(ApiKey::ApiVersions, 0, &ApiVersionsRequest::default()).await;
    assert_eq!(answer.error_code, 0);
    answer.api_keys.iter().map(|api| api.api_key).collect()
}

#[tokio::test]
async fn the_quorum_is_this_node_and_its_log_grows_with_the_metadata() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    let metadata = TopicData::default()
        .with_topic_name(text("__cluster_metadata").into())
        .with_partitions(vec![PartitionData::default()]);
    let request = DescribeQuorumRequest::default().with_topics(vec![metadata]);
    let mut end = 0;
    for version in 0..=2 {
        client.create(&format!("t{version}"), 1, &[]).await;
        let answer: DescribeQuorumResponse = client.ask(ApiKey::DescribeQuorum, version, &request).await;
        let partition = &answer.topics[0].partitions[0];
        let voter = &partition.current_voters[0];
        assert_eq!((partition.leader_id, voter.replica_id), (BrokerId(1), BrokerId(1)));
        assert!(partition.leader_epoch > 0 && partition.high_watermark > end);
        end = partition.high_watermark;
        assert_eq!(voter.log_end_offset, end);
        assert_eq!(voter.last_fetch_timestamp > 0, version >= 1);
        let ports: Vec<u16> =
            answer.nodes.iter().flat_map(|node| &node.listeners).map(|listener| listener.port).collect();
        assert_eq!(ports, if version >= 2 { vec![broker.address().port()] } else { vec![] });
    }
}

#[tokio::test]
async fn a_partition_tells_its_producers_with_what_they_sent_last() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    client.create("t", 2, &[]).await;
    for (producer, epoch, sequence) in [(70, 0, 0), (5, 3, 7), (70, 0, 2), (70, 1, 0)] {
        let mut batch = BatchBuilder::new(requests::now_ms()).producer(producer, epoch, sequence);
        for _ in 0..2 {
            batch.push(None, Some(b"v"), requests::now_ms());
        }
        let request = requests::produce("t", 0, batch.build(0).bytes, -1);
        let answer: ProduceResponse = client.ask(ApiKey::Produce, 9, &request).await;
        assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
    }
    let topic = |name: &str, partitions: &[i32]| {
        TopicRequest::default().with_name(requests::name(name)).with_partition_indexes(partitions.to_vec())
    };
    let request = DescribeProducersRequest::default().with_topics(vec![
        topic("t", &[0, 1, 9]),
        topic("u", &[0]),
        topic("a b", &[0]),
    ]);
    let answer: DescribeProducersResponse = client.ask(ApiKey::DescribeProducers, 0, &request).await;
    let partitions: Vec<_> = answer.topics.iter().flat_map(|topic| &topic.partitions).collect();
    let codes: Vec<_> =
        partitions.iter().map(|told| (told.error_code, told.error_message.is_some())).collect();
    assert_eq!(codes, [(0, false), (0, false), (3, false), (3, true), (17, true)]);
    let seen: Vec<_> = partitions[0]
        .active_producers
        .iter()
        .map(|told| (told.producer_id.0, told.producer_epoch, told.last_sequence, told.coordinator_epoch))
        .collect();
    assert_eq!(seen, [(5, 3, 8, -1), (70, 1, 1, -1)]);
    assert_eq!(partitions[0].active_producers[0].current_txn_start_offset, -1);
    assert!(partitions[1].active_producers.is_empty());
}

#[tokio::test]
async fn authentication_is_refused_and_the_connection_goes_on() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    for version in 0..=1 {
        let request = SaslHandshakeRequest::default().with_mechanism(text("PLAIN"));
        let answer: SaslHandshakeResponse = client.ask(ApiKey::SaslHandshake, version, &request).await;
        assert_eq!((answer.error_code, answer.mechanisms.len()), (34, 0));
    }
    for version in 0..=2 {
        let request = SaslAuthenticateRequest::default().with_auth_bytes(Bytes::from_static(b"\0a\0b"));
        let answer: SaslAuthenticateResponse = client.ask(ApiKey::SaslAuthenticate, version, &request).await;
        assert_eq!((answer.error_code, answer.error_message.is_some()), (34, true));
    }
    let keys = offered(&mut client).await;
    assert!(keys.contains(&17) && keys.contains(&36));
}

#[tokio::test]
async fn rules_of_access_are_refused_one_by_one() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    for version in 1..=3 {
        let any = DescribeAclsRequest::default()
            .with_resource_type_filter(1)
            .with_pattern_type_filter(1)
            .with_operation(1)
            .with_permission_type(1);
        let answer: DescribeAclsResponse = client.ask(ApiKey::DescribeAcls, version, &any).await;
        assert_eq!((answer.error_code, answer.error_message.is_some()), (54, true));
        let rule = create_acls_request::AclCreation::default()
            .with_resource_type(2)
            .with_resource_pattern_type(3)
            .with_operation(3)
            .with_permission_type(3);
        let request = CreateAclsRequest::default().with_creations(vec![rule.clone(), rule]);
        let answer: CreateAclsResponse = client.ask(ApiKey::CreateAcls, version, &request).await;
        assert_eq!(answer.results.iter().map(|result| result.error_code).collect::<Vec<_>>(), [54, 54]);
        let filter = delete_acls_request::DeleteAclsFilter::default()
            .with_resource_type_filter(1)
            .with_pattern_type_filter(1)
            .with_operation(1)
            .with_permission_type(1);
        let request = DeleteAclsRequest::default().with_filters(vec![filter]);
        let answer: DeleteAclsResponse = client.ask(ApiKey::DeleteAcls, version, &request).await;
        assert_eq!(answer.filter_results[0].error_code, 54);
    }
    let (bytes, _) = client.frame(ApiKey::DescribeAcls, 3, &DescribeAclsRequest::default().with_operation(0));
    client.send(&bytes).await;
    assert!(client.read_frame().await.is_none(), "a filter for nothing closes the connection");
}

#[tokio::test]
async fn telemetry_is_not_offered_but_answered() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    let keys = offered(&mut client).await;
    assert!(!keys.contains(&71) && !keys.contains(&72));
    let request = GetTelemetrySubscriptionsRequest::default();
    let answer: GetTelemetrySubscriptionsResponse =
        client.ask(ApiKey::GetTelemetrySubscriptions, 0, &request).await;
    assert_eq!((answer.error_code, answer.requested_metrics.len()), (0, 0));
    assert_ne!(answer.client_instance_id, Uuid::nil());
    let push = PushTelemetryRequest::default()
        .with_client_instance_id(answer.client_instance_id)
        .with_subscription_id(answer.subscription_id);
    let mut codes = Vec::new();
    for terminating in [false, false, true, true] {
        let request = push.clone().with_terminating(terminating);
        let answer: PushTelemetryResponse = client.ask(ApiKey::PushTelemetry, 0, &request).await;
        codes.push(answer.error_code);
    }
    assert_eq!(codes, [0, 89, 0, 42]);
}

#[tokio::test]
async fn nothing_moves_between_brokers_where_there_is_one() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    client.create("t", 1, &[]).await;
    let partition = alter_partition_reassignments_request::ReassignablePartition::default();
    let topic = alter_partition_reassignments_request::ReassignableTopic::default()
        .with_name(requests::name("t"))
        .with_partitions(vec![
            partition.clone().with_replicas(Some(vec![BrokerId(1)])),
            partition.clone().with_replicas(Some(vec![BrokerId(2)])),
            partition.with_replicas(None),
        ]);
    for version in 0..=1 {
        let request = AlterPartitionReassignmentsRequest::default()
            .with_timeout_ms(1000)
            .with_topics(vec![topic.clone()]);
        let answer: AlterPartitionReassignmentsResponse =
            client.ask(ApiKey::AlterPartitionReassignments, version, &request).await;
        let codes: Vec<i16> =
            answer.responses[0].partitions.iter().map(|partition| partition.error_code).collect();
        assert_eq!(codes, [0, 39, 85]);
    }
    let request = ListPartitionReassignmentsRequest::default().with_topics(None);
    let answer: ListPartitionReassignmentsResponse =
        client.ask(ApiKey::ListPartitionReassignments, 0, &request).await;
    assert_eq!((answer.error_code, answer.topics.len()), (0, 0));
}

#[tokio::test]
async fn a_long_name_is_not_repeated_for_each_of_its_partitions() {
    const PARTITIONS: i32 = 1000;
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    let long = requests::name(&"x".repeat(30_000));
    let small = |messages: Vec<Option<StrBytes>>| {
        assert_eq!(messages.len(), PARTITIONS as usize);
        assert!(messages.iter().flatten().all(|message| message.len() < 100));
    };
    let topic = elect_leaders_request::TopicPartitions::default()
        .with_topic(long.clone())
        .with_partitions((0..PARTITIONS).collect());
    let request =
        ElectLeadersRequest::default().with_timeout_ms(1000).with_topic_partitions(Some(vec![topic]));
    let answer: ElectLeadersResponse = client.ask(ApiKey::ElectLeaders, 2, &request).await;
    let results = &answer.replica_election_results[0].partition_result;
    small(results.iter().map(|result| result.error_message.clone()).collect());

    let topic =
        TopicRequest::default().with_name(long.clone()).with_partition_indexes((0..PARTITIONS).collect());
    let request = DescribeProducersRequest::default().with_topics(vec![topic]);
    let answer: DescribeProducersResponse = client.ask(ApiKey::DescribeProducers, 0, &request).await;
    small(answer.topics[0].partitions.iter().map(|result| result.error_message.clone()).collect());

    let partition = |index| {
        alter_partition_reassignments_request::ReassignablePartition::default()
            .with_partition_index(index)
            .with_replicas(Some(vec![BrokerId(1)]))
    };
    let topic = alter_partition_reassignments_request::ReassignableTopic::default()
        .with_name(long)
        .with_partitions((0..PARTITIONS).map(partition).collect());
    let request =
        AlterPartitionReassignmentsRequest::default().with_timeout_ms(1000).with_topics(vec![topic]);
    let answer: AlterPartitionReassignmentsResponse =
        client.ask(ApiKey::AlterPartitionReassignments, 1, &request).await;
    small(answer.responses[0].partitions.iter().map(|result| result.error_message.clone()).collect());
}
