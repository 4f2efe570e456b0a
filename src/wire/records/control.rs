//! Bodies of the control records: transaction markers, leader changes, snapshot ends, voters.
//! Generated from Kafka's message definitions by `scripts/generate-records`; not edited by hand.

use std::ops::RangeInclusive;

use super::codec::{self, Body, Message, Reader, RecordError, Tags, Writer};
use uuid::Uuid;

/// `EndTxnMarker`: version 0, never flexible.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct EndTxnMarker {
    /// `coordinatorEpoch`: `int32`.
    pub coordinator_epoch: i32,
}

impl Body for EndTxnMarker {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.i32(self.coordinator_epoch);
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.coordinator_epoch = input.i32()?;
        Ok(record)
    }
}

impl Message for EndTxnMarker {
    const NAME: &'static str = "EndTxnMarker";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = None;
}

impl EndTxnMarker {
    /// The body alone, as it stands in a control record (a transaction marker has its version before it).
    pub fn encode_body(&self, version: i16) -> Result<Vec<u8>, RecordError> {
        codec::encode_body(self, version)
    }

    /// Reads what `encode_body` writes at that version.
    pub fn decode_body(bytes: &[u8], version: i16) -> Result<Self, RecordError> {
        codec::decode_body(bytes, version)
    }
}

/// `KRaftVersionRecord`: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct KRaftVersionRecord {
    /// `version`: `int16`.
    pub version: i16,
    /// `kRaftVersion`: `int16`.
    pub kraft_version: i16,
}

impl Body for KRaftVersionRecord {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.i16(self.version);
        out.i16(self.kraft_version);
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.version = input.i16()?;
        record.kraft_version = input.i16()?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for KRaftVersionRecord {
    const NAME: &'static str = "KRaftVersionRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl KRaftVersionRecord {
    /// The body alone, as it stands in a control record (a transaction marker has its version before it).
    pub fn encode_body(&self, version: i16) -> Result<Vec<u8>, RecordError> {
        codec::encode_body(self, version)
    }

    /// Reads what `encode_body` writes at that version.
    pub fn decode_body(bytes: &[u8], version: i16) -> Result<Self, RecordError> {
        codec::decode_body(bytes, version)
    }
}

/// `LeaderChangeMessage`: versions 0 to 1, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct LeaderChangeMessage {
    /// `version`: `int16`.
    pub version: i16,
    /// `leaderId`: `int32`.
    pub leader_id: i32,
    /// `voters`: `[]Voter`.
    pub voters: Vec<Voter>,
    /// `grantingVoters`: `[]Voter`.
    pub granting_voters: Vec<Voter>,
}

impl Body for LeaderChangeMessage {
    fn write(&self, out: &mut Writer, version: i16) -> Result<(), RecordError> {
        out.i16(self.version);
        out.i32(self.leader_id);
        out.array("voters", &self.voters, |out, item| item.write(out, version))?;
        out.array("grantingVoters", &self.granting_voters, |out, item| item.write(out, version))?;
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.version = input.i16()?;
        record.leader_id = input.i32()?;
        record.voters = input.array("voters", |input| Voter::read(input, version))?;
        record.granting_voters = input.array("grantingVoters", |input| Voter::read(input, version))?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for LeaderChangeMessage {
    const NAME: &'static str = "LeaderChangeMessage";
    const VERSIONS: RangeInclusive<i16> = 0..=1;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl LeaderChangeMessage {
    /// The body alone, as it stands in a control record (a transaction marker has its version before it).
    pub fn encode_body(&self, version: i16) -> Result<Vec<u8>, RecordError> {
        codec::encode_body(self, version)
    }

    /// Reads what `encode_body` writes at that version.
    pub fn decode_body(bytes: &[u8], version: i16) -> Result<Self, RecordError> {
        codec::decode_body(bytes, version)
    }
}

/// Part of [`LeaderChangeMessage`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Voter {
    /// `voterId`: `int32`.
    pub voter_id: i32,
    /// `voterDirectoryId`: `uuid`, versions 1+.
    pub voter_directory_id: Uuid,
}

impl Body for Voter {
    fn write(&self, out: &mut Writer, version: i16) -> Result<(), RecordError> {
        out.i32(self.voter_id);
        if version >= 1 {
            out.uuid(self.voter_directory_id);
        } else if !self.voter_directory_id.is_nil() {
            return Err(RecordError::FieldNotInVersion { field: "voterDirectoryId", version });
        }
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.voter_id = input.i32()?;
        if version >= 1 {
            record.voter_directory_id = input.uuid()?;
        }
        input.skip_tags()?;
        Ok(record)
    }
}

/// `SnapshotFooterRecord`: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct SnapshotFooterRecord {
    /// `version`: `int16`.
    pub version: i16,
}

impl Body for SnapshotFooterRecord {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.i16(self.version);
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.version = input.i16()?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for SnapshotFooterRecord {
    const NAME: &'static str = "SnapshotFooterRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl SnapshotFooterRecord {
    /// The body alone, as it stands in a control record (a transaction marker has its version before it).
    pub fn encode_body(&self, version: i16) -> Result<Vec<u8>, RecordError> {
        codec::encode_body(self, version)
    }

    /// Reads what `encode_body` writes at that version.
    pub fn decode_body(bytes: &[u8], version: i16) -> Result<Self, RecordError> {
        codec::decode_body(bytes, version)
    }
}

/// `SnapshotHeaderRecord`: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct SnapshotHeaderRecord {
    /// `version`: `int16`.
    pub version: i16,
    /// `lastContainedLogTimestamp`: `int64`.
    pub last_contained_log_timestamp: i64,
}

impl Body for SnapshotHeaderRecord {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.i16(self.version);
        out.i64(self.last_contained_log_timestamp);
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.version = input.i16()?;
        record.last_contained_log_timestamp = input.i64()?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for SnapshotHeaderRecord {
    const NAME: &'static str = "SnapshotHeaderRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl SnapshotHeaderRecord {
    /// The body alone, as it stands in a control record (a transaction marker has its version before it).
    pub fn encode_body(&self, version: i16) -> Result<Vec<u8>, RecordError> {
        codec::encode_body(self, version)
    }

    /// Reads what `encode_body` writes at that version.
    pub fn decode_body(bytes: &[u8], version: i16) -> Result<Self, RecordError> {
        codec::decode_body(bytes, version)
    }
}

/// `VotersRecord`: version 0, flexible from 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct VotersRecord {
    /// `version`: `int16`.
    pub version: i16,
    /// `voters`: `[]Voter`.
    pub voters: Vec<VotersVoter>,
}

impl Body for VotersRecord {
    fn write(&self, out: &mut Writer, version: i16) -> Result<(), RecordError> {
        out.i16(self.version);
        out.array("voters", &self.voters, |out, item| item.write(out, version))?;
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.version = input.i16()?;
        record.voters = input.array("voters", |input| VotersVoter::read(input, version))?;
        input.skip_tags()?;
        Ok(record)
    }
}

impl Message for VotersRecord {
    const NAME: &'static str = "VotersRecord";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}

impl VotersRecord {
    /// The body alone, as it stands in a control record (a transaction marker has its version before it).
    pub fn encode_body(&self, version: i16) -> Result<Vec<u8>, RecordError> {
        codec::encode_body(self, version)
    }

    /// Reads what `encode_body` writes at that version.
    pub fn decode_body(bytes: &[u8], version: i16) -> Result<Self, RecordError> {
        codec::decode_body(bytes, version)
    }
}

/// Part of [`VotersRecord`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct VotersVoter {
    /// `voterId`: `int32`.
    pub voter_id: i32,
    /// `voterDirectoryId`: `uuid`.
    pub voter_directory_id: Uuid,
    /// `endpoints`: `[]Endpoint`.
    pub endpoints: Vec<Endpoint>,
    /// `kRaftVersionFeature`: `KRaftVersionFeature`.
    pub kraft_version_feature: KRaftVersionFeature,
}

impl Body for VotersVoter {
    fn write(&self, out: &mut Writer, version: i16) -> Result<(), RecordError> {
        out.i32(self.voter_id);
        out.uuid(self.voter_directory_id);
        out.array("endpoints", &self.endpoints, |out, item| item.write(out, version))?;
        self.kraft_version_feature.write(out, version)?;
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.voter_id = input.i32()?;
        record.voter_directory_id = input.uuid()?;
        record.endpoints = input.array("endpoints", |input| Endpoint::read(input, version))?;
        record.kraft_version_feature = KRaftVersionFeature::read(input, version)?;
        input.skip_tags()?;
        Ok(record)
    }
}

/// Part of [`VotersRecord`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Endpoint {
    /// `name`: `string`.
    pub name: String,
    /// `host`: `string`.
    pub host: String,
    /// `port`: `uint16`.
    pub port: u16,
}

impl Body for Endpoint {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.string("name", &self.name)?;
        out.string("host", &self.host)?;
        out.u16(self.port);
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.name = input.string("name")?;
        record.host = input.string("host")?;
        record.port = input.u16()?;
        input.skip_tags()?;
        Ok(record)
    }
}

/// Part of [`VotersRecord`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct KRaftVersionFeature {
    /// `minSupportedVersion`: `int16`.
    pub min_supported_version: i16,
    /// `maxSupportedVersion`: `int16`.
    pub max_supported_version: i16,
}

impl Body for KRaftVersionFeature {
    fn write(&self, out: &mut Writer, _version: i16) -> Result<(), RecordError> {
        out.i16(self.min_supported_version);
        out.i16(self.max_supported_version);
        out.tags(&Tags::default());
        Ok(())
    }

    fn read(input: &mut Reader<'_>, _version: i16) -> Result<Self, RecordError> {
        let mut record = Self::default();
        record.min_supported_version = input.i16()?;
        record.max_supported_version = input.i16()?;
        input.skip_tags()?;
        Ok(record)
    }
}
