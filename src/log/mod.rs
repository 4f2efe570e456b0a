//! One partition's files, in Apache Kafka's formats: segments, indexes, recovery, retention, producer state, leader
//! epochs, checkpoints. It relies on `wire` for record batches and on `types`; it never reads a clock, never awaits and
//! never trusts a byte of a file. `Log` is the single writer of a partition (it lives behind the partition's mutex),
//! `LogReader` what any number of readers share without taking that lock.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod bytes;
pub mod checkpoint;
pub mod config;
mod context;
pub mod directory;
pub mod epochs;
pub mod error;
mod flusher;
mod handles;
mod names;
mod partition_metadata;
pub mod producers;
mod properties;
pub mod snapshot;
pub mod storage;
pub mod txn_index;

pub use config::LogConfig;
pub use context::{ContextOptions, LogContext};
pub use directory::{Checkpoint, LogDirectory};
pub use error::{AppendError, LogError, ReadError};
