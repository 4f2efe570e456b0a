//! A broker with several data directories: what is in one that fails is offline, the others go on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::*;
use milena::config::Config;
use milena::server::Server;
use support::process::Process;
use support::requests::{batch, fetch_of, from, name, of_topic, produce};
use support::{RawClient, TestBroker};
use tempfile::TempDir;

/// Of a directory that failed at run time.
const STORAGE_ERROR: i16 = 56;
/// Of one that could not be used at the start.
const NOT_LEADER: i16 = 6;
const LEADER_NOT_AVAILABLE: i16 = 5;
const LOG_DIR_NOT_FOUND: i16 = 57;

fn two(home: &Path) -> String {
    ["a", "b"].map(|name| home.join(name).display().to_string()).join(",")
}

async fn start(home: TempDir) -> TestBroker {
    let dirs = two(home.path());
    TestBroker::start_on(home, &[("log.dirs", &dirs)]).await
}

/// What a start that cannot be says.
async fn refusal(dirs: &str, settings: &[(&str, &str)]) -> String {
    let mut pairs = vec![("listeners", "PLAINTEXT://127.0.0.1:0"), ("log.dirs", dirs)];
    pairs.extend_from_slice(settings);
    match Server::start(Config::from_pairs(pairs).unwrap()).await {
        Ok(_) => panic!("it started"),
        Err(error) => format!("{error:#}"),
    }
}

/// The directories, by name, of a topic's partitions that lie in one.
fn lie(home: &Path, topic: &str) -> BTreeMap<String, String> {
    let mut lie = BTreeMap::new();
    for directory in ["a", "b"] {
        let Ok(entries) = std::fs::read_dir(home.join(directory)) else { continue };
        for entry in entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()) {
            if entry.starts_with(&format!("{topic}-")) {
                lie.insert(entry, directory.to_owned());
            }
        }
    }
    lie
}

async fn append(client: &mut RawClient, topic: &str, partition: i32) -> (i16, i64) {
    let request = produce(topic, partition, batch(&["v"]), -1);
    let answer: ProduceResponse = client.ask(ApiKey::Produce, 9, &request).await;
    let told = &answer.responses[0].partition_responses[0];
    (told.error_code, told.base_offset)
}

async fn read(client: &mut RawClient, topic: &str, partition: i32) -> (i16, usize) {
    let request = fetch_of(vec![of_topic(topic, vec![from(partition, 0)])], 0);
    let answer: FetchResponse = client.ask(ApiKey::Fetch, 12, &request).await;
    let told = &answer.responses[0].partitions[0];
    (told.error_code, told.records.as_ref().map_or(0, bytes::Bytes::len))
}

/// What Produce, Fetch, ListOffsets, DeleteRecords, OffsetForLeaderEpoch and DescribeProducers say of a partition.
async fn errors(client: &mut RawClient, topic: &'static str, partition: i32) -> [i16; 6] {
    use delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
    use describe_producers_request::TopicRequest;
    use list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
    use offset_for_leader_epoch_request::{OffsetForLeaderPartition, OffsetForLeaderTopic};
    let asked = ListOffsetsPartition::default().with_partition_index(partition).with_timestamp(-1);
    let asked = ListOffsetsTopic::default().with_name(name(topic)).with_partitions(vec![asked]);
    let request = ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(vec![asked]);
    let ends: ListOffsetsResponse = client.ask(ApiKey::ListOffsets, 6, &request).await;
    let asked = DeleteRecordsPartition::default().with_partition_index(partition).with_offset(0);
    let asked = DeleteRecordsTopic::default().with_name(name(topic)).with_partitions(vec![asked]);
    let request = DeleteRecordsRequest::default().with_topics(vec![asked]).with_timeout_ms(5000);
    let deleted: DeleteRecordsResponse = client.ask(ApiKey::DeleteRecords, 2, &request).await;
    let asked = OffsetForLeaderPartition::default().with_partition(partition).with_leader_epoch(0);
    let asked = OffsetForLeaderTopic::default().with_topic(name(topic)).with_partitions(vec![asked]);
    let request =
        OffsetForLeaderEpochRequest::default().with_replica_id(BrokerId(-2)).with_topics(vec![asked]);
    let epochs: OffsetForLeaderEpochResponse = client.ask(ApiKey::OffsetForLeaderEpoch, 4, &request).await;
    let asked = TopicRequest::default().with_name(name(topic)).with_partition_indexes(vec![partition]);
    let request = DescribeProducersRequest::default().with_topics(vec![asked]);
    let producers: DescribeProducersResponse = client.ask(ApiKey::DescribeProducers, 0, &request).await;
    [
        append(client, topic, partition).await.0,
        read(client, topic, partition).await.0,
        ends.topics[0].partitions[0].error_code,
        deleted.topics[0].partitions[0].error_code,
        epochs.topics[0].partitions[0].error_code,
        producers.topics[0].partitions[0].error_code,
    ]
}

/// Error, leader, leader epoch and offline replicas of each partition.
async fn told(client: &mut RawClient, topic: &str) -> Vec<(i16, i32, i32, usize)> {
    let asked = MetadataRequestTopic::default().with_name(Some(name(topic)));
    let request = MetadataRequest::default().with_topics(Some(vec![asked]));
    let answer: MetadataResponse = client.ask(ApiKey::Metadata, 9, &request).await;
    let told = answer.topics[0].partitions.iter();
    told.map(|known| (known.error_code, known.leader_id.0, known.leader_epoch, known.offline_replicas.len()))
        .collect()
}

/// Error, partitions of topics that are not internal, and whether space is told, by directory name.
async fn described(client: &mut RawClient) -> BTreeMap<String, (i16, usize, bool)> {
    let request = DescribeLogDirsRequest::default().with_topics(None);
    let answer: DescribeLogDirsResponse = client.ask(ApiKey::DescribeLogDirs, 4, &request).await;
    let directory = |path: &str| PathBuf::from(path).file_name().unwrap().to_str().unwrap().to_owned();
    answer
        .results
        .iter()
        .map(|result| {
            let partitions = result.topics.iter().map(|topic| topic.partitions.len()).sum();
            (directory(&result.log_dir), (result.error_code, partitions, result.total_bytes > 0))
        })
        .collect()
}

/// What is said to a move of a partition of `t` to a directory.
async fn move_to(client: &mut RawClient, partition: i32, directory: &Path) -> i16 {
    use alter_replica_log_dirs_request::{AlterReplicaLogDir, AlterReplicaLogDirTopic};
    let topic = AlterReplicaLogDirTopic::default().with_name(name("t")).with_partitions(vec![partition]);
    let path = directory.to_str().unwrap().to_owned().into();
    let wanted = AlterReplicaLogDir::default().with_path(path).with_topics(vec![topic]);
    let request = AlterReplicaLogDirsRequest::default().with_dirs(vec![wanted]);
    let answer: AlterReplicaLogDirsResponse = client.ask(ApiKey::AlterReplicaLogDirs, 2, &request).await;
    answer.results[0].partitions[0].error_code
}

async fn until<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let looking = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), looking).await.expect(what);
}

#[tokio::test]
async fn partitions_are_spread_by_count_and_stay_where_they_are() {
    let mut broker = start(tempfile::tempdir().unwrap()).await;
    let mut client = broker.connect().await;
    client.create("t", 5, &[]).await;
    for partition in 0..5 {
        assert_eq!(append(&mut client, "t", partition).await, (0, 0));
    }
    let before = lie(broker.directory.path(), "t");
    let count = |directory: &str| before.values().filter(|known| *known == directory).count();
    assert_eq!((count("a"), count("b")), (3, 2), "{before:?}");
    let told = described(&mut client).await;
    assert_eq!(told, [("a".to_owned(), (0, 3, true)), ("b".to_owned(), (0, 2, true))].into());
    let dirs = two(broker.directory.path());
    for round in 1..3 {
        broker = broker.restart(&[("log.dirs", &dirs)]).await;
        let mut client = broker.connect().await;
        for partition in 0..5 {
            assert_eq!(append(&mut client, "t", partition).await, (0, round));
        }
        assert_eq!(lie(broker.directory.path(), "t"), before);
    }
    assert!(!broker.directory.path().join("b/__cluster_metadata-0").exists());
}

#[tokio::test]
async fn a_partition_that_was_moved_by_hand_is_used_where_it_lies() {
    let broker = start(tempfile::tempdir().unwrap()).await;
    let mut client = broker.connect().await;
    client.create("t", 2, &[]).await;
    for partition in 0..2 {
        append(&mut client, "t", partition).await;
    }
    broker.server.stop().await.unwrap();
    let home = broker.directory;
    std::fs::rename(home.path().join("b/t-1"), home.path().join("a/t-1")).unwrap();
    let broker = start(home).await;
    let mut client = broker.connect().await;
    assert_eq!(append(&mut client, "t", 1).await, (0, 1));
    assert_eq!(lie(broker.directory.path(), "t")["t-1"], "a");
    assert_eq!(described(&mut client).await["a"].1, 2);
    broker.server.stop().await.unwrap();
    // In both it is neither's: nobody knows which one is newer.
    let home = broker.directory;
    let copy = home.path().join("b/t-1");
    std::fs::create_dir(&copy).unwrap();
    let metadata = home.path().join("a/t-1/partition.metadata");
    std::fs::copy(metadata, copy.join("partition.metadata")).unwrap();
    let said = refusal(&two(home.path()), &[]).await;
    assert!(said.contains("t-1 is in") && said.contains("/a and in") || said.contains("/b and in"), "{said}");
    // Unless it is another topic's, whose name this one has.
    std::fs::write(copy.join("partition.metadata"), "version: 0\ntopic_id: B6G_RwcNSD6o6trLeAETPg").unwrap();
    let broker = start(home).await;
    assert_eq!(append(&mut broker.connect().await, "t", 1).await, (0, 2));
    let strays = lie(broker.directory.path(), "t").into_iter().filter(|(name, _)| name.ends_with("-stray"));
    assert_eq!(strays.map(|(_, directory)| directory).collect::<Vec<_>>(), ["b"]);
}

#[tokio::test]
async fn a_directory_that_cannot_be_used_at_the_start_is_offline_alone_and_comes_back() {
    let broker = start(tempfile::tempdir().unwrap()).await;
    let mut client = broker.connect().await;
    client.create("t", 2, &[]).await;
    client.create("empty", 2, &[]).await;
    for partition in 0..2 {
        append(&mut client, "t", partition).await;
    }
    broker.server.stop().await.unwrap();
    let home = broker.directory;
    let (here, away) = (home.path().join("b"), home.path().join("away"));
    std::fs::rename(&here, &away).unwrap();
    std::fs::write(&here, "no directory").unwrap();
    let broker = start(home).await;
    let mut client = broker.connect().await;
    assert_eq!(append(&mut client, "t", 0).await, (0, 1));
    assert_eq!(append(&mut client, "t", 1).await, (NOT_LEADER, -1));
    assert_eq!(read(&mut client, "t", 1).await, (NOT_LEADER, 0));
    assert_eq!(errors(&mut client, "t", 0).await, [0; 6]);
    assert_eq!(errors(&mut client, "t", 1).await, [NOT_LEADER; 6]);
    // The one of `empty` that has no directory anywhere is in the other all the same.
    let empty = [append(&mut client, "empty", 0).await.0, append(&mut client, "empty", 1).await.0];
    assert_eq!(empty, [0, NOT_LEADER]);
    assert_eq!(told(&mut client, "t").await, [(0, 1, 0, 0), (LEADER_NOT_AVAILABLE, -1, 1, 1)]);
    assert_eq!(described(&mut client).await["b"], (STORAGE_ERROR, 0, false));
    let usable = here.with_file_name("a");
    for (partition, to, error) in
        [(0, &usable, 0), (0, &here, STORAGE_ERROR), (1, &usable, NOT_LEADER), (0, &away, LOG_DIR_NOT_FOUND)]
    {
        assert_eq!(move_to(&mut client, partition, to).await, error, "{partition} to {to:?}");
    }
    client.create("new", 2, &[]).await;
    assert_eq!([append(&mut client, "new", 0).await, append(&mut client, "new", 1).await], [(0, 0); 2]);
    let dirs = two(broker.directory.path());
    let broker = broker.restart(&[("log.dirs", &dirs)]).await;
    assert_eq!(append(&mut broker.connect().await, "t", 1).await, (NOT_LEADER, -1));
    broker.server.stop().await.unwrap();
    std::fs::remove_file(&here).unwrap();
    std::fs::rename(&away, &here).unwrap();
    let broker = start(broker.directory).await;
    let mut client = broker.connect().await;
    assert_eq!(append(&mut client, "t", 1).await, (0, 1));
    assert_eq!(told(&mut client, "t").await, [(0, 1, 0, 0), (0, 1, 2, 0)]);
    assert_eq!(lie(broker.directory.path(), "new").values().collect::<Vec<_>>(), ["a", "a"]);
}

#[tokio::test]
async fn a_directory_that_is_no_longer_named_keeps_its_partitions_offline() {
    let broker = start(tempfile::tempdir().unwrap()).await;
    let mut client = broker.connect().await;
    client.create("t", 2, &[]).await;
    for partition in 0..2 {
        append(&mut client, "t", partition).await;
    }
    let home = broker.directory.path().to_owned();
    let all = two(&home);
    let one = home.join("a").display().to_string();
    let with_new = format!("{one},{}", home.join("c").display());
    let broker = broker.restart(&[("log.dirs", &one)]).await;
    assert_eq!(append(&mut broker.connect().await, "t", 1).await, (NOT_LEADER, -1));
    // An empty one in its place may be a disk that is not mounted.
    let broker = broker.restart(&[("log.dirs", &with_new)]).await;
    assert_eq!(append(&mut broker.connect().await, "t", 1).await, (NOT_LEADER, -1));
    let broker = broker.restart(&[("log.dirs", &all)]).await;
    let mut client = broker.connect().await;
    assert_eq!(append(&mut client, "t", 1).await, (0, 1));
    assert_eq!(append(&mut client, "t", 0).await, (0, 1));
}

#[tokio::test]
async fn an_empty_directory_in_the_place_of_the_only_one_keeps_its_partitions_offline() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    let (data, metadata) = (path("a").display().to_string(), path("m").display().to_string());
    let (here, away) = (path("a"), path("away"));
    let settings = [("log.dirs", data.as_str()), ("metadata.log.dir", metadata.as_str())];
    let broker = TestBroker::start_on(home, &settings).await;
    let mut client = broker.connect().await;
    client.create("t", 2, &[]).await;
    append(&mut client, "t", 0).await;
    broker.server.stop().await.unwrap();
    // As a disk that is not mounted leaves its place.
    std::fs::rename(&here, &away).unwrap();
    std::fs::create_dir(&here).unwrap();
    let broker = TestBroker::start_on(broker.directory, &settings).await;
    let mut client = broker.connect().await;
    for partition in 0..2 {
        assert_eq!(append(&mut client, "t", partition).await, (NOT_LEADER, -1));
    }
    assert_eq!(lie(broker.directory.path(), "t"), BTreeMap::new());
    broker.server.stop().await.unwrap();
    std::fs::remove_dir_all(&here).unwrap();
    std::fs::rename(&away, &here).unwrap();
    let broker = TestBroker::start_on(broker.directory, &settings).await;
    let mut client = broker.connect().await;
    assert_eq!(append(&mut client, "t", 0).await, (0, 1));
    // One that lost its id is known by what lies in it.
    broker.server.stop().await.unwrap();
    std::fs::remove_file(here.join("meta.properties")).unwrap();
    let broker = TestBroker::start_on(broker.directory, &settings).await;
    let mut client = broker.connect().await;
    assert_eq!(append(&mut client, "t", 0).await, (0, 2));
    assert_eq!(append(&mut client, "t", 1).await, (0, 0));
}

#[tokio::test]
async fn directories_that_do_not_belong_together_are_refused_in_one_sentence() {
    let broker = start(tempfile::tempdir().unwrap()).await;
    broker.server.stop().await.unwrap();
    let home = broker.directory;
    let path = |name: &str| home.path().join(name);
    let [a, b] = ["a", "b"].map(|name| path(name).display().to_string());
    let swapped = refusal(&format!("{b},{a}"), &[]).await;
    assert!(
        swapped.contains("metadata.log.dir") && swapped.contains(&a) && swapped.contains(&b),
        "{swapped}"
    );
    let other = TestBroker::start().await;
    let foreign = other.directory.path().display().to_string();
    other.server.stop().await.unwrap();
    std::fs::remove_dir_all(other.directory.path().join("__cluster_metadata-0")).unwrap();
    let clusters = refusal(&format!("{a},{foreign}"), &[]).await;
    assert!(
        clusters.contains(&a) && clusters.contains(&foreign) && clusters.contains("cluster"),
        "{clusters}"
    );
    std::os::unix::fs::symlink(path("b"), path("link")).unwrap();
    let twice = refusal(&format!("{a},{b},{}", path("link").display()), &[]).await;
    assert!(twice.contains("one and the same"), "{twice}");
    std::fs::create_dir(path("c")).unwrap();
    std::fs::copy(path("b/meta.properties"), path("c/meta.properties")).unwrap();
    let copied = refusal(&format!("{a},{b},{}", path("c").display()), &[]).await;
    assert!(copied.contains("same directory.id"), "{copied}");
    let node = refusal(&format!("{a},{b}"), &[("node.id", "7")]).await;
    assert!(node.contains("node.id is 1, but 7 is configured"), "{node}");
    std::fs::write(path("file"), "no directory").unwrap();
    let none = refusal(&format!("{0}/x,{0}/y", path("file").display()), &[]).await;
    assert!(none.contains("cannot use the data directory (log.dirs)"), "{none}");
    // Nothing of this changed anything.
    let broker = start(home).await;
    broker.connect().await.create("t", 2, &[]).await;
}

/// What lies there ends in one of the endings that names get which are nobody's any more.
fn left_aside(home: &Path) -> Vec<(String, &'static str)> {
    let ending = |name: &str| ["-stray", "-delete"].into_iter().find(|ending| name.ends_with(ending));
    let lie = lie(home, "t").into_iter();
    lie.filter_map(|(name, directory)| Some((directory, ending(&name)?))).collect()
}

#[tokio::test]
async fn what_belongs_to_no_topic_is_set_aside_where_it_lies_and_stays_as_with_kafka() {
    let broker = start(tempfile::tempdir().unwrap()).await;
    let mut client = broker.connect().await;
    client.create("t", 2, &[]).await;
    for partition in 0..2 {
        append(&mut client, "t", partition).await;
    }
    let deleted = broker.directory.path().join("deleted");
    for name in ["a/t-0", "b/t-1"] {
        let (from, to) = (broker.directory.path().join(name), deleted.join(name));
        std::fs::create_dir_all(&to).unwrap();
        for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
    client.delete("t").await;
    broker.server.stop().await.unwrap();
    let home = broker.directory;
    // As when the broker died between the deletion of the topic and that of its directories.
    for name in ["a/t-0", "b/t-1"] {
        std::fs::rename(deleted.join(name), home.path().join(name)).unwrap();
    }
    std::fs::create_dir(home.path().join("b/t-1.0123456789abcdef0123456789abcdef-delete")).unwrap();
    let dirs = two(home.path());
    let mut broker = start(home).await;
    let expected = ["a", "b"].map(|directory| (directory.to_owned(), "-stray"));
    for round in 0..3 {
        until("the deleted directories are gone", || async {
            let mut left = left_aside(broker.directory.path());
            left.sort();
            left == expected
        })
        .await;
        let mut client = broker.connect().await;
        if round == 0 {
            client.create("t", 2, &[]).await;
        }
        for partition in 0..2 {
            assert_eq!(append(&mut client, "t", partition).await, (0, round));
        }
        broker = broker.restart(&[("log.dirs", &dirs)]).await;
    }
}

#[tokio::test]
async fn the_metadata_may_lie_in_a_directory_of_their_own() {
    let home = tempfile::tempdir().unwrap();
    let (dirs, metadata) = (two(home.path()), home.path().join("m").display().to_string());
    let settings = [("log.dirs", dirs.as_str()), ("metadata.log.dir", metadata.as_str())];
    let broker = TestBroker::start_on(home, &settings).await;
    let mut client = broker.connect().await;
    client.create("t", 2, &[]).await;
    append(&mut client, "t", 1).await;
    assert_eq!(described(&mut client).await.into_keys().collect::<Vec<_>>(), ["a", "b"]);
    let broker = broker.restart(&settings).await;
    assert_eq!(append(&mut broker.connect().await, "t", 1).await, (0, 1));
    let home = broker.directory.path();
    assert!(home.join("m/__cluster_metadata-0").exists() && !home.join("a/__cluster_metadata-0").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_fails_while_the_broker_runs_goes_offline_and_the_others_go_on() {
    let home = tempfile::tempdir().unwrap();
    let dirs = two(home.path());
    let settings = [("log.dirs", dirs.as_str()), ("replica.high.watermark.checkpoint.interval.ms", "200")];
    let (mut broker, lines) = Process::start_listening(&settings);
    let mut client = RawClient::connect(broker.bootstrap().parse().unwrap()).await;
    client.create("t", 2, &[]).await;
    for partition in 0..2 {
        assert_eq!(append(&mut client, "t", partition).await, (0, 0));
    }
    let (here, away) = (home.path().join("b"), home.path().join("away"));
    std::fs::rename(&here, &away).unwrap();
    // The file is still open: what notices is the next checkpoint.
    append(&mut client, "t", 1).await;
    let address = broker.bootstrap();
    until("the end of the directory", || async {
        let mut client = RawClient::connect(address.parse().unwrap()).await;
        append(&mut client, "t", 1).await.0 == STORAGE_ERROR
    })
    .await;
    until("the end of the leader", || async {
        let mut client = RawClient::connect(address.parse().unwrap()).await;
        told(&mut client, "t").await == [(0, 1, 0, 0), (LEADER_NOT_AVAILABLE, -1, 1, 1)]
    })
    .await;
    assert_eq!(read(&mut client, "t", 1).await, (STORAGE_ERROR, 0));
    assert_eq!(errors(&mut client, "t", 1).await, [STORAGE_ERROR; 6]);
    assert_eq!(append(&mut client, "t", 0).await, (0, 1));
    assert_eq!(described(&mut client).await["b"], (STORAGE_ERROR, 0, false));
    client.create("new", 2, &[]).await;
    assert_eq!([append(&mut client, "new", 0).await, append(&mut client, "new", 1).await], [(0, 0); 2]);
    assert_eq!(broker.terminate(), Some(0));
    assert_eq!(lines.try_iter().filter(|line| line.contains("FAILED and is OFFLINE")).count(), 1);
    assert!(!here.exists());
    std::fs::rename(&away, &here).unwrap();
    assert!(home.path().join("a/.kafka_cleanshutdown").exists());
    assert!(!here.join(".kafka_cleanshutdown").exists());
    broker.start_again();
    let mut client = RawClient::connect(address.parse().unwrap()).await;
    let (error, offset) = append(&mut client, "t", 1).await;
    assert!(error == 0 && offset >= 2, "{error} {offset}");
    assert_eq!(append(&mut client, "t", 0).await, (0, 2));
}
