//! Frames: four bytes of length, then a message. A response frame is a list of chunks, so that records travel
//! from the log to the socket as the slices that they are.

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::protocol::Encodable;

use super::slices::{Slice, Slices};

/// Bytes of a frame's length field.
pub const LENGTH_BYTES: usize = 4;

/// What precedes a response's body.
#[derive(Clone, Copy, Debug)]
pub struct ResponseHead {
    /// The request's correlation id.
    pub correlation_id: i32,
    /// The request's version.
    pub version: i16,
    /// Whether the header is version 1, with a section of tagged fields.
    pub flexible: bool,
}

impl ResponseHead {
    /// Bytes of the header without the frame's length field.
    pub const fn size_bytes(&self) -> usize {
        if self.flexible { 5 } else { 4 }
    }

    /// Appends the length field for a body of `body_bytes` and the header.
    pub fn write(&self, buffer: &mut BytesMut, body_bytes: usize) {
        let length = body_bytes.saturating_add(self.size_bytes());
        buffer.put_i32(i32::try_from(length).unwrap_or(i32::MAX));
        buffer.put_i32(self.correlation_id);
        if self.flexible {
            buffer.put_u8(0);
        }
    }
}

/// A whole response, length field included, as chunks in the order in which they are sent.
#[derive(Debug, Default)]
pub struct Frame {
    /// The chunks; none is empty.
    pub chunks: Vec<Slice>,
}

impl Frame {
    /// Encodes `body` into one chunk.
    pub fn encode<R: Encodable>(head: ResponseHead, body: &R) -> Result<Self, BodyError> {
        let size = body.compute_size(head.version).map_err(BodyError::new)?;
        if i32::try_from(size).is_err() {
            return Err(BodyError("larger than 2 GiB".to_owned()));
        }
        let mut buffer =
            BytesMut::with_capacity(size.saturating_add(head.size_bytes()).saturating_add(LENGTH_BYTES));
        head.write(&mut buffer, size);
        body.encode(&mut buffer, head.version).map_err(BodyError::new)?;
        Ok(Self { chunks: vec![buffer.freeze().into()] })
    }

    /// All chunks as one, read and copied where need be; for those who have no socket to write them to.
    ///
    /// # Errors
    /// Those of a file whose bytes are in it.
    pub fn into_bytes(self) -> std::io::Result<Bytes> {
        let mut all = Slices::default();
        all.extend(self.chunks);
        all.into_bytes()
    }

    /// Bytes of all chunks.
    pub fn size_bytes(&self) -> usize {
        self.chunks.iter().map(Slice::len).sum()
    }

    /// Bytes of those chunks that are in memory.
    pub fn memory_bytes(&self) -> usize {
        let here = self.chunks.iter().filter(|chunk| matches!(chunk, Slice::Here(_)));
        here.map(Slice::len).sum()
    }
}

/// The encoder's words on a body that it refused.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BodyError(String);

impl BodyError {
    fn new(error: impl ToString) -> Self {
        Self(error.to_string())
    }
}

/// Why a stream of requests makes no sense any more.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The length field is below zero.
    #[error("a request of {0} bytes was announced; a size is never negative")]
    NegativeSize(i32),
    /// The length field is above `socket.request.max.bytes`.
    #[error("a request of {size} bytes was announced; socket.request.max.bytes allows {max}")]
    TooLarge {
        /// What the length field says.
        size: i32,
        /// What is allowed.
        max: i32,
    },
}

/// Bytes read ahead at least: what a connection begins with, and what a quiet one comes back to.
const READ_AHEAD_BYTES_MIN: usize = 4 * 1024;
/// Bytes read ahead on a busy connection, at most: a request with one batch of the default `max.message.bytes`.
const READ_AHEAD_BYTES_MAX: usize = (1024 + 64) * 1024;
/// A read that brings less than this part of what it was ready for makes the next one ready for half as much.
const READ_AHEAD_USED_MIN: usize = 8;
/// So many times more memory than bytes that wait is too much, where it is not read ahead. Growth alone leaves less.
const UNUSED_FACTOR_MAX: usize = 8;

/// Bytes that arrived and are not yet taken as frames. How far it reads ahead follows from what earlier reads of this
/// connection brought; a length field alone never makes it grow.
#[derive(Debug)]
pub struct Inbound {
    buffer: BytesMut,
    read_ahead: usize,
    /// What the next read has room for.
    room: usize,
    /// Bytes of memory behind the buffer, the places of frames that were taken included.
    allocated: usize,
}

impl Default for Inbound {
    fn default() -> Self {
        Self { buffer: BytesMut::new(), read_ahead: READ_AHEAD_BYTES_MIN, room: 0, allocated: 0 }
    }
}

impl Inbound {
    /// Takes the next whole frame, without its length field; `None` until all of it has arrived.
    pub fn next_frame(&mut self, size_max: i32) -> Result<Option<Bytes>, FrameError> {
        let Some(total) = self.announced(size_max)? else { return Ok(None) };
        if self.buffer.len() < total {
            return Ok(None);
        }
        let mut frame = self.buffer.split_to(total).freeze();
        Ok(Some(frame.split_off(LENGTH_BYTES)))
    }

    /// The API key of the request at the front, when all of it has arrived.
    pub fn whole_key(&self) -> Option<i16> {
        let total = self.announced(i32::MAX).ok()??;
        let key = self.buffer.get(LENGTH_BYTES..total)?.first_chunk()?;
        Some(i16::from_be_bytes(*key))
    }

    /// Bytes of the frame at the front, length field included, once its length field has arrived.
    fn announced(&self, size_max: i32) -> Result<Option<usize>, FrameError> {
        let Some(field) = self.buffer.first_chunk::<LENGTH_BYTES>() else { return Ok(None) };
        let size = i32::from_be_bytes(*field);
        let body = usize::try_from(size).map_err(|_| FrameError::NegativeSize(size))?;
        if size > size_max {
            return Err(FrameError::TooLarge { size, max: size_max });
        }
        Ok(Some(body.saturating_add(LENGTH_BYTES)))
    }

    /// Makes room and hands out the buffer to read into.
    pub fn space(&mut self) -> &mut BytesMut {
        self.space_within(usize::MAX)
    }

    /// As [`Self::space`], with new room for at most `ahead_bytes_max`.
    pub fn space_within(&mut self, ahead_bytes_max: usize) -> &mut BytesMut {
        let have = self.buffer.len();
        let wanted = match self.announced(i32::MAX) {
            Ok(Some(total)) if total > have => total.saturating_sub(have).min(have.max(self.read_ahead)),
            _ => self.read_ahead,
        };
        let wanted = wanted.min(ahead_bytes_max);
        // More room may cost a copy of what is there: only a little is copied for the sake of longer reads.
        let least = if have <= READ_AHEAD_BYTES_MIN { wanted } else { wanted.min(READ_AHEAD_BYTES_MIN) };
        if self.room() < least {
            self.buffer.reserve(wanted);
            self.allocated = self.buffer.capacity();
        }
        self.room = self.room();
        &mut self.buffer
    }

    /// Tells how much a read brought.
    pub fn arrived(&mut self, bytes: usize) {
        if bytes >= self.room {
            self.read_ahead = self.read_ahead.saturating_mul(2).min(READ_AHEAD_BYTES_MAX);
        } else if self.room >= self.read_ahead && bytes < self.read_ahead / READ_AHEAD_USED_MIN {
            self.read_ahead = (self.read_ahead / 2).max(READ_AHEAD_BYTES_MIN);
        }
    }

    /// Bytes of memory that are to be accounted for: what is there or will be when the request at the front has arrived,
    /// or half of what is allocated where that is more: a buffer that grows takes up to twice what arrived. 0 when a
    /// connection may have as much for nothing, which is `free_bytes`.
    pub fn needed_bytes(&self, free_bytes: usize) -> usize {
        let held = self.held_bytes();
        if held <= free_bytes {
            return 0;
        }
        self.announced(i32::MAX).ok().flatten().unwrap_or(0).max(held)
    }

    /// The same without what has not arrived.
    pub fn held_bytes(&self) -> usize {
        let have = self.buffer.len();
        if have == 0 { 0 } else { have.max(self.allocated / 2) }
    }

    /// The bytes that are there of the request at the front, without its length field.
    pub fn front(&self) -> Bytes {
        Bytes::copy_from_slice(self.buffer.get(LENGTH_BYTES..).unwrap_or_default())
    }

    /// The first bytes, its length field included: what else might have been meant by them.
    pub fn first_bytes(&self) -> &[u8] {
        &self.buffer
    }

    fn room(&self) -> usize {
        self.buffer.capacity().saturating_sub(self.buffer.len())
    }

    /// Bytes that arrived and are not yet taken.
    pub fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Whether nothing is waiting to be taken.
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Gives the memory back while nothing is waiting, or so little that a large request's memory is not to be kept for
    /// it: a client could leave a few bytes behind each.
    pub fn release(&mut self) {
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
            return;
        }
        let fair = self.buffer.len().max(READ_AHEAD_BYTES_MAX).saturating_mul(UNUSED_FACTOR_MAX);
        if self.allocated > fair {
            self.buffer = BytesMut::from(&*self.buffer);
            self.allocated = self.buffer.capacity();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inbound(bytes: &[u8]) -> Inbound {
        let mut inbound = Inbound::default();
        inbound.space().extend_from_slice(bytes);
        inbound
    }

    #[test]
    fn frames_are_taken_one_by_one_and_only_when_whole() {
        let mut inbound = inbound(&[0, 0, 0, 2, 1, 2, 0, 0, 0, 1, 9, 0, 0]);
        assert_eq!(inbound.next_frame(10).unwrap().unwrap(), [1, 2][..]);
        assert_eq!(inbound.next_frame(10).unwrap().unwrap(), [9][..]);
        assert_eq!(inbound.next_frame(10).unwrap(), None);
        inbound.space().extend_from_slice(&[0, 0]);
        assert_eq!(inbound.next_frame(10).unwrap().unwrap(), [][..]);
        assert!(inbound.is_empty());
    }

    #[test]
    fn the_key_of_a_request_is_known_when_all_of_it_is_there() {
        assert_eq!(inbound(&[0, 0, 0, 4, 0, 9, 0]).whole_key(), None);
        assert_eq!(inbound(&[0, 0, 0, 4, 0, 9, 0, 1]).whole_key(), Some(9));
        assert_eq!(inbound(&[0, 0, 0, 1, 0, 9, 0, 1]).whole_key(), None);
    }

    #[test]
    fn a_size_that_is_negative_or_above_the_limit_is_refused_before_its_bytes_arrive() {
        assert_eq!(inbound(&[255, 255, 255, 255]).next_frame(10), Err(FrameError::NegativeSize(-1)));
        assert_eq!(inbound(&[0, 0, 0, 11]).next_frame(10), Err(FrameError::TooLarge { size: 11, max: 10 }));
        assert_eq!(inbound(&[0, 0, 0, 10]).next_frame(10), Ok(None));
    }

    #[test]
    fn memory_follows_what_arrived_and_not_what_was_announced() {
        let mut inbound = inbound(&[6, 0, 0, 0, 1, 2, 3]);
        for _ in 0..10 {
            let capacity = inbound.space().capacity();
            assert!(capacity <= 16 * 1024, "{capacity}");
        }
        let mut arrived = inbound.len();
        while arrived < 1 << 20 {
            let space = inbound.space();
            let room = space.capacity() - space.len();
            assert!(space.capacity() <= (4 * arrived).max(16 * 1024));
            space.extend_from_slice(&vec![0; room]);
            inbound.arrived(room);
            arrived += room;
        }
    }

    /// One frame of `bytes` bytes, which arrives in reads as full as there is room; the largest buffer that it took.
    fn receive(inbound: &mut Inbound, bytes: usize) -> usize {
        let mut left = [&(bytes as i32).to_be_bytes()[..], &vec![0; bytes]].concat();
        let mut largest = 0;
        while !left.is_empty() {
            let space = inbound.space();
            largest = largest.max(space.capacity());
            let taken = left.len().min(space.capacity() - space.len());
            space.extend_from_slice(&left[..taken]);
            left.drain(..taken);
            inbound.arrived(taken);
        }
        assert_eq!(inbound.next_frame(i32::MAX).unwrap().unwrap().len(), bytes);
        inbound.release();
        largest
    }

    #[test]
    fn a_busy_connection_reads_whole_frames_at_once_and_a_quiet_one_little() {
        let mut inbound = Inbound::default();
        for _ in 0..10 {
            receive(&mut inbound, 1 << 20);
        }
        let space = inbound.space();
        assert!(space.capacity() >= 1 << 20, "{}", space.capacity());
        inbound.release();
        for _ in 0..20 {
            receive(&mut inbound, 100);
        }
        assert!(receive(&mut inbound, 100) <= 8 * 1024);
    }

    #[test]
    fn a_frame_that_fits_behind_what_has_arrived_is_not_moved() {
        let mut inbound = Inbound::default();
        for _ in 0..10 {
            receive(&mut inbound, 1 << 20);
        }
        inbound.space().extend_from_slice(&(1_i32 << 20).to_be_bytes());
        inbound.space().extend_from_slice(&vec![0; 100_000]);
        let before = inbound.buffer.as_ptr();
        assert_eq!(inbound.space().as_ptr(), before);
    }

    #[test]
    fn what_is_accounted_for_is_the_announced_request_once_more_than_a_little_arrived() {
        let mut inbound = inbound(&[0, 1, 0, 0, 9]);
        assert_eq!(inbound.needed_bytes(4096), 0);
        inbound.space().extend_from_slice(&vec![0; 5_000]);
        inbound.arrived(5_000);
        assert_eq!(inbound.needed_bytes(4096), 65_540);
        inbound.space().extend_from_slice(&vec![0; 65_535 - 5_000]);
        assert!(inbound.next_frame(i32::MAX).unwrap().is_some());
        assert_eq!(inbound.needed_bytes(4096), 0);
    }

    #[test]
    fn a_byte_in_a_large_buffer_is_accounted_for_as_the_buffer() {
        let mut inbound = Inbound::default();
        receive(&mut inbound, 8 << 20);
        for _ in 0..10 {
            receive(&mut inbound, 1 << 20);
        }
        inbound.space().extend_from_slice(&[0]);
        inbound.arrived(1);
        inbound.release();
        assert!(inbound.needed_bytes(4096) >= inbound.buffer.capacity() / 2);
        assert!(inbound.needed_bytes(4096) > 500_000);
    }

    #[test]
    fn a_reader_without_memory_has_little_room() {
        let mut inbound = Inbound::default();
        for _ in 0..10 {
            receive(&mut inbound, 1 << 20);
        }
        let space = inbound.space_within(4096);
        assert!(space.capacity() <= 8192, "{}", space.capacity());
    }

    #[test]
    fn a_few_bytes_behind_a_large_frame_do_not_keep_its_memory() {
        let mut inbound = Inbound::default();
        let bytes = 20 << 20;
        let mut left = [&(bytes as i32).to_be_bytes()[..], &vec![0; bytes], &[0, 0, 0, 2, 7]].concat();
        while !left.is_empty() {
            let space = inbound.space();
            let taken = left.len().min(space.capacity() - space.len());
            space.extend_from_slice(&left[..taken]);
            left.drain(..taken);
            inbound.arrived(taken);
            let before = inbound.buffer.as_ptr();
            inbound.release();
            assert_eq!(inbound.buffer.as_ptr(), before, "what still arrives is not moved");
        }
        let frame = inbound.next_frame(i32::MAX).unwrap().unwrap();
        assert_eq!((frame.len(), inbound.len()), (bytes, 5));
        inbound.release();
        assert!(frame.is_unique(), "nothing else holds its memory");
        inbound.space().extend_from_slice(&[8]);
        assert_eq!(inbound.next_frame(i32::MAX).unwrap().unwrap(), [7, 8][..]);
    }
}
