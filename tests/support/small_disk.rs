//! The real disk, but only so many bytes can be added to files, and syncs of some fail.

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use milena::log::storage::{Access, Disk, Listed, Storage, StoredFile};

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
}

#[derive(Debug)]
struct SmallFile {
    inner: Arc<dyn StoredFile>,
    disk: Small,
    path: PathBuf,
}

impl StoredFile for SmallFile {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        self.inner.read_at(buffer, position)
    }
    fn read_at_nowait(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        self.inner.read_at_nowait(buffer, position)
    }
    fn write_at(&self, slices: &[IoSlice<'_>], position: u64) -> io::Result<usize> {
        let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
        let room = usize::try_from(self.disk.room.load(Ordering::SeqCst)).unwrap_or(0);
        let len = bytes.len().min(room);
        if len == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.disk.room.fetch_sub(len as i64, Ordering::SeqCst);
        self.inner.write_at(&[IoSlice::new(&bytes[..len])], position)
    }
    fn sync_data(&self) -> io::Result<()> {
        match &*self.disk.broken.lock().unwrap() {
            Some(broken) if self.path.starts_with(broken) => Err(io::Error::other("input/output error")),
            _ => Ok(()),
        }
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        // What is cut off is free again.
        let freed = self.inner.len_bytes()?.saturating_sub(len);
        self.disk.room.fetch_add(freed as i64, Ordering::SeqCst);
        self.inner.set_len(len)
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

impl Storage for Small {
    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn StoredFile>> {
        Ok(Arc::new(SmallFile { inner: Disk.open(path, access)?, disk: self.clone(), path: path.into() }))
    }
    fn list(&self, path: &Path) -> io::Result<Vec<Listed>> {
        Disk.list(path)
    }
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        if self.room.load(Ordering::SeqCst) <= 0 && !path.exists() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Disk.create_dir(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        Disk.rename(from, to)
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        Disk.remove_file(path)
    }
    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        Disk.remove_dir(path)
    }
    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
    fn exists(&self, path: &Path) -> bool {
        Disk.exists(path)
    }
}
