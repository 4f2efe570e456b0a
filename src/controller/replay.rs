//! What each metadata record does to the image: the one way in which it changes, at start-up and at run time.
//! Records of kinds that nothing here interprets are kept as they stand. Never panics on any record.

use std::sync::Arc;

use bytes::Bytes;
use uuid::Uuid;

use super::command::Changes;
use super::image::{
    ConfigResource, DirectoryId, Image, KeptSubject, LastPlaced, PartitionImage, Replicas, ResourceKind,
    TopicImage,
};
use crate::types::{LeaderEpoch, NodeId, ProducerId, TopicId};
use crate::wire::records::RecordError;
use crate::wire::records::frame::Frame;
use crate::wire::records::metadata::{
    BrokerRegistrationChangeRecord, ClearElrRecord, ConfigRecord, FeatureLevelRecord, FenceBrokerRecord,
    MetadataRecord, NoOpRecord, PartitionChangeRecord, PartitionRecord, ProducerIdsRecord,
    RegisterBrokerRecord, RegisterControllerRecord, RemoveTopicRecord, TopicRecord, UnfenceBrokerRecord,
    UnregisterBrokerRecord,
};

/// `PartitionChangeRecord.leader` when it does not change.
const LEADER_UNCHANGED: i32 = -2;
/// `leader` when there is none.
const NO_LEADER: i32 = -1;
/// `leaderRecoveryState` of a leader that still recovers (KIP-704).
const RECOVERING: i8 = 1;
/// `PartitionChangeRecord.leaderRecoveryState` when it does not change.
const RECOVERY_UNCHANGED: i8 = -1;

/// Why a record does not fit what came before it. A journal in which that happens was not written by a controller.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The record's bytes are not a record.
    #[error("a metadata record cannot be read: {0}")]
    Record(#[from] RecordError),
    /// It speaks of a topic that is not there.
    #[error("a record speaks of topic id {0}, which no record has introduced")]
    NoTopic(TopicId),
    /// It speaks of a partition that is not there, or leaves one out.
    #[error("a record speaks of partition {partition} of topic {topic}, which has {have}")]
    NoPartition {
        /// The topic's name.
        topic: String,
        /// The partition's index.
        partition: i32,
        /// How many partitions the topic has.
        have: usize,
    },
    /// A second topic with the same name or id.
    #[error("topic {0} is introduced twice")]
    Twice(String),
}

/// A record of the journal, told apart by whether the image interprets it.
#[derive(Debug)]
pub(super) enum JournalRecord {
    /// It changes the image, or controls how the records around it do.
    Known(MetadataRecord),
    /// It stays as it is.
    Kept(Bytes),
}

/// Reads a record's frame, and its body only where the image interprets it: a version of a record that is merely
/// kept need not be known here. What is kept is copied, so that it does not pin the batch it stood in.
pub(super) fn read_record(bytes: Bytes) -> Result<JournalRecord, RecordError> {
    use crate::wire::records::metadata::{
        AbortTransactionRecord, BeginTransactionRecord, EndTransactionRecord,
    };
    match Frame::parse(&bytes)?.api_key {
        TopicRecord::API_KEY
        | PartitionRecord::API_KEY
        | ConfigRecord::API_KEY
        | PartitionChangeRecord::API_KEY
        | RemoveTopicRecord::API_KEY
        | FeatureLevelRecord::API_KEY
        | ProducerIdsRecord::API_KEY
        | NoOpRecord::API_KEY
        | ClearElrRecord::API_KEY
        | BeginTransactionRecord::API_KEY
        | EndTransactionRecord::API_KEY
        | AbortTransactionRecord::API_KEY => MetadataRecord::decode(&bytes).map(JournalRecord::Known),
        _ => Ok(JournalRecord::Kept(Bytes::copy_from_slice(&bytes))),
    }
}

/// The version at which a record of ours is written: the lowest that holds what is set.
pub(super) fn version_of(record: &MetadataRecord) -> i16 {
    let eligible = match record {
        MetadataRecord::Partition(record) => {
            record.eligible_leader_replicas.is_some() || record.last_known_elr.is_some()
        }
        MetadataRecord::PartitionChange(record) => {
            record.eligible_leader_replicas.is_some() || record.last_known_elr.is_some()
        }
        // Versions with cordoned directories, which are not served.
        MetadataRecord::RegisterBroker(record) if record.cordoned_log_dirs.is_none() => return 3,
        MetadataRecord::BrokerRegistrationChange(record) if record.cordoned_log_dirs.is_none() => return 2,
        other => return other.latest_version(),
    };
    if eligible { 2 } else { 1 }
}

impl Image {
    /// Applies one record and notes what it changed. Fails, with the image unchanged, when the record does not fit.
    pub(super) fn replay(
        &mut self,
        record: &MetadataRecord,
        changes: &mut Changes,
    ) -> Result<(), ReplayError> {
        match record {
            MetadataRecord::Topic(record) => self.replay_topic(record, changes)?,
            MetadataRecord::Partition(record) => self.replay_partition(record, changes)?,
            MetadataRecord::PartitionChange(record) => self.replay_partition_change(record, changes)?,
            MetadataRecord::RemoveTopic(record) => self.replay_remove_topic(record, changes)?,
            MetadataRecord::Config(record) => self.replay_config(record, changes),
            MetadataRecord::FeatureLevel(record) => {
                self.put_feature(record.name.clone(), record.feature_level);
            }
            MetadataRecord::ProducerIds(record) => {
                self.next_producer_id = self.next_producer_id.max(ProducerId(record.next_producer_id));
            }
            MetadataRecord::ClearElr(record) => self.replay_clear_elr(record, changes),
            MetadataRecord::RegisterBroker(_) | MetadataRecord::BrokerRegistrationChange(_) => {
                self.replay_kept(Bytes::from(record.encode(version_of(record))?));
                return Ok(());
            }
            // The journal's reader keeps the others as bytes, and resolves transactions before it replays.
            _ => {}
        }
        self.offset = self.offset.plus(1);
        Ok(())
    }

    /// Keeps a record that nothing here interprets, for the next snapshot. A broker's or controller's later
    /// registration takes the place of its earlier ones.
    pub(super) fn replay_kept(&mut self, bytes: Bytes) {
        self.offset = self.offset.plus(1);
        let subject = kept_subject(&bytes);
        match subject {
            Some((subject, Registration::New)) => self.forget(subject),
            Some((subject, Registration::Gone)) => return self.forget(subject),
            _ => {}
        }
        self.keep(bytes, subject.map(|(subject, _)| subject));
    }

    /// What the kept records tell of a node's registration.
    pub(super) fn registration_of(&self, node: NodeId) -> Option<BrokerRegistration> {
        let mut known: Option<BrokerRegistration> = None;
        let ids = |directories: &[Uuid]| directories.iter().copied().map(TopicId).collect();
        for record in self.kept_of(KeptSubject::Broker(node)) {
            match MetadataRecord::decode(record) {
                Ok(MetadataRecord::RegisterBroker(record)) => {
                    let directories = ids(&record.log_dirs);
                    known = Some(BrokerRegistration { epoch: record.broker_epoch, directories });
                }
                Ok(MetadataRecord::BrokerRegistrationChange(record)) if !record.log_dirs.is_empty() => {
                    if let Some(known) = &mut known {
                        known.directories = ids(&record.log_dirs);
                    }
                }
                _ => {}
            }
        }
        known
    }

    fn replay_topic(&mut self, record: &TopicRecord, changes: &mut Changes) -> Result<(), ReplayError> {
        let id = TopicId(record.topic_id);
        if self.topic(&record.name).is_some() || self.topic_by_id(id).is_some() {
            return Err(ReplayError::Twice(record.name.clone()));
        }
        let topic = TopicImage::new(record.name.as_str().into(), id);
        changes.topics.insert(id, topic.name.clone());
        self.put_topic(topic);
        Ok(())
    }

    fn replay_partition(
        &mut self,
        record: &PartitionRecord,
        changes: &mut Changes,
    ) -> Result<(), ReplayError> {
        let id = TopicId(record.topic_id);
        let partition = partition_image(record, &mut self.last_placed);
        self.change_topic(id, |topic| {
            let have = topic.partitions.len();
            match usize::try_from(record.partition_id).ok() {
                Some(index) if index == have => {
                    if have == 0 {
                        // Most topics have one, and there are many topics.
                        topic.partitions.reserve_exact(1);
                    }
                    topic.partitions.push(partition);
                }
                Some(index) if index < have => {
                    if let Some(slot) = topic.partitions.get_mut(index) {
                        *slot = partition;
                    }
                }
                _ => return Err(no_partition(topic, record.partition_id)),
            }
            changes.topics.insert(id, topic.name.clone());
            Ok(())
        })
        .ok_or(ReplayError::NoTopic(id))?
    }

    fn replay_partition_change(
        &mut self,
        record: &PartitionChangeRecord,
        changes: &mut Changes,
    ) -> Result<(), ReplayError> {
        let id = TopicId(record.topic_id);
        let mut last_placed = self.last_placed.clone();
        let changed = self.change_topic(id, |topic| {
            let slot = usize::try_from(record.partition_id).ok().and_then(|i| topic.partitions.get_mut(i));
            match slot {
                Some(partition) => merge(partition, record, &mut last_placed),
                None => return Err(no_partition(topic, record.partition_id)),
            }
            changes.topics.insert(id, topic.name.clone());
            Ok(())
        });
        self.last_placed = last_placed;
        changed.ok_or(ReplayError::NoTopic(id))?
    }

    fn replay_remove_topic(
        &mut self,
        record: &RemoveTopicRecord,
        changes: &mut Changes,
    ) -> Result<(), ReplayError> {
        let id = TopicId(record.topic_id);
        let topic = self.remove_topic(id).ok_or(ReplayError::NoTopic(id))?;
        changes.topics.remove(&id);
        let resource = ConfigResource::topic(&topic.name);
        changes.configs.remove(&resource);
        changes.deleted.push(topic);
        Ok(())
    }

    fn replay_config(&mut self, record: &ConfigRecord, changes: &mut Changes) {
        let resource =
            ConfigResource { kind: ResourceKind(record.resource_type), name: record.resource_name.clone() };
        changes.configs.insert(resource.clone());
        self.put_config(resource, record.name.clone(), record.value.clone());
    }

    /// Forgets the eligible leader replicas of one topic, or with an empty name of all (KIP-966).
    fn replay_clear_elr(&mut self, record: &ClearElrRecord, changes: &mut Changes) {
        let touched: Vec<TopicId> = self
            .topics()
            .filter(|topic| record.topic_name.is_empty() || *topic.name == *record.topic_name)
            .filter(|topic| topic.partitions.iter().any(has_eligible))
            .map(|topic| topic.id)
            .collect();
        for id in touched {
            self.change_topic(id, |topic| {
                for partition in topic.partitions.iter_mut().filter(|partition| has_eligible(partition)) {
                    let placed = Arc::make_mut(&mut partition.placed);
                    placed.eligible.clear();
                    placed.last_known_eligible.clear();
                    partition.partition_epoch = partition.partition_epoch.saturating_add(1);
                }
                changes.topics.insert(id, topic.name.clone());
            });
        }
    }
}

fn has_eligible(partition: &PartitionImage) -> bool {
    !partition.eligible.is_empty() || !partition.last_known_eligible.is_empty()
}

fn no_partition(topic: &TopicImage, partition: i32) -> ReplayError {
    ReplayError::NoPartition { topic: topic.name.to_string(), partition, have: topic.partitions.len() }
}

fn leader(id: i32) -> Option<NodeId> {
    (id != NO_LEADER).then_some(NodeId(id))
}

fn nodes(ids: &[i32]) -> Vec<NodeId> {
    ids.iter().copied().map(NodeId).collect()
}

fn partition_image(record: &PartitionRecord, last_placed: &mut LastPlaced) -> PartitionImage {
    PartitionImage {
        leader: leader(record.leader),
        leader_epoch: LeaderEpoch(record.leader_epoch),
        partition_epoch: record.partition_epoch,
        recovering: record.leader_recovery_state == RECOVERING,
        placed: last_placed.share(replicas_of(record)),
    }
}

fn replicas_of(record: &PartitionRecord) -> Replicas {
    Replicas {
        replicas: nodes(&record.replicas),
        isr: nodes(&record.isr),
        removing: nodes(&record.removing_replicas),
        adding: nodes(&record.adding_replicas),
        eligible: nodes(record.eligible_leader_replicas.as_deref().unwrap_or_default()),
        last_known_eligible: nodes(record.last_known_elr.as_deref().unwrap_or_default()),
        directories: record.directories.iter().copied().map(TopicId).collect(),
    }
}

/// Kafka's rule: a leader that is named, be it the same one, bumps the leader epoch; every change bumps the
/// partition epoch. Neither stands in the record.
fn merge(partition: &mut PartitionImage, record: &PartitionChangeRecord, last_placed: &mut LastPlaced) {
    if record.leader != LEADER_UNCHANGED {
        partition.leader = leader(record.leader);
        partition.leader_epoch = LeaderEpoch(partition.leader_epoch.0.saturating_add(1));
    }
    partition.partition_epoch = partition.partition_epoch.saturating_add(1);
    if record.leader_recovery_state != RECOVERY_UNCHANGED {
        partition.recovering = record.leader_recovery_state == RECOVERING;
    }
    let mut placed = Replicas::clone(&partition.placed);
    let lists = [
        (&mut placed.isr, &record.isr),
        (&mut placed.replicas, &record.replicas),
        (&mut placed.removing, &record.removing_replicas),
        (&mut placed.adding, &record.adding_replicas),
        (&mut placed.eligible, &record.eligible_leader_replicas),
        (&mut placed.last_known_eligible, &record.last_known_elr),
    ];
    for (list, change) in lists {
        if let Some(ids) = change {
            *list = nodes(ids);
        }
    }
    if let Some(directories) = &record.directories {
        placed.directories = directories.iter().copied().map(TopicId).collect();
    } else if record.replicas.is_some() {
        // New replicas are in no directory that anyone has told of yet.
        placed.directories.resize(placed.replicas.len(), TopicId::ZERO);
    }
    if placed != *partition.placed {
        partition.placed = last_placed.share(placed);
    }
}

/// What a partition's state is as a record of its own: for snapshots.
pub(super) fn partition_record(topic: TopicId, index: i32, partition: &PartitionImage) -> PartitionRecord {
    let ids = |nodes: &[NodeId]| nodes.iter().map(|node| node.0).collect::<Vec<_>>();
    let some_ids = |nodes: &[NodeId]| (!nodes.is_empty()).then(|| ids(nodes));
    PartitionRecord {
        partition_id: index,
        topic_id: topic.0,
        replicas: ids(&partition.replicas),
        isr: ids(&partition.isr),
        removing_replicas: ids(&partition.removing),
        adding_replicas: ids(&partition.adding),
        leader: partition.leader.map_or(NO_LEADER, |node| node.0),
        leader_recovery_state: if partition.recovering { RECOVERING } else { 0 },
        leader_epoch: partition.leader_epoch.0,
        partition_epoch: partition.partition_epoch,
        directories: partition.directories.iter().map(|id| id.0).collect(),
        eligible_leader_replicas: some_ids(&partition.eligible),
        last_known_elr: some_ids(&partition.last_known_eligible),
    }
}

/// A broker's registration as far as it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BrokerRegistration {
    /// The broker's epoch.
    pub(super) epoch: i64,
    /// The data directories that it could use (KIP-858).
    pub(super) directories: Vec<DirectoryId>,
}

/// What a registration's record means for the ones before it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Registration {
    New,
    Changed,
    Gone,
}

fn kept_subject(bytes: &[u8]) -> Option<(KeptSubject, Registration)> {
    let api_key = Frame::parse(bytes).ok()?.api_key;
    let decoded = match api_key {
        RegisterBrokerRecord::API_KEY
        | UnregisterBrokerRecord::API_KEY
        | FenceBrokerRecord::API_KEY
        | UnfenceBrokerRecord::API_KEY
        | BrokerRegistrationChangeRecord::API_KEY
        | RegisterControllerRecord::API_KEY => MetadataRecord::decode(bytes).ok()?,
        _ => return None,
    };
    Some(match decoded {
        MetadataRecord::RegisterBroker(record) => {
            (KeptSubject::Broker(NodeId(record.broker_id)), Registration::New)
        }
        MetadataRecord::UnregisterBroker(record) => {
            (KeptSubject::Broker(NodeId(record.broker_id)), Registration::Gone)
        }
        MetadataRecord::FenceBroker(record) => {
            (KeptSubject::Broker(NodeId(record.id)), Registration::Changed)
        }
        MetadataRecord::UnfenceBroker(record) => {
            (KeptSubject::Broker(NodeId(record.id)), Registration::Changed)
        }
        MetadataRecord::BrokerRegistrationChange(record) => {
            (KeptSubject::Broker(NodeId(record.broker_id)), Registration::Changed)
        }
        MetadataRecord::RegisterController(record) => {
            (KeptSubject::Controller(NodeId(record.controller_id)), Registration::New)
        }
        _ => return None,
    })
}
