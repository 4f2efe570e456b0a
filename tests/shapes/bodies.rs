//! Random bodies of a shape, with the places of their counts and lengths.

use bytes::{BufMut, BytesMut};
use milena::wire::guard::Shape;

/// A small deterministic generator (xorshift).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

/// How a count or length is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    I16,
    I32,
    Varint,
}

/// A body that the decoder accepts.
pub(crate) struct Body {
    pub(crate) bytes: BytesMut,
    /// Where counts and lengths stand; those of one byte only, which all of ours are when they are varints.
    pub(crate) lengths: Vec<(usize, Width)>,
}

impl Body {
    pub(crate) fn random(shapes: &[Shape], random: &mut Random) -> Self {
        let mut body = Self { bytes: BytesMut::new(), lengths: vec![] };
        body.put_all(shapes, random, 0);
        body
    }

    fn put_all(&mut self, shapes: &[Shape], random: &mut Random, depth: usize) {
        for shape in shapes {
            self.put(shape, random, depth);
        }
    }

    fn put(&mut self, shape: &Shape, random: &mut Random, depth: usize) {
        let count = if depth > 3 { 0 } else { random.below(3) };
        match *shape {
            Shape::Fixed(bytes) => (0..bytes).for_each(|_| self.bytes.put_u8(random.below(256) as u8)),
            Shape::String => self.text(Width::I16, random.below(9)),
            Shape::Bytes => self.text(Width::I32, random.below(9)),
            Shape::Compact => self.text(Width::Varint, random.below(9)),
            Shape::Array(element) => self.array(Width::I32, count, element, random, depth),
            Shape::CompactArray(element) => self.array(Width::Varint, count, element, random, depth),
            Shape::Optional(value) if count > 0 => {
                self.bytes.put_u8(1);
                self.put_all(value, random, depth + 1);
            }
            Shape::Optional(_) => self.bytes.put_i8(-1),
            Shape::Tags(known) => self.tags(known, random, depth),
        }
    }

    fn text(&mut self, width: Width, length: usize) {
        self.length(width, length, 1);
        self.bytes.put_bytes(b'x', length);
    }

    fn array(&mut self, width: Width, count: usize, element: &[Shape], random: &mut Random, depth: usize) {
        self.length(width, count, 1);
        (0..count).for_each(|_| self.put_all(element, random, depth + 1));
    }

    fn tags(&mut self, known: &[(u32, &[Shape])], random: &mut Random, depth: usize) {
        let chosen: Vec<_> = known.iter().filter(|_| random.below(2) == 0).collect();
        let unknown = random.below(2);
        self.length(Width::Varint, chosen.len() + unknown, 0);
        for (tag, shapes) in chosen {
            let value = loop {
                let value = Self::random_at(shapes, random, depth + 1);
                if value.bytes.len() < 128 {
                    break value;
                }
            };
            self.bytes.put_u8(*tag as u8);
            self.length(Width::Varint, value.bytes.len(), 0);
            let start = self.bytes.len();
            self.lengths.extend(value.lengths.iter().map(|(at, width)| (at + start, *width)));
            self.bytes.put_slice(&value.bytes);
        }
        if unknown == 1 {
            self.bytes.put_u8(99);
            self.text_of_tag();
        }
    }

    fn text_of_tag(&mut self) {
        self.length(Width::Varint, 3, 0);
        self.bytes.put_slice(b"abc");
    }

    fn random_at(shapes: &[Shape], random: &mut Random, depth: usize) -> Self {
        let mut body = Self { bytes: BytesMut::new(), lengths: vec![] };
        body.put_all(shapes, random, depth);
        body
    }

    /// Writes a length; `above` is 1 where a varint stores it one higher.
    fn length(&mut self, width: Width, length: usize, above: usize) {
        self.lengths.push((self.bytes.len(), width));
        match width {
            Width::I16 => self.bytes.put_i16(length as i16),
            Width::I32 => self.bytes.put_i32(length as i32),
            Width::Varint => self.bytes.put_u8((length + above) as u8),
        }
    }
}
