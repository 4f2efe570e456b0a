//! Every configuration key that Kafka 4.3 has, and our own, with type, default, valid values, scope, update mode,
//! synonym, documentation, and whether it has an effect here. Pure data and look-ups; it reads nothing.

mod broker;
mod client_metrics;
mod cluster;
mod coordinators;
mod group;
mod log;
mod security;
mod topic;

use super::value::{ConfigError, Kind, Valid, Value};

/// What a key configures. Kafka keeps the three name spaces apart: `min.insync.replicas` is a key of two of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// The node: `server.properties` and `BROKER` resources.
    Broker,
    /// One topic: `TOPIC` resources.
    Topic,
    /// One group: `GROUP` resources (KIP-848, KIP-932, KIP-1071).
    Group,
    /// A subscription to client metrics: `CLIENT_METRICS` resources (KIP-714).
    ClientMetrics,
}

/// When a value can be changed (KIP-226).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    /// At start only.
    ReadOnly,
    /// At run time, for one broker.
    PerBroker,
    /// At run time, for one broker or as the cluster's default. Topic and group keys are always so.
    ClusterWide,
}

/// What a value does here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It does what it does in Kafka.
    Works,
    /// Accepted and reported, without effect: it tunes something that is built differently or not needed here.
    Inert,
    /// It belongs to a feature that is not here; setting it gives a warning.
    Absent,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Kafka's name.
    pub name: &'static str,
    /// The type of its values.
    pub kind: Kind,
    /// The default as text; `None` is Kafka's null.
    pub default: Option<&'static str>,
    /// Which values are allowed.
    pub valid: Valid,
    /// When it can be changed.
    pub update: Update,
    /// What it does here.
    pub effect: Effect,
    /// One sentence for a user.
    pub doc: &'static str,
    /// The broker key that gives the default of a topic or group key.
    pub synonym: Option<&'static str>,
    /// Accepted, but never listed (Kafka's internal keys).
    pub internal: bool,
}

impl Key {
    /// Whether its value must never be shown.
    pub const fn is_sensitive(&self) -> bool {
        matches!(self.kind, Kind::Password)
    }

    /// Reads and checks a value of this key.
    pub fn parse(&self, text: &str) -> Result<Value, ConfigError> {
        let checked = self.kind.parse(text).and_then(|value| self.valid.check(&value).map(|()| value));
        checked.map(Value::without_repeats).map_err(|rule| {
            let shown = if self.is_sensitive() { "[hidden]" } else { text };
            ConfigError::new(self.name, shown, rule)
        })
    }

    const fn synonym(mut self, broker_key: &'static str) -> Self {
        self.synonym = Some(broker_key);
        self
    }

    const fn internal(mut self) -> Self {
        self.internal = true;
        self
    }
}

const fn row(
    name: &'static str,
    kind: Kind,
    default: Option<&'static str>,
    valid: Valid,
    update: Update,
    effect: Effect,
    doc: &'static str,
) -> Key {
    Key { name, kind, default, valid, update, effect, doc, synonym: None, internal: false }
}

/// Keys that belong together, under a title.
pub type Run = (&'static str, &'static [Key]);

/// The keys of `scope` in runs, as the documentation shows them.
pub const fn runs(scope: Scope) -> &'static [Run] {
    match scope {
        Scope::Broker => &[
            ("The node, its listeners and its connections", broker::KEYS),
            ("Logs: segments, retention, flushing, compaction", log::KEYS),
            ("Groups, committed offsets, transactions, share groups", coordinators::KEYS),
            ("Controllers, replication, tiered storage", cluster::KEYS),
            ("Authentication, authorization, encryption", security::KEYS),
            ("Keys that Kafka does not have", broker::OWN_KEYS),
        ],
        Scope::Topic => &[("Topics", topic::KEYS)],
        Scope::Group => &[("Groups", group::KEYS)],
        Scope::ClientMetrics => &[("Subscriptions to client metrics", client_metrics::KEYS)],
    }
}

/// Every key of `scope`; the broker's come in several runs, each sorted by name.
pub fn keys(scope: Scope) -> impl Iterator<Item = &'static Key> {
    runs(scope).iter().flat_map(|(_, run)| run.iter())
}

/// The key `name` of `scope`, if there is one.
pub fn find(scope: Scope, name: &str) -> Option<&'static Key> {
    keys(scope).find(|key| key.name == name)
}

/// The key `name` of `scope`, or the error that there is none.
pub fn require(scope: Scope, name: &str) -> Result<&'static Key, ConfigError> {
    let what = match scope {
        Scope::Broker => "broker",
        Scope::Topic => "topic",
        Scope::Group => "group",
        Scope::ClientMetrics => "client metrics",
    };
    find(scope, name).ok_or_else(|| ConfigError::Unknown { what, key: name.to_owned() })
}

/// Checks one value of a topic key by itself; rules between keys are `Config::topic_config`'s.
pub fn validate_topic(name: &str, value: &str) -> Result<(), ConfigError> {
    require(Scope::Topic, name)?.parse(value).map(drop)
}

#[cfg(test)]
mod tests;
