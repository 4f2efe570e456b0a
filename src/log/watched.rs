//! A storage of which every call is seen by somebody first, who may refuse it, and who hears of failures. It keeps nothing
//! itself. The broker counts failures with it; tests make disks with it that fail.

use std::fmt;
use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;

use super::storage::{Access, Disk, Listed, Storage, StoredFile};

/// What a storage, or a file, is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call<'a> {
    /// To open a file.
    Open(Access),
    /// To read from a file.
    Read,
    /// To write so many bytes to a file.
    Write(usize),
    /// To sync a file.
    Sync,
    /// To sync a directory.
    SyncDir,
    /// To cut or extend a file to this length.
    SetLen(u64),
    /// To list a directory.
    List,
    /// To make a directory.
    CreateDir,
    /// To rename a file or directory to this path.
    Rename(&'a Path),
    /// To remove a file, or a directory with what is in it.
    Remove,
}

/// Whether a call is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Go {
    /// It is.
    On,
    /// A write writes no more than so many bytes, one or more.
    Part(usize),
    /// A sync succeeds and is not done. Other calls are.
    Skip,
}

/// Who sees the calls.
pub trait Watcher: fmt::Debug + Send + Sync + 'static {
    /// Is asked before each call about what lies at `path`. An error takes the place of the call.
    fn before(&self, _call: Call<'_>, _path: &Path) -> io::Result<Go> {
        Ok(Go::On)
    }
    /// Hears of each call that the storage below failed at.
    fn failed(&self, _call: Call<'_>, _error: &io::Error) {}
}

/// Another storage and who watches it.
#[derive(Debug)]
pub struct Watched<W> {
    /// What does the work.
    pub inner: Arc<dyn Storage>,
    /// Who sees the calls.
    pub watcher: Arc<W>,
}

#[derive(Debug)]
struct WatchedFile<W> {
    inner: Arc<dyn StoredFile>,
    watcher: Arc<W>,
    path: Box<Path>,
}

fn asked<W: Watcher, T>(
    watcher: &W,
    call: Call<'_>,
    path: &Path,
    work: impl FnOnce(Go) -> io::Result<T>,
) -> io::Result<T> {
    let go = watcher.before(call, path)?;
    work(go).inspect_err(|error| watcher.failed(call, error))
}

impl<W: Watcher> Watched<W> {
    /// The real disk, watched.
    pub fn disk(watcher: Arc<W>) -> Arc<Self> {
        Arc::new(Self { inner: Arc::new(Disk), watcher })
    }

    fn asked<T>(&self, call: Call<'_>, path: &Path, work: impl FnOnce(Go) -> io::Result<T>) -> io::Result<T> {
        asked(&*self.watcher, call, path, work)
    }
}

impl<W: Watcher> WatchedFile<W> {
    fn asked<T>(&self, call: Call<'_>, work: impl FnOnce(Go) -> io::Result<T>) -> io::Result<T> {
        asked(&*self.watcher, call, &self.path, work)
    }
}

impl<W: Watcher> Storage for Watched<W> {
    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn StoredFile>> {
        let inner = self.asked(Call::Open(access), path, |_| self.inner.open(path, access))?;
        Ok(Arc::new(WatchedFile { inner, watcher: Arc::clone(&self.watcher), path: path.into() }))
    }
    fn list(&self, path: &Path) -> io::Result<Vec<Listed>> {
        self.asked(Call::List, path, |_| self.inner.list(path))
    }
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.asked(Call::CreateDir, path, |_| self.inner.create_dir(path))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.asked(Call::Rename(to), from, |_| self.inner.rename(from, to))
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.asked(Call::Remove, path, |_| self.inner.remove_file(path))
    }
    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.asked(Call::Remove, path, |_| self.inner.remove_dir(path))
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.asked(Call::SyncDir, path, |go| if go == Go::Skip { Ok(()) } else { self.inner.sync_dir(path) })
    }
    fn exists(&self, path: &Path) -> bool {
        self.inner.exists(path)
    }
}

impl<W: Watcher> StoredFile for WatchedFile<W> {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        self.asked(Call::Read, |_| self.inner.read_at(buffer, position))
    }
    fn read_at_nowait(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        self.asked(Call::Read, |_| self.inner.read_at_nowait(buffer, position))
    }
    fn write_at(&self, slices: &[IoSlice<'_>], position: u64) -> io::Result<usize> {
        let all = slices.iter().map(|slice| slice.len()).fold(0, usize::saturating_add);
        self.asked(Call::Write(all), |go| match go {
            Go::Part(most) => {
                let bytes: Vec<u8> =
                    slices.iter().flat_map(|slice| slice.iter().copied()).take(most).collect();
                self.inner.write_at(&[IoSlice::new(&bytes)], position)
            }
            Go::On | Go::Skip => self.inner.write_at(slices, position),
        })
    }
    fn sync_data(&self) -> io::Result<()> {
        self.asked(Call::Sync, |go| if go == Go::Skip { Ok(()) } else { self.inner.sync_data() })
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.asked(Call::SetLen(len), |_| self.inner.set_len(len))
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
