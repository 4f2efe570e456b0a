//! The loads against a broker in this process and against the fake one: what their figures rest on.

use std::time::Duration;

use clap::Parser;
use milena::config::Config;
use milena::server::Server;
use tempfile::TempDir;
use tokio::sync::Mutex;

use crate::client::Target;
use crate::flow::{Flow, Outcome, Pace};
use crate::serve::sink::{self, Options};
use crate::{Arguments, Report, run};

const LIMIT: Duration = Duration::from_mins(1);

/// Runs a command line against a broker at this port.
fn load(port: u16, command: &str) -> anyhow::Result<Report> {
    let words = ["load"].into_iter().chain(command.split_whitespace());
    let arguments = Arguments::try_parse_from(words.chain(["--broker", &format!("127.0.0.1:{port}")]))?;
    run(arguments.command, LIMIT)
}

/// The whole number at a key of a report.
fn number(report: &Report, key: &str) -> u64 {
    let text = report.to_string();
    let (_, behind) = text.split_once(&format!("\"{key}\":")).unwrap_or_else(|| panic!("no {key} in {text}"));
    let end = behind.find([',', '}']).unwrap();
    behind[..end].parse().unwrap_or_else(|_| panic!("{key} in {text}"))
}

/// Runs `body` against a broker with an empty data directory.
async fn with_broker<T: Send + 'static>(body: impl FnOnce(u16) -> T + Send + 'static) -> T {
    let directory = TempDir::new().unwrap();
    let settings =
        [("listeners", "PLAINTEXT://127.0.0.1:0"), ("log.dirs", directory.path().to_str().unwrap())];
    let server = Server::start(Config::from_pairs(settings).unwrap()).await.unwrap();
    let port = server.addresses()[0].1.port();
    let result = tokio::task::spawn_blocking(move || body(port)).await.unwrap();
    server.stop().await.unwrap();
    result
}

fn options(command: &str) -> Options {
    #[derive(Parser)]
    struct Alone {
        #[command(flatten)]
        options: Options,
    }
    Alone::try_parse_from(["sink"].into_iter().chain(command.split_whitespace())).unwrap().options
}

/// Held by tests that judge times, and by the one that takes all of the machine meanwhile.
static QUIET: Mutex<()> = Mutex::const_new(());

/// Runs `body` against a fake broker with these options.
async fn with_sink<T: Send + 'static>(command: &str, body: impl FnOnce(u16) -> T + Send + 'static) -> T {
    let _quiet = QUIET.lock().await;
    let port = sink::start(0, options(command)).await.unwrap();
    tokio::task::spawn_blocking(move || body(port)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_raw_loads_are_accepted_by_a_broker() {
    with_broker(|port| {
        let created = load(port, "createmany --topic many --topics 3 --partitions 600").unwrap();
        assert_eq!((number(&created, "partitions"), number(&created, "requests")), (1800, 3));
        let produced = load(port, "roundtrip --topic many-0 --size 1024 --count 20 --warmup 5").unwrap();
        assert_eq!(number(&produced, "count"), 20);
        let acks = load(port, "acks --topic many-1 --connections 7 --partitions 3 --count 100").unwrap();
        assert_eq!(number(&acks, "acknowledgements"), 100);
        let metadata = load(port, "metadata --count 10").unwrap();
        assert_eq!((number(&metadata, "topics"), number(&metadata, "partitions")), (3, 1800));
        let heartbeats = load(port, "heartbeats --members 5 --count 23").unwrap();
        assert_eq!(number(&heartbeats, "count"), 23);
        let seen = load(port, "consume --topic many-1 --records 100").unwrap();
        assert_eq!(number(&seen, "bytes"), 100 * 100, "what was acknowledged is there");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_with_an_error_ends_a_raw_load() {
    with_broker(|port| {
        load(port, "topic create --topic one --partitions 1").unwrap();
        for (command, code) in [
            ("roundtrip --topic absent --count 1", 3),
            ("roundtrip --topic one --partition 1 --count 1", 3),
            ("acks --topic one --connections 2 --partitions 2 --count 10", 3),
            ("createmany --topic ? --topics 1", 17),
        ] {
            let error = load(port, command).err().unwrap_or_else(|| panic!("{command} did not fail"));
            let said = format!("{error}:");
            assert!(said.contains(&format!("was answered with error {code}:")), "{command}: {said}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn librdkafkas_loads_count_what_a_broker_took_and_gave() {
    with_broker(|port| {
        load(port, "topic create --topic one --partitions 3 --config retention.ms=100000").unwrap();
        let sent =
            load(port, "produce --topic one --records 5003 --size 50 --connections 4 --acks all").unwrap();
        assert_eq!((number(&sent, "bytes"), number(&sent, "errors")), (5003 * 50, 0));
        let seen = load(port, "consume --topic one --records 5003 --consumers 2").unwrap();
        assert_eq!((number(&seen, "records"), number(&seen, "bytes")), (10_006, 10_006 * 50));
        let fanned = load(port, "fanout --topic one --consumers 3 --records 1000 --size 100").unwrap();
        assert_eq!(number(&fanned, "delivered_bytes"), 3 * 1000 * 100);
        let group = load(port, "group --topic one --members 2").unwrap();
        assert_eq!(number(&group, "partitions"), 3);
        let commits = load(port, "commits --topic one --count 10").unwrap();
        assert_eq!(number(&commits, "count"), 10);
        load(port, "topic delete --topic one").unwrap();
        assert!(load(port, "consume --topic one --records 1").is_err(), "the topic is gone");
    })
    .await;
}

fn flow(port: u16) -> Flow {
    Flow {
        target: Target { broker: format!("127.0.0.1:{port}"), topic: "flow".to_owned() },
        pace: Pace::PerSecond(500.0),
        size: 100,
        warmup: Duration::ZERO,
        measured: Duration::from_secs(2),
        consumers: 1,
        producer_config: Vec::new(),
        consumer_config: Vec::new(),
    }
}

/// The part of the records that waited at least so long for their acknowledgement.
fn part_above(outcome: &Outcome, latency: Duration) -> f64 {
    (0..1000)
        .find(|mille| outcome.ack.quantile(f64::from(*mille) / 1e3) >= latency)
        .map_or(0.0, |mille| 1.0 - f64::from(mille) / 1e3)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_stalls_shows_in_the_latencies_of_all_records_that_were_due_meanwhile() {
    let outcome = with_sink("--stall-ms 500 --stall-every-ms 1000", |port| flow(port).run().unwrap()).await;
    assert_eq!(
        (outcome.records, outcome.ack.count(), outcome.delivered),
        (1000, 1000, 1000),
        "none is left out"
    );
    // Half of the records are due in a stall, and wait for up to 500 ms.
    let part = part_above(&outcome, Duration::from_millis(200));
    assert!((0.2..0.5).contains(&part), "{part} of the records waited for 200 ms");
    assert!(outcome.delivery.quantile(0.99) >= Duration::from_millis(450));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_that_cannot_send_when_a_record_is_due_makes_latencies_longer_not_records_fewer() {
    let outcome = with_sink("--stall-ms 500 --stall-every-ms 1000", |port| {
        let few = ("queue.buffering.max.messages".to_owned(), "10".to_owned());
        Flow { producer_config: vec![few], ..flow(port) }.run().unwrap()
    })
    .await;
    assert_eq!((outcome.records, outcome.ack.count()), (1000, 1000));
    assert!(outcome.send.quantile(0.99) >= Duration::from_millis(300), "the full queue shows where it hurts");
    let part = part_above(&outcome, Duration::from_millis(200));
    assert!((0.2..0.5).contains(&part), "{part} of the records waited for 200 ms");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_warm_up_counts_in_no_figure() {
    let outcome = with_sink("", |port| {
        let measured = Duration::from_millis(500);
        Flow { warmup: Duration::from_secs(1), measured, ..flow(port) }.run().unwrap()
    })
    .await;
    assert_eq!((outcome.records, outcome.ack.count(), outcome.delivered), (250, 250, 250));
    assert!(outcome.elapsed.wall < Duration::from_secs(1), "{:?}", outcome.elapsed.wall);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fake_broker_serves_one_batch_for_ever() {
    with_sink("--serve --partitions 2 --size 100 --serve-bytes 20000", |port| {
        let seen = load(port, "consume --topic any --records 100000").unwrap();
        assert_eq!(number(&seen, "bytes"), 10_000_000);
    })
    .await;
}

#[test]
fn a_good_client_is_served_during_every_attack_and_nothing_leaks() {
    let _quiet = QUIET.blocking_lock();
    let words =
        "load attack --connections 300 --per-second 200 --seconds 2.4 --memory-mib-max 300".split(' ');
    let arguments = Arguments::try_parse_from(words).unwrap();
    let report = run(arguments.command, LIMIT).unwrap();
    assert_eq!(number(&report, "attacks"), 8);
}
