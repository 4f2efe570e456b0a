//! Where the disk failed, for whoever finds out whether a whole data directory did. What a program does wrong to itself,
//! or a disk that is full, is no failure of the disk.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use rustix::io::Errno;

/// Paths that are remembered between two looks: of the many failures of one disk a few tell enough.
const NOTED_MAX: usize = 64;

/// See the module.
#[derive(Default)]
pub(crate) struct Failures {
    noted: Mutex<Vec<PathBuf>>,
    waker: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl fmt::Debug for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failures").field("noted", &self.noted).finish_non_exhaustive()
    }
}

impl Failures {
    /// Notes that the file system refused something at `path`, and wakes who looks.
    pub(crate) fn note(&self, path: &Path, error: &io::Error) {
        if !is_of_disk(error) {
            return;
        }
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.len() < NOTED_MAX && !noted.iter().any(|known| known == path) {
            noted.push(path.to_path_buf());
        }
        drop(noted);
        if let Some(wake) = self.waker.get() {
            wake();
        }
    }

    /// What was noted since the last call.
    pub(crate) fn take(&self) -> Vec<PathBuf> {
        std::mem::take(&mut *self.noted.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sets who is woken; the first one stays.
    pub(crate) fn set_waker(&self, wake: impl Fn() + Send + Sync + 'static) {
        let _ = self.waker.set(Box::new(wake));
    }
}

/// Whether there is no room.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Whether an error may mean that the disk failed. A full one did not, nor did a process that has too many files open.
pub fn is_of_disk(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, Interrupted, OutOfMemory, QuotaExceeded, StorageFull, WouldBlock};
    let errno = error.raw_os_error();
    let is_of_process = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS];
    !matches!(
        error.kind(),
        FileTooLarge | Interrupted | OutOfMemory | QuotaExceeded | StorageFull | WouldBlock
    ) && !is_of_process.iter().any(|known| errno == Some(known.raw_os_error()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_full_disk_and_too_many_open_files_are_no_failure_and_others_wake_who_looks() {
        let failures = Failures::default();
        let woken = Arc::new(AtomicUsize::new(0));
        let counting = woken.clone();
        failures.set_waker(move || {
            counting.fetch_add(1, Ordering::SeqCst);
        });
        for errno in [Errno::NOSPC, Errno::DQUOT, Errno::MFILE, Errno::NFILE, Errno::AGAIN, Errno::NOMEM] {
            failures.note(Path::new("a"), &errno.into());
        }
        assert!(failures.take().is_empty());
        for errno in [Errno::IO, Errno::ROFS, Errno::NOENT, Errno::ACCESS] {
            failures.note(Path::new("a"), &errno.into());
        }
        failures.note(Path::new("b"), &io::Error::other("gone"));
        assert_eq!(failures.take(), [Path::new("a"), Path::new("b")]);
        assert!(failures.take().is_empty());
        assert_eq!(woken.load(Ordering::SeqCst), 5);
    }
}
