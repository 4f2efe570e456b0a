//! Compaction (`cleanup.policy=compact`): of each key in a log's closed segments the newest record stays. A round builds
//! a map of the dirty part's keys, copies segments without what is superseded, and swaps the copies in. It runs beside
//! appends and reads; only the swap takes the log's lock. It relies on closed segments never changing, reads no clock
//! and starts no thread.

mod copy;
mod filter;
mod group;
mod mapping;
mod offset_map;
mod plan;
mod round;
mod swap;
mod transactions;

pub use plan::CleaningPlan;
pub use round::{Cleaned, CleanerOptions, CleaningError, LockedLog, Pace, clean};
pub(crate) use swap::UnfinishedSwap;
