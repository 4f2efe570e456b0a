//! The seam between a log and its disk: the handful of operations that a log needs, so that tests can make them fail.
//! `Disk` is the real one. Nothing here knows a format; paths are absolute or relative to the working directory.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, IoSlice, IoSliceMut};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use rustix::io::{Errno, ReadWriteFlags};

/// An open file. Positions are bytes from its start.
pub trait StoredFile: fmt::Debug + Send + Sync {
    /// Reads at most `buffer.len()` bytes at `position`; 0 at the end of the file.
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize>;
    /// As `read_at`, but fails with `WouldBlock` when the disk would have to be asked.
    fn read_at_nowait(&self, buffer: &mut [u8], position: u64) -> io::Result<usize>;
    /// Writes what it can of `slices` at `position` and returns the bytes written.
    fn write_at(&self, slices: &[IoSlice<'_>], position: u64) -> io::Result<usize>;
    /// Waits until the bytes are on stable storage.
    fn sync_data(&self) -> io::Result<()>;
    /// Cuts or extends the file.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Its length in bytes.
    fn len_bytes(&self) -> io::Result<u64>;
    /// The time of its last change, in milliseconds since the Unix epoch.
    fn modified_ms(&self) -> io::Result<i64>;
    /// Sets that time.
    fn set_modified_ms(&self, ms: i64) -> io::Result<()>;
}

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// For reading and writing; it has to exist.
    Existing,
    /// For reading and writing; made when missing, its content kept.
    Create,
    /// For reading and writing; made when missing, emptied when not.
    Truncate,
}

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The name without its directory; a name that is not UTF-8 is not listed.
    pub name: String,
    /// Whether it is a directory.
    pub is_dir: bool,
    /// A file's length in bytes; 0 for a directory.
    pub len: u64,
}

/// What a log asks of a file system.
pub trait Storage: fmt::Debug + Send + Sync {
    /// Opens a file.
    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn StoredFile>>;
    /// The names in a directory, in no order.
    fn list(&self, path: &Path) -> io::Result<Vec<Listed>>;
    /// Makes a directory and those above it; it may exist.
    fn create_dir(&self, path: &Path) -> io::Result<()>;
    /// Renames a file or directory; takes the place of a file.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// Removes a directory and what is in it.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;
    /// Waits until a directory's entries are on stable storage.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// Whether there is a file or directory of this name; true when that cannot be found out.
    fn exists(&self, path: &Path) -> bool;
}

/// Reads a whole file, but no more than `limit` bytes of it.
pub(crate) fn read_file(storage: &dyn Storage, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = storage.open(path, Access::Existing)?;
    let len = file.len_bytes()?;
    if len > limit {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("{len} bytes, at most {limit} expected"),
        ));
    }
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(usize::MAX)];
    let read = read_full(&*file, &mut bytes, 0)?;
    bytes.truncate(read);
    Ok(bytes)
}

/// Reads until `buffer` is full or the file ends; returns the bytes read.
pub(crate) fn read_full(file: &dyn StoredFile, buffer: &mut [u8], position: u64) -> io::Result<usize> {
    fill(buffer, position, |part, at| file.read_at(part, at))
}

/// As `read_full` without waiting for the disk: fewer bytes where only the first part is in memory, `WouldBlock` where
/// nothing is.
pub(crate) fn read_full_nowait(file: &dyn StoredFile, buffer: &mut [u8], position: u64) -> io::Result<usize> {
    let mut total = 0_usize;
    let read = fill(buffer, position, |part, at| match file.read_at_nowait(part, at) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock && total > 0 => Ok(0),
        Ok(read) => {
            total = total.saturating_add(read);
            Ok(read)
        }
        other => other,
    })?;
    Ok(read)
}

fn fill(
    buffer: &mut [u8],
    position: u64,
    mut read: impl FnMut(&mut [u8], u64) -> io::Result<usize>,
) -> io::Result<usize> {
    let mut done = 0_usize;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match read(rest, position.saturating_add(done as u64)) {
            Ok(0) => break,
            Ok(count) => done = done.saturating_add(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// Writes all of `slices` at `position`, however many writes that takes; what was written before a failure stays.
pub(crate) fn write_full(
    file: &dyn StoredFile,
    mut slices: &mut [IoSlice<'_>],
    mut position: u64,
) -> io::Result<()> {
    // Drops empty slices at the front, so that an empty rest ends the loop.
    IoSlice::advance_slices(&mut slices, 0);
    while !slices.is_empty() {
        match file.write_at(slices, position) {
            Ok(0) => return Err(io::Error::from(io::ErrorKind::WriteZero)),
            Ok(written) => {
                let all: usize = slices.iter().map(|slice| slice.len()).fold(0, usize::saturating_add);
                let written = written.min(all);
                position = position.saturating_add(written as u64);
                IoSlice::advance_slices(&mut slices, written);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Replaces a small file as a whole: temporary file, fsync, rename, fsync of the directory. Without `durable` the two
/// fsyncs are left out, and after a power loss the file may be the old one or empty.
pub(crate) fn replace_file(
    storage: &dyn Storage,
    path: &Path,
    bytes: &[u8],
    durable: bool,
) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let temporary = Path::new(&temporary);
    let file = storage.open(temporary, Access::Truncate)?;
    write_full(&*file, &mut [IoSlice::new(bytes)], 0)?;
    if durable {
        file.sync_data()?;
    }
    storage.rename(temporary, path)?;
    if let Some(parent) = path.parent().filter(|_| durable) {
        storage.sync_dir(parent)?;
    }
    Ok(())
}

/// The real file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

#[derive(Debug)]
struct DiskFile(File);

impl StoredFile for DiskFile {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        self.0.read_at(buffer, position)
    }

    fn read_at_nowait(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        match rustix::io::preadv2(&self.0, &mut [IoSliceMut::new(buffer)], position, ReadWriteFlags::NOWAIT) {
            // Some file systems (tmpfs, overlays) do not know the flag; their reads are as good as in memory.
            Err(Errno::OPNOTSUPP | Errno::INVAL | Errno::NOSYS) => self.0.read_at(buffer, position),
            other => Ok(other?),
        }
    }

    fn write_at(&self, slices: &[IoSlice<'_>], position: u64) -> io::Result<usize> {
        Ok(rustix::io::pwritev(&self.0, slices, position)?)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn len_bytes(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn modified_ms(&self) -> io::Result<i64> {
        let modified = self.0.metadata()?.modified()?;
        Ok(modified
            .duration_since(UNIX_EPOCH)
            .map_or(0, |age| i64::try_from(age.as_millis()).unwrap_or(i64::MAX)))
    }

    fn set_modified_ms(&self, ms: i64) -> io::Result<()> {
        let age = Duration::from_millis(u64::try_from(ms).unwrap_or(0));
        self.0.set_modified(UNIX_EPOCH.checked_add(age).unwrap_or(UNIX_EPOCH))
    }
}

impl Storage for Disk {
    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn StoredFile>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(access != Access::Existing)
            .truncate(access == Access::Truncate)
            .open(path)?;
        Ok(Arc::new(DiskFile(file)))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Listed>> {
        let mut listed = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            // A file that goes between the listing and these calls is as if it had not been listed. The kind stands in
            // the listing itself, which spares a look at each of many directories.
            let looked = entry.file_type().and_then(|kind| {
                Ok((kind.is_dir(), if kind.is_dir() { 0 } else { entry.metadata()?.len() }))
            });
            let (is_dir, len) = match looked {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                other => other?,
            };
            if let Ok(name) = entry.file_name().into_string() {
                listed.push(Listed { name, is_dir, len });
            }
        }
        Ok(listed)
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn exists(&self, path: &Path) -> bool {
        path.try_exists().unwrap_or(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that takes and gives at most three bytes at a time.
    #[derive(Debug)]
    struct Slow(DiskFile);

    impl StoredFile for Slow {
        fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
            let len = buffer.len().min(3);
            self.0.read_at(&mut buffer[..len], position)
        }
        fn read_at_nowait(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
            if position >= 6 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.read_at(buffer, position)
        }
        fn write_at(&self, slices: &[IoSlice<'_>], position: u64) -> io::Result<usize> {
            let first = slices.iter().find(|s| !s.is_empty()).map_or(&[][..], |s| s);
            let len = first.len().min(3);
            self.0.write_at(&[IoSlice::new(&first[..len])], position)
        }
        fn sync_data(&self) -> io::Result<()> {
            Ok(())
        }
        fn set_len(&self, len: u64) -> io::Result<()> {
            self.0.set_len(len)
        }
        fn len_bytes(&self) -> io::Result<u64> {
            self.0.len_bytes()
        }
        fn modified_ms(&self) -> io::Result<i64> {
            Ok(0)
        }
        fn set_modified_ms(&self, _: i64) -> io::Result<()> {
            Ok(())
        }
    }

    fn slow() -> Slow {
        Slow(DiskFile(tempfile::tempfile().unwrap()))
    }

    #[test]
    fn short_writes_and_reads_are_repeated_until_all_is_done() {
        let file = slow();
        let mut slices = [IoSlice::new(b"0123456789"), IoSlice::new(b""), IoSlice::new(b"abcd")];
        write_full(&file, &mut slices, 2).unwrap();
        let mut buffer = [0; 20];
        assert_eq!(read_full(&file, &mut buffer, 2).unwrap(), 14);
        assert_eq!(&buffer[..14], b"0123456789abcd");
    }

    #[test]
    fn a_read_without_waiting_returns_what_is_in_memory_or_says_that_nothing_is() {
        let file = slow();
        write_full(&file, &mut [IoSlice::new(b"0123456789")], 0).unwrap();
        let mut buffer = [0; 10];
        assert_eq!(read_full_nowait(&file, &mut buffer, 0).unwrap(), 6);
        let error = read_full_nowait(&file, &mut buffer, 6).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn a_replaced_file_leaves_no_temporary_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("checkpoint");
        for text in ["first and longer", "second"] {
            replace_file(&Disk, &path, text.as_bytes(), true).unwrap();
            assert_eq!(read_file(&Disk, &path, 100).unwrap(), text.as_bytes());
        }
        assert_eq!(Disk.list(dir.path()).unwrap().len(), 1);
        assert!(read_file(&Disk, &path, 3).is_err());
    }
}
