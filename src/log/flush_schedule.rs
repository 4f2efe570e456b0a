//! When logs have to be synced because `flush.ms` says so: one queue for all of them, looked at by the one schedule. A log
//! without `flush.ms` never stands in it. It starts no thread and syncs nothing by itself.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use super::context::LogContext;
use super::reader::LogReader;
use crate::types::Now;

/// Milliseconds after which a sync is tried again whose file could not be opened.
pub(crate) const SYNC_RETRY_MS: i64 = 1000;

type Waker = Box<dyn Fn() + Send + Sync>;

#[derive(Default)]
pub(crate) struct FlushSchedule {
    /// By due time and log.
    queue: Mutex<BTreeMap<(i64, u64), Weak<LogReader>>>,
    waker: OnceLock<Waker>,
}

impl fmt::Debug for FlushSchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlushSchedule").field("queued", &self.queue().len()).finish_non_exhaustive()
    }
}

impl FlushSchedule {
    fn queue(&self) -> MutexGuard<'_, BTreeMap<(i64, u64), Weak<LogReader>>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, due_mono_ms: i64, reader: &Arc<LogReader>) {
        let is_first = {
            let mut queue = self.queue();
            queue.insert((due_mono_ms, reader.id), Arc::downgrade(reader));
            queue.first_key_value().is_some_and(|(&first, _)| first == (due_mono_ms, reader.id))
        };
        if let Some(waker) = self.waker.get().filter(|_| is_first) {
            waker();
        }
    }

    fn take_due(&self, now: Now) -> Vec<(i64, Weak<LogReader>)> {
        let mut queue = self.queue();
        let later = queue.split_off(&(now.mono_ms.saturating_add(1), 0));
        let due = std::mem::replace(&mut *queue, later);
        due.into_iter().map(|((due, _), reader)| (due, reader)).collect()
    }
}

impl LogContext {
    /// Sets who is told when a log is due before all others; the first one stays. Called on an append, so it must not
    /// block.
    pub fn set_flush_waker(&self, waker: impl Fn() + Send + Sync + 'static) {
        let _ = self.flushes.waker.set(Box::new(waker));
    }

    /// The monotonic time at which `run_flushes` has something to do.
    pub fn next_flush_mono_ms(&self) -> Option<i64> {
        self.flushes.queue().first_key_value().map(|(&(due, _), _)| due)
    }

    /// Hands the logs whose `flush.ms` has passed to the flusher. Does not wait for the disk.
    pub fn run_flushes(&self, now: Now) {
        for (due, reader) in self.flushes.take_due(now) {
            let Some(reader) = reader.upgrade() else { continue };
            // Another entry holds when the settings changed in between. What is appended from here on makes a new one.
            let holds = reader.flush_due.compare_exchange(due, i64::MAX, Ordering::AcqRel, Ordering::Acquire);
            if holds.is_ok() && reader.synced() < reader.end() {
                reader.request_sync(now.mono_ms.saturating_add(SYNC_RETRY_MS));
            }
        }
    }
}

impl LogReader {
    /// Has what is appended so far synced at this moment, unless that is to happen sooner anyway.
    pub(crate) fn sync_by(self: &Arc<Self>, due_mono_ms: i64) {
        if self.flush_due.fetch_min(due_mono_ms, Ordering::AcqRel) > due_mono_ms {
            self.context.flushes.add(due_mono_ms, self);
        }
    }
}
