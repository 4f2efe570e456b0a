//! The README's table of APIs.

use std::fmt::Write;
use std::fs;

use milena::api::{Api, TABLE};

use crate::{document, replaced, settle};

/// Name, key, lowest and highest version of each API that a broker of Apache Kafka 4.3.0 offers.
const KAFKA_APIS: &str = include_str!("../data/kafka-4.3/api-versions.tsv");

struct KafkaApi {
    name: &'static str,
    key: i16,
    versions: (i16, i16),
}

fn kafka_apis() -> impl Iterator<Item = KafkaApi> {
    KAFKA_APIS.lines().skip(1).map(|line| {
        let row: Vec<&str> = line.split('\t').collect();
        let number = |at: usize| row[at].parse().unwrap();
        KafkaApi { name: row[0], key: number(1), versions: (number(2), number(3)) }
    })
}

fn range((min, max): (i16, i16)) -> String {
    if min == max { min.to_string() } else { format!("{min}–{max}") }
}

/// What is served, and of what, where Kafka serves more.
fn versions(api: &Api, kafka: Option<&KafkaApi>) -> String {
    // Versions that ApiVersions names and nobody serves (Produce 0 to 2) are so with Kafka, too.
    let is_less =
        |kafka: &&KafkaApi| api.advertised_min > Some(kafka.versions.0) || api.served.1 < kafka.versions.1;
    match kafka.filter(is_less) {
        Some(kafka) => format!("{} of {}", range(api.served), range(kafka.versions)),
        None => range(api.served),
    }
}

fn api_table() -> String {
    let kafka: Vec<KafkaApi> = kafka_apis().collect();
    let mut text = String::from("| API | versions | |\n|---|---|---|\n");
    for api in TABLE {
        let theirs = kafka.iter().find(|theirs| theirs.key == api.key as i16);
        let note = if api.note.is_empty() { String::new() } else { format!(" {}", api.note) };
        writeln!(text, "| {} | {} |{note} |", api.name, versions(api, theirs)).unwrap();
    }
    text
}

/// A sentence with the APIs that Kafka's broker has and this one lacks, in lines of the documents' width.
fn missing_apis() -> String {
    const WIDTH: usize = 118;
    let missing: Vec<_> =
        kafka_apis().filter(|kafka| TABLE.iter().all(|api| api.key as i16 != kafka.key)).collect();
    let names: Vec<&str> = missing.iter().map(|kafka| kafka.name).collect();
    let sentence = if names.is_empty() {
        "Every API of a broker of Kafka 4.3 is there.".to_owned()
    } else {
        format!("APIs of a broker of Kafka 4.3 that are not there yet: {}.", names.join(", "))
    };
    let mut text = String::new();
    let mut column = 0;
    for word in sentence.split(' ') {
        if column > 0 && column + 1 + word.len() > WIDTH {
            text.push('\n');
            column = 0;
        } else if column > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += word.len();
    }
    text.push('\n');
    text
}

#[test]
fn the_readme_lists_the_apis_that_are_served_and_those_that_are_not() {
    let readme = fs::read_to_string(document("README.md")).unwrap();
    let readme = replaced(&readme, "the APIs", &api_table());
    let readme = replaced(&readme, "the missing APIs", &missing_apis());
    settle("README.md", &readme);
}

#[test]
fn an_api_that_is_served_is_not_called_missing_in_the_readmes_own_words() {
    let readme = fs::read_to_string(document("README.md")).unwrap();
    let from = readme.find("\nNot yet: ").expect("a paragraph of what is not there yet");
    let paragraph = readme[from + 1..].split("\n\n").next().unwrap();
    for word in paragraph.split(|c: char| !c.is_alphanumeric()) {
        assert!(TABLE.iter().all(|api| api.name != word), "{word} is served");
    }
}

#[test]
fn every_api_that_is_served_is_one_of_kafkas_and_the_table_is_in_order() {
    let kafka: Vec<KafkaApi> = kafka_apis().collect();
    for api in TABLE {
        // A broker without a receiver of telemetry does not offer these two.
        let is_known = kafka.iter().any(|theirs| theirs.key == api.key as i16 && theirs.name == api.name);
        assert!(is_known || [71, 72].contains(&(api.key as i16)), "{}", api.name);
    }
    assert!(TABLE.is_sorted_by_key(|api| api.key as i16));
}
