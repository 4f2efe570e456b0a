//! `CreatePartitions`, versions 0–3 (KIP-195). When the answer leaves, the partitions have leaders and every other API
//! sees them. A timeout above 0 has nothing to limit.

use std::collections::HashSet;

use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use kafka_protocol::messages::{CreatePartitionsRequest, CreatePartitionsResponse};
use kafka_protocol::protocol::StrBytes;

use super::{Context, Reply, admitted};
use crate::controller::Controller;
use crate::controller::command::{ApiError, NewPartitions};
use crate::types::{ErrorCode, NodeId};

/// See the module.
pub(super) fn handle(context: Context, request: CreatePartitionsRequest) -> Reply<CreatePartitionsResponse> {
    Reply::Run(Box::pin(async move { answer(&context.broker.controller, request).await }))
}

/// Submits all topics; one that is named twice is answered once, as Kafka does.
async fn answer(controller: &Controller, request: CreatePartitionsRequest) -> CreatePartitionsResponse {
    let topics: Vec<NewPartitions> = request.topics.into_iter().map(new_partitions).collect();
    let outcomes = match admitted(request.timeout_ms) {
        Ok(()) => controller.create_partitions(topics.clone(), request.validate_only).await,
        Err(code) => Err(code),
    };
    let outcomes = match outcomes {
        Ok(outcomes) => outcomes,
        Err(code) => topics.iter().map(|_| Err(ApiError::from(code))).collect(),
    };
    let mut results: Vec<CreatePartitionsTopicResult> = Vec::new();
    let mut refused = HashSet::new();
    for (topic, outcome) in topics.into_iter().zip(outcomes) {
        let is_invalid = matches!(&outcome, Err(error) if error.code == ErrorCode::InvalidRequest);
        if is_invalid && !refused.insert(topic.name.clone()) {
            continue;
        }
        let result = CreatePartitionsTopicResult::default()
            .with_name(StrBytes::from_string(topic.name).into())
            .with_error_message(None);
        results.push(match outcome {
            Ok(()) => result,
            Err(error) => result
                .with_error_code(error.code.code())
                .with_error_message(error.message.map(StrBytes::from_string)),
        });
    }
    CreatePartitionsResponse::default().with_results(results)
}

fn new_partitions(topic: CreatePartitionsTopic) -> NewPartitions {
    let assignments = topic.assignments.map(|assignments| {
        let nodes =
            assignments.into_iter().map(|one| one.broker_ids.into_iter().map(|id| NodeId(id.0)).collect());
        nodes.collect()
    });
    NewPartitions { name: topic.name.to_string(), count: topic.count, assignments }
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::BrokerId;
    use kafka_protocol::messages::create_partitions_request::CreatePartitionsAssignment;
    use kafka_protocol::protocol::Encodable;

    use super::*;
    use crate::controller::command::NewTopic;
    use crate::controller::image::Configs;
    use crate::controller::testing::controller;

    fn topic(name: &'static str, count: i32, nodes: Option<&[i32]>) -> CreatePartitionsTopic {
        let assign =
            |node: &i32| CreatePartitionsAssignment::default().with_broker_ids(vec![BrokerId(*node)]);
        CreatePartitionsTopic::default()
            .with_name(StrBytes::from_static_str(name).into())
            .with_count(count)
            .with_assignments(nodes.map(|nodes| nodes.iter().map(assign).collect()))
    }

    #[tokio::test]
    async fn partitions_are_added_as_asked_or_refused_with_a_reason() {
        let (controller, _dir) = controller();
        for name in ["a", "b"] {
            controller.ensure_topic(NewTopic::named(name, 1, &Configs::new())).await.unwrap();
        }
        let topics = vec![
            topic("a", 3, None),
            topic("b", 2, Some(&[1])),
            topic("c", 2, None),
            topic("d", 2, None),
            topic("d", 3, None),
        ];
        let response =
            answer(&controller, CreatePartitionsRequest::default().with_timeout_ms(1).with_topics(topics))
                .await;
        let codes: Vec<i16> = response.results.iter().map(|result| result.error_code).collect();
        assert_eq!(codes, [0, 0, 3, 42]);
        let image = controller.image();
        assert_eq!(image.topic("a").unwrap().partitions.len(), 3);
        assert_eq!(image.topic("b").unwrap().partitions.len(), 2);
        let topics = vec![topic("b", 3, Some(&[2])), topic("a", 3, None)];
        let response =
            answer(&controller, CreatePartitionsRequest::default().with_timeout_ms(1).with_topics(topics))
                .await;
        let codes: Vec<i16> = response.results.iter().map(|result| result.error_code).collect();
        assert_eq!(codes, [39, 37]);
        for version in 0..=3 {
            response.encode(&mut bytes::BytesMut::new(), version).unwrap();
        }
    }
}
