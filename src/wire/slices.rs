//! Bytes that follow each other on their way to the socket: slices of memory, and ranges of files that are read when
//! they are sent. Nothing here copies but `into_bytes`.

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

/// Where stored bytes are read from.
pub trait Source: fmt::Debug + Send + Sync {
    /// Bytes from `position` on, as many as are convenient, at least one and at most `len`. Where it may not block, it
    /// fails with `WouldBlock` when the disk would have to be asked.
    fn read(&self, position: u64, len: usize, may_block: bool) -> io::Result<Bytes>;

    /// Whether memory is short, so that no more should be read than is needed.
    fn is_short(&self) -> bool {
        false
    }
}

/// A range of a file.
#[derive(Clone, Debug)]
pub struct Stored {
    source: Arc<dyn Source>,
    position: u64,
    len: usize,
}

impl Stored {
    /// The `len` bytes at `position`.
    pub fn new(source: Arc<dyn Source>, position: u64, len: usize) -> Self {
        Self { source, position, len }
    }

    /// Takes bytes off its front by reading them.
    ///
    /// # Errors
    /// `WouldBlock`, after which nothing was taken; any other means that the rest cannot be read.
    pub fn read(&mut self, may_block: bool) -> io::Result<Bytes> {
        let bytes = self.source.read(self.position, self.len, may_block)?;
        if bytes.is_empty() || bytes.len() > self.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.position = self.position.saturating_add(bytes.len() as u64);
        self.len = self.len.saturating_sub(bytes.len());
        Ok(bytes)
    }

    /// Whether memory is short, so that no more should be read than is needed.
    pub fn is_short(&self) -> bool {
        self.source.is_short()
    }

    /// Whether all was read.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// Bytes that are in memory, or where they lie.
#[derive(Clone, Debug)]
pub enum Slice {
    /// In memory.
    Here(Bytes),
    /// In a file.
    Stored(Stored),
}

impl Slice {
    /// How many bytes they are.
    pub fn len(&self) -> usize {
        match self {
            Self::Here(bytes) => bytes.len(),
            Self::Stored(stored) => stored.len,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<Bytes> for Slice {
    fn from(bytes: Bytes) -> Self {
        Self::Here(bytes)
    }
}

/// Bytes in one or more slices; none of them is empty.
#[derive(Clone, Debug, Default)]
pub struct Slices {
    first: Option<Slice>,
    /// Empty for most: small reads have one slice.
    rest: Vec<Slice>,
}

impl Slices {
    /// Adds bytes behind the others.
    pub fn push(&mut self, slice: impl Into<Slice>) {
        let slice = slice.into();
        if slice.is_empty() {
        } else if self.first.is_none() {
            self.first = Some(slice);
        } else {
            self.rest.push(slice);
        }
    }

    /// Bytes in all slices.
    pub fn len(&self) -> usize {
        self.first.iter().chain(&self.rest).map(Slice::len).fold(0, usize::saturating_add)
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// All bytes as one slice; copies them when they are in several, and reads what is stored.
    ///
    /// # Errors
    /// Those of the file.
    pub fn into_bytes(self) -> io::Result<Bytes> {
        let mut all = BytesMut::new();
        let len = self.len();
        for slice in self {
            match slice {
                Slice::Here(bytes) if bytes.len() == len => return Ok(bytes),
                Slice::Here(bytes) => all.extend_from_slice(&bytes),
                Slice::Stored(mut stored) => {
                    while !stored.is_empty() {
                        all.extend_from_slice(&stored.read(true)?);
                    }
                }
            }
        }
        Ok(all.freeze())
    }
}

impl<T: Into<Slice>> From<T> for Slices {
    fn from(slice: T) -> Self {
        let mut slices = Self::default();
        slices.push(slice);
        slices
    }
}

impl Extend<Slice> for Slices {
    fn extend<I: IntoIterator<Item = Slice>>(&mut self, slices: I) {
        slices.into_iter().for_each(|slice| self.push(slice));
    }
}

impl IntoIterator for Slices {
    type Item = Slice;
    type IntoIter = std::iter::Chain<std::option::IntoIter<Slice>, std::vec::IntoIter<Slice>>;

    fn into_iter(self) -> Self::IntoIter {
        self.first.into_iter().chain(self.rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that gives three bytes at a time.
    #[derive(Debug)]
    struct Letters(&'static [u8]);

    impl Source for Letters {
        fn read(&self, position: u64, len: usize, _: bool) -> io::Result<Bytes> {
            let rest = &self.0[position as usize..];
            Ok(Bytes::from_static(&rest[..rest.len().min(len).min(3)]))
        }
    }

    #[test]
    fn slices_keep_their_order_and_empty_ones_are_left_out() {
        let mut slices = Slices::default();
        assert!(slices.is_empty());
        for part in [&b""[..], b"ab", b"", b"c", b"def"] {
            slices.push(Bytes::copy_from_slice(part));
        }
        assert_eq!((slices.len(), slices.is_empty()), (6, false));
        assert_eq!(slices.clone().into_iter().map(|slice| slice.len()).collect::<Vec<_>>(), [2, 1, 3]);
        assert_eq!(slices.into_bytes().unwrap(), &b"abcdef"[..]);
    }

    #[test]
    fn one_slice_is_not_copied() {
        let bytes = Bytes::from(vec![1; 100]);
        assert_eq!(Slices::from(bytes.clone()).into_bytes().unwrap().as_ptr(), bytes.as_ptr());
    }

    #[test]
    fn what_is_stored_is_read_in_its_place() {
        let mut slices = Slices::from(Bytes::from_static(b"<"));
        slices.push(Slice::Stored(Stored::new(Arc::new(Letters(b"0123456789")), 1, 8)));
        slices.push(Bytes::from_static(b">"));
        assert_eq!(slices.len(), 10);
        assert_eq!(slices.into_bytes().unwrap(), &b"<12345678>"[..]);
    }

    #[test]
    fn a_file_that_has_less_than_it_should_is_an_error() {
        let mut stored = Stored::new(Arc::new(Letters(b"0123")), 2, 5);
        assert_eq!(stored.read(false).unwrap(), &b"23"[..]);
        assert_eq!(stored.read(false).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
