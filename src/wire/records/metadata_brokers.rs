//! Brokers and controllers as `__cluster_metadata` holds them.
//! Generated from Kafka's message definitions by `scripts/generate-records`; not edited by hand.

use std::ops::RangeInclusive;

use super::codec::{Body, Message, Reader, RecordError, Tags, Writer};
use uuid::Uuid;

/// `RegisterBrokerRecord`, type 0: versions 0 to 4, flexible from 0.
#[derive(Clone, Debug, PartialEq)]
pub struct RegisterBrokerRecord {
    /// `brokerId`: `int32`.
    pub broker_id: i32,
    /// `isMigratingZkBroker`: `bool`, versions 2+, default false.
    pub is_migrating_zk_broker: bool,
    /// `incarnationId`: `uuid`.
    pub incarnation_id: Uuid,
    /// `brokerEpoch`: `int64`.
    pub broker_epoch: i64,
    /// `endPoints`: `[]BrokerEndpoint`.
    pub end_points: Vec<BrokerEndpoint>,
    /// `features`: `[]BrokerFeature`.
    pub features: Vec<BrokerFeature>,
    /// `rack`: `string`, nullable.
    pub rack: Option<String>,
    /// `fenced`: `bool`, default true.
    pub fenced: bool,
    /// `inControlledShutdown`: `bool`, versions 1+, default false.
    pub in_controlled_shutdown: bool,
    /// `logDirs`: `[]uuid`, versions 3+, tag 0.
    pub log_dirs: Vec<Uuid>,
    /// `cordonedLogDirs`: `[]uuid`, nullable, versions 4+, tag 1, default null.
    pub cordoned_log_dirs: Option<Vec<Uuid>>,
}

impl Default for RegisterBrokerRecord {
    fn default() -> Self {
        Self {
            broker_id: 0,
            is_migrating_zk_broker: false,
            incarnation_id: Uuid::default(),
            broker_epoch: 0,
            end_points: Vec::default(),
            features: Vec::default(),
            rack: Some(String::default()),
            fenced: true,
            in_controlled_shutdown: false,
            log_dirs: Vec::default(),
            cordoned_log_dirs: None,
        }
    }
}

impl Body for RegisterBrokerRecord {
    fn write(&self, out: &mut Writer, version: i16) -> Result<(), RecordError> {
        out.i32(self.broker_id);
        if version >= 2 {
            out.bool(self.is_migrating_zk_broker);
        } else if self.is_migrating_zk_broker {
            return Err(RecordError::FieldNotInVersion { field: "isMigratingZkBroker", version });
        }
        out.uuid(self.incarnation_id);
        out.i64(self.broker_epoch);
        out.array("endPoints", &self.end_points, |out, item| item.write(out, version))?;
        out.array("features", &self.features, |out, item| item.write(out, version))?;
        out.nullable_string("rack", self.rack.as_deref())?;
        out.bool(self.fenced);
        if version >= 1 {
            out.bool(self.in_controlled_shutdown);
        } else if self.in_controlled_shutdown {
            return Err(RecordError::FieldNotInVersion { field: "inControlledShutdown", version });
        }
        let mut tags = Tags::default();
        if !self.log_dirs.is_empty() {
            if version >= 3 {
                tags.put(0, |out| {
                    out.array("logDirs", &self.log_dirs, |out, item| {
                        out.uuid(*item);
                        Ok(())
                    })
                })?;
            } else {
                return Err(RecordError::FieldNotInVersion { field: "logDirs", version });
            }
        }
        if self.cordoned_log_dirs.is_some() {
            if version >= 4 {
                tags.put(1, |out| {
                    out.nullable_array("cordonedLogDirs", self.cordoned_log_dirs.as_deref(), |out, item| {
                        out.uuid(*item);
                        Ok(())
                    })
                })?;
            } else {
                return Err(RecordError::FieldNotInVersion { field: "cordonedLogDirs", version });
            }
        }
        out.tags(&tags);
        Ok(())
    }

    fn read(input: &mut Reader<'_>, version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.broker_id = input.i32()?;
        if version >= 2 {
            record.is_migrating_zk_broker = input.bool()?;
        }
        record.incarnation_id = input.uuid()?;
        record.broker_epoch = input.i64()?;
        record.end_points = input.array("endPoints", |input| BrokerEndpoint::read(input, version))?;
        record.features = input.array("features", |input| BrokerFeature::read(input, version))?;
        record.rack = input.nullable_string("rack")?;
        record.fenced = input.bool()?;
        if version >= 1 {
            record.in_controlled_shutdown = input.bool()?;
        }
        input.tags(|tag, input| {
            match tag {
                0 if version >= 3 => {
                    record.log_dirs = input.array("logDirs", Reader::uuid)?;
                }
                1 if version >= 4 => {
                    record.cordoned_log_dirs = input.nullable_array("cordonedLogDirs", Reader::uuid)?;
                }
                _ => input.skip_rest(),
            }
            Ok(())
        })?;
        Ok(record)
    }
}

impl Message for RegisterBrokerRecord {
    const NAME: &'static str = "RegisterBrokerRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=4;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl RegisterBrokerRecord {
    /// The number of this record in the metadata log's frame.
    pub const API_KEY: u32 = 0;
}

/// Part of [`RegisterBrokerRecord`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct BrokerEndpoint {
    /// `name`: `string`.
    pub name: String,
    /// `host`: `string`.
    pub host: String,
    /// `port`: `uint16`.
    pub port: u16,
    /// `securityProtocol`: `int16`.
    pub security_protocol: i16,
}

impl Body for BrokerEndpoint {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.string("name", &self.name)?;
        out.string("host", &self.host)?;
        out.u16(self.port);
        out.i16(self.security_protocol);
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.name = input.string("name")?;
        record.host = input.string("host")?;
        record.port = input.u16()?;
        record.security_protocol = input.i16()?;
        input.skip_tags()?;
        Ok(record)
    }
}

/// Part of [`RegisterBrokerRecord`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct BrokerFeature {
    /// `name`: `string`.
    pub name: String,
    /// `minSupportedVersion`: `int16`.
    pub min_supported_version: i16,
    /// `maxSupportedVersion`: `int16`.
    pub max_supported_version: i16,
}

impl Body for BrokerFeature {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.string("name", &self.name)?;
        out.i16(self.min_supported_version);
        out.i16(self.max_supported_version);
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.name = input.string("name")?;
        record.min_supported_version = input.i16()?;
        record.max_supported_version = input.i16()?;
        input.skip_tags()?;
        Ok(record)
    }
}

/// `UnregisterBrokerRecord`, type 1: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct UnregisterBrokerRecord {
    /// `brokerId`: `int32`.
    pub broker_id: i32,
    /// `brokerEpoch`: `int64`.
    pub broker_epoch: i64,
}

impl Body for UnregisterBrokerRecord {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.i32(self.broker_id);
        out.i64(self.broker_epoch);
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.broker_id = input.i32()?;
        record.broker_epoch = input.i64()?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for UnregisterBrokerRecord {
    const NAME: &'static str = "UnregisterBrokerRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl UnregisterBrokerRecord {
    /// The number of this record in the metadata log's frame.
    pub const API_KEY: u32 = 1;
}

/// `FenceBrokerRecord`, type 7: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct FenceBrokerRecord {
    /// `id`: `int32`.
    pub id: i32,
    /// `epoch`: `int64`.
    pub epoch: i64,
}

impl Body for FenceBrokerRecord {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.i32(self.id);
        out.i64(self.epoch);
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.id = input.i32()?;
        record.epoch = input.i64()?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for FenceBrokerRecord {
    const NAME: &'static str = "FenceBrokerRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl FenceBrokerRecord {
    /// The number of this record in the metadata log's frame.
    pub const API_KEY: u32 = 7;
}

/// `UnfenceBrokerRecord`, type 8: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct UnfenceBrokerRecord {
    /// `id`: `int32`.
    pub id: i32,
    /// `epoch`: `int64`.
    pub epoch: i64,
}

impl Body for UnfenceBrokerRecord {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.i32(self.id);
        out.i64(self.epoch);
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.id = input.i32()?;
        record.epoch = input.i64()?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for UnfenceBrokerRecord {
    const NAME: &'static str = "UnfenceBrokerRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl UnfenceBrokerRecord {
    /// The number of this record in the metadata log's frame.
    pub const API_KEY: u32 = 8;
}

/// `BrokerRegistrationChangeRecord`, type 17: versions 0 to 3, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct BrokerRegistrationChangeRecord {
    /// `brokerId`: `int32`.
    pub broker_id: i32,
    /// `brokerEpoch`: `int64`.
    pub broker_epoch: i64,
    /// `fenced`: `int8`, tag 0.
    pub fenced: i8,
    /// `inControlledShutdown`: `int8`, versions 1+, tag 1.
    pub in_controlled_shutdown: i8,
    /// `logDirs`: `[]uuid`, versions 2+, tag 2.
    pub log_dirs: Vec<Uuid>,
    /// `cordonedLogDirs`: `[]uuid`, nullable, versions 3+, tag 3, default null.
    pub cordoned_log_dirs: Option<Vec<Uuid>>,
}

impl Body for BrokerRegistrationChangeRecord {
    fn write(&self, out: &mut Writer, version: i16) -> Result<(), RecordError> {
        out.i32(self.broker_id);
        out.i64(self.broker_epoch);
        let mut tags = Tags::default();
        if self.fenced != 0 {
            tags.put(0, |out| {
                out.i8(self.fenced);
                Ok(())
            })?;
        }
        if self.in_controlled_shutdown != 0 {
            if version >= 1 {
                tags.put(1, |out| {
                    out.i8(self.in_controlled_shutdown);
                    Ok(())
                })?;
            } else {
                return Err(RecordError::FieldNotInVersion { field: "inControlledShutdown", version });
            }
        }
        if !self.log_dirs.is_empty() {
            if version >= 2 {
                tags.put(2, |out| {
                    out.array("logDirs", &self.log_dirs, |out, item| {
                        out.uuid(*item);
                        Ok(())
                    })
                })?;
            } else {
                return Err(RecordError::FieldNotInVersion { field: "logDirs", version });
            }
        }
        if self.cordoned_log_dirs.is_some() {
            if version >= 3 {
                tags.put(3, |out| {
                    out.nullable_array("cordonedLogDirs", self.cordoned_log_dirs.as_deref(), |out, item| {
                        out.uuid(*item);
                        Ok(())
                    })
                })?;
            } else {
                return Err(RecordError::FieldNotInVersion { field: "cordonedLogDirs", version });
            }
        }
        out.tags(&tags);
        Ok(())
    }

    fn read(input: &mut Reader<'_>, version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.broker_id = input.i32()?;
        record.broker_epoch = input.i64()?;
        input.tags(|tag, input| {
            match tag {
                0 => {
                    record.fenced = input.i8()?;
                }
                1 if version >= 1 => {
                    record.in_controlled_shutdown = input.i8()?;
                }
                2 if version >= 2 => {
                    record.log_dirs = input.array("logDirs", Reader::uuid)?;
                }
                3 if version >= 3 => {
                    record.cordoned_log_dirs = input.nullable_array("cordonedLogDirs", Reader::uuid)?;
                }
                _ => input.skip_rest(),
            }
            Ok(())
        })?;
        Ok(record)
    }
}

impl Message for BrokerRegistrationChangeRecord {
    const NAME: &'static str = "BrokerRegistrationChangeRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=3;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl BrokerRegistrationChangeRecord {
    /// The number of this record in the metadata log's frame.
    pub const API_KEY: u32 = 17;
}

/// `RegisterControllerRecord`, type 27: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct RegisterControllerRecord {
    /// `controllerId`: `int32`.
    pub controller_id: i32,
    /// `incarnationId`: `uuid`.
    pub incarnation_id: Uuid,
    /// `zkMigrationReady`: `bool`.
    pub zk_migration_ready: bool,
    /// `endPoints`: `[]ControllerEndpoint`.
    pub end_points: Vec<ControllerEndpoint>,
    /// `features`: `[]ControllerFeature`.
    pub features: Vec<ControllerFeature>,
}

impl Body for RegisterControllerRecord {
    fn write(&self, out: &mut Writer, version: i16) -> Result<(), RecordError> {
        out.i32(self.controller_id);
        out.uuid(self.incarnation_id);
        out.bool(self.zk_migration_ready);
        out.array("endPoints", &self.end_points, |out, item| item.write(out, version))?;
        out.array("features", &self.features, |out, item| item.write(out, version))?;
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.controller_id = input.i32()?;
        record.incarnation_id = input.uuid()?;
        record.zk_migration_ready = input.bool()?;
        record.end_points = input.array("endPoints", |input| ControllerEndpoint::read(input, version))?;
        record.features = input.array("features", |input| ControllerFeature::read(input, version))?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for RegisterControllerRecord {
    const NAME: &'static str = "RegisterControllerRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl RegisterControllerRecord {
    /// The number of this record in the metadata log's frame.
    pub const API_KEY: u32 = 27;
}

/// Part of [`RegisterControllerRecord`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ControllerEndpoint {
    /// `name`: `string`.
    pub name: String,
    /// `host`: `string`.
    pub host: String,
    /// `port`: `uint16`.
    pub port: u16,
    /// `securityProtocol`: `int16`.
    pub security_protocol: i16,
}

impl Body for ControllerEndpoint {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.string("name", &self.name)?;
        out.string("host", &self.host)?;
        out.u16(self.port);
        out.i16(self.security_protocol);
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.name = input.string("name")?;
        record.host = input.string("host")?;
        record.port = input.u16()?;
        record.security_protocol = input.i16()?;
        input.skip_tags()?;
        Ok(record)
    }
}

/// Part of [`RegisterControllerRecord`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ControllerFeature {
    /// `name`: `string`.
    pub name: String,
    /// `minSupportedVersion`: `int16`.
    pub min_supported_version: i16,
    /// `maxSupportedVersion`: `int16`.
    pub max_supported_version: i16,
}

impl Body for ControllerFeature {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.string("name", &self.name)?;
        out.i16(self.min_supported_version);
        out.i16(self.max_supported_version);
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.name = input.string("name")?;
        record.min_supported_version = input.i16()?;
        record.max_supported_version = input.i16()?;
        input.skip_tags()?;
        Ok(record)
    }
}
