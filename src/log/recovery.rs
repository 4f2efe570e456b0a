//! Loading a log from its files: which segments have to be checked, where the log ends, what is cut off. The walk over a
//! segment is in `check`, producer state in `restore`. It changes files only where they are wrong.

use std::sync::Arc;

use super::check::{Depth, SegmentCheck};
use super::epochs::EpochCache;
use super::error::LogError;
use super::index::{Index, OffsetEntry, TimeEntry, entry_at, whole_entries};
use super::listing::ListedSegment;
use super::names::FileKind;
use super::open::{OpenSpec, Recovery};
use super::producers::ProducerState;
use super::reader::{LogReader, Segments};
use super::scan::{ScanError, Scanner, Wait};
use super::segment::{Indexes, Segment};
use super::writer::Active;
use crate::types::{Now, Offset};

/// A log as it was loaded.
pub(crate) struct Loaded {
    pub(crate) segments: Segments,
    pub(crate) active: Option<Active>,
    pub(crate) beyond: Option<Vec<i64>>,
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) epochs: EpochCache,
    pub(crate) epochs_changed: bool,
    pub(crate) producers: ProducerState,
    pub(crate) snapshots: Vec<i64>,
    pub(crate) report: Recovery,
}

/// The work of loading.
pub(crate) struct Loading<'a> {
    pub(crate) spec: &'a OpenSpec,
    pub(crate) reader: &'a LogReader,
    pub(crate) now: Now,
    /// Still to be loaded, sorted.
    listed: Vec<ListedSegment>,
    /// Loaded, sorted; the last one is the active one in the end.
    pub(crate) segments: Segments,
    active: Option<Active>,
    beyond: Option<Vec<i64>>,
    end: i64,
    pub(crate) epochs: EpochCache,
    pub(crate) epochs_changed: bool,
    pub(crate) producers: ProducerState,
    pub(crate) snapshots: Vec<i64>,
    report: Recovery,
}

impl<'a> Loading<'a> {
    pub(crate) fn new(
        spec: &'a OpenSpec,
        reader: &'a LogReader,
        listed: Vec<ListedSegment>,
        snapshots: Vec<i64>,
        epochs: EpochCache,
        now: Now,
    ) -> Self {
        Self {
            spec,
            reader,
            now,
            listed,
            segments: Vec::new(),
            active: None,
            beyond: None,
            end: spec.log_start.0,
            epochs,
            epochs_changed: false,
            producers: ProducerState::default(),
            snapshots,
            report: Recovery::default(),
        }
    }

    /// The offset at and behind which nothing is loaded.
    pub(crate) fn bound(&self) -> i64 {
        self.spec.end.map_or(i64::MAX, |end| end.0)
    }

    /// Loads everything; batches are checked from `check_from` on when it is given.
    pub(crate) fn load(mut self, check_from: Option<Offset>) -> Result<Loaded, LogError> {
        self.leave_out_beyond();
        let mut first_checked = match check_from {
            Some(offset) => self.listed.partition_point(|s| s.base <= offset.0).saturating_sub(1),
            None => self.listed.len(),
        };
        let trusted: Vec<ListedSegment> = self.listed.iter().copied().take(first_checked).collect();
        for (index, listed) in trusted.iter().enumerate() {
            let is_last = index.saturating_add(1) == self.listed.len();
            if is_last && !self.load_tail(listed)? {
                // The files contradict each other: trust none of this segment's bytes.
                first_checked = index;
            } else if !is_last {
                self.load_closed(listed)?;
            }
        }
        let checked: Vec<ListedSegment> = self.listed.iter().copied().skip(first_checked).collect();
        if let Some(first) = checked.first() {
            self.report.recovered = true;
            self.drop_snapshots_above(self.bound());
            self.restore_producers(first.base, false)?;
            self.check_segments(&checked)?;
        } else {
            self.drop_snapshots_above(self.end);
            self.restore_producers(self.end, true)?;
        }
        self.finish()
    }

    fn leave_out_beyond(&mut self) {
        let bound = self.bound();
        let kept = self.listed.partition_point(|segment| segment.base < bound);
        let beyond: Vec<i64> = self.listed.split_off(kept).iter().map(|segment| segment.base).collect();
        if !beyond.is_empty() {
            self.beyond = Some(beyond);
        }
    }

    /// A segment before the last one that needs no check.
    fn load_closed(&mut self, listed: &ListedSegment) -> Result<(), LogError> {
        if !listed.has_whole_indexes() {
            let check = self.check(listed, Depth::Headers, listed.base)?;
            self.rebuilt(listed, check)?;
            return Ok(());
        }
        let indexes = Indexes::new(Index::unknown(), Index::unknown(), -1);
        let has_txn_index = listed.txn_index_bytes.is_some();
        self.segments.push(Arc::new(Segment::new(listed.base, listed.log_bytes, indexes, has_txn_index)));
        Ok(())
    }

    /// Takes over a segment whose indexes were made anew from its headers.
    fn rebuilt(&mut self, listed: &ListedSegment, mut check: SegmentCheck) -> Result<(), LogError> {
        check.index_time(listed.base);
        let path = self.reader.file_path(listed.base, FileKind::Log);
        tracing::warn!(path = %path.display(), entries = check.offsets.len(), "made its indexes anew");
        if let Some(reason) = check.bad {
            // Nothing is cut where nothing was lost in a crash. Whoever reads there gets an error, not the next segment.
            let bytes = listed.log_bytes.saturating_sub(check.bytes);
            tracing::warn!(
                path = %path.display(), position = check.bytes, bytes,
                "records before the recovery point cannot be read: the bytes {reason}"
            );
            check.bytes = listed.log_bytes;
        }
        self.write_indexes(listed, &check)?;
        self.report.rebuilt_indexes = self.report.rebuilt_indexes.saturating_add(1);
        let segment = check.segment(listed.base, listed.txn_index_bytes.is_some());
        self.segments.push(Arc::clone(&segment));
        self.active = Some(check.active(segment, self.now));
        self.end = check.next;
        if check.hit_bound {
            self.beyond.get_or_insert_default();
        }
        Ok(())
    }

    /// The last segment after a clean stop: its end is found from the last index entries on. False when its files
    /// contradict each other.
    fn load_tail(&mut self, listed: &ListedSegment) -> Result<bool, LogError> {
        let tail =
            if listed.has_whole_indexes() && self.spec.end.is_none() { self.tail(listed)? } else { None };
        let Some(tail) = tail else {
            let check = self.check(listed, Depth::Headers, listed.base)?;
            if check.bad.is_some() {
                return Ok(false);
            }
            self.rebuilt(listed, check)?;
            return Ok(true);
        };
        let segment = Arc::new(Segment::new(
            listed.base,
            listed.log_bytes,
            Indexes::new(
                Index::with_entries(tail.offset_entries),
                Index::with_entries(tail.time_entries),
                tail.last_timestamp,
            ),
            listed.txn_index_bytes.is_some(),
        ));
        segment.set_largest_timestamp(tail.largest.map_or(-1, |(timestamp, _)| timestamp));
        let mut active = Active::new(Arc::clone(&segment), listed.log_bytes, self.now);
        active.largest = tail.largest;
        active.bytes_since_index = listed.log_bytes.saturating_sub(tail.indexed_position);
        self.active = Some(active);
        self.segments.push(segment);
        self.end = tail.next;
        Ok(true)
    }

    fn tail(&self, listed: &ListedSegment) -> Result<Option<Tail>, LogError> {
        let offset_entries = whole_entries::<OffsetEntry>(listed.offset_index_bytes.unwrap_or(0));
        let time_entries = whole_entries::<TimeEntry>(listed.time_index_bytes.unwrap_or(0));
        let offset: Option<OffsetEntry> =
            self.last_entry(listed.base, FileKind::OffsetIndex, offset_entries)?;
        let time: Option<TimeEntry> = self.last_entry(listed.base, FileKind::TimeIndex, time_entries)?;
        let mut tail = Tail {
            offset_entries,
            time_entries,
            last_timestamp: time.map_or(-1, |entry| entry.timestamp),
            largest: time.map(|e| (e.timestamp, listed.base.saturating_add(i64::from(e.relative)))),
            indexed_position: offset.map_or(0, |entry| u64::from(entry.position)),
            next: listed.base,
        };
        // Zeros in the offset index are noticed below: no batch ends at the base offset and begins at position 0.
        let zero_filled = time.is_some_and(|entry| entry.timestamp <= 0 && entry.relative == 0);
        if zero_filled || (offset.is_none() && offset_entries > 0) || (time.is_none() && time_entries > 0) {
            return Ok(None);
        }
        if listed.log_bytes == 0 {
            return Ok((offset_entries == 0).then_some(tail));
        }
        let path = self.reader.file_path(listed.base, FileKind::Log);
        let file = self.reader.file(listed.base, FileKind::Log).map_err(LogError::io(&path))?;
        let mut scanner = Scanner::new(&*file, tail.indexed_position, listed.log_bytes, Wait::Yes);
        let mut expected = offset.map(|entry| listed.base.saturating_add(i64::from(entry.relative)));
        loop {
            match scanner.next_header() {
                Ok(Some(scanned)) => {
                    let last = scanned.header.last_offset();
                    if expected.take().is_some_and(|expected| expected != last) || last < tail.next {
                        return Ok(None);
                    }
                    tail.next = last.saturating_add(1);
                    if tail.largest.is_none_or(|(timestamp, _)| scanned.header.max_timestamp > timestamp) {
                        tail.largest = Some((scanned.header.max_timestamp, last));
                    }
                }
                // An index that points behind the log is caught here.
                Ok(None) => return Ok(expected.is_none().then_some(tail)),
                Err(ScanError::Invalid(_)) => return Ok(None),
                Err(ScanError::Io(error)) => return Err(LogError::io(&path)(error)),
            }
        }
    }

    fn last_entry<E: super::index::Entry>(
        &self,
        base: i64,
        kind: FileKind,
        entries: u64,
    ) -> Result<Option<E>, LogError> {
        let Some(last) = entries.checked_sub(1) else { return Ok(None) };
        let path = self.reader.file_path(base, kind);
        let file = self.reader.file(base, kind).map_err(LogError::io(&path))?;
        entry_at(&*file, last, Wait::Yes).map_err(LogError::io(&path))
    }

    /// Checks segments batch by batch; at the first bad one the log is cut and the rest removed.
    fn check_segments(&mut self, listed: &[ListedSegment]) -> Result<(), LogError> {
        let mut expected = None;
        for (index, segment) in listed.iter().enumerate() {
            let rest = listed.get(index..).unwrap_or_default();
            if expected.is_some_and(|expected| self.is_gap(expected, segment.base)) {
                self.report_cut(rest, 0, "follow records that are missing");
                self.remove_segments(rest)?;
                return Ok(());
            }
            let mut check =
                self.check(segment, Depth::All, expected.unwrap_or(segment.base).max(segment.base))?;
            if index.saturating_add(1) < listed.len() {
                // The active segment's comes with its next index entry, or when it is closed.
                check.index_time(segment.base);
            }
            self.report.scanned_segments = self.report.scanned_segments.saturating_add(1);
            self.report.scanned_bytes = self.report.scanned_bytes.saturating_add(check.bytes);
            let after = listed.get(index.saturating_add(1)..).unwrap_or_default();
            if check.bad.is_some()
                && check.bytes == 0
                && expected.is_some_and(|expected| expected > segment.base)
            {
                self.report_cut(rest, 0, "hold records of the segment before");
                self.remove_segments(rest)?;
                return Ok(());
            }
            if let Some(reason) = check.bad {
                self.report_cut(rest, check.bytes, reason);
                // Before the cut, which shows the next start what else it has to remove.
                self.remove_segments(after)?;
                self.cut(segment, &check)?;
            }
            self.take_checked(segment, &check)?;
            expected = Some(self.end);
            if check.hit_bound {
                self.beyond.get_or_insert_default().extend(after.iter().map(|segment| segment.base));
                return Ok(());
            }
            if check.bad.is_some() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Says, once for all that is lost, that the log ends at `position` of the first of these segments.
    fn report_cut(&self, segments: &[ListedSegment], position: u64, reason: &str) {
        let Some(first) = segments.first() else { return };
        let all = segments.iter().map(|segment| segment.log_bytes).fold(0, u64::saturating_add);
        tracing::warn!(
            path = %self.reader.file_path(first.base, FileKind::Log).display(), position,
            bytes = all.saturating_sub(position), segments_behind = segments.len().saturating_sub(1),
            "cut the log: the bytes {reason}"
        );
    }

    /// Where the next segment begins.
    pub(crate) fn base_behind(&self, base: i64) -> i64 {
        let behind = self.listed.partition_point(|segment| segment.base <= base);
        self.listed.get(behind).map_or(i64::MAX, |segment| segment.base)
    }

    /// Whether records were lost before the segment at `base`. The cleaner here leaves no gap between segments; Kafka's
    /// does, but those lie where it has come to or below the recovery point, unless it was killed.
    fn is_gap(&self, expected: i64, base: i64) -> bool {
        // Nobody reads below the log start.
        let trusted = self.spec.recovery_point.max(self.spec.cleaned).max(self.spec.log_start).0;
        base > expected && base > trusted && !self.spec.may_have_gaps
    }

    /// Whether records were lost before the batch at `base` in the same segment, where any compaction leaves gaps.
    pub(crate) fn is_gap_in_segment(&self, expected: i64, base: i64) -> bool {
        !self.spec.config.cleanup_policy.compact && self.is_gap(expected, base)
    }

    fn take_checked(&mut self, listed: &ListedSegment, check: &SegmentCheck) -> Result<(), LogError> {
        self.write_indexes(listed, check)?;
        self.write_txn_index(listed, check)?;
        let segment = check.segment(listed.base, !check.aborted.is_empty());
        self.segments.push(Arc::clone(&segment));
        self.active = Some(check.active(segment, self.now));
        self.end = check.next;
        if check.hit_bound {
            self.beyond.get_or_insert_default();
        }
        Ok(())
    }

    fn cut(&mut self, listed: &ListedSegment, check: &SegmentCheck) -> Result<(), LogError> {
        let path = self.reader.file_path(listed.base, FileKind::Log);
        let file = self.reader.file(listed.base, FileKind::Log).map_err(LogError::io(&path))?;
        file.set_len(check.bytes).map_err(LogError::io(&path))?;
        let cut_bytes = listed.log_bytes.saturating_sub(check.bytes);
        self.report.cut_bytes = self.report.cut_bytes.saturating_add(cut_bytes);
        Ok(())
    }

    /// From the last one on, so that a start that dies here leaves no gap. Fails when one cannot be removed: later it
    /// would hide what was appended in its place.
    fn remove_segments(&mut self, listed: &[ListedSegment]) -> Result<(), LogError> {
        for segment in listed.iter().rev() {
            self.reader.remove_segment_files(segment.base, &self.spec.config, self.now)?;
            self.report.removed_segments = self.report.removed_segments.saturating_add(1);
            self.report.cut_bytes = self.report.cut_bytes.saturating_add(segment.log_bytes);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Loaded, LogError> {
        if self.end < self.spec.log_start.0 {
            self.restart_at_log_start()?;
        }
        let start =
            self.segments.first().map_or(self.spec.log_start.0, |s| s.base.max(self.spec.log_start.0));
        // Not worth a write: every load comes to the same.
        self.epochs.truncate_from_end(self.end);
        self.epochs.truncate_from_start(start);
        self.drop_snapshots_above(self.end);
        self.drop_stray_snapshots();
        self.producers.stabilise(self.end);
        self.refill_windows()?;
        // Most logs have one of each, and there are many logs.
        self.segments.shrink_to_fit();
        self.snapshots.shrink_to_fit();
        Ok(Loaded {
            segments: self.segments,
            active: self.active,
            beyond: self.beyond,
            start,
            end: self.end,
            epochs: self.epochs,
            epochs_changed: self.epochs_changed,
            producers: self.producers,
            snapshots: self.snapshots,
            report: self.report,
        })
    }

    /// All records are below the log start (Kafka's rule): the log begins anew there.
    fn restart_at_log_start(&mut self) -> Result<(), LogError> {
        let start = self.spec.log_start.0;
        if !self.segments.is_empty() {
            tracing::warn!(
                path = %self.spec.dir.display(), end = self.end, start,
                bytes = self.segments.iter().map(|segment| segment.size()).fold(0, u64::saturating_add),
                "removed all segments: the log ends below its start"
            );
        }
        for segment in std::mem::take(&mut self.segments) {
            self.reader.remove_segment_files(segment.base, &self.spec.config, self.now)?;
        }
        self.active = None;
        self.end = start;
        self.producers.clear();
        Ok(())
    }
}

/// The end of the last segment after a clean stop.
struct Tail {
    offset_entries: u64,
    time_entries: u64,
    last_timestamp: i64,
    largest: Option<(i64, i64)>,
    indexed_position: u64,
    next: i64,
}
