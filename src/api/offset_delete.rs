//! OffsetDelete, version 0 (KIP-496): deletes committed offsets, but not of topics that the group's members consume.

use kafka_protocol::messages::offset_delete_request::OffsetDeleteRequestTopic;
use kafka_protocol::messages::offset_delete_response::{
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use kafka_protocol::messages::{OffsetDeleteRequest, OffsetDeleteResponse, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::groups::{Verdicts, code, merged, reply};
use super::{Context, Reply};
use crate::controller::image::Image;
use crate::coordinator::command::{CommittedTopic, DeleteOffsets};
use crate::types::ErrorCode;

/// Deletes offsets; the answer comes when that is recorded.
pub(super) fn handle(context: Context, request: OffsetDeleteRequest) -> Reply<OffsetDeleteResponse> {
    let (topics, unknown) = take_apart(request.topics, &context.broker.controller.image());
    let delete = DeleteOffsets { group_id: request.group_id.to_string(), topics };
    let answer = context.broker.coordinator.delete_offsets(delete, context.now);
    reply(answer, move |result| respond(unknown, result))
}

/// What the group is asked, and the refusals of partitions that do not exist.
fn take_apart(
    topics: Vec<OffsetDeleteRequestTopic>,
    image: &Image,
) -> (Vec<(crate::types::TopicName, Vec<i32>)>, Verdicts<TopicName>) {
    let mut asked = Vec::with_capacity(topics.len());
    let mut unknown = Verdicts::new();
    for topic in topics {
        let found = image.topic(&topic.name);
        let exists = |partition: i32| found.is_some_and(|found| found.partition(partition).is_some());
        let all = topic.partitions.iter().map(|partition| partition.partition_index);
        let (kept, refused): (Vec<i32>, Vec<i32>) = all.partition(|partition| exists(*partition));
        if found.is_none() || !refused.is_empty() {
            let refused = refused.into_iter().map(|index| (index, Some(ErrorCode::UnknownTopicOrPartition)));
            unknown.push((topic.name.clone(), refused.collect()));
        }
        if !kept.is_empty() {
            asked.push((topic.name.as_str().into(), kept));
        }
    }
    (asked, unknown)
}

/// An error of the group stands alone, whatever was refused before.
fn respond(
    unknown: Verdicts<TopicName>,
    result: Result<Vec<CommittedTopic>, ErrorCode>,
) -> OffsetDeleteResponse {
    let of_group = match result {
        Err(error) => return OffsetDeleteResponse::default().with_error_code(error.code()),
        Ok(topics) => topics
            .into_iter()
            .map(|topic| (TopicName(StrBytes::from_string(topic.topic.to_string())), topic.partitions)),
    };
    let topics = merged(unknown, of_group.collect()).into_iter().map(|(name, partitions)| {
        let partitions = partitions.into_iter().map(|(index, error)| {
            OffsetDeleteResponsePartition::default().with_partition_index(index).with_error_code(code(error))
        });
        OffsetDeleteResponseTopic::default().with_name(name).with_partitions(partitions.collect())
    });
    OffsetDeleteResponse::default().with_topics(topics.collect())
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::offset_delete_request::OffsetDeleteRequestPartition;

    use super::*;
    use crate::api::groups::in_every_version;
    use crate::controller::testing::image_of;

    fn topic(name: &'static str, partitions: &[i32]) -> OffsetDeleteRequestTopic {
        let partitions = partitions
            .iter()
            .map(|index| OffsetDeleteRequestPartition::default().with_partition_index(*index));
        OffsetDeleteRequestTopic::default().with_name(named(name)).with_partitions(partitions.collect())
    }

    fn named(name: &'static str) -> TopicName {
        TopicName(StrBytes::from_static_str(name))
    }

    #[test]
    fn partitions_that_do_not_exist_are_refused_and_the_group_is_asked_for_the_rest() {
        let (image, _) = image_of("here", 2);
        let topics = vec![topic("here", &[0, 1, 2]), topic("gone", &[0]), topic("here", &[])];
        let (asked, unknown) = take_apart(topics, &image);
        assert_eq!(asked, [("here".into(), vec![0, 1])]);
        let of_group = CommittedTopic {
            topic: "here".into(),
            partitions: vec![(0, None), (1, Some(ErrorCode::GroupSubscribedToTopic))],
        };
        let response = &in_every_version(0..=0, |_| respond(unknown.clone(), Ok(vec![of_group.clone()])))[0];
        let told: Vec<_> = response
            .topics
            .iter()
            .map(|topic| {
                topic.partitions.iter().map(|p| (p.partition_index, p.error_code)).collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(told, [vec![(2, 3), (0, 0), (1, 86)], vec![(0, 3)]]);
    }

    #[test]
    fn an_error_of_the_group_stands_alone() {
        let unknown = vec![(named("gone"), vec![(0, Some(ErrorCode::UnknownTopicOrPartition))])];
        let response =
            &in_every_version(0..=0, |_| respond(unknown.clone(), Err(ErrorCode::GroupIdNotFound)))[0];
        assert_eq!((response.error_code, response.topics.len()), (69, 0));
    }
}
