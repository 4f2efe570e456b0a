//! The fixed 61 bytes that begin a batch, and what its attribute bits mean.
//! Relies on nothing but the bytes; never looks at the records.

use super::BatchError;
use crate::wire::compress::Codec;

/// Bytes of a batch's header; the records begin behind it.
pub const HEADER_BYTES: usize = 61;
/// Bytes that a batch's length does not count: base offset and the length itself.
pub const LOG_OVERHEAD: usize = 12;

/// The least a batch's length can say: the header without the log overhead.
const LENGTH_MIN: i32 = 49;

pub(super) const TIMESTAMP_TYPE_BIT: i16 = 0x08;
pub(super) const TRANSACTIONAL_BIT: i16 = 0x10;
pub(super) const CONTROL_BIT: i16 = 0x20;
pub(super) const DELETE_HORIZON_BIT: i16 = 0x40;
/// Codec, timestamp type, transactional, control, delete horizon.
pub(super) const KNOWN_BITS: i16 = 0x7f;

/// A batch's header, field by field in the order of the bytes (KIP-98).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchHeader {
    /// Offset of the first record; what a client sends here is ignored.
    pub base_offset: i64,
    /// Bytes that follow this field.
    pub batch_length: i32,
    /// Epoch of the leader that wrote the batch; what a client sends here is ignored.
    pub partition_leader_epoch: i32,
    /// The record format: 2.
    pub magic: i8,
    /// CRC-32C of everything from the attributes on.
    pub crc: u32,
    /// Codec (bits 0–2), timestamp type (3), transactional (4), control (5), delete horizon (6).
    pub attributes: i16,
    /// Offset of the last record minus the base offset; compaction keeps it when records go.
    pub last_offset_delta: i32,
    /// Milliseconds that the records' timestamp deltas count from, or the delete horizon when bit 6 is set.
    pub base_timestamp: i64,
    /// The greatest timestamp, or the moment of the append when bit 3 is set.
    pub max_timestamp: i64,
    /// The producer's id, −1 for none.
    pub producer_id: i64,
    /// The producer's epoch, −1 for none.
    pub producer_epoch: i16,
    /// Sequence number of the first record, −1 for none.
    pub base_sequence: i32,
    /// How many records follow.
    pub records_count: i32,
}

impl BatchHeader {
    /// Reads the first 61 of `bytes`. Fails on fewer, on a record format other than 2, on a length below the
    /// header's and on a negative last offset delta; the rest is not judged.
    pub fn parse(bytes: &[u8]) -> Result<Self, BatchError> {
        let header = Self::read(bytes)?;
        if header.magic != 2 {
            return Err(BatchError::Magic(header.magic));
        }
        if header.batch_length < LENGTH_MIN {
            return Err(BatchError::Length(header.batch_length));
        }
        if header.last_offset_delta < 0 {
            return Err(BatchError::LastOffsetDelta(header.last_offset_delta));
        }
        Ok(header)
    }

    /// Reads the first 61 of `bytes` and judges nothing. Fails on fewer.
    pub fn read(bytes: &[u8]) -> Result<Self, BatchError> {
        let rest = &mut &*bytes;
        let short = BatchError::Short { needed: HEADER_BYTES, have: bytes.len() };
        let mut read = || -> Option<Self> {
            Some(Self {
                base_offset: i64::from_be_bytes(take(rest)?),
                batch_length: i32::from_be_bytes(take(rest)?),
                partition_leader_epoch: i32::from_be_bytes(take(rest)?),
                magic: i8::from_be_bytes(take(rest)?),
                crc: u32::from_be_bytes(take(rest)?),
                attributes: i16::from_be_bytes(take(rest)?),
                last_offset_delta: i32::from_be_bytes(take(rest)?),
                base_timestamp: i64::from_be_bytes(take(rest)?),
                max_timestamp: i64::from_be_bytes(take(rest)?),
                producer_id: i64::from_be_bytes(take(rest)?),
                producer_epoch: i16::from_be_bytes(take(rest)?),
                base_sequence: i32::from_be_bytes(take(rest)?),
                records_count: i32::from_be_bytes(take(rest)?),
            })
        };
        read().ok_or(short)
    }

    /// The header as bytes.
    pub fn to_bytes(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        let rest = &mut bytes[..];
        let rest = put(rest, self.base_offset.to_be_bytes());
        let rest = put(rest, self.batch_length.to_be_bytes());
        let rest = put(rest, self.partition_leader_epoch.to_be_bytes());
        let rest = put(rest, self.magic.to_be_bytes());
        let rest = put(rest, self.crc.to_be_bytes());
        let rest = put(rest, self.attributes.to_be_bytes());
        let rest = put(rest, self.last_offset_delta.to_be_bytes());
        let rest = put(rest, self.base_timestamp.to_be_bytes());
        let rest = put(rest, self.max_timestamp.to_be_bytes());
        let rest = put(rest, self.producer_id.to_be_bytes());
        let rest = put(rest, self.producer_epoch.to_be_bytes());
        let rest = put(rest, self.base_sequence.to_be_bytes());
        put(rest, self.records_count.to_be_bytes());
        bytes
    }

    /// Bytes of the whole batch, header included.
    pub fn size_bytes(&self) -> usize {
        usize::try_from(self.batch_length).unwrap_or(0).saturating_add(LOG_OVERHEAD)
    }

    /// Offset of the last record; stays at the end of `i64` instead of wrapping.
    pub fn last_offset(&self) -> i64 {
        self.base_offset.saturating_add(i64::from(self.last_offset_delta))
    }

    /// The offset behind this batch.
    pub fn next_offset(&self) -> i64 {
        self.last_offset().saturating_add(1)
    }

    /// How the records are compressed; fails for the values 5 to 7.
    pub fn codec(&self) -> Result<Codec, BatchError> {
        Codec::from_attributes(self.attributes).ok_or(BatchError::Codec(self.attributes & 0x07))
    }

    /// True when the records take part in a transaction.
    pub fn is_transactional(&self) -> bool {
        self.attributes & TRANSACTIONAL_BIT != 0
    }

    /// True when the records are markers that consumers skip.
    pub fn is_control(&self) -> bool {
        self.attributes & CONTROL_BIT != 0
    }

    /// True when every record's timestamp is the moment of the append, `max_timestamp`.
    pub fn is_log_append_time(&self) -> bool {
        self.attributes & TIMESTAMP_TYPE_BIT != 0
    }

    /// True when `base_timestamp` says from when on compaction may drop tombstones and markers (KIP-534).
    pub fn has_delete_horizon(&self) -> bool {
        self.attributes & DELETE_HORIZON_BIT != 0
    }

    /// From when on compaction may drop the batch's tombstones and markers (KIP-534), when that was decided.
    pub fn delete_horizon_ms(&self) -> Option<i64> {
        self.has_delete_horizon().then_some(self.base_timestamp)
    }

    /// True when an idempotent or transactional producer wrote the batch.
    pub fn has_producer(&self) -> bool {
        self.producer_id > -1
    }

    /// Sequence number of the last record: after 2³¹−1 comes 0; −1 without a sequence.
    pub fn last_sequence(&self) -> i32 {
        if self.base_sequence < 0 {
            return -1;
        }
        self.base_sequence.wrapping_add(self.last_offset_delta) & i32::MAX
    }

    /// The timestamp of a record of this batch, in milliseconds; wraps as Java's addition does.
    pub fn record_timestamp(&self, timestamp_delta: i64) -> i64 {
        if self.is_log_append_time() {
            self.max_timestamp
        } else {
            self.base_timestamp.wrapping_add(timestamp_delta)
        }
    }
}

/// Splits the next `N` bytes off.
fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, behind) = rest.split_first_chunk::<N>()?;
    *rest = behind;
    Some(*taken)
}

/// Writes `value` at the front and gives what is behind it; does nothing when there is no room.
fn put<const N: usize>(place: &mut [u8], value: [u8; N]) -> &mut [u8] {
    let Some((front, behind)) = place.split_first_chunk_mut::<N>() else { return &mut [] };
    *front = value;
    behind
}
