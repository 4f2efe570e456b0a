//! Appending one batch: checks that depend on the log, the write, the indexes, publication. A write that fails is undone;
//! what cannot be undone poisons the log. Nothing here allocates per record, syncs, or opens a file on the usual way.

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::error::{AppendError, LogError};
use super::flush_schedule::SYNC_RETRY_MS;
use super::index::{OffsetEntry, TimeEntry};
use super::names::FileKind;
use super::producers::{AppendOrigin, BatchMeta, Marker, ProducerBatch, Verdict};
use super::storage::{StoredFile, write_full};
use super::txn_index::AbortedTxn;
use super::writer::{Active, Log};
use crate::limits::PRODUCERS_PER_PARTITION_KEPT;
use crate::types::{LeaderEpoch, Now, Offset};
use crate::wire::batch::{Batch, BatchHeader};
use crate::wire::records::control_record::ControlRecord;

/// Bytes at a batch's start that are rebuilt: base offset, length, leader epoch.
const REBUILT_BYTES: usize = 16;

/// Where a batch stands in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Offset of its first record.
    pub base_offset: Offset,
    /// Offset of its last record.
    pub last_offset: Offset,
    /// The broker's timestamp of a `LogAppendTime` topic, or that of the batch first appended when this is a duplicate;
    /// -1 otherwise.
    pub log_append_time_ms: i64,
    /// The log held the batch already; nothing was written.
    pub duplicate: bool,
}

impl Log {
    /// Appends a client's batch under leader epoch `epoch`. The batch's bytes were validated before (CRC, counts); its
    /// offset is assigned here. On an error the log is as it was.
    pub fn append(&mut self, batch: &Batch, epoch: LeaderEpoch, now: Now) -> Result<Appended, AppendError> {
        self.append_as(batch, epoch, AppendOrigin::Client, now)
    }

    /// As `append`; a coordinator's batches carry no sequences.
    pub fn append_as(
        &mut self,
        batch: &Batch,
        epoch: LeaderEpoch,
        origin: AppendOrigin,
        now: Now,
    ) -> Result<Appended, AppendError> {
        if self.closed || self.reader.is_poisoned() {
            return Err(AppendError::Poisoned);
        }
        let producer = producer_batch(batch).map_err(|reason| AppendError::Invalid(reason.to_string()))?;
        if let Some(producer) = &producer
            && let Verdict::Duplicate(known) = self.producers.check(producer, origin)?
        {
            return Ok(duplicate_of(&known));
        }
        let base = self.end;
        let last = base
            .checked_add(i64::from(batch.header.last_offset_delta))
            .filter(|&last| last < i64::MAX)
            .ok_or_else(|| AppendError::Invalid("the log has no offsets left".to_string()))?;
        self.make_ready(&batch.header, last, now)?;
        self.note_epoch(epoch, base)?;
        let aborted =
            producer.as_ref().and_then(|producer| self.producers.completes(producer, base)?.aborted);
        self.write(batch, base, last, epoch, aborted)?;
        if let Some(producer) = &producer {
            self.note_producer(producer, base);
            // Whether the last marker holds is known once it is synced, where appends wait for that.
            let settled = if self.config.sync_before_ack() { self.reader.synced().0 } else { base };
            self.producers.stabilise(settled);
            self.reader.publish_unstable(&self.producers);
        }
        self.publish(last, now);
        let log_append_time_ms =
            if batch.header.is_log_append_time() { batch.header.max_timestamp } else { -1 };
        Ok(Appended {
            base_offset: Offset(base),
            last_offset: Offset(last),
            log_append_time_ms,
            duplicate: false,
        })
    }

    /// Notes the producer's batch. When all logs remember too many producers, a new one comes in the place of others of
    /// this log.
    fn note_producer(&mut self, batch: &ProducerBatch, base: i64) {
        if self.known_part.all().room() == 0 && !self.producers.producers().contains_key(&batch.producer_id) {
            // The new one is one of those that stay.
            self.producers.make_room(PRODUCERS_PER_PARTITION_KEPT.saturating_sub(1));
        }
        self.producers.apply(batch, base);
        self.known_part.set(self.producers.producers().len());
    }

    fn note_epoch(&mut self, epoch: LeaderEpoch, base: i64) -> Result<(), LogError> {
        if epoch.0 >= 0 && self.reader.latest_epoch().is_none_or(|latest| latest < epoch) {
            let mut epochs = (**self.reader.epochs.load()).clone();
            epochs.assign(epoch.0, base);
            self.reader.epochs.store(Arc::new(epochs));
            self.epochs_dirty = true;
        }
        if self.epochs_dirty { self.write_epochs() } else { Ok(()) }
    }

    /// Writes the batch, and its entry of the transaction index, behind the last one; undoes both on failure.
    fn write(
        &mut self,
        batch: &Batch,
        base: i64,
        last: i64,
        epoch: LeaderEpoch,
        aborted: Option<AbortedTxn>,
    ) -> Result<(), AppendError> {
        let Some(active) = &mut self.active else { return Err(AppendError::Poisoned) };
        let segment_base = active.segment.base;
        let path = || self.reader.file_path(segment_base, FileKind::Log);
        let file = self.reader.file(segment_base, FileKind::Log).map_err(|e| LogError::io(&path())(e))?;
        let head = batch.head(base, epoch.0);
        let rest = batch.bytes.get(REBUILT_BYTES..).unwrap_or_default();
        let mut slices = [IoSlice::new(&head), IoSlice::new(rest)];
        let mut written = write_full(&*file, &mut slices, active.size);
        if written.is_ok()
            && let Some(aborted) = aborted
        {
            written = append_aborted(&self.reader, segment_base, aborted);
            if written.is_ok() {
                active.segment.set_has_txn_index();
            }
        }
        if let Err(error) = written {
            return Err(undo(&self.reader, &*file, active.size, error, &path()));
        }
        if self.config.flush_messages < i64::MAX {
            self.reader.pin(segment_base, &file);
        }
        let bytes = REBUILT_BYTES.saturating_add(rest.len()) as u64;
        active.note(&batch.header, last, bytes, self.config.index_interval_bytes);
        if active.is_index_write_due() {
            // A sparse index may miss entries; they wait for the next time.
            if let Err(error) = self.write_indexes() {
                tracing::debug!(partition = %self.reader.partition, %error, "index entries wait");
            }
        }
        Ok(())
    }

    /// Lets readers see everything up to `last`.
    fn publish(&mut self, last: i64, now: Now) {
        self.end = last.saturating_add(1);
        if let Some(active) = &self.active {
            active.segment.publish_size(active.size);
        }
        self.reader.end.store(self.end, Ordering::Release);
        if self.end.saturating_sub(self.reader.synced().0) >= self.config.flush_messages {
            self.reader.request_sync(now.mono_ms.saturating_add(SYNC_RETRY_MS));
        }
        self.schedule_flush(now);
    }
}

impl Active {
    /// Takes a written batch into account: size, timestamps, index entries.
    fn note(&mut self, header: &BatchHeader, last_offset: i64, bytes: u64, interval_bytes: i32) {
        let position = self.size;
        if position == 0 {
            self.first_timestamp = Some(header.max_timestamp);
        }
        self.size = position.saturating_add(bytes);
        if self.largest.is_none_or(|(timestamp, _)| header.max_timestamp > timestamp) {
            self.largest = Some((header.max_timestamp, last_offset));
            self.segment.set_largest_timestamp(header.max_timestamp);
        }
        if self.bytes_since_index > u64::try_from(interval_bytes).unwrap_or(0) {
            self.index(last_offset, position);
            self.bytes_since_index = 0;
        }
        self.bytes_since_index = self.bytes_since_index.saturating_add(bytes);
    }

    fn index(&self, last_offset: i64, position: u64) {
        let relative = |offset: i64| i32::try_from(offset.saturating_sub(self.segment.base)).ok();
        let (Some(offset), Ok(position)) = (relative(last_offset), u32::try_from(position)) else { return };
        let mut indexes = self.segment.indexes();
        indexes.offsets.push(OffsetEntry { relative: offset, position });
        drop(indexes);
        self.index_time();
    }

    /// Adds a time index entry when the largest timestamp rose since the last one.
    pub(crate) fn index_time(&self) {
        let Some((timestamp, offset)) = self.largest else { return };
        let Ok(relative) = i32::try_from(offset.saturating_sub(self.segment.base)) else { return };
        let mut indexes = self.segment.indexes();
        if timestamp > indexes.last_timestamp() {
            indexes.push_time(TimeEntry { timestamp, relative });
        }
    }

    fn is_index_write_due(&self) -> bool {
        self.segment.indexes().offsets.is_write_due()
    }
}

fn append_aborted(reader: &super::reader::LogReader, base: i64, aborted: AbortedTxn) -> io::Result<()> {
    let path = reader.file_path(base, FileKind::TxnIndex);
    let key = reader.handle_key(base, FileKind::TxnIndex);
    let file =
        reader.context.handles.open(&*reader.context.storage, key, &path, super::storage::Access::Create)?;
    reader.entries.note();
    let at = file.len_bytes()?;
    let entry = aborted.encode();
    write_full(&*file, &mut [IoSlice::new(&entry)], at).inspect_err(|_| {
        // An entry without its marker is harmless only when it is gone before the marker is written again.
        let _ = file.set_len(at);
    })
}

/// Cuts the log back to its old end; poisons it when that fails too.
fn undo(
    reader: &super::reader::LogReader,
    file: &dyn StoredFile,
    size: u64,
    error: io::Error,
    path: &std::path::Path,
) -> AppendError {
    tracing::debug!(partition = %reader.partition, %error, "write failed and is undone");
    match file.set_len(size) {
        Ok(()) => AppendError::Storage(LogError::io(path)(error)),
        Err(error) => {
            reader.poison(&error);
            AppendError::Poisoned
        }
    }
}

fn duplicate_of(known: &BatchMeta) -> Appended {
    Appended {
        base_offset: Offset(known.first_offset()),
        last_offset: Offset(known.last_offset),
        log_append_time_ms: known.timestamp,
        duplicate: true,
    }
}

/// What of a batch concerns its producer; `None` for a batch without one. Fails when a marker cannot be read.
pub(crate) fn producer_batch(batch: &Batch) -> Result<Option<ProducerBatch>, &'static str> {
    let mut producer = header_producer(&batch.header);
    if let Some(producer) = producer.as_mut().filter(|producer| producer.control) {
        producer.marker = marker(batch)?;
    }
    Ok(producer)
}

/// As `producer_batch`, from the header alone: right for every batch but a control batch.
pub(crate) fn header_producer(header: &BatchHeader) -> Option<ProducerBatch> {
    header.has_producer().then(|| ProducerBatch {
        producer_id: header.producer_id,
        epoch: header.producer_epoch,
        base_sequence: header.base_sequence,
        last_sequence: header.last_sequence(),
        last_offset_delta: header.last_offset_delta,
        max_timestamp: header.max_timestamp,
        transactional: header.is_transactional(),
        control: header.is_control(),
        marker: None,
    })
}

/// The marker in a control batch; `None` when it holds another control record or, after compaction, none.
fn marker(batch: &Batch) -> Result<Option<Marker>, &'static str> {
    let Some(record) = batch.records().map_err(|_| "its control record cannot be opened")?.next() else {
        return Ok(None);
    };
    let record = record.map_err(|_| "its control record cannot be read")?;
    let key = record.key.ok_or("its control record has no key")?;
    let value = record.value.unwrap_or_default();
    match ControlRecord::decode(&key, &value).map_err(|_| "its control record makes no sense")? {
        ControlRecord::Abort(marker) => {
            Ok(Some(Marker { aborts: true, coordinator_epoch: marker.coordinator_epoch }))
        }
        ControlRecord::Commit(marker) => {
            Ok(Some(Marker { aborts: false, coordinator_epoch: marker.coordinator_epoch }))
        }
        _ => Ok(None),
    }
}
