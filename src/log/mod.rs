//! One partition's files, in Apache Kafka's formats: segments, indexes, recovery, retention, producer state, leader
//! epochs, checkpoints. It relies on `wire` for record batches and on `types`; it never reads a clock, never awaits and
//! never trusts a byte of a file. `Log` is the single writer of a partition (it lives behind the partition's mutex),
//! `LogReader` what any number of readers share without taking that lock.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod append;
mod batches;
mod buffers;
mod bytes;
mod check;
pub mod checkpoint;
pub mod cleaner;
pub mod config;
mod context;
mod counting;
mod deferred;
pub mod directory;
pub mod epochs;
pub mod error;
mod failures;
mod flush_schedule;
mod flusher;
mod handles;
mod hints;
mod index;
mod known_producers;
mod listing;
mod names;
mod open;
mod partition_metadata;
pub mod producers;
mod properties;
mod read;
mod read_only;
mod reader;
mod recovery;
mod restore;
mod retention;
mod roll;
mod scan;
mod segment;
pub mod snapshot;
pub mod storage;
mod sync;
mod times;
pub mod txn_index;
pub mod watched;
mod writer;

pub use append::Appended;
pub use config::{CleanupPolicy, LogConfig, TimestampType};
pub use context::{ContextOptions, LogContext};
pub use counting::Counting;
pub use directory::{Checkpoint, HeldDirectory, LogDirectory, Space, absolute_path, new_cluster_id};
pub use error::{AppendError, LogError, ReadError};
pub use failures::is_of_disk;
pub use listing::stored_bytes;
pub use open::{OpenSpec, Recovery};
pub use producers::AppendOrigin;
pub use properties::MetaProperties;
pub use read::ReadResult;
pub use read_only::ReadOnly;
pub use reader::LogReader;
pub use sync::SyncListener;
pub use times::TimedOffset;
pub use txn_index::AbortedTxn;
pub use writer::Log;

#[cfg(test)]
pub(crate) use flusher::Next;

#[cfg(test)]
pub(crate) mod tests;
