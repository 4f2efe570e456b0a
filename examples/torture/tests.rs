//! The program around the checker: marks, arguments, the summary; and runs whose data is damaged, each of which has to be
//! found as what it is.

use clap::Parser;

use super::anomaly::{Findings, Kind};
use super::record::Mark;
use super::run::Outcome;
use super::*;
use crate::BROKER;

#[test]
fn a_mark_is_read_as_it_was_written_and_values_differ() {
    let mark = Mark { stream: 7, number: 12 };
    assert_eq!(Mark::decode(mark.encode().as_bytes()), Some(mark));
    for text in ["", "7", "7:", "x:1", "7:1:2", "-1:1"] {
        assert_eq!(Mark::decode(text.as_bytes()), None, "{text}");
    }
    assert_eq!(mark.value(300).len(), 300);
    assert_ne!(mark.value(300), Mark { number: 13, ..mark }.value(300));
}

#[test]
fn findings_of_one_kind_in_one_place_are_counted_together() {
    let mut findings = Findings::default();
    findings.add(Kind::LostWrite, "a", "first");
    findings.add(Kind::LostWrite, "a", "second");
    findings.add(Kind::LostWrite, "b", "third");
    assert_eq!(findings.count(Kind::LostWrite), 2);
    assert_eq!(findings.lines(), ["lost-write in a, 2 times, first: first", "lost-write in b: third"]);
    assert!(findings.by_kind().starts_with("lost-write 2, aborted-read 0, "));
}

#[test]
fn wrong_arguments_are_refused_in_a_sentence_that_names_them() {
    for (arguments, named) in [
        (&["--cycles", "0"][..], "0"),
        (&["--cycles", "many"], "many"),
        (&["--sabotage", "all"], "damage-segment"),
        (&["--start-limit-s", "0"], "0"),
        (&["--nothing"], "--nothing"),
    ] {
        let arguments = ["torture"].iter().chain(arguments);
        let Err(error) = Arguments::try_parse_from(arguments) else { panic!("{named} is accepted") };
        assert!(error.to_string().contains(named), "{error}");
    }
    let arguments = ["torture", "--broker", "/nowhere/milena"];
    let error = torture(Arguments::try_parse_from(arguments).unwrap()).unwrap_err().to_string();
    assert!(error.contains("/nowhere/milena") && error.contains("cargo build"), "{error}");
}

/// A run of three cycles, in the second of which the data is damaged.
fn sabotaged(sabotage: Sabotage) -> (Outcome, Vec<Kind>) {
    let directory = tempfile::tempdir().unwrap();
    let plan = Plan {
        binary: BROKER.into(),
        directory: directory.path().join("run"),
        cycles: 3,
        seed: 11,
        start_limit: Duration::from_secs(20),
        sabotage: Some(sabotage),
    };
    let outcome = run::run(&plan).unwrap();
    println!("{sabotage:?}: {outcome}\n{}", outcome.findings.lines().join("\n"));
    let kinds = Kind::ALL.into_iter().filter(|kind| outcome.findings.count(*kind) > 0).collect();
    (outcome, kinds)
}

#[test]
fn a_damaged_segment_is_reported_as_lost_writes() {
    let (_, kinds) = sabotaged(Sabotage::DamageSegment);
    assert!(kinds.contains(&Kind::LostWrite), "{kinds:?}");
}

#[test]
fn a_dropped_batch_is_reported_as_lost_writes() {
    let (_, kinds) = sabotaged(Sabotage::DropBatch);
    assert_eq!(kinds, [Kind::LostWrite, Kind::WatermarkFell]);
}

#[test]
fn a_repeated_batch_is_reported_as_duplicates() {
    let (_, kinds) = sabotaged(Sabotage::RepeatBatch);
    assert_eq!(kinds, [Kind::InconsistentOffsets, Kind::Duplicate]);
}

#[test]
fn older_files_of_committed_offsets_are_reported_as_commits_that_went_back() {
    let (_, kinds) = sabotaged(Sabotage::ReplayCommit);
    assert_eq!(kinds, [Kind::CommitWentBack]);
}

#[test]
fn a_deletion_that_is_undone_is_reported_as_a_topic_that_returned() {
    let (_, kinds) = sabotaged(Sabotage::ReturnTopic);
    assert_eq!(kinds, [Kind::TopicReturned]);
}

#[test]
fn a_creation_that_is_undone_is_reported_as_a_lost_topic() {
    let (_, kinds) = sabotaged(Sabotage::LoseTopic);
    assert_eq!(kinds, [Kind::TopicLost]);
}

#[test]
fn records_of_a_deleted_topic_in_the_next_of_its_name_are_reported_as_aborted_reads() {
    let (_, kinds) = sabotaged(Sabotage::ReturnRecords);
    assert_eq!(kinds, [Kind::AbortedRead, Kind::InconsistentOffsets]);
}

#[test]
fn a_start_that_fails_is_reported() {
    let (_, kinds) = sabotaged(Sabotage::ForeignDirectory);
    assert_eq!(kinds, [Kind::NotStarted]);
}

#[test]
fn a_directory_of_a_deleted_topic_is_set_aside_and_nothing_is_reported() {
    let (outcome, kinds) = sabotaged(Sabotage::ReturnDirectory);
    assert_eq!(kinds, []);
    assert_eq!(outcome.cycles, 3);
    assert!(
        outcome.kills > 0 && outcome.acknowledged > 0 && outcome.read > outcome.acknowledged,
        "{outcome}"
    );
}
