//! Configurations over the wire: described with their sources, changed at run time, in force at once and after a
//! restart.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;

use bytes::Bytes;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::DescribeConfigsResourceResult;
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    ApiKey, DescribeConfigsRequest, DescribeConfigsResponse, IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse, MetadataRequest, MetadataResponse, ProduceRequest, ProduceResponse,
    TopicName,
};
use kafka_protocol::protocol::StrBytes;
use milena::wire::batch::BatchBuilder;
use support::{RawClient, TestBroker};

const TOPIC: i8 = 2;
const BROKER: i8 = 4;

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

async fn describe(
    client: &mut RawClient,
    version: i16,
    kind: i8,
    name: &str,
) -> BTreeMap<String, DescribeConfigsResourceResult> {
    let resource = DescribeConfigsResource::default()
        .with_resource_type(kind)
        .with_resource_name(text(name))
        .with_configuration_keys(None);
    let request = DescribeConfigsRequest::default()
        .with_resources(vec![resource])
        .with_include_synonyms(true)
        .with_include_documentation(version >= 3);
    let mut answer: DescribeConfigsResponse = client.ask(ApiKey::DescribeConfigs, version, &request).await;
    let result = answer.results.pop().unwrap();
    assert_eq!((result.error_code, result.resource_type, result.resource_name.as_str()), (0, kind, name));
    result.configs.into_iter().map(|config| (config.name.to_string(), config)).collect()
}

async fn set(client: &mut RawClient, kind: i8, name: &str, key: &str, value: &str) -> i16 {
    let config = AlterableConfig::default().with_name(text(key)).with_value(Some(text(value)));
    let resource = AlterConfigsResource::default()
        .with_resource_type(kind)
        .with_resource_name(text(name))
        .with_configs(vec![config]);
    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
    let answer: IncrementalAlterConfigsResponse =
        client.ask(ApiKey::IncrementalAlterConfigs, 1, &request).await;
    answer.responses[0].error_code
}

async fn create(client: &mut RawClient, topic: &str) {
    let topic = MetadataRequestTopic::default().with_name(Some(TopicName(text(topic))));
    let request =
        MetadataRequest::default().with_topics(Some(vec![topic])).with_allow_auto_topic_creation(true);
    let answer: MetadataResponse = client.ask(ApiKey::Metadata, 12, &request).await;
    assert_eq!(answer.topics[0].error_code, 0);
}

/// Appends one record of 200 bytes; the answer's error code.
async fn produce(client: &mut RawClient, topic: &str) -> i16 {
    let batch = BatchBuilder::new(1).push(None, Some(&[7; 200]), 1).build(0);
    let data = PartitionProduceData::default().with_records(Some(Bytes::clone(&batch.bytes)));
    let topic = TopicProduceData::default().with_name(TopicName(text(topic))).with_partition_data(vec![data]);
    let request = ProduceRequest::default().with_acks(-1).with_timeout_ms(1000).with_topic_data(vec![topic]);
    let answer: ProduceResponse = client.ask(ApiKey::Produce, 9, &request).await;
    answer.responses[0].partition_responses[0].error_code
}

fn shown(config: &DescribeConfigsResourceResult) -> (Option<&str>, i8) {
    (config.value.as_deref(), config.config_source)
}

#[tokio::test]
async fn every_version_describes_every_key_of_a_topic() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    create(&mut client, "orders").await;
    for version in 1..=4 {
        let configs = describe(&mut client, version, TOPIC, "orders").await;
        assert_eq!(configs.len(), 33, "version {version}");
        let policy = &configs["cleanup.policy"];
        assert_eq!(shown(policy), (Some("delete"), 5));
        assert_eq!(policy.synonyms.len(), 1);
        let documented = policy.documentation.as_ref().is_some_and(|text| !text.is_empty());
        let since_3 = version >= 3;
        assert_eq!((policy.config_type, documented), (if since_3 { 7 } else { 0 }, since_3));
    }
}

#[tokio::test]
async fn a_topics_change_is_described_and_in_force_at_once_and_after_a_restart() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    create(&mut client, "orders").await;
    assert_eq!(produce(&mut client, "orders").await, 0);
    assert_eq!(set(&mut client, TOPIC, "orders", "max.message.bytes", "100").await, 0);
    assert_eq!(produce(&mut client, "orders").await, 10);
    assert_eq!(set(&mut client, TOPIC, "orders", "max.message.bytes", "-1").await, 40);
    assert_eq!(set(&mut client, TOPIC, "orders", "no.such.key", "1").await, 40);
    let broker = broker.restart(&[]).await;
    let mut client = broker.connect().await;
    assert_eq!(produce(&mut client, "orders").await, 10);
    let configs = describe(&mut client, 4, TOPIC, "orders").await;
    assert_eq!(shown(&configs["max.message.bytes"]), (Some("100"), 1));
}

#[tokio::test]
async fn a_brokers_change_holds_for_topics_without_a_value_of_their_own() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    for topic in ["small", "own", "later"] {
        if topic == "later" {
            assert_eq!(set(&mut client, BROKER, "", "message.max.bytes", "100").await, 0);
        }
        create(&mut client, topic).await;
    }
    assert_eq!(set(&mut client, TOPIC, "own", "max.message.bytes", "5000").await, 0);
    let expected = [("small", 10), ("own", 0), ("later", 10)];
    for (topic, code) in expected {
        assert_eq!(produce(&mut client, topic).await, code, "{topic}");
    }
    let configs = describe(&mut client, 4, TOPIC, "small").await;
    assert_eq!(shown(&configs["max.message.bytes"]), (Some("100"), 3));
    assert_eq!(shown(&describe(&mut client, 4, BROKER, "").await["message.max.bytes"]), (Some("100"), 3));
    let broker = broker.restart(&[]).await;
    let mut client = broker.connect().await;
    for (topic, code) in expected {
        assert_eq!(produce(&mut client, topic).await, code, "{topic} after a restart");
    }
    assert_eq!(set(&mut client, BROKER, "1", "message.max.bytes", "5000").await, 0);
    assert_eq!(produce(&mut client, "small").await, 0);
}

#[tokio::test]
async fn a_broker_key_that_holds_from_the_start_on_cannot_be_changed() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    assert_eq!(set(&mut client, BROKER, "1", "num.partitions", "3").await, 42);
    assert_eq!(set(&mut client, BROKER, "", "listeners", "PLAINTEXT://:1").await, 42);
    assert_eq!(set(&mut client, BROKER, "2", "message.max.bytes", "3").await, 42);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_set_at_run_time_is_printed_with_its_source_and_the_directory_is_not_touched() {
    let broker = TestBroker::start().await;
    let mut client = broker.connect().await;
    assert_eq!(set(&mut client, BROKER, "", "message.max.bytes", "5000").await, 0);
    assert_eq!(set(&mut client, BROKER, "1", "log.segment.bytes", "2000000").await, 0);
    let path = broker.directory.path();
    let journal = || {
        let files = std::fs::read_dir(path.join("__cluster_metadata-0")).unwrap();
        files
            .map(|file| file.unwrap().path())
            .map(|file| (file.clone(), std::fs::read(file).unwrap()))
            .collect::<BTreeMap<_, _>>()
    };
    let before = journal();
    let printed = tokio::task::block_in_place(|| {
        let directory = format!("log.dirs={}", path.display());
        let mut milena = std::process::Command::new(env!("CARGO_BIN_EXE_milena"));
        let output = milena.args(["config", "--override", &directory]).env_clear().output().unwrap();
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
        String::from_utf8(output.stdout).unwrap()
    });
    for expected in [
        "# source: set at run time for all brokers\n#message.max.bytes=5000\n",
        "# source: set at run time for this broker\n#log.segment.bytes=2000000\n",
        "# source: override\nlog.dirs=",
    ] {
        assert!(printed.contains(expected), "{expected}\nis not in\n{printed}");
    }
    assert_eq!(journal(), before);
    assert_eq!(produce(&mut client, "none").await, 3, "the broker still answers");
}
