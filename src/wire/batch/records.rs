//! The records inside a batch, borrowed for walks and as shared slices for those who keep them.
//! Works on opened bytes; every length is checked against the bytes that remain before it is used.

use bytes::Bytes;

use super::{BatchError, varint};

/// A record's header: its key (UTF-8 by convention, not checked) and its value.
pub type RecordHeader = (Bytes, Option<Bytes>);

/// One record, its contents shared with the batch (or with its decompressed records).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Offset minus the batch's base offset.
    pub offset_delta: i32,
    /// Milliseconds after the batch's base timestamp.
    pub timestamp_delta: i64,
    /// The key; `None` is null.
    pub key: Option<Bytes>,
    /// The value; `None` is null, a tombstone in a compacted topic.
    pub value: Option<Bytes>,
    /// The headers in their order.
    pub headers: Vec<RecordHeader>,
}

/// One record, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordRef<'a> {
    /// Offset minus the batch's base offset.
    pub offset_delta: i32,
    /// Milliseconds after the batch's base timestamp.
    pub timestamp_delta: i64,
    /// The key; `None` is null.
    pub key: Option<&'a [u8]>,
    /// The value; `None` is null.
    pub value: Option<&'a [u8]>,
    headers_count: i32,
    headers: &'a [u8],
}

impl<'a> RecordRef<'a> {
    /// The record behind its length field. Fails with the reason when the body does not follow the format.
    #[inline]
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, &'static str> {
        let rest = &mut &*body;
        let (_attributes, behind) = rest.split_first().ok_or("it has no attributes")?;
        *rest = behind;
        let timestamp_delta = varint::read_i64(rest).ok_or("its timestamp is not a number")?;
        let offset_delta = varint::read_i32(rest).ok_or("its offset is not a number")?;
        let key = take_bytes(rest).or(Err("its key reaches over its end"))?;
        let value = take_bytes(rest).or(Err("its value reaches over its end"))?;
        let headers_count = varint::read_i32(rest).ok_or("its count of headers is not a number")?;
        let headers = *rest;
        if headers_count == 0 && headers.is_empty() {
            return Ok(Self { offset_delta, timestamp_delta, key, value, headers_count, headers });
        }
        if headers_count < 0 {
            return Err("its count of headers is negative");
        }
        // A header takes two bytes at least, so that a count without headers ends the loop at once.
        for _ in 0..headers_count {
            take_header(rest).or(Err("a header is broken"))?;
        }
        if !rest.is_empty() {
            return Err("bytes are left behind its headers");
        }
        Ok(Self { offset_delta, timestamp_delta, key, value, headers_count, headers })
    }

    /// Appends what follows the timestamp in a record's body.
    pub(super) fn write_behind_timestamp(&self, out: &mut Vec<u8>) {
        varint::write_i32(out, self.offset_delta);
        write_bytes(out, self.key);
        write_bytes(out, self.value);
        varint::write_i32(out, self.headers_count);
        out.extend_from_slice(self.headers);
    }

    /// The headers in their order: key and value.
    pub fn headers(&self) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> + use<'a> {
        let mut rest = self.headers;
        (0..self.headers_count).map_while(move |_| take_header(&mut rest).ok())
    }
}

/// Appends bytes behind their length; null is the length -1.
pub(super) fn write_bytes(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        None => varint::write_i32(out, -1),
        Some(bytes) => {
            varint::write_i32(out, bytes.len() as i32);
            out.extend_from_slice(bytes);
        }
    }
}

/// The bytes end inside a length or before what it announces.
struct Cut;

/// Bytes behind a length; a negative length is null.
#[inline]
fn take_bytes<'a>(rest: &mut &'a [u8]) -> Result<Option<&'a [u8]>, Cut> {
    let length = varint::read_i32(rest).ok_or(Cut)?;
    let Ok(length) = usize::try_from(length) else { return Ok(None) };
    let (taken, behind) = rest.split_at_checked(length).ok_or(Cut)?;
    *rest = behind;
    Ok(Some(taken))
}

/// A length at the start of `bytes` and how many bytes it takes; `None` when it is cut or over-long.
#[inline]
pub(super) fn peek_length(bytes: &[u8]) -> Option<(i32, usize)> {
    let mut rest = bytes;
    let length = varint::read_i32(&mut rest)?;
    Some((length, bytes.len().saturating_sub(rest.len())))
}

fn take_header<'a>(rest: &mut &'a [u8]) -> Result<(&'a [u8], Option<&'a [u8]>), Cut> {
    let key = take_bytes(rest)?.ok_or(Cut)?;
    Ok((key, take_bytes(rest)?))
}

/// Walks opened records without keeping anything. Ends after the first error, and after the count of the header;
/// bytes that are left then are an error.
#[derive(Clone, Debug)]
pub struct RecordRefs<'a> {
    rest: &'a [u8],
    count: i32,
    index: i32,
}

impl<'a> RecordRefs<'a> {
    /// The `count` records (as the batch's header says) in `opened`.
    pub fn new(opened: &'a [u8], count: i32) -> Self {
        Self { rest: opened, count, index: 0 }
    }

    #[inline]
    fn read(&mut self) -> Result<RecordRef<'a>, BatchError> {
        let index = self.index;
        let broken = |reason| BatchError::Record { index, reason };
        let body = match take_bytes(&mut self.rest) {
            Ok(Some(body)) => body,
            Ok(None) => return Err(broken("its length is negative")),
            Err(Cut) => return Err(broken("it reaches over the end of the batch")),
        };
        RecordRef::parse(body).map_err(broken)
    }
}

impl<'a> Iterator for RecordRefs<'a> {
    type Item = Result<RecordRef<'a>, BatchError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.index >= self.count {
            let agrees = self.count >= 0 && self.rest.is_empty();
            self.rest = &[];
            let count = std::mem::replace(&mut self.count, 0);
            return if agrees { None } else { Some(Err(BatchError::Count(count))) };
        }
        if self.rest.is_empty() {
            self.index = self.count;
            return Some(Err(BatchError::Count(std::mem::replace(&mut self.count, 0))));
        }
        let record = self.read();
        self.index = self.index.saturating_add(1);
        if record.is_err() {
            self.rest = &[];
            self.count = 0;
        }
        Some(record)
    }
}

/// Walks opened records and hands out shared slices. Ends as [`RecordRefs`] does.
#[derive(Clone, Debug)]
pub struct Records {
    opened: Bytes,
    position: usize,
    count: i32,
    index: i32,
}

impl Records {
    /// The `count` records (as the batch's header says) in `opened`.
    pub fn new(opened: Bytes, count: i32) -> Self {
        Self { opened, position: 0, count, index: 0 }
    }

    fn share(&self, record: &RecordRef<'_>) -> Record {
        Record {
            offset_delta: record.offset_delta,
            timestamp_delta: record.timestamp_delta,
            key: record.key.map(|key| self.opened.slice_ref(key)),
            value: record.value.map(|value| self.opened.slice_ref(value)),
            headers: record
                .headers()
                .map(|(key, value)| {
                    (self.opened.slice_ref(key), value.map(|value| self.opened.slice_ref(value)))
                })
                .collect(),
        }
    }
}

impl Iterator for Records {
    type Item = Result<Record, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.opened.get(self.position..).unwrap_or_default();
        let mut walk = RecordRefs { rest, count: self.count, index: self.index };
        let item = walk.next().map(|record| record.map(|record| self.share(&record)));
        let (left, count, index) = (walk.rest.len(), walk.count, walk.index);
        self.position = self.opened.len().saturating_sub(left);
        self.count = count;
        self.index = index;
        item
    }
}
