//! What the writer of a log shares with its readers and with the flusher: the published segments and ends, leader epochs,
//! what is unstable. Readers never take the append lock. Reading itself is in `read` and `times`, syncing in `sync`.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use arc_swap::{ArcSwap, ArcSwapOption};

use super::context::LogContext;
use super::epochs::EpochCache;
use super::handles::HandleKey;
use super::hints::Hints;
use super::names::{FileKind, SWAP_SUFFIX, file_name};
use super::producers::ProducerState;
use super::segment::Segment;
use super::storage::StoredFile;
use super::sync::Entries;
use super::sync::SyncListener;
use crate::types::{LeaderEpoch, Offset, TopicPartition};

/// Published segments, sorted by base offset. The last one is the active one.
pub(crate) type Segments = Vec<Arc<Segment>>;

/// Transactions that keep the last stable offset back.
#[derive(Debug)]
struct Unstable {
    /// First offset of the oldest open transaction.
    open: Option<i64>,
    /// First and marker's offset of ended ones whose marker may lie above the high watermark.
    ended: Vec<(i64, i64)>,
}

/// The readers' side of a log; any number of threads share it.
pub struct LogReader {
    pub(crate) id: u64,
    pub(crate) dir: PathBuf,
    pub(crate) partition: TopicPartition,
    pub(crate) context: Arc<LogContext>,
    pub(crate) segments: ArcSwap<Segments>,
    pub(crate) epochs: ArcSwap<EpochCache>,
    unstable: ArcSwapOption<Unstable>,
    pub(crate) start: AtomicI64,
    pub(crate) end: AtomicI64,
    pub(crate) synced: AtomicI64,
    pub(crate) recovery_point: AtomicI64,
    /// A failed fsync, or a failed undoing of a write: no appends any more.
    pub(crate) poisoned: AtomicBool,
    /// The partition was deleted: there is nothing left to sync.
    pub(crate) deleted: AtomicBool,
    /// Those of the partition's directory.
    pub(crate) entries: Entries,
    /// That of the directory itself, in its parent.
    pub(crate) own_entry: Entries,
    /// 0 while no job of the flusher is to sync what was appended; otherwise one more than the asks since it began.
    pub(crate) sync_asks: AtomicU64,
    /// When `flush.ms` has this log synced, on the monotonic clock; `i64::MAX` when it does not.
    pub(crate) flush_due: AtomicI64,
    pub(crate) sync_running: Mutex<()>,
    /// Files with bytes that somebody waits for; they stay open until those are synced.
    pub(crate) pinned: Mutex<Vec<(i64, Arc<dyn StoredFile>)>>,
    pub(crate) listener: OnceLock<Arc<dyn SyncListener>>,
    pub(crate) hints: Mutex<Hints>,
    /// What an answer promised could not be read when it was sent: from now on records are read before.
    pub(crate) broke_promise: Arc<AtomicBool>,
}

impl Drop for LogReader {
    fn drop(&mut self) {
        if self.is_poisoned() {
            self.context.counters.poisoned_logs.sub_one();
        }
    }
}

impl std::fmt::Debug for LogReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let partition = format_args!("{}", self.partition);
        f.debug_struct("LogReader")
            .field("partition", &partition)
            .field("end", &self.end())
            .finish_non_exhaustive()
    }
}

/// What a reader starts with.
pub(crate) struct Published {
    pub(crate) segments: Segments,
    pub(crate) epochs: EpochCache,
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) recovery_point: i64,
}

impl LogReader {
    pub(crate) fn new(
        dir: PathBuf,
        partition: TopicPartition,
        context: &Arc<LogContext>,
        id: u64,
        published: Published,
    ) -> Self {
        Self {
            id,
            dir,
            partition,
            context: Arc::clone(context),
            segments: ArcSwap::from_pointee(published.segments),
            epochs: ArcSwap::from_pointee(published.epochs),
            unstable: ArcSwapOption::empty(),
            start: AtomicI64::new(published.start),
            end: AtomicI64::new(published.end),
            synced: AtomicI64::new(published.recovery_point),
            recovery_point: AtomicI64::new(published.recovery_point),
            poisoned: AtomicBool::new(false),
            deleted: AtomicBool::new(false),
            entries: Entries::default(),
            own_entry: Entries::default(),
            sync_asks: AtomicU64::new(0),
            flush_due: AtomicI64::new(i64::MAX),
            sync_running: Mutex::new(()),
            pinned: Mutex::new(Vec::new()),
            listener: OnceLock::new(),
            hints: Mutex::new(Hints::default()),
            broke_promise: Arc::default(),
        }
    }

    /// The partition.
    pub fn partition(&self) -> &TopicPartition {
        &self.partition
    }

    /// The log start offset.
    pub fn start(&self) -> Offset {
        Offset(self.start.load(Ordering::Acquire))
    }

    /// The log end offset: the offset of the next record. With `flush.messages=1` the high watermark is `synced`.
    pub fn end(&self) -> Offset {
        Offset(self.end.load(Ordering::Acquire))
    }

    /// Below it every record is known to be on stable storage.
    pub fn synced(&self) -> Offset {
        Offset(self.synced.load(Ordering::Acquire))
    }

    /// Where a recovery after a crash would begin.
    pub fn recovery_point(&self) -> Offset {
        Offset(self.recovery_point.load(Ordering::Acquire))
    }

    /// Whether an fsync failed, after which the log takes no further appends.
    pub fn is_poisoned(&self) -> bool {
        self.poisoned.load(Ordering::Acquire)
    }

    /// The epoch of the record at `offset`, or of the one before the end.
    pub fn epoch_at(&self, offset: Offset) -> Option<LeaderEpoch> {
        self.epochs.load().epoch_at(offset.0)
    }

    /// The newest epoch that the log knows.
    pub fn latest_epoch(&self) -> Option<LeaderEpoch> {
        self.epochs.load().latest()
    }

    /// `OffsetForLeaderEpoch` on this log: see `EpochCache::end_offset_for`.
    pub fn end_offset_for_epoch(&self, epoch: LeaderEpoch) -> (LeaderEpoch, Offset) {
        self.epochs.load().end_offset_for(epoch, self.end())
    }

    /// The offset below which no transaction is open, from the log start to `high_watermark`: what is deleted keeps
    /// nothing back.
    pub fn last_stable(&self, high_watermark: Offset) -> Offset {
        let unstable = self.unstable.load();
        let Some(unstable) = unstable.as_ref() else { return high_watermark };
        let ended =
            unstable.ended.iter().filter(|(_, marker)| *marker >= high_watermark.0).map(|&(first, _)| first);
        let first = unstable.open.into_iter().chain(ended).min();
        Offset(first.map_or(high_watermark.0, |first| first.max(self.start().0).min(high_watermark.0)))
    }

    pub(crate) fn publish_unstable(&self, producers: &ProducerState) {
        let (open, ended) = producers.unstable();
        let changed = open.is_some() || !ended.is_empty() || self.unstable.load().is_some();
        if changed {
            let view = Unstable { open, ended: ended.to_vec() };
            self.unstable.store((view.open.is_some() || !view.ended.is_empty()).then(|| Arc::new(view)));
        }
    }

    /// Bytes of all segments.
    pub fn size_bytes(&self) -> u64 {
        self.segments.load().iter().map(|segment| segment.size()).fold(0, u64::saturating_add)
    }

    /// The directory of the partition.
    pub fn path(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn file_path(&self, base: i64, kind: FileKind) -> PathBuf {
        self.dir.join(file_name(base, kind))
    }

    /// Where a cleaner's output stands before it gets its own name.
    pub(crate) fn suffixed_path(&self, base: i64, kind: FileKind, suffix: &str) -> PathBuf {
        let mut name = file_name(base, kind);
        name.push_str(suffix);
        self.dir.join(name)
    }

    pub(crate) const fn handle_key(&self, base: i64, kind: FileKind) -> HandleKey {
        HandleKey { log: self.id, base, generation: 0, kind }
    }

    /// One of the files of a segment that compaction has not written anew, open: the active one, or any while the log
    /// is loaded.
    pub(crate) fn file(&self, base: i64, kind: FileKind) -> io::Result<Arc<dyn StoredFile>> {
        let key = self.handle_key(base, kind);
        self.context.handles.get(&*self.context.storage, key, || self.file_path(base, kind))
    }

    /// One of a segment's files, open. A segment whose place another has taken is as if its files had vanished.
    pub(crate) fn segment_file(&self, segment: &Segment, kind: FileKind) -> io::Result<Arc<dyn StoredFile>> {
        let key = HandleKey { generation: segment.generation, ..self.handle_key(segment.base, kind) };
        let get = |suffix: &str| {
            self.context
                .handles
                .get(&*self.context.storage, key, || self.suffixed_path(segment.base, kind, suffix))
        };
        let file = if segment.is_swapping() {
            match get(SWAP_SUFFIX) {
                // It got its own name in between.
                Err(error) if error.kind() == io::ErrorKind::NotFound => get(""),
                other => other,
            }
        } else {
            get("")
        };
        if segment.is_retired() {
            // What was opened may be another segment's file of the same name.
            self.context.handles.forget(key);
            return Err(io::ErrorKind::NotFound.into());
        }
        file
    }

    /// Lets go of every file of this log that is open through the cache.
    pub fn forget_files(&self) {
        for segment in self.segments.load().iter() {
            self.forget_segment(segment);
        }
    }

    /// Closes the files of a segment that is gone.
    pub(crate) fn forget_segment(&self, segment: &Segment) {
        for kind in FileKind::OF_SEGMENT {
            let key = HandleKey { generation: segment.generation, ..self.handle_key(segment.base, kind) };
            self.context.handles.forget(key);
        }
    }
}
