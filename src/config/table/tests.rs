//! The table against what Apache Kafka 4.3.0 itself says of its keys (`tests/data/kafka-4.3`, measured).

use std::collections::BTreeSet;

use super::*;

const DEFINITIONS: &str = include_str!("../../../tests/data/kafka-4.3/config-definitions.tsv");
const UPDATE_MODES: &str = include_str!("../../../tests/data/kafka-4.3/config-update-modes.tsv");
const TOPIC_VALUES: &str = include_str!("../../../tests/data/kafka-4.3/topic-values.tsv");
const FRESH_NODE: &str = include_str!("../../../tests/data/kafka-4.3/configs.tsv");

/// Broker defaults that differ from Kafka's, with ours.
const OTHER_DEFAULTS: [(&str, &str); 5] = [
    ("controller.listener.names", "CONTROLLER"),
    ("group.initial.rebalance.delay.ms", "0"),
    ("log.dir", "milena-data"),
    ("node.id", "1"),
    ("process.roles", "broker,controller"),
];

/// Keys that tools set at run time and that stand in no definition.
const TOOLS_ONLY: [&str; 3] = [
    "follower.replication.throttled.rate",
    "leader.replication.throttled.rate",
    "replica.alter.log.dirs.io.max.bytes.per.second",
];

/// Rules that Kafka's definition shows as text although each list or text passes.
const NO_RULE: [&str; 2] = ["non-null string", "non-empty list"];

fn rows(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines().map(|line| line.split('\t').collect())
}

fn scope(text: &str) -> Scope {
    match text {
        "BROKER" => Scope::Broker,
        "TOPIC" => Scope::Topic,
        "GROUP" => Scope::Group,
        other => panic!("{other}"),
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "BOOLEAN",
        Kind::Short => "SHORT",
        Kind::Int => "INT",
        Kind::Long => "LONG",
        Kind::Double => "DOUBLE",
        Kind::Text => "STRING",
        Kind::List => "LIST",
        Kind::Class => "CLASS",
        Kind::Password => "PASSWORD",
    }
}

fn rule(valid: Valid) -> String {
    match valid {
        Valid::Any => String::new(),
        Valid::Min(min) => format!("[{min},...]"),
        Valid::Range(min, max) => format!("[{min},...,{max}]"),
        Valid::Share(max) => format!("[0,...,{max}]"),
        Valid::GzipLevel => "[1,...,9] or -1".to_owned(),
        Valid::NonEmpty => "non-empty string".to_owned(),
        Valid::HostAndPort => "host:port".to_owned(),
        Valid::OneOf(allowed) | Valid::ListOf(allowed) => format!("[{}]", allowed.join(", ")),
        Valid::OneOfAnyCase(allowed) => format!("(case insensitive) [{}]", allowed.join(", ")),
        Valid::ThrottledReplicas => "[partitionId]:[brokerId],[partitionId]:[brokerId],...".to_owned(),
        Valid::OffsetReset => "[latest, earliest, by_duration:PnDTnHnMn.nS]".to_owned(),
    }
}

#[test]
fn every_key_of_kafka_is_there_with_its_type_default_and_rule() {
    let mut seen = BTreeSet::new();
    for row in rows(DEFINITIONS).skip(1) {
        let (name, default, valid) = (row[1], row[3], row[4]);
        let key = find(scope(row[0]), name).unwrap_or_else(|| panic!("{name} is missing"));
        assert_eq!(kind(key.kind), row[2], "{name}");
        let ours = OTHER_DEFAULTS.iter().find(|(other, _)| *other == name && row[0] == "BROKER");
        let expected = match (ours, default) {
            (Some((_, ours)), theirs) => {
                assert_ne!(*ours, theirs, "{name} does not differ");
                Some(*ours)
            }
            (None, "<null>") => None,
            (None, text) => Some(text.strip_prefix("class ").unwrap_or(text)),
        };
        assert_eq!(key.default, expected, "{name}");
        let valid = if NO_RULE.contains(&valid) { "" } else { valid };
        assert_eq!(rule(key.valid), valid, "{name}");
        assert_eq!(key.internal, row.get(6) == Some(&"internal"), "{name}");
        seen.insert((scope(row[0]), name));
    }
    for scope in [Scope::Broker, Scope::Topic, Scope::Group] {
        for key in keys(scope) {
            let ours = key.name.starts_with("milena.") || TOOLS_ONLY.contains(&key.name);
            assert!(ours || seen.contains(&(scope, key.name)), "{} is not Kafka's", key.name);
        }
    }
}

#[test]
fn a_key_stands_in_the_table_once_and_has_its_documentation() {
    for scope in [Scope::Broker, Scope::Topic, Scope::Group] {
        let mut names = BTreeSet::new();
        for key in keys(scope) {
            assert!(names.insert(key.name), "{} stands there twice", key.name);
            let doc = key.doc;
            assert!(
                doc.ends_with('.') && doc.starts_with(|c: char| c.is_ascii_uppercase()),
                "{}: {doc}",
                key.name
            );
        }
    }
}

#[test]
fn the_update_modes_are_kafkas() {
    let modes: Vec<_> = rows(UPDATE_MODES).map(|row| (row[0], row[1])).collect();
    for key in keys(Scope::Broker) {
        let expected = match modes.iter().find(|(name, _)| *name == key.name) {
            Some((_, "per-broker")) => Update::PerBroker,
            Some((_, "cluster-wide")) => Update::ClusterWide,
            Some((_, other)) => panic!("{other}"),
            None => Update::ReadOnly,
        };
        assert_eq!(key.update, expected, "{}", key.name);
    }
    for (name, _) in modes {
        assert!(find(Scope::Broker, name).is_some(), "{name}");
    }
}

#[test]
fn a_fresh_nodes_topic_and_group_keys_take_their_values_from_the_same_broker_keys() {
    for row in rows(FRESH_NODE).skip(1).filter(|row| row[0] != "BROKER") {
        let key = find(scope(row[0]), row[1]).unwrap();
        let shown =
            row[7].split(' ').next_back().and_then(|synonym| synonym.split_once(':')).map(|(_, name)| name);
        // Four topic keys have synonyms of which only another unit is set; a group's own entry is no synonym.
        let in_units = ["flush.ms", "retention.ms", "segment.ms", "segment.jitter.ms"].contains(&key.name);
        if !in_units {
            assert_eq!(
                key.synonym,
                shown.filter(|name| *name != key.name || row[0] == "TOPIC"),
                "{}",
                key.name
            );
        }
        assert_eq!(key.is_sensitive(), row[6] == "sensitive", "{}", key.name);
        assert!(!key.internal, "{}", key.name);
    }
}

#[test]
fn every_default_passes_its_own_rule() {
    for scope in [Scope::Broker, Scope::Topic, Scope::Group] {
        for key in keys(scope) {
            if let Some(default) = key.default {
                assert!(key.parse(default).is_ok(), "{} = {default}", key.name);
            }
        }
    }
}

#[test]
fn a_topic_value_is_refused_when_kafka_refuses_it_and_else_taken() {
    let mut compared = 0;
    for row in rows(TOPIC_VALUES) {
        let (name, value, verdict) = (row[0], row[1], row[2]);
        if value == "NaN" && name == "min.cleanable.dirty.ratio" {
            // Kafka takes it because it is neither below 0 nor above 1; no log would ever be clean enough.
            assert!(validate_topic(name, value).is_err());
            continue;
        }
        let ours = if validate_topic(name, value).is_ok() { "ok" } else { "refused" };
        assert_eq!(ours, verdict, "{name}={value}");
        compared += 1;
    }
    assert!(compared > 1900);
}

#[test]
fn a_topic_value_is_checked_with_key_value_and_what_is_allowed_in_the_message() {
    assert_eq!(validate_topic("retention.ms", "-1"), Ok(()));
    let message = |name: &str, value: &str| validate_topic(name, value).unwrap_err().to_string();
    let expected = "Invalid value x for configuration retention.ms: \
        must be a whole number from -9223372036854775808 to 9223372036854775807";
    assert_eq!(message("retention.ms", "x"), expected);
    assert_eq!(
        message("cleanup.policy", "shrink"),
        "Invalid value shrink for configuration cleanup.policy: must be a list of compact, delete"
    );
    assert_eq!(message("no.such.key", "1"), "Unknown topic config name: no.such.key");
    assert_eq!(message("log.retention.ms", "1"), "Unknown topic config name: log.retention.ms");
}

#[test]
fn a_sensitive_value_is_not_shown() {
    let key = find(Scope::Broker, "ssl.key.password").unwrap();
    assert!(key.is_sensitive());
    assert!(key.parse("secret").is_ok());
}
