//! The controller's decisions, pure: a command and the speculative head give records, an answer, and the next head.
//! No clock, no file, no randomness: ids are handed in. The head changes through `replay` alone.

mod configs;
mod directories;
mod elections;
mod features;
mod partitions;
mod reassignments;
mod topics;

#[cfg(test)]
mod directory_tests;
#[cfg(test)]
mod movement_tests;
#[cfg(test)]
pub(in crate::controller) mod tests;

use std::sync::Arc;

use directories::Directories;

use super::command::{Changes, Command, ConfigRules, Reply};
use super::image::{DirectoryId, Image};
use super::replay::ReplayError;
use crate::types::{NodeId, TopicId};
use crate::wire::records::metadata::{FeatureLevelRecord, MetadataRecord};

/// Partitions, and records, that one command may make (`MAX_PARTITIONS_PER_BATCH` in Kafka's controller).
const RECORDS_PER_COMMAND_MAX: usize = 10_000;
/// Producer ids in a block (`ProducerIdsBlock.PRODUCER_ID_BLOCK_SIZE`).
pub const PRODUCER_ID_BLOCK: i64 = 1000;
/// The feature that every metadata log begins with.
pub const METADATA_VERSION: &str = "metadata.version";
/// 4.3-IV0, what Kafka 4.3 writes.
pub const METADATA_VERSION_LEVEL: i16 = 30;
/// 3.3-IV3, the first whose records the journal reads; Kafka 4.3 goes back as far.
pub const METADATA_VERSION_LEVEL_MIN: i16 = 7;

pub use features::{Feature, SUPPORTED_FEATURES};

/// What decisions depend on besides metadata.
#[derive(Clone)]
pub struct Settings {
    /// This node.
    pub node: NodeId,
    /// The data directories of this node that can be used, in the order of `log.dirs`.
    pub directories: Vec<DirectoryId>,
    /// How many `log.dirs` names.
    pub directories_configured: usize,
    /// Whether one of these is the metadata's: that one is no empty place where another disk should be.
    pub metadata_among_them: bool,
    /// `num.partitions`.
    pub num_partitions: i32,
    /// `default.replication.factor`.
    pub default_replication_factor: i16,
    /// `delete.topic.enable`.
    pub delete_topic_enable: bool,
    /// What may be configured.
    pub rules: Arc<dyn ConfigRules>,
}

/// What a command does: records for the journal, what they change, and the answer once they are committed.
#[derive(Debug)]
pub struct Effects {
    /// The records, one batch: all or nothing.
    pub records: Vec<MetadataRecord>,
    /// What they change.
    pub changes: Changes,
    /// The answer.
    pub reply: Reply,
}

/// Where new topic ids come from: random in the broker, counted in tests.
pub type TopicIds<'a> = &'a mut dyn FnMut() -> TopicId;

/// The controller's decisions on the metadata as it will be once everything decided so far is committed.
pub struct Machine {
    settings: Settings,
    directories: Directories,
    head: Arc<Image>,
}

impl Machine {
    /// A machine that goes on from `head`.
    pub fn new(settings: Settings, head: Arc<Image>) -> Self {
        let online = settings.directories.clone();
        let directories = Directories::new(online, settings.directories_configured);
        Self { settings, directories, head }
    }

    /// The metadata with everything decided so far.
    pub fn head(&self) -> &Arc<Image> {
        &self.head
    }

    /// Forgets what was decided after `committed`.
    pub fn reset(&mut self, committed: Arc<Image>) {
        self.head = committed;
        self.directories.forget_counts();
    }

    /// Decides on a command and moves the head by its records. Fails, the head unchanged, only when a decision's
    /// records contradict the head, which would be a defect.
    pub fn handle(&mut self, command: Command, ids: TopicIds<'_>) -> Result<Effects, ReplayError> {
        match command {
            Command::CreateTopics { topics, validate_only } => {
                self.handle_create_topics(&topics, validate_only, ids)
            }
            Command::EnsureTopics(topics) => self.handle_ensure_topics(&topics, ids),
            Command::DeleteTopics(topics) => self.handle_delete_topics(&topics),
            Command::CreatePartitions { topics, validate_only } => {
                self.handle_create_partitions(&topics, validate_only)
            }
            Command::AlterConfigs { resources, validate_only } => {
                self.handle_alter_configs(&resources, validate_only)
            }
            Command::ElectLeaders { kind, partitions } => {
                self.handle_elect_leaders(kind, partitions.as_deref())
            }
            Command::AlterReassignments { partitions, allow_factor_change } => {
                self.handle_alter_reassignments(&partitions, allow_factor_change)
            }
            Command::UpdateFeatures { updates, validate_only } => {
                self.handle_update_features(&updates, validate_only)
            }
            Command::AllocateProducerIds => self.handle_allocate_producer_ids(),
            Command::RaiseLeaderEpochs(partitions) => self.handle_raise_leader_epochs(&partitions),
            Command::TakeOver(found) => self.handle_take_over(&found, ids),
            Command::FailDirectory { directory, partitions } => {
                self.handle_fail_directory(directory, &partitions, ids)
            }
        }
    }

    /// The records that a new journal begins with.
    pub fn bootstrap() -> Vec<MetadataRecord> {
        let feature =
            FeatureLevelRecord { name: METADATA_VERSION.to_owned(), feature_level: METADATA_VERSION_LEVEL };
        vec![MetadataRecord::FeatureLevel(feature)]
    }

    /// Moves the head by `records`, all or none.
    pub fn replay(&mut self, records: &[MetadataRecord]) -> Result<Changes, ReplayError> {
        let mut changes = Changes::default();
        if records.is_empty() {
            return Ok(changes);
        }
        let mut next = Image::clone(&self.head);
        for record in records {
            next.replay(record, &mut changes)?;
        }
        self.head = Arc::new(next);
        Ok(changes)
    }

    /// Replays what was decided, in directories that are chosen here, and adds the answer.
    fn effects(&mut self, mut records: Vec<MetadataRecord>, reply: Reply) -> Result<Effects, ReplayError> {
        self.choose_directories(&mut records);
        let changes = self.replay(&records).inspect_err(|_| self.directories.forget_counts())?;
        self.note_directories(&records, &changes);
        Ok(Effects { records, changes, reply })
    }
}
