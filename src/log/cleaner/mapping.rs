//! The first pass of a round: the newest offset of each key in the dirty part of a log, as far as the map has room.

use std::sync::Arc;

use super::offset_map::{Full, OffsetMap};
use super::plan::from_floor;
use super::round::{Round, Stop};
use super::transactions::CleanedTransactions;
use crate::log::segment::Segment;
use crate::types::Offset;
use crate::wire::batch::{Batch, RecordRefs};

impl Round<'_> {
    /// Fills `map` from the dirty segments, oldest first, until it is full; `map.latest()` tells how far it came.
    pub(super) fn fill_map(&self, segments: &[Arc<Segment>], map: &mut OffsetMap) -> Result<(), Stop> {
        let (from, end) = (self.plan.first_dirty.0, self.plan.round_end.0);
        let mut transactions = CleanedTransactions::default();
        transactions.expect(self.reader.aborted_transactions(Offset(from), Offset(end))?);
        let dirty = from_floor(segments, from);
        let ends = dirty.iter().skip(1).map(|next| next.base).chain([end]);
        for (segment, end) in dirty.iter().zip(ends) {
            if self.map_segment(segment, from, map, &mut transactions)? == Err(Full) {
                return Ok(());
            }
            // Offsets that are missing at the segment's end belong to no record.
            map.set_latest(end.saturating_sub(1));
        }
        Ok(())
    }

    fn map_segment(
        &self,
        segment: &Segment,
        from: i64,
        map: &mut OffsetMap,
        transactions: &mut CleanedTransactions,
    ) -> Result<Result<(), Full>, Stop> {
        let mut filled = Ok(());
        let position = if from > segment.base { self.position_of(segment, from)? } else { 0 };
        self.each_batch(segment, position, &mut |batch| {
            let is_aborted = if batch.header.is_control() {
                transactions.meet_marker(&batch.header, super::round::marker_of(batch));
                true
            } else {
                transactions.meet_data(&batch.header)
            };
            if !is_aborted {
                filled = map_batch(batch, from, map)?;
            }
            if filled.is_ok() && batch.header.last_offset() >= from {
                map.set_latest(batch.header.last_offset());
            }
            Ok(filled.is_ok())
        })?;
        Ok(filled)
    }
}

fn map_batch(batch: &Batch, from: i64, map: &mut OffsetMap) -> Result<Result<(), Full>, Stop> {
    let opened = batch.opened()?;
    for record in RecordRefs::new(&opened, batch.header.records_count) {
        let record = record?;
        let offset = batch.header.base_offset.saturating_add(i64::from(record.offset_delta));
        // A client may claim any offset in a batch that is not compressed.
        let is_of_batch = (from..=batch.header.last_offset()).contains(&offset);
        let Some(key) = record.key.filter(|_| is_of_batch) else { continue };
        if map.put(key, offset) == Err(Full) {
            return Ok(Err(Full));
        }
    }
    Ok(Ok(()))
}
