//! A partition as clients see it. It opens its log when it is first used, is the only way into it, and tells those
//! who wait. On one node what is appended is committed at once; with `flush.messages=1` once it is synced.

use std::fmt::Display;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::{ArcSwap, ArcSwapOption};

use super::cleaning::Cleaning;
use super::commit::Commit;
use super::complaints::Complaints;
use super::directory::DataDirectory;
use super::settings::TopicSettings;
use super::validate;
use super::waiters::Waiters;
use crate::log::{
    AppendError, Checkpoint, Log, LogContext, LogError, LogReader, OpenSpec, Recovery, stored_bytes,
};
use crate::types::{Clock, ErrorCode, LeaderEpoch, Now, Offset, TopicId, TopicPartition};
use crate::wire::batch::Batch;

/// Kafka's own topics, which clients may not write to.
const INTERNAL_TOPICS: [&str; 3] = ["__consumer_offsets", "__transaction_state", "__share_group_state"];

/// Why a partition did not do what was asked, with the places that a Produce response has for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Kafka's code.
    pub error: ErrorCode,
    /// What was wrong, in words.
    pub message: Option<String>,
    /// The records that were wrong, by index in their batch (KIP-467).
    pub record_errors: Vec<(i32, Option<String>)>,
    /// Whether the answer names the partition's log start offset: with Kafka only what is found once the log is asked.
    pub names_log_start: bool,
}

impl From<ErrorCode> for Refusal {
    fn from(error: ErrorCode) -> Self {
        Self { error, message: None, record_errors: Vec::new(), names_log_start: false }
    }
}

impl From<validate::Refusal> for Refusal {
    fn from(refusal: validate::Refusal) -> Self {
        Self {
            error: refusal.error,
            message: refusal.message,
            record_errors: refusal.record_errors,
            names_log_start: refusal.names_log_start,
        }
    }
}

impl From<AppendError> for Refusal {
    fn from(error: AppendError) -> Self {
        // As with Kafka there is no message: the field is for records that are to blame.
        let error = error.code();
        Self { names_log_start: error != ErrorCode::KafkaStorageError, ..Self::from(error) }
    }
}

/// What an append was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The offset of the batch's first record; of the original, for a duplicate.
    pub base_offset: Offset,
    /// The offset of its last record.
    pub last_offset: Offset,
    /// The broker's time, or −1 when the records keep the producer's.
    pub log_append_time_ms: i64,
    /// The log start offset.
    pub log_start: Offset,
}

/// What the last run left of a partition that is not open yet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Files {
    /// From `log-start-offset-checkpoint`.
    pub log_start: Offset,
    /// From `recovery-point-offset-checkpoint`.
    pub recovery_point: Offset,
    /// From `replication-offset-checkpoint`.
    pub high_watermark: Offset,
    /// From `cleaner-offset-checkpoint`; `None` when it has no entry.
    pub cleaned: Option<Offset>,
    /// Whether the last stop was clean, so that nothing has to be scanned.
    pub clean: bool,
    /// Whether it may have gaps that a killed Kafka left, and what is read has to be made the recovery point.
    pub may_have_gaps: bool,
}

/// What [`Partition::recover`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovered {
    /// The log is open now.
    Opened(Recovery),
    /// It was open before.
    WasOpen,
    /// The directory was made for another topic, or may have been, and was left as it is.
    OtherTopic,
}

enum State {
    Unopened(Files),
    Open(Box<Log>),
    /// Its data directory is offline.
    Offline,
    /// Its topic was deleted.
    Deleted,
}

/// See the module.
pub struct Partition {
    /// Topic and index.
    pub topic_partition: TopicPartition,
    /// The topic's id.
    pub topic_id: TopicId,
    internal: bool,
    pub(super) home: Arc<DataDirectory>,
    state: Mutex<State>,
    reader: ArcSwapOption<LogReader>,
    settings: ArcSwap<TopicSettings>,
    leader_epoch: AtomicI32,
    closed: AtomicBool,
    /// When a log that is not open may have something to delete, on the wall clock; 0 when nobody looked.
    retention_due_ms: AtomicI64,
    pub(super) commit: Arc<Commit>,
    pub(super) cleaning: Cleaning,
    complaints: Complaints,
}

/// What all partitions of a broker share.
pub struct Shared {
    /// What all logs share.
    pub context: Arc<LogContext>,
    /// Where the moment comes from when a log opens.
    pub clock: Arc<dyn Clock>,
    /// `producer.id.expiration.ms`; it changes at run time.
    pub producer_id_expiration_ms: AtomicI64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Partition {
    /// A partition whose log is opened when it is first used.
    pub fn new(
        home: Arc<DataDirectory>,
        topic_partition: TopicPartition,
        topic_id: TopicId,
        files: Files,
        settings: Arc<TopicSettings>,
        leader_epoch: LeaderEpoch,
    ) -> Self {
        let is_offline = home.is_offline();
        Self {
            internal: is_internal(&topic_partition.topic),
            cleaning: Cleaning::new(files.cleaned),
            settings: ArcSwap::from(settings),
            topic_partition,
            topic_id,
            home,
            state: Mutex::new(if is_offline { State::Offline } else { State::Unopened(files) }),
            reader: ArcSwapOption::empty(),
            leader_epoch: AtomicI32::new(leader_epoch.0),
            closed: AtomicBool::new(is_offline),
            retention_due_ms: AtomicI64::new(0),
            commit: Arc::default(),
            complaints: Complaints::default(),
        }
    }

    /// Whether the topic is one of Kafka's own, which clients may not write to.
    pub fn is_internal(&self) -> bool {
        self.internal
    }

    /// Whether the partition was deleted or the broker stops.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Those who want to know of news.
    pub fn waiters(&self) -> &Waiters {
        &self.commit.waiters
    }

    /// The leader epoch that clients see.
    pub fn leader_epoch(&self) -> LeaderEpoch {
        LeaderEpoch(self.leader_epoch.load(Ordering::Acquire))
    }

    /// Takes a new leader epoch from the controller; it never falls.
    pub fn set_leader_epoch(&self, epoch: LeaderEpoch) {
        self.leader_epoch.fetch_max(epoch.0, Ordering::AcqRel);
    }

    /// Takes new settings; they hold from the next append on.
    pub fn set_settings(&self, settings: Arc<TopicSettings>) {
        // The log's under the lock under which one is opened with those that stand here.
        let mut state = lock(&self.state);
        if let State::Open(log) = &mut *state {
            log.set_config(settings.log.clone());
            log.schedule_flush(self.home.shared.clock.now());
        }
        self.settings.store(settings);
        drop(state);
        self.retention_due_ms.store(0, Ordering::Release);
    }

    /// The topic's settings.
    pub fn settings(&self) -> Arc<TopicSettings> {
        self.settings.load_full()
    }

    /// The data directory that it is in.
    pub fn home(&self) -> &Arc<DataDirectory> {
        &self.home
    }

    /// The partition's directory, which need not exist.
    fn dir(&self) -> PathBuf {
        self.home.partition_path(&self.topic_partition)
    }

    fn has_directory(&self) -> bool {
        self.home.shared.context.exists(&self.dir())
    }

    /// Compares the leader epoch that a client knows, −1 for none, with the partition's (KIP-320).
    ///
    /// # Errors
    /// `FENCED_LEADER_EPOCH` for an older one, `UNKNOWN_LEADER_EPOCH` for a newer one.
    pub fn check_leader_epoch(&self, known: LeaderEpoch) -> Result<(), ErrorCode> {
        let current = self.leader_epoch();
        if known == LeaderEpoch::UNKNOWN || known == current {
            Ok(())
        } else if known < current {
            Err(ErrorCode::FencedLeaderEpoch)
        } else {
            Err(ErrorCode::UnknownLeaderEpoch)
        }
    }

    /// Opens the log of a partition after an unclean stop, which scans it; does nothing when it is open.
    pub fn recover(&self) -> Result<Recovered, ErrorCode> {
        let mut state = lock(&self.state);
        match &*state {
            State::Unopened(files) => {
                let files = *files;
                match self.try_open(&mut state, files) {
                    Ok(recovery) => Ok(Recovered::Opened(recovery)),
                    Err(LogError::OtherTopic { .. } | LogError::NoTopicId { .. }) => {
                        Ok(Recovered::OtherTopic)
                    }
                    Err(error) => Err(self.cannot_open(&error)),
                }
            }
            State::Open(_) => Ok(Recovered::WasOpen),
            State::Offline => Err(self.home.offline_error()),
            State::Deleted => Err(ErrorCode::UnknownTopicOrPartition),
        }
    }

    fn open(&self, state: &mut State, files: Files) -> Result<Recovery, ErrorCode> {
        self.try_open(state, files).map_err(|error| self.cannot_open(&error))
    }

    fn cannot_open(&self, error: &LogError) -> ErrorCode {
        self.complain("cannot open the log", error);
        self.home.shared.context.note_log_failure(error);
        error.code()
    }

    fn try_open(&self, state: &mut State, files: Files) -> Result<Recovery, LogError> {
        if self.home.speaking_of(&self.topic_partition).next().is_some() {
            // After a crash the records would be taken for those that the checkpoint says are deleted.
            return Err(LogError::NameNotFree { path: self.dir() });
        }
        let spec = OpenSpec {
            dir: self.dir(),
            topic_partition: self.topic_partition.clone(),
            topic_id: self.topic_id,
            config: self.settings.load().log.clone(),
            log_start: files.log_start,
            recovery_point: files.recovery_point,
            cleaned: files.cleaned.unwrap_or(Offset::ZERO),
            clean: files.clean,
            may_have_gaps: files.may_have_gaps,
            end: None,
            producer_id_expiration_ms: self.home.shared.producer_id_expiration_ms.load(Ordering::Relaxed),
        };
        let (mut log, recovery) = Log::open(spec, &self.home.shared.context, self.home.shared.clock.now())?;
        if recovery.recovered && (log.config().sync_before_ack() || files.may_have_gaps) {
            // What is found counts as committed, so a retry of it is acknowledged without a sync of its own. And above
            // the recovery point a gap means lost records from here on.
            log.flush()?;
        }
        log.schedule_flush(self.home.shared.clock.now());
        let reader = log.reader();
        reader.set_sync_listener(self.commit.clone());
        // What one node finds in its log is committed: no other has more.
        self.commit.advance(log.end());
        self.cleaning.fit(&log);
        self.note_found(files, &log);
        self.reader.store(Some(reader));
        *state = State::Open(Box::new(log));
        Ok(recovery)
    }

    /// Has those checkpoints written that say something else of the log than what was found.
    fn note_found(&self, files: Files, log: &Log) {
        for (which, said, found) in [
            (Checkpoint::RecoveryPoint, files.recovery_point, log.recovery_point()),
            (Checkpoint::LogStart, files.log_start, log.start()),
            (Checkpoint::HighWatermark, files.high_watermark, self.commit.watermark()),
        ] {
            if said != found {
                self.home.shared.context.note_change(which);
            }
        }
        if files.cleaned != self.cleaning.cleaned() {
            self.home.shared.context.note_change(Checkpoint::Cleaner);
        }
    }

    /// Runs `work` on the log, which is opened if need be.
    pub(super) fn with_log<T>(&self, work: impl FnOnce(&mut Log) -> T) -> Result<T, ErrorCode> {
        let mut state = lock(&self.state);
        if self.is_closed() && !matches!(*state, State::Offline | State::Deleted) {
            // The broker stops: the client finds out where the partition is now.
            return Err(ErrorCode::NotLeaderOrFollower);
        }
        if let State::Unopened(files) = &*state {
            let files = *files;
            self.open(&mut state, files)?;
        }
        match &mut *state {
            State::Open(log) => Ok(work(log)),
            State::Offline => Err(self.home.offline_error()),
            State::Unopened(_) | State::Deleted => Err(ErrorCode::UnknownTopicOrPartition),
        }
    }

    /// The side of the log that readers share; it takes no lock once the log is open.
    pub fn reader(&self) -> Result<Arc<LogReader>, ErrorCode> {
        if let Some(reader) = self.reader.load_full().filter(|_| !self.is_closed()) {
            return Ok(reader);
        }
        self.with_log(|log| log.reader())
    }

    /// Appends a batch that was validated. It is in the page cache when this returns; see [`Self::committed`].
    pub fn append(&self, batch: &Batch, now: Now) -> Result<Appended, Refusal> {
        let epoch = self.leader_epoch();
        let (appended, log_start, is_committed) = self.with_log(|log| {
            let appended = log.append(batch, epoch, now);
            // The log's own settings: they change under the same lock as this.
            let is_committed = !log.config().sync_before_ack();
            if is_committed {
                self.commit.advance(log.end());
            }
            (appended, log.start(), is_committed)
        })?;
        let appended = appended.inspect_err(|error| {
            if let AppendError::Storage(error) = error {
                self.complain("an append failed", error);
                self.home.shared.context.note_log_failure(error);
            }
        })?;
        self.home.shared.context.note_change(Checkpoint::HighWatermark);
        if is_committed && !appended.duplicate {
            self.commit.waiters.wake(batch.bytes.len() as u64);
        }
        Ok(Appended {
            base_offset: appended.base_offset,
            last_offset: appended.last_offset,
            log_append_time_ms: appended.log_append_time_ms,
            log_start,
        })
    }

    /// Whether everything up to and with the appended records is committed.
    pub fn is_committed(&self, appended: &Appended) -> bool {
        self.commit.watermark() > appended.last_offset
    }

    /// Completes when the records are committed.
    ///
    /// # Errors
    /// `KAFKA_STORAGE_ERROR` when they never will be: an fsync failed.
    pub async fn committed(&self, appended: &Appended) -> Result<(), ErrorCode> {
        self.commit.reached(appended.last_offset.plus(1)).await
    }

    /// Completes when everything below `upto` is committed; fails as [`Self::committed`] does.
    pub async fn committed_upto(&self, upto: Offset) -> Result<(), ErrorCode> {
        self.commit.reached(upto).await
    }

    /// Moves the log start to `offset`, or to the high watermark; returns where it is then. An offset below the log
    /// start changes nothing.
    ///
    /// # Errors
    /// `OFFSET_OUT_OF_RANGE` for one above the high watermark; `POLICY_VIOLATION` for a topic that is only compacted.
    pub fn delete_records(&self, offset: Option<Offset>) -> Result<Offset, ErrorCode> {
        if !self.settings.load().config.cleanup_policy.delete {
            return Err(ErrorCode::PolicyViolation);
        }
        self.reader()?;
        let high_watermark = self.commit.watermark();
        let offset = offset.unwrap_or(high_watermark);
        if offset < Offset::ZERO || offset > high_watermark {
            return Err(ErrorCode::OffsetOutOfRange);
        }
        let moved = self.with_log(|log| log.advance_start(offset).map(|()| log.start()))?;
        self.commit.waiters.wake(0);
        moved.map_err(|error| self.report_log(&error))
    }

    pub(super) fn report_log(&self, error: &LogError) -> ErrorCode {
        self.complain("the log failed", error);
        self.home.shared.context.note_log_failure(error);
        error.code()
    }

    /// Logs what is wrong; the same again only after a while, because the next request meets it, too.
    pub(super) fn complain(&self, what: &str, error: &dyn Display) {
        if self.complaints.is_news(format!("{what}: {error}"), self.home.shared.clock.now()) {
            tracing::error!(partition = %self.topic_partition, %error, "{what}");
        }
    }

    /// Raises the log start above what is beyond the topic's retention; returns whether there are segments below it, which
    /// `drop_below_start` removes. A log that was not opened is opened for it when its directory exists.
    pub fn expire(&self, now: Now) -> Result<bool, ErrorCode> {
        let mut state = lock(&self.state);
        if let State::Unopened(files) = &*state {
            let files = *files;
            return self.expire_unopened(&mut state, files, now);
        }
        let log = match &mut *state {
            State::Open(log) => log,
            State::Offline => return Ok(false),
            State::Unopened(_) | State::Deleted => return Err(ErrorCode::UnknownTopicOrPartition),
        };
        let expired = self.expire_of(log, now);
        drop(state);
        self.tell_expired(expired)
    }

    /// Removes the segments below the log start, for good; returns how many. The log start has to be in its checkpoint.
    pub fn drop_below_start(&self, now: Now) -> Result<usize, ErrorCode> {
        let dropped = match &mut *lock(&self.state) {
            State::Open(log) => log.drop_below_start(now),
            State::Unopened(_) | State::Offline | State::Deleted => 0,
        };
        if dropped > 0 {
            let dir = self.dir();
            let synced = self.home.shared.context.storage.sync_dir(&dir);
            synced.map_err(|error| self.report_log(&LogError::io(&dir)(error)))?;
        }
        Ok(dropped)
    }

    /// Looks at a log that nobody uses no earlier than it may have something to delete, and leaves it as it was.
    fn expire_unopened(
        &self,
        state: &mut MutexGuard<'_, State>,
        files: Files,
        now: Now,
    ) -> Result<bool, ErrorCode> {
        if self.is_closed() || now.wall_ms < self.retention_due_ms.load(Ordering::Acquire) {
            return Ok(false);
        }
        if !self.has_directory() {
            // One that is made opens the log.
            self.retention_due_ms.store(i64::MAX, Ordering::Release);
            return Ok(false);
        }
        let opened = self.open(state, files)?;
        let State::Open(log) = &mut **state else { return Ok(false) };
        let expired = self.expire_of(log, now);
        if files.clean && opened == Recovery::default() && matches!(expired, Ok(false)) {
            self.retention_due_ms.store(log.retention_due_ms(), Ordering::Release);
            log.reader().forget_files();
            self.reader.store(None);
            **state = State::Unopened(files);
        }
        self.tell_expired(expired)
    }

    fn expire_of(&self, log: &mut Log, now: Now) -> Result<bool, LogError> {
        log.set_producer_id_expiration(self.home.shared.producer_id_expiration_ms.load(Ordering::Relaxed));
        log.expire(self.commit.watermark(), now)
    }

    fn tell_expired(&self, expired: Result<bool, LogError>) -> Result<bool, ErrorCode> {
        let expired = expired.map_err(|error| self.report_log(&error))?;
        if expired {
            self.commit.waiters.wake(0);
        }
        Ok(expired)
    }

    /// Bytes of all segments. A log that is not open stays so.
    ///
    /// # Errors
    /// `UNKNOWN_TOPIC_OR_PARTITION` for a deleted partition, `KAFKA_STORAGE_ERROR` when the directory cannot be read,
    /// `DataDirectory::offline_error`.
    pub fn size_bytes(&self) -> Result<u64, ErrorCode> {
        match &*lock(&self.state) {
            State::Open(log) => Ok(log.reader().size_bytes()),
            State::Unopened(_) => {
                stored_bytes(&self.home.shared.context, &self.dir()).map_err(|error| self.report_log(&error))
            }
            State::Offline => Err(self.home.offline_error()),
            State::Deleted => Err(ErrorCode::UnknownTopicOrPartition),
        }
    }

    pub(super) fn may_have_records(&self) -> bool {
        match &*lock(&self.state) {
            State::Unopened(_) => self.has_directory(),
            State::Open(_) => true,
            State::Offline | State::Deleted => false,
        }
    }

    /// What a checkpoint says of this partition; `None` when it has nothing to say.
    pub fn checkpoint(&self, which: Checkpoint) -> Option<Offset> {
        let offset = match (&*lock(&self.state), which) {
            (State::Unopened(files), Checkpoint::RecoveryPoint) => files.recovery_point,
            (State::Unopened(files), Checkpoint::LogStart) => files.log_start,
            (State::Unopened(files), Checkpoint::HighWatermark) => files.high_watermark,
            (State::Open(log), Checkpoint::RecoveryPoint) => log.recovery_point(),
            (State::Open(log), Checkpoint::LogStart) => log.start(),
            (State::Open(_), Checkpoint::HighWatermark) => self.commit.watermark(),
            (State::Offline | State::Deleted, _) => return None,
            (_, Checkpoint::Cleaner) => return self.cleaning.cleaned(),
        };
        // Kafka takes what a file does not speak of for 0.
        (offset > Offset::ZERO).then_some(offset)
    }

    /// Brings the log to stable storage and closes it in a way that the next start need not scan. What the checkpoints
    /// say of it stays known. Tells whether the next start can do so: a log that an fsync failed for, or that was not
    /// recovered after an unclean stop, has to be scanned.
    pub fn close(&self) -> Result<bool, LogError> {
        let mut state = lock(&self.state);
        self.closed.store(true, Ordering::Release);
        let closed = match &mut *state {
            State::Open(log) => {
                let closed = log.close_in_place();
                if closed.is_ok() {
                    self.commit.advance(log.end());
                }
                closed.map(|()| !log.reader().is_poisoned())
            }
            State::Unopened(files) => Ok(files.clean || !self.has_directory()),
            State::Offline | State::Deleted => Ok(true),
        };
        self.commit.end();
        closed
    }

    /// Gives the log up because its data directory went offline: nothing is written any more. Who waits is told.
    pub(super) fn go_offline(&self) {
        let mut state = lock(&self.state);
        if matches!(*state, State::Deleted) {
            return;
        }
        self.closed.store(true, Ordering::Release);
        self.reader.store(None);
        if let State::Open(log) = std::mem::replace(&mut *state, State::Offline) {
            log.abandon();
        }
        drop(state);
        self.commit.fail();
    }

    /// Renames the directory of a partition whose topic was deleted, and queues its removal. Who waits is told.
    pub fn delete(&self, now: Now) -> Result<(), LogError> {
        let state = {
            let mut state = lock(&self.state);
            self.closed.store(true, Ordering::Release);
            std::mem::replace(&mut *state, State::Deleted)
        };
        let deleted = match state {
            State::Open(log) => log.delete(now),
            State::Unopened(_) => {
                let delay_ms = self.settings.load().config.file_delete_delay_ms;
                match self.home.files() {
                    Some(files) => files.delete_partition(&self.topic_partition, delay_ms, now),
                    None => Ok(()),
                }
            }
            // What lies in a directory that is offline belongs to no topic when it comes back, and is set aside then.
            State::Offline | State::Deleted => Ok(()),
        };
        self.commit.end();
        deleted
    }
}

fn is_internal(topic: &str) -> bool {
    INTERNAL_TOPICS.contains(&topic)
}
