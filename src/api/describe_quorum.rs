//! `DescribeQuorum`, versions 0–2 (KIP-595; timestamps KIP-836; directories and listeners KIP-853): who writes the metadata
//! log. Kafka has controllers' listeners for it; here controller and broker are one, so its listener is the client's.

use kafka_protocol::messages::describe_quorum_request::TopicData as Asked;
use kafka_protocol::messages::describe_quorum_response::{
    Listener, Node, PartitionData, ReplicaState, TopicData,
};
use kafka_protocol::messages::{BrokerId, DescribeQuorumRequest, DescribeQuorumResponse};
use kafka_protocol::protocol::StrBytes;

use super::{Context, Reply};
use crate::broker::endpoints::advertised;
use crate::types::ErrorCode;

/// The topic of the metadata log, which has one partition.
const METADATA_TOPIC: &str = "__cluster_metadata";

/// First version that tells the nodes' listeners.
const NODES_FROM: i16 = 2;

/// Answers from the controller.
pub(super) fn handle(context: Context, request: DescribeQuorumRequest) -> Reply<DescribeQuorumResponse> {
    let response = DescribeQuorumResponse::default().with_error_message(Some(StrBytes::new()));
    if !is_about_metadata(&request.topics) {
        return Reply::Now(response.with_topics(request.topics.into_iter().map(unknown).collect()));
    }
    // No partitions were asked for, or one was.
    let names_nodes =
        context.version >= NODES_FROM && request.topics.iter().any(|topic| !topic.partitions.is_empty());
    let topic = |asked: Asked| {
        let partitions = asked.partitions.iter().map(|_| metadata_partition(&context)).collect();
        TopicData::default().with_topic_name(asked.topic_name).with_partitions(partitions)
    };
    let topics = request.topics.into_iter().map(topic).collect();
    let nodes = if names_nodes { vec![node(&context)] } else { Vec::new() };
    Reply::Now(response.with_topics(topics).with_nodes(nodes))
}

/// Whether the request names the metadata log's partition and nothing else, as Kafka demands.
fn is_about_metadata(topics: &[Asked]) -> bool {
    match topics {
        [topic] if *topic.topic_name == *METADATA_TOPIC => match topic.partitions.as_slice() {
            [] => true,
            [partition] => partition.partition_index == 0,
            _ => false,
        },
        _ => false,
    }
}

fn unknown(asked: Asked) -> TopicData {
    let partition = |index| {
        PartitionData::default()
            .with_partition_index(index)
            .with_error_code(ErrorCode::UnknownTopicOrPartition.code())
            .with_error_message(Some(StrBytes::from_static_str("only the metadata log has a quorum")))
    };
    let partitions = asked.partitions.iter().map(|asked| partition(asked.partition_index)).collect();
    TopicData::default().with_topic_name(asked.topic_name).with_partitions(partitions)
}

fn metadata_partition(context: &Context) -> PartitionData {
    let controller = &context.broker.controller;
    let (quorum, end) = (controller.quorum(), controller.image().offset);
    let id = BrokerId(context.broker.node_id.0);
    let voter = ReplicaState::default()
        .with_replica_id(id)
        .with_replica_directory_id(quorum.directory.0)
        .with_log_end_offset(end.0)
        .with_last_fetch_timestamp(context.now.wall_ms)
        .with_last_caught_up_timestamp(context.now.wall_ms);
    PartitionData::default()
        .with_error_message(Some(StrBytes::new()))
        .with_leader_id(id)
        .with_leader_epoch(quorum.epoch.0)
        .with_high_watermark(end.0)
        .with_current_voters(vec![voter])
}

fn node(context: &Context) -> Node {
    let (broker, connection) = (&context.broker, &context.connection);
    let (host, port) = advertised(&broker.config, &connection.listener, connection.local);
    let listener = Listener::default()
        .with_name(StrBytes::from_string(connection.listener.to_string()))
        .with_host(StrBytes::from_string(host))
        .with_port(port);
    Node::default().with_node_id(BrokerId(broker.node_id.0)).with_listeners(vec![listener])
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::describe_quorum_request::PartitionData as AskedPartition;

    use super::*;

    fn topic(name: &'static str, partitions: &[i32]) -> Asked {
        let partition = |&index: &i32| AskedPartition::default().with_partition_index(index);
        Asked::default()
            .with_topic_name(StrBytes::from_static_str(name).into())
            .with_partitions(partitions.iter().map(partition).collect())
    }

    #[test]
    fn only_the_one_partition_of_the_metadata_log_has_a_quorum() {
        let metadata = || topic(METADATA_TOPIC, &[0]);
        assert!(is_about_metadata(&[metadata()]));
        for topics in [
            vec![],
            vec![topic("a", &[0])],
            vec![topic(METADATA_TOPIC, &[1])],
            vec![topic(METADATA_TOPIC, &[0, 0])],
            vec![metadata(), topic("a", &[0])],
        ] {
            assert!(!is_about_metadata(&topics), "{topics:?}");
            for told in topics.into_iter().map(unknown) {
                assert!(told.partitions.iter().all(|partition| partition.error_code == 3));
            }
        }
    }
}
