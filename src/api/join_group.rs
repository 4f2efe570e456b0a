//! JoinGroup, versions 0–9 (KIP-62 rebalance timeouts from 1, KIP-394 member ids from 4, KIP-345 static members from
//! 5, KIP-559 protocol types from 7, KIP-800 reasons from 8, KIP-814 skipped assignments from 9).

use kafka_protocol::messages::join_group_response::JoinGroupResponseMember;
use kafka_protocol::messages::{JoinGroupRequest, JoinGroupResponse};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use super::groups::{code, owned, reason, reply, text};
use super::{Context, Reply};
use crate::coordinator::command::{Join, JoinAnswer, Protocol};
use crate::types::ErrorCode;

/// Joins; the answer comes when the group's next generation begins.
pub(super) fn handle(context: Context, request: JoinGroupRequest) -> Reply<JoinGroupResponse> {
    let client_host = format!("/{}", context.connection.peer.ip().to_canonical());
    let client_id = owned(context.client_id.as_ref()).unwrap_or_default();
    let member_id = request.member_id.to_string();
    let join = join(context.version, request, client_id, client_host, Uuid::new_v4());
    let answer = context.broker.coordinator.join(join, context.now);
    reply(answer, move |result| {
        respond(context.version, result.unwrap_or_else(|error| refused(error, member_id)))
    })
}

fn join(
    version: i16,
    request: JoinGroupRequest,
    client_id: String,
    client_host: String,
    fresh_id: Uuid,
) -> Join {
    let protocols = request
        .protocols
        .into_iter()
        .map(|protocol| Protocol { name: protocol.name.to_string(), metadata: protocol.metadata });
    Join {
        group_id: request.group_id.to_string(),
        member_id: request.member_id.to_string(),
        instance_id: owned(request.group_instance_id.as_ref()),
        client_id,
        client_host,
        session_timeout_ms: request.session_timeout_ms,
        rebalance_timeout_ms: if version == 0 {
            request.session_timeout_ms
        } else {
            request.rebalance_timeout_ms
        },
        protocol_type: request.protocol_type.to_string(),
        protocols: protocols.collect(),
        reason: reason(request.reason.as_ref()),
        member_id_required: version >= 4,
        can_skip_assignment: version >= 9,
        fresh_id,
    }
}

/// A refusal that no group made: only the one for the group's id tells the member's.
fn refused(error: ErrorCode, member_id: String) -> JoinAnswer {
    let member_id = if error == ErrorCode::InvalidGroupId { member_id } else { String::new() };
    JoinAnswer::refused(error, member_id)
}

fn respond(version: i16, answer: JoinAnswer) -> JoinGroupResponse {
    let members = answer.members.into_iter().map(|member| {
        JoinGroupResponseMember::default()
            .with_member_id(StrBytes::from_string(member.member_id))
            .with_group_instance_id(text(member.instance_id))
            .with_metadata(member.metadata)
    });
    let protocol = text(answer.protocol);
    JoinGroupResponse::default()
        .with_error_code(code(answer.error))
        .with_generation_id(answer.generation)
        .with_protocol_type(text(answer.protocol_type))
        // Null is allowed from version 7 on.
        .with_protocol_name(if version < 7 { Some(protocol.unwrap_or_default()) } else { protocol })
        .with_leader(StrBytes::from_string(answer.leader))
        .with_skip_assignment(version >= 9 && answer.skip_assignment)
        .with_member_id(StrBytes::from_string(answer.member_id))
        .with_members(members.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::groups::in_every_version;
    use crate::coordinator::command::JoinedMember;

    #[test]
    fn a_refusal_and_a_success_can_be_told_in_every_version() {
        let refusal = |version| respond(version, JoinAnswer::refused(ErrorCode::MemberIdRequired, "m"));
        for (version, response) in in_every_version(0..=9, refusal).into_iter().enumerate() {
            assert_eq!((response.error_code, response.generation_id), (79, -1));
            assert_eq!((&*response.member_id, &*response.leader), ("m", ""));
            assert_eq!(response.protocol_name.is_none(), version >= 7, "v{version}");
        }
        let success = |version| {
            let member = JoinedMember {
                member_id: "m".into(),
                instance_id: Some("i".into()),
                metadata: bytes::Bytes::from_static(b"x"),
            };
            let answer = JoinAnswer {
                error: None,
                member_id: "m".into(),
                generation: 3,
                protocol_type: Some("consumer".into()),
                protocol: Some("range".into()),
                leader: "m".into(),
                skip_assignment: true,
                members: vec![member],
            };
            respond(version, answer)
        };
        for (version, response) in in_every_version(0..=9, success).into_iter().enumerate() {
            assert_eq!((response.error_code, response.generation_id), (0, 3));
            assert_eq!(response.protocol_name.as_deref(), Some("range"));
            assert_eq!(response.protocol_type.as_deref(), (version >= 7).then_some("consumer"));
            assert_eq!(response.skip_assignment, version >= 9);
            assert_eq!(response.members[0].group_instance_id.is_some(), version >= 5);
        }
    }

    #[test]
    fn what_a_version_lacks_is_filled_in_as_kafka_does() {
        let request =
            || JoinGroupRequest::default().with_session_timeout_ms(7_000).with_rebalance_timeout_ms(9_000);
        let of = |version| join(version, request(), "c".into(), "/h".into(), Uuid::nil());
        assert_eq!((of(0).rebalance_timeout_ms, of(1).rebalance_timeout_ms), (7_000, 9_000));
        assert_eq!((of(3).member_id_required, of(4).member_id_required), (false, true));
        assert_eq!((of(8).can_skip_assignment, of(9).can_skip_assignment), (false, true));
    }

    #[test]
    fn an_invalid_group_id_is_told_with_the_members_id() {
        assert_eq!(refused(ErrorCode::InvalidGroupId, "m".into()).member_id, "m");
        assert_eq!(refused(ErrorCode::NotCoordinator, "m".into()).member_id, "");
    }
}
