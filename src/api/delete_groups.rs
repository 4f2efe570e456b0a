//! DeleteGroups, versions 0–2 (KIP-229): groups without members go, with their committed offsets.

use kafka_protocol::messages::delete_groups_response::DeletableGroupResult;
use kafka_protocol::messages::{DeleteGroupsRequest, DeleteGroupsResponse};

use super::groups::{code, reply_all};
use super::{Context, Reply};

/// Deletes groups, each with its own verdict.
pub(super) fn handle(context: Context, request: DeleteGroupsRequest) -> Reply<DeleteGroupsResponse> {
    let coordinator = &context.broker.coordinator;
    let answers = request.groups_names.iter().map(|group| coordinator.delete(group, context.now));
    let answers = answers.collect();
    reply_all(answers, move |verdicts| {
        let results = request.groups_names.into_iter().zip(verdicts).map(|(group, verdict)| {
            DeletableGroupResult::default().with_group_id(group).with_error_code(code(verdict.err()))
        });
        DeleteGroupsResponse::default().with_results(results.collect())
    })
}
