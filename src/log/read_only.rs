//! A file system that is only looked at: what would change it succeeds and does nothing. For programs that read a data
//! directory which may be another process's. Nothing that was written is read back.

use std::fs::File;
use std::io::{self, IoSlice};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use super::storage::{Access, Disk, Listed, Storage, StoredFile};

/// See the module.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReadOnly;

#[derive(Debug)]
struct ReadOnlyFile(File);

impl StoredFile for ReadOnlyFile {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        self.0.read_at(buffer, position)
    }

    fn read_at_nowait(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        self.read_at(buffer, position)
    }

    fn write_at(&self, slices: &[IoSlice<'_>], _position: u64) -> io::Result<usize> {
        Ok(slices.iter().map(|slice| slice.len()).fold(0, usize::saturating_add))
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn set_len(&self, _len: u64) -> io::Result<()> {
        Ok(())
    }

    fn len_bytes(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn modified_ms(&self) -> io::Result<i64> {
        Ok(0)
    }

    fn set_modified_ms(&self, _ms: i64) -> io::Result<()> {
        Ok(())
    }
}

impl Storage for ReadOnly {
    fn open(&self, path: &Path, _access: Access) -> io::Result<Arc<dyn StoredFile>> {
        Ok(Arc::new(ReadOnlyFile(File::open(path)?)))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Listed>> {
        Disk.list(path)
    }

    fn create_dir(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn rename(&self, _from: &Path, _to: &Path) -> io::Result<()> {
        Ok(())
    }

    fn remove_file(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn remove_dir(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn sync_dir(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn exists(&self, path: &Path) -> bool {
        Disk.exists(path)
    }
}
