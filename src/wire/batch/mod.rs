//! Record batches of format 2 (KIP-98): header, checksum, records, and a builder for the broker's own batches.
//! Input is hostile: nothing panics, and nothing is allocated from a count or length that bytes claim.
//! Formats 0 and 1 are refused, as Kafka 4 refuses to write them (KIP-896).

mod builder;
mod header;
mod records;
mod rewrite;
mod stream;
mod varint;

use bytes::Bytes;

pub use builder::BatchBuilder;
pub use header::{BatchHeader, HEADER_BYTES, LOG_OVERHEAD};
use header::{KNOWN_BITS, TIMESTAMP_TYPE_BIT};
pub use records::{Record, RecordHeader, RecordRef, RecordRefs, Records};
pub use rewrite::Rewriter;
pub use stream::{RecordHead, RecordHeads};

use crate::limits::BATCH_DECOMPRESSED_BYTES_MAX;
use crate::wire::compress::{Codec, CompressError, decompress};

/// Where the bytes under the checksum begin: behind base offset, length, leader epoch, magic and the checksum.
const CRC_START: usize = 21;

/// Why bytes are not a batch, or a batch's records cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// The bytes end before the batch does.
    #[error("the batch needs {needed} bytes, {have} are there")]
    Short {
        /// Bytes that the header or the batch's length asks for.
        needed: usize,
        /// Bytes that are there.
        have: usize,
    },
    /// A record format other than 2.
    #[error("record format {0} is not supported")]
    Magic(i8),
    /// A length below what the header alone takes.
    #[error("a batch of length {0} is smaller than its header")]
    Length(i32),
    /// A last offset before the base offset.
    #[error("last offset delta {0} is negative")]
    LastOffsetDelta(i32),
    /// Attributes that name no codec.
    #[error("compression type {0} is unknown")]
    Codec(i16),
    /// A record that does not follow the format.
    #[error("record {index}: {reason}")]
    Record {
        /// Which record of the batch, from 0.
        index: i32,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The header's number of records is negative, or is not the number of records that follow.
    #[error("the header's count of {0} records does not agree with the records")]
    Count(i32),
    /// The records cannot be decompressed.
    #[error(transparent)]
    Compress(#[from] CompressError),
}

/// One whole batch as a shared slice, its header parsed.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// What the first 61 bytes say.
    pub header: BatchHeader,
    /// Exactly `header.size_bytes()` bytes; base offset and leader epoch as received.
    pub bytes: Bytes,
}

impl Batch {
    /// The batch at the start of `bytes`; what follows it is ignored. The checksum is not looked at.
    /// Fails when the header does not parse or the bytes end before the batch does.
    pub fn parse(bytes: Bytes) -> Result<Self, BatchError> {
        let header = BatchHeader::parse(&bytes)?;
        let needed = header.size_bytes();
        if bytes.len() < needed {
            return Err(BatchError::Short { needed, have: bytes.len() });
        }
        Ok(Self { header, bytes: bytes.slice(..needed) })
    }

    /// True when the header's CRC-32C is that of the bytes behind it.
    pub fn crc_is_valid(&self) -> bool {
        self.header.crc == checksum(&self.bytes)
    }

    /// The first 16 bytes for another place: base offset, length, leader epoch. None of them is under the
    /// checksum, so a batch is moved by writing these and then `bytes[16..]`.
    pub fn head(&self, base_offset: i64, leader_epoch: i32) -> [u8; 16] {
        let head = i128::from(base_offset) << 64
            | i128::from(self.header.batch_length as u32) << 32
            | i128::from(leader_epoch as u32);
        head.to_be_bytes()
    }

    /// The bytes behind the header: the records, compressed as the header says.
    pub fn payload(&self) -> Bytes {
        if self.bytes.len() < HEADER_BYTES { Bytes::new() } else { self.bytes.slice(HEADER_BYTES..) }
    }

    /// The batch with this timestamp type and greatest timestamp: a copy with a new checksum when they differ from
    /// its own, else the shared bytes as they are. As in Kafka a copy loses the attribute bits that mean nothing.
    #[must_use]
    pub fn with_timestamps(self, log_append_time: bool, max_timestamp: i64) -> Self {
        let header = &self.header;
        if header.is_log_append_time() == log_append_time && header.max_timestamp == max_timestamp {
            return self;
        }
        let kept = header.attributes & KNOWN_BITS & !TIMESTAMP_TYPE_BIT;
        let attributes = if log_append_time { kept | TIMESTAMP_TYPE_BIT } else { kept };
        let header = BatchHeader { attributes, max_timestamp, ..self.header };
        Self::seal(header, self.bytes.get(HEADER_BYTES..).unwrap_or_default())
    }

    /// The header with the right length and checksum, and the records (compressed as it says) behind it.
    fn seal(mut header: BatchHeader, payload: &[u8]) -> Self {
        let size = payload.len().saturating_add(HEADER_BYTES);
        header.batch_length = i32::try_from(size.saturating_sub(LOG_OVERHEAD)).unwrap_or(i32::MAX);
        let mut bytes = Vec::with_capacity(size);
        bytes.extend_from_slice(&header.to_bytes());
        bytes.extend_from_slice(payload);
        header.crc = checksum(&bytes);
        if let Some(place) = bytes.first_chunk_mut::<HEADER_BYTES>() {
            *place = header.to_bytes();
        }
        Self { header, bytes: Bytes::from(bytes) }
    }

    /// The records' bytes, decompressed. Fails when they cannot be opened, or are more than
    /// [`BATCH_DECOMPRESSED_BYTES_MAX`] bytes then.
    pub fn opened(&self) -> Result<Bytes, BatchError> {
        match self.header.codec()? {
            Codec::None => Ok(self.payload()),
            codec => Ok(Bytes::from(decompress(codec, &self.payload(), BATCH_DECOMPRESSED_BYTES_MAX)?)),
        }
    }

    /// The records, one after the other; each is checked as it is reached and the first bad one ends the walk.
    /// Fails as `opened` does.
    pub fn records(&self) -> Result<Records, BatchError> {
        Ok(Records::new(self.opened()?, self.header.records_count))
    }

    /// The records without their contents, opened piece by piece in constant memory. Fails as `records` does.
    pub fn record_heads(&self) -> Result<RecordHeads<'_>, BatchError> {
        self.record_heads_within(BATCH_DECOMPRESSED_BYTES_MAX)
    }

    /// As [`Self::record_heads`], and fails when they are more than `opened_bytes_max` bytes.
    pub fn record_heads_within(&self, opened_bytes_max: usize) -> Result<RecordHeads<'_>, BatchError> {
        let payload = self.bytes.get(HEADER_BYTES..).unwrap_or_default();
        RecordHeads::within(self.header.codec()?, payload, self.header.records_count, opened_bytes_max)
    }
}

/// The first record whose timestamp is `timestamp` or later, as (offset, timestamp) with the header's base offset;
/// `None` when every record is older. Compressed records are opened piece by piece.
/// Fails when the records cannot be read up to there.
pub fn first_record_at_or_after(batch: &Batch, timestamp: i64) -> Result<Option<(i64, i64)>, BatchError> {
    first_record_at_or_after_from(batch, timestamp, i64::MIN)
}

/// As [`first_record_at_or_after`], but only among the records from `offset` on: a log may start inside a batch.
pub fn first_record_at_or_after_from(
    batch: &Batch,
    timestamp: i64,
    offset: i64,
) -> Result<Option<(i64, i64)>, BatchError> {
    let header = &batch.header;
    if header.max_timestamp < timestamp {
        return Ok(None);
    }
    for head in batch.record_heads()? {
        let head = head?;
        let found = header.record_timestamp(head.timestamp_delta);
        let at = header.base_offset.saturating_add(i64::from(head.offset_delta));
        if found >= timestamp && at >= offset {
            return Ok(Some((at, found)));
        }
    }
    Ok(None)
}

/// CRC-32C of a batch's bytes from its attributes on.
fn checksum(batch: &[u8]) -> u32 {
    crc32c::crc32c(batch.get(CRC_START..).unwrap_or_default())
}

#[cfg(test)]
mod tests;
