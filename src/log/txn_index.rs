//! `<base>.txnindex`: the aborted transactions whose marker lies in a segment (Kafka's 34-byte entries). Pure.

use super::bytes::{i16_at, i64_at};

/// Bytes of one entry.
pub const TXN_ENTRY_BYTES: usize = 34;

/// An aborted transaction as the index holds it. A fetch gets those that overlap it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbortedTxn {
    /// The producer.
    pub producer_id: i64,
    /// The offset of the transaction's first record.
    pub first_offset: i64,
    /// The offset of the abort marker.
    pub last_offset: i64,
    /// The last stable offset once the marker was written.
    pub last_stable_offset: i64,
}

impl AbortedTxn {
    /// The entry's bytes: version 0, then the four numbers.
    pub fn encode(&self) -> [u8; TXN_ENTRY_BYTES] {
        let mut bytes = [0; TXN_ENTRY_BYTES];
        let numbers = [self.producer_id, self.first_offset, self.last_offset, self.last_stable_offset];
        let encoded = numbers.into_iter().flat_map(i64::to_be_bytes);
        for (slot, byte) in bytes.iter_mut().skip(2).zip(encoded) {
            *slot = byte;
        }
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        if i16_at(bytes, 0)? != 0 {
            return None;
        }
        let entry = Self {
            producer_id: i64_at(bytes, 2)?,
            first_offset: i64_at(bytes, 10)?,
            last_offset: i64_at(bytes, 18)?,
            last_stable_offset: i64_at(bytes, 26)?,
        };
        (entry.first_offset >= 0 && entry.last_offset >= entry.first_offset).then_some(entry)
    }

    /// Whether the transaction has a record or its marker in `from..upper`.
    pub fn overlaps(&self, from: i64, upper: i64) -> bool {
        self.last_offset >= from && self.first_offset < upper
    }
}

/// Reads a whole file; `None` when an entry makes no sense or lies below `base`. Bytes after the last whole entry are
/// ignored.
pub fn parse(bytes: &[u8], base: i64) -> Option<Vec<AbortedTxn>> {
    bytes
        .chunks_exact(TXN_ENTRY_BYTES)
        .map(|entry| AbortedTxn::decode(entry).filter(|entry| entry.last_offset >= base))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: AbortedTxn =
        AbortedTxn { producer_id: 6, first_offset: 11, last_offset: 21, last_stable_offset: 22 };

    #[test]
    fn an_entry_has_kafkas_bytes() {
        let expected = [
            0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 11, 0, 0, 0, 0, 0, 0, 0, 21, 0, 0, 0, 0, 0, 0,
            0, 22,
        ];
        assert_eq!(ENTRY.encode(), expected);
        assert_eq!(parse(&expected, 10), Some(vec![ENTRY]));
        assert_eq!(parse(&expected[..33], 10), Some(vec![]));
        assert_eq!(parse(&expected, 22), None, "an entry below the segment's base is corrupt");
        assert_eq!(parse(&[1; 34], 0), None);
    }

    #[test]
    fn a_transaction_overlaps_a_range_that_holds_its_marker_or_its_first_record() {
        assert!(ENTRY.overlaps(21, 30) && ENTRY.overlaps(0, 12));
        assert!(!ENTRY.overlaps(22, 30) && !ENTRY.overlaps(0, 11));
    }
}
