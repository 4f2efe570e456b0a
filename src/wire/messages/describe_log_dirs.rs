//! DescribeLogDirs: version 5 tells whether a directory is cordoned (KIP-1066).
//! Generated from Kafka's message definitions by `scripts/generate-records`; not edited by hand.

use super::codec::{Body, MessageError, Reader, Sink, Writer, message};
use kafka_protocol::protocol::buf::ByteBuf;
use kafka_protocol::protocol::{Request, StrBytes};

/// `DescribeLogDirsRequest`, key 35: versions 1 to 5, flexible from 2.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeLogDirsRequest {
    /// `topics`: `[]DescribableLogDirTopic`, nullable.
    pub topics: Option<Vec<DescribableLogDirTopic>>,
}

impl Default for DescribeLogDirsRequest {
    fn default() -> Self {
        Self { topics: Some(Vec::default()) }
    }
}

impl Body for DescribeLogDirsRequest {
    fn write<S: Sink>(&self, out: &mut Writer<S>, version: i16) -> Result<(), MessageError> {
        out.nullable_array("topics", self.topics.as_deref(), |out, item| item.write(out, version))?;
        out.no_tags();
        Ok(())
    }

    fn read<B: ByteBuf>(input: &mut Reader<'_, B>, version: i16) -> Result<Self, MessageError> {
        let mut record = Self::default();
        record.topics =
            input.nullable_array("topics", |input| DescribableLogDirTopic::read(input, version))?;
        input.skip_tags()?;
        Ok(record)
    }
}

message!(DescribeLogDirsRequest, 1..=5, flexible 2, request);

/// Part of [`DescribeLogDirsRequest`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribableLogDirTopic {
    /// `topic`: `string`.
    pub topic: StrBytes,
    /// `partitions`: `[]int32`.
    pub partitions: Vec<i32>,
}

impl Body for DescribableLogDirTopic {
    fn write<S: Sink>(&self, out: &mut Writer<S>, _version: i16) -> Result<(), MessageError> {
        out.string("topic", &self.topic)?;
        out.array("partitions", &self.partitions, |out, item| {
            out.i32(*item);
            Ok(())
        })?;
        out.no_tags();
        Ok(())
    }

    fn read<B: ByteBuf>(input: &mut Reader<'_, B>, _version: i16) -> Result<Self, MessageError> {
        let mut record = Self::default();
        record.topic = input.string("topic")?;
        record.partitions = input.array("partitions", Reader::i32)?;
        input.skip_tags()?;
        Ok(record)
    }
}

/// `DescribeLogDirsResponse`, key 35: versions 1 to 5, flexible from 2.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeLogDirsResponse {
    /// `throttleTimeMs`: `int32`.
    pub throttle_time_ms: i32,
    /// `errorCode`: `int16`, versions 3+.
    pub error_code: i16,
    /// `results`: `[]DescribeLogDirsResult`.
    pub results: Vec<DescribeLogDirsResult>,
}

impl Body for DescribeLogDirsResponse {
    fn write<S: Sink>(&self, out: &mut Writer<S>, version: i16) -> Result<(), MessageError> {
        out.i32(self.throttle_time_ms);
        if version >= 3 {
            out.i16(self.error_code);
        }
        out.array("results", &self.results, |out, item| item.write(out, version))?;
        out.no_tags();
        Ok(())
    }

    fn read<B: ByteBuf>(input: &mut Reader<'_, B>, version: i16) -> Result<Self, MessageError> {
        let mut record = Self::default();
        record.throttle_time_ms = input.i32()?;
        if version >= 3 {
            record.error_code = input.i16()?;
        }
        record.results = input.array("results", |input| DescribeLogDirsResult::read(input, version))?;
        input.skip_tags()?;
        Ok(record)
    }
}

message!(DescribeLogDirsResponse, 1..=5, flexible 2, response);

/// Part of [`DescribeLogDirsResponse`].
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeLogDirsResult {
    /// `errorCode`: `int16`.
    pub error_code: i16,
    /// `logDir`: `string`.
    pub log_dir: StrBytes,
    /// `topics`: `[]DescribeLogDirsTopic`.
    pub topics: Vec<DescribeLogDirsTopic>,
    /// `totalBytes`: `int64`, versions 4+, default -1.
    pub total_bytes: i64,
    /// `usableBytes`: `int64`, versions 4+, default -1.
    pub usable_bytes: i64,
    /// `isCordoned`: `bool`, versions 5+.
    pub is_cordoned: bool,
}

impl Default for DescribeLogDirsResult {
    fn default() -> Self {
        Self {
            error_code: 0,
            log_dir: StrBytes::default(),
            topics: Vec::default(),
            total_bytes: -1,
            usable_bytes: -1,
            is_cordoned: false,
        }
    }
}

impl Body for DescribeLogDirsResult {
    fn write<S: Sink>(&self, out: &mut Writer<S>, version: i16) -> Result<(), MessageError> {
        out.i16(self.error_code);
        out.string("logDir", &self.log_dir)?;
        out.array("topics", &self.topics, |out, item| item.write(out, version))?;
        if version >= 4 {
            out.i64(self.total_bytes);
        }
        if version >= 4 {
            out.i64(self.usable_bytes);
        }
        if version >= 5 {
            out.bool(self.is_cordoned);
        }
        out.no_tags();
        Ok(())
    }

    fn read<B: ByteBuf>(input: &mut Reader<'_, B>, version: i16) -> Result<Self, MessageError> {
        let mut record = Self::default();
        record.error_code = input.i16()?;
        record.log_dir = input.string("logDir")?;
        record.topics = input.array("topics", |input| DescribeLogDirsTopic::read(input, version))?;
        if version >= 4 {
            record.total_bytes = input.i64()?;
        }
        if version >= 4 {
            record.usable_bytes = input.i64()?;
        }
        if version >= 5 {
            record.is_cordoned = input.bool()?;
        }
        input.skip_tags()?;
        Ok(record)
    }
}

/// Part of [`DescribeLogDirsResponse`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeLogDirsTopic {
    /// `name`: `string`.
    pub name: StrBytes,
    /// `partitions`: `[]DescribeLogDirsPartition`.
    pub partitions: Vec<DescribeLogDirsPartition>,
}

impl Body for DescribeLogDirsTopic {
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
            input.array("partitions", |input| DescribeLogDirsPartition::read(input, version))?;
        input.skip_tags()?;
        Ok(record)
    }
}

/// Part of [`DescribeLogDirsResponse`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeLogDirsPartition {
    /// `partitionIndex`: `int32`.
    pub partition_index: i32,
    /// `partitionSize`: `int64`.
    pub partition_size: i64,
    /// `offsetLag`: `int64`.
    pub offset_lag: i64,
    /// `isFutureKey`: `bool`.
    pub is_future_key: bool,
}

impl Body for DescribeLogDirsPartition {
    fn write<S: Sink>(&self, out: &mut Writer<S>, _version: i16) -> Result<(), MessageError> {
        out.i32(self.partition_index);
        out.i64(self.partition_size);
        out.i64(self.offset_lag);
        out.bool(self.is_future_key);
        out.no_tags();
        Ok(())
    }

    fn read<B: ByteBuf>(input: &mut Reader<'_, B>, _version: i16) -> Result<Self, MessageError> {
        let mut record = Self::default();
        record.partition_index = input.i32()?;
        record.partition_size = input.i64()?;
        record.offset_lag = input.i64()?;
        record.is_future_key = input.bool()?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Request for DescribeLogDirsRequest {
    const KEY: i16 = 35;
    type Response = DescribeLogDirsResponse;
}
