//! `DescribeTopicPartitions`, version 0 (KIP-966): topics in the order of their names, a bounded number of partitions at a
//! time, and a cursor at which the next request goes on.

use std::collections::BTreeSet;

use kafka_protocol::messages::describe_topic_partitions_request::Cursor as Asked;
use kafka_protocol::messages::describe_topic_partitions_response::{
    Cursor, DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic,
};
use kafka_protocol::messages::{
    BrokerId, DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse, TopicName,
};
use kafka_protocol::protocol::StrBytes;

use super::{Context, OPERATIONS_UNASKED, Reply, TOPIC_OPERATIONS};
use crate::controller::image::{INTERNAL_TOPICS, Image, PartitionImage, TopicImage};
use crate::controller::names::check_topic_name;
use crate::types::{ErrorCode, NodeId};

/// Answers from the image.
pub(super) fn handle(
    context: Context,
    request: DescribeTopicPartitionsRequest,
) -> Reply<DescribeTopicPartitionsResponse> {
    let limit_max = context.broker.config.topics.max_request_partition_size_limit;
    Reply::Now(answer(&context.broker.controller.image(), limit_max, &request))
}

/// `limit_max` is `max.request.partition.size.limit`. At least one partition is told, whatever the limits are.
fn answer(
    image: &Image,
    limit_max: i32,
    request: &DescribeTopicPartitionsRequest,
) -> DescribeTopicPartitionsResponse {
    let names: BTreeSet<&str> = request.topics.iter().map(|topic| topic.name.as_str()).collect();
    let cursor = request.cursor.as_ref();
    if cursor.is_some_and(|cursor| !is_usable(cursor, &names)) {
        return refused(request);
    }
    let limit = usize::try_from(request.response_partition_limit.min(limit_max)).unwrap_or(0).max(1);
    let mut told = Told { response: DescribeTopicPartitionsResponse::default(), left: limit };
    let first = cursor.map_or("", |cursor| cursor.topic_name.as_str());
    let begin = |name: &str| cursor.filter(|_| name == first).map_or(0, |cursor| cursor.partition_index);
    if names.is_empty() {
        for topic in image.topics_from(first) {
            if !told.topic(topic, begin(&topic.name)) {
                break;
            }
        }
        return told.response;
    }
    for &name in names.range(first..) {
        let goes_on = match image.topic(name) {
            Some(topic) => told.topic(topic, begin(name)),
            None => told.missing(name),
        };
        if !goes_on {
            break;
        }
    }
    told.response
}

/// A cursor stands at one of the topics that are asked for, if only some are.
fn is_usable(cursor: &Asked, names: &BTreeSet<&str>) -> bool {
    let is_named = names.is_empty() || names.contains(cursor.topic_name.as_str());
    is_named && cursor.partition_index >= 0
}

/// `INVALID_REQUEST` for every topic, in the request's order.
fn refused(request: &DescribeTopicPartitionsRequest) -> DescribeTopicPartitionsResponse {
    let topics = request.topics.iter().map(|topic| {
        DescribeTopicPartitionsResponseTopic::default()
            .with_error_code(ErrorCode::InvalidRequest.code())
            .with_name(Some(topic.name.clone()))
            .with_topic_authorized_operations(OPERATIONS_UNASKED)
    });
    DescribeTopicPartitionsResponse::default().with_topics(topics.collect())
}

/// An answer that grows.
struct Told {
    response: DescribeTopicPartitionsResponse,
    /// Partitions that may still be told.
    left: usize,
}

impl Told {
    /// Tells a topic from the partition `begin` on; false when the answer is full.
    fn topic(&mut self, topic: &TopicImage, begin: i32) -> bool {
        if self.left == 0 {
            self.go_on_at(&topic.name, 0);
            return false;
        }
        let first = usize::try_from(begin).unwrap_or(usize::MAX);
        let rest = topic.partitions.iter().zip(0..).skip(first);
        let partitions: Vec<_> = rest.take(self.left).map(|(told, index)| partition(index, told)).collect();
        self.left = self.left.saturating_sub(partitions.len());
        let next = first.saturating_add(partitions.len());
        let response = DescribeTopicPartitionsResponseTopic::default()
            .with_name(Some(named(&topic.name)))
            .with_topic_id(topic.id.0)
            .with_is_internal(topic.internal)
            .with_partitions(partitions)
            .with_topic_authorized_operations(TOPIC_OPERATIONS);
        self.response.topics.push(response);
        let is_whole = next >= topic.partitions.len();
        if !is_whole {
            self.go_on_at(&topic.name, i32::try_from(next).unwrap_or(i32::MAX));
        }
        is_whole
    }

    /// Tells that there is no such topic; false when the answer is full.
    fn missing(&mut self, name: &str) -> bool {
        if self.left == 0 {
            self.go_on_at(name, 0);
            return false;
        }
        let code =
            check_topic_name(name).err().map_or(ErrorCode::UnknownTopicOrPartition, |error| error.code);
        let response = DescribeTopicPartitionsResponseTopic::default()
            .with_error_code(code.code())
            .with_name(Some(named(name)))
            .with_is_internal(INTERNAL_TOPICS.contains(&name))
            .with_topic_authorized_operations(TOPIC_OPERATIONS);
        self.response.topics.push(response);
        true
    }

    fn go_on_at(&mut self, name: &str, partition: i32) {
        let cursor = Cursor::default().with_topic_name(named(name)).with_partition_index(partition);
        self.response.next_cursor = Some(cursor);
    }
}

fn named(name: &str) -> TopicName {
    StrBytes::from_string(name.to_owned()).into()
}

fn partition(index: i32, partition: &PartitionImage) -> DescribeTopicPartitionsResponsePartition {
    let ids = |nodes: &[NodeId]| nodes.iter().map(|node| BrokerId(node.0)).collect::<Vec<_>>();
    DescribeTopicPartitionsResponsePartition::default()
        .with_partition_index(index)
        .with_leader_id(BrokerId(partition.leader.map_or(-1, |leader| leader.0)))
        .with_leader_epoch(partition.leader_epoch.0)
        .with_replica_nodes(ids(&partition.replicas))
        .with_isr_nodes(ids(&partition.isr))
        .with_eligible_leader_replicas(Some(ids(&partition.eligible)))
        .with_last_known_elr(Some(ids(&partition.last_known_eligible)))
        .with_offline_replicas(ids(partition.offline_replicas()))
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::describe_topic_partitions_request::TopicRequest;
    use kafka_protocol::protocol::Encodable;

    use super::*;
    use crate::controller::command::NewTopic;
    use crate::controller::image::Configs;
    use crate::controller::testing::controller;

    type Seen = Vec<(String, i16, Vec<i32>)>;

    fn request(names: &[&str], limit: i32, cursor: Option<(&str, i32)>) -> DescribeTopicPartitionsRequest {
        let topic = |name: &&str| TopicRequest::default().with_name(named(name));
        let cursor = cursor.map(|(name, partition)| {
            Asked::default().with_topic_name(named(name)).with_partition_index(partition)
        });
        DescribeTopicPartitionsRequest::default()
            .with_topics(names.iter().map(topic).collect())
            .with_response_partition_limit(limit)
            .with_cursor(cursor)
    }

    fn seen(response: &DescribeTopicPartitionsResponse) -> (Seen, Option<(String, i32)>) {
        response.encode(&mut bytes::BytesMut::new(), 0).unwrap();
        let topics = response.topics.iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|partition| partition.partition_index).collect();
            (topic.name.as_ref().unwrap().to_string(), topic.error_code, partitions)
        });
        let next = response.next_cursor.as_ref();
        (topics.collect(), next.map(|next| (next.topic_name.to_string(), next.partition_index)))
    }

    async fn image() -> std::sync::Arc<Image> {
        let (controller, _dir) = controller();
        for (name, partitions) in [("a", 2), ("b", 3), ("c", 1)] {
            controller.ensure_topic(NewTopic::named(name, partitions, &Configs::new())).await.unwrap();
        }
        controller.image()
    }

    /// All partitions that are told when each answer's cursor is followed.
    fn follow(image: &Image, names: &[&str], limit: i32) -> Vec<(String, i32)> {
        let (mut all, mut cursor) = (Vec::new(), None::<(String, i32)>);
        loop {
            let at = cursor.as_ref().map(|(name, partition)| (name.as_str(), *partition));
            let (topics, next) = seen(&answer(image, 5, &request(names, limit, at)));
            let told = topics.iter().map(|(_, _, partitions)| partitions.len()).sum::<usize>();
            assert!((1..=limit.clamp(1, 5) as usize).contains(&told), "{told} of {limit}");
            for (name, code, partitions) in topics {
                assert_eq!(code, 0);
                all.extend(partitions.into_iter().map(|partition| (name.clone(), partition)));
            }
            cursor = next;
            if cursor.is_none() {
                return all;
            }
        }
    }

    #[tokio::test]
    async fn following_the_cursor_tells_every_partition_once_in_the_order_of_names() {
        let image = image().await;
        let whole = [("a", 2), ("b", 3), ("c", 1)];
        let indexes = |(name, count): &(&str, i32)| {
            (0..*count).map(|index| ((*name).to_owned(), index)).collect::<Vec<_>>()
        };
        let expected: Vec<_> = whole.iter().flat_map(indexes).collect();
        for limit in [-1, 1, 2, 3, 4, 5, 6, 2000] {
            assert_eq!(follow(&image, &["c", "b", "a", "a"], limit), expected, "limit {limit}");
            assert_eq!(follow(&image, &[], limit), expected, "limit {limit}");
        }
    }

    #[tokio::test]
    async fn what_does_not_exist_is_told_and_not_counted() {
        let image = image().await;
        let (topics, next) = seen(&answer(&image, 2000, &request(&["0", "b b", "a", "zz"], 2, None)));
        assert_eq!(topics, [("0".to_owned(), 3, vec![]), ("a".to_owned(), 0, vec![0, 1])]);
        assert_eq!(next, Some(("b b".to_owned(), 0)));
        let (topics, next) = seen(&answer(&image, 2000, &request(&["a b", "__consumer_offsets"], 1, None)));
        assert_eq!((topics.len(), topics[1].1, next), (2, 17, None));
    }

    #[tokio::test]
    async fn a_cursor_outside_of_what_is_asked_for_is_refused() {
        let image = image().await;
        for cursor in [("q", 0), ("a", -1), ("", 0)] {
            let (topics, next) = seen(&answer(&image, 2000, &request(&["b", "a", "a"], 9, Some(cursor))));
            let codes: Vec<_> = topics.iter().map(|(name, code, _)| (name.as_str(), *code)).collect();
            assert_eq!((codes, next), (vec![("b", 42), ("a", 42), ("a", 42)], None));
        }
        let (topics, _) = seen(&answer(&image, 2000, &request(&["nope", "zz"], 9, Some(("nope", 1)))));
        assert_eq!(topics.len(), 2, "the cursor's topic may be gone by now");
        let (topics, _) = seen(&answer(&image, 2000, &request(&[], 9, Some(("a", 7)))));
        assert_eq!(topics[0], ("a".to_owned(), 0, vec![]));
    }
}
