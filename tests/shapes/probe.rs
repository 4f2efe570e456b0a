//! A buffer that answers reads from a script and writes down what was asked for.

use bytes::{Buf, Bytes, TryGetError};
use kafka_protocol::protocol::buf::{ByteBuf, NotEnoughBytesError};

/// What a decoder asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// One byte as unsigned: a part of a varint, or a boolean.
    U8,
    I8,
    I16,
    I32,
    /// A value of fixed size that is never a length.
    Fixed(usize),
    /// So many bytes as a slice: the content of a string, of bytes or of an unknown tagged field.
    Slice(usize),
}

/// The k-th read gets the k-th value of the script, 0 behind its end.
pub(crate) struct Probe<'a> {
    script: &'a [i64],
    log: Vec<Read>,
}

impl<'a> Probe<'a> {
    pub(crate) fn new(script: &'a [i64]) -> Self {
        Self { script, log: vec![] }
    }

    pub(crate) fn into_log(self) -> Vec<Read> {
        self.log
    }

    fn answer(&mut self, read: Read) -> i64 {
        let value = self.script.get(self.log.len()).copied().unwrap_or(0);
        self.log.push(read);
        value
    }
}

impl Buf for Probe<'_> {
    fn remaining(&self) -> usize {
        usize::MAX / 2
    }

    fn chunk(&self) -> &[u8] {
        unreachable!("the decoder reads values only")
    }

    fn advance(&mut self, _: usize) {
        unreachable!("the decoder reads values only")
    }

    fn try_get_u8(&mut self) -> Result<u8, TryGetError> {
        Ok(self.answer(Read::U8) as u8)
    }

    fn try_get_i8(&mut self) -> Result<i8, TryGetError> {
        Ok(self.answer(Read::I8) as i8)
    }

    fn try_get_i16(&mut self) -> Result<i16, TryGetError> {
        Ok(self.answer(Read::I16) as i16)
    }

    fn try_get_u16(&mut self) -> Result<u16, TryGetError> {
        Ok(self.answer(Read::Fixed(2)) as u16)
    }

    fn try_get_i32(&mut self) -> Result<i32, TryGetError> {
        Ok(self.answer(Read::I32) as i32)
    }

    fn try_get_u32(&mut self) -> Result<u32, TryGetError> {
        Ok(self.answer(Read::Fixed(4)) as u32)
    }

    fn try_get_i64(&mut self) -> Result<i64, TryGetError> {
        Ok(self.answer(Read::Fixed(8)))
    }

    fn try_get_f64(&mut self) -> Result<f64, TryGetError> {
        self.answer(Read::Fixed(8));
        Ok(0.0)
    }

    fn try_copy_to_slice(&mut self, to: &mut [u8]) -> Result<(), TryGetError> {
        self.answer(Read::Fixed(to.len()));
        Ok(())
    }
}

impl ByteBuf for Probe<'_> {
    fn peek_bytes(&mut self, _: std::ops::Range<usize>) -> Bytes {
        unreachable!("the decoder reads values only")
    }

    fn get_bytes(&mut self, size: usize) -> Bytes {
        self.answer(Read::Slice(size));
        Bytes::from(vec![b'a'; size])
    }

    fn try_get_bytes(&mut self, size: usize) -> Result<Bytes, NotEnoughBytesError> {
        Ok(self.get_bytes(size))
    }
}
