//! `InitProducerId`, versions 0–5 (KIP-98, KIP-360): a producer id for an idempotent producer. A transactional id is
//! refused for good: there are no transactions, and plain idempotence in their place would lose their promise.

use kafka_protocol::messages::{InitProducerIdRequest, InitProducerIdResponse, ProducerId as WireProducerId};

use super::{Context, Reply};
use crate::types::{ErrorCode, ProducerId};

/// "No epoch" beside "no producer id".
const NO_EPOCH: i16 = -1;

/// Answers with an id that no producer had. As in Kafka an idempotent producer that asks again, with the id and
/// epoch it has, gets a new id at epoch 0.
pub(super) fn handle(context: Context, request: InitProducerIdRequest) -> Reply<InitProducerIdResponse> {
    if let Some(code) = refuse(&request) {
        return Reply::Now(failed(code));
    }
    Reply::Run(Box::pin(async move {
        match context.broker.controller.next_producer_id().await {
            Ok(id) => InitProducerIdResponse::default()
                .with_producer_id(WireProducerId(id.0))
                .with_producer_epoch(0),
            Err(error) => failed(error.code),
        }
    }))
}

fn refuse(request: &InitProducerIdRequest) -> Option<ErrorCode> {
    let has_id = request.producer_id.0 != ProducerId::NONE.0;
    let has_epoch = request.producer_epoch != NO_EPOCH;
    match &request.transactional_id {
        _ if has_id != has_epoch => Some(ErrorCode::InvalidRequest),
        None => None,
        Some(id) if id.is_empty() => Some(ErrorCode::InvalidRequest),
        // Fatal for every client, which stops instead of going on without transactions.
        Some(_) => Some(ErrorCode::TransactionalIdAuthorizationFailed),
    }
}

fn failed(code: ErrorCode) -> InitProducerIdResponse {
    InitProducerIdResponse::default()
        .with_error_code(code.code())
        .with_producer_id(WireProducerId(ProducerId::NONE.0))
        .with_producer_epoch(NO_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(transactional_id: Option<&'static str>, id: i64, epoch: i16) -> InitProducerIdRequest {
        let transactional_id =
            transactional_id.map(|text| kafka_protocol::protocol::StrBytes::from_static_str(text).into());
        InitProducerIdRequest::default()
            .with_transactional_id(transactional_id)
            .with_producer_id(WireProducerId(id))
            .with_producer_epoch(epoch)
    }

    #[test]
    fn a_transactional_producer_is_refused_for_good() {
        assert_eq!(refuse(&request(Some("tx"), -1, -1)), Some(ErrorCode::TransactionalIdAuthorizationFailed));
        assert_eq!(refuse(&request(Some("tx"), 5, 1)), Some(ErrorCode::TransactionalIdAuthorizationFailed));
        assert_eq!(refuse(&request(Some(""), -1, -1)), Some(ErrorCode::InvalidRequest));
    }

    #[test]
    fn an_id_and_its_epoch_come_together_or_not_at_all() {
        assert_eq!(refuse(&request(None, -1, -1)), None);
        assert_eq!(refuse(&request(None, 5, 0)), None);
        assert_eq!(refuse(&request(None, 5, -1)), Some(ErrorCode::InvalidRequest));
        assert_eq!(refuse(&request(None, -1, 0)), Some(ErrorCode::InvalidRequest));
    }
}
