//! What all logs of a broker share: the storage, the open files, the flusher threads, the files that wait to be
//! removed. It never opens a log by itself and starts nothing but the flusher threads.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::buffers::Buffers;
use super::directory::Checkpoint;
use super::error::LogError;
use super::failures::Failures;
use super::flush_schedule::FlushSchedule;
use super::flusher::Flusher;
use super::handles::Handles;
use super::known_producers::KnownProducers;
use super::storage::{Disk, Storage};
use crate::limits::PRODUCERS_MAX;
use crate::observe::counters::Counters;
use crate::types::Now;

/// How a `LogContext` is made.
#[derive(Clone, Debug)]
pub struct ContextOptions {
    /// Files that may be open at a time through the cache of handles.
    pub handles_max: usize,
    /// Threads that wait for fsync, at most. The file system's journal commits together what is synced at the same time:
    /// eight threads sync five times as many files a second as two.
    pub flusher_threads: usize,
    /// The file system.
    pub storage: Arc<dyn Storage>,
    /// Where logs are counted that take no appends any more.
    pub counters: Arc<Counters>,
    /// Producers that all logs may remember together, beside the newest few of each.
    pub producers_max: usize,
}

impl Default for ContextOptions {
    fn default() -> Self {
        Self {
            handles_max: 1024,
            flusher_threads: 8,
            storage: Arc::new(Disk),
            counters: Arc::default(),
            producers_max: PRODUCERS_MAX,
        }
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Deletion {
    due_mono_ms: i64,
    path: PathBuf,
    is_dir: bool,
}

/// What all logs of a broker share.
#[derive(Debug)]
pub struct LogContext {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) handles: Handles,
    pub(crate) buffers: Arc<Buffers>,
    pub(crate) flusher: Flusher,
    pub(crate) flushes: FlushSchedule,
    pub(crate) counters: Arc<Counters>,
    pub(crate) producers: Arc<KnownProducers>,
    deletions: Mutex<BinaryHeap<Reverse<Deletion>>>,
    logs_made: AtomicU64,
    /// Of each checkpoint, whether it may lack something; by `Checkpoint`'s number.
    changed: [AtomicBool; Checkpoint::COUNT],
    failures: Failures,
}

impl LogContext {
    /// Starts the flusher threads; fails when the system gives none.
    pub fn new(options: ContextOptions) -> io::Result<Arc<Self>> {
        let handles_max = NonZeroUsize::new(options.handles_max).unwrap_or(NonZeroUsize::MIN);
        Ok(Arc::new(Self {
            storage: options.storage,
            counters: options.counters,
            producers: Arc::new(KnownProducers::new(options.producers_max)),
            handles: Handles::new(handles_max),
            buffers: Arc::default(),
            flusher: Flusher::start(options.flusher_threads)?,
            flushes: FlushSchedule::default(),
            deletions: Mutex::default(),
            logs_made: AtomicU64::new(0),
            changed: Default::default(),
            failures: Failures::default(),
        }))
    }

    /// Notes that the file system refused something at `path`.
    pub fn note_failure(&self, path: &Path, error: &io::Error) {
        self.failures.note(path, error);
    }

    /// As `note_failure`, when that is what went wrong.
    pub fn note_log_failure(&self, error: &LogError) {
        if let LogError::Io { path, error } = error {
            self.failures.note(path, error);
        }
    }

    /// Where the disk failed since the last call.
    pub fn take_failures(&self) -> Vec<PathBuf> {
        self.failures.take()
    }

    /// Sets who is woken when the disk failed; the first one stays.
    pub fn set_failure_waker(&self, wake: impl Fn() + Send + Sync + 'static) {
        self.failures.set_waker(wake);
    }

    /// Whether there is a file or directory of this name; true when that cannot be found out.
    pub fn exists(&self, path: &Path) -> bool {
        self.storage.exists(path)
    }

    /// A number that no other log instance has or had.
    pub(crate) fn next_log(&self) -> u64 {
        self.logs_made.fetch_add(1, Ordering::Relaxed)
    }

    /// Notes that a checkpoint lacks something.
    pub fn note_change(&self, which: Checkpoint) {
        // Every append comes here: a look alone leaves the cores' caches in peace.
        if let Some(changed) =
            self.changed.get(which as usize).filter(|changed| !changed.load(Ordering::Acquire))
        {
            changed.store(true, Ordering::Release);
        }
    }

    /// Whether a checkpoint may lack something; what is noted from now on counts for the next call.
    pub fn take_change(&self, which: Checkpoint) -> bool {
        self.changed.get(which as usize).is_some_and(|changed| changed.swap(false, Ordering::AcqRel))
    }

    fn deletions(&self) -> MutexGuard<'_, BinaryHeap<Reverse<Deletion>>> {
        self.deletions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes a file once `delay_ms` have passed and `run_deletions` is called.
    pub(crate) fn remove_file_later(&self, path: &Path, delay_ms: i64, now: Now) {
        self.remove_later(path, false, delay_ms, now);
    }

    /// Removes a directory with its content once `delay_ms` have passed and `run_deletions` is called.
    pub(crate) fn remove_dir_later(&self, path: &Path, delay_ms: i64, now: Now) {
        self.remove_later(path, true, delay_ms, now);
    }

    fn remove_later(&self, path: &Path, is_dir: bool, delay_ms: i64, now: Now) {
        let due_mono_ms = now.mono_ms.saturating_add(delay_ms.max(0));
        self.deletions().push(Reverse(Deletion { due_mono_ms, path: path.to_path_buf(), is_dir }));
    }

    /// Removes what is due; blocks on the disk. Returns how many files and directories went. What cannot be removed is
    /// logged and left: the next start removes it.
    pub fn run_deletions(&self, now: Now) -> usize {
        let mut removed = 0_usize;
        while let Some(Deletion { path, is_dir, .. }) = self.take_due(now) {
            let result =
                if is_dir { self.storage.remove_dir(&path) } else { self.storage.remove_file(&path) };
            match result {
                Ok(()) => removed = removed.saturating_add(1),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    tracing::warn!(path = %path.display(), %error, "cannot remove");
                    self.note_failure(&path, &error);
                }
            }
        }
        removed
    }

    fn take_due(&self, now: Now) -> Option<Deletion> {
        let mut deletions = self.deletions();
        let is_due = deletions.peek().is_some_and(|Reverse(first)| first.due_mono_ms <= now.mono_ms);
        if is_due { deletions.pop().map(|Reverse(deletion)| deletion) } else { None }
    }

    /// The monotonic time at which `run_deletions` has something to do.
    pub fn next_deletion_mono_ms(&self) -> Option<i64> {
        self.deletions().peek().map(|Reverse(first)| first.due_mono_ms)
    }

    /// The number of files open through the cache.
    pub fn open_files(&self) -> usize {
        self.handles.len()
    }

    /// Frees the memory for reading that no read needed since the last call.
    pub fn trim_buffers(&self) {
        self.buffers.trim();
    }

    /// Whether reads in flight hold so much memory that they should return no more than they must.
    pub fn is_read_memory_short(&self) -> bool {
        self.buffers.is_short()
    }

    /// Waits until all that was handed to the flusher so far is done.
    pub fn wait_for_flusher(&self) {
        self.flusher.wait_idle();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_goes_when_its_delay_has_passed_and_not_before() {
        let dir = tempfile::tempdir().unwrap();
        let (file, sub) = (dir.path().join("a.deleted"), dir.path().join("t-0.x-delete"));
        std::fs::write(&file, "x").unwrap();
        std::fs::create_dir(&sub).unwrap();
        std::fs::write(sub.join("0.log"), "x").unwrap();
        let context = LogContext::new(ContextOptions::default()).unwrap();
        let now = Now::default();
        context.remove_file_later(&file, 100, now);
        context.remove_dir_later(&sub, 50, now);
        context.remove_file_later(&dir.path().join("missing"), 0, now);
        assert_eq!(context.run_deletions(now.after_ms(49)), 0);
        assert_eq!(context.next_deletion_mono_ms(), Some(50));
        assert_eq!(context.run_deletions(now.after_ms(99)), 1);
        assert!(file.exists() && !sub.exists());
        assert_eq!(context.run_deletions(now.after_ms(100)), 1);
        assert!(!file.exists());
        assert_eq!(context.next_deletion_mono_ms(), None);
    }
}
