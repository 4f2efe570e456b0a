//! A data directory that fails while the broker runs: alone it goes offline, the metadata's and the last one end the
//! broker, and one that is full does neither.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::path::{Path, PathBuf};
use std::time::Duration;

use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::*;
use milena::config::Config;
use milena::server::Server;
use support::RawClient;
use support::broken_disk::{Broken, Fault};
use support::process::Process;
use support::requests::{batch, fetch_of, from, name, of_topic, produce, values};
use tempfile::TempDir;

const STORAGE_ERROR: i16 = 56;

/// A broker with the data directories `a` and `b` on a disk that can be broken.
struct Bench {
    server: Server,
    client: RawClient,
    disk: Broken,
    home: TempDir,
    metadata: &'static str,
    /// What was acknowledged, by partition of topic `t`: the first is in `a`, the second in `b`.
    acknowledged: [Vec<String>; 2],
    sent: usize,
}

async fn start(disk: &Broken, home: &Path, metadata: &str) -> Server {
    let path = |name| home.join(name).display().to_string();
    let (dirs, metadata) = (format!("{},{}", path("a"), path("b")), path(metadata));
    let pairs = [
        ("listeners", "PLAINTEXT://127.0.0.1:0"),
        ("log.dirs", &dirs),
        ("metadata.log.dir", &metadata),
        // Nothing but what a test does meets the disk.
        ("log.flush.offset.checkpoint.interval.ms", "3600000"),
        ("log.flush.start.offset.checkpoint.interval.ms", "3600000"),
        ("replica.high.watermark.checkpoint.interval.ms", "3600000"),
    ];
    Server::start_on(Config::from_pairs(pairs).unwrap(), disk.storage()).await.unwrap()
}

impl Bench {
    /// With records in both directories; the metadata are in the directory of this name.
    async fn new(metadata: &'static str, topic_config: &[(&'static str, &'static str)]) -> Self {
        let (disk, home) = (Broken::default(), tempfile::tempdir().unwrap());
        let server = start(&disk, home.path(), metadata).await;
        let mut client = RawClient::connect(server.addresses()[0].1).await;
        client.create("t", 2, topic_config).await;
        let acknowledged = [Vec::new(), Vec::new()];
        let mut bench = Self { server, client, disk, home, metadata, acknowledged, sent: 0 };
        for partition in [0, 1, 0, 1] {
            assert_eq!(bench.append(partition).await, 0);
        }
        for (directory, partition) in [("a", "t-0"), ("b", "t-1")] {
            assert!(bench.path(directory).join(partition).exists(), "{partition} is not in {directory}");
        }
        bench
    }

    fn path(&self, directory: &str) -> PathBuf {
        self.home.path().join(directory)
    }

    async fn append(&mut self, partition: usize) -> i16 {
        let value = format!("{}-{partition}", self.sent);
        self.sent += 1;
        let request = produce("t", i32::try_from(partition).unwrap(), batch(&[&value]), -1);
        let answer: ProduceResponse = self.client.ask(ApiKey::Produce, 9, &request).await;
        let told = &answer.responses[0].partition_responses[0];
        if told.error_code == 0 {
            assert_eq!(told.base_offset, self.acknowledged[partition].len() as i64);
            self.acknowledged[partition].push(value);
        }
        told.error_code
    }

    async fn read(&mut self, partition: i32) -> Result<Vec<String>, i16> {
        let request = fetch_of(vec![of_topic("t", vec![from(partition, 0)])], 0);
        let answer: FetchResponse = self.client.ask(ApiKey::Fetch, 12, &request).await;
        let told = &answer.responses[0].partitions[0];
        if told.error_code == 0 { Ok(values(told)) } else { Err(told.error_code) }
    }

    /// Error, end offset, and the leader epoch of the newest records.
    async fn end(&mut self, partition: i32) -> (i16, i64, i32) {
        let asked = ListOffsetsPartition::default().with_partition_index(partition).with_timestamp(-1);
        let topic = ListOffsetsTopic::default().with_name(name("t")).with_partitions(vec![asked]);
        let request = ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(vec![topic]);
        let answer: ListOffsetsResponse = self.client.ask(ApiKey::ListOffsets, 6, &request).await;
        let told = &answer.topics[0].partitions[0];
        (told.error_code, told.offset, told.leader_epoch)
    }

    async fn create(&mut self, topic: &str) -> i16 {
        use create_topics_request::CreatableTopic;
        let topic = CreatableTopic::default()
            .with_name(name(topic))
            .with_num_partitions(1)
            .with_replication_factor(1);
        let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(5000);
        let answer: CreateTopicsResponse = self.client.ask(ApiKey::CreateTopics, 5, &request).await;
        answer.topics[0].error_code
    }

    /// The error of each data directory.
    async fn described(&mut self) -> [i16; 2] {
        let request = DescribeLogDirsRequest::default().with_topics(None);
        let answer: DescribeLogDirsResponse = self.client.ask(ApiKey::DescribeLogDirs, 4, &request).await;
        ["a", "b"].map(|directory| {
            let path = self.path(directory);
            let told = answer.results.iter().find(|told| Path::new(told.log_dir.as_str()) == path);
            told.unwrap().error_code
        })
    }

    async fn until_offline(&mut self) {
        for _ in 0..1500 {
            if self.described().await == [0, STORAGE_ERROR] {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the directory stays in use");
    }

    /// Why the broker cannot go on.
    async fn failed(&self) -> String {
        let failed = tokio::time::timeout(Duration::from_secs(30), self.server.failed());
        failed.await.expect("the broker goes on").to_string()
    }

    async fn is_failed(&self) -> bool {
        tokio::time::timeout(Duration::ZERO, self.server.failed()).await.is_ok()
    }

    async fn restart(self) -> Self {
        let Self { server, disk, home, metadata, .. } = self;
        server.stop().await.unwrap();
        disk.mend();
        let server = start(&disk, home.path(), metadata).await;
        let client = RawClient::connect(server.addresses()[0].1).await;
        Self { server, client, disk, home, ..self }
    }
}

/// Below one of two directories this fails, and `meet` does what meets it.
async fn a_failing_directory_is_offline_alone(fault: Fault, meet: impl AsyncFnOnce(&mut Bench)) {
    let mut bench = Bench::new("a", &[("flush.messages", "1")]).await;
    bench.disk.break_below(bench.path("b"), fault);
    meet(&mut bench).await;
    bench.until_offline().await;
    assert_eq!(bench.append(1).await, STORAGE_ERROR);
    assert_eq!(bench.read(1).await, Err(STORAGE_ERROR));
    assert_eq!(bench.end(1).await.0, STORAGE_ERROR);
    for _ in 0..3 {
        assert_eq!(bench.append(0).await, 0);
    }
    assert_eq!(bench.read(0).await.as_ref(), Ok(&bench.acknowledged[0]));
    assert_eq!(bench.create("new").await, 0);
    assert!(!bench.is_failed().await);
    let mut bench = bench.restart().await;
    assert_eq!(bench.described().await, [0, 0]);
    assert_eq!(bench.read(0).await.as_ref(), Ok(&bench.acknowledged[0]));
    let mut found = bench.read(1).await.unwrap();
    // What was refused may be there all the same: its bytes were written before the sync failed.
    let beyond = found.split_off(bench.acknowledged[1].len());
    assert!(found == bench.acknowledged[1] && beyond.len() <= 1, "{found:?} {beyond:?}");
    let (error, end, _) = bench.end(1).await;
    assert_eq!((error, end), (0, (found.len() + beyond.len()) as i64));
    bench.acknowledged[1].extend(beyond);
    assert_eq!([bench.append(0).await, bench.append(1).await], [0, 0]);
    bench.server.stop().await.unwrap();
}

#[tokio::test]
async fn a_directory_whose_writes_fail_goes_offline_alone_and_comes_back_whole() {
    a_failing_directory_is_offline_alone(Fault::Writes, async |bench| {
        assert_eq!(bench.append(1).await, STORAGE_ERROR);
    })
    .await;
}

#[tokio::test]
async fn a_directory_whose_syncs_fail_goes_offline_alone_and_comes_back_whole() {
    a_failing_directory_is_offline_alone(Fault::Syncs, async |bench| {
        assert_eq!(bench.append(1).await, STORAGE_ERROR);
    })
    .await;
}

#[tokio::test]
async fn a_directory_whose_reads_fail_goes_offline_alone_and_comes_back_whole() {
    a_failing_directory_is_offline_alone(Fault::Reads, async |bench| {
        assert_eq!(bench.read(1).await, Err(STORAGE_ERROR));
    })
    .await;
}

#[tokio::test]
async fn the_broker_ends_when_the_directory_of_the_metadata_fails() {
    for fault in [Fault::Writes, Fault::Syncs, Fault::Reads] {
        let mut bench = Bench::new("a", &[("flush.messages", "1")]).await;
        bench.disk.break_below(bench.path("a"), fault);
        if fault == Fault::Reads {
            assert_eq!(bench.read(0).await, Err(STORAGE_ERROR));
        } else {
            assert_eq!(bench.append(0).await, STORAGE_ERROR);
        }
        let why = bench.failed().await;
        assert!(why.contains("/a, the data directory of the metadata, failed"), "{fault:?}: {why}");
    }
}

#[tokio::test]
async fn the_broker_ends_when_a_directory_that_holds_the_metadata_alone_fails() {
    let mut bench = Bench::new("m", &[]).await;
    bench.disk.break_below(bench.path("m"), Fault::Writes);
    assert_eq!(bench.create("new").await, STORAGE_ERROR);
    let why = bench.failed().await;
    assert!(why.contains("/m, the data directory of the metadata, failed"), "{why}");
}

#[tokio::test]
async fn the_broker_ends_when_its_last_directory_fails() {
    let mut bench = Bench::new("m", &[]).await;
    bench.disk.break_below(bench.path("b"), Fault::Writes);
    assert_eq!(bench.append(1).await, STORAGE_ERROR);
    bench.until_offline().await;
    assert!(!bench.is_failed().await);
    bench.disk.break_below(bench.path("a"), Fault::Writes);
    assert_eq!(bench.append(0).await, STORAGE_ERROR);
    let why = bench.failed().await;
    assert!(why.contains("/a, the last data directory (log.dirs), failed"), "{why}");
}

#[tokio::test]
async fn the_broker_ends_when_the_metadata_log_cannot_be_synced_in_a_directory_that_is_fine() {
    let mut bench = Bench::new("a", &[]).await;
    bench.disk.break_below(bench.path("a").join("__cluster_metadata-0"), Fault::Syncs);
    assert_eq!(bench.create("new").await, STORAGE_ERROR);
    let why = bench.failed().await;
    assert!(why.contains("the metadata log in") && why.contains("nothing can change any more"), "{why}");
}

#[tokio::test]
async fn a_full_directory_is_neither_offline_nor_the_end() {
    let mut bench = Bench::new("a", &[]).await;
    bench.disk.break_below(bench.path("a"), Fault::Room);
    assert_eq!(bench.append(0).await, STORAGE_ERROR);
    assert_eq!(bench.create("new").await, STORAGE_ERROR);
    // Failures are looked at in order: once this one was, those had their turn.
    bench.disk.break_below(bench.path("b"), Fault::Writes);
    assert_eq!(bench.append(1).await, STORAGE_ERROR);
    bench.until_offline().await;
    assert!(!bench.is_failed().await);
    bench.disk.mend();
    assert_eq!([bench.append(0).await, bench.append(1).await], [0, STORAGE_ERROR]);
    assert_eq!(bench.create("new").await, 0);
}

#[tokio::test]
async fn a_log_that_cannot_be_scanned_after_a_kill_is_scanned_later_and_under_a_new_epoch() {
    let mut bench = Bench::new("a", &[]).await;
    assert_eq!([bench.end(0).await.2, bench.end(1).await.2], [0, 0]);
    let Bench { server, disk, home, .. } = bench;
    server.stop().await.unwrap();
    for directory in ["a", "b"] {
        std::fs::remove_file(home.path().join(directory).join(".kafka_cleanshutdown")).unwrap();
    }
    disk.break_below(home.path().join("b/t-1"), Fault::Reads);
    let server = start(&disk, home.path(), "a").await;
    let client = RawClient::connect(server.addresses()[0].1).await;
    let mut bench = Bench { server, client, disk, home, ..bench };
    assert_eq!([bench.append(0).await, bench.append(1).await], [0, STORAGE_ERROR]);
    bench.disk.mend();
    assert_eq!(bench.append(1).await, 0);
    assert_eq!(bench.read(1).await.as_ref(), Ok(&bench.acknowledged[1]));
    assert_eq!([bench.end(0).await.2, bench.end(1).await.2], [1, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_whose_last_directory_is_gone_says_so_and_ends_with_1() {
    let home = tempfile::tempdir().unwrap();
    let (here, away) = (home.path().join("a"), home.path().join("away"));
    let dirs = here.display().to_string();
    let settings = [("log.dirs", dirs.as_str()), ("replica.high.watermark.checkpoint.interval.ms", "200")];
    let (mut broker, lines) = Process::start_listening(&settings);
    let mut client = RawClient::connect(broker.bootstrap().parse().unwrap()).await;
    client.create("t", 1, &[]).await;
    client.send_values("t", 0, &["kept"]).await;
    std::fs::rename(&here, &away).unwrap();
    // The file is still open: what notices is the next checkpoint.
    client.send_values("t", 0, &["kept, too"]).await;
    assert_eq!(broker.ended(), Some(1));
    let said: Vec<String> = lines.iter().filter(|line| line.contains("the broker ENDS")).collect();
    assert!(
        said.len() == 1 && said[0].contains(&dirs) && said[0].contains("of the metadata, failed"),
        "{said:?}"
    );
    std::fs::remove_dir_all(&here).unwrap_or_default();
    std::fs::rename(&away, &here).unwrap();
    broker.start_again();
    let mut client = RawClient::connect(broker.bootstrap().parse().unwrap()).await;
    let answer: FetchResponse =
        client.ask(ApiKey::Fetch, 12, &fetch_of(vec![of_topic("t", vec![from(0, 0)])], 0)).await;
    assert_eq!(values(&answer.responses[0].partitions[0]), ["kept", "kept, too"]);
    assert_eq!(broker.terminate(), Some(0));
}
