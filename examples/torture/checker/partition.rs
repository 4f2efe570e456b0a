//! What is known of one partition, and whether what is read from it agrees.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::anomaly::{Findings, Kind};
use super::super::record::{Content, Mark};
use super::{Read, Sending, Stream};

/// What may take records away that were acknowledged. `DeleteRecords` may, as far as it was asked to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    /// All but the newest record of each key.
    pub(crate) compacted: bool,
    /// What is there beyond so many bytes of newer records.
    pub(crate) retention_bytes: Option<u64>,
    /// What is older.
    pub(crate) retention_ms: Option<i64>,
}

impl Rules {
    /// Whether only `DeleteRecords` takes records.
    pub(crate) fn keep_all(self) -> bool {
        self == Self::default()
    }
}

/// All that was read of a partition, from its log start to its high watermark.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scan {
    pub(crate) start: i64,
    pub(crate) high_watermark: i64,
    pub(crate) leader_epoch: i32,
    pub(crate) records: Vec<Read>,
    /// The offset behind the last batch.
    pub(crate) end: i64,
    /// Bytes of all batches.
    pub(crate) bytes: u64,
    /// Why it ended before the high watermark.
    pub(crate) error: Option<String>,
    /// When it began.
    pub(crate) now_ms: i64,
}

struct Known {
    content: Content,
    acknowledged: bool,
}

#[derive(Default)]
pub(super) struct Partition {
    pub(super) rules: Rules,
    /// By offset: what it holds or held.
    known: BTreeMap<i64, Known>,
    /// Records that were acknowledged without an offset.
    somewhere: BTreeSet<(u32, u64)>,
    /// Where idempotent producers' records were acknowledged.
    places: HashMap<Mark, i64>,
    /// The highest offset that `DeleteRecords` was asked for.
    pub(super) trim_asked: i64,
    /// The highest log start that anybody saw in this life of the broker.
    pub(super) start: i64,
    /// The log start that the last scan saw; it was on disk by the next kill.
    pub(super) start_scanned: i64,
    /// The highest high watermark and leader epoch that anybody saw.
    pub(super) high_watermark: i64,
    pub(super) leader_epoch: i32,
}

impl Partition {
    pub(super) fn new(rules: Rules) -> Self {
        Self { rules, ..Self::default() }
    }

    /// The next offset, as far as it is known.
    pub(super) fn end(&self) -> i64 {
        let last = self.known.last_key_value().map_or(0, |(offset, _)| offset + 1);
        last.max(self.high_watermark)
    }

    /// The offsets below `end` that hold a record, or held one.
    pub(super) fn offsets_below(&self, end: i64) -> impl Iterator<Item = i64> {
        self.known.range(..end).map(|(offset, _)| *offset)
    }

    pub(super) fn acknowledged(
        &mut self,
        offset: i64,
        content: Content,
        sending: Sending,
        name: &str,
        findings: &mut Findings,
    ) {
        let mark = content.mark;
        if offset < 0 {
            self.somewhere.insert((mark.stream, mark.number));
            return;
        }
        if sending == Sending::Idempotent
            && let Some(other) = self.places.insert(mark, offset)
            && other != offset
        {
            let detail = format!("{mark:?} is at {other} and was acknowledged at {offset}");
            findings.add(Kind::InconsistentOffsets, name, detail);
        }
        let known = self
            .known
            .entry(offset)
            .or_insert_with(|| Known { content: content.clone(), acknowledged: true });
        known.acknowledged = true;
        if known.content != content {
            let detail =
                format!("{mark:?} was acknowledged at {offset}, which holds {:?}", known.content.mark);
            findings.add(Kind::InconsistentOffsets, name, detail);
        }
    }

    /// A record was read: the offset has to hold what it always held.
    pub(super) fn meet(&mut self, offset: i64, content: &Content, name: &str, findings: &mut Findings) {
        let known = self
            .known
            .entry(offset)
            .or_insert_with(|| Known { content: content.clone(), acknowledged: false });
        if known.content != *content {
            let detail = format!("offset {offset} held {:?}, now {:?}", known.content.mark, content.mark);
            findings.add(Kind::InconsistentOffsets, name, detail);
        }
    }

    /// Everything was read; nobody writes.
    pub(super) fn judge(&mut self, scan: &Scan, streams: &[Stream], name: &str, findings: &mut Findings) {
        if let Some(error) = &scan.error {
            findings.add(Kind::Unreadable, name, error);
        }
        self.watermarks(scan.start, scan.high_watermark, scan.leader_epoch, name, findings);
        self.start_scanned = scan.start;
        self.start = scan.start;
        judge_offsets(self.rules, scan, name, findings);
        judge_order(scan, streams, name, findings);
        self.judge_places(scan, name, findings);
        self.judge_lost(scan, name, findings);
    }

    /// Somebody was told where the log starts, where it ends and under which leader epoch.
    pub(super) fn watermarks(
        &mut self,
        start: i64,
        high_watermark: i64,
        leader_epoch: i32,
        name: &str,
        findings: &mut Findings,
    ) {
        if start < self.start {
            findings.add(
                Kind::WatermarkFell,
                name,
                format!("the log start fell from {} to {start}", self.start),
            );
        }
        if high_watermark < self.high_watermark {
            let detail = format!("the high watermark fell from {} to {high_watermark}", self.high_watermark);
            findings.add(Kind::WatermarkFell, name, detail);
        }
        if leader_epoch < self.leader_epoch {
            let detail = format!("the leader epoch fell from {} to {leader_epoch}", self.leader_epoch);
            findings.add(Kind::EpochFell, name, detail);
        }
        self.high_watermark = self.high_watermark.max(high_watermark);
        self.leader_epoch = self.leader_epoch.max(leader_epoch);
    }

    /// An idempotent producer's record is nowhere but where it was acknowledged; one without an offset is somewhere.
    fn judge_places(&mut self, scan: &Scan, name: &str, findings: &mut Findings) {
        for read in &scan.records {
            let Some(content) = &read.content else { continue };
            self.somewhere.remove(&(content.mark.stream, content.mark.number));
            if let Some(place) = self.places.get(&content.mark)
                && *place != read.offset
            {
                let detail =
                    format!("{:?} was acknowledged at {place} and is at {}", content.mark, read.offset);
                findings.add(Kind::InconsistentOffsets, name, detail);
            }
        }
        if self.rules.keep_all() && self.trim_asked == 0 {
            for (stream, number) in std::mem::take(&mut self.somewhere) {
                findings.add(Kind::LostWrite, name, format!("{:?} is nowhere", Mark { stream, number }));
            }
        }
    }

    fn judge_lost(&self, scan: &Scan, name: &str, findings: &mut Findings) {
        let read: BTreeSet<i64> = scan.records.iter().map(|read| read.offset).collect();
        let keys = self.rules.compacted.then(|| Keys::of(self, scan));
        let full = self.rules.retention_bytes.is_some_and(|bytes| scan.bytes >= bytes);
        for (&offset, known) in &self.known {
            if read.contains(&offset) {
                continue;
            }
            let content = &known.content;
            let trimmed = offset < scan.start && scan.start <= self.trim_asked;
            let expired = offset < scan.start
                && (full
                    || self.rules.retention_ms.is_some_and(|ms| content.timestamp_ms < scan.now_ms - ms));
            let superseded = keys.as_ref().is_some_and(|keys| keys.supersede(offset, content));
            if !(trimmed || expired || superseded) {
                let how = if known.acknowledged { "acknowledged" } else { "read once" };
                let detail =
                    format!("offset {offset}, {how}, is missing in {}..{}", scan.start, scan.high_watermark);
                findings.add(Kind::LostWrite, name, detail);
            }
        }
    }
}

/// Offsets rise, lie within the log, and have no holes unless compaction makes them.
fn judge_offsets(rules: Rules, scan: &Scan, name: &str, findings: &mut Findings) {
    let mut next = scan.start;
    for read in &scan.records {
        let offset = read.offset;
        if offset < next || offset >= scan.high_watermark || (offset > next && !rules.compacted) {
            let detail = format!("offset {offset} where {next} comes next");
            findings.add(Kind::InconsistentOffsets, name, detail);
        }
        next = offset + 1;
    }
    let end = if rules.compacted { scan.end } else { next };
    if end != scan.high_watermark && scan.error.is_none() {
        let detail = format!("records end at {end}, the log at {}", scan.high_watermark);
        findings.add(Kind::InconsistentOffsets, name, detail);
    }
}

/// The records of each producer are in order; those of an idempotent one are there once.
fn judge_order(scan: &Scan, streams: &[Stream], name: &str, findings: &mut Findings) {
    let mut highest: HashMap<u32, u64> = HashMap::new();
    let mut seen = BTreeSet::new();
    for read in &scan.records {
        let Some(mark) = read.content.as_ref().map(|content| content.mark) else { continue };
        let again = !seen.insert(mark);
        let sending = streams.get(mark.stream as usize).map(|stream| stream.sending);
        if again {
            if sending == Some(Sending::Idempotent) {
                findings.add(Kind::Duplicate, name, format!("{mark:?} again at offset {}", read.offset));
            }
            continue;
        }
        let highest = highest.entry(mark.stream).or_insert(mark.number);
        if mark.number < *highest {
            let detail = format!("{mark:?} at offset {} behind number {highest}", read.offset);
            findings.add(Kind::OutOfOrder, name, detail);
        }
        *highest = mark.number.max(*highest);
    }
}

/// What a compacted log holds of each key.
struct Keys {
    /// The lowest and highest offset that was read.
    read: HashMap<u64, (i64, i64)>,
    /// The highest offset at which a tombstone is known.
    tombstones: HashMap<u64, i64>,
}

impl Keys {
    fn of(partition: &Partition, scan: &Scan) -> Self {
        let mut read = HashMap::new();
        for record in &scan.records {
            if let Some(key) = record.content.as_ref().and_then(|content| content.key) {
                read.entry(key).or_insert((record.offset, record.offset)).1 = record.offset;
            }
        }
        let tombstones = partition.known.iter().filter(|(_, known)| known.content.tombstone);
        let tombstones = tombstones.filter_map(|(offset, known)| Some((known.content.key?, *offset)));
        Self { read, tombstones: tombstones.collect() }
    }

    /// Whether a record may be gone: a newer one of its key is there, or the key was deleted and nothing older is there.
    fn supersede(&self, offset: i64, content: &Content) -> bool {
        let Some(key) = content.key else { return false };
        let read = self.read.get(&key);
        if read.is_some_and(|(_, newest)| *newest > offset) {
            return true;
        }
        let deleted = self.tombstones.get(&key).is_some_and(|tombstone| *tombstone >= offset);
        deleted && read.is_none_or(|(oldest, _)| self.tombstones.get(&key).is_some_and(|at| oldest > at))
    }
}
