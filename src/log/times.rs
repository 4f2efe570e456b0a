//! Looking records up by time (`ListOffsets`): the first record at or after a timestamp, and the one with the largest.
//! Takes no append lock; opens at most one batch.

use std::sync::Arc;

use bytes::Bytes;

use super::error::ReadError;
use super::index::{TimeEntry, entries, entry_at, floor};
use super::names::FileKind;
use super::reader::{LogReader, Segments};
use super::scan::{ScanError, Scanner, Wait};
use super::segment::Segment;
use super::storage::StoredFile;
use crate::types::{LeaderEpoch, Offset};
use crate::wire::batch::Batch;

/// A record found by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedOffset {
    /// Its offset.
    pub offset: Offset,
    /// Its timestamp in milliseconds.
    pub timestamp: i64,
    /// The leader epoch of its batch.
    pub epoch: LeaderEpoch,
}

impl LogReader {
    /// The first record at or above the log start whose timestamp is at least `timestamp_ms`, committed or not. Waits for
    /// the disk. Who compares it with an offset takes that afterwards: compaction may have left nothing below an older one.
    pub fn offset_for_timestamp(&self, timestamp_ms: i64) -> Result<Option<TimedOffset>, ReadError> {
        self.retry_vanished(|| self.search_time(timestamp_ms))
    }

    /// The first record that has the largest timestamp of the log (KIP-734), committed or not.
    pub fn max_timestamp(&self) -> Result<Option<TimedOffset>, ReadError> {
        self.retry_vanished(|| self.search_max())
    }

    fn search_time(&self, timestamp: i64) -> Result<Option<TimedOffset>, ReadError> {
        let segments: Arc<Segments> = self.segments.load_full();
        for segment in segments.iter().filter(|segment| segment.size() > 0) {
            if self.segment_largest_timestamp(segment)? >= timestamp
                && let Some(found) = self.search_segment(segment, timestamp)?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn search_max(&self) -> Result<Option<TimedOffset>, ReadError> {
        let segments: Arc<Segments> = self.segments.load_full();
        let mut newest: Option<(i64, &Arc<Segment>)> = None;
        let start = self.start().0;
        let ends = segments.iter().skip(1).map(|next| next.base).chain([i64::MAX]);
        for (segment, _) in
            segments.iter().zip(ends).filter(|(segment, end)| segment.size() > 0 && *end > start)
        {
            let largest = self.segment_largest_timestamp(segment)?;
            if largest >= 0 && newest.is_none_or(|(so_far, _)| largest > so_far) {
                newest = Some((largest, segment));
            }
        }
        match newest {
            Some((largest, segment)) => self.search_segment(segment, largest),
            None => Ok(None),
        }
    }

    /// The largest timestamp of a segment, -1 when its records have none: known, or the last entry of its time index.
    pub(crate) fn segment_largest_timestamp(&self, segment: &Segment) -> Result<i64, ReadError> {
        if let Some(known) = segment.largest_timestamp() {
            return Ok(known);
        }
        let entry = self.time_floor(segment, |_| true)?;
        let largest = entry.map_or(-1, |entry| entry.timestamp);
        segment.set_largest_timestamp(largest);
        Ok(largest)
    }

    fn time_floor(
        &self,
        segment: &Segment,
        at_most: impl Fn(&TimeEntry) -> bool,
    ) -> Result<Option<TimeEntry>, ReadError> {
        let known = match segment.indexes().times.floor_in_memory(&at_most) {
            Ok(entry) => return Ok(Some(entry)),
            Err(known) => known,
        };
        if known == Some(0) {
            return Ok(None);
        }
        let path = self.file_path(segment.base, FileKind::TimeIndex);
        let file = self.segment_file(segment, FileKind::TimeIndex).map_err(ReadError::io(&path))?;
        let count = entries::<TimeEntry>(&*file, known).map_err(ReadError::io(&path))?;
        segment.indexes().times.learn(count);
        // The last entry is the one asked for most.
        if let Some(last) = count.checked_sub(1) {
            let last = entry_at::<TimeEntry>(&*file, last, Wait::Yes).map_err(ReadError::io(&path))?;
            if let Some(last) = last.filter(&at_most) {
                return Ok(Some(last));
            }
        }
        floor(&*file, count, Wait::Yes, at_most).map_err(ReadError::io(&path))
    }

    /// The first record of a segment at or above the log start with at least `timestamp`.
    fn search_segment(&self, segment: &Segment, timestamp: i64) -> Result<Option<TimedOffset>, ReadError> {
        // Up to the last entry below the timestamp, every record is below it.
        let below = self.time_floor(segment, |entry| entry.timestamp < timestamp)?;
        let from = below.map_or(segment.base, |entry| segment.base.saturating_add(i64::from(entry.relative)));
        let from = from.max(self.start().0);
        let path = self.file_path(segment.base, FileKind::Log);
        let file = self.segment_file(segment, FileKind::Log).map_err(ReadError::io(&path))?;
        let size = segment.size();
        let Some(first) = self.find(segment, &*file, from, size, Wait::Yes)? else { return Ok(None) };
        self.walk(&*file, first.position, size, timestamp)
            .map_err(|error| self.scan_error(segment.base, first.position, error))
    }

    fn walk(
        &self,
        file: &dyn StoredFile,
        position: u64,
        size: u64,
        timestamp: i64,
    ) -> Result<Option<TimedOffset>, ScanError> {
        let start = self.start().0;
        let mut scanner = Scanner::new(file, position, size, Wait::Yes);
        while let Some(scanned) = scanner.next_header()? {
            if scanned.header.max_timestamp < timestamp {
                continue;
            }
            let bytes = Bytes::copy_from_slice(scanner.whole(&scanned)?);
            let batch = Batch::parse(bytes).map_err(|_| ScanError::Invalid("are no batch"))?;
            if let Some(found) = first_in_batch(&batch, timestamp, start)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

/// The first record of a batch at or above `start` with at least `timestamp`.
fn first_in_batch(batch: &Batch, timestamp: i64, start: i64) -> Result<Option<TimedOffset>, ScanError> {
    let unreadable = |_| ScanError::Invalid("hold records that cannot be read");
    for record in batch.records().map_err(unreadable)? {
        let record = record.map_err(unreadable)?;
        let offset = batch.header.base_offset.saturating_add(i64::from(record.offset_delta));
        let time = batch.header.record_timestamp(record.timestamp_delta);
        if offset >= start && time >= timestamp {
            let epoch = LeaderEpoch(batch.header.partition_leader_epoch);
            return Ok(Some(TimedOffset { offset: Offset(offset), timestamp: time, epoch }));
        }
    }
    Ok(None)
}
