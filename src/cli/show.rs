//! `milena config`: the effective configuration, each key with where its value comes from, as a properties file that
//! can be fed back: what was set for the start stands as it is, all else behind a comment sign. Starts nothing and
//! changes no file.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::config::describe::Described;
use crate::config::table::{self, Effect, Scope};
use crate::config::{Config, Loaded, Origin, Source};
use crate::controller::image::{ConfigResource, Configs, Image};

/// The configuration with what `image` holds for this broker and for all. What is stored there and is not valid is
/// left out, as the broker does.
pub(super) fn with_stored(config: &Config, image: &Image) -> Config {
    let stored = |node| image.config(&ConfigResource::broker(node)).map(|stored| Configs::clone(stored));
    let (cluster, node) =
        (stored(None).unwrap_or_default(), stored(Some(config.node_id)).unwrap_or_default());
    config.with_dynamic(&cluster, &node).0
}

/// The keys that have an effect or were set, each with its sentence, type, default and source; all keys with `all`.
/// `effective` is what was loaded with what was set at run time.
pub(super) fn properties(loaded: &Loaded, effective: &Config, all: bool) -> String {
    let mut text = String::new();
    for described in effective.describe_broker() {
        let key = table::find(Scope::Broker, &described.name);
        let works = key.is_some_and(|key| key.effect == Effect::Works);
        let is_set = described.source != Source::Default || loaded.config.given(&described.name).is_some();
        if all || works || is_set {
            text.push_str(&entry(&described, key, loaded));
        }
    }
    text
}

fn entry(described: &Described, key: Option<&table::Key>, loaded: &Loaded) -> String {
    let name = &described.name;
    let mut text = match key {
        Some(key) => {
            let default =
                key.default.map_or("no default".to_owned(), |default| format!("default \"{default}\""));
            let effect = if key.effect == Effect::Works { "" } else { ", no effect" };
            format!("# {} ({}, {default}{effect})\n", key.doc, key.kind.name())
        }
        None => "# Not known, no effect.\n".to_owned(),
    };
    let (shown, value) = (escape_name(name), escape(described.value.as_deref().unwrap_or_default()));
    // A key that is not known is sensitive, as it is to clients: files and the environment hold other programs' secrets.
    // What stands among the arguments is seen by everybody anyway.
    let is_argument = loaded.origins.get(name) == Some(&Origin::Override);
    let hidden = if key.is_some() { described.sensitive } else { !is_argument || may_be_secret(name) };
    let fixed = loaded.config.given(name).filter(|_| !hidden);
    let dynamic = match described.source {
        Source::DynamicBroker => Some("set at run time for this broker"),
        Source::DynamicDefaultBroker => Some("set at run time for all brokers"),
        _ => None,
    };
    if let Some(source) = dynamic {
        let _ = writeln!(text, "# source: {source}\n#{shown}={value}");
        if let Some(fixed) = fixed {
            let origin = origin(&loaded.origins, name);
            let _ =
                writeln!(text, "# what would hold without it, source: {origin}\n{shown}={}", escape(fixed));
        }
    } else {
        let source =
            if described.source == Source::Default { "default" } else { origin(&loaded.origins, name) };
        // As it was given: one in another unit that was set at run time may hide it.
        let (sign, value) = fixed.map_or(("#", value), |fixed| ("", escape(fixed)));
        let _ = writeln!(text, "# source: {source}\n{sign}{shown}={value}");
    }
    text.push('\n');
    text
}

/// Whether the value of a key that is not known may be a secret, to judge by its name.
fn may_be_secret(name: &str) -> bool {
    const SIGNS: [&str; 9] =
        ["pass", "secret", "token", "credential", "jaas", "auth", "certificate", "license", "private"];
    let name = name.to_lowercase();
    name.ends_with("key") || SIGNS.iter().any(|sign| name.contains(sign))
}

fn origin(origins: &BTreeMap<String, Origin>, name: &str) -> &'static str {
    // The two names of the node's id stand for each other.
    let other = match name {
        "node.id" => "broker.id",
        "broker.id" => "node.id",
        name => name,
    };
    match origins.get(name).or_else(|| origins.get(other)) {
        Some(Origin::File) => "file",
        Some(Origin::Environment) => "environment",
        Some(Origin::Override) => "override",
        None => "default",
    }
}

/// Escapes what a properties file would read differently.
fn escape(value: &str) -> String {
    escape_with(value, |at, c| at == 0 && c == ' ')
}

/// Escapes a name, which may be any that a client has set: it must neither end early nor begin a line.
fn escape_name(name: &str) -> String {
    escape_with(name, |_, c| matches!(c, '=' | ':' | '#' | '!' | ' '))
}

fn escape_with(text: &str, means_more: impl Fn(usize, char) -> bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        match c {
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '\u{c}' => escaped.push_str("\\f"),
            c => {
                if means_more(at, c) {
                    escaped.push('\\');
                }
                escaped.push(c);
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, load};

    fn loaded(overrides: &[&str]) -> Loaded {
        let overrides = overrides.iter().map(|text| (*text).to_owned()).collect();
        load(&Sources { overrides, ..Sources::default() }).unwrap()
    }

    fn stored(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_is_shown_reads_back_as_the_same_configuration() {
        let given = loaded(&["num.partitions=3", "broker.rack=a\\b", "ssl.key.password=hunter2"]);
        let config = &given.config;
        let text = properties(&given, config, false);
        assert!(text.contains("\n# source: override\nnum.partitions=3\n"), "{text}");
        assert!(text.contains("#ssl.key.password=\n") && !text.contains("hunter2"), "{text}");
        assert!(!text.contains("background.threads="));
        assert!(properties(&given, config, true).contains("\n# source: default\n#background.threads=10\n"));
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("p");
        std::fs::write(&file, &text).unwrap();
        let again = load(&Sources { file: Some(file), ..Sources::default() }).unwrap();
        assert_eq!(again.warnings, Vec::<String>::new());
        assert_eq!(again.config.rack.as_deref(), Some("a\\b"));
        assert_eq!(again.config.topics, config.topics);
        assert_eq!(again.config.storage, config.storage);
        assert_eq!(again.config.network, config.network);
        assert_eq!(again.origins["num.partitions"], Origin::File);
    }

    #[test]
    fn each_source_is_named_and_the_last_one_stands() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("p");
        std::fs::write(&file, "num.partitions=2\nlog.retention.hours=1\nbroker.id=7\nmessage.max.bytes=10")
            .unwrap();
        let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let environment = vec![
            variable("KAFKA_NUM_PARTITIONS", "3"),
            variable("KAFKA_BROKER_RACK", "r"),
            variable("CLUSTER_ID", "c"),
        ];
        let overrides = vec!["num.partitions=4".to_owned()];
        let given = load(&Sources { file: Some(file), environment, overrides }).unwrap();
        let cluster = stored(&[("message.max.bytes", "20"), ("log.segment.bytes", "2000000")]);
        let (effective, errors) =
            given.config.with_dynamic(&cluster, &stored(&[("log.segment.bytes", "3000000")]));
        assert_eq!(errors, Vec::new());
        let text = properties(&given, &effective, false);
        for expected in [
            "# source: override\nnum.partitions=4\n",
            "# source: file\nlog.retention.hours=1\n",
            "# source: file\nnode.id=7\n",
            "# source: environment\nbroker.rack=r\n",
            "# source: environment\nmilena.cluster.id=c\n",
            "# source: default\n#delete.topic.enable=true\n",
            "# source: set at run time for this broker\n#log.segment.bytes=3000000\n",
            "# source: set at run time for all brokers\n#message.max.bytes=20\n\
             # what would hold without it, source: file\nmessage.max.bytes=10\n",
        ] {
            assert!(text.contains(expected), "{expected}\nis not in\n{text}");
        }
    }

    #[test]
    fn a_value_of_the_start_in_another_unit_stands_as_it_was_given() {
        let given = loaded(&["log.retention.minutes=5", "log.retention.hours=7"]);
        let (effective, _) = given.config.with_dynamic(&stored(&[("log.retention.ms", "9")]), &stored(&[]));
        let text = properties(&given, &effective, false);
        assert!(text.contains("\n# source: override\nlog.retention.minutes=5\n"), "{text}");
        assert!(text.contains("\n# source: override\nlog.retention.hours=7\n"), "{text}");
    }

    #[test]
    fn a_name_makes_no_line_of_its_own() {
        let given = loaded(&["my key:a\\=1"]);
        let evil = stored(&[("x\nlog.dirs=/elsewhere\r#", "1"), ("#y\u{c}", "\u{c}2")]);
        let (effective, errors) = given.config.with_dynamic(&evil, &stored(&[]));
        assert_eq!(errors, Vec::new());
        let text = properties(&given, &effective, false);
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("p");
        std::fs::write(&file, &text).unwrap();
        let again = load(&Sources { file: Some(file), ..Sources::default() }).unwrap();
        assert_eq!(again.origins.keys().collect::<Vec<_>>(), ["my key:a\\"], "{text}");
        assert_eq!(again.config.storage, given.config.storage);
        assert_eq!(escape_name("a\\= b"), "a\\\\\\=\\ b");
    }
}
