//! Making segments: the first one with its directory, and a new one when the active one is full, old enough or cannot
//! hold the next offset (Kafka's rules). The closed one is synced off the append path.

use std::io;
use std::sync::Arc;

use super::error::LogError;
use super::index::{OFFSET_ENTRY_BYTES, TIME_ENTRY_BYTES};
use super::names::FileKind;
use super::partition_metadata;
use super::reader::Segments;
use super::scan::{Scanner, Wait};
use super::segment::Segment;
use super::storage::{Access, replace_file};
use super::writer::{Active, Log};
use crate::types::Now;
use crate::wire::batch::BatchHeader;

impl Log {
    /// Makes the active segment one that can take the batch: makes the directory, removes what lies behind the applied
    /// end, rolls.
    pub(crate) fn make_ready(&mut self, header: &BatchHeader, last: i64, now: Now) -> Result<(), LogError> {
        if !self.has_metadata {
            self.make_directory()?;
        }
        if self.beyond.is_some() {
            self.drop_beyond(now)?;
        }
        if self.active.is_none() {
            return self.start_segment(now);
        }
        if self.should_roll(header, last, now)? { self.roll(now) } else { Ok(()) }
    }

    /// The directory and `partition.metadata`, which stand before the first append.
    fn make_directory(&mut self) -> Result<(), LogError> {
        let storage = &*self.reader.context.storage;
        let dir = &self.reader.dir;
        storage.create_dir(dir).map_err(LogError::io(dir))?;
        let path = dir.join(partition_metadata::FILE_NAME);
        let text = partition_metadata::format(self.topic_id);
        replace_file(storage, &path, text.as_bytes(), self.config.sync_before_ack())
            .map_err(LogError::io(&path))?;
        self.reader.entries.note();
        self.reader.own_entry.note();
        self.has_metadata = true;
        Ok(())
    }

    fn should_roll(&mut self, header: &BatchHeader, last: i64, now: Now) -> Result<bool, LogError> {
        let first_timestamp = self.first_timestamp()?;
        let Some(active) = &self.active else { return Ok(false) };
        if active.size == 0 {
            return Ok(i32::try_from(last.saturating_sub(active.segment.base)).is_err());
        }
        let config = &self.config;
        let size_max = u64::try_from(config.segment_bytes).unwrap_or(0);
        if active.size.saturating_add(header.size_bytes() as u64) > size_max {
            return Ok(true);
        }
        let waited = match first_timestamp.filter(|&first| first >= 0) {
            Some(first) => header.max_timestamp.saturating_sub(first),
            None => now.wall_ms.saturating_sub(active.created_ms),
        };
        let jitter_max = config.segment_jitter_ms.min(config.segment_ms);
        let jitter = jitter_ms(self.reader.id, active.segment.base, jitter_max);
        if waited > config.segment_ms_max().saturating_sub(jitter) {
            return Ok(true);
        }
        let indexes = active.segment.indexes();
        let index_max = usize::try_from(config.segment_index_bytes).unwrap_or(0);
        let full = indexes.offsets.len() >= index_max.saturating_div(OFFSET_ENTRY_BYTES) as u64
            // The last place of the time index is kept for the entry made at the roll.
            || indexes.times.len().saturating_add(1) >= index_max.saturating_div(TIME_ENTRY_BYTES) as u64;
        Ok(full || i32::try_from(last.saturating_sub(active.segment.base)).is_err())
    }

    /// The largest timestamp of the active segment's first batch, read once.
    fn first_timestamp(&mut self) -> Result<Option<i64>, LogError> {
        let Some(active) = &mut self.active else { return Ok(None) };
        if active.first_timestamp.is_none() && active.size > 0 {
            let path = self.reader.file_path(active.segment.base, FileKind::Log);
            let file = self.reader.file(active.segment.base, FileKind::Log).map_err(LogError::io(&path))?;
            let first = Scanner::new(&*file, 0, active.size, Wait::Yes).with_chunk(0).next_header();
            active.first_timestamp =
                Some(first.ok().flatten().map_or(-1, |scanned| scanned.header.max_timestamp));
        }
        Ok(active.first_timestamp)
    }

    /// Closes the active segment and starts one at the log end. On failure the old one stays the active one.
    pub(crate) fn roll(&mut self, now: Now) -> Result<(), LogError> {
        // After a power loss the next one's name must not be there alone: its base would be taken for the log's start.
        self.reader.sync_entries()?;
        self.complete_time_index();
        self.write_indexes()?;
        // Before there is a next segment: behind zeros a recovery would take that one for lost.
        self.trim()?;
        self.write_snapshot()?;
        self.start_segment(now)?;
        self.reader.request_closed_sync();
        Ok(())
    }

    /// Makes the three files of a segment at the log end and publishes it as the active one.
    fn start_segment(&mut self, now: Now) -> Result<(), LogError> {
        let base = self.end;
        for kind in [FileKind::OffsetIndex, FileKind::TimeIndex, FileKind::Log] {
            let path = self.reader.file_path(base, kind);
            let key = self.reader.handle_key(base, kind);
            let context = &self.reader.context;
            context
                .handles
                .open(&*context.storage, key, &path, Access::Truncate)
                .map_err(LogError::io(&path))?;
        }
        self.reader.entries.note();
        let preallocated = self.config.preallocate && self.preallocate(base);
        let segment = Arc::new(Segment::empty(base));
        segment.set_largest_timestamp(-1);
        let before = self.reader.segments.load();
        let mut segments = Segments::with_capacity(before.len().saturating_add(1));
        segments.extend(before.iter().filter(|segment| segment.base < base).cloned());
        segments.push(Arc::clone(&segment));
        self.reader.segments.store(Arc::new(segments));
        self.active = Some(Active { preallocated, ..Active::new(segment, 0, now) });
        Ok(())
    }

    /// Gives a new segment's file its full length, as Kafka does with `preallocate`. Whether that could be done: it is
    /// for speed alone, so a disk that refuses is no error.
    fn preallocate(&self, base: i64) -> bool {
        let length = u64::try_from(self.config.segment_bytes).unwrap_or(0);
        let made = self.reader.file(base, FileKind::Log).and_then(|file| file.set_len(length));
        if let Err(error) = &made {
            tracing::warn!(partition = %self.reader.partition, %error, "cannot preallocate a segment");
        }
        made.is_ok()
    }

    /// Cuts what was preallocated and not used off the active segment's file.
    pub(crate) fn trim(&mut self) -> Result<(), LogError> {
        let Some(active) = self.active.as_mut().filter(|active| active.preallocated) else { return Ok(()) };
        let path = self.reader.file_path(active.segment.base, FileKind::Log);
        let file = self.reader.file(active.segment.base, FileKind::Log).map_err(LogError::io(&path))?;
        file.set_len(active.size).map_err(LogError::io(&path))?;
        active.preallocated = false;
        Ok(())
    }

    /// The entry that every closed segment's time index ends with.
    pub(crate) fn complete_time_index(&mut self) {
        if let Some(active) = &self.active {
            active.index_time();
        }
    }

    /// Writes the active segment's waiting index entries.
    pub(crate) fn write_indexes(&mut self) -> Result<(), LogError> {
        let Some(active) = &self.active else { return Ok(()) };
        let base = active.segment.base;
        let file = |kind| {
            let path = self.reader.file_path(base, kind);
            self.reader.file(base, kind).map_err(|error: io::Error| LogError::Io { path, error })
        };
        let wrong = |kind| {
            let path = self.reader.file_path(base, kind);
            move |error| LogError::Io { path, error }
        };
        let mut indexes = active.segment.indexes();
        if indexes.offsets.is_write_pending() {
            let file = file(FileKind::OffsetIndex)?;
            indexes.offsets.write(&*file).map_err(wrong(FileKind::OffsetIndex))?;
        }
        if indexes.times.is_write_pending() {
            let file = file(FileKind::TimeIndex)?;
            indexes.times.write(&*file).map_err(wrong(FileKind::TimeIndex))?;
        }
        Ok(())
    }

    /// Removes segments and bytes behind the applied end; what they held comes again.
    fn drop_beyond(&mut self, now: Now) -> Result<(), LogError> {
        for base in self.beyond.take().unwrap_or_default() {
            self.reader.remove_segment_files(base, &self.config, now)?;
        }
        if let Some(active) = &self.active {
            let path = self.reader.file_path(active.segment.base, FileKind::Log);
            let file = self.reader.file(active.segment.base, FileKind::Log).map_err(LogError::io(&path))?;
            file.set_len(active.size).map_err(LogError::io(&path))?;
        }
        Ok(())
    }
}

/// A part of `max_ms` that differs from segment to segment, so that partitions do not all roll at once.
fn jitter_ms(log: u64, base: i64, max_ms: i64) -> i64 {
    let mixed = (log ^ base.cast_unsigned()).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
    i64::try_from(mixed).unwrap_or(0).checked_rem(max_ms).unwrap_or(0).max(0)
}
