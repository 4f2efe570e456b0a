//! The edge between the machine's records and Kafka's schemas in `__consumer_offsets`.
//! Reading trusts nothing; a record that is not understood is told apart, never changed.

use bytes::Bytes;

use super::record::{ForeignKind, GroupMetadata, GroupRecord, MemberMetadata, OffsetValue};
use crate::types::TopicId;
use crate::wire::records::RecordError;
use crate::wire::records::codec::key_type;
use crate::wire::records::offsets::{
    GroupMetadataKey, GroupMetadataValue, MemberMetadata as WireMember, OffsetCommitKey, OffsetCommitValue,
};

/// The version of a group's value that Kafka 4.3 writes: the last one before tagged fields.
const GROUP_VALUE_VERSION: i16 = 3;
/// The version of an offset's value that Kafka 4.3 writes; it has the topic's id.
const OFFSET_VALUE_VERSION: i16 = 4;
/// The only version of an offset's value that holds an expiry time.
const OFFSET_VALUE_VERSION_WITH_EXPIRY: i16 = 1;
/// What a record adds to its key and value in a batch, at most: the lengths and deltas as varints.
const RECORD_OVERHEAD_BYTES: usize = 40;
/// What an offset's key and value have beside their strings, at most.
const OFFSET_FIELDS_BYTES: usize = 64;
/// The longest string that Kafka's record schemas hold, in bytes.
pub(super) const STRING_BYTES_MAX: usize = i16::MAX as usize;

/// A record's key and value as bytes; the value of a tombstone is `None`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Encoded {
    pub(crate) key: Vec<u8>,
    pub(crate) value: Option<Vec<u8>>,
}

impl Encoded {
    /// Bytes that the record takes in a batch, at most.
    pub(crate) fn size_bytes(&self) -> usize {
        self.key.len() + self.value.as_ref().map_or(0, Vec::len) + RECORD_OVERHEAD_BYTES
    }
}

/// Bytes for the log. Fails when a string is longer than Kafka's schemas allow.
pub(crate) fn encode(record: &GroupRecord) -> Result<Encoded, RecordError> {
    match record {
        GroupRecord::Metadata { group, value } => Ok(Encoded {
            key: GroupMetadataKey { group: group.as_ref().into() }.encode()?,
            value: value.as_ref().map(encode_group).transpose()?,
        }),
        GroupRecord::Offset { group, topic, partition, value } => Ok(Encoded {
            key: OffsetCommitKey {
                group: group.as_ref().into(),
                topic: topic.as_ref().into(),
                partition: *partition,
            }
            .encode()?,
            value: value.as_ref().map(encode_offset).transpose()?,
        }),
        // Another protocol's records are only ever deleted here.
        GroupRecord::Foreign { key, .. } => Ok(Encoded { key: key.to_vec(), value: None }),
    }
}

/// Bytes that `record` takes in a batch at most; `None` when it cannot be written at all.
pub(crate) fn size_bytes(record: &GroupRecord) -> Option<usize> {
    if let GroupRecord::Offset { group, topic, value, .. } = record {
        let metadata = value.as_ref().map_or(0, |value| value.metadata.len());
        let lengths = [group.len(), topic.len(), metadata];
        let fits = lengths.iter().all(|length| *length <= STRING_BYTES_MAX);
        return fits.then(|| lengths.iter().sum::<usize>() + OFFSET_FIELDS_BYTES + RECORD_OVERHEAD_BYTES);
    }
    encode(record).ok().map(|encoded| encoded.size_bytes())
}

fn encode_group(value: &GroupMetadata) -> Result<Vec<u8>, RecordError> {
    let members = value.members.iter().map(|member| WireMember {
        member_id: member.member_id.as_ref().into(),
        group_instance_id: member.instance_id.as_deref().map(Into::into),
        client_id: member.client_id.as_ref().into(),
        client_host: member.client_host.as_ref().into(),
        rebalance_timeout: member.rebalance_timeout_ms,
        session_timeout: member.session_timeout_ms,
        subscription: member.subscription.clone(),
        assignment: member.assignment.clone(),
    });
    GroupMetadataValue {
        protocol_type: value.protocol_type.as_deref().unwrap_or_default().into(),
        generation: value.generation,
        protocol: value.protocol.as_deref().map(Into::into),
        leader: value.leader.as_deref().map(Into::into),
        current_state_timestamp: value.state_changed_ms.unwrap_or(-1),
        members: members.collect(),
    }
    .encode(GROUP_VALUE_VERSION)
}

fn encode_offset(value: &OffsetValue) -> Result<Vec<u8>, RecordError> {
    let wire = OffsetCommitValue {
        offset: value.offset,
        leader_epoch: value.leader_epoch,
        metadata: value.metadata.as_ref().into(),
        commit_timestamp: value.commit_ms,
        expire_timestamp: value.expire_ms.unwrap_or(-1),
        topic_id: value.topic_id.0,
    };
    let version =
        if value.expire_ms.is_some() { OFFSET_VALUE_VERSION_WITH_EXPIRY } else { OFFSET_VALUE_VERSION };
    wire.encode(version)
}

/// Reads a record of the log; `Ok(None)` for one of a type that is not known.
/// Fails when a record of a known type does not parse.
pub(crate) fn decode(key: &[u8], value: Option<&[u8]>) -> Result<Option<GroupRecord>, RecordError> {
    let kind = match key_type(key)? {
        // Type 0 is the offset key of brokers before 0.9; it has the same fields.
        0 | 1 => return decode_offset(key, value).map(Some),
        2 => return decode_group(key, value).map(Some),
        3..=8 | 16 => ForeignKind::Consumer,
        10..=15 => ForeignKind::Share,
        17..=23 => ForeignKind::Streams,
        _ => return Ok(None),
    };
    // Every key of every group protocol begins with the group's id.
    let Some(group) = leading_string(key.get(2..).unwrap_or_default()) else { return Ok(None) };
    let key = Bytes::copy_from_slice(key);
    Ok(Some(GroupRecord::Foreign { group: group.into(), kind, key, present: value.is_some() }))
}

fn decode_offset(key: &[u8], value: Option<&[u8]>) -> Result<GroupRecord, RecordError> {
    let mut typed = key.to_vec();
    if let Some(low) = typed.get_mut(1) {
        *low = 1;
    }
    let key = OffsetCommitKey::decode(&typed)?;
    let value = value.map(OffsetCommitValue::decode).transpose()?.map(|value| OffsetValue {
        offset: value.offset,
        leader_epoch: value.leader_epoch,
        metadata: value.metadata.into(),
        commit_ms: value.commit_timestamp,
        expire_ms: (value.expire_timestamp != -1).then_some(value.expire_timestamp),
        topic_id: TopicId(value.topic_id),
    });
    Ok(GroupRecord::Offset {
        group: key.group.into(),
        topic: key.topic.into(),
        partition: key.partition,
        value,
    })
}

fn decode_group(key: &[u8], value: Option<&[u8]>) -> Result<GroupRecord, RecordError> {
    let key = GroupMetadataKey::decode(key)?;
    let value = value.map(GroupMetadataValue::decode).transpose()?.map(|value| GroupMetadata {
        protocol_type: (!value.protocol_type.is_empty()).then(|| value.protocol_type.into()),
        generation: value.generation,
        protocol: value.protocol.map(Into::into),
        leader: value.leader.map(Into::into),
        state_changed_ms: (value.current_state_timestamp != -1).then_some(value.current_state_timestamp),
        members: value.members.into_iter().map(decode_member).collect(),
    });
    Ok(GroupRecord::Metadata { group: key.group.into(), value })
}

fn decode_member(member: WireMember) -> MemberMetadata {
    let session = member.session_timeout;
    MemberMetadata {
        member_id: member.member_id.into(),
        instance_id: member.group_instance_id.map(Into::into),
        client_id: member.client_id.into(),
        client_host: member.client_host.into(),
        rebalance_timeout_ms: if member.rebalance_timeout == -1 { session } else { member.rebalance_timeout },
        session_timeout_ms: session,
        subscription: member.subscription,
        assignment: member.assignment,
    }
}

fn leading_string(bytes: &[u8]) -> Option<&str> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    let length = usize::try_from(i16::from_be_bytes(*length)).ok()?;
    std::str::from_utf8(rest.get(..length)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(record: &GroupRecord) {
        let encoded = encode(record).unwrap();
        assert_eq!(decode(&encoded.key, encoded.value.as_deref()).unwrap().as_ref(), Some(record));
    }

    fn offset_value(expire_ms: Option<i64>) -> OffsetValue {
        OffsetValue {
            offset: 7,
            leader_epoch: if expire_ms.is_some() { -1 } else { 3 },
            metadata: "note".into(),
            commit_ms: 1_000,
            expire_ms,
            topic_id: TopicId::ZERO,
        }
    }

    #[test]
    fn groups_offsets_and_their_tombstones_survive_the_log() {
        let member = MemberMetadata {
            member_id: "c-1".into(),
            instance_id: Some("i".into()),
            client_id: "c".into(),
            client_host: "/127.0.0.1".into(),
            rebalance_timeout_ms: 60_000,
            session_timeout_ms: 10_000,
            subscription: Bytes::from_static(b"s"),
            assignment: Bytes::from_static(b"a"),
        };
        let metadata = GroupMetadata {
            protocol_type: Some("consumer".into()),
            generation: 4,
            protocol: Some("range".into()),
            leader: Some("c-1".into()),
            state_changed_ms: Some(9),
            members: vec![member],
        };
        let group: std::sync::Arc<str> = "g".into();
        round_trip(&GroupRecord::Metadata { group: group.clone(), value: Some(metadata) });
        round_trip(&GroupRecord::Metadata { group: group.clone(), value: Some(GroupMetadata::default()) });
        round_trip(&GroupRecord::Metadata { group: group.clone(), value: None });
        for value in [Some(offset_value(None)), Some(offset_value(Some(5))), None] {
            round_trip(&GroupRecord::Offset { group: group.clone(), topic: "t".into(), partition: 2, value });
        }
    }

    #[test]
    fn an_offsets_size_is_bounded_without_writing_it() {
        for expire_ms in [None, Some(i64::MAX)] {
            for length in [0, 200, STRING_BYTES_MAX] {
                let text = "x".repeat(length);
                let mut value = offset_value(expire_ms);
                value.metadata = text.as_str().into();
                value.topic_id = TopicId::random();
                let record = GroupRecord::Offset {
                    group: text.as_str().into(),
                    topic: text.as_str().into(),
                    partition: i32::MAX,
                    value: Some(value),
                };
                let bound = size_bytes(&record).unwrap();
                let real = encode(&record).unwrap().size_bytes();
                assert!((real..=real + OFFSET_FIELDS_BYTES).contains(&bound), "{bound} for {real}");
            }
        }
        let record = GroupRecord::Offset {
            group: "x".repeat(STRING_BYTES_MAX + 1).into(),
            topic: "t".into(),
            partition: 0,
            value: None,
        };
        assert_eq!(size_bytes(&record), None);
    }

    #[test]
    fn values_have_the_versions_that_kafka_writes() {
        let offset = |expire| GroupRecord::Offset {
            group: "g".into(),
            topic: "t".into(),
            partition: 0,
            value: Some(offset_value(expire)),
        };
        assert_eq!(encode(&offset(None)).unwrap().value.unwrap()[..2], [0, 4]);
        assert_eq!(encode(&offset(Some(1))).unwrap().value.unwrap()[..2], [0, 1]);
        let group = GroupRecord::Metadata { group: "g".into(), value: Some(GroupMetadata::default()) };
        let encoded = encode(&group).unwrap();
        assert_eq!((&encoded.key[..2], &encoded.value.unwrap()[..2]), (&[0, 2][..], &[0, 3][..]));
    }

    #[test]
    fn records_of_other_protocols_are_recognised_and_unknown_ones_skipped() {
        let key = [0, 3, 0, 1, b'g'];
        let expected = GroupRecord::Foreign {
            group: "g".into(),
            kind: ForeignKind::Consumer,
            key: Bytes::copy_from_slice(&key),
            present: true,
        };
        assert_eq!(decode(&key, Some(b"whatever")).unwrap(), Some(expected));
        assert_eq!(decode(&[0, 99, 0, 1, b'g'], None).unwrap(), None);
        assert!(decode(&[0], None).is_err());
        assert!(decode(&[0, 1, 0, 9], None).is_err());
    }

    #[test]
    fn an_offset_with_the_oldest_key_type_is_read() {
        let record = GroupRecord::Offset {
            group: "g".into(),
            topic: "t".into(),
            partition: 1,
            value: Some(offset_value(Some(8))),
        };
        let mut encoded = encode(&record).unwrap();
        encoded.key[1] = 0;
        assert_eq!(decode(&encoded.key, encoded.value.as_deref()).unwrap(), Some(record));
    }
}
