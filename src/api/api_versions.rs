//! ApiVersions, versions 0–4 (KIP-35, KIP-511, KIP-584): what the table serves, and the features.
//! A version above ours is answered by [`unsupported`], in version 0, so that the client can fall back.

use kafka_protocol::messages::api_versions_response::{ApiVersion, FinalizedFeatureKey, SupportedFeatureKey};
use kafka_protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};
use kafka_protocol::protocol::StrBytes;

use super::{Api, ApiKey, Context, IntoFrame, Refused, Reply, TABLE, row};
use crate::controller::machine::SUPPORTED_FEATURES;
use crate::types::ErrorCode;
use crate::wire::frame::{Frame, ResponseHead};

/// Answers with the served versions and features.
pub(super) fn handle(context: Context, request: ApiVersionsRequest) -> Reply<ApiVersionsResponse> {
    let name_is_bad = |text: &StrBytes| !is_software_name(text);
    if context.version >= 3
        && (name_is_bad(&request.client_software_name) || name_is_bad(&request.client_software_version))
    {
        return Reply::Now(ApiVersionsResponse::default().with_error_code(ErrorCode::InvalidRequest.code()));
    }
    let rows = TABLE.iter().filter_map(version_row).collect();
    let image = context.broker.controller.image();
    // Clients before version 4 fail on a range that begins at 0 (KAFKA-17492).
    let supported = SUPPORTED_FEATURES
        .iter()
        .filter(|feature| context.version >= 4 || feature.min > 0)
        .map(|feature| {
            SupportedFeatureKey::default()
                .with_name(StrBytes::from_static_str(feature.name))
                .with_min_version(feature.min)
                .with_max_version(feature.max)
        })
        .collect();
    let finalized = SUPPORTED_FEATURES
        .iter()
        .filter_map(|feature| {
            let level = *image.features().get(feature.name)?;
            Some(
                FinalizedFeatureKey::default()
                    .with_name(StrBytes::from_static_str(feature.name))
                    .with_min_version_level(level)
                    .with_max_version_level(level),
            )
        })
        .collect();
    Reply::Now(
        ApiVersionsResponse::default()
            .with_api_keys(rows)
            .with_supported_features(supported)
            .with_finalized_features_epoch(image.offset.0)
            .with_finalized_features(finalized),
    )
}

/// The answer to a version that is not served: version 0, error 35, and the row of ApiVersions alone, from which
/// the client learns what to ask with.
pub(super) fn unsupported(correlation_id: i32) -> Result<Frame, Refused> {
    let own = row(ApiKey::ApiVersions).and_then(version_row);
    ApiVersionsResponse::default()
        .with_error_code(ErrorCode::UnsupportedVersion.code())
        .with_api_keys(own.into_iter().collect())
        .into_frame(ResponseHead { correlation_id, version: 0, flexible: false })
        .map_err(|reason| Refused::Unencodable { api: "ApiVersions", version: 0, reason })
}

/// What is advertised of an API, if anything is.
fn version_row(api: &Api) -> Option<ApiVersion> {
    let min = api.advertised_min?;
    let row = ApiVersion::default().with_api_key(api.key as i16).with_min_version(min);
    Some(row.with_max_version(api.served.1))
}

/// Letters, digits, dots and dashes, beginning and ending with a letter or digit (KIP-511).
fn is_software_name(text: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    edge(text.chars().next())
        && edge(text.chars().next_back())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_software_name_is_letters_digits_dots_and_dashes_inside() {
        for good in ["a", "librdkafka", "apache-kafka-java", "2.11.0", "A1"] {
            assert!(is_software_name(good), "{good}");
        }
        for bad in ["", "-a", "a-", ".", "a b", "ä", "a_b"] {
            assert!(!is_software_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn an_unserved_version_is_answered_with_sixteen_bytes_of_version_zero() {
        let frame = unsupported(7).unwrap();
        let bytes = frame.into_bytes().unwrap();
        assert_eq!(bytes[..], [0, 0, 0, 16, 0, 0, 0, 7, 0, 35, 0, 0, 0, 1, 0, 18, 0, 0, 0, 4]);
    }
}
