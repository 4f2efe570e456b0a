//! Producer state at start: the newest good snapshot, the batches behind it, and the older batches of each producer's
//! window, which a snapshot does not hold.

use std::collections::BTreeMap;
use std::io;

use super::check::producer_of;
use super::error::{LogError, ReadError};
use super::index::{OffsetEntry, floor, whole_entries};
use super::names::FileKind;
use super::producers::{BatchMeta, WINDOW_BATCHES};
use super::recovery::Loading;
use super::scan::{ScanError, Scanner, Wait};
use super::segment::{Segment, floor_index};
use super::snapshot::{self, SNAPSHOT_BYTES_MAX};
use super::storage::read_file;
use std::sync::Arc;

/// Bytes at the log's end that are searched for the batches of producers' windows.
const WINDOW_SEARCH_BYTES: u64 = 8 * 1024 * 1024;

impl Loading<'_> {
    /// Brings the producer state to `upto` with the segments loaded so far. After a clean stop a log without any
    /// snapshot has no producers (Kafka's rule), and nothing is read.
    pub(crate) fn restore_producers(&mut self, upto: i64, clean: bool) -> Result<(), LogError> {
        let had_snapshots = !self.snapshots.is_empty();
        let restored = self.restore_snapshot(upto)?;
        if let Some(from) = restored {
            self.producers.expire(self.now.wall_ms, self.spec.producer_id_expiration_ms);
            return self.replay(from, upto);
        }
        if clean && !had_snapshots { Ok(()) } else { self.replay(self.spec.log_start.0, upto) }
    }

    /// Loads the newest good snapshot at or below `upto` and returns its offset; bad ones are removed.
    fn restore_snapshot(&mut self, upto: i64) -> Result<Option<i64>, LogError> {
        let candidates: Vec<i64> = self.snapshots.iter().copied().filter(|&offset| offset <= upto).collect();
        for offset in candidates.into_iter().rev() {
            let path = self.reader.file_path(offset, FileKind::Snapshot);
            let reason = match read_file(&*self.reader.context.storage, &path, SNAPSHOT_BYTES_MAX) {
                Err(error) if error.kind() == io::ErrorKind::FileTooLarge => "is too large",
                Err(error) => return Err(LogError::io(&path)(error)),
                Ok(bytes) => match snapshot::decode(&bytes) {
                    Ok(state) => {
                        self.producers = state;
                        return Ok(Some(offset));
                    }
                    Err(reason) => reason,
                },
            };
            tracing::warn!(path = %path.display(), "removed a producer snapshot: it {reason}");
            self.remove_snapshot(offset);
        }
        Ok(None)
    }

    /// Applies the loaded segments' batches from `from` to `upto` to the producer state.
    fn replay(&mut self, from: i64, upto: i64) -> Result<(), LogError> {
        if from >= upto {
            return Ok(());
        }
        let segments = self.segments.clone();
        for segment in segments.iter().skip(floor_index(&segments, from)).take_while(|s| s.base < upto) {
            let path = self.reader.file_path(segment.base, FileKind::Log);
            let file = self.reader.file(segment.base, FileKind::Log).map_err(LogError::io(&path))?;
            let position = match self.reader.floor_position(segment, from, Wait::Yes) {
                Ok(position) if from > segment.base => position.unwrap_or(0),
                _ => 0,
            };
            let mut scanner = Scanner::new(&*file, position, segment.size(), Wait::Yes);
            match self.replay_segment(&mut scanner, from, upto) {
                Ok(()) => {}
                Err(ScanError::Io(error)) => return Err(LogError::io(&path)(error)),
                // Below the recovery point nothing is cut: what can be read stays readable.
                Err(ScanError::Invalid(reason)) => tracing::warn!(
                    path = %path.display(), position = scanner.position(),
                    "producer state may be incomplete: bytes before the recovery point {reason}"
                ),
            }
        }
        Ok(())
    }

    fn replay_segment(&mut self, scanner: &mut Scanner<'_>, from: i64, upto: i64) -> Result<(), ScanError> {
        while let Some(scanned) = scanner.next_header()? {
            let header = &scanned.header;
            if header.base_offset >= upto {
                break;
            }
            if header.base_offset < from || !header.has_producer() {
                continue;
            }
            let bytes = if header.is_control() { scanner.whole(&scanned)? } else { &[] };
            if let Some(producer) = producer_of(header, bytes) {
                self.producers.apply(&producer, header.base_offset);
            }
        }
        Ok(())
    }

    /// Gives producers of whom only the last batch is known the batches before it, as far as the log's last bytes hold
    /// them: a client repeats any of its last five.
    pub(crate) fn refill_windows(&mut self) -> Result<(), LogError> {
        let lacking: BTreeMap<i64, i16> = self
            .producers
            .producers()
            .iter()
            .filter(|(_, entry)| (1..WINDOW_BATCHES).contains(&entry.window().len()))
            .map(|(&id, entry)| (id, entry.epoch))
            .collect();
        if lacking.is_empty() {
            return Ok(());
        }
        let mut found: BTreeMap<i64, Vec<BatchMeta>> = BTreeMap::new();
        for (segment, position) in self.last_places()? {
            self.collect_windows(&segment, position, &lacking, &mut found)?;
        }
        for (id, older) in found {
            self.producers.refill(id, &older);
        }
        Ok(())
    }

    /// The segments of the log's last bytes with the position from which to read them, oldest first.
    fn last_places(&self) -> Result<Vec<(Arc<Segment>, u64)>, LogError> {
        let mut left = WINDOW_SEARCH_BYTES;
        let mut places = Vec::new();
        for segment in self.segments.iter().rev() {
            let size = segment.size();
            let position =
                if size > left { self.indexed_before(segment, size.saturating_sub(left))? } else { 0 };
            places.push((Arc::clone(segment), position));
            left = left.saturating_sub(size);
            if left == 0 {
                break;
            }
        }
        places.reverse();
        Ok(places)
    }

    /// The last indexed position of a segment at or before `position`.
    fn indexed_before(&self, segment: &Segment, position: u64) -> Result<u64, LogError> {
        let path = self.reader.file_path(segment.base, FileKind::OffsetIndex);
        let file = self.reader.file(segment.base, FileKind::OffsetIndex).map_err(LogError::io(&path))?;
        let entries = file.len_bytes().map(whole_entries::<OffsetEntry>).map_err(LogError::io(&path))?;
        let entry =
            floor(&*file, entries, Wait::Yes, |entry: &OffsetEntry| u64::from(entry.position) <= position);
        Ok(entry.map_err(LogError::io(&path))?.map_or(0, |entry| u64::from(entry.position)))
    }

    fn collect_windows(
        &self,
        segment: &Segment,
        position: u64,
        lacking: &BTreeMap<i64, i16>,
        found: &mut BTreeMap<i64, Vec<BatchMeta>>,
    ) -> Result<(), LogError> {
        let path = self.reader.file_path(segment.base, FileKind::Log);
        let file = self.reader.file(segment.base, FileKind::Log).map_err(LogError::io(&path))?;
        let mut scanner = Scanner::new(&*file, position, segment.size(), Wait::Yes);
        loop {
            let header = match scanner.next_header() {
                Ok(Some(scanned)) => scanned.header,
                // A wrong index costs a window, no more.
                Ok(None) | Err(ScanError::Invalid(_)) => return Ok(()),
                Err(ScanError::Io(error)) => return Err(LogError::io(&path)(error)),
            };
            if header.is_control() || lacking.get(&header.producer_id) != Some(&header.producer_epoch) {
                continue;
            }
            let older = found.entry(header.producer_id).or_default();
            older.push(BatchMeta {
                last_sequence: header.last_sequence(),
                last_offset: header.last_offset(),
                offset_delta: header.last_offset_delta,
                timestamp: header.max_timestamp,
            });
            if older.len() > WINDOW_BATCHES {
                older.remove(0);
            }
        }
    }

    /// Removes snapshots of offsets that the log does not reach.
    pub(crate) fn drop_snapshots_above(&mut self, end: i64) {
        let above = self.snapshots.split_off(self.snapshots.partition_point(|&offset| offset <= end));
        for offset in above {
            self.remove_snapshot(offset);
        }
    }

    /// Removes snapshots that stand at no segment's base, but the newest.
    pub(crate) fn drop_stray_snapshots(&mut self) {
        let newest = self.snapshots.last().copied();
        let bases: Vec<i64> = self.segments.iter().map(|segment| segment.base).collect();
        let is_stray = |offset: &i64| Some(*offset) != newest && bases.binary_search(offset).is_err();
        for offset in self.snapshots.clone().into_iter().filter(is_stray) {
            self.remove_snapshot(offset);
        }
    }

    fn remove_snapshot(&mut self, offset: i64) {
        self.snapshots.retain(|&known| known != offset);
        let path = self.reader.file_path(offset, FileKind::Snapshot);
        if let Err(error) = self.reader.context.storage.remove_file(&path) {
            tracing::warn!(path = %path.display(), %error, "cannot remove a producer snapshot");
        }
    }
}

impl From<ReadError> for LogError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Io { path, error } => Self::Io { path, error },
            ReadError::Corrupt { path, position } => {
                Self::Corrupt { path, reason: format!("no batch at {position}") }
            }
            ReadError::OffsetOutOfRange { asked, start, end } => Self::OffsetOutOfRange { asked, start, end },
            ReadError::WouldBlock => {
                Self::Io { path: std::path::PathBuf::new(), error: io::ErrorKind::WouldBlock.into() }
            }
        }
    }
}
