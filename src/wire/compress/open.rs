//! Reads the content of compressed records piece by piece, so that walking them needs no memory for the whole.
//! Reads what Kafka's Java readers read and refuses what they refuse; counts bytes against a limit.

use std::io::Read;

use super::snappy::SnappyReader;
use super::{Codec, CompressError};

/// Compressed bytes being read. It is dropped at the first error.
pub struct Opened<'a> {
    codec: Codec,
    source: Source<'a>,
    limit_bytes: usize,
    left_bytes: usize,
}

enum Source<'a> {
    Plain(&'a [u8]),
    Gzip(GzipReader<'a>),
    Snappy(SnappyReader<'a>),
    Lz4(Lz4Reader<'a>),
    // Boxed for its size.
    Zstd(Box<zstd::stream::read::Decoder<'static, &'a [u8]>>),
}

impl<'a> Opened<'a> {
    /// Opens `bytes`, of which at most `limit_bytes` may come out. Fails when they do not begin as the codec says.
    pub fn new(codec: Codec, bytes: &'a [u8], limit_bytes: usize) -> Result<Self, CompressError> {
        let corrupt = CompressError::Corrupt(codec);
        let source = match codec {
            Codec::None => Source::Plain(bytes),
            Codec::Gzip => Source::Gzip(GzipReader::new(bytes)),
            Codec::Snappy => Source::Snappy(SnappyReader::new(bytes)?),
            Codec::Lz4 => Source::Lz4(Lz4Reader::new(bytes)?),
            Codec::Zstd => {
                let decoder = zstd::stream::read::Decoder::with_buffer(bytes).map_err(|_| corrupt)?;
                Source::Zstd(Box::new(decoder))
            }
        };
        Ok(Self { codec, source, limit_bytes, left_bytes: limit_bytes })
    }

    /// Fills a part of `out` and gives its length; 0 is the end of the content (or an empty `out`).
    pub fn read(&mut self, out: &mut [u8]) -> Result<usize, CompressError> {
        let read = match &mut self.source {
            Source::Plain(bytes) => bytes.read(out).map_err(|_| CompressError::Corrupt(self.codec))?,
            Source::Gzip(reader) => reader.read(out)?,
            Source::Snappy(reader) => reader.read(out, self.left_bytes, self.limit_bytes)?,
            Source::Lz4(reader) => reader.read(out)?,
            Source::Zstd(decoder) => decoder.read(out).map_err(|_| CompressError::Corrupt(self.codec))?,
        };
        let limit_bytes = self.limit_bytes;
        self.left_bytes = self.left_bytes.checked_sub(read).ok_or(CompressError::TooLarge { limit_bytes })?;
        Ok(read)
    }
}

/// gzip members one after the other. As for Java, bytes behind a member that do not begin another are ignored.
struct GzipReader<'a> {
    /// `None` at the end.
    member: Option<Box<flate2::bufread::GzDecoder<&'a [u8]>>>,
    is_first: bool,
}

impl<'a> GzipReader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { member: Some(Box::new(flate2::bufread::GzDecoder::new(bytes))), is_first: true }
    }

    fn read(&mut self, out: &mut [u8]) -> Result<usize, CompressError> {
        if out.is_empty() {
            return Ok(0);
        }
        while let Some(member) = &mut self.member {
            match member.read(out) {
                Ok(0) => {
                    let rest = self.member.take().map_or(&[][..], |member| member.into_inner());
                    self.is_first = false;
                    if !rest.is_empty() {
                        self.member = Some(Box::new(flate2::bufread::GzDecoder::new(rest)));
                    }
                }
                Ok(read) => return Ok(read),
                Err(_) if !self.is_first && member.header().is_none() => self.member = None,
                Err(_) => return Err(CompressError::Corrupt(Codec::Gzip)),
            }
        }
        Ok(0)
    }
}

/// One LZ4 frame. Kafka's Java reader ends at the frame's end mark and reads independent blocks alone.
struct Lz4Reader<'a> {
    /// `None` at the end.
    decoder: Option<lz4::Decoder<&'a [u8]>>,
}

impl<'a> Lz4Reader<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self, CompressError> {
        const MAGIC: [u8; 4] = 0x184D_2204_u32.to_le_bytes();
        // Version 01, blocks independent, and the two reserved bits (one has become "dictionary") clear.
        const FLAGS_MASK: u8 = 0b1110_0011;
        const FLAGS_WANTED: u8 = 0b0110_0000;
        let corrupt = CompressError::Corrupt(Codec::Lz4);
        let flags = bytes.strip_prefix(&MAGIC).and_then(<[u8]>::first).ok_or(corrupt)?;
        if flags & FLAGS_MASK != FLAGS_WANTED {
            return Err(corrupt);
        }
        Ok(Self { decoder: Some(lz4::Decoder::new(bytes).map_err(|_| corrupt)?) })
    }

    fn read(&mut self, out: &mut [u8]) -> Result<usize, CompressError> {
        let corrupt = CompressError::Corrupt(Codec::Lz4);
        let Some(decoder) = self.decoder.as_mut().filter(|_| !out.is_empty()) else { return Ok(0) };
        let read = decoder.read(out).map_err(|_| corrupt)?;
        if read == 0
            && let Some(decoder) = self.decoder.take()
        {
            // The decoder also gives 0 where the bytes end inside the frame; it then cannot finish.
            decoder.finish().1.map_err(|_| corrupt)?;
        }
        Ok(read)
    }
}
