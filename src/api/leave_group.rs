//! LeaveGroup, versions 0–5 (KIP-345 several members and static ones from 3, KIP-800 reasons from 5).

use kafka_protocol::messages::leave_group_response::MemberResponse;
use kafka_protocol::messages::{LeaveGroupRequest, LeaveGroupResponse};
use kafka_protocol::protocol::StrBytes;

use super::groups::{code, owned, reason, reply, text};
use super::{Context, Reply};
use crate::coordinator::command::{Leave, LeavingMember, LeftMember};
use crate::types::ErrorCode;

/// First version that names several members.
const MEMBERS_FROM: i16 = 3;

/// Removes members from a group.
pub(super) fn handle(context: Context, request: LeaveGroupRequest) -> Reply<LeaveGroupResponse> {
    let version = context.version;
    let answer = context.broker.coordinator.leave(leave(version, &request), context.now);
    reply(answer, move |result| respond(version, result))
}

fn leave(version: i16, request: &LeaveGroupRequest) -> Leave {
    let members = if version < MEMBERS_FROM {
        vec![LeavingMember { member_id: request.member_id.to_string(), ..LeavingMember::default() }]
    } else {
        let members = request.members.iter().map(|member| LeavingMember {
            member_id: member.member_id.to_string(),
            instance_id: owned(member.group_instance_id.as_ref()),
            reason: reason(member.reason.as_ref()),
        });
        members.collect()
    };
    Leave { group_id: request.group_id.to_string(), members }
}

/// Before version 3 the only member's verdict is the response's.
fn respond(version: i16, result: Result<Vec<LeftMember>, ErrorCode>) -> LeaveGroupResponse {
    let response = LeaveGroupResponse::default();
    let left = match result {
        Ok(left) => left,
        Err(error) => return response.with_error_code(error.code()),
    };
    if version < MEMBERS_FROM {
        return response.with_error_code(code(left.into_iter().find_map(|member| member.error)));
    }
    let members = left.into_iter().map(|member| {
        MemberResponse::default()
            .with_member_id(StrBytes::from_string(member.member_id))
            .with_group_instance_id(text(member.instance_id))
            .with_error_code(code(member.error))
    });
    response.with_members(members.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::groups::in_every_version;

    #[test]
    fn a_members_verdict_stands_where_the_version_has_it() {
        let left = || LeftMember {
            member_id: "m".into(),
            instance_id: Some("i".into()),
            error: Some(ErrorCode::UnknownMemberId),
        };
        let responses = in_every_version(0..=5, |version| respond(version, Ok(vec![left()])));
        for (version, response) in responses.into_iter().enumerate() {
            let of_member = response.members.first().map(|member| member.error_code);
            let expected = if version < 3 { (25, None) } else { (0, Some(25)) };
            assert_eq!((response.error_code, of_member), expected, "v{version}");
        }
        let refused = |version| respond(version, Err(ErrorCode::NotCoordinator));
        assert!(in_every_version(0..=5, refused).iter().all(|response| response.error_code == 16));
    }

    #[test]
    fn the_single_member_of_old_versions_leaves() {
        let request = LeaveGroupRequest::default().with_member_id(StrBytes::from_static_str("m"));
        assert_eq!(leave(2, &request).members[0].member_id, "m");
        assert!(leave(3, &request).members.is_empty());
    }
}
