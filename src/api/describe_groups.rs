//! DescribeGroups, versions 0–6 (KIP-430 authorized operations from 3, KIP-345 static members from 4, KIP-1043 errors
//! for unknown groups from 6). Older versions know a group that does not exist as one that is dead.

use kafka_protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use kafka_protocol::messages::{DescribeGroupsRequest, DescribeGroupsResponse, GroupId};
use kafka_protocol::protocol::StrBytes;

use super::groups::{Told, once, reply_all, text};
use super::{Context, GROUP_OPERATIONS, OPERATIONS_UNASKED, Reply};
use crate::coordinator::command::{DescribedMember, Description};
use crate::types::ErrorCode;

/// What a member takes in memory besides what its strings hold, about.
const MEMBER_BYTES: usize = 256;
/// Kafka's name for the state of a group that is not there.
const DEAD: &str = "Dead";

/// Describes classic groups.
pub(super) fn handle(context: Context, request: DescribeGroupsRequest) -> Reply<DescribeGroupsResponse> {
    let coordinator = &context.broker.coordinator;
    let (version, operations) = (context.version, request.include_authorized_operations);
    let ids = request.groups.clone();
    let (asked, places) = once(request.groups);
    let answers = asked.iter().map(|group| coordinator.describe(group, context.now));
    reply_all(answers.collect(), move |results| {
        let mut told = Told::new(results, bytes);
        let groups = ids.into_iter().zip(places);
        let groups = groups.map(|(id, place)| group(version, id, told.tell(place), operations));
        DescribeGroupsResponse::default().with_groups(groups.collect())
    })
}

/// About how large a group is in an answer.
fn bytes(description: &Description) -> usize {
    let Description::Group(group) = description else { return 0 };
    let member = |member: &DescribedMember| {
        let instance_bytes = member.instance_id.as_ref().map_or(0, String::len);
        let strings = member.member_id.len() + member.client_id.len() + member.client_host.len();
        MEMBER_BYTES + instance_bytes + strings + member.metadata.len() + member.assignment.len()
    };
    group.members.iter().map(member).sum()
}

fn group(
    version: i16,
    id: GroupId,
    result: Result<Description, ErrorCode>,
    with_operations: bool,
) -> DescribedGroup {
    let missing = |reason: &str| {
        let response = DescribedGroup::default().with_group_state(StrBytes::from_static_str(DEAD));
        if version < 6 {
            return response;
        }
        let message = format!("Group {} {reason}.", id.as_str());
        response.with_error_code(ErrorCode::GroupIdNotFound.code()).with_error_message(text(Some(message)))
    };
    let response = match result {
        Err(error) => DescribedGroup::default().with_error_code(error.code()),
        Ok(Description::NotFound) => missing("not found"),
        Ok(Description::NotClassic) => missing("is not a classic group"),
        Ok(Description::Group(group)) => DescribedGroup::default()
            .with_group_state(StrBytes::from_static_str(group.state))
            .with_protocol_type(StrBytes::from_string(group.protocol_type))
            .with_protocol_data(StrBytes::from_string(group.protocol))
            .with_members(group.members.into_iter().map(member).collect()),
    };
    let tells_operations = version >= 3 && with_operations && response.error_code == 0;
    response.with_group_id(id).with_authorized_operations(if tells_operations {
        GROUP_OPERATIONS
    } else {
        OPERATIONS_UNASKED
    })
}

fn member(member: DescribedMember) -> DescribedGroupMember {
    DescribedGroupMember::default()
        .with_member_id(StrBytes::from_string(member.member_id))
        .with_group_instance_id(text(member.instance_id))
        .with_client_id(StrBytes::from_string(member.client_id))
        .with_client_host(StrBytes::from_string(member.client_host))
        .with_member_metadata(member.metadata)
        .with_member_assignment(member.assignment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::groups::in_every_version;
    use crate::coordinator::command;

    fn response(version: i16, result: Result<Description, ErrorCode>) -> DescribeGroupsResponse {
        let id = GroupId(StrBytes::from_static_str("g"));
        DescribeGroupsResponse::default().with_groups(vec![group(version, id, result, true)])
    }

    #[test]
    fn an_unknown_group_is_dead_or_an_error_as_the_version_has_it() {
        for (description, message) in [
            (Description::NotFound, "Group g not found."),
            (Description::NotClassic, "Group g is not a classic group."),
        ] {
            let responses = in_every_version(0..=6, |version| response(version, Ok(description.clone())));
            for (version, response) in responses.iter().enumerate() {
                let group = &response.groups[0];
                assert_eq!(group.error_code, if version < 6 { 0 } else { 69 });
                assert_eq!(&*group.group_state, "Dead");
                assert_eq!(group.error_message.as_deref(), (version == 6).then_some(message));
            }
        }
    }

    #[test]
    fn a_group_can_be_described_in_every_version() {
        let member = DescribedMember {
            member_id: "m".into(),
            instance_id: Some("i".into()),
            client_id: "c".into(),
            client_host: "/127.0.0.1".into(),
            metadata: bytes::Bytes::from_static(b"s"),
            assignment: bytes::Bytes::from_static(b"a"),
        };
        let described = command::DescribedGroup {
            state: "Stable",
            protocol_type: "consumer".into(),
            protocol: "range".into(),
            members: vec![member],
        };
        let responses =
            in_every_version(0..=6, |version| response(version, Ok(Description::Group(described.clone()))));
        for (version, response) in responses.iter().enumerate() {
            let group = &response.groups[0];
            assert_eq!(
                (&*group.group_state, &*group.protocol_data, group.members.len()),
                ("Stable", "range", 1)
            );
            assert_eq!(group.authorized_operations, if version < 3 { i32::MIN } else { GROUP_OPERATIONS });
            assert_eq!(group.members[0].group_instance_id.is_some(), version >= 4);
        }
        let loading =
            in_every_version(0..=6, |version| response(version, Err(ErrorCode::CoordinatorLoadInProgress)));
        for response in loading {
            assert_eq!(
                (response.groups[0].error_code, response.groups[0].authorized_operations),
                (14, i32::MIN)
            );
        }
    }
}
