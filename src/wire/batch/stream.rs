//! Walks the records of a compressed batch while it is opened, without keeping contents: what validation and searching
//! by time need. Memory is one window, whatever the records claim or open to.

use super::records::peek_length;
use super::{BatchError, RecordRef, varint};
use crate::limits::BATCH_DECOMPRESSED_BYTES_MAX;
use crate::wire::compress::{Codec, Opened};

/// What a record says of itself before its contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordHead {
    /// Offset minus the batch's base offset.
    pub offset_delta: i32,
    /// Milliseconds after the batch's base timestamp.
    pub timestamp_delta: i64,
    /// False when the key is null.
    pub has_key: bool,
}

const WINDOW_BYTES: usize = 32 * 1024;

/// The heads of a batch's records, one after the other. Every record is checked as a whole record is; ends after the
/// first error, and after the count of the header; bytes that are left then are an error.
pub struct RecordHeads<'a> {
    source: Opened<'a>,
    window: Box<[u8]>,
    start: usize,
    end: usize,
    /// Bytes that the current record may still take.
    left: usize,
    count: i32,
    index: i32,
    done: bool,
}

/// Why a read ended: the record is not well formed, or the source failed or ended.
enum Stop {
    Reason(&'static str),
    End,
    Failed(BatchError),
}

impl From<&'static str> for Stop {
    fn from(reason: &'static str) -> Self {
        Self::Reason(reason)
    }
}

impl<'a> RecordHeads<'a> {
    /// The `count` records (as the batch's header says) in `payload`.
    /// Fails when the payload does not begin as `codec` says.
    pub fn new(codec: Codec, payload: &'a [u8], count: i32) -> Result<Self, BatchError> {
        Self::within(codec, payload, count, BATCH_DECOMPRESSED_BYTES_MAX)
    }

    /// As [`Self::new`], of a payload that opens to no more than `opened_bytes_max`.
    pub(super) fn within(
        codec: Codec,
        payload: &'a [u8],
        count: i32,
        opened_bytes_max: usize,
    ) -> Result<Self, BatchError> {
        Ok(Self::of(Opened::new(codec, payload, opened_bytes_max)?, count, WINDOW_BYTES))
    }

    #[cfg(test)]
    pub(super) fn with_window(
        codec: Codec,
        payload: &'a [u8],
        count: i32,
        window_bytes: usize,
    ) -> Result<Self, BatchError> {
        Ok(Self::of(Opened::new(codec, payload, BATCH_DECOMPRESSED_BYTES_MAX)?, count, window_bytes))
    }

    fn of(source: Opened<'a>, count: i32, window_bytes: usize) -> Self {
        let window = vec![0; window_bytes].into_boxed_slice();
        Self { source, window, start: 0, end: 0, left: 0, count, index: 0, done: false }
    }

    fn available(&self) -> &[u8] {
        self.window.get(self.start..self.end).unwrap_or_default()
    }

    /// Makes at least one byte available; false at the end of the content.
    fn fill(&mut self) -> Result<bool, Stop> {
        if self.start >= self.end {
            self.start = 0;
            self.end = self.source.read(&mut self.window).map_err(|error| Stop::Failed(error.into()))?;
        }
        Ok(self.end > self.start)
    }

    fn byte(&mut self) -> Result<u8, Stop> {
        self.left = self.left.checked_sub(1).ok_or(Stop::Reason("it is longer than its length"))?;
        if self.start >= self.end && !self.fill()? {
            return Err(Stop::End);
        }
        let byte = self.available().first().copied().ok_or(Stop::End)?;
        self.start = self.start.saturating_add(1);
        Ok(byte)
    }

    fn skip(&mut self, mut count: usize) -> Result<(), Stop> {
        self.left = self.left.checked_sub(count).ok_or(Stop::Reason("a field reaches over its end"))?;
        while count > 0 {
            if !self.fill()? {
                return Err(Stop::End);
            }
            let step = count.min(self.end.saturating_sub(self.start));
            self.start = self.start.saturating_add(step);
            count = count.saturating_sub(step);
        }
        Ok(())
    }

    /// Collects the bytes of one variable-length integer.
    fn varint_bytes<const MAX: usize>(&mut self) -> Result<[u8; MAX], Stop> {
        let mut bytes = [0; MAX];
        for place in &mut bytes {
            *place = self.byte()?;
            if *place < 0x80 {
                return Ok(bytes);
            }
        }
        Err("a number is too long".into())
    }

    fn int(&mut self) -> Result<i32, Stop> {
        let bytes = self.varint_bytes::<5>()?;
        varint::read_i32(&mut &bytes[..]).ok_or(Stop::Reason("a number is too long"))
    }

    fn long(&mut self) -> Result<i64, Stop> {
        let bytes = self.varint_bytes::<10>()?;
        varint::read_i64(&mut &bytes[..]).ok_or(Stop::Reason("a number is too long"))
    }

    /// Passes over bytes behind their length; false for null.
    fn skip_bytes(&mut self) -> Result<bool, Stop> {
        let Ok(length) = usize::try_from(self.int()?) else { return Ok(false) };
        self.skip(length)?;
        Ok(true)
    }

    /// The next record. One that lies in the window as a whole is read as a slice, any other field by field.
    fn read(&mut self) -> Result<RecordHead, Stop> {
        let body_bytes = if let Some((body_bytes, length_bytes)) = peek_length(self.available()) {
            self.start = self.start.saturating_add(length_bytes);
            body_bytes
        } else {
            self.left = usize::MAX;
            self.int()?
        };
        self.left = usize::try_from(body_bytes).map_err(|_| "its length is negative")?;
        if let Some(body) = self.available().get(..self.left) {
            let record = RecordRef::parse(body)?;
            let head = RecordHead {
                offset_delta: record.offset_delta,
                timestamp_delta: record.timestamp_delta,
                has_key: record.key.is_some(),
            };
            self.start = self.start.saturating_add(self.left);
            return Ok(head);
        }
        self.read_by_field()
    }

    fn read_by_field(&mut self) -> Result<RecordHead, Stop> {
        let _attributes = self.byte()?;
        let timestamp_delta = self.long()?;
        let offset_delta = self.int()?;
        let has_key = self.skip_bytes()?;
        self.skip_bytes()?;
        let headers_count = self.int()?;
        if headers_count < 0 {
            return Err("its count of headers is negative".into());
        }
        for _ in 0..headers_count {
            if !self.skip_bytes()? {
                return Err("a header is broken".into());
            }
            self.skip_bytes()?;
        }
        if self.left > 0 {
            return Err("bytes are left behind its headers".into());
        }
        Ok(RecordHead { offset_delta, timestamp_delta, has_key })
    }

    /// Behind the last record nothing may be left; reaching the end also checks the codec's own checksums.
    fn read_end(&mut self) -> Option<BatchError> {
        self.done = true;
        match self.fill() {
            Ok(false) if self.count >= 0 => None,
            Ok(_) | Err(Stop::Reason(_) | Stop::End) => Some(BatchError::Count(self.count)),
            Err(Stop::Failed(error)) => Some(error),
        }
    }
}

impl Iterator for RecordHeads<'_> {
    type Item = Result<RecordHead, BatchError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        if self.index >= self.count {
            return self.read_end().map(Err);
        }
        let index = self.index;
        self.index = self.index.saturating_add(1);
        let stop = match self.read() {
            Ok(head) => return Some(Ok(head)),
            Err(stop) => stop,
        };
        self.done = true;
        Some(Err(match stop {
            Stop::Reason(reason) => BatchError::Record { index, reason },
            Stop::End => BatchError::Count(self.count),
            Stop::Failed(error) => error,
        }))
    }
}
