//! Bringing a log's bytes to stable storage, on the flusher's threads: one sync for all who wait (`flush.messages=1`),
//! and closed segments after a roll. A failed sync is sticky, because the bytes it was for may be gone from memory.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};

use super::directory::Checkpoint;
use super::error::LogError;
use super::flusher::Next;
use super::names::FileKind;
use super::reader::LogReader;
use super::segment::Segment;
use super::storage::{Access, StoredFile};
use crate::types::Offset;

pub(crate) const EPOCH_FILE_NAME: &str = "leader-epoch-checkpoint";

/// Is told what reached stable storage. Called on a flusher thread; must not block.
pub trait SyncListener: Send + Sync {
    /// Every record below `upto` is on stable storage.
    fn synced(&self, upto: Offset);
    /// A sync failed: no append that waits will ever be durable.
    fn failed(&self);
}

/// Whether entries of a directory are on stable storage.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    made: AtomicU64,
    durable: AtomicU64,
}

impl Entries {
    /// One was made, or may have been before this process began.
    pub(crate) fn note(&self) {
        self.made.fetch_add(1, Ordering::AcqRel);
    }

    /// Whether all are on stable storage.
    pub(crate) fn are_durable(&self) -> bool {
        self.durable.load(Ordering::Acquire) >= self.made.load(Ordering::Acquire)
    }

    /// Calls `sync` if any is not on stable storage. Nobody takes one for durable while another's sync still runs.
    fn sync(&self, sync: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let made = self.made.load(Ordering::Acquire);
        if self.durable.load(Ordering::Acquire) < made {
            sync()?;
            self.durable.fetch_max(made, Ordering::AcqRel);
        }
        Ok(())
    }
}

impl LogReader {
    /// Sets who is told of syncs; the first one stays.
    pub fn set_sync_listener(&self, listener: Arc<dyn SyncListener>) {
        let _ = self.listener.set(listener);
    }

    /// Keeps a file open until its bytes are synced, so that an error of the disk is not lost with its handle.
    pub(crate) fn pin(&self, base: i64, file: &Arc<dyn StoredFile>) {
        let mut pinned = self.pinned.lock().unwrap_or_else(PoisonError::into_inner);
        if !pinned.iter().any(|(at, _)| *at == base) {
            pinned.push((base, Arc::clone(file)));
        }
    }

    /// Asks for all that is appended so far to be synced; asks that arrive before that begins share one sync. Should a
    /// file that nobody pinned not open, it is tried again at the moment given.
    pub(crate) fn request_sync(self: &Arc<Self>, retry_mono_ms: i64) {
        if self.sync_asks.fetch_add(1, Ordering::AcqRel) > 0 {
            return;
        }
        let reader = Arc::clone(self);
        self.context.flusher.submit(move || {
            // Asks up to here are served by this run; their appends were published before.
            reader.sync_asks.swap(1, Ordering::AcqRel);
            if let Err(error) = reader.sync_written() {
                tracing::warn!(partition = %reader.partition, %error, "cannot open a file to sync it, trying again");
                reader.context.note_failure(&reader.dir, &error);
                reader.sync_by(retry_mono_ms);
            }
            // A log's syncs follow each other in one job: a second one would only keep a thread waiting.
            match reader.sync_asks.compare_exchange(1, 0, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => Next::Done,
                Err(_) => Next::Again,
            }
        });
    }

    /// Asks for the closed segments to be synced, after which recovery begins at the active one.
    pub(crate) fn request_closed_sync(self: &Arc<Self>) {
        let reader = Arc::clone(self);
        self.context.flusher.submit(move || {
            let _ = reader.sync_closed();
            Next::Done
        });
    }

    /// Fails when a file that nobody pinned cannot be opened; a failed sync poisons the log.
    fn sync_written(&self) -> io::Result<()> {
        let active = self.segments.load().last().map_or(0, |segment| segment.base);
        if self.recovery_point.load(Ordering::Acquire) < active && self.sync_closed().is_err() {
            return Ok(());
        }
        let running = self.sync_running.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_poisoned() {
            return Ok(());
        }
        // The end first: every file with bytes below it was pinned, or its segment known, before the end was published.
        let end = self.end.load(Ordering::Acquire);
        let unpinned = self.open_unsynced()?;
        let pinned = std::mem::take(&mut *self.pinned.lock().unwrap_or_else(PoisonError::into_inner));
        let mut files = pinned.iter().map(|(_, file)| file).chain(&unpinned);
        let result = files.try_for_each(|file| file.sync_data()).and_then(|()| self.sync_directory());
        if let Err(error) = result {
            self.poison(&error);
            return Ok(());
        }
        self.synced.fetch_max(end, Ordering::AcqRel);
        drop(running);
        if let Some(listener) = self.listener.get() {
            listener.synced(Offset(end));
        }
        // The append noted it before this raised it: a checkpoint may have been written in between.
        self.context.note_change(Checkpoint::HighWatermark);
        Ok(())
    }

    /// The files with bytes that are not known to be on stable storage, but for those that are pinned.
    fn open_unsynced(&self) -> io::Result<Vec<Arc<dyn StoredFile>>> {
        let segments = self.segments.load_full();
        let first = super::segment::floor_index(&segments, self.synced().0);
        let mut files = Vec::new();
        for segment in segments.iter().skip(first) {
            let is_pinned = {
                let pinned = self.pinned.lock().unwrap_or_else(PoisonError::into_inner);
                pinned.iter().any(|(base, _)| *base == segment.base)
            };
            if is_pinned {
                continue;
            }
            match self.file(segment.base, FileKind::Log) {
                Ok(file) => files.push(file),
                // Retention took the segment in the meantime.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(files)
    }

    /// Brings every closed segment to stable storage, so that recovery begins at the active one.
    pub fn settle_closed(&self) -> Result<(), LogError> {
        self.sync_closed()
    }

    /// Syncs every segment but the active one from the recovery point on, with all that belongs to them, and moves the
    /// recovery point up to the active segment. Poisons the log when it fails.
    pub(crate) fn sync_closed(&self) -> Result<(), LogError> {
        let _running = self.sync_running.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_poisoned() {
            return Err(LogError::Poisoned);
        }
        let segments = self.segments.load_full();
        let Some((active, closed)) = segments.split_last() else { return Ok(()) };
        if self.recovery_point.load(Ordering::Acquire) >= active.base {
            return Ok(());
        }
        self.sync_segments(closed, active.base)
    }

    /// Syncs everything up to `end`, the active segment included. Poisons the log when it fails.
    pub(crate) fn sync_all(&self, end: i64) -> Result<(), LogError> {
        let _running = self.sync_running.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_poisoned() {
            return Err(LogError::Poisoned);
        }
        let segments = self.segments.load_full();
        self.sync_segments(&segments, end)
    }

    fn sync_segments(&self, segments: &[Arc<Segment>], upto: i64) -> Result<(), LogError> {
        let from = self.recovery_point.load(Ordering::Acquire);
        let first = super::segment::floor_index(segments, from);
        let result = segments
            .iter()
            .skip(first)
            .try_for_each(|segment| self.sync_segment(segment))
            .and_then(|()| self.sync_beside(upto))
            .and_then(|()| self.sync_directory());
        if let Err(error) = result {
            self.poison(&error);
            return Err(LogError::Io { path: self.dir.clone(), error });
        }
        if self.recovery_point.fetch_max(upto, Ordering::AcqRel) < upto {
            self.context.note_change(Checkpoint::RecoveryPoint);
        }
        self.synced.fetch_max(upto, Ordering::AcqRel);
        Ok(())
    }

    fn sync_segment(&self, segment: &Segment) -> io::Result<()> {
        for kind in FileKind::OF_SEGMENT {
            if kind == FileKind::TxnIndex && !segment.has_txn_index() {
                continue;
            }
            match self.segment_file(segment, kind).and_then(|file| file.sync_data()) {
                // Retention took the segment in the meantime, or compaction did, which syncs what it writes.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                other => other?,
            }
        }
        Ok(())
    }

    /// The small files that a recovery from `upto` on relies on.
    fn sync_beside(&self, upto: i64) -> io::Result<()> {
        self.sync_if_there(&self.file_path(upto, FileKind::Snapshot))?;
        self.sync_if_there(&self.dir.join(EPOCH_FILE_NAME))
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.entries.sync(|| self.context.storage.sync_dir(&self.dir))?;
        let Some(parent) = self.dir.parent() else { return Ok(()) };
        self.own_entry.sync(|| {
            // What a start finds without it, it takes for no topic's.
            self.sync_if_there(&self.dir.join(super::partition_metadata::FILE_NAME))?;
            self.context.storage.sync_dir(parent)
        })
    }

    fn sync_if_there(&self, path: &Path) -> io::Result<()> {
        match self.context.storage.open(path, Access::Existing).and_then(|file| file.sync_data()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    /// Brings the names of the segments to stable storage that are there so far. Poisons the log when it fails.
    pub(crate) fn sync_entries(&self) -> Result<(), LogError> {
        self.entries.sync(|| self.context.storage.sync_dir(&self.dir)).map_err(|error| {
            self.poison(&error);
            LogError::Io { path: self.dir.clone(), error }
        })
    }

    /// Counted until the log is gone.
    pub(crate) fn take_no_appends(&self) {
        if !self.poisoned.swap(true, Ordering::AcqRel) {
            self.context.counters.poisoned_logs.add(1);
        }
    }

    /// Marks the log as taking no further appends and says so.
    pub(crate) fn poison(&self, error: &io::Error) {
        if self.deleted.load(Ordering::Acquire) {
            return;
        }
        self.take_no_appends();
        tracing::error!(
            partition = %self.partition, path = %self.dir.display(), %error,
            "fsync failed: the partition takes no further appends until the broker is started again"
        );
        self.context.note_failure(&self.dir, error);
        if let Some(listener) = self.listener.get() {
            listener.failed();
        }
    }
}
