//! OffsetCommit: version 10 has topic ids instead of names (KIP-848).
//! Generated from Kafka's message definitions by `scripts/generate-records`; not edited by hand.

use super::codec::{Body, MessageError, Reader, Sink, Writer, message};
use kafka_protocol::protocol::buf::ByteBuf;
use kafka_protocol::protocol::{Request, StrBytes};
use uuid::Uuid;

/// `OffsetCommitRequest`, key 8: versions 2 to 10, flexible from 8.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetCommitRequest {
    /// `groupId`: `string`.
    pub group_id: StrBytes,
    /// `generationIdOrMemberEpoch`: `int32`, default -1.
    pub generation_id_or_member_epoch: i32,
    /// `memberId`: `string`.
    pub member_id: StrBytes,
    /// `groupInstanceId`: `string`, nullable, versions 7+, default null.
    pub group_instance_id: Option<StrBytes>,
    /// `retentionTimeMs`: `int64`, versions 2 to 4, default -1.
    pub retention_time_ms: i64,
    /// `topics`: `[]OffsetCommitRequestTopic`.
    pub topics: Vec<OffsetCommitRequestTopic>,
}

impl Default for OffsetCommitRequest {
    fn default() -> Self {
        Self {
            group_id: StrBytes::default(),
            generation_id_or_member_epoch: -1,
            member_id: StrBytes::default(),
            group_instance_id: None,
            retention_time_ms: -1,
            topics: Vec::default(),
        }
    }
}

impl Body for OffsetCommitRequest {
    fn write<S: Sink>(&self, out: &mut Writer<S>, version: i16) -> Result<(), MessageError> {
        out.string("groupId", &self.group_id)?;
        out.i32(self.generation_id_or_member_epoch);
        out.string("memberId", &self.member_id)?;
        if version >= 7 {
            out.nullable_string("groupInstanceId", self.group_instance_id.as_deref())?;
        } else if self.group_instance_id.is_some() {
            return Err(MessageError::FieldNotInVersion { field: "groupInstanceId", version });
        }
        if version <= 4 {
            out.i64(self.retention_time_ms);
        }
        out.array("topics", &self.topics, |out, item| item.write(out, version))?;
        out.no_tags();
        Ok(())
    }

    fn read<B: ByteBuf>(input: &mut Reader<'_, B>, version: i16) -> Result<Self, MessageError> {
        let mut record = Self::default();
        record.group_id = input.string("groupId")?;
        record.generation_id_or_member_epoch = input.i32()?;
        record.member_id = input.string("memberId")?;
        if version >= 7 {
            record.group_instance_id = input.nullable_string("groupInstanceId")?;
        }
        if version <= 4 {
            record.retention_time_ms = input.i64()?;
        }
        record.topics = input.array("topics", |input| OffsetCommitRequestTopic::read(input, version))?;
        input.skip_tags()?;
        Ok(record)
    }
}

message!(OffsetCommitRequest, 2..=10, flexible 8, request);

/// Part of [`OffsetCommitRequest`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetCommitRequestTopic {
    /// `name`: `string`, versions 0 to 9.
    pub name: StrBytes,
    /// `topicId`: `uuid`, versions 10+.
    pub topic_id: Uuid,
    /// `partitions`: `[]OffsetCommitRequestPartition`.
    pub partitions: Vec<OffsetCommitRequestPartition>,
}

impl Body for OffsetCommitRequestTopic {
    fn write<S: Sink>(&self, out: &mut Writer<S>, version: i16) -> Result<(), MessageError> {
        if version <= 9 {
            out.string("name", &self.name)?;
        }
        if version >= 10 {
            out.uuid(self.topic_id);
        }
        out.array("partitions", &self.partitions, |out, item| item.write(out, version))?;
        out.no_tags();
        Ok(())
    }

    fn read<B: ByteBuf>(input: &mut Reader<'_, B>, version: i16) -> Result<Self, MessageError> {
        let mut record = Self::default();
        if version <= 9 {
            record.name = input.string("name")?;
        }
        if version >= 10 {
            record.topic_id = input.uuid()?;
        }
        record.partitions =
            input.array("partitions", |input| OffsetCommitRequestPartition::read(input, version))?;
        input.skip_tags()?;
        Ok(record)
    }
}

/// Part of [`OffsetCommitRequest`].
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetCommitRequestPartition {
    /// `partitionIndex`: `int32`.
    pub partition_index: i32,
    /// `committedOffset`: `int64`.
    pub committed_offset: i64,
    /// `committedLeaderEpoch`: `int32`, versions 6+, default -1.
    pub committed_leader_epoch: i32,
    /// `committedMetadata`: `string`, nullable.
    pub committed_metadata: Option<StrBytes>,
}

impl Default for OffsetCommitRequestPartition {
    fn default() -> Self {
        Self {
            partition_index: 0,
            committed_offset: 0,
            committed_leader_epoch: -1,
            committed_metadata: Some(StrBytes::default()),
        }
    }
}

impl Body for OffsetCommitRequestPartition {
    fn write<S: Sink>(&self, out: &mut Writer<S>, version: i16) -> Result<(), MessageError> {
        out.i32(self.partition_index);
        out.i64(self.committed_offset);
        if version >= 6 {
            out.i32(self.committed_leader_epoch);
        }
        out.nullable_string("committedMetadata", self.committed_metadata.as_deref())?;
        out.no_tags();
        Ok(())
    }

    fn read<B: ByteBuf>(input: &mut Reader<'_, B>, version: i16) -> Result<Self, MessageError> {
        let mut record = Self::default();
        record.partition_index = input.i32()?;
        record.committed_offset = input.i64()?;
        if version >= 6 {
            record.committed_leader_epoch = input.i32()?;
        }
        record.committed_metadata = input.nullable_string("committedMetadata")?;
        input.skip_tags()?;
        Ok(record)
    }
}

/// `OffsetCommitResponse`, key 8: versions 2 to 10, flexible from 8.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetCommitResponse {
    /// `throttleTimeMs`: `int32`, versions 3+.
    pub throttle_time_ms: i32,
    /// `topics`: `[]OffsetCommitResponseTopic`.
    pub topics: Vec<OffsetCommitResponseTopic>,
}

impl Body for OffsetCommitResponse {
    fn write<S: Sink>(&self, out: &mut Writer<S>, version: i16) -> Result<(), MessageError> {
        if version >= 3 {
            out.i32(self.throttle_time_ms);
        }
        out.array("topics", &self.topics, |out, item| item.write(out, version))?;
        out.no_tags();
        Ok(())
    }

    fn read<B: ByteBuf>(input: &mut Reader<'_, B>, version: i16) -> Result<Self, MessageError> {
        let mut record = Self::default();
        if version >= 3 {
            record.throttle_time_ms = input.i32()?;
        }
        record.topics = input.array("topics", |input| OffsetCommitResponseTopic::read(input, version))?;
        input.skip_tags()?;
        Ok(record)
    }
}

message!(OffsetCommitResponse, 2..=10, flexible 8, response);

/// Part of [`OffsetCommitResponse`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetCommitResponseTopic {
    /// `name`: `string`, versions 0 to 9.
    pub name: StrBytes,
    /// `topicId`: `uuid`, versions 10+.
    pub topic_id: Uuid,
    /// `partitions`: `[]OffsetCommitResponsePartition`.
    pub partitions: Vec<OffsetCommitResponsePartition>,
}

impl Body for OffsetCommitResponseTopic {
    fn write<S: Sink>(&self, out: &mut Writer<S>, version: i16) -> Result<(), MessageError> {
        if version <= 9 {
            out.string("name", &self.name)?;
        }
        if version >= 10 {
            out.uuid(self.topic_id);
        }
        out.array("partitions", &self.partitions, |out, item| item.write(out, version))?;
        out.no_tags();
        Ok(())
    }

    fn read<B: ByteBuf>(input: &mut Reader<'_, B>, version: i16) -> Result<Self, MessageError> {
        let mut record = Self::default();
        if version <= 9 {
            record.name = input.string("name")?;
        }
        if version >= 10 {
            record.topic_id = input.uuid()?;
        }
        record.partitions =
            input.array("partitions", |input| OffsetCommitResponsePartition::read(input, version))?;
        input.skip_tags()?;
        Ok(record)
    }
}

/// Part of [`OffsetCommitResponse`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OffsetCommitResponsePartition {
    /// `partitionIndex`: `int32`.
    pub partition_index: i32,
    /// `errorCode`: `int16`.
    pub error_code: i16,
}

impl Body for OffsetCommitResponsePartition {
    fn write<S: Sink>(&self, out: &mut Writer<S>, _version: i16) -> Result<(), MessageError> {
        out.i32(self.partition_index);
        out.i16(self.error_code);
        out.no_tags();
        Ok(())
    }

    fn read<B: ByteBuf>(input: &mut Reader<'_, B>, _version: i16) -> Result<Self, MessageError> {
        let mut record = Self::default();
        record.partition_index = input.i32()?;
        record.error_code = input.i16()?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Request for OffsetCommitRequest {
    const KEY: i16 = 8;
    type Response = OffsetCommitResponse;
}
