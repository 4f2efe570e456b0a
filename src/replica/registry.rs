//! The partitions that this node holds, by name, and what concerns all of them: checkpoints, retention, the stop.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dashmap::DashMap;

use super::directory::{BY_NAME, DataDirectory};
use super::partition::{Files, Partition, Shared};
use super::settings::TopicSettings;
use crate::log::cleaner::{CleanerOptions, CleaningPlan, Pace};
use crate::log::{Checkpoint, LogDirectory, LogError};
use crate::types::{ErrorCode, LeaderEpoch, Now, TopicId, TopicPartition};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// See the module.
pub struct Registry {
    partitions: DashMap<TopicPartition, Arc<Partition>>,
    /// In the order of `log.dirs`.
    directories: Vec<Arc<DataDirectory>>,
    /// Where partitions are whose directory is none of these: offline.
    elsewhere: Arc<DataDirectory>,
    shared: Arc<Shared>,
    /// Held while a checkpoint is collected and written, so that an older one never replaces a newer one.
    checkpoints: Mutex<()>,
}

/// What became of a data directory at the start.
#[derive(Debug)]
pub enum Found {
    /// This process holds it.
    Online(LogDirectory),
    /// It cannot be used.
    Offline(PathBuf),
}

impl Found {
    /// The directory, if it can be used.
    pub fn files(&self) -> Option<&LogDirectory> {
        match self {
            Self::Online(files) => Some(files),
            Self::Offline(_) => None,
        }
    }

    /// As `files`, to be changed.
    pub fn files_mut(&mut self) -> Option<&mut LogDirectory> {
        match self {
            Self::Online(files) => Some(files),
            Self::Offline(_) => None,
        }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        match self {
            Self::Online(files) => files.path(),
            Self::Offline(path) => path,
        }
    }
}

impl Registry {
    /// Reads the checkpoints of the data directories; one where that fails is offline. Opens no log.
    pub fn new(directories: Vec<Found>, shared: Arc<Shared>) -> Self {
        let open = |found| match found {
            Found::Online(files) => Arc::new(DataDirectory::new(files, shared.clone())),
            Found::Offline(path) => Arc::new(DataDirectory::offline(path, shared.clone())),
        };
        Self {
            partitions: DashMap::new(),
            directories: directories.into_iter().map(open).collect(),
            elsewhere: Arc::new(DataDirectory::offline(PathBuf::new(), shared.clone())),
            shared,
            checkpoints: Mutex::new(()),
        }
    }

    /// The data directories, in the order of `log.dirs`.
    pub fn directories(&self) -> &[Arc<DataDirectory>] {
        &self.directories
    }

    /// The data directory with this id. Partitions are offline in the one that is returned for an id that none has.
    pub fn directory(&self, id: TopicId) -> &Arc<DataDirectory> {
        self.directories.iter().find(|directory| directory.id() == Some(id)).unwrap_or(&self.elsewhere)
    }

    /// `producer.id.expiration.ms` from now on, for every partition.
    pub fn set_producer_id_expiration(&self, ms: i64) {
        self.shared.producer_id_expiration_ms.store(ms, Ordering::Relaxed);
    }

    /// Whether reads in flight hold so much memory that they should return no more than they must.
    pub fn is_read_memory_short(&self) -> bool {
        self.shared.context.is_read_memory_short()
    }

    /// A partition by name.
    pub fn get(&self, partition: &TopicPartition) -> Option<Arc<Partition>> {
        self.partitions.get(partition).map(|found| found.value().clone())
    }

    /// All partitions, in no order.
    pub fn all(&self) -> Vec<Arc<Partition>> {
        self.partitions.iter().map(|entry| entry.value().clone()).collect()
    }

    /// Adds a partition that the controller's image names, in its data directory. `existed` tells that it is not a new
    /// one, so that what the last run left of it is taken up.
    pub fn add(
        &self,
        home: &Arc<DataDirectory>,
        partition: TopicPartition,
        topic_id: TopicId,
        settings: Arc<TopicSettings>,
        epoch: LeaderEpoch,
        existed: bool,
    ) -> Arc<Partition> {
        let files = if existed {
            home.take_remembered(&partition)
        } else {
            self.forget(home, &partition);
            Files::default()
        };
        let added =
            Arc::new(Partition::new(home.clone(), partition.clone(), topic_id, files, settings, epoch));
        self.partitions.insert(partition, added.clone());
        if home.is_offline() {
            // It may have become so after it was looked at and before the partition stood among the others.
            added.go_offline();
        }
        added
    }

    /// Removes the partitions of a deleted topic: their directories are renamed at once and removed later. What the
    /// checkpoints say of them goes with the next that is written, at the latest before the name is used again.
    pub fn remove(&self, partitions: impl IntoIterator<Item = TopicPartition>, now: Now) {
        for partition in partitions {
            let Some((_, removed)) = self.partitions.remove(&partition) else { continue };
            removed.home().note_stale(&removed);
            if let Err(error) = removed.delete(now) {
                tracing::error!(%partition, %error, "cannot remove the files of a deleted partition");
                self.shared.context.note_log_failure(&error);
            }
        }
    }

    /// Writes the checkpoints anew that speak of a deleted partition with the name of one that is to be made.
    fn forget(&self, home: &DataDirectory, partition: &TopicPartition) {
        for which in home.speaking_of(partition) {
            self.write_checkpoint(which);
        }
    }

    /// Writes the checkpoints anew that could not be written before a name was used again: its partition takes nothing
    /// until they are.
    pub fn settle_names(&self) {
        let waits = |directory: &Arc<DataDirectory>, which| {
            let names_again =
                |named| self.get(named).is_some_and(|partition| Arc::ptr_eq(partition.home(), directory));
            !directory.is_offline() && directory.stale(which).iter().any(names_again)
        };
        for which in BY_NAME {
            if self.directories.iter().any(|directory| waits(directory, which)) {
                self.write_checkpoint(which);
            }
        }
    }

    /// Puts a new partition in the place of one whose directory was another topic's: nothing that the last run left
    /// under this name is its own.
    pub fn renew(&self, partition: &Partition) {
        let named = partition.topic_partition.clone();
        self.partitions.remove(&named);
        let home = partition.home();
        home.note_stale(partition);
        self.add(home, named, partition.topic_id, partition.settings(), partition.leader_epoch(), false);
    }

    /// Called once all logs of the last run are recovered: if a Kafka left them, they are our own from here on.
    pub fn take_over(&self) -> Result<(), LogError> {
        let files = || self.directories.iter().filter_map(|directory| directory.files());
        if files().any(LogDirectory::was_left_by_kafka) {
            self.try_write_checkpoint(Checkpoint::RecoveryPoint)?;
        }
        files().try_for_each(LogDirectory::take_over)
    }

    /// Called once all partitions of the last run are known. Writes the checkpoints anew that speak of others: a crash
    /// came between a topic's deletion and what `remove` does. A topic that is made again under the name would lose
    /// the records below that log start.
    pub fn forget_gone(&self) {
        let gone: Vec<_> = self.directories.iter().flat_map(|directory| directory.take_gone()).collect();
        for which in BY_NAME.into_iter().filter(|which| gone.contains(which)) {
            self.write_checkpoint(which);
        }
    }

    /// Takes a data directory that failed out of use until the next start: nothing is written to it any more, and its
    /// partitions answer `KAFKA_STORAGE_ERROR`. Returns how many these are.
    pub fn take_offline(&self, directory: &Arc<DataDirectory>) -> usize {
        directory.set_offline();
        let mut held = self.all();
        held.retain(|partition| Arc::ptr_eq(partition.home(), directory));
        for partition in &held {
            partition.go_offline();
        }
        held.len()
    }

    /// Deletes what is beyond each topic's retention, and what lies below a log start that DeleteRecords raised.
    pub fn enforce_retention(&self, now: Now) {
        let due: Vec<_> = self
            .all()
            .into_iter()
            .filter(|partition| match partition.expire(now) {
                Ok(expired) => expired,
                Err(ErrorCode::UnknownTopicOrPartition) => false,
                Err(error) => {
                    tracing::error!(partition = %partition.topic_partition, %error, "retention failed");
                    false
                }
            })
            .collect();
        if due.is_empty() {
            return;
        }
        // After a loss of power some of what goes may be back, with gaps behind it. Below the log start, and below the
        // recovery point, these say nothing. Where these cannot be written, room is wanted all the more.
        self.update_checkpoint(Checkpoint::LogStart);
        self.update_checkpoint(Checkpoint::RecoveryPoint);
        for partition in due {
            match partition.drop_below_start(now) {
                Ok(0) => {}
                Ok(segments) => tracing::info!(partition = %partition.topic_partition, segments, "retention"),
                Err(error) => {
                    tracing::error!(partition = %partition.topic_partition, %error, "retention failed");
                }
            }
        }
    }

    /// Compacts the log with the largest share of dirty bytes among those that are due. False when none was, or when
    /// the round was stopped; true when there may be more to do: a log that the disk failed for is not due for a while.
    pub fn clean_filthiest(&self, options: &CleanerOptions, pace: &dyn Pace, now: Now) -> bool {
        let Some((partition, plan)) = self.filthiest(now) else { return false };
        if partition.prepare_cleaning(now).is_err() {
            return !partition.is_closed();
        }
        // Gaps that Kafka's cleaner left grow with the next one's: they lie below the recovery point of the disk.
        if !self.write_checkpoint(Checkpoint::RecoveryPoint) {
            return false;
        }
        match partition.clean(&plan, options, pace, now) {
            Ok(Some(cleaned)) => {
                self.write_checkpoint(Checkpoint::Cleaner);
                tracing::info!(
                    partition = %partition.topic_partition, from = %plan.first_dirty, upto = %cleaned.upto,
                    bytes_before = cleaned.bytes_before, bytes_after = cleaned.bytes_after, "compacted"
                );
                true
            }
            Ok(None) => false,
            Err(_) => !partition.is_closed(),
        }
    }

    fn filthiest(&self, now: Now) -> Option<(Arc<Partition>, CleaningPlan)> {
        let mut filthiest: Option<(Arc<Partition>, CleaningPlan)> = None;
        for partition in self.all() {
            let Ok(Some(plan)) = partition.due_cleaning(now) else { continue };
            if filthiest.as_ref().is_none_or(|(_, most)| plan.dirty_ratio() > most.dirty_ratio()) {
                filthiest = Some((partition, plan));
            }
        }
        filthiest
    }

    /// Writes one of the offset checkpoints if it may lack something.
    pub fn update_checkpoint(&self, which: Checkpoint) {
        if self.shared.context.take_change(which) {
            self.write_checkpoint(which);
        }
    }

    /// Writes one of the offset checkpoints. What cannot be written is logged and written the next time; false then.
    pub fn write_checkpoint(&self, which: Checkpoint) -> bool {
        let written = self.try_write_checkpoint(which);
        if let Err(error) = &written {
            self.shared.context.note_change(which);
            self.shared.context.note_log_failure(error);
            tracing::error!(%error, "cannot write a checkpoint");
        }
        written.is_ok()
    }

    fn try_write_checkpoint(&self, which: Checkpoint) -> Result<(), LogError> {
        let _writing = lock(&self.checkpoints);
        self.shared.context.take_change(which);
        // Looked at before the partitions are: who is among them is gone from those already. They stay until the file
        // stands, so that a name is not used again before.
        let forgotten: Vec<_> = self.directories.iter().map(|directory| directory.stale(which)).collect();
        let mut entries: Vec<Vec<_>> = vec![Vec::new(); self.directories.len()];
        for known in &self.partitions {
            if let Some(at) = known.checkpoint(which)
                && let Some(entries) = self.place(known.home()).and_then(|place| entries.get_mut(place))
            {
                entries.push((known.topic_partition.clone(), at));
            }
        }
        let mut written = Ok(());
        for ((directory, entries), forgotten) in self.directories.iter().zip(&entries).zip(&forgotten) {
            let Some(files) = directory.files() else { continue };
            match files.write_checkpoint(which, entries) {
                Ok(()) => directory.forget_stale(which, forgotten),
                failed => written = written.and(failed),
            }
        }
        written
    }

    fn place(&self, home: &Arc<DataDirectory>) -> Option<usize> {
        self.directories.iter().position(|directory| Arc::ptr_eq(directory, home))
    }

    /// Closes every log, with `workers` threads because each waits for the disk, then writes the checkpoints and the
    /// markers of a clean stop, which name the epoch that the broker was registered under (`None`: by no one). A
    /// directory's marker is left out when one of its logs could not be closed well, so that the next start looks at it.
    pub fn close(&self, workers: usize, broker_epoch: Option<i64>) -> Result<(), LogError> {
        let partitions = self.all();
        let doubtful = std::thread::scope(|scope| {
            let part = |nth| partitions.iter().skip(nth).step_by(workers.max(1));
            let running: Vec<_> =
                (0..workers.max(1)).map(|nth| scope.spawn(move || close_all(part(nth)))).collect();
            // All are joined before any is judged: the scope panics over one that was not.
            let closed: Vec<_> = running.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
            closed
                .into_iter()
                .map(|closed| closed.unwrap_or_else(|_| self.directories.iter().collect()))
                .collect::<Vec<_>>()
                .concat()
        });
        let has_cleaner =
            partitions.iter().any(|partition| partition.checkpoint(Checkpoint::Cleaner).is_some());
        for which in [Checkpoint::RecoveryPoint, Checkpoint::LogStart, Checkpoint::HighWatermark] {
            self.try_write_checkpoint(which)?;
        }
        if has_cleaner {
            self.try_write_checkpoint(Checkpoint::Cleaner)?;
        }
        for directory in &self.directories {
            let is_clean = !doubtful.iter().any(|doubtful| Arc::ptr_eq(doubtful, directory));
            if let Some(files) = directory.files().filter(|_| is_clean) {
                files.mark_clean(broker_epoch.unwrap_or(BROKER_EPOCH_UNKNOWN))?;
            }
        }
        Ok(())
    }
}

/// The directories of those that could not be closed well.
fn close_all<'a>(partitions: impl Iterator<Item = &'a Arc<Partition>>) -> Vec<&'a Arc<DataDirectory>> {
    let mut doubtful = Vec::new();
    for partition in partitions {
        match partition.close() {
            Ok(true) => {}
            Ok(false) => doubtful.push(partition.home()),
            Err(error) => {
                tracing::error!(partition = %partition.topic_partition, %error, "cannot close the log");
                doubtful.push(partition.home());
            }
        }
    }
    doubtful
}

/// The broker epoch in the marker of a clean stop when no controller registered the broker.
const BROKER_EPOCH_UNKNOWN: i64 = -1;
