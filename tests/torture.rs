//! The program of `scripts/torture` under test: its pure checker, and runs against the binary whose data is damaged on
//! purpose. The tests lie beside the code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "a test has no use for the program's entry")]
#[path = "../examples/torture/main.rs"]
mod torture;

/// What is tortured.
const BROKER: &str = env!("CARGO_BIN_EXE_milena");
