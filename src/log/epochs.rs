//! At which offset each leader epoch began (KIP-101), and the answers that follow from it. Pure; the checkpoint file's
//! text is made here, its writing is the log's work.

use super::checkpoint;
use crate::types::{LeaderEpoch, Offset};

/// One epoch and the offset of its first record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochEntry {
    /// The epoch, 0 or more.
    pub epoch: i32,
    /// The offset at which it begins.
    pub start: i64,
}

/// The epochs of a log; epochs and start offsets both rise from entry to entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EpochCache {
    entries: Vec<EpochEntry>,
}

impl EpochCache {
    /// Reads `leader-epoch-checkpoint`; entries that break the order replace those they contradict, as in Kafka.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let mut cache = Self::default();
        for (epoch, start) in checkpoint::parse_epochs(bytes)? {
            cache.assign(epoch, start);
        }
        Ok(cache)
    }

    /// The text of `leader-epoch-checkpoint`.
    pub fn format(&self) -> String {
        let entries: Vec<(i32, i64)> = self.entries.iter().map(|entry| (entry.epoch, entry.start)).collect();
        checkpoint::format_epochs(&entries)
    }

    /// The entries, oldest first.
    pub fn entries(&self) -> &[EpochEntry] {
        &self.entries
    }

    /// The newest epoch.
    pub fn latest(&self) -> Option<LeaderEpoch> {
        self.entries.last().map(|entry| LeaderEpoch(entry.epoch))
    }

    /// Notes that `epoch` begins at `start`, unless it is the latest already; entries at or above either are dropped.
    /// Returns whether anything changed.
    pub fn assign(&mut self, epoch: i32, start: i64) -> bool {
        if epoch < 0 || start < 0 {
            return false;
        }
        if self.entries.last().is_some_and(|last| last.epoch == epoch && last.start <= start) {
            return false;
        }
        while self.entries.last().is_some_and(|last| last.epoch >= epoch || last.start >= start) {
            self.entries.pop();
        }
        // Most logs have one, and there are many logs.
        self.entries.reserve_exact(1);
        self.entries.push(EpochEntry { epoch, start });
        true
    }

    /// Drops what begins at `end` or above (the log was cut there). Returns whether anything changed.
    pub fn truncate_from_end(&mut self, end: i64) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.start < end);
        self.entries.len() != before
    }

    /// Drops what ended below `start`, and moves the epoch that holds `start` up to it. Returns whether anything
    /// changed.
    pub fn truncate_from_start(&mut self, start: i64) -> bool {
        let below = self.entries.partition_point(|entry| entry.start <= start);
        let Some(holding) = below.checked_sub(1) else { return false };
        let moved = self.entries.get(holding).is_some_and(|entry| entry.start < start);
        if holding == 0 && !moved {
            return false;
        }
        self.entries.drain(..holding);
        if let Some(first) = self.entries.first_mut() {
            first.start = start;
        }
        true
    }

    /// The epoch of the record at `offset`; `None` below the first entry.
    pub fn epoch_at(&self, offset: i64) -> Option<LeaderEpoch> {
        let after = self.entries.partition_point(|entry| entry.start <= offset);
        self.entries.get(after.checked_sub(1)?).map(|entry| LeaderEpoch(entry.epoch))
    }

    /// `OffsetForLeaderEpoch`: the largest epoch at or below `asked` and the offset at which it ends. The latest epoch
    /// ends at `log_end`; an epoch above it is (-1, -1); one below all is answered with itself and the first start.
    pub fn end_offset_for(&self, asked: LeaderEpoch, log_end: Offset) -> (LeaderEpoch, Offset) {
        let unknown = (LeaderEpoch::UNKNOWN, Offset::UNKNOWN);
        if asked == LeaderEpoch::UNKNOWN {
            return unknown;
        }
        if self.latest() == Some(asked) {
            return (asked, log_end);
        }
        let above = self.entries.partition_point(|entry| entry.epoch <= asked.0);
        let Some(next) = self.entries.get(above) else { return unknown };
        let floor = above.checked_sub(1).and_then(|index| self.entries.get(index));
        (floor.map_or(asked, |entry| LeaderEpoch(entry.epoch)), Offset(next.start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(entries: &[(i32, i64)]) -> EpochCache {
        let mut cache = EpochCache::default();
        for &(epoch, start) in entries {
            cache.assign(epoch, start);
        }
        cache
    }

    fn pairs(cache: &EpochCache) -> Vec<(i32, i64)> {
        cache.entries().iter().map(|e| (e.epoch, e.start)).collect()
    }

    #[test]
    fn an_epoch_is_assigned_once_and_contradicted_entries_go() {
        let mut epochs = cache(&[(0, 0), (2, 100)]);
        assert!(!epochs.assign(2, 150));
        assert_eq!(pairs(&epochs), [(0, 0), (2, 100)]);
        assert!(epochs.assign(5, 100));
        assert_eq!(pairs(&epochs), [(0, 0), (5, 100)]);
        assert!(epochs.assign(1, 50));
        assert_eq!(pairs(&epochs), [(0, 0), (1, 50)]);
        assert!(!epochs.assign(-1, 60));
    }

    #[test]
    fn the_end_of_an_epoch_is_where_the_next_one_starts() {
        let epochs = cache(&[(2, 10), (4, 20), (7, 30)]);
        let end = |epoch| {
            let (epoch, offset) = epochs.end_offset_for(LeaderEpoch(epoch), Offset(99));
            (epoch.0, offset.0)
        };
        assert_eq!(end(7), (7, 99));
        assert_eq!(end(4), (4, 30));
        assert_eq!(end(3), (2, 20));
        assert_eq!(end(1), (1, 10));
        assert_eq!(end(8), (-1, -1));
        assert_eq!(end(-1), (-1, -1));
        assert_eq!(EpochCache::default().end_offset_for(LeaderEpoch(0), Offset(5)).1, Offset::UNKNOWN);
    }

    #[test]
    fn a_raised_log_start_moves_the_first_epoch_up_to_it() {
        let mut epochs = cache(&[(0, 0), (2, 100), (3, 200)]);
        assert!(epochs.truncate_from_start(40));
        assert_eq!(pairs(&epochs), [(0, 40), (2, 100), (3, 200)]);
        assert!(epochs.truncate_from_start(100));
        assert_eq!(pairs(&epochs), [(2, 100), (3, 200)]);
        assert!(!epochs.truncate_from_start(100));
        assert!(epochs.truncate_from_start(500));
        assert_eq!(pairs(&epochs), [(3, 500)]);
        assert!(!epochs.truncate_from_start(10));
    }

    #[test]
    fn a_cut_log_forgets_the_epochs_above_the_cut() {
        let mut epochs = cache(&[(0, 0), (2, 100)]);
        assert!(!epochs.truncate_from_end(101));
        assert!(epochs.truncate_from_end(100));
        assert_eq!(pairs(&epochs), [(0, 0)]);
    }

    #[test]
    fn an_offset_has_the_epoch_that_began_last_before_it() {
        let epochs = cache(&[(1, 10), (4, 20)]);
        assert_eq!(epochs.epoch_at(9), None);
        assert_eq!(epochs.epoch_at(19), Some(LeaderEpoch(1)));
        assert_eq!(epochs.epoch_at(20), Some(LeaderEpoch(4)));
    }

    #[test]
    fn the_checkpoint_reads_back_as_written() {
        let epochs = cache(&[(0, 40), (2, 100)]);
        assert_eq!(epochs.format(), "0\n2\n0 40\n2 100\n");
        assert_eq!(EpochCache::parse(epochs.format().as_bytes()).unwrap(), epochs);
    }
}
