//! Where the last reads of a log ended, so that a consumer that goes on needs no index. Places in memory only; whether
//! one still holds is the reader's to say, by the segment and its generation.

use super::segment::Segment;

/// Readers of one partition that go on from different places without looking for them.
const HINTS_MAX: usize = 16;

/// Where a recent read ended: the offset behind it and that offset's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hint {
    pub(crate) offset: i64,
    pub(crate) base: i64,
    /// Places in a segment's files do not hold for those that compaction puts in their place.
    pub(crate) generation: u32,
    pub(crate) position: u64,
}

/// The places of the last reads, each once: at the end of the log many readers share one.
#[derive(Debug, Default)]
pub(crate) struct Hints {
    places: Vec<Hint>,
    /// The oldest, which goes for another.
    oldest: usize,
}

impl Hints {
    /// The position of the batch that begins at `offset` in that segment.
    pub(crate) fn find(&self, segment: &Segment, offset: i64) -> Option<u64> {
        let is_it = |hint: &&Hint| {
            (hint.base, hint.generation, hint.offset) == (segment.base, segment.generation, offset)
        };
        self.places.iter().find(is_it).map(|hint| hint.position)
    }

    /// Adds a place, or puts it into the oldest one's.
    pub(crate) fn note(&mut self, hint: Hint) {
        if self.places.contains(&hint) {
            return;
        }
        if self.places.len() < HINTS_MAX {
            self.places.push(hint);
            return;
        }
        if let Some(place) = self.places.get_mut(self.oldest) {
            *place = hint;
        }
        self.oldest = self.oldest.wrapping_add(1) % HINTS_MAX;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(offset: i64) -> Hint {
        Hint { offset, base: 0, generation: 0, position: offset as u64 * 10 }
    }

    #[test]
    fn a_place_that_many_readers_note_is_held_once_and_stays_for_all_of_them() {
        let segment = Segment::empty(0);
        let mut hints = Hints::default();
        hints.note(hint(1));
        for _ in 0..100 {
            hints.note(hint(2));
        }
        assert_eq!(hints.places.len(), 2);
        assert_eq!((hints.find(&segment, 1), hints.find(&segment, 2)), (Some(10), Some(20)));
    }

    #[test]
    fn the_oldest_place_goes_first() {
        let segment = Segment::empty(0);
        let mut hints = Hints::default();
        for offset in 0..=HINTS_MAX as i64 + 1 {
            hints.note(hint(offset));
        }
        assert_eq!(hints.places.len(), HINTS_MAX);
        assert_eq!((hints.find(&segment, 1), hints.find(&segment, 2)), (None, Some(20)));
    }

    #[test]
    fn a_place_holds_for_its_segment_and_generation_alone() {
        let mut hints = Hints::default();
        hints.note(hint(7));
        assert_eq!(hints.find(&Segment::empty(5), 7), None);
        assert_eq!(hints.find(&Segment::empty(0).swapped_in(1), 7), None);
    }
}
