//! What goes: segments by age and size (Kafka's rules), records below a raised log start (`DeleteRecords`), the whole
//! partition. Files are renamed first and removed later, so that readers in the middle of them finish.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::config::LogConfig;
use super::directory::{Checkpoint, rename_and_remove_later};
use super::error::{LogError, ReadError};
use super::failures::is_full;
use super::names::{DELETED_SUFFIX, FileKind, SWAP_SUFFIX};
use super::reader::{LogReader, Segments};
use super::segment::Segment;
use super::writer::Log;
use crate::types::{Now, Offset};

impl Log {
    /// `DeleteRecords`: raises the log start offset, and trims the leader epochs; segments below it go with the next
    /// retention, as in Kafka. A start at or below the present one changes nothing; one above the log end is refused
    /// (the caller refuses one above the high watermark).
    pub fn advance_start(&mut self, to: Offset) -> Result<(), LogError> {
        let start = self.start();
        if to.0 > self.end {
            return Err(LogError::OffsetOutOfRange { asked: to, start, end: Offset(self.end) });
        }
        self.raise_start(to.0)
    }

    /// Raises the log start above the segments that `retention.bytes` and `retention.ms` allow to go, oldest first, none
    /// that reaches above the high watermark. When all are expired, a new one is started first. Returns whether there is
    /// something for [`Self::drop_below_start`]. Forgets producers that were idle too long as well, whatever the topic's
    /// cleanup policy, which the segments below a raised log start do not wait for, either.
    pub fn expire(&mut self, high_watermark: Offset, now: Now) -> Result<bool, LogError> {
        self.expire_producers(now);
        if !self.lets_go() {
            return Ok(false);
        }
        let count = if self.config.cleanup_policy.delete {
            self.oversized(high_watermark).max(self.expired(high_watermark, now)?)
        } else {
            0
        };
        if count > 0 {
            if count >= self.reader.segments.load().len() {
                self.roll(now)?;
            }
            let start = self.reader.segments.load().get(count).map_or(self.end, |first| first.base);
            self.raise_start(start)?;
        }
        Ok(self.below_start() > 0)
    }

    /// Removes the segments that no reader may see, those below the log start, and the producer snapshots there. Returns
    /// how many went. After a loss of power some may be back, in any order: the log start has to be in its checkpoint
    /// before, and until the directory is synced.
    pub fn drop_below_start(&mut self, now: Now) -> usize {
        if !self.lets_go() {
            return 0;
        }
        let segments = self.reader.segments.load_full();
        self.drop_segments(&segments, self.below_start(), now)
    }

    fn lets_go(&self) -> bool {
        !self.closed && !self.reader.is_poisoned()
    }

    /// How many segments lie below the log start.
    fn below_start(&self) -> usize {
        let start = self.start().0;
        let is_below = |pair: &&[Arc<Segment>]| pair.last().is_some_and(|next| next.base <= start);
        self.reader.segments.load().windows(2).take_while(is_below).count()
    }

    /// The wall-clock time from which on `expire` may find something, as long as nothing is appended and the
    /// settings stay.
    pub fn retention_due_ms(&self) -> i64 {
        if !self.config.cleanup_policy.delete || self.config.retention_ms < 0 {
            return i64::MAX;
        }
        let segments = self.reader.segments.load();
        // An empty log has nothing to delete, however old its file is.
        let Some(oldest) = segments.first().filter(|oldest| segments.len() > 1 || oldest.size() > 0) else {
            return i64::MAX;
        };
        match self.reader.timestamp_or_modified(oldest) {
            Ok(timestamp) => timestamp.saturating_add(self.config.retention_ms),
            Err(_) => 0,
        }
    }

    /// Lets go of the files of a log whose disk failed, as they are.
    pub fn abandon(&self) {
        self.reader.deleted.store(true, Ordering::Release);
        self.reader.take_no_appends();
        self.reader.forget_files();
    }

    /// Takes the log away: its directory is renamed at once and removed after `file.delete.delay.ms`.
    pub fn delete(mut self, now: Now) -> Result<(), LogError> {
        self.delete_in_place(now)
    }

    /// As `delete`, for a log that stays where it is; it takes no append any more.
    pub fn delete_in_place(&mut self, now: Now) -> Result<(), LogError> {
        self.closed = true;
        let reader = &self.reader;
        reader.deleted.store(true, Ordering::Release);
        let delay_ms = self.config.file_delete_delay_ms;
        rename_and_remove_later(&reader.context, &reader.dir, &reader.partition, delay_ms, now)?;
        reader.forget_files();
        Ok(())
    }

    /// How many of the oldest segments go because the log is larger than `retention.bytes` without them.
    fn oversized(&self, high_watermark: Offset) -> usize {
        let Ok(allowed) = u64::try_from(self.config.retention_bytes) else { return 0 };
        let mut surplus = self.size_bytes().saturating_sub(allowed);
        self.leading(high_watermark, |segment| {
            let size = segment.size();
            let goes = surplus >= size && surplus > 0;
            surplus = surplus.saturating_sub(size);
            Ok::<_, LogError>(goes)
        })
        .unwrap_or(0)
    }

    /// How many of the oldest segments go because their largest timestamp is older than `retention.ms`.
    fn expired(&self, high_watermark: Offset, now: Now) -> Result<usize, LogError> {
        if self.config.retention_ms < 0 {
            return Ok(0);
        }
        self.leading(high_watermark, |segment| {
            let age_ms = now.wall_ms.saturating_sub(self.reader.timestamp_or_modified(segment)?);
            Ok(age_ms > self.config.retention_ms)
        })
    }

    /// The number of oldest segments in a row for which `goes` holds and that end at or below the high watermark. The
    /// active segment counts only when it has records.
    fn leading<E>(
        &self,
        high_watermark: Offset,
        mut goes: impl FnMut(&Segment) -> Result<bool, E>,
    ) -> Result<usize, E> {
        let segments = self.reader.segments.load();
        let ends = segments.iter().skip(1).map(|next| next.base).chain([self.end]);
        let mut count = 0_usize;
        for (segment, end) in segments.iter().zip(ends) {
            let is_empty_active = count.saturating_add(1) == segments.len() && segment.size() == 0;
            if is_empty_active || end > high_watermark.0 || !goes(segment)? {
                break;
            }
            count = count.saturating_add(1);
        }
        Ok(count)
    }

    /// Publishes the log start first: a reader below it is told so, not that a file is missing.
    fn raise_start(&mut self, start: i64) -> Result<(), LogError> {
        let before = self.reader.start.fetch_max(start, Ordering::AcqRel);
        if before >= start {
            return Ok(());
        }
        self.reader.context.note_change(Checkpoint::LogStart);
        let mut epochs = (**self.reader.epochs.load()).clone();
        if epochs.truncate_from_start(start) {
            self.reader.epochs.store(Arc::new(epochs));
            self.epochs_dirty = true;
            if self.has_metadata {
                self.write_epochs()?;
            }
        }
        Ok(())
    }

    fn drop_segments(&mut self, segments: &Segments, count: usize, now: Now) -> usize {
        let (Some(gone), Some(kept)) = (segments.get(..count), segments.get(count..)) else { return 0 };
        if gone.is_empty() || kept.is_empty() {
            return 0;
        }
        self.reader.segments.store(Arc::new(kept.to_vec()));
        for (place, segment) in gone.iter().enumerate() {
            let removed = self.reader.remove_segment(segment, &self.config, now);
            let Err(error) = removed else { continue };
            // What is behind it stays as well: to a recovery a gap says that records were lost there.
            tracing::warn!(partition = %self.reader.partition, %error, "cannot remove a segment");
            self.reader.context.note_log_failure(&error);
            self.reader.segments.store(Arc::new(segments.get(place..).unwrap_or_default().to_vec()));
            return place;
        }
        let first = kept.first().map_or(0, |segment| segment.base);
        self.drop_snapshots_below(first, now);
        tracing::info!(partition = %self.reader.partition, segments = gone.len(), start = first, "removed segments");
        count
    }

    fn drop_snapshots_below(&mut self, first: i64, now: Now) {
        let kept = self.snapshots.split_off(self.snapshots.partition_point(|&offset| offset < first));
        for offset in std::mem::replace(&mut self.snapshots, kept) {
            self.reader.remove_snapshot(offset, &self.config, now);
        }
    }
}

/// Of a swap that was not finished, some files may have got their own names.
fn suffixes_of(segment: &Segment) -> &'static [&'static str] {
    if segment.is_swapping() { &[SWAP_SUFFIX, ""] } else { &[""] }
}

impl LogReader {
    /// A segment's largest timestamp, or its file's time when its records have none.
    pub(crate) fn timestamp_or_modified(&self, segment: &Segment) -> Result<i64, ReadError> {
        let path = self.file_path(segment.base, FileKind::Log);
        match self.segment_largest_timestamp(segment) {
            Ok(timestamp) if timestamp >= 0 => Ok(timestamp),
            _ => self
                .segment_file(segment, FileKind::Log)
                .and_then(|file| file.modified_ms())
                .map_err(ReadError::io(&path)),
        }
    }

    /// Renames the files of a segment that nobody shall find any more and removes them later, the `.log` first: where it
    /// cannot be renamed nothing has happened. An index that cannot is left for the next start.
    pub(crate) fn remove_segment(
        &self,
        segment: &Segment,
        config: &LogConfig,
        now: Now,
    ) -> Result<(), LogError> {
        match self.try_remove_segment(segment, config, now) {
            Err(error) if !self.has_log(segment) => {
                tracing::warn!(partition = %self.partition, %error, "cannot remove an index");
                Ok(())
            }
            other => other,
        }
    }

    /// Whether the `.log` of a segment stands under one of its names; true when that cannot be found out.
    fn has_log(&self, segment: &Segment) -> bool {
        let mut paths = suffixes_of(segment).iter();
        paths.any(|suffix| self.context.exists(&self.suffixed_path(segment.base, FileKind::Log, suffix)))
    }

    /// As `remove_segment`; tries the indexes as well and fails with the first that cannot be renamed.
    pub(crate) fn try_remove_segment(
        &self,
        segment: &Segment,
        config: &LogConfig,
        now: Now,
    ) -> Result<(), LogError> {
        let mut result = Ok(());
        for kind in FileKind::OF_SEGMENT {
            for suffix in suffixes_of(segment) {
                let path = self.suffixed_path(segment.base, kind, suffix);
                result = result.and(self.remove_later(&path, segment.base, kind, config, now));
            }
            if kind == FileKind::Log && result.is_err() {
                return result;
            }
        }
        self.forget_segment(segment);
        result
    }

    /// As `remove_segment`, for one that compaction has not written anew since the log was opened.
    pub(crate) fn remove_segment_files(
        &self,
        base: i64,
        config: &LogConfig,
        now: Now,
    ) -> Result<(), LogError> {
        self.remove_later(&self.file_path(base, FileKind::Log), base, FileKind::Log, config, now)?;
        for kind in FileKind::OF_SEGMENT {
            if kind != FileKind::Log {
                self.remove_or_warn(base, kind, config, now);
            }
            self.context.handles.forget(self.handle_key(base, kind));
        }
        Ok(())
    }

    /// Removes a producer snapshot later.
    pub(crate) fn remove_snapshot(&self, offset: i64, config: &LogConfig, now: Now) {
        self.remove_or_warn(offset, FileKind::Snapshot, config, now);
    }

    fn remove_or_warn(&self, base: i64, kind: FileKind, config: &LogConfig, now: Now) {
        if let Err(error) = self.remove_later(&self.file_path(base, kind), base, kind, config, now) {
            tracing::warn!(partition = %self.partition, %error, "cannot remove a file");
        }
    }

    fn remove_later(
        &self,
        path: &Path,
        base: i64,
        kind: FileKind,
        config: &LogConfig,
        now: Now,
    ) -> Result<(), LogError> {
        let renamed = self.suffixed_path(base, kind, DELETED_SUFFIX);
        match self.context.storage.rename(path, &renamed) {
            Ok(()) => self.context.remove_file_later(&renamed, config.file_delete_delay_ms, now),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // Without room for another name there is none to wait under, and room is what is wanted.
            Err(error) if is_full(&error) => {
                self.context.storage.remove_file(path).map_err(LogError::io(path))?;
            }
            Err(error) => return Err(LogError::io(path)(error)),
        }
        Ok(())
    }
}
