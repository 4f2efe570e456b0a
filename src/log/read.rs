//! Reading records: whole batches from an offset on, found through the offset index or through the memory of where the
//! last reads ended. Takes no append lock; bytes of a file that was removed meanwhile are looked for again.

use std::io;
use std::sync::{Arc, PoisonError};

use super::batches::Batches;
use super::deferred::Range;
use super::error::ReadError;
use super::hints::Hint;
use super::index::{OffsetEntry, entries, floor};
use super::names::FileKind;
use super::reader::{LogReader, Segments};
use super::scan::{ScanError, Scanned, Scanner, Wait, read};
use super::segment::{Segment, floor_index};
use super::storage::StoredFile;
use super::txn_index::{self, AbortedTxn};
use crate::types::Offset;
use crate::wire::slices::{Slice, Slices};

/// Bytes read at a time while looking for the batch that holds an offset.
pub(super) const SEARCH_BYTES: usize = 8 * 1024;
/// Bytes that a transaction index may have: 4 million aborted transactions in one segment.
const TXN_INDEX_BYTES_MAX: u64 = 128 * 1024 * 1024;

/// Records that were read.
#[derive(Clone, Debug, Default)]
pub struct ReadResult {
    /// Whole batches back to back; may be empty. The first one may begin before the offset asked for.
    pub records: Slices,
    /// The offset behind the last batch; the offset asked for when there is none.
    pub next: Offset,
}

/// What a reader asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) from: i64,
    /// Exclusive.
    pub(super) upper: i64,
    pub(super) max_bytes: usize,
    pub(super) min_one: bool,
    pub(super) wait: Wait,
    /// Many bytes are read when they are sent.
    pub(super) defers: bool,
}

impl LogReader {
    /// Reads whole batches from the one that holds `from` on, all of them below `upper` (exclusive: high watermark or
    /// last stable offset), at most `max_bytes` in all; with `min_one` the first batch is returned even when it is
    /// larger (KIP-74). Waits for the disk. Fails when `from` is below the log start or above the log end.
    pub fn read(
        &self,
        from: Offset,
        upper: Offset,
        max_bytes: usize,
        min_one: bool,
    ) -> Result<ReadResult, ReadError> {
        let asked =
            Asked { from: from.0, upper: upper.0, max_bytes, min_one, wait: Wait::Yes, defers: false };
        self.retry_vanished(|| self.read_once(asked))
    }

    /// As `read`, for an answer: of many bytes it says only where they are, and they are read when they are sent. Where
    /// it may not block, it fails with `WouldBlock` instead of waiting for the disk, and may return fewer batches.
    pub fn fetch(
        &self,
        from: Offset,
        upper: Offset,
        max_bytes: usize,
        min_one: bool,
        may_block: bool,
    ) -> Result<ReadResult, ReadError> {
        let wait = if may_block { Wait::Yes } else { Wait::No };
        let asked = Asked { from: from.0, upper: upper.0, max_bytes, min_one, wait, defers: true };
        self.retry_vanished(|| self.read_once(asked))
    }

    pub(super) fn read_once(&self, asked: Asked) -> Result<ReadResult, ReadError> {
        let Asked { from, max_bytes, min_one, .. } = asked;
        let (start, end) = (self.start(), self.end());
        if from < start.0 || from > end.0 {
            return Err(ReadError::OffsetOutOfRange { asked: Offset(from), start, end });
        }
        let nothing = ReadResult { records: Slices::default(), next: Offset(from) };
        let upper = asked.upper.min(end.0);
        let asked = Asked { upper, ..asked };
        if from >= upper || (max_bytes == 0 && !min_one) {
            return Ok(nothing);
        }
        let segments = self.segments.load();
        if segments.first().is_some_and(|first| from < first.base) {
            // They went since the start was looked at: the reader must not go on behind them unnoticed.
            let start = self.start();
            return Err(ReadError::OffsetOutOfRange { asked: Offset(from), start, end });
        }
        for segment in segments.iter().skip(floor_index(&segments, from)).take_while(|s| s.base < upper) {
            if let Some(found) = self.read_segment(segment, asked)? {
                return Ok(found);
            }
        }
        Ok(nothing)
    }

    /// Reads from one segment; `None` when all its records are below `from`.
    fn read_segment(&self, segment: &Segment, asked: Asked) -> Result<Option<ReadResult>, ReadError> {
        let Asked { from, upper, max_bytes, min_one, wait, defers } = asked;
        let size = segment.size();
        if size == 0 {
            return Ok(None);
        }
        let path = || self.file_path(segment.base, FileKind::Log);
        let file =
            self.segment_file(segment, FileKind::Log).map_err(|error| ReadError::io(&path())(error))?;
        let Some(position) = self.place(segment, &*file, from, size, wait)? else { return Ok(None) };
        if defers {
            let range = Range { file: &file, position, size, from, upper, max_bytes, wait };
            if let Some(found) = self.defer(segment, &range)? {
                let records = Slices::from(Slice::Stored(found.records));
                self.note_place(segment, position, &records, found.next);
                return Ok(Some(ReadResult { records, next: Offset(found.next) }));
            }
        }
        let buffers = &self.context.buffers;
        let batches = Batches { file: &*file, buffers, wait, from, upper, max_bytes, min_one };
        let taken =
            batches.take(position, size).map_err(|error| self.scan_error(segment.base, position, error))?;
        if let Some(next) = taken.next {
            self.note_place(segment, position, &taken.records, next);
        }
        Ok(Some(ReadResult { records: taken.records, next: Offset(taken.next.unwrap_or(from)) }))
    }

    /// Remembers where the batches end that were found at `position`, for whoever goes on from there.
    fn note_place(&self, segment: &Segment, position: u64, records: &Slices, next: i64) {
        let position = position.saturating_add(records.len() as u64);
        let hint = Hint { offset: next, base: segment.base, generation: segment.generation, position };
        self.hints.lock().unwrap_or_else(PoisonError::into_inner).note(hint);
    }

    pub(crate) fn scan_error(&self, base: i64, position: u64, error: ScanError) -> ReadError {
        let path = self.file_path(base, FileKind::Log);
        match error {
            ScanError::Io(source) => ReadError::io(&path)(source),
            ScanError::Invalid(_) => ReadError::Corrupt { path, position },
        }
    }

    /// The position of the batch that holds `from`, or of the first behind it; `None` when there is none.
    fn place(
        &self,
        segment: &Segment,
        file: &dyn StoredFile,
        from: i64,
        size: u64,
        wait: Wait,
    ) -> Result<Option<u64>, ReadError> {
        if from <= segment.base {
            return Ok(Some(0));
        }
        let hint = self.hints.lock().unwrap_or_else(PoisonError::into_inner).find(segment, from);
        if let Some(position) = hint {
            return Ok((position < size).then_some(position));
        }
        Ok(self.find(segment, file, from, size, wait)?.map(|scanned| scanned.position))
    }

    /// The first batch of a segment whose last offset is at or above `offset`.
    pub(crate) fn find(
        &self,
        segment: &Segment,
        file: &dyn StoredFile,
        offset: i64,
        size: u64,
        wait: Wait,
    ) -> Result<Option<Scanned>, ReadError> {
        let hinted =
            self.floor_position(segment, offset, wait)?.filter(|&position| position < size).unwrap_or(0);
        match find_from(file, hinted, offset, size, wait) {
            // A wrong index costs a longer search, never a wrong answer.
            Ok(Found { trusted: false, .. }) | Err(ScanError::Invalid(_)) if hinted > 0 => {
                find_from(file, 0, offset, size, wait)
            }
            other => other,
        }
        .map(|found| found.batch)
        .map_err(|error| self.scan_error(segment.base, hinted, error))
    }

    /// The position of the last indexed batch that ends at or below `offset`.
    pub(crate) fn floor_position(
        &self,
        segment: &Segment,
        offset: i64,
        wait: Wait,
    ) -> Result<Option<u64>, ReadError> {
        let relative = i32::try_from(offset.saturating_sub(segment.base)).unwrap_or(i32::MAX);
        let entry = self.floor_entry(segment, wait, |entry| entry.relative <= relative)?;
        Ok(entry.map(|entry| u64::from(entry.position)))
    }

    /// The last entry of the offset index for which `at_most` holds, which holds for a beginning of them.
    pub(super) fn floor_entry(
        &self,
        segment: &Segment,
        wait: Wait,
        at_most: impl Fn(&OffsetEntry) -> bool + Copy,
    ) -> Result<Option<OffsetEntry>, ReadError> {
        let known = match segment.indexes().offsets.floor_in_memory(at_most) {
            Ok(entry) => return Ok(Some(entry)),
            Err(known) => known,
        };
        if known == Some(0) {
            return Ok(None);
        }
        let path = || self.file_path(segment.base, FileKind::OffsetIndex);
        let look = || -> io::Result<Option<OffsetEntry>> {
            let file = self.segment_file(segment, FileKind::OffsetIndex)?;
            let count = entries::<OffsetEntry>(&*file, known)?;
            segment.indexes().offsets.learn(count);
            floor(&*file, count, wait, at_most)
        };
        look().map_err(|error| ReadError::io(&path())(error))
    }

    /// The aborted transactions that overlap `from..upper` (`upper` exclusive), for a `read_committed` fetch.
    pub fn aborted_transactions(&self, from: Offset, upper: Offset) -> Result<Vec<AbortedTxn>, ReadError> {
        self.retry_vanished(|| self.aborted_once(from.0, upper.0))
    }

    fn aborted_once(&self, from: i64, upper: i64) -> Result<Vec<AbortedTxn>, ReadError> {
        let segments: Arc<Segments> = self.segments.load_full();
        let mut aborted = Vec::new();
        for segment in segments.iter().skip(floor_index(&segments, from)).filter(|s| s.has_txn_index()) {
            let entries = self.txn_entries(segment)?;
            aborted.extend(entries.iter().copied().filter(|entry| entry.overlaps(from, upper)));
            // Whatever was aborted later began at or above this last stable offset.
            if entries.iter().any(|entry| entry.last_stable_offset >= upper) {
                break;
            }
        }
        Ok(aborted)
    }

    /// Runs `attempt` again when a file was not there and the list of segments is another one than before it: the file's
    /// segment was removed, or compacted. Each attempt costs whoever changes the list more than a reader, so it ends.
    pub(crate) fn retry_vanished<T>(
        &self,
        attempt: impl Fn() -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        loop {
            let before = self.segments.load();
            match attempt() {
                Err(ReadError::Io { error, .. })
                    if error.kind() == io::ErrorKind::NotFound
                        && !Arc::ptr_eq(&before, &self.segments.load()) => {}
                other => return other,
            }
        }
    }

    /// All entries of a segment's transaction index.
    pub(crate) fn txn_entries(&self, segment: &Segment) -> Result<Vec<AbortedTxn>, ReadError> {
        let path = self.file_path(segment.base, FileKind::TxnIndex);
        let file = self.segment_file(segment, FileKind::TxnIndex).map_err(ReadError::io(&path))?;
        let len = file.len_bytes().map_err(ReadError::io(&path))?.min(TXN_INDEX_BYTES_MAX);
        let mut bytes = vec![0; usize::try_from(len).unwrap_or_default()];
        let count = read(&*file, &mut bytes, 0, Wait::Yes).map_err(ReadError::io(&path))?;
        bytes.truncate(count);
        txn_index::parse(&bytes, segment.base).ok_or(ReadError::Corrupt { path, position: 0 })
    }
}

struct Found {
    batch: Option<Scanned>,
    /// Whether the search began at or before what it looked for.
    trusted: bool,
}

fn find_from(
    file: &dyn StoredFile,
    position: u64,
    offset: i64,
    size: u64,
    wait: Wait,
) -> Result<Found, ScanError> {
    let mut scanner = Scanner::new(file, position, size, wait).with_chunk(SEARCH_BYTES);
    let mut trusted = position == 0;
    while let Some(scanned) = scanner.next_header()? {
        trusted |= scanned.header.base_offset <= offset;
        if scanned.header.last_offset() >= offset {
            return Ok(Found { batch: Some(scanned), trusted });
        }
    }
    Ok(Found { batch: None, trusted })
}
