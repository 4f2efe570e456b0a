//! The open files of all logs: one bounded cache, least recently used out first. Keyed by log instance, never by path,
//! because a re-created topic reuses paths. A handle that is in use stays open after it left the cache.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use super::names::FileKind;
use super::storage::{Access, Storage, StoredFile};

/// Names one open file: the log instance, the segment's base offset and generation, which of its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct HandleKey {
    pub(crate) log: u64,
    pub(crate) base: i64,
    pub(crate) generation: u32,
    pub(crate) kind: FileKind,
}

/// One part of the cache with a lock of its own, so that partitions rarely wait for each other.
type Shard = Mutex<LruCache<HandleKey, Arc<dyn StoredFile>>>;

const SHARDS_MAX: usize = 16;
/// Below so many handles a shard would be too small to know what is used.
const SHARD_HANDLES_MIN: usize = 32;

#[derive(Debug)]
pub(crate) struct Handles {
    shards: Vec<Shard>,
    /// Files that answers keep open until they are sent: their addresses, with how many ranges of each.
    lent: Mutex<HashMap<usize, usize>>,
    lent_max: usize,
}

impl Handles {
    pub(crate) fn new(files_max: NonZeroUsize) -> Self {
        let count = files_max.get().div_euclid(SHARD_HANDLES_MIN).clamp(1, SHARDS_MAX);
        let each =
            NonZeroUsize::new(files_max.get().checked_div(count).unwrap_or(1)).unwrap_or(NonZeroUsize::MIN);
        let shard = || {
            // The map grows with use; a capacity of a million handles must not cost memory at start.
            let mut files = LruCache::unbounded();
            files.resize(each);
            Mutex::new(files)
        };
        Self {
            shards: std::iter::repeat_with(shard).take(count).collect(),
            lent: Mutex::default(),
            lent_max: files_max.get() / 2,
        }
    }

    /// Counts a range that keeps a file open, whether the file stays in the cache or not, until `give_back`; `false` when
    /// that would be one file more than half of what the cache may hold.
    pub(crate) fn lend(&self, file: &Arc<dyn StoredFile>) -> bool {
        let mut lent = self.lent.lock().unwrap_or_else(PoisonError::into_inner);
        let has_room = lent.len() < self.lent_max;
        match lent.entry(address(file)) {
            Entry::Occupied(mut ranges) => {
                let more = ranges.get().saturating_add(1);
                ranges.insert(more);
            }
            Entry::Vacant(ranges) if has_room => {
                ranges.insert(1);
            }
            Entry::Vacant(_) => return false,
        }
        true
    }

    /// A range was sent, or never will be.
    pub(crate) fn give_back(&self, file: &Arc<dyn StoredFile>) {
        let mut lent = self.lent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut ranges) = lent.entry(address(file)) {
            match ranges.get().saturating_sub(1) {
                0 => drop(ranges.remove()),
                fewer => drop(ranges.insert(fewer)),
            }
        }
    }

    /// The shard of a log; all files of a segment are in one, those of a log's segments are spread.
    fn shard(&self, key: HandleKey) -> Option<MutexGuard<'_, LruCache<HandleKey, Arc<dyn StoredFile>>>> {
        let mixed = key.log.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(key.base.cast_unsigned());
        let index = usize::try_from(mixed).unwrap_or(0).checked_rem(self.shards.len())?;
        self.shards.get(index).map(lock)
    }

    /// The open file of `key`, opened at `path` when it is not.
    pub(crate) fn get(
        &self,
        storage: &dyn Storage,
        key: HandleKey,
        path: impl FnOnce() -> std::path::PathBuf,
    ) -> io::Result<Arc<dyn StoredFile>> {
        if let Some(file) = self.shard(key).and_then(|mut files| files.get(&key).map(Arc::clone)) {
            return Ok(file);
        }
        self.open(storage, key, &path(), Access::Existing)
    }

    /// Opens a file and keeps it in the cache in place of what stood there.
    pub(crate) fn open(
        &self,
        storage: &dyn Storage,
        key: HandleKey,
        path: &Path,
        access: Access,
    ) -> io::Result<Arc<dyn StoredFile>> {
        let file = storage.open(path, access)?;
        // The file pushed out closes here, after the lock is gone.
        let _replaced = self.shard(key).and_then(|mut files| files.push(key, Arc::clone(&file)));
        Ok(file)
    }

    /// Forgets one file.
    pub(crate) fn forget(&self, key: HandleKey) {
        let _closed = self.shard(key).and_then(|mut files| files.pop(&key));
    }

    /// The number of files open through the cache.
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).fold(0, usize::saturating_add)
    }
}

/// Nobody else's while the file is open.
fn address(file: &Arc<dyn StoredFile>) -> usize {
    Arc::as_ptr(file).addr()
}

fn lock(shard: &Shard) -> MutexGuard<'_, LruCache<HandleKey, Arc<dyn StoredFile>>> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::storage::Disk;

    fn key(log: u64, base: i64) -> HandleKey {
        HandleKey { log, base, generation: 0, kind: FileKind::Log }
    }

    #[test]
    fn the_cache_holds_no_more_than_its_bound_and_opens_again_what_it_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let handles = Handles::new(NonZeroUsize::new(2).unwrap());
        let path = |base: i64| dir.path().join(base.to_string());
        for base in 0..5 {
            handles.open(&Disk, key(1, base), &path(base), Access::Create).unwrap();
        }
        assert_eq!(handles.len(), 2);
        handles.get(&Disk, key(1, 0), || path(0)).unwrap();
        assert_eq!(handles.len(), 2);
        assert!(handles.get(&Disk, key(1, 9), || path(9)).is_err(), "a missing file is not made");
    }

    #[test]
    fn answers_keep_half_as_many_files_open_as_the_cache_holds() {
        let dir = tempfile::tempdir().unwrap();
        let handles = Handles::new(NonZeroUsize::new(4).unwrap());
        let open =
            |base: i64| handles.open(&Disk, key(1, base), &dir.path().join(base.to_string()), Access::Create);
        let files = [0, 1, 2].map(|base| open(base).unwrap());
        assert_eq!([0, 0, 1, 2, 1].map(|file| handles.lend(&files[file])), [true, true, true, false, true]);
        handles.give_back(&files[0]);
        assert!(!handles.lend(&files[2]), "another range keeps it open");
        handles.give_back(&files[0]);
        assert!(handles.lend(&files[2]));
    }
}
