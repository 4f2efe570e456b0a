//! Compression of a batch's records: the five codecs of Kafka's record format, bounded when opening.
//! Input is hostile: nothing is allocated for what a header claims, and opening stops at its limit, not behind it.
//! What is written reads with Kafka's Java clients; what is read is what they read.

mod open;
mod snappy;

use std::io::Write;

pub use open::Opened;

/// How a batch's records are compressed: the lowest three bits of its attributes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Codec {
    /// As they are.
    #[default]
    None = 0,
    /// gzip members.
    Gzip = 1,
    /// Snappy, in snappy-java's framing or as one raw block.
    Snappy = 2,
    /// LZ4 frames of independent blocks.
    Lz4 = 3,
    /// Zstandard frames (KIP-110).
    Zstd = 4,
}

impl Codec {
    /// Every codec, in the order of the numbers.
    pub const ALL: [Self; 5] = [Self::None, Self::Gzip, Self::Snappy, Self::Lz4, Self::Zstd];

    /// The codec that the lowest three bits of a batch's attributes name; `None` for 5 to 7.
    pub const fn from_attributes(attributes: i16) -> Option<Self> {
        match attributes & 0x07 {
            0 => Some(Self::None),
            1 => Some(Self::Gzip),
            2 => Some(Self::Snappy),
            3 => Some(Self::Lz4),
            4 => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// Why bytes could not be compressed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompressError {
    /// The bytes are not what the codec reads.
    #[error("the bytes are not valid {0:?}")]
    Corrupt(Codec),
    /// More bytes come out than allowed.
    #[error("more than {limit_bytes} bytes after decompression")]
    TooLarge {
        /// The limit that was handed in.
        limit_bytes: usize,
    },
    /// The codec's library refused to compress.
    #[error("compressing with {0:?} failed")]
    Failed(Codec),
}

/// Java's LZ4 level 9 is its default and means the fast compressor; the other levels mean the high one.
const LZ4_LEVEL_FAST: i32 = 9;
/// The levels of LZ4's high compressor; Kafka allows 1 to 17, of which those outside act as the nearest.
const LZ4_LEVELS_HIGH: (i32, i32) = (3, 12);

/// Compresses `bytes` as Kafka's Java producer does. `level` has Kafka's meaning per codec (KIP-390) and is
/// brought into the codec's range; `None` is Kafka's default. Fails only when the codec's library does.
pub fn compress(codec: Codec, bytes: &[u8], level: Option<i32>) -> Result<Vec<u8>, CompressError> {
    let failed = |_| CompressError::Failed(codec);
    match codec {
        Codec::None => Ok(bytes.to_vec()),
        Codec::Gzip => {
            let level = level.filter(|&level| level >= 1).map_or(6, |level| level.min(9));
            let out = Vec::with_capacity(bytes.len() / 2);
            let mut encoder =
                flate2::write::GzEncoder::new(out, flate2::Compression::new(level.unsigned_abs()));
            encoder.write_all(bytes).map_err(failed)?;
            encoder.finish().map_err(failed)
        }
        Codec::Snappy => snappy::compress(bytes),
        Codec::Lz4 => {
            let (lowest, highest) = LZ4_LEVELS_HIGH;
            let level = match level {
                None | Some(LZ4_LEVEL_FAST) => 0,
                Some(level) => level.clamp(lowest, highest),
            };
            let mut encoder = lz4::EncoderBuilder::new()
                .level(level.unsigned_abs())
                .block_mode(lz4::BlockMode::Independent)
                .block_size(lz4::BlockSize::Max64KB)
                .block_checksum(lz4::liblz4::BlockChecksum::NoBlockChecksum)
                .checksum(lz4::ContentChecksum::NoChecksum)
                .build(Vec::with_capacity(bytes.len() / 2))
                .map_err(failed)?;
            encoder.write_all(bytes).map_err(failed)?;
            let (out, result) = encoder.finish();
            result.map(|()| out).map_err(failed)
        }
        Codec::Zstd => {
            let level = level.unwrap_or(3).clamp(-131_072, 22);
            zstd::bulk::compress(bytes, level).map_err(failed)
        }
    }
}

/// Opens `bytes` as a whole. Fails when they are not what the codec reads, and as soon as more than `limit_bytes`
/// come out; memory grows with what has come out, never with what is announced.
pub fn decompress(codec: Codec, bytes: &[u8], limit_bytes: usize) -> Result<Vec<u8>, CompressError> {
    const STEP: usize = 32 * 1024;
    let mut opened = Opened::new(codec, bytes, limit_bytes)?;
    let mut out = Vec::new();
    let mut filled: usize = 0;
    loop {
        if out.len() == filled {
            // Twice what is there, so that growing costs a constant share; one byte over the limit is enough to see it.
            let grown = filled.saturating_mul(2).max(STEP).min(limit_bytes.saturating_add(1));
            out.resize(grown.max(filled.saturating_add(1)), 0);
        }
        let read = opened.read(out.get_mut(filled..).unwrap_or_default())?;
        if read == 0 {
            out.truncate(filled);
            return Ok(out);
        }
        filled = filled.saturating_add(read);
    }
}

#[cfg(test)]
mod tests;
