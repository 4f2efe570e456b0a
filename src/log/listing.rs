//! What lies in a partition's directory at start: segments and snapshots, after what a crash or a cleaner left behind
//! has been put in order (Kafka's rules for `.deleted`, `.cleaned` and `.swap`).

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::context::LogContext;
use super::error::LogError;
use super::index::{Entry, OffsetEntry, TimeEntry};
use super::names::{FileKind, Suffix, file_name, parse_file_name};
use super::scan::{Scanner, Wait};
use super::storage::{Access, Storage};

/// A segment's files as the directory lists them; lengths in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ListedSegment {
    pub(crate) base: i64,
    pub(crate) log_bytes: u64,
    pub(crate) offset_index_bytes: Option<u64>,
    pub(crate) time_index_bytes: Option<u64>,
    pub(crate) txn_index_bytes: Option<u64>,
}

impl ListedSegment {
    /// Whether both indexes are there with whole entries; an empty segment needs no entry but the files.
    pub(crate) fn has_whole_indexes(&self) -> bool {
        let whole = |bytes: Option<u64>, entry: usize| {
            bytes.is_some_and(|bytes| bytes.checked_rem(entry as u64) == Some(0))
        };
        whole(self.offset_index_bytes, OffsetEntry::BYTES) && whole(self.time_index_bytes, TimeEntry::BYTES)
    }
}

/// A partition's directory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listing {
    /// Sorted by base offset.
    pub(crate) segments: Vec<ListedSegment>,
    /// Offsets of the producer snapshots, rising.
    pub(crate) snapshots: Vec<i64>,
}

/// Puts the directory in order and lists it.
pub(crate) fn list(storage: &dyn Storage, dir: &Path) -> Result<Listing, LogError> {
    let mut files = match names_in(storage, dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Listing::default()),
        other => other.map_err(LogError::io(dir))?,
    };
    if files.iter().any(|file| file.suffix != Suffix::None) {
        put_in_order(storage, dir, &files).map_err(LogError::io(dir))?;
        files = names_in(storage, dir).map_err(LogError::io(dir))?;
    }
    let mut listing = Listing::default();
    let mut segments: BTreeMap<i64, ListedSegment> = BTreeMap::new();
    for file in files.iter().filter(|file| file.kind == FileKind::Log) {
        let segment = ListedSegment { base: file.offset, log_bytes: file.bytes, ..ListedSegment::default() };
        segments.insert(file.offset, segment);
    }
    for file in files {
        let Some(segment) = segments.get_mut(&file.offset).filter(|_| file.kind != FileKind::Snapshot) else {
            if file.kind == FileKind::Snapshot {
                listing.snapshots.push(file.offset);
            } else {
                // An index without its log.
                remove(storage, &dir.join(file_name(file.offset, file.kind))).map_err(LogError::io(dir))?;
            }
            continue;
        };
        match file.kind {
            FileKind::OffsetIndex => segment.offset_index_bytes = Some(file.bytes),
            FileKind::TimeIndex => segment.time_index_bytes = Some(file.bytes),
            FileKind::TxnIndex => segment.txn_index_bytes = Some(file.bytes),
            FileKind::Log | FileKind::Snapshot => {}
        }
    }
    listing.segments = segments.into_values().collect();
    listing.snapshots.sort_unstable();
    Ok(listing)
}

/// Bytes of the segments in a directory that is not open; 0 when it does not exist. Changes nothing.
pub fn stored_bytes(context: &LogContext, dir: &Path) -> Result<u64, LogError> {
    match names_in(&*context.storage, dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        other => {
            let files = other.map_err(LogError::io(dir))?;
            let logs = files.iter().filter(|file| file.kind == FileKind::Log && file.suffix == Suffix::None);
            Ok(logs.map(|file| file.bytes).fold(0, u64::saturating_add))
        }
    }
}

/// Removes what a cleaner began and could not take away again. Beside it a start would take a later swap for void.
pub(crate) fn remove_outputs(storage: &dyn Storage, dir: &Path) -> io::Result<()> {
    let files = match names_in(storage, dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    let mut outputs = files.iter().filter(|file| file.suffix == Suffix::Cleaned);
    outputs.try_for_each(|file| remove(storage, &dir.join(&file.name)))
}

struct NamedFile {
    name: String,
    offset: i64,
    kind: FileKind,
    suffix: Suffix,
    bytes: u64,
}

fn names_in(storage: &dyn Storage, dir: &Path) -> io::Result<Vec<NamedFile>> {
    let listed = storage.list(dir)?;
    let files = listed.into_iter().filter(|entry| !entry.is_dir).filter_map(|entry| {
        let (offset, kind, suffix) = parse_file_name(&entry.name)?;
        Some(NamedFile { name: entry.name, offset, kind, suffix, bytes: entry.len })
    });
    Ok(files.collect())
}

/// Removes what was on its way out, and finishes a cleaner's swap: its output takes the place of the segments whose
/// offsets it covers, unless unfinished output shows that the cleaner had not come that far.
fn put_in_order(storage: &dyn Storage, dir: &Path, files: &[NamedFile]) -> io::Result<()> {
    let unfinished = files.iter().filter(|file| file.suffix == Suffix::Cleaned).map(|file| file.offset).min();
    let is_void = |file: &NamedFile| match file.suffix {
        Suffix::Deleted | Suffix::Cleaned => true,
        Suffix::Swap => unfinished.is_some_and(|offset| file.offset >= offset),
        Suffix::None => false,
    };
    for file in files.iter().filter(|file| is_void(file)) {
        remove(storage, &dir.join(&file.name))?;
    }
    let swaps: Vec<&NamedFile> = files.iter().filter(|f| f.suffix == Suffix::Swap && !is_void(f)).collect();
    let logs = || swaps.iter().filter(|file| file.kind == FileKind::Log);
    let covered_from = logs().map(|file| file.offset).min().unwrap_or(i64::MAX);
    let mut covered_to = i64::MIN;
    for file in logs() {
        let next = next_offset(storage, &dir.join(&file.name), file.bytes)?.unwrap_or(file.offset);
        // One without a batch takes at least the place of its namesake, whose indexes must not stay.
        covered_to = covered_to.max(next).max(file.offset.saturating_add(1));
    }
    for file in files.iter().filter(|file| file.suffix == Suffix::None) {
        if file.kind != FileKind::Snapshot && (covered_from..covered_to).contains(&file.offset) {
            remove(storage, &dir.join(&file.name))?;
        }
    }
    if !swaps.is_empty() {
        // A segment that came back beside the one that took its place would hold offsets twice.
        storage.sync_dir(dir)?;
    }
    for file in swaps {
        storage.rename(&dir.join(&file.name), &dir.join(file_name(file.offset, file.kind)))?;
    }
    Ok(())
}

/// The offset behind the last batch of a `.log` file, as far as it can be read.
fn next_offset(storage: &dyn Storage, path: &Path, bytes: u64) -> io::Result<Option<i64>> {
    let file = storage.open(path, Access::Existing)?;
    let mut scanner = Scanner::new(&*file, 0, bytes, Wait::Yes);
    let mut next = None;
    while let Ok(Some(scanned)) = scanner.next_header() {
        next = Some(scanned.header.last_offset().saturating_add(1));
    }
    Ok(next)
}

fn remove(storage: &dyn Storage, path: &Path) -> io::Result<()> {
    match storage.remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::storage::Disk;
    use crate::wire::batch::BatchBuilder;

    fn batch(base: i64) -> Vec<u8> {
        let mut builder = BatchBuilder::new(1);
        builder.push(None, Some(b"x"), 1);
        builder.build(base).bytes.to_vec()
    }

    fn dir_with(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            std::fs::write(dir.path().join(name), bytes).unwrap();
        }
        dir
    }

    fn names(dir: &tempfile::TempDir) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(dir.path())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn deleted_files_and_indexes_without_a_log_go() {
        let dir = dir_with(&[
            ("00000000000000000000.log.deleted", b""),
            ("00000000000000000005.index", b""),
            ("00000000000000000007.log", b"abc"),
            ("00000000000000000007.index", b"12345678"),
            ("00000000000000000009.snapshot", b""),
            ("leader-epoch-checkpoint", b""),
        ]);
        let listing = list(&Disk, dir.path()).unwrap();
        let expected = ListedSegment {
            base: 7,
            log_bytes: 3,
            offset_index_bytes: Some(8),
            time_index_bytes: None,
            txn_index_bytes: None,
        };
        assert_eq!((listing.segments, listing.snapshots), (vec![expected], vec![9]));
        assert!(!expected.has_whole_indexes());
        assert_eq!(names(&dir).len(), 4);
    }

    #[test]
    fn a_finished_swap_takes_the_place_of_the_segments_it_covers() {
        let swap: Vec<u8> = [batch(0), batch(25)].concat();
        let dir = dir_with(&[
            ("00000000000000000000.log", b"old"),
            ("00000000000000000010.log", b"old"),
            ("00000000000000000010.snapshot", b"kept"),
            ("00000000000000000000.log.swap", &swap),
            ("00000000000000000000.index.swap", b""),
            ("00000000000000000026.log", b"newer"),
        ]);
        let listing = list(&Disk, dir.path()).unwrap();
        let bases: Vec<(i64, u64)> = listing.segments.iter().map(|s| (s.base, s.log_bytes)).collect();
        assert_eq!(bases, [(0, swap.len() as u64), (26, 5)]);
        assert_eq!(listing.snapshots, [10]);
    }

    #[test]
    fn an_unfinished_cleaning_is_undone() {
        let dir = dir_with(&[
            ("00000000000000000000.log", b"old"),
            ("00000000000000000000.log.cleaned", b"part"),
            ("00000000000000000000.index.swap", b""),
        ]);
        assert_eq!(list(&Disk, dir.path()).unwrap().segments.len(), 1);
        assert_eq!(names(&dir), ["00000000000000000000.log"]);
    }

    #[test]
    fn the_bytes_of_a_directory_that_is_not_open_are_those_of_its_segments() {
        let dir = dir_with(&[
            ("00000000000000000000.log", b"12345"),
            ("00000000000000000000.index", b"12345678"),
            ("00000000000000000009.log", b"123"),
            ("00000000000000000004.log.deleted", b"1234567890"),
        ]);
        let context = LogContext::new(crate::log::ContextOptions::default()).unwrap();
        assert_eq!(stored_bytes(&context, dir.path()).unwrap(), 8);
        assert_eq!(names(&dir).len(), 4);
        assert_eq!(stored_bytes(&context, &dir.path().join("none")).unwrap(), 0);
    }

    #[test]
    fn a_missing_directory_is_an_empty_listing() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(list(&Disk, &dir.path().join("none")).unwrap().segments, []);
    }
}
