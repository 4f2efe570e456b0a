//! Elections, reassignments and levels of features on clusters that are larger than this broker's own.

use super::tests::{Driver, assigned, codes};
use super::*;
use crate::controller::command::*;
use crate::controller::image::*;
use crate::types::{LeaderEpoch, TopicId};
use crate::wire::records::metadata::PartitionChangeRecord;

fn nodes(ids: &[i32]) -> Vec<NodeId> {
    ids.iter().copied().map(NodeId).collect()
}

/// A cluster of three with one topic `t`, whose only partition has these replicas.
fn cluster(replicas: &[i32]) -> Driver {
    let mut driver = Driver::with_brokers(&[1, 2, 3]);
    driver.create(vec![assigned("t", &[(0, replicas)])]).remove(0).unwrap();
    driver
}

fn partition(driver: &Driver) -> PartitionImage {
    driver.image().partition("t", 0).unwrap().clone()
}

/// What happens to a partition without being asked for.
fn happens(driver: &mut Driver, leader: i32, isr: &[i32]) {
    let topic_id = driver.image().topic("t").unwrap().id.0;
    let record = PartitionChangeRecord {
        partition_id: 0,
        topic_id,
        leader,
        isr: Some(isr.to_vec()),
        ..Default::default()
    };
    driver.machine.replay(&[MetadataRecord::PartitionChange(record)]).unwrap();
}

fn elect(driver: &mut Driver, kind: ElectionKind, partitions: Option<&[i32]>) -> Vec<i16> {
    let named =
        |partitions: &[i32]| vec![TopicPartitions { topic: "t".to_owned(), partitions: partitions.to_vec() }];
    match driver.run(Command::ElectLeaders { kind, partitions: partitions.map(named) }) {
        Reply::ElectLeaders(topics) => {
            let outcomes: Vec<_> = topics.into_iter().flat_map(|topic| topic.partitions).collect();
            codes(&outcomes.into_iter().map(|(_, outcome)| outcome).collect::<Vec<_>>())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_preferred_replica_is_elected_once_if_it_is_in_sync() {
    let mut driver = cluster(&[2, 1]);
    assert_eq!(elect(&mut driver, ElectionKind::Preferred, Some(&[0])), [84]);
    happens(&mut driver, 1, &[1]);
    assert_eq!(elect(&mut driver, ElectionKind::Preferred, Some(&[0])), [80]);
    happens(&mut driver, -2, &[1, 2]);
    let before = partition(&driver);
    assert_eq!(elect(&mut driver, ElectionKind::Unclean, Some(&[0])), [84]);
    assert_eq!(partition(&driver), before);
    assert_eq!(elect(&mut driver, ElectionKind::Preferred, Some(&[0, 0])), [0, 0]);
    let after = partition(&driver);
    assert_eq!((after.leader, after.leader_epoch.0), (Some(NodeId(2)), before.leader_epoch.0 + 1));
    assert_eq!(after.isr, nodes(&[1, 2]));
    assert_eq!(elect(&mut driver, ElectionKind::Preferred, None), [] as [i16; 0]);
}

#[test]
fn an_unclean_election_takes_who_is_alive_but_first_who_is_in_sync() {
    let mut driver = cluster(&[1, 2]);
    happens(&mut driver, -1, &[2]);
    assert_eq!(elect(&mut driver, ElectionKind::Unclean, None), [0]);
    assert_eq!(partition(&driver).leader, Some(NodeId(2)));
    happens(&mut driver, -1, &[]);
    assert_eq!(elect(&mut driver, ElectionKind::Unclean, Some(&[0])), [0]);
    let led = partition(&driver);
    assert_eq!((led.leader, led.isr.clone()), (Some(NodeId(1)), nodes(&[1])));
    happens(&mut driver, -1, &[]);
    let mut image = Image::clone(driver.image());
    for id in [1, 2] {
        image.put_broker(BrokerImage { id: NodeId(id), rack: None, fenced: true });
    }
    driver.machine.reset(Arc::new(image));
    assert_eq!(elect(&mut driver, ElectionKind::Unclean, Some(&[0])), [83]);
    assert_eq!(elect(&mut driver, ElectionKind::Preferred, Some(&[0])), [80]);
}

fn reassign(driver: &mut Driver, replicas: Option<&[i32]>, allow_factor_change: bool) -> i16 {
    let wanted = Reassignment { topic: "t".into(), partition: 0, replicas: replicas.map(nodes) };
    match driver.run(Command::AlterReassignments { partitions: vec![wanted], allow_factor_change }) {
        Reply::AlterReassignments(outcomes) => codes(&outcomes)[0],
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_reassignment_to_replicas_in_sync_is_complete_at_once() {
    let mut driver = cluster(&[1, 2]);
    let before = partition(&driver);
    assert_eq!(reassign(&mut driver, Some(&[1, 2]), true), 0);
    assert_eq!(partition(&driver), before, "nothing to do");
    assert_eq!(reassign(&mut driver, Some(&[2, 1]), true), 0);
    let turned = partition(&driver);
    assert_eq!((turned.replicas.clone(), turned.leader), (nodes(&[2, 1]), Some(NodeId(1))));
    assert_eq!(turned.directories, [before.directories[1], before.directories[0]]);
    assert_eq!(reassign(&mut driver, Some(&[2]), true), 0);
    let after = partition(&driver);
    assert_eq!((&after.replicas, &after.isr), (&nodes(&[2]), &nodes(&[2])));
    assert_eq!((after.leader, after.leader_epoch), (Some(NodeId(2)), LeaderEpoch(1)));
    assert_eq!(after.directories, [TopicId::ZERO]);
    assert_eq!(reassign(&mut driver, None, true), 85);
}

#[test]
fn a_reassignment_to_new_replicas_stays_until_it_is_taken_back() {
    let mut driver = cluster(&[1, 2]);
    let before = partition(&driver);
    assert_eq!(reassign(&mut driver, Some(&[3]), false), 38);
    assert_eq!(reassign(&mut driver, Some(&[3, 2]), false), 0);
    let moving = partition(&driver);
    assert_eq!(moving.replicas, nodes(&[3, 2, 1]));
    assert_eq!((&moving.adding, &moving.removing), (&nodes(&[3]), &nodes(&[1])));
    assert_eq!((moving.leader, &moving.isr), (before.leader, &before.isr));
    assert_eq!(reassign(&mut driver, Some(&[3, 2]), false), 0);
    assert_eq!(partition(&driver), moving, "what is not in sync yet is still being added");
    assert_eq!(reassign(&mut driver, None, true), 0);
    let back = partition(&driver);
    assert_eq!((&back.replicas, &back.isr), (&nodes(&[2, 1]), &before.isr));
    assert!(back.adding.is_empty() && back.removing.is_empty());
    assert_eq!(reassign(&mut driver, None, true), 85);
}

#[test]
fn levels_go_up_and_go_down_only_where_no_metadata_is_lost() {
    use UpgradeKind::{SafeDowngrade, UnsafeDowngrade, Upgrade};
    let mut driver = Driver::with_brokers(&[1]);
    let mut update = |level, kind, validate_only| {
        let updates = vec![FeatureUpdate { name: METADATA_VERSION.to_owned(), level, kind }];
        match driver.run(Command::UpdateFeatures { updates, validate_only }) {
            Reply::UpdateFeatures(outcome) => {
                (codes(&[outcome])[0], driver.image().features().get(METADATA_VERSION).copied())
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(update(7, Some(Upgrade), false), (0, Some(7)));
    for bad in [-1, 0, 6, 31] {
        assert_eq!(update(bad, Some(Upgrade), false), (95, Some(7)), "{bad}");
    }
    assert_eq!(update(20, None, false), (95, Some(7)));
    assert_eq!(update(20, Some(SafeDowngrade), false), (95, Some(7)));
    assert_eq!(update(20, Some(Upgrade), true), (0, Some(7)));
    assert_eq!(update(20, Some(Upgrade), false), (0, Some(20)));
    assert_eq!(update(18, Some(Upgrade), false), (95, Some(20)));
    assert_eq!(update(18, Some(SafeDowngrade), false), (0, Some(18)));
    assert_eq!(update(17, Some(UnsafeDowngrade), false), (0, Some(17)));
    assert_eq!(update(16, Some(SafeDowngrade), false), (95, Some(17)), "level 17 brought new records");
    assert_eq!(update(17, Some(Upgrade), false), (0, Some(17)));
}

#[test]
fn one_bad_feature_keeps_all_levels_as_they_were() {
    let mut driver = Driver::with_brokers(&[1]);
    let update =
        |name: &str, level| FeatureUpdate { name: name.to_owned(), level, kind: Some(UpgradeKind::Upgrade) };
    let updates = vec![update(METADATA_VERSION, 30), update("group.version", 1)];
    match driver.run(Command::UpdateFeatures { updates, validate_only: false }) {
        Reply::UpdateFeatures(Err(error)) => assert!(error.message.unwrap().contains("group.version")),
        other => panic!("{other:?}"),
    }
    assert!(driver.image().features().is_empty());
}

#[test]
fn the_last_update_of_a_feature_is_the_one_that_counts() {
    let mut driver = Driver::with_brokers(&[1]);
    let mut update = |levels: &[i16]| {
        let update = |&level: &i16| FeatureUpdate {
            name: METADATA_VERSION.to_owned(),
            level,
            kind: Some(UpgradeKind::Upgrade),
        };
        let updates = levels.iter().map(update).collect();
        let before = driver.log.len();
        let reply = driver.run(Command::UpdateFeatures { updates, validate_only: false });
        let Reply::UpdateFeatures(outcome) = reply else { panic!("{reply:?}") };
        (codes(&[outcome])[0], driver.log.len() - before)
    };
    assert_eq!(update(&[31, 20]), (0, 1));
    assert_eq!(update(&[21, 31]), (95, 0));
    assert_eq!(update(&[22, 23, 23]), (0, 1));
    assert_eq!(driver.image().features().get(METADATA_VERSION), Some(&23));
}
