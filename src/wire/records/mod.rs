//! The records that Kafka's coordinators and controller keep in internal topics, as plain structures.
//! `codec`, `control_record`, `frame` and this file are by hand; `scripts/generate-records` writes the rest.
//! `Default` gives the definitions' defaults: a nullable field that names none begins empty, not null, as in Kafka.
//! Decoding trusts no byte: it never panics and allocates in proportion to what is there.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::string_slice))]

pub mod codec;
pub mod control_record;
pub mod frame;

pub mod consumer_group;
pub mod control;
pub mod metadata;
pub mod metadata_brokers;
pub mod metadata_security;
pub mod metadata_settings;
pub mod metadata_topics;
pub mod offsets;
pub mod share_group;
pub mod streams_group;
pub mod transactions;

pub use codec::RecordError;

#[cfg(test)]
mod tests;
