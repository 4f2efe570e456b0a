//! What can be wrong with a broker that was killed, named as Jepsen names it for Kafka where it has a name. Findings of one
//! kind in one place are counted together.

use std::collections::BTreeMap;
use std::fmt;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// What was acknowledged, or had been read, is gone, and nothing was allowed to take it.
    LostWrite,
    /// A record is read that was refused, or that nobody sent there.
    AbortedRead,
    /// One offset has had two contents, one record two acknowledged offsets, or offsets have holes.
    InconsistentOffsets,
    /// A record of an idempotent producer is there twice.
    Duplicate,
    /// Records of one producer are not in the order in which they were sent.
    OutOfOrder,
    /// A reader was led past records.
    PollSkip,
    /// A reader got an offset again, or a lower one.
    NonmonotonicPoll,
    /// What is below the high watermark did not come to a reader.
    Unseen,
    /// A committed offset is lower than it was.
    CommitWentBack,
    /// A topic that was created is not there, or has another id.
    TopicLost,
    /// A topic is there that was deleted, or that nobody created.
    TopicReturned,
    /// A high watermark or a log start is lower than a reader saw it.
    WatermarkFell,
    /// A leader epoch is lower than a reader saw it.
    EpochFell,
    /// A partition cannot be read up to its high watermark.
    Unreadable,
    /// The broker did not start, or not in time.
    NotStarted,
    /// A client that waits for the broker waits in vain, or a clean stop takes too long or is none.
    Stuck,
    /// The broker panicked.
    Panicked,
}

impl Kind {
    /// All of them, in the order in which they are told.
    pub(crate) const ALL: [Self; 17] = [
        Self::LostWrite,
        Self::AbortedRead,
        Self::InconsistentOffsets,
        Self::Duplicate,
        Self::OutOfOrder,
        Self::PollSkip,
        Self::NonmonotonicPoll,
        Self::Unseen,
        Self::CommitWentBack,
        Self::TopicLost,
        Self::TopicReturned,
        Self::WatermarkFell,
        Self::EpochFell,
        Self::Unreadable,
        Self::NotStarted,
        Self::Stuck,
        Self::Panicked,
    ];
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::LostWrite => "lost-write",
            Self::AbortedRead => "aborted-read",
            Self::InconsistentOffsets => "inconsistent-offsets",
            Self::Duplicate => "duplicate",
            Self::OutOfOrder => "out-of-order",
            Self::PollSkip => "poll-skip",
            Self::NonmonotonicPoll => "nonmonotonic-poll",
            Self::Unseen => "unseen",
            Self::CommitWentBack => "commit-went-back",
            Self::TopicLost => "topic-lost",
            Self::TopicReturned => "topic-returned",
            Self::WatermarkFell => "watermark-fell",
            Self::EpochFell => "epoch-fell",
            Self::Unreadable => "unreadable",
            Self::NotStarted => "not-started",
            Self::Stuck => "stuck",
            Self::Panicked => "panicked",
        })
    }
}

/// The findings of one kind in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// How many there are.
    pub(crate) count: u64,
    /// What the first one is.
    pub(crate) first: String,
}

/// All that was found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Findings(BTreeMap<(Kind, String), Found>);

impl Findings {
    /// Adds a finding; `place` is what it is found in, `detail` what it is.
    pub(crate) fn add(&mut self, kind: Kind, place: impl fmt::Display, detail: impl fmt::Display) {
        let found = self
            .0
            .entry((kind, place.to_string()))
            .or_insert_with(|| Found { count: 0, first: detail.to_string() });
        found.count += 1;
    }

    /// In how many places something of this kind was found.
    pub(crate) fn count(&self, kind: Kind) -> usize {
        self.0.keys().filter(|(other, _)| *other == kind).count()
    }

    /// Whether nothing was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One line for each kind and place.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |((kind, place), found): (&(Kind, String), &Found)| match found.count {
            1 => format!("{kind} in {place}: {}", found.first),
            count => format!("{kind} in {place}, {count} times, first: {}", found.first),
        };
        self.0.iter().map(line).collect()
    }

    /// The number of findings of each kind, those without one included.
    pub(crate) fn by_kind(&self) -> String {
        let counts = Kind::ALL.map(|kind| format!("{kind} {}", self.count(kind)));
        counts.join(", ")
    }
}
