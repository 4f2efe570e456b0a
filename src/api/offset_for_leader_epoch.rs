//! OffsetForLeaderEpoch, versions 2–4 (KIP-101, KIP-279, KIP-320): where an epoch ends, so that a client notices
//! that what it read was cut off.

use kafka_protocol::messages::offset_for_leader_epoch_request::OffsetForLeaderPartition;
use kafka_protocol::messages::offset_for_leader_epoch_response::{
    EpochEndOffset, OffsetForLeaderTopicResult,
};
use kafka_protocol::messages::{OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse};

use super::{Context, Reply};
use crate::types::{ErrorCode, LeaderEpoch, Offset, TopicPartition};

/// Answers from the partitions' epoch caches.
pub(super) fn handle(
    context: Context,
    request: OffsetForLeaderEpochRequest,
) -> Reply<OffsetForLeaderEpochResponse> {
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|asked| {
            let named = TopicPartition::new(topic.topic.as_str(), asked.partition);
            let response = EpochEndOffset::default().with_partition(asked.partition);
            match look_up(&context, &named, asked) {
                Ok((epoch, end)) => response.with_leader_epoch(epoch.0).with_end_offset(end.0),
                Err(code) => response.with_error_code(code.code()),
            }
        });
        let partitions = partitions.collect();
        OffsetForLeaderTopicResult::default().with_topic(topic.topic).with_partitions(partitions)
    });
    Reply::Now(OffsetForLeaderEpochResponse::default().with_topics(topics.collect()))
}

fn look_up(
    context: &Context,
    named: &TopicPartition,
    asked: &OffsetForLeaderPartition,
) -> Result<(LeaderEpoch, Offset), ErrorCode> {
    let partition = context.broker.partitions.get(named).ok_or(ErrorCode::UnknownTopicOrPartition)?;
    partition.check_leader_epoch(LeaderEpoch(asked.current_leader_epoch))?;
    partition.end_offset_for_epoch(LeaderEpoch(asked.leader_epoch))
}
