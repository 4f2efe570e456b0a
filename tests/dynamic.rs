//! Broker configurations that are set at run time (KIP-226): each one that does anything is in force at once, after a
//! restart, and when Apache Kafka 4.3.0 had stored it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::{
    ApiKey, ApiVersionsRequest, ApiVersionsResponse, DescribeConfigsRequest, DescribeConfigsResponse,
    IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse, ListConfigResourcesRequest,
    ListConfigResourcesResponse,
};
use kafka_protocol::protocol::StrBytes;
use milena::config::Config;
use milena::config::table::{self, Scope, Update};
use milena::controller::command::{AlterResource, ConfigChange, ConfigOp};
use milena::controller::image::ConfigResource;
use milena::types::TopicPartition;
use support::{RawClient, TestBroker};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const LOGGER: i8 = 8;

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// Sets `pairs`, or with `None` takes them back, on one resource; the error code.
async fn change(client: &mut RawClient, kind: i8, name: &str, pairs: &[(&str, Option<&str>)]) -> i16 {
    let configs = pairs.iter().map(|(key, value)| {
        AlterableConfig::default()
            .with_name(text(key))
            .with_config_operation(i8::from(value.is_none()))
            .with_value(value.map(text))
    });
    let resource = AlterConfigsResource::default()
        .with_resource_type(kind)
        .with_resource_name(text(name))
        .with_configs(configs.collect());
    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
    let answer: IncrementalAlterConfigsResponse =
        client.ask(ApiKey::IncrementalAlterConfigs, 1, &request).await;
    answer.responses[0].error_code
}

async fn set(client: &mut RawClient, name: &str, key: &str, value: &str) {
    assert_eq!(change(client, BROKER, name, &[(key, Some(value))]).await, 0, "{key}={value}");
}

/// Value and source of each key of a resource.
async fn describe(client: &mut RawClient, kind: i8, name: &str) -> BTreeMap<String, (Option<String>, i8)> {
    let resource = DescribeConfigsResource::default()
        .with_resource_type(kind)
        .with_resource_name(text(name))
        .with_configuration_keys(None);
    let request = DescribeConfigsRequest::default().with_resources(vec![resource]);
    let mut answer: DescribeConfigsResponse = client.ask(ApiKey::DescribeConfigs, 4, &request).await;
    let result = answer.results.pop().unwrap();
    assert_eq!(result.error_code, 0);
    let shown = |value: Option<StrBytes>| value.map(|value| value.to_string());
    result.configs.into_iter().map(|c| (c.name.to_string(), (shown(c.value), c.config_source))).collect()
}

/// A new connection that is served; one for which there is no place is closed, or waits to be accepted.
async fn served(address: SocketAddr) -> Option<TcpStream> {
    // ApiVersions 0 with correlation id 7 and no client id.
    const ASKED: [u8; 14] = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 255, 255];
    let asking = async {
        let mut stream = TcpStream::connect(address).await.ok()?;
        stream.write_all(&ASKED).await.ok()?;
        let size = stream.read_i32().await.ok()?;
        let mut answer = vec![0; usize::try_from(size).unwrap()];
        stream.read_exact(&mut answer).await.ok()?;
        Some(stream)
    };
    tokio::time::timeout(Duration::from_millis(300), asking).await.ok().flatten()
}

async fn is_served(address: SocketAddr) -> bool {
    served(address).await.is_some()
}

/// Waits for the broker to close a connection.
async fn closed(stream: &mut TcpStream) {
    let ended = tokio::time::timeout(Duration::from_secs(20), stream.read_u8()).await;
    assert!(ended.expect("the end in time").is_err());
}

/// Asks until the condition holds: limits of connections follow a change, they do not wait for it.
async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let soon = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), soon).await.unwrap_or_else(|_| panic!("never: {what}"));
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// A value that differs from the default and passes the key's rule.
fn other_value(name: &str) -> &'static str {
    match name {
        "compression.type" => "zstd",
        "compression.gzip.level" | "compression.lz4.level" | "compression.zstd.level" => "7",
        "log.cleaner.min.cleanable.ratio" => "0.25",
        "log.cleanup.policy" => "compact",
        "log.message.timestamp.type" => "LogAppendTime",
        "log.preallocate" | "unclean.leader.election.enable" => "true",
        "log.segment.bytes" => "2097152",
        "min.insync.replicas" => "2",
        "log.local.retention.ms" | "log.local.retention.bytes" => "5",
        _ => "54321",
    }
}

#[tokio::test]
async fn every_default_of_topics_reaches_the_partitions_at_once_and_goes_with_its_value() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    client.create("t", 1, &[]).await;
    let partition = broker.server.broker().partitions.get(&TopicPartition::new("t", 0)).unwrap();
    let before = partition.settings();
    let mut seen = 0;
    for topic_key in table::keys(Scope::Topic) {
        let Some(key) = topic_key.synonym.and_then(|name| table::find(Scope::Broker, name)) else { continue };
        if key.update == Update::ReadOnly {
            continue;
        }
        let value = other_value(key.name);
        set(&mut client, "", key.name, value).await;
        let expected = Config::from_pairs([(key.name, value)]).unwrap();
        let expected = expected.topic_config(&BTreeMap::new()).unwrap();
        assert_eq!(partition.settings().config, expected, "{}", key.name);
        let told = describe(&mut client, TOPIC, "t").await;
        assert_eq!(told[topic_key.name], (Some(value.to_owned()), 3), "{}", key.name);
        assert_eq!(change(&mut client, BROKER, "", &[(key.name, None)]).await, 0);
        assert_eq!(partition.settings().config, before.config, "{} is taken back", key.name);
        seen += 1;
    }
    assert!(seen >= 25, "{seen}");
    let before = partition.settings();
    set(&mut client, "", "max.connections.per.ip", "50").await;
    assert!(Arc::ptr_eq(&partition.settings(), &before), "what is no default of topics goes past them");
}

#[tokio::test]
async fn a_brokers_own_value_stands_before_that_of_all_and_both_outlive_a_restart() {
    let broker = TestBroker::start_with(&[("log.retention.ms", "1000")]).await;
    let mut client = broker.connect().await;
    client.create("t", 1, &[]).await;
    set(&mut client, "", "log.retention.ms", "2000").await;
    assert_eq!(describe(&mut client, TOPIC, "t").await["retention.ms"], (Some("2000".to_owned()), 3));
    set(&mut client, "1", "log.retention.ms", "3000").await;
    let broker = broker.restart(&[("log.retention.ms", "1000")]).await;
    let mut client = broker.connect().await;
    assert_eq!(describe(&mut client, TOPIC, "t").await["retention.ms"], (Some("3000".to_owned()), 2));
    let partition = broker.server.broker().partitions.get(&TopicPartition::new("t", 0)).unwrap();
    assert_eq!(partition.settings().config.retention_ms, 3000);
    for (name, left) in [("1", 2000), ("", 1000)] {
        assert_eq!(change(&mut client, BROKER, name, &[("log.retention.ms", None)]).await, 0);
        assert_eq!(partition.settings().config.retention_ms, left);
    }
}

#[tokio::test]
async fn limits_of_connections_change_while_clients_are_connected() {
    let broker = TestBroker::start().await;
    let address = broker.address();
    let mut first = broker.connect().await;
    set(&mut first, "", "max.connections", "1").await;
    until("a second connection waits", || async move { !is_served(address).await }).await;
    set(&mut first, "", "max.connections", "2").await;
    until("there is room for a second", || is_served(address)).await;
    set(&mut first, "1", "max.connections.per.ip", "1").await;
    until("the address has all it may have", || async move { !is_served(address).await }).await;
    set(&mut first, "1", "max.connections.per.ip.overrides", "127.0.0.1:2").await;
    until("the address may have two", || is_served(address)).await;
}

#[tokio::test]
async fn a_lower_limit_of_connections_ends_the_one_that_was_used_the_longest_ago() {
    let broker = TestBroker::start().await;
    let mut idle = served(broker.address()).await.unwrap();
    let mut active = broker.connect().await;
    set(&mut active, "1", "max.connections", "1").await;
    closed(&mut idle).await;
    set(&mut active, "1", "max.connections", "9").await;
}

/// Asks and reads nothing until nothing more is taken.
async fn stuck(address: SocketAddr) -> TcpStream {
    const ASKED: [u8; 14] = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 255, 255];
    let mut stream = TcpStream::connect(address).await.unwrap();
    let asked = ASKED.repeat(1000);
    while let Ok(taken) = tokio::time::timeout(Duration::from_millis(300), stream.write_all(&asked)).await {
        taken.unwrap();
    }
    stream
}

#[tokio::test]
async fn a_lower_limit_of_connections_ends_one_that_reads_no_answers() {
    let broker = TestBroker::start().await;
    let both = [stuck(broker.address()).await, stuck(broker.address()).await];
    // No third connection makes the change, as either of the two may have been used last.
    let value = Some("1".to_owned());
    let change = ConfigChange { key: "max.connections".to_owned(), op: ConfigOp::Set, value };
    let resource = ConfigResource::broker(Some(broker.server.broker().node_id));
    let alter = AlterResource { resource, changes: vec![change], replace: false };
    let controller = &broker.server.broker().controller;
    assert_eq!(controller.alter_configs(vec![alter], false).await.unwrap(), [Ok(())]);
    // Nothing is read now either, or they would get on.
    let ended = |stream: &TcpStream| matches!(stream.try_write(&[0]), Err(error) if error.kind() != ErrorKind::WouldBlock);
    until("a connection ends", || std::future::ready(both.iter().any(ended))).await;
}

#[tokio::test]
async fn connections_come_no_faster_than_the_rate_that_is_set() {
    let broker = TestBroker::start().await;
    let address = broker.address();
    let mut client = broker.connect().await;
    set(&mut client, "", "max.connection.creation.rate", "1").await;
    until("a window's connections have come", || async move { !is_served(address).await }).await;
    set(&mut client, "", "max.connection.creation.rate", "1000").await;
    until("connections come again", || is_served(address)).await;
}

#[tokio::test]
async fn a_listener_is_added_and_taken_away_and_is_there_after_a_restart() {
    let broker = TestBroker::start().await;
    let port = free_port();
    let more = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let first = broker.address();
    let listeners = format!("PLAINTEXT://{first},MORE://{more}");
    let map = "PLAINTEXT:PLAINTEXT,MORE:PLAINTEXT";
    let mut client = broker.connect().await;
    let unmapped = change(&mut client, BROKER, "1", &[("listeners", Some(&listeners))]).await;
    assert_eq!(unmapped, 42, "a name without a protocol");
    let pairs = [("listeners", Some(listeners.as_str())), ("listener.security.protocol.map", Some(map))];
    assert_eq!(change(&mut client, BROKER, "1", &pairs).await, 0);
    until("the listener accepts", || is_served(more)).await;
    let broker = broker.restart(&[]).await;
    until("it accepts after the restart", || is_served(more)).await;
    let mut client = broker.connect().await;
    let mut through_it = served(more).await.unwrap();
    let pairs = [("listeners", None), ("listener.security.protocol.map", None)];
    assert_eq!(change(&mut client, BROKER, "1", &pairs).await, 0);
    closed(&mut through_it).await;
    until("nobody listens", || async move { TcpStream::connect(more).await.is_err() }).await;
    let _: ApiVersionsResponse = client.ask(ApiKey::ApiVersions, 0, &ApiVersionsRequest::default()).await;
}

/// Listeners as `listeners` names them, and the map of protocols that they need.
fn named(listeners: &[(&str, SocketAddr)]) -> (String, String) {
    let all = listeners.iter().map(|(name, address)| format!("{name}://{address}")).collect::<Vec<_>>();
    let map = listeners.iter().map(|(name, _)| format!("{name}:PLAINTEXT")).collect::<Vec<_>>();
    (all.join(","), map.join(","))
}

async fn listen_on(client: &mut RawClient, listeners: &[(&str, SocketAddr)]) -> i16 {
    let (all, map) = named(listeners);
    let pairs = [("listeners", Some(all.as_str())), ("listener.security.protocol.map", Some(map.as_str()))];
    change(client, BROKER, "1", &pairs).await
}

#[tokio::test]
async fn a_new_listener_takes_the_port_of_one_that_goes_with_the_same_change() {
    let broker = TestBroker::start().await;
    let first = broker.address();
    let port = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let mut client = broker.connect().await;
    for name in ["ONE", "TWO", "THREE", "FOUR"] {
        assert_eq!(listen_on(&mut client, &[("PLAINTEXT", first), (name, port)]).await, 0);
        until(&format!("{name} accepts"), || async move {
            told_listeners(first).await.contains(name) && is_served(port).await
        })
        .await;
    }
}

/// What `listeners` is now.
async fn told_listeners(address: SocketAddr) -> String {
    let mut client = RawClient::connect(address).await;
    describe(&mut client, BROKER, "1").await["listeners"].0.clone().unwrap()
}

#[tokio::test]
async fn the_listener_that_brokers_use_stays_open() {
    let broker = TestBroker::start().await;
    let port = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let mut client = broker.connect().await;
    assert_eq!(listen_on(&mut client, &[("MORE", port)]).await, 42);
    assert!(is_served(broker.address()).await);
}

#[tokio::test]
async fn when_no_stored_listener_can_be_opened_those_of_the_start_accept() {
    let broker = TestBroker::start().await;
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut client = broker.connect().await;
    assert_eq!(listen_on(&mut client, &[("PLAINTEXT", taken.local_addr().unwrap())]).await, 0);
    let start = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let (listeners, map) = named(&[("OTHER", start)]);
    let settings = [("listeners", listeners.as_str()), ("listener.security.protocol.map", map.as_str())];
    let broker = broker.restart(&settings).await;
    until("the start's listener accepts", || is_served(start)).await;
    // What is stored can be taken back through it.
    let mut client = broker.connect().await;
    let pairs = [("listeners", None), ("listener.security.protocol.map", None)];
    assert_eq!(change(&mut client, BROKER, "1", &pairs).await, 0);
}

#[tokio::test]
async fn a_listener_that_nobody_uses_takes_no_place_from_another() {
    let ports = [free_port(), free_port()].map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let (listeners, map) = named(&[("PLAINTEXT", ports[0]), ("MORE", ports[1])]);
    let settings = [
        ("listeners", listeners.as_str()),
        ("listener.security.protocol.map", map.as_str()),
        ("max.connections", "1"),
    ];
    let _broker = TestBroker::start_with(&settings).await;
    for address in ports {
        until(&format!("{address} serves"), || is_served(address)).await;
    }
}

#[tokio::test]
async fn what_kafka_stored_for_brokers_topics_groups_and_subscriptions_is_in_force() {
    let directory = tempfile::tempdir().unwrap();
    let unpacked = Command::new("tar")
        .args(["--strip-components=1", "-C", directory.path().to_str().unwrap(), "-xzf"])
        .arg(support::process::data().join("kafka-4.3.0-dynamic-configs.tar.gz"))
        .status()
        .unwrap();
    assert!(unpacked.success());
    let broker = TestBroker::start_on(directory, &[("node.id", "1")]).await;
    let configured = |topic: &str| {
        let partition = broker.server.broker().partitions.get(&TopicPartition::new(topic, 0)).unwrap();
        partition.settings()
    };
    let sizes = |topic: &str| {
        let config = &configured(topic).config;
        (config.max_message_bytes, config.retention_ms)
    };
    assert_eq!((sizes("plain"), sizes("own")), ((3000, 9000), (4000, 7000)));
    let live = broker.server.broker().live.current();
    assert_eq!(live.network.max_connections_per_ip, 40);
    let mut client = broker.connect().await;
    let own = describe(&mut client, BROKER, "1").await;
    assert_eq!(own["log.retention.ms"], (Some("9000".to_owned()), 2));
    assert_eq!(own["message.max.bytes"], (Some("3000".to_owned()), 3));
    assert_eq!(own["compression.type"], (Some("producer".to_owned()), 5));
    assert_eq!(own["listener.name.plaintext.ssl.key.password"], (None, 2));
    let group = describe(&mut client, 32, "g").await;
    assert_eq!(group["consumer.session.timeout.ms"], (Some("50000".to_owned()), 8));
    let subscription = describe(&mut client, 16, "m").await;
    assert_eq!(subscription["match"], (Some("client_id=a.*".to_owned()), 7));
    let request = ListConfigResourcesRequest::default();
    let answer: ListConfigResourcesResponse = client.ask(ApiKey::ListConfigResources, 1, &request).await;
    let listed = answer.config_resources.iter().map(|one| (one.resource_type, one.resource_name.to_string()));
    let expected = [(32, "g"), (16, "m"), (8, "1"), (4, "1"), (2, "own"), (2, "plain")];
    assert_eq!(listed.collect::<Vec<_>>(), expected.map(|(kind, name)| (kind, name.to_owned())));
    // With eligible leader replicas, which Kafka had finalized, all brokers agree on this one.
    let key = "min.insync.replicas";
    assert_eq!(change(&mut client, BROKER, "1", &[(key, Some("1"))]).await, 40);
    assert_eq!(change(&mut client, BROKER, "", &[(key, None)]).await, 40);
    assert_eq!(change(&mut client, BROKER, "", &[(key, Some("2"))]).await, 0);
    assert_eq!(configured("plain").config.min_insync_replicas, 2);
}

#[tokio::test]
async fn a_loggers_level_is_in_force_at_once_and_until_the_process_ends() {
    let (process, lines) = support::process::Process::start_listening(&[]);
    let address: SocketAddr = process.bootstrap().parse().unwrap();
    let mut client = RawClient::connect(address).await;
    let logger = "milena.net";
    let ended = |line: &String| line.contains("DEBUG") && line.contains("the client closed the connection");
    // A line of its own marks where the log stands.
    let level_set = |line: &String| line.contains("the level of logger");
    drop(served(address).await);
    assert_eq!(change(&mut client, LOGGER, "1", &[(logger, Some("DEBUG"))]).await, 0);
    assert!(lines.iter().take_while(|line| !level_set(line)).all(|line| !ended(&line)));
    assert_eq!(describe(&mut client, LOGGER, "1").await[logger], (Some("DEBUG".to_owned()), 6));
    drop(served(address).await);
    assert!(lines.iter().any(|line| ended(&line)));
    assert_eq!(change(&mut client, LOGGER, "1", &[(logger, None)]).await, 0);
    assert_eq!(describe(&mut client, LOGGER, "1").await[logger], (Some("INFO".to_owned()), 6));
}
