//! From a request's frame to the chunks of its answer.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::produce_response::{PartitionProduceResponse, TopicProduceResponse};
use kafka_protocol::messages::{
    ApiKey, ApiVersionsResponse, BrokerId, FetchRequest, FindCoordinatorRequest, FindCoordinatorResponse,
    HeartbeatResponse, InitProducerIdResponse, LeaveGroupResponse, ListOffsetsRequest, ListOffsetsResponse,
    MetadataRequest, MetadataResponse, ProduceRequest, ProduceResponse, TopicName,
};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, StrBytes};
use milena::types::TopicId;
use milena::wire::fetch_response::{FetchResponse, FetchedPartition, FetchedTopic};
use milena::wire::frame::{Frame, ResponseHead};
use milena::wire::header::{self, RequestHeader};
use milena::wire::slices::Slice;

use super::{Sink, groups};

const NODE: BrokerId = BrokerId(1);
/// What ListOffsets asks for with −2.
const EARLIEST: i64 = -2;
/// Where a partition ends that serves a prepared batch for ever.
const ENDLESS: i64 = 1 << 50;

/// What is answered, from and up to which version. Topics have names only: no version that wants ids. Produce begins at 0
/// because librdkafka looks for it, as it does with Kafka.
const SERVED: &[(ApiKey, i16, i16)] = &[
    (ApiKey::Produce, 0, 12),
    (ApiKey::Fetch, 4, 12),
    (ApiKey::ListOffsets, 1, 7),
    (ApiKey::Metadata, 0, 9),
    (ApiKey::OffsetCommit, 2, 8),
    (ApiKey::OffsetFetch, 1, 8),
    (ApiKey::FindCoordinator, 0, 4),
    (ApiKey::JoinGroup, 0, 9),
    (ApiKey::Heartbeat, 0, 4),
    (ApiKey::LeaveGroup, 0, 5),
    (ApiKey::SyncGroup, 0, 5),
    (ApiKey::ApiVersions, 0, 4),
    (ApiKey::InitProducerId, 0, 4),
];

impl Sink {
    /// The chunks of the answer, none for acks=0.
    pub(super) async fn answer(&self, frame: &Bytes) -> Result<Vec<Bytes>> {
        let head = header::parse(frame)?;
        match head.api_key {
            ApiKey::Produce => self.produce(&head),
            ApiKey::Fetch => self.fetch(&head).await,
            ApiKey::ListOffsets => encode(&head, &self.list_offsets(decode(&head)?)),
            ApiKey::Metadata => encode(&head, &self.metadata(decode(&head)?)),
            ApiKey::FindCoordinator => encode(&head, &self.coordinator(decode(&head)?, head.api_version)),
            ApiKey::ApiVersions => encode(&head, &versions()),
            ApiKey::InitProducerId => {
                encode(&head, &InitProducerIdResponse::default().with_producer_id(1.into()))
            }
            ApiKey::JoinGroup => encode(&head, &groups::join(decode(&head)?)),
            ApiKey::SyncGroup => encode(&head, &groups::sync(decode(&head)?)),
            ApiKey::Heartbeat => encode(&head, &HeartbeatResponse::default()),
            ApiKey::LeaveGroup => encode(&head, &LeaveGroupResponse::default()),
            ApiKey::OffsetCommit => encode(&head, &groups::commit(decode(&head)?)),
            ApiKey::OffsetFetch => encode(&head, &groups::fetch(decode(&head)?, head.api_version)),
            other => bail!("{other:?} is not served"),
        }
    }

    fn produce(&self, head: &RequestHeader) -> Result<Vec<Bytes>> {
        let request: ProduceRequest = decode(head)?;
        let mut responses = Vec::with_capacity(request.topic_data.len());
        for topic in request.topic_data {
            let mut partitions = Vec::with_capacity(topic.partition_data.len());
            for data in topic.partition_data {
                let records = data.records.context("Produce without records")?;
                let base = self.store.append(&topic.name, data.index, &records)?;
                partitions.push(
                    PartitionProduceResponse::default()
                        .with_index(data.index)
                        .with_base_offset(base)
                        .with_log_append_time_ms(-1)
                        .with_log_start_offset(0),
                );
            }
            responses.push(
                TopicProduceResponse::default().with_name(topic.name).with_partition_responses(partitions),
            );
        }
        if request.acks == 0 {
            return Ok(Vec::new());
        }
        encode(head, &ProduceResponse::default().with_responses(responses))
    }

    /// Waits for news when there is none, as long as the client allows.
    async fn fetch(&self, head: &RequestHeader) -> Result<Vec<Bytes>> {
        let request: FetchRequest = decode(head)?;
        let wait = tokio::time::sleep(Duration::from_millis(request.max_wait_ms.max(0) as u64));
        tokio::pin!(wait);
        loop {
            let news = self.store.news.notified();
            tokio::pin!(news);
            news.as_mut().enable();
            let (response, offsets) = self.fetched(&request);
            let bytes: usize =
                response.topics.iter().flat_map(|topic| &topic.partitions).map(|p| p.records.len()).sum();
            let over = bytes > 0
                || request.topics.is_empty()
                || tokio::select! { () = &mut wait => true, () = news => false };
            if over {
                let frame = response.into_frame(response_head(head)).map_err(anyhow::Error::msg)?;
                let chunks = in_memory(frame);
                return Ok(match &self.prepared {
                    Some(prepared) => prepared.place(chunks, &offsets),
                    None => chunks,
                });
            }
        }
    }

    /// What there is to fetch now, and the offsets that were asked for, in their order.
    fn fetched(&self, request: &FetchRequest) -> (FetchResponse, Vec<i64>) {
        let mut offsets = Vec::new();
        let topics = request.topics.iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|asked| {
                offsets.push(asked.fetch_offset);
                let (records, end) = if let Some(prepared) = &self.prepared {
                    (prepared.bytes(), ENDLESS)
                } else {
                    let bytes_max = asked.partition_max_bytes.max(0) as usize;
                    self.store.read(&topic.topic, asked.partition, asked.fetch_offset, bytes_max)
                };
                FetchedPartition {
                    high_watermark: end,
                    last_stable_offset: end,
                    log_start: 0,
                    records: records.into(),
                    ..FetchedPartition::error(asked.partition, 0)
                }
            });
            let partitions = partitions.collect();
            FetchedTopic { name: topic.topic.as_str().into(), id: TopicId::ZERO, partitions }
        });
        let topics = topics.collect();
        (FetchResponse { topics, ..FetchResponse::default() }, offsets)
    }

    fn list_offsets(&self, request: ListOffsetsRequest) -> ListOffsetsResponse {
        let topics = request.topics.into_iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|asked| {
                let end = match &self.prepared {
                    Some(_) => ENDLESS,
                    None => self.store.end(&topic.name, asked.partition_index),
                };
                ListOffsetsPartitionResponse::default()
                    .with_partition_index(asked.partition_index)
                    .with_timestamp(-1)
                    .with_offset(if asked.timestamp == EARLIEST { 0 } else { end })
                    .with_leader_epoch(0)
            });
            let partitions = partitions.collect();
            ListOffsetsTopicResponse::default().with_name(topic.name).with_partitions(partitions)
        });
        ListOffsetsResponse::default().with_topics(topics.collect())
    }

    fn metadata(&self, request: MetadataRequest) -> MetadataResponse {
        let names: Vec<TopicName> = match request.topics {
            Some(topics) => topics.into_iter().filter_map(|topic| topic.name).collect(),
            None => {
                self.store.topics().into_iter().map(|name| TopicName(StrBytes::from_string(name))).collect()
            }
        };
        let topics = names.into_iter().map(|name| {
            self.store.know(&name);
            let partitions = (0..self.options.partitions).map(|index| {
                MetadataResponsePartition::default()
                    .with_partition_index(index)
                    .with_leader_id(NODE)
                    .with_leader_epoch(0)
                    .with_replica_nodes(vec![NODE])
                    .with_isr_nodes(vec![NODE])
            });
            MetadataResponseTopic::default().with_name(Some(name)).with_partitions(partitions.collect())
        });
        let broker = MetadataResponseBroker::default()
            .with_node_id(NODE)
            .with_host(StrBytes::from_static_str("127.0.0.1"))
            .with_port(i32::from(self.port));
        MetadataResponse::default()
            .with_brokers(vec![broker])
            .with_cluster_id(Some(StrBytes::from_static_str("sink")))
            .with_controller_id(NODE)
            .with_topics(topics.collect())
    }

    /// This broker, for every group; before version 4 a request names one.
    fn coordinator(&self, request: FindCoordinatorRequest, version: i16) -> FindCoordinatorResponse {
        let (host, port) = (StrBytes::from_static_str("127.0.0.1"), i32::from(self.port));
        if version < 4 {
            return FindCoordinatorResponse::default().with_node_id(NODE).with_host(host).with_port(port);
        }
        let coordinators = request.coordinator_keys.into_iter().map(|key| {
            Coordinator::default().with_key(key).with_node_id(NODE).with_host(host.clone()).with_port(port)
        });
        FindCoordinatorResponse::default().with_coordinators(coordinators.collect())
    }
}

fn versions() -> ApiVersionsResponse {
    let row = |(key, min, max): &(ApiKey, i16, i16)| {
        ApiVersion::default().with_api_key(*key as i16).with_min_version(*min).with_max_version(*max)
    };
    ApiVersionsResponse::default().with_api_keys(SERVED.iter().map(row).collect())
}

fn decode<Q: Decodable>(head: &RequestHeader) -> Result<Q> {
    let mut body = head.body.clone();
    Q::decode(&mut body, head.api_version).with_context(|| format!("{:?} {}", head.api_key, head.api_version))
}

/// The chunks of a frame that holds nothing stored.
fn in_memory(frame: Frame) -> Vec<Bytes> {
    let here = |slice| match slice {
        Slice::Here(bytes) => Some(bytes),
        Slice::Stored(_) => None,
    };
    frame.chunks.into_iter().filter_map(here).collect()
}

fn response_head(head: &RequestHeader) -> ResponseHead {
    ResponseHead { correlation_id: head.correlation_id, version: head.api_version, flexible: false }
}

fn encode<R: Encodable + HeaderVersion>(head: &RequestHeader, response: &R) -> Result<Vec<Bytes>> {
    let flexible = R::header_version(head.api_version) >= 1;
    Ok(in_memory(Frame::encode(ResponseHead { flexible, ..response_head(head) }, response)?))
}
