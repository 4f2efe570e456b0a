//! Transactions as `__transaction_state` holds them.
//! Generated from Kafka's message definitions by `scripts/generate-records`; not edited by hand.

use std::ops::RangeInclusive;

use super::codec::{self, Body, Message, Reader, RecordError, Tags, Writer};

/// `TransactionLogKey`, type 0: version 0, never flexible.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TransactionLogKey {
    /// `transactionalId`: `string`.
    pub transactional_id: String,
}

impl Body for TransactionLogKey {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.string("transactionalId", &self.transactional_id)?;
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.transactional_id = input.string("transactionalId")?;
        Ok(record)
    }
}

impl Message for TransactionLogKey {
    const NAME: &'static str = "TransactionLogKey";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = None;
}

impl TransactionLogKey {
    /// The number that stands before every key of this type.
    pub const TYPE: i16 = 0;

    /// The key as Kafka's coordinator writes it: its type as int16, then the body.
    pub fn encode(&self) -> Result<Vec<u8>, RecordError> {
        codec::encode_key(Self::TYPE, self)
    }

    /// Reads what `encode` writes; refuses a key of another type.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        codec::decode_key(Self::TYPE, bytes)
    }
}

/// `TransactionLogValue`: versions 0 to 1, flexible from 1.
#[derive(Clone, Debug, PartialEq)]
pub struct TransactionLogValue {
    /// `producerId`: `int64`.
    pub producer_id: i64,
    /// `previousProducerId`: `int64`, versions 1+, tag 0, default -1.
    pub previous_producer_id: i64,
    /// `nextProducerId`: `int64`, versions 1+, tag 1, default -1.
    pub next_producer_id: i64,
    /// `producerEpoch`: `int16`.
    pub producer_epoch: i16,
    /// `nextProducerEpoch`: `int16`, versions 1+, tag 3, default -1.
    pub next_producer_epoch: i16,
    /// `transactionTimeoutMs`: `int32`.
    pub transaction_timeout_ms: i32,
    /// `transactionStatus`: `int8`.
    pub transaction_status: i8,
    /// `transactionPartitions`: `[]PartitionsSchema`, nullable.
    pub transaction_partitions: Option<Vec<PartitionsSchema>>,
    /// `transactionLastUpdateTimestampMs`: `int64`.
    pub transaction_last_update_timestamp_ms: i64,
    /// `transactionStartTimestampMs`: `int64`.
    pub transaction_start_timestamp_ms: i64,
    /// `clientTransactionVersion`: `int16`, versions 1+, tag 2.
    pub client_transaction_version: i16,
}

impl Default for TransactionLogValue {
    fn default() -> Self {
        Self {
            producer_id: 0,
            previous_producer_id: -1,
            next_producer_id: -1,
            producer_epoch: 0,
            next_producer_epoch: -1,
            transaction_timeout_ms: 0,
            transaction_status: 0,
            transaction_partitions: Some(Vec::default()),
            transaction_last_update_timestamp_ms: 0,
            transaction_start_timestamp_ms: 0,
            client_transaction_version: 0,
        }
    }
}

impl Body for TransactionLogValue {
    fn write(&self, out: &mut Writer, version: i16) -> Result<(), RecordError> {
        out.i64(self.producer_id);
        out.i16(self.producer_epoch);
        out.i32(self.transaction_timeout_ms);
        out.i8(self.transaction_status);
        out.nullable_array("transactionPartitions", self.transaction_partitions.as_deref(), |out, item| {
            item.write(out, version)
        })?;
        out.i64(self.transaction_last_update_timestamp_ms);
        out.i64(self.transaction_start_timestamp_ms);
        let mut tags = Tags::default();
        if self.previous_producer_id != -1 {
            if version >= 1 {
                tags.put(0, |out| {
                    out.i64(self.previous_producer_id);
                    Ok(())
                })?;
            } else {
                return Err(RecordError::FieldNotInVersion { field: "previousProducerId", version });
            }
        }
        if self.next_producer_id != -1 {
            if version >= 1 {
                tags.put(1, |out| {
                    out.i64(self.next_producer_id);
                    Ok(())
                })?;
            } else {
                return Err(RecordError::FieldNotInVersion { field: "nextProducerId", version });
            }
        }
        if self.client_transaction_version != 0 {
            if version >= 1 {
                tags.put(2, |out| {
                    out.i16(self.client_transaction_version);
                    Ok(())
                })?;
            } else {
                return Err(RecordError::FieldNotInVersion { field: "clientTransactionVersion", version });
            }
        }
        if self.next_producer_epoch != -1 {
            if version >= 1 {
                tags.put(3, |out| {
                    out.i16(self.next_producer_epoch);
                    Ok(())
                })?;
            } else {
                return Err(RecordError::FieldNotInVersion { field: "nextProducerEpoch", version });
            }
        }
        out.tags(&tags);
        Ok(())
    }

    fn read(input: &mut Reader<'_>, version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.producer_id = input.i64()?;
        record.producer_epoch = input.i16()?;
        record.transaction_timeout_ms = input.i32()?;
        record.transaction_status = input.i8()?;
        record.transaction_partitions =
            input.nullable_array("transactionPartitions", |input| PartitionsSchema::read(input, version))?;
        record.transaction_last_update_timestamp_ms = input.i64()?;
        record.transaction_start_timestamp_ms = input.i64()?;
        input.tags(|tag, input| {
            match tag {
                0 if version >= 1 => {
                    record.previous_producer_id = input.i64()?;
                }
                1 if version >= 1 => {
                    record.next_producer_id = input.i64()?;
                }
                2 if version >= 1 => {
                    record.client_transaction_version = input.i16()?;
                }
                3 if version >= 1 => {
                    record.next_producer_epoch = input.i16()?;
                }
                _ => input.skip_rest(),
            }
            Ok(())
        })?;
        Ok(record)
    }
}

impl Message for TransactionLogValue {
    const NAME: &'static str = "TransactionLogValue";
    const VERSIONS: RangeInclusive<i16> = 0..=1;
    const FLEXIBLE_FROM: Option<i16> = Some(1);
}

impl TransactionLogValue {
    /// The value as Kafka's coordinator writes it: the version as int16, then the body.
    /// Fails when this version cannot hold what is set.
    pub fn encode(&self, version: i16) -> Result<Vec<u8>, RecordError> {
        codec::encode_value(self, version)
    }

    /// Reads what `encode` writes, at any version that the definition has.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        codec::decode_value(bytes)
    }
}

/// Part of [`TransactionLogValue`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PartitionsSchema {
    /// `topic`: `string`.
    pub topic: String,
    /// `partitionIds`: `[]int32`.
    pub partition_ids: Vec<i32>,
}

impl Body for PartitionsSchema {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.string("topic", &self.topic)?;
        out.array("partitionIds", &self.partition_ids, |out, item| {
            out.i32(*item);
            Ok(())
        })?;
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.topic = input.string("topic")?;
        record.partition_ids = input.array("partitionIds", Reader::i32)?;
        input.skip_tags()?;
        Ok(record)
    }
}
