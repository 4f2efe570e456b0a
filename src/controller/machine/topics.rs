//! Decisions on topics: create, create where missing, delete. Pure; the head is only read here.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{Effects, Machine, RECORDS_PER_COMMAND_MAX, TopicIds};
use crate::controller::command::{ApiError, CreatedTopic, NewTopic, Outcome, Reply, TopicRef};
use crate::controller::image::{ConfigResource, Configs, PartitionImage, ResourceKind, TopicImage};
use crate::controller::names::check_topic_name;
use crate::controller::replay::{ReplayError, partition_record};
use crate::types::{ErrorCode, TopicId, TopicName};
use crate::wire::records::metadata::{ConfigRecord, MetadataRecord, RemoveTopicRecord, TopicRecord};

/// The journal's own topic, which nobody creates.
const CLUSTER_METADATA: &str = "__cluster_metadata";
/// Configurations without a value that one error names.
const NULLS_NAMED_MAX: usize = 10;

impl Machine {
    pub(super) fn handle_create_topics(
        &mut self,
        topics: &[NewTopic],
        validate_only: bool,
        ids: TopicIds<'_>,
    ) -> Result<Effects, ReplayError> {
        let mut records = Vec::new();
        let outcomes = self.create_topics(topics, ids, &mut records);
        if validate_only {
            records.clear();
        }
        self.effects(records, Reply::CreateTopics(outcomes))
    }

    /// Topics that are there already are answered as they are, so that racing callers all succeed.
    pub(super) fn handle_ensure_topics(
        &mut self,
        topics: &[NewTopic],
        ids: TopicIds<'_>,
    ) -> Result<Effects, ReplayError> {
        let mut seen = HashSet::new();
        let missing: Vec<NewTopic> = topics
            .iter()
            .filter(|topic| self.head.topic(&topic.name).is_none() && seen.insert(&topic.name))
            .cloned()
            .collect();
        let mut records = Vec::new();
        let created = self.create_topics(&missing, ids, &mut records);
        let refused: HashMap<&str, &ApiError> = missing
            .iter()
            .zip(&created)
            .filter_map(|(topic, outcome)| Some((topic.name.as_str(), outcome.as_ref().err()?)))
            .collect();
        let mut effects = self.effects(records, Reply::EnsureTopics(Vec::new()))?;
        let answer = |topic: &NewTopic| match refused.get(topic.name.as_str()) {
            Some(&error) => Err(error.clone()),
            None => self.head.topic(&topic.name).cloned().ok_or(ErrorCode::UnknownServerError.into()),
        };
        effects.reply = Reply::EnsureTopics(topics.iter().map(answer).collect());
        Ok(effects)
    }

    pub(super) fn handle_delete_topics(&mut self, topics: &[TopicRef]) -> Result<Effects, ReplayError> {
        if !self.settings.delete_topic_enable {
            let refused = topics.iter().map(|_| Err(ErrorCode::TopicDeletionDisabled.into())).collect();
            return self.effects(Vec::new(), Reply::DeleteTopics(refused));
        }
        let found: Vec<Outcome<Arc<TopicImage>>> = topics.iter().map(|topic| self.find(topic)).collect();
        let mut uses: HashMap<TopicId, usize> = HashMap::new();
        for topic in found.iter().flatten() {
            *uses.entry(topic.id).or_default() += 1;
        }
        let mut asked: HashMap<&TopicRef, usize> = HashMap::new();
        for topic in topics {
            *asked.entry(topic).or_default() += 1;
        }
        let outcomes: Vec<Outcome<(TopicName, TopicId)>> = topics
            .iter()
            .zip(found)
            .map(|(topic, found)| {
                if asked.get(topic).is_some_and(|&count| count > 1) {
                    return Err(ApiError::new(
                        ErrorCode::InvalidRequest,
                        "the topic is named more than once",
                    ));
                }
                let found = found?;
                if uses.get(&found.id).is_some_and(|&count| count > 1) {
                    let message = "the topic is named both by its name and by its id";
                    return Err(ApiError::new(ErrorCode::InvalidRequest, message));
                }
                Ok((Arc::clone(&found.name), found.id))
            })
            .collect();
        let remove = |(_, id): &(TopicName, TopicId)| {
            MetadataRecord::RemoveTopic(RemoveTopicRecord { topic_id: id.0 })
        };
        let records = outcomes.iter().flatten().map(remove).collect();
        self.effects(records, Reply::DeleteTopics(outcomes))
    }

    fn find(&self, topic: &TopicRef) -> Outcome<Arc<TopicImage>> {
        let invalid = |message: &str| ApiError::new(ErrorCode::InvalidRequest, message);
        match (&topic.name, topic.id) {
            (None, TopicId::ZERO) => Err(invalid("neither a topic name nor a topic id is given")),
            (None, id) => {
                let unknown = || ApiError::new(ErrorCode::UnknownTopicId, "there is no topic with this id");
                self.head.topic_by_id(id).cloned().ok_or_else(unknown)
            }
            (Some(name), TopicId::ZERO) => {
                let unknown = || {
                    let message = format!("there is no topic named '{name}'");
                    ApiError::new(ErrorCode::UnknownTopicOrPartition, message)
                };
                self.head.topic(name).cloned().ok_or_else(unknown)
            }
            (Some(_), _) => Err(invalid("a topic name and a topic id are given; only one may be")),
        }
    }

    /// Decides on each topic; the records of those that succeed go to `records`.
    fn create_topics(
        &self,
        topics: &[NewTopic],
        ids: TopicIds<'_>,
        records: &mut Vec<MetadataRecord>,
    ) -> Vec<Outcome<CreatedTopic>> {
        let total: usize =
            topics.iter().map(|topic| self.wanted_partitions(topic)).fold(0, usize::saturating_add);
        if total > RECORDS_PER_COMMAND_MAX {
            let message =
                format!("one request may not create more than {RECORDS_PER_COMMAND_MAX} partitions");
            return topics
                .iter()
                .map(|_| Err(ApiError::new(ErrorCode::PolicyViolation, &*message)))
                .collect();
        }
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for topic in topics {
            *counts.entry(&topic.name).or_default() += 1;
        }
        topics
            .iter()
            .map(|topic| {
                if counts.get(topic.name.as_str()).is_some_and(|&count| count > 1) {
                    let message = "the topic is named more than once in the request";
                    return Err(ApiError::new(ErrorCode::InvalidRequest, message));
                }
                self.check_new_name(&topic.name)?;
                self.create_topic(topic, ids, records)
            })
            .collect()
    }

    fn wanted_partitions(&self, topic: &NewTopic) -> usize {
        let wanted = if topic.partitions == -1 { self.settings.num_partitions } else { topic.partitions };
        if topic.assignments.is_empty() {
            usize::try_from(wanted).unwrap_or(0)
        } else {
            topic.assignments.len()
        }
    }

    fn check_new_name(&self, name: &str) -> Outcome<()> {
        if name == CLUSTER_METADATA {
            let message = format!("the internal topic {CLUSTER_METADATA} cannot be created");
            return Err(ApiError::new(ErrorCode::InvalidRequest, message));
        }
        check_topic_name(name)?;
        if self.head.topic(name).is_some() {
            return Err(ApiError::new(
                ErrorCode::TopicAlreadyExists,
                format!("Topic '{name}' already exists."),
            ));
        }
        if let Some(existing) = self.head.colliding(name) {
            let message = format!("topic '{name}' collides with the existing topic '{existing}'");
            return Err(ApiError::new(ErrorCode::InvalidTopicException, message));
        }
        Ok(())
    }

    fn create_topic(
        &self,
        topic: &NewTopic,
        ids: TopicIds<'_>,
        records: &mut Vec<MetadataRecord>,
    ) -> Outcome<CreatedTopic> {
        let configs = new_configs(topic)?;
        self.settings.rules.validate(&ConfigResource::topic(&topic.name), &configs)?;
        let partitions = self.new_partitions(topic)?;
        let id = self.unused_id(ids);
        records.push(MetadataRecord::Topic(TopicRecord { name: topic.name.clone(), topic_id: id.0 }));
        records.extend(configs.iter().map(|(key, value)| {
            MetadataRecord::Config(ConfigRecord {
                resource_type: ResourceKind::TOPIC.0,
                resource_name: topic.name.clone(),
                name: key.clone(),
                value: Some(value.clone()),
            })
        }));
        let created = CreatedTopic {
            name: topic.name.as_str().into(),
            id,
            partitions: i32::try_from(partitions.len()).unwrap_or(i32::MAX),
            replication_factor: partitions
                .first()
                .map_or(0, |partition| i16::try_from(partition.replicas.len()).unwrap_or(i16::MAX)),
            configs,
        };
        records.extend((0..).zip(&partitions).map(|(index, partition): (i32, &PartitionImage)| {
            MetadataRecord::Partition(partition_record(id, index, partition))
        }));
        Ok(created)
    }

    fn unused_id(&self, ids: TopicIds<'_>) -> TopicId {
        loop {
            let id = ids();
            if id != TopicId::ZERO && self.head.topic_by_id(id).is_none() {
                return id;
            }
        }
    }
}

/// The configurations of a new topic; the last value of a name counts, as in Kafka.
fn new_configs(topic: &NewTopic) -> Outcome<Configs> {
    let nulls = || topic.configs.iter().filter(|(_, value)| value.is_none()).map(|(key, _)| key.as_str());
    if nulls().next().is_some() {
        let named: Vec<&str> = nulls().take(NULLS_NAMED_MAX).collect();
        let message = format!("a topic's configuration cannot be null: {}", named.join(","));
        return Err(ApiError::new(ErrorCode::InvalidConfig, message));
    }
    Ok(topic.configs.iter().filter_map(|(key, value)| Some((key.clone(), value.clone()?))).collect())
}
