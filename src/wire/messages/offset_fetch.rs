//! OffsetFetch: version 10 has topic ids instead of names (KIP-848).
//! Generated from Kafka's message definitions by `scripts/generate-records`; not edited by hand.

use super::codec::{Body, MessageError, Reader, Sink, Writer, message};
use kafka_protocol::protocol::buf::ByteBuf;
use kafka_protocol::protocol::{Request, StrBytes};
use uuid::Uuid;

/// `OffsetFetchRequest`, key 9: versions 1 to 10, flexible from 6.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchRequest {
    /// `groupId`: `string`, versions 0 to 7.
    pub group_id: StrBytes,
    /// `topics`: `[]OffsetFetchRequestTopic`, nullable, versions 0 to 7.
    pub topics: Option<Vec<OffsetFetchRequestTopic>>,
    /// `groups`: `[]OffsetFetchRequestGroup`, versions 8+.
    pub groups: Vec<OffsetFetchRequestGroup>,
    /// `requireStable`: `bool`, versions 7+, default false.
    pub require_stable: bool,
}

impl Default for OffsetFetchRequest {
    fn default() -> Self {
        Self {
            group_id: StrBytes::default(),
            topics: Some(Vec::default()),
            groups: Vec::default(),
            require_stable: false,
        }
    }
}

impl Body for OffsetFetchRequest {
    fn write<S: Sink>(&self, out: &mut Writer<S>, version: i16) -> Result<(), MessageError> {
        if version < 2 && self.topics.is_none() {
            return Err(MessageError::Null { field: "topics" });
        }
        if version <= 7 {
            out.string("groupId", &self.group_id)?;
        } else if !self.group_id.is_empty() {
            return Err(MessageError::FieldNotInVersion { field: "groupId", version });
        }
        if version <= 7 {
            out.nullable_array("topics", self.topics.as_deref(), |out, item| item.write(out, version))?;
        } else if self.topics.as_ref().is_none_or(|value| !value.is_empty()) {
            return Err(MessageError::FieldNotInVersion { field: "topics", version });
        }
        if version >= 8 {
            out.array("groups", &self.groups, |out, item| item.write(out, version))?;
        } else if !self.groups.is_empty() {
            return Err(MessageError::FieldNotInVersion { field: "groups", version });
        }
        if version >= 7 {
            out.bool(self.require_stable);
        } else if self.require_stable {
            return Err(MessageError::FieldNotInVersion { field: "requireStable", version });
        }
        out.no_tags();
        Ok(())
    }

    fn read<B: ByteBuf>(input: &mut Reader<'_, B>, version: i16) -> Result<Self, MessageError> {
        let mut record = Self::default();
        if version <= 7 {
            record.group_id = input.string("groupId")?;
        }
        if version <= 7 {
            record.topics =
                input.nullable_array("topics", |input| OffsetFetchRequestTopic::read(input, version))?;
        }
        if version < 2 && record.topics.is_none() {
            return Err(MessageError::Null { field: "topics" });
        }
        if version >= 8 {
            record.groups = input.array("groups", |input| OffsetFetchRequestGroup::read(input, version))?;
        }
        if version >= 7 {
            record.require_stable = input.bool()?;
        }
        input.skip_tags()?;
        Ok(record)
    }
}

message!(OffsetFetchRequest, 1..=10, flexible 6, request);

/// Part of [`OffsetFetchRequest`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetFetchRequestTopic {
    /// `name`: `string`, versions 0 to 7.
    pub name: StrBytes,
    /// `partitionIndexes`: `[]int32`, versions 0 to 7.
    pub partition_indexes: Vec<i32>,
}

impl Body for OffsetFetchRequestTopic {
    fn write<S: Sink>(&self, out: &mut Writer<S>, version: i16) -> Result<(), MessageError> {
        if version <= 7 {
            out.string("name", &self.name)?;
        } else if !self.name.is_empty() {
            return Err(MessageError::FieldNotInVersion { field: "name", version });
        }
        if version <= 7 {
            out.array("partitionIndexes", &self.partition_indexes, |out, item| {
                out.i32(*item);
                Ok(())
            })?;
        } else if !self.partition_indexes.is_empty() {
            return Err(MessageError::FieldNotInVersion { field: "partitionIndexes", version });
        }
        out.no_tags();
        Ok(())
    }

    fn read<B: ByteBuf>(input: &mut Reader<'_, B>, version: i16) -> Result<Self, MessageError> {
        let mut record = Self::default();
        if version <= 7 {
            record.name = input.string("name")?;
        }
        if version <= 7 {
            record.partition_indexes = input.array("partitionIndexes", Reader::i32)?;
        }
        input.skip_tags()?;
        Ok(record)
    }
}

/// Part of [`OffsetFetchRequest`].
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchRequestGroup {
    /// `groupId`: `string`, versions 8+.
    pub group_id: StrBytes,
    /// `memberId`: `string`, nullable, versions 9+, default null.
    pub member_id: Option<StrBytes>,
    /// `memberEpoch`: `int32`, versions 9+, default -1.
    pub member_epoch: i32,
    /// `topics`: `[]OffsetFetchRequestTopics`, nullable, versions 8+.
    pub topics: Option<Vec<OffsetFetchRequestTopics>>,
}

impl Default for OffsetFetchRequestGroup {
    fn default() -> Self {
        Self {
            group_id: StrBytes::default(),
            member_id: None,
            member_epoch: -1,
            topics: Some(Vec::default()),
        }
    }
}

impl Body for OffsetFetchRequestGroup {
    fn write<S: Sink>(&self, out: &mut Writer<S>, version: i16) -> Result<(), MessageError> {
        if version >= 8 {
            out.string("groupId", &self.group_id)?;
        } else if !self.group_id.is_empty() {
            return Err(MessageError::FieldNotInVersion { field: "groupId", version });
        }
        if version >= 9 {
            out.nullable_string("memberId", self.member_id.as_deref())?;
        }
        if version >= 9 {
            out.i32(self.member_epoch);
        }
        if version >= 8 {
            out.nullable_array("topics", self.topics.as_deref(), |out, item| item.write(out, version))?;
        } else if self.topics.as_ref().is_none_or(|value| !value.is_empty()) {
            return Err(MessageError::FieldNotInVersion { field: "topics", version });
        }
        out.no_tags();
        Ok(())
    }

    fn read<B: ByteBuf>(input: &mut Reader<'_, B>, version: i16) -> Result<Self, MessageError> {
        let mut record = Self::default();
        if version >= 8 {
            record.group_id = input.string("groupId")?;
        }
        if version >= 9 {
            record.member_id = input.nullable_string("memberId")?;
        }
        if version >= 9 {
            record.member_epoch = input.i32()?;
        }
        if version >= 8 {
            record.topics =
                input.nullable_array("topics", |input| OffsetFetchRequestTopics::read(input, version))?;
        }
        input.skip_tags()?;
        Ok(record)
    }
}

/// Part of [`OffsetFetchRequest`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetFetchRequestTopics {
    /// `name`: `string`, versions 8 to 9.
    pub name: StrBytes,
    /// `topicId`: `uuid`, versions 10+.
    pub topic_id: Uuid,
    /// `partitionIndexes`: `[]int32`, versions 8+.
    pub partition_indexes: Vec<i32>,
}

impl Body for OffsetFetchRequestTopics {
    fn write<S: Sink>(&self, out: &mut Writer<S>, version: i16) -> Result<(), MessageError> {
        if (8..=9).contains(&version) {
            out.string("name", &self.name)?;
        }
        if version >= 10 {
            out.uuid(self.topic_id);
        }
        if version >= 8 {
            out.array("partitionIndexes", &self.partition_indexes, |out, item| {
                out.i32(*item);
                Ok(())
            })?;
        } else if !self.partition_indexes.is_empty() {
            return Err(MessageError::FieldNotInVersion { field: "partitionIndexes", version });
        }
        out.no_tags();
        Ok(())
    }

    fn read<B: ByteBuf>(input: &mut Reader<'_, B>, version: i16) -> Result<Self, MessageError> {
        let mut record = Self::default();
        if (8..=9).contains(&version) {
            record.name = input.string("name")?;
        }
        if version >= 10 {
            record.topic_id = input.uuid()?;
        }
        if version >= 8 {
            record.partition_indexes = input.array("partitionIndexes", Reader::i32)?;
        }
        input.skip_tags()?;
        Ok(record)
    }
}

/// `OffsetFetchResponse`, key 9: versions 1 to 10, flexible from 6.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetFetchResponse {
    /// `throttleTimeMs`: `int32`, versions 3+.
    pub throttle_time_ms: i32,
    /// `topics`: `[]OffsetFetchResponseTopic`, versions 0 to 7.
    pub topics: Vec<OffsetFetchResponseTopic>,
    /// `errorCode`: `int16`, versions 2 to 7.
    pub error_code: i16,
    /// `groups`: `[]OffsetFetchResponseGroup`, versions 8+.
    pub groups: Vec<OffsetFetchResponseGroup>,
}

impl Body for OffsetFetchResponse {
    fn write<S: Sink>(&self, out: &mut Writer<S>, version: i16) -> Result<(), MessageError> {
        if version >= 3 {
            out.i32(self.throttle_time_ms);
        }
        if version <= 7 {
            out.array("topics", &self.topics, |out, item| item.write(out, version))?;
        } else if !self.topics.is_empty() {
            return Err(MessageError::FieldNotInVersion { field: "topics", version });
        }
        if (2..=7).contains(&version) {
            out.i16(self.error_code);
        }
        if version >= 8 {
            out.array("groups", &self.groups, |out, item| item.write(out, version))?;
        } else if !self.groups.is_empty() {
            return Err(MessageError::FieldNotInVersion { field: "groups", version });
        }
        out.no_tags();
        Ok(())
    }

    fn read<B: ByteBuf>(input: &mut Reader<'_, B>, version: i16) -> Result<Self, MessageError> {
        let mut record = Self::default();
        if version >= 3 {
            record.throttle_time_ms = input.i32()?;
        }
        if version <= 7 {
            record.topics = input.array("topics", |input| OffsetFetchResponseTopic::read(input, version))?;
        }
        if (2..=7).contains(&version) {
            record.error_code = input.i16()?;
        }
        if version >= 8 {
            record.groups = input.array("groups", |input| OffsetFetchResponseGroup::read(input, version))?;
        }
        input.skip_tags()?;
        Ok(record)
    }
}

message!(OffsetFetchResponse, 1..=10, flexible 6, response);

/// Part of [`OffsetFetchResponse`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetFetchResponseTopic {
    /// `name`: `string`, versions 0 to 7.
    pub name: StrBytes,
    /// `partitions`: `[]OffsetFetchResponsePartition`, versions 0 to 7.
    pub partitions: Vec<OffsetFetchResponsePartition>,
}

impl Body for OffsetFetchResponseTopic {
    fn write<S: Sink>(&self, out: &mut Writer<S>, version: i16) -> Result<(), MessageError> {
        if version <= 7 {
            out.string("name", &self.name)?;
        } else if !self.name.is_empty() {
            return Err(MessageError::FieldNotInVersion { field: "name", version });
        }
        if version <= 7 {
            out.array("partitions", &self.partitions, |out, item| item.write(out, version))?;
        } else if !self.partitions.is_empty() {
            return Err(MessageError::FieldNotInVersion { field: "partitions", version });
        }
        out.no_tags();
        Ok(())
    }

    fn read<B: ByteBuf>(input: &mut Reader<'_, B>, version: i16) -> Result<Self, MessageError> {
        let mut record = Self::default();
        if version <= 7 {
            record.name = input.string("name")?;
        }
        if version <= 7 {
            record.partitions =
                input.array("partitions", |input| OffsetFetchResponsePartition::read(input, version))?;
        }
        input.skip_tags()?;
        Ok(record)
    }
}

/// Part of [`OffsetFetchResponse`].
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchResponsePartition {
    /// `partitionIndex`: `int32`, versions 0 to 7.
    pub partition_index: i32,
    /// `committedOffset`: `int64`, versions 0 to 7.
    pub committed_offset: i64,
    /// `committedLeaderEpoch`: `int32`, versions 5 to 7, default -1.
    pub committed_leader_epoch: i32,
    /// `metadata`: `string`, nullable, versions 0 to 7.
    pub metadata: Option<StrBytes>,
    /// `errorCode`: `int16`, versions 0 to 7.
    pub error_code: i16,
}

impl Default for OffsetFetchResponsePartition {
    fn default() -> Self {
        Self {
            partition_index: 0,
            committed_offset: 0,
            committed_leader_epoch: -1,
            metadata: Some(StrBytes::default()),
            error_code: 0,
        }
    }
}

impl Body for OffsetFetchResponsePartition {
    fn write<S: Sink>(&self, out: &mut Writer<S>, version: i16) -> Result<(), MessageError> {
        if version <= 7 {
            out.i32(self.partition_index);
        } else if self.partition_index != 0 {
            return Err(MessageError::FieldNotInVersion { field: "partitionIndex", version });
        }
        if version <= 7 {
            out.i64(self.committed_offset);
        } else if self.committed_offset != 0 {
            return Err(MessageError::FieldNotInVersion { field: "committedOffset", version });
        }
        if (5..=7).contains(&version) {
            out.i32(self.committed_leader_epoch);
        }
        if version <= 7 {
            out.nullable_string("metadata", self.metadata.as_deref())?;
        } else if self.metadata.as_ref().is_none_or(|value| !value.is_empty()) {
            return Err(MessageError::FieldNotInVersion { field: "metadata", version });
        }
        if version <= 7 {
            out.i16(self.error_code);
        } else if self.error_code != 0 {
            return Err(MessageError::FieldNotInVersion { field: "errorCode", version });
        }
        out.no_tags();
        Ok(())
    }

    fn read<B: ByteBuf>(input: &mut Reader<'_, B>, version: i16) -> Result<Self, MessageError> {
        let mut record = Self::default();
        if version <= 7 {
            record.partition_index = input.i32()?;
        }
        if version <= 7 {
            record.committed_offset = input.i64()?;
        }
        if (5..=7).contains(&version) {
            record.committed_leader_epoch = input.i32()?;
        }
        if version <= 7 {
            record.metadata = input.nullable_string("metadata")?;
        }
        if version <= 7 {
            record.error_code = input.i16()?;
        }
        input.skip_tags()?;
        Ok(record)
    }
}

/// Part of [`OffsetFetchResponse`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetFetchResponseGroup {
    /// `groupId`: `string`, versions 8+.
    pub group_id: StrBytes,
    /// `topics`: `[]OffsetFetchResponseTopics`, versions 8+.
    pub topics: Vec<OffsetFetchResponseTopics>,
    /// `errorCode`: `int16`, versions 8+.
    pub error_code: i16,
}

impl Body for OffsetFetchResponseGroup {
    fn write<S: Sink>(&self, out: &mut Writer<S>, version: i16) -> Result<(), MessageError> {
        if version >= 8 {
            out.string("groupId", &self.group_id)?;
        } else if !self.group_id.is_empty() {
            return Err(MessageError::FieldNotInVersion { field: "groupId", version });
        }
        if version >= 8 {
            out.array("topics", &self.topics, |out, item| item.write(out, version))?;
        } else if !self.topics.is_empty() {
            return Err(MessageError::FieldNotInVersion { field: "topics", version });
        }
        if version >= 8 {
            out.i16(self.error_code);
        } else if self.error_code != 0 {
            return Err(MessageError::FieldNotInVersion { field: "errorCode", version });
        }
        out.no_tags();
        Ok(())
    }

    fn read<B: ByteBuf>(input: &mut Reader<'_, B>, version: i16) -> Result<Self, MessageError> {
        let mut record = Self::default();
        if version >= 8 {
            record.group_id = input.string("groupId")?;
        }
        if version >= 8 {
            record.topics = input.array("topics", |input| OffsetFetchResponseTopics::read(input, version))?;
        }
        if version >= 8 {
            record.error_code = input.i16()?;
        }
        input.skip_tags()?;
        Ok(record)
    }
}

/// Part of [`OffsetFetchResponse`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetFetchResponseTopics {
    /// `name`: `string`, versions 8 to 9.
    pub name: StrBytes,
    /// `topicId`: `uuid`, versions 10+.
    pub topic_id: Uuid,
    /// `partitions`: `[]OffsetFetchResponsePartitions`, versions 8+.
    pub partitions: Vec<OffsetFetchResponsePartitions>,
}

impl Body for OffsetFetchResponseTopics {
    fn write<S: Sink>(&self, out: &mut Writer<S>, version: i16) -> Result<(), MessageError> {
        if (8..=9).contains(&version) {
            out.string("name", &self.name)?;
        }
        if version >= 10 {
            out.uuid(self.topic_id);
        }
        if version >= 8 {
            out.array("partitions", &self.partitions, |out, item| item.write(out, version))?;
        } else if !self.partitions.is_empty() {
            return Err(MessageError::FieldNotInVersion { field: "partitions", version });
        }
        out.no_tags();
        Ok(())
    }

    fn read<B: ByteBuf>(input: &mut Reader<'_, B>, version: i16) -> Result<Self, MessageError> {
        let mut record = Self::default();
        if (8..=9).contains(&version) {
            record.name = input.string("name")?;
        }
        if version >= 10 {
            record.topic_id = input.uuid()?;
        }
        if version >= 8 {
            record.partitions =
                input.array("partitions", |input| OffsetFetchResponsePartitions::read(input, version))?;
        }
        input.skip_tags()?;
        Ok(record)
    }
}

/// Part of [`OffsetFetchResponse`].
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchResponsePartitions {
    /// `partitionIndex`: `int32`, versions 8+.
    pub partition_index: i32,
    /// `committedOffset`: `int64`, versions 8+.
    pub committed_offset: i64,
    /// `committedLeaderEpoch`: `int32`, versions 8+, default -1.
    pub committed_leader_epoch: i32,
    /// `metadata`: `string`, nullable, versions 8+.
    pub metadata: Option<StrBytes>,
    /// `errorCode`: `int16`, versions 8+.
    pub error_code: i16,
}

impl Default for OffsetFetchResponsePartitions {
    fn default() -> Self {
        Self {
            partition_index: 0,
            committed_offset: 0,
            committed_leader_epoch: -1,
            metadata: Some(StrBytes::default()),
            error_code: 0,
        }
    }
}

impl Body for OffsetFetchResponsePartitions {
    fn write<S: Sink>(&self, out: &mut Writer<S>, version: i16) -> Result<(), MessageError> {
        if version >= 8 {
            out.i32(self.partition_index);
        } else if self.partition_index != 0 {
            return Err(MessageError::FieldNotInVersion { field: "partitionIndex", version });
        }
        if version >= 8 {
            out.i64(self.committed_offset);
        } else if self.committed_offset != 0 {
            return Err(MessageError::FieldNotInVersion { field: "committedOffset", version });
        }
        if version >= 8 {
            out.i32(self.committed_leader_epoch);
        }
        if version >= 8 {
            out.nullable_string("metadata", self.metadata.as_deref())?;
        } else if self.metadata.as_ref().is_none_or(|value| !value.is_empty()) {
            return Err(MessageError::FieldNotInVersion { field: "metadata", version });
        }
        if version >= 8 {
            out.i16(self.error_code);
        } else if self.error_code != 0 {
            return Err(MessageError::FieldNotInVersion { field: "errorCode", version });
        }
        out.no_tags();
        Ok(())
    }

    fn read<B: ByteBuf>(input: &mut Reader<'_, B>, version: i16) -> Result<Self, MessageError> {
        let mut record = Self::default();
        if version >= 8 {
            record.partition_index = input.i32()?;
        }
        if version >= 8 {
            record.committed_offset = input.i64()?;
        }
        if version >= 8 {
            record.committed_leader_epoch = input.i32()?;
        }
        if version >= 8 {
            record.metadata = input.nullable_string("metadata")?;
        }
        if version >= 8 {
            record.error_code = input.i16()?;
        }
        input.skip_tags()?;
        Ok(record)
    }
}

impl Request for OffsetFetchRequest {
    const KEY: i16 = 9;
    type Response = OffsetFetchResponse;
}
