//! Walks the batches of a `.log` file from a position on, headers only or with their bytes. A claimed length never makes
//! it read beyond the limit or allocate more than the batch that is really there. Changes nothing.

use std::io;

use super::storage::{StoredFile, read_full, read_full_nowait};
use crate::wire::batch::{BatchHeader, HEADER_BYTES};

/// Bytes read at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// Whether a read may wait for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    Yes,
    No,
}

/// Reads at `position` until `buffer` is full or the file ends.
pub(crate) fn read(file: &dyn StoredFile, buffer: &mut [u8], position: u64, wait: Wait) -> io::Result<usize> {
    match wait {
        Wait::Yes => read_full(file, buffer, position),
        Wait::No => read_full_nowait(file, buffer, position),
    }
}

/// A batch that the walk met.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scanned {
    pub(crate) position: u64,
    pub(crate) header: BatchHeader,
}

impl Scanned {
    /// The position behind the batch.
    pub(crate) fn end(&self) -> u64 {
        self.position.saturating_add(self.header.size_bytes() as u64)
    }
}

/// Why the walk ended before the limit.
#[derive(Debug)]
pub(crate) enum ScanError {
    Io(io::Error),
    /// The bytes are no batch; the sentence goes on after "the bytes".
    Invalid(&'static str),
}

/// The walk.
pub(crate) struct Scanner<'a> {
    file: &'a dyn StoredFile,
    wait: Wait,
    position: u64,
    limit: u64,
    buffer: Vec<u8>,
    buffer_position: u64,
    chunk_bytes: usize,
}

impl<'a> Scanner<'a> {
    /// A walk from `position` to `limit` (the file's used length).
    pub(crate) fn new(file: &'a dyn StoredFile, position: u64, limit: u64, wait: Wait) -> Self {
        Self { file, wait, position, limit, buffer: Vec::new(), buffer_position: 0, chunk_bytes: CHUNK_BYTES }
    }

    /// Reads `bytes` at a time instead of the usual chunk.
    pub(crate) fn with_chunk(mut self, bytes: usize) -> Self {
        self.chunk_bytes = bytes.max(HEADER_BYTES);
        self
    }

    /// The position of the next batch.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// The next batch's header; `None` at the limit.
    pub(crate) fn next_header(&mut self) -> Result<Option<Scanned>, ScanError> {
        let left = self.limit.saturating_sub(self.position);
        if left == 0 {
            return Ok(None);
        }
        if left < HEADER_BYTES as u64 {
            return Err(ScanError::Invalid("are shorter than a batch's header"));
        }
        let bytes = self.bytes(HEADER_BYTES)?;
        let header = BatchHeader::parse(bytes).map_err(|_| ScanError::Invalid("are no batch header"))?;
        if header.size_bytes() as u64 > left {
            return Err(ScanError::Invalid("end before the batch does"));
        }
        if header.base_offset < 0
            || header.base_offset.checked_add(i64::from(header.last_offset_delta)).is_none()
        {
            return Err(ScanError::Invalid("have an impossible offset"));
        }
        let scanned = Scanned { position: self.position, header };
        self.position = scanned.end();
        Ok(Some(scanned))
    }

    /// All bytes of a batch that `next_header` gave last.
    pub(crate) fn whole(&mut self, scanned: &Scanned) -> Result<&[u8], ScanError> {
        let size = scanned.header.size_bytes();
        self.position = scanned.position;
        let read = self.bytes(size).map(|_| ());
        self.position = scanned.end();
        read?;
        Ok(self.buffered(scanned.position, size).unwrap_or_default())
    }

    fn buffered(&self, position: u64, len: usize) -> Option<&[u8]> {
        let at = usize::try_from(position.checked_sub(self.buffer_position)?).ok()?;
        self.buffer.get(at..at.checked_add(len)?)
    }

    /// `len` bytes at the current position, `len` being within the limit.
    fn bytes(&mut self, len: usize) -> Result<&[u8], ScanError> {
        if self.buffered(self.position, len).is_none() {
            let left = usize::try_from(self.limit.saturating_sub(self.position)).unwrap_or(usize::MAX);
            self.buffer.resize(len.max(self.chunk_bytes).min(left), 0);
            self.buffer_position = self.position;
            let count = read(self.file, &mut self.buffer, self.position, self.wait).map_err(ScanError::Io)?;
            self.buffer.truncate(count);
        }
        match self.buffered(self.position, len) {
            Some(bytes) => Ok(bytes),
            // Less than the file's length is there: without waiting, the rest is not in memory.
            None if self.wait == Wait::No => Err(ScanError::Io(io::ErrorKind::WouldBlock.into())),
            None => Err(ScanError::Invalid("end before the file should")),
        }
    }
}
