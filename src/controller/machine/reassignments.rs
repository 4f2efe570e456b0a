//! Decisions on where replicas are (KIP-455, KIP-860). A reassignment is complete when the replicas that it adds are in
//! sync; until then it stands in the partition.

use std::collections::HashSet;

use super::directories::UNASSIGNED;
use super::elections::{no_partition, no_topic};
use super::{Effects, Machine};
use crate::controller::command::{ApiError, Outcome, Reassignment, Reply, TopicIdPartition};
use crate::controller::image::PartitionImage;
use crate::controller::replay::ReplayError;
use crate::types::{ErrorCode, NodeId, TopicId};
use crate::wire::records::metadata::{MetadataRecord, PartitionChangeRecord};

/// How a partition's replicas shall be.
struct Placement {
    replicas: Vec<NodeId>,
    isr: Vec<NodeId>,
    adding: Vec<NodeId>,
    removing: Vec<NodeId>,
}

impl Machine {
    pub(super) fn handle_alter_reassignments(
        &mut self,
        partitions: &[Reassignment],
        allow_factor_change: bool,
    ) -> Result<Effects, ReplayError> {
        let mut records = Vec::new();
        let mut changed = HashSet::new();
        let outcomes = partitions
            .iter()
            .map(|wanted| {
                if let Some((at, record)) = self.reassign(wanted, allow_factor_change)?
                    && changed.insert(at)
                {
                    records.push(record);
                }
                Ok(())
            })
            .collect();
        self.effects(records, Reply::AlterReassignments(outcomes))
    }

    /// What changes, if anything does.
    fn reassign(
        &self,
        wanted: &Reassignment,
        allow_factor_change: bool,
    ) -> Outcome<Option<(TopicIdPartition, MetadataRecord)>> {
        let Reassignment { topic: name, partition: index, replicas } = wanted;
        let topic = self.head.topic(name).ok_or_else(no_topic)?;
        let partition = topic.partition(*index).ok_or_else(|| no_partition(*index))?;
        let placement = match replicas {
            Some(replicas) => self.place_on(partition, replicas, allow_factor_change)?,
            None => taken_back(partition)?,
        };
        let at = TopicIdPartition { topic_id: topic.id, partition: *index };
        Ok(self.moved(at, partition, &placement).map(|record| (at, record)))
    }

    fn place_on(
        &self,
        partition: &PartitionImage,
        target: &[NodeId],
        allow_factor_change: bool,
    ) -> Outcome<Placement> {
        self.check_assignment(target, None)?;
        let settled = partition.replicas.iter().filter(|node| !partition.removing.contains(node)).count();
        if !allow_factor_change && settled != target.len() {
            let message = format!("{} replicas are asked for where there are {settled}", target.len());
            return Err(ApiError::new(ErrorCode::InvalidReplicationFactor, message));
        }
        let without = |nodes: &[NodeId], others: &[NodeId]| -> Vec<NodeId> {
            nodes.iter().copied().filter(|node| !others.contains(node)).collect()
        };
        let is_new = |node: &NodeId| {
            let lags = partition.adding.contains(node) && !partition.isr.contains(node);
            lags || !partition.replicas.contains(node)
        };
        let adding: Vec<NodeId> = target.iter().copied().filter(is_new).collect();
        let removing = without(&partition.replicas, target);
        let isr = without(&partition.isr, &removing);
        if adding.is_empty() && !isr.is_empty() {
            return Ok(Placement { replicas: target.to_vec(), isr, adding, removing: Vec::new() });
        }
        let replicas = target.iter().chain(&removing).copied().collect();
        Ok(Placement { replicas, isr: partition.isr.clone(), adding, removing })
    }

    /// The record that brings a partition to this placement; `None` when it is there.
    fn moved(
        &self,
        at: TopicIdPartition,
        partition: &PartitionImage,
        to: &Placement,
    ) -> Option<MetadataRecord> {
        let ids = |nodes: &[NodeId]| nodes.iter().map(|node| node.0).collect::<Vec<i32>>();
        let change = |from: &[NodeId], to: &[NodeId]| (from != to).then(|| ids(to));
        let replicas = change(&partition.replicas, &to.replicas);
        let mut record = PartitionChangeRecord {
            partition_id: at.partition,
            topic_id: at.topic_id.0,
            isr: change(&partition.isr, &to.isr),
            removing_replicas: change(&partition.removing, &to.removing),
            adding_replicas: change(&partition.adding, &to.adding),
            directories: replicas.as_ref().map(|_| self.directories(partition, &to.replicas)),
            ..PartitionChangeRecord::default()
        };
        let loses_replicas = partition.replicas.iter().any(|node| !to.replicas.contains(node));
        if loses_replicas {
            // A replica that is gone must not go on reading as if it were one: the epoch rises.
            let stays = partition.leader.filter(|leader| to.replicas.contains(leader));
            record.leader = stays.or(to.isr.first().copied()).map_or(NO_LEADER, |leader| leader.0);
        }
        let changes = replicas.is_some()
            || record.isr.is_some()
            || record.removing_replicas.is_some()
            || record.adding_replicas.is_some();
        record.replicas = replicas;
        changes.then_some(MetadataRecord::PartitionChange(record))
    }

    /// The directory of each of these replicas.
    fn directories(&self, partition: &PartitionImage, replicas: &[NodeId]) -> Vec<uuid::Uuid> {
        let directory = |node: &NodeId| {
            let known =
                partition.replicas.iter().zip(&partition.directories).find(|(known, _)| *known == node);
            match known {
                Some((_, directory)) => *directory,
                None if *node == self.settings.node => UNASSIGNED,
                None => TopicId::ZERO,
            }
        };
        replicas.iter().map(|node| directory(node).0).collect()
    }
}

/// `PartitionChangeRecord.leader` when there is none.
const NO_LEADER: i32 = -1;

/// The placement before the reassignment that is under way.
fn taken_back(partition: &PartitionImage) -> Outcome<Placement> {
    if partition.adding.is_empty() && partition.removing.is_empty() {
        return Err(ErrorCode::NoReassignmentInProgress.into());
    }
    let settled = |nodes: &[NodeId]| -> Vec<NodeId> {
        nodes.iter().copied().filter(|node| !partition.adding.contains(node)).collect()
    };
    let (replicas, isr) = (settled(&partition.replicas), settled(&partition.isr));
    if isr.is_empty() {
        let message = "only replicas that the reassignment added are in sync";
        return Err(ApiError::new(ErrorCode::InvalidReplicaAssignment, message));
    }
    Ok(Placement { replicas, isr, adding: Vec::new(), removing: Vec::new() })
}
