//! Every topic configuration that has an effect, set on a topic that is in use: the effect is there at once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod compression;
mod files;
mod flushing;
mod live;
mod records;
