//! `CreateTopics`, versions 2–7 (KIP-4; -1 for the broker's defaults KIP-464; configurations in the answer KIP-525; topic
//! ids KIP-516). When the answer leaves, every other API sees the topics. A timeout above 0 has nothing to limit.

use std::collections::{BTreeMap, HashMap, HashSet};

use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::create_topics_response::{CreatableTopicConfigs, CreatableTopicResult};
use kafka_protocol::messages::{CreateTopicsRequest, CreateTopicsResponse, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::{Context, Reply, admitted};
use crate::config::Config;
use crate::controller::Controller;
use crate::controller::command::{ApiError, CreatedTopic, NewTopic, Outcome};
use crate::controller::image::Configs;
use crate::types::{ErrorCode, NodeId};

/// First version whose answer holds configurations (KIP-525).
const CONFIGS_FROM: i16 = 5;

/// See the module.
pub(super) fn handle(context: Context, request: CreateTopicsRequest) -> Reply<CreateTopicsResponse> {
    Reply::Run(Box::pin(async move {
        answer(&context.broker.controller, &context.broker.live.current(), context.version, request).await
    }))
}

/// Submits all topics that are named once; the others are answered after them, once each, as Kafka does.
async fn answer(
    controller: &Controller,
    config: &Config,
    version: i16,
    request: CreateTopicsRequest,
) -> CreateTopicsResponse {
    let mut described = DescribedConfigs { config, version, known: BTreeMap::new() };
    if let Err(code) = admitted(request.timeout_ms) {
        let refused = request
            .topics
            .into_iter()
            .map(|topic| result(&mut described, topic.name.to_string(), Err(code.into())));
        return CreateTopicsResponse::default().with_topics(refused.collect());
    }
    let mut uses: HashMap<TopicName, usize> = HashMap::new();
    for topic in &request.topics {
        *uses.entry(topic.name.clone()).or_default() += 1;
    }
    let (mut twice, mut seen) = (Vec::new(), HashSet::new());
    let mut topics = Vec::new();
    for topic in request.topics {
        if uses.get(&topic.name).is_none_or(|&count| count == 1) {
            topics.push(new_topic(topic));
        } else if seen.insert(topic.name.clone()) {
            twice.push(topic.name);
        }
    }
    let names: Vec<String> = topics.iter().map(|topic| topic.name.clone()).collect();
    let outcomes = match controller.create_topics(topics, request.validate_only).await {
        Ok(outcomes) => outcomes,
        Err(code) => names.iter().map(|_| Err(ApiError::from(code))).collect(),
    };
    let mut results: Vec<CreatableTopicResult> = names
        .into_iter()
        .zip(outcomes)
        .map(|(name, outcome)| result(&mut described, name, outcome))
        .collect();
    let error = ApiError::new(ErrorCode::InvalidRequest, "the topic is named more than once in the request");
    results.extend(
        twice.into_iter().map(|name: TopicName| result(&mut described, name.to_string(), Err(error.clone()))),
    );
    CreateTopicsResponse::default().with_topics(results)
}

fn new_topic(topic: CreatableTopic) -> NewTopic {
    let assignments = topic.assignments.into_iter().map(|assignment| {
        (assignment.partition_index, assignment.broker_ids.into_iter().map(|id| NodeId(id.0)).collect())
    });
    let configs = topic
        .configs
        .into_iter()
        .map(|config| (config.name.to_string(), config.value.map(|value| value.to_string())));
    NewTopic {
        name: topic.name.to_string(),
        partitions: topic.num_partitions,
        replication_factor: topic.replication_factor,
        assignments: assignments.collect(),
        configs: configs.collect(),
    }
}

fn result(
    described: &mut DescribedConfigs<'_>,
    name: String,
    outcome: Outcome<CreatedTopic>,
) -> CreatableTopicResult {
    let result = CreatableTopicResult::default().with_name(StrBytes::from_string(name).into());
    match outcome {
        Err(error) => result
            .with_error_code(error.code.code())
            .with_error_message(error.message.map(StrBytes::from_string))
            .with_configs(Some(Vec::new())),
        Ok(created) => result
            .with_error_message(None)
            .with_topic_id(created.id.0)
            .with_num_partitions(created.partitions)
            .with_replication_factor(created.replication_factor)
            .with_configs(Some(described.of(&created.configs))),
    }
}

/// The configurations of the topics of one answer, which many of them have in common.
struct DescribedConfigs<'a> {
    config: &'a Config,
    version: i16,
    known: BTreeMap<Configs, Vec<CreatableTopicConfigs>>,
}

impl DescribedConfigs<'_> {
    fn of(&mut self, own: &Configs) -> Vec<CreatableTopicConfigs> {
        if self.version < CONFIGS_FROM {
            return Vec::new();
        }
        if let Some(known) = self.known.get(own) {
            return known.clone();
        }
        let described = effective_configs(self.config, own);
        self.known.insert(own.clone(), described.clone());
        described
    }
}

/// Every configuration that a topic with `own` values goes by, in the order of their names.
fn effective_configs(config: &Config, own: &Configs) -> Vec<CreatableTopicConfigs> {
    let described = config.describe_topic(own).into_iter().map(|described| {
        // As with Kafka a value that was given stands here as it was written; DescribeConfigs tells what it means.
        let value = own.get(&described.name).cloned().or(described.value);
        CreatableTopicConfigs::default()
            .with_name(StrBytes::from_string(described.name))
            .with_value(value.map(StrBytes::from_string))
            .with_read_only(described.read_only)
            .with_config_source(described.source.code())
            .with_is_sensitive(described.sensitive)
    });
    let mut configs: Vec<CreatableTopicConfigs> = described.collect();
    configs.sort_by(|left, right| left.name.cmp(&right.name));
    configs
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::create_topics_request::CreatableTopicConfig;
    use kafka_protocol::protocol::Encodable;

    use super::*;
    use crate::controller::testing::controller;

    fn topic(name: &'static str) -> CreatableTopic {
        CreatableTopic::default()
            .with_name(StrBytes::from_static_str(name).into())
            .with_num_partitions(-1)
            .with_replication_factor(-1)
    }

    #[tokio::test]
    async fn created_topics_are_described_with_every_configuration() {
        let (controller, _dir) = controller();
        let config = Config::from_pairs([("log.retention.ms", "5")]).unwrap();
        let size = CreatableTopicConfig::default()
            .with_name(StrBytes::from_static_str("size"))
            .with_value(Some(StrBytes::from_static_str("7")));
        let request = CreateTopicsRequest::default().with_topics(vec![topic("a").with_configs(vec![size])]);
        let response = answer(&controller, &config, 7, request).await;
        let created = &response.topics[0];
        assert_eq!((created.error_code, created.num_partitions, created.replication_factor), (0, 2, 1));
        assert_eq!(created.topic_id, controller.image().topic("a").unwrap().id.0);
        let configs = created.configs.as_ref().unwrap();
        assert!(configs.is_sorted_by_key(|config| config.name.to_string()));
        let retention = configs.iter().find(|config| &*config.name == "retention.ms").unwrap();
        assert_eq!((retention.value.as_deref(), retention.config_source), (Some("5"), 4));
        for version in 2..=7 {
            response.encode(&mut bytes::BytesMut::new(), version).unwrap();
        }
    }

    #[tokio::test]
    async fn a_name_that_comes_twice_is_refused_once_and_after_the_others() {
        let (controller, _dir) = controller();
        let config = Config::from_pairs([]).unwrap();
        let topics = vec![topic("twice"), topic("b c"), topic("twice"), topic("fine")];
        let response =
            answer(&controller, &config, 7, CreateTopicsRequest::default().with_topics(topics)).await;
        let codes: Vec<(String, i16)> =
            response.topics.iter().map(|topic| (topic.name.to_string(), topic.error_code)).collect();
        assert_eq!(codes, [("b c".into(), 17), ("fine".into(), 0), ("twice".into(), 42)]);
        assert!(response.topics.iter().all(|topic| topic.error_message.is_some() == (topic.error_code != 0)));
        for version in 2..=7 {
            response.encode(&mut bytes::BytesMut::new(), version).unwrap();
        }
    }
}
