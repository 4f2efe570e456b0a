//! Bytes that follow each other and may lie in several slices: what a log read stays where it was read to, on its way
//! to the socket. Nothing here copies but `into_bytes`.

use bytes::{Bytes, BytesMut};

/// Bytes in one or more slices; none of them is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slices {
    first: Bytes,
    /// Empty for most: small reads have one slice.
    rest: Vec<Bytes>,
}

impl Slices {
    /// Adds bytes behind the others.
    pub fn push(&mut self, slice: Bytes) {
        if self.first.is_empty() {
            self.first = slice;
        } else if !slice.is_empty() {
            self.rest.push(slice);
        }
    }

    /// Bytes in all slices.
    pub fn len(&self) -> usize {
        self.rest.iter().map(Bytes::len).fold(self.first.len(), usize::saturating_add)
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// All bytes as one slice; copies them when they are in several.
    pub fn into_bytes(self) -> Bytes {
        if self.rest.is_empty() {
            return self.first;
        }
        let mut all = BytesMut::with_capacity(self.len());
        self.into_iter().for_each(|slice| all.extend_from_slice(&slice));
        all.freeze()
    }
}

impl From<Bytes> for Slices {
    fn from(first: Bytes) -> Self {
        Self { first, rest: Vec::new() }
    }
}

impl From<Slices> for Bytes {
    fn from(slices: Slices) -> Self {
        slices.into_bytes()
    }
}

impl IntoIterator for Slices {
    type Item = Bytes;
    type IntoIter = std::iter::Chain<std::option::IntoIter<Bytes>, std::vec::IntoIter<Bytes>>;

    fn into_iter(self) -> Self::IntoIter {
        let first = Some(self.first).filter(|first| !first.is_empty());
        first.into_iter().chain(self.rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_keep_their_order_and_empty_ones_are_left_out() {
        let mut slices = Slices::default();
        assert!(slices.is_empty());
        for part in [&b""[..], b"ab", b"", b"c", b"def"] {
            slices.push(Bytes::copy_from_slice(part));
        }
        assert_eq!((slices.len(), slices.is_empty()), (6, false));
        assert_eq!(slices.clone().into_iter().collect::<Vec<_>>(), [&b"ab"[..], b"c", b"def"]);
        assert_eq!(slices.into_bytes(), &b"abcdef"[..]);
    }

    #[test]
    fn one_slice_is_not_copied() {
        let bytes = Bytes::from(vec![1; 100]);
        assert_eq!(Slices::from(bytes.clone()).into_bytes().as_ptr(), bytes.as_ptr());
    }
}
