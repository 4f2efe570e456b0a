//! The primitive types of Kafka's message format, read with bounds and written in memory, and the framing of the
//! coordinators' keys and values. Relies on nothing above it; never panics; allocates no more than the input warrants.

use std::ops::RangeInclusive;

use bytes::Bytes;
use thiserror::Error;
use uuid::Uuid;

/// Why a record was not read or not written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RecordError {
    /// The bytes end inside a value.
    #[error("the record ends early: {needed} bytes needed, {remaining} left")]
    Truncated {
        /// Bytes that the value takes.
        needed: usize,
        /// Bytes that are left.
        remaining: usize,
    },
    /// A length or count that cannot be: negative, or above what is left.
    #[error("{field}: length {length} is impossible with {remaining} bytes left")]
    Length {
        /// The field, as Kafka's definition names it.
        field: &'static str,
        /// The length or count as read.
        length: i64,
        /// Bytes that are left.
        remaining: usize,
    },
    /// Null where the definition allows none.
    #[error("{field} is null")]
    Null {
        /// The field, as Kafka's definition names it.
        field: &'static str,
    },
    /// A string that is not UTF-8.
    #[error("{field} is not UTF-8")]
    Utf8 {
        /// The field, as Kafka's definition names it.
        field: &'static str,
    },
    /// A variable-length integer of more than 32 bits.
    #[error("a variable-length integer does not end")]
    Varint,
    /// A tagged field whose value does not fill its declared size.
    #[error("tagged field {tag} leaves {remaining} of its bytes unread")]
    Tag {
        /// The tag.
        tag: u32,
        /// Bytes of the field that were not read.
        remaining: usize,
    },
    /// A version that the definition does not have.
    #[error("{message} has no version {version}")]
    Version {
        /// The definition's name.
        message: &'static str,
        /// The version asked for.
        version: i16,
    },
    /// A key of another type than the one asked for.
    #[error("a key of type {found} where {expected} was expected")]
    KeyType {
        /// The type asked for.
        expected: i16,
        /// The type that is there.
        found: i16,
    },
    /// A metadata frame of a version other than 1.
    #[error("metadata frame version {0} is not supported")]
    FrameVersion(u32),
    /// A version number in a metadata frame that no definition can have.
    #[error("metadata record version {0} is out of range")]
    FrameRecordVersion(u32),
    /// Bytes behind a metadata record.
    #[error("{0} bytes behind the record")]
    Trailing(usize),
    /// A value that the format has no room for.
    #[error("{field}: {length} is too long to be written")]
    TooLong {
        /// The field, as Kafka's definition names it.
        field: &'static str,
        /// Its bytes or elements.
        length: usize,
    },
    /// A field that is set, has to be understood by readers, and does not exist in the version asked for.
    #[error("{field} cannot be written at version {version}")]
    FieldNotInVersion {
        /// The field, as Kafka's definition names it.
        field: &'static str,
        /// The version asked for.
        version: i16,
    },
}

/// A structure of some definition: what the generator writes for each.
pub trait Body: Default {
    /// Appends the body at `version`, which the definition has.
    fn write(&self, out: &mut Writer, version: i16) -> Result<(), RecordError>;

    /// Reads the body at `version`, which the definition has.
    fn read(input: &mut Reader<'_>, version: i16) -> Result<Self, RecordError>;
}

/// The top of a definition.
pub trait Message: Body {
    /// Kafka's name of it.
    const NAME: &'static str;
    /// The versions that exist.
    const VERSIONS: RangeInclusive<i16>;
    /// The first version with compact lengths and tagged fields, if there is one.
    const FLEXIBLE_FROM: Option<i16>;
}

/// Whether lengths are compact at `version`; an error when the definition does not have it.
fn flexible<M: Message>(version: i16) -> Result<bool, RecordError> {
    if !M::VERSIONS.contains(&version) {
        return Err(RecordError::Version { message: M::NAME, version });
    }
    Ok(M::FLEXIBLE_FROM.is_some_and(|from| version >= from))
}

/// The body alone.
pub(super) fn encode_body<M: Message>(message: &M, version: i16) -> Result<Vec<u8>, RecordError> {
    let mut out = Writer::new(flexible::<M>(version)?);
    message.write(&mut out, version)?;
    Ok(out.bytes)
}

/// Reads a body; bytes behind it are ignored, as Kafka's coordinators do.
pub(super) fn decode_body<M: Message>(bytes: &[u8], version: i16) -> Result<M, RecordError> {
    M::read(&mut Reader::new(bytes, flexible::<M>(version)?), version)
}

/// Reads a body that must end where the bytes end.
pub(super) fn decode_whole_body<M: Message>(bytes: &[u8], version: i16) -> Result<M, RecordError> {
    let mut input = Reader::new(bytes, flexible::<M>(version)?);
    let message = M::read(&mut input, version)?;
    if input.remaining() == 0 { Ok(message) } else { Err(RecordError::Trailing(input.remaining())) }
}

/// The version as int16, then the body.
pub(super) fn encode_value<M: Message>(message: &M, version: i16) -> Result<Vec<u8>, RecordError> {
    let mut out = Writer::new(flexible::<M>(version)?);
    out.i16(version);
    message.write(&mut out, version)?;
    Ok(out.bytes)
}

/// Reads what `encode_value` wrote.
pub(super) fn decode_value<M: Message>(bytes: &[u8]) -> Result<M, RecordError> {
    let mut input = Reader::new(bytes, false);
    let version = input.i16()?;
    decode_body(input.bytes, version)
}

/// The key's type as int16, then the body at version 0, the only one that keys have.
pub(super) fn encode_key<M: Message>(key_type: i16, message: &M) -> Result<Vec<u8>, RecordError> {
    let mut out = Writer::new(flexible::<M>(0)?);
    out.i16(key_type);
    message.write(&mut out, 0)?;
    Ok(out.bytes)
}

/// The type that a coordinator's key begins with.
pub fn key_type(bytes: &[u8]) -> Result<i16, RecordError> {
    Reader::new(bytes, false).i16()
}

/// Reads what `encode_key` wrote.
pub(super) fn decode_key<M: Message>(expected: i16, bytes: &[u8]) -> Result<M, RecordError> {
    let mut input = Reader::new(bytes, false);
    let found = input.i16()?;
    if found != expected {
        return Err(RecordError::KeyType { expected, found });
    }
    decode_body(input.bytes, 0)
}

/// Kafka's bound on a string, in either length format.
const STRING_BYTES_MAX: usize = i16::MAX as usize;

/// A cursor over the bytes of one record.
#[derive(Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    flexible: bool,
}

macro_rules! read_numbers {
    ($($name:ident)*) => { $(
        #[doc = concat!("The next `", stringify!($name), "`, big endian.")]
        pub fn $name(&mut self) -> Result<$name, RecordError> {
            Ok($name::from_be_bytes(self.fixed()?))
        }
    )* };
}

impl<'a> Reader<'a> {
    /// A cursor at the start of `bytes`; `flexible` chooses compact lengths and tagged fields.
    pub const fn new(bytes: &'a [u8], flexible: bool) -> Self {
        Self { bytes, flexible }
    }

    /// Bytes that were not read yet.
    pub const fn remaining(&self) -> usize {
        self.bytes.len()
    }

    /// All bytes that were not read yet.
    pub const fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    read_numbers!(i8 u16 i16 i32 i64 f64);

    /// A byte; everything but 0 is true.
    pub fn bool(&mut self) -> Result<bool, RecordError> {
        Ok(self.i8()? != 0)
    }

    /// 16 bytes.
    pub fn uuid(&mut self) -> Result<Uuid, RecordError> {
        Ok(Uuid::from_bytes(self.fixed()?))
    }

    /// An unsigned integer of up to 32 bits in groups of seven, lowest first.
    pub fn unsigned_varint(&mut self) -> Result<u32, RecordError> {
        let mut value = 0u32;
        for shift in [0u32, 7, 14, 21, 28] {
            let [byte] = self.fixed()?;
            let group = u32::from(byte & 0x7f);
            if shift == 28 && group > 0xf {
                return Err(RecordError::Varint);
            }
            value |= group << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(RecordError::Varint)
    }

    /// A string that may not be null.
    pub fn string(&mut self, field: &'static str) -> Result<String, RecordError> {
        self.nullable_string(field)?.ok_or(RecordError::Null { field })
    }

    /// A string or null.
    pub fn nullable_string(&mut self, field: &'static str) -> Result<Option<String>, RecordError> {
        let length = if self.flexible { self.compact_length()? } else { i64::from(self.i16()?) };
        if length > STRING_BYTES_MAX as i64 {
            return Err(RecordError::Length { field, length, remaining: self.bytes.len() });
        }
        let Some(bytes) = self.counted(field, length)? else { return Ok(None) };
        let text = std::str::from_utf8(bytes).map_err(|_| RecordError::Utf8 { field })?;
        Ok(Some(text.to_owned()))
    }

    /// Bytes that may not be null.
    pub fn bytes(&mut self, field: &'static str) -> Result<Bytes, RecordError> {
        self.nullable_bytes(field)?.ok_or(RecordError::Null { field })
    }

    /// Bytes or null; a copy, so that a record never pins the buffer that it came from.
    pub fn nullable_bytes(&mut self, field: &'static str) -> Result<Option<Bytes>, RecordError> {
        let length = self.length()?;
        Ok(self.counted(field, length)?.map(Bytes::copy_from_slice))
    }

    /// An array that may not be null.
    pub fn array<T>(
        &mut self,
        field: &'static str,
        item: impl FnMut(&mut Self) -> Result<T, RecordError>,
    ) -> Result<Vec<T>, RecordError> {
        self.nullable_array(field, item)?.ok_or(RecordError::Null { field })
    }

    /// An array or null. Every element takes at least one byte, so a count above what is left is refused, and room is
    /// made for no more bytes than are left.
    pub fn nullable_array<T>(
        &mut self,
        field: &'static str,
        mut item: impl FnMut(&mut Self) -> Result<T, RecordError>,
    ) -> Result<Option<Vec<T>>, RecordError> {
        let length = self.length()?;
        if length == -1 {
            return Ok(None);
        }
        let remaining = self.bytes.len();
        let count = usize::try_from(length)
            .ok()
            .filter(|&count| count <= remaining)
            .ok_or(RecordError::Length { field, length, remaining })?;
        let fits = remaining.checked_div(size_of::<T>()).unwrap_or(0);
        let mut items = Vec::with_capacity(count.min(fits));
        for _ in 0..count {
            items.push(item(self)?);
        }
        Ok(Some(items))
    }

    /// A structure or null, told apart by a byte that is negative for null.
    pub fn nullable_struct<T>(
        &mut self,
        value: impl FnOnce(&mut Self) -> Result<T, RecordError>,
    ) -> Result<Option<T>, RecordError> {
        if self.i8()? < 0 { Ok(None) } else { value(self).map(Some) }
    }

    /// The same inside a tagged field, where the mark is an unsigned varint and 0 for null.
    pub fn nullable_tagged_struct<T>(
        &mut self,
        value: impl FnOnce(&mut Self) -> Result<T, RecordError>,
    ) -> Result<Option<T>, RecordError> {
        if self.unsigned_varint()? == 0 { Ok(None) } else { value(self).map(Some) }
    }

    /// Hands each tagged field with a cursor over its own bytes to `field`, which has to read all of them.
    pub fn tags(
        &mut self,
        mut field: impl FnMut(u32, &mut Reader<'a>) -> Result<(), RecordError>,
    ) -> Result<(), RecordError> {
        if !self.flexible {
            return Ok(());
        }
        for _ in 0..self.unsigned_varint()? {
            let tag = self.unsigned_varint()?;
            let size = self.unsigned_varint()?;
            let mut value = Reader::new(self.take(size as usize)?, true);
            field(tag, &mut value)?;
            if value.remaining() > 0 {
                return Err(RecordError::Tag { tag, remaining: value.remaining() });
            }
        }
        Ok(())
    }

    /// Passes over the tagged fields of a structure that knows none.
    pub fn skip_tags(&mut self) -> Result<(), RecordError> {
        self.tags(|_, value| {
            value.skip_rest();
            Ok(())
        })
    }

    /// Passes over everything that is left.
    pub const fn skip_rest(&mut self) {
        self.bytes = &[];
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], RecordError> {
        let truncated = RecordError::Truncated { needed: count, remaining: self.bytes.len() };
        let (taken, rest) = self.bytes.split_at_checked(count).ok_or(truncated)?;
        self.bytes = rest;
        Ok(taken)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], RecordError> {
        let truncated = RecordError::Truncated { needed: N, remaining: self.bytes.len() };
        let (taken, rest) = self.bytes.split_first_chunk::<N>().ok_or(truncated)?;
        self.bytes = rest;
        Ok(*taken)
    }

    /// The length of bytes or of an array; -1 is null.
    fn length(&mut self) -> Result<i64, RecordError> {
        if self.flexible { self.compact_length() } else { self.i32().map(i64::from) }
    }

    /// A compact length is stored one higher, which leaves 0 for null.
    fn compact_length(&mut self) -> Result<i64, RecordError> {
        Ok(i64::from(self.unsigned_varint()?).saturating_sub(1))
    }

    fn counted(&mut self, field: &'static str, length: i64) -> Result<Option<&'a [u8]>, RecordError> {
        if length == -1 {
            return Ok(None);
        }
        let impossible = RecordError::Length { field, length, remaining: self.bytes.len() };
        let count = usize::try_from(length).map_err(|_| impossible.clone())?;
        self.take(count).map(Some).map_err(|_| impossible)
    }
}

/// The bytes of one record as they grow.
#[derive(Debug)]
pub struct Writer {
    bytes: Vec<u8>,
    flexible: bool,
}

macro_rules! write_numbers {
    ($($name:ident)*) => { $(
        #[doc = concat!("Appends a `", stringify!($name), "`, big endian.")]
        pub fn $name(&mut self, value: $name) {
            self.bytes.extend_from_slice(&value.to_be_bytes());
        }
    )* };
}

impl Writer {
    /// Nothing yet; `flexible` chooses compact lengths and tagged fields.
    pub const fn new(flexible: bool) -> Self {
        Self { bytes: Vec::new(), flexible }
    }

    /// What was written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    write_numbers!(i8 u16 i16 i32 i64 f64);

    /// Appends 1 or 0.
    pub fn bool(&mut self, value: bool) {
        self.bytes.push(u8::from(value));
    }

    /// Appends 16 bytes.
    pub fn uuid(&mut self, value: Uuid) {
        self.bytes.extend_from_slice(value.as_bytes());
    }

    /// Appends an unsigned integer in groups of seven bits, lowest first.
    pub fn unsigned_varint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    /// Appends bytes as they are.
    pub fn raw(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
    }

    /// Appends a string.
    pub fn string(&mut self, field: &'static str, value: &str) -> Result<(), RecordError> {
        self.nullable_string(field, Some(value))
    }

    /// Appends a string or null; fails above 32767 bytes, in either length format.
    pub fn nullable_string(&mut self, field: &'static str, value: Option<&str>) -> Result<(), RecordError> {
        let length = value.map(str::len);
        if let Some(length) = length.filter(|&length| length > STRING_BYTES_MAX) {
            return Err(RecordError::TooLong { field, length });
        }
        if self.flexible {
            self.length(field, length)?;
        } else {
            self.i16(length.map_or(-1, |length| length as i16));
        }
        self.raw(value.unwrap_or_default().as_bytes());
        Ok(())
    }

    /// Appends bytes with their length; fails above 2 GiB.
    pub fn bytes(&mut self, field: &'static str, value: &[u8]) -> Result<(), RecordError> {
        self.nullable_bytes(field, Some(value))
    }

    /// Appends bytes with their length, or null; fails above 2 GiB.
    pub fn nullable_bytes(&mut self, field: &'static str, value: Option<&[u8]>) -> Result<(), RecordError> {
        self.length(field, value.map(<[u8]>::len))?;
        self.raw(value.unwrap_or_default());
        Ok(())
    }

    /// Appends an array.
    pub fn array<T>(
        &mut self,
        field: &'static str,
        items: &[T],
        write: impl FnMut(&mut Self, &T) -> Result<(), RecordError>,
    ) -> Result<(), RecordError> {
        self.nullable_array(field, Some(items), write)
    }

    /// Appends an array or null.
    pub fn nullable_array<T>(
        &mut self,
        field: &'static str,
        items: Option<&[T]>,
        mut write: impl FnMut(&mut Self, &T) -> Result<(), RecordError>,
    ) -> Result<(), RecordError> {
        self.length(field, items.map(<[T]>::len))?;
        items.unwrap_or_default().iter().try_for_each(|item| write(self, item))
    }

    /// Appends a structure behind a byte that is 1, or -1 for null.
    pub fn nullable_struct<T>(
        &mut self,
        value: Option<&T>,
        write: impl FnOnce(&mut Self, &T) -> Result<(), RecordError>,
    ) -> Result<(), RecordError> {
        self.i8(if value.is_some() { 1 } else { -1 });
        value.map_or(Ok(()), |value| write(self, value))
    }

    /// The same inside a tagged field, behind an unsigned varint that is 1, or 0 for null.
    pub fn nullable_tagged_struct<T>(
        &mut self,
        value: Option<&T>,
        write: impl FnOnce(&mut Self, &T) -> Result<(), RecordError>,
    ) -> Result<(), RecordError> {
        self.unsigned_varint(u32::from(value.is_some()));
        value.map_or(Ok(()), |value| write(self, value))
    }

    /// Appends the tagged fields, which a version without them has no place for.
    pub fn tags(&mut self, tags: &Tags) {
        if self.flexible {
            self.unsigned_varint(tags.count);
            self.raw(&tags.bytes);
        }
    }

    /// The length of bytes or of an array; `None` is null.
    fn length(&mut self, field: &'static str, length: Option<usize>) -> Result<(), RecordError> {
        let too_long = |length| RecordError::TooLong { field, length };
        match length {
            None if self.flexible => self.unsigned_varint(0),
            None => self.i32(-1),
            Some(length) => {
                let short = i32::try_from(length).map_err(|_| too_long(length))?;
                if self.flexible {
                    self.unsigned_varint(short.unsigned_abs().saturating_add(1));
                } else {
                    self.i32(short);
                }
            }
        }
        Ok(())
    }
}

/// The tagged fields of one structure, collected in ascending order of their tags.
#[derive(Debug, Default)]
pub struct Tags {
    count: u32,
    bytes: Vec<u8>,
}

impl Tags {
    /// Adds the field `tag` with the value that `write` appends; fails when `write` does or its bytes are too many.
    pub fn put(
        &mut self,
        tag: u32,
        write: impl FnOnce(&mut Writer) -> Result<(), RecordError>,
    ) -> Result<(), RecordError> {
        let mut value = Writer::new(true);
        write(&mut value)?;
        let length = value.bytes.len();
        let size =
            i32::try_from(length).map_err(|_| RecordError::TooLong { field: "tagged field", length })?;
        let mut out = Writer { bytes: std::mem::take(&mut self.bytes), flexible: true };
        out.unsigned_varint(tag);
        out.unsigned_varint(size.unsigned_abs());
        out.raw(&value.bytes);
        self.bytes = out.bytes;
        self.count = self.count.saturating_add(1);
        Ok(())
    }
}
