//! Requests and responses in versions that the protocol crate does not have, with its traits, for whole APIs.
//! `codec` and this file are by hand; `scripts/generate-records` writes the rest. Requests pass the guard before they
//! are decoded, as all do; decoding never panics, and allocates in proportion to what is there even without it.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::string_slice))]

mod codec;

pub mod describe_log_dirs;
pub mod list_offsets;
pub mod offset_commit;
pub mod offset_fetch;

pub use codec::MessageError;
pub use describe_log_dirs::{DescribeLogDirsRequest, DescribeLogDirsResponse};
pub use list_offsets::{ListOffsetsRequest, ListOffsetsResponse};
pub use offset_commit::{OffsetCommitRequest, OffsetCommitResponse};
pub use offset_fetch::{OffsetFetchRequest, OffsetFetchResponse};

#[cfg(test)]
mod tests;
