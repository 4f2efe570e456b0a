//! Decisions on finalized levels of features (KIP-584, KIP-778).

use std::collections::HashMap;

use super::{Effects, METADATA_VERSION, METADATA_VERSION_LEVEL, METADATA_VERSION_LEVEL_MIN, Machine};
use crate::controller::command::{ApiError, FeatureUpdate, Outcome, Reply, UpgradeKind};
use crate::controller::replay::ReplayError;
use crate::types::ErrorCode;
use crate::wire::records::metadata::{FeatureLevelRecord, MetadataRecord};

/// A feature that this broker implements, with its range of levels (KIP-584).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feature {
    /// Its name.
    pub name: &'static str,
    /// The lowest level.
    pub min: i16,
    /// The highest level.
    pub max: i16,
}

/// What is implemented, not what Kafka 4.3 knows: a client may switch a feature on that it finds here.
/// Metadata versions 7 (3.3-IV3) to 30 (4.3-IV0) are those whose records the journal reads and writes.
pub const SUPPORTED_FEATURES: &[Feature] =
    &[Feature { name: METADATA_VERSION, min: METADATA_VERSION_LEVEL_MIN, max: METADATA_VERSION_LEVEL }];

/// The levels of `metadata.version` that brought records or fields of records: going below one of them may lose
/// what they hold (`MetadataVersion` in Kafka).
const LEVELS_WITH_NEW_METADATA: [i16; 9] = [7, 8, 11, 13, 14, 15, 17, 23, 30];

impl Machine {
    pub(super) fn handle_update_features(
        &mut self,
        updates: &[FeatureUpdate],
        validate_only: bool,
    ) -> Result<Effects, ReplayError> {
        let mut records = Vec::new();
        // As with Kafka the last update of a feature counts.
        let last: HashMap<&str, usize> = updates.iter().map(|update| update.name.as_str()).zip(0..).collect();
        let mut counting = updates.iter().zip(0..).filter(|(update, at)| last.get(&*update.name) == Some(at));
        let outcome = counting.try_for_each(|(update, _)| self.update_feature(update, &mut records));
        if outcome.is_err() || validate_only {
            records.clear();
        }
        self.effects(records, Reply::UpdateFeatures(outcome))
    }

    fn update_feature(&self, update: &FeatureUpdate, records: &mut Vec<MetadataRecord>) -> Outcome<()> {
        let FeatureUpdate { name, level, kind } = update;
        let refused = |reason: String| {
            let message = format!("no feature was changed: {name} cannot go to level {level}: {reason}");
            Err(ApiError::new(ErrorCode::InvalidUpdateVersion, message))
        };
        let Some(kind) = *kind else { return refused("the kind of upgrade is not known".to_owned()) };
        if *level < 0 {
            return refused("levels are 0 or more".to_owned());
        }
        let Some(feature) = SUPPORTED_FEATURES.iter().find(|feature| feature.name == *name) else {
            return refused("the feature is not supported".to_owned());
        };
        if !(feature.min..=feature.max).contains(level) {
            return refused(format!("levels {} to {} are supported", feature.min, feature.max));
        }
        let current = self.head.features().get(name).copied().unwrap_or(0);
        if *level < current && kind == UpgradeKind::Upgrade {
            return refused(format!("its level is {current}, and no downgrade was asked for"));
        }
        if *level > current && kind != UpgradeKind::Upgrade {
            return refused(format!("its level is {current}, and a downgrade was asked for"));
        }
        if *level < current && name == METADATA_VERSION {
            let loses = LEVELS_WITH_NEW_METADATA.iter().any(|new| level < new && *new <= current);
            if loses {
                return refused(format!("metadata written at level {current} might be lost"));
            }
        }
        if *level != current {
            let record = FeatureLevelRecord { name: name.clone(), feature_level: *level };
            records.push(MetadataRecord::FeatureLevel(record));
        }
        Ok(())
    }
}
