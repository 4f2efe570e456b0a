//! The types of configuration values, how Kafka reads them from text and prints them again, and their rules.
//! Pure functions of text; any text gives a value or a `ConfigError`, never a panic.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::collections::HashSet;
use std::fmt;

/// The type of a key's values, as in Kafka's `ConfigDef`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Bool,
    /// 16 bits, signed.
    Short,
    /// 32 bits, signed.
    Int,
    /// 64 bits, signed.
    Long,
    /// A floating point number.
    Double,
    /// Any text.
    Text,
    /// Entries separated by commas.
    List,
    /// The name of a Java class.
    Class,
    /// A text that is never shown.
    Password,
}

/// Which values of its type a key allows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Valid {
    /// All.
    Any,
    /// Numbers from this one on.
    Min(i64),
    /// Numbers from the first to the last, both included.
    Range(i64, i64),
    /// Numbers from 0 to this one, both included.
    Share(f64),
    /// Levels of gzip: 1 to 9, or -1 for the codec's own choice.
    GzipLevel,
    /// Any text but the empty one.
    NonEmpty,
    /// `HOST:PORT`, with an IPv6 address in brackets.
    HostAndPort,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// One of these texts in upper or lower case.
    OneOfAnyCase(&'static [&'static str]),
    /// A list of these entries.
    ListOf(&'static [&'static str]),
    /// `*`, or entries `partition:broker`.
    ThrottledReplicas,
    /// `latest`, `earliest` or `by_duration:` with an ISO 8601 duration.
    OffsetReset,
}

/// A value that has passed its type and rule. It prints as Kafka prints it in `DescribeConfigs`.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Of [`Kind::Bool`].
    Bool(bool),
    /// Of [`Kind::Short`], [`Kind::Int`] and [`Kind::Long`].
    Number(i64),
    /// Of [`Kind::Double`].
    Double(f64),
    /// Of [`Kind::Text`], [`Kind::Class`] and [`Kind::Password`].
    Text(String),
    /// Of [`Kind::List`].
    List(Vec<String>),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Number(value) => value.fmt(f),
            Self::Double(value) => f.write_str(&java_double(*value)),
            Self::Text(value) => f.write_str(value),
            Self::List(entries) => f.write_str(&entries.join(",")),
        }
    }
}

impl Value {
    /// This value without the list entries that stand there before; as in Kafka they are no error (KIP-1161).
    pub(super) fn without_repeats(self) -> Self {
        let Self::List(mut entries) = self else { return self };
        let mut seen = HashSet::new();
        entries.retain(|entry| seen.insert(entry.clone()));
        Self::List(entries)
    }
}

/// What is wrong with a key or value: names key, value and what is allowed. Its text is what clients read as the
/// message of `INVALID_CONFIG`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The value is not allowed.
    #[error("Invalid value {value} for configuration {key}: {rule}")]
    Invalid {
        /// The key.
        key: String,
        /// The value as it was given; hidden when the key is sensitive.
        value: String,
        /// What is allowed.
        rule: String,
    },
    /// There is no such key.
    #[error("Unknown {what} config name: {key}")]
    Unknown {
        /// `topic`, `broker` or `group`.
        what: &'static str,
        /// The key.
        key: String,
    },
}

impl ConfigError {
    /// `value` is not allowed for `key`; `rule` says what is.
    pub fn new(key: impl Into<String>, value: impl Into<String>, rule: impl Into<String>) -> Self {
        Self::Invalid { key: key.into(), value: value.into(), rule: rule.into() }
    }

    /// The key that the error is about.
    pub fn key(&self) -> &str {
        match self {
            Self::Invalid { key, .. } | Self::Unknown { key, .. } => key,
        }
    }
}

impl Kind {
    /// The type's number in `DescribeConfigs` responses (KIP-569).
    pub const fn code(self) -> i8 {
        match self {
            Self::Bool => 1,
            Self::Text => 2,
            Self::Int => 3,
            Self::Short => 4,
            Self::Long => 5,
            Self::Double => 6,
            Self::List => 7,
            Self::Class => 8,
            Self::Password => 9,
        }
    }

    /// The type's name in Kafka's documentation.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bool => "boolean",
            Self::Short => "short",
            Self::Int => "int",
            Self::Long => "long",
            Self::Double => "double",
            Self::Text => "string",
            Self::List => "list",
            Self::Class => "class",
            Self::Password => "password",
        }
    }

    /// Reads `text`; the error says what the type allows.
    pub fn parse(self, text: &str) -> Result<Value, String> {
        let trimmed = text.trim();
        let whole = |min: i64, max: i64| {
            // `i64::from_str` takes a leading plus sign, as Java does.
            let value = trimmed.parse::<i64>().ok().filter(|value| (min..=max).contains(value));
            value.map(Value::Number).ok_or_else(|| format!("must be a whole number from {min} to {max}"))
        };
        match self {
            Self::Bool if trimmed.eq_ignore_ascii_case("true") => Ok(Value::Bool(true)),
            Self::Bool if trimmed.eq_ignore_ascii_case("false") => Ok(Value::Bool(false)),
            Self::Bool => Err("must be true or false".to_owned()),
            Self::Short => whole(i64::from(i16::MIN), i64::from(i16::MAX)),
            Self::Int => whole(i64::from(i32::MIN), i64::from(i32::MAX)),
            Self::Long => whole(i64::MIN, i64::MAX),
            Self::Double => match trimmed.parse::<f64>() {
                Ok(value) if value.is_finite() => Ok(Value::Double(value)),
                _ => Err("must be a number".to_owned()),
            },
            Self::Text | Self::Class => Ok(Value::Text(trimmed.to_owned())),
            Self::Password => Ok(Value::Text(text.to_owned())),
            Self::List => Ok(Value::List(split_list(trimmed))),
        }
    }
}

fn split_list(text: &str) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    text.split(',').map(|entry| entry.trim().to_owned()).collect()
}

impl Valid {
    /// What is allowed, in words that go on from "must be"; empty when everything is.
    pub fn allowed(self) -> String {
        match self {
            Self::Any => String::new(),
            Self::Min(min) => format!("at least {min}"),
            Self::Range(min, max) => format!("from {min} to {max}"),
            Self::Share(max) => format!("from 0 to {max}"),
            Self::GzipLevel => "from 1 to 9, or -1 for the default level".to_owned(),
            Self::NonEmpty => "a text that is not empty".to_owned(),
            Self::HostAndPort => "HOST:PORT, for instance 127.0.0.1:9464".to_owned(),
            Self::OneOf(allowed) => format!("one of {}", allowed.join(", ")),
            Self::OneOfAnyCase(allowed) => format!("one of {}, in upper or lower case", allowed.join(", ")),
            Self::ListOf(allowed) => format!("a list of {}", allowed.join(", ")),
            Self::ThrottledReplicas => {
                "*, or entries of the form partition:broker separated by commas".to_owned()
            }
            Self::OffsetReset => "latest, earliest or by_duration: with a duration like PT1H30M".to_owned(),
        }
    }

    /// Whether `value` is allowed; the error says what is.
    pub fn check(self, value: &Value) -> Result<(), String> {
        if self.allows(value) { Ok(()) } else { Err(format!("must be {}", self.allowed())) }
    }

    fn allows(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Min(min), Value::Number(value)) => *value >= min,
            (Self::Range(min, max), Value::Number(value)) => (min..=max).contains(value),
            (Self::Share(max), Value::Double(value)) => (0.0..=max).contains(value),
            (Self::GzipLevel, Value::Number(value)) => *value == -1 || (1..=9).contains(value),
            (Self::NonEmpty, Value::Text(value)) => !value.is_empty(),
            (Self::HostAndPort, Value::Text(value)) => is_host_and_port(value),
            (Self::OneOf(allowed), Value::Text(value)) => allowed.contains(&value.as_str()),
            (Self::OneOfAnyCase(allowed), Value::Text(value)) => {
                allowed.iter().any(|entry| entry.eq_ignore_ascii_case(value))
            }
            (Self::ListOf(allowed), Value::List(entries)) => {
                entries.iter().all(|entry| allowed.contains(&entry.as_str()))
            }
            (Self::ThrottledReplicas, Value::List(entries)) => are_throttled(entries),
            (Self::OffsetReset, Value::Text(value)) => is_offset_reset(value),
            _ => true,
        }
    }
}

/// Whether it is `HOST:PORT`, by its form alone.
pub fn is_host_and_port(address: &str) -> bool {
    let parts = address.rsplit_once(':');
    parts.is_some_and(|(host, port)| !host.is_empty() && !host.contains('/') && port.parse::<u16>().is_ok())
}

fn are_throttled(entries: &[String]) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_pair = |entry: &String| {
        entry.split_once(':').is_some_and(|(partition, broker)| is_number(partition) && is_number(broker))
    };
    matches!(entries, [only] if only == "*") || entries.iter().all(is_pair)
}

fn is_offset_reset(value: &str) -> bool {
    let is_duration = |text: &str| {
        let digits = text.bytes().any(|byte| byte.is_ascii_digit());
        let known =
            text.bytes().all(|byte| byte.is_ascii_digit() || b"DTHMS.".contains(&byte.to_ascii_uppercase()));
        digits && known && text.bytes().last().is_some_and(|byte| byte.is_ascii_alphabetic())
    };
    let by_duration = value.strip_prefix("by_duration:").and_then(|text| text.strip_prefix(['P', 'p']));
    value == "latest" || value == "earliest" || by_duration.is_some_and(is_duration)
}

/// Prints `value` as Java's `Double.toString` does, which is what Kafka shows and clients compare.
fn java_double(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude == 0.0 || (1e-3..1e7).contains(&magnitude) {
        return format!("{value:?}");
    }
    let text = format!("{value:e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) if mantissa.contains('.') => format!("{mantissa}E{exponent}"),
        Some((mantissa, exponent)) => format!("{mantissa}.0E{exponent}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_outside_their_type_are_refused_with_the_allowed_range() {
        assert_eq!(Kind::Int.parse(" 12 "), Ok(Value::Number(12)));
        assert_eq!(Kind::Int.parse("+12"), Ok(Value::Number(12)));
        assert_eq!(Kind::Long.parse("9223372036854775807"), Ok(Value::Number(i64::MAX)));
        for (kind, text) in
            [(Kind::Short, "32768"), (Kind::Int, "2147483648"), (Kind::Int, "1.0"), (Kind::Int, "")]
        {
            assert!(kind.parse(text).unwrap_err().contains("whole number from"), "{kind:?} {text}");
        }
    }

    #[test]
    fn a_boolean_is_true_or_false_in_any_case_and_nothing_else() {
        assert_eq!(Kind::Bool.parse("TRUE"), Ok(Value::Bool(true)));
        assert_eq!(Kind::Bool.parse(" false"), Ok(Value::Bool(false)));
        for text in ["yes", "1", ""] {
            assert!(Kind::Bool.parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_list_loses_the_space_around_its_entries_and_what_stands_there_twice() {
        assert_eq!(Kind::List.parse(" a , b,c,a ").unwrap().without_repeats().to_string(), "a,b,c");
        assert_eq!(Kind::List.parse("  ").unwrap(), Value::List(Vec::new()));
    }

    #[test]
    fn very_many_entries_cost_as_much_as_they_are_many() {
        let entries: Vec<String> = (0..200_000).map(|number| number.to_string()).collect();
        assert_eq!(Value::List(entries.clone()).without_repeats(), Value::List(entries));
    }

    #[test]
    fn doubles_print_as_in_java() {
        for text in ["0.5", "1.7976931348623157E308", "0.0", "1.0", "1.0E-4", "1.0E7", "0.9"] {
            assert_eq!(Kind::Double.parse(text).unwrap().to_string(), text);
        }
        assert!(Kind::Double.parse("nan").is_err());
    }

    #[test]
    fn an_address_is_a_host_and_a_port() {
        let check = |text: &str| Valid::HostAndPort.check(&Value::Text(text.to_owned()));
        for good in ["localhost:9464", "127.0.0.1:0", "[::1]:9464", "0.0.0.0:65535"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["localhost", ":9464", "localhost:", "localhost:65536", "http://localhost:9464", ""] {
            assert!(check(bad).unwrap_err().contains("HOST:PORT"), "{bad}");
        }
    }

    #[test]
    fn throttled_replicas_are_a_star_or_pairs() {
        let check = |text: &str| Valid::ThrottledReplicas.check(&Kind::List.parse(text).unwrap());
        for good in ["*", "", "0:1", "0:1, 1:2"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["*,0:1", "0", "a:1", "0:1:2", "0:"] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
