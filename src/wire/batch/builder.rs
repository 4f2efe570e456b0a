//! Writes batches: the broker's own records (groups, transactions, metadata), and tests.
//! Keeps the records encoded as they are pushed; header and checksum come with `build`.

use super::header::{CONTROL_BIT, TIMESTAMP_TYPE_BIT, TRANSACTIONAL_BIT};
use super::records::write_bytes;
use super::{Batch, BatchHeader, HEADER_BYTES, varint};
use crate::wire::compress::{Codec, CompressError, compress};

/// Collects records for one batch of format 2. The caller keeps a batch below 2 GiB.
#[derive(Clone, Debug)]
pub struct BatchBuilder {
    base_timestamp: i64,
    max_timestamp: i64,
    attributes: i16,
    leader_epoch: i32,
    producer_id: i64,
    producer_epoch: i16,
    base_sequence: i32,
    records_count: i32,
    records: Vec<u8>,
    body: Vec<u8>,
}

impl BatchBuilder {
    /// An empty batch whose records' timestamps count from `timestamp_ms`; no producer, leader epoch −1.
    pub fn new(timestamp_ms: i64) -> Self {
        Self {
            base_timestamp: timestamp_ms,
            max_timestamp: -1,
            attributes: 0,
            leader_epoch: -1,
            producer_id: -1,
            producer_epoch: -1,
            base_sequence: -1,
            records_count: 0,
            records: Vec::new(),
            body: Vec::new(),
        }
    }

    /// The producer's id, epoch and the sequence number of the first record.
    #[must_use]
    pub fn producer(mut self, id: i64, epoch: i16, sequence: i32) -> Self {
        self.producer_id = id;
        self.producer_epoch = epoch;
        self.base_sequence = sequence;
        self
    }

    /// Marks the records as part of a transaction.
    #[must_use]
    pub fn transactional(mut self) -> Self {
        self.attributes |= TRANSACTIONAL_BIT;
        self
    }

    /// Marks the records as control records.
    #[must_use]
    pub fn control(mut self) -> Self {
        self.attributes |= CONTROL_BIT;
        self
    }

    /// Marks the timestamps as the moment of the append.
    #[must_use]
    pub fn log_append_time(mut self) -> Self {
        self.attributes |= TIMESTAMP_TYPE_BIT;
        self
    }

    /// The leader epoch that the header carries.
    #[must_use]
    pub fn leader_epoch(mut self, epoch: i32) -> Self {
        self.leader_epoch = epoch;
        self
    }

    /// Adds a record without headers; `timestamp` in milliseconds.
    pub fn push(&mut self, key: Option<&[u8]>, value: Option<&[u8]>, timestamp: i64) -> &mut Self {
        self.push_with_headers(key, value, timestamp, &[])
    }

    /// Adds a record; `timestamp` in milliseconds, a header without a value is null.
    pub fn push_with_headers(
        &mut self,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        timestamp: i64,
        headers: &[(&[u8], Option<&[u8]>)],
    ) -> &mut Self {
        self.body.clear();
        self.body.push(0);
        varint::write_i64(&mut self.body, timestamp.wrapping_sub(self.base_timestamp));
        varint::write_i32(&mut self.body, self.records_count);
        write_bytes(&mut self.body, key);
        write_bytes(&mut self.body, value);
        varint::write_i32(&mut self.body, headers.len() as i32);
        for (key, value) in headers {
            write_bytes(&mut self.body, Some(key));
            write_bytes(&mut self.body, *value);
        }
        write_bytes(&mut self.records, Some(&self.body));
        self.records_count = self.records_count.saturating_add(1);
        self.max_timestamp = self.max_timestamp.max(timestamp);
        self
    }

    /// How many records were pushed.
    pub fn records_count(&self) -> i32 {
        self.records_count
    }

    /// True when no record was pushed.
    pub fn is_empty(&self) -> bool {
        self.records_count == 0
    }

    /// Bytes that `build` would give now.
    pub fn size_bytes(&self) -> usize {
        self.records.len().saturating_add(HEADER_BYTES)
    }

    /// The batch with its checksum, not compressed. The builder can go on and build again.
    pub fn build(&self, base_offset: i64) -> Batch {
        self.seal(base_offset, self.attributes, &self.records)
    }

    /// As `build`, with the records compressed; `level` is Kafka's of that codec, `None` its default.
    /// Fails only when the codec's library does.
    pub fn build_compressed(
        &self,
        base_offset: i64,
        codec: Codec,
        level: Option<i32>,
    ) -> Result<Batch, CompressError> {
        if codec == Codec::None {
            return Ok(self.build(base_offset));
        }
        let payload = compress(codec, &self.records, level)?;
        Ok(self.seal(base_offset, self.attributes | codec as i16, &payload))
    }

    fn seal(&self, base_offset: i64, attributes: i16, payload: &[u8]) -> Batch {
        let header = BatchHeader {
            base_offset,
            batch_length: 0,
            partition_leader_epoch: self.leader_epoch,
            magic: 2,
            crc: 0,
            attributes,
            last_offset_delta: self.records_count.saturating_sub(1).max(0),
            base_timestamp: self.base_timestamp,
            max_timestamp: self.max_timestamp,
            producer_id: self.producer_id,
            producer_epoch: self.producer_epoch,
            base_sequence: self.base_sequence,
            records_count: self.records_count,
        };
        Batch::seal(header, payload)
    }
}
