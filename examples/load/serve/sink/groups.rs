//! Groups of one member: whoever joins leads the group, and gets the assignment that it hands in.

use kafka_protocol::messages::join_group_response::JoinGroupResponseMember;
use kafka_protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use kafka_protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use kafka_protocol::messages::{
    JoinGroupRequest, JoinGroupResponse, OffsetCommitRequest, OffsetCommitResponse, OffsetFetchRequest,
    OffsetFetchResponse, SyncGroupRequest, SyncGroupResponse,
};
use kafka_protocol::protocol::StrBytes;

const GENERATION: i32 = 1;

pub(super) fn join(request: JoinGroupRequest) -> JoinGroupResponse {
    let member =
        if request.member_id.is_empty() { StrBytes::from_static_str("member") } else { request.member_id };
    let protocol = request.protocols.into_iter().next().unwrap_or_default();
    let own = JoinGroupResponseMember::default()
        .with_member_id(member.clone())
        .with_group_instance_id(request.group_instance_id)
        .with_metadata(protocol.metadata);
    JoinGroupResponse::default()
        .with_generation_id(GENERATION)
        .with_protocol_type(Some(request.protocol_type))
        .with_protocol_name(Some(protocol.name))
        .with_leader(member.clone())
        .with_member_id(member)
        .with_members(vec![own])
}

pub(super) fn sync(request: SyncGroupRequest) -> SyncGroupResponse {
    let assignment = request.assignments.into_iter().next().map(|first| first.assignment).unwrap_or_default();
    SyncGroupResponse::default()
        .with_protocol_type(request.protocol_type)
        .with_protocol_name(request.protocol_name)
        .with_assignment(assignment)
}

pub(super) fn commit(request: OffsetCommitRequest) -> OffsetCommitResponse {
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            OffsetCommitResponsePartition::default().with_partition_index(partition.partition_index)
        });
        OffsetCommitResponseTopic::default().with_name(topic.name).with_partitions(partitions.collect())
    });
    OffsetCommitResponse::default().with_topics(topics.collect())
}

/// Nothing was ever committed.
pub(super) fn fetch(request: OffsetFetchRequest, version: i16) -> OffsetFetchResponse {
    if version >= 8 {
        return OffsetFetchResponse::default()
            .with_groups(request.groups.into_iter().map(none_of_group).collect());
    }
    let topics = request.topics.unwrap_or_default().into_iter().map(|topic| {
        let partitions = topic.partition_indexes.iter().map(|index| {
            OffsetFetchResponsePartition::default().with_partition_index(*index).with_committed_offset(-1)
        });
        OffsetFetchResponseTopic::default().with_name(topic.name).with_partitions(partitions.collect())
    });
    OffsetFetchResponse::default().with_topics(topics.collect())
}

fn none_of_group(
    group: kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup,
) -> OffsetFetchResponseGroup {
    let topics = group.topics.unwrap_or_default().into_iter().map(|topic| {
        let partitions = topic.partition_indexes.iter().map(|index| {
            OffsetFetchResponsePartitions::default().with_partition_index(*index).with_committed_offset(-1)
        });
        OffsetFetchResponseTopics::default().with_name(topic.name).with_partitions(partitions.collect())
    });
    OffsetFetchResponseGroup::default().with_group_id(group.group_id).with_topics(topics.collect())
}
