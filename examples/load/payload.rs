//! Record values, made before the clock starts: slices of one text of made-up words, which compresses to about half, as
//! much as usual data does, because neighbouring records differ.

/// Larger than the window of lz4, so that a slice that comes again is not found there.
const TEXT_BYTES: usize = 1 << 20;
const WORDS: usize = 1_024;
const WORD_BYTES: usize = 7;

/// Values of one size.
pub(crate) struct Payloads {
    text: Vec<u8>,
    size: usize,
}

impl Payloads {
    pub(crate) fn new(size: usize) -> Self {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let words: Vec<u8> = (0..WORDS * WORD_BYTES).map(|_| b'a' + random.below(26) as u8).collect();
        let mut text = Vec::with_capacity(TEXT_BYTES + size + WORD_BYTES);
        while text.len() < TEXT_BYTES + size {
            let at = random.below(WORDS) * WORD_BYTES;
            text.extend_from_slice(&words[at..at + WORD_BYTES]);
            text.push(b' ');
        }
        Self { text, size }
    }

    /// The value of the record with this number.
    pub(crate) fn get(&self, index: u64) -> &[u8] {
        let at = (index as usize).wrapping_mul(self.size) % TEXT_BYTES;
        &self.text[at..at + self.size]
    }
}

/// Numbers that look random and are the same each time (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_of_values_compresses_to_about_half() {
        let payloads = Payloads::new(100);
        let batch: Vec<u8> = (0..1_000).flat_map(|index| payloads.get(index).to_vec()).collect();
        assert_eq!(batch.len(), 100_000);
        let compressed = lz4::block::compress(&batch, None, false).unwrap();
        let part = compressed.len() as f64 / batch.len() as f64;
        assert!((0.4..0.7).contains(&part), "{part}");
    }
}
