//! What came to those who read while others write: each gets every offset once and in order, and sees watermarks and
//! leader epochs rise.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::super::anomaly::Kind;
use super::partition::Partition;
use super::{Checker, Place, Read};

/// One answer to a reader that asks for offsets itself.
#[derive(Clone, Debug)]
pub(crate) struct Poll {
    /// In which life of the broker.
    pub(crate) life: u32,
    /// The offset that was asked for.
    pub(crate) asked: i64,
    pub(crate) start: i64,
    pub(crate) high_watermark: i64,
    /// The records at and above `asked`.
    pub(crate) records: Vec<Read>,
}

#[derive(Default)]
pub(super) struct Polls {
    /// Of each reader: what it was last told of a partition, as log start and high watermark.
    watermarks: BTreeMap<(String, Place), (i64, i64)>,
    /// Of each consumer of a group: the offset it gets next, since it was last assigned partitions.
    next: BTreeMap<(String, Place), i64>,
    /// Of each group: the offsets that came to a member.
    came: BTreeMap<(String, Place), BTreeSet<i64>>,
}

impl Polls {
    pub(super) fn killed(&mut self, partitions: &BTreeMap<Place, Partition>) {
        for ((_, place), (start, _)) in &mut self.watermarks {
            *start = partitions.get(place).map_or(0, |partition| partition.start_scanned.min(*start));
        }
    }

    pub(super) fn forget(&mut self, topic: Uuid) {
        self.watermarks.retain(|(_, place), _| place.topic != topic);
        self.next.retain(|(_, place), _| place.topic != topic);
        self.came.retain(|(_, place), _| place.topic != topic);
    }
}

impl Checker {
    /// A reader got an answer.
    pub(crate) fn polled(&mut self, reader: &str, place: Place, poll: &Poll) {
        self.read += poll.records.len() as u64;
        let name = format!("{} for {reader}", self.name(place));
        let rules = self.partitions.get(&place).map(|partition| partition.rules).unwrap_or_default();
        // An answer of before a kill that is looked at after it says nothing of the log start from then on.
        let start = if poll.life == self.life { poll.start } else { 0 };
        let told = self.polls.watermarks.entry((reader.to_owned(), place)).or_default();
        if (start < told.0 && poll.life == self.life) || poll.high_watermark < told.1 {
            let detail = format!("{told:?} became {:?}", (poll.start, poll.high_watermark));
            self.findings.add(Kind::WatermarkFell, &name, detail);
        }
        *told = (start.max(told.0), poll.high_watermark.max(told.1));
        let mut next = poll.asked;
        for read in &poll.records {
            if read.offset < next {
                let detail = format!("offset {} where {next} comes next", read.offset);
                self.findings.add(Kind::NonmonotonicPoll, &name, detail);
            } else if read.offset > next && !rules.compacted {
                let detail = format!("from {next} to {}", read.offset);
                self.findings.add(Kind::PollSkip, &name, detail);
            }
            next = read.offset + 1;
            self.meet(place, read, &name);
        }
        if let Some(partition) = self.partitions.get_mut(&place) {
            partition.start = partition.start.max(start);
            partition.high_watermark = partition.high_watermark.max(poll.high_watermark);
        }
    }

    /// A reader learned the leader epoch of a partition.
    pub(crate) fn leader_epoch(&mut self, place: Place, epoch: i32) {
        let name = self.name(place);
        if let Some(partition) = self.partitions.get_mut(&place) {
            let (start, high_watermark) = (partition.start, partition.high_watermark);
            partition.watermarks(start, high_watermark, epoch, &name, &mut self.findings);
        }
    }

    /// A reader that has had time enough is at an offset.
    pub(crate) fn caught_up(&mut self, reader: &str, place: Place, position: i64) {
        let end = self.end(place);
        if position < end {
            let detail = format!("{reader} is at {position}, the log ends at {end}");
            let name = self.name(place);
            self.findings.add(Kind::Unseen, name, detail);
        }
    }

    /// A consumer was assigned partitions anew: it begins at what is committed.
    pub(crate) fn assigned(&mut self, consumer: &str) {
        self.polls.next.retain(|(other, _), _| other != consumer);
    }

    /// A record came to a consumer of a group.
    pub(crate) fn consumed(&mut self, group: &str, consumer: &str, place: Place, read: &Read) {
        self.read += 1;
        let name = format!("{} for {consumer}", self.name(place));
        let takes = self.partitions.get(&place).is_none_or(|partition| !partition.rules.keep_all());
        let offset = read.offset;
        if let Some(next) = self.polls.next.insert((consumer.to_owned(), place), offset + 1) {
            let detail = format!("offset {offset} where {next} comes next");
            if offset < next {
                self.findings.add(Kind::NonmonotonicPoll, &name, detail);
            } else if offset > next && !takes {
                self.findings.add(Kind::PollSkip, &name, detail);
            }
        }
        self.polls.came.entry((group.to_owned(), place)).or_default().insert(offset);
        self.meet(place, read, &name);
    }

    /// What a group has committed, its members have got, where nothing takes records away.
    pub(super) fn judge_came(&mut self, group: &str, place: Place, committed: i64) {
        let Some(partition) = self.partitions.get(&place) else { return };
        if !partition.rules.keep_all() || partition.trim_asked > 0 {
            return;
        }
        let empty = BTreeSet::new();
        let came = self.polls.came.get(&(group.to_owned(), place)).unwrap_or(&empty);
        let missing = partition.offsets_below(committed).find(|offset| !came.contains(offset));
        if let Some(offset) = missing {
            let detail =
                format!("offset {offset} never came to group {group}, which has committed {committed}");
            let name = self.name(place);
            self.findings.add(Kind::Unseen, name, detail);
        }
    }
}
