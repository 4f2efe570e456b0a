//! Compression of a batch's records: the five codecs of Kafka's record format, bounded when opening.
//! Input is hostile: opening never allocates for what a header claims, and never beyond its limit plus a block.

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
    /// LZ4 frames.
    Lz4 = 3,
    /// Zstandard frames (KIP-110).
    Zstd = 4,
}

impl Codec {
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
