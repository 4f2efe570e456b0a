//! Limits of what one client, or many, may take from the others: each is filled here. docs/reliability.md lists them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::sync::mpsc::Receiver;
use std::time::Duration;

use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestTopic;
use kafka_protocol::messages::*;
use kafka_protocol::protocol::StrBytes;
use milena::broker::fetch_sessions::{Begin, TopicKey, Wanted};
use milena::limits::FETCH_PARTITIONS_MAX;
use milena::types::{ErrorCode, Now};
use support::process::Process;
use support::requests::{FETCH, PRODUCE, batch, fetch_of, from, name, of_topic, produce};
use support::{RawClient, TestBroker};
use tokio::io::AsyncReadExt;
use tokio::time::Instant;

/// The header of Produce 9 without a client id.
const PRODUCE_HEADER: [u8; 11] = [0, 0, 0, 9, 0, 0, 0, 1, 255, 255, 0];
const WAIT: Duration = Duration::from_secs(10);

async fn connect(broker: &Process) -> RawClient {
    RawClient::connect(broker.bootstrap().parse().unwrap()).await
}

/// Waits for the end of a connection that the broker closes without an answer.
async fn is_closed(client: &mut RawClient) -> bool {
    let read = tokio::time::timeout(WAIT, client.stream.read_u8()).await;
    matches!(read, Ok(Err(_)))
}

/// What was logged up to the line with this text, which is awaited.
fn lines_to(lines: &Receiver<String>, last: &str) -> Vec<String> {
    let mut found = Vec::new();
    while found.last().is_none_or(|line: &String| !line.contains(last)) {
        found.push(lines.recv_timeout(WAIT).expect(last));
    }
    found
}

#[tokio::test]
async fn who_speaks_http_or_tls_is_told_so_in_one_line_and_others_are_served() {
    let (mut broker, lines) = Process::start_listening(&[]);
    let mut good = connect(&broker).await;
    good.create("t", 1, &[]).await;
    let http = b"GET /topics HTTP/1.1\r\nHost: localhost\r\n\r\n".as_slice();
    let tls = [&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3][..], &[7; 500]].concat();
    for _ in 0..40 {
        for foreign in [http, &tls, &[7; 300]] {
            let mut client = connect(&broker).await;
            client.send(foreign).await;
            assert!(is_closed(&mut client).await);
        }
    }
    good.send_values("t", 0, &["still here"]).await;
    broker.terminate();
    let said = lines_to(&lines, "stopped");
    for word in ["speaks HTTP", "TLS handshake", "unknown API key"] {
        assert_eq!(said.iter().filter(|line| line.contains(word)).count(), 1, "{word}: {said:#?}");
    }
}

#[tokio::test]
async fn a_first_request_that_is_none_is_refused_before_it_has_arrived() {
    let broker = TestBroker::start().await;
    for header in [[0, 99, 0, 0], [0, 3, 0, 77], [b'x'; 4]] {
        let mut client = broker.connect().await;
        client.send(&50_000_000_i32.to_be_bytes()).await;
        client.send(&header).await;
        assert!(is_closed(&mut client).await, "{header:?}");
    }
}

#[tokio::test]
async fn a_first_request_has_64_kib_to_show_its_header() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    client.send(&50_000_000_i32.to_be_bytes()).await;
    // One tagged field in the header, of 2 MB.
    client.send(&PRODUCE_HEADER[..10]).await;
    client.send(&[1, 9, 0x80, 0x80, 0x80, 1]).await;
    client.send(&vec![0; 60_000]).await;
    let quiet = tokio::time::timeout(Duration::from_millis(300), client.stream.read_u8()).await;
    assert!(quiet.is_err(), "64 KiB are allowed");
    client.send(&vec![0; 10_000]).await;
    assert!(is_closed(&mut client).await);
}

#[tokio::test]
async fn a_first_request_may_be_large_when_it_is_one() {
    let broker = TestBroker::start().await;
    broker.connect().await.create("t", 1, &[]).await;
    let mut client = broker.connect().await;
    client.send_values("t", 0, &["x".repeat(900_000).as_str()]).await;
}

#[tokio::test(start_paused = true)]
async fn a_request_that_comes_byte_by_byte_is_given_up_and_a_large_one_on_a_slow_line_is_not() {
    let broker = TestBroker::start().await;
    let [mut loris, mut slow] = [broker.connect().await, broker.connect().await];
    for client in [&mut loris, &mut slow] {
        client.send(&1_000_000_i32.to_be_bytes()).await;
        client.send(&PRODUCE_HEADER).await;
    }
    let mut seconds = 0;
    loop {
        // The clock is virtual: it jumps when nothing else is to be done.
        let byte = tokio::time::timeout(Duration::from_secs(1), loris.stream.read_u8()).await;
        if byte.is_ok() {
            break;
        }
        loris.send(&[0]).await;
        slow.send(&[0; 4_000]).await;
        seconds += 1;
        assert!(seconds < 60, "it is never given up");
    }
    assert!(seconds >= 28, "{seconds}");
    for _ in 0..60 {
        slow.send(&[0; 4_000]).await;
        let closed = tokio::time::timeout(Duration::from_secs(1), slow.stream.read_u8()).await;
        assert!(closed.is_err(), "a slow line is slow");
    }
}

#[tokio::test]
async fn requests_that_hold_memory_for_which_others_wait_have_to_get_on() {
    let broker = TestBroker::start_with(&[
        ("socket.request.max.bytes", "2000000"),
        ("queued.max.request.bytes", "2000000"),
    ])
    .await;
    let mut good = broker.connect().await;
    good.create("t", 1, &[]).await;
    // Who has delivered a large request does not wait behind those who have not.
    good.send_values("t", 0, &["x".repeat(500_000).as_str()]).await;
    let mut hoarders = Vec::new();
    for _ in 0..10 {
        let mut client = broker.connect().await;
        client.send(&1_000_000_i32.to_be_bytes()).await;
        client.send(&PRODUCE_HEADER).await;
        client.send(&vec![0; 20_000]).await;
        hoarders.push(client);
    }
    let begin = Instant::now();
    good.send_values("t", 0, &["small"]).await;
    assert!(begin.elapsed() < Duration::from_secs(2), "a small request needs no memory that is shared");
    good.send_values("t", 0, &["x".repeat(500_000).as_str()]).await;
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    assert!(is_closed(&mut hoarders[0]).await);
}

/// A request of so many bytes that is answered with little: what stands behind it is not looked at.
fn padded(client: &mut RawClient, bytes: usize) -> Vec<u8> {
    let asked = MetadataRequest::default().with_topics(Some(Vec::new()));
    let (frame, _) = client.frame(ApiKey::Metadata, 9, &asked);
    let padding = vec![0; bytes - frame.len()];
    [&(bytes as i32 - 4).to_be_bytes()[..], &frame[4..], &padding].concat()
}

/// A broker whose requests have 2 MB of memory, and a client that proved to send 700 KB at once.
async fn short_of_memory() -> (TestBroker, RawClient) {
    let limits = [("socket.request.max.bytes", "2000000"), ("queued.max.request.bytes", "2000000")];
    let broker = TestBroker::start_with(&limits).await;
    let mut good = broker.connect().await;
    good.create("t", 1, &[]).await;
    good.create("quiet", 1, &[]).await;
    good.send_values("t", 0, &["x".repeat(700_000).as_str()]).await;
    (broker, good)
}

/// That the client may send 700 KB soon, whatever others do.
async fn is_served_soon(good: &mut RawClient) {
    let begin = Instant::now();
    good.send_values("t", 0, &["x".repeat(700_000).as_str()]).await;
    assert!(begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn requests_behind_answers_that_do_not_come_keep_no_memory_for_which_others_wait() {
    let (broker, mut good) = short_of_memory().await;
    let mut hoarders = Vec::new();
    for _ in 0..12 {
        let mut client = broker.connect().await;
        // After this the broker reads far ahead.
        let first = padded(&mut client, 900_000);
        client.send(&first).await;
        client.read_frame().await;
        let wait = fetch_of(vec![of_topic("quiet", vec![from(0, 0)])], i32::MAX);
        let (waits, _) = client.frame(ApiKey::Fetch, FETCH, &wait);
        let (asks, _) = client.frame(ApiKey::Metadata, 9, &MetadataRequest::default());
        client.send(&[waits.repeat(10), asks.repeat(400_000 / asks.len())].concat()).await;
        hoarders.push(client);
    }
    is_served_soon(&mut good).await;
}

#[tokio::test]
async fn who_delivered_little_is_not_trusted_with_much() {
    let (broker, mut good) = short_of_memory().await;
    let mut hoarders = Vec::new();
    for _ in 0..12 {
        let mut client = broker.connect().await;
        let first = padded(&mut client, 6_000);
        client.send(&first).await;
        client.read_frame().await;
        let large = padded(&mut client, 1_100_000);
        client.send(&large[..20_000]).await;
        hoarders.push(client);
    }
    let begin = Instant::now();
    is_served_soon(&mut good).await;
    assert!(begin.elapsed() < Duration::from_millis(1_500), "there is memory left: {:?}", begin.elapsed());
}

/// Bytes of memory that are resident.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    resident.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[tokio::test]
async fn clients_that_take_no_answers_are_given_up_when_memory_is_short_and_others_are_served() {
    let (broker, lines) = Process::start_listening(&[]);
    let mut good = connect(&broker).await;
    good.create("t", 1, &[]).await;
    good.create("many", 2_000, &[]).await;
    // A few bytes of request for much of an answer.
    let asked = MetadataRequest::default()
        .with_topics(Some(vec![MetadataRequestTopic::default().with_name(Some(name("many")))]));
    let mut hoarders = Vec::new();
    for _ in 0..60 {
        let mut client = connect(&broker).await;
        let (frame, _) = client.frame(ApiKey::Metadata, 9, &asked);
        client.send(&frame.repeat(1_000)).await;
        hoarders.push(client);
    }
    let begin = Instant::now();
    let mut most = 0;
    let mut given_up = false;
    while !given_up {
        assert!(begin.elapsed() < Duration::from_mins(1), "nobody is given up, {} MiB", most >> 20);
        good.send_values("t", 0, &["small"]).await;
        most = most.max(resident(broker.pid()));
        given_up = lines.try_iter().any(|line| line.contains("memory for answers is short"));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(most < 350 << 20, "{} MiB", most >> 20);
    let request = produce("t", 0, batch(&["last"]), -1);
    let answer: ProduceResponse = good.ask(ApiKey::Produce, PRODUCE, &request).await;
    assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
}

#[tokio::test]
async fn answers_that_may_be_large_are_not_made_while_those_that_are_there_are_not_taken() {
    let broker = TestBroker::start().await;
    let mut good = broker.connect().await;
    good.create("t", 1, &[]).await;
    let find = FindCoordinatorRequest::default().with_key("g".into());
    good.ask::<_, FindCoordinatorResponse>(ApiKey::FindCoordinator, 1, &find).await;
    let committed =
        OffsetCommitRequestPartition::default().with_committed_metadata(Some("m".repeat(400).into()));
    let topic = OffsetCommitRequestTopic::default().with_name(name("t")).with_partitions(vec![committed]);
    let commit = OffsetCommitRequest::default()
        .with_group_id(StrBytes::from_static_str("g").into())
        .with_generation_id_or_member_epoch(-1)
        .with_topics(vec![topic]);
    good.ask::<_, OffsetCommitResponse>(ApiKey::OffsetCommit, 8, &commit).await;
    // A request of 400 KB for an answer of 42 MB.
    let again =
        OffsetFetchRequestTopic::default().with_name(name("t")).with_partition_indexes(vec![0; 100_000]);
    let asked = OffsetFetchRequest::default()
        .with_group_id(StrBytes::from_static_str("g").into())
        .with_topics(Some(vec![again]));
    let mut hoarders = Vec::new();
    for _ in 0..4 {
        let mut client = broker.connect().await;
        let (frame, _) = client.frame(ApiKey::OffsetFetch, 7, &asked);
        client.send(&frame).await;
        tokio::time::timeout(WAIT, client.stream.readable()).await.unwrap().unwrap();
        hoarders.push(client);
    }
    let mut other = broker.connect().await;
    let (frame, _) = other.frame(ApiKey::ListGroups, 4, &ListGroupsRequest::default());
    other.send(&frame).await;
    good.send_values("t", 0, &["small"]).await;
    good.ask::<_, MetadataResponse>(ApiKey::Metadata, 9, &MetadataRequest::default()).await;
    let told = tokio::time::timeout(Duration::from_millis(300), other.stream.readable()).await;
    assert!(told.is_err(), "it is answered while nobody takes 160 MB of answers");
    assert!(tokio::time::timeout(WAIT, other.read_frame()).await.unwrap().is_some());
}

#[tokio::test]
async fn connections_leave_files_to_logs_however_many_come() {
    let broker = Process::start_with_open_files(256, &[]);
    let mut good = connect(&broker).await;
    let mut crowd = Vec::new();
    for _ in 0..400 {
        // Those that are not accepted wait in the system's queue.
        crowd.push(connect(&broker).await);
    }
    good.create("t", 20, &[]).await;
    for partition in 0..20 {
        good.send_values("t", partition, &["still here"]).await;
    }
    drop(crowd);
    connect(&broker).await.send_values("t", 0, &["and others"]).await;
}

/// A Fetch of these partitions of a topic, in the session with this id and epoch, that may wait for long.
fn fetch_in(partitions: std::ops::Range<i32>, session: (i32, i32)) -> FetchRequest {
    let many = partitions.map(|partition| from(partition, 0)).collect();
    let mut request = fetch_of(vec![of_topic("t", many)], 15_000);
    (request.session_id, request.session_epoch) = session;
    request
}

#[tokio::test]
async fn fetch_sessions_have_so_many_partitions_together_and_then_there_are_no_more() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    client.create("t", 20, &[]).await;
    let mut first = fetch_in(0..2, (0, 0));
    first.max_wait_ms = 0;
    let session = client.ask::<_, FetchResponse>(ApiKey::Fetch, FETCH, &first).await.session_id;
    assert_ne!(session, 0);
    let sessions = &broker.server.broker().fetch_sessions;
    let Ok(Begin::Full(large)) = sessions.begin((0, 0), false, || 7, Now::default()) else {
        panic!("refused")
    };
    let wanted = Wanted { offset: 0, bytes_max: 1, current_leader_epoch: -1, last_fetched_epoch: -1 };
    for partition in 0..=FETCH_PARTITIONS_MAX as i32 {
        large.state().want(TopicKey::Name("none".into()), partition, wanted.clone());
    }
    let begin = Instant::now();
    // Without a session what is waited for would have to be kept, too.
    let answer: FetchResponse = client.ask(ApiKey::Fetch, FETCH, &fetch_in(0..20, (0, 0))).await;
    assert_eq!(answer.session_id, 0);
    assert!(begin.elapsed() < Duration::from_secs(10), "it waited for {:?}", begin.elapsed());
    let grown = fetch_in(2..3, (session, 1));
    let answer: FetchResponse = client.ask(ApiKey::Fetch, FETCH, &grown).await;
    assert_eq!(answer.error_code, ErrorCode::FetchSessionIdNotFound.code());
}
