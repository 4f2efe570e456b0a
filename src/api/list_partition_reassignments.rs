//! `ListPartitionReassignments`, version 0 (KIP-455): the partitions whose replicas are being moved.

use kafka_protocol::messages::list_partition_reassignments_response::{
    OngoingPartitionReassignment, OngoingTopicReassignment,
};
use kafka_protocol::messages::{
    BrokerId, ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse,
};
use kafka_protocol::protocol::StrBytes;

use super::{Context, Reply};
use crate::controller::image::{Image, PartitionImage, TopicImage};
use crate::types::NodeId;

/// Answers from the image; what does not exist is not being moved.
pub(super) fn handle(
    context: Context,
    request: ListPartitionReassignmentsRequest,
) -> Reply<ListPartitionReassignmentsResponse> {
    Reply::Now(answer(&context.broker.controller.image(), &request))
}

fn answer(image: &Image, request: &ListPartitionReassignmentsRequest) -> ListPartitionReassignmentsResponse {
    let moved = match &request.topics {
        None => image.topics().map(|topic| ongoing(topic, 0..topic.partitions.len() as i32)).collect(),
        Some(topics) => {
            let find = |name: &str| image.topic(name);
            let asked =
                topics.iter().filter_map(|asked| Some((find(&asked.name)?, &asked.partition_indexes)));
            asked.map(|(topic, indexes)| ongoing(topic, indexes.iter().copied())).collect::<Vec<_>>()
        }
    };
    let topics = moved.into_iter().filter(|topic| !topic.partitions.is_empty()).collect();
    ListPartitionReassignmentsResponse::default().with_error_message(None).with_topics(topics)
}

fn ongoing(topic: &TopicImage, indexes: impl Iterator<Item = i32>) -> OngoingTopicReassignment {
    let moved = |index| {
        let partition = topic.partition(index)?;
        let is_moved = !partition.adding.is_empty() || !partition.removing.is_empty();
        is_moved.then(|| reassignment(index, partition))
    };
    OngoingTopicReassignment::default()
        .with_name(StrBytes::from_string(topic.name.to_string()).into())
        .with_partitions(indexes.filter_map(moved).collect())
}

fn reassignment(index: i32, partition: &PartitionImage) -> OngoingPartitionReassignment {
    let ids = |nodes: &[NodeId]| nodes.iter().map(|node| BrokerId(node.0)).collect();
    OngoingPartitionReassignment::default()
        .with_partition_index(index)
        .with_replicas(ids(&partition.replicas))
        .with_adding_replicas(ids(&partition.adding))
        .with_removing_replicas(ids(&partition.removing))
}
