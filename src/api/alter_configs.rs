//! `AlterConfigs`, versions 0–2 (KIP-133), the older of two: all configurations of a resource are replaced by those that
//! are given. Loggers are not changed by it.

use kafka_protocol::messages::alter_configs_response::AlterConfigsResourceResponse;
use kafka_protocol::messages::{AlterConfigsRequest, AlterConfigsResponse};
use kafka_protocol::protocol::StrBytes;

use super::config_changes::{Asked, AskedChange, Here};
use super::{Context, Reply};
use crate::controller::command::Outcome;

/// The id of the operation that sets a value.
const SET: i8 = 0;

/// See the module.
pub(super) fn handle(context: Context, request: AlterConfigsRequest) -> Reply<AlterConfigsResponse> {
    Reply::Run(Box::pin(async move { answer(&Here::new(&context), request).await }))
}

pub(super) async fn answer(here: &Here, request: AlterConfigsRequest) -> AlterConfigsResponse {
    let asked = request.resources.into_iter().map(|resource| {
        let changes = resource
            .configs
            .into_iter()
            .map(|config| AskedChange { key: config.name, op: SET, value: config.value })
            .collect();
        Asked { kind: resource.resource_type, name: resource.resource_name, changes, replace: true }
    });
    let asked: Vec<Asked> = asked.collect();
    let outcomes = here.alter(&asked, request.validate_only).await;
    let responses = asked.into_iter().zip(outcomes).map(|(resource, outcome)| response(resource, outcome));
    AlterConfigsResponse::default().with_responses(responses.collect())
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
