//! `UpdateFeatures`, versions 0–2 (KIP-584; validation alone KIP-778; no results for each feature KIP-1022): all features get
//! their levels or none. As with Kafka the timeout limits nothing, and version 0 cannot go down.

use kafka_protocol::messages::update_features_response::UpdatableFeatureResult;
use kafka_protocol::messages::{UpdateFeaturesRequest, UpdateFeaturesResponse};
use kafka_protocol::protocol::StrBytes;

use super::{Context, Reply};
use crate::controller::Controller;
use crate::controller::command::{FeatureUpdate, UpgradeKind};

/// The last version that names each feature in the answer.
const RESULTS_UNTIL: i16 = 1;
/// The name of "no error", which stands where other results have a message.
const NONE: &str = "NONE";

/// See the module.
pub(super) fn handle(context: Context, request: UpdateFeaturesRequest) -> Reply<UpdateFeaturesResponse> {
    Reply::Run(Box::pin(async move { answer(&context.broker.controller, context.version, request).await }))
}

async fn answer(
    controller: &Controller,
    version: i16,
    request: UpdateFeaturesRequest,
) -> UpdateFeaturesResponse {
    let names: Vec<StrBytes> = request.feature_updates.iter().map(|update| update.feature.clone()).collect();
    let update = |update: &kafka_protocol::messages::update_features_request::FeatureUpdateKey| {
        let kind = UpgradeKind::from_id(update.upgrade_type);
        FeatureUpdate { name: update.feature.to_string(), level: update.max_version_level, kind }
    };
    let updates = request.feature_updates.iter().map(update).collect();
    let response = UpdateFeaturesResponse::default();
    match controller.update_features(updates, request.validate_only).await {
        Err(error) => response
            .with_error_code(error.code.code())
            .with_error_message(error.message.map(StrBytes::from_string)),
        Ok(()) if version > RESULTS_UNTIL => response.with_error_message(None),
        Ok(()) => {
            let result = |name| {
                UpdatableFeatureResult::default()
                    .with_feature(name)
                    .with_error_message(Some(StrBytes::from_static_str(NONE)))
            };
            response.with_error_message(None).with_results(names.into_iter().map(result).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::update_features_request::FeatureUpdateKey;
    use kafka_protocol::protocol::Encodable;

    use super::*;
    use crate::controller::testing::controller;

    fn request(name: &'static str, level: i16) -> UpdateFeaturesRequest {
        let update = FeatureUpdateKey::default()
            .with_feature(StrBytes::from_static_str(name))
            .with_max_version_level(level);
        UpdateFeaturesRequest::default().with_feature_updates(vec![update])
    }

    #[tokio::test]
    async fn a_feature_is_named_in_the_answer_up_to_version_one_and_only_on_success() {
        let (controller, _dir) = controller();
        for version in 0..=2 {
            let response = answer(&controller, version, request("metadata.version", 30)).await;
            assert_eq!((response.error_code, response.results.len()), (0, usize::from(version < 2)));
            response.encode(&mut bytes::BytesMut::new(), version).unwrap();
            let response = answer(&controller, version, request("no.version", 1)).await;
            assert_eq!((response.error_code, response.results.len()), (95, 0));
            assert!(response.error_message.is_some());
            response.encode(&mut bytes::BytesMut::new(), version).unwrap();
        }
    }
}
