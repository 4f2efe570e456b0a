//! Broker values that are set at run time (KIP-226): which may be set at which level, and the configuration that they
//! make together with those of the start. Pure; stores nothing.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::collections::BTreeMap;

use super::Config;
use super::table::{self, Scope, Update};
use super::value::{ConfigError, Value};
use super::values::Values;

/// For whom values are set at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// For all brokers, as their default.
    Cluster,
    /// For one broker.
    Node,
}

/// Keys of security that hold for one listener each and are changed under its prefix only.
const UNDER_A_PREFIX_ONLY: [&str; 10] = [
    "ssl.key.password",
    "ssl.keystore.certificate.chain",
    "ssl.keystore.key",
    "ssl.keystore.location",
    "ssl.keystore.password",
    "ssl.keystore.type",
    "ssl.truststore.certificates",
    "ssl.truststore.location",
    "ssl.truststore.password",
    "ssl.truststore.type",
];

/// Keys that may also be set for all brokers when they stand under a listener's prefix.
const OF_LISTENERS_FOR_ALL: [&str; 3] =
    ["max.connection.creation.rate", "max.connections", "num.network.threads"];

/// Numbers of threads: a change may halve or double them, not more.
const THREADS: [&str; 10] = [
    "background.threads",
    "log.cleaner.threads",
    "num.io.threads",
    "num.network.threads",
    "num.recovery.threads.per.data.dir",
    "num.replica.fetchers",
    "remote.log.manager.copier.thread.pool.size",
    "remote.log.manager.expiration.thread.pool.size",
    "remote.log.manager.follower.thread.pool.size",
    "remote.log.reader.threads",
];

/// Keys that name Java classes, which a change must be able to load: none can be loaded, so these alone are taken.
const CLASSES: [(&str, &[&str]); 3] = [
    ("metric.reporters", &["", "org.apache.kafka.common.metrics.JmxReporter"]),
    (
        "principal.builder.class",
        &["org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder"],
    ),
    ("ssl.engine.factory.class", &[]),
];

type Stored = BTreeMap<String, String>;

/// Splits `listener.name.<listener>.<key>`.
pub(super) fn of_listener(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix("listener.name.")?.split_once('.')
}

/// Whether one value may be set at `level`, whatever else is set. Keys that are not in the table may, as in Kafka,
/// where they are for plugins.
fn check_key(level: Level, name: &str, text: &str) -> Result<(), ConfigError> {
    let base = of_listener(name).map_or(name, |(_, base)| base);
    let key = table::find(Scope::Broker, base);
    let shown = if key.is_some_and(|key| !key.is_sensitive()) { text } else { "[hidden]" };
    let refuse = |rule: &str| Err(ConfigError::new(name, shown, rule));
    if base == name && key.is_some_and(|key| key.update == Update::ReadOnly) {
        return refuse("can only be set at start");
    }
    if UNDER_A_PREFIX_ONLY.contains(&name) {
        return refuse("can only be set for one listener, as listener.name.<listener>.<key>");
    }
    if let Some(key) = key.filter(|key| key.update != Update::ReadOnly) {
        key.parse(text)?;
    }
    let per_broker = if base == name {
        key.is_some_and(|key| key.update == Update::PerBroker)
    } else {
        !OF_LISTENERS_FOR_ALL.contains(&base)
    };
    if level == Level::Cluster && per_broker {
        return refuse("can only be set for one broker, whose id must be the resource's name");
    }
    Ok(())
}

/// The pairs that may be set at `level`.
fn accepted(level: Level, given: &Stored, errors: &mut Vec<ConfigError>) -> Stored {
    let mut layer = Stored::new();
    for (name, text) in given {
        match check_key(level, name, text) {
            Ok(()) => drop(layer.insert(name.clone(), text.clone())),
            Err(error) => errors.push(error),
        }
    }
    layer
}

impl Config {
    /// This configuration with the values that were set at run time for all brokers (`cluster`) and for this one
    /// (`node`) instead of earlier ones. What cannot be changed at run time or is wrong is left out and reported.
    pub fn with_dynamic(&self, cluster: &Stored, node: &Stored) -> (Self, Vec<ConfigError>) {
        let mut errors = Vec::new();
        let mut values = Values {
            fixed: self.values.fixed.clone(),
            cluster: accepted(Level::Cluster, cluster, &mut errors),
            node: accepted(Level::Node, node, &mut errors),
        };
        // Each round takes a value out, and with none left the configuration of the start is valid.
        while !values.cluster.is_empty() || !values.node.is_empty() {
            match Self::new(values.clone()) {
                Ok(config) => return (config, errors),
                Err(more) => {
                    let set = |values: &Values| values.cluster.len().saturating_add(values.node.len());
                    let before = set(&values);
                    for error in &more {
                        values.cluster.remove(error.key());
                        values.node.remove(error.key());
                    }
                    if set(&values) == before {
                        values = Values { fixed: values.fixed, ..Values::default() };
                    }
                    errors.extend(more);
                }
            }
        }
        (Self::new(values).unwrap_or_else(|_| self.clone()), errors)
    }

    /// What of `stored` is in force at `level`: Kafka changes values as if the others were not there.
    pub fn usable_dynamic(level: Level, stored: &Stored) -> Stored {
        accepted(level, stored, &mut Vec::new())
    }

    /// Whether `after` may be all that is set at run time at `level`, when this is the configuration until now.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check_broker_change(&self, level: Level, after: &Stored) -> Result<(), ConfigError> {
        for (name, text) in after {
            check_key(level, name, text)?;
        }
        let mut values = self.values.clone();
        match level {
            Level::Cluster => values.cluster.clone_from(after),
            Level::Node => values.node.clone_from(after),
        }
        let first = |errors: Vec<ConfigError>| errors.into_iter().next();
        let new = match Self::new(values) {
            Ok(new) => new,
            Err(errors) => return first(errors).map_or(Ok(()), Err),
        };
        let change = Change { old: self, new: &new };
        change.check_threads()?;
        change.check_connections()?;
        change.check_local_retention()?;
        change.check_classes()?;
        change.check_listeners()?;
        change.check_cordoned()
    }
}

/// A change of the whole configuration.
struct Change<'a> {
    old: &'a Config,
    new: &'a Config,
}

impl Config {
    /// The value of a broker key, given or default.
    fn value_of(&self, name: &str) -> Option<Value> {
        let key = table::find(Scope::Broker, name)?;
        self.given(name).or(key.default).and_then(|text| key.parse(text).ok())
    }

    pub(super) fn number(&self, name: &str) -> Option<i64> {
        match self.value_of(name)? {
            Value::Number(value) => Some(value),
            _ => None,
        }
    }

    /// The value of `name` for one listener, whose name is in lower case under its prefix.
    fn number_of_listener(&self, listener: &str, name: &str) -> Option<i64> {
        let own = self.given(&format!("listener.name.{}.{name}", listener.to_lowercase()));
        own.and_then(|text| text.trim().parse().ok()).or_else(|| self.number(name))
    }
}

impl Change<'_> {
    fn refuse(&self, name: &str, rule: impl Into<String>) -> Result<(), ConfigError> {
        Err(ConfigError::new(name, self.new.given(name).unwrap_or_default(), rule))
    }

    fn changes(&self, name: &str) -> bool {
        self.old.given(name) != self.new.given(name)
    }

    fn check_threads(&self) -> Result<(), ConfigError> {
        for name in THREADS {
            self.check_count(name, self.old.number(name), self.new.number(name))?;
        }
        for listener in &self.old.network.listeners {
            let name = "num.network.threads";
            let (old, new) = (self.old, self.new);
            self.check_count(
                name,
                old.number_of_listener(&listener.name, name),
                new.number_of_listener(&listener.name, name),
            )?;
        }
        Ok(())
    }

    fn check_count(&self, name: &str, old: Option<i64>, new: Option<i64>) -> Result<(), ConfigError> {
        let (Some(old), Some(new)) = (old, new) else { return Ok(()) };
        let (least, most) = ((old / 2).max(1), old.saturating_mul(2));
        if old == new || (least..=most).contains(&new) {
            return Ok(());
        }
        self.refuse(name, format!("must be from {least} to {most}: a change may halve or double {old}"))
    }

    fn check_connections(&self) -> Result<(), ConfigError> {
        for name in ["max.connections", "max.connection.creation.rate"] {
            for listener in &self.new.network.listeners {
                let of = |config: &Config| config.number_of_listener(&listener.name, name);
                if of(self.old) != of(self.new) && of(self.new) == Some(0) {
                    return self.refuse(name, "must be at least 1");
                }
            }
        }
        Ok(())
    }

    /// What a broker keeps beside a tiered storage cannot be more than all that is kept.
    fn check_local_retention(&self) -> Result<(), ConfigError> {
        let topic = |name: &str| self.new.topic_default(name).and_then(|text| text.parse().ok());
        let pairs = [
            ("log.local.retention.ms", "log.retention.ms", topic("retention.ms")),
            ("log.local.retention.bytes", "log.retention.bytes", topic("retention.bytes")),
        ];
        for (local, all, kept) in pairs {
            let (Some(kept), Some(here)) = (kept, self.new.number(local)) else { continue };
            let same = here == LIKE_ALL || kept < 0;
            if !same && (self.changes(local) || self.changes(all)) && !(0..=kept).contains(&here) {
                return self.refuse(local, format!("must be from 0 to {all}, which is {kept}, or -2"));
            }
        }
        Ok(())
    }

    fn check_classes(&self) -> Result<(), ConfigError> {
        for (name, known) in CLASSES {
            let after = self.new.given(name);
            if self.changes(name) && after.is_some_and(|class| !known.contains(&class.trim())) {
                return self.refuse(name, "must name a class that can be loaded, and none can");
            }
        }
        Ok(())
    }

    /// The listener that brokers use among themselves stays, so there is always one through which listeners can be
    /// set right again; so are those of the start, to which a change may always go back.
    fn check_listeners(&self) -> Result<(), ConfigError> {
        let text = |name: &str| self.old.value_of(name).map(|value| value.to_string());
        let name = text("inter.broker.listener.name")
            .or_else(|| text("security.inter.broker.protocol"))
            .unwrap_or_default();
        let has = |config: &Config| {
            config.network.listeners.iter().any(|listener| listener.name.eq_ignore_ascii_case(&name))
        };
        let is_set = self.new.values.node.contains_key("listeners");
        if is_set && has(self.old) && !has(self.new) {
            let rule = format!("must keep the listener {name}, which brokers use among themselves");
            return self.refuse("listeners", rule);
        }
        Ok(())
    }

    fn check_cordoned(&self) -> Result<(), ConfigError> {
        let name = "cordoned.log.dirs";
        let Some(Value::List(cordoned)) = self.new.value_of(name) else { return Ok(()) };
        let ours = &self.new.storage.log_dirs;
        let is_ours = |dir: &str| dir == "*" || ours.iter().any(|own| own.as_os_str() == dir);
        if self.changes(name) && !cordoned.iter().all(|dir| is_ours(dir)) {
            return self.refuse(name, "must name directories of log.dirs");
        }
        Ok(())
    }
}

/// `log.local.retention.ms` and `.bytes`: as much as is kept in all.
const LIKE_ALL: i64 = -2;

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: &str = include_str!("../../tests/data/kafka-4.3/broker-values.tsv");

    fn stored(pairs: &[(&str, &str)]) -> Stored {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn config(pairs: &[(&str, &str)]) -> Config {
        Config::from_pairs(pairs.iter().copied()).unwrap()
    }

    fn is_ok(config: &Config, level: Level, pairs: &[(&str, &str)]) -> bool {
        config.check_broker_change(level, &stored(pairs)).is_ok()
    }

    #[test]
    fn a_change_of_one_value_is_refused_when_kafka_refuses_it_and_else_taken() {
        let config = config(&[]);
        let mut compared = 0;
        for row in VALUES.lines().map(|line| line.split('\t').collect::<Vec<_>>()) {
            let level = if row[0] == "default" { Level::Cluster } else { Level::Node };
            // The controller refuses those with 40, for the sake of eligible leader replicas.
            let allowed = row[3] != "42";
            assert_eq!(is_ok(&config, level, &[(row[1], row[2])]), allowed, "{row:?}");
            compared += 1;
        }
        assert!(compared > 3500);
    }

    #[test]
    fn values_of_all_brokers_stand_before_those_of_the_start_and_behind_those_of_one() {
        let start = config(&[("log.retention.ms", "1000"), ("log.retention.bytes", "7")]);
        let all = stored(&[("log.retention.ms", "2000"), ("message.max.bytes", "5000")]);
        let (with_all, errors) = start.with_dynamic(&all, &Stored::new());
        assert_eq!(errors, []);
        let (with_both, _) = start.with_dynamic(&all, &stored(&[("log.retention.ms", "3000")]));
        let shown = |config: &Config, key| config.topic_default(key).unwrap().to_owned();
        let of = |key| [&start, &with_all, &with_both].map(|config| shown(config, key));
        assert_eq!(of("retention.ms"), ["1000", "2000", "3000"]);
        assert_eq!(of("max.message.bytes"), ["1048588", "5000", "5000"]);
        assert_eq!(of("retention.bytes"), ["7", "7", "7"]);
    }

    #[test]
    fn what_is_stored_and_cannot_be_used_is_left_out_and_the_rest_holds() {
        let node = stored(&[
            ("message.max.bytes", "5000"),
            ("listeners", "nonsense"),
            ("log.retention.ms", "soon"),
            ("num.partitions", "7"),
            ("max.connections.per.ip", "0"),
        ]);
        let (config, errors) = config(&[]).with_dynamic(&stored(&[("listeners", "A://:1")]), &node);
        let mut keys: Vec<&str> = errors.iter().map(ConfigError::key).collect();
        keys.sort_unstable();
        assert_eq!(
            keys,
            ["listeners", "listeners", "log.retention.ms", "max.connections.per.ip", "num.partitions"]
        );
        assert_eq!(config.topic_default("max.message.bytes"), Some("5000"));
        assert_eq!(config.topics.num_partitions, 1);
        assert_eq!(config.network.listeners.len(), 1);
    }

    #[test]
    fn values_that_contradict_each_other_are_refused_together() {
        let config = config(&[]);
        let cases: &[(bool, &[(&str, &str)])] = &[
            (false, &[("log.retention.ms", "5000"), ("log.local.retention.ms", "6000")]),
            (true, &[("log.retention.ms", "5000"), ("log.local.retention.ms", "5000")]),
            (false, &[("log.retention.bytes", "5000"), ("log.local.retention.bytes", "-1")]),
            (true, &[("max.connections.per.ip", "0"), ("max.connections.per.ip.overrides", "127.0.0.1:5")]),
            (false, &[("max.connections.per.ip.overrides", "127.0.0.1:2147483648")]),
            (true, &[("max.connections.per.ip.overrides", "127.0.0.1:-1,:5, ,")]),
        ];
        for (allowed, pairs) in cases {
            assert_eq!(is_ok(&config, Level::Node, pairs), *allowed, "{pairs:?}");
        }
    }

    #[test]
    fn threads_are_halved_or_doubled_from_what_they_are_now() {
        let threads = |count: &str| stored(&[("num.io.threads", count)]);
        let (now, _) = config(&[]).with_dynamic(&Stored::new(), &threads("16"));
        assert!(is_ok(&now, Level::Node, &[("num.io.threads", "32")]));
        assert!(!is_ok(&now, Level::Node, &[("num.io.threads", "7")]));
        let (now, _) = config(&[]).with_dynamic(&Stored::new(), &threads("32"));
        assert!(!is_ok(&now, Level::Node, &[]), "the default of 8 is less than half");
    }
}
