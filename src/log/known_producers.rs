//! How many producers all logs remember together: one counter, and the part of each log in it, which ends with the log. It
//! decides nothing: a log that would remember one more asks first.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The producers of all logs.
#[derive(Debug)]
pub(crate) struct KnownProducers {
    count: AtomicUsize,
    max: usize,
}

impl KnownProducers {
    pub(crate) fn new(max: usize) -> Self {
        Self { count: AtomicUsize::new(0), max }
    }

    /// How many more there may be.
    pub(crate) fn room(&self) -> usize {
        self.max.saturating_sub(self.count.load(Ordering::Relaxed))
    }
}

/// The producers of one log.
#[derive(Debug)]
pub(crate) struct KnownPart {
    all: Arc<KnownProducers>,
    count: usize,
}

impl KnownPart {
    pub(crate) fn new(all: &Arc<KnownProducers>) -> Self {
        Self { all: Arc::clone(all), count: 0 }
    }

    pub(crate) fn all(&self) -> &KnownProducers {
        &self.all
    }

    /// The log remembers so many from now on.
    pub(crate) fn set(&mut self, count: usize) {
        if count != self.count {
            self.all.count.fetch_add(count, Ordering::Relaxed);
            self.all.count.fetch_sub(self.count, Ordering::Relaxed);
            self.count = count;
        }
    }
}

impl Drop for KnownPart {
    fn drop(&mut self) {
        self.set(0);
    }
}
