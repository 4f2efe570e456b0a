//! The sparse indexes of a segment, in Kafka's bytes: `.index` (relative offset of a batch's last record → the batch's
//! position) and `.timeindex` (largest timestamp so far → relative offset). Entries are found with positioned reads; the
//! newest of an active segment wait in memory until enough of them make a write worth it.

use std::io::{self, IoSlice};

use super::bytes::{i32_at, i64_at};
use super::scan::{Wait, read};
use super::storage::{StoredFile, write_full};

/// Bytes of an entry of `.index`.
pub(crate) const OFFSET_ENTRY_BYTES: usize = 8;
/// Bytes of an entry of `.timeindex`.
pub(crate) const TIME_ENTRY_BYTES: usize = 12;
/// Entries that wait in memory before they are written.
const TAIL_ENTRIES: usize = 32;
/// Entries of a range that is read at once instead of being halved further.
const BLOCK_ENTRIES: u64 = 256;

/// An entry of an index file; entries rise in every field.
pub(crate) trait Entry: Copy {
    const BYTES: usize;
    fn decode(bytes: &[u8]) -> Option<Self>;
    fn encode_into(self, out: &mut Vec<u8>);
}

/// An entry of `.index`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OffsetEntry {
    /// Offset of the batch's last record, less the segment's base offset.
    pub(crate) relative: i32,
    /// The batch's position in the `.log` file.
    pub(crate) position: u32,
}

impl Entry for OffsetEntry {
    const BYTES: usize = OFFSET_ENTRY_BYTES;

    fn decode(bytes: &[u8]) -> Option<Self> {
        Some(Self { relative: i32_at(bytes, 0)?, position: u32::try_from(i32_at(bytes, 4)?).ok()? })
    }

    fn encode_into(self, out: &mut Vec<u8>) {
        out.extend(self.relative.to_be_bytes());
        out.extend(self.position.to_be_bytes());
    }
}

/// An entry of `.timeindex`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeEntry {
    /// The largest timestamp of the segment so far, in milliseconds.
    pub(crate) timestamp: i64,
    /// Offset of the last record of the batch that has it, less the segment's base offset.
    pub(crate) relative: i32,
}

impl Entry for TimeEntry {
    const BYTES: usize = TIME_ENTRY_BYTES;

    fn decode(bytes: &[u8]) -> Option<Self> {
        Some(Self { timestamp: i64_at(bytes, 0)?, relative: i32_at(bytes, 8)? })
    }

    fn encode_into(self, out: &mut Vec<u8>) {
        out.extend(self.timestamp.to_be_bytes());
        out.extend(self.relative.to_be_bytes());
    }
}

/// The bytes of `entries`.
pub(crate) fn encode<E: Entry>(entries: &[E]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(entries.len().saturating_mul(E::BYTES));
    for entry in entries {
        entry.encode_into(&mut bytes);
    }
    bytes
}

/// Entry number `number` of a file.
pub(crate) fn entry_at<E: Entry>(file: &dyn StoredFile, number: u64, wait: Wait) -> io::Result<Option<E>> {
    let mut bytes = [0; 16];
    let Some(slot) = bytes.get_mut(..E::BYTES) else { return Ok(None) };
    let count = read(file, slot, number.saturating_mul(E::BYTES as u64), wait)?;
    Ok(if count == E::BYTES { E::decode(slot) } else { None })
}

/// The last of the first `count` entries of a file for which `at_most` holds; it must hold for a beginning of them
/// and for none after.
pub(crate) fn floor<E: Entry>(
    file: &dyn StoredFile,
    count: u64,
    wait: Wait,
    at_most: impl Fn(&E) -> bool,
) -> io::Result<Option<E>> {
    let (mut low, mut high) = (0, count);
    while high.saturating_sub(low) > BLOCK_ENTRIES {
        let middle = low.midpoint(high);
        match entry_at::<E>(file, middle, wait)? {
            Some(entry) if at_most(&entry) => low = middle,
            _ => high = middle,
        }
    }
    let entries = usize::try_from(high.saturating_sub(low)).unwrap_or_default();
    let mut block = vec![0; entries.saturating_mul(E::BYTES)];
    let read = read(file, &mut block, low.saturating_mul(E::BYTES as u64), wait)?;
    block.truncate(read);
    Ok(block.chunks_exact(E::BYTES).filter_map(E::decode).take_while(|entry| at_most(entry)).last())
}

/// The last of `entries` for which `at_most` holds.
fn floor_in<E: Entry>(entries: &[E], at_most: impl Fn(&E) -> bool) -> Option<E> {
    let after = entries.partition_point(at_most);
    entries.get(after.checked_sub(1)?).copied()
}

/// One index of one segment: how many entries the file holds, and those that wait in memory behind them.
#[derive(Debug)]
pub(crate) struct Index<E> {
    /// Entries in the file; `None` until somebody asked the file.
    on_disk: Option<u64>,
    tail: Vec<E>,
}

impl<E: Entry> Index<E> {
    /// The index of a segment whose file was not looked at yet.
    pub(crate) const fn unknown() -> Self {
        Self { on_disk: None, tail: Vec::new() }
    }

    /// An index whose file holds `on_disk` entries.
    pub(crate) const fn with_entries(on_disk: u64) -> Self {
        Self { on_disk: Some(on_disk), tail: Vec::new() }
    }

    /// Entries in file and memory, as far as known.
    pub(crate) fn len(&self) -> u64 {
        self.on_disk.unwrap_or(0).saturating_add(self.tail.len() as u64)
    }

    /// Adds an entry in memory.
    pub(crate) fn push(&mut self, entry: E) {
        self.tail.push(entry);
    }

    /// Whether enough entries wait for a write.
    pub(crate) fn is_write_due(&self) -> bool {
        self.tail.len() >= TAIL_ENTRIES
    }

    /// Whether any entry waits for a write.
    pub(crate) fn is_write_pending(&self) -> bool {
        !self.tail.is_empty()
    }

    /// Writes the waiting entries behind those in the file. On failure they keep waiting; what was written is written
    /// over next time.
    pub(crate) fn write(&mut self, file: &dyn StoredFile) -> io::Result<()> {
        let on_disk = match self.on_disk {
            Some(count) => count,
            None => whole_entries::<E>(file.len_bytes()?),
        };
        let bytes = encode(&self.tail);
        write_full(file, &mut [IoSlice::new(&bytes)], on_disk.saturating_mul(E::BYTES as u64))?;
        self.on_disk = Some(on_disk.saturating_add(self.tail.len() as u64));
        // Idle partitions keep no buffer.
        self.tail = Vec::new();
        Ok(())
    }

    /// The last entry for which `at_most` holds, when it waits in memory; `Err` holds the entries of the file to look
    /// among (`None` when the file has to be asked for its length).
    pub(crate) fn floor_in_memory(&self, at_most: impl Fn(&E) -> bool) -> Result<E, Option<u64>> {
        floor_in(&self.tail, at_most).ok_or(self.on_disk)
    }

    /// Notes the number of entries in the file, unless it is known.
    pub(crate) fn learn(&mut self, on_disk: u64) {
        self.on_disk.get_or_insert(on_disk);
    }
}

/// The whole entries in a file of `bytes`.
pub(crate) fn whole_entries<E: Entry>(bytes: u64) -> u64 {
    bytes.checked_div(E::BYTES as u64).unwrap_or(0)
}

/// The number of entries in a file; `known` when it was looked up before.
pub(crate) fn entries<E: Entry>(file: &dyn StoredFile, known: Option<u64>) -> io::Result<u64> {
    known.map_or_else(|| file.len_bytes().map(whole_entries::<E>), Ok)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::storage::{Access, Disk, Storage};

    fn file_of(entries: &[OffsetEntry]) -> (tempfile::TempDir, std::sync::Arc<dyn StoredFile>) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("0.index");
        std::fs::write(&path, encode(entries)).unwrap();
        let file = Disk.open(&path, Access::Existing).unwrap();
        (dir, file)
    }

    #[test]
    fn entries_have_kafkas_bytes() {
        assert_eq!(
            encode(&[OffsetEntry { relative: 0x3b, position: 0x1182 }]),
            [0, 0, 0, 0x3b, 0, 0, 0x11, 0x82]
        );
        let time = TimeEntry { timestamp: 0x018b_cfe5_6929, relative: 0x63 };
        assert_eq!(encode(&[time]), [0, 0, 0x01, 0x8b, 0xcf, 0xe5, 0x69, 0x29, 0, 0, 0, 0x63]);
        assert_eq!(TimeEntry::decode(&encode(&[time])), Some(time));
    }

    #[test]
    fn the_floor_is_found_among_few_and_many_entries() {
        for count in [0, 1, 2, 255, 256, 257, 1000, 5000] {
            let entries: Vec<OffsetEntry> =
                (0..count).map(|n| OffsetEntry { relative: n * 10 + 5, position: n as u32 + 1 }).collect();
            let (_dir, file) = file_of(&entries);
            for target in [0, 4, 5, 6, 14, 15, 2559, 2560, 2565, 49_995, 60_000] {
                let found =
                    floor::<OffsetEntry>(&*file, count as u64, Wait::Yes, |e| e.relative <= target).unwrap();
                let expected = entries.iter().rfind(|e| e.relative <= target).copied();
                assert_eq!(found, expected, "{count} entries, {target}");
            }
        }
    }

    #[test]
    fn waiting_entries_are_found_and_then_written_behind_the_others() {
        let entry = |n: i32| OffsetEntry { relative: n, position: n as u32 };
        let (_dir, file) = file_of(&[entry(1), entry(2)]);
        let mut index = Index::<OffsetEntry>::with_entries(2);
        index.push(entry(5));
        index.push(entry(9));
        assert_eq!(index.floor_in_memory(|e| e.relative <= 8), Ok(entry(5)));
        assert_eq!(index.floor_in_memory(|e| e.relative <= 4), Err(Some(2)));
        index.write(&*file).unwrap();
        assert_eq!((index.len(), index.is_write_pending()), (4, false));
        assert_eq!(floor::<OffsetEntry>(&*file, 4, Wait::Yes, |_| true).unwrap(), Some(entry(9)));
    }
}
