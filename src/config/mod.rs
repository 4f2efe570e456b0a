//! Configuration with Kafka's names, types and defaults: every key in one table, the values that were given, and
//! `Config`, what they mean, typed. It reads one file at start and nothing else; the environment is handed in.

pub mod describe;
mod dynamic;
mod groups;
mod listeners;
mod metrics;
mod sources;
pub mod table;
mod topic;
mod typed;
pub mod value;
mod values;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use dynamic::Level;
pub use listeners::{Advertised, Listener};
pub use metrics::{SubscriptionError, check_subscription};
pub use topic::{CleanupPolicy, CompressionType, TimestampType, TopicConfig};
pub use typed::{
    CleanerConfig, FetchConfig, GroupConfig, MetadataConfig, NetworkConfig, OffsetsConfig, ProducersConfig,
    StorageConfig, TopicsConfig,
};
pub use value::ConfigError;
pub use values::{Source, Synonym};

use crate::types::NodeId;
use listeners::ListenerInput;
use table::{Effect, Scope};
use topic::TopicDefaults;
use values::{Reader, Values};

/// The effective configuration of this broker. Cheap to share behind an `Arc`; a change makes a new one.
#[derive(Clone, Debug)]
pub struct Config {
    /// `node.id`, or `broker.id`.
    pub node_id: NodeId,
    /// `milena.cluster.id`, or the variable `CLUSTER_ID`: the id of a cluster that is made at this start.
    pub cluster_id: Option<String>,
    /// `milena.metrics.address`, `HOST:PORT`.
    pub metrics_address: Option<String>,
    /// `broker.rack`.
    pub rack: Option<String>,
    /// Connections and requests.
    pub network: NetworkConfig,
    /// How topics come into being.
    pub topics: TopicsConfig,
    /// The data directory and its upkeep.
    pub storage: StorageConfig,
    /// Fetching.
    pub fetch: FetchConfig,
    /// Idempotent producers.
    pub producers: ProducersConfig,
    /// Committed offsets.
    pub offsets: OffsetsConfig,
    /// Groups.
    pub group: GroupConfig,
    /// The controller's journal.
    pub metadata: MetadataConfig,
    values: Values,
    topic_defaults: TopicDefaults,
}

/// Where the values of one start come from; a later field wins over an earlier one.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// A Java properties file.
    pub file: Option<PathBuf>,
    /// The process's environment, of which `KAFKA_…` and `CLUSTER_ID` are read.
    pub environment: Vec<(String, String)>,
    /// Arguments `key=value`.
    pub overrides: Vec<String>,
}

/// Which of the sources of one start gave a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The properties file.
    File,
    /// A variable of the environment.
    Environment,
    /// An argument `--override`.
    Override,
}

/// A configuration and what its user should know about it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Where each value that was given comes from, by key.
    pub origins: BTreeMap<String, Origin>,
    /// One sentence for each unknown key, and for each key of a feature that is not here.
    pub warnings: Vec<String>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The file is no properties file.
    #[error("cannot read {}: {problem}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line and what is wrong with it.
        problem: String,
    },
    /// An argument is not `key=value`.
    #[error("--override {0}: must be of the form key=value")]
    Override(String),
    /// Values that are not allowed, all of them: what is wrong with each and where it came from.
    #[error("{}", join(.0))]
    Invalid(Vec<String>),
}

fn join(errors: &[impl ToString]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Reads all sources. Every wrong value is reported, not only the first.
pub fn load(sources: &Sources) -> Result<Loaded, LoadError> {
    let mut given = Given::default();
    if let Some(path) = &sources.file {
        let bytes = std::fs::read(path).map_err(|error| LoadError::File { path: path.clone(), error })?;
        let read = sources::properties(&bytes);
        let pairs = read.map_err(|problem| LoadError::Syntax { path: path.clone(), problem })?;
        for (key, (value, line)) in pairs {
            given.lines.insert(key.clone(), line);
            given.extend([(key, value)], Origin::File);
        }
    }
    given.extend(sources::environment(&sources.environment), Origin::Environment);
    for text in &sources.overrides {
        let pair = sources::argument(text).ok_or_else(|| LoadError::Override(text.clone()))?;
        given.extend([pair], Origin::Override);
    }
    if let Some((_, id)) =
        sources.environment.iter().find(|(name, id)| name == "CLUSTER_ID" && !id.is_empty())
        && !given.fixed.contains_key("milena.cluster.id")
    {
        given.extend([("milena.cluster.id".to_owned(), id.clone())], Origin::Environment);
    }
    let warnings = warnings(&given.fixed);
    let config = Config::new(Values { fixed: given.fixed, ..Values::default() });
    let (origins, lines) = (given.origins, given.lines);
    let config = config.map_err(|errors| {
        let say = |error: &ConfigError| match place(error.key(), sources, &origins, &lines) {
            Some(place) => format!("{error} (from {place})"),
            None => error.to_string(),
        };
        LoadError::Invalid(errors.iter().map(say).collect())
    })?;
    Ok(Loaded { config, origins, warnings })
}

/// The pairs of the sources so far, and which source each is of.
#[derive(Default)]
struct Given {
    fixed: BTreeMap<String, String>,
    origins: BTreeMap<String, Origin>,
    /// By key, in which line of the file it stands.
    lines: BTreeMap<String, usize>,
}

/// Where a user finds the value of `key`: the file and line, the variable or the argument. `None` when it is a default.
fn place(
    key: &str,
    sources: &Sources,
    origins: &BTreeMap<String, Origin>,
    lines: &BTreeMap<String, usize>,
) -> Option<String> {
    match origins.get(key)? {
        Origin::File => Some(format!("{}, line {}", sources.file.as_ref()?.display(), lines.get(key)?)),
        Origin::Environment => {
            let sets = |name: &str| sources::key_of_variable(name).is_some_and(|set| set == key);
            let variable = sources.environment.iter().rfind(|(name, _)| sets(name));
            Some(variable.map_or("CLUSTER_ID", |(name, _)| name).to_owned())
        }
        Origin::Override => Some("--override".to_owned()),
    }
}

impl Given {
    fn extend(&mut self, pairs: impl IntoIterator<Item = (String, String)>, origin: Origin) {
        for (key, value) in pairs {
            self.origins.insert(key.clone(), origin);
            self.fixed.insert(key, value);
        }
    }
}

fn warnings(given: &BTreeMap<String, String>) -> Vec<String> {
    let mut warnings = Vec::new();
    for (name, text) in given {
        match table::find(Scope::Broker, name) {
            None if name.starts_with("listener.name.") => {
                warnings.push(format!(
                    "configuration {name} has no effect: settings of one listener are not served"
                ));
            }
            None => warnings.push(format!("configuration {name} is not known and has no effect")),
            Some(key) if key.effect == Effect::Absent && key.default.unwrap_or_default() != text.trim() => {
                warnings.push(format!("configuration {name} has no effect: the feature is not served"));
            }
            Some(_) => {}
        }
    }
    warnings
}

impl Config {
    /// The configuration of `pairs` alone, as if they stood in a file; for tests and embedding.
    pub fn from_pairs<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Vec<ConfigError>> {
        let fixed = pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        Self::new(Values { fixed, ..Values::default() })
    }

    fn new(mut values: Values) -> Result<Self, Vec<ConfigError>> {
        let bad_id = unite_node_id(&mut values).err();
        let mut reader = Reader::new(&values);
        reader.errors.extend(bad_id);
        let node_id = NodeId(reader.int("node.id"));
        let listeners = read_listeners(&mut reader);
        check_roles(&mut reader);
        check_all(&values, &mut reader);
        groups::check_defaults(&mut reader);
        let topic_defaults = topic::defaults(&mut reader);
        let config = Self {
            node_id,
            cluster_id: reader.optional_text("milena.cluster.id"),
            metrics_address: reader.optional_text("milena.metrics.address"),
            rack: reader.optional_text("broker.rack"),
            network: NetworkConfig::read(&mut reader, listeners),
            topics: TopicsConfig::read(&mut reader),
            storage: StorageConfig::read(&mut reader),
            fetch: FetchConfig::read(&mut reader),
            producers: ProducersConfig::read(&mut reader),
            offsets: OffsetsConfig::read(&mut reader),
            group: GroupConfig::read(&mut reader),
            metadata: MetadataConfig::read(&mut reader),
            topic_defaults,
            values: Values::default(),
        };
        if reader.errors.is_empty() { Ok(Self { values, ..config }) } else { Err(reader.errors) }
    }

    /// The configuration of a topic with values of its own, or everything that is wrong with them.
    pub fn topic_config(
        &self,
        overrides: &BTreeMap<String, String>,
    ) -> Result<TopicConfig, Vec<ConfigError>> {
        match topic::resolve(&self.topic_defaults, overrides) {
            (config, errors) if errors.is_empty() => Ok(config),
            (_, errors) => Err(errors),
        }
    }

    /// The configuration of a topic whose values are already stored: what is wrong with them is left out and
    /// reported, because a stored topic has to be served.
    pub fn stored_topic_config(
        &self,
        overrides: &BTreeMap<String, String>,
    ) -> (TopicConfig, Vec<ConfigError>) {
        topic::resolve(&self.topic_defaults, overrides)
    }

    /// The text that a topic without a value of its own gets for the topic key `name`; `None` is Kafka's null.
    pub fn topic_default(&self, name: &str) -> Option<&str> {
        self.topic_defaults.get(name).map(String::as_str)
    }

    /// Whether topics without values of their own go by the same values with `other`.
    pub fn has_topic_defaults_of(&self, other: &Self) -> bool {
        self.topic_defaults == other.topic_defaults
    }

    /// The text given for the broker key `name`, if one was given.
    pub fn given(&self, name: &str) -> Option<&str> {
        self.values.given(name)
    }
}

/// Gives each of the two names of the node's id what was set under the other one, as Kafka shows it. A bad id is
/// reported under the name that it was given with.
fn unite_node_id(values: &mut Values) -> Result<(), ConfigError> {
    let key = table::require(Scope::Broker, "node.id")?;
    let older = table::Key { name: "broker.id", ..*key };
    let node = values.fixed.get(key.name).cloned();
    let broker = values.fixed.get(older.name).cloned();
    let node_value = node.as_deref().map(|text| key.parse(text)).transpose()?;
    let broker_value = broker.as_deref().map(|text| older.parse(text)).transpose()?;
    if let (Some(value), Some(other), Some(text)) = (&node_value, &broker_value, &broker)
        && value != other
    {
        return Err(ConfigError::new(older.name, text, format!("must equal node.id, which is {value}")));
    }
    if let Some(id) = node.or(broker) {
        for name in [key.name, older.name] {
            values.fixed.entry(name.to_owned()).or_insert_with(|| id.clone());
        }
    }
    Ok(())
}

fn read_listeners(reader: &mut Reader<'_>) -> Vec<Listener> {
    let listeners = reader.list("listeners");
    let advertised = reader.list("advertised.listeners");
    let protocol_map = reader
        .is_given("listener.security.protocol.map")
        .then(|| reader.printed("listener.security.protocol.map"));
    let controller_names = reader.list("controller.listener.names");
    let inter_broker_name = reader.optional_text("inter.broker.listener.name");
    let inter_broker_protocol = reader
        .is_given("security.inter.broker.protocol")
        .then(|| reader.printed("security.inter.broker.protocol"))
        .flatten();
    let found = listeners::resolve(&ListenerInput {
        listeners: &listeners,
        advertised: &advertised,
        protocol_map: protocol_map.flatten().as_deref(),
        controller_names: &controller_names,
        inter_broker_name: inter_broker_name.as_deref(),
        inter_broker_protocol: inter_broker_protocol.as_deref(),
    });
    found.unwrap_or_else(|errors| {
        reader.errors.extend(errors);
        Vec::new()
    })
}

fn check_roles(reader: &mut Reader<'_>) {
    if !reader.list("process.roles").iter().any(|role| role == "broker") {
        reader.refuse("process.roles", "must contain broker: a controller alone is not served");
    }
}

/// Values without an effect are held to their type and rule too, so that a typing error shows.
fn check_all(values: &Values, reader: &mut Reader<'_>) {
    let known = values.fixed.keys().filter_map(|name| table::find(Scope::Broker, name));
    for key in known {
        let _ = reader.printed(key.name);
    }
}

#[cfg(test)]
mod tests;
