//! `milena config`: the effective configuration as a properties file that can be fed back: what was set stands as it
//! is, defaults behind a comment sign. Starts nothing.

use crate::config::Config;
use crate::config::describe::Described;
use crate::config::table::{self, Effect, Scope};

/// The keys that have an effect or were set, each with its sentence, type and default; all keys with `all`.
pub(super) fn properties(config: &Config, all: bool) -> String {
    let mut text = String::new();
    for described in config.describe_broker() {
        let key = table::find(Scope::Broker, &described.name);
        let works = key.is_some_and(|key| key.effect == Effect::Works);
        let is_set = config.given(&described.name).is_some();
        if all || works || is_set {
            text.push_str(&entry(&described, key, is_set));
        }
    }
    text
}

fn entry(described: &Described, key: Option<&table::Key>, is_set: bool) -> String {
    let comment = match key {
        Some(key) => {
            let default =
                key.default.map_or("no default".to_owned(), |default| format!("default \"{default}\""));
            let effect = if key.effect == Effect::Works { "" } else { ", no effect" };
            format!("# {} ({:?}, {default}{effect})\n", key.doc, key.kind)
        }
        None => "# Not known, no effect.\n".to_owned(),
    };
    let sign = if is_set && described.value.is_some() { "" } else { "#" };
    let value = escape(described.value.as_deref().unwrap_or_default());
    format!("{comment}{sign}{}={value}\n\n", described.name)
}

/// Escapes what a properties file would read differently.
fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for (at, c) in value.char_indices() {
        match c {
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            ' ' if at == 0 => escaped.push_str("\\ "),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, load};

    #[test]
    fn what_is_shown_reads_back_as_the_same_configuration() {
        let pairs = [("num.partitions", "3"), ("broker.rack", "a\\b"), ("ssl.key.password", "hunter2")];
        let config = Config::from_pairs(pairs).unwrap();
        let text = properties(&config, false);
        assert!(text.contains("\nnum.partitions=3\n"), "{text}");
        assert!(text.contains("#ssl.key.password=\n") && !text.contains("hunter2"), "{text}");
        assert!(!text.contains("background.threads="));
        assert!(properties(&config, true).contains("\n#background.threads=10\n"));
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("p");
        std::fs::write(&file, &text).unwrap();
        let again = load(&Sources { file: Some(file), ..Sources::default() }).unwrap();
        assert_eq!(again.warnings, Vec::<String>::new());
        assert_eq!(again.config.rack.as_deref(), Some("a\\b"));
        assert_eq!(again.config.topics, config.topics);
        assert_eq!(again.config.storage, config.storage);
        assert_eq!(again.config.network, config.network);
    }
}
