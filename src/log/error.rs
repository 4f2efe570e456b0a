//! What can go wrong in a log, one type per kind of operation, and the Kafka error code of each. No error carries
//! bytes of a record.

use std::io;
use std::path::{Path, PathBuf};

use crate::types::{ErrorCode, Offset, ProducerId, TopicId};

/// Opening, flushing, trimming or deleting a log, or reading its directory, failed.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The operating system refused an operation.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A file holds what it must not hold.
    #[error("{}: {reason}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, in one sentence.
        reason: String,
    },
    /// The directory belongs to another topic of the same name.
    #[error("{}: belongs to topic id {found}, not to {wanted}", path.display())]
    OtherTopic {
        /// The partition's directory.
        path: PathBuf,
        /// The topic id in `partition.metadata`.
        found: TopicId,
        /// The topic id asked for.
        wanted: TopicId,
    },
    /// The directory holds records and does not say of which topic, after a stop that was not clean.
    #[error("{}: holds records of a topic that it does not name", path.display())]
    NoTopicId {
        /// The partition's directory.
        path: PathBuf,
    },
    /// A checkpoint of the data directory speaks of an earlier partition of this name, and could not be written anew.
    #[error("{}: a checkpoint speaks of an earlier partition of this name", path.display())]
    NameNotFree {
        /// The partition's directory.
        path: PathBuf,
    },
    /// The data directory belongs to another cluster or node.
    #[error("{}: {key} is {found}, but {wanted} is configured", path.display())]
    OtherOwner {
        /// `meta.properties`.
        path: PathBuf,
        /// The property that differs.
        key: &'static str,
        /// Its value on disk.
        found: String,
        /// The value asked for.
        wanted: String,
    },
    /// Another process holds the directory's lock.
    #[error("{}: held by another process", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// An earlier fsync failed; the log takes no further writes.
    #[error("an earlier fsync failed: the log takes no further writes")]
    Poisoned,
    /// The offset lies outside the log.
    #[error("offset {asked} is outside the log ({start}..={end})")]
    OffsetOutOfRange {
        /// The offset asked for.
        asked: Offset,
        /// The log start offset.
        start: Offset,
        /// The highest offset allowed.
        end: Offset,
    },
}

impl LogError {
    /// Wraps an IO error with the path it happened at.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |error| Self::Io { path: path.to_path_buf(), error }
    }

    pub(crate) fn corrupt(path: &Path, reason: impl Into<String>) -> Self {
        Self::Corrupt { path: path.to_path_buf(), reason: reason.into() }
    }

    /// The code that a client gets for it.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::OffsetOutOfRange { .. } => ErrorCode::OffsetOutOfRange,
            _ => ErrorCode::KafkaStorageError,
        }
    }
}

/// A batch was not appended; the log is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The write failed and was undone; the next append may succeed.
    #[error("write failed: {0}")]
    Storage(#[from] LogError),
    /// An earlier fsync, or the undoing of a write, failed; the log takes no further appends.
    #[error("an earlier write or fsync failed: the log takes no further appends")]
    Poisoned,
    /// The sequence does not follow the producer's last one (KIP-98).
    #[error("producer {producer_id}: sequence {found} after {last}")]
    OutOfOrderSequence {
        /// The producer.
        producer_id: ProducerId,
        /// The batch's first sequence.
        found: i32,
        /// The last sequence the log holds of this producer, -1 when none.
        last: i32,
    },
    /// The producer epoch is older than one the log has seen.
    #[error("producer {producer_id}: epoch {found} is older than {current}")]
    InvalidProducerEpoch {
        /// The producer.
        producer_id: ProducerId,
        /// The batch's epoch.
        found: i16,
        /// The newest epoch seen.
        current: i16,
    },
    /// A batch outside a transaction of a producer that has one open.
    #[error("producer {producer_id}: a batch outside its open transaction")]
    InvalidTxnState {
        /// The producer.
        producer_id: ProducerId,
    },
    /// A marker of an older transaction coordinator.
    #[error("producer {producer_id}: coordinator epoch {found} is older than {current}")]
    CoordinatorFenced {
        /// The producer.
        producer_id: ProducerId,
        /// The marker's coordinator epoch.
        found: i32,
        /// The newest coordinator epoch seen.
        current: i32,
    },
    /// The batch cannot be stored: its counts or its control record make no sense.
    #[error("invalid batch: {0}")]
    Invalid(String),
}

impl AppendError {
    /// The code that a client gets for it.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Storage(_) | Self::Poisoned => ErrorCode::KafkaStorageError,
            Self::OutOfOrderSequence { .. } => ErrorCode::OutOfOrderSequenceNumber,
            Self::InvalidProducerEpoch { .. } => ErrorCode::InvalidProducerEpoch,
            Self::InvalidTxnState { .. } => ErrorCode::InvalidTxnState,
            Self::CoordinatorFenced { .. } => ErrorCode::TransactionCoordinatorFenced,
            Self::Invalid(_) => ErrorCode::CorruptMessage,
        }
    }
}

/// A read could not be answered.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The offset is below the log start or above the log end.
    #[error("offset {asked} is outside the log ({start}..={end})")]
    OffsetOutOfRange {
        /// The offset asked for.
        asked: Offset,
        /// The log start offset.
        start: Offset,
        /// The log end offset.
        end: Offset,
    },
    /// The bytes are not in memory: repeat the read where it may block.
    #[error("the bytes are not in the page cache")]
    WouldBlock,
    /// The bytes on disk are no record batch.
    #[error("{}: no record batch at position {position}", path.display())]
    Corrupt {
        /// The segment's log file.
        path: PathBuf,
        /// The byte position in it.
        position: u64,
    },
    /// The operating system refused the read.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

impl ReadError {
    /// Wraps an IO error with the path it happened at; `WouldBlock` keeps its meaning.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |error| {
            if error.kind() == io::ErrorKind::WouldBlock {
                Self::WouldBlock
            } else {
                Self::Io { path: path.to_path_buf(), error }
            }
        }
    }

    /// The code that a client gets for it.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::OffsetOutOfRange { .. } => ErrorCode::OffsetOutOfRange,
            Self::Corrupt { .. } => ErrorCode::CorruptMessage,
            Self::WouldBlock | Self::Io { .. } => ErrorCode::KafkaStorageError,
        }
    }
}
