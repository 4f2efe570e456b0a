//! `__cluster_metadata-0`: the metadata log in Kafka's format. It is read once, at start, and then written at its end
//! by one thread. A log that does not begin at 0 never exists without a snapshot. Decides nothing about metadata.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod acceptance;
mod batches;
mod replayer;
mod snapshot;

#[cfg(test)]
mod tests;

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use tracing::{info, warn};

use self::batches::{Batches, Stop};
use self::replayer::Replayer;
use self::snapshot::SnapshotId;
use super::Quorum;
use super::image::{DirectoryId, Image};
use super::replay::version_of;
use crate::log::storage::{Access, Storage, StoredFile, write_full};
use crate::types::{LeaderEpoch, NodeId, Offset};
use crate::wire::batch::{Batch, BatchBuilder};
use crate::wire::records::RecordError;
use crate::wire::records::control_record::ControlRecord;
use crate::wire::records::metadata::{AbortTransactionRecord, MetadataRecord};

/// The journal's directory below the data directory.
pub const JOURNAL_DIR: &str = "__cluster_metadata-0";
/// What `kafka-storage format` leaves for the first start: the features that the log shall begin with.
const BOOTSTRAP_FILE: &str = "bootstrap.checkpoint";
/// What the name of a snapshot that is being written ends with.
const PART_SUFFIX: &str = ".checkpoint.part";
/// The log is folded into a snapshot when it has this many bytes, and twice the bytes of the last snapshot: each byte
/// of a snapshot is paid for by two of the log.
const FOLD_BYTES_MIN: u64 = 1024 * 1024;

/// The `kraft.version` from which on voters are known by node id and directory (KIP-853).
const VOTERS_BY_DIRECTORY_FROM: i16 = 1;

/// Why a journal cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file system refused.
    #[error("{path}: {error}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
    /// Bytes that no controller wrote, where cutting them off would lose metadata.
    #[error("{path} is damaged at {place}: {reason}")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// `byte` or `offset`, and which.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// Records between the snapshot or the first segments and the next segment are missing.
    #[error("{path}: the metadata log has no records from offset {from} to {to}")]
    Gap {
        /// The journal's directory.
        path: PathBuf,
        /// The first offset that is missing.
        from: i64,
        /// The first offset that is there again.
        to: i64,
    },
    /// A later version wrote it, and what it says might be misread.
    #[error("{path}: a newer format than this program's: {what}")]
    Newer {
        /// The file or directory.
        path: PathBuf,
        /// By what it shows.
        what: String,
    },
    /// A release wrote it that Kafka 4.3 does not follow either.
    #[error(
        "{path}: its metadata.version is {level}, below {min}, the first known: raise it with Kafka 3.9 first"
    )]
    Older {
        /// The journal's directory.
        path: PathBuf,
        /// Its level.
        level: i16,
        /// The first that is known.
        min: i16,
    },
    /// Older records of a topic lie where this program does not read.
    #[error("{path}: topic {topic} has remote.storage.enable=true, and tiered storage is not served")]
    Tiered {
        /// The journal's directory.
        path: PathBuf,
        /// The first such topic.
        topic: String,
    },
    /// It speaks of other nodes, too, whose data is not here.
    #[error(
        "{path}: metadata of the nodes {nodes}, but node {alone} has to be its cluster's only one: with Kafka, move \
        partitions away from the others, remove those that are voters and unregister those that are brokers"
    )]
    SeveralNodes {
        /// The journal's directory.
        path: PathBuf,
        /// The ids of brokers and voters.
        nodes: String,
        /// This node.
        alone: NodeId,
    },
}

impl JournalError {
    fn io(path: &Path, error: io::Error) -> Self {
        Self::Io { path: path.to_owned(), error }
    }

    fn corrupt(path: &Path, position: u64, reason: impl Into<String>) -> Self {
        Self::Corrupt { path: path.to_owned(), place: format!("byte {position}"), reason: reason.into() }
    }

    fn corrupt_at_offset(path: &Path, offset: i64, reason: impl Into<String>) -> Self {
        Self::Corrupt { path: path.to_owned(), place: format!("offset {offset}"), reason: reason.into() }
    }
}

/// Control records that say who votes for the controller (KIP-853), as they stood in the log: kept for a real Kafka.
#[derive(Clone, Debug, Default, PartialEq)]
struct ControlRecords {
    kraft_version: Option<ControlRecord>,
    voters: Option<ControlRecord>,
}

impl ControlRecords {
    fn iter(&self) -> impl Iterator<Item = ControlRecord> {
        self.kraft_version.iter().chain(&self.voters).cloned()
    }
}

/// Why records were not written.
#[derive(Debug, thiserror::Error)]
pub(super) enum WriteError {
    /// The log is as it was before; the next write may succeed.
    #[error("{0}")]
    Refused(io::Error),
    /// The log's end is unknown, because it could not be cut back either; nothing more may be written.
    #[error("{error}; then cutting it back: {cut}")]
    Broken {
        /// Of the write.
        error: io::Error,
        /// Of the cut.
        cut: io::Error,
    },
}

/// The log, open for writing at its end.
pub(super) struct Journal {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
    /// The leader epoch of what is written from now on: above every one in the log.
    epoch: i32,
    /// The base offset of the segment that is written to.
    base: i64,
    /// That segment; opened, and made where it is missing, at the first write.
    file: Option<Arc<dyn StoredFile>>,
    /// The bytes of its whole batches.
    len: u64,
    /// The offset after the last record.
    end: i64,
    /// The leader epoch of the last record.
    last_epoch: i32,
    /// Its timestamp, milliseconds since the Unix epoch.
    last_timestamp_ms: i64,
    /// Whether the directory has entries that are not on stable storage.
    dir_dirty: bool,
    /// Whether the segment has bytes that are not on stable storage.
    dirty: bool,
    /// The bytes of the log after the last snapshot, and that snapshot's.
    log_bytes: u64,
    snapshot_bytes: u64,
    control: ControlRecords,
    /// The bytes of log at which it is folded at the latest.
    fold_bytes_max: u64,
    /// Whether there were records when it was opened.
    was_there: bool,
}

/// What is in the journal's directory.
struct Listing {
    /// The base offsets of the segments, ascending.
    segments: Vec<i64>,
    /// The snapshots, newest first.
    snapshots: Vec<SnapshotId>,
}

impl Journal {
    /// Reads the journal below `data_dir` into `empty` and cuts what is not a whole batch off its end. A journal
    /// without records begins with those of `bootstrap.checkpoint`, or else with `bootstrap`. Nothing is synced unless
    /// something had to be cut.
    pub(super) fn open(
        storage: Arc<dyn Storage>,
        data_dir: &Path,
        empty: Image,
        bootstrap: &[MetadataRecord],
        timestamp_ms: i64,
    ) -> Result<(Self, Image), JournalError> {
        let dir = data_dir.join(JOURNAL_DIR);
        let listing = list(&*storage, &dir)?;
        let (mut replayer, base, snapshot_bytes) = read_snapshot(&*storage, &dir, &listing, empty)?;
        let mut journal = Self {
            storage,
            dir,
            epoch: 0,
            base,
            file: None,
            len: 0,
            end: base,
            last_epoch: 0,
            last_timestamp_ms: 0,
            // What is read may have been written by a process that was killed before it synced.
            dir_dirty: true,
            dirty: true,
            log_bytes: 0,
            snapshot_bytes,
            control: ControlRecords::default(),
            fold_bytes_max: u64::MAX,
            was_there: false,
        };
        journal.read_segments(&listing, &mut replayer)?;
        journal.last_epoch = replayer.epoch;
        journal.last_timestamp_ms = replayer.timestamp_ms;
        journal.epoch = replayer.epoch.saturating_add(1);
        journal.end = replayer.end();
        journal.was_there = journal.end > 0;
        if journal.end == 0 {
            journal.begin(data_dir, bootstrap, &mut replayer, timestamp_ms)?;
        } else {
            replayer.check(&journal.dir)?;
        }
        let in_transaction = replayer.in_transaction();
        let (mut image, control) = replayer.into_image();
        journal.control = control;
        if in_transaction {
            journal.abort_transaction(timestamp_ms)?;
            image.offset = Offset(journal.end);
        }
        Ok((journal, image))
    }

    /// Who leads and votes, when this node's directory is `directory`.
    pub(super) fn quorum(&self, directory: DirectoryId) -> Quorum {
        let by_directory = match &self.control.kraft_version {
            Some(ControlRecord::KRaftVersion(version)) => version.kraft_version >= VOTERS_BY_DIRECTORY_FROM,
            _ => false,
        };
        Quorum {
            epoch: LeaderEpoch(self.epoch),
            directory: if by_directory { directory } else { DirectoryId::ZERO },
        }
    }

    fn segment(&self, base: i64) -> PathBuf {
        self.dir.join(format!("{base:020}.log"))
    }

    fn read_segments(&mut self, listing: &Listing, replayer: &mut Replayer) -> Result<(), JournalError> {
        let from = self.base;
        for (place, &base) in listing.segments.iter().enumerate() {
            let next = listing.segments.get(place.saturating_add(1)).copied();
            if next.is_some_and(|next| next <= from) {
                continue;
            }
            if base > replayer.end() {
                return Err(JournalError::Gap { path: self.dir.clone(), from: replayer.end(), to: base });
            }
            self.read_segment(base, next.is_none(), replayer)?;
        }
        match listing.snapshots.first() {
            Some(&id) if self.file.is_none() && !listing.segments.is_empty() => {
                self.remove_folded(id).map_err(|error| JournalError::io(&self.dir, error))
            }
            _ => Ok(()),
        }
    }

    fn read_segment(&mut self, base: i64, last: bool, replayer: &mut Replayer) -> Result<(), JournalError> {
        let path = self.segment(base);
        let file =
            self.storage.open(&path, Access::Existing).map_err(|error| JournalError::io(&path, error))?;
        let mut batches = Batches::new(Arc::clone(&file)).map_err(|error| JournalError::io(&path, error))?;
        let mut expected = base;
        let bad = loop {
            match batches.next() {
                Ok(None) => break None,
                Ok(Some(batch)) if batch.header.base_offset == expected => {
                    expected = batch.header.next_offset();
                    replayer.batch(&path, &batch)?;
                }
                Ok(Some(batch)) => {
                    let position = batches.position().saturating_sub(batch.bytes.len() as u64);
                    let found = batch.header.base_offset;
                    break Some((
                        position,
                        format!("a batch begins at offset {found} instead of {expected}"),
                    ));
                }
                Err(Stop::Io(error)) => return Err(JournalError::io(&path, error)),
                Err(Stop::Bad { position, reason }) => break Some((position, reason)),
            }
        };
        let len = bad.as_ref().map_or(batches.len(), |(position, _)| *position);
        if let Some((position, reason)) = bad {
            // What follows a bad batch in an earlier segment was acknowledged: only the last end may be torn.
            if !last {
                return Err(JournalError::corrupt(&path, position, reason));
            }
            let cut = batches.len().saturating_sub(position);
            warn!("{}: cutting {cut} bytes at byte {position}, offset {expected}: {reason}", path.display());
            self.cut(&path, &*file, len).map_err(|error| JournalError::io(&path, error))?;
        }
        self.log_bytes = self.log_bytes.saturating_add(len);
        // A segment that ends below the snapshot is not gone on with: the log would have a hole.
        if expected >= replayer.end() {
            (self.base, self.file, self.len) = (base, Some(file), len);
        }
        Ok(())
    }

    /// Indexes may point behind the cut; a real Kafka makes them again.
    fn cut(&self, path: &Path, file: &dyn StoredFile, len: u64) -> io::Result<()> {
        file.set_len(len)?;
        file.sync_data()?;
        for kind in ["index", "timeindex"] {
            remove_if_there(&*self.storage, &path.with_extension(kind))?;
        }
        Ok(())
    }

    /// Writes the records that a log begins with. A formatted directory has them beside the journal until then.
    fn begin(
        &mut self,
        data_dir: &Path,
        bootstrap: &[MetadataRecord],
        replayer: &mut Replayer,
        timestamp_ms: i64,
    ) -> Result<(), JournalError> {
        let path = data_dir.join(BOOTSTRAP_FILE);
        let records = match snapshot::read_records(&*self.storage, &path) {
            Ok(records) => records,
            Err(JournalError::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound => {
                encode(bootstrap).map_err(|error| JournalError::io(&self.dir, io::Error::other(error)))?
            }
            Err(error) => return Err(error),
        };
        for record in &records {
            replayer
                .begin(record.clone())
                .map_err(|error| JournalError::corrupt_at_offset(&path, replayer.end(), error.to_string()))?;
        }
        replayer.check(&path)?;
        self.append_at_start(&records, timestamp_ms)
    }

    /// A controller that died inside a metadata transaction never ends it; the next one says that it is void.
    fn abort_transaction(&mut self, timestamp_ms: i64) -> Result<(), JournalError> {
        let record = AbortTransactionRecord { reason: Some("the controller has changed".to_owned()) };
        let encoded = encode(&[MetadataRecord::AbortTransaction(record)])
            .map_err(|error| JournalError::io(&self.dir, io::Error::other(error)))?;
        self.append_at_start(&encoded, timestamp_ms)
    }

    fn append_at_start(&mut self, records: &[Bytes], timestamp_ms: i64) -> Result<(), JournalError> {
        self.append(records, timestamp_ms)
            .map_err(|error| JournalError::io(&self.dir, io::Error::other(error)))
    }

    /// Writes encoded records as one batch at the end. They are not on stable storage before `sync`.
    pub(super) fn append(&mut self, records: &[Bytes], timestamp_ms: i64) -> Result<(), WriteError> {
        if records.is_empty() {
            return Ok(());
        }
        let mut builder = BatchBuilder::new(timestamp_ms).leader_epoch(self.epoch);
        for record in records {
            builder.push(None, Some(record), timestamp_ms);
        }
        self.append_batch(&builder.build(self.end))
    }

    fn append_batch(&mut self, batch: &Batch) -> Result<(), WriteError> {
        let file = self.open_segment().map_err(WriteError::Refused)?;
        if let Err(error) = write_full(&*file, &mut [IoSlice::new(&batch.bytes)], self.len) {
            return Err(match file.set_len(self.len) {
                Ok(()) => WriteError::Refused(error),
                Err(cut) => WriteError::Broken { error, cut },
            });
        }
        self.len = self.len.saturating_add(batch.bytes.len() as u64);
        self.log_bytes = self.log_bytes.saturating_add(batch.bytes.len() as u64);
        self.end = batch.header.next_offset();
        self.last_epoch = batch.header.partition_leader_epoch;
        self.last_timestamp_ms = batch.header.max_timestamp;
        self.dirty = true;
        Ok(())
    }

    fn open_segment(&mut self) -> io::Result<Arc<dyn StoredFile>> {
        if let Some(file) = &self.file {
            return Ok(Arc::clone(file));
        }
        self.storage.create_dir(&self.dir)?;
        let file = self.storage.open(&self.segment(self.base), Access::Truncate)?;
        self.dir_dirty = true;
        self.len = 0;
        self.file = Some(Arc::clone(&file));
        Ok(file)
    }

    /// Waits until everything written is on stable storage. After a failure nothing is known of what was written.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        if let Some(file) = self.file.as_ref().filter(|_| self.dirty) {
            file.sync_data()?;
            self.dirty = false;
        }
        if self.dir_dirty {
            self.storage.sync_dir(&self.dir)?;
            if let Some(parent) = self.dir.parent() {
                self.storage.sync_dir(parent)?;
            }
            self.dir_dirty = false;
        }
        Ok(())
    }

    /// Its directory.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Brings what was read to stable storage, if anything was: who wrote it may have been killed before that.
    pub(super) fn sync_found(&mut self) -> io::Result<()> {
        if self.was_there { self.sync() } else { Ok(()) }
    }

    /// Whether the log has grown enough to be folded.
    pub(super) fn wants_fold(&self) -> bool {
        let enough = FOLD_BYTES_MIN.max(self.snapshot_bytes.saturating_mul(2));
        self.log_bytes >= enough.min(self.fold_bytes_max)
    }

    /// Sets the bytes of log at which it is folded at the latest.
    pub(super) fn fold_at(&mut self, bytes: u64) {
        self.fold_bytes_max = bytes;
    }

    /// Writes `image`, which includes everything in the log, as a snapshot; then removes what it replaces. A failure
    /// leaves the log as it was.
    pub(super) fn fold(&mut self, image: &Image) -> io::Result<()> {
        if image.offset.0 != self.end {
            let reason = format!("the image ends at offset {}, the log at {}", image.offset, self.end);
            return Err(io::Error::other(reason));
        }
        let id = SnapshotId { end: self.end, epoch: self.last_epoch };
        // After a failure the next attempt waits until the log has grown once more.
        self.log_bytes = 0;
        let timestamp_ms = self.last_timestamp_ms;
        let bytes = snapshot::write(&*self.storage, &self.dir, id, image, &self.control, timestamp_ms)?;
        info!("metadata up to offset {} is in the snapshot {}", id.end, id.file_name());
        self.base = self.end;
        self.file = None;
        self.len = 0;
        self.dirty = false;
        self.snapshot_bytes = bytes;
        // The snapshot is durable and complete: what is left of the old log is garbage, and read past at start.
        if let Err(error) = self.remove_folded(id) {
            warn!("{}: removing what snapshot {} replaces: {error}", self.dir.display(), id.file_name());
        }
        Ok(())
    }

    fn remove_folded(&self, id: SnapshotId) -> io::Result<()> {
        for entry in self.storage.list(&self.dir)? {
            let old_snapshot = SnapshotId::parse(&entry.name).is_some_and(|other| other < id);
            let old_file = ["log", "index", "timeindex", "snapshot", "txnindex"]
                .iter()
                .any(|kind| base_offset(&entry.name, kind).is_some_and(|base| base < id.end));
            if old_snapshot || old_file || entry.name.ends_with(PART_SUFFIX) {
                remove_if_there(&*self.storage, &self.dir.join(&entry.name))?;
            }
        }
        Ok(())
    }
}

/// The bytes of each record as the log holds it.
pub(super) fn encode(records: &[MetadataRecord]) -> Result<Vec<Bytes>, RecordError> {
    records.iter().map(|record| record.encode(version_of(record)).map(Bytes::from)).collect()
}

fn remove_if_there(storage: &dyn Storage, path: &Path) -> io::Result<()> {
    match storage.remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// The base offset in a file's name, when it is of this kind.
fn base_offset(name: &str, kind: &str) -> Option<i64> {
    let digits = name.strip_suffix(kind)?.strip_suffix('.')?;
    if digits.len() != 20 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

fn list(storage: &dyn Storage, dir: &Path) -> Result<Listing, JournalError> {
    let listed = match storage.list(dir) {
        Ok(listed) => listed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(JournalError::io(dir, error)),
    };
    let mut segments: Vec<i64> = listed.iter().filter_map(|entry| base_offset(&entry.name, "log")).collect();
    segments.sort_unstable();
    let mut snapshots: Vec<SnapshotId> =
        listed.iter().filter_map(|entry| SnapshotId::parse(&entry.name)).collect();
    snapshots.sort_unstable_by(|left, right| right.cmp(left));
    Ok(Listing { segments, snapshots })
}

/// The newest snapshot that can be read, replayed; the offset that the log goes on from; its bytes.
fn read_snapshot(
    storage: &dyn Storage,
    dir: &Path,
    listing: &Listing,
    empty: Image,
) -> Result<(Replayer, i64, u64), JournalError> {
    let mut last_error = None;
    for &id in &listing.snapshots {
        let path = dir.join(id.file_name());
        let mut replayer = Replayer::new(empty.clone());
        match snapshot::read(storage, &path, &mut replayer) {
            Ok(()) => {
                replayer.go_on_from(id.end, id.epoch);
                let bytes = storage
                    .open(&path, Access::Existing)
                    .and_then(|file| file.len_bytes())
                    .map_err(|error| JournalError::io(&path, error))?;
                return Ok((replayer, id.end, bytes));
            }
            Err(error @ (JournalError::Io { .. } | JournalError::Newer { .. })) => return Err(error),
            Err(error) => {
                warn!("{error}; trying an older snapshot");
                last_error.get_or_insert(error);
            }
        }
    }
    match (last_error, listing.segments.first()) {
        // Without the damaged snapshot the log has to begin at 0, or metadata would be missing.
        (Some(error), first) if first != Some(&0) => Err(error),
        _ => Ok((Replayer::new(empty), 0, 0)),
    }
}
