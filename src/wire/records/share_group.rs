//! Share groups (KIP-932) as `__consumer_offsets` holds them.
//! Generated from Kafka's message definitions by `scripts/generate-records`; not edited by hand.

use std::ops::RangeInclusive;

use super::codec::{self, Body, Message, Reader, RecordError, Tags, Writer};
use uuid::Uuid;

/// `ShareGroupMemberMetadataKey`, type 10: version 0, never flexible.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ShareGroupMemberMetadataKey {
    /// `groupId`: `string`.
    pub group_id: String,
    /// `memberId`: `string`.
    pub member_id: String,
}

impl Body for ShareGroupMemberMetadataKey {
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

impl Message for ShareGroupMemberMetadataKey {
    const NAME: &'static str = "ShareGroupMemberMetadataKey";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = None;
}

impl ShareGroupMemberMetadataKey {
    /// The number that stands before every key of this type.
    pub const TYPE: i16 = 10;

    /// The key as Kafka's coordinator writes it: its type as int16, then the body.
    pub fn encode(&self) -> Result<Vec<u8>, RecordError> {
        codec::encode_key(Self::TYPE, self)
    }

    /// Reads what `encode` writes; refuses a key of another type.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        codec::decode_key(Self::TYPE, bytes)
    }
}

/// `ShareGroupMemberMetadataValue`: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq)]
pub struct ShareGroupMemberMetadataValue {
    /// `rackId`: `string`, nullable.
    pub rack_id: Option<String>,
    /// `clientId`: `string`.
    pub client_id: String,
    /// `clientHost`: `string`.
    pub client_host: String,
    /// `subscribedTopicNames`: `[]string`.
    pub subscribed_topic_names: Vec<String>,
}

impl Default for ShareGroupMemberMetadataValue {
    fn default() -> Self {
        Self {
            rack_id: Some(String::default()),
            client_id: String::default(),
            client_host: String::default(),
            subscribed_topic_names: Vec::default(),
        }
    }
}

impl Body for ShareGroupMemberMetadataValue {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.nullable_string("rackId", self.rack_id.as_deref())?;
        out.string("clientId", &self.client_id)?;
        out.string("clientHost", &self.client_host)?;
        out.array("subscribedTopicNames", &self.subscribed_topic_names, |out, item| {
            out.string("subscribedTopicNames", item)
        })?;
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.rack_id = input.nullable_string("rackId")?;
        record.client_id = input.string("clientId")?;
        record.client_host = input.string("clientHost")?;
        record.subscribed_topic_names =
            input.array("subscribedTopicNames", |input| input.string("subscribedTopicNames"))?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for ShareGroupMemberMetadataValue {
    const NAME: &'static str = "ShareGroupMemberMetadataValue";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl ShareGroupMemberMetadataValue {
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

/// `ShareGroupMetadataKey`, type 11: version 0, never flexible.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ShareGroupMetadataKey {
    /// `groupId`: `string`.
    pub group_id: String,
}

impl Body for ShareGroupMetadataKey {
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

impl Message for ShareGroupMetadataKey {
    const NAME: &'static str = "ShareGroupMetadataKey";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = None;
}

impl ShareGroupMetadataKey {
    /// The number that stands before every key of this type.
    pub const TYPE: i16 = 11;

    /// The key as Kafka's coordinator writes it: its type as int16, then the body.
    pub fn encode(&self) -> Result<Vec<u8>, RecordError> {
        codec::encode_key(Self::TYPE, self)
    }

    /// Reads what `encode` writes; refuses a key of another type.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        codec::decode_key(Self::TYPE, bytes)
    }
}

/// `ShareGroupMetadataValue`: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ShareGroupMetadataValue {
    /// `epoch`: `int32`.
    pub epoch: i32,
    /// `metadataHash`: `int64`.
    pub metadata_hash: i64,
}

impl Body for ShareGroupMetadataValue {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.i32(self.epoch);
        out.i64(self.metadata_hash);
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.epoch = input.i32()?;
        record.metadata_hash = input.i64()?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for ShareGroupMetadataValue {
    const NAME: &'static str = "ShareGroupMetadataValue";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl ShareGroupMetadataValue {
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

/// `ShareGroupTargetAssignmentMetadataKey`, type 12: version 0, never flexible.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ShareGroupTargetAssignmentMetadataKey {
    /// `groupId`: `string`.
    pub group_id: String,
}

impl Body for ShareGroupTargetAssignmentMetadataKey {
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

impl Message for ShareGroupTargetAssignmentMetadataKey {
    const NAME: &'static str = "ShareGroupTargetAssignmentMetadataKey";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = None;
}

impl ShareGroupTargetAssignmentMetadataKey {
    /// The number that stands before every key of this type.
    pub const TYPE: i16 = 12;

    /// The key as Kafka's coordinator writes it: its type as int16, then the body.
    pub fn encode(&self) -> Result<Vec<u8>, RecordError> {
        codec::encode_key(Self::TYPE, self)
    }

    /// Reads what `encode` writes; refuses a key of another type.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        codec::decode_key(Self::TYPE, bytes)
    }
}

/// `ShareGroupTargetAssignmentMetadataValue`: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ShareGroupTargetAssignmentMetadataValue {
    /// `assignmentEpoch`: `int32`.
    pub assignment_epoch: i32,
    /// `assignmentTimestamp`: `int64`, tag 0.
    pub assignment_timestamp: i64,
}

impl Body for ShareGroupTargetAssignmentMetadataValue {
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

impl Message for ShareGroupTargetAssignmentMetadataValue {
    const NAME: &'static str = "ShareGroupTargetAssignmentMetadataValue";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl ShareGroupTargetAssignmentMetadataValue {
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

/// `ShareGroupTargetAssignmentMemberKey`, type 13: version 0, never flexible.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ShareGroupTargetAssignmentMemberKey {
    /// `groupId`: `string`.
    pub group_id: String,
    /// `memberId`: `string`.
    pub member_id: String,
}

impl Body for ShareGroupTargetAssignmentMemberKey {
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

impl Message for ShareGroupTargetAssignmentMemberKey {
    const NAME: &'static str = "ShareGroupTargetAssignmentMemberKey";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = None;
}

impl ShareGroupTargetAssignmentMemberKey {
    /// The number that stands before every key of this type.
    pub const TYPE: i16 = 13;

    /// The key as Kafka's coordinator writes it: its type as int16, then the body.
    pub fn encode(&self) -> Result<Vec<u8>, RecordError> {
        codec::encode_key(Self::TYPE, self)
    }

    /// Reads what `encode` writes; refuses a key of another type.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        codec::decode_key(Self::TYPE, bytes)
    }
}

/// `ShareGroupTargetAssignmentMemberValue`: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ShareGroupTargetAssignmentMemberValue {
    /// `topicPartitions`: `[]TopicPartition`.
    pub topic_partitions: Vec<TopicPartition>,
}

impl Body for ShareGroupTargetAssignmentMemberValue {
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

impl Message for ShareGroupTargetAssignmentMemberValue {
    const NAME: &'static str = "ShareGroupTargetAssignmentMemberValue";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl ShareGroupTargetAssignmentMemberValue {
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

/// Part of [`ShareGroupTargetAssignmentMemberValue`].
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

/// `ShareGroupCurrentMemberAssignmentKey`, type 14: version 0, never flexible.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ShareGroupCurrentMemberAssignmentKey {
    /// `groupId`: `string`.
    pub group_id: String,
    /// `memberId`: `string`.
    pub member_id: String,
}

impl Body for ShareGroupCurrentMemberAssignmentKey {
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

impl Message for ShareGroupCurrentMemberAssignmentKey {
    const NAME: &'static str = "ShareGroupCurrentMemberAssignmentKey";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = None;
}

impl ShareGroupCurrentMemberAssignmentKey {
    /// The number that stands before every key of this type.
    pub const TYPE: i16 = 14;

    /// The key as Kafka's coordinator writes it: its type as int16, then the body.
    pub fn encode(&self) -> Result<Vec<u8>, RecordError> {
        codec::encode_key(Self::TYPE, self)
    }

    /// Reads what `encode` writes; refuses a key of another type.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        codec::decode_key(Self::TYPE, bytes)
    }
}

/// `ShareGroupCurrentMemberAssignmentValue`: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ShareGroupCurrentMemberAssignmentValue {
    /// `memberEpoch`: `int32`.
    pub member_epoch: i32,
    /// `previousMemberEpoch`: `int32`.
    pub previous_member_epoch: i32,
    /// `state`: `int8`.
    pub state: i8,
    /// `assignedPartitions`: `[]TopicPartitions`.
    pub assigned_partitions: Vec<TopicPartitions>,
}

impl Body for ShareGroupCurrentMemberAssignmentValue {
    fn write(&self, out: &mut Writer, version: i16) -> Result<(), RecordError> {
        out.i32(self.member_epoch);
        out.i32(self.previous_member_epoch);
        out.i8(self.state);
        out.array("assignedPartitions", &self.assigned_partitions, |out, item| item.write(out, version))?;
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
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for ShareGroupCurrentMemberAssignmentValue {
    const NAME: &'static str = "ShareGroupCurrentMemberAssignmentValue";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl ShareGroupCurrentMemberAssignmentValue {
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

/// Part of [`ShareGroupCurrentMemberAssignmentValue`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicPartitions {
    /// `topicId`: `uuid`.
    pub topic_id: Uuid,
    /// `partitions`: `[]int32`.
    pub partitions: Vec<i32>,
}

impl Body for TopicPartitions {
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

/// `ShareGroupStatePartitionMetadataKey`, type 15: version 0, never flexible.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ShareGroupStatePartitionMetadataKey {
    /// `groupId`: `string`.
    pub group_id: String,
}

impl Body for ShareGroupStatePartitionMetadataKey {
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

impl Message for ShareGroupStatePartitionMetadataKey {
    const NAME: &'static str = "ShareGroupStatePartitionMetadataKey";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = None;
}

impl ShareGroupStatePartitionMetadataKey {
    /// The number that stands before every key of this type.
    pub const TYPE: i16 = 15;

    /// The key as Kafka's coordinator writes it: its type as int16, then the body.
    pub fn encode(&self) -> Result<Vec<u8>, RecordError> {
        codec::encode_key(Self::TYPE, self)
    }

    /// Reads what `encode` writes; refuses a key of another type.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        codec::decode_key(Self::TYPE, bytes)
    }
}

/// `ShareGroupStatePartitionMetadataValue`: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ShareGroupStatePartitionMetadataValue {
    /// `initializingTopics`: `[]TopicPartitionsInfo`.
    pub initializing_topics: Vec<TopicPartitionsInfo>,
    /// `initializedTopics`: `[]TopicPartitionsInfo`.
    pub initialized_topics: Vec<TopicPartitionsInfo>,
    /// `deletingTopics`: `[]TopicInfo`.
    pub deleting_topics: Vec<TopicInfo>,
}

impl Body for ShareGroupStatePartitionMetadataValue {
    fn write(&self, out: &mut Writer, version: i16) -> Result<(), RecordError> {
        out.array("initializingTopics", &self.initializing_topics, |out, item| item.write(out, version))?;
        out.array("initializedTopics", &self.initialized_topics, |out, item| item.write(out, version))?;
        out.array("deletingTopics", &self.deleting_topics, |out, item| item.write(out, version))?;
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.initializing_topics =
            input.array("initializingTopics", |input| TopicPartitionsInfo::read(input, version))?;
        record.initialized_topics =
            input.array("initializedTopics", |input| TopicPartitionsInfo::read(input, version))?;
        record.deleting_topics = input.array("deletingTopics", |input| TopicInfo::read(input, version))?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for ShareGroupStatePartitionMetadataValue {
    const NAME: &'static str = "ShareGroupStatePartitionMetadataValue";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl ShareGroupStatePartitionMetadataValue {
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

/// Part of [`ShareGroupStatePartitionMetadataValue`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicPartitionsInfo {
    /// `topicId`: `uuid`.
    pub topic_id: Uuid,
    /// `topicName`: `string`.
    pub topic_name: String,
    /// `partitions`: `[]int32`.
    pub partitions: Vec<i32>,
}

impl Body for TopicPartitionsInfo {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.uuid(self.topic_id);
        out.string("topicName", &self.topic_name)?;
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
        record.topic_name = input.string("topicName")?;
        record.partitions = input.array("partitions", Reader::i32)?;
        input.skip_tags()?;
        Ok(record)
    }
}

/// Part of [`ShareGroupStatePartitionMetadataValue`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicInfo {
    /// `topicId`: `uuid`.
    pub topic_id: Uuid,
    /// `topicName`: `string`.
    pub topic_name: String,
}

impl Body for TopicInfo {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.uuid(self.topic_id);
        out.string("topicName", &self.topic_name)?;
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.topic_id = input.uuid()?;
        record.topic_name = input.string("topicName")?;
        input.skip_tags()?;
        Ok(record)
    }
}
