//! Bytes: frames, the guard against hostile input, record batches, compression, Kafka's internal schemas.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

pub mod batch;
pub mod compress;
pub mod fetch_response;
pub mod foreign;
pub mod frame;
pub mod guard;
pub mod header;
pub mod messages;
pub mod metadata_response;
pub mod records;
pub mod shapes;
pub mod slices;
