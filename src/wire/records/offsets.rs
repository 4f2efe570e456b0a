//! Committed offsets and classic groups as `__consumer_offsets` holds them, and every key of that topic.
//! Generated from Kafka's message definitions by `scripts/generate-records`; not edited by hand.

use std::ops::RangeInclusive;

use super::codec::{self, Body, Message, Reader, RecordError, Tags, Writer};
pub use super::consumer_group::ConsumerGroupCurrentMemberAssignmentKey;
pub use super::consumer_group::ConsumerGroupMemberMetadataKey;
pub use super::consumer_group::ConsumerGroupMetadataKey;
pub use super::consumer_group::ConsumerGroupPartitionMetadataKey;
pub use super::consumer_group::ConsumerGroupRegularExpressionKey;
pub use super::consumer_group::ConsumerGroupTargetAssignmentMemberKey;
pub use super::consumer_group::ConsumerGroupTargetAssignmentMetadataKey;
pub use super::share_group::ShareGroupCurrentMemberAssignmentKey;
pub use super::share_group::ShareGroupMemberMetadataKey;
pub use super::share_group::ShareGroupMetadataKey;
pub use super::share_group::ShareGroupStatePartitionMetadataKey;
pub use super::share_group::ShareGroupTargetAssignmentMemberKey;
pub use super::share_group::ShareGroupTargetAssignmentMetadataKey;
pub use super::streams_group::StreamsGroupCurrentMemberAssignmentKey;
pub use super::streams_group::StreamsGroupMemberMetadataKey;
pub use super::streams_group::StreamsGroupMetadataKey;
pub use super::streams_group::StreamsGroupTargetAssignmentMemberKey;
pub use super::streams_group::StreamsGroupTargetAssignmentMetadataKey;
pub use super::streams_group::StreamsGroupTopologyKey;
use bytes::Bytes;
use uuid::Uuid;

/// Any key of `__consumer_offsets`.
#[derive(Clone, Debug, PartialEq)]
pub enum OffsetsKey {
    /// Type 0.
    LegacyOffsetCommit(LegacyOffsetCommitKey),
    /// Type 1.
    OffsetCommit(OffsetCommitKey),
    /// Type 2.
    GroupMetadata(GroupMetadataKey),
    /// Type 3.
    ConsumerGroupMetadata(ConsumerGroupMetadataKey),
    /// Type 4.
    ConsumerGroupPartitionMetadata(ConsumerGroupPartitionMetadataKey),
    /// Type 5.
    ConsumerGroupMemberMetadata(ConsumerGroupMemberMetadataKey),
    /// Type 6.
    ConsumerGroupTargetAssignmentMetadata(ConsumerGroupTargetAssignmentMetadataKey),
    /// Type 7.
    ConsumerGroupTargetAssignmentMember(ConsumerGroupTargetAssignmentMemberKey),
    /// Type 8.
    ConsumerGroupCurrentMemberAssignment(ConsumerGroupCurrentMemberAssignmentKey),
    /// Type 10.
    ShareGroupMemberMetadata(ShareGroupMemberMetadataKey),
    /// Type 11.
    ShareGroupMetadata(ShareGroupMetadataKey),
    /// Type 12.
    ShareGroupTargetAssignmentMetadata(ShareGroupTargetAssignmentMetadataKey),
    /// Type 13.
    ShareGroupTargetAssignmentMember(ShareGroupTargetAssignmentMemberKey),
    /// Type 14.
    ShareGroupCurrentMemberAssignment(ShareGroupCurrentMemberAssignmentKey),
    /// Type 15.
    ShareGroupStatePartitionMetadata(ShareGroupStatePartitionMetadataKey),
    /// Type 16.
    ConsumerGroupRegularExpression(ConsumerGroupRegularExpressionKey),
    /// Type 17.
    StreamsGroupMetadata(StreamsGroupMetadataKey),
    /// Type 19.
    StreamsGroupMemberMetadata(StreamsGroupMemberMetadataKey),
    /// Type 20.
    StreamsGroupTargetAssignmentMetadata(StreamsGroupTargetAssignmentMetadataKey),
    /// Type 21.
    StreamsGroupTargetAssignmentMember(StreamsGroupTargetAssignmentMemberKey),
    /// Type 22.
    StreamsGroupCurrentMemberAssignment(StreamsGroupCurrentMemberAssignmentKey),
    /// Type 23.
    StreamsGroupTopology(StreamsGroupTopologyKey),

    /// A type that none of our definitions has: the whole key, its type included.
    Unknown(Bytes),
}

impl OffsetsKey {
    /// The key as Kafka's group coordinator writes it: its type as int16, then the body.
    pub fn encode(&self) -> Result<Vec<u8>, RecordError> {
        match self {
            Self::LegacyOffsetCommit(key) => key.encode(),
            Self::OffsetCommit(key) => key.encode(),
            Self::GroupMetadata(key) => key.encode(),
            Self::ConsumerGroupMetadata(key) => key.encode(),
            Self::ConsumerGroupPartitionMetadata(key) => key.encode(),
            Self::ConsumerGroupMemberMetadata(key) => key.encode(),
            Self::ConsumerGroupTargetAssignmentMetadata(key) => key.encode(),
            Self::ConsumerGroupTargetAssignmentMember(key) => key.encode(),
            Self::ConsumerGroupCurrentMemberAssignment(key) => key.encode(),
            Self::ShareGroupMemberMetadata(key) => key.encode(),
            Self::ShareGroupMetadata(key) => key.encode(),
            Self::ShareGroupTargetAssignmentMetadata(key) => key.encode(),
            Self::ShareGroupTargetAssignmentMember(key) => key.encode(),
            Self::ShareGroupCurrentMemberAssignment(key) => key.encode(),
            Self::ShareGroupStatePartitionMetadata(key) => key.encode(),
            Self::ConsumerGroupRegularExpression(key) => key.encode(),
            Self::StreamsGroupMetadata(key) => key.encode(),
            Self::StreamsGroupMemberMetadata(key) => key.encode(),
            Self::StreamsGroupTargetAssignmentMetadata(key) => key.encode(),
            Self::StreamsGroupTargetAssignmentMember(key) => key.encode(),
            Self::StreamsGroupCurrentMemberAssignment(key) => key.encode(),
            Self::StreamsGroupTopology(key) => key.encode(),
            Self::Unknown(bytes) => Ok(bytes.to_vec()),
        }
    }

    /// Reads any key; a type that is not known is kept as bytes. Fails when the body of a known type is broken.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        match codec::key_type(bytes)? {
            LegacyOffsetCommitKey::TYPE => LegacyOffsetCommitKey::decode(bytes).map(Self::LegacyOffsetCommit),
            OffsetCommitKey::TYPE => OffsetCommitKey::decode(bytes).map(Self::OffsetCommit),
            GroupMetadataKey::TYPE => GroupMetadataKey::decode(bytes).map(Self::GroupMetadata),
            ConsumerGroupMetadataKey::TYPE => {
                ConsumerGroupMetadataKey::decode(bytes).map(Self::ConsumerGroupMetadata)
            }
            ConsumerGroupPartitionMetadataKey::TYPE => {
                ConsumerGroupPartitionMetadataKey::decode(bytes).map(Self::ConsumerGroupPartitionMetadata)
            }
            ConsumerGroupMemberMetadataKey::TYPE => {
                ConsumerGroupMemberMetadataKey::decode(bytes).map(Self::ConsumerGroupMemberMetadata)
            }
            ConsumerGroupTargetAssignmentMetadataKey::TYPE => {
                ConsumerGroupTargetAssignmentMetadataKey::decode(bytes)
                    .map(Self::ConsumerGroupTargetAssignmentMetadata)
            }
            ConsumerGroupTargetAssignmentMemberKey::TYPE => {
                ConsumerGroupTargetAssignmentMemberKey::decode(bytes)
                    .map(Self::ConsumerGroupTargetAssignmentMember)
            }
            ConsumerGroupCurrentMemberAssignmentKey::TYPE => {
                ConsumerGroupCurrentMemberAssignmentKey::decode(bytes)
                    .map(Self::ConsumerGroupCurrentMemberAssignment)
            }
            ShareGroupMemberMetadataKey::TYPE => {
                ShareGroupMemberMetadataKey::decode(bytes).map(Self::ShareGroupMemberMetadata)
            }
            ShareGroupMetadataKey::TYPE => ShareGroupMetadataKey::decode(bytes).map(Self::ShareGroupMetadata),
            ShareGroupTargetAssignmentMetadataKey::TYPE => {
                ShareGroupTargetAssignmentMetadataKey::decode(bytes)
                    .map(Self::ShareGroupTargetAssignmentMetadata)
            }
            ShareGroupTargetAssignmentMemberKey::TYPE => {
                ShareGroupTargetAssignmentMemberKey::decode(bytes).map(Self::ShareGroupTargetAssignmentMember)
            }
            ShareGroupCurrentMemberAssignmentKey::TYPE => ShareGroupCurrentMemberAssignmentKey::decode(bytes)
                .map(Self::ShareGroupCurrentMemberAssignment),
            ShareGroupStatePartitionMetadataKey::TYPE => {
                ShareGroupStatePartitionMetadataKey::decode(bytes).map(Self::ShareGroupStatePartitionMetadata)
            }
            ConsumerGroupRegularExpressionKey::TYPE => {
                ConsumerGroupRegularExpressionKey::decode(bytes).map(Self::ConsumerGroupRegularExpression)
            }
            StreamsGroupMetadataKey::TYPE => {
                StreamsGroupMetadataKey::decode(bytes).map(Self::StreamsGroupMetadata)
            }
            StreamsGroupMemberMetadataKey::TYPE => {
                StreamsGroupMemberMetadataKey::decode(bytes).map(Self::StreamsGroupMemberMetadata)
            }
            StreamsGroupTargetAssignmentMetadataKey::TYPE => {
                StreamsGroupTargetAssignmentMetadataKey::decode(bytes)
                    .map(Self::StreamsGroupTargetAssignmentMetadata)
            }
            StreamsGroupTargetAssignmentMemberKey::TYPE => {
                StreamsGroupTargetAssignmentMemberKey::decode(bytes)
                    .map(Self::StreamsGroupTargetAssignmentMember)
            }
            StreamsGroupCurrentMemberAssignmentKey::TYPE => {
                StreamsGroupCurrentMemberAssignmentKey::decode(bytes)
                    .map(Self::StreamsGroupCurrentMemberAssignment)
            }
            StreamsGroupTopologyKey::TYPE => {
                StreamsGroupTopologyKey::decode(bytes).map(Self::StreamsGroupTopology)
            }
            _ => Ok(Self::Unknown(Bytes::copy_from_slice(bytes))),
        }
    }
}

/// `LegacyOffsetCommitKey`, type 0: version 0, never flexible.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct LegacyOffsetCommitKey {
    /// `group`: `string`.
    pub group: String,
    /// `topic`: `string`.
    pub topic: String,
    /// `partition`: `int32`.
    pub partition: i32,
}

impl Body for LegacyOffsetCommitKey {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.string("group", &self.group)?;
        out.string("topic", &self.topic)?;
        out.i32(self.partition);
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.group = input.string("group")?;
        record.topic = input.string("topic")?;
        record.partition = input.i32()?;
        Ok(record)
    }
}

impl Message for LegacyOffsetCommitKey {
    const NAME: &'static str = "LegacyOffsetCommitKey";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = None;
}

impl LegacyOffsetCommitKey {
    /// The number that stands before every key of this type.
    pub const TYPE: i16 = 0;

    /// The key as Kafka's coordinator writes it: its type as int16, then the body.
    pub fn encode(&self) -> Result<Vec<u8>, RecordError> {
        codec::encode_key(Self::TYPE, self)
    }

    /// Reads what `encode` writes; refuses a key of another type.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        codec::decode_key(Self::TYPE, bytes)
    }
}

/// `LegacyOffsetCommitValue`: version 0, never flexible.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct LegacyOffsetCommitValue {
    /// `offset`: `int64`.
    pub offset: i64,
    /// `metadata`: `string`.
    pub metadata: String,
    /// `commitTimestamp`: `int64`.
    pub commit_timestamp: i64,
}

impl Body for LegacyOffsetCommitValue {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.i64(self.offset);
        out.string("metadata", &self.metadata)?;
        out.i64(self.commit_timestamp);
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.offset = input.i64()?;
        record.metadata = input.string("metadata")?;
        record.commit_timestamp = input.i64()?;
        Ok(record)
    }
}

impl Message for LegacyOffsetCommitValue {
    const NAME: &'static str = "LegacyOffsetCommitValue";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = None;
}

impl LegacyOffsetCommitValue {
    /// The value as Kafka's coordinator writes it: the version as int16, then the body.
    /// Fails when this version cannot hold what is set.
    pub fn encode(&self, version: i16) -> Result<Vec<u8>, RecordError> {
        codec::encode_value(self, version)
    }

    /// Reads what `encode` writes, at any version that the definition has.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        codec::decode_value(bytes)
    }
}

/// `OffsetCommitKey`, type 1: version 0, never flexible.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetCommitKey {
    /// `group`: `string`.
    pub group: String,
    /// `topic`: `string`.
    pub topic: String,
    /// `partition`: `int32`.
    pub partition: i32,
}

impl Body for OffsetCommitKey {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.string("group", &self.group)?;
        out.string("topic", &self.topic)?;
        out.i32(self.partition);
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.group = input.string("group")?;
        record.topic = input.string("topic")?;
        record.partition = input.i32()?;
        Ok(record)
    }
}

impl Message for OffsetCommitKey {
    const NAME: &'static str = "OffsetCommitKey";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = None;
}

impl OffsetCommitKey {
    /// The number that stands before every key of this type.
    pub const TYPE: i16 = 1;

    /// The key as Kafka's coordinator writes it: its type as int16, then the body.
    pub fn encode(&self) -> Result<Vec<u8>, RecordError> {
        codec::encode_key(Self::TYPE, self)
    }

    /// Reads what `encode` writes; refuses a key of another type.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        codec::decode_key(Self::TYPE, bytes)
    }
}

/// `OffsetCommitValue`: versions 0 to 4, flexible from 4.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetCommitValue {
    /// `offset`: `int64`.
    pub offset: i64,
    /// `leaderEpoch`: `int32`, versions 3+, default -1.
    pub leader_epoch: i32,
    /// `metadata`: `string`.
    pub metadata: String,
    /// `commitTimestamp`: `int64`.
    pub commit_timestamp: i64,
    /// `expireTimestamp`: `int64`, version 1 only, default -1.
    pub expire_timestamp: i64,
    /// `topicId`: `uuid`, versions 4+, tag 0.
    pub topic_id: Uuid,
}

impl Default for OffsetCommitValue {
    fn default() -> Self {
        Self {
            offset: 0,
            leader_epoch: -1,
            metadata: String::default(),
            commit_timestamp: 0,
            expire_timestamp: -1,
            topic_id: Uuid::default(),
        }
    }
}

impl Body for OffsetCommitValue {
    fn write(&self, out: &mut Writer, version: i16) -> Result<(), RecordError> {
        out.i64(self.offset);
        if version >= 3 {
            out.i32(self.leader_epoch);
        }
        out.string("metadata", &self.metadata)?;
        out.i64(self.commit_timestamp);
        if version == 1 {
            out.i64(self.expire_timestamp);
        }
        let mut tags = Tags::default();
        if !self.topic_id.is_nil() && version >= 4 {
            tags.put(0, |out| {
                out.uuid(self.topic_id);
                Ok(())
            })?;
        }
        out.tags(&tags);
        Ok(())
    }

    fn read(input: &mut Reader<'_>, version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.offset = input.i64()?;
        if version >= 3 {
            record.leader_epoch = input.i32()?;
        }
        record.metadata = input.string("metadata")?;
        record.commit_timestamp = input.i64()?;
        if version == 1 {
            record.expire_timestamp = input.i64()?;
        }
        input.tags(|tag, input| {
            match tag {
                0 if version >= 4 => {
                    record.topic_id = input.uuid()?;
                }
                _ => input.skip_rest(),
            }
            Ok(())
        })?;
        Ok(record)
    }
}

impl Message for OffsetCommitValue {
    const NAME: &'static str = "OffsetCommitValue";
    const VERSIONS: RangeInclusive<i16> = 0..=4;
    const FLEXIBLE_FROM: Option<i16> = Some(4);
}

impl OffsetCommitValue {
    /// The value as Kafka's coordinator writes it: the version as int16, then the body.
    /// Fails when this version cannot hold what is set.
    pub fn encode(&self, version: i16) -> Result<Vec<u8>, RecordError> {
        codec::encode_value(self, version)
    }

    /// Reads what `encode` writes, at any version that the definition has.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        codec::decode_value(bytes)
    }
}

/// `GroupMetadataKey`, type 2: version 0, never flexible.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct GroupMetadataKey {
    /// `group`: `string`.
    pub group: String,
}

impl Body for GroupMetadataKey {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.string("group", &self.group)?;
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.group = input.string("group")?;
        Ok(record)
    }
}

impl Message for GroupMetadataKey {
    const NAME: &'static str = "GroupMetadataKey";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = None;
}

impl GroupMetadataKey {
    /// The number that stands before every key of this type.
    pub const TYPE: i16 = 2;

    /// The key as Kafka's coordinator writes it: its type as int16, then the body.
    pub fn encode(&self) -> Result<Vec<u8>, RecordError> {
        codec::encode_key(Self::TYPE, self)
    }

    /// Reads what `encode` writes; refuses a key of another type.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        codec::decode_key(Self::TYPE, bytes)
    }
}

/// `GroupMetadataValue`: versions 0 to 4, flexible from 4.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupMetadataValue {
    /// `protocolType`: `string`.
    pub protocol_type: String,
    /// `generation`: `int32`.
    pub generation: i32,
    /// `protocol`: `string`, nullable.
    pub protocol: Option<String>,
    /// `leader`: `string`, nullable.
    pub leader: Option<String>,
    /// `currentStateTimestamp`: `int64`, versions 2+, default -1.
    pub current_state_timestamp: i64,
    /// `members`: `[]MemberMetadata`.
    pub members: Vec<MemberMetadata>,
}

impl Default for GroupMetadataValue {
    fn default() -> Self {
        Self {
            protocol_type: String::default(),
            generation: 0,
            protocol: Some(String::default()),
            leader: Some(String::default()),
            current_state_timestamp: -1,
            members: Vec::default(),
        }
    }
}

impl Body for GroupMetadataValue {
    fn write(&self, out: &mut Writer, version: i16) -> Result<(), RecordError> {
        out.string("protocolType", &self.protocol_type)?;
        out.i32(self.generation);
        out.nullable_string("protocol", self.protocol.as_deref())?;
        out.nullable_string("leader", self.leader.as_deref())?;
        if version >= 2 {
            out.i64(self.current_state_timestamp);
        }
        out.array("members", &self.members, |out, item| item.write(out, version))?;
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.protocol_type = input.string("protocolType")?;
        record.generation = input.i32()?;
        record.protocol = input.nullable_string("protocol")?;
        record.leader = input.nullable_string("leader")?;
        if version >= 2 {
            record.current_state_timestamp = input.i64()?;
        }
        record.members = input.array("members", |input| MemberMetadata::read(input, version))?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for GroupMetadataValue {
    const NAME: &'static str = "GroupMetadataValue";
    const VERSIONS: RangeInclusive<i16> = 0..=4;
    const FLEXIBLE_FROM: Option<i16> = Some(4);
}

impl GroupMetadataValue {
    /// The value as Kafka's coordinator writes it: the version as int16, then the body.
    /// Fails when this version cannot hold what is set.
    pub fn encode(&self, version: i16) -> Result<Vec<u8>, RecordError> {
        codec::encode_value(self, version)
    }

    /// Reads what `encode` writes, at any version that the definition has.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        codec::decode_value(bytes)
    }
}

/// Part of [`GroupMetadataValue`].
#[derive(Clone, Debug, PartialEq)]
pub struct MemberMetadata {
    /// `memberId`: `string`.
    pub member_id: String,
    /// `groupInstanceId`: `string`, nullable, versions 3+, default null.
    pub group_instance_id: Option<String>,
    /// `clientId`: `string`.
    pub client_id: String,
    /// `clientHost`: `string`.
    pub client_host: String,
    /// `rebalanceTimeout`: `int32`, versions 1+, default -1.
    pub rebalance_timeout: i32,
    /// `sessionTimeout`: `int32`.
    pub session_timeout: i32,
    /// `subscription`: `bytes`.
    pub subscription: Bytes,
    /// `assignment`: `bytes`.
    pub assignment: Bytes,
}

impl Default for MemberMetadata {
    fn default() -> Self {
        Self {
            member_id: String::default(),
            group_instance_id: None,
            client_id: String::default(),
            client_host: String::default(),
            rebalance_timeout: -1,
            session_timeout: 0,
            subscription: Bytes::default(),
            assignment: Bytes::default(),
        }
    }
}

impl Body for MemberMetadata {
    fn write(&self, out: &mut Writer, version: i16) -> Result<(), RecordError> {
        out.string("memberId", &self.member_id)?;
        if version >= 3 {
            out.nullable_string("groupInstanceId", self.group_instance_id.as_deref())?;
        }
        out.string("clientId", &self.client_id)?;
        out.string("clientHost", &self.client_host)?;
        if version >= 1 {
            out.i32(self.rebalance_timeout);
        }
        out.i32(self.session_timeout);
        out.bytes("subscription", &self.subscription)?;
        out.bytes("assignment", &self.assignment)?;
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.member_id = input.string("memberId")?;
        if version >= 3 {
            record.group_instance_id = input.nullable_string("groupInstanceId")?;
        }
        record.client_id = input.string("clientId")?;
        record.client_host = input.string("clientHost")?;
        if version >= 1 {
            record.rebalance_timeout = input.i32()?;
        }
        record.session_timeout = input.i32()?;
        record.subscription = input.bytes("subscription")?;
        record.assignment = input.bytes("assignment")?;
        input.skip_tags()?;
        Ok(record)
    }
}
