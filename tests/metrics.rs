//! The endpoint for Prometheus: what it tells, that it is off unless asked for, and that hostile clients there hurt
//! nobody. And what a failed sync means, which it tells, too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use kafka_protocol::messages::*;
use milena::config::Config;
use milena::server::Server;
use support::requests::{FETCH, PRODUCE, batch, fetch, produce, values};
use support::small_disk::Small;
use support::{RawClient, TestBroker};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const KAFKA_STORAGE_ERROR: i16 = 56;
const ON: (&str, &str) = ("milena.metrics.address", "127.0.0.1:0");

async fn ask(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // Who says too much is answered before all of it is read.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    let _ = tokio::time::timeout(Duration::from_secs(20), read).await.expect("an answer in time");
    String::from_utf8(answer).unwrap()
}

/// The numbers by name and labels.
async fn scrape(server: &Server) -> BTreeMap<String, i64> {
    let answer = ask(server.metrics_address().unwrap(), b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\nContent-Type: application/openmetrics-text;"), "{head}");
    assert!(body.ends_with("# EOF\n"), "{body}");
    let numbers = body.lines().filter(|line| !line.starts_with('#'));
    numbers
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

#[tokio::test]
async fn the_endpoint_is_off_unless_its_address_is_given() {
    let broker = TestBroker::start().await;
    assert_eq!(broker.server.metrics_address(), None);
}

#[tokio::test]
async fn what_clients_do_is_counted() {
    let broker = TestBroker::start_with(&[ON]).await;
    let before = scrape(&broker.server).await;
    assert_eq!(before["milena_connections_open"], 0);
    assert_eq!(before[&format!("milena_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"))], 1);
    let mut client = broker.connect().await;
    client.create("t", 1, &[]).await;
    client.send_values("t", 0, &["x".repeat(10_000).as_str()]).await;
    let _: FetchResponse = client.ask(ApiKey::Fetch, FETCH, &fetch("t", 0, 0)).await;
    let mut stranger = broker.connect().await;
    stranger.send(b"GET / HTTP/1.1\r\n\r\n").await;
    assert!(stranger.read_frame().await.is_none());
    let after = scrape(&broker.server).await;
    for (name, expected) in [
        ("milena_connections_open", 1),
        ("milena_requests_total{api=\"Produce\"}", 1),
        ("milena_requests_total{api=\"Fetch\"}", 1),
        ("milena_requests_total{api=\"JoinGroup\"}", 0),
        ("milena_connections_refused_total{reason=\"http\"}", 1),
        ("milena_connections_refused_total{reason=\"tls\"}", 0),
        ("milena_log_fsync_failures_total", 0),
        ("milena_log_write_failures_total", 0),
        ("milena_logs_poisoned", 0),
        ("milena_log_directories_offline", 0),
    ] {
        assert_eq!(after[name], expected, "{name}");
    }
    for name in ["milena_received_bytes_total", "milena_sent_bytes_total"] {
        assert!((10_000..20_000).contains(&after[name]), "{name}: {}", after[name]);
    }
    assert!(after.contains_key("milena_request_memory_bytes") && after.contains_key("milena_uptime_seconds"));
}

#[tokio::test]
async fn other_requests_are_refused_and_silent_clients_hurt_nobody() {
    let broker = TestBroker::start_with(&[ON]).await;
    let address = broker.server.metrics_address().unwrap();
    let endless = [&b"GET /metrics HTTP/1.1\r\nx: "[..], &vec![b'x'; 100_000]].concat();
    let many = format!("GET /metrics HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(100));
    for (request, status) in [
        (&b"POST /metrics HTTP/1.1\r\n\r\n"[..], "405"),
        (b"GET / HTTP/1.1\r\n\r\n", "404"),
        (b"\x16\x03\x01\x02\x00", "400"),
        (many.as_bytes(), "431"),
    ] {
        let answer = ask(address, request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
    let answer = ask(address, &endless).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    let mut silent = Vec::new();
    for _ in 0..60 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let mut client = broker.connect().await;
    client.create("t", 1, &[]).await;
    assert_eq!(client.send_values("t", 0, &["good"]).await, 0);
    assert!(!scrape(&broker.server).await.is_empty());
    tokio::time::timeout(Duration::from_secs(10), broker.server.stop()).await.expect("a stop").unwrap();
}

async fn send(client: &mut RawClient, topic: &str) -> i16 {
    let request = produce(topic, 0, batch(&["value"]), -1);
    let answer: ProduceResponse = client.ask(ApiKey::Produce, PRODUCE, &request).await;
    answer.responses[0].partition_responses[0].error_code
}

#[tokio::test]
async fn a_failed_sync_ends_its_partition_alone_and_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    let disk = Small::new(i64::MAX);
    let start = || {
        let pairs = [("listeners", "PLAINTEXT://127.0.0.1:0"), ("log.dirs", path), ON];
        Server::start_on(Config::from_pairs(pairs).unwrap(), disk.storage())
    };
    let server = start().await.unwrap();
    let mut client = RawClient::connect(server.addresses()[0].1).await;
    for topic in ["bad", "good"] {
        client.create(topic, 1, &[("flush.messages", "1")]).await;
        assert_eq!(send(&mut client, topic).await, 0);
    }
    *disk.broken.lock().unwrap() = Some(directory.path().join("bad-0"));
    assert_eq!(send(&mut client, "bad").await, KAFKA_STORAGE_ERROR);
    // The next sync would succeed, without the bytes that are lost.
    *disk.broken.lock().unwrap() = None;
    assert_eq!(send(&mut client, "bad").await, KAFKA_STORAGE_ERROR);
    assert_eq!(send(&mut client, "good").await, 0);
    let numbers = scrape(&server).await;
    assert_eq!(numbers["milena_log_fsync_failures_total"], 1);
    assert_eq!(numbers["milena_logs_poisoned"], 1);
    let answer: FetchResponse = client.ask(ApiKey::Fetch, FETCH, &fetch("bad", 0, 0)).await;
    assert_eq!(values(&answer.responses[0].partitions[0]), ["value"], "what was acknowledged, no more");
    let _ = server.stop().await;
    let server = start().await.unwrap();
    let mut client = RawClient::connect(server.addresses()[0].1).await;
    assert_eq!(send(&mut client, "bad").await, 0);
    assert_eq!(scrape(&server).await["milena_logs_poisoned"], 0);
    server.stop().await.unwrap();
}
