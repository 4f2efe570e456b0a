//! Decisions on partitions: where replicas go, more partitions, elections, and blocks of producer ids.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::directories::UNASSIGNED;
use super::{Effects, Machine, PRODUCER_ID_BLOCK, RECORDS_PER_COMMAND_MAX};
use crate::controller::command::{
    ApiError, NewPartitions, NewTopic, Outcome, ProducerIdBlock, Reply, TopicIdPartition,
};
use crate::controller::image::{PartitionImage, Replicas};
use crate::controller::replay::{ReplayError, partition_record};
use crate::types::{ErrorCode, LeaderEpoch, NodeId, ProducerId, TopicId};
use crate::wire::records::metadata::{MetadataRecord, PartitionChangeRecord, ProducerIdsRecord};

impl Machine {
    /// The partitions that a new topic begins with.
    pub(super) fn new_partitions(&self, topic: &NewTopic) -> Outcome<Vec<PartitionImage>> {
        if !topic.assignments.is_empty() {
            return self.assigned_partitions(topic);
        }
        if topic.replication_factor < -1 || topic.replication_factor == 0 {
            let message = "the replication factor must be above 0, or -1 for the default";
            return Err(ApiError::new(ErrorCode::InvalidReplicationFactor, message));
        }
        if topic.partitions < -1 || topic.partitions == 0 {
            let message = "the number of partitions must be above 0, or -1 for the default";
            return Err(ApiError::new(ErrorCode::InvalidPartitions, message));
        }
        let or_default = |value: i32, default: i32| if value == -1 { default } else { value };
        let count = or_default(topic.partitions, self.settings.num_partitions);
        let factor = or_default(
            i32::from(topic.replication_factor),
            i32::from(self.settings.default_replication_factor),
        );
        self.place(0, count, factor)
    }

    fn assigned_partitions(&self, topic: &NewTopic) -> Outcome<Vec<PartitionImage>> {
        for (given, what) in [
            (i32::from(topic.replication_factor), "the replication factor"),
            (topic.partitions, "the number of partitions"),
        ] {
            if given != -1 {
                let message = format!("partitions are assigned by hand, so {what} must be -1");
                return Err(ApiError::new(ErrorCode::InvalidRequest, message));
            }
        }
        let invalid = |message: String| ApiError::new(ErrorCode::InvalidReplicaAssignment, message);
        let mut factor = None;
        let mut placed = BTreeMap::new();
        for (index, replicas) in &topic.assignments {
            let partition = self.assigned_partition(*index, replicas, factor)?;
            factor = Some(replicas.len());
            if placed.insert(*index, partition).is_some() {
                return Err(invalid(format!("partition {index} is assigned more than once")));
            }
        }
        if placed.keys().zip(0..).any(|(&index, expected)| index != expected) {
            return Err(invalid("the assigned partitions are not numbered from 0 without gaps".to_owned()));
        }
        Ok(placed.into_values().collect())
    }

    /// A partition on replicas that a client chose; `factor` is what the topic's other partitions have.
    fn assigned_partition(
        &self,
        index: i32,
        replicas: &[NodeId],
        factor: Option<usize>,
    ) -> Outcome<PartitionImage> {
        self.check_assignment(replicas, factor)?;
        self.partition_on(replicas).ok_or_else(|| {
            let message = format!("no broker that partition {index} is assigned to is alive");
            ApiError::new(ErrorCode::InvalidReplicaAssignment, message)
        })
    }

    /// Whether a client may put a partition on these replicas; `factor` is what the topic's other partitions have.
    pub(super) fn check_assignment(&self, replicas: &[NodeId], factor: Option<usize>) -> Outcome<()> {
        let invalid = |message: String| Err(ApiError::new(ErrorCode::InvalidReplicaAssignment, message));
        if replicas.is_empty() {
            return invalid("a manual assignment has no replicas".to_owned());
        }
        let mut seen = HashSet::new();
        for node in replicas {
            if !self.head.brokers().contains_key(node) {
                return invalid(format!("a manual assignment names broker {node}, which is not registered"));
            }
            if !seen.insert(node) {
                return invalid(format!("a manual assignment names broker {node} more than once"));
            }
        }
        if let Some(factor) = factor.filter(|&factor| factor != replicas.len()) {
            let have = replicas.len();
            return invalid(format!(
                "a partition is assigned to {have} replicas, the ones before it to {factor}"
            ));
        }
        Ok(())
    }

    /// A new partition on these replicas; `None` when none of them is alive.
    fn partition_on(&self, replicas: &[NodeId]) -> Option<PartitionImage> {
        let alive = |node: &NodeId| self.head.brokers().get(node).is_some_and(|broker| !broker.fenced);
        let isr: Vec<NodeId> = replicas.iter().copied().filter(alive).collect();
        let own = |node: &NodeId| {
            if *node == self.settings.node { UNASSIGNED } else { TopicId::ZERO }
        };
        Some(PartitionImage {
            leader: Some(*isr.first()?),
            leader_epoch: LeaderEpoch(0),
            partition_epoch: 0,
            recovering: false,
            placed: Arc::new(Replicas {
                directories: replicas.iter().map(own).collect(),
                replicas: replicas.to_vec(),
                isr,
                ..Replicas::default()
            }),
        })
    }

    /// Places `count` partitions from index `first` on: leaders go round the live brokers, followers follow.
    fn place(&self, first: usize, count: i32, factor: i32) -> Outcome<Vec<PartitionImage>> {
        let refused = |message: String| ApiError::new(ErrorCode::InvalidReplicationFactor, message);
        let alive: Vec<NodeId> =
            self.head.brokers().values().filter(|broker| !broker.fenced).map(|broker| broker.id).collect();
        let factor = usize::try_from(factor).unwrap_or(0);
        if factor == 0 || factor > alive.len() {
            let have = alive.len();
            return Err(refused(format!("{factor} replicas are asked for, but {have} brokers are alive")));
        }
        let count = usize::try_from(count).unwrap_or(0);
        let partition = |index: usize| {
            let start = index % alive.len();
            let replicas: Vec<NodeId> = alive.iter().cycle().skip(start).take(factor).copied().collect();
            self.partition_on(&replicas).ok_or_else(|| refused("no broker is alive".to_owned()))
        };
        (first..first.saturating_add(count)).map(partition).collect()
    }

    pub(super) fn handle_create_partitions(
        &mut self,
        topics: &[NewPartitions],
        validate_only: bool,
    ) -> Result<Effects, ReplayError> {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for topic in topics {
            *counts.entry(&topic.name).or_default() += 1;
        }
        let mut records = Vec::new();
        let outcomes = topics
            .iter()
            .map(|topic| {
                if counts.get(topic.name.as_str()).is_some_and(|&count| count > 1) {
                    let message = "the topic is named more than once in the request";
                    return Err(ApiError::new(ErrorCode::InvalidRequest, message));
                }
                self.create_partitions(topic, &mut records)
            })
            .collect();
        if validate_only {
            records.clear();
        }
        self.effects(records, Reply::CreatePartitions(outcomes))
    }

    fn create_partitions(&self, wanted: &NewPartitions, records: &mut Vec<MetadataRecord>) -> Outcome<()> {
        let topic = self.head.topic(&wanted.name).ok_or(ErrorCode::UnknownTopicOrPartition)?;
        let have = topic.partitions.len();
        let count = usize::try_from(wanted.count).unwrap_or(0);
        if count <= have {
            let message =
                format!("topic '{}' has {have} partitions, so {} is no increase", topic.name, wanted.count);
            return Err(ApiError::new(ErrorCode::InvalidPartitions, message));
        }
        let more = count - have;
        if records.len().saturating_add(more) > RECORDS_PER_COMMAND_MAX {
            let message =
                format!("one request may not create more than {RECORDS_PER_COMMAND_MAX} partitions");
            return Err(ApiError::new(ErrorCode::PolicyViolation, message));
        }
        let factor = topic.replication_factor();
        let partitions = match &wanted.assignments {
            Some(assignments) => {
                if assignments.len() != more {
                    let given = assignments.len();
                    let message = format!("{more} partitions are to be added, but {given} are assigned");
                    return Err(ApiError::new(ErrorCode::InvalidReplicaAssignment, message));
                }
                let factor = usize::try_from(factor).ok();
                let one =
                    |(index, replicas): (i32, &Vec<NodeId>)| self.assigned_partition(index, replicas, factor);
                let first = i32::try_from(have).unwrap_or(i32::MAX);
                (first..).zip(assignments).map(one).collect::<Outcome<Vec<_>>>()?
            }
            None => self.place(have, i32::try_from(more).unwrap_or(i32::MAX), i32::from(factor))?,
        };
        for (index, partition) in (have..).zip(&partitions) {
            let index = i32::try_from(index).unwrap_or(i32::MAX);
            records.push(MetadataRecord::Partition(partition_record(topic.id, index, partition)));
        }
        Ok(())
    }

    pub(super) fn handle_allocate_producer_ids(&mut self) -> Result<Effects, ReplayError> {
        let first = self.head.next_producer_id;
        let Some(next) = first.0.checked_add(PRODUCER_ID_BLOCK) else {
            let error = ApiError::new(ErrorCode::UnknownServerError, "all producer ids are used up");
            return self.effects(Vec::new(), Reply::AllocateProducerIds(Err(error)));
        };
        let record = ProducerIdsRecord {
            broker_id: self.settings.node.0,
            next_producer_id: ProducerId(next).0,
            ..ProducerIdsRecord::default()
        };
        let block = ProducerIdBlock { first, count: PRODUCER_ID_BLOCK };
        self.effects(vec![MetadataRecord::ProducerIds(record)], Reply::AllocateProducerIds(Ok(block)))
    }

    pub(super) fn handle_raise_leader_epochs(
        &mut self,
        partitions: &[TopicIdPartition],
    ) -> Result<Effects, ReplayError> {
        let find = |at: &TopicIdPartition| {
            self.head.topic_by_id(at.topic_id).and_then(|topic| topic.partition(at.partition))
        };
        let mut elected = HashSet::new();
        let mut records = Vec::new();
        for at in partitions {
            // A partition that is named twice rises once: the caller saw one recovery.
            if let Some(partition) = find(at).filter(|_| elected.insert(*at)) {
                let leader = partition.leader.unwrap_or(self.settings.node);
                records.push(election(*at, leader, partition));
            }
        }
        let mut effects = self.effects(records, Reply::RaiseLeaderEpochs(Vec::new()))?;
        let answer = |at: &TopicIdPartition| {
            let topic = self.head.topic_by_id(at.topic_id).ok_or(ErrorCode::UnknownTopicId)?;
            let partition = topic.partition(at.partition).ok_or(ErrorCode::UnknownTopicOrPartition)?;
            Ok(partition.leader_epoch)
        };
        effects.reply = Reply::RaiseLeaderEpochs(partitions.iter().map(answer).collect());
        Ok(effects)
    }
}

/// Elects `leader`, alone in sync when the partition had no leader.
pub(super) fn election(at: TopicIdPartition, leader: NodeId, partition: &PartitionImage) -> MetadataRecord {
    let led = partition.leader.is_some();
    let clear = |list: &[NodeId]| (!list.is_empty() && !led).then(Vec::new);
    MetadataRecord::PartitionChange(PartitionChangeRecord {
        partition_id: at.partition,
        topic_id: at.topic_id.0,
        leader: leader.0,
        isr: (!led).then(|| vec![leader.0]),
        leader_recovery_state: if partition.recovering { 0 } else { -1 },
        eligible_leader_replicas: clear(&partition.eligible),
        last_known_elr: clear(&partition.last_known_eligible),
        ..PartitionChangeRecord::default()
    })
}
