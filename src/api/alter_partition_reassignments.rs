//! `AlterPartitionReassignments`, versions 0–1 (KIP-455; replication factors KIP-860). Answered when it is committed.

use kafka_protocol::messages::alter_partition_reassignments_request::ReassignableTopic;
use kafka_protocol::messages::alter_partition_reassignments_response::{
    ReassignablePartitionResponse, ReassignableTopicResponse,
};
use kafka_protocol::messages::{
    AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse, TopicName,
};
use kafka_protocol::protocol::StrBytes;

use super::{Context, Reply, admitted};
use crate::controller::Controller;
use crate::controller::command::{ApiError, Outcome, Reassignment};
use crate::types::{ErrorCode, NodeId, TopicName as Name};

/// See the module.
pub(super) fn handle(
    context: Context,
    request: AlterPartitionReassignmentsRequest,
) -> Reply<AlterPartitionReassignmentsResponse> {
    Reply::Run(Box::pin(async move { answer(&context.broker.controller, request).await }))
}

async fn answer(
    controller: &Controller,
    request: AlterPartitionReassignmentsRequest,
) -> AlterPartitionReassignmentsResponse {
    let response = AlterPartitionReassignmentsResponse::default()
        .with_allow_replication_factor_change(request.allow_replication_factor_change);
    if request.topics.is_empty() {
        // As with Kafka: nothing was asked, and the message is not null.
        return response.with_error_message(Some(StrBytes::new()));
    }
    let shape: Vec<(TopicName, usize)> =
        request.topics.iter().map(|topic| (topic.name.clone(), topic.partitions.len())).collect();
    let wanted: Vec<Reassignment> = request.topics.into_iter().flat_map(reassignments).collect();
    let indexes: Vec<i32> = wanted.iter().map(|wanted| wanted.partition).collect();
    let outcomes = match admitted(request.timeout_ms) {
        Ok(()) => controller.alter_reassignments(wanted, request.allow_replication_factor_change).await,
        Err(code) => Err(code),
    };
    let (code, outcomes) = match outcomes {
        Ok(outcomes) => (0, outcomes),
        Err(code) => (code.code(), refused(indexes.len(), code)),
    };
    let mut results = indexes.into_iter().zip(outcomes).map(result);
    let topic = |(name, partitions): (TopicName, usize)| {
        let partitions = results.by_ref().take(partitions).collect();
        ReassignableTopicResponse::default().with_name(name).with_partitions(partitions)
    };
    let topics = shape.into_iter().map(topic).collect();
    response.with_error_code(code).with_error_message(None).with_responses(topics)
}

fn refused(count: usize, code: ErrorCode) -> Vec<Outcome<()>> {
    (0..count).map(|_| Err(ApiError::from(code))).collect()
}

fn reassignments(topic: ReassignableTopic) -> impl Iterator<Item = Reassignment> {
    let name: Name = topic.name.as_str().into();
    topic.partitions.into_iter().map(move |partition| Reassignment {
        topic: name.clone(),
        partition: partition.partition_index,
        replicas: partition.replicas.map(|ids| ids.into_iter().map(|id| NodeId(id.0)).collect()),
    })
}

fn result((index, outcome): (i32, Outcome<()>)) -> ReassignablePartitionResponse {
    let result = ReassignablePartitionResponse::default().with_partition_index(index);
    match outcome {
        Ok(()) => result.with_error_message(None),
        Err(error) => result
            .with_error_code(error.code.code())
            .with_error_message(error.message.map(StrBytes::from_string)),
    }
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::BrokerId;
    use kafka_protocol::messages::alter_partition_reassignments_request::ReassignablePartition;
    use kafka_protocol::protocol::Encodable;

    use super::*;
    use crate::controller::command::NewTopic;
    use crate::controller::image::Configs;
    use crate::controller::testing::controller;

    fn topic(name: &'static str, partitions: &[(i32, Option<&[i32]>)]) -> ReassignableTopic {
        let partition = |(index, replicas): &(i32, Option<&[i32]>)| {
            let ids = |ids: &[i32]| ids.iter().copied().map(BrokerId).collect();
            ReassignablePartition::default().with_partition_index(*index).with_replicas(replicas.map(ids))
        };
        ReassignableTopic::default()
            .with_name(StrBytes::from_static_str(name).into())
            .with_partitions(partitions.iter().map(partition).collect())
    }

    #[tokio::test]
    async fn every_partition_gets_its_own_answer_in_the_requests_shape() {
        let (controller, _dir) = controller();
        controller.ensure_topic(NewTopic::named("a", 2, &Configs::new())).await.unwrap();
        let before = controller.image();
        let topics = vec![
            topic("a", &[(1, Some(&[1])), (0, Some(&[2])), (0, Some(&[])), (1, None), (7, None)]),
            topic("b", &[(0, Some(&[1]))]),
            topic("a", &[(0, Some(&[1, 1]))]),
        ];
        let request = AlterPartitionReassignmentsRequest::default().with_timeout_ms(1).with_topics(topics);
        let response = answer(&controller, request.clone()).await;
        let codes = |response: &AlterPartitionReassignmentsResponse| -> Vec<Vec<i16>> {
            let codes = |topic: &ReassignableTopicResponse| {
                topic.partitions.iter().map(|partition| partition.error_code).collect()
            };
            response.responses.iter().map(codes).collect()
        };
        assert_eq!(codes(&response), [vec![0, 39, 39, 85, 3], vec![3], vec![39]]);
        assert_eq!(controller.image().topic("a"), before.topic("a"));
        let late = answer(&controller, request.with_timeout_ms(0)).await;
        assert_eq!((late.error_code, codes(&late)), (7, vec![vec![7; 5], vec![7], vec![7]]));
        for version in 0..=1 {
            response.encode(&mut bytes::BytesMut::new(), version).unwrap();
        }
    }
}
