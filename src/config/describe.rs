//! What `DescribeConfigs` tells of each key: value, source, synonyms, documentation. Pure; which resource is asked
//! for, and whether it exists, is the caller's business.

use std::collections::BTreeMap;

use super::dynamic::of_listener;
use super::table::{self, Key, Scope, Update};
use super::value::Kind;
use super::{Config, Source, Synonym};

/// One configuration of a resource as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// The key.
    pub name: String,
    /// The effective value as Kafka prints it; `None` when there is none or it must not be shown.
    pub value: Option<String>,
    /// Whether it can be changed at start only.
    pub read_only: bool,
    /// Where the value comes from.
    pub source: Source,
    /// Whether its value is never shown.
    pub sensitive: bool,
    /// Where the value could come from, best first; of sensitive keys without values.
    pub synonyms: Vec<Synonym>,
    /// Its type; `None` for a key that is not in the table.
    pub kind: Option<Kind>,
    /// One sentence about it.
    pub documentation: Option<&'static str>,
}

type Stored = BTreeMap<String, String>;

impl Described {
    fn of(key: &Key, value: Option<String>, read_only: bool, mut synonyms: Vec<Synonym>) -> Self {
        let sensitive = key.is_sensitive();
        if sensitive {
            hide(&mut synonyms);
        }
        Self {
            name: key.name.to_owned(),
            value: value.filter(|_| !sensitive),
            read_only,
            source: synonyms.first().map_or(Source::Default, |synonym| synonym.source),
            sensitive,
            synonyms,
            kind: Some(key.kind),
            documentation: Some(key.doc),
        }
    }

    /// A key that is not in the table: it might hold a secret, so as in Kafka its value is not shown.
    fn unknown(name: &str, read_only: bool, mut synonyms: Vec<Synonym>) -> Self {
        hide(&mut synonyms);
        Self {
            name: name.to_owned(),
            value: None,
            read_only,
            source: synonyms.first().map_or(Source::Default, |synonym| synonym.source),
            sensitive: true,
            synonyms,
            kind: None,
            documentation: None,
        }
    }
}

fn hide(synonyms: &mut [Synonym]) {
    for synonym in synonyms {
        synonym.value.clear();
    }
}

fn own_synonym(name: &str, value: Option<&str>, source: Source) -> Synonym {
    Synonym { name: name.to_owned(), value: value.unwrap_or_default().to_owned(), source }
}

/// The stored value of `key` as Kafka prints it; as it stands when it is not valid.
fn printed(key: &Key, text: &str) -> String {
    key.parse(text).map_or_else(|_| text.to_owned(), |value| value.to_string())
}

/// The key that `name` sets for one listener.
fn listener_key(name: &str) -> Option<&'static Key> {
    let (_, base) = of_listener(name)?;
    // This one stands under the name of a mechanism, too.
    let base = if base.ends_with(".sasl.jaas.config") { "sasl.jaas.config" } else { base };
    table::find(Scope::Broker, base)
}

/// A broker's key that is not in the table by itself, with what it could take its value from.
fn beyond_the_table(name: &str, synonyms: Vec<Synonym>) -> Described {
    let Some(key) = listener_key(name) else { return Described::unknown(name, true, synonyms) };
    let value = synonyms.first().map(|own| printed(key, &own.value));
    let described = Described::of(key, value, true, synonyms);
    Described { name: name.to_owned(), documentation: None, ..described }
}

/// Keys of `scope` that are listed: Kafka's internal ones only when they are set.
fn listed(scope: Scope, is_set: impl Fn(&str) -> bool) -> impl Iterator<Item = &'static Key> {
    table::keys(scope).filter(move |key| !key.internal || is_set(key.name))
}

impl Config {
    /// Every configuration of a topic with the values `stored` of its own.
    pub fn describe_topic(&self, stored: &Stored) -> Vec<Described> {
        let known = listed(Scope::Topic, |name| stored.contains_key(name)).map(|key| {
            let own = stored.get(key.name).map(|text| printed(key, text));
            let mut synonyms: Vec<Synonym> =
                own.iter().map(|value| own_synonym(key.name, Some(value), Source::Topic)).collect();
            synonyms
                .extend(key.synonym.map(|broker_key| self.values.synonyms(broker_key)).unwrap_or_default());
            let default = || self.topic_default(key.name).map(|text| printed(key, text));
            Described::of(key, own.or_else(default), false, synonyms)
        });
        known.chain(unknown(Scope::Topic, stored, Source::Topic)).collect()
    }

    /// Every configuration of this broker.
    pub fn describe_broker(&self) -> Vec<Described> {
        let known = listed(Scope::Broker, |name| self.given(name).is_some()).map(|key| {
            let value = match key.name {
                "broker.id" => Some(self.node_id.to_string()),
                name => self.given(name).or(key.default).map(|text| printed(key, text)),
            };
            Described::of(key, value, key.update == Update::ReadOnly, self.values.synonyms(key.name))
        });
        let names = self.values.names();
        let unknown = names.into_iter().filter(|name| table::find(Scope::Broker, name).is_none());
        let unknown = unknown.map(|name| {
            let mut synonyms = self.values.synonyms(name);
            if let Some(key) = listener_key(name) {
                synonyms.extend(self.values.synonyms(key.name));
            }
            beyond_the_table(name, synonyms)
        });
        known.chain(unknown).collect()
    }

    /// What is set at run time for all brokers.
    pub fn describe_broker_defaults(&self) -> Vec<Described> {
        let source = Source::DynamicDefaultBroker;
        let set = self.values.cluster.iter().map(|(name, text)| match table::find(Scope::Broker, name) {
            Some(key) => {
                let synonyms = vec![own_synonym(name, Some(text), source)];
                Described::of(key, Some(printed(key, text)), key.update == Update::ReadOnly, synonyms)
            }
            None => beyond_the_table(name, vec![own_synonym(name, Some(text), source)]),
        });
        set.collect()
    }

    /// Every configuration of a group with the values `stored` of its own.
    pub fn describe_group(&self, stored: &Stored) -> Vec<Described> {
        let known = listed(Scope::Group, |name| stored.contains_key(name)).map(|key| {
            let own = stored.get(key.name).map(|text| printed(key, text));
            let mut synonyms: Vec<Synonym> =
                own.iter().map(|value| own_synonym(key.name, Some(value), Source::Group)).collect();
            let default = if let Some(broker_key) = key.synonym {
                synonyms.extend(self.values.synonyms(broker_key));
                self.given(broker_key).or(key.default)
            } else {
                synonyms.push(own_synonym(key.name, key.default, Source::Default));
                key.default
            };
            let value = own.or_else(|| default.map(|text| printed(key, text)));
            Described::of(key, value, false, synonyms)
        });
        known.chain(unknown(Scope::Group, stored, Source::Group)).collect()
    }
}

/// Every configuration of a subscription to client metrics with the values `stored` of its own.
pub fn describe_client_metrics(stored: &Stored) -> Vec<Described> {
    let known = table::keys(Scope::ClientMetrics).map(|key| {
        let own = stored.get(key.name).map(|text| printed(key, text));
        let synonyms: Vec<Synonym> =
            own.iter().map(|value| own_synonym(key.name, Some(value), Source::ClientMetrics)).collect();
        Described::of(key, own.or_else(|| key.default.map(str::to_owned)), false, synonyms)
    });
    known.chain(unknown(Scope::ClientMetrics, stored, Source::ClientMetrics)).collect()
}

/// Stored keys that are not in the table, which another broker may have written.
fn unknown(scope: Scope, stored: &Stored, source: Source) -> impl Iterator<Item = Described> {
    let names = stored.keys().filter(move |name| table::find(scope, name).is_none());
    names.map(move |name| Described::unknown(name, false, vec![own_synonym(name, None, source)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::table;

    const FRESH_NODE: &str = include_str!("../../tests/data/kafka-4.3/configs.tsv");

    fn stored(pairs: &[(&str, &str)]) -> Stored {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn find<'a>(all: &'a [Described], name: &str) -> &'a Described {
        all.iter().find(|described| described.name == name).unwrap_or_else(|| panic!("{name} is missing"))
    }

    fn synonyms(described: &Described) -> Vec<(&str, &str, Source)> {
        described.synonyms.iter().map(|s| (s.name.as_str(), s.value.as_str(), s.source)).collect()
    }

    fn source(text: &str) -> Source {
        match text {
            "DEFAULT_CONFIG" => Source::Default,
            "STATIC_BROKER_CONFIG" => Source::StaticBroker,
            "DYNAMIC_DEFAULT_BROKER_CONFIG" => Source::DynamicDefaultBroker,
            other => panic!("{other}"),
        }
    }

    /// The node that was measured: what stood in its file, and the one value that formatting had stored.
    fn fresh_node() -> Config {
        let mut pairs = Vec::new();
        for row in FRESH_NODE.lines().map(|line| line.split('\t').collect::<Vec<_>>()) {
            if row[0] == "BROKER" && row[4] == "STATIC_BROKER_CONFIG" && row[1] != "broker.id" {
                pairs.push((row[1], row[3]));
            }
        }
        let config = Config::from_pairs(pairs).unwrap();
        let (config, errors) = config.with_dynamic(&stored(&[("min.insync.replicas", "1")]), &Stored::new());
        assert_eq!(errors, Vec::new());
        config
    }

    #[test]
    fn a_fresh_node_is_described_as_kafka_describes_it() {
        let config = fresh_node();
        let scopes = [
            ("BROKER", config.describe_broker()),
            ("TOPIC", config.describe_topic(&Stored::new())),
            ("GROUP", config.describe_group(&Stored::new())),
        ];
        for (scope, described) in scopes {
            let rows: Vec<Vec<&str>> = FRESH_NODE.lines().map(|line| line.split('\t').collect()).collect();
            let rows: Vec<_> = rows.iter().filter(|row| row[0] == scope).collect();
            let ours = described.iter().filter(|described| !described.name.starts_with("milena."));
            assert_eq!(ours.count(), rows.len(), "{scope}");
            for row in rows {
                let (name, value) = (row[1], row[3]);
                // Where our default is another one.
                let ours = ["log.dir"].contains(&name).then_some("milena-data");
                let found = find(&described, name);
                assert_eq!(
                    found.value.as_deref().unwrap_or("<null>"),
                    ours.unwrap_or(value),
                    "{scope} {name}"
                );
                assert_eq!(found.source, source(row[4]), "{scope} {name}");
                assert_eq!(found.read_only, row[5] == "read-only", "{scope} {name}");
                assert_eq!(found.sensitive, row[6] == "sensitive", "{scope} {name}");
                let kind = found.kind.map(|kind| match kind {
                    Kind::Bool => "BOOLEAN".to_owned(),
                    Kind::Text => "STRING".to_owned(),
                    other => format!("{other:?}").to_uppercase(),
                });
                assert_eq!(kind.as_deref(), Some(row[2]), "{scope} {name}");
                let names: Vec<String> =
                    row[7].split(' ').filter(|s| !s.is_empty()).map(str::to_owned).collect();
                let shown: Vec<String> = found
                    .synonyms
                    .iter()
                    .map(|s| {
                        let source = match s.source {
                            Source::Default => "DEFAULT_CONFIG",
                            Source::StaticBroker => "STATIC_BROKER_CONFIG",
                            Source::DynamicDefaultBroker => "DYNAMIC_DEFAULT_BROKER_CONFIG",
                            other => panic!("{other:?}"),
                        };
                        format!("{source}:{}", s.name)
                    })
                    .collect();
                let required = ["node.id", "process.roles", "controller.listener.names"];
                if !required.contains(&name) {
                    assert_eq!(shown, names, "{scope} {name}");
                }
            }
        }
    }

    #[test]
    fn a_topics_own_value_comes_first_and_the_brokers_follow() {
        let config = Config::from_pairs([("log.retention.minutes", "5")]).unwrap();
        let (config, _) = config.with_dynamic(&stored(&[("log.retention.ms", "700000")]), &Stored::new());
        let own = stored(&[("cleanup.policy", "delete, compact"), ("retention.ms", "9"), ("nope", "secret")]);
        let described = config.describe_topic(&own);
        let policy = find(&described, "cleanup.policy");
        assert_eq!(policy.value.as_deref(), Some("delete,compact"));
        assert_eq!(
            synonyms(policy),
            vec![
                ("cleanup.policy", "delete,compact", Source::Topic),
                ("log.cleanup.policy", "delete", Source::Default)
            ]
        );
        let retention = find(&described, "retention.ms");
        assert_eq!((retention.value.as_deref(), retention.source), (Some("9"), Source::Topic));
        assert_eq!(
            synonyms(retention)[1..],
            [
                ("log.retention.ms", "700000", Source::DynamicDefaultBroker),
                ("log.retention.minutes", "5", Source::StaticBroker),
                ("log.retention.hours", "168", Source::Default),
            ]
        );
        let unknown = find(&described, "nope");
        assert_eq!((unknown.value.as_deref(), unknown.sensitive, unknown.kind), (None, true, None));
        assert!(synonyms(unknown).iter().all(|(_, value, _)| value.is_empty()));
    }

    #[test]
    fn an_internal_key_is_listed_when_it_is_set_and_else_not() {
        let config = Config::from_pairs([]).unwrap();
        let has =
            |own: &Stored| config.describe_topic(own).iter().any(|d| d.name == "internal.segment.bytes");
        assert!(!has(&Stored::new()));
        assert!(has(&stored(&[("internal.segment.bytes", "4096")])));
    }

    #[test]
    fn a_value_in_another_unit_set_at_run_time_hides_that_of_the_start() {
        let config = Config::from_pairs([("log.retention.minutes", "5")]).unwrap();
        let (config, _) = config.with_dynamic(&stored(&[("log.retention.ms", "700000")]), &Stored::new());
        let described = config.describe_broker();
        let minutes = find(&described, "log.retention.minutes");
        assert_eq!((minutes.value.as_deref(), minutes.source), (None, Source::StaticBroker));
        assert_eq!(synonyms(minutes).len(), 2);
        assert_eq!(find(&described, "log.retention.ms").value.as_deref(), Some("700000"));
    }

    #[test]
    fn secrets_and_unknown_values_are_never_shown() {
        let config =
            Config::from_pairs([("ssl.key.password", "hunter2"), ("no.such.key", "hunter2")]).unwrap();
        let described = config.describe_broker();
        for name in ["ssl.key.password", "no.such.key"] {
            let found = find(&described, name);
            assert_eq!((found.value.as_deref(), found.sensitive), (None, true), "{name}");
            assert_eq!(synonyms(found), vec![(name, "", Source::StaticBroker)]);
        }
        assert!(!format!("{described:?}").contains("hunter2"));
    }

    #[test]
    fn the_defaults_of_all_brokers_are_only_what_was_set_for_them() {
        let config = Config::from_pairs([("message.max.bytes", "5")]).unwrap();
        assert_eq!(config.describe_broker_defaults(), Vec::new());
        let (config, _) = config.with_dynamic(&stored(&[("message.max.bytes", "6")]), &Stored::new());
        let described = config.describe_broker_defaults();
        assert_eq!(described.len(), 1);
        assert_eq!(synonyms(&described[0]), vec![("message.max.bytes", "6", Source::DynamicDefaultBroker)]);
    }

    #[test]
    fn a_group_and_a_subscription_show_their_own_values_before_the_defaults() {
        let config = Config::from_pairs([]).unwrap();
        let group = config.describe_group(&stored(&[("consumer.session.timeout.ms", "46000")]));
        assert_eq!(
            synonyms(find(&group, "consumer.session.timeout.ms")),
            vec![
                ("consumer.session.timeout.ms", "46000", Source::Group),
                ("group.consumer.session.timeout.ms", "45000", Source::Default)
            ]
        );
        assert_eq!(synonyms(find(&group, "share.isolation.level")).len(), 1);
        let metrics = describe_client_metrics(&stored(&[("interval.ms", "1000")]));
        assert_eq!(metrics.len(), table::keys(Scope::ClientMetrics).count());
        assert_eq!(
            synonyms(find(&metrics, "interval.ms")),
            vec![("interval.ms", "1000", Source::ClientMetrics)]
        );
        assert_eq!(find(&metrics, "match").value.as_deref(), Some(""));
    }
}
