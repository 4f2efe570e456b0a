//! Tests of a broker with two data directories: what is one's is no concern of the other's.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use super::partition::{Partition, Recovered, Shared};
use super::registry::{Found, Registry};
use super::settings::TopicSettings;
use super::tests::{append, read};
use super::waiters::Signal;
use crate::config::Config;
use crate::log::{Checkpoint, ContextOptions, LogContext, LogDirectory};
use crate::types::{Clock, ErrorCode, LeaderEpoch, NodeId, Now, Offset, TopicId, TopicPartition};

struct Still;

impl Clock for Still {
    fn now(&self) -> Now {
        Now::default()
    }
}

/// The directories `a` and `b`; one that is a file is offline.
fn registry(dir: &Path) -> Registry {
    let context = LogContext::new(ContextOptions::default()).unwrap();
    let found = ["a", "b"].map(|name| dir.join(name)).map(|path| {
        match LogDirectory::open(&path, None, NodeId(1), &context, Now::default()) {
            Ok(directory) => Found::Online(directory),
            Err(_) => Found::Offline(path),
        }
    });
    let shared = Shared { context, clock: Arc::new(Still), producer_id_expiration_ms: AtomicI64::new(1000) };
    Registry::new(found.into(), Arc::new(shared))
}

/// The partition `t-0` in `a` and `t-1` in `b`.
fn add(registry: &Registry, id: TopicId, existed: bool) -> [Arc<Partition>; 2] {
    let config = Config::from_pairs([]).unwrap().topic_config(&std::collections::BTreeMap::new()).unwrap();
    [0, 1].map(|index| {
        let home = &registry.directories()[usize::try_from(index).unwrap()];
        let settings = TopicSettings::new(config.clone(), false);
        registry.add(home, TopicPartition::new("t", index), id, settings, LeaderEpoch(0), existed)
    })
}

fn is_marked(dir: &Path) -> [bool; 2] {
    ["a", "b"].map(|name| dir.join(name).join(".kafka_cleanshutdown").exists())
}

#[test]
fn a_checkpoint_speaks_of_the_partitions_of_its_own_directory() {
    let dir = tempfile::tempdir().unwrap();
    let registry = registry(dir.path());
    for partition in add(&registry, TopicId::random(), false) {
        append(&partition).unwrap();
    }
    assert!(registry.write_checkpoint(Checkpoint::HighWatermark));
    let written = registry
        .directories()
        .iter()
        .map(|directory| directory.files().unwrap().read_checkpoint(Checkpoint::HighWatermark).unwrap());
    let expected = [0, 1].map(|index| [(TopicPartition::new("t", index), Offset(1))].into());
    assert_eq!(written.collect::<Vec<_>>(), expected);
}

#[test]
fn only_what_lies_in_a_directory_without_its_marker_is_scanned() {
    let dir = tempfile::tempdir().unwrap();
    let id = TopicId::random();
    let first = registry(dir.path());
    for partition in add(&first, id, false) {
        append(&partition).unwrap();
    }
    first.close(2, None).unwrap();
    drop(first);
    assert_eq!(is_marked(dir.path()), [true, true]);
    std::fs::remove_file(dir.path().join("b/.kafka_cleanshutdown")).unwrap();
    let scanned = add(&registry(dir.path()), id, true).map(|partition| match partition.recover() {
        Ok(Recovered::Opened(recovery)) => recovery.recovered,
        other => panic!("{other:?}"),
    });
    assert_eq!(scanned, [false, true]);
    assert_eq!(is_marked(dir.path()), [false, false]);
}

#[tokio::test]
async fn a_directory_goes_offline_alone_and_who_waits_for_it_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let registry = registry(dir.path());
    let [other, failed] = add(&registry, TopicId::random(), false);
    append(&other).unwrap();
    append(&failed).unwrap();
    let signal = Arc::new(Signal::default());
    failed.waiters().register(&signal, 0);
    let waiter = failed.clone();
    let waiting = tokio::spawn(async move { waiter.committed_upto(Offset(5)).await });
    tokio::task::yield_now().await;
    assert_eq!(registry.take_offline(&registry.directories()[1]), 1);
    assert_eq!(waiting.await.unwrap(), Err(ErrorCode::KafkaStorageError));
    assert!(signal.is_urgent());
    let storage_error = ErrorCode::KafkaStorageError;
    assert_eq!(append(&failed), Err(storage_error));
    assert_eq!(read(&failed), Err(storage_error));
    assert_eq!(failed.log_end(), Err(storage_error));
    assert_eq!(failed.size_bytes(), Err(storage_error));
    assert_eq!(failed.expire(Now::default()), Ok(false));
    assert_eq!(failed.checkpoint(Checkpoint::HighWatermark), None);
    assert_eq!(append(&other), Ok(Offset(1)));
    assert!(read(&other).unwrap() > 0);
}

#[test]
fn nothing_is_written_to_a_directory_that_went_offline() {
    let dir = tempfile::tempdir().unwrap();
    let registry = registry(dir.path());
    let id = TopicId::random();
    for partition in add(&registry, id, false) {
        append(&partition).unwrap();
    }
    registry.take_offline(&registry.directories()[1]);
    let away = dir.path().join("away");
    std::fs::rename(dir.path().join("b"), &away).unwrap();
    let before = std::fs::read_dir(&away).unwrap().count();
    assert!(registry.write_checkpoint(Checkpoint::HighWatermark), "the other one's is written");
    registry.remove([TopicPartition::new("t", 1)], Now::default());
    registry.close(2, None).unwrap();
    assert!(!dir.path().join("b").exists());
    assert_eq!(std::fs::read_dir(&away).unwrap().count(), before);
    std::fs::rename(&away, dir.path().join("b")).unwrap();
    assert_eq!(is_marked(dir.path()), [true, false]);
}

#[test]
fn a_partition_of_a_directory_that_is_offline_is_made_nowhere_and_is_back_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let id = TopicId::random();
    let first = registry(dir.path());
    for partition in add(&first, id, false) {
        append(&partition).unwrap();
    }
    first.close(1, None).unwrap();
    drop(first);
    let (here, away) = (dir.path().join("b"), dir.path().join("away"));
    std::fs::rename(&here, &away).unwrap();
    std::fs::write(&here, "no directory").unwrap();
    let second = registry(dir.path());
    let [other, missing] = add(&second, id, true);
    assert_eq!(append(&missing), Err(ErrorCode::NotLeaderOrFollower));
    assert_eq!(append(&other), Ok(Offset(1)));
    second.close(1, None).unwrap();
    drop((second, other, missing));
    assert!(!dir.path().join("a/t-1").exists());
    std::fs::remove_file(&here).unwrap();
    std::fs::rename(&away, &here).unwrap();
    let [other, back] = add(&registry(dir.path()), id, true);
    assert_eq!((append(&other), append(&back)), (Ok(Offset(2)), Ok(Offset(1))));
}
