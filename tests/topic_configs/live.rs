//! A topic of one partition in use, its configurations and its files.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::produce_response::PartitionProduceResponse;
use kafka_protocol::messages::{
    ApiKey, IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse, ProduceResponse,
};
use kafka_protocol::protocol::StrBytes;
use milena::log::LogReader;
use milena::types::{Offset, TopicPartition};
use milena::wire::batch::{Batch, BatchBuilder};

use crate::support::requests::{PRODUCE, now_ms, produce};
use crate::support::{RawClient, TestBroker};

const TOPIC: i8 = 2;

/// How often a condition is looked at, and how long.
const LOOK_EVERY: Duration = Duration::from_millis(10);
const LOOKS_MAX: usize = 2000;

pub(crate) struct Live {
    pub(crate) broker: TestBroker,
    pub(crate) client: RawClient,
}

impl Live {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    pub(crate) async fn start_with(settings: &[(&str, &str)]) -> Self {
        let broker = TestBroker::start_with(settings).await;
        let mut client = broker.connect().await;
        client.create("t", 1, &[]).await;
        Self { broker, client }
    }

    /// Sets configurations of the topic.
    pub(crate) async fn set(&mut self, configs: &[(&str, &str)]) {
        let text = |text: &str| StrBytes::from_string(text.to_owned());
        let configs = configs.iter().map(|(key, value)| {
            AlterableConfig::default().with_name(text(key)).with_value(Some(text(value)))
        });
        let resource = AlterConfigsResource::default()
            .with_resource_type(TOPIC)
            .with_resource_name(text("t"))
            .with_configs(configs.collect());
        let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
        let answer: IncrementalAlterConfigsResponse =
            self.client.ask(ApiKey::IncrementalAlterConfigs, 1, &request).await;
        assert_eq!(answer.responses[0].error_code, 0, "{:?}", answer.responses[0].error_message);
    }

    /// Appends a batch with acks=all.
    pub(crate) async fn produce(&mut self, batch: Bytes) -> PartitionProduceResponse {
        let request = produce("t", 0, batch, -1);
        let answer: ProduceResponse = self.client.ask(ApiKey::Produce, PRODUCE, &request).await;
        answer.responses[0].partition_responses[0].clone()
    }

    /// Appends one record of `bytes` bytes with this timestamp; it has to be taken. Its offset.
    pub(crate) async fn append(&mut self, bytes: usize, timestamp_ms: i64) -> i64 {
        let answer = self.produce(one_record(bytes, timestamp_ms)).await;
        assert_eq!(answer.error_code, 0);
        answer.base_offset
    }

    pub(crate) fn directory(&self) -> PathBuf {
        self.broker.directory.path().join("t-0")
    }

    /// The names of the partition's files that end so, sorted.
    pub(crate) fn files(&self, ending: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.directory()) else { return Vec::new() };
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut found: Vec<String> = names.filter(|name| name.ends_with(ending)).collect();
        found.sort();
        found
    }

    /// The base offsets of the segments.
    pub(crate) fn segments(&self) -> Vec<i64> {
        self.files(".log").iter().map(|name| name.trim_end_matches(".log").parse().unwrap()).collect()
    }

    pub(crate) fn file_bytes(&self, name: &str) -> u64 {
        std::fs::metadata(self.directory().join(name)).unwrap().len()
    }

    /// The batches in the files of all segments.
    pub(crate) fn stored(&self) -> Vec<Batch> {
        let mut batches = Vec::new();
        for name in self.files(".log") {
            let mut rest = Bytes::from(std::fs::read(self.directory().join(name)).unwrap());
            while !rest.is_empty() {
                let batch = Batch::parse(rest.clone()).unwrap();
                assert!(batch.crc_is_valid());
                rest = rest.slice(batch.bytes.len()..);
                batches.push(batch);
            }
        }
        batches
    }

    pub(crate) fn reader(&self) -> Arc<LogReader> {
        let partition = self.broker.server.broker().partitions.get(&TopicPartition::new("t", 0)).unwrap();
        partition.reader().unwrap()
    }

    /// The broker's monotonic clock.
    pub(crate) fn mono_ms(&self) -> i64 {
        self.broker.server.broker().clock.now().mono_ms
    }

    pub(crate) fn synced(&self) -> Offset {
        self.reader().synced()
    }

    /// Waits until `condition` holds.
    pub(crate) async fn until(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        for _ in 0..LOOKS_MAX {
            if condition(self) {
                return;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        panic!("{what} did not come");
    }
}

/// A batch of one record whose value has `bytes` bytes.
pub(crate) fn one_record(bytes: usize, timestamp_ms: i64) -> Bytes {
    BatchBuilder::new(timestamp_ms).push(Some(b"k"), Some(&vec![7; bytes]), timestamp_ms).build(0).bytes
}

/// A moment that retention does not touch and from which timestamps can rise.
pub(crate) fn an_hour_ago() -> i64 {
    now_ms() - 3_600_000
}
