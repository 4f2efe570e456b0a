//! Opening a log. After a clean stop it reads the listing, the last index entries, the newest producer snapshot and the
//! tail of the last segment, no more; otherwise it recovers from the recovery point on (`recovery`). No file content
//! makes it panic.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::checkpoint::CHECKPOINT_BYTES_MAX;
use super::config::LogConfig;
use super::context::LogContext;
use super::epochs::EpochCache;
use super::error::LogError;
use super::known_producers::KnownPart;
use super::listing::{self, Listing, stored_bytes};
use super::partition_metadata;
use super::producers::ProducerState;
use super::reader::{LogReader, Published};
use super::recovery::{Loaded, Loading};
use super::storage::{Storage, read_file};
use super::sync::EPOCH_FILE_NAME;
use super::writer::Log;
use crate::limits::PRODUCERS_PER_PARTITION_KEPT;
use crate::types::{Now, Offset, TopicId, TopicPartition};

/// Which log to open, and what is known of it.
#[derive(Clone, Debug)]
pub struct OpenSpec {
    /// The partition's directory; made at the first append when missing.
    pub dir: PathBuf,
    /// The partition.
    pub topic_partition: TopicPartition,
    /// Its topic's id, which `partition.metadata` has to hold.
    pub topic_id: TopicId,
    /// The topic's settings.
    pub config: Arc<LogConfig>,
    /// The log start offset of the checkpoint; 0 when it has none.
    pub log_start: Offset,
    /// The recovery point of the checkpoint; 0 when it has none.
    pub recovery_point: Offset,
    /// Up to where compaction has come by its checkpoint; 0 when it has no entry. Below it offsets may be missing.
    pub cleaned: Offset,
    /// Whether the directory was left by a clean stop.
    pub clean: bool,
    /// Whether segments may be missing records between them above the recovery point, where no power was lost: a Kafka
    /// was killed here, whose cleaner leaves such gaps.
    pub may_have_gaps: bool,
    /// The end up to which state is loaded; what lies behind it is removed by the next append. `None`: all of it.
    pub end: Option<Offset>,
    /// `producer.id.expiration.ms`.
    pub producer_id_expiration_ms: i64,
}

/// What opening a log did beyond reading it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Batches were checked because the last stop was not clean, or because files contradicted each other.
    pub recovered: bool,
    /// Segments checked batch by batch.
    pub scanned_segments: usize,
    /// Bytes of those.
    pub scanned_bytes: u64,
    /// Bytes cut off because they were no whole, valid batch.
    pub cut_bytes: u64,
    /// Segments removed because they followed a cut.
    pub removed_segments: usize,
    /// Segments whose missing or wrong indexes were made anew without a check of their batches.
    pub rebuilt_indexes: usize,
}

impl Log {
    /// Opens a log, recovering it where needed. Waits for the disk. Fails on IO errors and when the directory belongs
    /// to another topic or, after a crash, holds records of one that it does not name; bad bytes are cut off, logged and reported, they are no error.
    pub fn open(spec: OpenSpec, context: &Arc<LogContext>, now: Now) -> Result<(Self, Recovery), LogError> {
        let storage = &*context.storage;
        // First: another topic's directory is left as it is.
        let has_metadata = check_metadata(storage, &spec.dir, spec.topic_id)?;
        // A deleted topic's, if the power went before its name was gone. Also Kafka takes it for no topic's.
        if !has_metadata && !spec.clean && stored_bytes(context, &spec.dir)? > 0 {
            return Err(LogError::NoTopicId { path: spec.dir });
        }
        let listing = listing::list(storage, &spec.dir)?;
        let epochs = read_epochs(storage, &spec)?;
        let published = Published {
            segments: Vec::new(),
            epochs: EpochCache::default(),
            start: spec.log_start.0,
            end: spec.log_start.0,
            recovery_point: spec.recovery_point.0,
        };
        let id = context.next_log();
        let reader = LogReader::new(spec.dir.clone(), spec.topic_partition.clone(), context, id, published);
        let epochs_are_lost = epochs.is_none();
        let must_check = !spec.clean || epochs_are_lost;
        let first_checked = if epochs_are_lost { Offset::ZERO } else { spec.recovery_point };
        let Listing { segments, snapshots, .. } = listing;
        let loaded = Loading::new(&spec, &reader, segments, snapshots, epochs.unwrap_or_default(), now)
            .load(must_check.then_some(first_checked))?;
        let (mut log, recovery) = Self::assemble(spec, reader, loaded, has_metadata);
        if epochs_are_lost && log.active.is_some() {
            log.epochs_dirty = true;
            // So that the next start need not read all batches again.
            if let Err(error) = log.write_epochs() {
                tracing::warn!(%error, "the epochs that were read from the batches are written later");
            }
        }
        Ok((log, recovery))
    }

    fn assemble(spec: OpenSpec, reader: LogReader, loaded: Loaded, has_metadata: bool) -> (Self, Recovery) {
        let report = loaded.report;
        let (producers, known_part) = counted(loaded.producers, &reader.context);
        reader.segments.store(Arc::new(loaded.segments));
        reader.epochs.store(Arc::new(loaded.epochs));
        reader.start.store(loaded.start, Ordering::Release);
        reader.end.store(loaded.end, Ordering::Release);
        // After a clean stop all is on stable storage; otherwise only what was said to be.
        let recovery_point =
            if report.recovered || !spec.clean { spec.recovery_point.0.min(loaded.end) } else { loaded.end };
        reader.recovery_point.store(recovery_point, Ordering::Release);
        reader.synced.store(recovery_point, Ordering::Release);
        reader.publish_unstable(&producers);
        if !spec.clean {
            reader.entries.note();
            reader.own_entry.note();
        }
        let log = Self {
            reader: Arc::new(reader),
            topic_id: spec.topic_id,
            config: spec.config,
            producer_id_expiration_ms: spec.producer_id_expiration_ms,
            active: loaded.active,
            end: loaded.end,
            beyond: loaded.beyond,
            producers,
            known_part,
            snapshots: loaded.snapshots,
            has_metadata,
            epochs_dirty: loaded.epochs_changed,
            unfinished_swap: None,
            closed: false,
        };
        (log, report)
    }
}

/// Producers as far as there is room for them among those of all logs.
fn counted(mut producers: ProducerState, context: &LogContext) -> (ProducerState, KnownPart) {
    let mut part = KnownPart::new(&context.producers);
    let kept = part.all().room().max(PRODUCERS_PER_PARTITION_KEPT);
    producers.forget_oldest(producers.producers().len().saturating_sub(kept));
    part.set(producers.producers().len());
    (producers, part)
}

/// Whether `partition.metadata` is there. An unreadable one counts as missing: the controller's journal knows better.
fn check_metadata(storage: &dyn Storage, dir: &Path, wanted: TopicId) -> Result<bool, LogError> {
    let Some(bytes) = read_metadata(storage, dir)? else { return Ok(false) };
    match partition_metadata::parse(&bytes) {
        Some(found) if found == wanted => Ok(true),
        Some(found) => Err(LogError::OtherTopic { path: dir.to_path_buf(), found, wanted }),
        None => {
            let path = dir.join(partition_metadata::FILE_NAME);
            tracing::warn!(path = %path.display(), "cannot be read and is written anew");
            Ok(false)
        }
    }
}

/// The topic whose partition lies in a directory; `None` when `partition.metadata` does not tell.
pub(crate) fn stored_topic_id(storage: &dyn Storage, dir: &Path) -> Result<Option<TopicId>, LogError> {
    Ok(read_metadata(storage, dir)?.and_then(|bytes| partition_metadata::parse(&bytes)))
}

/// The content of `partition.metadata`, when it is there; nothing of one that is too large.
fn read_metadata(storage: &dyn Storage, dir: &Path) -> Result<Option<Vec<u8>>, LogError> {
    let path = dir.join(partition_metadata::FILE_NAME);
    match read_file(storage, &path, partition_metadata::BYTES_MAX) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Ok(Some(Vec::new())),
        other => other.map(Some).map_err(LogError::io(&path)),
    }
}

/// The epochs of the checkpoint file; `None` when they are lost, which makes recovery read them from all batches. A file
/// that a power loss left empty says nothing of the epochs below the recovery point.
fn read_epochs(storage: &dyn Storage, spec: &OpenSpec) -> Result<Option<EpochCache>, LogError> {
    let path = spec.dir.join(EPOCH_FILE_NAME);
    let bytes = match read_file(storage, &path, CHECKPOINT_BYTES_MAX) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        other => other.map_err(LogError::io(&path))?,
    };
    if bytes.is_empty() {
        let none_lost = spec.clean || spec.recovery_point <= Offset::ZERO;
        return Ok(none_lost.then(EpochCache::default));
    }
    match EpochCache::parse(&bytes) {
        Ok(epochs) => Ok(Some(epochs)),
        Err(reason) => {
            tracing::warn!(path = %path.display(), reason, "the epochs are read from the batches instead");
            Ok(None)
        }
    }
}
