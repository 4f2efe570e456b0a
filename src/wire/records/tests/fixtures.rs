//! Logs that Apache Kafka 4.3.0 wrote: every record decodes, and encodes to the same bytes at its version.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::wire::batch::Batch;
use crate::wire::records::codec::RecordError;
use crate::wire::records::consumer_group::{
    ConsumerGroupCurrentMemberAssignmentValue, ConsumerGroupMemberMetadataValue, ConsumerGroupMetadataValue,
    ConsumerGroupTargetAssignmentMemberValue, ConsumerGroupTargetAssignmentMetadataValue,
};
use crate::wire::records::control_record::ControlRecord;
use crate::wire::records::frame::Frame;
use crate::wire::records::metadata::MetadataRecord;
use crate::wire::records::offsets::{GroupMetadataValue, OffsetCommitValue, OffsetsKey};
use crate::wire::records::transactions::{TransactionLogKey, TransactionLogValue};

const CONSUMER_OFFSETS: &[u8] = include_bytes!("../../../../tests/data/consumer_offsets.log");
const TRANSACTION_STATE: &[u8] = include_bytes!("../../../../tests/data/transaction_state.log");
const CLUSTER_METADATA: &[u8] = include_bytes!("../../../../tests/data/cluster_metadata.log");
const BOOTSTRAP: &[u8] = include_bytes!("../../../../tests/data/bootstrap.checkpoint");
/// What `kafka-storage format --standalone` writes: a quorum whose voters are in the log.
const STANDALONE: &[u8] = include_bytes!("../../../../tests/data/standalone.checkpoint");

/// Key and value of a record.
type Pair = (Bytes, Option<Bytes>);

/// The records of data batches and those of control batches.
fn records(log: &'static [u8]) -> (Vec<Pair>, Vec<Pair>) {
    let (mut data, mut control) = (vec![], vec![]);
    let mut rest = Bytes::from_static(log);
    while !rest.is_empty() {
        let batch = Batch::parse(rest.clone()).unwrap();
        rest = rest.slice(batch.header.size_bytes()..);
        for record in batch.records().unwrap() {
            let record = record.unwrap();
            let key = record.key.unwrap_or_default();
            let records = if batch.header.is_control() { &mut control } else { &mut data };
            records.push((key, record.value));
        }
    }
    (data, control)
}

/// Decodes a value and encodes it at the version that it came with.
macro_rules! again {
    ($value:expr, $type:ty) => {{
        let version = i16::from_be_bytes([$value[0], $value[1]]);
        <$type>::decode($value).and_then(|value| value.encode(version))
    }};
}

fn again_by_key(key: &OffsetsKey, value: &[u8]) -> Result<Vec<u8>, RecordError> {
    match key {
        OffsetsKey::OffsetCommit(_) => again!(value, OffsetCommitValue),
        OffsetsKey::GroupMetadata(_) => again!(value, GroupMetadataValue),
        OffsetsKey::ConsumerGroupMetadata(_) => again!(value, ConsumerGroupMetadataValue),
        OffsetsKey::ConsumerGroupMemberMetadata(_) => again!(value, ConsumerGroupMemberMetadataValue),
        OffsetsKey::ConsumerGroupTargetAssignmentMetadata(_) => {
            again!(value, ConsumerGroupTargetAssignmentMetadataValue)
        }
        OffsetsKey::ConsumerGroupTargetAssignmentMember(_) => {
            again!(value, ConsumerGroupTargetAssignmentMemberValue)
        }
        OffsetsKey::ConsumerGroupCurrentMemberAssignment(_) => {
            again!(value, ConsumerGroupCurrentMemberAssignmentValue)
        }
        other => unreachable!("the fixture has no {other:?}"),
    }
}

#[test]
fn every_record_of_consumer_offsets_keeps_its_bytes() {
    let (data, control) = records(CONSUMER_OFFSETS);
    let mut tombstones = 0;
    for (key, value) in &data {
        let decoded = OffsetsKey::decode(key).unwrap();
        assert_eq!(decoded.encode().unwrap(), *key);
        match value {
            Some(value) => assert_eq!(again_by_key(&decoded, value).unwrap(), *value, "{decoded:?}"),
            None => tombstones += 1,
        }
    }
    assert_eq!((data.len(), control.len()), (22, 1));
    assert!(tombstones > 0);
}

#[test]
fn the_offsets_of_consumer_offsets_are_those_that_were_committed() {
    let (data, _) = records(CONSUMER_OFFSETS);
    let mut committed = BTreeMap::new();
    for (key, value) in data {
        if let (OffsetsKey::OffsetCommit(key), Some(value)) = (OffsetsKey::decode(&key).unwrap(), value) {
            let value = OffsetCommitValue::decode(&value).unwrap();
            committed.insert((key.group, key.topic, key.partition), (value.offset, value.metadata));
        }
    }
    let of = |group: &str, partition| committed[&(group.to_owned(), "orders".to_owned(), partition)].clone();
    assert_eq!(of("readers", 0), (100, "done".to_owned()));
    assert_eq!(of("readers", 1), (50, String::new()));
    assert_eq!(of("tx-group", 0), (77, "in-tx".to_owned()));
    assert_eq!(of("joined-consumer", 2).0, 100);
}

#[test]
fn every_record_of_transaction_state_keeps_its_bytes() {
    let (data, _) = records(TRANSACTION_STATE);
    for (key, value) in &data {
        assert_eq!(TransactionLogKey::decode(key).unwrap().encode().unwrap(), *key);
        let value = value.as_ref().unwrap();
        assert_eq!(again!(value, TransactionLogValue).unwrap(), *value);
    }
    assert_eq!(data.len(), 13);
}

#[test]
fn every_record_of_cluster_metadata_keeps_its_bytes() {
    let (data, _) = records(CLUSTER_METADATA);
    let mut kinds = BTreeMap::new();
    for value in data.iter().map(|(_, value)| value.as_ref().unwrap()) {
        let record = MetadataRecord::decode(value).unwrap();
        assert!(!matches!(record, MetadataRecord::Unknown(_)), "{record:?}");
        let version = Frame::parse(value).unwrap().version;
        assert_eq!(record.encode(version).unwrap(), *value, "{record:?}");
        *kinds.entry((record.api_key(), version)).or_insert(0) += 1;
    }
    assert!(kinds.len() >= 8, "{kinds:?}");
    assert!(data.len() > 400);
}

#[test]
fn every_control_record_keeps_its_bytes() {
    let mut types = vec![];
    for log in [CONSUMER_OFFSETS, CLUSTER_METADATA, BOOTSTRAP, STANDALONE] {
        for (key, value) in records(log).1 {
            let value = value.unwrap();
            let record = ControlRecord::decode(&key, &value).unwrap();
            assert_eq!(record.encode().unwrap(), (key.to_vec(), value.to_vec()), "{record:?}");
            types.push(record.control_type());
        }
    }
    types.sort_unstable();
    types.dedup();
    assert_eq!(types, [1, 2, 3, 4, 5, 6]);
}
