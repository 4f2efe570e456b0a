//! A blocking connection with one request at a time: for what a client library hides, such as topic ids, watermarks of
//! each answer and the batches as they are.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::fetch_response::PartitionData;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    ApiKey, BrokerId, CreateTopicsRequest, CreateTopicsResponse, DeleteRecordsRequest, DeleteRecordsResponse,
    DeleteTopicsRequest, DeleteTopicsResponse, FetchRequest, FetchResponse, ListOffsetsRequest,
    ListOffsetsResponse, MetadataRequest, MetadataResponse, OffsetFetchRequest, OffsetFetchResponse,
    ProduceRequest, ProduceResponse, RequestHeader, ResponseHeader, TopicName,
};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, StrBytes};
use milena::wire::batch::Batch;
use uuid::Uuid;

use super::checker::{Place, Read};
use super::record::{Content, MARK, Mark};

/// Longer than a broker may be stopped.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// What one Fetch may bring.
const FETCH_BYTES: i32 = 4 << 20;
const PARTITION_BYTES: i32 = 1 << 20;
/// Where the bytes under a batch's checksum begin, and where the checksum stands.
const CRC_FROM: usize = 21;
const CRC_AT: std::ops::Range<usize> = 17..21;

/// A topic as Metadata tells it.
pub(crate) struct Listed {
    pub(crate) id: Uuid,
    /// Partition and leader epoch.
    pub(crate) partitions: Vec<(i32, i32)>,
}

/// What a Fetch tells of one partition.
pub(crate) struct Fetched {
    pub(crate) error: i16,
    pub(crate) start: i64,
    pub(crate) high_watermark: i64,
    pub(crate) records: Vec<Read>,
    /// Where the next Fetch goes on.
    pub(crate) next: i64,
    /// Bytes of the batches.
    pub(crate) bytes: u64,
    /// The records could be read up to here only.
    pub(crate) damage: Option<String>,
}

/// The connection. After an error it is of no use.
pub(crate) struct Raw {
    stream: TcpStream,
    correlation: i32,
}

fn name(text: &str) -> TopicName {
    StrBytes::from_string(text.to_owned()).into()
}

impl Raw {
    pub(crate) fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect_timeout(&address, CONNECT_TIMEOUT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
        Ok(Self { stream, correlation: 0 })
    }

    fn ask<Q, R>(&mut self, api: ApiKey, version: i16, request: &Q) -> Result<R>
    where
        Q: Encodable + HeaderVersion,
        R: Decodable + HeaderVersion,
    {
        self.correlation += 1;
        let mut message = BytesMut::new();
        message.put_i32(0);
        RequestHeader::default()
            .with_request_api_key(api as i16)
            .with_request_api_version(version)
            .with_correlation_id(self.correlation)
            .with_client_id(Some(StrBytes::from_static_str("torture")))
            .encode(&mut message, Q::header_version(version))?;
        request.encode(&mut message, version)?;
        let length = (message.len() - 4) as u32;
        message.get_mut(..4).context("room for the length")?.clone_from_slice(&length.to_be_bytes());
        self.stream.write_all(&message)?;
        let mut answer = self.frame()?;
        let header = ResponseHeader::decode(&mut answer, R::header_version(version))?;
        if header.correlation_id != self.correlation {
            bail!("an answer to request {} where {} is next", header.correlation_id, self.correlation);
        }
        R::decode(&mut answer, version)
    }

    fn frame(&mut self) -> Result<Bytes> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let mut frame = vec![0; usize::try_from(i32::from_be_bytes(length))?];
        self.stream.read_exact(&mut frame)?;
        Ok(frame.into())
    }

    /// All topics but those of the broker.
    pub(crate) fn topics(&mut self) -> Result<BTreeMap<String, Listed>> {
        let request = MetadataRequest::default().with_topics(None).with_allow_auto_topic_creation(false);
        let answer: MetadataResponse = self.ask(ApiKey::Metadata, 12, &request)?;
        let mut topics = BTreeMap::new();
        for topic in answer.topics.iter().filter(|topic| !topic.is_internal && topic.error_code == 0) {
            let partitions = topic.partitions.iter();
            let partitions = partitions.map(|found| (found.partition_index, found.leader_epoch)).collect();
            let name = topic.name.as_ref().map_or("", |name| name.0.as_str());
            topics.insert(name.to_owned(), Listed { id: topic.topic_id, partitions });
        }
        Ok(topics)
    }

    /// Creates a topic; its id, or the error that was answered.
    pub(crate) fn create(
        &mut self,
        topic: &str,
        partitions: i32,
        configs: &[(&str, &str)],
    ) -> Result<Result<Uuid, i16>> {
        let string = |text: &str| StrBytes::from_string(text.to_owned());
        let config = |(key, value): &(&str, &str)| {
            CreatableTopicConfig::default().with_name(string(key)).with_value(Some(string(value)))
        };
        let topic = CreatableTopic::default()
            .with_name(name(topic))
            .with_num_partitions(partitions)
            .with_replication_factor(1)
            .with_configs(configs.iter().map(config).collect());
        let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(10_000);
        let answer: CreateTopicsResponse = self.ask(ApiKey::CreateTopics, 7, &request)?;
        let topic = answer.topics.first().context("an answer about the topic")?;
        Ok(if topic.error_code == 0 { Ok(topic.topic_id) } else { Err(topic.error_code) })
    }

    /// Deletes a topic by its id; the error code.
    pub(crate) fn delete(&mut self, id: Uuid) -> Result<i16> {
        let topic = DeleteTopicState::default().with_name(None).with_topic_id(id);
        let request = DeleteTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(10_000);
        let answer: DeleteTopicsResponse = self.ask(ApiKey::DeleteTopics, 6, &request)?;
        Ok(answer.responses.first().context("an answer about the topic")?.error_code)
    }

    /// Sends a batch; its offset, or the error that was answered.
    pub(crate) fn produce(&mut self, topic: &str, partition: i32, batch: Bytes) -> Result<Result<i64, i16>> {
        let data = PartitionProduceData::default().with_index(partition).with_records(Some(batch));
        let topic = TopicProduceData::default().with_name(name(topic)).with_partition_data(vec![data]);
        let request =
            ProduceRequest::default().with_acks(-1).with_timeout_ms(10_000).with_topic_data(vec![topic]);
        let answer: ProduceResponse = self.ask(ApiKey::Produce, 9, &request)?;
        let partition = answer.responses.first().and_then(|topic| topic.partition_responses.first());
        let partition = partition.context("an answer about the partition")?;
        Ok(if partition.error_code == 0 { Ok(partition.base_offset) } else { Err(partition.error_code) })
    }

    /// Moves the log start; the new one, or the error that was answered.
    pub(crate) fn trim(&mut self, topic: &str, partition: i32, offset: i64) -> Result<Result<i64, i16>> {
        let asked = DeleteRecordsPartition::default().with_partition_index(partition).with_offset(offset);
        let topic = DeleteRecordsTopic::default().with_name(name(topic)).with_partitions(vec![asked]);
        let request = DeleteRecordsRequest::default().with_topics(vec![topic]).with_timeout_ms(10_000);
        let answer: DeleteRecordsResponse = self.ask(ApiKey::DeleteRecords, 2, &request)?;
        let partition = answer.topics.first().and_then(|topic| topic.partitions.first());
        let partition = partition.context("an answer about the partition")?;
        Ok(if partition.error_code == 0 { Ok(partition.low_watermark) } else { Err(partition.error_code) })
    }

    /// Where a log starts.
    pub(crate) fn log_start(&mut self, topic: &str, partition: i32) -> Result<i64> {
        let asked = ListOffsetsPartition::default().with_partition_index(partition).with_timestamp(-2);
        let topic = ListOffsetsTopic::default().with_name(name(topic)).with_partitions(vec![asked]);
        let request = ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(vec![topic]);
        let answer: ListOffsetsResponse = self.ask(ApiKey::ListOffsets, 7, &request)?;
        let partition = answer.topics.first().and_then(|topic| topic.partitions.first());
        let partition = partition.context("an answer about the partition")?;
        match partition.error_code {
            0 => Ok(partition.offset),
            code => bail!("ListOffsets was answered with error {code}"),
        }
    }

    /// What a group has committed for partitions of a topic, −1 where nothing; or the error that was answered.
    pub(crate) fn committed(
        &mut self,
        group: &str,
        topic: &str,
        partitions: &[i32],
    ) -> Result<Result<Vec<i64>, i16>> {
        let topics = OffsetFetchRequestTopics::default()
            .with_name(name(topic))
            .with_partition_indexes(partitions.to_vec());
        let group = OffsetFetchRequestGroup::default()
            .with_group_id(StrBytes::from_string(group.to_owned()).into())
            .with_topics(Some(vec![topics]));
        let request = OffsetFetchRequest::default().with_groups(vec![group]);
        let answer: OffsetFetchResponse = self.ask(ApiKey::OffsetFetch, 8, &request)?;
        let group = answer.groups.first().context("an answer about the group")?;
        if group.error_code != 0 {
            return Ok(Err(group.error_code));
        }
        let topic = group.topics.first().context("an answer about the topic")?;
        if let Some(wrong) = topic.partitions.iter().find(|partition| partition.error_code != 0) {
            return Ok(Err(wrong.error_code));
        }
        Ok(Ok(topic.partitions.iter().map(|partition| partition.committed_offset).collect()))
    }

    /// Reads partitions of topics from offsets on, and waits for the first record if there is none.
    pub(crate) fn fetch(
        &mut self,
        positions: &BTreeMap<Place, i64>,
        wait: Duration,
    ) -> Result<BTreeMap<Place, Fetched>> {
        let mut topics: BTreeMap<Uuid, Vec<FetchPartition>> = BTreeMap::new();
        for (place, offset) in positions {
            let partition = FetchPartition::default()
                .with_partition(place.partition)
                .with_fetch_offset(*offset)
                .with_partition_max_bytes(PARTITION_BYTES);
            topics.entry(place.topic).or_default().push(partition);
        }
        let topic = |(id, partitions)| FetchTopic::default().with_topic_id(id).with_partitions(partitions);
        let request = FetchRequest::default()
            .with_max_wait_ms(wait.as_millis() as i32)
            .with_min_bytes(1)
            .with_max_bytes(FETCH_BYTES)
            .with_session_epoch(-1)
            .with_topics(topics.into_iter().map(topic).collect());
        let answer: FetchResponse = self.ask(ApiKey::Fetch, 13, &request)?;
        if answer.error_code != 0 {
            bail!("Fetch was answered with error {}", answer.error_code);
        }
        let mut fetched = BTreeMap::new();
        for topic in answer.responses {
            for partition in topic.partitions {
                let place = Place { topic: topic.topic_id, partition: partition.partition_index };
                let asked = *positions.get(&place).context("an answer about what was asked for")?;
                fetched.insert(place, Fetched::of(asked, &partition));
            }
        }
        Ok(fetched)
    }
}

impl Fetched {
    fn of(asked: i64, partition: &PartitionData) -> Self {
        let mut fetched = Self {
            error: partition.error_code,
            start: partition.log_start_offset,
            high_watermark: partition.high_watermark,
            records: Vec::new(),
            next: asked,
            bytes: 0,
            damage: None,
        };
        let mut rest = partition.records.clone().unwrap_or_default();
        while !rest.is_empty() {
            match fetched.batch(asked, &rest) {
                Ok(length) => rest = rest.slice(length..),
                Err(error) => {
                    // A last batch that does not fit may be cut off.
                    if fetched.records.is_empty() || format!("{error:#}").contains("checksum") {
                        fetched.damage = Some(format!("{error:#} behind offset {}", fetched.next));
                    }
                    break;
                }
            }
        }
        fetched
    }

    fn batch(&mut self, asked: i64, bytes: &Bytes) -> Result<usize> {
        let batch = Batch::parse(bytes.clone())?;
        let under = batch.bytes.get(CRC_FROM..).context("a batch has a header")?;
        let claimed: [u8; 4] = batch.bytes.get(CRC_AT).context("a batch has a checksum")?.try_into()?;
        if crc32c::crc32c(under) != u32::from_be_bytes(claimed) {
            bail!("the checksum is wrong in the batch at offset {}", batch.header.base_offset);
        }
        for record in batch.records()? {
            let record = record?;
            let offset = batch.header.base_offset + i64::from(record.offset_delta);
            if offset < asked {
                continue;
            }
            let mark = record.headers.iter().find(|(key, _)| key.as_ref() == MARK.as_bytes());
            let mark = mark.and_then(|(_, value)| Mark::decode(value.as_deref()?));
            let timestamp_ms = batch.header.base_timestamp + record.timestamp_delta;
            let content = mark
                .map(|mark| Content::new(mark, record.key.as_deref(), record.value.as_deref(), timestamp_ms));
            self.records.push(Read { offset, content });
        }
        self.next = batch.header.next_offset();
        self.bytes += batch.bytes.len() as u64;
        Ok(batch.bytes.len())
    }
}

/// An error code that was answered, as an error.
pub(crate) fn answered(code: i16) -> anyhow::Error {
    anyhow!("error {code}")
}
