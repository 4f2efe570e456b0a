//! A range of whole batches that is found without reading them: its end comes from the offset index and a few headers.
//! The bytes are read when the answer is sent, piece by piece, so that an answer needs little memory however large it is,
//! and its first bytes leave before its last are read.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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

/// Bytes that are read at a time while memory is short, into memory of their own: about what a socket takes at once.
const SHORT_BYTES: usize = 32 * 1024;

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
        if limit <= BUFFER_BYTES as u64 || self.broke_promise.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let Some(source) = SegmentBytes::lend(range.file, self) else { return Ok(None) };
        match self.walk_end(segment, range, range.position.saturating_add(limit)) {
            Ok(Some((end, next))) => {
                let len = usize::try_from(end.saturating_sub(range.position)).unwrap_or_default();
                Ok(Some(Found { records: Stored::new(Arc::new(source), range.position, len), next }))
            }
            Err(ReadError::WouldBlock) => Err(ReadError::WouldBlock),
            // Whoever reads at once finds out what is wrong with the records; a wrong index is nothing to them.
            Ok(None) | Err(_) => Ok(None),
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
        // The last batch that the index knows below the limit reaches over it if it is large; the one before does not.
        let mut below = limit;
        for _ in 0..2 {
            let Some(entry) = self.last_entry_below(segment, range, below)? else { break };
            let position = u64::from(entry.position);
            if position <= first.position {
                break;
            }
            let mut from_entry = scanner(position);
            let indexed = from_entry.next_header().map_err(failed)?;
            let named = segment.base.saturating_add(i64::from(entry.relative));
            // An index that is wrong is none.
            let Some(indexed) = indexed.filter(|indexed| indexed.header.last_offset() == named) else {
                return Ok(None);
            };
            if indexed.end() <= limit {
                (last, walk) = (indexed, from_entry);
                break;
            }
            below = position;
        }
        while walk.position() < limit
            && let Some(next) = walk.next_header().map_err(failed)?
        {
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
    broke_promise: Arc<AtomicBool>,
}

impl SegmentBytes {
    /// `None` when answers keep too many files open.
    fn lend(file: &Arc<dyn StoredFile>, reader: &LogReader) -> Option<Self> {
        reader.context.handles.lend(file).then(|| Self {
            file: Arc::clone(file),
            context: Arc::clone(&reader.context),
            partition: reader.partition.clone(),
            broke_promise: Arc::clone(&reader.broke_promise),
        })
    }

    fn read_into(&self, space: &mut [u8], position: u64, may_block: bool) -> io::Result<usize> {
        let wait = if may_block { Wait::Yes } else { Wait::No };
        let count = read(&*self.file, space, position, wait).and_then(|count| match count {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => Ok(count),
        });
        count.inspect_err(|error| {
            if error.kind() != io::ErrorKind::WouldBlock && !self.broke_promise.swap(true, Ordering::Relaxed)
            {
                tracing::error!(partition = %self.partition, %error, "cannot read what an answer promised");
            }
        })
    }
}

impl Source for SegmentBytes {
    fn read(&self, position: u64, len: usize, may_block: bool) -> io::Result<Bytes> {
        if self.is_short() {
            let mut own = vec![0; len.min(SHORT_BYTES)];
            let count = self.read_into(&mut own, position, may_block)?;
            own.truncate(count);
            return Ok(own.into());
        }
        let mut buffer = self.context.buffers.take();
        let count = self.read_into(buffer.space(len.min(BUFFER_BYTES)), position, may_block)?;
        buffer.set_len(count);
        Ok(Bytes::from_owner(buffer))
    }

    fn is_short(&self) -> bool {
        self.context.buffers.is_short()
    }
}

impl Drop for SegmentBytes {
    fn drop(&mut self) {
        self.context.handles.give_back(&self.file);
    }
}
