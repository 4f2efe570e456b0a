//! Snappy as Kafka's clients send it: snappy-java's framing (a header, then blocks behind their lengths), or one raw
//! block, as librdkafka and others may send. Holds one opened block at a time.

use std::io::Read;

use super::{Codec, CompressError};

/// Begins snappy-java's framing.
const MAGIC: [u8; 8] = *b"\x82SNAPPY\0";
/// Version of the framing, and the lowest version that can read it.
const VERSIONS: [u8; 8] = [0, 0, 0, 1, 0, 0, 0, 1];
/// Content of one block when compressing, as snappy-java's default.
const BLOCK_BYTES: usize = 32 * 1024;
/// A copy of 64 bytes takes 3, so nothing can open to more than this many times its size.
const GROWTH_MAX: usize = 22;

/// Compresses in snappy-java's framing.
pub(super) fn compress(bytes: &[u8]) -> Result<Vec<u8>, CompressError> {
    let failed = CompressError::Failed(Codec::Snappy);
    let mut encoder = snap::raw::Encoder::new();
    let mut out = Vec::with_capacity(bytes.len() / 2);
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&VERSIONS);
    for block in bytes.chunks(BLOCK_BYTES) {
        let compressed = encoder.compress_vec(block).map_err(|_| failed)?;
        let length = i32::try_from(compressed.len()).map_err(|_| failed)?;
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&compressed);
    }
    Ok(out)
}

/// Reads either form block by block.
pub(super) struct SnappyReader<'a> {
    rest: &'a [u8],
    framed: bool,
    block: Vec<u8>,
    position: usize,
}

impl<'a> SnappyReader<'a> {
    /// Tells the forms apart by the magic bytes, as snappy-java does.
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, CompressError> {
        let (rest, framed) = match bytes.strip_prefix(&MAGIC) {
            Some(behind) => (skip_versions(behind)?, true),
            None if bytes.is_empty() => return Err(CompressError::Corrupt(Codec::Snappy)),
            None => (bytes, false),
        };
        Ok(Self { rest, framed, block: Vec::new(), position: 0 })
    }

    /// Fills a part of `out`; 0 is the end. A block is opened only when it fits into `left_bytes`.
    pub(super) fn read(
        &mut self,
        out: &mut [u8],
        left_bytes: usize,
        limit_bytes: usize,
    ) -> Result<usize, CompressError> {
        while self.position >= self.block.len() {
            let Some(block) = self.next_block()? else { return Ok(0) };
            self.open(block, left_bytes, limit_bytes)?;
        }
        let mut content = self.block.get(self.position..).unwrap_or_default();
        let count = content.read(out).map_err(|_| CompressError::Corrupt(Codec::Snappy))?;
        self.position = self.position.saturating_add(count);
        Ok(count)
    }

    /// The next compressed block; `None` at the end.
    fn next_block(&mut self) -> Result<Option<&'a [u8]>, CompressError> {
        if !self.framed {
            let block = std::mem::take(&mut self.rest);
            return Ok(if block.is_empty() { None } else { Some(block) });
        }
        loop {
            // A writer that appended to a stream leaves another header between blocks.
            if let Some(behind) = self.rest.strip_prefix(&MAGIC) {
                self.rest = skip_versions(behind)?;
                continue;
            }
            let Some((length, behind)) = self.rest.split_first_chunk::<4>() else {
                // Fewer than the four bytes of a length end the stream for snappy-java as well.
                return Ok(None);
            };
            let block = usize::try_from(i32::from_be_bytes(*length))
                .ok()
                .and_then(|length| behind.split_at_checked(length));
            let (block, behind) = block.ok_or(CompressError::Corrupt(Codec::Snappy))?;
            self.rest = behind;
            return Ok(Some(block));
        }
    }

    fn open(&mut self, block: &[u8], left_bytes: usize, limit_bytes: usize) -> Result<(), CompressError> {
        let corrupt = CompressError::Corrupt(Codec::Snappy);
        let content_bytes = snap::raw::decompress_len(block).map_err(|_| corrupt)?;
        if content_bytes > block.len().saturating_mul(GROWTH_MAX) {
            return Err(corrupt);
        }
        if content_bytes > left_bytes {
            return Err(CompressError::TooLarge { limit_bytes });
        }
        self.position = 0;
        self.block.resize(content_bytes, 0);
        let written = snap::raw::Decoder::new().decompress(block, &mut self.block).map_err(|_| corrupt)?;
        self.block.truncate(written);
        Ok(())
    }
}

/// Passes over the two versions behind the magic bytes; version 0 has never been written and is refused.
fn skip_versions(bytes: &[u8]) -> Result<&[u8], CompressError> {
    let (versions, behind) = bytes.split_first_chunk::<8>().ok_or(CompressError::Corrupt(Codec::Snappy))?;
    let [a, b, c, d, ..] = *versions;
    if i32::from_be_bytes([a, b, c, d]) < 1 {
        return Err(CompressError::Corrupt(Codec::Snappy));
    }
    Ok(behind)
}
