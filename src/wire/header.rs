//! The header of a request, read by us: the decoder of the protocol crate panics below four bytes and refuses a client
//! id that is not UTF-8. Relies on `guard` for bounds; never panics.

use bytes::Bytes;
use kafka_protocol::messages::ApiKey;
use thiserror::Error;

use super::guard::{GuardError, Walk};

/// What stands before a request's body, and the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHeader {
    /// Which request it is.
    pub api_key: ApiKey,
    /// The version of the request; not checked to be one that anybody serves.
    pub api_version: i16,
    /// The number that the response repeats.
    pub correlation_id: i32,
    /// Who asks, as text for people; bytes that are not UTF-8 were replaced, as Kafka does.
    pub client_id: Option<String>,
    /// All bytes behind the header, shared with the frame.
    pub body: Bytes,
}

/// Why a frame has no header that could be answered. Kafka closes the connection for each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HeaderError {
    /// No API has this key.
    #[error("unknown API key {api_key} (version {api_version})")]
    UnknownApiKey {
        /// The key.
        api_key: i16,
        /// The version that came with it.
        api_version: i16,
    },
    /// The bytes end early, or a length in them is wrong.
    #[error("broken request header: {0}")]
    Broken(#[from] GuardError),
}

/// Reads the header of the request in `frame` (without the frame's size): version 1, or version 2 with tagged fields
/// when the request's version is flexible. Fails on a key that no API has, and on a header that ends early.
pub fn parse(frame: &Bytes) -> Result<RequestHeader, HeaderError> {
    let mut walk = Walk::new(frame);
    let api_key = i16::from_be_bytes(walk.fixed()?);
    let api_version = i16::from_be_bytes(walk.fixed()?);
    let correlation_id = i32::from_be_bytes(walk.fixed()?);
    let known =
        ApiKey::try_from(api_key).map_err(|()| HeaderError::UnknownApiKey { api_key, api_version })?;
    let client_id = client_id(&mut walk)?;
    if known.request_header_version(api_version) >= 2 {
        walk.unknown_tags()?;
    }
    let body = frame.slice_ref(walk.rest());
    Ok(RequestHeader { api_key: known, api_version, correlation_id, client_id, body })
}

/// The client id; like Kafka, any negative length is null.
fn client_id(walk: &mut Walk<'_>) -> Result<Option<String>, GuardError> {
    let Ok(length) = usize::try_from(i16::from_be_bytes(walk.fixed()?)) else { return Ok(None) };
    Ok(Some(String::from_utf8_lossy(walk.take(length)?).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::guard::Kind;
    use super::*;

    fn frame(parts: &[&[u8]]) -> Bytes {
        parts.concat().into()
    }

    /// Key and version, then correlation id 7.
    fn head(api_key: i16, version: i16) -> Vec<u8> {
        [&api_key.to_be_bytes()[..], &version.to_be_bytes(), &7i32.to_be_bytes()].concat()
    }

    #[test]
    fn a_header_of_version_1_has_a_client_id_and_no_tagged_fields() {
        let header = parse(&frame(&[&head(3, 8), &[0, 2], b"me", &[1, 2, 3]])).unwrap();
        assert_eq!((header.api_key, header.api_version, header.correlation_id), (ApiKey::Metadata, 8, 7));
        assert_eq!(header.client_id.as_deref(), Some("me"));
        assert_eq!(header.body, [1, 2, 3][..]);
    }

    #[test]
    fn a_flexible_header_has_tagged_fields_that_are_passed_over() {
        let header = parse(&frame(&[&head(3, 9), &[0, 2], b"me", &[1, 0, 2, 8, 8], &[1, 2, 3]])).unwrap();
        assert_eq!(header.client_id.as_deref(), Some("me"));
        assert_eq!(header.body, [1, 2, 3][..]);
    }

    #[test]
    fn an_api_versions_request_of_a_future_version_has_a_header() {
        let header = parse(&frame(&[&head(18, 99), &[0xff, 0xff, 0], &[5]])).unwrap();
        assert_eq!((header.api_key, header.api_version), (ApiKey::ApiVersions, 99));
        assert_eq!(header.body, [5][..]);
    }

    #[test]
    fn a_client_id_may_be_null_or_not_utf8() {
        let client_id = |parts: &[&[u8]]| parse(&frame(&[&head(3, 1), &parts.concat()])).unwrap().client_id;
        assert_eq!(client_id(&[&[0xff, 0xff]]), None);
        assert_eq!(client_id(&[&[0x80, 0]]), None);
        assert_eq!(client_id(&[&[0, 0]]).as_deref(), Some(""));
        assert_eq!(client_id(&[&[0, 3], &[b'a', 0xff, b'b']]).as_deref(), Some("a\u{fffd}b"));
    }

    #[test]
    fn an_unknown_api_key_is_named() {
        let refused = HeaderError::UnknownApiKey { api_key: 999, api_version: 2 };
        assert_eq!(parse(&frame(&[&head(999, 2), &[0, 0]])), Err(refused));
        assert_eq!(
            parse(&frame(&[&head(-1, 2)])).map(|_| ()),
            Err(HeaderError::UnknownApiKey { api_key: -1, api_version: 2 })
        );
    }

    #[test]
    fn every_cut_of_a_header_is_refused() {
        let whole = frame(&[&head(3, 9), &[0, 2], b"me", &[1, 0, 2, 8, 8]]);
        assert!(parse(&whole).is_ok());
        for cut in 0..whole.len() {
            assert!(matches!(parse(&whole.slice(..cut)), Err(HeaderError::Broken(_))), "{cut}");
        }
    }

    #[test]
    fn a_tagged_field_that_claims_more_than_there_is_is_refused() {
        let kind = Kind::TagValue;
        let refused = HeaderError::Broken(GuardError::Length { kind, length: 100, remaining: 1 });
        assert_eq!(parse(&frame(&[&head(3, 9), &[0, 0], &[1, 0, 100, 8]])), Err(refused));
    }
}
