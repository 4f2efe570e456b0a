//! OffsetFetch, versions 1–10 (all topics and a group error from 2, KIP-320 leader epochs from 5, KIP-447 stable
//! offsets from 7, KIP-709 several groups from 8, KIP-848 topic ids instead of names from 10). What was committed is
//! told, but not of an older topic of the name.

use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use super::groups::{Told, code, once, reply, reply_all};
use super::{Context, Reply};
use crate::controller::image::Image;
use crate::coordinator::command::{Fetch, FetchedPartition, FetchedTopic};
use crate::types::{ErrorCode, TopicId};
use crate::wire::messages::offset_fetch::{
    OffsetFetchRequestGroup, OffsetFetchResponseGroup, OffsetFetchResponsePartition,
    OffsetFetchResponsePartitions, OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use crate::wire::messages::{OffsetFetchRequest, OffsetFetchResponse};

/// First version that asks for several groups.
const GROUPS_FROM: i16 = 8;
/// First version with a place for a group's error.
const GROUP_ERROR_FROM: i16 = 2;
/// First version that names topics by id.
const TOPIC_IDS_FROM: i16 = 10;
/// What a topic or a partition takes in memory besides what its strings hold, about.
const ENTRY_BYTES: usize = 128;

/// Tells what groups have committed.
pub(super) fn handle(context: Context, request: OffsetFetchRequest) -> Reply<OffsetFetchResponse> {
    let coordinator = &context.broker.coordinator;
    let image = context.broker.controller.image();
    let version = context.version;
    if version < GROUPS_FROM {
        let fetch = fetch_one(version, &request);
        let asked = fetch.clone();
        let answer = coordinator.fetch(fetch, context.now);
        return reply(answer, move |result| {
            let result = Told::new(vec![result], |topics| bytes(topics)).tell(0);
            respond_one(version, &asked, result.map(|topics| of_current_topics(topics, &image)))
        });
    }
    let asked = request.groups.into_iter().map(|group| asked(version, group, request.require_stable, &image));
    let (groups, fetches): (Vec<_>, Vec<_>) = asked.unzip();
    let (fetches, places) = once(fetches);
    let answers = fetches.into_iter().map(|fetch| coordinator.fetch(fetch, context.now));
    reply_all(answers.collect(), move |results| {
        let told = Told::new(results, |topics| bytes(topics));
        respond_groups(version, groups.into_iter().zip(places), told, &image)
    })
}

/// About how large these offsets are in an answer.
fn bytes(topics: &[FetchedTopic]) -> usize {
    let of_topic = |topic: &FetchedTopic| {
        let partitions = topic.partitions.iter().map(|partition| ENTRY_BYTES + partition.metadata.len());
        ENTRY_BYTES + topic.topic.len() + partitions.sum::<usize>()
    };
    topics.iter().map(of_topic).sum()
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

/// A group of a request, and what is known about its answer already.
struct AskedGroup {
    id: StrBytes,
    /// The refusals of topic ids that nobody has: they stand behind what is known, as with Kafka.
    unknown: Vec<OffsetFetchResponseTopics>,
}

fn asked(
    version: i16,
    group: OffsetFetchRequestGroup,
    require_stable: bool,
    image: &Image,
) -> (AskedGroup, Fetch) {
    let mut unknown = Vec::new();
    let topics = group.topics.map(|topics| {
        let mut known = Vec::with_capacity(topics.len());
        for topic in topics {
            if version < TOPIC_IDS_FROM {
                known.push((topic.name.as_str().into(), topic.partition_indexes));
            } else if let Some(found) = image.topic_by_id(TopicId(topic.topic_id)) {
                known.push((found.name.clone(), topic.partition_indexes));
            } else {
                let refused = refused(&topic.partition_indexes, ErrorCode::UnknownTopicId);
                unknown.push(group_topic(StrBytes::default(), topic.topic_id, refused));
            }
        }
        known
    });
    let fetch = Fetch { group_id: group.group_id.to_string(), topics, require_stable };
    (AskedGroup { id: group.group_id, unknown }, fetch)
}

/// Version 1 has no place for an error of the group, so each partition gets it.
fn respond_one(
    version: i16,
    asked: &Fetch,
    result: Result<Vec<FetchedTopic>, ErrorCode>,
) -> OffsetFetchResponse {
    let topics = match result {
        Ok(topics) => topics,
        Err(error) if version >= GROUP_ERROR_FROM => {
            return OffsetFetchResponse { error_code: error.code(), ..OffsetFetchResponse::default() };
        }
        Err(error) => {
            let topics = asked.topics.iter().flatten();
            let refused = |(topic, partitions): &(_, Vec<i32>)| FetchedTopic {
                topic: Clone::clone(topic),
                partitions: refused(partitions, error),
            };
            topics.map(refused).collect()
        }
    };
    let topics = topics.into_iter().map(|topic| {
        let partitions = topic.partitions.into_iter().map(|partition| OffsetFetchResponsePartition {
            partition_index: partition.partition,
            committed_offset: partition.offset,
            committed_leader_epoch: partition.leader_epoch,
            metadata: Some(StrBytes::from_string(partition.metadata.to_string())),
            error_code: code(partition.error),
        });
        OffsetFetchResponseTopic { name: name(&topic.topic), partitions: partitions.collect() }
    });
    OffsetFetchResponse { topics: topics.collect(), ..OffsetFetchResponse::default() }
}

fn refused(partitions: &[i32], error: ErrorCode) -> Vec<FetchedPartition> {
    let refused = |partition: &i32| FetchedPartition {
        topic_id: TopicId::ZERO,
        partition: *partition,
        offset: -1,
        leader_epoch: -1,
        metadata: "".into(),
        error: Some(error),
    };
    partitions.iter().map(refused).collect()
}

fn respond_groups(
    version: i16,
    groups: impl Iterator<Item = (AskedGroup, usize)>,
    mut told: Told<Vec<FetchedTopic>>,
    image: &Image,
) -> OffsetFetchResponse {
    let groups = groups.map(|(group, place)| {
        let result = told.tell(place);
        let response = OffsetFetchResponseGroup { group_id: group.id, ..OffsetFetchResponseGroup::default() };
        match result {
            Ok(found) => {
                let mut topics = known_topics(version, found, image);
                topics.extend(group.unknown);
                OffsetFetchResponseGroup { topics, ..response }
            }
            Err(error) => OffsetFetchResponseGroup { error_code: error.code(), ..response },
        }
    });
    OffsetFetchResponse { groups: groups.collect(), ..OffsetFetchResponse::default() }
}

/// Where topics are told by id, one that is gone cannot be told.
fn known_topics(version: i16, found: Vec<FetchedTopic>, image: &Image) -> Vec<OffsetFetchResponseTopics> {
    let found = of_current_topics(found, image).into_iter().filter_map(|topic| {
        let id = image.topic(&topic.topic).map(|current| current.id.0);
        let id = if version < TOPIC_IDS_FROM { Uuid::nil() } else { id? };
        Some(group_topic(name(&topic.topic), id, topic.partitions))
    });
    found.collect()
}

/// The name or the id is left out where the version has no place for it.
fn group_topic(
    name: StrBytes,
    topic_id: Uuid,
    partitions: Vec<FetchedPartition>,
) -> OffsetFetchResponseTopics {
    let partitions = partitions.into_iter().map(|partition| OffsetFetchResponsePartitions {
        partition_index: partition.partition,
        committed_offset: partition.offset,
        committed_leader_epoch: partition.leader_epoch,
        metadata: Some(StrBytes::from_string(partition.metadata.to_string())),
        error_code: code(partition.error),
    });
    OffsetFetchResponseTopics { name, topic_id, partitions: partitions.collect() }
}

fn name(topic: &str) -> StrBytes {
    StrBytes::from_string(topic.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::groups::in_every_version;
    use crate::controller::testing::image_of;
    use crate::wire::messages::offset_fetch::{OffsetFetchRequestTopic, OffsetFetchRequestTopics};

    fn one() -> Fetch {
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
            (1..).zip(in_every_version(1..=7, |version| respond_one(version, &one(), Ok(found()))))
        {
            let partition = &response.topics[0].partitions[0];
            assert_eq!((partition.committed_offset, partition.metadata.as_deref()), (9, Some("note")));
            assert_eq!(partition.committed_leader_epoch, if version < 5 { -1 } else { 2 }, "v{version}");
        }
        let (image, id) = image_of("t", 1);
        let groups = |version| {
            let group = || AskedGroup { id: StrBytes::default(), unknown: Vec::new() };
            let told = Told::new(vec![Ok(found()), Err(ErrorCode::NotCoordinator)], |topics| bytes(topics));
            respond_groups(version, [(group(), 0), (group(), 1)].into_iter(), told, &image)
        };
        for (version, response) in (8..).zip(in_every_version(8..=10, groups)) {
            let topic = &response.groups[0].topics[0];
            assert_eq!(topic.partitions[0].committed_offset, 9);
            let expected = if version < 10 { ("t", Uuid::nil()) } else { ("", id.0) };
            assert_eq!((&*topic.name, topic.topic_id), expected);
            assert_eq!((response.groups[0].error_code, response.groups[1].error_code), (0, 16));
        }
    }

    #[test]
    fn a_groups_error_stands_where_the_version_has_a_place_for_it() {
        let refusal = |version| respond_one(version, &one(), Err(ErrorCode::CoordinatorLoadInProgress));
        let mut responses = in_every_version(1..=7, refusal).into_iter();
        let first = responses.next().unwrap();
        let told: Vec<_> =
            first.topics[0].partitions.iter().map(|p| (p.committed_offset, p.error_code)).collect();
        assert_eq!(told, [(-1, 14), (-1, 14)]);
        assert!(responses.all(|response| response.error_code == 14 && response.topics.is_empty()));
    }

    #[test]
    fn no_topics_means_all_and_an_empty_list_means_none() {
        let request = |topics| OffsetFetchRequest { topics, ..OffsetFetchRequest::default() };
        assert_eq!(fetch_one(7, &request(None)).topics, None);
        assert_eq!(fetch_one(7, &request(Some(Vec::new()))).topics, Some(Vec::new()));
        let some = OffsetFetchRequestTopic { name: name("t"), partition_indexes: vec![3] };
        let some = OffsetFetchRequest { require_stable: true, ..request(Some(vec![some])) };
        let fetch = fetch_one(6, &some);
        assert_eq!((fetch.topics, fetch.require_stable), (Some(vec![("t".into(), vec![3])]), false));
        assert!(fetch_one(7, &some).require_stable);
    }

    #[test]
    fn from_version_10_on_an_id_that_no_topic_has_is_refused_behind_those_that_are_known() {
        let (image, id) = image_of("t", 1);
        let topic = |topic_id| OffsetFetchRequestTopics {
            topic_id,
            partition_indexes: vec![0],
            ..OffsetFetchRequestTopics::default()
        };
        let unknown = Uuid::from_u128(7);
        let topics = Some(vec![topic(unknown), topic(id.0)]);
        let (group, fetch) = asked(
            10,
            OffsetFetchRequestGroup { topics, ..OffsetFetchRequestGroup::default() },
            false,
            &image,
        );
        assert_eq!(fetch.topics, Some(vec![("t".into(), vec![0])]));
        let told = Told::new(vec![Ok(found())], |topics| bytes(topics));
        let response = respond_groups(10, [(group, 0)].into_iter(), told, &image);
        let topics = response.groups[0].topics.iter();
        let told: Vec<_> = topics.map(|topic| (topic.topic_id, topic.partitions[0].error_code)).collect();
        assert_eq!(told, [(id.0, 0), (unknown, 100)]);
    }

    #[test]
    fn an_offset_of_an_older_topic_of_the_name_is_not_told() {
        let (image, id) = image_of("t", 1);
        let told = |topic: &str, topic_id| {
            let mut found = found();
            found[0].topic = topic.into();
            found[0].partitions[0].topic_id = topic_id;
            of_current_topics(found, &image)[0].partitions[0].offset
        };
        assert_eq!([told("t", id), told("t", TopicId::ZERO), told("t", TopicId::random())], [9, 9, -1]);
        assert_eq!(told("unknown", TopicId::random()), 9);
    }

    #[test]
    fn a_topic_that_is_gone_has_no_id_to_be_told_by() {
        let (image, _) = image_of("other", 1);
        assert_eq!(known_topics(9, found(), &image).len(), 1);
        assert!(known_topics(10, found(), &image).is_empty());
    }
}
