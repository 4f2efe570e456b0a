//! The primitive types of Kafka's message format over the protocol crate's buffers, so that the guard's shapes can be
//! learned from this decoder as from the crate's. Never panics; a count on the wire alone allocates nothing.

use bytes::{BufMut, Bytes, TryGetError};
use kafka_protocol::protocol::StrBytes;
use kafka_protocol::protocol::buf::ByteBuf;
use thiserror::Error;
use uuid::Uuid;

/// Why a message was not read or not written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MessageError {
    /// The bytes end inside a value.
    #[error("the message ends early")]
    Truncated,
    /// A length or count that is negative, and not the one for null.
    #[error("{field}: length {length} is impossible")]
    Length {
        /// The field, as Kafka's definition names it.
        field: &'static str,
        /// The length or count as read.
        length: i64,
    },
    /// Null where the version allows none.
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
    /// A version that the definition does not have.
    #[error("{message} has no version {version}")]
    Version {
        /// The definition's name.
        message: &'static str,
        /// The version asked for.
        version: i16,
    },
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

impl From<TryGetError> for MessageError {
    fn from(_: TryGetError) -> Self {
        Self::Truncated
    }
}

/// A structure of some definition: what the generator writes for each.
pub(super) trait Body: Sized {
    /// Appends the body at `version`, which the definition has.
    fn write<S: Sink>(&self, out: &mut Writer<S>, version: i16) -> Result<(), MessageError>;

    /// Reads the body at `version`, which the definition has.
    fn read<B: ByteBuf>(input: &mut Reader<'_, B>, version: i16) -> Result<Self, MessageError>;
}

/// Implements the protocol crate's traits for the top of a definition: its versions, the first one with compact
/// lengths and tagged fields, and whether it is a request or a response.
macro_rules! message {
    ($name:ident, $min:literal..=$max:literal, flexible $flexible:literal, $kind:ident) => {
        impl kafka_protocol::protocol::Message for $name {
            const VERSIONS: kafka_protocol::protocol::VersionRange =
                kafka_protocol::protocol::VersionRange { min: $min, max: $max };
            const DEPRECATED_VERSIONS: Option<kafka_protocol::protocol::VersionRange> = None;
        }

        impl kafka_protocol::protocol::HeaderVersion for $name {
            fn header_version(version: i16) -> i16 {
                $crate::wire::messages::codec::header::$kind(version >= $flexible)
            }
        }

        impl kafka_protocol::protocol::Encodable for $name {
            fn encode<B: kafka_protocol::protocol::buf::ByteBufMut>(
                &self,
                buf: &mut B,
                version: i16,
            ) -> anyhow::Result<()> {
                let sink = $crate::wire::messages::codec::Buffer(buf);
                Ok(self.write(&mut Writer::new(sink, Self::flexible(version)?), version)?)
            }

            fn compute_size(&self, version: i16) -> anyhow::Result<usize> {
                let mut counter = Writer::new(0usize, Self::flexible(version)?);
                self.write(&mut counter, version)?;
                Ok(counter.into_sink())
            }
        }

        impl kafka_protocol::protocol::Decodable for $name {
            fn decode<B: kafka_protocol::protocol::buf::ByteBuf>(
                buf: &mut B,
                version: i16,
            ) -> anyhow::Result<Self> {
                Ok(Self::read(&mut Reader::new(buf, Self::flexible(version)?), version)?)
            }
        }

        impl $name {
            /// Whether lengths are compact at `version`; an error when the definition does not have it.
            fn flexible(version: i16) -> Result<bool, MessageError> {
                if ($min..=$max).contains(&version) {
                    return Ok(version >= $flexible);
                }
                Err(MessageError::Version { message: stringify!($name), version })
            }
        }
    };
}
pub(super) use message;

/// Versions of the headers that stand before requests and responses.
pub(super) mod header {
    /// Before a request: 2 has tagged fields.
    pub(in super::super) fn request(flexible: bool) -> i16 {
        if flexible { 2 } else { 1 }
    }

    /// Before a response: 1 has tagged fields.
    pub(in super::super) fn response(flexible: bool) -> i16 {
        i16::from(flexible)
    }
}

/// A cursor over a buffer of the protocol crate.
pub(super) struct Reader<'a, B> {
    buf: &'a mut B,
    flexible: bool,
}

macro_rules! read_numbers {
    ($($name:ident $get:ident)*) => { $(
        #[doc = concat!("The next `", stringify!($name), "`.")]
        pub(super) fn $name(&mut self) -> Result<$name, MessageError> {
            Ok(self.buf.$get()?)
        }
    )* };
}

impl<'a, B: ByteBuf> Reader<'a, B> {
    /// A reader at the start of `buf`; `flexible` chooses compact lengths and tagged fields.
    pub(super) fn new(buf: &'a mut B, flexible: bool) -> Self {
        Self { buf, flexible }
    }

    read_numbers!(i8 try_get_i8 i16 try_get_i16 i32 try_get_i32 i64 try_get_i64);

    /// Any byte but 0 is true, as with Kafka.
    pub(super) fn bool(&mut self) -> Result<bool, MessageError> {
        Ok(self.buf.try_get_u8()? != 0)
    }

    /// The next 16 bytes.
    pub(super) fn uuid(&mut self) -> Result<Uuid, MessageError> {
        let mut bytes = [0; 16];
        self.buf.try_copy_to_slice(&mut bytes)?;
        Ok(Uuid::from_bytes(bytes))
    }

    /// A string that is not null.
    pub(super) fn string(&mut self, field: &'static str) -> Result<StrBytes, MessageError> {
        self.nullable_string(field)?.ok_or(MessageError::Null { field })
    }

    /// A string, or null; as with Kafka of 32767 bytes at most, in either length format.
    pub(super) fn nullable_string(&mut self, field: &'static str) -> Result<Option<StrBytes>, MessageError> {
        let length = if self.flexible { self.compact_length()? } else { i64::from(self.i16()?) };
        if length > i64::from(i16::MAX) {
            return Err(MessageError::Length { field, length });
        }
        let Some(length) = count(field, length)? else { return Ok(None) };
        let bytes: Bytes = self.buf.try_get_bytes(length).map_err(|_| MessageError::Truncated)?;
        StrBytes::from_utf8(bytes).map(Some).map_err(|_| MessageError::Utf8 { field })
    }

    /// An array that is not null.
    pub(super) fn array<T>(
        &mut self,
        field: &'static str,
        read: impl FnMut(&mut Self) -> Result<T, MessageError>,
    ) -> Result<Vec<T>, MessageError> {
        self.nullable_array(field, read)?.ok_or(MessageError::Null { field })
    }

    /// An array, or null. It grows with what was read.
    pub(super) fn nullable_array<T>(
        &mut self,
        field: &'static str,
        mut read: impl FnMut(&mut Self) -> Result<T, MessageError>,
    ) -> Result<Option<Vec<T>>, MessageError> {
        let length = if self.flexible { self.compact_length()? } else { i64::from(self.i32()?) };
        let Some(length) = count(field, length)? else { return Ok(None) };
        let mut items = Vec::new();
        for _ in 0..length {
            items.push(read(self)?);
        }
        Ok(Some(items))
    }

    /// Passes over the tagged fields of a structure that knows none.
    pub(super) fn skip_tags(&mut self) -> Result<(), MessageError> {
        if !self.flexible {
            return Ok(());
        }
        for _ in 0..self.unsigned_varint()? {
            self.unsigned_varint()?;
            let size = self.unsigned_varint()? as usize;
            self.buf.try_get_bytes(size).map_err(|_| MessageError::Truncated)?;
        }
        Ok(())
    }

    /// A compact length is stored one higher, which leaves 0 for null.
    fn compact_length(&mut self) -> Result<i64, MessageError> {
        Ok(i64::from(self.unsigned_varint()?).saturating_sub(1))
    }

    fn unsigned_varint(&mut self) -> Result<u32, MessageError> {
        let mut value = 0u32;
        for shift in [0u32, 7, 14, 21, 28] {
            let byte = self.buf.try_get_u8()?;
            let bits = u32::from(byte & 0x7f);
            value |=
                bits.checked_shl(shift).filter(|_| shift < 28 || bits < 16).ok_or(MessageError::Varint)?;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(MessageError::Varint)
    }
}

/// A length or count from the wire; -1 is null.
fn count(field: &'static str, length: i64) -> Result<Option<usize>, MessageError> {
    if length == -1 {
        return Ok(None);
    }
    usize::try_from(length).map(Some).map_err(|_| MessageError::Length { field, length })
}

/// Where a message is written to: a buffer, or a count of its bytes.
pub(super) trait Sink {
    /// Takes bytes.
    fn put(&mut self, bytes: &[u8]);
}

impl Sink for usize {
    fn put(&mut self, bytes: &[u8]) {
        *self = self.saturating_add(bytes.len());
    }
}

/// A buffer of the protocol crate as a sink.
pub(super) struct Buffer<'a, B>(pub(super) &'a mut B);

impl<B: BufMut> Sink for Buffer<'_, B> {
    fn put(&mut self, bytes: &[u8]) {
        self.0.put_slice(bytes);
    }
}

/// A message as it is written.
pub(super) struct Writer<S> {
    sink: S,
    flexible: bool,
}

macro_rules! write_numbers {
    ($($name:ident)*) => { $(
        #[doc = concat!("Appends an `", stringify!($name), "`, big endian.")]
        pub(super) fn $name(&mut self, value: $name) {
            self.sink.put(&value.to_be_bytes());
        }
    )* };
}

impl<S: Sink> Writer<S> {
    /// Nothing yet; `flexible` chooses compact lengths and tagged fields.
    pub(super) fn new(sink: S, flexible: bool) -> Self {
        Self { sink, flexible }
    }

    /// What was written.
    pub(super) fn into_sink(self) -> S {
        self.sink
    }

    write_numbers!(i8 i16 i32 i64);

    /// Appends 1 or 0.
    pub(super) fn bool(&mut self, value: bool) {
        self.sink.put(&[u8::from(value)]);
    }

    /// Appends 16 bytes.
    pub(super) fn uuid(&mut self, value: Uuid) {
        self.sink.put(value.as_bytes());
    }

    /// Appends a string.
    pub(super) fn string(&mut self, field: &'static str, value: &str) -> Result<(), MessageError> {
        self.nullable_string(field, Some(value))
    }

    /// Appends a string or null; fails above 32767 bytes, in either length format.
    pub(super) fn nullable_string(
        &mut self,
        field: &'static str,
        value: Option<&str>,
    ) -> Result<(), MessageError> {
        let length = match value.map(str::len) {
            Some(length) => Some(i16::try_from(length).map_err(|_| MessageError::TooLong { field, length })?),
            None => None,
        };
        if self.flexible {
            self.compact_length(length.map(|length| u32::from(length.unsigned_abs())));
        } else {
            self.i16(length.unwrap_or(-1));
        }
        self.sink.put(value.unwrap_or_default().as_bytes());
        Ok(())
    }

    /// Appends an array.
    pub(super) fn array<T>(
        &mut self,
        field: &'static str,
        items: &[T],
        write: impl FnMut(&mut Self, &T) -> Result<(), MessageError>,
    ) -> Result<(), MessageError> {
        self.nullable_array(field, Some(items), write)
    }

    /// Appends an array or null.
    pub(super) fn nullable_array<T>(
        &mut self,
        field: &'static str,
        items: Option<&[T]>,
        mut write: impl FnMut(&mut Self, &T) -> Result<(), MessageError>,
    ) -> Result<(), MessageError> {
        let length = match items.map(<[T]>::len) {
            Some(length) => Some(i32::try_from(length).map_err(|_| MessageError::TooLong { field, length })?),
            None => None,
        };
        if self.flexible {
            self.compact_length(length.map(i32::unsigned_abs));
        } else {
            self.i32(length.unwrap_or(-1));
        }
        items.unwrap_or_default().iter().try_for_each(|item| write(self, item))
    }

    /// Ends a structure, which has no tagged fields.
    pub(super) fn no_tags(&mut self) {
        if self.flexible {
            self.unsigned_varint(0);
        }
    }

    fn compact_length(&mut self, length: Option<u32>) {
        self.unsigned_varint(length.map_or(0, |length| length.saturating_add(1)));
    }

    fn unsigned_varint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.sink.put(&[value as u8 | 0x80]);
            value >>= 7;
        }
        self.sink.put(&[value as u8]);
    }
}
