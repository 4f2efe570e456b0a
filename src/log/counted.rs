//! A storage that counts what another one fails at. It changes no result and keeps nothing.

use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;

use super::storage::{Access, Listed, Storage, StoredFile};
use crate::observe::counters::{Counter, Counters};

/// Another storage whose failed writes and syncs are counted.
#[derive(Debug)]
pub struct Counted {
    /// What does the work.
    pub inner: Arc<dyn Storage>,
    /// Where failures are counted.
    pub counters: Arc<Counters>,
}

#[derive(Debug)]
struct CountedFile {
    inner: Arc<dyn StoredFile>,
    counters: Arc<Counters>,
}

/// Counts a failure that is the disk's: what is not there, or has to be repeated, is none.
fn count<T>(counter: &Counter, result: io::Result<T>) -> io::Result<T> {
    use io::ErrorKind::{Interrupted, NotFound};
    if let Err(error) = &result
        && !matches!(error.kind(), Interrupted | NotFound)
    {
        counter.add(1);
    }
    result
}

impl Counted {
    fn written<T>(&self, result: io::Result<T>) -> io::Result<T> {
        count(&self.counters.write_failures, result)
    }
}

impl Storage for Counted {
    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn StoredFile>> {
        let opened = self.inner.open(path, access);
        let inner = if access == Access::Existing { opened? } else { self.written(opened)? };
        Ok(Arc::new(CountedFile { inner, counters: Arc::clone(&self.counters) }))
    }
    fn list(&self, path: &Path) -> io::Result<Vec<Listed>> {
        self.inner.list(path)
    }
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.written(self.inner.create_dir(path))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.written(self.inner.rename(from, to))
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.written(self.inner.remove_file(path))
    }
    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.written(self.inner.remove_dir(path))
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        count(&self.counters.fsync_failures, self.inner.sync_dir(path))
    }
    fn exists(&self, path: &Path) -> bool {
        self.inner.exists(path)
    }
}

impl StoredFile for CountedFile {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        self.inner.read_at(buffer, position)
    }
    fn read_at_nowait(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        self.inner.read_at_nowait(buffer, position)
    }
    fn write_at(&self, slices: &[IoSlice<'_>], position: u64) -> io::Result<usize> {
        count(&self.counters.write_failures, self.inner.write_at(slices, position))
    }
    fn sync_data(&self) -> io::Result<()> {
        count(&self.counters.fsync_failures, self.inner.sync_data())
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        count(&self.counters.write_failures, self.inner.set_len(len))
    }
    fn len_bytes(&self) -> io::Result<u64> {
        self.inner.len_bytes()
    }
    fn modified_ms(&self) -> io::Result<i64> {
        self.inner.modified_ms()
    }
    fn set_modified_ms(&self, ms: i64) -> io::Result<()> {
        self.inner.set_modified_ms(ms)
    }
}
