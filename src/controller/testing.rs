//! For tests: a controller on an empty directory, and a disk that fails on demand and counts its fsyncs.

use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::command::ConfigRules;
use super::image::{Image, PartitionImage, TopicImage};
use super::machine::Settings;
use super::machine::tests::settings;
use super::{Controller, OpenController};
use crate::log::storage::{Access, Disk, Listed, Storage, StoredFile};
use crate::types::{Clock, Now, TopicId};

/// Switches and counters, shared by all files.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// Writes write ten bytes and then fail.
    pub(super) disk_full: AtomicBool,
    /// Fsyncs fail.
    pub(super) sync_fails: AtomicBool,
    /// Files cannot be cut.
    pub(super) cut_fails: AtomicBool,
    /// Fsyncs of files and directories so far.
    pub(super) syncs: AtomicUsize,
}

impl Faults {
    fn check(flag: &AtomicBool, what: &'static str) -> io::Result<()> {
        if flag.load(Ordering::SeqCst) { Err(io::Error::other(what)) } else { Ok(()) }
    }
}

#[derive(Debug, Default)]
pub(super) struct FaultyDisk(pub(super) Arc<Faults>);

#[derive(Debug)]
struct FaultyFile {
    file: Arc<dyn StoredFile>,
    faults: Arc<Faults>,
}

impl StoredFile for FaultyFile {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        self.file.read_at(buffer, position)
    }
    fn read_at_nowait(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        self.file.read_at_nowait(buffer, position)
    }
    fn write_at(&self, slices: &[IoSlice<'_>], position: u64) -> io::Result<usize> {
        if self.faults.disk_full.load(Ordering::SeqCst) {
            let first = &slices[0][..10.min(slices[0].len())];
            if first.len() == slices[0].len() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            return self.file.write_at(&[IoSlice::new(first)], position).and_then(|written| {
                if written < 10 { Ok(written) } else { Err(io::ErrorKind::StorageFull.into()) }
            });
        }
        self.file.write_at(slices, position)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.faults.syncs.fetch_add(1, Ordering::SeqCst);
        // Nothing here survives the test, and hundreds of fsyncs would make it slow.
        Faults::check(&self.faults.sync_fails, "fsync fails")
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        Faults::check(&self.faults.cut_fails, "cutting fails")?;
        self.file.set_len(len)
    }
    fn len_bytes(&self) -> io::Result<u64> {
        self.file.len_bytes()
    }
    fn modified_ms(&self) -> io::Result<i64> {
        self.file.modified_ms()
    }
    fn set_modified_ms(&self, ms: i64) -> io::Result<()> {
        self.file.set_modified_ms(ms)
    }
}

impl Storage for FaultyDisk {
    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn StoredFile>> {
        let file = Disk.open(path, access)?;
        Ok(Arc::new(FaultyFile { file, faults: Arc::clone(&self.0) }))
    }
    fn list(&self, path: &Path) -> io::Result<Vec<Listed>> {
        Disk.list(path)
    }
    fn create_dir(&self, path: &Path) -> io::Result<()> {
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
        self.0.syncs.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
    fn exists(&self, path: &Path) -> bool {
        Disk.exists(path)
    }
}

/// A clock that stands still.
pub(super) struct Still;

impl Clock for Still {
    fn now(&self) -> Now {
        Now { mono_ms: 0, wall_ms: 1_700_000_000_000 }
    }
}

/// A controller of node 1 on a new directory, which knows the topic configurations `size` (a number) and `list`.
pub(crate) fn controller() -> (Controller, tempfile::TempDir) {
    controller_with(settings().rules)
}

/// A controller with rules for configurations that are not its own.
pub(crate) fn controller_with(rules: Arc<dyn ConfigRules>) -> (Controller, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let options = OpenController {
        data_dir: dir.path().to_owned(),
        storage: Arc::new(FaultyDisk::default()),
        clock: Arc::new(Still),
        cluster_id: "c".into(),
        directory: TopicId::ZERO,
        rack: None,
        settings: Settings { rules, ..settings() },
        fold_bytes_max: u64::MAX,
        note_failure: Box::new(|_, _| ()),
    };
    (Controller::open(options).unwrap(), dir)
}

/// Metadata of one topic, and the topic's id.
pub(crate) fn image_of(name: &str, partitions: usize) -> (Image, TopicId) {
    let mut topic = TopicImage::new(name.into(), TopicId::random());
    topic.partitions.resize(partitions, PartitionImage::default());
    let id = topic.id;
    let mut image = Image::empty("c");
    image.put_topic(topic);
    (image, id)
}
