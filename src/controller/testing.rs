//! For tests: a controller on an empty directory, and a disk that fails on demand and counts its fsyncs.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::command::ConfigRules;
use super::image::{Image, PartitionImage, TopicImage};
use super::machine::Settings;
use super::machine::tests::settings;
use super::{Controller, OpenController};
use crate::log::watched::{Call, Go, Watched, Watcher};
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
    /// The last write on the full disk wrote its ten bytes.
    is_torn: AtomicBool,
}

/// What a write on a full disk still writes.
const TORN_BYTES: usize = 10;

impl Faults {
    fn check(flag: &AtomicBool, what: &'static str) -> io::Result<()> {
        if flag.load(Ordering::SeqCst) { Err(io::Error::other(what)) } else { Ok(()) }
    }
}

impl Watcher for Faults {
    fn before(&self, call: Call<'_>, _: &Path) -> io::Result<Go> {
        match call {
            Call::Write(bytes) if self.disk_full.load(Ordering::SeqCst) => {
                if bytes > TORN_BYTES && !self.is_torn.fetch_xor(true, Ordering::SeqCst) {
                    return Ok(Go::Part(TORN_BYTES));
                }
                self.is_torn.store(false, Ordering::SeqCst);
                return Err(io::ErrorKind::StorageFull.into());
            }
            Call::Sync => {
                self.syncs.fetch_add(1, Ordering::SeqCst);
                Self::check(&self.sync_fails, "fsync fails")?;
            }
            Call::SyncDir => {
                self.syncs.fetch_add(1, Ordering::SeqCst);
            }
            Call::SetLen(_) => Self::check(&self.cut_fails, "cutting fails")?,
            _ => {}
        }
        // Nothing here survives the test, and hundreds of fsyncs would make it slow.
        Ok(Go::Skip)
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
        storage: Watched::disk(Arc::<Faults>::default()),
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
