//! Key → newest offset for the dirty part of a log, in bounded memory: the key is 16 bytes of a keyed hash, so that
//! nobody can make two keys that count as one. Pure but for the hash's key, which is random.

use std::num::NonZeroUsize;

use siphasher::sip128::SipHasher24;
use uuid::Uuid;

/// Bytes of an entry, as in Kafka's map: the hash and the offset.
pub(crate) const ENTRY_BYTES: usize = 24;

/// Hash (two halves), and the offset plus 1; 0 there is an empty slot.
type Slot = [u64; 3];

/// See the module.
#[derive(Debug)]
pub(crate) struct OffsetMap {
    slots: Vec<Slot>,
    slots_count: NonZeroUsize,
    entries: usize,
    entries_max: usize,
    key: (u64, u64),
    /// The last offset that the map speaks of; -1 when it speaks of none.
    latest: i64,
}

/// The map holds as many keys as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl OffsetMap {
    /// A map of at most `bytes`, filled up to the share `load_factor`, with room for no more than `keys` keys. There is
    /// always room for one.
    pub(crate) fn new(bytes: u64, load_factor: f64, keys: u64) -> Self {
        let slots_max = usize::try_from(bytes).unwrap_or(usize::MAX).div_euclid(ENTRY_BYTES).max(2);
        let load_factor = load_factor.clamp(0.01, 0.95);
        let needed = (keys as f64 / load_factor) as usize;
        let slots_count = needed.saturating_add(2).min(slots_max);
        let entries_max = ((slots_count as f64 * load_factor) as usize).max(1);
        Self {
            // Zeros come from the system untouched: memory is used as keys arrive.
            slots: vec![[0; 3]; slots_count],
            slots_count: NonZeroUsize::new(slots_count).unwrap_or(NonZeroUsize::MIN),
            entries: 0,
            entries_max,
            key: Uuid::new_v4().as_u64_pair(),
            latest: -1,
        }
    }

    /// Notes that `key`'s newest record is at `offset`, 0 or more. Fails, and changes nothing, when the map is full.
    pub(crate) fn put(&mut self, key: &[u8], offset: i64) -> Result<(), Full> {
        if self.entries >= self.entries_max {
            return Err(Full);
        }
        let (first, second) = self.hash(key);
        let index = self.find(first, second);
        let Some(slot) = self.slots.get_mut(index) else { return Err(Full) };
        if slot.last() == Some(&0) {
            self.entries = self.entries.saturating_add(1);
        }
        *slot = [first, second, offset.cast_unsigned().wrapping_add(1)];
        self.latest = offset;
        Ok(())
    }

    /// The newest offset of `key`; `None` for a key that was not put.
    pub(crate) fn get(&self, key: &[u8]) -> Option<i64> {
        let (first, second) = self.hash(key);
        let [.., stored] = self.slots.get(self.find(first, second))?;
        stored.checked_sub(1).map(u64::cast_signed)
    }

    /// Notes that the map speaks of all records up to `offset`.
    pub(crate) fn set_latest(&mut self, offset: i64) {
        self.latest = offset;
    }

    /// The last offset that the map speaks of.
    pub(crate) fn latest(&self) -> i64 {
        self.latest
    }

    fn hash(&self, key: &[u8]) -> (u64, u64) {
        let (first, second) = self.key;
        let hash = SipHasher24::new_with_keys(first, second).hash(key);
        (hash.h1, hash.h2)
    }

    /// The slot of a hash, or the empty one where it belongs. There is always an empty one: a map never fills up.
    fn find(&self, first: u64, second: u64) -> usize {
        let count = self.slots_count;
        let mut index = usize::try_from(first).unwrap_or_default() % count;
        while let Some(slot) = self.slots.get(index) {
            if slot.last() == Some(&0) || slot.starts_with(&[first, second]) {
                break;
            }
            index = index.wrapping_add(1) % count;
        }
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_offset_of_each_key_is_found() {
        let mut map = OffsetMap::new(1 << 20, 0.9, 10_000);
        for offset in 0..20_000_i64 {
            map.put(&(offset % 7_000).to_be_bytes(), offset).unwrap();
        }
        assert_eq!((map.entries, map.latest()), (7_000, 19_999));
        for key in 0..7_000_i64 {
            let newest = if key < 6_000 { key + 14_000 } else { key + 7_000 };
            assert_eq!(map.get(&key.to_be_bytes()), Some(newest));
        }
        assert_eq!(map.get(b"other"), None);
    }

    #[test]
    fn a_full_map_takes_no_more_and_keeps_what_it_has() {
        let mut map = OffsetMap::new(100 * ENTRY_BYTES as u64, 0.5, 1_000_000);
        let taken = (0..1000_i64).take_while(|n| map.put(&n.to_be_bytes(), *n).is_ok()).count();
        assert_eq!((taken, map.entries, map.latest()), (50, 50, 49));
        assert_eq!(
            map.put(&3_i64.to_be_bytes(), 60),
            Err(Full),
            "as in Kafka a key that is there counts, too"
        );
        assert!((0..50_i64).all(|n| map.get(&n.to_be_bytes()) == Some(n)));
        assert_eq!(map.get(&50_i64.to_be_bytes()), None);
    }

    #[test]
    fn a_map_is_no_larger_than_it_needs_and_never_empty() {
        assert_eq!(OffsetMap::new(128 << 20, 0.9, 90).slots.len(), 102);
        let mut least = OffsetMap::new(0, 0.0, 0);
        assert_eq!(least.put(b"a", 0), Ok(()));
        assert_eq!((least.put(b"b", 1), least.get(b"a"), least.get(b"b")), (Err(Full), Some(0), None));
    }
}
