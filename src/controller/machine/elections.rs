//! Decisions on leaders that a client asks for (KIP-183, KIP-460). Nothing is elected where the right one leads already.

use std::collections::HashSet;

use super::partitions::election;
use super::{Effects, Machine};
use crate::controller::command::{
    ApiError, ElectedTopic, ElectionKind, Outcome, Reply, TopicIdPartition, TopicPartitions,
};
use crate::controller::image::{PartitionImage, TopicImage};
use crate::controller::replay::ReplayError;
use crate::types::{ErrorCode, NodeId};
use crate::wire::records::metadata::MetadataRecord;

/// What the elections of one command made so far.
#[derive(Default)]
struct Elected {
    records: Vec<MetadataRecord>,
    partitions: HashSet<TopicIdPartition>,
}

/// A topic that is not there. A client's name may be long and stands in the answer anyway: repeated for each of many
/// partitions it would make the answer much larger than the request.
pub(super) fn no_topic() -> ApiError {
    ApiError::new(ErrorCode::UnknownTopicOrPartition, "there is no such topic")
}

/// A partition that its topic does not have.
pub(super) fn no_partition(index: i32) -> ApiError {
    ApiError::new(ErrorCode::UnknownTopicOrPartition, format!("the topic has no partition {index}"))
}

impl Machine {
    pub(super) fn handle_elect_leaders(
        &mut self,
        kind: ElectionKind,
        partitions: Option<&[TopicPartitions]>,
    ) -> Result<Effects, ReplayError> {
        let mut elected = Elected::default();
        let topics = match partitions {
            Some(named) => named.iter().map(|topic| self.elect_named(kind, topic, &mut elected)).collect(),
            None => self.head.topics().map(|topic| self.elect_topic(kind, topic, &mut elected)).collect(),
        };
        self.effects(elected.records, Reply::ElectLeaders(topics))
    }

    fn elect_named(
        &self,
        kind: ElectionKind,
        named: &TopicPartitions,
        elected: &mut Elected,
    ) -> ElectedTopic {
        let topic = self.head.topic(&named.topic);
        let elect = |&index: &i32| {
            let outcome = match topic {
                None => Err(no_topic()),
                Some(topic) => match topic.partition(index) {
                    None => Err(no_partition(index)),
                    Some(partition) => self.elect(kind, topic, index, partition, elected),
                },
            };
            (index, outcome)
        };
        let partitions = named.partitions.iter().map(elect).collect();
        ElectedTopic { topic: named.topic.clone(), partitions }
    }

    fn elect_topic(&self, kind: ElectionKind, topic: &TopicImage, elected: &mut Elected) -> ElectedTopic {
        let is_needed = |outcome: &Outcome<()>| {
            outcome.as_ref().err().is_none_or(|error| error.code != ErrorCode::ElectionNotNeeded)
        };
        let partitions = (0..)
            .zip(&topic.partitions)
            .map(|(index, partition)| (index, self.elect(kind, topic, index, partition, elected)))
            .filter(|(_, outcome)| is_needed(outcome))
            .collect();
        ElectedTopic { topic: topic.name.to_string(), partitions }
    }

    fn elect(
        &self,
        kind: ElectionKind,
        topic: &TopicImage,
        index: i32,
        partition: &PartitionImage,
        elected: &mut Elected,
    ) -> Outcome<()> {
        let preferred = partition.replicas.first().copied();
        let is_led = match kind {
            ElectionKind::Preferred => partition.leader.is_some() && partition.leader == preferred,
            ElectionKind::Unclean => partition.leader.is_some(),
        };
        if is_led {
            let message = "the partition has the leader that it should have";
            return Err(ApiError::new(ErrorCode::ElectionNotNeeded, message));
        }
        let leader = match kind {
            ElectionKind::Preferred => preferred
                .filter(|node| partition.isr.contains(node) && self.can_lead(*node, partition))
                .ok_or(ErrorCode::PreferredLeaderNotAvailable)?,
            ElectionKind::Unclean => {
                let replicas = partition.replicas.iter().copied();
                let mut alive = replicas.filter(|node| self.can_lead(*node, partition));
                let first = alive.clone().next();
                alive
                    .find(|node| partition.isr.contains(node))
                    .or(first)
                    .ok_or(ErrorCode::EligibleLeadersNotAvailable)?
            }
        };
        let at = TopicIdPartition { topic_id: topic.id, partition: index };
        if elected.partitions.insert(at) {
            elected.records.push(election(at, leader, partition));
        }
        Ok(())
    }

    fn can_lead(&self, node: NodeId, partition: &PartitionImage) -> bool {
        let is_alive = self.head.brokers().get(&node).is_some_and(|broker| !broker.fenced);
        is_alive && (node != self.settings.node || self.has_online(partition))
    }
}
