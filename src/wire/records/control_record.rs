//! Control records: the markers that end transactions and the records that a quorum writes for itself.
//! A key is version and type as int16; the value follows from the type. Relies on `codec` and `control`; never panics.

use bytes::Bytes;

use super::codec::{self, Message, Reader, RecordError, Writer};
use super::control::{
    EndTxnMarker, KRaftVersionRecord, LeaderChangeMessage, SnapshotFooterRecord, SnapshotHeaderRecord,
    VotersRecord,
};

const ABORT: i16 = 0;
const COMMIT: i16 = 1;
const LEADER_CHANGE: i16 = 2;
const SNAPSHOT_HEADER: i16 = 3;
const SNAPSHOT_FOOTER: i16 = 4;
const KRAFT_VERSION: i16 = 5;
const KRAFT_VOTERS: i16 = 6;

/// The version that keys and transaction markers are written with.
const VERSION: i16 = 0;

/// What a record of a control batch says.
#[derive(Clone, Debug, PartialEq)]
pub enum ControlRecord {
    /// Type 0: the producer's open transaction is aborted.
    Abort(EndTxnMarker),
    /// Type 1: the producer's open transaction is committed.
    Commit(EndTxnMarker),
    /// Type 2: a leader began its epoch in its log.
    LeaderChange(LeaderChangeMessage),
    /// Type 3: the first record of a snapshot.
    SnapshotHeader(SnapshotHeaderRecord),
    /// Type 4: the last record of a snapshot.
    SnapshotFooter(SnapshotFooterRecord),
    /// Type 5: the protocol version of the quorum.
    KRaftVersion(KRaftVersionRecord),
    /// Type 6: the voters of the quorum.
    KRaftVoters(VotersRecord),
    /// A type that we have no definition of.
    Unknown {
        /// The type.
        control_type: i16,
        /// The value as it stands.
        value: Bytes,
    },
}

impl ControlRecord {
    /// The number in the record's key.
    pub const fn control_type(&self) -> i16 {
        match self {
            Self::Abort(_) => ABORT,
            Self::Commit(_) => COMMIT,
            Self::LeaderChange(_) => LEADER_CHANGE,
            Self::SnapshotHeader(_) => SNAPSHOT_HEADER,
            Self::SnapshotFooter(_) => SNAPSHOT_FOOTER,
            Self::KRaftVersion(_) => KRAFT_VERSION,
            Self::KRaftVoters(_) => KRAFT_VOTERS,
            Self::Unknown { control_type, .. } => *control_type,
        }
    }

    /// The record's key and value. A record of the quorum is written at the version that its own `version` field names; fails
    /// when there is none such.
    pub fn encode(&self) -> Result<(Vec<u8>, Vec<u8>), RecordError> {
        let mut key = Writer::new(false);
        key.i16(VERSION);
        key.i16(self.control_type());
        let value = match self {
            Self::Abort(marker) | Self::Commit(marker) => codec::encode_value(marker, VERSION),
            Self::LeaderChange(body) => body.encode_body(body.version),
            Self::SnapshotHeader(body) => body.encode_body(body.version),
            Self::SnapshotFooter(body) => body.encode_body(body.version),
            Self::KRaftVersion(body) => body.encode_body(body.version),
            Self::KRaftVoters(body) => body.encode_body(body.version),
            Self::Unknown { value, .. } => Ok(value.to_vec()),
        }?;
        Ok((key.into_bytes(), value))
    }

    /// Reads a record of a control batch. Keys and markers of later versions begin like version 0 and are read so.
    /// Fails on a key or a value that ends early, or a record of the quorum at a version without definition.
    pub fn decode(key: &[u8], value: &[u8]) -> Result<Self, RecordError> {
        match Self::type_of(key)? {
            ABORT => marker(value).map(Self::Abort),
            COMMIT => marker(value).map(Self::Commit),
            LEADER_CHANGE => versioned(value).map(Self::LeaderChange),
            SNAPSHOT_HEADER => versioned(value).map(Self::SnapshotHeader),
            SNAPSHOT_FOOTER => versioned(value).map(Self::SnapshotFooter),
            KRAFT_VERSION => versioned(value).map(Self::KRaftVersion),
            KRAFT_VOTERS => versioned(value).map(Self::KRaftVoters),
            control_type => Ok(Self::Unknown { control_type, value: Bytes::copy_from_slice(value) }),
        }
    }

    /// The type that a control record's key names; fails on a key that is too short or of a negative version.
    pub fn type_of(key: &[u8]) -> Result<i16, RecordError> {
        let mut input = Reader::new(key, false);
        let version = input.i16()?;
        if version < VERSION {
            return Err(RecordError::Version { message: "ControlRecordType", version });
        }
        input.i16()
    }
}

fn marker(value: &[u8]) -> Result<EndTxnMarker, RecordError> {
    let mut input = Reader::new(value, false);
    let version = input.i16()?;
    if version < VERSION {
        return Err(RecordError::Version { message: EndTxnMarker::NAME, version });
    }
    EndTxnMarker::decode_body(input.rest(), VERSION)
}

/// A body that begins with its own version as int16.
fn versioned<M: Message>(value: &[u8]) -> Result<M, RecordError> {
    codec::decode_body(value, Reader::new(value, false).i16()?)
}
