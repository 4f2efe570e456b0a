//! `ElectLeaders`, versions 0–2 (KIP-183; unclean elections KIP-460). Answered when what was elected is committed.

use kafka_protocol::messages::elect_leaders_request::TopicPartitions as Asked;
use kafka_protocol::messages::elect_leaders_response::{PartitionResult, ReplicaElectionResult};
use kafka_protocol::messages::{ElectLeadersRequest, ElectLeadersResponse};
use kafka_protocol::protocol::StrBytes;

use super::{Context, Reply, admitted};
use crate::controller::Controller;
use crate::controller::command::{ApiError, ElectedTopic, ElectionKind, Outcome, TopicPartitions};
use crate::types::ErrorCode;

/// First version that says which election is meant, and that has an error for the whole request.
const KINDS_FROM: i16 = 1;

/// See the module.
pub(super) fn handle(context: Context, request: ElectLeadersRequest) -> Reply<ElectLeadersResponse> {
    Reply::Run(Box::pin(async move { answer(&context.broker.controller, context.version, request).await }))
}

async fn answer(controller: &Controller, version: i16, request: ElectLeadersRequest) -> ElectLeadersResponse {
    let asked = request.topic_partitions.map(|topics| topics.into_iter().map(named).collect::<Vec<_>>());
    if asked.as_ref().is_some_and(Vec::is_empty) {
        return ElectLeadersResponse::default();
    }
    if let Err(code) = admitted(request.timeout_ms) {
        return refused(version, asked, &code.into());
    }
    let kind = if version < KINDS_FROM {
        Some(ElectionKind::Preferred)
    } else {
        ElectionKind::from_id(request.election_type)
    };
    let Some(kind) = kind else {
        let message = format!("there is no election of type {}", request.election_type);
        return refused(version, asked, &ApiError::new(ErrorCode::InvalidRequest, message));
    };
    match controller.elect_leaders(kind, asked.clone()).await {
        Ok(topics) => {
            let topics = topics.into_iter().map(elected).collect();
            ElectLeadersResponse::default().with_replica_election_results(topics)
        }
        Err(code) => refused(version, asked, &code.into()),
    }
}

fn named(topic: Asked) -> TopicPartitions {
    TopicPartitions { topic: topic.topic.to_string(), partitions: topic.partitions }
}

/// The same for all partitions that were named, and for the request.
fn refused(version: i16, asked: Option<Vec<TopicPartitions>>, error: &ApiError) -> ElectLeadersResponse {
    let all = |topic: TopicPartitions| {
        let partitions = topic.partitions.into_iter().map(|index| (index, Err(error.clone()))).collect();
        elected(ElectedTopic { topic: topic.topic, partitions })
    };
    let code = if version < KINDS_FROM { 0 } else { error.code.code() };
    ElectLeadersResponse::default()
        .with_error_code(code)
        .with_replica_election_results(asked.into_iter().flatten().map(all).collect())
}

fn elected(topic: ElectedTopic) -> ReplicaElectionResult {
    let result = |(index, outcome): (i32, Outcome<()>)| {
        let result = PartitionResult::default().with_partition_id(index);
        match outcome {
            Ok(()) => result.with_error_message(None),
            Err(error) => result
                .with_error_code(error.code.code())
                .with_error_message(error.message.map(StrBytes::from_string)),
        }
    };
    ReplicaElectionResult::default()
        .with_topic(StrBytes::from_string(topic.topic).into())
        .with_partition_result(topic.partitions.into_iter().map(result).collect())
}

#[cfg(test)]
mod tests {
    use kafka_protocol::protocol::Encodable;

    use super::*;
    use crate::controller::command::NewTopic;
    use crate::controller::image::Configs;
    use crate::controller::testing::controller;

    fn request(topics: Option<&[(&'static str, &[i32])]>) -> ElectLeadersRequest {
        let topic = |(name, partitions): &(&'static str, &[i32])| {
            Asked::default()
                .with_topic(StrBytes::from_static_str(name).into())
                .with_partitions(partitions.to_vec())
        };
        ElectLeadersRequest::default()
            .with_timeout_ms(1)
            .with_topic_partitions(topics.map(|topics| topics.iter().map(topic).collect()))
    }

    fn codes(response: &ElectLeadersResponse) -> Vec<i16> {
        let results = response.replica_election_results.iter().flat_map(|topic| &topic.partition_result);
        results.map(|result| result.error_code).collect()
    }

    #[tokio::test]
    async fn a_partition_with_its_leader_needs_no_election_and_is_left_out_when_all_are_meant() {
        let (controller, _dir) = controller();
        controller.ensure_topic(NewTopic::named("a", 2, &Configs::new())).await.unwrap();
        for version in 0..=2 {
            let response = answer(&controller, version, request(Some(&[("a", &[1, 9]), ("b", &[0])]))).await;
            assert_eq!((codes(&response), response.error_code), (vec![84, 3, 3], 0));
            response.encode(&mut bytes::BytesMut::new(), version).unwrap();
            let response = answer(&controller, version, request(None)).await;
            assert_eq!((codes(&response), response.replica_election_results.len()), (vec![], 1));
        }
    }

    #[tokio::test]
    async fn a_refusal_stands_at_the_top_and_at_every_partition() {
        let (controller, _dir) = controller();
        let unknown = request(Some(&[("a", &[0, 1])])).with_election_type(9);
        let response = answer(&controller, 2, unknown.clone()).await;
        assert_eq!((response.error_code, codes(&response)), (42, vec![42, 42]));
        let response = answer(&controller, 0, unknown.clone()).await;
        assert_eq!(codes(&response), [3, 3], "version 0 knows one kind");
        let response = answer(&controller, 2, unknown.with_timeout_ms(0)).await;
        assert_eq!((response.error_code, codes(&response)), (7, vec![7, 7]));
        let response = answer(&controller, 0, request(Some(&[("a", &[0])])).with_timeout_ms(0)).await;
        assert_eq!((response.error_code, codes(&response)), (0, vec![7]));
        response.encode(&mut bytes::BytesMut::new(), 0).unwrap();
        let response = answer(&controller, 2, request(Some(&[])).with_election_type(9)).await;
        assert_eq!(response.error_code, 0, "nothing was asked for");
    }
}
