//! `DeleteTopics`, versions 1–6 (KIP-4; by id from 6 on, KIP-516). When the answer leaves, the topics are gone for
//! every other API and their names are free. A timeout above 0 has nothing to limit.

use std::collections::{BTreeMap, BTreeSet};

use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
use kafka_protocol::messages::{DeleteTopicsRequest, DeleteTopicsResponse, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::{Context, Reply, admitted};
use crate::controller::Controller;
use crate::controller::command::{ApiError, Outcome, TopicRef};
use crate::controller::image::Image;
use crate::types::{ErrorCode, TopicId, TopicName as Name};

/// First version in which a topic can be named by its id.
const TOPIC_IDS_FROM: i16 = 6;
/// First version that has a message beside the error.
const MESSAGES_FROM: i16 = 5;
/// First version whose clients know `TOPIC_DELETION_DISABLED`.
const DELETION_DISABLED_FROM: i16 = 3;

/// See the module.
pub(super) fn handle(context: Context, request: DeleteTopicsRequest) -> Reply<DeleteTopicsResponse> {
    let is_enabled = context.broker.config.topics.delete_topic_enable;
    Reply::Run(Box::pin(async move {
        answer(&context.broker.controller, is_enabled, context.version, request).await
    }))
}

/// Submits the topics that the request makes clear; the others are answered without looking at the clock.
async fn answer(
    controller: &Controller,
    is_enabled: bool,
    version: i16,
    request: DeleteTopicsRequest,
) -> DeleteTopicsResponse {
    let timeout_ms = request.timeout_ms;
    let topics = named(version, request);
    let all = |code: ErrorCode| {
        topics.iter().map(|topic| result(version, topic.clone(), Err(code.into()))).collect()
    };
    if !is_enabled {
        return DeleteTopicsResponse::default().with_responses(all(ErrorCode::TopicDeletionDisabled));
    }
    let (clear, refused) = sort_out(&topics, &controller.image());
    let outcomes = match admitted(timeout_ms) {
        _ if clear.is_empty() => Ok(Vec::new()),
        Ok(()) => controller.delete_topics(clear.clone()).await,
        Err(code) => Err(code),
    };
    let responses = match outcomes {
        Ok(outcomes) => {
            let refused = refused.into_iter().map(|(topic, error)| (topic, Err(error)));
            let answered = refused.chain(clear.into_iter().zip(outcomes));
            answered.map(|(topic, outcome)| result(version, topic, outcome)).collect()
        }
        Err(code) => all(code),
    };
    DeleteTopicsResponse::default().with_responses(responses)
}

/// The request's topics as each version names them.
fn named(version: i16, request: DeleteTopicsRequest) -> Vec<TopicRef> {
    if version < TOPIC_IDS_FROM {
        let by_name = |name: TopicName| TopicRef { name: Some(name.to_string()), id: TopicId::ZERO };
        return request.topic_names.into_iter().map(by_name).collect();
    }
    let topics = request.topics.into_iter();
    let topic = |topic: DeleteTopicState| TopicRef {
        name: topic.name.map(|name| name.to_string()),
        id: TopicId(topic.topic_id),
    };
    topics.map(topic).collect()
}

/// What can be submitted, and what cannot: named by name and id or by neither, more than once (which is told once), or
/// by its name here and by its id there (told with both; then its id is not told alone, unless it came twice).
fn sort_out(topics: &[TopicRef], image: &Image) -> (Vec<TopicRef>, Vec<(TopicRef, ApiError)>) {
    let invalid = |message: &str| ApiError::new(ErrorCode::InvalidRequest, message);
    let mut uses: BTreeMap<&TopicRef, usize> = BTreeMap::new();
    let mut refused = Vec::new();
    for topic in topics {
        match (&topic.name, topic.id) {
            (None, TopicId::ZERO) => {
                refused.push((topic.clone(), invalid("neither a topic name nor a topic id is given")));
            }
            (None, _) | (Some(_), TopicId::ZERO) => *uses.entry(topic).or_default() += 1,
            (Some(_), _) => {
                let message = "a topic name and a topic id are given; only one may be";
                refused.push((topic.clone(), invalid(message)));
            }
        }
    }
    let by_id = |id| TopicRef { name: None, id };
    let mut once: BTreeSet<&TopicRef> = BTreeSet::new();
    for (topic, count) in &uses {
        if *count > 1 {
            refused.push(((*topic).clone(), invalid("the topic is named more than once")));
        } else {
            once.insert(topic);
        }
    }
    for topic in once.clone() {
        let Some(known) = topic.name.as_ref().and_then(|name| image.topic(name)) else { continue };
        let twin = by_id(known.id);
        if uses.contains_key(&twin) {
            once.remove(topic);
            once.remove(&twin);
            let both = TopicRef { id: known.id, ..topic.clone() };
            refused.push((both, invalid("the topic is named both by its name and by its id")));
        }
    }
    (once.into_iter().cloned().collect(), refused)
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
            let response = answer(&controller, true, version, request).await;
            let told =
                |name: TopicName| response.responses.iter().find(|told| told.name == Some(name.clone()));
            let codes = ["a", "b", "c"].map(|text| told(name(text)).unwrap().error_code);
            assert_eq!((codes, response.responses.len()), ([0, 0, 42], 3), "version {version}");
            assert_eq!(told(name("c")).unwrap().error_message.is_some(), version >= 5);
            assert_eq!(told(name("a")).unwrap().topic_id == id.0, version >= 6);
            response.encode(&mut bytes::BytesMut::new(), version).unwrap();
            assert_eq!(controller.image().topics().len(), 0);
        }
    }

    #[tokio::test]
    async fn a_topic_that_is_named_in_two_ways_stays_and_is_told_with_both() {
        let (controller, _dir) = controller();
        let (a, b) = (make(&controller, "a").await, make(&controller, "b").await);
        let by_name = |text| DeleteTopicState::default().with_name(Some(name(text)));
        let by_id = |id: TopicId| DeleteTopicState::default().with_name(None).with_topic_id(id.0);
        let told = |topics: Vec<DeleteTopicState>, timeout_ms| {
            let request = DeleteTopicsRequest::default().with_timeout_ms(timeout_ms).with_topics(topics);
            async {
                let responses = answer(&controller, true, 6, request).await.responses;
                let told = responses.into_iter().map(|told| {
                    (told.error_code, told.name.map(|name| name.to_string()), TopicId(told.topic_id))
                });
                let mut told: Vec<_> = told.collect();
                told.sort();
                told
            }
        };
        let named = |text: &str| Some(text.to_owned());
        let both = (42, named("a"), a);
        assert_eq!(told(vec![by_name("a"), by_id(a)], 1).await, std::slice::from_ref(&both));
        assert_eq!(told(vec![by_id(a), by_name("a"), by_id(a)], 1).await, [(42, None, a), both.clone()]);
        assert_eq!(told(vec![by_name("a").with_topic_id(a.0); 2], 0).await, [both.clone(), both]);
        assert_eq!(told(vec![by_name("b"), by_name("b")], 0).await, [(42, named("b"), TopicId::ZERO)]);
        assert_eq!(
            told(vec![by_id(b), by_id(TopicId::ZERO)], 0).await,
            [(7, None, TopicId::ZERO), (7, None, b)]
        );
        assert_eq!(controller.image().topics().len(), 2);
        let twice = vec![by_name("a"), by_name("a"), by_id(a)];
        assert_eq!(told(twice, 1).await, [(0, named("a"), a), (42, named("a"), TopicId::ZERO)]);
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
