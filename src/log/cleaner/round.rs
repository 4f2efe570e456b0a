//! One round of compaction over one log, from its plan to the last swap. It waits for the disk and, as its pace says,
//! for time; the log's lock is taken for the swaps alone.

use std::sync::Arc;

use bytes::Bytes;

use super::filter::{Rules, last_records};
use super::group::{Sizes, group};
use super::offset_map::OffsetMap;
use super::plan::CleaningPlan;
use super::transactions::CleanedTransactions;
use crate::log::append::producer_batch;
use crate::log::config::LogConfig;
use crate::log::error::{LogError, ReadError};
use crate::log::listing::remove_outputs;
use crate::log::names::{CLEANED_SUFFIX, FileKind};
use crate::log::producers::Marker;
use crate::log::reader::LogReader;
use crate::log::scan::{Scanner, Wait};
use crate::log::segment::Segment;
use crate::log::writer::Log;
use crate::types::{Now, Offset};
use crate::wire::batch::{Batch, BatchError};
use crate::wire::compress::CompressError;

/// How much memory a round may take (`log.cleaner.*`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CleanerOptions {
    /// Bytes of the map of keys (`log.cleaner.dedupe.buffer.size`); a round cleans as far as they reach.
    pub map_bytes: u64,
    /// How full the map may get, from 0 to 1 (`log.cleaner.io.buffer.load.factor`).
    pub load_factor: f64,
    /// Bytes read or written at a time, unless a batch is larger.
    pub io_bytes: usize,
}

/// Who says how fast a round may go, and whether it may go on.
pub trait Pace {
    /// Called after so many bytes were read or written; may wait. False ends the round.
    fn spent(&self, bytes: u64) -> bool;
}

/// The log behind its lock.
pub trait LockedLog {
    /// Runs `work` on the log while nobody else does; false when the log is no longer there, and `work` was not run.
    fn with(&self, work: &mut dyn FnMut(&mut Log)) -> bool;
}

/// What a round did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cleaned {
    /// Below it the log is clean: where the next round begins.
    pub upto: Offset,
    /// Bytes of the segments that were copied.
    pub bytes_before: u64,
    /// Bytes of what took their place.
    pub bytes_after: u64,
}

/// Why a round ended early. What it had swapped in stays; the rest of the log is as it was.
#[derive(Debug, thiserror::Error)]
pub enum CleaningError {
    /// The log was deleted or closed, segments went, or the pace said so.
    #[error("stopped")]
    Stopped,
    /// The disk, or bytes on it, were not as they should be.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// As `CleaningError`, before a place is known for what is wrong with a batch.
#[derive(Debug)]
pub(super) enum Stop {
    Stopped,
    Log(LogError),
    Batch(BatchError),
}

impl From<LogError> for Stop {
    fn from(error: LogError) -> Self {
        Self::Log(error)
    }
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Self {
        Self::Log(error.into())
    }
}

impl From<BatchError> for Stop {
    fn from(error: BatchError) -> Self {
        Self::Batch(error)
    }
}

impl From<CompressError> for Stop {
    fn from(error: CompressError) -> Self {
        Self::Batch(error.into())
    }
}

/// What the passes of a round share.
pub(super) struct Round<'a> {
    pub(super) reader: &'a LogReader,
    pub(super) config: &'a LogConfig,
    pub(super) plan: &'a CleaningPlan,
    pub(super) options: &'a CleanerOptions,
    pace: &'a dyn Pace,
}

/// Cleans a log as planned. A round that ends early loses nothing; the next one does its work again.
pub fn clean(
    log: &dyn LockedLog,
    reader: &LogReader,
    config: &LogConfig,
    plan: &CleaningPlan,
    options: &CleanerOptions,
    pace: &dyn Pace,
    now: Now,
) -> Result<Cleaned, CleaningError> {
    let round = Round { reader, config, plan, options, pace };
    match round.run(log, now) {
        Ok(cleaned) => Ok(cleaned),
        Err(Stop::Stopped) => Err(CleaningError::Stopped),
        Err(Stop::Log(LogError::Io { error, .. })) if error.kind() == std::io::ErrorKind::NotFound => {
            // Retention took a segment, or the topic was deleted.
            Err(CleaningError::Stopped)
        }
        Err(Stop::Log(error)) => Err(error.into()),
        Err(Stop::Batch(error)) => Err(LogError::corrupt(&reader.dir, error.to_string()).into()),
    }
}

impl Round<'_> {
    fn run(&self, log: &dyn LockedLog, now: Now) -> Result<Cleaned, Stop> {
        let (first_dirty, round_end) = (self.plan.first_dirty.0, self.plan.round_end.0);
        remove_outputs(&*self.reader.context.storage, &self.reader.dir)
            .map_err(LogError::io(&self.reader.dir))?;
        let segments = self.reader.segments.load_full();
        let upto = segments.partition_point(|segment| segment.base < round_end);
        let keys = u64::try_from(round_end.saturating_sub(first_dirty)).unwrap_or(0);
        let mut map = OffsetMap::new(self.options.map_bytes, self.options.load_factor, keys);
        self.fill_map(segments.get(..upto).unwrap_or_default(), &mut map)?;
        let end = map.latest().saturating_add(1);
        let touched = segments.partition_point(|segment| segment.base < end);
        let touched = segments.get(..touched.min(upto)).unwrap_or_default();
        let sizes =
            touched.iter().map(|segment| self.sizes(segment)).collect::<Result<Vec<Sizes>, Stop>>()?;
        let positive = |value: i32| u64::try_from(value).unwrap_or(0);
        let (segment_max, index_max) =
            (positive(self.config.segment_bytes), positive(self.config.segment_index_bytes));
        let mut transactions = CleanedTransactions::default();
        let mut cleaned = Cleaned { upto: Offset(end), bytes_before: 0, bytes_after: 0 };
        for range in group(&sizes, segment_max, index_max, round_end) {
            let behind = segments.get(range.end).map_or(round_end, |next| next.base);
            let group = touched.get(range).unwrap_or_default();
            let bytes = self.clean_group(log, group, behind, &map, &mut transactions, now)?;
            let before = group.iter().map(|segment| segment.size()).fold(0, u64::saturating_add);
            cleaned.bytes_before = cleaned.bytes_before.saturating_add(before);
            cleaned.bytes_after = cleaned.bytes_after.saturating_add(bytes);
        }
        Ok(cleaned)
    }

    /// Copies a group and swaps the copy in; returns its bytes.
    fn clean_group(
        &self,
        log: &dyn LockedLog,
        group: &[Arc<Segment>],
        end: i64,
        map: &OffsetMap,
        transactions: &mut CleanedTransactions,
        now: Now,
    ) -> Result<u64, Stop> {
        let Some(base) = group.first().map(|first| first.base) else { return Ok(0) };
        // A producer that appends from now on leaves more than it needs, never less.
        let (mut last, mut finished) = (None, Ok(()));
        let is_there = log.with(&mut |log| {
            finished = log.finish_swap(now);
            last = Some(last_records(log.producers()));
        });
        if !is_there {
            return Err(Stop::Stopped);
        }
        finished?;
        let last = last.unwrap_or_default();
        let rules = Rules {
            map,
            last_records: &last,
            now_ms: now.wall_ms,
            delete_retention_ms: self.config.delete_retention_ms,
            end,
        };
        let swapped = self.copy_group(group, end, &rules, transactions).and_then(|segment| {
            let bytes = segment.size();
            let (mut segment, mut swapped) = (Some(segment), Ok(false));
            let is_there = log.with(&mut |log| {
                if let Some(segment) = segment.take() {
                    swapped = log.swap_in(group, segment, now);
                }
            });
            if is_there && swapped? { Ok(bytes) } else { Err(Stop::Stopped) }
        });
        if swapped.is_err() {
            self.reader.remove_suffixed(base, CLEANED_SUFFIX);
        } else if let Err(error) = self.reader.context.storage.sync_dir(&self.reader.dir) {
            tracing::warn!(partition = %self.reader.partition, %error, "cannot sync the directory");
        }
        swapped
    }

    fn sizes(&self, segment: &Segment) -> Result<Sizes, Stop> {
        let bytes = |kind| {
            let path = self.reader.file_path(segment.base, kind);
            let file = self.reader.segment_file(segment, kind);
            file.and_then(|file| file.len_bytes()).map_err(LogError::io(&path))
        };
        Ok(Sizes {
            base: segment.base,
            log_bytes: segment.size(),
            offset_index_bytes: bytes(FileKind::OffsetIndex)?,
            time_index_bytes: bytes(FileKind::TimeIndex)?,
        })
    }

    /// Tells the pace of bytes that were read or written.
    pub(super) fn spend(&self, bytes: u64) -> Result<(), Stop> {
        if self.pace.spent(bytes) { Ok(()) } else { Err(Stop::Stopped) }
    }

    /// The position of the last indexed batch that ends at or below `offset`, or the segment's begin.
    pub(super) fn position_of(&self, segment: &Segment, offset: i64) -> Result<u64, Stop> {
        Ok(self.reader.floor_position(segment, offset, Wait::Yes)?.unwrap_or(0))
    }

    /// Hands every batch of a segment from `position` on to `take`, until it returns false. A batch that fails its
    /// checksum is an error: written anew it would get a right one.
    pub(super) fn each_batch(
        &self,
        segment: &Segment,
        position: u64,
        take: &mut dyn FnMut(&Batch) -> Result<bool, Stop>,
    ) -> Result<(), Stop> {
        let path = self.reader.file_path(segment.base, FileKind::Log);
        let file = self.reader.segment_file(segment, FileKind::Log).map_err(LogError::io(&path))?;
        let scanner = Scanner::new(&*file, position, segment.size(), Wait::Yes);
        let mut scanner = scanner.with_chunk(self.options.io_bytes);
        let corrupt = |position: u64, reason: &dyn std::fmt::Display| {
            Stop::Log(LogError::corrupt(&path, format!("the batch at {position}: {reason}")))
        };
        loop {
            let at = scanner.position();
            let wrong = |error| Stop::from(self.reader.scan_error(segment.base, at, error));
            let Some(scanned) = scanner.next_header().map_err(wrong)? else { return Ok(()) };
            let bytes = scanner.whole(&scanned).map_err(wrong)?;
            let batch = Batch { header: scanned.header, bytes: Bytes::copy_from_slice(bytes) };
            if !batch.crc_is_valid() {
                return Err(corrupt(at, &"it fails its checksum"));
            }
            let size = batch.bytes.len() as u64;
            let goes_on = take(&batch).map_err(|stop| match stop {
                Stop::Batch(error) => corrupt(at, &error),
                other => other,
            })?;
            self.spend(size)?;
            if !goes_on {
                return Ok(());
            }
        }
    }
}

/// The marker in a control batch; `None` for another control record, or one that cannot be read.
pub(super) fn marker_of(batch: &Batch) -> Option<Marker> {
    producer_batch(batch).ok().flatten().and_then(|producer| producer.marker)
}
