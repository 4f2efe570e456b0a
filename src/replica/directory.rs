//! One data directory as its partitions share it: what the last run left of them there, and of which deleted ones its
//! checkpoints may still speak. It opens no log.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::partition::{Files, Partition, Shared};
use crate::log::{Checkpoint, LogDirectory, LogError, absolute_path};
use crate::types::{ErrorCode, Offset, TopicId, TopicPartition};

/// The checkpoints whose entry for a deleted partition must not be taken for that of a new one with the name: it would
/// lose the records below that log start.
pub(super) const BY_NAME: [Checkpoint; 3] =
    [Checkpoint::LogStart, Checkpoint::RecoveryPoint, Checkpoint::Cleaner];

/// Where the logs of the last run stood, read once at the start; each partition takes what is said of it.
#[derive(Default)]
struct Remembered {
    log_starts: HashMap<TopicPartition, Offset>,
    recovery_points: HashMap<TopicPartition, Offset>,
    high_watermarks: HashMap<TopicPartition, Offset>,
    cleaned: HashMap<TopicPartition, Offset>,
}

impl Remembered {
    fn read(files: &LogDirectory) -> Result<Self, LogError> {
        Ok(Self {
            log_starts: files.read_checkpoint(Checkpoint::LogStart)?,
            recovery_points: files.read_checkpoint(Checkpoint::RecoveryPoint)?,
            high_watermarks: files.read_checkpoint(Checkpoint::HighWatermark)?,
            cleaned: files.read_checkpoint(Checkpoint::Cleaner)?,
        })
    }
}

/// See the module.
pub struct DataDirectory {
    pub(super) shared: Arc<Shared>,
    path: PathBuf,
    /// `None` for one that could not be used at the start.
    files: Option<LogDirectory>,
    /// Its partitions answer `offline_error`, and nothing is written to it, until the next start.
    offline: AtomicBool,
    remembered: Mutex<Remembered>,
    /// Whether a Kafka that was killed may have left gaps where no recovery point tells of them.
    may_have_gaps: bool,
    /// Of `BY_NAME`, each: deleted partitions that the file may still speak of.
    stale: [Mutex<HashSet<TopicPartition>>; BY_NAME.len()],
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl DataDirectory {
    /// Reads the checkpoints of a directory that this process holds; it is offline when that fails.
    pub(super) fn new(files: LogDirectory, shared: Arc<Shared>) -> Self {
        let path = files.path().to_path_buf();
        match Remembered::read(&files) {
            Ok(remembered) => {
                // Without recovery points nothing tells the gaps of a Kafka that ran long ago.
                let lost_points = files.knew_kafka() && remembered.recovery_points.is_empty();
                Self {
                    may_have_gaps: !files.was_clean() && (files.was_left_by_kafka() || lost_points),
                    remembered: Mutex::new(remembered),
                    files: Some(files),
                    offline: AtomicBool::new(false),
                    ..Self::offline(path, shared)
                }
            }
            Err(error) => {
                tracing::error!(path = %path.display(), %error, "a data directory cannot be used and is OFFLINE");
                Self::offline(path, shared)
            }
        }
    }

    /// A directory that cannot be used; partitions are offline in it.
    pub(super) fn offline(path: PathBuf, shared: Arc<Shared>) -> Self {
        Self {
            shared,
            path,
            files: None,
            offline: AtomicBool::new(true),
            remembered: Mutex::default(),
            may_have_gaps: false,
            stale: Default::default(),
        }
    }

    /// The directory itself; `None` while it is offline.
    pub fn files(&self) -> Option<&LogDirectory> {
        self.files.as_ref().filter(|_| !self.is_offline())
    }

    /// Its path as it was configured.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its path from the root on: what clients know it by.
    pub fn absolute_path(&self) -> PathBuf {
        absolute_path(&self.path)
    }

    /// The id in its `meta.properties`; `None` when it could not be used at the start.
    pub fn id(&self) -> Option<TopicId> {
        self.files.as_ref().map(|files| TopicId(files.meta().directory_id))
    }

    /// Whether it cannot be used until the next start.
    pub fn is_offline(&self) -> bool {
        self.offline.load(Ordering::Acquire)
    }

    /// What its partitions answer while it is offline, as Kafka's do: `KAFKA_STORAGE_ERROR` where it failed at run time.
    /// One that could not be used at the start holds none that this node could lead.
    pub fn offline_error(&self) -> ErrorCode {
        if self.files.is_some() { ErrorCode::KafkaStorageError } else { ErrorCode::NotLeaderOrFollower }
    }

    pub(super) fn set_offline(&self) {
        self.offline.store(true, Ordering::Release);
    }

    /// The path of a partition's directory, which need not exist.
    pub(super) fn partition_path(&self, partition: &TopicPartition) -> PathBuf {
        self.path.join(partition.to_string())
    }

    /// Takes what the last run left of a partition.
    pub(super) fn take_remembered(&self, partition: &TopicPartition) -> Files {
        let clean = self.files.as_ref().is_some_and(LogDirectory::was_clean);
        // After a crash the checkpoints may speak of a deleted topic whose name another one has by now: the directory
        // went before the new one could get its own. `take_gone` finds what is left here.
        if !clean && !self.shared.context.exists(&self.partition_path(partition)) {
            return Files::default();
        }
        let mut remembered = lock(&self.remembered);
        let take = |offsets: &mut HashMap<_, _>| offsets.remove(partition);
        Files {
            log_start: take(&mut remembered.log_starts).unwrap_or(Offset::ZERO),
            recovery_point: take(&mut remembered.recovery_points).unwrap_or(Offset::ZERO),
            high_watermark: take(&mut remembered.high_watermarks).unwrap_or(Offset::ZERO),
            cleaned: take(&mut remembered.cleaned),
            clean,
            may_have_gaps: self.may_have_gaps,
        }
    }

    /// The checkpoints, of `BY_NAME`, that speak of partitions which nobody took: they are gone. From here on these count
    /// as deleted ones.
    pub(super) fn take_gone(&self) -> Vec<Checkpoint> {
        let Remembered { log_starts, recovery_points, cleaned, .. } =
            std::mem::take(&mut *lock(&self.remembered));
        let mut speaking = Vec::new();
        for ((which, stale), left) in
            BY_NAME.into_iter().zip(&self.stale).zip([log_starts, recovery_points, cleaned])
        {
            let mut gone = left.into_iter().filter(|(_, at)| *at > Offset::ZERO).peekable();
            if gone.peek().is_some() {
                speaking.push(which);
                lock(stale).extend(gone.map(|(partition, _)| partition));
            }
        }
        speaking
    }

    /// Notes of which checkpoints a deleted partition is to go.
    pub(super) fn note_stale(&self, gone: &Partition) {
        for (which, stale) in BY_NAME.into_iter().zip(&self.stale) {
            if gone.checkpoint(which).is_some_and(|at| at > Offset::ZERO) {
                lock(stale).insert(gone.topic_partition.clone());
                self.shared.context.note_change(which);
            }
        }
    }

    /// The checkpoints that may still speak of a deleted partition with this name.
    pub(super) fn speaking_of(&self, partition: &TopicPartition) -> impl Iterator<Item = Checkpoint> {
        let stale = BY_NAME.into_iter().zip(&self.stale);
        stale.filter(|(_, stale)| lock(stale).contains(partition)).map(|(which, _)| which)
    }

    /// The deleted partitions that a checkpoint may still speak of.
    pub(super) fn stale(&self, which: Checkpoint) -> HashSet<TopicPartition> {
        self.stale_of(which).map(|stale| lock(stale).clone()).unwrap_or_default()
    }

    /// The checkpoint was written without these.
    pub(super) fn forget_stale(&self, which: Checkpoint, forgotten: &HashSet<TopicPartition>) {
        if let Some(stale) = self.stale_of(which) {
            lock(stale).retain(|partition| !forgotten.contains(partition));
        }
    }

    fn stale_of(&self, which: Checkpoint) -> Option<&Mutex<HashSet<TopicPartition>>> {
        BY_NAME.iter().zip(&self.stale).find(|(other, _)| **other == which).map(|(_, stale)| stale)
    }
}
