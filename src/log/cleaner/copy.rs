//! The second pass of a round: a group of segments copied without what is superseded into one, under `.cleaned` names,
//! with new indexes, on stable storage. Nothing that readers see changes.

use std::io::IoSlice;
use std::sync::Arc;

use super::filter::{Kept, Rules};
use super::round::{Round, Stop, marker_of};
use super::transactions::CleanedTransactions;
use crate::log::check::SegmentCheck;
use crate::log::error::LogError;
use crate::log::index::encode;
use crate::log::names::{CLEANED_SUFFIX, FileKind};
use crate::log::scan::Scanned;
use crate::log::segment::Segment;
use crate::log::storage::{Access, StoredFile, write_full};
use crate::log::txn_index::AbortedTxn;
use crate::types::Offset;
use crate::wire::batch::Batch;

/// A segment that is being written.
struct Output {
    base: i64,
    interval_bytes: u64,
    log: Arc<dyn StoredFile>,
    check: SegmentCheck,
    /// Batches that wait to be written at `position`.
    waiting: Vec<u8>,
    position: u64,
}

impl Round<'_> {
    /// Copies a group. `end` is the offset behind its last segment. Returns the segment that shall take its place.
    pub(super) fn copy_group(
        &self,
        group: &[Arc<Segment>],
        end: i64,
        rules: &Rules<'_>,
        transactions: &mut CleanedTransactions,
    ) -> Result<Segment, Stop> {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { return Err(Stop::Stopped) };
        let path = self.cleaned_path(first.base, FileKind::Log);
        let log = self.create(first.base, FileKind::Log)?;
        let interval_bytes = u64::try_from(self.config.index_interval_bytes).unwrap_or(0);
        let check = SegmentCheck::new(first.base);
        let mut output =
            Output { base: first.base, interval_bytes, log, check, waiting: Vec::new(), position: 0 };
        let ends = group.iter().skip(1).map(|next| next.base).chain([end]);
        for (segment, end) in group.iter().zip(ends) {
            transactions.expect(self.reader.aborted_transactions(Offset(segment.base), Offset(end))?);
            self.each_batch(segment, 0, &mut |batch| {
                let is_void = if batch.header.is_control() {
                    transactions.meet_marker(&batch.header, marker_of(batch))
                } else {
                    transactions.meet_data(&batch.header)
                };
                match rules.apply(batch, is_void)? {
                    Kept::Nothing => {}
                    Kept::All => output.take(batch),
                    Kept::Rewritten(batch) => output.take(&batch),
                }
                if output.waiting.len() >= self.options.io_bytes {
                    self.write(&mut output)?;
                }
                Ok(true)
            })?;
        }
        self.write(&mut output)?;
        output.check.index_time(output.base);
        let aborted = transactions.take_kept();
        self.write_beside(&output.check, first.base, &aborted)?;
        output.log.sync_data().map_err(LogError::io(&path))?;
        // The age of a segment without timestamps is that of its file.
        let modified = self.reader.segment_file(last, FileKind::Log).and_then(|file| file.modified_ms());
        let set = modified.and_then(|modified| output.log.set_modified_ms(modified));
        set.map_err(LogError::io(&path))?;
        let generation = group.iter().map(|segment| segment.generation).max().unwrap_or(0).saturating_add(1);
        Ok(output.check.segment_alone(first.base, !aborted.is_empty()).swapped_in(generation))
    }

    fn cleaned_path(&self, base: i64, kind: FileKind) -> std::path::PathBuf {
        self.reader.suffixed_path(base, kind, CLEANED_SUFFIX)
    }

    fn create(&self, base: i64, kind: FileKind) -> Result<Arc<dyn StoredFile>, Stop> {
        let path = self.cleaned_path(base, kind);
        let opened = self.reader.context.storage.open(&path, Access::Truncate);
        Ok(opened.map_err(LogError::io(&path))?)
    }

    fn write(&self, output: &mut Output) -> Result<(), Stop> {
        let bytes = output.waiting.len() as u64;
        if bytes == 0 {
            return Ok(());
        }
        let path = || self.cleaned_path(output.base, FileKind::Log);
        write_full(&*output.log, &mut [IoSlice::new(&output.waiting)], output.position)
            .map_err(|error| LogError::io(&path())(error))?;
        output.position = output.position.saturating_add(bytes);
        output.waiting.clear();
        self.spend(bytes)
    }

    /// The indexes of what was written.
    fn write_beside(&self, check: &SegmentCheck, base: i64, aborted: &[AbortedTxn]) -> Result<(), Stop> {
        self.write_file(base, FileKind::OffsetIndex, &encode(&check.offsets))?;
        self.write_file(base, FileKind::TimeIndex, &encode(&check.times))?;
        if aborted.is_empty() {
            return Ok(());
        }
        let bytes: Vec<u8> = aborted.iter().flat_map(AbortedTxn::encode).collect();
        self.write_file(base, FileKind::TxnIndex, &bytes)
    }

    fn write_file(&self, base: i64, kind: FileKind, bytes: &[u8]) -> Result<(), Stop> {
        let path = self.cleaned_path(base, kind);
        let file = self.create(base, kind)?;
        let written = write_full(&*file, &mut [IoSlice::new(bytes)], 0).and_then(|()| file.sync_data());
        Ok(written.map_err(LogError::io(&path))?)
    }
}

impl Output {
    fn take(&mut self, batch: &Batch) {
        let position = self.position.saturating_add(self.waiting.len() as u64);
        self.check.take(self.base, &Scanned { position, header: batch.header }, self.interval_bytes);
        self.waiting.extend_from_slice(&batch.bytes);
    }
}
