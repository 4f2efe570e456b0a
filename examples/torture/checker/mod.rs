//! Judges what clients saw. It knows no broker and no clock: it is told what was sent, answered and read, in the order in
//! which it happened to each client, and remembers it over all starts. What it finds, it adds to its findings.

mod commits;
mod partition;
mod polls;
#[cfg(test)]
mod tests;
mod topics;

use std::collections::BTreeMap;
use std::fmt;

use uuid::Uuid;

use super::anomaly::{Findings, Kind};
use super::record::{Content, Mark};
use commits::Commits;
use partition::Partition;
pub(crate) use partition::{Rules, Scan};
pub(crate) use polls::Poll;
use polls::Polls;
use topics::Topics;

/// One partition of one topic; a topic that is created again is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) topic: Uuid,
    pub(crate) partition: i32,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}", self.topic.simple(), self.partition)
    }
}

/// How the records of a stream are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sending {
    /// Once each, in order.
    Idempotent,
    /// In order, but one may be there again.
    Plain,
    /// In a way that the broker has to refuse.
    Refused,
}

/// One producer's records for one partition.
#[derive(Clone, Debug)]
struct Stream {
    place: Place,
    sending: Sending,
    /// How many records were sent.
    sent: u64,
}

/// A record that was read, with the place that it was read from.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    pub(crate) offset: i64,
    /// What it is; `None` when it is no record of ours.
    pub(crate) content: Option<Content>,
}

/// All that is known.
#[derive(Default)]
pub(crate) struct Checker {
    streams: Vec<Stream>,
    partitions: BTreeMap<Place, Partition>,
    names: BTreeMap<Uuid, String>,
    topics: Topics,
    commits: Commits,
    polls: Polls,
    /// How often the broker was killed.
    life: u32,
    pub(crate) findings: Findings,
    /// Records that were acknowledged.
    pub(crate) acknowledged: u64,
    /// Records that were read, each time counted.
    pub(crate) read: u64,
    /// Offset commits that were acknowledged, partition by partition.
    pub(crate) commits_acknowledged: u64,
    /// Topics whose deletion was acknowledged, or seen after a kill.
    pub(crate) topics_deleted: u64,
}

impl Checker {
    /// Begins a stream of records; returns its number.
    pub(crate) fn stream(&mut self, place: Place, sending: Sending) -> u32 {
        self.streams.push(Stream { place, sending, sent: 0 });
        self.streams.len() as u32 - 1
    }

    /// The next record of a stream is about to be sent.
    pub(crate) fn sending(&mut self, stream: u32) -> Mark {
        let mut number = 0;
        if let Some(stream) = self.streams.get_mut(stream as usize) {
            number = stream.sent;
            stream.sent += 1;
        }
        Mark { stream, number }
    }

    /// A record was acknowledged at an offset; −1 when the answer did not tell it.
    pub(crate) fn acknowledged(&mut self, offset: i64, content: Content) {
        self.acknowledged += 1;
        let Some(stream) = self.streams.get(content.mark.stream as usize) else { return };
        let (place, sending) = (stream.place, stream.sending);
        let name = self.name(place);
        let Some(partition) = self.partitions.get_mut(&place) else { return };
        partition.acknowledged(offset, content, sending, &name, &mut self.findings);
    }

    /// A record that has to be refused was accepted.
    pub(crate) fn accepted(&mut self, mark: Mark) {
        if let Some(stream) = self.streams.get(mark.stream as usize) {
            let name = self.name(stream.place);
            self.findings.add(Kind::AbortedRead, name, format!("{mark:?} was accepted"));
        }
    }

    /// Everything of a partition was read while nobody wrote.
    pub(crate) fn scanned(&mut self, place: Place, scan: &Scan) {
        self.read += scan.records.len() as u64;
        let name = self.name(place);
        for read in &scan.records {
            self.meet(place, read, &name);
        }
        let Some(partition) = self.partitions.get_mut(&place) else { return };
        partition.judge(scan, &self.streams, &name, &mut self.findings);
    }

    /// `DeleteRecords` is about to be asked for.
    pub(crate) fn trimming(&mut self, place: Place, offset: i64) {
        if let Some(partition) = self.partitions.get_mut(&place) {
            partition.trim_asked = partition.trim_asked.max(offset);
        }
    }

    /// `DeleteRecords` was answered: the log starts there now.
    pub(crate) fn trimmed(&mut self, place: Place, life: u32, low_watermark: i64) {
        if life == self.life
            && let Some(partition) = self.partitions.get_mut(&place)
        {
            partition.start = partition.start.max(low_watermark);
        }
    }

    /// The broker was killed: a log start that only its memory had may be where it was at the last scan.
    pub(crate) fn killed(&mut self) {
        self.life += 1;
        for partition in self.partitions.values_mut() {
            partition.start = partition.start_scanned;
        }
        self.polls.killed(&self.partitions);
    }

    /// Which life of the broker it is; whoever asks something of the broker notes it before.
    pub(crate) fn life(&self) -> u32 {
        self.life
    }

    /// The next offset of a partition, as far as it is known.
    pub(crate) fn end(&self, place: Place) -> i64 {
        self.partitions.get(&place).map_or(0, Partition::end)
    }

    /// Something that the checker cannot see by itself.
    pub(crate) fn add(&mut self, kind: Kind, place: impl fmt::Display, detail: impl fmt::Display) {
        self.findings.add(kind, place, detail);
    }

    /// What a place is called in findings.
    fn name(&self, place: Place) -> String {
        match self.names.get(&place.topic) {
            Some(topic) => format!("{topic}-{} ({})", place.partition, place.topic.simple()),
            None => place.to_string(),
        }
    }

    /// Looks at one record that was read, by whomever: somebody has to have sent it there, and its offset has to hold
    /// what it always held.
    fn meet(&mut self, place: Place, read: &Read, name: &str) {
        let Read { offset, content } = read;
        let Some(content) = content else {
            self.findings.add(Kind::AbortedRead, name, format!("offset {offset} holds no record of ours"));
            return;
        };
        let mark = content.mark;
        let sent = self.streams.get(mark.stream as usize).filter(|stream| {
            stream.place == place && stream.sending != Sending::Refused && mark.number < stream.sent
        });
        if sent.is_none() {
            self.findings.add(
                Kind::AbortedRead,
                name,
                format!("offset {offset} holds {mark:?}, which was not sent there or was refused"),
            );
        }
        if let Some(partition) = self.partitions.get_mut(&place) {
            partition.meet(*offset, content, name, &mut self.findings);
        }
    }
}
