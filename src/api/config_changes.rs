//! What `AlterConfigs` and `IncrementalAlterConfigs` share: the checks that in Kafka the receiving broker makes, loggers,
//! which are its own, and the way to the controller for the rest. Each resource changes as a whole or not at all.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use kafka_protocol::protocol::StrBytes;

use super::Context;
use crate::broker::config_rules::TableRules;
use crate::broker::live::LiveConfig;
use crate::config::{Config, Level};
use crate::controller::Controller;
use crate::controller::changes::changed_value;
use crate::controller::command::{AlterResource, ApiError, ConfigChange, ConfigOp, Outcome};
use crate::controller::image::{ConfigResource, ResourceKind};
use crate::observe;
use crate::types::{ErrorCode, NodeId};

/// One resource of a request of either kind.
pub(super) struct Asked {
    pub(super) kind: i8,
    pub(super) name: StrBytes,
    pub(super) changes: Vec<AskedChange>,
    /// Whether keys that are not named go back to their defaults.
    pub(super) replace: bool,
}

/// One change as it stands in a request.
pub(super) struct AskedChange {
    pub(super) key: StrBytes,
    /// Kafka's id of the operation, which need not be known.
    pub(super) op: i8,
    pub(super) value: Option<StrBytes>,
}

/// The parts that a change needs.
pub(super) struct Here {
    controller: Arc<Controller>,
    live: Arc<LiveConfig>,
    node: NodeId,
}

/// What becomes of a resource before the controller sees it.
enum Checked {
    /// It is answered.
    Done(Outcome<()>),
    /// The controller decides.
    Submit(AlterResource),
    /// The controller would decide, but nobody knows the operation.
    Unknown,
}

impl Here {
    pub(super) fn new(context: &Context) -> Self {
        let broker = &context.broker;
        Self { controller: broker.controller.clone(), live: broker.live.clone(), node: broker.node_id }
    }

    /// Makes the changes, and answers in the request's order.
    pub(super) async fn alter(&self, asked: &[Asked], validate_only: bool) -> Vec<Outcome<()>> {
        let mut uses: HashMap<(i8, &StrBytes), usize> = HashMap::new();
        for resource in asked {
            *uses.entry((resource.kind, &resource.name)).or_default() += 1;
        }
        let once = |resource: &Asked| uses.get(&(resource.kind, &resource.name)) == Some(&1);
        let check_one = |resource: &Asked| {
            if !once(resource) {
                return Checked::Done(Err(invalid("each resource may appear only once in a request")));
            }
            self.check(resource, validate_only).unwrap_or_else(|error| Checked::Done(Err(error)))
        };
        let checked: Vec<Checked> = asked.iter().map(check_one).collect();
        let mut outcomes = self.submit(&checked, validate_only).await.into_iter();
        let answers = checked.into_iter().map(|checked| match checked {
            Checked::Done(outcome) => outcome,
            _ => outcomes.next().unwrap_or(Err(ErrorCode::UnknownServerError.into())),
        });
        answers.collect()
    }

    /// What the controller says of those that are for it.
    async fn submit(&self, checked: &[Checked], validate_only: bool) -> Vec<Outcome<()>> {
        // As with Kafka, whose brokers ask the controller for all at once, one unknown operation spoils them all.
        if checked.iter().any(|checked| matches!(checked, Checked::Unknown)) {
            return Vec::new();
        }
        let resources: Vec<AlterResource> = checked
            .iter()
            .filter_map(|checked| match checked {
                Checked::Submit(resource) => Some(resource.clone()),
                _ => None,
            })
            .collect();
        if resources.is_empty() {
            return Vec::new();
        }
        let count = resources.len();
        match self.controller.alter_configs(resources, validate_only).await {
            Ok(outcomes) => outcomes,
            Err(code) => vec![Err(ApiError::from(code)); count],
        }
    }

    fn check(&self, asked: &Asked, validate_only: bool) -> Outcome<Checked> {
        check_shape(&asked.changes)?;
        let kind = ResourceKind(asked.kind);
        match kind {
            ResourceKind::BROKER_LOGGER if !asked.replace => {
                check_node(self.node, &asked.name)?;
                change_loggers(&asked.changes, validate_only).map(|()| Checked::Done(Ok(())))
            }
            ResourceKind::BROKER => {
                if !asked.name.is_empty() {
                    check_node(self.node, &asked.name)?;
                }
                let changes = known(&asked.changes).ok_or_else(|| invalid("an operation is unknown"))?;
                let resource = alter_resource(asked, changes);
                self.check_broker(&resource)?;
                Ok(Checked::Submit(resource))
            }
            ResourceKind::TOPIC | ResourceKind::CLIENT_METRICS | ResourceKind::GROUP => {
                let submit = |changes| Checked::Submit(alter_resource(asked, changes));
                Ok(known(&asked.changes).map_or(Checked::Unknown, submit))
            }
            ResourceKind(other) => Err(invalid(format!("resource type {other} is unknown"))),
        }
    }

    /// Whether this broker could go on with what would be set for it.
    fn check_broker(&self, alter: &AlterResource) -> Outcome<()> {
        let level = if alter.resource.name.is_empty() { Level::Cluster } else { Level::Node };
        let image = self.controller.image();
        let stored = image.config(&alter.resource).filter(|_| !alter.replace);
        let mut after = stored.map(|stored| Config::usable_dynamic(level, stored)).unwrap_or_default();
        let rules = TableRules { live: self.live.clone() };
        for change in &alter.changes {
            match changed_value(&rules, alter.resource.kind, change, after.get(&change.key))? {
                Some(value) => after.insert(change.key.clone(), value),
                None => after.remove(&change.key),
            };
        }
        let checked = self.live.current().check_broker_change(level, &after);
        checked.map_err(|error| invalid(error.to_string()))
    }
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorCode::InvalidRequest, message)
}

/// What is wrong with changes whatever they are about.
fn check_shape(changes: &[AskedChange]) -> Outcome<()> {
    let mut seen = HashSet::new();
    if let Some(twice) = changes.iter().find(|change| !seen.insert(&change.key)) {
        return Err(invalid(format!("the configuration '{}' is changed more than once", twice.key.as_str())));
    }
    let deletes = |op| ConfigOp::from_id(op) == Some(ConfigOp::Delete);
    let null = |change: &&AskedChange| !deletes(change.op) && change.value.is_none();
    match changes.iter().find(null) {
        Some(change) => {
            Err(invalid(format!("the configuration '{}' cannot be set to null", change.key.as_str())))
        }
        None => Ok(()),
    }
}

/// The changes, or `None` when an operation is unknown.
fn known(changes: &[AskedChange]) -> Option<Vec<ConfigChange>> {
    let change = |change: &AskedChange| {
        let value = change.value.as_ref().map(ToString::to_string);
        Some(ConfigChange { key: change.key.to_string(), op: ConfigOp::from_id(change.op)?, value })
    };
    changes.iter().map(change).collect()
}

fn alter_resource(asked: &Asked, changes: Vec<ConfigChange>) -> AlterResource {
    let resource = ConfigResource { kind: ResourceKind(asked.kind), name: asked.name.to_string() };
    AlterResource { resource, changes, replace: asked.replace }
}

/// A broker changes itself alone.
fn check_node(node: NodeId, name: &str) -> Outcome<()> {
    match name.parse::<i32>() {
        Ok(id) if id == node.0 => Ok(()),
        Ok(_) => Err(invalid(format!("this is broker {node}, not broker {name}"))),
        Err(_) => Err(invalid(format!("a broker id is a whole number, which '{name}' is not"))),
    }
}

/// Sets and takes back the levels of loggers, all or none (KIP-412). They last as long as the process.
fn change_loggers(changes: &[AskedChange], validate_only: bool) -> Outcome<()> {
    let mut levels = Vec::new();
    for change in changes {
        levels.push((change.key.as_str(), logger_change(change)?));
    }
    if !validate_only {
        for (name, level) in levels {
            observe::set_level(name, level);
            tracing::info!(
                "the level of logger {name} is {}",
                level.map_or("inherited", observe::Level::name)
            );
        }
    }
    Ok(())
}

fn logger_change(change: &AskedChange) -> Outcome<Option<observe::Level>> {
    let name = change.key.as_str();
    let refused = |message: String| Err(ApiError::new(ErrorCode::InvalidConfig, message));
    match ConfigOp::from_id(change.op) {
        None => Err(ErrorCode::UnknownServerError.into()),
        Some(ConfigOp::Append | ConfigOp::Subtract) => Err(invalid("a level is no list")),
        Some(_) if !observe::is_logger(name) => refused(format!("there is no logger '{name}'")),
        Some(ConfigOp::Delete) if name == observe::ROOT => {
            Err(invalid("the root logger inherits from no other, so it keeps its level"))
        }
        Some(ConfigOp::Delete) => Ok(None),
        Some(ConfigOp::Set) => {
            let text = change.value.as_deref().unwrap_or_default();
            match observe::Level::from_name(text) {
                Some(level) => Ok(Some(level)),
                None => refused(format!(
                    "'{text}' is no level for '{name}': allowed are DEBUG, ERROR, FATAL, INFO, TRACE and WARN"
                )),
            }
        }
    }
}

#[cfg(test)]
mod tests;
