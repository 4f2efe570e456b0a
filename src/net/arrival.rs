//! When a request arrives too slowly to be waited for. Pure: seconds and bytes are handed in.

use crate::limits::{
    REQUEST_BYTES_PER_S_MIN, REQUEST_BYTES_PER_S_SHORT_MIN, SLOW_REQUEST_S_MAX, SLOW_REQUEST_SHORT_S_MAX,
};

/// Seconds in which all of a request has to arrive that holds memory for which others wait.
const ARRIVAL_SHORT_S: usize = 10;

/// How far a request has come that is not whole yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    /// Since its first byte, or since it was looked at last, in whole seconds.
    pub(super) seconds: u32,
    /// Bytes that came in this time.
    pub(super) bytes: usize,
    /// Bytes that there will be, as far as is known.
    pub(super) bytes_announced: usize,
    /// Whether it holds memory that others wait for.
    pub(super) is_in_the_way: bool,
}

/// Seconds after which a request may be too slow.
pub(super) fn patience_s(is_short: bool) -> u32 {
    if is_short { SLOW_REQUEST_SHORT_S_MAX } else { SLOW_REQUEST_S_MAX }
}

impl Arrival {
    /// Whether it is too slow.
    pub(super) fn is_too_slow(self) -> bool {
        let bytes_per_s_min = if self.is_in_the_way {
            REQUEST_BYTES_PER_S_SHORT_MIN.max(self.bytes_announced / ARRIVAL_SHORT_S)
        } else {
            REQUEST_BYTES_PER_S_MIN
        };
        self.seconds >= patience_s(self.is_in_the_way)
            && self.bytes < bytes_per_s_min.saturating_mul(self.seconds as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(seconds: u32, bytes: usize, bytes_announced: usize, is_in_the_way: bool) -> bool {
        Arrival { seconds, bytes, bytes_announced, is_in_the_way }.is_too_slow()
    }

    #[test]
    fn a_byte_a_second_is_waited_for_only_so_long() {
        assert!(!arrival(29, 29, 1_000, false));
        assert!(arrival(30, 30, 1_000, false));
    }

    #[test]
    fn a_large_request_on_a_slow_line_is_waited_for() {
        assert!(!arrival(3_000, 90_000_000, 100_000_000, false));
        assert!(!arrival(30, 40_000, 1_000_000, false));
    }

    #[test]
    fn while_others_wait_for_its_memory_a_request_has_to_be_fast() {
        assert!(!arrival(1, 0, 1_000_000, true));
        assert!(arrival(2, 100_000, 1_000_000, true));
        assert!(!arrival(2, 250_000, 1_000_000, true));
        assert!(arrival(5, 1_000_000, 100_000_000, true));
        assert!(!arrival(5, 60_000_000, 100_000_000, true));
    }
}
