//! DeleteGroups, versions 0–2 (KIP-229): groups without members go, with their committed offsets.

use std::collections::HashSet;

use kafka_protocol::messages::delete_groups_response::DeletableGroupResult;
use kafka_protocol::messages::{DeleteGroupsRequest, DeleteGroupsResponse, GroupId};

use super::groups::{code, reply_all};
use super::{Context, Reply};

/// Deletes groups, each with its own verdict.
pub(super) fn handle(context: Context, request: DeleteGroupsRequest) -> Reply<DeleteGroupsResponse> {
    let coordinator = &context.broker.coordinator;
    // A group that is named twice is deleted and answered once.
    let mut groups: Vec<GroupId> = Vec::with_capacity(request.groups_names.len());
    let mut seen = HashSet::new();
    groups.extend(request.groups_names.into_iter().filter(|group| seen.insert(group.clone())));
    let answers = groups.iter().map(|group| coordinator.delete(group, context.now));
    let answers = answers.collect();
    reply_all(answers, move |verdicts| {
        let results = groups.into_iter().zip(verdicts).map(|(group, verdict)| {
            DeletableGroupResult::default().with_group_id(group).with_error_code(code(verdict.err()))
        });
        DeleteGroupsResponse::default().with_results(results.collect())
    })
}
