//! Directories that Apache Kafka 4.3.0 wrote, and what that Kafka answered before it ended (`tests/data/README.md`): every
//! line of its answers is asked again here, before and after a restart.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::fmt::{Display, Write as _};
use std::fs;

use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use kafka_protocol::messages::*;
use kafka_protocol::protocol::StrBytes;
use milena::wire::batch::Batch;
use support::requests::{FETCH, fetch_of, from, name, of_topic};
use support::{RawClient, TestBroker};

/// Nothing goes because it is old, and nothing is compacted.
const SETTINGS: &[(&str, &str)] = &[
    ("node.id", "1"),
    ("offsets.retention.minutes", "2147483647"),
    ("log.retention.check.interval.ms", "86400000"),
    ("log.cleaner.enable", "false"),
];

fn row(cells: &[&dyn Display]) -> String {
    let cells: Vec<String> = cells.iter().map(ToString::to_string).collect();
    cells.join("\t")
}

fn text(cell: &str) -> StrBytes {
    StrBytes::from_string(cell.to_owned())
}

fn number<T: std::str::FromStr<Err: std::fmt::Debug>>(cell: &str) -> T {
    cell.parse().unwrap()
}

/// What the broker says to the question that Kafka's line answers; whatever lists several lines names them all.
async fn asked_again(client: &mut RawClient, line: &str) -> Vec<String> {
    let cells: Vec<&str> = line.split('\t').collect();
    match cells[..] {
        ["topic", ..] => topics(client).await,
        ["config", kind, resource, ..] => configs(client, number(kind), resource).await,
        [part @ ("log" | "committed log"), topic, partition, start, ..] => {
            vec![log(client, part, topic, number(partition), number(start)).await]
        }
        ["offsets", topic, partition, isolation, timestamp, ..] => {
            vec![offset(client, topic, number(partition), number(isolation), number(timestamp)).await]
        }
        ["committed", group, ..] => committed(client, group).await,
        ["group", ..] => groups(client).await,
        _ => panic!("{line}"),
    }
}

async fn topics(client: &mut RawClient) -> Vec<String> {
    let request = MetadataRequest::default().with_topics(None);
    let answer: MetadataResponse = client.ask(ApiKey::Metadata, 12, &request).await;
    let topics = answer.topics.iter();
    topics
        .map(|one| {
            row(&[&"topic", &one.name.as_ref().unwrap().as_str(), &one.topic_id, &one.partitions.len()])
        })
        .collect()
}

async fn configs(client: &mut RawClient, kind: i8, resource: &str) -> Vec<String> {
    /// What somebody has set: for a topic, a broker, all brokers, a subscription, a group.
    const SET: [i8; 5] = [1, 2, 3, 7, 8];
    let asked = DescribeConfigsResource::default()
        .with_resource_type(kind)
        .with_resource_name(text(resource))
        .with_configuration_keys(None);
    let request = DescribeConfigsRequest::default().with_resources(vec![asked]);
    let answer: DescribeConfigsResponse = client.ask(ApiKey::DescribeConfigs, 4, &request).await;
    let found = &answer.results[0];
    assert_eq!(found.error_code, 0, "{resource}");
    let set = found.configs.iter().filter(|one| SET.contains(&one.config_source));
    set.map(|one| row(&[&"config", &kind, &resource, &one.name, one.value.as_ref().unwrap()])).collect()
}

async fn log(client: &mut RawClient, part: &str, topic: &str, partition: i32, start: i64) -> String {
    let (mut next, mut aborted, mut bytes) = (start, Vec::new(), String::new());
    loop {
        let mut request = fetch_of(vec![of_topic(topic, vec![from(partition, next)])], 0);
        request.isolation_level = i8::from(part == "committed log");
        let answer: FetchResponse = client.ask(ApiKey::Fetch, FETCH, &request).await;
        let found = &answer.responses[0].partitions[0];
        assert_eq!(found.error_code, 0, "{topic}-{partition} at {next}");
        aborted.extend(
            found.aborted_transactions.iter().flatten().map(|one| (one.producer_id.0, one.first_offset)),
        );
        let mut rest = found.records.clone().unwrap_or_default();
        if rest.is_empty() {
            aborted.sort_unstable();
            aborted.dedup();
            let aborted: Vec<String> = aborted.iter().map(|(id, first)| format!("{id}:{first}")).collect();
            let ends = (found.log_start_offset, found.high_watermark, found.last_stable_offset);
            let aborted = aborted.join(",");
            return row(&[&part, &topic, &partition, &ends.0, &ends.1, &ends.2, &next, &aborted, &bytes]);
        }
        while !rest.is_empty() {
            let batch = Batch::parse(rest.clone()).unwrap();
            batch.bytes.iter().for_each(|byte| write!(bytes, "{byte:02x}").unwrap());
            rest = rest.slice(batch.bytes.len()..);
            next = batch.header.next_offset();
        }
    }
}

async fn offset(
    client: &mut RawClient,
    topic: &str,
    partition: i32,
    isolation: i8,
    timestamp: i64,
) -> String {
    let asked = ListOffsetsPartition::default().with_partition_index(partition).with_timestamp(timestamp);
    let asked = ListOffsetsTopic::default().with_name(name(topic)).with_partitions(vec![asked]);
    let request = ListOffsetsRequest::default().with_isolation_level(isolation).with_topics(vec![asked]);
    let answer: ListOffsetsResponse = client.ask(ApiKey::ListOffsets, 8, &request).await;
    let found = &answer.topics[0].partitions[0];
    assert_eq!(found.error_code, 0, "{topic}-{partition} at {timestamp}");
    row(&[&"offsets", &topic, &partition, &isolation, &timestamp, &found.timestamp, &found.offset])
}

async fn committed(client: &mut RawClient, group: &str) -> Vec<String> {
    let asked = OffsetFetchRequestGroup::default().with_group_id(text(group).into()).with_topics(None);
    let request = OffsetFetchRequest::default().with_groups(vec![asked]);
    let answer: OffsetFetchResponse = client.ask(ApiKey::OffsetFetch, 8, &request).await;
    assert_eq!(answer.groups[0].error_code, 0, "{group}");
    let mut lines = Vec::new();
    for topic in &answer.groups[0].topics {
        for one in &topic.partitions {
            let at: [&dyn Display; 4] = [&"committed", &group, &topic.name.as_str(), &one.partition_index];
            let metadata = one.metadata.as_ref().unwrap();
            let what: [&dyn Display; 3] = [&one.committed_offset, &one.committed_leader_epoch, metadata];
            lines.push(row(&[at.as_slice(), &what].concat()));
        }
    }
    lines
}

async fn groups(client: &mut RawClient) -> Vec<String> {
    let answer: ListGroupsResponse = client.ask(ApiKey::ListGroups, 5, &ListGroupsRequest::default()).await;
    let groups = answer.groups.iter();
    groups.map(|one| row(&[&"group", &one.group_id.as_str(), &one.group_state, &one.group_type])).collect()
}

async fn kafkas_answers_are_given(archive: &str) {
    let file = support::process::data().join(format!("{archive}.tsv"));
    let expected: Vec<String> = fs::read_to_string(file).unwrap().lines().map(ToOwned::to_owned).collect();
    let mut broker = TestBroker::start_on(support::unpack(archive), SETTINGS).await;
    for _ in 0..2 {
        let mut client = broker.connect().await;
        let mut found = Vec::new();
        for line in &expected {
            if !found.contains(line) {
                found.extend(asked_again(&mut client, line).await);
            }
        }
        found.sort();
        let missing = expected.iter().filter(|line| !found.contains(line)).collect::<Vec<_>>();
        let more = found.iter().filter(|line| !expected.contains(line)).collect::<Vec<_>>();
        assert!(missing.is_empty() && more.is_empty(), "Kafka said {missing:#?}\ninstead of {more:#?}");
        broker = broker.restart(SETTINGS).await;
    }
    assert_eq!(broker.connect().await.send_values("grown", 0, &["here"]).await, 0);
}

#[tokio::test]
async fn a_kafka_whose_voters_stand_in_its_metadata_goes_on_here() {
    kafkas_answers_are_given("kafka-4.3.0-standalone").await;
}

#[tokio::test]
async fn a_killed_kafka_whose_metadata_begins_with_a_snapshot_goes_on_here() {
    kafkas_answers_are_given("kafka-4.3.0-snapshot").await;
}
