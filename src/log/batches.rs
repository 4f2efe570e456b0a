//! Whole batches from a known place of a segment, read piece by piece into lent buffers: never more than the limits and
//! the last piece ask for. The headers alone are looked at; what they claim is checked against what is there.

use std::io;
use std::sync::Arc;

use bytes::Bytes;

use super::buffers::{BUFFER_BYTES, Buffer, Buffers};
use super::scan::{ScanError, Wait, read};
use super::storage::StoredFile;
use crate::wire::batch::{BatchHeader, HEADER_BYTES};
use crate::wire::slices::Slices;

/// A piece of so many bytes is allocated as it is: a lent buffer would hold four times as much, or more.
const OWN_BYTES_MAX: usize = 64 * 1024;

/// Reads whole batches from a known place.
pub(super) struct Batches<'a> {
    pub(super) file: &'a dyn StoredFile,
    pub(super) buffers: &'a Arc<Buffers>,
    pub(super) wait: Wait,
    pub(super) from: i64,
    pub(super) upper: i64,
    pub(super) max_bytes: usize,
    pub(super) min_one: bool,
}

/// What was read.
pub(super) struct Taken {
    pub(super) records: Slices,
    /// The offset behind the last batch, when there is one.
    pub(super) next: Option<i64>,
}

/// How far the batches go that are to be returned.
#[derive(Default)]
struct Walk {
    /// Bytes up to the end of the last batch within the limits, read or not.
    end: usize,
    next: Option<i64>,
    /// Bytes of those batches of which all is read.
    whole: usize,
    whole_next: Option<i64>,
    /// The next batch is not to be returned.
    is_over: bool,
}

impl Batches<'_> {
    /// Reads at `position` of a segment that has `size` bytes.
    pub(super) fn take(&self, position: u64, size: u64) -> Result<Taken, ScanError> {
        let left = usize::try_from(size.saturating_sub(position)).unwrap_or(usize::MAX);
        let mut pieces = Pieces::default();
        let mut walk = Walk::default();
        let mut is_all_there = true;
        while is_all_there && !walk.is_over && !(walk.whole > 0 && self.buffers.is_short()) {
            let wanted = self.max_bytes.max(walk.end).max(HEADER_BYTES).min(left);
            let wanted = wanted.saturating_sub(pieces.bytes);
            if wanted == 0 {
                break;
            }
            is_all_there = self.read_piece(&mut pieces, wanted, position)?;
            self.go_on(&mut walk, &pieces, left)?;
        }
        if walk.whole == 0 && (walk.end > 0 || !walk.is_over) && pieces.bytes > 0 {
            return Err(self.missing());
        }
        Ok(Taken { records: pieces.into_slices(walk.whole), next: walk.whole_next })
    }

    /// Looks at the headers that are there.
    fn go_on(&self, walk: &mut Walk, pieces: &Pieces, left: usize) -> Result<(), ScanError> {
        loop {
            if walk.end <= pieces.bytes {
                (walk.whole, walk.whole_next) = (walk.end, walk.next);
            }
            let is_first = walk.end == 0;
            let header = match pieces.header_at(walk.end) {
                Ok(Some(header)) if self.is_next(walk, &header) => header,
                Ok(None) => return Ok(()),
                Err(error) if is_first => return Err(error),
                Ok(Some(_)) if is_first => {
                    return Err(ScanError::Invalid("hold other offsets than expected"));
                }
                // What stands before it can be read; whoever asks for what is behind gets the error.
                _ => {
                    walk.is_over = true;
                    return Ok(());
                }
            };
            let end = walk.end.saturating_add(header.size_bytes());
            let fits = end <= self.max_bytes || (is_first && self.min_one);
            if header.last_offset() >= self.upper || !fits {
                walk.is_over = true;
                return Ok(());
            }
            if end > left {
                if is_first {
                    return Err(ScanError::Invalid("end before the batch does"));
                }
                walk.is_over = true;
                return Ok(());
            }
            walk.end = end;
            walk.next = Some(header.last_offset().saturating_add(1));
        }
    }

    /// Whether a batch may stand where the walk has come to.
    fn is_next(&self, walk: &Walk, header: &BatchHeader) -> bool {
        header.last_offset() >= self.from && walk.next.is_none_or(|next| header.base_offset >= next)
    }

    /// Reads up to `wanted` bytes more; `false` when fewer were there than should be.
    fn read_piece(&self, pieces: &mut Pieces, wanted: usize, position: u64) -> Result<bool, ScanError> {
        let len = wanted.min(BUFFER_BYTES);
        let position = position.saturating_add(pieces.bytes as u64);
        let mut piece =
            if len <= OWN_BYTES_MAX { Piece::Own(vec![0; len]) } else { Piece::Lent(self.buffers.take()) };
        let count = match read(self.file, piece.space(len), position, self.wait) {
            // What came before is answer enough.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && pieces.bytes > 0 => 0,
            other => other.map_err(ScanError::Io)?,
        };
        piece.set_len(count);
        pieces.push(piece);
        Ok(count == len)
    }

    /// The file has fewer bytes than it should; without waiting, the rest is only not in memory.
    fn missing(&self) -> ScanError {
        match self.wait {
            Wait::No => ScanError::Io(io::ErrorKind::WouldBlock.into()),
            Wait::Yes => ScanError::Invalid("end before the batch does"),
        }
    }
}

/// Bytes that were read at once.
enum Piece {
    Own(Vec<u8>),
    Lent(Buffer),
}

impl Piece {
    fn space(&mut self, len: usize) -> &mut [u8] {
        match self {
            Self::Own(bytes) => bytes.get_mut(..len).unwrap_or_default(),
            Self::Lent(buffer) => buffer.space(len),
        }
    }

    fn set_len(&mut self, len: usize) {
        match self {
            Self::Own(bytes) => bytes.truncate(len),
            Self::Lent(buffer) => buffer.set_len(len),
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Own(bytes) => bytes,
            Self::Lent(buffer) => buffer.as_ref(),
        }
    }

    /// The first `len` bytes, without keeping much more memory than they need where that is ours.
    fn into_slice(mut self, len: usize) -> Bytes {
        self.set_len(len);
        match self {
            Self::Own(mut bytes) => {
                if len < bytes.capacity() / 2 {
                    bytes.shrink_to_fit();
                }
                Bytes::from(bytes)
            }
            Self::Lent(buffer) => Bytes::from_owner(buffer),
        }
    }
}

/// Pieces that follow each other.
#[derive(Default)]
struct Pieces {
    list: Vec<Piece>,
    /// Bytes of all pieces.
    bytes: usize,
    /// Bytes before the last piece.
    before_last: usize,
}

impl Pieces {
    fn push(&mut self, piece: Piece) {
        self.before_last = self.bytes;
        self.bytes = self.bytes.saturating_add(piece.bytes().len());
        self.list.push(piece);
    }

    /// The header at `position`; `None` when not all of it is there.
    fn header_at(&self, position: usize) -> Result<Option<BatchHeader>, ScanError> {
        let in_last = position.checked_sub(self.before_last).zip(self.list.last());
        let whole = in_last.and_then(|(at, last)| last.bytes().get(at..at.checked_add(HEADER_BYTES)?));
        let mut gathered = [0; HEADER_BYTES];
        let header = match whole {
            Some(bytes) => bytes,
            None if self.gather(position, &mut gathered) => &gathered,
            None => return Ok(None),
        };
        BatchHeader::parse(header).map(Some).map_err(|_| ScanError::Invalid("are no batch header"))
    }

    /// Copies bytes that lie in several pieces; `false` when not all are there.
    fn gather(&self, position: usize, out: &mut [u8]) -> bool {
        if self.bytes.saturating_sub(position) < out.len() {
            return false;
        }
        let all = self.list.iter().flat_map(Piece::bytes);
        all.skip(position).zip(out).for_each(|(from, to)| *to = *from);
        true
    }

    fn into_slices(self, mut len: usize) -> Slices {
        let mut slices = Slices::default();
        for piece in self.list {
            let taken = piece.bytes().len().min(len);
            if taken > 0 {
                slices.push(piece.into_slice(taken));
            }
            len = len.saturating_sub(taken);
        }
        slices
    }
}

#[cfg(test)]
mod tests {
    use std::io::IoSlice;

    use proptest::prelude::*;

    use super::*;

    /// A file of which only the first bytes are in memory.
    #[derive(Debug)]
    struct PartlyCached {
        bytes: Vec<u8>,
        cached: usize,
    }

    impl StoredFile for PartlyCached {
        fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
            let rest = &self.bytes[self.bytes.len().min(position as usize)..];
            Ok(rest.iter().zip(buffer).map(|(from, to)| *to = *from).count())
        }

        fn read_at_nowait(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
            let left = self.cached.saturating_sub(position as usize).min(buffer.len());
            if left == 0 && !buffer.is_empty() {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.read_at(&mut buffer[..left], position)
        }

        fn write_at(&self, _: &[IoSlice<'_>], _: u64) -> io::Result<usize> {
            Err(io::ErrorKind::Unsupported.into())
        }

        fn sync_data(&self) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }

        fn set_len(&self, _: u64) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }

        fn len_bytes(&self) -> io::Result<u64> {
            Err(io::ErrorKind::Unsupported.into())
        }

        fn modified_ms(&self) -> io::Result<i64> {
            Err(io::ErrorKind::Unsupported.into())
        }

        fn set_modified_ms(&self, _: i64) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }

    /// The bytes of a batch of one record at `offset`; only its header makes sense.
    fn batch(offset: i64, size: usize) -> Vec<u8> {
        let mut bytes = vec![offset as u8; size];
        bytes[..8].clone_from_slice(&offset.to_be_bytes());
        bytes[8..12].clone_from_slice(&(size as i32 - 12).to_be_bytes());
        bytes[16] = 2;
        bytes[23..27].fill(0);
        bytes[57..61].clone_from_slice(&1_i32.to_be_bytes());
        bytes
    }

    fn file(sizes: &[usize]) -> PartlyCached {
        let bytes: Vec<u8> = (0..).zip(sizes).flat_map(|(offset, size)| batch(offset, *size)).collect();
        PartlyCached { cached: bytes.len(), bytes }
    }

    struct Asked {
        wait: Wait,
        upper: i64,
        max_bytes: usize,
        min_one: bool,
    }

    fn take(file: &PartlyCached, buffers: &Arc<Buffers>, asked: &Asked) -> Result<Taken, ScanError> {
        let Asked { wait, upper, max_bytes, min_one } = *asked;
        Batches { file, buffers, wait, from: 0, upper, max_bytes, min_one }.take(0, file.bytes.len() as u64)
    }

    /// How many batches, and how many bytes they have, a reader gets that looks at `available` bytes at once.
    fn expected(sizes: &[usize], asked: &Asked, available: usize) -> (i64, usize) {
        let (mut count, mut bytes) = (0, 0);
        for size in sizes.iter().take(asked.upper as usize) {
            let fits = bytes + size <= asked.max_bytes || (bytes == 0 && asked.min_one);
            if !fits || bytes + size > available {
                break;
            }
            (count, bytes) = (count + 1, bytes + size);
        }
        (count, bytes)
    }

    fn size() -> impl Strategy<Value = usize> {
        let near = |middle: usize| middle - 70..middle + 70;
        prop_oneof![
            61..100_usize,
            61..5_000_usize,
            near(BUFFER_BYTES),
            near(OWN_BYTES_MAX),
            100_000..400_000_usize
        ]
    }

    proptest! {
        #[test]
        fn whole_batches_within_the_limits_are_read_wherever_the_pieces_end(
            sizes in prop::collection::vec(size(), 1..12),
            max_bytes in prop_oneof![0..200_usize, 200..2_000_000_usize, Just(usize::MAX)],
            upper in 0..14_i64,
            min_one: bool,
        ) {
            let (file, buffers) = (file(&sizes), Arc::new(Buffers::default()));
            let asked = Asked { wait: Wait::Yes, upper, max_bytes, min_one };
            let taken = take(&file, &buffers, &asked).unwrap();
            let (count, bytes) = expected(&sizes, &asked, usize::MAX);
            prop_assert_eq!(taken.next, (count > 0).then_some(count));
            prop_assert_eq!(&taken.records.clone().into_bytes().unwrap()[..], &file.bytes[..bytes]);
        }

        #[test]
        fn without_waiting_what_is_in_memory_is_returned_or_nothing(
            sizes in prop::collection::vec(size(), 1..8),
            cached in 0..1_500_000_usize,
            max_bytes in 1..2_000_000_usize,
        ) {
            let mut file = file(&sizes);
            file.cached = cached.min(file.bytes.len());
            let asked = Asked { wait: Wait::No, upper: i64::MAX, max_bytes, min_one: true };
            let (count, bytes) = expected(&sizes, &asked, file.cached);
            match take(&file, &Arc::default(), &asked) {
                Ok(taken) => {
                    prop_assert!(count > 0);
                    prop_assert_eq!(taken.next, Some(count));
                    prop_assert_eq!(&taken.records.into_bytes().unwrap()[..], &file.bytes[..bytes]);
                }
                Err(ScanError::Io(error)) => {
                    prop_assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
                    prop_assert_eq!(count, 0);
                }
                Err(error) => prop_assert!(false, "{:?}", error),
            }
        }
    }

    #[test]
    fn a_read_ends_with_its_first_piece_while_memory_is_short() {
        let buffers = Arc::new(Buffers::default());
        let mut held = Vec::new();
        while !buffers.is_short() {
            held.push(buffers.take());
        }
        let file = file(&[100_000; 20]);
        let asked = Asked { wait: Wait::Yes, upper: i64::MAX, max_bytes: 1_000_000, min_one: true };
        assert_eq!(take(&file, &buffers, &asked).unwrap().next, Some(2));
        drop(held);
        assert_eq!(take(&file, &buffers, &asked).unwrap().next, Some(10));
    }

    #[test]
    fn a_large_read_is_in_lent_buffers_and_a_small_one_in_memory_of_its_size() {
        let file = file(&[100_000, 100_000, 100_000]);
        let slices = |max_bytes| {
            let asked = Asked { wait: Wait::Yes, upper: i64::MAX, max_bytes, min_one: true };
            let buffers = Arc::new(Buffers::default());
            take(&file, &buffers, &asked).unwrap().records.into_iter().map(|s| s.len()).collect::<Vec<_>>()
        };
        assert_eq!(slices(300_000), [BUFFER_BYTES, 300_000 - BUFFER_BYTES]);
        assert_eq!(slices(200), [200, 99_800]);
    }

    #[test]
    fn a_batch_that_claims_more_than_the_segment_has_is_refused_where_it_is_the_first() {
        let mut file = file(&[100, 200]);
        let asked = Asked { wait: Wait::Yes, upper: i64::MAX, max_bytes: 1_000, min_one: true };
        file.bytes[108..112].clone_from_slice(&1_000_000_i32.to_be_bytes());
        assert_eq!(take(&file, &Arc::default(), &asked).unwrap().next, Some(1));
        file.bytes[8..12].clone_from_slice(&1_000_000_i32.to_be_bytes());
        assert!(matches!(take(&file, &Arc::default(), &asked), Err(ScanError::Invalid(_))));
    }
}
