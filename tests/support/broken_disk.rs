//! The real disk, of which what lies below one path can fail.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use milena::log::storage::{Access, Storage};
use milena::log::watched::{Call, Go, Watched, Watcher};

/// What fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Everything that changes something, with EIO.
    Writes,
    /// Every sync, with EIO.
    Syncs,
    /// Every opening, listing and reading, with EIO.
    Reads,
    /// What needs room, with ENOSPC.
    Room,
}

/// The disk; clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Broken {
    faults: Arc<Mutex<Vec<(PathBuf, Fault)>>>,
}

impl Broken {
    /// From now on this fails below `path`, too.
    pub fn break_below(&self, path: impl Into<PathBuf>, fault: Fault) {
        self.faults.lock().unwrap().push((path.into(), fault));
    }

    /// From now on nothing fails.
    pub fn mend(&self) {
        self.faults.lock().unwrap().clear();
    }

    pub fn storage(&self) -> Arc<dyn Storage> {
        Watched::disk(Arc::new(self.clone()))
    }

    fn check(&self, path: &Path, faults: &[Fault]) -> io::Result<()> {
        const EIO: i32 = 5;
        let broken = self.faults.lock().unwrap();
        let found = broken.iter().find(|(below, fault)| path.starts_with(below) && faults.contains(fault));
        match found {
            None => Ok(()),
            Some((_, Fault::Room)) => Err(io::ErrorKind::StorageFull.into()),
            Some(_) => Err(io::Error::from_raw_os_error(EIO)),
        }
    }
}

impl Watcher for Broken {
    fn before(&self, call: Call<'_>, path: &Path) -> io::Result<Go> {
        use Fault::{Reads, Room, Syncs, Writes};
        let faults: &[Fault] = match call {
            Call::Open(access) if access != Access::Existing && !path.exists() => &[Reads, Writes, Room],
            Call::Open(_) | Call::Read | Call::List => &[Reads],
            Call::CreateDir if path.exists() => &[],
            Call::Write(_) | Call::CreateDir => &[Writes, Room],
            Call::SetLen(_) | Call::Rename(_) | Call::Remove => &[Writes],
            Call::Sync | Call::SyncDir => &[Syncs],
        };
        self.check(path, faults)?;
        // What was written is safe from all that a test does.
        Ok(Go::Skip)
    }
}
