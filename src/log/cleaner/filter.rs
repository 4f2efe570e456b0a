//! What compaction keeps of a batch: a pure function of the batch, the map of newest offsets, the producers' last
//! records and the moment (Kafka's rules, KIP-98 for producers, KIP-534 for delete horizons).

use std::collections::HashMap;

use super::offset_map::OffsetMap;
use crate::log::producers::ProducerState;
use crate::wire::batch::{Batch, BatchError, BatchHeader, RecordRef, RecordRefs, Rewriter};

/// The last record that a log holds of an active producer, which keeps its sequence or its epoch known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LastRecord {
    /// Offset of its last data record; `None` when a marker came after an epoch's begin and no data.
    pub(crate) data_offset: Option<i64>,
    pub(crate) epoch: i16,
}

/// The last records of a log's producers, by producer.
pub(crate) fn last_records(producers: &ProducerState) -> HashMap<i64, LastRecord> {
    let last = |entry: &crate::log::producers::ProducerEntry| LastRecord {
        data_offset: entry.last_batch().map(|batch| batch.last_offset),
        epoch: entry.epoch,
    };
    producers.producers().iter().map(|(&id, entry)| (id, last(entry))).collect()
}

/// What decides beside the batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules<'a> {
    pub(crate) map: &'a OffsetMap,
    pub(crate) last_records: &'a HashMap<i64, LastRecord>,
    /// Wall clock, milliseconds.
    pub(crate) now_ms: i64,
    /// `delete.retention.ms`.
    pub(crate) delete_retention_ms: i64,
    /// The offset behind the segment that is written. The batch before it stays, emptied: between two segments a gap
    /// says that records were lost.
    pub(crate) end: i64,
}

/// What stays of a batch.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kept {
    Nothing,
    /// All of it, byte by byte.
    All,
    /// This in its place.
    Rewritten(Batch),
}

impl Rules<'_> {
    /// What stays of `batch`. `is_void` tells that its transaction was aborted, or for a marker that no record of its
    /// transaction is left. Fails when the records cannot be read.
    pub(crate) fn apply(&self, batch: &Batch, is_void: bool) -> Result<Kept, BatchError> {
        let header = &batch.header;
        let discards = is_void && (!header.is_control() || self.is_past_horizon(header));
        let empty =
            || if self.stays_empty(header) { Kept::Rewritten(Batch::emptied(header)) } else { Kept::Nothing };
        if discards || header.records_count == 0 {
            return Ok(empty());
        }
        let opened = batch.opened()?;
        let refs = || RecordRefs::new(&opened, header.records_count);
        let mut kept = 0_i32;
        let mut has_tombstone = false;
        for record in refs() {
            let record = record?;
            if self.keeps(header, &record) {
                kept = kept.saturating_add(1);
                has_tombstone |= record.value.is_none();
            }
        }
        if kept == 0 {
            return Ok(empty());
        }
        let needs_horizon = has_tombstone || (is_void && header.is_control());
        let horizon = (needs_horizon && !header.has_delete_horizon())
            .then(|| self.now_ms.saturating_add(self.delete_retention_ms));
        if kept == header.records_count && horizon.is_none() {
            return Ok(Kept::All);
        }
        let mut rewriter = Rewriter::new(header, horizon);
        for record in refs() {
            let record = record?;
            if self.keeps(header, &record) {
                rewriter.push(&record);
            }
        }
        Ok(Kept::Rewritten(rewriter.build()?))
    }

    fn is_past_horizon(&self, header: &BatchHeader) -> bool {
        header.delete_horizon_ms().is_some_and(|horizon| horizon <= self.now_ms)
    }

    /// Whether a record stays of a batch that is not dropped as a whole.
    fn keeps(&self, header: &BatchHeader, record: &RecordRef<'_>) -> bool {
        let offset = header.base_offset.saturating_add(i64::from(record.offset_delta));
        if header.is_control() || offset > self.map.latest() {
            return true;
        }
        // A record without a key is from before the topic was compacted.
        let Some(key) = record.key else { return false };
        let is_newest = self.map.get(key).is_none_or(|newest| offset >= newest);
        is_newest && (record.value.is_some() || !self.is_past_horizon(header))
    }

    /// Whether an empty batch stays in the place of this one.
    fn stays_empty(&self, header: &BatchHeader) -> bool {
        let is_last_of_producer = || {
            self.last_records.get(&header.producer_id).is_some_and(|last| match last.data_offset {
                Some(offset) => header.last_offset() == offset,
                None => header.is_control() && header.producer_epoch == last.epoch,
            })
        };
        (header.has_producer() && is_last_of_producer()) || header.next_offset() == self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::tests::{T0, marker};
    use crate::wire::batch::BatchBuilder;

    const NOW: i64 = T0 + 1_000;

    struct Case {
        map: OffsetMap,
        last: HashMap<i64, LastRecord>,
        end: i64,
    }

    impl Case {
        /// A map in which each key's newest record is at the offset beside it.
        fn new(newest: &[(&str, i64)], latest: i64) -> Self {
            let mut map = OffsetMap::new(10_000, 0.9, 100);
            for (key, offset) in newest {
                map.put(key.as_bytes(), *offset).unwrap();
            }
            map.set_latest(latest);
            Self { map, last: HashMap::new(), end: 1_000 }
        }

        fn at(&self, batch: &Batch, is_void: bool, now_ms: i64) -> Kept {
            let (map, last_records, end) = (&self.map, &self.last, self.end);
            let rules = Rules { map, last_records, now_ms, delete_retention_ms: 500, end };
            rules.apply(batch, is_void).unwrap()
        }

        fn apply(&self, batch: &Batch) -> Kept {
            self.at(batch, false, NOW)
        }
    }

    fn batch(base: i64, records: &[(&str, Option<&str>)]) -> Batch {
        with_producer(BatchBuilder::new(T0), base, records)
    }

    fn with_producer(mut builder: BatchBuilder, base: i64, records: &[(&str, Option<&str>)]) -> Batch {
        for (key, value) in records {
            let key = Some(key.as_bytes()).filter(|key| !key.is_empty());
            builder.push(key, value.map(str::as_bytes), T0);
        }
        builder.build(base)
    }

    fn offsets(kept: &Kept, batch: &Batch) -> Vec<i64> {
        let kept = match kept {
            Kept::Nothing => return Vec::new(),
            Kept::All => batch,
            Kept::Rewritten(batch) => batch,
        };
        kept.records()
            .unwrap()
            .map(|r| kept.header.base_offset + i64::from(r.unwrap().offset_delta))
            .collect()
    }

    fn rewritten(kept: Kept) -> Batch {
        match kept {
            Kept::Rewritten(batch) => batch,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_newest_record_of_a_key_stays_and_what_the_map_does_not_speak_of() {
        let case = Case::new(&[("a", 12), ("b", 11)], 13);
        let old = batch(10, &[("a", Some("1")), ("b", Some("2")), ("a", Some("3")), ("c", Some("4"))]);
        let kept = case.apply(&old);
        assert_eq!(offsets(&kept, &old), [11, 12, 13]);
        assert_eq!(case.apply(&batch(11, &[("b", Some("2")), ("a", Some("3"))])), Kept::All);
        assert_eq!(case.apply(&batch(5, &[("a", Some("1"))])), Kept::Nothing);
        assert_eq!(case.apply(&batch(14, &[("a", Some("1")), ("", Some("x"))])), Kept::All, "behind the map");
        assert_eq!(case.apply(&batch(5, &[("", Some("x"))])), Kept::Nothing, "no key");
    }

    #[test]
    fn a_tombstone_gets_a_horizon_and_goes_when_that_has_passed() {
        let case = Case::new(&[("a", 10), ("b", 11)], 20);
        let first = batch(10, &[("a", None), ("b", Some("2"))]);
        let marked = rewritten(case.apply(&first));
        assert_eq!(offsets(&Kept::All, &marked), [10, 11]);
        assert_eq!(marked.header.delete_horizon_ms(), Some(NOW + 500));
        assert_eq!(case.at(&marked, false, NOW + 499), Kept::All, "the horizon is set once");
        let later = case.at(&marked, false, NOW + 500);
        assert_eq!(offsets(&later, &marked), [11]);
        assert_eq!(rewritten(later).header.delete_horizon_ms(), Some(NOW + 500));
        let behind = Case::new(&[], 5);
        assert_eq!(behind.at(&marked, false, NOW + 500), Kept::All, "behind the map nothing goes");
    }

    #[test]
    fn records_of_aborted_transactions_go_at_once() {
        let case = Case::new(&[], 5);
        let builder = || BatchBuilder::new(T0).producer(7, 0, 0).transactional();
        let aborted = with_producer(builder(), 10, &[("a", Some("1"))]);
        assert_eq!(case.at(&aborted, true, NOW), Kept::Nothing);
        assert_eq!(case.at(&aborted, false, NOW), Kept::All);
    }

    #[test]
    fn a_marker_stays_while_its_records_do_then_until_its_horizon() {
        let case = Case::new(&[], 50);
        let commit = marker(7, 0, false);
        assert_eq!(case.at(&commit, false, NOW), Kept::All);
        let marked = rewritten(case.at(&commit, true, NOW));
        assert_eq!((marked.header.delete_horizon_ms(), marked.header.records_count), (Some(NOW + 500), 1));
        assert!(marked.header.is_control());
        assert_eq!(case.at(&marked, true, NOW + 499), Kept::All);
        assert_eq!(case.at(&marked, true, NOW + 500), Kept::Nothing);
        assert_eq!(case.at(&marked, false, NOW + 500), Kept::All);
    }

    #[test]
    fn the_last_batch_of_an_active_producer_stays_empty() {
        let mut case = Case::new(&[("a", 30)], 40);
        case.last.insert(7, LastRecord { data_offset: Some(11), epoch: 2 });
        let builder = |sequence| BatchBuilder::new(T0).producer(7, 2, sequence);
        let earlier = with_producer(builder(0), 8, &[("a", Some("1"))]);
        assert_eq!(case.apply(&earlier), Kept::Nothing);
        let last = with_producer(builder(4), 10, &[("a", Some("1")), ("a", Some("2"))]);
        let empty = rewritten(case.apply(&last));
        assert_eq!((empty.header.records_count, empty.header.last_offset()), (0, 11));
        assert_eq!((empty.header.last_sequence(), empty.header.producer_epoch), (5, 2));
        assert_eq!(case.apply(&empty), Kept::Rewritten(empty), "and stays so");
        case.last.clear();
        assert_eq!(case.apply(&last), Kept::Nothing, "a producer that is forgotten");
    }

    #[test]
    fn a_marker_that_alone_tells_a_producers_epoch_stays_empty() {
        let mut case = Case::new(&[], 50);
        case.last.insert(7, LastRecord { data_offset: None, epoch: 4 });
        let (now, old) = (marker(7, 4, false), marker(7, 3, false));
        let marked = |batch: &Batch| rewritten(case.at(batch, true, NOW));
        assert_eq!(rewritten(case.at(&marked(&now), true, NOW + 500)).header.records_count, 0);
        assert_eq!(case.at(&marked(&old), true, NOW + 500), Kept::Nothing);
    }

    #[test]
    fn the_last_batch_of_a_segment_stays_empty_so_that_no_gap_follows_it() {
        let mut case = Case::new(&[("a", 30)], 40);
        case.end = 12;
        let last = batch(10, &[("a", Some("1")), ("a", Some("2"))]);
        assert_eq!(rewritten(case.apply(&last)).header.next_offset(), 12);
    }

    #[test]
    fn records_that_cannot_be_read_are_an_error_and_not_dropped() {
        let case = Case::new(&[("a", 30)], 40);
        let good = batch(10, &[("a", Some("1"))]);
        let header = BatchHeader { records_count: 9, ..good.header };
        let bad = Batch { header, bytes: good.bytes };
        let (map, last_records) = (&case.map, &case.last);
        let rules = Rules { map, last_records, now_ms: NOW, delete_retention_ms: 0, end: 99 };
        assert!(rules.apply(&bad, false).is_err());
    }
}
