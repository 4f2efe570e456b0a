//! `Log`: the single writer of a partition's files. It lives behind the partition's mutex, never awaits and reads no
//! clock. Appending is in `append`, rolling in `roll`, trimming and deleting in `retention`.

use std::sync::Arc;

use super::cleaner::UnfinishedSwap;
use super::config::LogConfig;
use super::error::LogError;
use super::known_producers::KnownPart;
use super::names::FileKind;
use super::producers::ProducerState;
use super::reader::LogReader;
use super::segment::Segment;
use super::snapshot;
use super::storage::replace_file;
use super::sync::EPOCH_FILE_NAME;
use crate::types::{LeaderEpoch, Now, Offset, TopicId};

/// What the writer keeps of the active segment beyond what readers see.
#[derive(Debug)]
pub(crate) struct Active {
    pub(crate) segment: Arc<Segment>,
    /// The published bytes: where the next batch goes.
    pub(crate) size: u64,
    /// Bytes since the last index entry.
    pub(crate) bytes_since_index: u64,
    /// Largest timestamp of the first batch, once read or written.
    pub(crate) first_timestamp: Option<i64>,
    /// When the segment was made, or opened, in wall-clock milliseconds.
    pub(crate) created_ms: i64,
    /// The largest timestamp so far and the last offset of its batch.
    pub(crate) largest: Option<(i64, i64)>,
    /// The file is longer than its batches (`preallocate`).
    pub(crate) preallocated: bool,
}

impl Active {
    pub(crate) const fn new(segment: Arc<Segment>, size: u64, now: Now) -> Self {
        Self {
            segment,
            size,
            bytes_since_index: 0,
            first_timestamp: None,
            created_ms: now.wall_ms,
            largest: None,
            preallocated: false,
        }
    }
}

/// One partition's log, for the one who writes it.
#[derive(Debug)]
pub struct Log {
    pub(crate) reader: Arc<LogReader>,
    pub(crate) topic_id: TopicId,
    pub(crate) config: Arc<LogConfig>,
    pub(crate) producer_id_expiration_ms: i64,
    /// `None` until the first append makes the directory.
    pub(crate) active: Option<Active>,
    /// The applied end: the offset of the next record.
    pub(crate) end: i64,
    /// Segments behind the applied end, and whether the active one has bytes behind it: the next append removes them.
    pub(crate) beyond: Option<Vec<i64>>,
    pub(crate) producers: ProducerState,
    /// Counts them among those of all logs.
    pub(crate) known_part: KnownPart,
    /// Offsets of the snapshots on disk, rising.
    pub(crate) snapshots: Vec<i64>,
    /// `partition.metadata` is on disk and right.
    pub(crate) has_metadata: bool,
    /// The epoch cache holds entries that the checkpoint file lacks.
    pub(crate) epochs_dirty: bool,
    /// What the cleaner's last swap could not bring to its end.
    pub(crate) unfinished_swap: Option<UnfinishedSwap>,
    pub(crate) closed: bool,
}

impl Log {
    /// What readers of this log share.
    pub fn reader(&self) -> Arc<LogReader> {
        Arc::clone(&self.reader)
    }

    /// The log end offset.
    pub fn end(&self) -> Offset {
        Offset(self.end)
    }

    /// The log start offset.
    pub fn start(&self) -> Offset {
        self.reader.start()
    }

    /// The base offset of the active segment; the log end when there is none.
    pub fn active_base(&self) -> Offset {
        Offset(self.active.as_ref().map_or(self.end, |active| active.segment.base))
    }

    /// The topic whose log this is.
    pub fn topic_id(&self) -> TopicId {
        self.topic_id
    }

    /// As [`LogReader::last_stable`].
    pub fn last_stable(&self, high_watermark: Offset) -> Offset {
        let first = self.producers.first_unstable(high_watermark.0);
        Offset(first.map_or(high_watermark.0, |first| first.max(self.start().0).min(high_watermark.0)))
    }

    /// Where a recovery after a crash would begin.
    pub fn recovery_point(&self) -> Offset {
        self.reader.recovery_point()
    }

    /// Bytes of all segments.
    pub fn size_bytes(&self) -> u64 {
        self.reader.size_bytes()
    }

    /// The producers that the log knows.
    pub fn producers(&self) -> &ProducerState {
        &self.producers
    }

    /// `producer.id.expiration.ms` from now on.
    pub fn set_producer_id_expiration(&mut self, ms: i64) {
        self.producer_id_expiration_ms = ms;
    }

    /// Forgets producers that were idle too long (`producer.id.expiration.ms`).
    pub fn expire_producers(&mut self, now: Now) {
        self.producers.expire(now.wall_ms, self.producer_id_expiration_ms);
        self.known_part.set(self.producers.producers().len());
    }

    /// The newest leader epoch.
    pub fn latest_epoch(&self) -> Option<LeaderEpoch> {
        self.reader.latest_epoch()
    }

    /// `OffsetForLeaderEpoch` on this log.
    pub fn end_offset_for_epoch(&self, epoch: LeaderEpoch) -> (LeaderEpoch, Offset) {
        self.reader.end_offset_for_epoch(epoch)
    }

    /// Notes that `epoch` begins at the log end, before it has a record. Reaches the disk with the next append.
    pub fn begin_epoch(&mut self, epoch: LeaderEpoch) {
        let mut epochs = (**self.reader.epochs.load()).clone();
        if epochs.latest() < Some(epoch) && epochs.assign(epoch.0, self.end) {
            self.reader.epochs.store(Arc::new(epochs));
            self.epochs_dirty = true;
        }
    }

    /// Takes new settings; they hold from the next append on.
    pub fn set_config(&mut self, config: Arc<LogConfig>) {
        self.config = config;
    }

    /// Has what is not on stable storage synced `flush.ms` from now, if the topic asks for that.
    pub fn schedule_flush(&self, now: Now) {
        if self.config.flush_ms < i64::MAX && self.reader.synced().0 < self.end {
            self.reader.sync_by(now.mono_ms.saturating_add(self.config.flush_ms));
        }
    }

    /// The settings that hold.
    pub fn config(&self) -> &Arc<LogConfig> {
        &self.config
    }

    /// Writes what waits in memory and brings everything to stable storage; the recovery point is the log end then.
    /// Waits for the disk.
    pub fn flush(&mut self) -> Result<(), LogError> {
        if self.reader.is_poisoned() {
            return Err(LogError::Poisoned);
        }
        if self.reader.recovery_point().0 >= self.end
            && !self.epochs_dirty
            && self.reader.entries.are_durable()
        {
            return Ok(());
        }
        if self.active.is_none() {
            return Ok(());
        }
        self.write_indexes()?;
        if self.epochs_dirty {
            self.write_epochs()?;
        }
        self.reader.sync_all(self.end)
    }

    /// A clean stop: time index completed, everything on stable storage, producer snapshot at the end. A log without a
    /// file stays without. No append is taken any more. Waits for the disk.
    pub fn close(mut self) -> Result<(), LogError> {
        self.close_in_place()
    }

    /// As `close`, for a log that stays where it is.
    pub fn close_in_place(&mut self) -> Result<(), LogError> {
        self.closed = true;
        if self.active.is_some() && !self.reader.is_poisoned() {
            self.complete_time_index();
            self.trim()?;
            self.write_snapshot()?;
            self.flush()?;
        }
        self.reader.forget_files();
        Ok(())
    }

    /// Writes the producer state as of the end, unless a snapshot stands there already.
    pub(crate) fn write_snapshot(&mut self) -> Result<(), LogError> {
        let is_known = self.snapshots.last().is_some_and(|&last| last >= self.end);
        // A log whose records were all deleted still knows who wrote them.
        if is_known || (self.end <= self.start().0 && self.producers.is_empty()) {
            return Ok(());
        }
        let path = self.reader.file_path(self.end, FileKind::Snapshot);
        let bytes = snapshot::encode(&self.producers);
        replace_file(&*self.reader.context.storage, &path, &bytes, false).map_err(LogError::io(&path))?;
        self.reader.entries.note();
        self.snapshots.push(self.end);
        Ok(())
    }

    /// Writes `leader-epoch-checkpoint`. Without `flush.messages=1` it is synced with the next closed segment: what a
    /// power loss takes of it, recovery reads from the batches behind the recovery point.
    pub(crate) fn write_epochs(&mut self) -> Result<(), LogError> {
        let path = self.reader.dir.join(EPOCH_FILE_NAME);
        let text = self.reader.epochs.load().format();
        replace_file(&*self.reader.context.storage, &path, text.as_bytes(), self.config.sync_before_ack())
            .map_err(LogError::io(&path))?;
        self.reader.entries.note();
        self.epochs_dirty = false;
        Ok(())
    }
}
