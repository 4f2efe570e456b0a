//! Batches without some of their records, as compaction leaves them: offsets, producer, sequences, leader epoch and the
//! place of the last record stay. Relies on records that were parsed; decides nothing about what stays.

use super::header::{CONTROL_BIT, DELETE_HORIZON_BIT, KNOWN_BITS, TIMESTAMP_TYPE_BIT, TRANSACTIONAL_BIT};
use super::{Batch, BatchHeader, RecordRef, varint};
use crate::wire::compress::{Codec, CompressError, compress};

const NO_TIMESTAMP: i64 = -1;

/// Collects the records of one batch that stay.
#[derive(Debug)]
pub struct Rewriter {
    header: BatchHeader,
    delete_horizon_ms: Option<i64>,
    base_timestamp: Option<i64>,
    max_timestamp: i64,
    records_count: i32,
    records: Vec<u8>,
    body: Vec<u8>,
}

impl Rewriter {
    /// Begins a batch in the place of the one with `header`. From `delete_horizon_ms` on its tombstones and markers may
    /// go (KIP-534); a horizon that the batch has already stays when none is given.
    pub fn new(header: &BatchHeader, delete_horizon_ms: Option<i64>) -> Self {
        let horizon = delete_horizon_ms.or_else(|| header.delete_horizon_ms());
        Self {
            header: *header,
            delete_horizon_ms: horizon,
            base_timestamp: horizon,
            max_timestamp: NO_TIMESTAMP,
            records_count: 0,
            records: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Adds a record of the old batch; its offset and its time stay.
    pub fn push(&mut self, record: &RecordRef<'_>) {
        let timestamp = self.header.record_timestamp(record.timestamp_delta);
        let base = *self.base_timestamp.get_or_insert(timestamp);
        self.body.clear();
        self.body.push(0);
        varint::write_i64(&mut self.body, timestamp.wrapping_sub(base));
        record.write_behind_timestamp(&mut self.body);
        varint::write_i32(&mut self.records, self.body.len() as i32);
        self.records.extend_from_slice(&self.body);
        self.records_count = self.records_count.saturating_add(1);
        self.max_timestamp = self.max_timestamp.max(timestamp);
    }

    /// The batch in the codec of the old one, at the codec's default level. Fails when the codec is unknown or its
    /// library fails.
    pub fn build(self) -> Result<Batch, CompressError> {
        let codec = Codec::from_attributes(self.header.attributes).unwrap_or_default();
        let kept = self.header.attributes & KNOWN_BITS & !DELETE_HORIZON_BIT;
        let horizon = if self.delete_horizon_ms.is_some() { DELETE_HORIZON_BIT } else { 0 };
        let is_append_time = self.header.is_log_append_time();
        let header = BatchHeader {
            attributes: kept | horizon,
            base_timestamp: self.base_timestamp.unwrap_or(NO_TIMESTAMP),
            max_timestamp: if is_append_time { self.header.max_timestamp } else { self.max_timestamp },
            records_count: self.records_count,
            ..self.header
        };
        match codec {
            Codec::None => Ok(Batch::seal(header, &self.records)),
            codec => Ok(Batch::seal(header, &compress(codec, &self.records, None)?)),
        }
    }
}

impl Batch {
    /// A batch without records in the place of the one with `header`: it still tells offsets, producer and sequences.
    #[must_use]
    pub fn emptied(header: &BatchHeader) -> Self {
        let kept = TIMESTAMP_TYPE_BIT | TRANSACTIONAL_BIT | CONTROL_BIT;
        let header = BatchHeader {
            attributes: header.attributes & kept,
            base_timestamp: NO_TIMESTAMP,
            records_count: 0,
            ..*header
        };
        Self::seal(header, &[])
    }
}

#[cfg(test)]
mod tests {
    use super::super::{BatchBuilder, Record};
    use super::*;

    fn full(codec: Codec) -> Batch {
        let mut builder = BatchBuilder::new(1000).producer(7, 3, 40).transactional().leader_epoch(5);
        builder.push(Some(b"a"), Some(b"1"), 1000);
        builder.push_with_headers(Some(b"b"), None, 1007, &[(b"h", Some(b"x")), (b"n", None)]);
        builder.push(Some(b"c"), Some(b"3"), 1003);
        builder.build_compressed(100, codec, None).unwrap()
    }

    fn without_first(batch: &Batch, horizon: Option<i64>) -> Batch {
        let opened = batch.opened().unwrap();
        let mut rewriter = Rewriter::new(&batch.header, horizon);
        for record in super::super::RecordRefs::new(&opened, batch.header.records_count).skip(1) {
            rewriter.push(&record.unwrap());
        }
        rewriter.build().unwrap()
    }

    fn seen(batch: &Batch) -> Vec<(i64, i64, Record)> {
        let header = &batch.header;
        let seen = |record: Record| {
            let offset = header.base_offset + i64::from(record.offset_delta);
            let time = header.record_timestamp(record.timestamp_delta);
            (offset, time, Record { timestamp_delta: 0, ..record })
        };
        batch.records().unwrap().map(|record| seen(record.unwrap())).collect()
    }

    #[test]
    fn what_stays_keeps_its_offset_time_and_headers_in_every_codec() {
        for codec in Codec::ALL {
            let before = full(codec);
            for horizon in [None, Some(9_999)] {
                let after = without_first(&before, horizon);
                let after = Batch::parse(after.bytes).unwrap();
                assert!(after.crc_is_valid());
                assert_eq!(seen(&after), seen(&before)[1..], "{codec:?}");
                let (old, new) = (&before.header, &after.header);
                assert_eq!(new.codec(), Ok(codec));
                assert_eq!((new.base_offset, new.last_offset(), new.records_count), (100, 102, 2));
                assert_eq!((new.producer_id, new.producer_epoch, new.base_sequence), (7, 3, 40));
                assert_eq!((new.last_sequence(), new.partition_leader_epoch), (old.last_sequence(), 5));
                assert!(new.is_transactional() && !new.is_control());
                assert_eq!((new.delete_horizon_ms(), new.max_timestamp), (horizon, 1007));
                assert_eq!(new.base_timestamp, horizon.unwrap_or(1007));
            }
        }
    }

    #[test]
    fn a_delete_horizon_stays_when_the_batch_is_rewritten_again() {
        let first = without_first(&full(Codec::None), Some(5_000));
        let second = without_first(&first, None);
        assert_eq!((second.header.delete_horizon_ms(), second.header.records_count), (Some(5_000), 1));
        assert_eq!(seen(&second), seen(&first)[1..]);
    }

    #[test]
    fn an_append_time_stays_the_moment_of_the_append() {
        let before = full(Codec::None).with_timestamps(true, 4_000);
        let after = without_first(&before, None);
        assert_eq!((after.header.max_timestamp, after.header.base_timestamp), (4_000, 4_000));
        assert_eq!(seen(&after), seen(&before)[1..]);
    }

    #[test]
    fn an_emptied_batch_still_tells_offsets_and_sequences() {
        let before = without_first(&full(Codec::Zstd), Some(5_000));
        let after = Batch::parse(Batch::emptied(&before.header).bytes).unwrap();
        assert!(after.crc_is_valid() && after.bytes.len() == 61);
        let header = after.header;
        assert_eq!(header, BatchHeader { attributes: 0x10, crc: header.crc, ..header });
        assert_eq!((header.base_offset, header.last_offset(), header.last_sequence()), (100, 102, 42));
        assert_eq!((header.base_timestamp, header.max_timestamp, header.records_count), (-1, 1007, 0));
        assert_eq!(after.records().unwrap().count(), 0);
    }
}
