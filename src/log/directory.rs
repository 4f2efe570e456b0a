//! A data directory (`log.dirs`): its lock, its owner, its checkpoints, the partitions in it, and whether it was left by
//! a clean stop. One process holds it at a time. It opens no log.

use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::FlockOperation;
use uuid::Uuid;

use super::checkpoint::{self, CHECKPOINT_BYTES_MAX};
use super::context::LogContext;
use super::error::LogError;
use super::failures::is_full;
use super::names::{self, DELETE_DIRECTORY_SUFFIX, STRAY_DIRECTORY_SUFFIX};
use super::open::stored_topic_id;
use super::properties::{
    self, CLEAN_FILE_NAME, META_FILE_NAME, MetaProperties, ParsedMeta, QUORUM_FILE_NAME,
};
use super::storage::{Access, read_file, replace_file, write_full};
use crate::types::{NodeId, Now, Offset, TopicId, TopicPartition};

const LOCK_FILE_NAME: &str = ".lock";
const PROBE_FILE_NAME: &str = ".milena-probe";

/// Kafka's offset checkpoints of a data directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checkpoint {
    /// `recovery-point-offset-checkpoint`: below it everything is on stable storage.
    RecoveryPoint,
    /// `log-start-offset-checkpoint`: log starts that lie inside their first segment.
    LogStart,
    /// `replication-offset-checkpoint`: high watermarks.
    HighWatermark,
    /// `cleaner-offset-checkpoint`: first dirty offsets of compacted logs.
    Cleaner,
}

impl Checkpoint {
    /// How many there are.
    pub(crate) const COUNT: usize = 4;

    const fn file_name(self) -> &'static str {
        match self {
            Self::RecoveryPoint => "recovery-point-offset-checkpoint",
            Self::LogStart => "log-start-offset-checkpoint",
            Self::HighWatermark => "replication-offset-checkpoint",
            Self::Cleaner => "cleaner-offset-checkpoint",
        }
    }
}

/// How much the volume of a data directory holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Everything, used or not.
    pub total_bytes: u64,
    /// What this process may still use.
    pub usable_bytes: u64,
}

/// A data directory, held by this process until it is dropped or released.
#[derive(Debug)]
pub struct LogDirectory {
    path: PathBuf,
    context: Arc<LogContext>,
    meta: MetaProperties,
    clean: bool,
    previous_broker_epoch: Option<i64>,
    /// The leader epoch in Kafka's `quorum-state`, −1 where it cannot be read; `None` where no Kafka ever was.
    quorum_epoch: Option<i64>,
    /// Held for the lock it carries.
    lock: Lock,
}

/// A data directory that this process holds, before anything is changed in it.
#[derive(Debug)]
pub struct HeldDirectory {
    path: PathBuf,
    context: Arc<LogContext>,
    /// What `meta.properties` says, when it is there.
    stored: Option<ParsedMeta>,
    /// Directories that got an entry.
    made: Vec<PathBuf>,
    /// Whether the marker of a clean stop was there, and the broker epoch in it.
    marker: (bool, Option<i64>),
    lock: Lock,
}

impl HeldDirectory {
    /// Makes the directory where it is missing, takes its lock and looks whose it is. Fails when another process holds
    /// it or it belongs to another node.
    pub fn take(path: &Path, node_id: NodeId, context: &Arc<LogContext>) -> Result<Self, LogError> {
        let made = make_directory(context, path).map_err(LogError::io(path))?;
        let lock = take_lock(&path.join(LOCK_FILE_NAME))?;
        let stored = read_meta(context, path)?;
        if let Some(stored) = &stored {
            check_owner(path, "node.id", &stored.node_id.to_string(), &node_id.to_string())?;
        }
        let context = Arc::clone(context);
        Ok(Self { path: path.to_path_buf(), context, stored, made, marker: (false, None), lock })
    }

    /// The directory's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The cluster that it belongs to; `None` when it is new.
    pub fn cluster_id(&self) -> Option<&str> {
        self.stored.as_ref().map(|stored| stored.cluster_id.as_str())
    }

    /// Its id, when it has one.
    pub fn directory_id(&self) -> Option<Uuid> {
        self.stored.as_ref().and_then(|stored| stored.directory_id)
    }

    /// Whether a partition's directory, or the journal's, is in it.
    pub fn has(&self, partition: &TopicPartition) -> bool {
        self.context.exists(&self.path.join(partition.to_string()))
    }

    /// Fails when the directory belongs to another cluster.
    ///
    /// # Errors
    /// [`LogError::OtherOwner`].
    pub fn check_cluster(&self, cluster_id: &str) -> Result<(), LogError> {
        let Some(found) = self.cluster_id() else { return Ok(()) };
        check_owner(&self.path, "cluster.id", found, cluster_id)
    }

    /// Takes the marker of a clean stop away. Of all directories before anything else is written to one of them.
    pub fn take_clean_marker(&mut self) -> Result<(), LogError> {
        self.marker = take_clean_marker(&self.context, &self.path)?;
        Ok(())
    }

    /// Makes `meta.properties` where it is missing and hands what a deletion left to the context's queue. The cluster is
    /// the one that was checked.
    pub fn open(self, cluster_id: &str, node_id: NodeId, now: Now) -> Result<LogDirectory, LogError> {
        let Self { path, context, stored, made, marker: (clean, previous_broker_epoch), lock } = self;
        if stored.is_none() {
            sync_parents(&context, &path, &made)?;
        }
        let meta = settle_meta(&context, &path, stored, cluster_id, node_id)?;
        let directory =
            LogDirectory { path, context, meta, clean, previous_broker_epoch, quorum_epoch: None, lock };
        directory.remove_leftovers(now)?;
        Ok(directory)
    }
}

/// The id of a new cluster.
pub fn new_cluster_id() -> String {
    TopicId::random().to_string()
}

impl LogDirectory {
    /// Takes the directory's lock, reads `meta.properties` (made when missing, with a new cluster id when none is
    /// given), takes away the marker of a clean stop and hands what a deletion left to the context's queue. Fails when
    /// another process holds the directory or it belongs to another cluster or node.
    pub fn open(
        path: &Path,
        cluster_id: Option<&str>,
        node_id: NodeId,
        context: &Arc<LogContext>,
        now: Now,
    ) -> Result<Self, LogError> {
        let mut held = HeldDirectory::take(path, node_id, context)?;
        let stored = held.cluster_id().map(ToString::to_string);
        let cluster_id = cluster_id.map(ToString::to_string).or(stored).unwrap_or_else(new_cluster_id);
        held.check_cluster(&cluster_id)?;
        held.take_clean_marker()?;
        held.open(&cluster_id, node_id, now)
    }

    /// Finds out, from the metadata log's directory, whether a Kafka was the last to write here. One that stopped cleanly
    /// is done with it: from here on the directory is taken for our own.
    pub fn look_for_kafka(&mut self, journal_dir: &Path) -> Result<(), LogError> {
        let path = journal_dir.join(QUORUM_FILE_NAME);
        self.quorum_epoch = match read_file(&*self.context.storage, &path, properties::BYTES_MAX) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Some(UNKNOWN_EPOCH),
            other => {
                let bytes = other.map_err(LogError::io(&path))?;
                Some(properties::parse_quorum_epoch(&bytes).unwrap_or(UNKNOWN_EPOCH))
            }
        };
        if self.clean { self.take_over() } else { Ok(()) }
    }

    /// Whether a Kafka ran here, ever.
    pub fn knew_kafka(&self) -> bool {
        self.quorum_epoch.is_some()
    }

    /// Whether a Kafka was the last to write here, and was killed.
    pub fn was_left_by_kafka(&self) -> bool {
        let taken_over = self.meta.quorum_epoch.filter(|epoch| *epoch != UNKNOWN_EPOCH);
        !self.clean && self.quorum_epoch.is_some() && self.quorum_epoch != taken_over
    }

    /// Notes durably that from here on the last to write here is no Kafka. Called once what one left is recovered, and
    /// the recovery points say so.
    pub fn take_over(&self) -> Result<(), LogError> {
        if self.quorum_epoch.is_none() || self.quorum_epoch == self.meta.quorum_epoch {
            return Ok(());
        }
        write_meta(
            &self.context,
            &self.path,
            &MetaProperties { quorum_epoch: self.quorum_epoch, ..self.meta.clone() },
        )
    }

    /// The directory's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How much the volume holds.
    pub fn space(&self) -> Result<Space, LogError> {
        let found =
            rustix::fs::statvfs(&self.path).map_err(|error| LogError::io(&self.path)(error.into()))?;
        Ok(Space {
            total_bytes: found.f_blocks.saturating_mul(found.f_frsize),
            usable_bytes: found.f_bavail.saturating_mul(found.f_frsize),
        })
    }

    /// Whose the directory is.
    pub fn meta(&self) -> &MetaProperties {
        &self.meta
    }

    /// Whether the last process to hold the directory stopped cleanly. A new directory counts as not clean, which
    /// costs nothing.
    pub fn was_clean(&self) -> bool {
        self.clean
    }

    /// The broker epoch that the last clean stop noted.
    pub fn previous_broker_epoch(&self) -> Option<i64> {
        self.previous_broker_epoch
    }

    /// Finds out whether the directory can be used: writes a small file, brings it to stable storage, finds and removes
    /// it. Waits for the disk.
    pub fn probe(&self) -> io::Result<()> {
        let storage = &*self.context.storage;
        let path = self.path.join(PROBE_FILE_NAME);
        let file = storage.open(&path, Access::Truncate)?;
        write_full(&*file, &mut [io::IoSlice::new(b"probe")], 0)?;
        file.sync_data()?;
        let is_listed = storage.list(&self.path)?.iter().any(|entry| entry.name == PROBE_FILE_NAME);
        storage.remove_file(&path)?;
        if is_listed { Ok(()) } else { Err(io::Error::other("a file that was written is not there")) }
    }

    /// The path of a partition's directory, which need not exist.
    pub fn partition_path(&self, partition: &TopicPartition) -> PathBuf {
        self.path.join(partition.to_string())
    }

    /// The topic whose partition lies here, by `partition.metadata`; `None` when that does not tell.
    pub fn stored_topic_id(&self, partition: &TopicPartition) -> Result<Option<TopicId>, LogError> {
        stored_topic_id(&*self.context.storage, &self.partition_path(partition))
    }

    /// The partitions that have a directory, sorted.
    pub fn partitions(&self) -> Result<Vec<TopicPartition>, LogError> {
        let listed = self.context.storage.list(&self.path).map_err(LogError::io(&self.path))?;
        let mut partitions: Vec<TopicPartition> = listed
            .iter()
            .filter(|entry| entry.is_dir)
            .filter_map(|entry| names::parse_directory_name(&entry.name))
            .collect();
        partitions.sort_unstable();
        Ok(partitions)
    }

    /// Reads a checkpoint. A missing or empty file is an empty map; so is, with a warning, an unreadable one: what it
    /// would have said is found out by recovery.
    pub fn read_checkpoint(&self, which: Checkpoint) -> Result<HashMap<TopicPartition, Offset>, LogError> {
        let path = self.path.join(which.file_name());
        let bytes = match read_file(&*self.context.storage, &path, CHECKPOINT_BYTES_MAX) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(HashMap::new()),
            other => other.map_err(LogError::io(&path))?,
        };
        match checkpoint::parse_offsets(&bytes) {
            Ok(entries) => Ok(entries.into_iter().collect()),
            Err(reason) => {
                tracing::warn!(path = %path.display(), reason, "the checkpoint cannot be read and counts as empty");
                Ok(HashMap::new())
            }
        }
    }

    /// Replaces a checkpoint durably.
    pub fn write_checkpoint(
        &self,
        which: Checkpoint,
        entries: &[(TopicPartition, Offset)],
    ) -> Result<(), LogError> {
        let path = self.path.join(which.file_name());
        let text = checkpoint::format_offsets(entries);
        replace_file(&*self.context.storage, &path, text.as_bytes(), true).map_err(LogError::io(&path))
    }

    /// Notes that everything is on stable storage and the checkpoints say so: the next start scans nothing.
    pub fn mark_clean(&self, broker_epoch: i64) -> Result<(), LogError> {
        let path = self.path.join(CLEAN_FILE_NAME);
        let text = properties::format_clean(broker_epoch);
        replace_file(&*self.context.storage, &path, text.as_bytes(), true).map_err(LogError::io(&path))
    }

    /// Gives the directory up and removes its lock file, as Kafka does at a clean stop.
    pub fn release(self) -> Result<(), LogError> {
        let path = self.path.join(LOCK_FILE_NAME);
        self.context.storage.remove_file(&path).map_err(LogError::io(&path))?;
        drop(self.lock);
        Ok(())
    }

    /// Renames a partition's directory that belongs to no topic to `…-stray`, as Kafka does, so that its data stays for
    /// a person to look at.
    pub fn set_aside(&self, partition: &TopicPartition) -> Result<(), LogError> {
        let from = self.partition_path(partition);
        let unique = TopicId::random().0.simple().to_string();
        let to = self.path.join(names::renamed_directory(partition, &unique, STRAY_DIRECTORY_SUFFIX));
        self.context.storage.rename(&from, &to).map_err(LogError::io(&from))?;
        tracing::warn!(from = %from.display(), to = %to.display(), "set aside: it belongs to no topic");
        Ok(())
    }

    /// Renames the directory of a deleted partition that is not open and removes it later.
    pub fn delete_partition(
        &self,
        partition: &TopicPartition,
        delay_ms: i64,
        now: Now,
    ) -> Result<(), LogError> {
        rename_and_remove_later(&self.context, &self.partition_path(partition), partition, delay_ms, now)
    }

    fn remove_leftovers(&self, now: Now) -> Result<(), LogError> {
        let mut listed = self.context.storage.list(&self.path).map_err(LogError::io(&self.path))?;
        listed.retain(|entry| entry.is_dir);
        for entry in listed.iter().filter(|entry| names::is_deleted_directory(&entry.name)) {
            self.context.remove_dir_later(&self.path.join(&entry.name), 0, now);
        }
        let strays = listed.iter().filter(|entry| entry.name.ends_with(STRAY_DIRECTORY_SUFFIX)).count();
        if strays > 0 {
            tracing::warn!(
                path = %self.path.display(), directories = strays,
                "directories that end in -stray belong to no topic and are kept until somebody removes them"
            );
        }
        Ok(())
    }
}

/// The path of a data directory from the root on: what clients know it by. As with Kafka links are not resolved.
pub fn absolute_path(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

/// Renames a partition's directory to `<topic>-<n>.<id>-delete`, so that the topic can be made again at once, and queues
/// its removal. A directory that does not exist is as good as removed.
pub(crate) fn rename_and_remove_later(
    context: &LogContext,
    path: &Path,
    partition: &TopicPartition,
    delay_ms: i64,
    now: Now,
) -> Result<(), LogError> {
    let unique = TopicId::random().0.simple().to_string();
    let to = path.with_file_name(names::renamed_directory(partition, &unique, DELETE_DIRECTORY_SUFFIX));
    match context.storage.rename(path, &to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        // Without room for another name there is none to wait under, and room is what is wanted.
        Err(error) if is_full(&error) => {
            return context.storage.remove_dir(path).map_err(LogError::io(path));
        }
        other => other.map_err(LogError::io(path))?,
    }
    context.remove_dir_later(&to, delay_ms, now);
    Ok(())
}

/// Stands for the leader epoch in a `quorum-state` that cannot be read.
const UNKNOWN_EPOCH: i64 = -1;

/// Makes the directory where it is missing, and says which directories got an entry by that.
fn make_directory(context: &LogContext, path: &Path) -> io::Result<Vec<PathBuf>> {
    let absolute = std::path::absolute(path)?;
    let missing = absolute.ancestors().take_while(|ancestor| !context.exists(ancestor));
    let parents = missing.filter_map(Path::parent).map(Path::to_path_buf).collect();
    match context.storage.create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(io::ErrorKind::NotADirectory.into())
        }
        made => made.map(|()| parents),
    }
}

/// Makes the directory's way from the root durable, before `meta.properties` says that it is in use. A start that was
/// killed before that may have made any part of the way; in what cannot be opened it made nothing.
fn sync_parents(context: &LogContext, path: &Path, made: &[PathBuf]) -> Result<(), LogError> {
    let absolute = std::path::absolute(path).map_err(LogError::io(path))?;
    for parent in absolute.ancestors().skip(1) {
        match context.storage.sync_dir(parent) {
            Err(_) if !made.iter().any(|made| made == parent) => {}
            other => other.map_err(LogError::io(parent))?,
        }
    }
    Ok(())
}

/// A locked file. It is unlocked when this is dropped, also while a process that is just being started has a copy of it.
#[derive(Debug)]
struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing it unlocks it as well, once every copy is closed.
        let _ = self.0.unlock();
    }
}

fn take_lock(path: &Path) -> Result<Lock, LogError> {
    loop {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(LogError::io(path))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Err(LogError::Locked { path: path.to_path_buf() }),
            Err(TryLockError::Error(error)) => return Err(LogError::io(path)(error)),
            Ok(()) => {}
        }
        // A Java process locks with fcntl, which does not see the lock above.
        if rustix::fs::fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Err(LogError::Locked { path: path.to_path_buf() });
        }
        // Whoever released the directory in between removed the file that is locked now.
        let held = file.metadata().map_err(LogError::io(path))?;
        match std::fs::metadata(path) {
            Ok(named) if named.ino() == held.ino() && named.dev() == held.dev() => return Ok(Lock(file)),
            _ => {}
        }
    }
}

fn read_meta(context: &LogContext, directory: &Path) -> Result<Option<ParsedMeta>, LogError> {
    let path = directory.join(META_FILE_NAME);
    let bytes = match read_file(&*context.storage, &path, properties::BYTES_MAX) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(LogError::io(&path))?,
    };
    properties::parse_meta(&bytes).map(Some).map_err(|reason| LogError::corrupt(&path, reason))
}

/// The content of `meta.properties`, written where something of it is missing.
fn settle_meta(
    context: &LogContext,
    directory: &Path,
    stored: Option<ParsedMeta>,
    cluster_id: &str,
    node_id: NodeId,
) -> Result<MetaProperties, LogError> {
    let stored_id = stored.as_ref().and_then(|stored| stored.directory_id);
    let meta = MetaProperties {
        cluster_id: cluster_id.to_string(),
        node_id,
        directory_id: stored_id.unwrap_or_else(|| TopicId::random().0),
        quorum_epoch: stored.and_then(|stored| stored.quorum_epoch),
    };
    if stored_id.is_none() {
        write_meta(context, directory, &meta)?;
    }
    Ok(meta)
}

fn write_meta(context: &LogContext, directory: &Path, meta: &MetaProperties) -> Result<(), LogError> {
    let path = directory.join(META_FILE_NAME);
    let text = properties::format_meta(meta);
    replace_file(&*context.storage, &path, text.as_bytes(), true).map_err(LogError::io(&path))
}

fn check_owner(directory: &Path, key: &'static str, found: &str, wanted: &str) -> Result<(), LogError> {
    if found == wanted {
        return Ok(());
    }
    Err(LogError::OtherOwner {
        path: directory.join(META_FILE_NAME),
        key,
        found: found.to_string(),
        wanted: wanted.to_string(),
    })
}

/// Whether the marker was there, and the broker epoch in it. Its removal is durable before this returns: a marker that
/// came back after a power loss would hide unsynced data from recovery.
fn take_clean_marker(context: &LogContext, directory: &Path) -> Result<(bool, Option<i64>), LogError> {
    let path = directory.join(CLEAN_FILE_NAME);
    let epoch = match read_file(&*context.storage, &path, properties::BYTES_MAX) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((false, None)),
        other => properties::parse_clean(&other.map_err(LogError::io(&path))?),
    };
    context.storage.remove_file(&path).map_err(LogError::io(&path))?;
    context.storage.sync_dir(directory).map_err(LogError::io(directory))?;
    Ok((true, epoch))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::context::ContextOptions;

    fn open(path: &Path, cluster: Option<&str>, node: i32) -> Result<LogDirectory, LogError> {
        let context = LogContext::new(ContextOptions::default()).unwrap();
        LogDirectory::open(path, cluster, NodeId(node), &context, Now::default())
    }

    #[test]
    fn a_missing_directory_is_initialised_and_keeps_its_identity() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/data");
        let first = open(&path, None, 1).unwrap();
        let meta = first.meta().clone();
        assert!(!first.was_clean());
        first.release().unwrap();
        assert!(!path.join(LOCK_FILE_NAME).exists());
        assert_eq!(open(&path, Some(&meta.cluster_id), 1).unwrap().meta(), &meta);
    }

    #[test]
    fn a_file_in_the_place_of_a_directory_is_told_to_be_none() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("data"), "no directory").unwrap();
        let error = open(&dir.path().join("data"), None, 1).unwrap_err();
        assert!(error.to_string().ends_with("data: not a directory"), "{error}");
    }

    #[test]
    fn a_directory_is_held_by_one_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let first = open(dir.path(), None, 1).unwrap();
        assert!(matches!(open(dir.path(), None, 1), Err(LogError::Locked { .. })));
        let _copy = first.lock.0.try_clone().unwrap();
        drop(first);
        open(dir.path(), None, 1).unwrap();
    }

    #[test]
    fn a_directory_of_another_cluster_or_node_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        drop(open(dir.path(), Some("ours"), 1).unwrap());
        let error = open(dir.path(), Some("theirs"), 1).unwrap_err();
        assert!(error.to_string().contains("cluster.id is ours, but theirs is configured"), "{error}");
        assert!(matches!(open(dir.path(), None, 2), Err(LogError::OtherOwner { key: "node.id", .. })));
        std::fs::write(dir.path().join(META_FILE_NAME), "nonsense").unwrap();
        assert!(matches!(open(dir.path(), None, 1), Err(LogError::Corrupt { .. })));
    }

    #[test]
    fn a_directory_is_kafkas_until_it_is_taken_over_and_when_a_kafka_ran_since() {
        let dir = tempfile::tempdir().unwrap();
        let open = || {
            let mut directory = open(dir.path(), None, 1).unwrap();
            directory.look_for_kafka(dir.path()).unwrap();
            directory
        };
        let ran = |state: &str| std::fs::write(dir.path().join(QUORUM_FILE_NAME), state).unwrap();
        let first = open();
        assert!(!first.was_left_by_kafka() && !first.knew_kafka());
        let meta = first.meta().clone();
        drop(first);
        for epoch in [1, 2] {
            ran(&format!("{{\"leaderId\":1,\"leaderEpoch\":{epoch},\"votedId\":-1}}"));
            for _ in 0..2 {
                assert!(open().was_left_by_kafka(), "also when a start did not come to its end");
            }
            let taken = open();
            taken.take_over().unwrap();
            drop(taken);
            let own = open();
            assert!(!own.was_left_by_kafka() && own.knew_kafka());
            assert_eq!(own.meta(), &MetaProperties { quorum_epoch: Some(epoch), ..meta.clone() });
        }
        ran("{\"leaderEpoch\":3}");
        open().mark_clean(0).unwrap();
        assert!(!open().was_left_by_kafka(), "one that stopped cleanly");
        assert!(!open().was_left_by_kafka());
        ran("torn");
        assert!(open().was_left_by_kafka());
        open().take_over().unwrap();
        assert!(open().was_left_by_kafka(), "nothing tells whether one ran since");
    }

    #[test]
    fn the_lock_is_free_when_its_holder_is_gone_though_a_child_has_a_copy_of_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let first = open(dir.path(), None, 1).unwrap();
        assert!(matches!(open(dir.path(), None, 1), Err(LogError::Locked { .. })));
        // As a child process has it between fork and exec.
        let copy = first.lock.0.try_clone().unwrap();
        drop(first);
        open(dir.path(), None, 1).unwrap();
        drop(copy);
    }

    #[test]
    fn the_clean_marker_counts_once() {
        let dir = tempfile::tempdir().unwrap();
        open(dir.path(), None, 1).unwrap().mark_clean(348).unwrap();
        let next = open(dir.path(), None, 1).unwrap();
        assert_eq!((next.was_clean(), next.previous_broker_epoch()), (true, Some(348)));
        drop(next);
        assert!(!open(dir.path(), None, 1).unwrap().was_clean());
    }

    #[test]
    fn checkpoints_read_back_and_an_unreadable_one_counts_as_empty() {
        let dir = tempfile::tempdir().unwrap();
        let directory = open(dir.path(), None, 1).unwrap();
        let entries = [(TopicPartition::new("a", 0), Offset(5)), (TopicPartition::new("b", 3), Offset(0))];
        assert!(directory.read_checkpoint(Checkpoint::RecoveryPoint).unwrap().is_empty());
        directory.write_checkpoint(Checkpoint::RecoveryPoint, &entries).unwrap();
        let read = directory.read_checkpoint(Checkpoint::RecoveryPoint).unwrap();
        assert_eq!(read, entries.into_iter().collect());
        std::fs::write(dir.path().join("recovery-point-offset-checkpoint"), "0\n9\n").unwrap();
        assert!(directory.read_checkpoint(Checkpoint::RecoveryPoint).unwrap().is_empty());
        assert!(directory.read_checkpoint(Checkpoint::LogStart).unwrap().is_empty());
    }

    #[test]
    fn partitions_are_listed_and_deleted_ones_are_on_their_way_out() {
        let dir = tempfile::tempdir().unwrap();
        for name in
            ["b-1", "a-10", "a-2", "a-1.0af-delete", "a-1.0af-stray", "x", "to-delete", "x.0af-delete"]
        {
            std::fs::create_dir(dir.path().join(name)).unwrap();
        }
        let directory = open(dir.path(), None, 1).unwrap();
        let names = |directory: &LogDirectory| -> Vec<String> {
            directory.partitions().unwrap().iter().map(ToString::to_string).collect()
        };
        assert_eq!(names(&directory), ["a-2", "a-10", "b-1"]);
        directory.delete_partition(&TopicPartition::new("a", 2), 1000, Now::default()).unwrap();
        directory.set_aside(&TopicPartition::new("b", 1)).unwrap();
        assert_eq!(names(&directory), ["a-10"]);
        assert_eq!(directory.context.run_deletions(Now::default()), 1);
        assert_eq!(directory.context.run_deletions(Now::default().after_ms(1000)), 1);
        let left = std::fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(
            left,
            1 + 2 + 2 + 3,
            "a-10, two set aside, lock and properties, three that are no partition's"
        );
    }
}
