//! A Fetch response (versions 4–18) as chunks: the records stay the slices that the log handed out, everything
//! between them is encoded into small buffers. The protocol crate's encoder would copy every record.

use bytes::{BufMut, BytesMut};

use super::frame::{Frame, LENGTH_BYTES, ResponseHead};
use super::slices::{Slice, Slices};
use crate::types::{TopicId, TopicName};

/// First version with topic ids instead of names (KIP-516).
const TOPIC_IDS_FROM: i16 = 13;
/// First version with tagged fields and compact encodings.
const FLEXIBLE_FROM: i16 = 12;

/// A whole response.
#[derive(Debug, Default)]
pub struct FetchResponse {
    /// The error of the request as a whole; 0 for none.
    pub error_code: i16,
    /// The session that the client may go on with; 0 for none (KIP-227).
    pub session_id: i32,
    /// The answers by topic.
    pub topics: Vec<FetchedTopic>,
}

/// The partitions of one topic.
#[derive(Debug)]
pub struct FetchedTopic {
    /// The name; written before version 13.
    pub name: TopicName,
    /// The id; written from version 13 on.
    pub id: TopicId,
    /// The answers by partition.
    pub partitions: Vec<FetchedPartition>,
}

/// One partition's answer.
#[derive(Debug)]
pub struct FetchedPartition {
    /// The partition's index.
    pub partition: i32,
    /// 0 for none.
    pub error_code: i16,
    /// −1 when unknown.
    pub high_watermark: i64,
    /// −1 when unknown.
    pub last_stable_offset: i64,
    /// −1 when unknown.
    pub log_start: i64,
    /// Where the asker's log and this one part, as the largest common epoch and its end (KIP-595).
    pub diverging: Option<(i32, i64)>,
    /// Leader and leader epoch for a client that asked with a wrong one (KIP-951).
    pub current_leader: Option<(i32, i32)>,
    /// Producer ids and first offsets of aborted transactions; `None` for read_uncommitted.
    pub aborted: Option<Vec<(i64, i64)>>,
    /// Whole batches.
    pub records: Slices,
}

impl FetchedPartition {
    /// An answer that is nothing but an error.
    pub fn error(partition: i32, error_code: i16) -> Self {
        Self {
            partition,
            error_code,
            high_watermark: -1,
            last_stable_offset: -1,
            log_start: -1,
            diverging: None,
            current_leader: None,
            aborted: None,
            records: Slices::default(),
        }
    }
}

impl FetchResponse {
    /// Encodes this response. The error says why it has no encoding.
    pub fn into_frame(self, mut head: ResponseHead) -> Result<Frame, String> {
        head.flexible = head.version >= FLEXIBLE_FROM;
        let mut writer = Writer { version: head.version, chunks: Vec::new(), buffer: BytesMut::new() };
        writer.response(self)?;
        let mut chunks = writer.finish();
        let size: usize = chunks.iter().map(Slice::len).sum();
        if i32::try_from(size.saturating_add(head.size_bytes())).is_err() {
            return Err("larger than 2 GiB".to_owned());
        }
        let mut first = BytesMut::with_capacity(
            LENGTH_BYTES
                .saturating_add(head.size_bytes())
                .saturating_add(chunks.first().map_or(0, Slice::len)),
        );
        head.write(&mut first, size);
        if let Some(Slice::Here(chunk)) = chunks.first_mut() {
            first.extend_from_slice(chunk);
            *chunk = first.freeze();
        }
        Ok(Frame { chunks })
    }
}

struct Writer {
    version: i16,
    chunks: Vec<Slice>,
    buffer: BytesMut,
}

impl Writer {
    fn flexible(&self) -> bool {
        self.version >= FLEXIBLE_FROM
    }

    fn response(&mut self, response: FetchResponse) -> Result<(), String> {
        self.buffer.put_i32(0);
        if self.version >= 7 {
            self.buffer.put_i16(response.error_code);
            self.buffer.put_i32(response.session_id);
        }
        self.count(Some(response.topics.len()))?;
        for topic in response.topics {
            self.topic(topic)?;
        }
        self.no_tags();
        Ok(())
    }

    fn topic(&mut self, topic: FetchedTopic) -> Result<(), String> {
        if self.version >= TOPIC_IDS_FROM {
            self.buffer.put_slice(topic.id.0.as_bytes());
        } else {
            if self.flexible() {
                self.count(Some(topic.name.len()))?;
            } else {
                self.buffer.put_i16(i16::try_from(topic.name.len()).map_err(|_| "a topic name is too long")?);
            }
            self.buffer.put_slice(topic.name.as_bytes());
        }
        self.count(Some(topic.partitions.len()))?;
        for partition in topic.partitions {
            self.partition(partition)?;
        }
        self.no_tags();
        Ok(())
    }

    fn partition(&mut self, partition: FetchedPartition) -> Result<(), String> {
        self.buffer.put_i32(partition.partition);
        self.buffer.put_i16(partition.error_code);
        self.buffer.put_i64(partition.high_watermark);
        self.buffer.put_i64(partition.last_stable_offset);
        if self.version >= 5 {
            self.buffer.put_i64(partition.log_start);
        }
        self.count(partition.aborted.as_ref().map(Vec::len))?;
        for (producer_id, first_offset) in partition.aborted.iter().flatten() {
            self.buffer.put_i64(*producer_id);
            self.buffer.put_i64(*first_offset);
            self.no_tags();
        }
        if self.version >= 11 {
            // No other replica is preferred: this node is the only one.
            self.buffer.put_i32(-1);
        }
        self.records(partition.records)?;
        if self.flexible() {
            self.partition_tags(partition.diverging, partition.current_leader);
        }
        Ok(())
    }

    /// Tags 0 and 1 of a partition: both hold an epoch or id of 4 bytes, and a closing section without tags.
    fn partition_tags(&mut self, diverging: Option<(i32, i64)>, current_leader: Option<(i32, i32)>) {
        self.buffer.put_u8(u8::from(diverging.is_some()).saturating_add(u8::from(current_leader.is_some())));
        if let Some((epoch, end_offset)) = diverging {
            self.buffer.put_slice(&[0, 13]);
            self.buffer.put_i32(epoch);
            self.buffer.put_i64(end_offset);
            self.buffer.put_u8(0);
        }
        if let Some((leader, epoch)) = current_leader {
            self.buffer.put_slice(&[1, 9]);
            self.buffer.put_i32(leader);
            self.buffer.put_i32(epoch);
            self.buffer.put_u8(0);
        }
    }

    /// Empty records have a length of zero, never null: librdkafka refuses null from version 12 on.
    fn records(&mut self, records: Slices) -> Result<(), String> {
        if self.flexible() {
            self.count(Some(records.len()))?;
        } else {
            self.buffer.put_i32(i32::try_from(records.len()).map_err(|_| "records above 2 GiB")?);
        }
        if !records.is_empty() {
            self.chunks.push(self.buffer.split().freeze().into());
            self.chunks.extend(records);
        }
        Ok(())
    }

    /// An array's count or a flexible string's or bytes' length; `None` is null.
    fn count(&mut self, count: Option<usize>) -> Result<(), String> {
        let count = count.map(u32::try_from).transpose().map_err(|_| "a count is above 2^32")?;
        if self.flexible() {
            self.varint(count.map_or(0, |count| count.saturating_add(1)));
        } else {
            self.buffer.put_i32(count.map_or(-1, |count| i32::try_from(count).unwrap_or(i32::MAX)));
        }
        Ok(())
    }

    fn varint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.buffer.put_u8(value as u8 | 0x80);
            value >>= 7;
        }
        self.buffer.put_u8(value as u8);
    }

    fn no_tags(&mut self) {
        if self.flexible() {
            self.buffer.put_u8(0);
        }
    }

    fn finish(mut self) -> Vec<Slice> {
        if !self.buffer.is_empty() {
            self.chunks.push(self.buffer.freeze().into());
        }
        self.chunks
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use kafka_protocol::messages::fetch_response::{
        AbortedTransaction, EpochEndOffset, FetchableTopicResponse, LeaderIdAndEpoch, PartitionData,
    };
    use kafka_protocol::messages::{
        BrokerId, FetchResponse as CrateResponse, ProducerId, TopicName as CrateName,
    };
    use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};

    use super::*;

    fn partitions() -> Vec<FetchedPartition> {
        let full = FetchedPartition {
            partition: 3,
            error_code: 0,
            high_watermark: 12,
            last_stable_offset: 11,
            log_start: 2,
            diverging: None,
            current_leader: None,
            aborted: Some(vec![(7, 5), (8, 6)]),
            records: Bytes::from(vec![9; 300]).into(),
        };
        let diverging = FetchedPartition {
            diverging: Some((4, 77)),
            current_leader: Some((1, 6)),
            ..FetchedPartition::error(1, 74)
        };
        vec![full, FetchedPartition::error(0, 3), diverging]
    }

    fn crate_partition(partition: &FetchedPartition, version: i16) -> PartitionData {
        let mut data = PartitionData::default()
            .with_partition_index(partition.partition)
            .with_error_code(partition.error_code)
            .with_high_watermark(partition.high_watermark)
            .with_last_stable_offset(partition.last_stable_offset)
            .with_log_start_offset(if version >= 5 { partition.log_start } else { -1 })
            .with_preferred_read_replica(BrokerId(-1))
            .with_aborted_transactions(partition.aborted.as_ref().map(|all| {
                let transaction = |(id, first): &(i64, i64)| {
                    AbortedTransaction::default().with_producer_id(ProducerId(*id)).with_first_offset(*first)
                };
                all.iter().map(transaction).collect()
            }))
            .with_records(Some(partition.records.clone().into_bytes().unwrap()));
        if let (Some((epoch, end)), true) = (partition.diverging, version >= 12) {
            data.diverging_epoch = EpochEndOffset::default().with_epoch(epoch).with_end_offset(end);
        }
        if let (Some((leader, epoch)), true) = (partition.current_leader, version >= 12) {
            data.current_leader =
                LeaderIdAndEpoch::default().with_leader_id(BrokerId(leader)).with_leader_epoch(epoch);
        }
        data
    }

    #[test]
    fn every_version_has_the_bytes_of_the_protocol_crate() {
        for version in 4..=18 {
            let id = TopicId::random();
            let expected = CrateResponse::default()
                .with_session_id(if version >= 7 { 5 } else { 0 })
                .with_responses(vec![
                    FetchableTopicResponse::default()
                        .with_topic(CrateName(StrBytes::from_static_str(if version < 13 {
                            "orders"
                        } else {
                            ""
                        })))
                        .with_topic_id(if version >= 13 { id.0 } else { uuid::Uuid::nil() })
                        .with_partitions(partitions().iter().map(|p| crate_partition(p, version)).collect()),
                ]);
            let ours = FetchResponse {
                error_code: 0,
                session_id: 5,
                topics: vec![FetchedTopic { name: "orders".into(), id, partitions: partitions() }],
            };
            let mut body = BytesMut::new();
            expected.encode(&mut body, version).unwrap();
            let head = ResponseHead { correlation_id: 42, version, flexible: false };
            let frame = ours.into_frame(head).unwrap().into_bytes().unwrap();
            let header_bytes = if version >= 12 { 9 } else { 8 };
            assert_eq!(frame[..4], (frame.len() as i32 - 4).to_be_bytes());
            assert_eq!(frame[4..8], 42_i32.to_be_bytes());
            assert_eq!(frame[header_bytes..], body[..], "version {version}");
            let mut bytes = Bytes::copy_from_slice(&frame[header_bytes..]);
            CrateResponse::decode(&mut bytes, version).unwrap();
            assert!(bytes.is_empty());
        }
    }

    #[test]
    fn records_are_not_copied() {
        let records = Bytes::from(vec![1; 100]);
        let partition = FetchedPartition { records: records.clone().into(), ..FetchedPartition::error(0, 0) };
        let topics = vec![FetchedTopic { name: "t".into(), id: TopicId::ZERO, partitions: vec![partition] }];
        let head = ResponseHead { correlation_id: 1, version: 12, flexible: false };
        let frame = FetchResponse { topics, ..FetchResponse::default() }.into_frame(head).unwrap();
        let is_it = |chunk: &Slice| matches!(chunk, Slice::Here(bytes) if bytes.as_ptr() == records.as_ptr());
        assert!(frame.chunks.iter().any(is_it));
    }
}
