//! Streams groups (KIP-1071) as `__consumer_offsets` holds them.
//! Generated from Kafka's message definitions by `scripts/generate-records`; not edited by hand.

use std::ops::RangeInclusive;

use super::codec::{self, Body, Message, Reader, RecordError, Tags, Writer};

/// `StreamsGroupMetadataKey`, type 17: version 0, never flexible.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct StreamsGroupMetadataKey {
    /// `groupId`: `string`.
    pub group_id: String,
}

impl Body for StreamsGroupMetadataKey {
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

impl Message for StreamsGroupMetadataKey {
    const NAME: &'static str = "StreamsGroupMetadataKey";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = None;
}

impl StreamsGroupMetadataKey {
    /// The number that stands before every key of this type.
    pub const TYPE: i16 = 17;

    /// The key as Kafka's coordinator writes it: its type as int16, then the body.
    pub fn encode(&self) -> Result<Vec<u8>, RecordError> {
        codec::encode_key(Self::TYPE, self)
    }

    /// Reads what `encode` writes; refuses a key of another type.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        codec::decode_key(Self::TYPE, bytes)
    }
}

/// `StreamsGroupMetadataValue`: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamsGroupMetadataValue {
    /// `epoch`: `int32`.
    pub epoch: i32,
    /// `metadataHash`: `int64`.
    pub metadata_hash: i64,
    /// `validatedTopologyEpoch`: `int32`, tag 0, default -1.
    pub validated_topology_epoch: i32,
    /// `lastAssignmentConfigs`: `[]LastAssignmentConfig`, nullable, tag 1.
    pub last_assignment_configs: Option<Vec<LastAssignmentConfig>>,
}

impl Default for StreamsGroupMetadataValue {
    fn default() -> Self {
        Self {
            epoch: 0,
            metadata_hash: 0,
            validated_topology_epoch: -1,
            last_assignment_configs: Some(Vec::default()),
        }
    }
}

impl Body for StreamsGroupMetadataValue {
    fn write(&self, out: &mut Writer, version: i16) -> Result<(), RecordError> {
        out.i32(self.epoch);
        out.i64(self.metadata_hash);
        let mut tags = Tags::default();
        if self.validated_topology_epoch != -1 {
            tags.put(0, |out| {
                out.i32(self.validated_topology_epoch);
                Ok(())
            })?;
        }
        if self.last_assignment_configs.as_ref().is_none_or(|value| !value.is_empty()) {
            tags.put(1, |out| {
                out.nullable_array(
                    "lastAssignmentConfigs",
                    self.last_assignment_configs.as_deref(),
                    |out, item| item.write(out, version),
                )
            })?;
        }
        out.tags(&tags);
        Ok(())
    }

    fn read(input: &mut Reader<'_>, version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.epoch = input.i32()?;
        record.metadata_hash = input.i64()?;
        input.tags(|tag, input| {
            match tag {
                0 => {
                    record.validated_topology_epoch = input.i32()?;
                }
                1 => {
                    record.last_assignment_configs = input
                        .nullable_array("lastAssignmentConfigs", |input| {
                            LastAssignmentConfig::read(input, version)
                        })?;
                }
                _ => input.skip_rest(),
            }
            Ok(())
        })?;
        Ok(record)
    }
}

impl Message for StreamsGroupMetadataValue {
    const NAME: &'static str = "StreamsGroupMetadataValue";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl StreamsGroupMetadataValue {
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

/// Part of [`StreamsGroupMetadataValue`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct LastAssignmentConfig {
    /// `key`: `string`.
    pub key: String,
    /// `value`: `string`.
    pub value: String,
}

impl Body for LastAssignmentConfig {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.string("key", &self.key)?;
        out.string("value", &self.value)?;
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.key = input.string("key")?;
        record.value = input.string("value")?;
        input.skip_tags()?;
        Ok(record)
    }
}

/// `StreamsGroupMemberMetadataKey`, type 19: version 0, never flexible.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct StreamsGroupMemberMetadataKey {
    /// `groupId`: `string`.
    pub group_id: String,
    /// `memberId`: `string`.
    pub member_id: String,
}

impl Body for StreamsGroupMemberMetadataKey {
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

impl Message for StreamsGroupMemberMetadataKey {
    const NAME: &'static str = "StreamsGroupMemberMetadataKey";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = None;
}

impl StreamsGroupMemberMetadataKey {
    /// The number that stands before every key of this type.
    pub const TYPE: i16 = 19;

    /// The key as Kafka's coordinator writes it: its type as int16, then the body.
    pub fn encode(&self) -> Result<Vec<u8>, RecordError> {
        codec::encode_key(Self::TYPE, self)
    }

    /// Reads what `encode` writes; refuses a key of another type.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        codec::decode_key(Self::TYPE, bytes)
    }
}

/// `StreamsGroupMemberMetadataValue`: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamsGroupMemberMetadataValue {
    /// `instanceId`: `string`, nullable.
    pub instance_id: Option<String>,
    /// `rackId`: `string`, nullable.
    pub rack_id: Option<String>,
    /// `clientId`: `string`.
    pub client_id: String,
    /// `clientHost`: `string`.
    pub client_host: String,
    /// `rebalanceTimeoutMs`: `int32`, default -1.
    pub rebalance_timeout_ms: i32,
    /// `topologyEpoch`: `int32`.
    pub topology_epoch: i32,
    /// `processId`: `string`.
    pub process_id: String,
    /// `userEndpoint`: `Endpoint`, nullable, default null.
    pub user_endpoint: Option<Endpoint>,
    /// `clientTags`: `[]KeyValue`.
    pub client_tags: Vec<KeyValue>,
}

impl Default for StreamsGroupMemberMetadataValue {
    fn default() -> Self {
        Self {
            instance_id: Some(String::default()),
            rack_id: Some(String::default()),
            client_id: String::default(),
            client_host: String::default(),
            rebalance_timeout_ms: -1,
            topology_epoch: 0,
            process_id: String::default(),
            user_endpoint: None,
            client_tags: Vec::default(),
        }
    }
}

impl Body for StreamsGroupMemberMetadataValue {
    fn write(&self, out: &mut Writer, version: i16) -> Result<(), RecordError> {
        out.nullable_string("instanceId", self.instance_id.as_deref())?;
        out.nullable_string("rackId", self.rack_id.as_deref())?;
        out.string("clientId", &self.client_id)?;
        out.string("clientHost", &self.client_host)?;
        out.i32(self.rebalance_timeout_ms);
        out.i32(self.topology_epoch);
        out.string("processId", &self.process_id)?;
        out.nullable_struct(self.user_endpoint.as_ref(), |out, value| value.write(out, version))?;
        out.array("clientTags", &self.client_tags, |out, item| item.write(out, version))?;
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.instance_id = input.nullable_string("instanceId")?;
        record.rack_id = input.nullable_string("rackId")?;
        record.client_id = input.string("clientId")?;
        record.client_host = input.string("clientHost")?;
        record.rebalance_timeout_ms = input.i32()?;
        record.topology_epoch = input.i32()?;
        record.process_id = input.string("processId")?;
        record.user_endpoint = input.nullable_struct(|input| Endpoint::read(input, version))?;
        record.client_tags = input.array("clientTags", |input| KeyValue::read(input, version))?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for StreamsGroupMemberMetadataValue {
    const NAME: &'static str = "StreamsGroupMemberMetadataValue";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl StreamsGroupMemberMetadataValue {
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

/// Part of [`StreamsGroupMemberMetadataValue`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Endpoint {
    /// `host`: `string`.
    pub host: String,
    /// `port`: `uint16`.
    pub port: u16,
}

impl Body for Endpoint {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.string("host", &self.host)?;
        out.u16(self.port);
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.host = input.string("host")?;
        record.port = input.u16()?;
        input.skip_tags()?;
        Ok(record)
    }
}

/// Part of [`StreamsGroupMemberMetadataValue`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct KeyValue {
    /// `key`: `string`.
    pub key: String,
    /// `value`: `string`.
    pub value: String,
}

impl Body for KeyValue {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.string("key", &self.key)?;
        out.string("value", &self.value)?;
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.key = input.string("key")?;
        record.value = input.string("value")?;
        input.skip_tags()?;
        Ok(record)
    }
}

/// `StreamsGroupTargetAssignmentMetadataKey`, type 20: version 0, never flexible.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct StreamsGroupTargetAssignmentMetadataKey {
    /// `groupId`: `string`.
    pub group_id: String,
}

impl Body for StreamsGroupTargetAssignmentMetadataKey {
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

impl Message for StreamsGroupTargetAssignmentMetadataKey {
    const NAME: &'static str = "StreamsGroupTargetAssignmentMetadataKey";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = None;
}

impl StreamsGroupTargetAssignmentMetadataKey {
    /// The number that stands before every key of this type.
    pub const TYPE: i16 = 20;

    /// The key as Kafka's coordinator writes it: its type as int16, then the body.
    pub fn encode(&self) -> Result<Vec<u8>, RecordError> {
        codec::encode_key(Self::TYPE, self)
    }

    /// Reads what `encode` writes; refuses a key of another type.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        codec::decode_key(Self::TYPE, bytes)
    }
}

/// `StreamsGroupTargetAssignmentMetadataValue`: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct StreamsGroupTargetAssignmentMetadataValue {
    /// `assignmentEpoch`: `int32`.
    pub assignment_epoch: i32,
    /// `assignmentTimestamp`: `int64`, tag 0.
    pub assignment_timestamp: i64,
}

impl Body for StreamsGroupTargetAssignmentMetadataValue {
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

impl Message for StreamsGroupTargetAssignmentMetadataValue {
    const NAME: &'static str = "StreamsGroupTargetAssignmentMetadataValue";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl StreamsGroupTargetAssignmentMetadataValue {
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

/// `StreamsGroupTargetAssignmentMemberKey`, type 21: version 0, never flexible.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct StreamsGroupTargetAssignmentMemberKey {
    /// `groupId`: `string`.
    pub group_id: String,
    /// `memberId`: `string`.
    pub member_id: String,
}

impl Body for StreamsGroupTargetAssignmentMemberKey {
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

impl Message for StreamsGroupTargetAssignmentMemberKey {
    const NAME: &'static str = "StreamsGroupTargetAssignmentMemberKey";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = None;
}

impl StreamsGroupTargetAssignmentMemberKey {
    /// The number that stands before every key of this type.
    pub const TYPE: i16 = 21;

    /// The key as Kafka's coordinator writes it: its type as int16, then the body.
    pub fn encode(&self) -> Result<Vec<u8>, RecordError> {
        codec::encode_key(Self::TYPE, self)
    }

    /// Reads what `encode` writes; refuses a key of another type.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        codec::decode_key(Self::TYPE, bytes)
    }
}

/// `StreamsGroupTargetAssignmentMemberValue`: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct StreamsGroupTargetAssignmentMemberValue {
    /// `activeTasks`: `[]TaskIds`.
    pub active_tasks: Vec<TaskIds>,
    /// `standbyTasks`: `[]TaskIds`.
    pub standby_tasks: Vec<TaskIds>,
    /// `warmupTasks`: `[]TaskIds`.
    pub warmup_tasks: Vec<TaskIds>,
}

impl Body for StreamsGroupTargetAssignmentMemberValue {
    fn write(&self, out: &mut Writer, version: i16) -> Result<(), RecordError> {
        out.array("activeTasks", &self.active_tasks, |out, item| item.write(out, version))?;
        out.array("standbyTasks", &self.standby_tasks, |out, item| item.write(out, version))?;
        out.array("warmupTasks", &self.warmup_tasks, |out, item| item.write(out, version))?;
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.active_tasks = input.array("activeTasks", |input| TaskIds::read(input, version))?;
        record.standby_tasks = input.array("standbyTasks", |input| TaskIds::read(input, version))?;
        record.warmup_tasks = input.array("warmupTasks", |input| TaskIds::read(input, version))?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for StreamsGroupTargetAssignmentMemberValue {
    const NAME: &'static str = "StreamsGroupTargetAssignmentMemberValue";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl StreamsGroupTargetAssignmentMemberValue {
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

/// Part of [`StreamsGroupTargetAssignmentMemberValue`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TaskIds {
    /// `subtopologyId`: `string`.
    pub subtopology_id: String,
    /// `partitions`: `[]int32`.
    pub partitions: Vec<i32>,
}

impl Body for TaskIds {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.string("subtopologyId", &self.subtopology_id)?;
        out.array("partitions", &self.partitions, |out, item| {
            out.i32(*item);
            Ok(())
        })?;
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.subtopology_id = input.string("subtopologyId")?;
        record.partitions = input.array("partitions", Reader::i32)?;
        input.skip_tags()?;
        Ok(record)
    }
}

/// `StreamsGroupCurrentMemberAssignmentKey`, type 22: version 0, never flexible.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct StreamsGroupCurrentMemberAssignmentKey {
    /// `groupId`: `string`.
    pub group_id: String,
    /// `memberId`: `string`.
    pub member_id: String,
}

impl Body for StreamsGroupCurrentMemberAssignmentKey {
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

impl Message for StreamsGroupCurrentMemberAssignmentKey {
    const NAME: &'static str = "StreamsGroupCurrentMemberAssignmentKey";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = None;
}

impl StreamsGroupCurrentMemberAssignmentKey {
    /// The number that stands before every key of this type.
    pub const TYPE: i16 = 22;

    /// The key as Kafka's coordinator writes it: its type as int16, then the body.
    pub fn encode(&self) -> Result<Vec<u8>, RecordError> {
        codec::encode_key(Self::TYPE, self)
    }

    /// Reads what `encode` writes; refuses a key of another type.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        codec::decode_key(Self::TYPE, bytes)
    }
}

/// `StreamsGroupCurrentMemberAssignmentValue`: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct StreamsGroupCurrentMemberAssignmentValue {
    /// `memberEpoch`: `int32`.
    pub member_epoch: i32,
    /// `previousMemberEpoch`: `int32`.
    pub previous_member_epoch: i32,
    /// `state`: `int8`.
    pub state: i8,
    /// `activeTasks`: `[]TaskIds`.
    pub active_tasks: Vec<StreamsGroupCurrentMemberAssignmentTaskIds>,
    /// `standbyTasks`: `[]TaskIds`.
    pub standby_tasks: Vec<StreamsGroupCurrentMemberAssignmentTaskIds>,
    /// `warmupTasks`: `[]TaskIds`.
    pub warmup_tasks: Vec<StreamsGroupCurrentMemberAssignmentTaskIds>,
    /// `activeTasksPendingRevocation`: `[]TaskIds`.
    pub active_tasks_pending_revocation: Vec<StreamsGroupCurrentMemberAssignmentTaskIds>,
    /// `standbyTasksPendingRevocation`: `[]TaskIds`.
    pub standby_tasks_pending_revocation: Vec<StreamsGroupCurrentMemberAssignmentTaskIds>,
    /// `warmupTasksPendingRevocation`: `[]TaskIds`.
    pub warmup_tasks_pending_revocation: Vec<StreamsGroupCurrentMemberAssignmentTaskIds>,
}

impl Body for StreamsGroupCurrentMemberAssignmentValue {
    fn write(&self, out: &mut Writer, version: i16) -> Result<(), RecordError> {
        out.i32(self.member_epoch);
        out.i32(self.previous_member_epoch);
        out.i8(self.state);
        out.array("activeTasks", &self.active_tasks, |out, item| item.write(out, version))?;
        out.array("standbyTasks", &self.standby_tasks, |out, item| item.write(out, version))?;
        out.array("warmupTasks", &self.warmup_tasks, |out, item| item.write(out, version))?;
        out.array("activeTasksPendingRevocation", &self.active_tasks_pending_revocation, |out, item| {
            item.write(out, version)
        })?;
        out.array("standbyTasksPendingRevocation", &self.standby_tasks_pending_revocation, |out, item| {
            item.write(out, version)
        })?;
        out.array("warmupTasksPendingRevocation", &self.warmup_tasks_pending_revocation, |out, item| {
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
        record.active_tasks = input
            .array("activeTasks", |input| StreamsGroupCurrentMemberAssignmentTaskIds::read(input, version))?;
        record.standby_tasks = input.array("standbyTasks", |input| {
            StreamsGroupCurrentMemberAssignmentTaskIds::read(input, version)
        })?;
        record.warmup_tasks = input
            .array("warmupTasks", |input| StreamsGroupCurrentMemberAssignmentTaskIds::read(input, version))?;
        record.active_tasks_pending_revocation = input.array("activeTasksPendingRevocation", |input| {
            StreamsGroupCurrentMemberAssignmentTaskIds::read(input, version)
        })?;
        record.standby_tasks_pending_revocation = input.array("standbyTasksPendingRevocation", |input| {
            StreamsGroupCurrentMemberAssignmentTaskIds::read(input, version)
        })?;
        record.warmup_tasks_pending_revocation = input.array("warmupTasksPendingRevocation", |input| {
            StreamsGroupCurrentMemberAssignmentTaskIds::read(input, version)
        })?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for StreamsGroupCurrentMemberAssignmentValue {
    const NAME: &'static str = "StreamsGroupCurrentMemberAssignmentValue";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl StreamsGroupCurrentMemberAssignmentValue {
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

/// Part of [`StreamsGroupCurrentMemberAssignmentValue`].
#[derive(Clone, Debug, PartialEq)]
pub struct StreamsGroupCurrentMemberAssignmentTaskIds {
    /// `subtopologyId`: `string`.
    pub subtopology_id: String,
    /// `partitions`: `[]int32`.
    pub partitions: Vec<i32>,
    /// `assignmentEpochs`: `[]int32`, nullable, tag 0.
    pub assignment_epochs: Option<Vec<i32>>,
}

impl Default for StreamsGroupCurrentMemberAssignmentTaskIds {
    fn default() -> Self {
        Self {
            subtopology_id: String::default(),
            partitions: Vec::default(),
            assignment_epochs: Some(Vec::default()),
        }
    }
}

impl Body for StreamsGroupCurrentMemberAssignmentTaskIds {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.string("subtopologyId", &self.subtopology_id)?;
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
        record.subtopology_id = input.string("subtopologyId")?;
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

/// `StreamsGroupTopologyKey`, type 23: version 0, never flexible.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct StreamsGroupTopologyKey {
    /// `groupId`: `string`.
    pub group_id: String,
}

impl Body for StreamsGroupTopologyKey {
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

impl Message for StreamsGroupTopologyKey {
    const NAME: &'static str = "StreamsGroupTopologyKey";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = None;
}

impl StreamsGroupTopologyKey {
    /// The number that stands before every key of this type.
    pub const TYPE: i16 = 23;

    /// The key as Kafka's coordinator writes it: its type as int16, then the body.
    pub fn encode(&self) -> Result<Vec<u8>, RecordError> {
        codec::encode_key(Self::TYPE, self)
    }

    /// Reads what `encode` writes; refuses a key of another type.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        codec::decode_key(Self::TYPE, bytes)
    }
}

/// `StreamsGroupTopologyValue`: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct StreamsGroupTopologyValue {
    /// `epoch`: `int32`.
    pub epoch: i32,
    /// `subtopologies`: `[]Subtopology`.
    pub subtopologies: Vec<Subtopology>,
}

impl Body for StreamsGroupTopologyValue {
    fn write(&self, out: &mut Writer, version: i16) -> Result<(), RecordError> {
        out.i32(self.epoch);
        out.array("subtopologies", &self.subtopologies, |out, item| item.write(out, version))?;
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.epoch = input.i32()?;
        record.subtopologies = input.array("subtopologies", |input| Subtopology::read(input, version))?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for StreamsGroupTopologyValue {
    const NAME: &'static str = "StreamsGroupTopologyValue";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl StreamsGroupTopologyValue {
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

/// Part of [`StreamsGroupTopologyValue`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicConfig {
    /// `key`: `string`.
    pub key: String,
    /// `value`: `string`.
    pub value: String,
}

impl Body for TopicConfig {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.string("key", &self.key)?;
        out.string("value", &self.value)?;
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.key = input.string("key")?;
        record.value = input.string("value")?;
        input.skip_tags()?;
        Ok(record)
    }
}

/// Part of [`StreamsGroupTopologyValue`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicInfo {
    /// `name`: `string`.
    pub name: String,
    /// `partitions`: `int32`.
    pub partitions: i32,
    /// `replicationFactor`: `int16`.
    pub replication_factor: i16,
    /// `topicConfigs`: `[]TopicConfig`.
    pub topic_configs: Vec<TopicConfig>,
}

impl Body for TopicInfo {
    fn write(&self, out: &mut Writer, version: i16) -> Result<(), RecordError> {
        out.string("name", &self.name)?;
        out.i32(self.partitions);
        out.i16(self.replication_factor);
        out.array("topicConfigs", &self.topic_configs, |out, item| item.write(out, version))?;
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.name = input.string("name")?;
        record.partitions = input.i32()?;
        record.replication_factor = input.i16()?;
        record.topic_configs = input.array("topicConfigs", |input| TopicConfig::read(input, version))?;
        input.skip_tags()?;
        Ok(record)
    }
}

/// Part of [`StreamsGroupTopologyValue`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Subtopology {
    /// `subtopologyId`: `string`.
    pub subtopology_id: String,
    /// `sourceTopics`: `[]string`.
    pub source_topics: Vec<String>,
    /// `sourceTopicRegex`: `[]string`.
    pub source_topic_regex: Vec<String>,
    /// `stateChangelogTopics`: `[]TopicInfo`.
    pub state_changelog_topics: Vec<TopicInfo>,
    /// `repartitionSinkTopics`: `[]string`.
    pub repartition_sink_topics: Vec<String>,
    /// `repartitionSourceTopics`: `[]TopicInfo`.
    pub repartition_source_topics: Vec<TopicInfo>,
    /// `copartitionGroups`: `[]CopartitionGroup`.
    pub copartition_groups: Vec<CopartitionGroup>,
}

impl Body for Subtopology {
    fn write(&self, out: &mut Writer, version: i16) -> Result<(), RecordError> {
        out.string("subtopologyId", &self.subtopology_id)?;
        out.array("sourceTopics", &self.source_topics, |out, item| out.string("sourceTopics", item))?;
        out.array("sourceTopicRegex", &self.source_topic_regex, |out, item| {
            out.string("sourceTopicRegex", item)
        })?;
        out.array("stateChangelogTopics", &self.state_changelog_topics, |out, item| {
            item.write(out, version)
        })?;
        out.array("repartitionSinkTopics", &self.repartition_sink_topics, |out, item| {
            out.string("repartitionSinkTopics", item)
        })?;
        out.array("repartitionSourceTopics", &self.repartition_source_topics, |out, item| {
            item.write(out, version)
        })?;
        out.array("copartitionGroups", &self.copartition_groups, |out, item| item.write(out, version))?;
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.subtopology_id = input.string("subtopologyId")?;
        record.source_topics = input.array("sourceTopics", |input| input.string("sourceTopics"))?;
        record.source_topic_regex =
            input.array("sourceTopicRegex", |input| input.string("sourceTopicRegex"))?;
        record.state_changelog_topics =
            input.array("stateChangelogTopics", |input| TopicInfo::read(input, version))?;
        record.repartition_sink_topics =
            input.array("repartitionSinkTopics", |input| input.string("repartitionSinkTopics"))?;
        record.repartition_source_topics =
            input.array("repartitionSourceTopics", |input| TopicInfo::read(input, version))?;
        record.copartition_groups =
            input.array("copartitionGroups", |input| CopartitionGroup::read(input, version))?;
        input.skip_tags()?;
        Ok(record)
    }
}

/// Part of [`StreamsGroupTopologyValue`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct CopartitionGroup {
    /// `sourceTopics`: `[]int16`.
    pub source_topics: Vec<i16>,
    /// `sourceTopicRegex`: `[]int16`.
    pub source_topic_regex: Vec<i16>,
    /// `repartitionSourceTopics`: `[]int16`.
    pub repartition_source_topics: Vec<i16>,
}

impl Body for CopartitionGroup {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.array("sourceTopics", &self.source_topics, |out, item| {
            out.i16(*item);
            Ok(())
        })?;
        out.array("sourceTopicRegex", &self.source_topic_regex, |out, item| {
            out.i16(*item);
            Ok(())
        })?;
        out.array("repartitionSourceTopics", &self.repartition_source_topics, |out, item| {
            out.i16(*item);
            Ok(())
        })?;
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.source_topics = input.array("sourceTopics", Reader::i16)?;
        record.source_topic_regex = input.array("sourceTopicRegex", Reader::i16)?;
        record.repartition_source_topics = input.array("repartitionSourceTopics", Reader::i16)?;
        input.skip_tags()?;
        Ok(record)
    }
}
