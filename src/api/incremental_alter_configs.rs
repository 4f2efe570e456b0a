//! `IncrementalAlterConfigs`, versions 0 and 1 (KIP-339): topics and brokers. Each resource changes as a whole or not
//! at all. Loggers are not changed over the wire.

use std::collections::HashMap;

use kafka_protocol::messages::incremental_alter_configs_request::AlterConfigsResource;
use kafka_protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse;
use kafka_protocol::messages::{IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse};
use kafka_protocol::protocol::StrBytes;

use super::{Context, Reply};
use crate::config::table::{self, Scope, Update};
use crate::controller::Controller;
use crate::controller::command::{AlterResource, ApiError, ConfigChange, ConfigOp, Outcome};
use crate::controller::image::{ConfigResource, ResourceKind};
use crate::types::{ErrorCode, NodeId};

/// See the module.
pub(super) fn handle(
    context: Context,
    request: IncrementalAlterConfigsRequest,
) -> Reply<IncrementalAlterConfigsResponse> {
    Reply::Run(Box::pin(
        async move { answer(&context.broker.controller, context.broker.node_id, request).await },
    ))
}

/// Checks what in Kafka the receiving broker checks, submits the rest, and answers in the request's order.
async fn answer(
    controller: &Controller,
    node: NodeId,
    request: IncrementalAlterConfigsRequest,
) -> IncrementalAlterConfigsResponse {
    let mut uses: HashMap<(i8, StrBytes), usize> = HashMap::new();
    for resource in &request.resources {
        *uses.entry((resource.resource_type, resource.resource_name.clone())).or_default() += 1;
    }
    let prepare_one = |resource: &AlterConfigsResource| {
        let key = (resource.resource_type, resource.resource_name.clone());
        if uses.get(&key).is_some_and(|&count| count > 1) {
            return Err(invalid("each resource may appear only once in a request"));
        }
        prepare(node, resource)
    };
    let prepared: Vec<Outcome<AlterResource>> = request.resources.iter().map(prepare_one).collect();
    let submitted: Vec<AlterResource> = prepared.iter().flatten().cloned().collect();
    let outcomes = match controller.alter_configs(submitted.clone(), request.validate_only).await {
        Ok(outcomes) => outcomes,
        Err(code) => submitted.iter().map(|_| Err(ApiError::from(code))).collect(),
    };
    let mut outcomes = outcomes.into_iter();
    let responses = request.resources.into_iter().zip(prepared).map(|(resource, prepared)| {
        let outcome = match prepared {
            Ok(_) => outcomes.next().unwrap_or(Err(ErrorCode::UnknownServerError.into())),
            Err(error) => Err(error),
        };
        response(resource, outcome)
    });
    IncrementalAlterConfigsResponse::default().with_responses(responses.collect())
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorCode::InvalidRequest, message)
}

fn response(resource: AlterConfigsResource, outcome: Outcome<()>) -> AlterConfigsResourceResponse {
    let response = AlterConfigsResourceResponse::default()
        .with_resource_type(resource.resource_type)
        .with_resource_name(resource.resource_name)
        .with_error_message(None);
    match outcome {
        Ok(()) => response,
        Err(error) => response
            .with_error_code(error.code.code())
            .with_error_message(error.message.map(StrBytes::from_string)),
    }
}

fn prepare(node: NodeId, resource: &AlterConfigsResource) -> Outcome<AlterResource> {
    let kind = ResourceKind(resource.resource_type);
    let name = resource.resource_name.to_string();
    let changes = resource
        .configs
        .iter()
        .map(|config| {
            let op = ConfigOp::from_id(config.config_operation)
                .ok_or_else(|| invalid(format!("operation {} is unknown", config.config_operation)))?;
            let value = config.value.as_ref().map(ToString::to_string);
            Ok(ConfigChange { key: config.name.to_string(), op, value })
        })
        .collect::<Outcome<Vec<ConfigChange>>>()?;
    match kind {
        ResourceKind::BROKER => check_broker(node, &name, &changes)?,
        ResourceKind::BROKER_LOGGER => return Err(invalid("loggers cannot be changed at run time")),
        ResourceKind::TOPIC | ResourceKind::CLIENT_METRICS | ResourceKind::GROUP => {}
        ResourceKind(other) => return Err(invalid(format!("resource type {other} is unknown"))),
    }
    Ok(AlterResource { resource: ConfigResource { kind, name }, changes })
}

/// A broker's configurations are changed at that broker, and only those that may change while it runs.
fn check_broker(node: NodeId, name: &str, changes: &[ConfigChange]) -> Outcome<()> {
    if !name.is_empty() {
        let id = name.parse::<i32>().map_err(|_| invalid(format!("'{name}' is not a node id")))?;
        if id != node.0 {
            return Err(invalid(format!("this is broker {node}, not broker {name}")));
        }
    }
    for change in changes {
        let Some(key) = table::find(Scope::Broker, &change.key) else { continue };
        match key.update {
            Update::ReadOnly => return Err(invalid(format!("{} can only be set at start", key.name))),
            Update::PerBroker if name.is_empty() => {
                return Err(invalid(format!("{} can only be set for one broker, by its id", key.name)));
            }
            _ => {}
        }
        if let (ConfigOp::Set, Some(value)) = (change.op, &change.value) {
            key.parse(value).map_err(|error| invalid(error.to_string()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::incremental_alter_configs_request::AlterableConfig;

    use kafka_protocol::protocol::Encodable;

    use super::*;
    use crate::controller::command::NewTopic;
    use crate::controller::image::Configs;
    use crate::controller::testing::controller;

    fn resource(
        kind: ResourceKind,
        name: &'static str,
        key: &'static str,
        op: i8,
        value: &'static str,
    ) -> AlterConfigsResource {
        let config = AlterableConfig::default()
            .with_name(StrBytes::from_static_str(key))
            .with_config_operation(op)
            .with_value(Some(StrBytes::from_static_str(value)));
        AlterConfigsResource::default()
            .with_resource_type(kind.0)
            .with_resource_name(StrBytes::from_static_str(name))
            .with_configs(vec![config])
    }

    fn alter(kind: ResourceKind, name: &'static str, key: &'static str, op: i8, value: &'static str) -> i16 {
        prepare(NodeId(1), &resource(kind, name, key, op, value)).err().map_or(0, |error| error.code.code())
    }

    #[tokio::test]
    async fn answers_come_in_the_requests_order_whoever_refuses() {
        let (controller, _dir) = controller();
        controller.ensure_topic(NewTopic::named("a", 1, &Configs::new())).await.unwrap();
        let topic = ResourceKind::TOPIC;
        let resources = vec![
            resource(ResourceKind(9), "x", "size", 0, "1"),
            resource(topic, "missing", "size", 0, "1"),
            resource(topic, "a", "size", 0, "1"),
            resource(topic, "b", "size", 0, "1"),
            resource(topic, "b", "size", 0, "2"),
            resource(topic, "c", "other", 0, "2"),
        ];
        let request = IncrementalAlterConfigsRequest::default().with_resources(resources);
        let response = answer(&controller, NodeId(1), request).await;
        let codes: Vec<i16> = response.responses.iter().map(|one| one.error_code).collect();
        assert_eq!(codes, [42, 3, 0, 42, 42, 40]);
        assert_eq!(&*response.responses[2].resource_name, "a");
        assert_eq!(controller.image().topic_config("a").unwrap()["size"], "1");
        for version in 0..=1 {
            response.encode(&mut bytes::BytesMut::new(), version).unwrap();
        }
    }

    #[test]
    fn a_broker_changes_only_itself_and_only_what_may_change_while_it_runs() {
        let broker = ResourceKind::BROKER;
        assert_eq!(alter(broker, "1", "log.retention.ms", 0, "1000"), 0);
        assert_eq!(alter(broker, "", "log.retention.ms", 0, "1000"), 0);
        assert_eq!(alter(broker, "", "log.retention.ms", 1, ""), 0);
        assert_eq!(alter(broker, "2", "log.retention.ms", 0, "1000"), 42);
        assert_eq!(alter(broker, "one", "log.retention.ms", 0, "1000"), 42);
        assert_eq!(alter(broker, "1", "log.retention.ms", 0, "soon"), 42);
        assert_eq!(alter(broker, "1", "node.id", 0, "1"), 42);
        assert_eq!(alter(broker, "1", "ssl.keystore.type", 0, "JKS"), 0);
        assert_eq!(alter(broker, "", "ssl.keystore.type", 0, "JKS"), 42);
    }

    #[test]
    fn resources_and_operations_that_nobody_knows_are_refused() {
        assert_eq!(alter(ResourceKind::TOPIC, "t", "retention.ms", 0, "1"), 0);
        assert_eq!(alter(ResourceKind::TOPIC, "t", "retention.ms", 4, "1"), 42);
        assert_eq!(alter(ResourceKind::BROKER_LOGGER, "1", "root", 0, "DEBUG"), 42);
        assert_eq!(alter(ResourceKind(1), "t", "retention.ms", 0, "1"), 42);
    }
}
