//! A range of whole batches that is found without reading them: its end comes from the offset index and a few headers.
//! The bytes are read when the answer is sent, piece by piece, so that an answer needs little memory however large it is,
//! and its first bytes leave before its last are read.

use std::io;
use std::sync::Arc;

use bytes::Bytes;

use super::buffers::BUFFER_BYTES;
use super::context::LogContext;
use super::error::ReadError;
use super::index::OffsetEntry;
use super::read::SEARCH_BYTES;
use super::reader::LogReader;
use super::scan::{ScanError, Scanner, Wait, read};
use super::segment::Segment;
use super::storage::StoredFile;
use crate::types::TopicPartition;
use crate::wire::slices::{Source, Stored};

/// What a reader asked for, from a known place of a segment on.
pub(super) struct Range<'a> {
    pub(super) file: &'a Arc<dyn StoredFile>,
    pub(super) position: u64,
    /// Bytes that the segment has.
    pub(super) size: u64,
    pub(super) from: i64,
    pub(super) upper: i64,
    pub(super) max_bytes: usize,
    pub(super) wait: Wait,
}

/// A range and the offset behind it.
pub(super) struct Found {
    pub(super) records: Stored,
    pub(super) next: i64,
}

impl LogReader {
    /// The whole batches that lie within the limits; `None` when they are few, or not found in this way: to be read at
    /// once then.
    pub(super) fn defer(&self, segment: &Segment, range: &Range<'_>) -> Result<Option<Found>, ReadError> {
        let left = range.size.saturating_sub(range.position);
        let limit = left.min(range.max_bytes as u64);
        if limit <= BUFFER_BYTES as u64 {
            return Ok(None);
        }
        match self.walk_end(segment, range, range.position.saturating_add(limit)) {
            Ok(None) | Err(ReadError::Corrupt { .. }) => Ok(None),
            Ok(Some((end, next))) => {
                if !self.context.handles.lend() {
                    return Ok(None);
                }
                let source = SegmentBytes {
                    file: Arc::clone(range.file),
                    context: Arc::clone(&self.context),
                    partition: self.partition.clone(),
                };
                let len = usize::try_from(end.saturating_sub(range.position)).unwrap_or_default();
                Ok(Some(Found { records: Stored::new(Arc::new(source), range.position, len), next }))
            }
            Err(error) => Err(error),
        }
    }

    /// Where the last batch ends that lies below `limit`, and the offset behind it.
    fn walk_end(
        &self,
        segment: &Segment,
        range: &Range<'_>,
        limit: u64,
    ) -> Result<Option<(u64, i64)>, ReadError> {
        let scanner =
            |position| Scanner::new(&**range.file, position, range.size, range.wait).with_chunk(SEARCH_BYTES);
        let failed = |error: ScanError| self.scan_error(segment.base, range.position, error);
        let mut walk = scanner(range.position);
        let first = walk.next_header().map_err(failed)?;
        let Some(first) = first.filter(|first| {
            first.header.last_offset() >= range.from
                && first.header.last_offset() < range.upper
                && first.end() <= limit
        }) else {
            return Ok(None);
        };
        let mut last = first;
        if let Some(entry) = self.last_entry_below(segment, range, limit)? {
            let position = u64::from(entry.position);
            if position > first.position {
                let mut from_entry = scanner(position);
                let indexed = from_entry.next_header().map_err(failed)?;
                let named = segment.base.saturating_add(i64::from(entry.relative));
                // An index that is wrong is none.
                let Some(indexed) = indexed.filter(|indexed| indexed.header.last_offset() == named) else {
                    return Ok(None);
                };
                if indexed.end() <= limit {
                    (last, walk) = (indexed, from_entry);
                }
            }
        }
        while let Some(next) = walk.next_header().map_err(failed)? {
            if next.end() > limit || next.header.last_offset() >= range.upper {
                break;
            }
            last = next;
        }
        Ok(Some((last.end(), last.header.last_offset().saturating_add(1))))
    }

    /// The last index entry of a batch that begins below `limit` and ends below the reader's upper end.
    fn last_entry_below(
        &self,
        segment: &Segment,
        range: &Range<'_>,
        limit: u64,
    ) -> Result<Option<OffsetEntry>, ReadError> {
        let relative = range.upper.saturating_sub(segment.base);
        let is_below =
            |entry: &OffsetEntry| u64::from(entry.position) < limit && i64::from(entry.relative) < relative;
        self.floor_entry(segment, range.wait, is_below)
    }
}

/// A segment's file, lent by the cache of handles.
#[derive(Debug)]
struct SegmentBytes {
    file: Arc<dyn StoredFile>,
    context: Arc<LogContext>,
    partition: TopicPartition,
}

impl Source for SegmentBytes {
    fn read(&self, position: u64, len: usize, may_block: bool) -> io::Result<Bytes> {
        let mut buffer = self.context.buffers.take();
        let wait = if may_block { Wait::Yes } else { Wait::No };
        let space = buffer.space(len.min(BUFFER_BYTES));
        let count = read(&*self.file, space, position, wait).inspect_err(|error| {
            if error.kind() != io::ErrorKind::WouldBlock {
                tracing::error!(partition = %self.partition, %error, "cannot read what an answer promised");
            }
        })?;
        buffer.set_len(count);
        Ok(Bytes::from_owner(buffer))
    }
}

impl Drop for SegmentBytes {
    fn drop(&mut self) {
        self.context.handles.give_back();
    }
}
