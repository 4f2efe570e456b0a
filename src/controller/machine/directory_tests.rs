//! The machine with two data directories: where partitions go, and what becomes of them when one is offline.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use super::tests::{Driver, NODE, settings, start};
use super::*;
use crate::controller::command::{
    ElectionKind, NewPartitions, NewTopic, TopicIdPartition, TopicPartitions, TopicRef,
};

const MIGRATING: DirectoryId = TopicId::ZERO;
const UNASSIGNED: DirectoryId = TopicId(Uuid::from_u128(1));
const LOST: DirectoryId = TopicId(Uuid::from_u128(2));
const A: DirectoryId = TopicId(Uuid::from_u128(0xa));
const B: DirectoryId = TopicId(Uuid::from_u128(0xb));

/// A node on whose start these directories, of so many, can be used.
fn driver(online: &[DirectoryId], configured: usize) -> Driver {
    goes_on(Arc::new(start(&[NODE.0])), online, configured)
}

fn goes_on(head: Arc<Image>, online: &[DirectoryId], configured: usize) -> Driver {
    let settings =
        Settings { directories: online.to_vec(), directories_configured: configured, ..settings() };
    let mut driver = Driver::of(Machine::new(settings, head));
    driver.run(Command::TakeOver(Vec::new()));
    driver
}

fn create(driver: &mut Driver, name: &str, partitions: i32) {
    let topic = NewTopic { name: name.to_owned(), partitions, replication_factor: 1, ..NewTopic::default() };
    driver.create(vec![topic]).remove(0).unwrap();
}

fn counts(driver: &Driver) -> BTreeMap<DirectoryId, usize> {
    let mut counts = BTreeMap::new();
    for partition in driver.image().topics().flat_map(|topic| &topic.partitions) {
        *counts.entry(partition.directory_of(NODE).unwrap()).or_default() += 1;
    }
    counts
}

/// Leader and directory of a topic's partitions.
fn placed(driver: &Driver, topic: &str) -> Vec<(Option<NodeId>, DirectoryId)> {
    let topic = driver.image().topic(topic).unwrap();
    topic.partitions.iter().map(|known| (known.leader, known.directory_of(NODE).unwrap())).collect()
}

/// The node's topic `t` whose partitions are recorded in these directories.
fn recorded_in(directories: &[DirectoryId]) -> Arc<Image> {
    let mut driver = driver(&[A], 1);
    create(&mut driver, "t", directories.len() as i32);
    let id = driver.image().topic("t").unwrap().id;
    let change = |(partition_id, directory): (i32, &DirectoryId)| {
        MetadataRecord::PartitionChange(crate::wire::records::metadata::PartitionChangeRecord {
            partition_id,
            topic_id: id.0,
            directories: Some(vec![directory.0]),
            ..Default::default()
        })
    };
    let records: Vec<_> = (0..).zip(directories).map(change).collect();
    driver.machine.replay(&records).unwrap();
    driver.machine.head().clone()
}

fn partitions_of(driver: &Driver, topic: &str) -> Vec<TopicIdPartition> {
    let topic = driver.image().topic(topic).unwrap();
    (0..topic.partitions.len() as i32)
        .map(|partition| TopicIdPartition { topic_id: topic.id, partition })
        .collect()
}

#[test]
fn new_partitions_go_where_the_fewest_are_however_they_come_and_go() {
    let mut driver = driver(&[A, B], 2);
    create(&mut driver, "t", 3);
    assert_eq!(counts(&driver), [(A, 2), (B, 1)].into());
    create(&mut driver, "u", 4);
    assert_eq!(counts(&driver), [(A, 4), (B, 3)].into());
    driver.run(Command::DeleteTopics(vec![TopicRef { name: Some("t".to_owned()), id: TopicId::ZERO }]));
    assert_eq!(counts(&driver), [(A, 2), (B, 2)].into());
    let more = NewPartitions { name: "u".to_owned(), count: 7, assignments: None };
    driver.run(Command::CreatePartitions { topics: vec![more], validate_only: false });
    let own = |driver: &Driver| counts(driver).into_values().collect::<Vec<_>>();
    assert_eq!(own(&driver).iter().sum::<usize>(), 7);
    assert!(own(&driver).iter().all(|count| (3..=4).contains(count)), "{:?}", counts(&driver));
    // What was only tried out counts for nothing.
    let tried =
        NewTopic { name: "v".to_owned(), partitions: 9, replication_factor: 1, ..NewTopic::default() };
    driver.run(Command::CreateTopics { topics: vec![tried], validate_only: true });
    create(&mut driver, "w", 1);
    assert_eq!(own(&driver), [4, 4]);
    // Nor does it depend on who counted.
    let mut next = goes_on(driver.machine.head().clone(), &[A, B], 2);
    create(&mut next, "x", 2);
    assert_eq!(counts(&next), [(A, 5), (B, 5)].into());
}

#[test]
fn partitions_of_one_directory_share_what_tells_where_they_are_however_they_alternate() {
    let mut driver = driver(&[A, B], 2);
    for topic in ["t", "u"] {
        create(&mut driver, topic, 10);
    }
    let all = driver.image().topics().flat_map(|topic| &topic.partitions);
    let places: std::collections::HashSet<_> = all.map(|known| Arc::as_ptr(&known.placed)).collect();
    assert_eq!(places.len(), 2);
}

#[test]
fn a_failed_directory_takes_its_leaders_along_and_gets_no_new_partitions() {
    let mut driver = driver(&[A, B], 2);
    create(&mut driver, "t", 2);
    let partitions = partitions_of(&driver, "t");
    assert_eq!(driver.run(Command::FailDirectory { directory: B, partitions }), Reply::FailDirectory);
    assert_eq!(placed(&driver, "t"), [(Some(NODE), A), (None, B)]);
    let failed = driver.image().partition("t", 1).unwrap();
    assert_eq!((failed.leader_epoch.0, failed.isr.as_slice()), (1, &[NODE][..]));
    assert_eq!(failed.offline_replicas(), [NODE]);
    create(&mut driver, "u", 3);
    assert_eq!(placed(&driver, "u"), [(Some(NODE), A); 3]);
    // Nobody is elected for it: not by hand either.
    for kind in [ElectionKind::Preferred, ElectionKind::Unclean] {
        let asked = TopicPartitions { topic: "t".to_owned(), partitions: vec![1] };
        let Reply::ElectLeaders(told) =
            driver.run(Command::ElectLeaders { kind, partitions: Some(vec![asked]) })
        else {
            panic!("another answer")
        };
        assert!(told[0].partitions[0].1.is_err());
    }
    assert_eq!(driver.image().registration_of(NODE).unwrap().directories, [A]);
    // It stays so over a start without the directory, and ends with one that has it.
    let without = goes_on(driver.machine.head().clone(), &[A], 2);
    assert_eq!(placed(&without, "t"), [(Some(NODE), A), (None, B)]);
    let back = goes_on(without.machine.head().clone(), &[A, B], 2);
    assert_eq!(placed(&back, "t"), [(Some(NODE), A), (Some(NODE), B)]);
    assert_eq!(back.image().partition("t", 1).unwrap().leader_epoch.0, 2);
    assert_eq!(back.image().registration_of(NODE).unwrap().directories, [A, B]);
}

#[test]
fn with_the_feature_for_it_the_last_replica_becomes_eligible() {
    let mut driver = driver(&[A, B], 2);
    create(&mut driver, "t", 2);
    let feature =
        FeatureLevelRecord { name: "eligible.leader.replicas.version".to_owned(), feature_level: 1 };
    driver.machine.replay(&[MetadataRecord::FeatureLevel(feature)]).unwrap();
    let partitions = partitions_of(&driver, "t");
    driver.run(Command::FailDirectory { directory: B, partitions });
    let failed = driver.image().partition("t", 1).unwrap();
    assert!(failed.isr.is_empty());
    assert_eq!((&failed.eligible, &failed.last_known_eligible), (&vec![NODE], &vec![NODE]));
    let back = goes_on(driver.machine.head().clone(), &[A, B], 2);
    let back = back.image().partition("t", 1).unwrap();
    assert_eq!((back.leader, back.isr.as_slice()), (Some(NODE), &[NODE][..]));
}

#[test]
fn a_partition_is_used_where_it_lies_and_the_record_says_so_then() {
    let head = recorded_in(&[A, A, B, LOST]);
    let settings = Settings { directories: vec![A, B], directories_configured: 2, ..settings() };
    let mut driver = Driver::of(Machine::new(settings, head));
    let partitions = partitions_of(&driver, "t");
    driver.run(Command::TakeOver(vec![(partitions[1], B), (partitions[2], A), (partitions[3], B)]));
    assert_eq!(placed(&driver, "t"), [A, B, A, B].map(|directory| (Some(NODE), directory)));
    let before = driver.log.len();
    driver.run(Command::TakeOver(Vec::new()));
    assert_eq!(driver.log.len(), before, "there is nothing left to correct");
}

#[test]
fn what_may_lie_in_a_directory_that_is_offline_is_never_made_anew() {
    let gone = TopicId(Uuid::from_u128(0xdead));
    let recorded = [A, B, gone, LOST, UNASSIGNED, MIGRATING];
    let complete = goes_on(recorded_in(&recorded), &[A, B], 2);
    let (led, lost) = (|directory| (Some(NODE), directory), |directory| (None, directory));
    let expected = [led(A), led(B), lost(gone), lost(LOST)];
    assert_eq!(placed(&complete, "t")[..4], expected);
    let mut free: Vec<_> = placed(&complete, "t")[4..].to_vec();
    free.sort_unstable();
    assert_eq!(free, [led(A), led(B)], "nothing was chosen for these before");
    let incomplete = goes_on(recorded_in(&recorded), &[A], 2);
    let expected = [led(A), lost(B), lost(gone), lost(LOST), lost(UNASSIGNED), lost(MIGRATING)];
    assert_eq!(placed(&incomplete, "t"), expected);
}

#[test]
fn the_only_directory_there_ever_was_may_have_another_id_now() {
    let gone = TopicId(Uuid::from_u128(0xdead));
    let driver = goes_on(recorded_in(&[gone, A]), &[B], 1);
    assert_eq!(placed(&driver, "t"), [(Some(NODE), B); 2]);
    // With the metadata elsewhere it has to show by what lies in it that it is the one.
    for (found, leader) in [(false, None), (true, Some(NODE))] {
        let apart = Settings { directories: vec![B], metadata_among_them: false, ..settings() };
        let mut driver = Driver::of(Machine::new(apart, recorded_in(&[gone, A])));
        let lies = (partitions_of(&driver, "t")[0], B);
        driver.run(Command::TakeOver(if found { vec![lies] } else { Vec::new() }));
        assert!(placed(&driver, "t").iter().all(|(led_by, _)| *led_by == leader), "{found}");
    }
    // One of two that were known is missing, not renamed.
    let mut two = driver_of_two();
    create(&mut two, "u", 2);
    let one = goes_on(two.machine.head().clone(), &[A], 1);
    assert_eq!(placed(&one, "u"), [(Some(NODE), A), (None, B)]);
}

fn driver_of_two() -> Driver {
    driver(&[A, B], 2)
}

#[test]
fn a_journal_tells_the_directories_once_and_a_replay_of_it_knows_them() {
    let mut driver = driver(&[A, B], 2);
    assert_eq!(driver.log.len(), 1, "{:?}", driver.log);
    driver.run(Command::TakeOver(Vec::new()));
    assert_eq!(driver.log.len(), 1);
    let mut replayed = Machine::new(settings(), Arc::new(start(&[NODE.0])));
    replayed.replay(&driver.log).unwrap();
    assert_eq!(replayed.head(), driver.machine.head());
    assert_eq!(replayed.head().registration_of(NODE).unwrap().directories, [A, B]);
}
