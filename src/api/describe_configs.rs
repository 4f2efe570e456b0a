//! DescribeConfigs, versions 1–4 (KIP-133, KIP-226 synonyms, KIP-569 types and documentation): topics, brokers,
//! loggers, groups (KIP-848), subscriptions to client metrics (KIP-714). Every key of Kafka's is answered, because
//! admin clients fail on one that is missing. Reads the configuration and the image; changes nothing.

use std::collections::{BTreeMap, HashSet};

use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
};
use kafka_protocol::messages::{DescribeConfigsRequest, DescribeConfigsResponse};
use kafka_protocol::protocol::StrBytes;

use super::{Context, Reply};
use crate::config::describe::{Described, describe_client_metrics};
use crate::config::{Config, Source};
use crate::controller::command::{ApiError, Outcome};
use crate::controller::image::{ConfigResource, Image, ResourceKind};
use crate::controller::names::check_topic_name;
use crate::limits::{CONFIGS_PER_ANSWER_MAX, DESCRIBE_INLINE_RESOURCES_MAX};
use crate::observe;
use crate::types::ErrorCode;

/// Answers from the configuration and the image, off the runtime's workers when there is much to look up.
pub(super) fn handle(context: Context, request: DescribeConfigsRequest) -> Reply<DescribeConfigsResponse> {
    let many = request.resources.len() > DESCRIBE_INLINE_RESOURCES_MAX;
    let tell = move || {
        let broker = &context.broker;
        answer(&broker.live.current(), &broker.controller.image(), &request, CONFIGS_PER_ANSWER_MAX)
    };
    if !many {
        return Reply::Now(tell());
    }
    // One at a time for each connection, so that no client fills the pool.
    Reply::Run(Box::pin(async { tokio::task::spawn_blocking(tell).await.unwrap_or_default() }))
}

/// `configs_max` bounds what is looked up, whatever of it is told: groups that do not exist are described, too.
fn answer(
    config: &Config,
    image: &Image,
    request: &DescribeConfigsRequest,
    configs_max: usize,
) -> DescribeConfigsResponse {
    // As in Kafka one resource of an unknown type spoils the whole request.
    let strange = request.resources.iter().find(|resource| !is_known(ResourceKind(resource.resource_type)));
    // A broker's answer is thousands of times as large as the question: the same one is answered once.
    let mut seen = HashSet::new();
    let asked = request.resources.iter().filter(|resource| {
        seen.insert((resource.resource_type, &resource.resource_name, &resource.configuration_keys))
    });
    let mut left = configs_max;
    let results = asked.map(|resource| {
        let entries = match strange {
            Some(strange) => Err(invalid(format!("there is no resource type {}", strange.resource_type))),
            None if left == 0 => {
                let message = format!("an answer has at most {configs_max} configurations: ask for less");
                Err(ApiError::new(ErrorCode::PolicyViolation, message))
            }
            None => describe(config, image, resource),
        };
        left = left.saturating_sub(entries.as_ref().map_or(0, Vec::len));
        result(resource, entries, request)
    });
    DescribeConfigsResponse::default().with_results(results.collect())
}

fn is_known(kind: ResourceKind) -> bool {
    [
        ResourceKind::TOPIC,
        ResourceKind::BROKER,
        ResourceKind::BROKER_LOGGER,
        ResourceKind::CLIENT_METRICS,
        ResourceKind::GROUP,
    ]
    .contains(&kind)
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorCode::InvalidRequest, message)
}

fn describe(config: &Config, image: &Image, resource: &DescribeConfigsResource) -> Outcome<Vec<Described>> {
    let kind = ResourceKind(resource.resource_type);
    let name: &str = &resource.resource_name;
    let none = BTreeMap::new();
    let stored = image.config(&ConfigResource { kind, name: name.to_owned() });
    let stored = stored.map_or(&none, |configs| &**configs);
    match kind {
        ResourceKind::TOPIC if image.topic(name).is_some() => Ok(config.describe_topic(stored)),
        ResourceKind::TOPIC => {
            check_topic_name(name)?;
            Err(ApiError { code: ErrorCode::UnknownTopicOrPartition, message: None })
        }
        ResourceKind::BROKER if name.is_empty() => Ok(config.describe_broker_defaults()),
        ResourceKind::BROKER => {
            check_node(config, name, " or an empty name")?;
            Ok(config.describe_broker())
        }
        ResourceKind::BROKER_LOGGER => {
            check_node(config, name, "")?;
            Ok(observe::levels().into_iter().map(|(name, level)| logger(name, level)).collect())
        }
        _ if name.is_empty() => Err(invalid("a group or subscription needs a name")),
        ResourceKind::GROUP => Ok(config.describe_group(stored)),
        _ => Ok(describe_client_metrics(stored)),
    }
}

/// A broker answers for itself alone.
fn check_node(config: &Config, name: &str, also: &str) -> Outcome<()> {
    let expected = config.node_id;
    match name.parse::<i32>() {
        Ok(id) if id == expected.0 => Ok(()),
        Ok(_) => Err(invalid(format!("this is broker {expected}{also}, not broker {name}"))),
        Err(_) => Err(invalid(format!("a broker id is a whole number, which '{name}' is not"))),
    }
}

fn logger(name: String, level: observe::Level) -> Described {
    Described {
        name,
        value: Some(level.name().to_owned()),
        read_only: false,
        source: Source::BrokerLogger,
        sensitive: false,
        synonyms: Vec::new(),
        kind: None,
        documentation: None,
    }
}

fn result(
    resource: &DescribeConfigsResource,
    entries: Outcome<Vec<Described>>,
    request: &DescribeConfigsRequest,
) -> DescribeConfigsResult {
    // Kafka's message is never null, but empty where there is nothing to say.
    let result = DescribeConfigsResult::default()
        .with_error_message(Some(StrBytes::default()))
        .with_resource_type(resource.resource_type)
        .with_resource_name(resource.resource_name.clone());
    match entries {
        Ok(entries) => {
            // No keys, null or an empty list, asks for all of them.
            let keys = resource.configuration_keys.as_deref().filter(|keys| !keys.is_empty());
            let wanted =
                |entry: &Described| keys.is_none_or(|keys| keys.iter().any(|key| **key == *entry.name));
            let configs = entries.into_iter().filter(wanted).map(|entry| row(entry, request));
            result.with_configs(configs.collect())
        }
        Err(error) => result
            .with_error_code(error.code.code())
            .with_error_message(Some(StrBytes::from_string(error.message.unwrap_or_default()))),
    }
}

fn row(entry: Described, request: &DescribeConfigsRequest) -> DescribeConfigsResourceResult {
    let sensitive = entry.sensitive;
    let synonyms = if request.include_synonyms { entry.synonyms } else { Vec::new() };
    let synonyms = synonyms.into_iter().map(|synonym| {
        DescribeConfigsSynonym::default()
            .with_name(StrBytes::from_string(synonym.name))
            .with_value(Some(synonym.value).filter(|_| !sensitive).map(StrBytes::from_string))
            .with_source(synonym.source.code())
    });
    let documentation = match entry.source {
        // With Kafka a logger's text is empty, asked for or not; what has a text is null when nobody asks for it.
        Source::BrokerLogger => Some(""),
        _ => entry.documentation.filter(|_| request.include_documentation),
    };
    DescribeConfigsResourceResult::default()
        .with_name(StrBytes::from_string(entry.name))
        .with_value(entry.value.map(StrBytes::from_string))
        .with_read_only(entry.read_only)
        .with_config_source(entry.source.code())
        .with_is_sensitive(sensitive)
        .with_synonyms(synonyms.collect())
        .with_config_type(entry.kind.map_or(0, crate::config::value::Kind::code))
        .with_documentation(documentation.map(StrBytes::from_static_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(resources: &[(ResourceKind, &str)], keys: Option<&[&str]>) -> DescribeConfigsResponse {
        ask_for(usize::MAX, resources, keys)
    }

    fn ask_for(
        configs_max: usize,
        resources: &[(ResourceKind, &str)],
        keys: Option<&[&str]>,
    ) -> DescribeConfigsResponse {
        let text = |text: &str| StrBytes::from_string(text.to_owned());
        let resources = resources.iter().map(|(kind, name)| {
            DescribeConfigsResource::default()
                .with_resource_type(kind.0)
                .with_resource_name(text(name))
                .with_configuration_keys(keys.map(|keys| keys.iter().map(|key| text(key)).collect()))
        });
        let request = DescribeConfigsRequest::default().with_resources(resources.collect());
        let config = Config::from_pairs([("node.id", "3"), ("ssl.key.password", "hunter2")]).unwrap();
        answer(&config, &Image::empty("c"), &request.with_include_synonyms(true), configs_max)
    }

    #[test]
    fn what_an_answer_looks_up_is_bounded_whatever_of_it_is_asked_for() {
        let broker = (ResourceKind::BROKER, "3");
        let groups = [(ResourceKind::GROUP, "a"), (ResourceKind::GROUP, "b")];
        for keys in [None, Some(&["num.partitions"][..])] {
            let codes = |resources: &[(ResourceKind, &str)]| -> Vec<i16> {
                // A broker has more.
                ask_for(200, resources, keys).results.iter().map(|result| result.error_code).collect()
            };
            assert_eq!(codes(&[groups[0], broker, groups[1]]), [0, 0, 44]);
            assert_eq!(codes(&groups), [0, 0]);
        }
    }

    fn error(kind: ResourceKind, name: &str) -> (i16, String) {
        let response = ask(&[(kind, name)], None);
        assert_eq!(response.results.len(), 1);
        assert_eq!(response.results[0].configs, Vec::new());
        let message = response.results[0].error_message.as_ref();
        (response.results[0].error_code, message.map(ToString::to_string).unwrap_or_default())
    }

    #[test]
    fn a_broker_answers_for_itself_and_for_the_defaults_of_all() {
        let response = ask(&[(ResourceKind::BROKER, "3"), (ResourceKind::BROKER, "")], None);
        assert_eq!(response.results[0].error_code, 0);
        assert!(response.results[0].configs.len() > 300);
        assert_eq!((response.results[1].error_code, response.results[1].configs.len()), (0, 0));
        assert_eq!(
            error(ResourceKind::BROKER, "4"),
            (42, "this is broker 3 or an empty name, not broker 4".to_owned())
        );
        assert_eq!(error(ResourceKind::BROKER, "x").0, 42);
    }

    #[test]
    fn only_the_keys_that_were_asked_for_are_answered_and_an_empty_list_is_all() {
        let keys = Some(&["num.partitions", "no.such.key"][..]);
        let response = ask(&[(ResourceKind::BROKER, "3")], keys);
        let configs = &response.results[0].configs;
        assert_eq!(configs.len(), 1);
        assert_eq!(configs[0].name.as_str(), "num.partitions");
        assert_eq!(configs[0].value.as_deref(), Some("1"));
        assert_eq!((configs[0].config_type, configs[0].config_source), (3, 5));
        assert!(configs[0].read_only);
        assert!(ask(&[(ResourceKind::BROKER, "3")], Some(&[])).results[0].configs.len() > 300);
    }

    #[test]
    fn a_sensitive_value_is_null_also_among_the_synonyms() {
        let response = ask(&[(ResourceKind::BROKER, "3")], Some(&["ssl.key.password"]));
        let config = &response.results[0].configs[0];
        assert!(config.is_sensitive);
        assert_eq!(config.value, None);
        assert_eq!(config.synonyms.len(), 1);
        assert_eq!((config.synonyms[0].source, config.synonyms[0].value.clone()), (4, None));
    }

    #[test]
    fn an_unknown_topic_and_an_impossible_one_are_told_apart() {
        assert_eq!(error(ResourceKind::TOPIC, "orders"), (3, String::new()));
        assert_eq!(error(ResourceKind::TOPIC, "a b").0, 17);
        assert_eq!(error(ResourceKind::TOPIC, "").0, 17);
    }

    #[test]
    fn a_group_and_a_subscription_need_a_name_and_need_not_exist() {
        for (kind, count) in [(ResourceKind::GROUP, 17), (ResourceKind::CLIENT_METRICS, 3)] {
            assert_eq!(error(kind, "").0, 42);
            let response = ask(&[(kind, "g")], None);
            assert_eq!((response.results[0].error_code, response.results[0].configs.len()), (0, count));
        }
    }

    #[test]
    fn loggers_are_listed_with_their_levels() {
        let response = ask(&[(ResourceKind::BROKER_LOGGER, "3")], Some(&["root", "milena", "no::such"]));
        let shown: Vec<_> = response.results[0]
            .configs
            .iter()
            .map(|c| (c.name.as_str(), c.value.is_some(), c.config_source, c.documentation.as_deref()))
            .collect();
        assert_eq!(shown, vec![("root", true, 6, Some("")), ("milena", true, 6, Some(""))]);
        assert_eq!(error(ResourceKind::BROKER_LOGGER, "").0, 42);
    }

    #[test]
    fn a_resource_type_that_kafka_does_not_have_spoils_the_request() {
        let response = ask(&[(ResourceKind(99), "z"), (ResourceKind::GROUP, "g")], None);
        assert!(response.results.iter().all(|result| result.error_code == 42 && result.configs.is_empty()));
    }
}
