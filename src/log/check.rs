//! The walk over one segment at recovery: every batch checked, index entries made as an append makes them, producers and
//! leader epochs brought up to date. Ends at the first bad batch.

use std::io::IoSlice;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::append::{header_producer, producer_batch};
use super::error::LogError;
use super::index::{Index, OffsetEntry, TimeEntry, encode};
use super::listing::ListedSegment;
use super::names::FileKind;
use super::producers::ProducerBatch;
use super::recovery::Loading;
use super::scan::{ScanError, Scanned, Scanner, Wait};
use super::segment::{Indexes, Segment};
use super::storage::{Access, write_full};
use super::txn_index::AbortedTxn;
use super::writer::Active;
use crate::types::Now;
use crate::wire::batch::{Batch, BatchHeader};

/// How much of a batch is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// The headers, for the indexes alone.
    Headers,
    /// Headers and checksums; producers and epochs follow the batches.
    All,
}

/// What a walk found.
#[derive(Debug)]
pub(crate) struct SegmentCheck {
    /// Bytes of good batches.
    pub(crate) bytes: u64,
    /// The offset behind the last good batch.
    pub(crate) next: i64,
    pub(crate) offsets: Vec<OffsetEntry>,
    pub(crate) times: Vec<TimeEntry>,
    pub(crate) aborted: Vec<AbortedTxn>,
    /// What is wrong with the bytes behind `bytes`.
    pub(crate) bad: Option<&'static str>,
    /// The walk ended at the offset up to which state is loaded; good batches may follow.
    pub(crate) hit_bound: bool,
    largest: Option<(i64, i64)>,
    first_timestamp: Option<i64>,
    indexed_position: u64,
}

impl SegmentCheck {
    pub(crate) const fn new(next: i64) -> Self {
        Self {
            bytes: 0,
            next,
            offsets: Vec::new(),
            times: Vec::new(),
            aborted: Vec::new(),
            bad: None,
            hit_bound: false,
            largest: None,
            first_timestamp: None,
            indexed_position: 0,
        }
    }

    /// Takes a good batch in, with the index entries that its append would have made.
    pub(crate) fn take(&mut self, base: i64, scanned: &Scanned, interval_bytes: u64) {
        let header = &scanned.header;
        let last = header.last_offset();
        let relative = |offset: i64| i32::try_from(offset.saturating_sub(base)).unwrap_or(i32::MAX);
        self.first_timestamp.get_or_insert(header.max_timestamp);
        if self.largest.is_none_or(|(timestamp, _)| header.max_timestamp > timestamp) {
            self.largest = Some((header.max_timestamp, last));
        }
        if scanned.position.saturating_sub(self.indexed_position) > interval_bytes {
            let position = u32::try_from(scanned.position).unwrap_or(u32::MAX);
            self.offsets.push(OffsetEntry { relative: relative(last), position });
            self.indexed_position = scanned.position;
            self.index_time(base);
        }
        self.bytes = scanned.end();
        self.next = last.saturating_add(1);
    }

    /// An entry of the time index when the largest timestamp rose since the last one.
    pub(crate) fn index_time(&mut self, base: i64) {
        let Some((timestamp, offset)) = self.largest else { return };
        let relative = i32::try_from(offset.saturating_sub(base)).unwrap_or(i32::MAX);
        if timestamp > self.last_timestamp() {
            self.times.push(TimeEntry { timestamp, relative });
        }
    }

    fn last_timestamp(&self) -> i64 {
        self.times.last().map_or(-1, |entry| entry.timestamp)
    }

    /// The segment that readers get.
    pub(crate) fn segment(&self, base: i64, has_txn_index: bool) -> Arc<Segment> {
        Arc::new(self.segment_alone(base, has_txn_index))
    }

    /// As `segment`, not shared yet.
    pub(crate) fn segment_alone(&self, base: i64, has_txn_index: bool) -> Segment {
        let indexes = Indexes::new(
            Index::with_entries(self.offsets.len() as u64),
            Index::with_entries(self.times.len() as u64),
            self.last_timestamp(),
        );
        let segment = Segment::new(base, self.bytes, indexes, has_txn_index);
        segment.set_largest_timestamp(self.largest.map_or(-1, |(timestamp, _)| timestamp));
        segment
    }

    /// What the writer keeps of it, should it be the active one.
    pub(crate) fn active(&self, segment: Arc<Segment>, now: Now) -> Active {
        let mut active = Active::new(segment, self.bytes, now);
        active.largest = self.largest;
        active.first_timestamp = self.first_timestamp;
        active.bytes_since_index = self.bytes.saturating_sub(self.indexed_position);
        active
    }
}

impl Loading<'_> {
    /// Walks over a segment whose first batch is at or above `expected`. Fails on IO errors only. The last entry of the
    /// time index, which stands for the largest timestamp of all, is left to the caller.
    pub(crate) fn check(
        &mut self,
        listed: &ListedSegment,
        depth: Depth,
        expected: i64,
    ) -> Result<SegmentCheck, LogError> {
        let path = self.reader.file_path(listed.base, FileKind::Log);
        let file = self.reader.file(listed.base, FileKind::Log).map_err(LogError::io(&path))?;
        let interval_bytes = u64::try_from(self.spec.config.index_interval_bytes).unwrap_or(0);
        let mut scanner = Scanner::new(&*file, 0, listed.log_bytes, Wait::Yes);
        let mut check = SegmentCheck::new(expected);
        let range = listed.base..self.base_behind(listed.base);
        loop {
            match self.check_next(&mut scanner, &mut check, &range, depth) {
                Ok(Some(scanned)) => check.take(listed.base, &scanned, interval_bytes),
                Ok(None) => break,
                Err(ScanError::Invalid(reason)) => {
                    check.bad = Some(reason);
                    break;
                }
                Err(ScanError::Io(error)) => return Err(LogError::io(&path)(error)),
            }
        }
        Ok(check)
    }

    /// The next good batch of a segment whose offsets lie in `range`; `None` at the end or at the bound.
    fn check_next(
        &mut self,
        scanner: &mut Scanner<'_>,
        check: &mut SegmentCheck,
        range: &Range<i64>,
        depth: Depth,
    ) -> Result<Option<Scanned>, ScanError> {
        let Some(scanned) = scanner.next_header()? else { return Ok(None) };
        let header = &scanned.header;
        if header.base_offset < check.next {
            return Err(ScanError::Invalid("hold offsets that came before"));
        }
        if i32::try_from(header.last_offset().saturating_sub(range.start)).is_err()
            || header.last_offset() >= range.end
        {
            return Err(ScanError::Invalid("hold offsets too large for the segment"));
        }
        if header.last_offset() >= self.bound() {
            check.hit_bound = true;
            return Ok(None);
        }
        if depth == Depth::All {
            if self.is_gap_in_segment(check.next, header.base_offset) {
                return Err(ScanError::Invalid("follow records that are missing"));
            }
            let bytes = scanner.whole(&scanned)?;
            if crc32c::crc32c(bytes.get(CRC_START..).unwrap_or_default()) != header.crc {
                return Err(ScanError::Invalid("fail their checksum"));
            }
            let producer = producer_of(header, bytes);
            self.follow(header, producer, check);
        }
        Ok(Some(scanned))
    }

    /// Brings producers, epochs and the transaction index up to a good batch.
    fn follow(&mut self, header: &BatchHeader, producer: Option<ProducerBatch>, check: &mut SegmentCheck) {
        let epoch = header.partition_leader_epoch;
        if epoch >= 0 && self.epochs.latest().is_none_or(|latest| latest.0 < epoch) {
            self.epochs_changed |= self.epochs.assign(epoch, header.base_offset);
        }
        if let Some(producer) = producer {
            let completed = self.producers.completes(&producer, header.base_offset);
            check.aborted.extend(completed.and_then(|completed| completed.aborted));
            self.producers.apply(&producer, header.base_offset);
        }
    }

    /// Replaces both index files of a segment by what the walk found; one that is empty and has to be stays as it is.
    pub(crate) fn write_indexes(&self, listed: &ListedSegment, check: &SegmentCheck) -> Result<(), LogError> {
        let (offsets, times) = (encode(&check.offsets), encode(&check.times));
        for (kind, bytes, before) in [
            (FileKind::OffsetIndex, offsets, listed.offset_index_bytes),
            (FileKind::TimeIndex, times, listed.time_index_bytes),
        ] {
            if !bytes.is_empty() || before != Some(0) {
                self.write_entries(listed.base, kind, &bytes)?;
            }
        }
        Ok(())
    }

    /// Replaces the transaction index, where there is or has to be one.
    pub(crate) fn write_txn_index(
        &self,
        listed: &ListedSegment,
        check: &SegmentCheck,
    ) -> Result<(), LogError> {
        if check.aborted.is_empty() && listed.txn_index_bytes.is_none_or(|bytes| bytes == 0) {
            return Ok(());
        }
        let bytes: Vec<u8> = check.aborted.iter().flat_map(AbortedTxn::encode).collect();
        self.write_entries(listed.base, FileKind::TxnIndex, &bytes)
    }

    fn write_entries(&self, base: i64, kind: FileKind, bytes: &[u8]) -> Result<(), LogError> {
        let path = self.reader.file_path(base, kind);
        let context = &self.reader.context;
        let key = self.reader.handle_key(base, kind);
        let file = context
            .handles
            .open(&*context.storage, key, &path, Access::Truncate)
            .map_err(LogError::io(&path))?;
        write_full(&*file, &mut [IoSlice::new(bytes)], 0).map_err(LogError::io(&path))?;
        self.reader.entries.note();
        Ok(())
    }
}

/// Where the bytes under a batch's checksum begin.
const CRC_START: usize = 21;

/// What of a batch on disk concerns its producer. A marker that cannot be read changes nothing.
pub(crate) fn producer_of(header: &BatchHeader, bytes: &[u8]) -> Option<ProducerBatch> {
    let producer = header_producer(header)?;
    if !producer.control {
        return Some(producer);
    }
    let batch = Batch { header: *header, bytes: Bytes::copy_from_slice(bytes) };
    match producer_batch(&batch) {
        Ok(producer) => producer,
        Err(reason) => {
            tracing::warn!(offset = header.base_offset, "skipped a control batch: {reason}");
            None
        }
    }
}
