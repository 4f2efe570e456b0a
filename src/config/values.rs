//! The values that were given to a broker, by where they came from, and typed reading of them with Kafka's defaults
//! and synonyms. Pure; collects every error instead of stopping at the first.

use std::collections::{BTreeMap, BTreeSet};

use super::table::{self, Scope};
use super::value::{ConfigError, Value};

/// Where a value comes from, in the order of precedence (KIP-226); the numbers are those of `DescribeConfigs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Set on the topic.
    Topic = 1,
    /// Set at run time for this broker.
    DynamicBroker = 2,
    /// Set at run time for all brokers.
    DynamicDefaultBroker = 3,
    /// Set in the file, the environment or an argument.
    StaticBroker = 4,
    /// Built in.
    Default = 5,
    /// The level of a logger.
    BrokerLogger = 6,
    /// Set on the subscription to client metrics.
    ClientMetrics = 7,
    /// Set on the group.
    Group = 8,
}

impl Source {
    /// The number in `DescribeConfigs` responses.
    pub const fn code(self) -> i8 {
        self as i8
    }
}

/// One of the values that a key would take its own from, the first that is set wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synonym {
    /// The broker, topic or group key.
    pub name: String,
    /// Its value as text.
    pub value: String,
    /// Where the value comes from.
    pub source: Source,
}

/// What was given, by source; keys that are not in the table are kept too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Values {
    pub(super) fixed: BTreeMap<String, String>,
    pub(super) cluster: BTreeMap<String, String>,
    pub(super) node: BTreeMap<String, String>,
}

/// Keys that say the same in different units; the first that is set gives the value.
const UNIT_GROUPS: [&[&str]; 3] = [
    &["log.retention.ms", "log.retention.minutes", "log.retention.hours"],
    &["log.roll.ms", "log.roll.hours"],
    &["log.roll.jitter.ms", "log.roll.jitter.hours"],
];

fn units(name: &str) -> Option<&'static [&'static str]> {
    UNIT_GROUPS.into_iter().find(|group| group.contains(&name))
}

impl Values {
    fn layers(&self) -> [(&BTreeMap<String, String>, Source); 3] {
        [
            (&self.node, Source::DynamicBroker),
            (&self.cluster, Source::DynamicDefaultBroker),
            (&self.fixed, Source::StaticBroker),
        ]
    }

    /// The given value of `name` that takes precedence; `None` leaves it to the default. A value in another unit
    /// hides those of the sources below it.
    pub(super) fn given(&self, name: &str) -> Option<&str> {
        let own = [name];
        let names = units(name).unwrap_or(&own);
        let layers = self.layers();
        let (layer, _) =
            layers.iter().find(|(layer, _)| names.iter().any(|name| layer.contains_key(*name)))?;
        layer.get(name).map(String::as_str)
    }

    /// Names that were given at all, each once.
    pub(super) fn names(&self) -> BTreeSet<&str> {
        self.layers().into_iter().flat_map(|(layer, _)| layer.keys()).map(String::as_str).collect()
    }

    /// What the broker key `name` could take its value from, best first. As in Kafka the list begins with an entry
    /// of `name` itself; it is empty when only its synonyms are set.
    pub(super) fn synonyms(&self, name: &str) -> Vec<Synonym> {
        let own = [name];
        let names = match name {
            "log.flush.interval.ms" => &["log.flush.interval.ms", "log.flush.scheduler.interval.ms"],
            _ => units(name).unwrap_or(&own),
        };
        let mut found = Vec::new();
        for (layer, source) in self.layers() {
            for name in names {
                if let Some(value) = layer.get(*name) {
                    found.push(Synonym { name: (*name).to_owned(), value: value.clone(), source });
                }
            }
        }
        for key in names.iter().filter_map(|name| table::find(Scope::Broker, name)) {
            if let Some(value) = key.default {
                found.push(Synonym {
                    name: key.name.to_owned(),
                    value: value.to_owned(),
                    source: Source::Default,
                });
            }
        }
        found.into_iter().skip_while(|synonym| synonym.name != name).collect()
    }
}

/// Reads typed values of broker keys; errors gather, and a value that is wrong reads as zero, false or empty.
pub(super) struct Reader<'a> {
    values: &'a Values,
    pub(super) errors: Vec<ConfigError>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(values: &'a Values) -> Self {
        Self { values, errors: Vec::new() }
    }

    /// The value of `name`, given or default; `None` for Kafka's null and for a wrong value.
    fn value(&mut self, name: &'static str) -> Option<Value> {
        let read = table::require(Scope::Broker, name)
            .and_then(|key| self.values.given(name).or(key.default).map(|text| key.parse(text)).transpose());
        read.unwrap_or_else(|error| {
            if !self.errors.contains(&error) {
                self.errors.push(error);
            }
            None
        })
    }

    pub(super) fn optional_long(&mut self, name: &'static str) -> Option<i64> {
        match self.value(name)? {
            Value::Number(value) => Some(value),
            _ => None,
        }
    }

    pub(super) fn long(&mut self, name: &'static str) -> i64 {
        self.optional_long(name).unwrap_or_default()
    }

    pub(super) fn int(&mut self, name: &'static str) -> i32 {
        i32::try_from(self.long(name)).unwrap_or_default()
    }

    pub(super) fn size(&mut self, name: &'static str) -> usize {
        usize::try_from(self.long(name)).unwrap_or_default()
    }

    pub(super) fn short(&mut self, name: &'static str) -> i16 {
        i16::try_from(self.long(name)).unwrap_or_default()
    }

    pub(super) fn bool(&mut self, name: &'static str) -> bool {
        matches!(self.value(name), Some(Value::Bool(true)))
    }

    pub(super) fn double(&mut self, name: &'static str) -> f64 {
        match self.value(name) {
            Some(Value::Double(value)) => value,
            _ => 0.0,
        }
    }

    pub(super) fn optional_text(&mut self, name: &'static str) -> Option<String> {
        match self.value(name)? {
            Value::Text(value) => Some(value),
            _ => None,
        }
    }

    pub(super) fn list(&mut self, name: &'static str) -> Vec<String> {
        match self.value(name) {
            Some(Value::List(entries)) => entries,
            _ => Vec::new(),
        }
    }

    /// The value of `name` as Kafka prints it.
    pub(super) fn printed(&mut self, name: &'static str) -> Option<String> {
        self.value(name).map(|value| value.to_string())
    }

    /// The text of `name`, given or default, unread.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.values.given(name).or_else(|| table::find(Scope::Broker, name)?.default)
    }

    /// Whether the user gave `name`.
    pub(super) fn is_given(&self, name: &str) -> bool {
        self.values.given(name).is_some()
    }

    pub(super) fn refuse(&mut self, name: &str, rule: impl Into<String>) {
        let value = self.values.given(name).unwrap_or_default();
        self.errors.push(ConfigError::new(name, value, rule));
    }
}
