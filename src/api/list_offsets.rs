//! ListOffsets, versions 1–11 (KIP-79 times, KIP-734 maximum timestamp, KIP-405 and KIP-1023 tiered offsets as a broker
//! without tiers answers them).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{Context, Reply};
use crate::log::TimedOffset;
use crate::replica::Partition;
use crate::replica::reading::Isolation;
use crate::types::{ErrorCode, LeaderEpoch, Offset, TopicPartition};
use crate::wire::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use crate::wire::messages::{ListOffsetsRequest, ListOffsetsResponse};

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;
const LATEST_TIERED: i64 = -5;
const EARLIEST_PENDING_UPLOAD: i64 = -6;

/// First version with leader epochs.
const LEADER_EPOCHS_FROM: i16 = 4;

/// Answers at once, or on the pool for blocking work when batches have to be opened.
pub(super) fn handle(context: Context, request: ListOffsetsRequest) -> Reply<ListOffsetsResponse> {
    let opens =
        |partition: &ListOffsetsPartition| partition.timestamp >= 0 || partition.timestamp == MAX_TIMESTAMP;
    if !request.topics.iter().flat_map(|topic| &topic.partitions).any(opens) {
        return Reply::Now(answer(&context, request));
    }
    // One at a time for each connection, so that no client fills the pool.
    Reply::Run(Box::pin(async {
        tokio::task::spawn_blocking(move || answer(&context, request)).await.unwrap_or_default()
    }))
}

fn answer(context: &Context, request: ListOffsetsRequest) -> ListOffsetsResponse {
    let isolation = if request.isolation_level == 1 { Isolation::Committed } else { Isolation::Uncommitted };
    let mut duplicates = duplicates(&request);
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().filter_map(|asked| {
            let named = TopicPartition::new(topic.name.as_str(), asked.partition_index);
            let found = match duplicates.get_mut(&named) {
                Some(told) if *told => return None,
                Some(told) => {
                    *told = true;
                    Err(ErrorCode::InvalidRequest)
                }
                None => look_up(context, &named, asked, isolation),
            };
            Some(partition_response(context.version, asked.partition_index, found))
        });
        let partitions = partitions.collect();
        ListOffsetsTopicResponse { name: topic.name, partitions }
    });
    let mut topics: Vec<ListOffsetsTopicResponse> = topics.collect();
    topics.retain(|topic| !topic.partitions.is_empty());
    ListOffsetsResponse { throttle_time_ms: 0, topics }
}

/// Partitions that stand in the request more than once. Each is refused once; the flag is for that.
fn duplicates(request: &ListOffsetsRequest) -> HashMap<TopicPartition, bool> {
    let mut seen = HashSet::new();
    let mut twice = HashMap::new();
    for topic in &request.topics {
        for partition in &topic.partitions {
            let named = TopicPartition::new(topic.name.as_str(), partition.partition_index);
            if !seen.insert(named.clone()) {
                twice.insert(named, false);
            }
        }
    }
    twice
}

/// An offset with its timestamp (−1 when that was not looked for) and epoch.
struct Found {
    offset: Offset,
    timestamp: i64,
    epoch: LeaderEpoch,
}

fn look_up(
    context: &Context,
    named: &TopicPartition,
    asked: &ListOffsetsPartition,
    isolation: Isolation,
) -> Result<Option<Found>, ErrorCode> {
    if !is_served(asked.timestamp, context.version) {
        return Err(ErrorCode::UnsupportedVersion);
    }
    let partition = context.broker.partitions.get(named).ok_or(ErrorCode::UnknownTopicOrPartition)?;
    partition.check_leader_epoch(LeaderEpoch(asked.current_leader_epoch))?;
    let at = |offset, epoch| Some(Found { offset, timestamp: -1, epoch });
    Ok(match asked.timestamp {
        LATEST => at(partition.upper(isolation)?, partition.leader_epoch()),
        EARLIEST | EARLIEST_LOCAL => {
            let start = partition.log_start()?;
            at(start, partition.epoch_at(start)?)
        }
        LATEST_TIERED | EARLIEST_PENDING_UPLOAD => at(Offset::UNKNOWN, LeaderEpoch::UNKNOWN),
        MAX_TIMESTAMP => found(partition.max_timestamp(isolation)?),
        timestamp => by_time(&partition, timestamp, isolation)?,
    })
}

fn by_time(
    partition: &Arc<Partition>,
    timestamp: i64,
    isolation: Isolation,
) -> Result<Option<Found>, ErrorCode> {
    Ok(found(partition.offset_for_timestamp(timestamp, isolation)?))
}

fn found(found: Option<TimedOffset>) -> Option<Found> {
    found.map(|found| Found { offset: found.offset, timestamp: found.timestamp, epoch: found.epoch })
}

/// Special timestamps came with later versions; other negative ones do not exist.
fn is_served(timestamp: i64, version: i16) -> bool {
    match timestamp {
        MAX_TIMESTAMP => version >= 7,
        EARLIEST_LOCAL => version >= 8,
        LATEST_TIERED => version >= 9,
        EARLIEST_PENDING_UPLOAD => version >= 11,
        other => other >= EARLIEST,
    }
}

fn partition_response(
    version: i16,
    index: i32,
    found: Result<Option<Found>, ErrorCode>,
) -> ListOffsetsPartitionResponse {
    let mut response =
        ListOffsetsPartitionResponse { partition_index: index, ..ListOffsetsPartitionResponse::default() };
    match found {
        Err(code) => response.error_code = code.code(),
        Ok(None) => {}
        Ok(Some(found)) => {
            response.timestamp = found.timestamp;
            response.offset = found.offset.0;
            if version >= LEADER_EPOCHS_FROM {
                response.leader_epoch = found.epoch.0;
            }
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_special_timestamp_is_served_from_its_version_on() {
        assert!(is_served(0, 1) && is_served(LATEST, 1) && is_served(EARLIEST, 1));
        assert!(!is_served(MAX_TIMESTAMP, 6) && is_served(MAX_TIMESTAMP, 7));
        assert!(!is_served(EARLIEST_LOCAL, 7) && is_served(EARLIEST_LOCAL, 8));
        assert!(!is_served(LATEST_TIERED, 8) && is_served(LATEST_TIERED, 9));
        assert!(!is_served(EARLIEST_PENDING_UPLOAD, 10) && is_served(EARLIEST_PENDING_UPLOAD, 11));
        assert!(!is_served(-7, 11) && !is_served(i64::MIN, 11));
    }
}
