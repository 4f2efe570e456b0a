//! The real disk, but only so many bytes can be added to files, and syncs of some fail.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use milena::log::storage::Storage;
use milena::log::watched::{Call, Go, Watched, Watcher};

/// The disk; clones are the same one.
#[derive(Clone, Debug)]
pub struct Small {
    /// Bytes that can still be added to files.
    pub room: Arc<AtomicI64>,
    /// A directory; syncs of the files in it fail.
    pub broken: Arc<Mutex<Option<PathBuf>>>,
}

impl Small {
    pub fn new(room: i64) -> Self {
        Self { room: Arc::new(AtomicI64::new(room)), broken: Arc::default() }
    }

    pub fn storage(&self) -> Arc<dyn Storage> {
        Watched::disk(Arc::new(self.clone()))
    }

    fn write(&self, bytes: usize) -> io::Result<Go> {
        let room = usize::try_from(self.room.load(Ordering::SeqCst)).unwrap_or(0);
        let len = bytes.min(room);
        if len == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.room.fetch_sub(len as i64, Ordering::SeqCst);
        Ok(Go::Part(len))
    }
}

impl Watcher for Small {
    fn before(&self, call: Call<'_>, path: &Path) -> io::Result<Go> {
        match call {
            Call::Write(bytes) => self.write(bytes),
            Call::Sync => match &*self.broken.lock().unwrap() {
                Some(broken) if path.starts_with(broken) => Err(io::Error::other("input/output error")),
                _ => Ok(Go::Skip),
            },
            Call::SyncDir => Ok(Go::Skip),
            Call::SetLen(len) => {
                // What is cut off is free again.
                let freed = path.metadata()?.len().saturating_sub(len);
                self.room.fetch_add(freed as i64, Ordering::SeqCst);
                Ok(Go::On)
            }
            Call::CreateDir if self.room.load(Ordering::SeqCst) <= 0 && !path.exists() => {
                Err(io::ErrorKind::StorageFull.into())
            }
            _ => Ok(Go::On),
        }
    }
}
