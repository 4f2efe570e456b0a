//! Committed offsets: what replay made of the records, and what is still inside open transactions.
//! Pure: who may commit is the group's business, writing and time are the caller's.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::command::{
    Commit, CommitPartition, CommittedTopic, Fetch, FetchedPartition, FetchedTopic, Judge, Verdict,
};
use super::group::Group;
use super::memory::{Charge, GroupMemory};
use super::record::{GroupRecord, OffsetValue};
use super::settings::Settings;
use crate::types::{ErrorCode, ProducerId, TopicId, TopicName};

/// A committed offset and where in the log it stands.
#[derive(Clone, Debug)]
struct Committed {
    value: OffsetValue,
    /// The record's position: of a commit and a transactional one the later record wins, whichever ends later.
    position: i64,
}

/// What an entry takes beside its metadata.
const ENTRY_BYTES: usize = 160;

type ByPartition = BTreeMap<i32, Committed>;
type ByTopic = BTreeMap<TopicName, ByPartition>;

/// Offsets by group, topic and partition.
#[derive(Debug, Default)]
struct Table {
    by_group: HashMap<Arc<str>, ByTopic>,
    /// Bytes of memory, by estimate.
    bytes: usize,
}

impl Table {
    fn get(&self, group: &str, topic: &str, partition: i32) -> Option<&Committed> {
        self.by_group.get(group)?.get(topic)?.get(&partition)
    }

    fn put(&mut self, group: &Arc<str>, topic: &TopicName, partition: i32, committed: Committed) {
        let topics = self.by_group.entry(group.clone()).or_default();
        self.bytes = self.bytes.saturating_add(bytes_of(&committed.value));
        let old = topics.entry(topic.clone()).or_default().insert(partition, committed);
        self.bytes = self.bytes.saturating_sub(old.map_or(0, |old| bytes_of(&old.value)));
    }

    fn remove(&mut self, group: &str, topic: &str, partition: i32) {
        let Some(topics) = self.by_group.get_mut(group) else { return };
        if let Some(partitions) = topics.get_mut(topic) {
            let old = partitions.remove(&partition);
            self.bytes = self.bytes.saturating_sub(old.map_or(0, |old| bytes_of(&old.value)));
            if partitions.is_empty() {
                topics.remove(topic);
            }
        }
        if topics.is_empty() {
            self.by_group.remove(group);
        }
    }
}

/// Bytes that one committed offset takes, by estimate.
fn bytes_of(value: &OffsetValue) -> usize {
    ENTRY_BYTES.saturating_add(value.metadata.len())
}

/// All committed offsets of a shard.
#[derive(Debug)]
pub(crate) struct Offsets {
    committed: Table,
    /// For `committed`.
    charge: Charge,
    /// What producers committed in transactions that have not ended.
    pending: HashMap<ProducerId, Table>,
    /// Groups with pending offsets, and whose.
    open: HashMap<Arc<str>, HashSet<ProducerId>>,
}

impl Offsets {
    /// No offsets.
    pub(crate) fn new(memory: &Arc<GroupMemory>) -> Self {
        let charge = Charge::new(memory, 0);
        Self { committed: Table::default(), charge, pending: HashMap::new(), open: HashMap::new() }
    }

    /// Bytes of memory by which these records would make the committed offsets grow.
    pub(crate) fn growth(&self, records: &[GroupRecord]) -> usize {
        let of_record = |record: &GroupRecord| {
            let GroupRecord::Offset { group, topic, partition, value: Some(value) } = record else {
                return 0;
            };
            let old = self.committed.get(group, topic, *partition);
            bytes_of(value).saturating_sub(old.map_or(0, |old| bytes_of(&old.value)))
        };
        records.iter().map(of_record).fold(0, usize::saturating_add)
    }

    /// Takes over one record at `position`; inside a transaction it stays pending until the marker.
    pub(crate) fn replay(
        &mut self,
        (group, topic, partition): (&Arc<str>, &TopicName, i32),
        value: Option<&OffsetValue>,
        producer: ProducerId,
        position: i64,
    ) {
        let Some(value) = value else {
            self.committed.remove(group, topic, partition);
            self.charge.set(self.committed.bytes);
            for producer in self.open.get(group).into_iter().flatten() {
                if let Some(pending) = self.pending.get_mut(producer) {
                    pending.remove(group, topic, partition);
                }
            }
            return;
        };
        let committed = Committed { value: value.clone(), position };
        if producer == ProducerId::NONE {
            self.committed.put(group, topic, partition, committed);
            self.charge.set(self.committed.bytes);
        } else {
            self.pending.entry(producer).or_default().put(group, topic, partition, committed);
            self.open.entry(group.clone()).or_default().insert(producer);
        }
    }

    /// The end of a producer's transaction: its pending offsets count now, or never did.
    pub(crate) fn end_transaction(&mut self, producer: ProducerId, commit: bool) {
        let ended = self.pending.remove(&producer);
        self.open.retain(|_, producers| {
            producers.remove(&producer);
            !producers.is_empty()
        });
        if !commit {
            return;
        }
        for (group, topics) in ended.unwrap_or_default().by_group {
            for (topic, partitions) in topics {
                for (partition, committed) in partitions {
                    let existing = self.committed.get(&group, &topic, partition);
                    if existing.is_none_or(|existing| committed.position > existing.position) {
                        self.committed.put(&group, &topic, partition, committed);
                    }
                }
            }
        }
        self.charge.set(self.committed.bytes);
    }

    /// True when a transaction that has not ended holds an offset of this partition.
    fn is_unstable(&self, group: &str, topic: &str, partition: i32) -> bool {
        let producers = self.open.get(group).into_iter().flatten();
        producers
            .filter_map(|producer| self.pending.get(producer))
            .any(|table| table.get(group, topic, partition).is_some())
    }

    /// The records and verdicts of a commit that the group allows. Each partition is judged alone.
    pub(crate) fn commit(
        commit: &Commit,
        group: &Arc<str>,
        now_ms: i64,
        settings: &Settings,
    ) -> (Vec<GroupRecord>, Vec<CommittedTopic>) {
        // As with Kafka the limit counts the units of a Java string.
        let metadata_units_max = usize::try_from(settings.offset_metadata_bytes_max).unwrap_or(0);
        let expire_ms = commit.retention_ms.map(|retention| now_ms.saturating_add(retention));
        let mut records = Vec::new();
        let mut verdicts = Vec::with_capacity(commit.topics.len());
        for topic in &commit.topics {
            let mut verdict = CommittedTopic { topic: topic.topic.clone(), partitions: Vec::new() };
            for partition in &topic.partitions {
                let units = partition.metadata.as_ref().map_or(0, |text| text.encode_utf16().count());
                if units > metadata_units_max {
                    verdict.partitions.push((partition.partition, Some(ErrorCode::OffsetMetadataTooLarge)));
                    continue;
                }
                verdict.partitions.push((partition.partition, None));
                let mut value = offset_value(partition, now_ms, expire_ms);
                value.topic_id = topic.topic_id;
                records.push(GroupRecord::Offset {
                    group: group.clone(),
                    topic: topic.topic.clone(),
                    partition: partition.partition,
                    value: Some(value),
                });
            }
            verdicts.push(verdict);
        }
        (records, verdicts)
    }

    /// What `OffsetFetch` asks for; a partition without a commit has offset −1.
    pub(crate) fn fetch(&self, fetch: &Fetch) -> Vec<FetchedTopic> {
        let group = fetch.group_id.as_str();
        let one = |topic: &TopicName, partition: i32| {
            if fetch.require_stable && self.is_unstable(group, topic, partition) {
                return fetched(partition, None, Some(ErrorCode::UnstableOffsetCommit));
            }
            fetched(partition, self.committed.get(group, topic, partition), None)
        };
        if let Some(topics) = &fetch.topics {
            let asked = topics.iter().map(|(topic, partitions)| FetchedTopic {
                topic: topic.clone(),
                partitions: partitions.iter().map(|partition| one(topic, *partition)).collect(),
            });
            return asked.collect();
        }
        let all = self.committed.by_group.get(group).into_iter().flatten().map(|(topic, partitions)| {
            FetchedTopic {
                topic: topic.clone(),
                partitions: partitions.keys().map(|partition| one(topic, *partition)).collect(),
            }
        });
        all.collect()
    }

    /// Tombstones for those offsets of a partition that are there, in an open transaction or not.
    pub(crate) fn delete_partition(
        &self,
        group: &Arc<str>,
        topic: &TopicName,
        partition: i32,
    ) -> Option<GroupRecord> {
        let is_there = self.committed.get(group, topic, partition).is_some()
            || self.is_unstable(group, topic, partition);
        is_there.then(|| tombstone(group, topic, partition))
    }

    /// Tombstones for all offsets of a group, those in open transactions too.
    pub(crate) fn delete_group(&self, group: &Arc<str>) -> Vec<GroupRecord> {
        let mut keys: HashSet<(&TopicName, i32)> = keys_of(&self.committed, group).collect();
        for producer in self.open.get(group).into_iter().flatten() {
            keys.extend(self.pending.get(producer).into_iter().flat_map(|table| keys_of(table, group)));
        }
        keys.into_iter().map(|(topic, partition)| tombstone(group, topic, partition)).collect()
    }

    /// Tombstones for all offsets on topics that are gone. One walk over the groups serves all of them.
    pub(crate) fn delete_topics(&self, gone: &HashSet<TopicName>) -> Vec<GroupRecord> {
        let mut keys: HashSet<(&Arc<str>, &TopicName, i32)> = HashSet::new();
        for table in std::iter::once(&self.committed).chain(self.pending.values()) {
            for (group, topics) in &table.by_group {
                let mut note = |topic, partitions: &ByPartition| {
                    keys.extend(partitions.keys().map(|partition| (group, topic, *partition)));
                };
                // By the fewer of the two.
                if gone.len() < topics.len() {
                    let found = gone.iter().filter_map(|topic| topics.get_key_value(topic));
                    found.for_each(|(topic, partitions)| note(topic, partitions));
                } else {
                    let found = topics.iter().filter(|(topic, _)| gone.contains(*topic));
                    found.for_each(|(topic, partitions)| note(topic, partitions));
                }
            }
        }
        keys.into_iter().map(|(group, topic, partition)| tombstone(group, topic, partition)).collect()
    }

    /// Tombstones and cut offsets where `judge` does not let an offset stand.
    pub(crate) fn mended(&self, judge: Judge<'_>) -> Vec<GroupRecord> {
        let mut records = Vec::new();
        for (group, topics) in &self.committed.by_group {
            for (topic, partitions) in topics {
                for (partition, committed) in partitions {
                    let value = &committed.value;
                    match judge(topic, *partition, value.topic_id, value.offset) {
                        Verdict::Keep => {}
                        Verdict::Delete => records.push(tombstone(group, topic, *partition)),
                        Verdict::Cut(end) => records.push(GroupRecord::Offset {
                            group: group.clone(),
                            topic: topic.clone(),
                            partition: *partition,
                            value: Some(OffsetValue { offset: end, leader_epoch: -1, ..value.clone() }),
                        }),
                    }
                }
            }
        }
        records
    }

    /// Tombstones for the offsets of `group` that have expired, and whether nothing is left that keeps it.
    pub(crate) fn expired(
        &self,
        id: &Arc<str>,
        group: &Group,
        now_ms: i64,
        retention_ms: i64,
    ) -> (Vec<GroupRecord>, bool) {
        let mut records = Vec::new();
        let mut nothing_left = !self.open.contains_key(id);
        for (topic, partitions) in self.committed.by_group.get(id).into_iter().flatten() {
            let kept = group.is_subscribed_to(topic);
            for (partition, committed) in partitions {
                let expired = !kept && is_expired(&committed.value, group, now_ms, retention_ms);
                if expired && !self.is_unstable(id, topic, *partition) {
                    records.push(tombstone(id, topic, *partition));
                } else {
                    nothing_left = false;
                }
            }
        }
        (records, nothing_left)
    }
}

/// An offset with an expiry of its own goes then; any other when it, or the empty group, is older than the
/// retention (KIP-211).
fn is_expired(value: &OffsetValue, group: &Group, now_ms: i64, retention_ms: i64) -> bool {
    let Some(base_ms) = group.offset_age_base(value.commit_ms) else { return false };
    match value.expire_ms {
        Some(expire_ms) => now_ms >= expire_ms,
        None => now_ms.saturating_sub(base_ms) >= retention_ms,
    }
}

fn offset_value(partition: &CommitPartition, now_ms: i64, expire_ms: Option<i64>) -> OffsetValue {
    OffsetValue {
        offset: partition.offset,
        leader_epoch: partition.leader_epoch,
        metadata: partition.metadata.as_deref().unwrap_or_default().into(),
        commit_ms: now_ms,
        expire_ms,
        topic_id: TopicId::ZERO,
    }
}

fn fetched(partition: i32, committed: Option<&Committed>, error: Option<ErrorCode>) -> FetchedPartition {
    FetchedPartition {
        topic_id: committed.map_or(TopicId::ZERO, |committed| committed.value.topic_id),
        partition,
        offset: committed.map_or(-1, |committed| committed.value.offset),
        leader_epoch: committed.map_or(-1, |committed| committed.value.leader_epoch),
        metadata: committed.map_or_else(|| "".into(), |committed| committed.value.metadata.clone()),
        error,
    }
}

fn keys_of<'a>(table: &'a Table, group: &str) -> impl Iterator<Item = (&'a TopicName, i32)> + use<'a> {
    let topics = table.by_group.get(group).into_iter().flatten();
    topics.flat_map(|(topic, partitions)| partitions.keys().map(move |partition| (topic, *partition)))
}

fn tombstone(group: &Arc<str>, topic: &TopicName, partition: i32) -> GroupRecord {
    GroupRecord::Offset { group: group.clone(), topic: topic.clone(), partition, value: None }
}
