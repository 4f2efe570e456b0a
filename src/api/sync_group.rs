//! SyncGroup, versions 0–5 (KIP-345 static members from 3, KIP-559 protocol type and name from 5).

use kafka_protocol::messages::{SyncGroupRequest, SyncGroupResponse};

use super::groups::{code, owned, reply, text};
use super::{Context, Reply};
use crate::coordinator::command::{SyncAnswer, SyncGroup};
use crate::types::ErrorCode;

/// Asks for the member's assignment; the answer comes with the leader's request.
pub(super) fn handle(context: Context, request: SyncGroupRequest) -> Reply<SyncGroupResponse> {
    let version = context.version;
    if version >= 5 && (request.protocol_type.is_none() || request.protocol_name.is_none()) {
        return Reply::Now(respond(version, SyncAnswer::refused(ErrorCode::InconsistentGroupProtocol)));
    }
    let sync = SyncGroup {
        group_id: request.group_id.to_string(),
        member_id: request.member_id.to_string(),
        instance_id: owned(request.group_instance_id.as_ref()),
        generation: request.generation_id,
        protocol_type: owned(request.protocol_type.as_ref()),
        protocol: owned(request.protocol_name.as_ref()),
        assignments: request
            .assignments
            .into_iter()
            .map(|assigned| (assigned.member_id.to_string(), assigned.assignment))
            .collect(),
    };
    let answer = context.broker.coordinator.sync(sync, context.now);
    reply(answer, move |result| respond(version, result.unwrap_or_else(SyncAnswer::refused)))
}

fn respond(version: i16, answer: SyncAnswer) -> SyncGroupResponse {
    let response =
        SyncGroupResponse::default().with_error_code(code(answer.error)).with_assignment(answer.assignment);
    if version < 5 {
        return response;
    }
    response.with_protocol_type(text(answer.protocol_type)).with_protocol_name(text(answer.protocol))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::groups::in_every_version;

    #[test]
    fn an_assignment_can_be_told_in_every_version() {
        let answer = SyncAnswer {
            error: None,
            protocol_type: Some("consumer".into()),
            protocol: Some("range".into()),
            assignment: bytes::Bytes::from_static(b"a"),
        };
        let responses = in_every_version(0..=5, |version| respond(version, answer.clone()));
        for (version, response) in responses.into_iter().enumerate() {
            assert_eq!((response.error_code, &*response.assignment), (0, &b"a"[..]));
            assert_eq!(response.protocol_name.as_deref(), (version >= 5).then_some("range"));
        }
        let refused = |version| respond(version, SyncAnswer::refused(ErrorCode::RebalanceInProgress));
        assert!(in_every_version(0..=5, refused).iter().all(|response| response.error_code == 27));
    }
}
