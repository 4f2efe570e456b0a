//! Several listeners on real sockets: each client is told the address of the listener that it came in through.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use kafka_protocol::messages::{
    ApiKey, DescribeClusterRequest, DescribeClusterResponse, FindCoordinatorRequest, FindCoordinatorResponse,
    MetadataRequest, MetadataResponse,
};
use kafka_protocol::protocol::StrBytes;
use support::process::Process;
use support::{RawClient, TestBroker};

/// Host and port as each API tells them to a client that connects to `address`; they have to agree. With the rack.
async fn told(address: SocketAddr) -> (String, i32, Option<String>) {
    let mut client = RawClient::connect(address).await;
    let metadata: MetadataResponse = client.ask(ApiKey::Metadata, 12, &MetadataRequest::default()).await;
    let cluster: DescribeClusterResponse = client
        .ask(ApiKey::DescribeCluster, 1, &DescribeClusterRequest::default().with_endpoint_type(1))
        .await;
    let find =
        FindCoordinatorRequest::default().with_coordinator_keys(vec![StrBytes::from_static_str("group")]);
    let found: FindCoordinatorResponse = client.ask(ApiKey::FindCoordinator, 4, &find).await;
    let text = |text: &StrBytes| text.to_string();
    let broker = &metadata.brokers[0];
    let answers = [
        (text(&broker.host), broker.port, broker.rack.as_ref().map(text)),
        (text(&cluster.brokers[0].host), cluster.brokers[0].port, cluster.brokers[0].rack.as_ref().map(text)),
        (text(&found.coordinators[0].host), found.coordinators[0].port, answers_rack(&metadata)),
    ];
    assert_eq!((metadata.brokers.len(), cluster.brokers.len()), (1, 1));
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    answers[0].clone()
}

/// FindCoordinator names no rack.
fn answers_rack(metadata: &MetadataResponse) -> Option<String> {
    metadata.brokers[0].rack.as_ref().map(ToString::to_string)
}

fn port(broker: &TestBroker, name: &str) -> u16 {
    let addresses = broker.server.addresses();
    addresses.iter().find(|(known, _)| &**known == name).unwrap().1.port()
}

#[tokio::test]
async fn a_client_is_told_the_address_of_the_listener_that_it_came_in_through() {
    let broker = TestBroker::start_with(&[
        ("listeners", "INSIDE://127.0.0.1:0,outside://127.0.0.1:0,MAPPED://127.0.0.1:0,PLAIN://127.0.0.1:0"),
        (
            "listener.security.protocol.map",
            "INSIDE:PLAINTEXT,OUTSIDE:PLAINTEXT,MAPPED:plaintext,PLAIN:PLAINTEXT",
        ),
        ("advertised.listeners", "OUTSIDE://kafka.example.com:19092,INSIDE://inside:0,MAPPED://:29092"),
        ("inter.broker.listener.name", "INSIDE"),
        ("broker.rack", "rack-1"),
    ])
    .await;
    let rack = Some("rack-1".to_owned());
    let expected = [
        ("INSIDE", "inside", port(&broker, "INSIDE")),
        ("OUTSIDE", "kafka.example.com", 19092),
        ("MAPPED", "127.0.0.1", 29092),
        ("PLAIN", "127.0.0.1", port(&broker, "PLAIN")),
    ];
    for (name, host, told_port) in expected {
        let address = SocketAddr::from(([127, 0, 0, 1], port(&broker, name)));
        assert_eq!(told(address).await, (host.to_owned(), i32::from(told_port), rack.clone()), "{name}");
    }
}

#[tokio::test]
async fn ipv6_addresses_and_host_names_are_served_and_advertised() {
    let broker = TestBroker::start_with(&[
        ("listeners", "SIX://[::1]:0,NAMED://localhost:0,ALL://:0,ADVERTISED://[::1]:0"),
        (
            "listener.security.protocol.map",
            "SIX:PLAINTEXT,NAMED:PLAINTEXT,ALL:PLAINTEXT,ADVERTISED:PLAINTEXT",
        ),
        ("advertised.listeners", "ADVERTISED://[2001:db8::7]:0"),
    ])
    .await;
    let on =
        |host: &str, name: &str| format!("{host}:{}", port(&broker, name)).parse::<SocketAddr>().unwrap();
    let expect = |host: &str, name: &str| (host.to_owned(), i32::from(port(&broker, name)), None);
    assert_eq!(told(on("[::1]", "SIX")).await, expect("::1", "SIX"));
    assert_eq!(told(on("[::1]", "ALL")).await, expect("::1", "ALL"));
    assert_eq!(told(on("127.0.0.1", "ALL")).await, expect("127.0.0.1", "ALL"), "not ::ffff:127.0.0.1");
    assert_eq!(told(on("[::1]", "ADVERTISED")).await, expect("2001:db8::7", "ADVERTISED"));
    let (_, named) = broker.server.addresses().iter().find(|(name, _)| &**name == "NAMED").unwrap().clone();
    assert!(named.ip().is_loopback());
    assert_eq!(told(named).await, expect(&named.ip().to_string(), "NAMED"));
}

#[test]
fn the_start_line_tells_the_free_port_that_was_taken() {
    let directory = tempfile::tempdir().unwrap();
    let mut broker = Command::new(env!("CARGO_BIN_EXE_milena"))
        .args(["--override", "listeners=A://127.0.0.1:0,B://127.0.0.1:0"])
        .args(["--override", "listener.security.protocol.map=A:PLAINTEXT,B:PLAINTEXT"])
        .args(["--override", "advertised.listeners=B://[2001:db8::7]:0"])
        .args(["--override", &format!("log.dirs={}", directory.path().display())])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(broker.stdout.take().unwrap()).lines();
    let line = lines.map(Result::unwrap).find(|line| line.contains(" listens on ")).unwrap();
    let after = |mark: &str| line.split(mark).nth(1).unwrap().split([',', ' ']).next().unwrap().to_owned();
    let (first, second) = (after(" A://"), after(" B://"));
    let check = Command::new(env!("CARGO_BIN_EXE_milena")).arg("check").arg(&first).output().unwrap();
    let second_port = second.rsplit(':').next().unwrap();
    broker.kill().unwrap();
    broker.wait().unwrap();
    assert!(check.status.success(), "{line}");
    assert_ne!(first, second);
    assert!(line.contains(&format!("(advertised as [2001:db8::7]:{second_port})")), "{line}");
}

#[test]
fn listeners_that_cannot_be_are_refused_in_a_sentence_that_says_why() {
    const MAP: (&str, &str) = ("listener.security.protocol.map", "A:PLAINTEXT,B:PLAINTEXT,C:SSL");
    let cases: [(&[(&str, &str)], &str); 9] = [
        (&[("listeners", "A://127.0.0.1:21,B://127.0.0.1:21"), MAP], "the port 21 is used twice"),
        (&[("listeners", "A://127.0.0.1:0,A://[::1]:0"), MAP], "the name A is used twice"),
        (&[("listeners", "D://127.0.0.1:0"), MAP], "D needs its protocol in listener.security.protocol.map"),
        (&[("listeners", "C://127.0.0.1:0"), MAP], "the protocol SSL is not served; PLAINTEXT is"),
        (&[("listeners", "SASL_PLAINTEXT://127.0.0.1:0")], "the protocol SASL_PLAINTEXT is not served"),
        (&[("advertised.listeners", "PLAINTEXT://0.0.0.0:9092")], "must name a host that clients can reach"),
        (&[("advertised.listeners", "OTHER://a:9092")], "must use the names of listeners"),
        (&[("listeners", "127.0.0.1:9092")], "must be a list of NAME://host:port"),
        (&[("inter.broker.listener.name", "B")], "must be the name of a listener"),
    ];
    for (settings, why) in cases {
        let said = Process::fail(settings);
        assert!(said.starts_with("milena: Invalid value ") && said.contains(why), "{settings:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[tokio::test]
async fn a_port_in_use_is_named_and_ends_the_start_before_the_directory_is_made() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listeners = format!("PLAINTEXT://{}", taken.local_addr().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let said = Process::fail_in(&directory, &[("listeners", &listeners)]);
    assert!(said.starts_with(&format!("milena: cannot listen on {listeners} (listeners): ")), "{said}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}
