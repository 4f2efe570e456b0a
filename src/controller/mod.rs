//! Topics, partitions, configurations and producer-id blocks: a pure machine over the metadata journal.
//! `submit` is the only way in which metadata changes; readers take the committed `Image`. A command is decided under a
//! mutex that is never held across an await; one thread writes, syncs, publishes and answers, in the journal's order.

pub mod changes;
pub mod command;
mod committer;
pub mod image;
mod journal;
pub mod machine;
pub mod names;
mod replay;
mod tree;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::{Mutex as AsyncMutex, oneshot};

use command::{
    AlterResource, Changes, Command, CreatedTopic, ElectedTopic, ElectionKind, FeatureUpdate, NewPartitions,
    NewTopic, Outcome, ProducerIdBlock, Reassignment, Reply, TopicIdPartition, TopicPartitions, TopicRef,
};
use committer::Shared;
use image::{BrokerImage, DirectoryId, Image, PartitionImage, TopicImage};
use journal::{Journal, JournalError};
use machine::{Machine, Settings};

use crate::log::ReadOnly;
use crate::log::storage::Storage;
use crate::types::{Clock, ErrorCode, LeaderEpoch, ProducerId, TopicId, TopicName};
use crate::wire::records::metadata::MetadataRecord;

pub use journal::JOURNAL_DIR;

/// Elections that go into one batch of the journal where each stands for itself: many for one sync, few for the memory
/// that they take on their way.
const ELECTIONS_PER_BATCH_MAX: usize = 1000;

/// Who applies committed metadata to the broker. Called for one command at a time, in the journal's order, on the
/// controller's own thread (not a runtime's worker), before the command's answer leaves. It must not wait for
/// the controller.
pub trait Publisher: Send + Sync + 'static {
    /// The image changed from `before` to `after`, which readers see already.
    fn publish(&self, before: &Arc<Image>, after: &Arc<Image>, changes: &Changes);
}

/// Who is told of what the disk refused to the journal in a directory. `Controller::is_broken` tells already whether
/// anything can change after it.
pub type NoteFailure = Box<dyn Fn(&Path, &io::Error) + Send + Sync>;

/// What a controller needs to open.
pub struct OpenController {
    /// The directory of the metadata (`metadata.log.dir`); the journal is `__cluster_metadata-0` below it.
    pub data_dir: PathBuf,
    /// That directory's id.
    pub directory: DirectoryId,
    /// Where files are.
    pub storage: Arc<dyn Storage>,
    /// Stamps the journal's batches.
    pub clock: Arc<dyn Clock>,
    /// The cluster's id, from `meta.properties`.
    pub cluster_id: Arc<str>,
    /// `broker.rack`.
    pub rack: Option<String>,
    /// What decisions depend on.
    pub settings: Settings,
    /// `metadata.log.max.record.bytes.between.snapshots`: the log is folded at the latest when it has this many bytes.
    pub fold_bytes_max: u64,
    /// Told of failures of the disk, on the controller's own thread.
    pub note_failure: NoteFailure,
}

/// Why a controller cannot open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The partitions that have no leader cannot be taken over.
    #[error("partitions without a leader could not be taken over: {0}")]
    TakeOver(String),
    /// What the last process wrote cannot be brought to stable storage.
    #[error("the metadata journal cannot be synced: {0}")]
    Sync(io::Error),
    /// The thread that writes the journal cannot be started.
    #[error("the controller's thread cannot be started: {0}")]
    Thread(io::Error),
}

/// The metadata below `data_dir` as a start would find it, without touching a byte there; `None` when there is no
/// journal yet. Another process may hold the directory.
pub fn stored_image(data_dir: &Path) -> Result<Option<Image>, OpenError> {
    let storage = Arc::new(ReadOnly);
    let journal = storage.list(&data_dir.join(JOURNAL_DIR)).unwrap_or_default();
    if !journal.iter().any(|entry| entry.len > 0) {
        return Ok(None);
    }
    let (_, image) = Journal::open(storage, data_dir, Image::empty(""), &Machine::bootstrap(), 0)?;
    Ok(Some(image))
}

/// The voters of the journal, which is this node alone (KIP-595).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quorum {
    /// The leader epoch of what is written.
    pub epoch: LeaderEpoch,
    /// This voter's directory: zero as long as voters are known by their node id alone (`kraft.version` 0, KIP-853).
    pub directory: DirectoryId,
}

/// The one place where metadata changes.
pub struct Controller {
    shared: Arc<Shared>,
    quorum: Quorum,
    clock: Arc<dyn Clock>,
    thread: std::sync::Mutex<Option<JoinHandle<()>>>,
    producer_ids: AsyncMutex<ProducerIdBlock>,
}

/// A journal that was read, before anything is decided.
pub struct LoadedController {
    machine: Machine,
    journal: Journal,
    directory: DirectoryId,
    clock: Arc<dyn Clock>,
    note_failure: NoteFailure,
}

impl LoadedController {
    /// Reads the journal. Blocks on files.
    pub fn load(options: OpenController) -> Result<Self, OpenError> {
        let OpenController {
            data_dir,
            directory,
            storage,
            clock,
            cluster_id,
            rack,
            settings,
            fold_bytes_max,
            note_failure,
        } = options;
        let now_ms = clock.now().wall_ms;
        let mut empty = Image::empty(cluster_id);
        empty.put_broker(BrokerImage { id: settings.node, rack, fenced: false });
        let (mut journal, image) = Journal::open(storage, &data_dir, empty, &Machine::bootstrap(), now_ms)?;
        journal.fold_at(fold_bytes_max);
        Ok(Self { machine: Machine::new(settings, Arc::new(image)), journal, directory, clock, note_failure })
    }

    /// The metadata as the journal has them.
    pub fn image(&self) -> &Image {
        self.machine.head()
    }

    /// Takes over what a Kafka broker left without a leader. `found` are the partitions that lie in another directory
    /// than the journal says. A new or cleanly used directory costs no fsync; after a stop that was not clean, clients see
    /// nothing of the metadata that a loss of power could still take.
    pub fn start(
        self,
        found: Vec<(TopicIdPartition, DirectoryId)>,
        was_clean: bool,
    ) -> Result<Controller, OpenError> {
        let Self { mut machine, mut journal, directory, clock, note_failure } = self;
        if !was_clean {
            journal.sync_found().map_err(OpenError::Sync)?;
        }
        let quorum = journal.quorum(directory);
        take_over(&mut machine, &mut journal, found, clock.now().wall_ms).map_err(OpenError::TakeOver)?;
        let shared = Arc::new(Shared::new(machine));
        let thread =
            committer::start(Arc::clone(&shared), journal, note_failure).map_err(OpenError::Thread)?;
        Ok(Controller {
            shared,
            quorum,
            clock,
            thread: std::sync::Mutex::new(Some(thread)),
            producer_ids: AsyncMutex::new(ProducerIdBlock { first: ProducerId(0), count: 0 }),
        })
    }
}

impl Controller {
    /// Reads the journal after a clean stop and takes over, where every partition lies where the journal says.
    pub fn open(options: OpenController) -> Result<Self, OpenError> {
        LoadedController::load(options)?.start(Vec::new(), true)
    }

    /// The committed metadata.
    pub fn image(&self) -> Arc<Image> {
        self.shared.committed()
    }

    /// Whether the journal failed in a way after which nothing can change until it is read anew.
    pub fn is_broken(&self) -> bool {
        self.shared.is_broken()
    }

    /// Who leads and votes.
    pub fn quorum(&self) -> Quorum {
        self.quorum
    }

    /// Sends every later change to `publisher`, and returns the metadata that it goes on from.
    pub fn set_publisher(&self, publisher: Arc<dyn Publisher>) -> Arc<Image> {
        self.shared.set_publisher(publisher)
    }

    /// Decides on a command; answers when its records, and all that it was decided on, are on stable storage and
    /// published. The effect does not depend on the future being polled to its end.
    /// Fails with `KAFKA_STORAGE_ERROR` when the journal cannot be written, for good after a failed fsync, and with
    /// `NOT_CONTROLLER` after `close`.
    pub async fn submit(&self, command: Command) -> Result<Reply, ErrorCode> {
        let (answer, answered) = oneshot::channel();
        self.shared.decide(command, self.clock.now().wall_ms, answer)?;
        answered.await.unwrap_or(Err(ErrorCode::KafkaStorageError))
    }

    /// `Command::CreateTopics`.
    pub async fn create_topics(
        &self,
        topics: Vec<NewTopic>,
        validate_only: bool,
    ) -> Result<Vec<Outcome<CreatedTopic>>, ErrorCode> {
        match self.submit(Command::CreateTopics { topics, validate_only }).await? {
            Reply::CreateTopics(outcomes) => Ok(outcomes),
            _ => Err(ErrorCode::UnknownServerError),
        }
    }

    /// `Command::EnsureTopics` for one topic: the topic as it is now, made when it was missing.
    pub async fn ensure_topic(&self, topic: NewTopic) -> Outcome<Arc<TopicImage>> {
        if let Some(existing) = self.image().topic(&topic.name) {
            return Ok(Arc::clone(existing));
        }
        match self.submit(Command::EnsureTopics(vec![topic])).await? {
            Reply::EnsureTopics(outcomes) => {
                outcomes.into_iter().next().unwrap_or(Err(ErrorCode::UnknownServerError.into()))
            }
            _ => Err(ErrorCode::UnknownServerError.into()),
        }
    }

    /// `Command::DeleteTopics`.
    pub async fn delete_topics(
        &self,
        topics: Vec<TopicRef>,
    ) -> Result<Vec<Outcome<(TopicName, TopicId)>>, ErrorCode> {
        match self.submit(Command::DeleteTopics(topics)).await? {
            Reply::DeleteTopics(outcomes) => Ok(outcomes),
            _ => Err(ErrorCode::UnknownServerError),
        }
    }

    /// `Command::CreatePartitions`.
    pub async fn create_partitions(
        &self,
        topics: Vec<NewPartitions>,
        validate_only: bool,
    ) -> Result<Vec<Outcome<()>>, ErrorCode> {
        match self.submit(Command::CreatePartitions { topics, validate_only }).await? {
            Reply::CreatePartitions(outcomes) => Ok(outcomes),
            _ => Err(ErrorCode::UnknownServerError),
        }
    }

    /// `Command::AlterConfigs`.
    pub async fn alter_configs(
        &self,
        resources: Vec<AlterResource>,
        validate_only: bool,
    ) -> Result<Vec<Outcome<()>>, ErrorCode> {
        match self.submit(Command::AlterConfigs { resources, validate_only }).await? {
            Reply::AlterConfigs(outcomes) => Ok(outcomes),
            _ => Err(ErrorCode::UnknownServerError),
        }
    }

    /// `Command::ElectLeaders`.
    pub async fn elect_leaders(
        &self,
        kind: ElectionKind,
        partitions: Option<Vec<TopicPartitions>>,
    ) -> Result<Vec<ElectedTopic>, ErrorCode> {
        match self.submit(Command::ElectLeaders { kind, partitions }).await? {
            Reply::ElectLeaders(topics) => Ok(topics),
            _ => Err(ErrorCode::UnknownServerError),
        }
    }

    /// `Command::AlterReassignments`.
    pub async fn alter_reassignments(
        &self,
        partitions: Vec<Reassignment>,
        allow_factor_change: bool,
    ) -> Result<Vec<Outcome<()>>, ErrorCode> {
        match self.submit(Command::AlterReassignments { partitions, allow_factor_change }).await? {
            Reply::AlterReassignments(outcomes) => Ok(outcomes),
            _ => Err(ErrorCode::UnknownServerError),
        }
    }

    /// `Command::UpdateFeatures`.
    pub async fn update_features(&self, updates: Vec<FeatureUpdate>, validate_only: bool) -> Outcome<()> {
        match self.submit(Command::UpdateFeatures { updates, validate_only }).await? {
            Reply::UpdateFeatures(outcome) => outcome,
            _ => Err(ErrorCode::UnknownServerError.into()),
        }
    }

    /// `Command::RaiseLeaderEpochs`: the new epochs, in the order of `partitions`.
    pub async fn raise_leader_epochs(
        &self,
        partitions: Vec<TopicIdPartition>,
    ) -> Result<Vec<Outcome<LeaderEpoch>>, ErrorCode> {
        let mut all = Vec::with_capacity(partitions.len());
        // After an unclean stop that may be every partition; a batch of all of them would be larger than a reader
        // of the journal has to accept.
        for some in partitions.chunks(ELECTIONS_PER_BATCH_MAX) {
            match self.submit(Command::RaiseLeaderEpochs(some.to_vec())).await? {
                Reply::RaiseLeaderEpochs(outcomes) => all.extend(outcomes),
                _ => return Err(ErrorCode::UnknownServerError),
            }
        }
        Ok(all)
    }

    /// `Command::FailDirectory` for all partitions in the directory that this node leads.
    pub async fn fail_directory(&self, directory: DirectoryId) -> Result<(), ErrorCode> {
        // This alone takes the directory out of use. What was placed in it before is committed when the answer is here.
        self.submit(Command::FailDirectory { directory, partitions: Vec::new() }).await?;
        for some in self.led_in(directory).chunks(ELECTIONS_PER_BATCH_MAX) {
            self.submit(Command::FailDirectory { directory, partitions: some.to_vec() }).await?;
        }
        Ok(())
    }

    /// The partitions in a directory that have a leader.
    fn led_in(&self, directory: DirectoryId) -> Vec<TopicIdPartition> {
        let image = self.image();
        let in_it = |partition: &PartitionImage| {
            partition.leader.is_some() && partition.directories.contains(&directory)
        };
        let mut partitions = Vec::new();
        for topic in image.topics() {
            let held = (0..).zip(&topic.partitions).filter(|(_, partition)| in_it(partition));
            partitions
                .extend(held.map(|(index, _)| TopicIdPartition { topic_id: topic.id, partition: index }));
        }
        partitions
    }

    /// A producer id that nobody had before, and nobody gets again: its block is durable before its first id leaves,
    /// and the rest of a block is lost with the process.
    pub async fn next_producer_id(&self) -> Outcome<ProducerId> {
        let mut block = self.producer_ids.lock().await;
        if block.count == 0 {
            *block = match self.submit(Command::AllocateProducerIds).await? {
                Reply::AllocateProducerIds(outcome) => outcome?,
                _ => return Err(ErrorCode::UnknownServerError.into()),
            };
        }
        let id = block.first;
        *block = ProducerIdBlock {
            first: ProducerId(id.0.saturating_add(1)),
            count: block.count.saturating_sub(1),
        };
        Ok(id)
    }

    /// Commits what was submitted, refuses everything later, and ends the thread. Blocks; may be called twice.
    pub fn close(&self) {
        self.shared.close();
        let thread = self.thread.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the controller's thread has panicked");
        }
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        self.close();
    }
}

/// Before anything else may change: clients would see partitions without leaders.
fn take_over(
    machine: &mut Machine,
    journal: &mut Journal,
    found: Vec<(TopicIdPartition, DirectoryId)>,
    now_ms: i64,
) -> Result<(), String> {
    let effects =
        machine.handle(Command::TakeOver(found), &mut TopicId::random).map_err(|error| error.to_string())?;
    if effects.records.is_empty() {
        return Ok(());
    }
    let encoded = journal::encode(&effects.records).map_err(|error| error.to_string())?;
    for some in encoded.chunks(ELECTIONS_PER_BATCH_MAX) {
        journal.append(some, now_ms).map_err(|error| error.to_string())?;
    }
    if !effects.records.iter().any(|record| matches!(record, MetadataRecord::PartitionChange(_))) {
        return Ok(());
    }
    // An epoch that clients have seen must not fall.
    journal.sync().map_err(|error| error.to_string())?;
    if let Reply::TakeOver(elected @ 1..) = effects.reply {
        tracing::info!("took over {elected} partitions that had no leader");
    }
    Ok(())
}
