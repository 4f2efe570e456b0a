//! A disk that is full: every append is refused with KAFKA_STORAGE_ERROR and leaves nothing behind, everything that
//! writes nothing goes on, and all goes on, without a restart, when there is room again. On a storage that has so much
//! room and no more, and on a real file system of a few megabytes where one may be mounted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::*;
use kafka_protocol::protocol::StrBytes;
use milena::config::Config;
use milena::server::Server;
use support::RawClient;
use support::process::Process;
use support::requests::{FETCH, PRODUCE, batch, fetch, name, produce, values};
use support::small_disk::Small;

const KAFKA_STORAGE_ERROR: i16 = 56;
const SETTINGS: [(&str, &str); 3] = [
    ("offsets.topic.num.partitions", "1"),
    ("log.segment.bytes", "1048576"),
    ("log.cleaner.backoff.ms", "50"),
];

/// The answers of a broker whose disk fills up, and what it acknowledged.
struct Filler {
    client: RawClient,
    /// Of topic `t`, in order.
    acknowledged: Vec<String>,
    topics: usize,
}

impl Filler {
    async fn new(client: RawClient) -> Self {
        let mut filler = Self { client, acknowledged: Vec::new(), topics: 0 };
        for topic in ["t", "other"] {
            filler.client.create(topic, 1, &[]).await;
        }
        filler.client.send_values("other", 0, &["kept"]).await;
        let request = FindCoordinatorRequest::default().with_key(StrBytes::from_static_str("g"));
        let _: FindCoordinatorResponse = filler.client.ask(ApiKey::FindCoordinator, 3, &request).await;
        filler.eventually_commits().await;
        filler
    }

    async fn send(&mut self, topic: &str, bytes: usize) -> i16 {
        let value = format!("{}-{}", self.acknowledged.len(), "x".repeat(bytes));
        let request = produce(topic, 0, batch(&[&value]), -1);
        let answer: ProduceResponse = self.client.ask(ApiKey::Produce, PRODUCE, &request).await;
        let partition = &answer.responses[0].partition_responses[0];
        if partition.error_code == 0 && topic == "t" {
            assert_eq!(partition.base_offset, self.acknowledged.len() as i64);
            self.acknowledged.push(value);
        }
        partition.error_code
    }

    /// Sends until not even a small record is taken.
    async fn fill(&mut self) {
        for bytes in [100_000, 10_000, 1000, 100, 1] {
            for sent in 0.. {
                match self.send("t", bytes).await {
                    0 => assert!(sent < 5000, "the disk does not fill"),
                    error => {
                        assert_eq!(error, KAFKA_STORAGE_ERROR);
                        break;
                    }
                }
            }
        }
        for bytes in [100_000, 1, 5000] {
            assert_eq!(self.send("t", bytes).await, KAFKA_STORAGE_ERROR, "{bytes}");
        }
    }

    async fn read(&mut self, topic: &str) -> Vec<String> {
        let mut found = Vec::new();
        loop {
            let request = fetch(topic, found.len() as i64, 0);
            let answer: FetchResponse = self.client.ask(ApiKey::Fetch, FETCH, &request).await;
            let partition = &answer.responses[0].partitions[0];
            assert_eq!(partition.error_code, 0);
            let more = values(partition);
            if more.is_empty() {
                return found;
            }
            found.extend(more);
        }
    }

    async fn check(&mut self) {
        assert!(self.read("t").await == self.acknowledged, "what was acknowledged and nothing else");
        assert_eq!(self.read("other").await[0], "kept");
    }

    async fn commit(&mut self) -> i16 {
        let partition = OffsetCommitRequestPartition::default().with_committed_offset(1);
        let topic =
            OffsetCommitRequestTopic::default().with_name(name("other")).with_partitions(vec![partition]);
        let request = OffsetCommitRequest::default()
            .with_group_id(StrBytes::from_static_str("g").into())
            .with_generation_id_or_member_epoch(-1)
            .with_topics(vec![topic]);
        let answer: OffsetCommitResponse = self.client.ask(ApiKey::OffsetCommit, 8, &request).await;
        answer.topics[0].partitions[0].error_code
    }

    async fn create(&mut self) -> i16 {
        self.topics += 1;
        let topic = CreatableTopic::default()
            .with_name(name(&format!("new-{}", self.topics)))
            .with_num_partitions(1)
            .with_replication_factor(1);
        let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(5000);
        let answer: CreateTopicsResponse = self.client.ask(ApiKey::CreateTopics, 5, &request).await;
        answer.topics[0].error_code
    }

    async fn topics_known(&mut self) -> usize {
        let request = MetadataRequest::default().with_topics(None);
        let answer: MetadataResponse = self.client.ask(ApiKey::Metadata, 9, &request).await;
        answer.topics.iter().filter(|topic| topic.name.as_ref().unwrap().starts_with("new-")).count()
    }

    /// What writes is refused, what reads is answered.
    async fn while_full(&mut self) {
        self.check().await;
        // Where bytes are left in a file's last block, a few small changes still find room.
        let mut created = self.topics;
        while self.create().await == 0 {
            created = self.topics;
            assert!(created < 500, "topics are made on a full disk");
        }
        assert_eq!(self.create().await, KAFKA_STORAGE_ERROR);
        assert_eq!(self.topics_known().await, created);
        self.topics = created;
        let mut commits = 0;
        while self.commit().await == 0 {
            commits += 1;
            assert!(commits < 500, "commits are taken on a full disk");
        }
        // A client looks for the coordinator again, or waits while it loads, and tries once more.
        let error = self.commit().await;
        assert!([14, 15, 16].contains(&error), "{error}");
        self.check().await;
    }

    async fn eventually_commits(&mut self) {
        for _ in 0..200 {
            if self.commit().await == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("commits are refused");
    }

    /// Everything goes on.
    async fn with_room(&mut self) {
        assert_eq!(self.send("t", 100_000).await, 0);
        assert_eq!(self.send("other", 10).await, 0);
        assert_eq!(self.create().await, 0);
        self.eventually_commits().await;
        assert_eq!(self.topics_known().await, self.topics);
        self.check().await;
    }

    async fn committed(&mut self) -> i64 {
        use offset_fetch_request::OffsetFetchRequestTopic;
        let topic =
            OffsetFetchRequestTopic::default().with_name(name("other")).with_partition_indexes(vec![0]);
        let request = OffsetFetchRequest::default()
            .with_group_id(StrBytes::from_static_str("g").into())
            .with_topics(Some(vec![topic]));
        let answer: OffsetFetchResponse = self.client.ask(ApiKey::OffsetFetch, 7, &request).await;
        answer.topics[0].partitions[0].committed_offset
    }

    /// After a restart, through another connection.
    async fn again(&mut self, client: RawClient) {
        self.client = client;
        self.check().await;
        assert_eq!(self.topics_known().await, self.topics);
        self.eventually_commits().await;
        assert_eq!(self.committed().await, 1);
        assert_eq!(self.send("t", 10).await, 0);
    }
}

#[tokio::test]
async fn a_full_disk_refuses_what_writes_and_everything_goes_on_when_there_is_room() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    let small = Small::new(3_500_000);
    let config = || {
        let mut pairs = vec![("listeners", "PLAINTEXT://127.0.0.1:0"), ("log.dirs", path)];
        pairs.extend_from_slice(&SETTINGS);
        Config::from_pairs(pairs).unwrap()
    };
    let start = || Server::start_on(config(), small.storage());
    let mut server = start().await.unwrap();
    let mut filler = Filler::new(RawClient::connect(server.addresses()[0].1).await).await;
    for stop_while_full in [false, true] {
        filler.fill().await;
        filler.while_full().await;
        if !stop_while_full {
            small.room.fetch_add(1_500_000, Ordering::SeqCst);
            filler.with_room().await;
        }
        // A stop that cannot write is one that is not clean.
        assert_eq!(server.stop().await.is_ok(), !stop_while_full);
        small.room.store(0, Ordering::SeqCst);
        // After a clean stop nothing has to be written. After another one leader epochs have to be raised, and a start of
        // Kafka's ends, too.
        match (start().await, stop_while_full) {
            (Ok(server), false) => {
                filler.client = RawClient::connect(server.addresses()[0].1).await;
                filler.check().await;
                assert_eq!(filler.send("t", 1).await, KAFKA_STORAGE_ERROR);
                assert!(server.stop().await.is_err());
            }
            (Err(error), true) => {
                let said = format!("{error:#}");
                assert!(said.contains("leader epochs") && said.contains("no storage space"), "{said}");
            }
            (other, _) => panic!("{:?}", other.map(drop)),
        }
        small.room.fetch_add(1_500_000, Ordering::SeqCst);
        server = start().await.unwrap();
        filler.again(RawClient::connect(server.addresses()[0].1).await).await;
    }
    server.stop().await.unwrap();
}

/// What is logged, by whichever thread.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_full_disk_is_not_a_line_for_each_append_that_it_refuses() {
    let lines = Lines::default();
    let writer = lines.clone();
    tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).init();
    let directory = tempfile::tempdir().unwrap();
    let small = Small::new(1_000_000);
    let pairs = [("listeners", "PLAINTEXT://127.0.0.1:0"), ("log.dirs", directory.path().to_str().unwrap())];
    let server = Server::start_on(Config::from_pairs(pairs).unwrap(), small.storage()).await.unwrap();
    let mut filler = Filler::new(RawClient::connect(server.addresses()[0].1).await).await;
    filler.client.create("flood", 1, &[]).await;
    small.room.store(0, Ordering::SeqCst);
    for _ in 0..100 {
        assert_eq!(filler.send("flood", 10).await, KAFKA_STORAGE_ERROR);
    }
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let about: Vec<_> = text.lines().filter(|line| line.contains("flood-0")).collect();
    assert!(!about.is_empty() && about.len() < 5, "{about:#?}");
    assert!(about.iter().any(|line| line.contains(directory.path().to_str().unwrap())), "{about:#?}");
    small.room.store(1_000_000, Ordering::SeqCst);
    server.stop().await.unwrap();
}

/// A file system in memory on a directory.
struct Mounted(std::path::PathBuf);

impl Mounted {
    fn on(path: &Path, size: &str) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(path);
        mount.output().is_ok_and(|output| output.status.success()).then(|| Self(path.to_path_buf()))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
        let _ = std::fs::remove_dir(&self.0);
    }
}

#[tokio::test]
async fn a_file_system_that_is_really_full_is_survived_with_and_without_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_path_buf();
    let Some(mounted) = Mounted::on(&path, "6m") else {
        eprintln!("skipped: no file system can be mounted here");
        return;
    };
    let ballast = || std::fs::write(path.join("ballast"), vec![1; 1_000_000]).unwrap();
    ballast();
    let mut broker = Process::start_in(directory, &SETTINGS);
    let connect = |broker: &Process| RawClient::connect(broker.bootstrap().parse().unwrap());
    let mut filler = Filler::new(connect(&broker).await).await;
    filler.fill().await;
    filler.while_full().await;
    std::fs::remove_file(path.join("ballast")).unwrap();
    filler.with_room().await;
    assert_eq!(broker.terminate(), Some(0));
    broker.start_again();
    filler.again(connect(&broker).await).await;
    std::fs::write(path.join("ballast"), vec![1; 300_000]).unwrap();
    filler.fill().await;
    filler.while_full().await;
    broker.kill();
    // Whether there is room for what a start has to write depends on what is left in the last block of a file.
    match broker.try_start_again() {
        Ok(()) => {
            filler.client = connect(&broker).await;
            filler.check().await;
            broker.kill();
        }
        Err(said) => assert!(said.lines().count() == 1 && said.contains("No space left on device"), "{said}"),
    }
    std::fs::remove_file(path.join("ballast")).unwrap();
    broker.start_again();
    filler.again(connect(&broker).await).await;
    drop(filler);
    drop(broker);
    drop(mounted);
}
