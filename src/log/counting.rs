//! Counts what the disk fails at. It changes no result and keeps nothing.

use std::io;
use std::sync::Arc;

use super::storage::Access;
use super::watched::{Call, Watcher};
use crate::observe::counters::Counters;

/// Counts failed writes and syncs of a storage that it watches.
#[derive(Debug)]
pub struct Counting(pub Arc<Counters>);

impl Watcher for Counting {
    fn failed(&self, call: Call<'_>, error: &io::Error) {
        use io::ErrorKind::{Interrupted, NotFound};
        // What is not there, or has to be repeated, is no failure of the disk.
        if matches!(error.kind(), Interrupted | NotFound) {
            return;
        }
        match call {
            Call::Sync | Call::SyncDir => self.0.fsync_failures.add(1),
            Call::Read | Call::List | Call::Open(Access::Existing) => {}
            Call::Open(_)
            | Call::Write(_)
            | Call::SetLen(_)
            | Call::CreateDir
            | Call::Rename(_)
            | Call::Remove => self.0.write_failures.add(1),
        }
    }
}
