//! `DescribeAcls`, `CreateAcls` and `DeleteAcls`, versions 1–3 (KIP-140, KIP-290): without an authorizer there are no rules to
//! see or change. Kafka closes the connection over an element that names nothing (0), before it looks for an authorizer.

use kafka_protocol::messages::create_acls_response::AclCreationResult;
use kafka_protocol::messages::delete_acls_response::DeleteAclsFilterResult;
use kafka_protocol::messages::{
    CreateAclsRequest, CreateAclsResponse, DeleteAclsRequest, DeleteAclsResponse, DescribeAclsRequest,
    DescribeAclsResponse,
};
use kafka_protocol::protocol::StrBytes;

use super::{Context, Reply};
use crate::types::ErrorCode;

/// Resource types, pattern types, operations and permissions that stand for "unknown".
const UNKNOWN: i8 = 0;
const CODE: ErrorCode = ErrorCode::SecurityDisabled;
const MESSAGE: StrBytes = StrBytes::from_static_str("this broker has no authorizer");

fn close<R>() -> Reply<R> {
    Reply::Close("a rule or filter has an element of unknown kind".to_owned())
}

/// Refused.
pub(super) fn describe(_: Context, request: DescribeAclsRequest) -> Reply<DescribeAclsResponse> {
    let kinds = [
        request.resource_type_filter,
        request.pattern_type_filter,
        request.operation,
        request.permission_type,
    ];
    if kinds.contains(&UNKNOWN) {
        return close();
    }
    Reply::Now(DescribeAclsResponse::default().with_error_code(CODE.code()).with_error_message(Some(MESSAGE)))
}

/// Each rule is refused.
pub(super) fn create(_: Context, request: CreateAclsRequest) -> Reply<CreateAclsResponse> {
    let is_unknown = request.creations.iter().any(|rule| {
        [rule.resource_type, rule.resource_pattern_type, rule.operation, rule.permission_type]
            .contains(&UNKNOWN)
    });
    if is_unknown {
        return close();
    }
    let refused = AclCreationResult::default().with_error_code(CODE.code()).with_error_message(Some(MESSAGE));
    Reply::Now(CreateAclsResponse::default().with_results(vec![refused; request.creations.len()]))
}

/// Each filter is refused.
pub(super) fn delete(_: Context, request: DeleteAclsRequest) -> Reply<DeleteAclsResponse> {
    let is_unknown = request.filters.iter().any(|filter| {
        [filter.resource_type_filter, filter.pattern_type_filter, filter.operation, filter.permission_type]
            .contains(&UNKNOWN)
    });
    if is_unknown {
        return close();
    }
    let refused =
        DeleteAclsFilterResult::default().with_error_code(CODE.code()).with_error_message(Some(MESSAGE));
    Reply::Now(DeleteAclsResponse::default().with_filter_results(vec![refused; request.filters.len()]))
}
