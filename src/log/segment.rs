//! One segment as writer and readers share it: its base offset, how many bytes of it are published, its indexes. Holds
//! no file; those come from the cache of handles.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::index::{Index, OffsetEntry, TimeEntry};

/// The largest timestamp is not known before the time index was read.
const TIMESTAMP_UNKNOWN: i64 = i64::MIN;

/// The two indexes of a segment.
#[derive(Debug)]
pub(crate) struct Indexes {
    pub(crate) offsets: Index<OffsetEntry>,
    pub(crate) times: Index<TimeEntry>,
    /// The timestamp of the time index's last entry; -1 when it has none. Kept for the active segment only.
    last_timestamp: i64,
}

impl Indexes {
    /// Indexes with that many entries in their files, when known; `last_timestamp` is that of the last time entry.
    pub(crate) const fn new(
        offsets: Index<OffsetEntry>,
        times: Index<TimeEntry>,
        last_timestamp: i64,
    ) -> Self {
        Self { offsets, times, last_timestamp }
    }

    pub(crate) const fn last_timestamp(&self) -> i64 {
        self.last_timestamp
    }

    pub(crate) fn push_time(&mut self, entry: TimeEntry) {
        self.last_timestamp = entry.timestamp;
        self.times.push(entry);
    }
}

#[derive(Debug)]
pub(crate) struct Segment {
    /// The offset in the files' names; no record in the segment is below it.
    pub(crate) base: i64,
    /// How often compaction wrote the files of this base offset anew: tells files of one name apart.
    pub(crate) generation: u32,
    /// Compaction put another segment in this one's place: the files under its names are another's.
    retired: AtomicBool,
    /// The files still carry the suffix of a cleaner's finished output.
    swapping: AtomicBool,
    size: AtomicU64,
    largest_timestamp: AtomicI64,
    has_txn_index: AtomicBool,
    indexes: Mutex<Indexes>,
}

impl Segment {
    pub(crate) const fn new(base: i64, size: u64, indexes: Indexes, has_txn_index: bool) -> Self {
        Self {
            base,
            generation: 0,
            retired: AtomicBool::new(false),
            swapping: AtomicBool::new(false),
            size: AtomicU64::new(size),
            largest_timestamp: AtomicI64::new(TIMESTAMP_UNKNOWN),
            has_txn_index: AtomicBool::new(has_txn_index),
            indexes: Mutex::new(indexes),
        }
    }

    /// A segment without a byte.
    pub(crate) const fn empty(base: i64) -> Self {
        let indexes = Indexes::new(Index::with_entries(0), Index::with_entries(0), -1);
        Self::new(base, 0, indexes, false)
    }

    /// The segment as a cleaner's output that stands under its `.swap` names for now.
    pub(crate) const fn swapped_in(mut self, generation: u32) -> Self {
        self.generation = generation;
        self.swapping = AtomicBool::new(true);
        self
    }

    /// Whether another segment has taken this one's place.
    pub(crate) fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire)
    }

    pub(crate) fn retire(&self) {
        self.retired.store(true, Ordering::SeqCst);
    }

    /// Whether the files still stand under their `.swap` names.
    pub(crate) fn is_swapping(&self) -> bool {
        self.swapping.load(Ordering::Acquire)
    }

    pub(crate) fn set_swapped(&self) {
        self.swapping.store(false, Ordering::SeqCst);
    }

    /// Bytes of the `.log` file that readers may read: whole batches.
    pub(crate) fn size(&self) -> u64 {
        self.size.load(Ordering::Acquire)
    }

    /// Publishes bytes; they are in the file.
    pub(crate) fn publish_size(&self, size: u64) {
        self.size.store(size, Ordering::Release);
    }

    /// The largest timestamp in the segment; -1 when no record has one, `None` before anybody looked.
    pub(crate) fn largest_timestamp(&self) -> Option<i64> {
        Some(self.largest_timestamp.load(Ordering::Acquire))
            .filter(|&timestamp| timestamp != TIMESTAMP_UNKNOWN)
    }

    pub(crate) fn set_largest_timestamp(&self, timestamp: i64) {
        self.largest_timestamp.store(timestamp, Ordering::Release);
    }

    pub(crate) fn has_txn_index(&self) -> bool {
        self.has_txn_index.load(Ordering::Acquire)
    }

    pub(crate) fn set_has_txn_index(&self) {
        self.has_txn_index.store(true, Ordering::Release);
    }

    /// The indexes; the lock is held for look-ups in memory and by the writer, never over a reader's IO.
    pub(crate) fn indexes(&self) -> MutexGuard<'_, Indexes> {
        self.indexes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The segment that holds `offset`, or the first above it: segments are sorted by base offset.
pub(crate) fn floor_index<S: std::borrow::Borrow<Segment>>(segments: &[S], offset: i64) -> usize {
    segments.partition_point(|segment| segment.borrow().base <= offset).saturating_sub(1)
}
