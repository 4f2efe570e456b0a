//! What a partition tells its readers: records, offsets, epochs. Takes no lock once the log is open.

use bytes::Bytes;

use super::partition::Partition;
use crate::log::producers::ProducerEntry;
use crate::log::{LogReader, ReadError, ReadResult, TimedOffset};
use crate::types::{ErrorCode, LeaderEpoch, Offset, ProducerId};
use crate::wire::slices::Slices;

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
    /// Whole batches; may begin below the asked offset. Many are read when they are sent.
    pub records: Slices,
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

/// A producer that a log knows (KIP-664).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActiveProducer {
    /// Its id.
    pub id: ProducerId,
    /// Its newest epoch.
    pub epoch: i16,
    /// The sequence of its last record; −1 when none is remembered.
    pub last_sequence: i32,
    /// The timestamp of its last batch or marker.
    pub last_timestamp_ms: i64,
    /// The epoch of the transaction coordinator that wrote the last marker; −1 when none did.
    pub coordinator_epoch: i32,
    /// The first offset of its open transaction.
    pub txn_start: Option<Offset>,
}

impl Partition {
    /// The producers that the log knows, by id, `count_max` of them at most. Takes the log's lock.
    pub fn producers(&self, count_max: usize) -> Result<Vec<ActiveProducer>, ErrorCode> {
        let active = |(&id, entry): (&i64, &ProducerEntry)| ActiveProducer {
            id: ProducerId(id),
            epoch: entry.epoch,
            last_sequence: entry.last_batch().map_or(-1, |batch| batch.last_sequence),
            last_timestamp_ms: entry.last_timestamp,
            coordinator_epoch: entry.coordinator_epoch,
            txn_start: entry.txn_first_offset.map(Offset),
        };
        self.with_log(|log| log.producers().producers().iter().take(count_max).map(active).collect())
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
        let result = reader
            .fetch(from, upper, bytes_max, one, limits.may_block)
            .map_err(|error| self.read_failure(&error))?;
        let aborted = match limits.isolation {
            Isolation::Uncommitted => None,
            Isolation::Committed => {
                let found = aborted(&reader, from, upper, &result);
                Some(found.map_err(|error| self.read_failure(&error))?)
            }
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

    /// Reads whole batches up to the log end, committed or not: for a coordinator that takes up what it wrote. At
    /// least one batch, about `bytes_max`; waits for the disk.
    pub fn read_applied(&self, from: Offset, bytes_max: usize) -> Result<Bytes, ErrorCode> {
        let reader = self.reader()?;
        let read = reader.read(from, reader.end(), bytes_max, true);
        let records = read.map_err(|error| self.report(&error))?.records;
        records.into_bytes().map_err(|_| ErrorCode::KafkaStorageError)
    }

    /// The first record at or after a time, with its timestamp and epoch, among those that a reader may see.
    pub fn offset_for_timestamp(
        &self,
        timestamp_ms: i64,
        isolation: Isolation,
    ) -> Result<Option<TimedOffset>, ErrorCode> {
        let found = self.reader()?.offset_for_timestamp(timestamp_ms).map_err(|error| self.report(&error))?;
        self.seen(found, isolation)
    }

    /// The record with the largest timestamp among those that a reader may see (KIP-734).
    pub fn max_timestamp(&self, isolation: Isolation) -> Result<Option<TimedOffset>, ErrorCode> {
        let found = self.reader()?.max_timestamp().map_err(|error| self.report(&error))?;
        self.seen(found, isolation)
    }

    /// What was found, if a reader may see it by now.
    fn seen(
        &self,
        found: Option<TimedOffset>,
        isolation: Isolation,
    ) -> Result<Option<TimedOffset>, ErrorCode> {
        let upper = self.upper(isolation)?;
        Ok(found.filter(|found| found.offset < upper))
    }

    fn report(&self, error: &ReadError) -> ErrorCode {
        self.complain("cannot read", error);
        if let ReadError::Io { path, error } = error {
            self.home.shared.context.note_failure(path, error);
        }
        error.code()
    }

    fn read_failure(&self, error: &ReadError) -> ReadFailure {
        match error {
            ReadError::WouldBlock => ReadFailure::WouldBlock,
            ReadError::OffsetOutOfRange { .. } => ReadFailure::Code(error.code()),
            _ => ReadFailure::Code(self.report(error)),
        }
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
