mod fixtures;
mod samples;
mod source;

use proptest::prelude::*;
use source::{Sample, Source, Visitor};
use uuid::Uuid;

use super::codec::{self, Message, RecordError};
use super::control_record::ControlRecord;
use super::metadata::{MetadataRecord, PartitionChangeRecord, TopicRecord};
use super::offsets::{
    GroupMetadataKey, GroupMetadataValue, MemberMetadata, OffsetCommitKey, OffsetCommitValue, OffsetsKey,
};
use super::transactions::TransactionLogValue;

/// Encodes and decodes one drawn value of every definition at every version.
struct RoundTrip<'a>(&'a [u8]);

impl Visitor for RoundTrip<'_> {
    fn visit<M: Message + Sample + PartialEq + std::fmt::Debug>(&mut self) {
        for version in M::VERSIONS {
            let value = M::sample(&mut Source(self.0), version);
            let bytes = codec::encode_body(&value, version).unwrap();
            assert_eq!(
                codec::decode_whole_body::<M>(&bytes, version).as_ref(),
                Ok(&value),
                "{} v{version}",
                M::NAME
            );
            for cut in (0..bytes.len()).step_by(1 + bytes.len() / 16) {
                assert!(codec::decode_body::<M>(&bytes[..cut], version).is_err(), "{} cut at {cut}", M::NAME);
            }
        }
    }
}

/// Decodes whatever bytes there are as every definition at every version.
struct Hostile<'a>(&'a [u8]);

impl Visitor for Hostile<'_> {
    fn visit<M: Message + Sample + PartialEq + std::fmt::Debug>(&mut self) {
        for version in M::VERSIONS {
            if let Ok(value) = codec::decode_body::<M>(self.0, version) {
                let bytes = codec::encode_body(&value, version).unwrap();
                let again = codec::decode_whole_body::<M>(&bytes, version).unwrap();
                // Compared as bytes: a NaN does not equal itself.
                assert_eq!(codec::encode_body(&again, version).unwrap(), bytes);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_definition_at_every_version_reads_what_it_writes(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        samples::visit_all(&mut RoundTrip(&bytes));
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0u8..4, Just(0xff), Just(0x7f)], 0..200)
    ) {
        samples::visit_all(&mut Hostile(&bytes));
        let _ = OffsetsKey::decode(&bytes);
        let _ = MetadataRecord::decode(&bytes);
        let _ = ControlRecord::decode(&bytes, &bytes);
    }
}

#[test]
fn every_definition_is_visited() {
    struct Count(usize);
    impl Visitor for Count {
        fn visit<M: Message + Sample + PartialEq + std::fmt::Debug>(&mut self) {
            self.0 += 1;
        }
    }
    let mut count = Count(0);
    samples::visit_all(&mut count);
    assert_eq!(count.0, 44 + 2 + 26 + 6, "offsets, transactions, metadata, control");
}

#[test]
fn an_offset_commit_has_kafkas_bytes_at_each_version() {
    let mut value =
        OffsetCommitValue { offset: 77, metadata: "in".into(), commit_timestamp: 5, ..Default::default() };
    let body = |version: &[u8], epoch: &[u8], tail: &[u8]| {
        [version, &77i64.to_be_bytes(), epoch, &[0, 2], b"in", &5i64.to_be_bytes(), tail].concat()
    };
    assert_eq!(value.encode(0).unwrap(), body(&[0, 0], &[], &[]));
    assert_eq!(value.encode(1).unwrap(), body(&[0, 1], &[], &[0xff; 8]));
    assert_eq!(value.encode(2).unwrap(), body(&[0, 2], &[], &[]));
    assert_eq!(value.encode(3).unwrap(), body(&[0, 3], &[0xff; 4], &[]));
    value.topic_id = Uuid::from_bytes([9; 16]);
    let flexible = [
        &[0, 4][..],
        &77i64.to_be_bytes(),
        &[0xff; 4],
        &[3],
        b"in",
        &5i64.to_be_bytes(),
        &[1, 0, 16],
        &[9; 16],
    ];
    assert_eq!(value.encode(4).unwrap(), flexible.concat());
    assert_eq!(value.encode(5), Err(RecordError::Version { message: "OffsetCommitValue", version: 5 }));
}

#[test]
fn a_key_carries_its_type_and_no_other_type_is_read_as_it() {
    let key = OffsetCommitKey { group: "g".into(), topic: "t".into(), partition: 3 };
    let bytes = key.encode().unwrap();
    assert_eq!(bytes, [0, 1, 0, 1, b'g', 0, 1, b't', 0, 0, 0, 3]);
    assert_eq!(OffsetsKey::decode(&bytes), Ok(OffsetsKey::OffsetCommit(key)));
    assert_eq!(GroupMetadataKey::decode(&bytes), Err(RecordError::KeyType { expected: 2, found: 1 }));
}

#[test]
fn a_key_of_an_unknown_type_is_kept_byte_by_byte() {
    let bytes = [0, 99, 1, 2, 3];
    let key = OffsetsKey::decode(&bytes).unwrap();
    assert_eq!(key, OffsetsKey::Unknown(bytes.to_vec().into()));
    assert_eq!(key.encode().unwrap(), bytes);
}

#[test]
fn a_metadata_record_of_an_unknown_key_is_kept_byte_by_byte() {
    let bytes = [1, 0xc8, 1, 7, 1, 2, 3];
    let record = MetadataRecord::decode(&bytes).unwrap();
    assert_eq!((record.api_key(), record.latest_version()), (200, 7));
    assert_eq!(record.encode(0).unwrap(), bytes);
}

#[test]
fn a_metadata_record_with_a_wrong_frame_is_refused() {
    let topic = MetadataRecord::from(TopicRecord { name: "t".into(), topic_id: Uuid::nil() });
    let mut bytes = topic.encode(0).unwrap();
    assert_eq!(MetadataRecord::decode(&bytes), Ok(topic));
    bytes.push(0);
    assert_eq!(MetadataRecord::decode(&bytes), Err(RecordError::Trailing(1)));
    bytes[0] = 0;
    assert_eq!(MetadataRecord::decode(&bytes), Err(RecordError::FrameVersion(0)));
    assert_eq!(MetadataRecord::decode(&[1, 2, 0x80, 0x80, 2]), Err(RecordError::FrameRecordVersion(0x8000)));
}

#[test]
fn a_field_that_readers_must_understand_is_refused_where_the_version_lacks_it() {
    let change = PartitionChangeRecord { directories: Some(vec![Uuid::nil()]), ..Default::default() };
    let refused = RecordError::FieldNotInVersion { field: "directories", version: 0 };
    assert_eq!(MetadataRecord::from(change.clone()).encode(0), Err(refused));
    assert!(MetadataRecord::from(change).encode(1).is_ok());
}

#[test]
fn a_field_that_readers_may_ignore_is_left_out_where_the_version_lacks_it() {
    let member = MemberMetadata { group_instance_id: Some("static".into()), ..Default::default() };
    let group = GroupMetadataValue { members: vec![member], ..Default::default() };
    let read = |version| GroupMetadataValue::decode(&group.encode(version).unwrap()).unwrap();
    assert_eq!(read(2).members[0].group_instance_id, None);
    assert_eq!(read(3), group);
}

#[test]
fn defaults_are_those_of_the_definitions() {
    let change = PartitionChangeRecord::default();
    assert_eq!((change.partition_id, change.leader, change.isr), (-1, -2, None));
    let transaction = TransactionLogValue::default();
    assert_eq!((transaction.previous_producer_id, transaction.transaction_partitions), (-1, Some(vec![])));
}

#[test]
fn counts_and_lengths_above_what_is_left_are_refused_before_anything_is_allocated() {
    let group = GroupMetadataValue::default().encode(3).unwrap();
    let huge = |at: usize| {
        GroupMetadataValue::decode(&[&group[..at], &i32::MAX.to_be_bytes(), &group[at + 4..]].concat())
    };
    let length = i64::from(i32::MAX);
    assert_eq!(huge(group.len() - 4), Err(RecordError::Length { field: "members", length, remaining: 0 }));
    let negative = [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xfe];
    let refused = RecordError::Length { field: "metadata", length: -2, remaining: 0 };
    assert_eq!(OffsetCommitValue::decode(&negative), Err(refused));
}

#[test]
fn an_unknown_tagged_field_is_passed_over_and_a_known_one_fills_its_size() {
    let mut bytes = OffsetCommitValue::default().encode(4).unwrap();
    assert_eq!(bytes.pop(), Some(0));
    let with_tags = |tags: &[u8]| OffsetCommitValue::decode(&[&bytes, tags].concat());
    assert_eq!(with_tags(&[1, 9, 2, 7, 7]), Ok(OffsetCommitValue::default()));
    let short = RecordError::Truncated { needed: 16, remaining: 2 };
    assert_eq!(with_tags(&[&[1, 0, 2][..], &[7; 30]].concat()), Err(short));
    let long = RecordError::Tag { tag: 0, remaining: 1 };
    assert_eq!(with_tags(&[&[1, 0, 17][..], &[7; 17]].concat()), Err(long));
}

#[test]
fn a_string_above_kafkas_limit_is_neither_written_nor_read() {
    let value = OffsetCommitValue { metadata: "x".repeat(32768), ..Default::default() };
    let refused = RecordError::TooLong { field: "metadata", length: 32768 };
    assert_eq!(value.encode(3), Err(refused.clone()));
    assert_eq!(value.encode(4), Err(refused));
    let head = [&[0, 4][..], &[0; 12], &[0x81, 0x80, 2]].concat();
    let bytes = [&head[..], "x".repeat(40000).as_bytes()].concat();
    assert!(matches!(OffsetCommitValue::decode(&bytes), Err(RecordError::Length { length: 32768, .. })));
}
