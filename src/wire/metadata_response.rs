//! A Metadata response (versions 0–13), written as it is told: the answer for all topics of a large cluster is one
//! buffer, and no value is made for a topic or a partition. The protocol crate's encoder needs several for each.

use bytes::{BufMut, Bytes, BytesMut};

use super::frame::{Frame, LENGTH_BYTES, ResponseHead};
use crate::types::{NodeId, TopicId};

/// First version with tagged fields and compact encodings.
const FLEXIBLE_FROM: i16 = 9;
/// First version with topic ids (KIP-516).
const TOPIC_IDS_FROM: i16 = 10;
/// Bytes of a topic without its name and partitions, and of a partition without its replicas, at most.
const TOPIC_BYTES: usize = 32;
const PARTITION_BYTES: usize = 36;
/// Bytes of everything around the topics, but for the strings.
const REST_BYTES: usize = 64;

/// The one broker that answers, and its cluster.
#[derive(Clone, Copy, Debug)]
pub struct Answering<'a> {
    /// The broker's node id; it is the controller, too.
    pub node: NodeId,
    /// Its advertised host.
    pub host: &'a str,
    /// Its advertised port.
    pub port: u16,
    /// `broker.rack`.
    pub rack: Option<&'a str>,
    /// The cluster's id.
    pub cluster_id: &'a str,
}

/// What is told of a topic before its partitions.
#[derive(Clone, Copy, Debug)]
pub struct ToldTopic<'a> {
    /// 0 for none.
    pub error_code: i16,
    /// `None`, which only version 12 and later can say, when an id was asked for that nobody has.
    pub name: Option<&'a str>,
    /// Written from version 10 on.
    pub id: TopicId,
    /// Whether it is one of Kafka's own.
    pub internal: bool,
    /// What the client may do (KIP-430); written from version 8 on.
    pub operations: i32,
    /// The number of partitions that follow.
    pub partitions: usize,
}

/// What is told of a partition.
#[derive(Clone, Copy, Debug)]
pub struct ToldPartition<'a> {
    /// 0 for none.
    pub error_code: i16,
    /// Its index.
    pub index: i32,
    /// Its leader; −1 for none.
    pub leader: i32,
    /// Written from version 7 on.
    pub leader_epoch: i32,
    /// All replicas.
    pub replicas: &'a [NodeId],
    /// Those in sync.
    pub isr: &'a [NodeId],
    /// Those that cannot be used; written from version 5 on.
    pub offline: &'a [NodeId],
}

/// A response whose topics are being told. Each topic is followed by as many partitions as it has.
#[derive(Debug)]
pub struct MetadataWriter {
    version: i16,
    buffer: BytesMut,
    /// The operations of the topic that is being told, which stand behind its partitions.
    operations: i32,
    partitions_left: usize,
}

/// A whole response without its header.
#[derive(Debug)]
pub struct MetadataBody(Bytes);

impl MetadataWriter {
    /// Bytes that a topic with a name of `name_bytes` and its partitions, with so many replicas each, take at most.
    pub fn topic_bytes(name_bytes: usize, partitions: usize, replicas: usize) -> usize {
        let partition = replicas.saturating_mul(8).saturating_add(PARTITION_BYTES);
        TOPIC_BYTES.saturating_add(name_bytes).saturating_add(partitions.saturating_mul(partition))
    }

    /// A response at `version` that will hold `topics` topics of about `topic_bytes` bytes together.
    /// Without a broker it tells of none, nor of a cluster: a request that was refused as a whole.
    pub fn new(version: i16, answering: Option<&Answering<'_>>, topics: usize, topic_bytes: usize) -> Self {
        let strings = answering.map(|it| [it.host, it.rack.unwrap_or_default(), it.cluster_id]);
        let strings = strings.iter().flatten().map(|string| string.len());
        let rest: usize = strings.fold(REST_BYTES, usize::saturating_add);
        let buffer = BytesMut::with_capacity(rest.saturating_add(topic_bytes));
        let mut writer = Self { version, buffer, operations: 0, partitions_left: 0 };
        writer.head(answering);
        writer.count(topics);
        writer
    }

    fn head(&mut self, answering: Option<&Answering<'_>>) {
        if self.version >= 3 {
            self.buffer.put_i32(0);
        }
        self.count(usize::from(answering.is_some()));
        if let Some(broker) = answering {
            self.broker(broker);
        }
        if self.version >= 2 {
            self.string(answering.map(|answering| answering.cluster_id));
        }
        if self.version >= 1 {
            self.buffer.put_i32(answering.map_or(-1, |controller| controller.node.0));
        }
    }

    fn broker(&mut self, broker: &Answering<'_>) {
        self.buffer.put_i32(broker.node.0);
        self.string(Some(broker.host));
        self.buffer.put_i32(i32::from(broker.port));
        if self.version >= 1 {
            self.string(broker.rack);
        }
        self.no_tags();
    }

    /// Begins the next topic.
    pub fn topic(&mut self, topic: &ToldTopic<'_>) {
        self.buffer.put_i16(topic.error_code);
        self.string(topic.name);
        if self.version >= TOPIC_IDS_FROM {
            self.buffer.put_slice(topic.id.0.as_bytes());
        }
        if self.version >= 1 {
            self.buffer.put_u8(u8::from(topic.internal));
        }
        self.count(topic.partitions);
        self.operations = topic.operations;
        self.partitions_left = topic.partitions;
        self.end_topic_if_whole();
    }

    /// Adds the next partition of the topic.
    pub fn partition(&mut self, partition: &ToldPartition<'_>) {
        self.buffer.put_i16(partition.error_code);
        self.buffer.put_i32(partition.index);
        self.buffer.put_i32(partition.leader);
        if self.version >= 7 {
            self.buffer.put_i32(partition.leader_epoch);
        }
        self.nodes(partition.replicas);
        self.nodes(partition.isr);
        if self.version >= 5 {
            self.nodes(partition.offline);
        }
        self.no_tags();
        self.partitions_left = self.partitions_left.saturating_sub(1);
        self.end_topic_if_whole();
    }

    fn end_topic_if_whole(&mut self) {
        if self.partitions_left > 0 {
            return;
        }
        if self.version >= 8 {
            self.buffer.put_i32(self.operations);
        }
        self.no_tags();
    }

    /// The whole response; `cluster_operations` stand in versions 8 to 10.
    pub fn finish(mut self, cluster_operations: i32) -> MetadataBody {
        if (8..=10).contains(&self.version) {
            self.buffer.put_i32(cluster_operations);
        }
        if self.version >= 13 {
            self.buffer.put_i16(0);
        }
        self.no_tags();
        MetadataBody(self.buffer.freeze())
    }

    fn flexible(&self) -> bool {
        self.version >= FLEXIBLE_FROM
    }

    fn nodes(&mut self, nodes: &[NodeId]) {
        self.count(nodes.len());
        for node in nodes {
            self.buffer.put_i32(node.0);
        }
    }

    fn string(&mut self, string: Option<&str>) {
        match string {
            Some(string) if self.flexible() => self.count(string.len()),
            // Names and hosts came over the wire or are as short; a rack is bounded by the configuration's line.
            Some(string) => self.buffer.put_i16(i16::try_from(string.len()).unwrap_or(i16::MAX)),
            None if self.flexible() => self.buffer.put_u8(0),
            None => self.buffer.put_i16(-1),
        }
        self.buffer.put_slice(string.unwrap_or_default().as_bytes());
    }

    fn count(&mut self, count: usize) {
        if !self.flexible() {
            return self.buffer.put_i32(i32::try_from(count).unwrap_or(i32::MAX));
        }
        let mut value = u32::try_from(count).unwrap_or(u32::MAX).saturating_add(1);
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
}

impl MetadataBody {
    /// The response behind its header. The error says why it has no encoding.
    pub fn into_frame(self, mut head: ResponseHead) -> Result<Frame, String> {
        head.flexible = head.version >= FLEXIBLE_FROM;
        if i32::try_from(self.0.len().saturating_add(head.size_bytes())).is_err() {
            return Err("larger than 2 GiB".to_owned());
        }
        let mut first = BytesMut::with_capacity(LENGTH_BYTES.saturating_add(head.size_bytes()));
        head.write(&mut first, self.0.len());
        Ok(Frame { chunks: vec![first.freeze().into(), self.0.into()] })
    }
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::metadata_response::{
        MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
    };
    use kafka_protocol::messages::{BrokerId, MetadataResponse};
    use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};

    use super::*;

    const LONG: &str = "a-name-of-more-than-127-bytes-0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789";

    fn told(version: i16, id: TopicId) -> MetadataBody {
        let answering =
            Answering { node: NodeId(3), host: "host", port: 9092, rack: Some("r"), cluster_id: "c" };
        let mut writer = MetadataWriter::new(version, Some(&answering), 3, 0);
        let topic = |name, error_code, internal, partitions| ToldTopic {
            error_code,
            name,
            id,
            internal,
            operations: 77,
            partitions,
        };
        writer.topic(&topic(Some(LONG), 0, false, 2));
        for (index, leader, isr, offline) in [(0, 3, &[NodeId(3)][..], &[][..]), (1, -1, &[], &[NodeId(4)])] {
            let replicas = &[NodeId(3), NodeId(4)];
            let error_code = if leader < 0 { 5 } else { 0 };
            writer.partition(&ToldPartition {
                error_code,
                index,
                leader,
                leader_epoch: 9,
                replicas,
                isr,
                offline,
            });
        }
        writer.topic(&topic(Some("internal"), 0, true, 0));
        writer.topic(&topic((version < 12).then_some(""), 100, false, 0));
        writer.finish(55)
    }

    fn expected(version: i16, id: TopicId) -> MetadataResponse {
        let ids = |ids: &[i32]| ids.iter().map(|id| BrokerId(*id)).collect::<Vec<_>>();
        let epoch = if version >= 7 { 9 } else { -1 };
        let partition = |index, leader, isr: &[i32]| {
            MetadataResponsePartition::default()
                .with_error_code(if leader < 0 { 5 } else { 0 })
                .with_partition_index(index)
                .with_leader_id(BrokerId(leader))
                .with_leader_epoch(epoch)
                .with_replica_nodes(ids(&[3, 4]))
                .with_isr_nodes(ids(isr))
                .with_offline_replicas(ids(if leader < 0 && version >= 5 { &[4] } else { &[] }))
        };
        let topic = |name: Option<&'static str>, error, internal: bool| {
            let mut topic = MetadataResponseTopic::default()
                .with_error_code(error)
                .with_name(name.map(|name| StrBytes::from_static_str(name).into()))
                .with_is_internal(internal && version >= 1);
            if version >= 8 {
                topic.topic_authorized_operations = 77;
            }
            if version >= 10 {
                topic.topic_id = id.0;
            }
            topic
        };
        let node = MetadataResponseBroker::default()
            .with_node_id(BrokerId(3))
            .with_host(StrBytes::from_static_str("host"))
            .with_port(9092)
            .with_rack((version >= 1).then(|| StrBytes::from_static_str("r")));
        let mut response = MetadataResponse::default().with_brokers(vec![node]).with_topics(vec![
            topic(Some(LONG), 0, false).with_partitions(vec![partition(0, 3, &[3]), partition(1, -1, &[])]),
            topic(Some("internal"), 0, true),
            topic((version < 12).then_some(""), 100, false),
        ]);
        if version >= 1 {
            response.controller_id = BrokerId(3);
        }
        if version >= 2 {
            response.cluster_id = Some(StrBytes::from_static_str("c"));
        }
        if (8..=10).contains(&version) {
            response.cluster_authorized_operations = 55;
        }
        response
    }

    #[test]
    fn every_version_has_the_bytes_of_the_protocol_crate() {
        let id = TopicId::random();
        for version in 0..=13 {
            let mut body = BytesMut::new();
            expected(version, id).encode(&mut body, version).unwrap();
            let head = ResponseHead { correlation_id: 42, version, flexible: false };
            let frame = told(version, id).into_frame(head).unwrap().into_bytes().unwrap();
            let header_bytes = if version >= 9 { 9 } else { 8 };
            assert_eq!(frame[..4], (frame.len() as i32 - 4).to_be_bytes());
            assert_eq!(frame[4..8], 42_i32.to_be_bytes());
            assert_eq!(frame[header_bytes..], body[..], "version {version}");
            let mut bytes = Bytes::copy_from_slice(&frame[header_bytes..]);
            MetadataResponse::decode(&mut bytes, version).unwrap();
            assert!(bytes.is_empty());
        }
    }

    #[test]
    fn a_refused_request_is_told_of_no_broker() {
        for version in 0..=13 {
            let mut body = BytesMut::new();
            MetadataResponse::default().encode(&mut body, version).unwrap();
            let told = MetadataWriter::new(version, None, 0, 0).finish(i32::MIN);
            assert_eq!(told.0[..], body[..], "version {version}");
        }
    }

    #[test]
    fn what_is_set_aside_for_a_topic_is_enough_for_it() {
        let topic = MetadataWriter::topic_bytes(LONG.len(), 2, 2);
        for version in 0..=13 {
            let answering = Answering { node: NodeId(3), host: "", port: 1, rack: None, cluster_id: "" };
            let empty = MetadataWriter::new(version, Some(&answering), 0, 0).finish(0).0.len();
            assert!(empty <= REST_BYTES);
            let bytes = told(version, TopicId::ZERO).0.len() - empty - "internalhostrc".len();
            assert!(bytes <= topic + 2 * TOPIC_BYTES, "version {version}: {bytes}");
        }
    }
}
