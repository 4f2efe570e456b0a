//! What a log knows of its idempotent and transactional producers (KIP-98): the last five batches, epochs, open
//! transactions. A pure machine: `check` decides, `apply` changes, replaying a log gives the same state.

use std::collections::BTreeMap;

use super::error::AppendError;
use super::txn_index::AbortedTxn;
use crate::limits::PRODUCERS_PER_PARTITION_MAX;
use crate::types::ProducerId;

/// Batches remembered per producer, the number a client may have in flight.
pub const WINDOW_BATCHES: usize = 5;

/// One part in so many of the producers is forgotten at once when there are too many.
const FORGOTTEN_PART: usize = 16;

/// One remembered batch of a producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchMeta {
    /// Sequence of its last record.
    pub last_sequence: i32,
    /// Offset of its last record.
    pub last_offset: i64,
    /// Records in it, less one.
    pub offset_delta: i32,
    /// Its largest timestamp.
    pub timestamp: i64,
}

impl BatchMeta {
    /// Sequence of its first record; wraps below 0 as sequences do.
    pub fn first_sequence(&self) -> i32 {
        if self.last_sequence >= self.offset_delta {
            self.last_sequence.saturating_sub(self.offset_delta)
        } else {
            // Sequences run from 0 to 2^31 - 1 and start again.
            let missing = i64::from(self.offset_delta).saturating_sub(i64::from(self.last_sequence));
            i32::try_from(i64::from(i32::MAX).saturating_add(1).saturating_sub(missing)).unwrap_or(0)
        }
    }

    /// Offset of its first record.
    pub fn first_offset(&self) -> i64 {
        self.last_offset.saturating_sub(i64::from(self.offset_delta))
    }
}

/// What a log knows of one producer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProducerEntry {
    /// The newest epoch seen; -1 when none.
    pub epoch: i16,
    /// The epoch of the transaction coordinator that wrote the last marker; -1 when none.
    pub coordinator_epoch: i32,
    /// The timestamp of the last batch or marker.
    pub last_timestamp: i64,
    /// The first offset of the open transaction.
    pub txn_first_offset: Option<i64>,
    /// The last batches, oldest first, at most `WINDOW_BATCHES`.
    window: Vec<BatchMeta>,
}

impl ProducerEntry {
    /// An entry as a snapshot holds it: with the last batch only.
    pub fn restored(
        epoch: i16,
        coordinator_epoch: i32,
        last_timestamp: i64,
        txn_first_offset: Option<i64>,
        last: Option<BatchMeta>,
    ) -> Self {
        Self {
            epoch,
            coordinator_epoch,
            last_timestamp,
            txn_first_offset,
            window: last.into_iter().collect(),
        }
    }

    /// The last batches, oldest first.
    pub fn window(&self) -> &[BatchMeta] {
        &self.window
    }

    /// The last batch, unless a marker of a new epoch came after it.
    pub fn last_batch(&self) -> Option<&BatchMeta> {
        self.window.last()
    }

    fn move_to_epoch(&mut self, epoch: i16) {
        if self.epoch != epoch {
            self.window.clear();
            self.epoch = epoch;
        }
    }

    fn remember(&mut self, batch: BatchMeta) {
        if self.window.len() >= WINDOW_BATCHES {
            self.window.remove(0);
        }
        self.window.push(batch);
    }
}

/// Who appends, which decides what is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendOrigin {
    /// A client: sequences are checked.
    Client,
    /// A coordinator of this broker: offset commits in a transaction and markers have no sequences.
    Coordinator,
}

/// A marker that ends a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marker {
    /// Abort, else commit.
    pub aborts: bool,
    /// The epoch of the coordinator that wrote it.
    pub coordinator_epoch: i32,
}

/// What of a batch concerns its producer.
#[derive(Clone, Copy, Debug)]
pub struct ProducerBatch {
    /// The producer, 0 or more.
    pub producer_id: i64,
    /// Its epoch.
    pub epoch: i16,
    /// Sequence of the first record; -1 in markers and coordinators' batches.
    pub base_sequence: i32,
    /// Sequence of the last record.
    pub last_sequence: i32,
    /// Records less one.
    pub last_offset_delta: i32,
    /// The batch's largest timestamp.
    pub max_timestamp: i64,
    /// Whether it belongs to a transaction.
    pub transactional: bool,
    /// Whether it is a control batch.
    pub control: bool,
    /// The marker in a control batch that holds one.
    pub marker: Option<Marker>,
}

/// The verdict on a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is new.
    Append,
    /// The log holds it already.
    Duplicate(BatchMeta),
}

/// A transaction that a marker ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompletedTxn {
    /// Its first record's offset.
    pub first_offset: i64,
    /// The marker's offset.
    pub last_offset: i64,
    /// The entry for the transaction index, when it was aborted.
    pub aborted: Option<AbortedTxn>,
}

/// The producers of one log.
#[derive(Clone, Debug, Default)]
pub struct ProducerState {
    producers: BTreeMap<i64, ProducerEntry>,
    /// First offset → producer, of the open transactions.
    open: BTreeMap<i64, i64>,
    /// First and marker's offset of the ended transactions whose marker may lie above the high watermark.
    ended: Vec<(i64, i64)>,
}

impl ProducerState {
    /// The producers by id.
    pub fn producers(&self) -> &BTreeMap<i64, ProducerEntry> {
        &self.producers
    }

    /// Whether nothing is known of any producer.
    pub fn is_empty(&self) -> bool {
        self.producers.is_empty() && self.open.is_empty() && self.ended.is_empty()
    }

    /// Adds an entry of a snapshot.
    pub fn restore(&mut self, producer_id: i64, entry: ProducerEntry) {
        if let Some(first) = entry.txn_first_offset {
            self.open.insert(first, producer_id);
        }
        self.producers.insert(producer_id, entry);
    }

    /// Decides on a batch before it is written; changes nothing.
    pub fn check(&self, batch: &ProducerBatch, origin: AppendOrigin) -> Result<Verdict, AppendError> {
        let Some(entry) = self.producers.get(&batch.producer_id) else { return Ok(Verdict::Append) };
        if origin == AppendOrigin::Client
            && !batch.control
            && let Some(duplicate) = duplicate(entry, batch)
        {
            return Ok(Verdict::Duplicate(duplicate));
        }
        let producer_id = ProducerId(batch.producer_id);
        if batch.epoch < entry.epoch {
            let (found, current) = (batch.epoch, entry.epoch);
            return Err(AppendError::InvalidProducerEpoch { producer_id, found, current });
        }
        if batch.control {
            return check_marker(entry, batch).map(|()| Verdict::Append);
        }
        if origin == AppendOrigin::Client {
            check_sequence(entry, batch)?;
        }
        if entry.txn_first_offset.is_some() && !batch.transactional {
            return Err(AppendError::InvalidTxnState { producer_id });
        }
        Ok(Verdict::Append)
    }

    /// The transaction that a marker at `offset` ends, if it ends one.
    pub fn completes(&self, batch: &ProducerBatch, offset: i64) -> Option<CompletedTxn> {
        let marker = batch.marker?;
        let first_offset = self.producers.get(&batch.producer_id)?.txn_first_offset?;
        let others = self.open.iter().find(|(_, producer)| **producer != batch.producer_id);
        let last_stable_offset = others.map_or(offset.saturating_add(1), |(&first, _)| first);
        let aborted = marker.aborts.then_some(AbortedTxn {
            producer_id: batch.producer_id,
            first_offset,
            last_offset: offset,
            last_stable_offset,
        });
        Some(CompletedTxn { first_offset, last_offset: offset, aborted })
    }

    /// Notes a batch that stands in the log from `base_offset` on. What `check` would refuse is taken as it is: the
    /// log is right.
    pub fn apply(&mut self, batch: &ProducerBatch, base_offset: i64) {
        if batch.control {
            if let Some(marker) = batch.marker {
                self.apply_marker(batch, marker, base_offset);
            }
            return;
        }
        let entry = self.entry(batch.producer_id);
        entry.move_to_epoch(batch.epoch);
        entry.remember(BatchMeta {
            last_sequence: batch.last_sequence,
            last_offset: base_offset.saturating_add(i64::from(batch.last_offset_delta)),
            offset_delta: batch.last_offset_delta,
            timestamp: batch.max_timestamp,
        });
        entry.last_timestamp = batch.max_timestamp;
        if batch.transactional && entry.txn_first_offset.is_none() {
            entry.txn_first_offset = Some(base_offset);
            self.open.insert(base_offset, batch.producer_id);
        }
    }

    fn apply_marker(&mut self, batch: &ProducerBatch, marker: Marker, offset: i64) {
        let entry = self.entry(batch.producer_id);
        entry.move_to_epoch(batch.epoch);
        entry.coordinator_epoch = marker.coordinator_epoch;
        entry.last_timestamp = batch.max_timestamp;
        if let Some(first) = entry.txn_first_offset.take() {
            self.open.remove(&first);
            self.ended.push((first, offset));
        }
    }

    fn entry(&mut self, producer_id: i64) -> &mut ProducerEntry {
        if self.producers.len() >= PRODUCERS_PER_PARTITION_MAX && !self.producers.contains_key(&producer_id) {
            self.make_room(0);
        }
        self.producers.entry(producer_id).or_insert_with(|| ProducerEntry::restored(-1, -1, -1, None, None))
    }

    /// Makes room for a new producer, and for many more, because it looks at all; `kept` of them stay.
    pub(crate) fn make_room(&mut self, kept: usize) {
        let part = self.producers.len().div_euclid(FORGOTTEN_PART).max(1);
        self.forget_oldest(part.min(self.producers.len().saturating_sub(kept)));
    }

    /// Forgets so many producers, but none with an open transaction: those that wrote the longest ago by their place in
    /// the log, because timestamps are the clients' own.
    pub(crate) fn forget_oldest(&mut self, count: usize) {
        if count == 0 {
            return;
        }
        let last_offset = |entry: &ProducerEntry| entry.last_batch().map_or(-1, |batch| batch.last_offset);
        let mut by_age: Vec<(i64, i64)> = self
            .producers
            .iter()
            .filter(|(_, entry)| entry.txn_first_offset.is_none())
            .map(|(id, entry)| (last_offset(entry), *id))
            .collect();
        let count = by_age.len().min(count);
        if count < by_age.len() {
            by_age.select_nth_unstable(count);
        }
        for (_, id) in by_age.iter().take(count) {
            self.producers.remove(id);
        }
    }

    /// Puts batches before the only one that a snapshot holds of a producer; `older` are its batches, oldest first.
    pub fn refill(&mut self, producer_id: i64, older: &[BatchMeta]) {
        let Some(entry) = self.producers.get_mut(&producer_id) else { return };
        let Some(&oldest) = entry.window.first() else { return };
        let mut window: Vec<BatchMeta> =
            older.iter().copied().filter(|batch| batch.last_offset < oldest.last_offset).collect();
        window.append(&mut entry.window);
        let surplus = window.len().saturating_sub(WINDOW_BATCHES);
        entry.window = window.split_off(surplus);
    }

    /// Forgets producers without a record for `expiration_ms`, but none with an open transaction.
    pub fn expire(&mut self, now_ms: i64, expiration_ms: i64) {
        self.producers.retain(|_, entry| {
            entry.txn_first_offset.is_some() || now_ms.saturating_sub(entry.last_timestamp) < expiration_ms
        });
    }

    /// The offset of the oldest record whose transaction is open, or was ended by a marker at or above
    /// `high_watermark`.
    pub fn first_unstable(&self, high_watermark: i64) -> Option<i64> {
        let open = self.open.first_key_value().map(|(&first, _)| first);
        let ended =
            self.ended.iter().filter(|(_, last)| *last >= high_watermark).map(|&(first, _)| first).min();
        open.into_iter().chain(ended).min()
    }

    /// The first offset of the oldest open transaction, and first and marker's offset of the ended ones.
    pub(crate) fn unstable(&self) -> (Option<i64>, &[(i64, i64)]) {
        (self.open.first_key_value().map(|(&first, _)| first), &self.ended)
    }

    /// Forgets ended transactions whose marker lies below the high watermark.
    pub fn stabilise(&mut self, high_watermark: i64) {
        self.ended.retain(|(_, last)| *last >= high_watermark);
    }

    /// Forgets everything; the log was emptied.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

fn duplicate(entry: &ProducerEntry, batch: &ProducerBatch) -> Option<BatchMeta> {
    if batch.epoch != entry.epoch {
        return None;
    }
    entry.window.iter().copied().find(|known| {
        known.first_sequence() == batch.base_sequence && known.last_sequence == batch.last_sequence
    })
}

fn check_sequence(entry: &ProducerEntry, batch: &ProducerBatch) -> Result<(), AppendError> {
    let out_of_order = |last| {
        let (producer_id, found) = (ProducerId(batch.producer_id), batch.base_sequence);
        Err(AppendError::OutOfOrderSequence { producer_id, found, last })
    };
    // A producer of which no epoch is known may begin anywhere.
    if entry.epoch < 0 {
        return Ok(());
    }
    let last = entry.last_batch().map_or(-1, |batch| batch.last_sequence);
    if batch.epoch != entry.epoch {
        return if batch.base_sequence == 0 { Ok(()) } else { out_of_order(last) };
    }
    let expected = if last == i32::MAX { 0 } else { last.saturating_add(1) };
    if batch.base_sequence == expected { Ok(()) } else { out_of_order(last) }
}

fn check_marker(entry: &ProducerEntry, batch: &ProducerBatch) -> Result<(), AppendError> {
    match batch.marker {
        Some(marker) if marker.coordinator_epoch < entry.coordinator_epoch => {
            Err(AppendError::CoordinatorFenced {
                producer_id: ProducerId(batch.producer_id),
                found: marker.coordinator_epoch,
                current: entry.coordinator_epoch,
            })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
#[path = "producers_tests.rs"]
mod tests;
