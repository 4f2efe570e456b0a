//! The durable facts about groups, as the machine knows them: what it decides is one of these, and replaying them
//! is the only thing that changes durable state. `records` translates them to Kafka's schemas and back.

use std::sync::Arc;

use bytes::Bytes;

use crate::types::{TopicId, TopicName};

/// One record of `__consumer_offsets`. A value of `None` is a tombstone.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum GroupRecord {
    /// A classic group's generation.
    Metadata { group: Arc<str>, value: Option<GroupMetadata> },
    /// A committed offset.
    Offset { group: Arc<str>, topic: TopicName, partition: i32, value: Option<OffsetValue> },
    /// A record of another group protocol: its key as it stands in the log, and whether it has a value.
    Foreign { group: Arc<str>, kind: ForeignKind, key: Bytes, present: bool },
}

/// A classic group as its last record says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct GroupMetadata {
    pub(crate) protocol_type: Option<Arc<str>>,
    pub(crate) generation: i32,
    pub(crate) protocol: Option<Arc<str>>,
    pub(crate) leader: Option<Arc<str>>,
    /// When the state last changed, in milliseconds of the wall clock; `None` in records of old brokers.
    pub(crate) state_changed_ms: Option<i64>,
    pub(crate) members: Vec<MemberMetadata>,
}

/// One member in a group's record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MemberMetadata {
    pub(crate) member_id: Arc<str>,
    pub(crate) instance_id: Option<Arc<str>>,
    pub(crate) client_id: Arc<str>,
    pub(crate) client_host: Arc<str>,
    pub(crate) rebalance_timeout_ms: i32,
    pub(crate) session_timeout_ms: i32,
    pub(crate) subscription: Bytes,
    pub(crate) assignment: Bytes,
}

/// A committed offset.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OffsetValue {
    pub(crate) offset: i64,
    /// −1 when unknown.
    pub(crate) leader_epoch: i32,
    pub(crate) metadata: Arc<str>,
    /// Milliseconds of the wall clock.
    pub(crate) commit_ms: i64,
    /// Set by clients that name a retention (`OffsetCommit` 2 to 4).
    pub(crate) expire_ms: Option<i64>,
    /// Zero when unknown.
    pub(crate) topic_id: TopicId,
}

/// A group protocol that this coordinator keeps the records of and does not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ForeignKind {
    /// KIP-848.
    Consumer,
    /// KIP-932.
    Share,
    /// KIP-1071.
    Streams,
}

impl ForeignKind {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Consumer, Self::Share, Self::Streams];

    /// Kafka's name of the group type; also the protocol type in a list.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Consumer => "consumer",
            Self::Share => "share",
            Self::Streams => "streams",
        }
    }
}
