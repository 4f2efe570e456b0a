//! The records that are sent: each carries, in a header, which stream it is of and its number there, so that whoever reads
//! it knows who sent it, where to and after what.

use std::hash::{DefaultHasher, Hash, Hasher};

/// The header with the stream and the number.
pub(crate) const MARK: &str = "mark";

/// Which record it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Mark {
    /// One producer's records for one partition.
    pub(crate) stream: u32,
    /// From 0 on, in the order in which they are sent.
    pub(crate) number: u64,
}

impl Mark {
    /// As the header's value.
    pub(crate) fn encode(self) -> String {
        format!("{}:{}", self.stream, self.number)
    }

    /// From a header's value; `None` when it is none of ours.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (stream, number) = std::str::from_utf8(bytes).ok()?.split_once(':')?;
        Some(Self { stream: stream.parse().ok()?, number: number.parse().ok()? })
    }

    /// A value of `length` bytes that no other record has.
    pub(crate) fn value(self, length: usize) -> String {
        let mut value = self.encode();
        let mut state = u64::from(self.stream) << 32 ^ self.number ^ 0x9e37_79b9;
        while value.len() < length {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            value.push(char::from(b'a' + (state >> 33) as u8 % 26));
        }
        value
    }
}

/// What a record holds, as far as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) mark: Mark,
    /// A number for the key.
    pub(crate) key: Option<u64>,
    /// Whether the value is null.
    pub(crate) tombstone: bool,
    pub(crate) timestamp_ms: i64,
    /// Of key, value and timestamp.
    pub(crate) hash: u64,
}

impl Content {
    pub(crate) fn new(mark: Mark, key: Option<&[u8]>, value: Option<&[u8]>, timestamp_ms: i64) -> Self {
        let hash = hash(&(key, value, timestamp_ms));
        Self { mark, key: key.map(hash_of_key), tombstone: value.is_none(), timestamp_ms, hash }
    }
}

fn hash_of_key(key: &[u8]) -> u64 {
    hash(&key)
}

fn hash(what: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}
