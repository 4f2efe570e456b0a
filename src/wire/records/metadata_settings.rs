//! Configurations, features, id blocks and transactions as `__cluster_metadata` holds them.
//! Generated from Kafka's message definitions by `scripts/generate-records`; not edited by hand.

use std::ops::RangeInclusive;

use super::codec::{Body, Message, Reader, RecordError, Tags, Writer};

/// `ConfigRecord`, type 4: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigRecord {
    /// `resourceType`: `int8`.
    pub resource_type: i8,
    /// `resourceName`: `string`.
    pub resource_name: String,
    /// `name`: `string`.
    pub name: String,
    /// `value`: `string`, nullable.
    pub value: Option<String>,
}

impl Default for ConfigRecord {
    fn default() -> Self {
        Self {
            resource_type: 0,
            resource_name: String::default(),
            name: String::default(),
            value: Some(String::default()),
        }
    }
}

impl Body for ConfigRecord {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.i8(self.resource_type);
        out.string("resourceName", &self.resource_name)?;
        out.string("name", &self.name)?;
        out.nullable_string("value", self.value.as_deref())?;
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.resource_type = input.i8()?;
        record.resource_name = input.string("resourceName")?;
        record.name = input.string("name")?;
        record.value = input.nullable_string("value")?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for ConfigRecord {
    const NAME: &'static str = "ConfigRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl ConfigRecord {
    /// The number of this record in the metadata log's frame.
    pub const API_KEY: u32 = 4;
}

/// `FeatureLevelRecord`, type 12: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct FeatureLevelRecord {
    /// `name`: `string`.
    pub name: String,
    /// `featureLevel`: `int16`.
    pub feature_level: i16,
}

impl Body for FeatureLevelRecord {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.string("name", &self.name)?;
        out.i16(self.feature_level);
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.name = input.string("name")?;
        record.feature_level = input.i16()?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for FeatureLevelRecord {
    const NAME: &'static str = "FeatureLevelRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl FeatureLevelRecord {
    /// The number of this record in the metadata log's frame.
    pub const API_KEY: u32 = 12;
}

/// `ProducerIdsRecord`, type 15: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq)]
pub struct ProducerIdsRecord {
    /// `brokerId`: `int32`.
    pub broker_id: i32,
    /// `brokerEpoch`: `int64`, default -1.
    pub broker_epoch: i64,
    /// `nextProducerId`: `int64`.
    pub next_producer_id: i64,
}

impl Default for ProducerIdsRecord {
    fn default() -> Self {
        Self { broker_id: 0, broker_epoch: -1, next_producer_id: 0 }
    }
}

impl Body for ProducerIdsRecord {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.i32(self.broker_id);
        out.i64(self.broker_epoch);
        out.i64(self.next_producer_id);
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.broker_id = input.i32()?;
        record.broker_epoch = input.i64()?;
        record.next_producer_id = input.i64()?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for ProducerIdsRecord {
    const NAME: &'static str = "ProducerIdsRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl ProducerIdsRecord {
    /// The number of this record in the metadata log's frame.
    pub const API_KEY: u32 = 15;
}

/// `NoOpRecord`, type 20: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct NoOpRecord {}

impl Body for NoOpRecord {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let record = Self::default();
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for NoOpRecord {
    const NAME: &'static str = "NoOpRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl NoOpRecord {
    /// The number of this record in the metadata log's frame.
    pub const API_KEY: u32 = 20;
}

/// `ZkMigrationStateRecord`, type 21: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ZkMigrationStateRecord {
    /// `zkMigrationState`: `int8`.
    pub zk_migration_state: i8,
}

impl Body for ZkMigrationStateRecord {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.i8(self.zk_migration_state);
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.zk_migration_state = input.i8()?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for ZkMigrationStateRecord {
    const NAME: &'static str = "ZkMigrationStateRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl ZkMigrationStateRecord {
    /// The number of this record in the metadata log's frame.
    pub const API_KEY: u32 = 21;
}

/// `BeginTransactionRecord`, type 23: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct BeginTransactionRecord {
    /// `name`: `string`, nullable, tag 0, default null.
    pub name: Option<String>,
}

impl Body for BeginTransactionRecord {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        let mut tags = Tags::default();
        if self.name.is_some() {
            tags.put(0, |out| out.nullable_string("name", self.name.as_deref()))?;
        }
        out.tags(&tags);
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        input.tags(|tag, input| {
            match tag {
                0 => {
                    record.name = input.nullable_string("name")?;
                }
                _ => input.skip_rest(),
            }
            Ok(())
        })?;
        Ok(record)
    }
}

impl Message for BeginTransactionRecord {
    const NAME: &'static str = "BeginTransactionRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl BeginTransactionRecord {
    /// The number of this record in the metadata log's frame.
    pub const API_KEY: u32 = 23;
}

/// `EndTransactionRecord`, type 24: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct EndTransactionRecord {}

impl Body for EndTransactionRecord {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let record = Self::default();
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for EndTransactionRecord {
    const NAME: &'static str = "EndTransactionRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl EndTransactionRecord {
    /// The number of this record in the metadata log's frame.
    pub const API_KEY: u32 = 24;
}

/// `AbortTransactionRecord`, type 25: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AbortTransactionRecord {
    /// `reason`: `string`, nullable, tag 0, default null.
    pub reason: Option<String>,
}

impl Body for AbortTransactionRecord {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        let mut tags = Tags::default();
        if self.reason.is_some() {
            tags.put(0, |out| out.nullable_string("reason", self.reason.as_deref()))?;
        }
        out.tags(&tags);
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        input.tags(|tag, input| {
            match tag {
                0 => {
                    record.reason = input.nullable_string("reason")?;
                }
                _ => input.skip_rest(),
            }
            Ok(())
        })?;
        Ok(record)
    }
}

impl Message for AbortTransactionRecord {
    const NAME: &'static str = "AbortTransactionRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl AbortTransactionRecord {
    /// The number of this record in the metadata log's frame.
    pub const API_KEY: u32 = 25;
}
