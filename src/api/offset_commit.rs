//! OffsetCommit, versions 2–10 (retention in 2–4, KIP-320 leader epochs from 6, KIP-345 static members from 7,
//! KIP-848 error codes from 9 and topic ids instead of names from 10). Partitions that do not exist are refused here,
//! the rest is the group's to decide.

use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use super::groups::{Verdicts, code, merged, owned, reply};
use super::{Context, Reply};
use crate::controller::image::{Image, TopicImage};
use crate::coordinator::command::{Commit, CommitPartition, CommitTopic, CommittedTopic};
use crate::types::{ErrorCode, TopicId};
use crate::wire::messages::offset_commit::{
    OffsetCommitRequestTopic, OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use crate::wire::messages::{OffsetCommitRequest, OffsetCommitResponse};

/// First version that names topics by id.
const TOPIC_IDS_FROM: i16 = 10;

/// A topic as the request names it: by name with a zero id, or by id with an empty name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Named {
    name: StrBytes,
    id: Uuid,
}

/// A request taken apart.
#[derive(Default)]
struct Asked {
    commit: Commit,
    /// The topics of `commit` as the request names them, with their partitions.
    topics: Vec<(Named, Vec<i32>)>,
    /// The refusals of what does not exist.
    unknown: Verdicts<Named>,
}

/// Commits offsets; the answer comes when they are recorded.
pub(super) fn handle(context: Context, request: OffsetCommitRequest) -> Reply<OffsetCommitResponse> {
    let asked = asked(context.version, request, &context.broker.controller.image());
    if asked.commit.topics.is_empty() {
        return Reply::Now(respond(asked.unknown));
    }
    let answer = context.broker.coordinator.commit(asked.commit, context.now);
    reply(answer, move |result| respond(merged(asked.unknown, verdicts(asked.topics, result))))
}

fn asked(version: i16, request: OffsetCommitRequest, image: &Image) -> Asked {
    let commit = Commit {
        group_id: request.group_id.to_string(),
        member_id: request.member_id.to_string(),
        instance_id: owned(request.group_instance_id.as_ref()),
        generation: request.generation_id_or_member_epoch,
        retention_ms: (version < 5 && request.retention_time_ms != -1).then_some(request.retention_time_ms),
        tells_unknown_group: version >= 9,
        topics: Vec::with_capacity(request.topics.len()),
    };
    let mut asked = Asked { commit, ..Asked::default() };
    for topic in request.topics {
        let named = Named { name: topic.name.clone(), id: topic.topic_id };
        let found = if version < TOPIC_IDS_FROM {
            image.topic(&named.name)
        } else {
            image.topic_by_id(TopicId(named.id))
        };
        asked.take_apart(named, &topic, found.map(|found| &**found), version);
    }
    asked
}

impl Asked {
    fn take_apart(
        &mut self,
        named: Named,
        topic: &OffsetCommitRequestTopic,
        found: Option<&TopicImage>,
        version: i16,
    ) {
        let exists = |partition: i32| found.is_some_and(|found| found.partition(partition).is_some());
        let unknown = if found.is_none() && version >= TOPIC_IDS_FROM {
            ErrorCode::UnknownTopicId
        } else {
            ErrorCode::UnknownTopicOrPartition
        };
        let all = topic.partitions.iter().map(|partition| partition.partition_index);
        let (kept, refused): (Vec<i32>, Vec<i32>) = all.partition(|partition| exists(*partition));
        if found.is_none() || !refused.is_empty() {
            let refused = refused.into_iter().map(|partition| (partition, Some(unknown)));
            self.unknown.push((named.clone(), refused.collect()));
        }
        if let Some(found) = found.filter(|_| !kept.is_empty()) {
            self.commit.topics.push(commit_topic(version, topic, found));
            self.topics.push((named, kept));
        }
    }
}

fn commit_topic(version: i16, topic: &OffsetCommitRequestTopic, found: &TopicImage) -> CommitTopic {
    let partitions = topic.partitions.iter();
    let partitions = partitions.filter(|partition| found.partition(partition.partition_index).is_some());
    let partitions = partitions.map(|partition| CommitPartition {
        partition: partition.partition_index,
        offset: partition.committed_offset,
        leader_epoch: if version < 6 { -1 } else { partition.committed_leader_epoch },
        metadata: owned(partition.committed_metadata.as_ref()),
    });
    CommitTopic { topic: found.name.clone(), topic_id: found.id, partitions: partitions.collect() }
}

/// The group's verdicts; an error for the whole request is one for each partition.
fn verdicts(
    asked: Vec<(Named, Vec<i32>)>,
    result: Result<Vec<CommittedTopic>, ErrorCode>,
) -> Verdicts<Named> {
    match result {
        Ok(topics) => {
            asked.into_iter().zip(topics).map(|((named, _), topic)| (named, topic.partitions)).collect()
        }
        Err(error) => asked
            .into_iter()
            .map(|(named, partitions)| {
                (named, partitions.into_iter().map(|partition| (partition, Some(error))).collect())
            })
            .collect(),
    }
}

/// Ids and names stand in the versions that have them: the other one is left out.
fn respond(verdicts: Verdicts<Named>) -> OffsetCommitResponse {
    let topics = verdicts.into_iter().map(|(named, partitions)| {
        let partitions = partitions.into_iter().map(|(partition_index, error)| {
            OffsetCommitResponsePartition { partition_index, error_code: code(error) }
        });
        OffsetCommitResponseTopic { name: named.name, topic_id: named.id, partitions: partitions.collect() }
    });
    OffsetCommitResponse { throttle_time_ms: 0, topics: topics.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::groups::in_every_version;
    use crate::controller::testing::image_of;
    use crate::wire::messages::offset_commit::OffsetCommitRequestPartition;

    fn named(name: &'static str) -> Named {
        Named { name: StrBytes::from_static_str(name), id: Uuid::nil() }
    }

    fn partition(partition_index: i32) -> OffsetCommitRequestPartition {
        OffsetCommitRequestPartition { partition_index, ..OffsetCommitRequestPartition::default() }
    }

    fn topic(named: Named, partitions: &[i32]) -> OffsetCommitRequestTopic {
        let partitions = partitions.iter().map(|index| partition(*index)).collect();
        OffsetCommitRequestTopic { name: named.name, topic_id: named.id, partitions }
    }

    fn request(topics: Vec<OffsetCommitRequestTopic>) -> OffsetCommitRequest {
        OffsetCommitRequest { topics, ..OffsetCommitRequest::default() }
    }

    #[test]
    fn partitions_that_do_not_exist_are_refused_and_never_reach_the_group() {
        let (image, id) = image_of("here", 1);
        let topics = vec![topic(named("gone"), &[0, 1, -1]), topic(named("here"), &[0, 1, -1])];
        let asked = asked(9, request(topics), &image);
        let refused = |partition| (partition, Some(ErrorCode::UnknownTopicOrPartition));
        let expected = [
            (named("gone"), vec![refused(0), refused(1), refused(-1)]),
            (named("here"), vec![refused(1), refused(-1)]),
        ];
        assert_eq!(asked.unknown, expected);
        assert_eq!((asked.commit.topics.len(), asked.commit.topics[0].topic_id), (1, id));
        assert_eq!(asked.commit.topics[0].partitions.len(), 1);
        assert_eq!(asked.topics, [(named("here"), vec![0])]);
    }

    #[test]
    fn from_version_10_on_a_topic_is_known_by_its_id_alone() {
        let (image, id) = image_of("here", 1);
        let by_id = |id: Uuid| Named { name: StrBytes::default(), id };
        let (here, gone) = (by_id(id.0), by_id(Uuid::from_u128(7)));
        let topics =
            vec![topic(gone.clone(), &[0]), topic(here.clone(), &[0, 3]), topic(by_id(Uuid::nil()), &[])];
        let asked = asked(10, request(topics), &image);
        let expected = [
            (gone, vec![(0, Some(ErrorCode::UnknownTopicId))]),
            (here.clone(), vec![(3, Some(ErrorCode::UnknownTopicOrPartition))]),
            (by_id(Uuid::nil()), vec![]),
        ];
        assert_eq!(asked.unknown, expected);
        assert_eq!(&*asked.commit.topics[0].topic, "here");
        let told = respond(vec![(here, vec![(0, None)])]);
        let told = in_every_version(10..=10, |_| told.clone());
        assert_eq!((told[0].topics[0].topic_id, told[0].topics[0].partitions[0].error_code), (id.0, 0));
    }

    #[test]
    fn fields_count_in_the_versions_that_have_them() {
        let (image, _) = image_of("here", 1);
        let retention = |version, retention_time_ms| {
            let request = OffsetCommitRequest { retention_time_ms, ..request(vec![]) };
            asked(version, request, &image).commit.retention_ms
        };
        assert_eq!((retention(4, 5), retention(5, 5), retention(4, -1)), (Some(5), None, None));
        let tells = |version| asked(version, request(vec![]), &image).commit.tells_unknown_group;
        assert_eq!((tells(8), tells(9)), (false, true));
        let epoch = |version| {
            let mut topic = topic(named("here"), &[0]);
            topic.partitions[0].committed_leader_epoch = 4;
            asked(version, request(vec![topic]), &image).commit.topics[0].partitions[0].leader_epoch
        };
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
