//! What the controller can be asked to do, and what it answers: plain data, one answer per item in the request's
//! order, each a success or Kafka's error code with a message. Nothing here decides or knows of the wire.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::image::{ConfigResource, Configs, DirectoryId, ResourceKind, TopicImage};
use crate::types::{ErrorCode, LeaderEpoch, NodeId, ProducerId, TopicId, TopicName};

/// Kafka's error code for one item of a request, with the message that goes beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// The code.
    pub code: ErrorCode,
    /// What was wrong; `None` leaves Kafka's own text for the code.
    pub message: Option<String>,
}

impl ApiError {
    /// An error with a message.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: Some(message.into()) }
    }
}

impl From<ErrorCode> for ApiError {
    fn from(code: ErrorCode) -> Self {
        Self { code, message: None }
    }
}

/// A topic that shall be made (`CreatableTopic`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name, unchecked.
    pub name: String,
    /// The number of partitions; -1 means `num.partitions`, and with `assignments` it has to be -1.
    pub partitions: i32,
    /// The replication factor; -1 means `default.replication.factor`, and with `assignments` it has to be -1.
    pub replication_factor: i16,
    /// Partition index and replicas, placed by the client; empty when the controller places them.
    pub assignments: Vec<(i32, Vec<NodeId>)>,
    /// Configurations; a value `None` is refused.
    pub configs: Vec<(String, Option<String>)>,
}

impl NewTopic {
    /// A topic with the broker's defaults and these configurations.
    pub fn named(name: &str, partitions: i32, configs: &Configs) -> Self {
        Self {
            name: name.to_owned(),
            partitions,
            replication_factor: -1,
            assignments: Vec::new(),
            configs: configs.iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect(),
        }
    }
}

/// What a topic was made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedTopic {
    /// Its name.
    pub name: TopicName,
    /// Its id.
    pub id: TopicId,
    /// The number of its partitions.
    pub partitions: i32,
    /// The number of replicas of each.
    pub replication_factor: i16,
    /// What was set explicitly.
    pub configs: Configs,
}

/// A topic named by name or by id (`DeleteTopicsRequest` 6). Exactly one has to be there.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicRef {
    /// The name.
    pub name: Option<String>,
    /// The id; `TopicId::ZERO` when it is named by name.
    pub id: TopicId,
}

/// A topic that shall have more partitions (`CreatePartitionsTopic`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewPartitions {
    /// The topic's name.
    pub name: String,
    /// The number of partitions it shall have afterwards.
    pub count: i32,
    /// The replicas of each new partition, placed by the client; `None` when the controller places them.
    pub assignments: Option<Vec<Vec<NodeId>>>,
}

/// A change of one configuration (KIP-339, `AlterConfigOp.OpType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigOp {
    /// Sets the value.
    Set,
    /// Goes back to the default.
    Delete,
    /// Adds to a list.
    Append,
    /// Takes from a list.
    Subtract,
}

impl ConfigOp {
    /// The operation with Kafka's id `id`.
    pub const fn from_id(id: i8) -> Option<Self> {
        match id {
            0 => Some(Self::Set),
            1 => Some(Self::Delete),
            2 => Some(Self::Append),
            3 => Some(Self::Subtract),
            _ => None,
        }
    }
}

/// One configuration of a resource that shall change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigChange {
    /// The configuration's name.
    pub key: String,
    /// What happens to it.
    pub op: ConfigOp,
    /// The value, or the elements to add or take; `None` is refused unless `op` is `Delete`.
    pub value: Option<String>,
}

/// The changes of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlterResource {
    /// Whose configurations.
    pub resource: ConfigResource,
    /// The changes, applied all or none.
    pub changes: Vec<ConfigChange>,
    /// Whether keys that `changes` does not name go back to their defaults (the older API).
    pub replace: bool,
}

/// One partition by topic id and index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicIdPartition {
    /// The topic's id.
    pub topic_id: TopicId,
    /// The partition's index.
    pub partition: i32,
}

/// Which replica an election may choose (KIP-183, KIP-460).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElectionKind {
    /// The first of the replicas, if it is in sync.
    Preferred,
    /// Any replica that is alive, if the partition has no leader.
    Unclean,
}

impl ElectionKind {
    /// The kind with Kafka's id `id`.
    pub const fn from_id(id: i8) -> Option<Self> {
        match id {
            0 => Some(Self::Preferred),
            1 => Some(Self::Unclean),
            _ => None,
        }
    }
}

/// Partitions of one topic, by the topic's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicPartitions {
    /// The topic's name.
    pub topic: String,
    /// The partitions' indexes.
    pub partitions: Vec<i32>,
}

/// Where a partition's replicas shall be (KIP-455).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reassignment {
    /// The topic's name, shared: a request may name very many partitions of one topic.
    pub topic: TopicName,
    /// The partition's index.
    pub partition: i32,
    /// The replicas, in preferred order; `None` takes back a reassignment that is under way.
    pub replicas: Option<Vec<NodeId>>,
}

/// In which direction a feature's level may go (`FeatureUpdate.UpgradeType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpgradeKind {
    /// Up.
    Upgrade,
    /// Down, if no metadata is lost by it.
    SafeDowngrade,
    /// Down, whatever is lost.
    UnsafeDowngrade,
}

impl UpgradeKind {
    /// The kind with Kafka's id `id`.
    pub const fn from_id(id: i8) -> Option<Self> {
        match id {
            1 => Some(Self::Upgrade),
            2 => Some(Self::SafeDowngrade),
            3 => Some(Self::UnsafeDowngrade),
            _ => None,
        }
    }
}

/// A feature that shall get another level (KIP-584).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureUpdate {
    /// The feature's name.
    pub name: String,
    /// Its level afterwards; 0 is "off".
    pub level: i16,
    /// In which direction; `None` is a kind that is not known, and refused.
    pub kind: Option<UpgradeKind>,
}

/// Everything that changes metadata. The records of one command are one batch of the journal: all or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Makes topics; with `validate_only` it only says what would happen.
    CreateTopics {
        /// The topics.
        topics: Vec<NewTopic>,
        /// Changes nothing.
        validate_only: bool,
    },
    /// Makes the topics that are missing: internal topics and auto-creation.
    EnsureTopics(Vec<NewTopic>),
    /// Deletes topics and their configurations.
    DeleteTopics(Vec<TopicRef>),
    /// Adds partitions.
    CreatePartitions {
        /// The topics.
        topics: Vec<NewPartitions>,
        /// Changes nothing.
        validate_only: bool,
    },
    /// Changes configurations (KIP-339).
    AlterConfigs {
        /// The resources.
        resources: Vec<AlterResource>,
        /// Changes nothing.
        validate_only: bool,
    },
    /// Takes the next block of producer ids.
    AllocateProducerIds,
    /// Elects leaders.
    ElectLeaders {
        /// Which replicas may be chosen.
        kind: ElectionKind,
        /// The partitions; `None` means all.
        partitions: Option<Vec<TopicPartitions>>,
    },
    /// Moves replicas to other brokers, or takes that back.
    AlterReassignments {
        /// The partitions.
        partitions: Vec<Reassignment>,
        /// Whether a partition may have more or fewer replicas afterwards (KIP-860).
        allow_factor_change: bool,
    },
    /// Finalizes levels of features, all or none.
    UpdateFeatures {
        /// The features.
        updates: Vec<FeatureUpdate>,
        /// Changes nothing.
        validate_only: bool,
    },
    /// Elects the leader of each partition again, which raises its epoch by one: its log was recovered or cut.
    RaiseLeaderEpochs(Vec<TopicIdPartition>),
    /// Elects this node for every partition that has no leader and a replica here, unless its directory is offline.
    /// Names the partitions that lie in another directory than the journal says.
    TakeOver(Vec<(TopicIdPartition, DirectoryId)>),
    /// A data directory failed: these partitions of it lose their leader, and it takes no new ones.
    FailDirectory {
        /// The directory.
        directory: DirectoryId,
        /// Partitions in it.
        partitions: Vec<TopicIdPartition>,
    },
}

/// An item's outcome.
pub type Outcome<T> = Result<T, ApiError>;

/// What elections of one topic's partitions came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElectedTopic {
    /// The topic's name.
    pub topic: String,
    /// Partition index and outcome.
    pub partitions: Vec<(i32, Outcome<()>)>,
}

/// A block of producer ids: `first` and the `count - 1` after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerIdBlock {
    /// The first id.
    pub first: ProducerId,
    /// How many.
    pub count: i64,
}

/// The answer to a command, its items in the command's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// To `CreateTopics`.
    CreateTopics(Vec<Outcome<CreatedTopic>>),
    /// To `EnsureTopics`: the topic as it is now, made or found.
    EnsureTopics(Vec<Outcome<Arc<TopicImage>>>),
    /// To `DeleteTopics`: the name and id of what was deleted.
    DeleteTopics(Vec<Outcome<(TopicName, TopicId)>>),
    /// To `CreatePartitions`.
    CreatePartitions(Vec<Outcome<()>>),
    /// To `AlterConfigs`.
    AlterConfigs(Vec<Outcome<()>>),
    /// To `AllocateProducerIds`.
    AllocateProducerIds(Outcome<ProducerIdBlock>),
    /// To `ElectLeaders`: each partition's outcome. When all partitions were meant, those that need no election
    /// are left out.
    ElectLeaders(Vec<ElectedTopic>),
    /// To `AlterReassignments`.
    AlterReassignments(Vec<Outcome<()>>),
    /// To `UpdateFeatures`.
    UpdateFeatures(Outcome<()>),
    /// To `RaiseLeaderEpochs`: the new epochs.
    RaiseLeaderEpochs(Vec<Outcome<LeaderEpoch>>),
    /// To `TakeOver`: how many partitions have a leader now.
    TakeOver(usize),
    /// To `FailDirectory`.
    FailDirectory,
}

/// What the controller needs to know of configurations; the table of keys implements it.
pub trait ConfigRules: Send + Sync + 'static {
    /// Whether `configs`, all that would be set explicitly on `resource`, may stand there. The error is
    /// `INVALID_CONFIG` for an unknown name or a bad value, `INVALID_REQUEST` for a resource that has none.
    fn validate(&self, resource: &ConfigResource, configs: &Configs) -> Outcome<()>;
    /// Whether the key holds a list, so that elements can be added and taken.
    fn is_list(&self, kind: ResourceKind, key: &str) -> bool;
    /// The default of a key as text; elements are added to it while the key is not set.
    fn default_value(&self, kind: ResourceKind, key: &str) -> Option<String>;
}

/// What one committed command changed, so that nobody has to compare two images.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Topics that are new, or that have new partitions, leaders or epochs, by id.
    pub topics: BTreeMap<TopicId, TopicName>,
    /// Topics that were deleted; a topic of the same name in `topics` is another one.
    pub deleted: Vec<Arc<TopicImage>>,
    /// Resources whose configurations changed; those of deleted topics are not among them.
    pub configs: BTreeSet<ConfigResource>,
}
