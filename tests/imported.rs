//! Directories that Apache Kafka 4.3.0 wrote (`tests/data/README.md`), served over the wire: every record, the last
//! stable offsets, aborted transactions, committed offsets; after a clean stop of Kafka and after it was killed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bytes::Bytes;
use kafka_protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use kafka_protocol::messages::*;
use kafka_protocol::protocol::StrBytes;
use milena::wire::batch::{Batch, BatchBuilder};
use support::process::Process;
use support::requests::{FETCH, fetch_of, from, name, of_topic, values};
use support::{RawClient, TestBroker};
use tempfile::TempDir;

/// The groups' commits are older than any retention.
const SETTINGS: &[(&str, &str)] = &[("node.id", "1"), ("offsets.retention.minutes", "2147483647")];

async fn start(archive: &str) -> TestBroker {
    TestBroker::start_on(support::unpack(archive), SETTINGS).await
}

/// What a partition holds for a reader.
#[derive(Debug, Default, PartialEq)]
struct Held {
    values: Vec<String>,
    high_watermark: i64,
    last_stable: i64,
    log_start: i64,
    aborted: Vec<(i64, i64)>,
}

/// Reads a partition from its start to the end of what the isolation level shows.
async fn read(client: &mut RawClient, topic: &str, partition: i32, committed: bool) -> Held {
    let mut held = Held::default();
    let mut offset = client.list_offset(topic, partition, -2).await.1;
    loop {
        // Small, so that many answers are needed.
        let asked = from(partition, offset).with_partition_max_bytes(2000);
        let mut request = fetch_of(vec![of_topic(topic, vec![asked])], 0);
        request.isolation_level = i8::from(committed);
        let answer: FetchResponse = client.ask(ApiKey::Fetch, FETCH, &request).await;
        let found = &answer.responses[0].partitions[0];
        assert_eq!(found.error_code, 0, "{topic}-{partition} at {offset}");
        held.high_watermark = found.high_watermark;
        held.last_stable = found.last_stable_offset;
        held.log_start = found.log_start_offset;
        for aborted in found.aborted_transactions.iter().flatten() {
            held.aborted.push((aborted.producer_id.0, aborted.first_offset));
        }
        let records = found.records.clone().unwrap_or_default();
        if records.is_empty() {
            return held;
        }
        held.values.extend(values(found));
        let mut rest = records;
        while !rest.is_empty() {
            let batch = Batch::parse(rest.clone()).unwrap();
            rest = rest.slice(batch.bytes.len()..);
            offset = batch.header.next_offset();
        }
    }
}

async fn every_record_is_served(broker: &TestBroker, orders: usize) {
    let mut client = broker.connect().await;
    for partition in 0..3 {
        let held = read(&mut client, "orders", partition, true).await;
        let expected: Vec<String> =
            (0..orders).map(|index| format!("{{\"n\":{}}}", 3 * index + partition as usize)).collect();
        assert_eq!(held.values, expected);
        assert_eq!(
            (held.high_watermark, held.last_stable, held.log_start),
            (orders as i64, orders as i64, 0)
        );
    }
    let rolled = read(&mut client, "rolled", 0, false).await;
    let expected: Vec<String> = (0..2000).map(|n| format!("rolled-{n:05}-{}", "x".repeat(87))).collect();
    assert!(rolled.values == expected && rolled.high_watermark == 2000);
    let trimmed = read(&mut client, "trimmed", 0, false).await;
    assert_eq!((trimmed.log_start, trimmed.high_watermark), (40, 100));
    // Whole batches may begin before what was asked for; a client drops those records.
    assert!(trimmed.values.ends_with(&(40..100).map(|n| format!("v{n}")).collect::<Vec<_>>()));
    let compressed = read(&mut client, "compressed", 0, false).await;
    let codecs = ["none", "gzip", "snappy", "lz4", "zstd"];
    let value = |codec: &str, index: usize| format!("{codec}-{}{index}", "z".repeat(50));
    let expected = codecs.iter().flat_map(|codec| (0..20).map(move |index| value(codec, index)));
    assert_eq!(compressed.values, expected.collect::<Vec<_>>());
    let compacted = read(&mut client, "compacted", 0, false).await;
    assert_eq!((compacted.values.len(), compacted.high_watermark), (201, 2101));
    assert_eq!(compacted.values.last().unwrap(), "value-2100");
}

async fn transactions_are_told_apart(broker: &TestBroker) {
    let mut client = broker.connect().await;
    let committed = read(&mut client, "txn", 0, true).await;
    assert_eq!((committed.high_watermark, committed.last_stable), (28, 28));
    // The aborted records are in the answer, and so is who has to leave them out.
    assert_eq!(committed.values.len(), 25);
    assert!(!committed.aborted.is_empty() && committed.aborted.iter().all(|one| *one == (6, 11)));
    let uncommitted = read(&mut client, "txn", 0, false).await;
    assert_eq!((uncommitted.values.len(), uncommitted.aborted.len()), (25, 0));
    let open = read(&mut client, "txn-open", 0, true).await;
    assert_eq!((open.values.len(), open.high_watermark, open.last_stable), (0, 5, 0));
    assert_eq!(read(&mut client, "txn-open", 0, false).await.values.len(), 5);
}

async fn committed_offsets_are_there(broker: &TestBroker) {
    let mut client = broker.connect().await;
    let expected: BTreeMap<&str, [(i64, &str); 3]> = [
        ("readers", [(100, "done"), (50, ""), (0, "")]),
        ("joined-classic", [(100, ""); 3]),
        ("joined-consumer", [(100, ""); 3]),
        ("tx-group", [(77, "in-tx"), (-1, ""), (-1, "")]),
    ]
    .into();
    let groups = expected.keys().map(|group| {
        let topic = OffsetFetchRequestTopics::default().with_name(name("orders"));
        OffsetFetchRequestGroup::default()
            .with_group_id(StrBytes::from_string((*group).to_owned()).into())
            .with_topics(Some(vec![topic.with_partition_indexes(vec![0, 1, 2])]))
    });
    let request = OffsetFetchRequest::default().with_groups(groups.collect());
    let answer: OffsetFetchResponse = client.ask(ApiKey::OffsetFetch, 8, &request).await;
    for group in &answer.groups {
        let partitions = group.topics[0].partitions.iter();
        let found: Vec<_> =
            partitions.map(|one| (one.committed_offset, one.metadata.as_deref().unwrap())).collect();
        assert_eq!(
            (group.error_code, &found[..]),
            (0, &expected[&**group.group_id][..]),
            "{:?}",
            group.group_id
        );
    }
}

#[tokio::test]
async fn a_cleanly_stopped_kafka_goes_on_here() {
    let mut broker = start("kafka-4.3.0-datadir").await;
    for _ in 0..2 {
        every_record_is_served(&broker, 110).await;
        transactions_are_told_apart(&broker).await;
        committed_offsets_are_there(&broker).await;
        broker = broker.restart(SETTINGS).await;
    }
    assert_eq!(broker.connect().await.send_values("orders", 0, &["here"]).await, 110);
}

#[tokio::test]
async fn a_killed_kafka_goes_on_here() {
    let mut broker = start("kafka-4.3.0-datadir-killed").await;
    for _ in 0..2 {
        every_record_is_served(&broker, 100).await;
        transactions_are_told_apart(&broker).await;
        committed_offsets_are_there(&broker).await;
        broker = broker.restart(SETTINGS).await;
    }
    assert_eq!(broker.connect().await.send_values("orders", 0, &["here"]).await, 100);
}

const CLEAN_MARKER: &str = ".kafka_cleanshutdown";

#[tokio::test]
async fn a_clean_stop_names_the_epoch_that_kafka_registered_the_broker_under() {
    let directory = support::unpack("kafka-4.3.0-datadir");
    let kafkas = fs::read(directory.path().join(CLEAN_MARKER)).unwrap();
    let TestBroker { server, directory } = TestBroker::start_on(directory, SETTINGS).await;
    assert!(!directory.path().join(CLEAN_MARKER).exists());
    server.stop().await.unwrap();
    assert_eq!(fs::read(directory.path().join(CLEAN_MARKER)).unwrap(), kafkas);
}

#[test]
fn a_directory_of_a_later_format_is_refused_in_one_sentence_and_stays_as_it_is() {
    let formatted = support::unpack("kafka-4.4-IV0-formatted");
    let told = Process::fail_in(&formatted, &[]);
    assert!(told.contains("newer format") && told.contains("metadata.version is 31, and 30 is"), "{told}");
    assert_eq!(told.trim_end().lines().count(), 1, "{told}");
    assert!(!formatted.path().join("__cluster_metadata-0").exists());

    let later = support::unpack("kafka-4.3.0-datadir");
    let marker = fs::read(later.path().join(CLEAN_MARKER)).unwrap();
    let meta = fs::read_to_string(later.path().join("meta.properties")).unwrap();
    fs::write(later.path().join("meta.properties"), meta.replace("version=1", "version=2")).unwrap();
    let told = Process::fail_in(&later, &[]);
    assert!(told.contains("has version 2") && told.contains("none above 1"), "{told}");
    assert_eq!(told.trim_end().lines().count(), 1, "{told}");

    fs::write(later.path().join("meta.properties"), meta).unwrap();
    let log = later.path().join("__cluster_metadata-0/00000000000000000000.log");
    let mut bytes = fs::read(&log).unwrap();
    let mut builder = BatchBuilder::new(0).leader_epoch(2);
    builder.push(None, Some(&[1, 200, 1, 0]), 0);
    let mut end = 0;
    while end < bytes.len() {
        let batch = Batch::parse(Bytes::copy_from_slice(&bytes[end..])).unwrap();
        end += batch.bytes.len();
        if end == bytes.len() {
            bytes.extend_from_slice(&builder.build(batch.header.next_offset()).bytes);
            break;
        }
    }
    fs::write(&log, &bytes).unwrap();
    let told = Process::fail_in(&later, &[]);
    assert!(told.contains("newer format") && told.contains("metadata records of type 200"), "{told}");
    assert_eq!(told.trim_end().lines().count(), 1, "{told}");
    assert_eq!(fs::read(log).unwrap(), bytes);
    assert_eq!(fs::read(later.path().join(CLEAN_MARKER)).unwrap(), marker, "Kafka still finds a clean stop");
}

#[test]
fn partitions_whose_metadata_lies_elsewhere_are_refused_and_not_set_aside() {
    let directory = support::unpack("kafka-4.3.0-datadir");
    fs::remove_dir_all(directory.path().join("__cluster_metadata-0")).unwrap();
    let names = || {
        let entries = fs::read_dir(directory.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.retain(|name| name != ".lock");
        names.sort();
        names
    };
    let before = names();
    let told = Process::fail_in(&directory, &[]);
    assert!(told.contains("no metadata log") && told.contains("metadata.log.dir"), "{told}");
    assert_eq!(told.trim_end().lines().count(), 1, "{told}");
    assert_eq!(names(), before, "also the marker of a clean stop");
}

/// The name of a second directory, within the first one of a test.
const BESIDE: &str = "beside";
const META: &str = "meta.properties";

/// Kafka's directory as if it had had two: some partitions, with what the checkpoints say of them, lie in another one.
fn in_two(archive: &str) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let (from, one, other) = (support::unpack(archive), home.path().join("one"), home.path().join(BESIDE));
    fs::create_dir(&other).unwrap();
    fs::rename(from.path(), &one).unwrap();
    fs::create_dir(from.path()).unwrap();
    let meta = fs::read_to_string(one.join(META)).unwrap();
    let id = meta.lines().find(|line| line.starts_with("directory.id=")).unwrap();
    fs::write(other.join(META), meta.replace(id, "directory.id=B6G_RwcNSD6o6trLeAETPg")).unwrap();
    for (place, name) in names_in(&one).into_iter().enumerate() {
        let is_partition = one.join(&name).is_dir() && !name.starts_with("__cluster_metadata");
        let is_split = ["orders-", "__consumer_offsets-"].iter().any(|topic| name.starts_with(topic));
        if is_partition && (name == "compacted-0" || is_split && place % 2 == 0) {
            fs::rename(one.join(&name), other.join(&name)).unwrap();
        }
    }
    for file in names_in(&one).iter().filter(|name| name.ends_with("-checkpoint") || *name == CLEAN_MARKER) {
        fs::copy(one.join(file), other.join(file)).unwrap();
    }
    if !other.join(CLEAN_MARKER).exists() {
        // Nothing tells of the gaps that its cleaner left.
        fs::remove_file(other.join("recovery-point-offset-checkpoint")).unwrap();
        let _ = fs::remove_file(other.join("cleaner-offset-checkpoint"));
    }
    home
}

fn names_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != ".lock");
    names.sort();
    names
}

fn both(home: &TempDir) -> String {
    ["one", BESIDE].map(|name| home.path().join(name).display().to_string()).join(",")
}

#[tokio::test]
async fn a_kafka_with_two_data_directories_goes_on_here() {
    for (archive, orders) in [("kafka-4.3.0-datadir", 110), ("kafka-4.3.0-datadir-killed", 100)] {
        let home = in_two(archive);
        let lay = names_in(&home.path().join(BESIDE));
        assert!(lay.iter().any(|name| name.starts_with("orders-")), "{lay:?}");
        let dirs = both(&home);
        let settings: Vec<_> = SETTINGS.iter().copied().chain([("log.dirs", dirs.as_str())]).collect();
        let mut broker = TestBroker::start_on(home, &settings).await;
        for _ in 0..2 {
            every_record_is_served(&broker, orders).await;
            transactions_are_told_apart(&broker).await;
            committed_offsets_are_there(&broker).await;
            broker = broker.restart(&settings).await;
        }
        broker.server.stop().await.unwrap();
        let lies = names_in(&broker.directory.path().join(BESIDE));
        let moved =
            |names: &[String]| names.iter().filter(|name| name.ends_with("-0")).cloned().collect::<Vec<_>>();
        assert_eq!(moved(&lies), moved(&lay));
        for name in lies.into_iter().chain(names_in(&broker.directory.path().join("one"))) {
            assert!(!name.ends_with("-stray"), "{name}");
        }
    }
}

#[test]
fn two_directories_that_are_refused_both_stay_as_they_are() {
    let home = in_two("kafka-4.3.0-datadir");
    let content = || {
        ["one", BESIDE].map(|name| {
            let directory = home.path().join(name);
            let marker = fs::read(directory.join(CLEAN_MARKER)).unwrap();
            (names_in(&directory), fs::read(directory.join(META)).unwrap(), marker)
        })
    };
    let refused = |log_dirs: &str, reason: &str| {
        let before = content();
        let told = Process::fail_in(&home, &[("log.dirs", log_dirs)]);
        assert!(told.contains(reason), "{told}");
        assert_eq!(told.trim_end().lines().count(), 1, "{told}");
        assert!(content() == before, "{reason}");
    };
    // Partitions in both.
    let (one, other) = (home.path().join("one"), home.path().join(BESIDE));
    fs::create_dir(one.join("compacted-0")).unwrap();
    fs::copy(other.join("compacted-0/partition.metadata"), one.join("compacted-0/partition.metadata"))
        .unwrap();
    refused(&both(&home), "the partition compacted-0 is in");
    fs::remove_dir_all(one.join("compacted-0")).unwrap();
    // The metadata in the other one.
    let turned = format!("{},{}", other.display(), one.display());
    refused(&turned, "metadata.log.dir");
    // No metadata at all: those that know the partitions in either.
    let away = home.path().join("away");
    fs::rename(one.join("__cluster_metadata-0"), &away).unwrap();
    refused(&both(&home), "no metadata log");
    let kept = names_in(&one).into_iter().filter(|name| one.join(name).is_dir());
    kept.for_each(|name| fs::remove_dir_all(one.join(name)).unwrap());
    refused(&both(&home), "no metadata log");
}

/// What the directory's recovery points are from now on, as after a crash.
fn crashed_with(directory: &TempDir, recovery_points: &str) {
    let _ = fs::remove_file(directory.path().join(".kafka_cleanshutdown"));
    fs::write(directory.path().join("recovery-point-offset-checkpoint"), recovery_points).unwrap();
    let _ = fs::remove_file(directory.path().join("cleaner-offset-checkpoint"));
}

#[tokio::test]
async fn gaps_that_a_killed_kafka_left_stay_until_the_directory_is_taken_over() {
    let read_all = async |broker: &TestBroker| {
        let mut client = broker.connect().await;
        let held = read(&mut client, "compacted", 0, false).await;
        (held.values, held.high_watermark)
    };
    let broker = start("kafka-4.3.0-datadir-killed").await;
    let expected = read_all(&broker).await;
    broker.server.stop().await.unwrap();

    // Nothing tells of the gaps that its cleaner left.
    let directory = support::unpack("kafka-4.3.0-datadir-killed");
    crashed_with(&directory, "0\n1\norders 1 0\n");
    let broker = TestBroker::start_on(directory, SETTINGS).await;
    assert_eq!(read_all(&broker).await, expected);
    let written = |name: &str| fs::read_to_string(broker.directory.path().join(name)).unwrap();
    assert!(written("meta.properties").contains("\nmilena.quorum.epoch=1\n"));
    let points = written("recovery-point-offset-checkpoint");
    assert!(points.contains(&format!("compacted 0 {}\n", expected.1)), "{points}");
    broker.server.stop().await.unwrap();

    // The power went, or somebody took the checkpoint away; and no Kafka ran since.
    for (points, are_trusted) in [(points.as_str(), true), ("", true), ("0\n1\norders 1 1\n", false)] {
        crashed_with(&broker.directory, points);
        let server = TestBroker::start_on(copy(&broker.directory), SETTINGS).await;
        let (values, end) = read_all(&server).await;
        if are_trusted {
            assert_eq!((values, end), expected);
        } else {
            assert_eq!((values.len(), end), (0, 0), "a gap is a loss");
        }
        server.server.stop().await.unwrap();
    }

    // A Kafka that ran since and was killed.
    let quorum = broker.directory.path().join("__cluster_metadata-0/quorum-state");
    let state = fs::read_to_string(&quorum).unwrap().replace("\"leaderEpoch\":1", "\"leaderEpoch\":2");
    fs::write(quorum, state).unwrap();
    let broker = TestBroker::start_on(broker.directory, SETTINGS).await;
    assert_eq!(read_all(&broker).await, expected);
}

fn copy(directory: &TempDir) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    let from = format!("{}/.", directory.path().display());
    assert!(
        std::process::Command::new("cp").args(["-r", &from]).arg(copy.path()).status().unwrap().success()
    );
    copy
}
