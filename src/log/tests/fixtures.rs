//! Data directories that an Apache Kafka 4.3.0 wrote, one stopped cleanly and one killed (`tests/data/README.md` says
//! what they hold), opened partition by partition.

use std::collections::HashMap;
use std::process::Command;

use super::*;
use crate::types::NodeId;

/// When the fixtures were written.
const WRITTEN_MS: i64 = 1_795_217_400_000;

struct Fixture {
    _root: tempfile::TempDir,
    directory: LogDirectory,
    context: Arc<LogContext>,
    killed: bool,
    recovery_points: HashMap<TopicPartition, Offset>,
    starts: HashMap<TopicPartition, Offset>,
}

impl Fixture {
    /// Unpacks the partitions of `topic`, or all.
    fn new(killed: bool, topic: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        let name = if killed { "kafka-4.3.0-datadir-killed.tar.gz" } else { "kafka-4.3.0-datadir.tar.gz" };
        let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
        let mut tar = Command::new("tar");
        tar.arg("-xzf").arg(archive).arg("-C").arg(root.path()).args(["--wildcards", "data/*-checkpoint"]);
        tar.args(["data/meta.properties", "data/orders-0*"]).arg(format!("data/{topic}-[0-9]*"));
        tar.args(if killed { &["data/.lock"] } else { &["data/.kafka_cleanshutdown"] });
        assert!(tar.status().unwrap().success());
        let context = LogContext::new(ContextOptions::default()).unwrap();
        let path = root.path().join("data");
        let directory =
            LogDirectory::open(&path, Some("5L6g3nShT-eMCtK--X86sw"), NodeId(1), &context, now()).unwrap();
        let recovery_points = directory.read_checkpoint(Checkpoint::RecoveryPoint).unwrap();
        let starts = directory.read_checkpoint(Checkpoint::LogStart).unwrap();
        Self { _root: root, directory, context, killed, recovery_points, starts }
    }

    fn spec(&self, partition: &TopicPartition, clean: bool) -> OpenSpec {
        let dir = self.directory.partition_path(partition);
        let metadata = std::fs::read(dir.join("partition.metadata")).unwrap();
        let compact = partition.topic.starts_with("__") || &*partition.topic == "compacted";
        let cleanup_policy = CleanupPolicy { delete: !compact, compact };
        OpenSpec {
            dir,
            topic_id: partition_metadata::parse(&metadata).unwrap(),
            topic_partition: partition.clone(),
            config: Arc::new(LogConfig { cleanup_policy, ..LogConfig::default() }),
            log_start: self.starts.get(partition).copied().unwrap_or_default(),
            recovery_point: self.recovery_points.get(partition).copied().unwrap_or_default(),
            cleaned: Offset::ZERO,
            may_have_gaps: !clean,
            clean,
            end: None,
            producer_id_expiration_ms: 86_400_000,
        }
    }

    fn open(&self, partition: &TopicPartition) -> (Log, Recovery) {
        let clean = self.directory.was_clean();
        Log::open(self.spec(partition, clean), &self.context, written()).unwrap()
    }

    fn topic(&self, topic: &str) -> Log {
        self.open(&TopicPartition::new(topic, 0)).0
    }
}

fn written() -> Now {
    Now { mono_ms: 0, wall_ms: WRITTEN_MS }
}

fn each(topic: &str, test: impl Fn(&Fixture)) {
    for killed in [false, true] {
        test(&Fixture::new(killed, topic));
    }
}

fn expect(key: String, value: String) -> (Option<String>, Option<String>) {
    (Some(key), Some(value))
}

fn check(found: &Records, expected: impl IntoIterator<Item = (i64, (Option<String>, Option<String>))>) {
    let found: Vec<_> = found.iter().cloned().map(|(offset, key, value)| (offset, (key, value))).collect();
    assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
}

#[test]
fn every_partition_opens_and_needs_recovery_only_after_the_kill() {
    each("*", |fixture| {
        let partitions = fixture.directory.partitions().unwrap();
        assert_eq!(partitions.len(), 110);
        assert_eq!(fixture.directory.was_clean(), !fixture.killed);
        for partition in partitions {
            let (log, recovery) = fixture.open(&partition);
            assert_eq!(recovery.recovered, fixture.killed, "{partition}");
            assert_eq!((recovery.cut_bytes, recovery.removed_segments), (0, 0), "{partition}");
            if !fixture.killed {
                assert_eq!(recovery, Recovery::default(), "{partition}");
                let ended = fixture.recovery_points.get(&partition).copied().unwrap_or(log.end());
                assert_eq!(log.end(), ended, "{partition}");
            }
        }
    });
}

#[test]
fn a_cleanly_stopped_directory_is_left_as_it_is() {
    let fixture = Fixture::new(false, "*");
    let list = || {
        let mut files = Vec::new();
        for partition in fixture.directory.partitions().unwrap() {
            let dir = fixture.directory.partition_path(&partition);
            for entry in std::fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                files.push((path.clone(), std::fs::read(path).unwrap()));
            }
        }
        files.sort();
        files
    };
    let mut before = list();
    for partition in fixture.directory.partitions().unwrap() {
        fixture.open(&partition).0.close().unwrap();
    }
    // A snapshot that stands at no segment and is not the newest goes, as in Kafka.
    before.retain(|(path, _)| {
        !(path.ends_with("00000000000000000100.snapshot") && path.to_str().unwrap().contains("orders-"))
    });
    before.retain(|(path, _)| !path.ends_with("__cluster_metadata-0/00000000000000000216.snapshot"));
    let names = |files: &[(PathBuf, Vec<u8>)]| files.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>();
    let after = list();
    assert_eq!(names(&after), names(&before));
    assert!(after == before);
}

#[test]
fn orders_hold_their_records_under_their_leader_epochs() {
    each("orders", |fixture| {
        for partition in 0..3 {
            let (log, _) = fixture.open(&TopicPartition::new("orders", partition));
            let end = if fixture.killed { 100 } else { 110 };
            assert_eq!((log.start(), log.end()), (Offset(0), Offset(end)));
            let expected = (0..end).map(|offset| {
                let n = offset * 3 + i64::from(partition);
                (offset, expect(format!("order-{n}"), format!("{{\"n\":{n}}}")))
            });
            check(&records(&log.reader(), 0), expected);
            let next = if fixture.killed { (-1, -1) } else { (0, 100) };
            let (epoch, ended) = log.end_offset_for_epoch(LeaderEpoch(1));
            assert_eq!((epoch.0, ended.0), next);
            if !fixture.killed {
                assert_eq!(log.reader().epoch_at(Offset(100)), Some(LeaderEpoch(2)));
            }
        }
    });
}

#[test]
fn rolled_segments_are_read_across_and_searched_by_offset_and_time() {
    each("rolled", |fixture| {
        let log = fixture.topic("rolled");
        assert_eq!((log.end(), log.reader.segments.load().len()), (Offset(2000), 4));
        let tail = "x".repeat(87);
        let expected = (0..2000).map(|n| (n, (None, Some(format!("rolled-{n:05}-{tail}")))));
        check(&records(&log.reader(), 0), expected);
        for n in (0..2000).step_by(37) {
            let read = log.reader().read(Offset(n), Offset(2000), 1, true).unwrap();
            assert_eq!(batches(read.records)[0].header.base_offset, n / 20 * 20);
            let found = log.reader().offset_for_timestamp(T0 + n).unwrap().unwrap();
            assert_eq!((found.offset, found.timestamp), (Offset(n), T0 + n));
        }
        assert_eq!(log.reader().max_timestamp().unwrap().unwrap().offset, Offset(1999));
    });
}

#[test]
fn a_trimmed_log_starts_inside_its_segment_where_the_checkpoint_says_so() {
    each("trimmed", |fixture| {
        let log = fixture.topic("trimmed");
        assert_eq!((log.start(), log.end()), (Offset(40), Offset(100)));
        assert!(log.reader().read(Offset(39), Offset(100), 1000, true).is_err());
        let found: Records =
            records(&log.reader(), 40).into_iter().filter(|(offset, ..)| *offset >= 40).collect();
        check(&found, (40..100).map(|n| (n, expect(format!("k{n}"), format!("v{n}")))));
    });
}

#[test]
fn every_codec_is_read() {
    each("compressed", |fixture| {
        let log = fixture.topic("compressed");
        let codecs = ["none", "gzip", "snappy", "lz4", "zstd"];
        let expected = (0..100).map(|n: i64| {
            let codec = codecs[usize::try_from(n / 20).unwrap()];
            (n, expect(codec.to_string(), format!("{codec}-{}{}", "z".repeat(50), n % 20)))
        });
        check(&records(&log.reader(), 0), expected);
    });
}

#[test]
fn what_compaction_left_is_read_over_empty_segments() {
    each("compacted", |fixture| {
        let log = fixture.topic("compacted");
        assert_eq!((log.start(), log.end()), (Offset(0), Offset(2101)));
        let found = records(&log.reader(), 0);
        assert_eq!((found.len(), found[0].0), (201, 1900));
        let mut last: HashMap<String, Option<String>> = HashMap::new();
        for (_, key, value) in found {
            last.insert(key.unwrap(), value);
        }
        assert_eq!(last.remove("key-0"), Some(None));
        for n in 1..20 {
            assert_eq!(last.remove(&format!("key-{n}")), Some(Some(format!("value-{}", 1980 + n))));
        }
        for (n, value) in [2100, 2096, 2097, 2098, 2099].into_iter().enumerate() {
            assert_eq!(last.remove(&format!("other-{n}")), Some(Some(format!("value-{value}"))));
        }
        assert!(last.is_empty());
    });
}

#[test]
fn transactions_show_their_outcome_and_the_open_one_its_last_stable_offset() {
    each("txn*", |fixture| {
        let log = fixture.topic("txn");
        let reader = log.reader();
        assert_eq!((log.end(), log.last_stable(Offset(28))), (Offset(28), Offset(28)));
        let aborted =
            AbortedTxn { producer_id: 6, first_offset: 11, last_offset: 21, last_stable_offset: 22 };
        assert_eq!(reader.aborted_transactions(Offset(0), Offset(28)).unwrap(), [aborted]);
        assert_eq!(reader.aborted_transactions(Offset(22), Offset(28)).unwrap(), []);
        assert_eq!(records(&reader, 0).len(), 25);
        let producer = &log.producers().producers()[&6];
        assert_eq!((producer.epoch, producer.window().len(), producer.txn_first_offset), (3, 0, None));

        let open = fixture.topic("txn-open");
        assert_eq!((open.end(), open.last_stable(Offset(5))), (Offset(5), Offset(0)));
        assert_eq!(open.reader().last_stable(Offset(5)), Offset(0));
        check(&records(&open.reader(), 0), (0..5).map(|n| (n, expect(format!("o{n}"), format!("open-{n}")))));
    });
}

#[test]
fn a_recovered_directory_opens_clean_and_goes_on() {
    let fixture = Fixture::new(true, "*[!_]*");
    for topic in ["orders", "rolled", "compacted", "txn", "txn-open"] {
        let partition = TopicPartition::new(topic, 0);
        let (mut log, _) = fixture.open(&partition);
        let end = log.end();
        log.append(&batch(0, 2), LeaderEpoch(9), written()).unwrap();
        log.close().unwrap();
        let (log, recovery) = Log::open(fixture.spec(&partition, true), &fixture.context, written()).unwrap();
        assert!(!recovery.recovered);
        assert_eq!((log.end(), log.latest_epoch()), (end.plus(2), Some(LeaderEpoch(9))));
        assert_eq!(log.end_offset_for_epoch(LeaderEpoch(8)).1, end);
    }
}
