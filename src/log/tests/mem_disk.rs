//! A disk in memory that counts what is asked of it and fails when told to: the Nth call alone, or all from there on.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IoSlice, Read as _};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard};

use super::storage::{Access, Listed, Storage, StoredFile};
use super::*;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Any call fails with EIO; a write has no effect.
    Eio,
    /// What needs room fails with ENOSPC; a write writes half of its bytes before.
    NoSpace,
    /// A sync of a file or directory fails.
    Sync,
}

/// Which calls fail, counted among those that the fault concerns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) fault: Fault,
    /// The first one that fails, from 0 on.
    pub(super) from: u64,
    /// How many fail.
    pub(super) count: u64,
}

#[derive(Clone, Copy, PartialEq)]
enum Call {
    Read,
    /// Something that needs room.
    Grow,
    Sync,
    Other,
}

impl Fault {
    fn concerns(self, call: Call) -> bool {
        match self {
            Self::Eio => true,
            Self::NoSpace => call == Call::Grow,
            Self::Sync => call == Call::Sync,
        }
    }

    fn error(self) -> io::Error {
        match self {
            Self::NoSpace => io::ErrorKind::StorageFull.into(),
            Self::Eio | Self::Sync => io::Error::other("input/output error"),
        }
    }
}

type Bytes = Arc<Mutex<Vec<u8>>>;

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<PathBuf, Bytes>,
    directories: BTreeSet<PathBuf>,
    plan: Option<Plan>,
    /// Calls so far that the plan's fault concerns; without a plan, all.
    calls: u64,
    /// A call beyond so many is one of a log that does not come to an end.
    calls_max: Option<u64>,
}

/// The disk; clones are the same one.
#[derive(Clone, Debug, Default)]
pub(super) struct MemDisk(Arc<Mutex<State>>);

/// The files of a directory by name.
pub(super) type Image = BTreeMap<String, Vec<u8>>;

impl MemDisk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// What fails from now on.
    pub(super) fn set_plan(&self, plan: Plan) {
        let mut state = self.state();
        (state.plan, state.calls) = (Some(plan), 0);
    }

    /// Nothing fails any more; the calls are counted on.
    pub(super) fn heal(&self) {
        self.state().plan.iter_mut().for_each(|plan| plan.count = 0);
    }

    /// Calls since the plan was set.
    pub(super) fn calls(&self) -> u64 {
        self.state().calls
    }

    /// Panics when more than so many calls come from now on.
    pub(super) fn bound_calls(&self, max: u64) {
        let mut state = self.state();
        (state.calls, state.calls_max) = (0, Some(max));
    }

    /// What lies in a directory.
    pub(super) fn image(&self, dir: &Path) -> Image {
        let state = self.state();
        let of_dir = state.files.iter().filter(|(path, _)| path.parent() == Some(dir));
        of_dir
            .map(|(path, bytes)| {
                let name = path.file_name().unwrap().to_str().unwrap().to_string();
                (name, bytes.lock().unwrap().clone())
            })
            .collect()
    }

    /// Replaces what lies in a directory.
    pub(super) fn load(&self, dir: &Path, image: &Image) {
        let mut state = self.state();
        state.files.retain(|path, _| path.parent() != Some(dir));
        state.directories.insert(dir.to_path_buf());
        for (name, bytes) in image {
            state.files.insert(dir.join(name), Arc::new(Mutex::new(bytes.clone())));
        }
    }

    /// The error of this call, if it is to fail.
    fn call(&self, call: Call) -> io::Result<()> {
        let mut state = self.state();
        let Some(plan) = state.plan else {
            state.calls += 1;
            assert!(state.calls_max.is_none_or(|max| state.calls <= max), "it does not come to an end");
            return Ok(());
        };
        if !plan.fault.concerns(call) {
            return Ok(());
        }
        let index = state.calls;
        state.calls += 1;
        let fails = index >= plan.from && index - plan.from < plan.count;
        if fails { Err(plan.fault.error()) } else { Ok(()) }
    }

    fn find(&self, path: &Path) -> io::Result<Bytes> {
        self.state().files.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Storage for MemDisk {
    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn StoredFile>> {
        let found = self.find(path);
        self.call(if found.is_err() && access != Access::Existing { Call::Grow } else { Call::Other })?;
        let bytes = match found {
            Err(error) if access == Access::Existing => return Err(error),
            Err(_) => {
                let mut state = self.state();
                assert!(path.parent().is_some_and(|dir| state.directories.contains(dir)), "{path:?}");
                Arc::clone(state.files.entry(path.to_path_buf()).or_default())
            }
            Ok(bytes) => bytes,
        };
        if access == Access::Truncate {
            bytes.lock().unwrap().clear();
        }
        Ok(Arc::new(MemFile { disk: self.clone(), bytes }))
    }
    fn list(&self, path: &Path) -> io::Result<Vec<Listed>> {
        self.call(Call::Read)?;
        if !self.state().directories.contains(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let files = self.image(path).into_iter();
        Ok(files.map(|(name, bytes)| Listed { name, is_dir: false, len: bytes.len() as u64 }).collect())
    }
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.call(Call::Grow)?;
        self.state().directories.extend(path.ancestors().map(Path::to_path_buf));
        Ok(())
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call(Call::Grow)?;
        let mut state = self.state();
        if let Some(bytes) = state.files.remove(from) {
            state.files.insert(to.to_path_buf(), bytes);
        } else if state.directories.remove(from) {
            state.directories.insert(to.to_path_buf());
            let inside: Vec<PathBuf> =
                state.files.keys().filter(|path| path.parent() == Some(from)).cloned().collect();
            for path in inside {
                let bytes = state.files.remove(&path).unwrap();
                state.files.insert(to.join(path.file_name().unwrap()), bytes);
            }
        } else {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(())
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.call(Call::Other)?;
        self.state().files.remove(path).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.call(Call::Other)?;
        let mut state = self.state();
        state.files.retain(|file, _| !file.starts_with(path));
        state.directories.retain(|dir| !dir.starts_with(path));
        Ok(())
    }
    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        self.call(Call::Sync)
    }
    fn exists(&self, path: &Path) -> bool {
        let state = self.state();
        state.files.contains_key(path) || state.directories.contains(path)
    }
}

#[derive(Debug)]
struct MemFile {
    disk: MemDisk,
    bytes: Bytes,
}

impl StoredFile for MemFile {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        self.disk.call(Call::Read)?;
        let bytes = self.bytes.lock().unwrap();
        let mut rest = bytes.get(usize::try_from(position).unwrap()..).unwrap_or_default();
        rest.read(buffer)
    }
    fn read_at_nowait(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        self.read_at(buffer, position)
    }
    fn write_at(&self, slices: &[IoSlice<'_>], position: u64) -> io::Result<usize> {
        let new: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
        let failed = self.disk.call(Call::Grow);
        let tears = self.disk.state().plan.is_some_and(|plan| plan.fault == Fault::NoSpace);
        let written = match &failed {
            Ok(()) => new.len(),
            Err(_) if tears => new.len() / 2,
            Err(_) => 0,
        };
        let mut bytes = self.bytes.lock().unwrap();
        let at = usize::try_from(position).unwrap();
        if written > 0 && bytes.len() < at + written {
            bytes.resize(at + written, 0);
        }
        bytes[at..at + written].clone_from_slice(&new[..written]);
        failed.map(|()| written)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.disk.call(Call::Sync)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.disk.call(Call::Other)?;
        self.bytes.lock().unwrap().resize(usize::try_from(len).unwrap(), 0);
        Ok(())
    }
    fn len_bytes(&self) -> io::Result<u64> {
        self.disk.call(Call::Read)?;
        Ok(self.bytes.lock().unwrap().len() as u64)
    }
    fn modified_ms(&self) -> io::Result<i64> {
        self.disk.call(Call::Read)?;
        Ok(T0)
    }
    fn set_modified_ms(&self, _: i64) -> io::Result<()> {
        self.disk.call(Call::Other)
    }
}
