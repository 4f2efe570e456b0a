//! `DeleteTopics`, versions 1–6 (KIP-4; by id from 6 on, KIP-516). When the answer leaves, the topics are gone for
//! every other API and their names are free. A timeout above 0 has nothing to limit.

use std::collections::HashSet;

use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
use kafka_protocol::messages::{DeleteTopicsRequest, DeleteTopicsResponse, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::{Context, Reply, admitted};
use crate::controller::Controller;
use crate::controller::command::{ApiError, Outcome, TopicRef};
use crate::types::{ErrorCode, TopicId, TopicName as Name};

/// First version in which a topic can be named by its id.
const TOPIC_IDS_FROM: i16 = 6;
/// First version that has a message beside the error.
const MESSAGES_FROM: i16 = 5;
/// First version whose clients know `TOPIC_DELETION_DISABLED`.
const DELETION_DISABLED_FROM: i16 = 3;

/// See the module.
pub(super) fn handle(context: Context, request: DeleteTopicsRequest) -> Reply<DeleteTopicsResponse> {
    Reply::Run(Box::pin(async move { answer(&context.broker.controller, context.version, request).await }))
}

/// Submits all topics; one that is named twice is answered once, as Kafka does.
async fn answer(controller: &Controller, version: i16, request: DeleteTopicsRequest) -> DeleteTopicsResponse {
    let topics: Vec<TopicRef> = if version >= TOPIC_IDS_FROM {
        let named = |name: TopicName| name.to_string();
        request
            .topics
            .into_iter()
            .map(|topic| TopicRef { name: topic.name.map(named), id: TopicId(topic.topic_id) })
            .collect()
    } else {
        request
            .topic_names
            .iter()
            .map(|name| TopicRef { name: Some(name.to_string()), id: TopicId::ZERO })
            .collect()
    };
    let outcomes = match admitted(request.timeout_ms) {
        Ok(()) => controller.delete_topics(topics.clone()).await,
        Err(code) => Err(code),
    };
    let outcomes = match outcomes {
        Ok(outcomes) => outcomes,
        Err(code) => topics.iter().map(|_| Err(ApiError::from(code))).collect(),
    };
    let mut responses: Vec<DeletableTopicResult> = Vec::new();
    let mut refused = HashSet::new();
    for (topic, outcome) in topics.into_iter().zip(outcomes) {
        // What names no topic is no repetition.
        let is_named = topic != TopicRef::default();
        let is_invalid = matches!(&outcome, Err(error) if error.code == ErrorCode::InvalidRequest);
        if !(is_named && is_invalid) || refused.insert(topic.clone()) {
            responses.push(result(version, topic, outcome));
        }
    }
    DeleteTopicsResponse::default().with_responses(responses)
}

fn result(version: i16, topic: TopicRef, outcome: Outcome<(Name, TopicId)>) -> DeletableTopicResult {
    let named = |name: String| -> Option<TopicName> { Some(StrBytes::from_string(name).into()) };
    let result = DeletableTopicResult::default().with_error_message(None);
    let result = match outcome {
        Ok((name, id)) => result.with_name(named(name.to_string())).with_topic_id(id.0),
        Err(error) => {
            let code = match error.code {
                ErrorCode::TopicDeletionDisabled if version < DELETION_DISABLED_FROM => {
                    ErrorCode::InvalidRequest
                }
                code => code,
            };
            let message = error.message.filter(|_| version >= MESSAGES_FROM).map(StrBytes::from_string);
            result
                .with_name(topic.name.and_then(named))
                .with_topic_id(topic.id.0)
                .with_error_code(code.code())
                .with_error_message(message)
        }
    };
    if version >= TOPIC_IDS_FROM { result } else { result.with_topic_id(TopicId::ZERO.0) }
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
    use kafka_protocol::protocol::Encodable;

    use super::*;
    use crate::controller::command::NewTopic;
    use crate::controller::image::Configs;
    use crate::controller::testing::controller;

    fn name(text: &'static str) -> TopicName {
        StrBytes::from_static_str(text).into()
    }

    async fn make(controller: &Controller, text: &str) -> TopicId {
        controller.ensure_topic(NewTopic::named(text, 1, &Configs::new())).await.unwrap().id
    }

    #[tokio::test]
    async fn each_version_names_topics_in_its_way_and_says_what_it_deleted() {
        let (controller, _dir) = controller();
        for version in 1..=6 {
            let id = make(&controller, "a").await;
            make(&controller, "b").await;
            let request = if version >= 6 {
                let by_id = DeleteTopicState::default().with_name(None).with_topic_id(id.0);
                let by_name = DeleteTopicState::default().with_name(Some(name("b")));
                let missing = DeleteTopicState::default().with_name(Some(name("c")));
                DeleteTopicsRequest::default().with_timeout_ms(1).with_topics(vec![
                    by_id,
                    by_name,
                    missing.clone(),
                    missing,
                ])
            } else {
                let names = vec![name("a"), name("b"), name("c"), name("c")];
                DeleteTopicsRequest::default().with_timeout_ms(1).with_topic_names(names)
            };
            let response = answer(&controller, version, request).await;
            let codes: Vec<i16> = response.responses.iter().map(|topic| topic.error_code).collect();
            assert_eq!(codes, [0, 0, 42], "version {version}");
            assert_eq!(response.responses[0].name, Some(name("a")));
            assert_eq!(response.responses[2].error_message.is_some(), version >= 5);
            assert_eq!(response.responses[0].topic_id == id.0, version >= 6);
            response.encode(&mut bytes::BytesMut::new(), version).unwrap();
            assert_eq!(controller.image().topics().len(), 0);
        }
    }

    #[test]
    fn old_clients_do_not_know_that_deletion_can_be_switched_off() {
        let code = |version| {
            let topic = TopicRef { name: Some("a".into()), id: TopicId::ZERO };
            result(version, topic, Err(ErrorCode::TopicDeletionDisabled.into())).error_code
        };
        assert_eq!((code(2), code(3)), (42, 73));
    }
}
