//! Draws values from a string of random bytes, so that a failing case shrinks with the bytes.

use bytes::Bytes;
use uuid::Uuid;

use crate::wire::records::codec::Message;

/// A structure that can be drawn at a version: fields that the version lacks keep their defaults.
pub(super) trait Sample {
    fn sample(source: &mut Source<'_>, version: i16) -> Self;
}

/// What is done with every definition.
pub(super) trait Visitor {
    fn visit<M: Message + Sample + PartialEq + std::fmt::Debug>(&mut self);
}

/// Random bytes; zeros once they are used up.
pub(super) struct Source<'a>(pub(super) &'a [u8]);

impl Source<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn fixed<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }

    pub(super) fn bool(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    pub(super) fn int8(&mut self) -> i8 {
        i8::from_be_bytes(self.fixed())
    }

    pub(super) fn int16(&mut self) -> i16 {
        i16::from_be_bytes(self.fixed())
    }

    pub(super) fn uint16(&mut self) -> u16 {
        u16::from_be_bytes(self.fixed())
    }

    pub(super) fn int32(&mut self) -> i32 {
        i32::from_be_bytes(self.fixed())
    }

    pub(super) fn int64(&mut self) -> i64 {
        i64::from_be_bytes(self.fixed())
    }

    pub(super) fn float64(&mut self) -> f64 {
        f64::from(self.int32())
    }

    pub(super) fn uuid(&mut self) -> Uuid {
        if self.bool() { Uuid::from_bytes(self.fixed()) } else { Uuid::nil() }
    }

    /// Mostly short, now and then longer than one byte of a compact length can say.
    fn length(&mut self) -> usize {
        match self.byte() {
            255 => 127 + usize::from(self.byte()),
            byte => usize::from(byte % 4),
        }
    }

    pub(super) fn string(&mut self) -> String {
        (0..self.length()).map(|_| char::from(self.byte())).collect()
    }

    pub(super) fn bytes(&mut self) -> Bytes {
        (0..self.length()).map(|_| self.byte()).collect()
    }

    pub(super) fn array<T>(&mut self, mut item: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.length()).map(|_| item(self)).collect()
    }

    pub(super) fn nullable<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.bool().then(|| value(self))
    }
}
