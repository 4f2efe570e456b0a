//! `docs/configuration.md`: every key of the one table.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use milena::config::table::{Effect, Key, Scope, Update, find, keys, runs};

use crate::{document, settle};

const HEAD: &str = include_str!("configuration-head.md");

/// A cell of a table: a bar would end it.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('*', "\\*")
}

fn default(key: &Key) -> String {
    match key.default {
        None => "not set".to_owned(),
        Some("") => "empty".to_owned(),
        Some(text) => format!("`{}`", cell(text)),
    }
}

fn mode(key: &Key) -> &'static str {
    match key.update {
        Update::ReadOnly => "start",
        Update::PerBroker => "broker",
        Update::ClusterWide => "cluster",
    }
}

const fn mark(effect: Effect) -> &'static str {
    match effect {
        Effect::Works => "works",
        Effect::Inert => "accepted without effect",
        Effect::Absent => "not applicable",
    }
}

/// The keys of one mark in a table of their own; empty when there are none.
fn table(scope: Scope, run: &[Key], effect: Effect) -> String {
    let keys: Vec<&Key> = run.iter().filter(|key| key.effect == effect).collect();
    if keys.is_empty() {
        return String::new();
    }
    let extra = if scope == Scope::Broker { "change" } else { "broker key" };
    let title = mark(effect);
    let title = title[..1].to_uppercase() + &title[1..];
    let mut text =
        format!("\n{title}:\n\n| key | type | default | allowed | {extra} | |\n|---|---|---|---|---|---|\n");
    for key in keys {
        let extra = match (scope, key.synonym) {
            (Scope::Broker, _) => mode(key).to_owned(),
            (_, Some(broker_key)) => format!("`{broker_key}`"),
            (_, None) => "none".to_owned(),
        };
        let allowed = cell(&key.valid.allowed());
        let internal = if key.internal { " Listed only when it is set." } else { "" };
        writeln!(
            text,
            "| `{}` | {} | {} | {allowed} | {extra} | {}{internal} |",
            key.name,
            key.kind.name(),
            default(key),
            cell(key.doc),
        )
        .unwrap();
    }
    text.replace("|  |", "| |")
}

fn counts() -> String {
    let mut text =
        String::from("\n| keys of | works | accepted without effect | not applicable |\n|---|---|---|---|\n");
    let scopes = [
        ("the broker", Scope::Broker),
        ("a topic", Scope::Topic),
        ("a group", Scope::Group),
        ("a subscription to client metrics", Scope::ClientMetrics),
    ];
    for (name, scope) in scopes {
        let count = |effect| keys(scope).filter(|key| key.effect == effect).count();
        let (works, inert, absent) = (count(Effect::Works), count(Effect::Inert), count(Effect::Absent));
        writeln!(text, "| {name} | {works} | {inert} | {absent} |").unwrap();
    }
    text
}

#[test]
fn the_documentation_of_the_configuration_has_every_key_as_it_is_in_the_table() {
    let mut text = String::from(HEAD);
    text.push_str(&counts());
    for scope in [Scope::Topic, Scope::Broker, Scope::Group, Scope::ClientMetrics] {
        for (title, run) in runs(scope) {
            write!(text, "\n## {title}\n").unwrap();
            for effect in [Effect::Works, Effect::Inert, Effect::Absent] {
                text.push_str(&table(scope, run, effect));
            }
        }
    }
    settle("docs/configuration.md", &text);
}

/// The text of all source files but the table's own.
fn sources(dir: &Path, found: &mut String) {
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("src/config/table") {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn a_broker_key_that_works_is_read_somewhere() {
    let mut program = String::new();
    sources(&document("src"), &mut program);
    for key in keys(Scope::Broker).filter(|key| key.effect == Effect::Works) {
        let of_topics = keys(Scope::Topic)
            .chain(keys(Scope::Group))
            .any(|topic| topic.synonym == Some(key.name) && topic.effect == Effect::Works);
        assert!(of_topics || program.contains(&format!("\"{}\"", key.name)), "nothing reads {}", key.name);
    }
}

#[test]
fn a_topic_key_works_where_the_broker_key_of_its_default_does() {
    for key in keys(Scope::Topic) {
        let Some(broker) = key.synonym.and_then(|name| find(Scope::Broker, name)) else { continue };
        assert_eq!(broker.effect == Effect::Works, key.effect == Effect::Works, "{}", key.name);
    }
}
