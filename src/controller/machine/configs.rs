//! Decisions on configurations (KIP-339): set, delete, append, subtract; each resource changes as a whole or not.

use std::collections::{HashMap, HashSet};

use super::{Effects, Machine};
use crate::controller::changes::changed_value;
use crate::controller::command::{AlterResource, ApiError, ConfigChange, ConfigOp, Outcome, Reply};
use crate::controller::image::{ConfigResource, Configs, ResourceKind};
use crate::controller::names::check_topic_name;
use crate::controller::replay::ReplayError;
use crate::types::{ErrorCode, NodeId};
use crate::wire::records::metadata::{ConfigRecord, MetadataRecord};

/// The feature of eligible leader replicas.
const ELIGIBLE_LEADERS: &str = "eligible.leader.replicas.version";
/// The key that says how many replicas must have a record.
const MIN_INSYNC_REPLICAS: &str = "min.insync.replicas";

impl Machine {
    pub(super) fn handle_alter_configs(
        &mut self,
        resources: &[AlterResource],
        validate_only: bool,
    ) -> Result<Effects, ReplayError> {
        let mut counts: HashMap<&ConfigResource, usize> = HashMap::new();
        for resource in resources {
            *counts.entry(&resource.resource).or_default() += 1;
        }
        let mut records = Vec::new();
        let outcomes = resources
            .iter()
            .map(|alter| {
                if counts.get(&alter.resource).is_some_and(|&count| count > 1) {
                    let message = "each resource may appear only once in a request";
                    return Err(ApiError::new(ErrorCode::InvalidRequest, message));
                }
                records.extend(self.alter_configs(alter)?);
                Ok(())
            })
            .collect();
        if validate_only {
            records.clear();
        }
        self.effects(records, Reply::AlterConfigs(outcomes))
    }

    fn alter_configs(&self, alter: &AlterResource) -> Outcome<Vec<MetadataRecord>> {
        let resource = &alter.resource;
        check_shape(&alter.changes)?;
        let mut configs =
            self.head.config(resource).map(|configs| Configs::clone(configs)).unwrap_or_default();
        let mut records = Vec::new();
        for change in &alter.changes {
            let before = configs.get(&change.key);
            let after = changed_value(&*self.settings.rules, resource.kind, change, before)?;
            // Kafka writes a broker's configuration even when it stays the same, so that the broker reloads it
            // (a key store's file may have changed).
            if before != after.as_ref() || resource.kind == ResourceKind::BROKER {
                records.push(config_record(resource, change.key.clone(), after.clone()));
            }
            match after {
                Some(value) => configs.insert(change.key.clone(), value),
                None => configs.remove(&change.key),
            };
        }
        if alter.replace {
            for key in unnamed(&configs, &alter.changes) {
                configs.remove(&key);
                records.push(config_record(resource, key, None));
            }
        }
        self.check_resource(resource, &configs)?;
        self.check_min_insync(resource, &records)?;
        Ok(records)
    }

    /// With eligible leader replicas (KIP-966) the whole cluster agrees on `min.insync.replicas`.
    fn check_min_insync(&self, resource: &ConfigResource, records: &[MetadataRecord]) -> Outcome<()> {
        let enabled = self.head.features().get(ELIGIBLE_LEADERS).is_some_and(|level| *level > 0);
        if !enabled || resource.kind != ResourceKind::BROKER {
            return Ok(());
        }
        let set = records.iter().find_map(|record| match record {
            MetadataRecord::Config(config) if config.name == MIN_INSYNC_REPLICAS => Some(&config.value),
            _ => None,
        });
        let message = match set {
            Some(_) if !resource.name.is_empty() => "is the same for all brokers",
            Some(None) => "must stay set for all brokers",
            _ => return Ok(()),
        };
        let message = format!("{MIN_INSYNC_REPLICAS} {message} while {ELIGIBLE_LEADERS} is finalized");
        Err(ApiError::new(ErrorCode::InvalidConfig, message))
    }

    fn check_resource(&self, resource: &ConfigResource, configs: &Configs) -> Outcome<()> {
        match resource.kind {
            ResourceKind::TOPIC if resource.name.is_empty() => {
                let message = "there is no default for all topics";
                return Err(ApiError::new(ErrorCode::InvalidRequest, message));
            }
            ResourceKind::TOPIC => check_topic_name(&resource.name)?,
            ResourceKind::BROKER => check_broker_name(&resource.name)?,
            _ => {}
        }
        self.settings.rules.validate(resource, configs)?;
        let known = match resource.kind {
            ResourceKind::TOPIC => self.head.topic(&resource.name).is_some(),
            ResourceKind::BROKER => {
                let id = resource.name.parse().ok().map(NodeId);
                id.is_none_or(|id| self.head.brokers().contains_key(&id))
            }
            _ => true,
        };
        match (known, resource.kind) {
            (true, _) => Ok(()),
            (false, ResourceKind::TOPIC) => {
                let message = format!("the topic '{}' does not exist", resource.name);
                Err(ApiError::new(ErrorCode::UnknownTopicOrPartition, message))
            }
            (false, _) => {
                let message = format!("no broker {} is registered", resource.name);
                Err(ApiError::new(ErrorCode::BrokerIdNotRegistered, message))
            }
        }
    }
}

fn config_record(resource: &ConfigResource, name: String, value: Option<String>) -> MetadataRecord {
    MetadataRecord::Config(ConfigRecord {
        resource_type: resource.kind.0,
        resource_name: resource.name.clone(),
        name,
        value,
    })
}

/// The keys of `configs` that no change names.
fn unnamed(configs: &Configs, changes: &[ConfigChange]) -> Vec<String> {
    let named: HashSet<&String> = changes.iter().map(|change| &change.key).collect();
    configs.keys().filter(|key| !named.contains(key)).cloned().collect()
}

/// What is wrong with a change whatever its resource and its keys are.
fn check_shape(changes: &[ConfigChange]) -> Outcome<()> {
    let mut seen = HashSet::new();
    if let Some(twice) = changes.iter().find(|change| !seen.insert(&change.key)) {
        let message = format!("the configuration '{}' is changed more than once", twice.key);
        return Err(ApiError::new(ErrorCode::InvalidRequest, message));
    }
    let null = |change: &&ConfigChange| change.op != ConfigOp::Delete && change.value.is_none();
    let nulls: Vec<&str> = changes.iter().filter(null).map(|change| change.key.as_str()).collect();
    if !nulls.is_empty() {
        let message = format!("a configuration cannot be null: {}", nulls.join(", "));
        return Err(ApiError::new(ErrorCode::InvalidRequest, message));
    }
    Ok(())
}

fn check_broker_name(name: &str) -> Outcome<()> {
    let message = match name.parse::<i32>() {
        _ if name.is_empty() => return Ok(()),
        Ok(id) if id >= 0 => return Ok(()),
        Ok(_) => "a broker's id cannot be negative",
        Err(_) => "a broker's id must be a decimal number",
    };
    Err(ApiError::new(ErrorCode::InvalidRequest, message))
}
