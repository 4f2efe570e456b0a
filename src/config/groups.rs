//! What a group's own values may be: the broker bounds most of them, and its defaults stand where a group has none.
//! Pure.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::collections::BTreeMap;

use super::Config;
use super::table::{self, Scope};
use super::value::{ConfigError, Value};
use super::values::Reader;

/// A group's key with the broker's keys of its least and its greatest value.
struct Bounds {
    group: &'static str,
    least: Option<&'static str>,
    most: Option<&'static str>,
}

const fn bounds(group: &'static str, least: Option<&'static str>, most: Option<&'static str>) -> Bounds {
    Bounds { group, least, most }
}

#[rustfmt::skip] // A table is read by its columns.
const BOUNDS: &[Bounds] = &[
    bounds("consumer.assignment.interval.ms", Some("group.consumer.min.assignment.interval.ms"), Some("group.consumer.max.assignment.interval.ms")),
    bounds("consumer.heartbeat.interval.ms", Some("group.consumer.min.heartbeat.interval.ms"), Some("group.consumer.max.heartbeat.interval.ms")),
    bounds("consumer.session.timeout.ms", Some("group.consumer.min.session.timeout.ms"), Some("group.consumer.max.session.timeout.ms")),
    bounds("share.assignment.interval.ms", Some("group.share.min.assignment.interval.ms"), Some("group.share.max.assignment.interval.ms")),
    bounds("share.delivery.count.limit", Some("group.share.min.delivery.count.limit"), Some("group.share.max.delivery.count.limit")),
    bounds("share.heartbeat.interval.ms", Some("group.share.min.heartbeat.interval.ms"), Some("group.share.max.heartbeat.interval.ms")),
    bounds("share.partition.max.record.locks", Some("group.share.min.partition.max.record.locks"), Some("group.share.max.partition.max.record.locks")),
    bounds("share.record.lock.duration.ms", Some("group.share.min.record.lock.duration.ms"), Some("group.share.max.record.lock.duration.ms")),
    bounds("share.session.timeout.ms", Some("group.share.min.session.timeout.ms"), Some("group.share.max.session.timeout.ms")),
    bounds("streams.assignment.interval.ms", Some("group.streams.min.assignment.interval.ms"), Some("group.streams.max.assignment.interval.ms")),
    bounds("streams.heartbeat.interval.ms", Some("group.streams.min.heartbeat.interval.ms"), Some("group.streams.max.heartbeat.interval.ms")),
    bounds("streams.num.standby.replicas", None, Some("group.streams.max.standby.replicas")),
    bounds("streams.session.timeout.ms", Some("group.streams.min.session.timeout.ms"), Some("group.streams.max.session.timeout.ms")),
];

/// A member that is heard of less often than its session lasts would never stay in its group.
const HEARTBEATS: [(&str, &str); 3] = [
    ("consumer.heartbeat.interval.ms", "consumer.session.timeout.ms"),
    ("share.heartbeat.interval.ms", "share.session.timeout.ms"),
    ("streams.heartbeat.interval.ms", "streams.session.timeout.ms"),
];

impl Config {
    /// Whether a group may have `own` as all of its own values.
    ///
    /// # Errors
    /// The first key that is not a group's, or value that is not allowed.
    pub fn check_group(&self, own: &BTreeMap<String, String>) -> Result<(), ConfigError> {
        for (name, text) in own {
            table::require(Scope::Group, name)?.parse(text)?;
        }
        for bounds in BOUNDS.iter().filter(|bounds| own.contains_key(bounds.group)) {
            let Some(value) = self.group_number(own, bounds.group) else { continue };
            for (broker_key, is_least) in [(bounds.least, true), (bounds.most, false)] {
                let limit = broker_key.and_then(|name| Some((name, self.number(name)?)));
                if let Some((name, limit)) = limit {
                    check_bound(bounds.group, value, name, limit, is_least)?;
                }
            }
        }
        for (heartbeat, session) in HEARTBEATS {
            let values = self.group_number(own, heartbeat).zip(self.group_number(own, session));
            if let Some((interval, timeout)) = values.filter(|(interval, timeout)| interval >= timeout) {
                let rule = format!("must be above {heartbeat}, which is {interval}");
                return Err(ConfigError::new(session, timeout.to_string(), rule));
            }
        }
        Ok(())
    }

    /// A group's value of a key: its own, else the broker's, else the default.
    fn group_number(&self, own: &BTreeMap<String, String>, name: &str) -> Option<i64> {
        let key = table::find(Scope::Group, name)?;
        let text = match (own.get(name), key.synonym) {
            (Some(text), _) => Some(text.as_str()),
            (None, Some(broker_key)) => return self.number(broker_key),
            (None, None) => key.default,
        };
        match key.parse(text?) {
            Ok(Value::Number(value)) => Some(value),
            _ => None,
        }
    }
}

fn check_bound(
    name: &str,
    value: i64,
    broker_key: &str,
    limit: i64,
    is_least: bool,
) -> Result<(), ConfigError> {
    let (holds, word) = if is_least { (value >= limit, "least") } else { (value <= limit, "most") };
    if holds {
        return Ok(());
    }
    let rule = format!("must be at {word} {broker_key}, which is {limit}");
    Err(ConfigError::new(name, value.to_string(), rule))
}

/// The broker's own defaults for groups keep its bounds too.
pub(super) fn check_defaults(reader: &mut Reader<'_>) {
    for bounds in BOUNDS {
        let Some(broker_key) = table::find(Scope::Group, bounds.group).and_then(|key| key.synonym) else {
            continue;
        };
        let value = reader.long(broker_key);
        for (limit_key, is_least) in [(bounds.least, true), (bounds.most, false)] {
            let Some(limit_key) = limit_key else { continue };
            let limit = reader.long(limit_key);
            if let Err(error) = check_bound(broker_key, value, limit_key, limit, is_least) {
                reader.errors.push(error);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: &str = include_str!("../../tests/data/kafka-4.3/group-values.tsv");

    fn check(config: &Config, pairs: &[(&str, &str)]) -> Result<(), ConfigError> {
        let own = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        config.check_group(&own)
    }

    #[test]
    fn a_groups_value_is_refused_when_kafka_refuses_it_and_else_taken() {
        let config = Config::from_pairs([]).unwrap();
        let mut compared = 0;
        for row in VALUES.lines().map(|line| line.split('\t').collect::<Vec<_>>()) {
            assert_eq!(check(&config, &[(row[0], row[1])]).is_ok(), row[2] == "0", "{row:?}");
            compared += 1;
        }
        assert!(compared > 1100);
    }

    #[test]
    fn a_session_lasts_longer_than_the_pause_between_heartbeats_that_the_broker_has_by_default() {
        let config = Config::from_pairs([
            ("group.consumer.max.heartbeat.interval.ms", "60000"),
            ("group.consumer.session.timeout.ms", "55000"),
            ("group.streams.max.heartbeat.interval.ms", "60000"),
        ])
        .unwrap();
        let heartbeat = "consumer.heartbeat.interval.ms";
        assert!(check(&config, &[(heartbeat, "50000")]).is_ok());
        assert!(check(&config, &[(heartbeat, "58000")]).is_err());
        assert!(check(&config, &[(heartbeat, "58000"), ("consumer.session.timeout.ms", "59000")]).is_ok());
        let error = check(&config, &[("streams.heartbeat.interval.ms", "50000")]).unwrap_err();
        assert_eq!(error.key(), "streams.session.timeout.ms");
    }

    #[test]
    fn the_brokers_defaults_for_groups_keep_its_own_bounds() {
        for (key, value) in [
            ("group.consumer.session.timeout.ms", "61000"),
            ("group.share.min.heartbeat.interval.ms", "6000"),
            ("group.streams.assignment.interval.ms", "20000"),
        ] {
            assert!(Config::from_pairs([(key, value)]).is_err(), "{key}={value}");
        }
    }
}
