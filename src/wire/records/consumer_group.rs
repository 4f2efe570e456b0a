//! Consumer groups (KIP-848) as `__consumer_offsets` holds them.
//! Generated from Kafka's message definitions by `scripts/generate-records`; not edited by hand.

use std::ops::RangeInclusive;

use super::codec::{self, Body, Message, Reader, RecordError, Tags, Writer};
use bytes::Bytes;
use uuid::Uuid;

/// `ConsumerGroupMetadataKey`, type 3: version 0, never flexible.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ConsumerGroupMetadataKey {
    /// `groupId`: `string`.
    pub group_id: String,
}

impl Body for ConsumerGroupMetadataKey {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.string("groupId", &self.group_id)?;
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.group_id = input.string("groupId")?;
        Ok(record)
    }
}

impl Message for ConsumerGroupMetadataKey {
    const NAME: &'static str = "ConsumerGroupMetadataKey";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = None;
}

impl ConsumerGroupMetadataKey {
    /// The number that stands before every key of this type.
    pub const TYPE: i16 = 3;

    /// The key as Kafka's coordinator writes it: its type as int16, then the body.
    pub fn encode(&self) -> Result<Vec<u8>, RecordError> {
        codec::encode_key(Self::TYPE, self)
    }

    /// Reads what `encode` writes; refuses a key of another type.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        codec::decode_key(Self::TYPE, bytes)
    }
}

/// `ConsumerGroupMetadataValue`: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ConsumerGroupMetadataValue {
    /// `epoch`: `int32`.
    pub epoch: i32,
    /// `metadataHash`: `int64`, tag 0.
    pub metadata_hash: i64,
}

impl Body for ConsumerGroupMetadataValue {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.i32(self.epoch);
        let mut tags = Tags::default();
        if self.metadata_hash != 0 {
            tags.put(0, |out| {
                out.i64(self.metadata_hash);
                Ok(())
            })?;
        }
        out.tags(&tags);
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.epoch = input.i32()?;
        input.tags(|tag, input| {
            match tag {
                0 => {
                    record.metadata_hash = input.i64()?;
                }
                _ => input.skip_rest(),
            }
            Ok(())
        })?;
        Ok(record)
    }
}

impl Message for ConsumerGroupMetadataValue {
    const NAME: &'static str = "ConsumerGroupMetadataValue";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl ConsumerGroupMetadataValue {
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

/// `ConsumerGroupPartitionMetadataKey`, type 4: version 0, never flexible.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ConsumerGroupPartitionMetadataKey {
    /// `groupId`: `string`.
    pub group_id: String,
}

impl Body for ConsumerGroupPartitionMetadataKey {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.string("groupId", &self.group_id)?;
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.group_id = input.string("groupId")?;
        Ok(record)
    }
}

impl Message for ConsumerGroupPartitionMetadataKey {
    const NAME: &'static str = "ConsumerGroupPartitionMetadataKey";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = None;
}

impl ConsumerGroupPartitionMetadataKey {
    /// The number that stands before every key of this type.
    pub const TYPE: i16 = 4;

    /// The key as Kafka's coordinator writes it: its type as int16, then the body.
    pub fn encode(&self) -> Result<Vec<u8>, RecordError> {
        codec::encode_key(Self::TYPE, self)
    }

    /// Reads what `encode` writes; refuses a key of another type.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        codec::decode_key(Self::TYPE, bytes)
    }
}

/// `ConsumerGroupPartitionMetadataValue`: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ConsumerGroupPartitionMetadataValue {
    /// `topics`: `[]TopicMetadata`.
    pub topics: Vec<TopicMetadata>,
}

impl Body for ConsumerGroupPartitionMetadataValue {
    fn write(&self, out: &mut Writer, version: i16) -> Result<(), RecordError> {
        out.array("topics", &self.topics, |out, item| item.write(out, version))?;
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.topics = input.array("topics", |input| TopicMetadata::read(input, version))?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for ConsumerGroupPartitionMetadataValue {
    const NAME: &'static str = "ConsumerGroupPartitionMetadataValue";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl ConsumerGroupPartitionMetadataValue {
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

/// Part of [`ConsumerGroupPartitionMetadataValue`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicMetadata {
    /// `topicId`: `uuid`.
    pub topic_id: Uuid,
    /// `topicName`: `string`.
    pub topic_name: String,
    /// `numPartitions`: `int32`.
    pub num_partitions: i32,
    /// `partitionMetadata`: `[]PartitionMetadata`.
    pub partition_metadata: Vec<PartitionMetadata>,
}

impl Body for TopicMetadata {
    fn write(&self, out: &mut Writer, version: i16) -> Result<(), RecordError> {
        out.uuid(self.topic_id);
        out.string("topicName", &self.topic_name)?;
        out.i32(self.num_partitions);
        out.array("partitionMetadata", &self.partition_metadata, |out, item| item.write(out, version))?;
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.topic_id = input.uuid()?;
        record.topic_name = input.string("topicName")?;
        record.num_partitions = input.i32()?;
        record.partition_metadata =
            input.array("partitionMetadata", |input| PartitionMetadata::read(input, version))?;
        input.skip_tags()?;
        Ok(record)
    }
}

/// Part of [`ConsumerGroupPartitionMetadataValue`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PartitionMetadata {
    /// `partition`: `int32`.
    pub partition: i32,
    /// `racks`: `[]string`.
    pub racks: Vec<String>,
}

impl Body for PartitionMetadata {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.i32(self.partition);
        out.array("racks", &self.racks, |out, item| out.string("racks", item))?;
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.partition = input.i32()?;
        record.racks = input.array("racks", |input| input.string("racks"))?;
        input.skip_tags()?;
        Ok(record)
    }
}

/// `ConsumerGroupMemberMetadataKey`, type 5: version 0, never flexible.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ConsumerGroupMemberMetadataKey {
    /// `groupId`: `string`.
    pub group_id: String,
    /// `memberId`: `string`.
    pub member_id: String,
}

impl Body for ConsumerGroupMemberMetadataKey {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.string("groupId", &self.group_id)?;
        out.string("memberId", &self.member_id)?;
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.group_id = input.string("groupId")?;
        record.member_id = input.string("memberId")?;
        Ok(record)
    }
}

impl Message for ConsumerGroupMemberMetadataKey {
    const NAME: &'static str = "ConsumerGroupMemberMetadataKey";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = None;
}

impl ConsumerGroupMemberMetadataKey {
    /// The number that stands before every key of this type.
    pub const TYPE: i16 = 5;

    /// The key as Kafka's coordinator writes it: its type as int16, then the body.
    pub fn encode(&self) -> Result<Vec<u8>, RecordError> {
        codec::encode_key(Self::TYPE, self)
    }

    /// Reads what `encode` writes; refuses a key of another type.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        codec::decode_key(Self::TYPE, bytes)
    }
}

/// `ConsumerGroupMemberMetadataValue`: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsumerGroupMemberMetadataValue {
    /// `instanceId`: `string`, nullable.
    pub instance_id: Option<String>,
    /// `rackId`: `string`, nullable.
    pub rack_id: Option<String>,
    /// `clientId`: `string`.
    pub client_id: String,
    /// `clientHost`: `string`.
    pub client_host: String,
    /// `subscribedTopicNames`: `[]string`.
    pub subscribed_topic_names: Vec<String>,
    /// `subscribedTopicRegex`: `string`, nullable.
    pub subscribed_topic_regex: Option<String>,
    /// `rebalanceTimeoutMs`: `int32`, default -1.
    pub rebalance_timeout_ms: i32,
    /// `serverAssignor`: `string`, nullable.
    pub server_assignor: Option<String>,
    /// `classicMemberMetadata`: `ClassicMemberMetadata`, nullable, tag 0.
    pub classic_member_metadata: Option<ClassicMemberMetadata>,
}

impl Default for ConsumerGroupMemberMetadataValue {
    fn default() -> Self {
        Self {
            instance_id: Some(String::default()),
            rack_id: Some(String::default()),
            client_id: String::default(),
            client_host: String::default(),
            subscribed_topic_names: Vec::default(),
            subscribed_topic_regex: Some(String::default()),
            rebalance_timeout_ms: -1,
            server_assignor: Some(String::default()),
            classic_member_metadata: Some(ClassicMemberMetadata::default()),
        }
    }
}

impl Body for ConsumerGroupMemberMetadataValue {
    fn write(&self, out: &mut Writer, version: i16) -> Result<(), RecordError> {
        out.nullable_string("instanceId", self.instance_id.as_deref())?;
        out.nullable_string("rackId", self.rack_id.as_deref())?;
        out.string("clientId", &self.client_id)?;
        out.string("clientHost", &self.client_host)?;
        out.array("subscribedTopicNames", &self.subscribed_topic_names, |out, item| {
            out.string("subscribedTopicNames", item)
        })?;
        out.nullable_string("subscribedTopicRegex", self.subscribed_topic_regex.as_deref())?;
        out.i32(self.rebalance_timeout_ms);
        out.nullable_string("serverAssignor", self.server_assignor.as_deref())?;
        let mut tags = Tags::default();
        if self
            .classic_member_metadata
            .as_ref()
            .is_none_or(|value| *value != ClassicMemberMetadata::default())
        {
            tags.put(0, |out| {
                out.nullable_tagged_struct(self.classic_member_metadata.as_ref(), |out, value| {
                    value.write(out, version)
                })
            })?;
        }
        out.tags(&tags);
        Ok(())
    }

    fn read(input: &mut Reader<'_>, version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.instance_id = input.nullable_string("instanceId")?;
        record.rack_id = input.nullable_string("rackId")?;
        record.client_id = input.string("clientId")?;
        record.client_host = input.string("clientHost")?;
        record.subscribed_topic_names =
            input.array("subscribedTopicNames", |input| input.string("subscribedTopicNames"))?;
        record.subscribed_topic_regex = input.nullable_string("subscribedTopicRegex")?;
        record.rebalance_timeout_ms = input.i32()?;
        record.server_assignor = input.nullable_string("serverAssignor")?;
        input.tags(|tag, input| {
            match tag {
                0 => {
                    record.classic_member_metadata =
                        input.nullable_tagged_struct(|input| ClassicMemberMetadata::read(input, version))?;
                }
                _ => input.skip_rest(),
            }
            Ok(())
        })?;
        Ok(record)
    }
}

impl Message for ConsumerGroupMemberMetadataValue {
    const NAME: &'static str = "ConsumerGroupMemberMetadataValue";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl ConsumerGroupMemberMetadataValue {
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

/// Part of [`ConsumerGroupMemberMetadataValue`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ClassicMemberMetadata {
    /// `sessionTimeoutMs`: `int32`.
    pub session_timeout_ms: i32,
    /// `supportedProtocols`: `[]ClassicProtocol`.
    pub supported_protocols: Vec<ClassicProtocol>,
}

impl Body for ClassicMemberMetadata {
    fn write(&self, out: &mut Writer, version: i16) -> Result<(), RecordError> {
        out.i32(self.session_timeout_ms);
        out.array("supportedProtocols", &self.supported_protocols, |out, item| item.write(out, version))?;
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.session_timeout_ms = input.i32()?;
        record.supported_protocols =
            input.array("supportedProtocols", |input| ClassicProtocol::read(input, version))?;
        input.skip_tags()?;
        Ok(record)
    }
}

/// Part of [`ConsumerGroupMemberMetadataValue`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ClassicProtocol {
    /// `name`: `string`.
    pub name: String,
    /// `metadata`: `bytes`.
    pub metadata: Bytes,
}

impl Body for ClassicProtocol {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.string("name", &self.name)?;
        out.bytes("metadata", &self.metadata)?;
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.name = input.string("name")?;
        record.metadata = input.bytes("metadata")?;
        input.skip_tags()?;
        Ok(record)
    }
}

/// `ConsumerGroupTargetAssignmentMetadataKey`, type 6: version 0, never flexible.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ConsumerGroupTargetAssignmentMetadataKey {
    /// `groupId`: `string`.
    pub group_id: String,
}

impl Body for ConsumerGroupTargetAssignmentMetadataKey {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.string("groupId", &self.group_id)?;
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.group_id = input.string("groupId")?;
        Ok(record)
    }
}

impl Message for ConsumerGroupTargetAssignmentMetadataKey {
    const NAME: &'static str = "ConsumerGroupTargetAssignmentMetadataKey";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = None;
}

impl ConsumerGroupTargetAssignmentMetadataKey {
    /// The number that stands before every key of this type.
    pub const TYPE: i16 = 6;

    /// The key as Kafka's coordinator writes it: its type as int16, then the body.
    pub fn encode(&self) -> Result<Vec<u8>, RecordError> {
        codec::encode_key(Self::TYPE, self)
    }

    /// Reads what `encode` writes; refuses a key of another type.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        codec::decode_key(Self::TYPE, bytes)
    }
}

/// `ConsumerGroupTargetAssignmentMetadataValue`: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ConsumerGroupTargetAssignmentMetadataValue {
    /// `assignmentEpoch`: `int32`.
    pub assignment_epoch: i32,
    /// `assignmentTimestamp`: `int64`, tag 0.
    pub assignment_timestamp: i64,
}

impl Body for ConsumerGroupTargetAssignmentMetadataValue {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.i32(self.assignment_epoch);
        let mut tags = Tags::default();
        if self.assignment_timestamp != 0 {
            tags.put(0, |out| {
                out.i64(self.assignment_timestamp);
                Ok(())
            })?;
        }
        out.tags(&tags);
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.assignment_epoch = input.i32()?;
        input.tags(|tag, input| {
            match tag {
                0 => {
                    record.assignment_timestamp = input.i64()?;
                }
                _ => input.skip_rest(),
            }
            Ok(())
        })?;
        Ok(record)
    }
}

impl Message for ConsumerGroupTargetAssignmentMetadataValue {
    const NAME: &'static str = "ConsumerGroupTargetAssignmentMetadataValue";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl ConsumerGroupTargetAssignmentMetadataValue {
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

/// `ConsumerGroupTargetAssignmentMemberKey`, type 7: version 0, never flexible.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ConsumerGroupTargetAssignmentMemberKey {
    /// `groupId`: `string`.
    pub group_id: String,
    /// `memberId`: `string`.
    pub member_id: String,
}

impl Body for ConsumerGroupTargetAssignmentMemberKey {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.string("groupId", &self.group_id)?;
        out.string("memberId", &self.member_id)?;
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.group_id = input.string("groupId")?;
        record.member_id = input.string("memberId")?;
        Ok(record)
    }
}

impl Message for ConsumerGroupTargetAssignmentMemberKey {
    const NAME: &'static str = "ConsumerGroupTargetAssignmentMemberKey";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = None;
}

impl ConsumerGroupTargetAssignmentMemberKey {
    /// The number that stands before every key of this type.
    pub const TYPE: i16 = 7;

    /// The key as Kafka's coordinator writes it: its type as int16, then the body.
    pub fn encode(&self) -> Result<Vec<u8>, RecordError> {
        codec::encode_key(Self::TYPE, self)
    }

    /// Reads what `encode` writes; refuses a key of another type.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        codec::decode_key(Self::TYPE, bytes)
    }
}

/// `ConsumerGroupTargetAssignmentMemberValue`: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ConsumerGroupTargetAssignmentMemberValue {
    /// `topicPartitions`: `[]TopicPartition`.
    pub topic_partitions: Vec<TopicPartition>,
}

impl Body for ConsumerGroupTargetAssignmentMemberValue {
    fn write(&self, out: &mut Writer, version: i16) -> Result<(), RecordError> {
        out.array("topicPartitions", &self.topic_partitions, |out, item| item.write(out, version))?;
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.topic_partitions =
            input.array("topicPartitions", |input| TopicPartition::read(input, version))?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for ConsumerGroupTargetAssignmentMemberValue {
    const NAME: &'static str = "ConsumerGroupTargetAssignmentMemberValue";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl ConsumerGroupTargetAssignmentMemberValue {
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

/// Part of [`ConsumerGroupTargetAssignmentMemberValue`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicPartition {
    /// `topicId`: `uuid`.
    pub topic_id: Uuid,
    /// `partitions`: `[]int32`.
    pub partitions: Vec<i32>,
}

impl Body for TopicPartition {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.uuid(self.topic_id);
        out.array("partitions", &self.partitions, |out, item| {
            out.i32(*item);
            Ok(())
        })?;
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.topic_id = input.uuid()?;
        record.partitions = input.array("partitions", Reader::i32)?;
        input.skip_tags()?;
        Ok(record)
    }
}

/// `ConsumerGroupCurrentMemberAssignmentKey`, type 8: version 0, never flexible.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ConsumerGroupCurrentMemberAssignmentKey {
    /// `groupId`: `string`.
    pub group_id: String,
    /// `memberId`: `string`.
    pub member_id: String,
}

impl Body for ConsumerGroupCurrentMemberAssignmentKey {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.string("groupId", &self.group_id)?;
        out.string("memberId", &self.member_id)?;
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.group_id = input.string("groupId")?;
        record.member_id = input.string("memberId")?;
        Ok(record)
    }
}

impl Message for ConsumerGroupCurrentMemberAssignmentKey {
    const NAME: &'static str = "ConsumerGroupCurrentMemberAssignmentKey";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = None;
}

impl ConsumerGroupCurrentMemberAssignmentKey {
    /// The number that stands before every key of this type.
    pub const TYPE: i16 = 8;

    /// The key as Kafka's coordinator writes it: its type as int16, then the body.
    pub fn encode(&self) -> Result<Vec<u8>, RecordError> {
        codec::encode_key(Self::TYPE, self)
    }

    /// Reads what `encode` writes; refuses a key of another type.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        codec::decode_key(Self::TYPE, bytes)
    }
}

/// `ConsumerGroupCurrentMemberAssignmentValue`: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ConsumerGroupCurrentMemberAssignmentValue {
    /// `memberEpoch`: `int32`.
    pub member_epoch: i32,
    /// `previousMemberEpoch`: `int32`.
    pub previous_member_epoch: i32,
    /// `state`: `int8`.
    pub state: i8,
    /// `assignedPartitions`: `[]TopicPartitions`.
    pub assigned_partitions: Vec<TopicPartitions>,
    /// `partitionsPendingRevocation`: `[]TopicPartitions`.
    pub partitions_pending_revocation: Vec<TopicPartitions>,
}

impl Body for ConsumerGroupCurrentMemberAssignmentValue {
    fn write(&self, out: &mut Writer, version: i16) -> Result<(), RecordError> {
        out.i32(self.member_epoch);
        out.i32(self.previous_member_epoch);
        out.i8(self.state);
        out.array("assignedPartitions", &self.assigned_partitions, |out, item| item.write(out, version))?;
        out.array("partitionsPendingRevocation", &self.partitions_pending_revocation, |out, item| {
            item.write(out, version)
        })?;
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.member_epoch = input.i32()?;
        record.previous_member_epoch = input.i32()?;
        record.state = input.i8()?;
        record.assigned_partitions =
            input.array("assignedPartitions", |input| TopicPartitions::read(input, version))?;
        record.partitions_pending_revocation =
            input.array("partitionsPendingRevocation", |input| TopicPartitions::read(input, version))?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for ConsumerGroupCurrentMemberAssignmentValue {
    const NAME: &'static str = "ConsumerGroupCurrentMemberAssignmentValue";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl ConsumerGroupCurrentMemberAssignmentValue {
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

/// Part of [`ConsumerGroupCurrentMemberAssignmentValue`].
#[derive(Clone, Debug, PartialEq)]
pub struct TopicPartitions {
    /// `topicId`: `uuid`.
    pub topic_id: Uuid,
    /// `partitions`: `[]int32`.
    pub partitions: Vec<i32>,
    /// `assignmentEpochs`: `[]int32`, nullable, tag 0.
    pub assignment_epochs: Option<Vec<i32>>,
}

impl Default for TopicPartitions {
    fn default() -> Self {
        Self {
            topic_id: Uuid::default(),
            partitions: Vec::default(),
            assignment_epochs: Some(Vec::default()),
        }
    }
}

impl Body for TopicPartitions {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.uuid(self.topic_id);
        out.array("partitions", &self.partitions, |out, item| {
            out.i32(*item);
            Ok(())
        })?;
        let mut tags = Tags::default();
        if self.assignment_epochs.as_ref().is_none_or(|value| !value.is_empty()) {
            tags.put(0, |out| {
                out.nullable_array("assignmentEpochs", self.assignment_epochs.as_deref(), |out, item| {
                    out.i32(*item);
                    Ok(())
                })
            })?;
        }
        out.tags(&tags);
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.topic_id = input.uuid()?;
        record.partitions = input.array("partitions", Reader::i32)?;
        input.tags(|tag, input| {
            match tag {
                0 => {
                    record.assignment_epochs = input.nullable_array("assignmentEpochs", Reader::i32)?;
                }
                _ => input.skip_rest(),
            }
            Ok(())
        })?;
        Ok(record)
    }
}

/// `ConsumerGroupRegularExpressionKey`, type 16: version 0, never flexible.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ConsumerGroupRegularExpressionKey {
    /// `groupId`: `string`.
    pub group_id: String,
    /// `regularExpression`: `string`.
    pub regular_expression: String,
}

impl Body for ConsumerGroupRegularExpressionKey {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.string("groupId", &self.group_id)?;
        out.string("regularExpression", &self.regular_expression)?;
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.group_id = input.string("groupId")?;
        record.regular_expression = input.string("regularExpression")?;
        Ok(record)
    }
}

impl Message for ConsumerGroupRegularExpressionKey {
    const NAME: &'static str = "ConsumerGroupRegularExpressionKey";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = None;
}

impl ConsumerGroupRegularExpressionKey {
    /// The number that stands before every key of this type.
    pub const TYPE: i16 = 16;

    /// The key as Kafka's coordinator writes it: its type as int16, then the body.
    pub fn encode(&self) -> Result<Vec<u8>, RecordError> {
        codec::encode_key(Self::TYPE, self)
    }

    /// Reads what `encode` writes; refuses a key of another type.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        codec::decode_key(Self::TYPE, bytes)
    }
}

/// `ConsumerGroupRegularExpressionValue`: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ConsumerGroupRegularExpressionValue {
    /// `topics`: `[]string`.
    pub topics: Vec<String>,
    /// `version`: `int64`.
    pub version: i64,
    /// `timestamp`: `int64`.
    pub timestamp: i64,
}

impl Body for ConsumerGroupRegularExpressionValue {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.array("topics", &self.topics, |out, item| out.string("topics", item))?;
        out.i64(self.version);
        out.i64(self.timestamp);
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.topics = input.array("topics", |input| input.string("topics"))?;
        record.version = input.i64()?;
        record.timestamp = input.i64()?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for ConsumerGroupRegularExpressionValue {
    const NAME: &'static str = "ConsumerGroupRegularExpressionValue";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl ConsumerGroupRegularExpressionValue {
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
