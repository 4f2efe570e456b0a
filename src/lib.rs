//! Milena: a broker that speaks Apache Kafka's wire protocol and keeps Kafka's on-disk log format.
//! The rows of the house, top to bottom; a row imports only rows below it (`tests/tidy.rs` checks it).

pub mod cli;

pub mod server;

pub mod net;

pub mod api;

pub mod broker;

pub mod coordinator;

pub mod controller;

pub mod replica;

pub mod log;

pub mod wire;

pub mod config;
pub mod limits;
pub mod observe;
pub mod types;
