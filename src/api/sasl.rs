//! `SaslHandshake`, versions 0–1, and `SaslAuthenticate`, versions 0–2 (KIP-43, KIP-152): nobody authenticates on a listener
//! that asks for nothing, so both come when there is nothing more to do. The connection goes on.

use kafka_protocol::messages::{
    SaslAuthenticateRequest, SaslAuthenticateResponse, SaslHandshakeRequest, SaslHandshakeResponse,
};
use kafka_protocol::protocol::StrBytes;

use super::{Context, Reply};
use crate::types::ErrorCode;

/// No mechanism is offered.
pub(super) fn handshake(_: Context, _: SaslHandshakeRequest) -> Reply<SaslHandshakeResponse> {
    Reply::Now(SaslHandshakeResponse::default().with_error_code(ErrorCode::IllegalSaslState.code()))
}

/// No token is looked at.
pub(super) fn authenticate(_: Context, _: SaslAuthenticateRequest) -> Reply<SaslAuthenticateResponse> {
    let message = StrBytes::from_static_str("this listener does not authenticate");
    Reply::Now(
        SaslAuthenticateResponse::default()
            .with_error_code(ErrorCode::IllegalSaslState.code())
            .with_error_message(Some(message)),
    )
}
