//! `GetTelemetrySubscriptions` and `PushTelemetry`, version 0 (KIP-714), as a broker without a receiver of metrics answers
//! them: ApiVersions does not name them, a client that asks all the same learns that no metrics are wanted, and what it
//! pushes is counted, judged and dropped.

use std::sync::PoisonError;

use kafka_protocol::messages::{
    GetTelemetrySubscriptionsRequest, GetTelemetrySubscriptionsResponse, PushTelemetryRequest,
    PushTelemetryResponse,
};
use uuid::Uuid;

use super::{Context, Reply};
use crate::broker::telemetry::{PUSH_INTERVAL_MS, Push, TELEMETRY_BYTES_MAX, subscription_id};

/// zstd, lz4, gzip, snappy: the order in which the broker would like them.
const CODECS: [i8; 4] = [4, 3, 1, 2];

/// Tells a client its id and how often it may push.
pub(super) fn subscriptions(
    context: Context,
    request: GetTelemetrySubscriptionsRequest,
) -> Reply<GetTelemetrySubscriptionsResponse> {
    let asked = request.client_instance_id;
    let id = if asked.is_nil() { Uuid::new_v4() } else { asked };
    let mut telemetry = context.broker.telemetry.lock().unwrap_or_else(PoisonError::into_inner);
    if let Err(code) = telemetry.ask(id, context.now) {
        return Reply::Now(GetTelemetrySubscriptionsResponse::default().with_error_code(code.code()));
    }
    Reply::Now(
        GetTelemetrySubscriptionsResponse::default()
            .with_client_instance_id(id)
            .with_subscription_id(subscription_id(id))
            .with_accepted_compression_types(CODECS.to_vec())
            .with_push_interval_ms(PUSH_INTERVAL_MS)
            .with_telemetry_max_bytes(i32::try_from(TELEMETRY_BYTES_MAX).unwrap_or(i32::MAX))
            .with_delta_temporality(true),
    )
}

/// Judges a push.
pub(super) fn push(context: Context, request: PushTelemetryRequest) -> Reply<PushTelemetryResponse> {
    let push = Push {
        subscription_id: request.subscription_id,
        terminating: request.terminating,
        codec: request.compression_type,
        bytes: request.metrics.len(),
    };
    let mut telemetry = context.broker.telemetry.lock().unwrap_or_else(PoisonError::into_inner);
    let judged = telemetry.push(request.client_instance_id, push, context.now);
    let code = judged.err().map_or(0, |code| code.code());
    Reply::Now(PushTelemetryResponse::default().with_error_code(code))
}
