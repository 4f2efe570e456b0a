//! ListGroups, versions 0–5 (KIP-518 states from 4, KIP-848 types from 5).

use kafka_protocol::messages::list_groups_response::ListedGroup as ListedGroupResponse;
use kafka_protocol::messages::{GroupId, ListGroupsRequest, ListGroupsResponse};
use kafka_protocol::protocol::StrBytes;

use super::{Context, Reply};
use crate::coordinator::command::{ListFilter, ListedGroup};
use crate::types::ErrorCode;

/// Lists the groups of all partitions that this broker coordinates.
pub(super) fn handle(context: Context, request: ListGroupsRequest) -> Reply<ListGroupsResponse> {
    let owned = |names: &[StrBytes]| names.iter().map(ToString::to_string).collect();
    let filter = ListFilter { states: owned(&request.states_filter), types: owned(&request.types_filter) };
    let filter = filter.reduced();
    Reply::Later(Box::pin(async move {
        respond(context.version, context.broker.coordinator.list(filter, context.now).await)
    }))
}

fn respond(version: i16, result: Result<Vec<ListedGroup>, ErrorCode>) -> ListGroupsResponse {
    let groups = match result {
        Ok(groups) => groups,
        Err(error) => return ListGroupsResponse::default().with_error_code(error.code()),
    };
    let listed = groups.into_iter().map(|group| {
        let response = ListedGroupResponse::default()
            .with_group_id(GroupId(StrBytes::from_string(group.group_id)))
            .with_protocol_type(StrBytes::from_string(group.protocol_type));
        let response = if version < 4 {
            response
        } else {
            response.with_group_state(StrBytes::from_static_str(group.state))
        };
        if version < 5 {
            response
        } else {
            response.with_group_type(StrBytes::from_static_str(group.group_type))
        }
    });
    ListGroupsResponse::default().with_groups(listed.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::groups::in_every_version;

    #[test]
    fn a_group_can_be_listed_in_every_version() {
        let listed = || ListedGroup {
            group_id: "g".into(),
            protocol_type: "consumer".into(),
            state: "Stable",
            group_type: "classic",
        };
        let responses = in_every_version(0..=5, |version| respond(version, Ok(vec![listed()])));
        for (version, response) in responses.iter().enumerate() {
            let group = &response.groups[0];
            assert_eq!(&*group.group_state, if version < 4 { "" } else { "Stable" });
            assert_eq!(&*group.group_type, if version < 5 { "" } else { "classic" });
        }
        let refused = |version| respond(version, Err(ErrorCode::CoordinatorLoadInProgress));
        assert!(in_every_version(0..=5, refused).iter().all(|response| response.error_code == 14));
    }
}
