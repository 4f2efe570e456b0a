//! Turns batches of a journal or snapshot into an image: control records, metadata transactions (KIP-868), records.
//! The caller has verified the batches; what does not fit here means that no controller wrote it.

use std::path::Path;

use bytes::Bytes;

use super::acceptance;
use super::{ControlRecords, JournalError};
use crate::controller::command::Changes;
use crate::controller::image::Image;
use crate::controller::replay::{JournalRecord, ReplayError, read_record};
use crate::types::{NodeId, Offset};
use crate::wire::batch::{Batch, Record};
use crate::wire::records::RecordError;
use crate::wire::records::control_record::ControlRecord;
use crate::wire::records::metadata::MetadataRecord;

/// An image that grows by batches.
pub(super) struct Replayer {
    /// The metadata of every record so far, an open transaction's included.
    image: Image,
    /// The metadata before a transaction that has not ended.
    before_transaction: Option<Image>,
    /// The highest leader epoch of any batch; 0 before the first.
    pub(super) epoch: i32,
    /// The timestamp of the last batch; 0 before the first.
    pub(super) timestamp_ms: i64,
    /// The latest control records that have to outlive a snapshot.
    pub(super) control: ControlRecords,
    /// Who votes, by the last record that says so.
    voters: Vec<NodeId>,
    /// Below this offset records are known already.
    known_below: i64,
}

impl Replayer {
    pub(super) fn new(image: Image) -> Self {
        Self {
            image,
            before_transaction: None,
            epoch: 0,
            timestamp_ms: 0,
            control: ControlRecords::default(),
            voters: Vec::new(),
            known_below: 0,
        }
    }

    /// Goes on at `end`, whatever the offsets inside the snapshot that was replayed were.
    pub(super) fn go_on_from(&mut self, end: i64, epoch: i32) {
        self.image.offset = Offset(end);
        self.known_below = end;
        self.epoch = self.epoch.max(epoch);
    }

    /// The offset after the last record.
    pub(super) fn end(&self) -> i64 {
        self.image.offset.0
    }

    /// Whether a metadata transaction has begun and not ended.
    pub(super) fn in_transaction(&self) -> bool {
        self.before_transaction.is_some()
    }

    /// Refuses what this program cannot go on with.
    pub(super) fn check(&self, path: &Path) -> Result<(), JournalError> {
        acceptance::check(path, &self.image, &self.voters)
    }

    /// Replays one of the records that a new log begins with; the caller writes them.
    pub(super) fn begin(&mut self, record: Bytes) -> Result<(), ReplayError> {
        let record = read_record(record)?;
        self.record(record)
    }

    /// The metadata; a transaction that has not ended is as if it had not begun.
    pub(super) fn into_image(self) -> (Image, ControlRecords) {
        let end = self.image.offset;
        let mut image = self.before_transaction.unwrap_or(self.image);
        image.offset = end;
        (image, self.control)
    }

    /// Replays one batch. True when it holds a snapshot's footer.
    pub(super) fn batch(&mut self, path: &Path, batch: &Batch) -> Result<bool, JournalError> {
        let corrupt =
            |reason: String| JournalError::corrupt_at_offset(path, batch.header.base_offset, reason);
        self.epoch = self.epoch.max(batch.header.partition_leader_epoch);
        self.timestamp_ms = batch.header.max_timestamp;
        let mut footer = false;
        let newer = |what: String| JournalError::Newer { path: path.to_owned(), what };
        for record in batch.records().map_err(|error| corrupt(error.to_string()))? {
            let record = record.map_err(|error| corrupt(error.to_string()))?;
            let offset = batch.header.base_offset.saturating_add(i64::from(record.offset_delta));
            if offset < self.known_below {
                continue;
            }
            if batch.header.is_control() {
                let read = read_control(&record);
                if let Some(what) = acceptance::newer_control(&read) {
                    return Err(newer(what));
                }
                footer |= self.control(read.map_err(|error| corrupt(error.to_string()))?);
            } else {
                let value =
                    record.value.ok_or_else(|| corrupt("a metadata record has no value".to_owned()))?;
                if let Some(what) = acceptance::newer_record(&value) {
                    return Err(newer(what));
                }
                let read = read_record(value).map_err(|error| corrupt(error.to_string()))?;
                self.record(read).map_err(|error| corrupt(error.to_string()))?;
            }
        }
        self.image.offset = Offset(batch.header.next_offset().max(self.known_below));
        Ok(footer)
    }

    /// True for a snapshot's footer.
    fn control(&mut self, record: ControlRecord) -> bool {
        match &record {
            ControlRecord::KRaftVersion(_) => self.control.kraft_version = Some(record),
            ControlRecord::KRaftVoters(voters) => {
                self.voters = voters.voters.iter().map(|voter| NodeId(voter.voter_id)).collect();
                self.control.voters = Some(record);
            }
            ControlRecord::LeaderChange(change) => {
                self.voters = change.voters.iter().map(|voter| NodeId(voter.voter_id)).collect();
            }
            ControlRecord::SnapshotFooter(_) => return true,
            _ => {}
        }
        false
    }

    fn record(&mut self, record: JournalRecord) -> Result<(), ReplayError> {
        match record {
            JournalRecord::Kept(bytes) => self.image.replay_kept(bytes),
            JournalRecord::Known(record) => {
                match &record {
                    MetadataRecord::BeginTransaction(_) => {
                        self.before_transaction = Some(self.image.clone());
                    }
                    MetadataRecord::EndTransaction(_) => self.before_transaction = None,
                    MetadataRecord::AbortTransaction(_) => {
                        if let Some(before) = self.before_transaction.take() {
                            self.image = before;
                        }
                    }
                    _ => {}
                }
                self.image.replay(&record, &mut Changes::default())?;
            }
        }
        Ok(())
    }
}

fn read_control(record: &Record) -> Result<ControlRecord, RecordError> {
    let (key, value) = (record.key.as_deref(), record.value.as_deref());
    ControlRecord::decode(key.unwrap_or_default(), value.unwrap_or_default())
}
