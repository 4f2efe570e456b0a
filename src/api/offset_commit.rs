//! OffsetCommit, versions 2–9 (retention in 2–4, KIP-320 leader epochs from 6, KIP-345 static members from 7,
//! KIP-848 error codes from 9). Partitions that do not exist are refused here, the rest is the group's to decide.

use std::collections::HashMap;

use kafka_protocol::messages::offset_commit_request::OffsetCommitRequestTopic;
use kafka_protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use kafka_protocol::messages::{OffsetCommitRequest, OffsetCommitResponse, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::groups::{code, owned, reply};
use super::{Context, Reply};
use crate::coordinator::command::{Commit, CommitPartition, CommitTopic, CommittedTopic};
use crate::types::{ErrorCode, TopicId};

/// Verdicts by topic: partition index and error.
type Verdicts = Vec<(TopicName, Vec<(i32, Option<ErrorCode>)>)>;

/// Commits offsets; the answer comes when they are recorded.
pub(super) fn handle(context: Context, request: OffsetCommitRequest) -> Reply<OffsetCommitResponse> {
    let image = context.broker.controller.image();
    let known = |name: &str| image.topic(name).map(|topic| (topic.id, topic.partitions.len()));
    let (commit, unknown) = commit(context.version, request, known);
    if commit.topics.is_empty() {
        return Reply::Now(respond(unknown));
    }
    let asked: Vec<(TopicName, Vec<i32>)> = commit.topics.iter().map(asked_of).collect();
    let answer = context.broker.coordinator.commit(commit, context.now);
    reply(answer, move |result| respond(merged(unknown, verdicts(asked, result))))
}

/// What the group is asked, and the refusals of partitions that do not exist. `known` tells a topic's id and its
/// number of partitions.
fn commit(
    version: i16,
    request: OffsetCommitRequest,
    known: impl Fn(&str) -> Option<(TopicId, usize)>,
) -> (Commit, Verdicts) {
    let mut unknown = Verdicts::new();
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in request.topics {
        let found = known(&topic.name);
        let (topic_id, partitions) = found.unwrap_or_default();
        let exists = |partition: i32| usize::try_from(partition).is_ok_and(|index| index < partitions);
        let refused = topic.partitions.iter().map(|partition| partition.partition_index);
        let refused: Vec<_> = refused
            .filter(|partition| !exists(*partition))
            .map(|partition| (partition, Some(ErrorCode::UnknownTopicOrPartition)))
            .collect();
        if found.is_none() || !refused.is_empty() {
            unknown.push((topic.name.clone(), refused));
        }
        let kept = commit_topic(version, topic, topic_id, exists);
        if !kept.partitions.is_empty() {
            topics.push(kept);
        }
    }
    let commit = Commit {
        group_id: request.group_id.to_string(),
        member_id: request.member_id.to_string(),
        instance_id: owned(request.group_instance_id.as_ref()),
        generation: request.generation_id_or_member_epoch,
        retention_ms: (version < 5 && request.retention_time_ms != -1).then_some(request.retention_time_ms),
        tells_unknown_group: version >= 9,
        topics,
    };
    (commit, unknown)
}

fn commit_topic(
    version: i16,
    topic: OffsetCommitRequestTopic,
    topic_id: TopicId,
    exists: impl Fn(i32) -> bool,
) -> CommitTopic {
    let partitions = topic.partitions.into_iter().filter(|partition| exists(partition.partition_index));
    let partitions = partitions.map(|partition| CommitPartition {
        partition: partition.partition_index,
        offset: partition.committed_offset,
        leader_epoch: if version < 6 { -1 } else { partition.committed_leader_epoch },
        metadata: owned(partition.committed_metadata.as_ref()),
    });
    CommitTopic { topic: topic.name.as_str().into(), topic_id, partitions: partitions.collect() }
}

fn asked_of(topic: &CommitTopic) -> (TopicName, Vec<i32>) {
    let name = StrBytes::from_string(topic.topic.to_string());
    (TopicName(name), topic.partitions.iter().map(|partition| partition.partition).collect())
}

/// The group's verdicts; an error for the whole request is one for each partition.
fn verdicts(asked: Vec<(TopicName, Vec<i32>)>, result: Result<Vec<CommittedTopic>, ErrorCode>) -> Verdicts {
    match result {
        Ok(topics) => {
            asked.into_iter().zip(topics).map(|((name, _), topic)| (name, topic.partitions)).collect()
        }
        Err(error) => asked
            .into_iter()
            .map(|(name, partitions)| {
                (name, partitions.into_iter().map(|partition| (partition, Some(error))).collect())
            })
            .collect(),
    }
}

/// What was refused here, then what the group said: one entry a topic. What the group said alone stays as it was
/// asked, as with Kafka.
fn merged(mut all: Verdicts, of_group: Verdicts) -> Verdicts {
    if all.is_empty() {
        return of_group;
    }
    let mut places: HashMap<TopicName, usize> = HashMap::new();
    for (place, (name, _)) in all.iter().enumerate() {
        places.entry(name.clone()).or_insert(place);
    }
    for (name, partitions) in of_group {
        if let Some((_, known)) = places.get(&name).and_then(|place| all.get_mut(*place)) {
            known.extend(partitions);
        } else {
            places.insert(name.clone(), all.len());
            all.push((name, partitions));
        }
    }
    all
}

fn respond(verdicts: Verdicts) -> OffsetCommitResponse {
    let topics = verdicts.into_iter().map(|(name, partitions)| {
        let partitions = partitions.into_iter().map(|(partition, error)| {
            OffsetCommitResponsePartition::default()
                .with_partition_index(partition)
                .with_error_code(code(error))
        });
        OffsetCommitResponseTopic::default().with_name(name).with_partitions(partitions.collect())
    });
    OffsetCommitResponse::default().with_topics(topics.collect())
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::offset_commit_request::OffsetCommitRequestPartition;

    use super::*;
    use crate::api::groups::in_every_version;

    fn named(name: &str) -> TopicName {
        TopicName(StrBytes::from_string(name.into()))
    }

    #[test]
    fn partitions_that_do_not_exist_are_refused_and_never_reach_the_group() {
        let partition = |index| OffsetCommitRequestPartition::default().with_partition_index(index);
        let topic = |name| {
            let partitions = vec![partition(0), partition(1), partition(-1)];
            OffsetCommitRequestTopic::default().with_name(named(name)).with_partitions(partitions)
        };
        let request = OffsetCommitRequest::default().with_topics(vec![topic("gone"), topic("here")]);
        let id = TopicId::random();
        let (commit, unknown) = commit(9, request, |name| (name == "here").then_some((id, 1)));
        let refused = |partition| (partition, Some(ErrorCode::UnknownTopicOrPartition));
        let expected = [
            (named("gone"), vec![refused(0), refused(1), refused(-1)]),
            (named("here"), vec![refused(1), refused(-1)]),
        ];
        assert_eq!(unknown, expected);
        assert_eq!((commit.topics.len(), commit.topics[0].topic_id), (1, id));
        assert_eq!(commit.topics[0].partitions.len(), 1);
    }

    #[test]
    fn fields_count_in_the_versions_that_have_them() {
        let request = || OffsetCommitRequest::default().with_retention_time_ms(5);
        let retention = |version, request| commit(version, request, |_| None).0.retention_ms;
        assert_eq!((retention(4, request()), retention(5, request())), (Some(5), None));
        assert_eq!(retention(4, OffsetCommitRequest::default().with_retention_time_ms(-1)), None);
        let tells = |version| commit(version, request(), |_| None).0.tells_unknown_group;
        assert_eq!((tells(8), tells(9)), (false, true));
        let partition = || OffsetCommitRequestPartition::default().with_committed_leader_epoch(4);
        let topic = || OffsetCommitRequestTopic::default().with_partitions(vec![partition()]);
        let epoch =
            |version| commit_topic(version, topic(), TopicId::ZERO, |_| true).partitions[0].leader_epoch;
        assert_eq!((epoch(5), epoch(6)), (-1, 4));
    }

    #[test]
    fn an_error_for_all_is_told_for_each_partition_beside_what_was_refused_before() {
        let unknown = vec![(named("a"), vec![(7, Some(ErrorCode::UnknownTopicOrPartition))])];
        let asked = vec![(named("a"), vec![0]), (named("b"), vec![1, 2])];
        let all = merged(unknown, verdicts(asked, Err(ErrorCode::IllegalGeneration)));
        for response in in_every_version(2..=9, |_| respond(all.clone())) {
            let told: Vec<_> = response
                .topics
                .iter()
                .map(|topic| {
                    topic.partitions.iter().map(|p| (p.partition_index, p.error_code)).collect::<Vec<_>>()
                })
                .collect();
            assert_eq!(told, [vec![(7, 3), (0, 22)], vec![(1, 22), (2, 22)]]);
        }
    }
}
