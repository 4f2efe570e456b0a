//! ListOffsets: version 11 adds a special timestamp (KIP-1023).
//! Generated from Kafka's message definitions by `scripts/generate-records`; not edited by hand.

use super::codec::{Body, MessageError, Reader, Sink, Writer, message};
use kafka_protocol::protocol::buf::ByteBuf;
use kafka_protocol::protocol::{Request, StrBytes};

/// `ListOffsetsRequest`, key 2: versions 1 to 11, flexible from 6.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ListOffsetsRequest {
    /// `replicaId`: `int32`.
    pub replica_id: i32,
    /// `isolationLevel`: `int8`, versions 2+.
    pub isolation_level: i8,
    /// `topics`: `[]ListOffsetsTopic`.
    pub topics: Vec<ListOffsetsTopic>,
    /// `timeoutMs`: `int32`, versions 10+.
    pub timeout_ms: i32,
}

impl Body for ListOffsetsRequest {
    fn write<S: Sink>(&self, out: &mut Writer<S>, version: i16) -> Result<(), MessageError> {
        out.i32(self.replica_id);
        if version >= 2 {
            out.i8(self.isolation_level);
        } else if self.isolation_level != 0 {
            return Err(MessageError::FieldNotInVersion { field: "isolationLevel", version });
        }
        out.array("topics", &self.topics, |out, item| item.write(out, version))?;
        if version >= 10 {
            out.i32(self.timeout_ms);
        }
        out.no_tags();
        Ok(())
    }

    fn read<B: ByteBuf>(input: &mut Reader<'_, B>, version: i16) -> Result<Self, MessageError> {
        let mut record = Self::default();
        record.replica_id = input.i32()?;
        if version >= 2 {
            record.isolation_level = input.i8()?;
        }
        record.topics = input.array("topics", |input| ListOffsetsTopic::read(input, version))?;
        if version >= 10 {
            record.timeout_ms = input.i32()?;
        }
        input.skip_tags()?;
        Ok(record)
    }
}

message!(ListOffsetsRequest, 1..=11, flexible 6, request);

/// Part of [`ListOffsetsRequest`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ListOffsetsTopic {
    /// `name`: `string`.
    pub name: StrBytes,
    /// `partitions`: `[]ListOffsetsPartition`.
    pub partitions: Vec<ListOffsetsPartition>,
}

impl Body for ListOffsetsTopic {
    fn write<S: Sink>(&self, out: &mut Writer<S>, version: i16) -> Result<(), MessageError> {
        out.string("name", &self.name)?;
        out.array("partitions", &self.partitions, |out, item| item.write(out, version))?;
        out.no_tags();
        Ok(())
    }

    fn read<B: ByteBuf>(input: &mut Reader<'_, B>, version: i16) -> Result<Self, MessageError> {
        let mut record = Self::default();
        record.name = input.string("name")?;
        record.partitions = input.array("partitions", |input| ListOffsetsPartition::read(input, version))?;
        input.skip_tags()?;
        Ok(record)
    }
}

/// Part of [`ListOffsetsRequest`].
#[derive(Clone, Debug, PartialEq)]
pub struct ListOffsetsPartition {
    /// `partitionIndex`: `int32`.
    pub partition_index: i32,
    /// `currentLeaderEpoch`: `int32`, versions 4+, default -1.
    pub current_leader_epoch: i32,
    /// `timestamp`: `int64`.
    pub timestamp: i64,
}

impl Default for ListOffsetsPartition {
    fn default() -> Self {
        Self { partition_index: 0, current_leader_epoch: -1, timestamp: 0 }
    }
}

impl Body for ListOffsetsPartition {
    fn write<S: Sink>(&self, out: &mut Writer<S>, version: i16) -> Result<(), MessageError> {
        out.i32(self.partition_index);
        if version >= 4 {
            out.i32(self.current_leader_epoch);
        }
        out.i64(self.timestamp);
        out.no_tags();
        Ok(())
    }

    fn read<B: ByteBuf>(input: &mut Reader<'_, B>, version: i16) -> Result<Self, MessageError> {
        let mut record = Self::default();
        record.partition_index = input.i32()?;
        if version >= 4 {
            record.current_leader_epoch = input.i32()?;
        }
        record.timestamp = input.i64()?;
        input.skip_tags()?;
        Ok(record)
    }
}

/// `ListOffsetsResponse`, key 2: versions 1 to 11, flexible from 6.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ListOffsetsResponse {
    /// `throttleTimeMs`: `int32`, versions 2+.
    pub throttle_time_ms: i32,
    /// `topics`: `[]ListOffsetsTopicResponse`.
    pub topics: Vec<ListOffsetsTopicResponse>,
}

impl Body for ListOffsetsResponse {
    fn write<S: Sink>(&self, out: &mut Writer<S>, version: i16) -> Result<(), MessageError> {
        if version >= 2 {
            out.i32(self.throttle_time_ms);
        }
        out.array("topics", &self.topics, |out, item| item.write(out, version))?;
        out.no_tags();
        Ok(())
    }

    fn read<B: ByteBuf>(input: &mut Reader<'_, B>, version: i16) -> Result<Self, MessageError> {
        let mut record = Self::default();
        if version >= 2 {
            record.throttle_time_ms = input.i32()?;
        }
        record.topics = input.array("topics", |input| ListOffsetsTopicResponse::read(input, version))?;
        input.skip_tags()?;
        Ok(record)
    }
}

message!(ListOffsetsResponse, 1..=11, flexible 6, response);

/// Part of [`ListOffsetsResponse`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ListOffsetsTopicResponse {
    /// `name`: `string`.
    pub name: StrBytes,
    /// `partitions`: `[]ListOffsetsPartitionResponse`.
    pub partitions: Vec<ListOffsetsPartitionResponse>,
}

impl Body for ListOffsetsTopicResponse {
    fn write<S: Sink>(&self, out: &mut Writer<S>, version: i16) -> Result<(), MessageError> {
        out.string("name", &self.name)?;
        out.array("partitions", &self.partitions, |out, item| item.write(out, version))?;
        out.no_tags();
        Ok(())
    }

    fn read<B: ByteBuf>(input: &mut Reader<'_, B>, version: i16) -> Result<Self, MessageError> {
        let mut record = Self::default();
        record.name = input.string("name")?;
        record.partitions =
            input.array("partitions", |input| ListOffsetsPartitionResponse::read(input, version))?;
        input.skip_tags()?;
        Ok(record)
    }
}

/// Part of [`ListOffsetsResponse`].
#[derive(Clone, Debug, PartialEq)]
pub struct ListOffsetsPartitionResponse {
    /// `partitionIndex`: `int32`.
    pub partition_index: i32,
    /// `errorCode`: `int16`.
    pub error_code: i16,
    /// `timestamp`: `int64`, default -1.
    pub timestamp: i64,
    /// `offset`: `int64`, default -1.
    pub offset: i64,
    /// `leaderEpoch`: `int32`, versions 4+, default -1.
    pub leader_epoch: i32,
}

impl Default for ListOffsetsPartitionResponse {
    fn default() -> Self {
        Self { partition_index: 0, error_code: 0, timestamp: -1, offset: -1, leader_epoch: -1 }
    }
}

impl Body for ListOffsetsPartitionResponse {
    fn write<S: Sink>(&self, out: &mut Writer<S>, version: i16) -> Result<(), MessageError> {
        out.i32(self.partition_index);
        out.i16(self.error_code);
        out.i64(self.timestamp);
        out.i64(self.offset);
        if version >= 4 {
            out.i32(self.leader_epoch);
        } else if self.leader_epoch != -1 {
            return Err(MessageError::FieldNotInVersion { field: "leaderEpoch", version });
        }
        out.no_tags();
        Ok(())
    }

    fn read<B: ByteBuf>(input: &mut Reader<'_, B>, version: i16) -> Result<Self, MessageError> {
        let mut record = Self::default();
        record.partition_index = input.i32()?;
        record.error_code = input.i16()?;
        record.timestamp = input.i64()?;
        record.offset = input.i64()?;
        if version >= 4 {
            record.leader_epoch = input.i32()?;
        }
        input.skip_tags()?;
        Ok(record)
    }
}

impl Request for ListOffsetsRequest {
    const KEY: i16 = 2;
    type Response = ListOffsetsResponse;
}
