//! The messages against the protocol crate's, where both have the version, and against bytes where it has not.

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages as theirs;
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Message, StrBytes};
use uuid::Uuid;

use super::*;

fn bytes<M: Encodable>(message: &M, version: i16) -> Bytes {
    let mut bytes = BytesMut::new();
    message.encode(&mut bytes, version).unwrap_or_else(|error| panic!("v{version}: {error}"));
    assert_eq!(message.compute_size(version).unwrap(), bytes.len(), "v{version}");
    bytes.freeze()
}

/// Reads `message` at every version as `Ours`, and writes the same bytes.
fn same_bytes<Theirs, Ours>(message: impl Fn(i16) -> Theirs)
where
    Theirs: Encodable + Message + HeaderVersion,
    Ours: Encodable + Decodable + Message + HeaderVersion,
{
    assert_eq!(Ours::VERSIONS.min, Theirs::VERSIONS.min);
    for version in Theirs::VERSIONS.min..=Theirs::VERSIONS.max {
        let expected = bytes(&message(version), version);
        let read = Ours::decode(&mut expected.clone(), version).unwrap();
        assert_eq!(bytes(&read, version), expected, "v{version}");
        assert_eq!(Ours::header_version(version), Theirs::header_version(version), "v{version}");
    }
}

fn text(text: &'static str) -> StrBytes {
    StrBytes::from_static_str(text)
}

#[test]
fn list_offsets_is_the_crates_message_with_one_version_more() {
    use theirs::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
    use theirs::list_offsets_response::{ListOffsetsPartitionResponse, ListOffsetsTopicResponse};
    same_bytes::<_, ListOffsetsRequest>(|version| {
        let partition = ListOffsetsPartition::default().with_partition_index(3).with_timestamp(-2);
        let topic = ListOffsetsTopic::default()
            .with_name(theirs::TopicName(text("t")))
            .with_partitions(vec![partition.clone(), partition]);
        theirs::ListOffsetsRequest::default()
            .with_replica_id(theirs::BrokerId(-1))
            .with_isolation_level(i8::from(version >= 2))
            .with_timeout_ms(if version >= 10 { 9 } else { 0 })
            .with_topics(vec![topic])
    });
    same_bytes::<_, ListOffsetsResponse>(|version| {
        let partition = ListOffsetsPartitionResponse::default()
            .with_partition_index(3)
            .with_error_code(5)
            .with_timestamp(7)
            .with_offset(i64::MAX)
            .with_leader_epoch(if version >= 4 { 2 } else { -1 });
        let topic = ListOffsetsTopicResponse::default()
            .with_name(theirs::TopicName(text("t")))
            .with_partitions(vec![partition]);
        theirs::ListOffsetsResponse::default().with_throttle_time_ms(1).with_topics(vec![topic])
    });
}

#[test]
fn offset_commit_is_the_crates_message_with_one_version_more() {
    use theirs::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
    use theirs::offset_commit_response::{OffsetCommitResponsePartition, OffsetCommitResponseTopic};
    same_bytes::<_, OffsetCommitRequest>(|version| {
        let partition = OffsetCommitRequestPartition::default()
            .with_partition_index(3)
            .with_committed_offset(9)
            .with_committed_leader_epoch(4);
        let null = partition.clone().with_committed_metadata(None);
        let noted = partition.with_committed_metadata(Some(text("note")));
        let topic = OffsetCommitRequestTopic::default()
            .with_name(theirs::TopicName(text("t")))
            .with_partitions(vec![null, noted]);
        theirs::OffsetCommitRequest::default()
            .with_group_id(theirs::GroupId(text("g")))
            .with_member_id(text("m"))
            .with_group_instance_id((version >= 7).then(|| text("i")))
            .with_retention_time_ms(if version < 5 { 8 } else { -1 })
            .with_topics(vec![topic])
    });
    same_bytes::<_, OffsetCommitResponse>(|_| {
        let partition = OffsetCommitResponsePartition::default().with_partition_index(3).with_error_code(3);
        let topic = OffsetCommitResponseTopic::default()
            .with_name(theirs::TopicName(text("t")))
            .with_partitions(vec![partition]);
        theirs::OffsetCommitResponse::default().with_topics(vec![topic])
    });
}

#[test]
fn offset_fetch_is_the_crates_message_with_one_version_more() {
    use theirs::offset_fetch_request::{
        OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
    };
    use theirs::offset_fetch_response::{
        OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
        OffsetFetchResponseTopic, OffsetFetchResponseTopics,
    };
    let name = || theirs::TopicName(text("t"));
    same_bytes::<_, OffsetFetchRequest>(|version| {
        let request = theirs::OffsetFetchRequest::default().with_require_stable(version >= 7);
        if version < 8 {
            let topic =
                OffsetFetchRequestTopic::default().with_name(name()).with_partition_indexes(vec![1, 2]);
            let topics = if version == 3 { None } else { Some(vec![topic]) };
            return request.with_group_id(theirs::GroupId(text("g"))).with_topics(topics);
        }
        let topic = OffsetFetchRequestTopics::default().with_name(name()).with_partition_indexes(vec![1, 2]);
        let group = OffsetFetchRequestGroup::default()
            .with_group_id(theirs::GroupId(text("g")))
            .with_member_id((version >= 9).then(|| text("m")));
        request.with_groups(vec![group.clone().with_topics(None), group.with_topics(Some(vec![topic]))])
    });
    same_bytes::<_, OffsetFetchResponse>(|version| {
        let response = theirs::OffsetFetchResponse::default();
        if version < 8 {
            let partition =
                OffsetFetchResponsePartition::default().with_committed_offset(9).with_metadata(None);
            let topic =
                OffsetFetchResponseTopic::default().with_name(name()).with_partitions(vec![partition]);
            return response.with_topics(vec![topic]).with_error_code(i16::from(version >= 2));
        }
        let partition =
            OffsetFetchResponsePartitions::default().with_committed_offset(9).with_committed_leader_epoch(3);
        let topic = OffsetFetchResponseTopics::default().with_name(name()).with_partitions(vec![partition]);
        let group = OffsetFetchResponseGroup::default()
            .with_group_id(theirs::GroupId(text("g")))
            .with_topics(vec![topic])
            .with_error_code(4);
        response.with_groups(vec![group])
    });
}

#[test]
fn describe_log_dirs_is_the_crates_message_with_one_version_more() {
    use theirs::describe_log_dirs_request::DescribableLogDirTopic;
    use theirs::describe_log_dirs_response::{
        DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
    };
    same_bytes::<_, DescribeLogDirsRequest>(|version| {
        let topic = DescribableLogDirTopic::default()
            .with_topic(theirs::TopicName(text("t")))
            .with_partitions(vec![1]);
        theirs::DescribeLogDirsRequest::default().with_topics((version > 1).then(|| vec![topic]))
    });
    same_bytes::<_, DescribeLogDirsResponse>(|_| {
        let partition =
            DescribeLogDirsPartition::default().with_partition_size(1 << 40).with_is_future_key(true);
        let topic = DescribeLogDirsTopic::default()
            .with_name(theirs::TopicName(text("t")))
            .with_partitions(vec![partition]);
        let result = DescribeLogDirsResult::default()
            .with_log_dir(text("/d"))
            .with_total_bytes(5)
            .with_usable_bytes(4)
            .with_topics(vec![topic]);
        theirs::DescribeLogDirsResponse::default().with_error_code(2).with_results(vec![result])
    });
}

#[test]
fn a_topic_has_an_id_instead_of_a_name_from_version_10_on() {
    let id = Uuid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10);
    let topic = offset_commit::OffsetCommitResponseTopic {
        name: text("left out"),
        topic_id: id,
        ..offset_commit::OffsetCommitResponseTopic::default()
    };
    let response = OffsetCommitResponse { topics: vec![topic], ..OffsetCommitResponse::default() };
    let expected = [&[0, 0, 0, 0, 2][..], id.as_bytes(), &[1, 0, 0]].concat();
    assert_eq!(bytes(&response, 10), expected);
    let read = OffsetCommitResponse::decode(&mut Bytes::from(expected), 10).unwrap();
    assert_eq!((read.topics[0].topic_id, &*read.topics[0].name), (id, ""));
}

#[test]
fn what_the_definition_does_not_allow_is_refused() {
    let decode = |bytes: &'static [u8], version| {
        OffsetFetchRequest::decode(&mut Bytes::from_static(bytes), version)
            .map_err(|error| error.downcast::<MessageError>().unwrap())
    };
    // A group "g" and null for the topics.
    let null_topics = b"\0\x01g\xff\xff\xff\xff";
    assert_eq!(decode(null_topics, 1), Err(MessageError::Null { field: "topics" }));
    assert_eq!(decode(null_topics, 2).unwrap().topics, None);
    assert_eq!(decode(b"\xff\xff\0\0\0\0", 1), Err(MessageError::Null { field: "groupId" }));
    assert_eq!(decode(b"\0\x01\xff\0\0\0\0", 1), Err(MessageError::Utf8 { field: "groupId" }));
    assert_eq!(decode(b"\0\x05g", 1), Err(MessageError::Truncated));
    assert_eq!(decode(b"\0\x01g\x7f\xff\xff\xff", 1), Err(MessageError::Truncated));
    let negative = MessageError::Length { field: "topics", length: -2 };
    assert_eq!(decode(b"\0\x01g\xff\xff\xff\xfe", 1), Err(negative));
    assert_eq!(decode(b"\xff\xff\xff\xff\x1f", 6), Err(MessageError::Varint));
    assert_eq!(decode(b"", 11), Err(MessageError::Version { message: "OffsetFetchRequest", version: 11 }));
    let stable = OffsetFetchRequest { require_stable: true, ..OffsetFetchRequest::default() };
    let refused = stable.encode(&mut BytesMut::new(), 6).unwrap_err().downcast::<MessageError>().unwrap();
    assert_eq!(refused, MessageError::FieldNotInVersion { field: "requireStable", version: 6 });
}

#[test]
fn a_string_longer_than_kafka_reads_is_refused_in_either_length_format() {
    let read = |length: usize| {
        let group = theirs::offset_fetch_request::OffsetFetchRequestGroup::default()
            .with_group_id(theirs::GroupId(StrBytes::from_string("g".repeat(length))));
        let request = theirs::OffsetFetchRequest::default().with_groups(vec![group]);
        OffsetFetchRequest::decode(&mut bytes(&request, 8), 8).map(|read| read.groups[0].group_id.len())
    };
    assert_eq!(read(32_767).unwrap(), 32_767);
    assert!(read(32_768).is_err());
}
