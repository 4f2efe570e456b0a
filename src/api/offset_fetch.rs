//! OffsetFetch, versions 1–9 (all topics and a group error from 2, KIP-320 leader epochs from 5, KIP-447 stable
//! offsets from 7, KIP-709 several groups from 8). What was committed is told, but not of an older topic of the name.

use kafka_protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use kafka_protocol::messages::{GroupId, OffsetFetchRequest, OffsetFetchResponse, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::groups::{code, reply, reply_all};
use super::{Context, Reply};
use crate::controller::image::Image;
use crate::coordinator::command::{Fetch, FetchedPartition, FetchedTopic};
use crate::types::{ErrorCode, TopicId};

/// First version that asks for several groups.
const GROUPS_FROM: i16 = 8;
/// First version with a place for a group's error.
const GROUP_ERROR_FROM: i16 = 2;

/// Tells what groups have committed.
pub(super) fn handle(context: Context, request: OffsetFetchRequest) -> Reply<OffsetFetchResponse> {
    let coordinator = &context.broker.coordinator;
    let image = context.broker.controller.image();
    let version = context.version;
    if version < GROUP_ERROR_FROM && request.topics.is_none() {
        // The version has no null, which the decoder lets through: Kafka closes the connection.
        return Reply::Close("the topics are null".to_owned());
    }
    if version < GROUPS_FROM {
        let fetch = fetch_one(version, &request);
        let asked = fetch.clone();
        let answer = coordinator.fetch(fetch, context.now);
        return reply(answer, move |result| {
            respond_one(version, &asked, result.map(|topics| of_current_topics(topics, &image)))
        });
    }
    let fetches = fetch_groups(&request);
    let ids: Vec<GroupId> = request.groups.into_iter().map(|group| group.group_id).collect();
    let answers = fetches.into_iter().map(|fetch| coordinator.fetch(fetch, context.now));
    reply_all(answers.collect(), move |results| {
        let results = results.into_iter();
        let current = results.map(|result| result.map(|topics| of_current_topics(topics, &image)));
        respond_groups(ids, current.collect())
    })
}

/// Takes away the offsets that were committed for an older topic of the same name, as Kafka does: its deletion and
/// a commit, or a crash, may cross.
fn of_current_topics(mut topics: Vec<FetchedTopic>, image: &Image) -> Vec<FetchedTopic> {
    for topic in &mut topics {
        let Some(current) = image.topic(&topic.topic) else { continue };
        let others = |partition: &&mut FetchedPartition| {
            partition.topic_id != TopicId::ZERO && partition.topic_id != current.id
        };
        for partition in topic.partitions.iter_mut().filter(others) {
            (partition.offset, partition.leader_epoch, partition.metadata) = (-1, -1, "".into());
        }
    }
    topics
}

fn fetch_one(version: i16, request: &OffsetFetchRequest) -> Fetch {
    let topics = request.topics.as_ref().map(|topics| {
        let topics = topics.iter();
        topics.map(|topic| (topic.name.as_str().into(), topic.partition_indexes.clone())).collect()
    });
    Fetch {
        group_id: request.group_id.to_string(),
        topics,
        require_stable: version >= 7 && request.require_stable,
    }
}

fn fetch_groups(request: &OffsetFetchRequest) -> Vec<Fetch> {
    let groups = request.groups.iter().map(|group| Fetch {
        group_id: group.group_id.to_string(),
        topics: group.topics.as_ref().map(|topics| {
            let topics = topics.iter();
            topics.map(|topic| (topic.name.as_str().into(), topic.partition_indexes.clone())).collect()
        }),
        require_stable: request.require_stable,
    });
    groups.collect()
}

/// Version 1 has no place for an error of the group, so each partition gets it.
fn respond_one(
    version: i16,
    asked: &Fetch,
    result: Result<Vec<FetchedTopic>, ErrorCode>,
) -> OffsetFetchResponse {
    let response = OffsetFetchResponse::default();
    let topics = match result {
        Ok(topics) => topics,
        Err(error) if version >= GROUP_ERROR_FROM => return response.with_error_code(error.code()),
        Err(error) => refused(asked, error),
    };
    let topics = topics.into_iter().map(|topic| {
        let partitions = topic.partitions.into_iter().map(|partition| {
            OffsetFetchResponsePartition::default()
                .with_partition_index(partition.partition)
                .with_committed_offset(partition.offset)
                .with_committed_leader_epoch(partition.leader_epoch)
                .with_metadata(Some(StrBytes::from_string(partition.metadata.to_string())))
                .with_error_code(code(partition.error))
        });
        OffsetFetchResponseTopic::default()
            .with_name(name(&topic.topic))
            .with_partitions(partitions.collect())
    });
    response.with_topics(topics.collect())
}

fn refused(asked: &Fetch, error: ErrorCode) -> Vec<FetchedTopic> {
    let topics = asked.topics.iter().flatten().map(|(topic, partitions)| FetchedTopic {
        topic: topic.clone(),
        partitions: partitions
            .iter()
            .map(|partition| FetchedPartition {
                topic_id: TopicId::ZERO,
                partition: *partition,
                offset: -1,
                leader_epoch: -1,
                metadata: "".into(),
                error: Some(error),
            })
            .collect(),
    });
    topics.collect()
}

fn respond_groups(
    ids: Vec<GroupId>,
    results: Vec<Result<Vec<FetchedTopic>, ErrorCode>>,
) -> OffsetFetchResponse {
    let groups = ids.into_iter().zip(results).map(|(id, result)| {
        let group = OffsetFetchResponseGroup::default().with_group_id(id);
        match result {
            Ok(topics) => group.with_topics(topics.into_iter().map(group_topic).collect()),
            Err(error) => group.with_error_code(error.code()),
        }
    });
    OffsetFetchResponse::default().with_groups(groups.collect())
}

fn group_topic(topic: FetchedTopic) -> OffsetFetchResponseTopics {
    let partitions = topic.partitions.into_iter().map(|partition| {
        OffsetFetchResponsePartitions::default()
            .with_partition_index(partition.partition)
            .with_committed_offset(partition.offset)
            .with_committed_leader_epoch(partition.leader_epoch)
            .with_metadata(Some(StrBytes::from_string(partition.metadata.to_string())))
            .with_error_code(code(partition.error))
    });
    OffsetFetchResponseTopics::default().with_name(name(&topic.topic)).with_partitions(partitions.collect())
}

fn name(topic: &str) -> TopicName {
    TopicName(StrBytes::from_string(topic.to_owned()))
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestTopic;

    use super::*;
    use crate::api::groups::in_every_version;
    use crate::controller::command::NewTopic;

    fn asked() -> Fetch {
        Fetch { group_id: "g".into(), topics: Some(vec![("t".into(), vec![0, 1])]), require_stable: false }
    }

    fn found() -> Vec<FetchedTopic> {
        let partition = FetchedPartition {
            topic_id: TopicId::ZERO,
            partition: 0,
            offset: 9,
            leader_epoch: 2,
            metadata: "note".into(),
            error: None,
        };
        vec![FetchedTopic { topic: "t".into(), partitions: vec![partition] }]
    }

    #[test]
    fn an_offset_can_be_told_in_every_version() {
        for (version, response) in
            (1..).zip(in_every_version(1..=7, |version| respond_one(version, &asked(), Ok(found()))))
        {
            let partition = &response.topics[0].partitions[0];
            assert_eq!((partition.committed_offset, partition.metadata.as_deref()), (9, Some("note")));
            assert_eq!(partition.committed_leader_epoch, if version < 5 { -1 } else { 2 }, "v{version}");
        }
        let groups = |_| {
            respond_groups(vec![GroupId::default(); 2], vec![Ok(found()), Err(ErrorCode::NotCoordinator)])
        };
        for response in in_every_version(8..=9, groups) {
            assert_eq!(response.groups[0].topics[0].partitions[0].committed_offset, 9);
            assert_eq!((response.groups[0].error_code, response.groups[1].error_code), (0, 16));
        }
    }

    #[test]
    fn a_groups_error_stands_where_the_version_has_a_place_for_it() {
        let refusal = |version| respond_one(version, &asked(), Err(ErrorCode::CoordinatorLoadInProgress));
        let mut responses = in_every_version(1..=7, refusal).into_iter();
        let first = responses.next().unwrap();
        let told: Vec<_> =
            first.topics[0].partitions.iter().map(|p| (p.committed_offset, p.error_code)).collect();
        assert_eq!(told, [(-1, 14), (-1, 14)]);
        assert!(responses.all(|response| response.error_code == 14 && response.topics.is_empty()));
    }

    #[test]
    fn no_topics_means_all_and_an_empty_list_means_none() {
        let all = OffsetFetchRequest::default().with_topics(None);
        assert_eq!(fetch_one(7, &all).topics, None);
        let none = OffsetFetchRequest::default().with_topics(Some(Vec::new()));
        assert_eq!(fetch_one(7, &none).topics, Some(Vec::new()));
        let some = OffsetFetchRequestTopic::default().with_name(name("t")).with_partition_indexes(vec![3]);
        let some = OffsetFetchRequest::default().with_topics(Some(vec![some])).with_require_stable(true);
        let fetch = fetch_one(6, &some);
        assert_eq!((fetch.topics, fetch.require_stable), (Some(vec![("t".into(), vec![3])]), false));
        assert!(fetch_one(7, &some).require_stable);
    }

    #[tokio::test]
    async fn an_offset_of_an_older_topic_of_the_name_is_not_told() {
        let (controller, _dir) = crate::controller::testing::controller();
        let topic =
            NewTopic { name: "t".into(), partitions: 1, replication_factor: 1, ..NewTopic::default() };
        let id = controller.ensure_topic(topic).await.unwrap().id;
        let told = |topic: &str, topic_id| {
            let mut found = found();
            found[0].topic = topic.into();
            found[0].partitions[0].topic_id = topic_id;
            of_current_topics(found, &controller.image())[0].partitions[0].offset
        };
        assert_eq!([told("t", id), told("t", TopicId::ZERO), told("t", TopicId::random())], [9, 9, -1]);
        assert_eq!(told("unknown", TopicId::random()), 9);
    }
}
