//! Walks the record batches of a metadata log or snapshot, one at a time, and says where and why it stops.
//! Memory grows with the largest batch, never with what a length claims: the file's length bounds it.

use std::io;
use std::sync::Arc;

use crate::log::storage::{StoredFile, read_full};
use crate::wire::batch::{Batch, BatchHeader, HEADER_BYTES};

/// Why a walk ended before the end of the file.
#[derive(Debug)]
pub(super) enum Stop {
    /// The file could not be read.
    Io(io::Error),
    /// The bytes from here on are not a whole, valid batch.
    Bad {
        /// Where that batch begins.
        position: u64,
        /// What is wrong with it.
        reason: String,
    },
}

/// A walk over a file from its start.
pub(super) struct Batches {
    file: Arc<dyn StoredFile>,
    position: u64,
    len: u64,
}

impl Batches {
    pub(super) fn new(file: Arc<dyn StoredFile>) -> io::Result<Self> {
        let len = file.len_bytes()?;
        Ok(Self { file, position: 0, len })
    }

    /// The bytes of the batches so far.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// The file's length.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// The next batch, its checksum verified; `None` at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<Batch>, Stop> {
        let left = self.len.saturating_sub(self.position);
        if left == 0 {
            return Ok(None);
        }
        let header = self.read(HEADER_BYTES)?;
        let header = BatchHeader::parse(&header).map_err(|error| self.bad(error.to_string()))?;
        let size = header.size_bytes();
        if size as u64 > left {
            return Err(self.bad(format!("the batch has {size} bytes, the file {left} more")));
        }
        let bytes = self.read(size)?;
        let batch = Batch::parse(bytes.into()).map_err(|error| self.bad(error.to_string()))?;
        if !batch.crc_is_valid() {
            return Err(self.bad("the checksum is wrong".to_owned()));
        }
        self.position = self.position.saturating_add(size as u64);
        Ok(Some(batch))
    }

    /// What is wrong at the current position.
    pub(super) fn bad(&self, reason: String) -> Stop {
        Stop::Bad { position: self.position, reason }
    }

    fn read(&self, wanted: usize) -> Result<Vec<u8>, Stop> {
        let mut bytes = vec![0; wanted];
        let have = read_full(&*self.file, &mut bytes, self.position).map_err(Stop::Io)?;
        if have < wanted {
            return Err(self.bad(format!("{wanted} bytes are needed, {have} are there")));
        }
        Ok(bytes)
    }
}
