//! Decisions on which data directory of this node a partition is in (KIP-858): chosen when the partition is made,
//! corrected when it was found elsewhere. While its directory is offline a partition has no leader, and it is never made
//! anew in another one. Pure.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::partitions::election;
use super::{Effects, Machine, SUPPORTED_FEATURES, TopicIds};
use crate::controller::command::{Changes, Reply, TopicIdPartition};
use crate::controller::image::{DirectoryId, PartitionImage};
use crate::controller::replay::ReplayError;
use crate::types::TopicId;
use crate::wire::records::metadata::{
    BrokerFeature, BrokerRegistrationChangeRecord, MetadataRecord, PartitionChangeRecord,
    RegisterBrokerRecord,
};

/// Reserved: a directory that was chosen before directories were told.
const MIGRATING: DirectoryId = TopicId::ZERO;
/// Reserved: none is chosen yet.
pub(super) const UNASSIGNED: DirectoryId = TopicId(Uuid::from_u128(1));
/// The feature under which a partition's last replica in sync becomes an eligible leader replica (KIP-966).
const ELIGIBLE_LEADER_REPLICAS: &str = "eligible.leader.replicas.version";

/// This node's directories that can be used.
#[derive(Debug)]
pub(super) struct Directories {
    /// Their ids, in the order of `log.dirs`.
    pub(super) online: Vec<DirectoryId>,
    /// How many `log.dirs` names.
    configured: usize,
    /// How many partitions are in each; `None` until somebody has to know.
    counts: Option<Vec<usize>>,
}

impl Directories {
    pub(super) fn new(online: Vec<DirectoryId>, configured: usize) -> Self {
        Self { online, configured, counts: None }
    }

    fn are_all_online(&self) -> bool {
        self.online.len() >= self.configured
    }

    /// The counts are found out again when they are needed.
    pub(super) fn forget_counts(&mut self) {
        self.counts = None;
    }
}

impl Machine {
    /// The directory of this node's replica; `MIGRATING` when no record tells.
    pub(super) fn own_directory(&self, partition: &PartitionImage) -> DirectoryId {
        partition.directory_of(self.settings.node).unwrap_or(MIGRATING)
    }

    /// Whether this node can use the directory of its replica.
    pub(super) fn has_online(&self, partition: &PartitionImage) -> bool {
        self.directories.online.contains(&self.own_directory(partition))
    }

    /// Chooses a directory for each replica of this node that has none: the one with the fewest partitions, the first
    /// of these.
    pub(super) fn choose_directories(&mut self, records: &mut [MetadataRecord]) {
        for record in records {
            let Some((replicas, mut directories)) = self.placed_by(record) else { continue };
            for (replica, directory) in replicas.iter().zip(&mut directories) {
                if *replica == self.settings.node.0
                    && *directory == UNASSIGNED.0
                    && let Some(chosen) = self.choose_directory()
                {
                    *directory = chosen.0;
                }
            }
            match record {
                MetadataRecord::Partition(record) => record.directories = directories,
                MetadataRecord::PartitionChange(record) => record.directories = Some(directories),
                _ => {}
            }
        }
    }

    /// The replicas and directories after a record that leaves one of them unassigned.
    fn placed_by(&self, record: &MetadataRecord) -> Option<(Vec<i32>, Vec<Uuid>)> {
        let (replicas, directories) = match record {
            MetadataRecord::Partition(record) => (record.replicas.clone(), record.directories.clone()),
            MetadataRecord::PartitionChange(record) => {
                let known = || {
                    let topic = self.head.topic_by_id(TopicId(record.topic_id))?;
                    let partition = topic.partition(record.partition_id)?;
                    Some(partition.replicas.iter().map(|node| node.0).collect())
                };
                (record.replicas.clone().or_else(known)?, record.directories.clone()?)
            }
            _ => return None,
        };
        directories.contains(&UNASSIGNED.0).then_some((replicas, directories))
    }

    fn choose_directory(&mut self) -> Option<DirectoryId> {
        if let [only] = self.directories.online[..] {
            return Some(only);
        }
        let mut counts = self.directories.counts.take().unwrap_or_else(|| self.count_partitions());
        let chosen = counts.iter_mut().zip(&self.directories.online).min_by_key(|(count, _)| **count);
        let chosen = chosen.map(|(count, directory)| {
            *count += 1;
            *directory
        });
        self.directories.counts = Some(counts);
        chosen
    }

    fn count_partitions(&self) -> Vec<usize> {
        let mut counts: HashMap<DirectoryId, usize> = HashMap::new();
        for partition in self.head.topics().flat_map(|topic| &topic.partitions) {
            *counts.entry(self.own_directory(partition)).or_default() += 1;
        }
        self.directories.online.iter().map(|id| counts.get(id).copied().unwrap_or(0)).collect()
    }

    /// Keeps the counts true after a change; what was chosen is counted already.
    pub(super) fn note_directories(&mut self, records: &[MetadataRecord], changes: &Changes) {
        let moves = |record: &MetadataRecord| matches!(record, MetadataRecord::PartitionChange(record) if record.directories.is_some());
        if records.iter().any(moves) {
            self.directories.forget_counts();
        }
        let Some(mut counts) = self.directories.counts.take() else { return };
        for partition in changes.deleted.iter().flat_map(|topic| &topic.partitions) {
            let own = self.own_directory(partition);
            let known = self.directories.online.iter().zip(&mut counts).find(|(id, _)| **id == own);
            if let Some((_, count)) = known {
                *count = count.saturating_sub(1);
            }
        }
        self.directories.counts = Some(counts);
    }

    /// Settles at the start where this node's partitions are, `found` being those that lie elsewhere than the journal
    /// says, and elects this node where that can be used: Kafka leaves every partition without a leader at a clean
    /// stop, its last in-sync replicas eligible.
    pub(super) fn handle_take_over(
        &mut self,
        found: &[(TopicIdPartition, DirectoryId)],
        ids: TopicIds<'_>,
    ) -> Result<Effects, ReplayError> {
        let found: HashMap<_, _> = found.iter().copied().collect();
        let is_known = self.settings.metadata_among_them || !found.is_empty();
        let adopts = is_known && self.directories.configured <= 1 && self.registered().len() <= 1;
        let mut records: Vec<_> = self.registration(ids).into_iter().collect();
        let mut elected = 0;
        for topic in self.head.topics() {
            for (index, partition) in (0..).zip(&topic.partitions) {
                if !partition.replicas.contains(&self.settings.node) {
                    continue;
                }
                let at = TopicIdPartition { topic_id: topic.id, partition: index };
                let usable = found.get(&at).copied().or_else(|| self.usable(partition, adopts));
                elected += usize::from(usable.is_some() && partition.leader.is_none());
                records.extend(self.settled(at, partition, usable));
            }
        }
        self.effects(records, Reply::TakeOver(elected))
    }

    /// The directory that a partition which lies nowhere is to be in; `None` when it may lie in one that is offline.
    /// With `adopts` there can be no other than the one that is there, by what lies in it: its id was lost.
    fn usable(&self, partition: &PartitionImage, adopts: bool) -> Option<DirectoryId> {
        let recorded = self.own_directory(partition);
        if self.directories.online.contains(&recorded) {
            return Some(recorded);
        }
        let is_free = adopts || recorded == UNASSIGNED || recorded == MIGRATING;
        (is_free && self.directories.are_all_online()).then_some(UNASSIGNED)
    }

    fn settled(
        &self,
        at: TopicIdPartition,
        partition: &PartitionImage,
        usable: Option<DirectoryId>,
    ) -> Option<MetadataRecord> {
        let node = self.settings.node;
        let Some(usable) = usable else {
            return (partition.leader == Some(node)).then(|| self.without_leader(at, partition));
        };
        let moves = usable == UNASSIGNED || usable != self.own_directory(partition);
        if partition.leader.is_some() && !moves {
            return None;
        }
        let mut record = match partition.leader {
            None => election(at, node, partition),
            Some(_) => change_of(at),
        };
        if let MetadataRecord::PartitionChange(record) = &mut record
            && moves
        {
            let known = partition.directories.iter().map(|id| id.0).chain(std::iter::repeat(MIGRATING.0));
            let directory = |(replica, known)| if replica == node { usable.0 } else { known };
            record.directories = Some(partition.replicas.iter().copied().zip(known).map(directory).collect());
        }
        Some(record)
    }

    /// A directory failed: it is not used until the next start, and these of its partitions lose their leader.
    pub(super) fn handle_fail_directory(
        &mut self,
        directory: DirectoryId,
        partitions: &[TopicIdPartition],
        ids: TopicIds<'_>,
    ) -> Result<Effects, ReplayError> {
        self.directories.online.retain(|online| *online != directory);
        self.directories.forget_counts();
        let mut records: Vec<_> = self.registration(ids).into_iter().collect();
        for at in partitions {
            let partition =
                self.head.topic_by_id(at.topic_id).and_then(|topic| topic.partition(at.partition));
            if let Some(partition) = partition
                && partition.leader == Some(self.settings.node)
                && self.own_directory(partition) == directory
            {
                records.push(self.without_leader(*at, partition));
            }
        }
        self.effects(records, Reply::FailDirectory)
    }

    /// Takes the leader from a partition whose last replica cannot be used. As with Kafka that one stays in sync, or
    /// with the feature for it becomes eligible.
    fn without_leader(&self, at: TopicIdPartition, partition: &PartitionImage) -> MetadataRecord {
        let mut record = change_of(at);
        if let MetadataRecord::PartitionChange(change) = &mut record {
            change.leader = NO_LEADER;
            if self.head.features().get(ELIGIBLE_LEADER_REPLICAS).is_some_and(|level| *level > 0) {
                let own = vec![self.settings.node.0];
                change.isr = Some(Vec::new());
                change.eligible_leader_replicas = (partition.eligible.is_empty()).then(|| own.clone());
                change.last_known_elr = Some(own);
            }
        }
        record
    }

    /// The directories that this node was last registered with.
    fn registered(&self) -> Vec<DirectoryId> {
        let registered = self.head.registration_of(self.settings.node);
        registered.map(|registered| registered.directories).unwrap_or_default()
    }

    /// What tells which directories this node has, unless the journal does (`RegisterBrokerRecord.LogDirs`). A node
    /// that nobody registered is fenced for a real Kafka, which then need not wait for the end of its session.
    fn registration(&self, ids: TopicIds<'_>) -> Option<MetadataRecord> {
        let (node, online) = (self.settings.node.0, &self.directories.online);
        let log_dirs = || online.iter().map(|id| id.0).collect::<Vec<_>>();
        let Some(known) = self.head.registration_of(self.settings.node) else {
            let feature = |feature: &super::Feature| BrokerFeature {
                name: feature.name.to_owned(),
                min_supported_version: feature.min,
                max_supported_version: feature.max,
            };
            return Some(MetadataRecord::RegisterBroker(RegisterBrokerRecord {
                broker_id: node,
                incarnation_id: ids().0,
                broker_epoch: self.head.offset.0,
                features: SUPPORTED_FEATURES.iter().map(feature).collect(),
                fenced: true,
                log_dirs: log_dirs(),
                ..RegisterBrokerRecord::default()
            }));
        };
        if known.directories.iter().collect::<HashSet<_>>() == online.iter().collect() {
            return None;
        }
        Some(MetadataRecord::BrokerRegistrationChange(BrokerRegistrationChangeRecord {
            broker_id: node,
            broker_epoch: known.epoch,
            log_dirs: log_dirs(),
            ..BrokerRegistrationChangeRecord::default()
        }))
    }
}

/// `PartitionChangeRecord.leader` when there is none.
const NO_LEADER: i32 = -1;

fn change_of(at: TopicIdPartition) -> MetadataRecord {
    MetadataRecord::PartitionChange(PartitionChangeRecord {
        partition_id: at.partition,
        topic_id: at.topic_id.0,
        ..PartitionChangeRecord::default()
    })
}
