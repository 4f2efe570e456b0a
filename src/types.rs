//! The field's identifiers as types, so that an offset is never mistaken for an epoch, and the clock that is
//! handed to everything that decides. This file relies on nothing above it.

use std::fmt;
use std::sync::Arc;

pub use kafka_protocol::error::ResponseError as ErrorCode;
use uuid::Uuid;

/// A record's position in a partition. `-1` stands for "unknown" on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset(pub i64);

impl Offset {
    /// The first offset of every new partition.
    pub const ZERO: Self = Self(0);
    /// "No offset" in Kafka's messages.
    pub const UNKNOWN: Self = Self(-1);

    /// This offset moved by `delta` records; stays at the ends of `i64` instead of wrapping.
    #[must_use]
    pub const fn plus(self, delta: i64) -> Self {
        Self(self.0.saturating_add(delta))
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The term of a partition's leader. `-1` stands for "unknown" on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaderEpoch(pub i32);

impl LeaderEpoch {
    /// "No epoch" in Kafka's messages.
    pub const UNKNOWN: Self = Self(-1);
}

impl fmt::Display for LeaderEpoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The id of an idempotent or transactional producer. `-1` stands for "none" in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProducerId(pub i64);

impl ProducerId {
    /// A batch of a producer without idempotence.
    pub const NONE: Self = Self(-1);
}

impl fmt::Display for ProducerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The id of a broker or controller node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub i32);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The id of a topic (KIP-516). It prints as Kafka prints it: URL-safe base64 without padding, 22 characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicId(pub Uuid);

const BASE64_URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl TopicId {
    /// "No id": what a request that names topics by name carries.
    pub const ZERO: Self = Self(Uuid::nil());

    /// A new random id. Like Kafka's, its text never begins with a dash, which would look like a command's flag.
    pub fn random() -> Self {
        loop {
            let id = Self(Uuid::new_v4());
            if !id.to_string().starts_with('-') {
                return id;
            }
        }
    }

    /// Reads the text form; `None` unless it is 22 base64 characters that hold 16 bytes.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 22 {
            return None;
        }
        let mut value: u128 = 0;
        for (index, byte) in text.bytes().enumerate() {
            let digit = BASE64_URL.iter().position(|&c| c == byte)? as u128;
            // 22 digits carry 132 bits; the last 4 have to be zero.
            value = if index == 21 {
                if digit & 0xf != 0 {
                    return None;
                }
                (value << 2) | (digit >> 4)
            } else {
                (value << 6) | digit
            };
        }
        Some(Self(Uuid::from_u128(value)))
    }
}

impl fmt::Display for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.0.as_u128();
        for index in 0..22 {
            let digit = if index == 21 { (value << 4) & 0x3f } else { (value >> (122 - 6 * index)) & 0x3f };
            let digit = BASE64_URL.get(digit as usize).copied().unwrap_or(b'A');
            write!(f, "{}", char::from(digit))?;
        }
        Ok(())
    }
}

/// A topic's name; shared, so that it is cloned without copying.
pub type TopicName = Arc<str>;

/// One partition of a topic, by name. It prints as Kafka prints it: `orders-0`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// The topic's name.
    pub topic: TopicName,
    /// The partition's index, from 0.
    pub partition: i32,
}

impl TopicPartition {
    /// The partition `partition` of `topic`.
    pub fn new(topic: impl Into<TopicName>, partition: i32) -> Self {
        Self { topic: topic.into(), partition }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

/// A moment, read once and handed in: pure code never reads a clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Monotonic milliseconds since an arbitrary start: for deadlines.
    pub mono_ms: i64,
    /// Milliseconds since the Unix epoch: for timestamps that are stored or sent.
    pub wall_ms: i64,
}

impl Now {
    /// This moment moved on by `ms` on both clocks.
    #[must_use]
    pub const fn after_ms(self, ms: i64) -> Self {
        Self { mono_ms: self.mono_ms.saturating_add(ms), wall_ms: self.wall_ms.saturating_add(ms) }
    }
}

/// Where the moment comes from: the system's clocks in `server`, a counter in tests.
pub trait Clock: Send + Sync + 'static {
    /// The moment of the call.
    fn now(&self) -> Now;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_id_prints_and_parses_as_kafka_does() {
        let id = TopicId::parse("B6G_RwcNSD6o6trLeAETPg").unwrap();
        assert_eq!(id.to_string(), "B6G_RwcNSD6o6trLeAETPg");
        assert_eq!(TopicId::ZERO.to_string(), "A".repeat(22));
        for bad in ["", "B6G_RwcNSD6o6trLeAETPgA", "B6G_RwcNSD6o6trLeAETP+", "B6G_RwcNSD6o6trLeAETPh"] {
            assert_eq!(TopicId::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_random_topic_id_never_begins_with_a_dash() {
        for _ in 0..500 {
            let id = TopicId::random();
            assert!(!id.to_string().starts_with('-'));
            assert_eq!(TopicId::parse(&id.to_string()), Some(id));
        }
    }
}
