//! The partitions that this node holds, by name, and what concerns all of them: checkpoints, retention, the stop.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dashmap::DashMap;

use super::partition::{Files, Partition, Shared};
use super::settings::TopicSettings;
use crate::log::cleaner::{CleanerOptions, CleaningPlan, Pace};
use crate::log::{Checkpoint, LogDirectory, LogError};
use crate::types::{ErrorCode, LeaderEpoch, Now, Offset, TopicId, TopicPartition};

/// Where the logs of the last run stood, read once at the start; each partition takes what is said of it.
#[derive(Default)]
struct Remembered {
    log_starts: HashMap<TopicPartition, Offset>,
    recovery_points: HashMap<TopicPartition, Offset>,
    high_watermarks: HashMap<TopicPartition, Offset>,
    cleaned: HashMap<TopicPartition, Offset>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// See the module.
pub struct Registry {
    partitions: DashMap<TopicPartition, Arc<Partition>>,
    directory: LogDirectory,
    shared: Arc<Shared>,
    remembered: Mutex<Remembered>,
    /// Held while a checkpoint is collected and written, so that an older one never replaces a newer one.
    checkpoints: Mutex<()>,
    /// Of `BY_NAME`, each: deleted partitions that the file may still speak of.
    stale: [Mutex<HashSet<TopicPartition>>; BY_NAME.len()],
}

/// The checkpoints whose entry for a deleted partition must not be taken for that of a new one with the name: it would
/// lose the records below that log start.
const BY_NAME: [Checkpoint; 3] = [Checkpoint::LogStart, Checkpoint::RecoveryPoint, Checkpoint::Cleaner];

impl Registry {
    /// Reads the checkpoints of a data directory that this process holds. Opens no log.
    pub fn new(directory: LogDirectory, shared: Arc<Shared>) -> Result<Self, LogError> {
        let remembered = Remembered {
            log_starts: directory.read_checkpoint(Checkpoint::LogStart)?,
            recovery_points: directory.read_checkpoint(Checkpoint::RecoveryPoint)?,
            high_watermarks: directory.read_checkpoint(Checkpoint::HighWatermark)?,
            cleaned: directory.read_checkpoint(Checkpoint::Cleaner)?,
        };
        Ok(Self {
            partitions: DashMap::new(),
            directory,
            shared,
            remembered: Mutex::new(remembered),
            checkpoints: Mutex::new(()),
            stale: Default::default(),
        })
    }

    /// The data directory.
    pub fn directory(&self) -> &LogDirectory {
        &self.directory
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

    /// Adds a partition that the controller's image names. `existed` tells that it is not a new one, so that what
    /// the last run left of it is taken up.
    pub fn add(
        &self,
        partition: TopicPartition,
        topic_id: TopicId,
        settings: Arc<TopicSettings>,
        epoch: LeaderEpoch,
        existed: bool,
    ) -> Arc<Partition> {
        let files = if existed {
            self.remembered_of(&partition)
        } else {
            self.forget(&partition);
            Files::default()
        };
        let shared = self.shared.clone();
        let added = Arc::new(Partition::new(shared, partition.clone(), topic_id, files, settings, epoch));
        self.partitions.insert(partition, added.clone());
        added
    }

    fn remembered_of(&self, partition: &TopicPartition) -> Files {
        // After a crash the checkpoints may speak of a deleted topic whose name another one has by now: the directory
        // went before the new one could get its own. `forget_gone` finds what is left here.
        let path = self.directory.partition_path(partition);
        if !self.directory.was_clean() && !self.shared.context.exists(&path) {
            return Files::default();
        }
        let mut remembered = lock(&self.remembered);
        let take = |offsets: &mut HashMap<_, _>| offsets.remove(partition);
        Files {
            log_start: take(&mut remembered.log_starts).unwrap_or(Offset::ZERO),
            recovery_point: take(&mut remembered.recovery_points).unwrap_or(Offset::ZERO),
            high_watermark: take(&mut remembered.high_watermarks).unwrap_or(Offset::ZERO),
            cleaned: take(&mut remembered.cleaned),
            clean: self.directory.was_clean(),
        }
    }

    /// Removes the partitions of a deleted topic: their directories are renamed at once and removed later. What the
    /// checkpoints say of them goes with the next that is written, at the latest before the name is used again.
    pub fn remove(&self, partitions: impl IntoIterator<Item = TopicPartition>, now: Now) {
        for partition in partitions {
            let Some((_, removed)) = self.partitions.remove(&partition) else { continue };
            self.note_stale(&removed);
            if let Err(error) = removed.delete(&self.directory, now) {
                tracing::error!(%partition, %error, "cannot remove the files of a deleted partition");
            }
        }
    }

    fn note_stale(&self, gone: &Partition) {
        for (which, stale) in BY_NAME.into_iter().zip(&self.stale) {
            if gone.checkpoint(which).is_some_and(|at| at > Offset::ZERO) {
                lock(stale).insert(gone.topic_partition.clone());
                self.shared.context.note_change(which);
            }
        }
    }

    /// Writes the checkpoints anew that speak of a deleted partition with the name of one that is to be made.
    fn forget(&self, partition: &TopicPartition) {
        for (which, stale) in BY_NAME.into_iter().zip(&self.stale) {
            let speaks = lock(stale).contains(partition);
            if speaks {
                self.write_checkpoint(which);
            }
        }
    }

    /// Puts a new partition in the place of one whose directory was another topic's: nothing that the last run left
    /// under this name is its own.
    pub fn renew(&self, partition: &Partition) {
        let named = partition.topic_partition.clone();
        self.partitions.remove(&named);
        self.note_stale(partition);
        self.add(named, partition.topic_id, partition.settings(), partition.leader_epoch(), false);
    }

    /// Called once all partitions of the last run are known. Writes the checkpoints anew that speak of others: a crash
    /// came between a topic's deletion and what `remove` does. A topic that is made again under the name would lose
    /// the records below that log start.
    pub fn forget_gone(&self) {
        let Remembered { log_starts, recovery_points, cleaned, .. } =
            std::mem::take(&mut *lock(&self.remembered));
        for (which, left) in BY_NAME.into_iter().zip([log_starts, recovery_points, cleaned]) {
            if left.values().any(|at| *at > Offset::ZERO) {
                self.write_checkpoint(which);
            }
        }
    }

    /// Deletes what is beyond each topic's retention.
    pub fn enforce_retention(&self, now: Now) {
        for partition in self.all() {
            match partition.enforce_retention(now) {
                Ok(0) | Err(ErrorCode::UnknownTopicOrPartition) => {}
                Ok(segments) => {
                    tracing::info!(partition = %partition.topic_partition, segments, "retention");
                }
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
        // A gap that compaction leaves lies below the recovery point of the disk, or it would count as lost records.
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
            tracing::error!(%error, "cannot write a checkpoint");
        }
        written.is_ok()
    }

    fn try_write_checkpoint(&self, which: Checkpoint) -> Result<(), LogError> {
        let _writing = lock(&self.checkpoints);
        self.shared.context.take_change(which);
        // Looked at before the partitions are: who is among them is gone from those already. They stay until the file
        // stands, so that a name is not used again before.
        let stale =
            BY_NAME.iter().zip(&self.stale).find(|(other, _)| **other == which).map(|(_, stale)| stale);
        let forgotten = stale.map(|stale| lock(stale).clone());
        let entry =
            |partition: &Partition| Some((partition.topic_partition.clone(), partition.checkpoint(which)?));
        let entries: Vec<_> = self.partitions.iter().filter_map(|known| entry(known.value())).collect();
        let written = self.directory.write_checkpoint(which, &entries);
        if let (Ok(()), Some(stale), Some(forgotten)) = (&written, stale, forgotten) {
            lock(stale).retain(|partition| !forgotten.contains(partition));
        }
        written
    }

    /// Closes every log, with `workers` threads because each waits for the disk, then writes the checkpoints and the
    /// marker of a clean stop. The marker is left out when a log could not be closed well, so that the next start
    /// looks at it.
    pub fn close(&self, workers: usize) -> Result<(), LogError> {
        let partitions = self.all();
        let clean = std::thread::scope(|scope| {
            let part = |nth| partitions.iter().skip(nth).step_by(workers.max(1));
            let running: Vec<_> =
                (0..workers.max(1)).map(|nth| scope.spawn(move || close_all(part(nth)))).collect();
            // All are joined before any is judged: the scope panics over one that was not.
            let closed: Vec<bool> =
                running.into_iter().map(|worker| worker.join().unwrap_or(false)).collect();
            closed.into_iter().all(|clean| clean)
        });
        for which in [Checkpoint::RecoveryPoint, Checkpoint::LogStart, Checkpoint::HighWatermark] {
            self.try_write_checkpoint(which)?;
        }
        if partitions.iter().any(|partition| partition.checkpoint(Checkpoint::Cleaner).is_some()) {
            self.try_write_checkpoint(Checkpoint::Cleaner)?;
        }
        if clean { self.directory.mark_clean(BROKER_EPOCH_UNKNOWN) } else { Ok(()) }
    }
}

/// Whether all could be closed well.
fn close_all<'a>(partitions: impl Iterator<Item = &'a Arc<Partition>>) -> bool {
    let mut clean = true;
    for partition in partitions {
        match partition.close() {
            Ok(trusted) => clean &= trusted,
            Err(error) => {
                tracing::error!(partition = %partition.topic_partition, %error, "cannot close the log");
                clean = false;
            }
        }
    }
    clean
}

/// The broker epoch in the marker of a clean stop, for a controller that would compare it.
const BROKER_EPOCH_UNKNOWN: i64 = -1;
