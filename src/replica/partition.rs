//! A partition as clients see it. It opens its log when it is first used, is the only way into it, and tells those
//! who wait. On one node what is appended is committed at once; with `flush.messages=1` once it is synced.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::{ArcSwap, ArcSwapOption};
use bytes::Bytes;

use super::commit::Commit;
use super::validate::{self, ProduceRules};
use super::waiters::Waiters;
use crate::config::{self, CompressionType, TopicConfig};
use crate::log::config::{CleanupPolicy, LogConfig, TimestampType};
use crate::log::{
    AppendError, Checkpoint, Log, LogContext, LogDirectory, LogError, LogReader, OpenSpec, ReadError,
    ReadResult, Recovery, TimedOffset,
};
use crate::types::{Clock, ErrorCode, LeaderEpoch, Now, Offset, TopicId, TopicPartition};
use crate::wire::batch::Batch;
use crate::wire::compress::Codec;

/// Kafka's own topics, which clients may not write to.
const INTERNAL_TOPICS: [&str; 3] = ["__consumer_offsets", "__transaction_state", "__share_group_state"];

/// Which records a reader may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// All below the high watermark (`read_uncommitted`).
    Uncommitted,
    /// All below the last stable offset (`read_committed`, KIP-98).
    Committed,
}

/// How much a read may return, and how it may read.
#[derive(Clone, Copy, Debug)]
pub struct ReadLimits {
    /// Bytes, unless the first batch is larger and `at_least_one_batch` is set.
    pub bytes_max: usize,
    /// Return the first batch however large it is (KIP-74).
    pub at_least_one_batch: bool,
    /// Which records the reader may see.
    pub isolation: Isolation,
    /// Whether the calling thread may wait for the disk.
    pub may_block: bool,
}

/// What a read found.
#[derive(Debug)]
pub struct Read {
    /// Whole batches; may begin below the asked offset.
    pub records: Bytes,
    /// The high watermark.
    pub high_watermark: Offset,
    /// The last stable offset.
    pub last_stable: Offset,
    /// The log start offset.
    pub log_start: Offset,
    /// The end of what the reader may see.
    pub upper: Offset,
    /// Whether there is more below `upper` than the limits allowed.
    pub is_cut: bool,
    /// Aborted transactions among the records, as producer id and first offset; `None` for `Uncommitted`.
    pub aborted: Option<Vec<(i64, i64)>>,
}

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

/// The files of a partition that is not open yet.
#[derive(Clone, Debug)]
pub struct Files {
    /// The partition's directory, which need not exist.
    pub dir: PathBuf,
    /// From `log-start-offset-checkpoint`.
    pub log_start: Offset,
    /// From `recovery-point-offset-checkpoint`.
    pub recovery_point: Offset,
    /// From `replication-offset-checkpoint`.
    pub high_watermark: Offset,
    /// Whether the last stop was clean, so that nothing has to be scanned.
    pub clean: bool,
}

enum State {
    Unopened(Files),
    Open(Box<Log>),
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
    shared: Arc<Shared>,
    state: Mutex<State>,
    reader: ArcSwapOption<LogReader>,
    config: ArcSwap<TopicConfig>,
    rules: ArcSwap<ProduceRules>,
    leader_epoch: AtomicI32,
    closed: AtomicBool,
    commit: Arc<Commit>,
}

/// What all partitions of a broker share.
pub struct Shared {
    /// What all logs share.
    pub context: Arc<LogContext>,
    /// Where the moment comes from when a log opens.
    pub clock: Arc<dyn Clock>,
    /// `producer.id.expiration.ms`.
    pub producer_id_expiration_ms: i64,
    /// `milena.produce.trust.compressed`.
    pub trust_compressed: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Partition {
    /// A partition whose log is opened when it is first used.
    pub fn new(
        shared: Arc<Shared>,
        topic_partition: TopicPartition,
        topic_id: TopicId,
        files: Files,
        config: Arc<TopicConfig>,
        leader_epoch: LeaderEpoch,
    ) -> Self {
        Self {
            internal: is_internal(&topic_partition.topic),
            rules: ArcSwap::from_pointee(produce_rules(&config, shared.trust_compressed)),
            config: ArcSwap::from(config),
            topic_partition,
            topic_id,
            shared,
            state: Mutex::new(State::Unopened(files)),
            reader: ArcSwapOption::empty(),
            leader_epoch: AtomicI32::new(leader_epoch.0),
            closed: AtomicBool::new(false),
            commit: Arc::default(),
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

    /// Takes a new configuration; it holds from the next append on.
    pub fn set_config(&self, config: Arc<TopicConfig>) {
        self.rules.store(Arc::new(produce_rules(&config, self.shared.trust_compressed)));
        if let State::Open(log) = &mut *lock(&self.state) {
            log.set_config(Arc::new(log_config(&config)));
        }
        self.config.store(config);
    }

    /// The topic's effective configuration.
    pub fn config(&self) -> Arc<TopicConfig> {
        self.config.load_full()
    }

    /// What is checked of a batch before it is appended.
    pub fn produce_rules(&self) -> Arc<ProduceRules> {
        self.rules.load_full()
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
    /// `None` when it was open already.
    pub fn recover(&self) -> Result<Option<Recovery>, ErrorCode> {
        let mut state = lock(&self.state);
        match &*state {
            State::Unopened(files) => {
                let files = files.clone();
                self.open(&mut state, files).map(Some)
            }
            State::Open(_) => Ok(None),
            State::Deleted => Err(ErrorCode::UnknownTopicOrPartition),
        }
    }

    fn open(&self, state: &mut State, files: Files) -> Result<Recovery, ErrorCode> {
        let spec = OpenSpec {
            dir: files.dir,
            topic_partition: self.topic_partition.clone(),
            topic_id: self.topic_id,
            config: Arc::new(log_config(&self.config.load())),
            log_start: files.log_start,
            recovery_point: files.recovery_point,
            clean: files.clean,
            end: None,
            producer_id_expiration_ms: self.shared.producer_id_expiration_ms,
        };
        let opened = Log::open(spec, &self.shared.context, self.shared.clock.now());
        let failed = |error: LogError| {
            tracing::error!(partition = %self.topic_partition, %error, "cannot open the log");
            error.code()
        };
        let (mut log, recovery) = opened.map_err(failed)?;
        if recovery.recovered && log.config().sync_before_ack() {
            // What is found counts as committed, so a retry of it is acknowledged without a sync of its own.
            log.flush().map_err(failed)?;
        }
        let reader = log.reader();
        reader.set_sync_listener(self.commit.clone());
        // What one node finds in its log is committed: no other has more.
        self.commit.advance(log.end());
        self.reader.store(Some(reader));
        *state = State::Open(Box::new(log));
        Ok(recovery)
    }

    /// Runs `work` on the log, which is opened if need be.
    fn with_log<T>(&self, work: impl FnOnce(&mut Log) -> T) -> Result<T, ErrorCode> {
        let mut state = lock(&self.state);
        if self.is_closed() && !matches!(*state, State::Deleted) {
            // The broker stops: the client finds out where the partition is now.
            return Err(ErrorCode::NotLeaderOrFollower);
        }
        if let State::Unopened(files) = &*state {
            let files = files.clone();
            self.open(&mut state, files)?;
        }
        match &mut *state {
            State::Open(log) => Ok(work(log)),
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
        let appended = appended?;
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

    /// Up to where records are committed.
    pub fn high_watermark(&self) -> Result<Offset, ErrorCode> {
        self.reader()?;
        Ok(self.commit.watermark())
    }

    /// The log start offset.
    pub fn log_start(&self) -> Result<Offset, ErrorCode> {
        Ok(self.reader()?.start())
    }

    /// The log end offset, committed or not.
    pub fn log_end(&self) -> Result<Offset, ErrorCode> {
        Ok(self.reader()?.end())
    }

    /// The end of what a reader may see.
    pub fn upper(&self, isolation: Isolation) -> Result<Offset, ErrorCode> {
        let reader = self.reader()?;
        let high_watermark = self.commit.watermark();
        Ok(match isolation {
            Isolation::Uncommitted => high_watermark,
            Isolation::Committed => reader.last_stable(high_watermark),
        })
    }

    /// Reads whole batches from the one on that holds `from`.
    pub fn read(&self, from: Offset, limits: ReadLimits) -> Result<Read, ReadFailure> {
        let read = self.read_open(from, limits);
        if self.is_closed() {
            // Its files went away under the read, or were a new topic's under the same paths.
            self.with_log(|_| ())?;
        }
        read
    }

    fn read_open(&self, from: Offset, limits: ReadLimits) -> Result<Read, ReadFailure> {
        let reader = self.reader()?;
        let high_watermark = self.commit.watermark();
        let last_stable = reader.last_stable(high_watermark);
        let upper = match limits.isolation {
            Isolation::Uncommitted => high_watermark,
            Isolation::Committed => last_stable,
        };
        let (bytes_max, one) = (limits.bytes_max, limits.at_least_one_batch);
        let result = if limits.may_block {
            reader.read(from, upper, bytes_max, one)?
        } else {
            reader.try_read(from, upper, bytes_max, one)?
        };
        let aborted = match limits.isolation {
            Isolation::Uncommitted => None,
            Isolation::Committed => Some(aborted(&reader, from, upper, &result)?),
        };
        Ok(Read {
            is_cut: result.next < upper,
            records: result.records,
            high_watermark,
            last_stable,
            log_start: reader.start(),
            upper,
            aborted,
        })
    }

    /// The first record at or after a time, with its timestamp and epoch, among those that a reader may see.
    pub fn offset_for_timestamp(
        &self,
        timestamp_ms: i64,
        isolation: Isolation,
    ) -> Result<Option<TimedOffset>, ErrorCode> {
        let upper = self.upper(isolation)?;
        self.reader()?.offset_for_timestamp(timestamp_ms, upper).map_err(|error| self.report(&error))
    }

    /// The record with the largest timestamp among those that a reader may see (KIP-734).
    pub fn max_timestamp(&self, isolation: Isolation) -> Result<Option<TimedOffset>, ErrorCode> {
        let upper = self.upper(isolation)?;
        self.reader()?.max_timestamp(upper).map_err(|error| self.report(&error))
    }

    fn report(&self, error: &ReadError) -> ErrorCode {
        tracing::error!(partition = %self.topic_partition, %error, "cannot read");
        error.code()
    }

    /// The epoch of the record at an offset; unknown where the log holds none.
    pub fn epoch_at(&self, offset: Offset) -> Result<LeaderEpoch, ErrorCode> {
        let reader = self.reader()?;
        if reader.latest_epoch().is_none() {
            // A log that nothing was written to: what comes first will have the current epoch.
            return Ok(self.leader_epoch());
        }
        Ok(reader.epoch_at(offset).unwrap_or(LeaderEpoch::UNKNOWN))
    }

    /// The largest epoch up to `epoch` and where it ends (KIP-101, KIP-279): the log end for the current epoch, and
    /// unknown for a future one.
    pub fn end_offset_for_epoch(&self, epoch: LeaderEpoch) -> Result<(LeaderEpoch, Offset), ErrorCode> {
        let reader = self.reader()?;
        if epoch == self.leader_epoch() {
            return Ok((epoch, reader.end()));
        }
        if epoch > self.leader_epoch() {
            return Ok((LeaderEpoch::UNKNOWN, Offset::UNKNOWN));
        }
        Ok(reader.end_offset_for_epoch(epoch))
    }

    /// Where the asker's log and this one part, for an asker that says the epoch of its last record (KIP-595).
    pub fn divergence(
        &self,
        last_fetched: LeaderEpoch,
        from: Offset,
    ) -> Result<Option<(LeaderEpoch, Offset)>, ErrorCode> {
        if last_fetched == LeaderEpoch::UNKNOWN {
            return Ok(None);
        }
        let (epoch, end) = self.end_offset_for_epoch(last_fetched)?;
        if epoch == LeaderEpoch::UNKNOWN || end == Offset::UNKNOWN {
            return Err(ErrorCode::OffsetOutOfRange);
        }
        Ok((epoch < last_fetched || end < from).then_some((epoch, end)))
    }

    /// Moves the log start to `offset`, or to the high watermark; returns where it is then. An offset below the log
    /// start changes nothing.
    ///
    /// # Errors
    /// `OFFSET_OUT_OF_RANGE` for one above the high watermark; `POLICY_VIOLATION` for a topic that is only compacted.
    pub fn delete_records(&self, offset: Option<Offset>, now: Now) -> Result<Offset, ErrorCode> {
        if !self.config.load().cleanup_policy.delete {
            return Err(ErrorCode::PolicyViolation);
        }
        self.reader()?;
        let high_watermark = self.commit.watermark();
        let offset = offset.unwrap_or(high_watermark);
        if offset < Offset::ZERO || offset > high_watermark {
            return Err(ErrorCode::OffsetOutOfRange);
        }
        let moved = self.with_log(|log| log.advance_start(offset, now).map(|()| log.start()))?;
        self.commit.waiters.wake(0);
        moved.map_err(|error| self.report_log(&error))
    }

    fn report_log(&self, error: &LogError) -> ErrorCode {
        tracing::error!(partition = %self.topic_partition, %error, "the log failed");
        error.code()
    }

    /// Deletes segments beyond the topic's retention; returns how many. A log that was not opened is opened for it
    /// when its directory exists.
    pub fn enforce_retention(&self, now: Now) -> Result<usize, ErrorCode> {
        if !self.may_have_records() {
            return Ok(0);
        }
        let high_watermark = self.high_watermark()?;
        let deleted = self.with_log(|log| log.enforce_retention(high_watermark, now))?;
        let deleted = deleted.map_err(|error| self.report_log(&error))?;
        if deleted > 0 {
            self.commit.waiters.wake(0);
        }
        Ok(deleted)
    }

    fn may_have_records(&self) -> bool {
        match &*lock(&self.state) {
            State::Unopened(files) => files.dir.exists(),
            State::Open(_) => true,
            State::Deleted => false,
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
            (_, Checkpoint::Cleaner) | (State::Deleted, _) => return None,
        };
        (offset > Offset::ZERO || which != Checkpoint::LogStart).then_some(offset)
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
            State::Unopened(files) => Ok(files.clean || !files.dir.exists()),
            State::Deleted => Ok(true),
        };
        self.commit.end();
        closed
    }

    /// Renames the directory of a partition whose topic was deleted, and queues its removal. Who waits is told.
    pub fn delete(&self, directory: &LogDirectory, now: Now) -> Result<(), LogError> {
        let state = {
            let mut state = lock(&self.state);
            self.closed.store(true, Ordering::Release);
            std::mem::replace(&mut *state, State::Deleted)
        };
        let deleted = match state {
            State::Open(log) => log.delete(now),
            State::Unopened(_) => {
                let delay_ms = self.config.load().file_delete_delay_ms;
                directory.delete_partition(&self.topic_partition, delay_ms, now)
            }
            State::Deleted => Ok(()),
        };
        self.commit.end();
        deleted
    }
}

/// Why a read failed.
#[derive(Debug)]
pub enum ReadFailure {
    /// The bytes are not in memory: repeat the read where it may block.
    WouldBlock,
    /// Kafka's code for it.
    Code(ErrorCode),
}

impl From<ErrorCode> for ReadFailure {
    fn from(code: ErrorCode) -> Self {
        Self::Code(code)
    }
}

impl From<ReadError> for ReadFailure {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::WouldBlock => Self::WouldBlock,
            ReadError::OffsetOutOfRange { .. } => Self::Code(error.code()),
            other => {
                tracing::error!(error = %other, "cannot read");
                Self::Code(other.code())
            }
        }
    }
}

/// The aborted transactions that concern what was read.
fn aborted(
    reader: &LogReader,
    from: Offset,
    upper: Offset,
    result: &ReadResult,
) -> Result<Vec<(i64, i64)>, ReadError> {
    if result.records.is_empty() {
        return Ok(Vec::new());
    }
    let found = reader.aborted_transactions(from, result.next.min(upper))?;
    Ok(found.into_iter().map(|aborted| (aborted.producer_id, aborted.first_offset)).collect())
}

fn is_internal(topic: &str) -> bool {
    INTERNAL_TOPICS.contains(&topic)
}

/// The part of a topic's configuration that its log obeys.
fn log_config(config: &TopicConfig) -> LogConfig {
    LogConfig {
        segment_bytes: config.segment_bytes,
        segment_ms: config.segment_ms,
        segment_jitter_ms: config.segment_jitter_ms,
        segment_index_bytes: config.segment_index_bytes,
        index_interval_bytes: config.index_interval_bytes,
        retention_ms: config.retention_ms,
        retention_bytes: config.retention_bytes,
        file_delete_delay_ms: config.file_delete_delay_ms,
        flush_messages: config.flush_messages,
        flush_ms: config.flush_ms,
        max_message_bytes: config.max_message_bytes,
        preallocate: config.preallocate,
        cleanup_policy: CleanupPolicy {
            delete: config.cleanup_policy.delete,
            compact: config.cleanup_policy.compact,
        },
        message_timestamp_type: match config.message_timestamp_type {
            config::TimestampType::CreateTime => TimestampType::CreateTime,
            config::TimestampType::LogAppendTime => TimestampType::LogAppendTime,
        },
    }
}

/// The part of a topic's configuration that batches are checked against.
fn produce_rules(config: &TopicConfig, trust_compressed: bool) -> ProduceRules {
    let (compression, level) = match config.compression_type {
        CompressionType::Producer => (None, None),
        CompressionType::Uncompressed => (Some(Codec::None), None),
        CompressionType::Gzip { level } => (Some(Codec::Gzip), Some(level)),
        CompressionType::Snappy => (Some(Codec::Snappy), None),
        CompressionType::Lz4 { level } => (Some(Codec::Lz4), Some(level)),
        CompressionType::Zstd { level } => (Some(Codec::Zstd), Some(level)),
    };
    ProduceRules {
        max_message_bytes: config.max_message_bytes,
        compacted: config.cleanup_policy.compact,
        log_append_time: config.message_timestamp_type == config::TimestampType::LogAppendTime,
        timestamp_before_max_ms: config.message_timestamp_before_max_ms,
        timestamp_after_max_ms: config.message_timestamp_after_max_ms,
        compression,
        compression_level: level,
        trust_compressed,
    }
}
