//! What a subscription to client metrics may hold (KIP-714). Pure; it looks at patterns and matches nothing.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::collections::BTreeMap;

use super::table::{self, Scope};
use super::value::{ConfigError, Value};

/// Milliseconds between two pushes: a tenth of a second to an hour.
const INTERVAL_MS: std::ops::RangeInclusive<i64> = 100..=3_600_000;

/// What a client can be told apart by.
const MATCHED: [&str; 6] = [
    "client_id",
    "client_instance_id",
    "client_software_name",
    "client_software_version",
    "client_source_address",
    "client_source_port",
];

/// What is wrong with a subscription. Kafka answers the two with different codes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubscriptionError {
    /// An unknown key or an interval that is not allowed: `INVALID_REQUEST`.
    #[error(transparent)]
    Request(ConfigError),
    /// A value that cannot be read: `INVALID_CONFIG`.
    #[error(transparent)]
    Config(ConfigError),
}

/// Whether a subscription may have `own` as its values.
///
/// # Errors
/// The first thing that is wrong.
pub fn check_subscription(own: &BTreeMap<String, String>) -> Result<(), SubscriptionError> {
    for name in own.keys() {
        table::require(Scope::ClientMetrics, name).map_err(SubscriptionError::Request)?;
    }
    for (name, text) in own {
        let key = table::require(Scope::ClientMetrics, name).map_err(SubscriptionError::Request)?;
        let value = key.parse(text).map_err(SubscriptionError::Config)?;
        let refuse = |rule: &str| ConfigError::new(name, text, rule);
        match value {
            Value::Number(interval_ms) if !INTERVAL_MS.contains(&interval_ms) => {
                return Err(SubscriptionError::Request(refuse("must be from 100 to 3600000")));
            }
            Value::List(entries) if entries.iter().any(String::is_empty) => {
                return Err(SubscriptionError::Config(refuse("must have no empty entry")));
            }
            Value::List(entries) if name == "match" && !entries.iter().all(|entry| is_match(entry)) => {
                let rule = "must be a list of name=pattern";
                return Err(SubscriptionError::Config(refuse(rule)));
            }
            _ => {}
        }
    }
    Ok(())
}

fn is_match(entry: &str) -> bool {
    let mut parts = entry.split('=');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(name), Some(pattern), None) => {
            MATCHED.contains(&name.trim()) && !pattern.is_empty() && is_pattern(pattern.trim())
        }
        _ => false,
    }
}

/// Whether brackets and repetitions of a regular expression are in order. What Java's dialect makes of the rest is
/// not looked at: a pattern is stored for whoever evaluates it.
fn is_pattern(pattern: &str) -> bool {
    let mut open = 0_usize;
    let mut in_class = false;
    // Whether something stands before that can be repeated.
    let mut repeatable = false;
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.next().is_none() => return false,
            ']' if in_class => (in_class, repeatable) = (false, true),
            _ if in_class => {}
            '[' => in_class = true,
            '(' => {
                open = open.saturating_add(1);
                // `(?` opens a group of some kind; its marks are no repetitions.
                let rest = chars.as_str();
                if let Some(kind) = rest.strip_prefix('?') {
                    chars = kind.chars();
                }
                repeatable = false;
            }
            ')' => match open.checked_sub(1) {
                Some(left) => (open, repeatable) = (left, true),
                None => return false,
            },
            '|' => repeatable = false,
            '*' | '+' | '?' if !repeatable => return false,
            '{' => {
                let Some((counts, rest)) = chars.as_str().split_once('}') else { return false };
                let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
                let (least, most) = counts.split_once(',').unwrap_or((counts, ""));
                if !repeatable || least.is_empty() || !number(least) || !number(most) {
                    return false;
                }
                chars = rest.chars();
            }
            _ => repeatable = true,
        }
    }
    open == 0 && !in_class
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: &str = include_str!("../../tests/data/kafka-4.3/client-metrics-values.tsv");

    #[test]
    fn a_subscriptions_value_is_refused_with_kafkas_code_when_kafka_refuses_it() {
        let mut compared = 0;
        for row in VALUES.lines().map(|line| line.split('\t').collect::<Vec<_>>()) {
            let own = BTreeMap::from([(row[0].to_owned(), row[1].to_owned())]);
            let code = match check_subscription(&own) {
                Ok(()) => "0",
                Err(SubscriptionError::Request(_)) => "42",
                Err(SubscriptionError::Config(_)) => "40",
            };
            assert_eq!(code, row[2], "{row:?}");
            compared += 1;
        }
        assert!(compared > 250);
    }

    #[test]
    fn a_pattern_is_held_to_its_brackets_and_repetitions() {
        for good in ["a.*", "a{2,3}?", "(a|b)+c", "[*]*", r"\(", "(?:a)+", "(?<n>a)", "a{2,}", "^x$"] {
            assert!(is_pattern(good), "{good}");
        }
        for bad in ["*", "(", ")", "[", "a{2", "a{x}", "\\", "(*a)", "a|*"] {
            assert!(!is_pattern(bad), "{bad}");
        }
    }
}
