//! What is counted for metrics: plain numbers that only grow, or go up and down. Counting costs one relaxed addition and
//! nothing waits for it; nobody decides anything by them.

use std::sync::atomic::{AtomicU64, Ordering};

/// Kafka's API keys are below this.
const API_KEYS: usize = 128;

/// Why connections are refused or closed: the label values of the metric.
const REASONS: [&str; 8] = ["address", "http", "tls", "slow", "untaken", "memory", "request", "other"];

/// One number.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds `count`.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// Takes one away, of a number that goes down again.
    pub fn sub_one(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    /// The number now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The numbers of one broker.
#[derive(Debug)]
pub struct Counters {
    /// Syncs of files and directories that failed.
    pub fsync_failures: Counter,
    /// Writes to files that failed, and changes of directories.
    pub write_failures: Counter,
    /// Logs that take no appends because a sync, or the undoing of a write, failed. Goes down, too.
    pub poisoned_logs: Counter,
    /// Bytes that came from clients.
    pub received_bytes: Counter,
    /// Bytes that went to clients.
    pub sent_bytes: Counter,
    requests: [Counter; API_KEYS],
    refused: [Counter; REASONS.len()],
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            fsync_failures: Counter::default(),
            write_failures: Counter::default(),
            poisoned_logs: Counter::default(),
            received_bytes: Counter::default(),
            sent_bytes: Counter::default(),
            requests: std::array::from_fn(|_| Counter::default()),
            refused: Default::default(),
        }
    }
}

impl Counters {
    /// Counts a request of an API.
    pub fn request(&self, api_key: i16) {
        if let Some(counter) = usize::try_from(api_key).ok().and_then(|key| self.requests.get(key)) {
            counter.add(1);
        }
    }

    /// Requests of an API so far.
    pub fn requests(&self, api_key: i16) -> u64 {
        usize::try_from(api_key).ok().and_then(|key| self.requests.get(key)).map_or(0, Counter::get)
    }

    /// Counts a connection that was refused or closed, and why; an unknown reason counts as `other`.
    pub fn refuse(&self, reason: &str) {
        let index = REASONS.iter().position(|known| *known == reason).unwrap_or(REASONS.len() - 1);
        if let Some(counter) = self.refused.get(index) {
            counter.add(1);
        }
    }

    /// Why connections were refused or closed, and how many for each reason.
    pub fn refused(&self) -> impl Iterator<Item = (&'static str, u64)> {
        REASONS.into_iter().zip(self.refused.iter().map(Counter::get))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_counter_knows_does_no_harm() {
        let counters = Counters::default();
        for key in [-1, 0, 127, 128, i16::MAX] {
            counters.request(key);
        }
        assert_eq!([-1, 0, 127, 128].map(|key| counters.requests(key)), [0, 1, 1, 0]);
        counters.refuse("nobody knows why");
        assert_eq!(counters.refused().last(), Some(("other", 1)));
    }
}
