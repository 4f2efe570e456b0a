//! Requests as frames that are encoded once and sent many times, and the places in an answer that are looked at.

use anyhow::{Context, Result, bail};
use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{ApiKey, ProduceRequest, RequestHeader, TopicName};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, StrBytes};
use milena::wire::batch::BatchBuilder;

use crate::payload::Payloads;

/// The last version of Produce that names topics.
const PRODUCE_VERSION: i16 = 12;
/// Bytes of a frame's length.
pub(crate) const LENGTH_BYTES: usize = 4;
/// Where the correlation id stands in a request's frame, behind length, key and version.
const CORRELATION_AT: usize = 8;

/// A request with its length in front.
#[derive(Clone)]
pub(crate) struct Request {
    frame: Vec<u8>,
}

impl Request {
    /// Encodes a request in this version.
    pub(crate) fn encode<Q: Encodable + HeaderVersion>(api: ApiKey, version: i16, body: &Q) -> Result<Self> {
        let mut message = BytesMut::new();
        RequestHeader::default()
            .with_request_api_key(api as i16)
            .with_request_api_version(version)
            .with_client_id(Some(StrBytes::from_static_str("load")))
            .encode(&mut message, Q::header_version(version))
            .and_then(|()| body.encode(&mut message, version))
            .with_context(|| format!("encoding {api:?} {version}"))?;
        let mut frame = Vec::with_capacity(LENGTH_BYTES + message.len());
        frame.put_i32(i32::try_from(message.len())?);
        frame.extend_from_slice(&message);
        Ok(Self { frame })
    }

    /// The bytes to send, with this correlation id.
    pub(crate) fn with_correlation(&mut self, id: i32) -> &[u8] {
        self.frame[CORRELATION_AT..CORRELATION_AT + 4].clone_from_slice(&id.to_be_bytes());
        &self.frame
    }
}

/// Decodes an answer, without its length.
pub(crate) fn decode<R: Decodable + HeaderVersion>(answer: &[u8], version: i16) -> Result<R> {
    let head = if R::header_version(version) >= 1 { 5 } else { 4 };
    let mut body = Bytes::copy_from_slice(answer.get(head..).context("an answer without a header")?);
    R::decode(&mut body, version)
}

/// Refuses an answer that is not the one to this request.
pub(crate) fn check_correlation(answer: &[u8], id: i32) -> Result<()> {
    let found = i32_at(answer, 0)?;
    if found != id {
        bail!("the answer to request {id} carries correlation id {found}");
    }
    Ok(())
}

/// A Produce request (acks=1) that is sent again and again, and how its answers are checked.
#[derive(Clone)]
pub(crate) struct Produce {
    pub(crate) request: Request,
    /// Where the partition's error code stands in the answer.
    error_at: usize,
}

impl Produce {
    /// One batch of one record with a value of this size; `now_ms` is its timestamp.
    pub(crate) fn new(topic: &str, partition: i32, size: usize, now_ms: i64) -> Result<Self> {
        let mut batch = BatchBuilder::new(now_ms);
        batch.push(None, Some(Payloads::new(size).get(0)), now_ms);
        let records = batch.build(0).bytes;
        let data = PartitionProduceData::default().with_index(partition).with_records(Some(records));
        let name = TopicName(StrBytes::from_string(topic.to_owned()));
        let body = ProduceRequest::default().with_acks(1).with_timeout_ms(30_000).with_topic_data(vec![
            TopicProduceData::default().with_name(name).with_partition_data(vec![data]),
        ]);
        // Correlation id, no tagged field; one topic, its name; one partition, its index.
        let name_length_bytes = if topic.len() < 127 { 1 } else { 2 };
        let error_at = (4 + 1) + (1 + name_length_bytes + topic.len()) + (1 + 4);
        Ok(Self { request: Request::encode(ApiKey::Produce, PRODUCE_VERSION, &body)?, error_at })
    }

    /// Refuses an answer with an error.
    pub(crate) fn check(&self, answer: &[u8]) -> Result<()> {
        match i16_at(answer, self.error_at)? {
            0 => Ok(()),
            code => bail!("Produce was answered with error {code}"),
        }
    }
}

/// Reads a 16-bit number of an answer.
pub(crate) fn i16_at(answer: &[u8], at: usize) -> Result<i16> {
    let bytes = answer.get(at..).and_then(<[u8]>::first_chunk);
    bytes
        .map(|bytes| i16::from_be_bytes(*bytes))
        .with_context(|| format!("an answer of {} bytes", answer.len()))
}

/// Reads a 32-bit number of an answer.
pub(crate) fn i32_at(answer: &[u8], at: usize) -> Result<i32> {
    let bytes = answer.get(at..).and_then(<[u8]>::first_chunk);
    bytes
        .map(|bytes| i32::from_be_bytes(*bytes))
        .with_context(|| format!("an answer of {} bytes", answer.len()))
}
