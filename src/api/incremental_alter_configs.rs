//! `IncrementalAlterConfigs`, versions 0 and 1 (KIP-339): topics, brokers, groups, subscriptions to client metrics, and
//! the levels of loggers (KIP-412). Each key is set, deleted, added to or taken from.

use kafka_protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse;
use kafka_protocol::messages::{IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse};
use kafka_protocol::protocol::StrBytes;

use super::config_changes::{Asked, AskedChange, Here};
use super::{Context, Reply};
use crate::controller::command::Outcome;

/// See the module.
pub(super) fn handle(
    context: Context,
    request: IncrementalAlterConfigsRequest,
) -> Reply<IncrementalAlterConfigsResponse> {
    Reply::Run(Box::pin(async move { answer(&Here::new(&context), request).await }))
}

pub(super) async fn answer(
    here: &Here,
    request: IncrementalAlterConfigsRequest,
) -> IncrementalAlterConfigsResponse {
    let asked = request.resources.into_iter().map(|resource| {
        let changes = resource
            .configs
            .into_iter()
            .map(|config| AskedChange { key: config.name, op: config.config_operation, value: config.value })
            .collect();
        Asked { kind: resource.resource_type, name: resource.resource_name, changes, replace: false }
    });
    let asked: Vec<Asked> = asked.collect();
    let outcomes = here.alter(&asked, request.validate_only).await;
    let responses = asked.into_iter().zip(outcomes).map(|(resource, outcome)| response(resource, outcome));
    IncrementalAlterConfigsResponse::default().with_responses(responses.collect())
}

fn response(asked: Asked, outcome: Outcome<()>) -> AlterConfigsResourceResponse {
    let response = AlterConfigsResourceResponse::default()
        .with_resource_type(asked.kind)
        .with_resource_name(asked.name)
        .with_error_message(None);
    match outcome {
        Ok(()) => response,
        Err(error) => response
            .with_error_code(error.code.code())
            .with_error_message(error.message.map(StrBytes::from_string)),
    }
}
