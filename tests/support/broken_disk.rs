//! The real disk, of which what lies below one path can fail.

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use milena::log::storage::{Access, Disk, Listed, Storage, StoredFile};

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

#[derive(Debug)]
struct BrokenFile {
    inner: Arc<dyn StoredFile>,
    disk: Broken,
    path: PathBuf,
}

impl BrokenFile {
    fn check(&self, faults: &[Fault]) -> io::Result<()> {
        self.disk.check(&self.path, faults)
    }
}

impl StoredFile for BrokenFile {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        self.check(&[Fault::Reads])?;
        self.inner.read_at(buffer, position)
    }
    fn read_at_nowait(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        self.check(&[Fault::Reads])?;
        self.inner.read_at_nowait(buffer, position)
    }
    fn write_at(&self, slices: &[IoSlice<'_>], position: u64) -> io::Result<usize> {
        self.check(&[Fault::Writes, Fault::Room])?;
        self.inner.write_at(slices, position)
    }
    fn sync_data(&self) -> io::Result<()> {
        // What was written is safe from all that a test does.
        self.check(&[Fault::Syncs])
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.check(&[Fault::Writes])?;
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

impl Storage for Broken {
    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn StoredFile>> {
        let makes = access != Access::Existing && !path.exists();
        self.check(path, if makes { &[Fault::Reads, Fault::Writes, Fault::Room] } else { &[Fault::Reads] })?;
        Ok(Arc::new(BrokenFile { inner: Disk.open(path, access)?, disk: self.clone(), path: path.into() }))
    }
    fn list(&self, path: &Path) -> io::Result<Vec<Listed>> {
        self.check(path, &[Fault::Reads])?;
        Disk.list(path)
    }
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.check(path, if path.exists() { &[] } else { &[Fault::Writes, Fault::Room] })?;
        Disk.create_dir(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.check(from, &[Fault::Writes])?;
        Disk.rename(from, to)
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.check(path, &[Fault::Writes])?;
        Disk.remove_file(path)
    }
    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.check(path, &[Fault::Writes])?;
        Disk.remove_dir(path)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.check(path, &[Fault::Syncs])
    }
    fn exists(&self, path: &Path) -> bool {
        Disk.exists(path)
    }
}
