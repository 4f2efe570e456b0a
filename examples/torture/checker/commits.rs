//! Committed offsets: they never go back, and none is there that nobody could have committed.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::super::anomaly::Kind;
use super::{Checker, Place};

/// Of each group and partition: the highest offset of which it is known that it was committed.
#[derive(Default)]
pub(super) struct Commits(BTreeMap<(String, Place), i64>);

impl Commits {
    pub(super) fn forget(&mut self, topic: Uuid) {
        self.0.retain(|(_, place), _| place.topic != topic);
    }
}

impl Checker {
    /// A commit was acknowledged that its client may follow with an older one: librdkafka sends the commits of its timer
    /// again after newer ones when a broker was away. So it counts once it is seen at rest.
    pub(crate) fn commit_acknowledged_by_timer(&mut self) {
        self.commits_acknowledged += 1;
    }

    /// A commit was acknowledged, whose client sends no older one.
    pub(crate) fn commit_acknowledged(&mut self, group: &str, place: Place, offset: i64) {
        if self.partitions.contains_key(&place) {
            self.commits_acknowledged += 1;
            let known = self.commits.0.entry((group.to_owned(), place)).or_insert(-1);
            *known = offset.max(*known);
        }
    }

    /// What is committed was asked for, while nobody commits; −1 when nothing is.
    pub(crate) fn committed(&mut self, group: &str, place: Place, offset: i64) {
        let (end, name) = (self.end(place), self.name(place));
        let known = self.commits.0.entry((group.to_owned(), place)).or_insert(-1);
        if offset < *known {
            let detail = format!("group {group} had committed {known}, now {offset}");
            self.findings.add(Kind::CommitWentBack, &name, detail);
        }
        *known = offset.max(*known);
        if offset > end {
            let detail = format!("group {group} has committed {offset}, the log ends at {end}");
            self.findings.add(Kind::InconsistentOffsets, &name, detail);
        }
        self.judge_came(group, place, offset);
    }
}
