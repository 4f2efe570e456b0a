//! Which neighbouring segments become one: as many as fit into one segment's bytes, indexes and range of offsets. Pure.

use std::ops::Range;

/// What of a segment decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) base: i64,
    pub(super) log_bytes: u64,
    pub(super) offset_index_bytes: u64,
    pub(super) time_index_bytes: u64,
}

/// Groups of neighbours, by index, each to be written as one segment; `round_end` is the offset behind the last one.
pub(super) fn group(
    segments: &[Sizes],
    log_bytes_max: u64,
    index_bytes_max: u64,
    round_end: i64,
) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    let mut sums = Sizes { base: 0, log_bytes: 0, offset_index_bytes: 0, time_index_bytes: 0 };
    let ends = segments.iter().skip(1).map(|next| next.base).chain([round_end]);
    for (index, (segment, end)) in segments.iter().zip(ends).enumerate() {
        let sum = |group: u64, own: u64| group.saturating_add(own);
        let joined = Sizes {
            base: sums.base,
            log_bytes: sum(sums.log_bytes, segment.log_bytes),
            offset_index_bytes: sum(sums.offset_index_bytes, segment.offset_index_bytes),
            time_index_bytes: sum(sums.time_index_bytes, segment.time_index_bytes),
        };
        let span = end.saturating_sub(1).saturating_sub(sums.base);
        let fits = joined.log_bytes <= log_bytes_max
            && joined.offset_index_bytes <= index_bytes_max
            && joined.time_index_bytes <= index_bytes_max
            // Without a batch there is no offset that could lie too far away.
            && (segment.log_bytes == 0 || i32::try_from(span).is_ok());
        if let Some(last) = groups.last_mut().filter(|_| fits) {
            last.end = index.saturating_add(1);
            sums = joined;
        } else {
            groups.push(index..index.saturating_add(1));
            sums = *segment;
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(base: i64, log_bytes: u64) -> Sizes {
        Sizes { base, log_bytes, offset_index_bytes: 8, time_index_bytes: 12 }
    }

    #[test]
    fn segments_are_joined_up_to_the_size_of_one() {
        let segments =
            [sizes(0, 40), sizes(10, 50), sizes(20, 20), sizes(30, 100), sizes(40, 0), sizes(50, 1)];
        assert_eq!(group(&segments, 100, 1000, 60), [0..2, 2..3, 3..5, 5..6]);
        assert_eq!(group(&segments, 1000, 1000, 60).len(), 1);
        assert_eq!(group(&segments, 1, 1000, 60), [0..1, 1..2, 2..3, 3..4, 4..6]);
        assert!(group(&[], 1, 1, 0).is_empty());
    }

    #[test]
    fn full_indexes_end_a_group() {
        let segments = [sizes(0, 1), sizes(10, 1), sizes(20, 1), sizes(30, 1)];
        assert_eq!(group(&segments, 100, 24, 40), [0..2, 2..4], "two time indexes fill 24 bytes");
        let offsets = |base| Sizes { time_index_bytes: 0, ..sizes(base, 1) };
        assert_eq!(group(&[offsets(0), offsets(1), offsets(2), offsets(3)], 100, 24, 4), [0..3, 3..4]);
    }

    #[test]
    fn a_group_spans_no_more_offsets_than_an_index_can_tell() {
        let far = i64::from(i32::MAX);
        let segments = [sizes(5, 1), sizes(1000, 1), sizes(far + 6, 1)];
        assert_eq!(
            group(&segments, 100, 100, far + 10),
            [0..2, 2..3],
            "the last offset of the second is far + 5"
        );
        let segments = [sizes(5, 1), sizes(1000, 1), sizes(far + 7, 0), sizes(far + 8, 1)];
        assert_eq!(group(&segments, 100, 100, far + 10), [0..1, 1..4], "an empty one is no obstacle");
    }
}
