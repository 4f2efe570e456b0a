//! Walks a request before it is decoded: every count and length has to fit the bytes that remain, and the elements of
//! the whole request a budget. What passes is decoded without a panic and without memory that its bytes do not warrant.
//! Relies on `shapes`, which is learned from the decoder itself; never allocates and never panics.

use std::fmt;

use thiserror::Error;

use super::shapes;
use crate::limits::REQUEST_ELEMENTS_MAX;

/// What the decoder reads at one place of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// This many bytes, whatever they say.
    Fixed(usize),
    /// A length as int16, then bytes; -1 is null.
    String,
    /// A length as int32, then bytes; -1 is null.
    Bytes,
    /// A length plus one as unsigned varint, then bytes; 0 is null.
    Compact,
    /// A count as int32, then so many elements; -1 is null.
    Array(&'static [Shape]),
    /// A count plus one as unsigned varint, then so many elements; 0 is null.
    CompactArray(&'static [Shape]),
    /// A byte, 1 when the structure follows, negative for null.
    Optional(&'static [Shape]),
    /// A count, then per field tag, size and value; the tags that the decoder knows, with the shape of their values.
    Tags(&'static [(u32, &'static [Shape])]),
}

/// What a count or a length belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A string in the format before compact lengths.
    String,
    /// Bytes in the format before compact lengths.
    Bytes,
    /// A string or bytes with a compact length.
    Compact,
    /// An array.
    Array,
    /// The number of tagged fields.
    Tags,
    /// The value of a tagged field.
    TagValue,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Compact => "string or bytes",
            Self::Array => "array",
            Self::Tags => "tagged fields",
            Self::TagValue => "tagged field's value",
        })
    }
}

/// Why a request is not handed to the decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum GuardError {
    /// The decoder does not know the request at all.
    #[error("API {api_key} version {version} cannot be decoded")]
    Unknown {
        /// The request's API key.
        api_key: i16,
        /// Its version.
        version: i16,
    },
    /// The bytes end inside a value of fixed size.
    #[error("{needed} bytes needed, {remaining} left")]
    Truncated {
        /// Bytes that the value takes.
        needed: usize,
        /// Bytes that are left.
        remaining: usize,
    },
    /// A count or length that is negative (and not the one for null) or above what is left.
    #[error("{kind} of length {length} with {remaining} bytes left")]
    Length {
        /// What the length belongs to.
        kind: Kind,
        /// The count or length.
        length: i64,
        /// Bytes that are left.
        remaining: usize,
    },
    /// More elements than one request may hold.
    #[error("{kind} of length {count} where {budget} more elements are allowed")]
    Elements {
        /// What the count belongs to.
        kind: Kind,
        /// The count.
        count: usize,
        /// Elements that were still allowed.
        budget: usize,
    },
    /// A variable-length integer of more than 32 bits.
    #[error("a variable-length integer does not end within 32 bits")]
    Varint,
    /// The mark before a structure is neither 1 nor negative: Kafka and the decoder would not agree on it.
    #[error("the mark {0} before a structure that may be null")]
    Mark(i8),
    /// A tagged field that the decoder knows ends before or behind its declared size.
    #[error("tagged field {tag} leaves {unread} of its {size} bytes unread")]
    TagSize {
        /// The tag.
        tag: u32,
        /// The declared size.
        size: usize,
        /// Bytes that the value does not take.
        unread: usize,
    },
}

/// Walks the body of a request and tells how many of its bytes the decoder will take; what is behind them is ignored,
/// as Kafka does. Fails on the first thing that the decoder must not see.
pub fn check(api_key: i16, version: i16, body: &[u8]) -> Result<usize, GuardError> {
    let shape = shapes::of(api_key, version).ok_or(GuardError::Unknown { api_key, version })?;
    let mut walk = Walk::new(body);
    walk.shapes(shape)?;
    Ok(body.len().saturating_sub(walk.bytes.len()))
}

/// A cursor over untrusted bytes that counts elements.
pub(super) struct Walk<'a> {
    bytes: &'a [u8],
    budget: usize,
}

impl<'a> Walk<'a> {
    /// A cursor at the start of a request with the whole budget.
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, budget: REQUEST_ELEMENTS_MAX }
    }

    /// The bytes that were not passed yet.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    /// Passes `count` bytes.
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], GuardError> {
        let truncated = GuardError::Truncated { needed: count, remaining: self.bytes.len() };
        let (taken, rest) = self.bytes.split_at_checked(count).ok_or(truncated)?;
        self.bytes = rest;
        Ok(taken)
    }

    /// The next `N` bytes.
    pub(super) fn fixed<const N: usize>(&mut self) -> Result<[u8; N], GuardError> {
        let truncated = GuardError::Truncated { needed: N, remaining: self.bytes.len() };
        let (taken, rest) = self.bytes.split_first_chunk::<N>().ok_or(truncated)?;
        self.bytes = rest;
        Ok(*taken)
    }

    /// Passes the tagged fields of a structure that knows none.
    pub(super) fn unknown_tags(&mut self) -> Result<(), GuardError> {
        self.tags(&[])
    }

    fn shapes(&mut self, shapes: &[Shape]) -> Result<(), GuardError> {
        shapes.iter().try_for_each(|shape| self.shape(shape))
    }

    fn shape(&mut self, shape: &Shape) -> Result<(), GuardError> {
        match *shape {
            Shape::Fixed(count) => self.take(count).map(drop),
            Shape::String => {
                let length = i64::from(i16::from_be_bytes(self.fixed()?));
                self.counted_bytes(Kind::String, length)
            }
            Shape::Bytes => {
                let length = i64::from(i32::from_be_bytes(self.fixed()?));
                self.counted_bytes(Kind::Bytes, length)
            }
            Shape::Compact => {
                let length = self.compact_length()?;
                self.counted_bytes(Kind::Compact, length)
            }
            Shape::Array(element) => {
                let length = i64::from(i32::from_be_bytes(self.fixed()?));
                self.array(length, element)
            }
            Shape::CompactArray(element) => {
                let length = self.compact_length()?;
                self.array(length, element)
            }
            Shape::Optional(value) => match i8::from_be_bytes(self.fixed()?) {
                1 => self.shapes(value),
                mark if mark < 0 => Ok(()),
                mark => Err(GuardError::Mark(mark)),
            },
            Shape::Tags(known) => self.tags(known),
        }
    }

    fn array(&mut self, length: i64, element: &[Shape]) -> Result<(), GuardError> {
        if length == -1 {
            return Ok(());
        }
        let count = self.count(Kind::Array, length)?;
        if let [Shape::Fixed(bytes)] = element {
            return self.take(count.saturating_mul(*bytes)).map(drop);
        }
        (0..count).try_for_each(|_| self.shapes(element))
    }

    fn tags(&mut self, known: &[(u32, &[Shape])]) -> Result<(), GuardError> {
        let count = self.varint()?;
        for _ in 0..self.count(Kind::Tags, i64::from(count))? {
            let tag = self.varint()?;
            let length = i64::from(self.varint()?);
            let size = self.fitting(Kind::TagValue, length)?;
            let value = self.take(size)?;
            if let Some((_, shape)) = known.iter().find(|(known, _)| *known == tag) {
                self.known_tag(tag, value, shape)?;
            }
        }
        Ok(())
    }

    /// The decoder does not look at the declared size of a field that it knows, so value and size have to agree.
    fn known_tag(&mut self, tag: u32, value: &'a [u8], shape: &[Shape]) -> Result<(), GuardError> {
        let mut inner = Walk { bytes: value, budget: self.budget };
        inner.shapes(shape)?;
        self.budget = inner.budget;
        if inner.bytes.is_empty() {
            return Ok(());
        }
        Err(GuardError::TagSize { tag, size: value.len(), unread: inner.bytes.len() })
    }

    /// Passes a string or bytes whose length was read; -1 is null.
    fn counted_bytes(&mut self, kind: Kind, length: i64) -> Result<(), GuardError> {
        if length == -1 {
            return Ok(());
        }
        let count = self.fitting(kind, length)?;
        self.take(count).map(drop)
    }

    /// A count of elements, each of one byte at least, taken from the budget.
    fn count(&mut self, kind: Kind, length: i64) -> Result<usize, GuardError> {
        let count = self.fitting(kind, length)?;
        let budget = self.budget;
        self.budget = budget.checked_sub(count).ok_or(GuardError::Elements { kind, count, budget })?;
        Ok(count)
    }

    /// The length, when so many bytes are left.
    fn fitting(&self, kind: Kind, length: i64) -> Result<usize, GuardError> {
        let remaining = self.bytes.len();
        match usize::try_from(length) {
            Ok(count) if count <= remaining => Ok(count),
            _ => Err(GuardError::Length { kind, length, remaining }),
        }
    }

    /// A compact length is stored one higher, which leaves 0 for null.
    fn compact_length(&mut self) -> Result<i64, GuardError> {
        Ok(i64::from(self.varint()?).saturating_sub(1))
    }

    fn varint(&mut self) -> Result<u32, GuardError> {
        let mut value = 0u32;
        for shift in [0u32, 7, 14, 21, 28] {
            let [byte] = self.fixed()?;
            let group = u32::from(byte & 0x7f);
            if shift == 28 && group > 0xf {
                return Err(GuardError::Varint);
            }
            value |= group << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(GuardError::Varint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const METADATA: i16 = 3;

    fn metadata(version: i16, body: &[u8]) -> Result<usize, GuardError> {
        check(METADATA, version, body)
    }

    #[test]
    fn four_bytes_that_ask_for_two_billion_topics_are_refused() {
        let length = i64::from(i32::MAX);
        let refused = GuardError::Length { kind: Kind::Array, length, remaining: 0 };
        assert_eq!(metadata(1, &[0x7f, 0xff, 0xff, 0xff]), Err(refused));
        assert_eq!(refused.to_string(), "array of length 2147483647 with 0 bytes left");
    }

    #[test]
    fn null_and_empty_pass_and_other_negative_lengths_do_not() {
        assert_eq!(metadata(1, &[0xff; 4]), Ok(4));
        assert_eq!(metadata(1, &[0; 4]), Ok(4));
        let refused = GuardError::Length { kind: Kind::Array, length: -2, remaining: 0 };
        assert_eq!(metadata(1, &[0xff, 0xff, 0xff, 0xfe]), Err(refused));
        let refused = GuardError::Length { kind: Kind::String, length: -3, remaining: 0 };
        assert_eq!(metadata(1, &[0, 0, 0, 1, 0xff, 0xfd]), Err(refused));
    }

    #[test]
    fn bytes_behind_the_body_are_not_counted() {
        assert_eq!(metadata(1, &[0, 0, 0, 1, 0, 1, b't', 9, 9]), Ok(7));
    }

    #[test]
    fn a_body_that_ends_inside_a_value_is_refused() {
        assert_eq!(metadata(1, &[0, 0]), Err(GuardError::Truncated { needed: 4, remaining: 2 }));
    }

    #[test]
    fn more_elements_than_the_budget_are_refused() {
        let body = |count: usize| [&(count as u32).to_be_bytes()[..], &vec![0; 2 * count]].concat();
        assert_eq!(metadata(1, &body(REQUEST_ELEMENTS_MAX)), Ok(4 + 2 * REQUEST_ELEMENTS_MAX));
        let (count, budget) = (REQUEST_ELEMENTS_MAX + 1, REQUEST_ELEMENTS_MAX);
        let refused = GuardError::Elements { kind: Kind::Array, count, budget };
        assert_eq!(metadata(1, &body(count)), Err(refused));
    }

    #[test]
    fn elements_of_tagged_fields_and_arrays_share_one_budget() {
        let shape = [Shape::CompactArray(&[Shape::Tags(&[(0, &[Shape::CompactArray(&[Shape::Fixed(1)])])])])];
        let element = [1, 0, 4, 4, 7, 7, 7];
        let body = [&[3][..], &element, &element].concat();
        let with_budget = |budget| Walk { bytes: &body, budget }.shapes(&shape);
        assert_eq!(with_budget(2 + 2 * (1 + 3)), Ok(()));
        let refused = GuardError::Elements { kind: Kind::Array, count: 3, budget: 2 };
        assert_eq!(with_budget(2 + 2 * (1 + 3) - 1), Err(refused));
    }

    #[test]
    fn a_known_tagged_field_takes_exactly_its_size() {
        let shape = [Shape::Tags(&[(5, &[Shape::Compact])]), Shape::Fixed(2)];
        let walk = |body: &[u8]| Walk::new(body).shapes(&shape);
        assert_eq!(walk(&[1, 5, 3, 3, b'a', b'b', 0, 0]), Ok(()));
        let over = GuardError::Length { kind: Kind::Compact, length: 2, remaining: 1 };
        assert_eq!(walk(&[1, 5, 2, 3, b'a', b'b', 0, 0]), Err(over));
        let under = GuardError::TagSize { tag: 5, size: 4, unread: 1 };
        assert_eq!(walk(&[1, 5, 4, 3, b'a', b'b', 0, 0]), Err(under));
    }

    #[test]
    fn an_unknown_tagged_field_is_passed_by_its_size() {
        let shape = [Shape::Tags(&[])];
        assert_eq!(Walk::new(&[1, 9, 2, 0xff, 0xff]).shapes(&shape), Ok(()));
        let refused = GuardError::Length { kind: Kind::TagValue, length: 3, remaining: 2 };
        assert_eq!(Walk::new(&[1, 9, 3, 0xff, 0xff]).shapes(&shape), Err(refused));
    }

    #[test]
    fn a_varint_of_more_than_32_bits_is_refused() {
        let varint = |bytes: &[u8]| Walk::new(bytes).varint();
        assert_eq!(varint(&[0xff, 0xff, 0xff, 0xff, 0x0f]), Ok(u32::MAX));
        assert_eq!(varint(&[0xff, 0xff, 0xff, 0xff, 0x1f]), Err(GuardError::Varint));
        assert_eq!(varint(&[0x80, 0x80, 0x80, 0x80, 0x80, 0]), Err(GuardError::Varint));
        assert_eq!(varint(&[0x80]), Err(GuardError::Truncated { needed: 1, remaining: 0 }));
    }

    #[test]
    fn a_structure_is_present_or_null_and_nothing_else() {
        let walk = |body: &[u8]| Walk::new(body).shapes(&[Shape::Optional(&[Shape::Fixed(2)])]);
        assert_eq!(walk(&[1, 7, 7]), Ok(()));
        assert_eq!(walk(&[0xff]), Ok(()));
        assert_eq!(walk(&[2, 7, 7]), Err(GuardError::Mark(2)));
    }

    #[test]
    fn a_request_that_the_decoder_lacks_is_refused() {
        assert_eq!(metadata(99, &[]), Err(GuardError::Unknown { api_key: METADATA, version: 99 }));
        assert_eq!(check(999, 0, &[]), Err(GuardError::Unknown { api_key: 999, version: 0 }));
    }
}
