//! The frame around each record of `__cluster_metadata`: frame version 1, API key and record version, all as unsigned
//! varints, then the body, which ends where the record's value ends. Relies on `codec` alone; never panics.

use bytes::Bytes;

use super::codec::{self, Message, Reader, RecordError, Writer};

/// The only frame version that Kafka writes and reads.
const FRAME_VERSION: u32 = 1;

/// A metadata record of a kind that we have no definition of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownRecord {
    /// The number of the record's kind.
    pub api_key: u32,
    /// Its version.
    pub version: i16,
    /// Its body as it stands.
    pub body: Bytes,
}

/// A frame whose head was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The number of the record's kind.
    pub api_key: u32,
    /// Its version.
    pub version: i16,
    /// The bytes behind the head.
    pub body: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Reads the head of a metadata record; fails on a frame version other than 1.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, RecordError> {
        let mut input = Reader::new(bytes, true);
        let frame_version = input.unsigned_varint()?;
        if frame_version != FRAME_VERSION {
            return Err(RecordError::FrameVersion(frame_version));
        }
        let api_key = input.unsigned_varint()?;
        let version = input.unsigned_varint()?;
        let version = i16::try_from(version).map_err(|_| RecordError::FrameRecordVersion(version))?;
        Ok(Self { api_key, version, body: input.rest() })
    }

    /// Reads the body as a record of one kind.
    pub(super) fn body<M: Message>(&self) -> Result<M, RecordError> {
        codec::decode_whole_body(self.body, self.version)
    }

    /// The record as it stands.
    pub(super) fn unknown(&self) -> UnknownRecord {
        UnknownRecord {
            api_key: self.api_key,
            version: self.version,
            body: Bytes::copy_from_slice(self.body),
        }
    }
}

/// Frames a record at `version`.
pub(super) fn encode<M: Message>(api_key: u32, version: i16, record: &M) -> Result<Vec<u8>, RecordError> {
    let body = codec::encode_body(record, version)?;
    Ok(framed(api_key, version, &body))
}

/// Frames a record that was kept as it stood.
pub(super) fn encode_unknown(record: &UnknownRecord) -> Vec<u8> {
    framed(record.api_key, record.version, &record.body)
}

fn framed(api_key: u32, version: i16, body: &[u8]) -> Vec<u8> {
    let mut out = Writer::new(true);
    out.unsigned_varint(FRAME_VERSION);
    out.unsigned_varint(api_key);
    out.unsigned_varint(u32::from(version.unsigned_abs()));
    out.raw(body);
    out.into_bytes()
}
