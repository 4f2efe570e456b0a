//! Heartbeat, versions 0–4 (KIP-345 static members from 3).

use kafka_protocol::messages::{HeartbeatRequest, HeartbeatResponse};

use super::groups::{code, owned, reply};
use super::{Context, Reply};
use crate::coordinator::command::Heartbeat;

/// Keeps a member's session alive and tells it of a rebalance.
pub(super) fn handle(context: Context, request: HeartbeatRequest) -> Reply<HeartbeatResponse> {
    let heartbeat = Heartbeat {
        group_id: request.group_id.to_string(),
        member_id: request.member_id.to_string(),
        instance_id: owned(request.group_instance_id.as_ref()),
        generation: request.generation_id,
    };
    let answer = context.broker.coordinator.heartbeat(heartbeat, context.now);
    reply(answer, |result| HeartbeatResponse::default().with_error_code(code(result.err())))
}
