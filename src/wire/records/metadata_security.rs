//! Access control, credentials and quotas as `__cluster_metadata` holds them.
//! Generated from Kafka's message definitions by `scripts/generate-records`; not edited by hand.

use std::ops::RangeInclusive;

use super::codec::{Body, Message, Reader, RecordError, Tags, Writer};
use bytes::Bytes;
use uuid::Uuid;

/// `DelegationTokenRecord`, type 10: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DelegationTokenRecord {
    /// `owner`: `string`.
    pub owner: String,
    /// `requester`: `string`.
    pub requester: String,
    /// `renewers`: `[]string`.
    pub renewers: Vec<String>,
    /// `issueTimestamp`: `int64`.
    pub issue_timestamp: i64,
    /// `maxTimestamp`: `int64`.
    pub max_timestamp: i64,
    /// `expirationTimestamp`: `int64`.
    pub expiration_timestamp: i64,
    /// `tokenId`: `string`.
    pub token_id: String,
}

impl Body for DelegationTokenRecord {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.string("owner", &self.owner)?;
        out.string("requester", &self.requester)?;
        out.array("renewers", &self.renewers, |out, item| out.string("renewers", item))?;
        out.i64(self.issue_timestamp);
        out.i64(self.max_timestamp);
        out.i64(self.expiration_timestamp);
        out.string("tokenId", &self.token_id)?;
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.owner = input.string("owner")?;
        record.requester = input.string("requester")?;
        record.renewers = input.array("renewers", |input| input.string("renewers"))?;
        record.issue_timestamp = input.i64()?;
        record.max_timestamp = input.i64()?;
        record.expiration_timestamp = input.i64()?;
        record.token_id = input.string("tokenId")?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for DelegationTokenRecord {
    const NAME: &'static str = "DelegationTokenRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl DelegationTokenRecord {
    /// The number of this record in the metadata log's frame.
    pub const API_KEY: u32 = 10;
}

/// `UserScramCredentialRecord`, type 11: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct UserScramCredentialRecord {
    /// `name`: `string`.
    pub name: String,
    /// `mechanism`: `int8`.
    pub mechanism: i8,
    /// `salt`: `bytes`.
    pub salt: Bytes,
    /// `storedKey`: `bytes`.
    pub stored_key: Bytes,
    /// `serverKey`: `bytes`.
    pub server_key: Bytes,
    /// `iterations`: `int32`.
    pub iterations: i32,
}

impl Body for UserScramCredentialRecord {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.string("name", &self.name)?;
        out.i8(self.mechanism);
        out.bytes("salt", &self.salt)?;
        out.bytes("storedKey", &self.stored_key)?;
        out.bytes("serverKey", &self.server_key)?;
        out.i32(self.iterations);
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.name = input.string("name")?;
        record.mechanism = input.i8()?;
        record.salt = input.bytes("salt")?;
        record.stored_key = input.bytes("storedKey")?;
        record.server_key = input.bytes("serverKey")?;
        record.iterations = input.i32()?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for UserScramCredentialRecord {
    const NAME: &'static str = "UserScramCredentialRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl UserScramCredentialRecord {
    /// The number of this record in the metadata log's frame.
    pub const API_KEY: u32 = 11;
}

/// `ClientQuotaRecord`, type 14: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ClientQuotaRecord {
    /// `entity`: `[]EntityData`.
    pub entity: Vec<EntityData>,
    /// `key`: `string`.
    pub key: String,
    /// `value`: `float64`.
    pub value: f64,
    /// `remove`: `bool`.
    pub remove: bool,
}

impl Body for ClientQuotaRecord {
    fn write(&self, out: &mut Writer, version: i16) -> Result<(), RecordError> {
        out.array("entity", &self.entity, |out, item| item.write(out, version))?;
        out.string("key", &self.key)?;
        out.f64(self.value);
        out.bool(self.remove);
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.entity = input.array("entity", |input| EntityData::read(input, version))?;
        record.key = input.string("key")?;
        record.value = input.f64()?;
        record.remove = input.bool()?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for ClientQuotaRecord {
    const NAME: &'static str = "ClientQuotaRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl ClientQuotaRecord {
    /// The number of this record in the metadata log's frame.
    pub const API_KEY: u32 = 14;
}

/// Part of [`ClientQuotaRecord`].
#[derive(Clone, Debug, PartialEq)]
pub struct EntityData {
    /// `entityType`: `string`.
    pub entity_type: String,
    /// `entityName`: `string`, nullable.
    pub entity_name: Option<String>,
}

impl Default for EntityData {
    fn default() -> Self {
        Self { entity_type: String::default(), entity_name: Some(String::default()) }
    }
}

impl Body for EntityData {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.string("entityType", &self.entity_type)?;
        out.nullable_string("entityName", self.entity_name.as_deref())?;
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.entity_type = input.string("entityType")?;
        record.entity_name = input.nullable_string("entityName")?;
        input.skip_tags()?;
        Ok(record)
    }
}

/// `AccessControlEntryRecord`, type 18: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AccessControlEntryRecord {
    /// `id`: `uuid`.
    pub id: Uuid,
    /// `resourceType`: `int8`.
    pub resource_type: i8,
    /// `resourceName`: `string`.
    pub resource_name: String,
    /// `patternType`: `int8`.
    pub pattern_type: i8,
    /// `principal`: `string`.
    pub principal: String,
    /// `host`: `string`.
    pub host: String,
    /// `operation`: `int8`.
    pub operation: i8,
    /// `permissionType`: `int8`.
    pub permission_type: i8,
}

impl Body for AccessControlEntryRecord {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.uuid(self.id);
        out.i8(self.resource_type);
        out.string("resourceName", &self.resource_name)?;
        out.i8(self.pattern_type);
        out.string("principal", &self.principal)?;
        out.string("host", &self.host)?;
        out.i8(self.operation);
        out.i8(self.permission_type);
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.id = input.uuid()?;
        record.resource_type = input.i8()?;
        record.resource_name = input.string("resourceName")?;
        record.pattern_type = input.i8()?;
        record.principal = input.string("principal")?;
        record.host = input.string("host")?;
        record.operation = input.i8()?;
        record.permission_type = input.i8()?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for AccessControlEntryRecord {
    const NAME: &'static str = "AccessControlEntryRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl AccessControlEntryRecord {
    /// The number of this record in the metadata log's frame.
    pub const API_KEY: u32 = 18;
}

/// `RemoveAccessControlEntryRecord`, type 19: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct RemoveAccessControlEntryRecord {
    /// `id`: `uuid`.
    pub id: Uuid,
}

impl Body for RemoveAccessControlEntryRecord {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.uuid(self.id);
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.id = input.uuid()?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for RemoveAccessControlEntryRecord {
    const NAME: &'static str = "RemoveAccessControlEntryRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl RemoveAccessControlEntryRecord {
    /// The number of this record in the metadata log's frame.
    pub const API_KEY: u32 = 19;
}

/// `RemoveUserScramCredentialRecord`, type 22: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct RemoveUserScramCredentialRecord {
    /// `name`: `string`.
    pub name: String,
    /// `mechanism`: `int8`.
    pub mechanism: i8,
}

impl Body for RemoveUserScramCredentialRecord {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.string("name", &self.name)?;
        out.i8(self.mechanism);
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.name = input.string("name")?;
        record.mechanism = input.i8()?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for RemoveUserScramCredentialRecord {
    const NAME: &'static str = "RemoveUserScramCredentialRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl RemoveUserScramCredentialRecord {
    /// The number of this record in the metadata log's frame.
    pub const API_KEY: u32 = 22;
}

/// `RemoveDelegationTokenRecord`, type 26: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct RemoveDelegationTokenRecord {
    /// `tokenId`: `string`.
    pub token_id: String,
}

impl Body for RemoveDelegationTokenRecord {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.string("tokenId", &self.token_id)?;
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.token_id = input.string("tokenId")?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for RemoveDelegationTokenRecord {
    const NAME: &'static str = "RemoveDelegationTokenRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl RemoveDelegationTokenRecord {
    /// The number of this record in the metadata log's frame.
    pub const API_KEY: u32 = 26;
}
