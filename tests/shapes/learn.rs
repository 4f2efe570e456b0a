//! Learns the shape of a request from its decoder: raises one value of the script after the other and looks at what
//! the decoder reads then. A raised count makes it read more, a raised length a longer slice, anything else nothing.

use milena::wire::guard::Shape;

use crate::probe::Read;

/// A decoder over a script at one version.
#[derive(Clone, Copy)]
pub(crate) struct Learner {
    pub(crate) probe: fn(&[i64], i16) -> (Vec<Read>, bool),
    pub(crate) version: i16,
}

/// A script that the decoder is content with, and what it reads then: one read for each value.
struct Run {
    script: Vec<i64>,
    log: Vec<Read>,
}

/// No request has more tagged fields of its own than this.
const TAGS_TRIED: u32 = 20;
/// Bytes of a slice that only a length of ours can have asked for.
const PROBE_LENGTH: usize = 7;

impl Learner {
    /// The shape of the whole request; `None` when the decoder does something that is not understood.
    pub(crate) fn request(self) -> Option<&'static [Shape]> {
        self.shapes(&[], 0, 0)
    }

    /// The shapes of the reads from `at` on, up to where `behind` more reads follow.
    fn shapes(self, script: &[i64], at: usize, behind: usize) -> Option<&'static [Shape]> {
        let base = self.settle(script.to_vec(), at)?;
        let mut shapes = vec![];
        let mut at = at;
        while at + behind < base.log.len() {
            let (shape, reads) = match base.log[at] {
                Read::Fixed(bytes) => (Shape::Fixed(bytes), 1),
                Read::I16 => self.plain(&base, at, 2, Shape::String)?,
                Read::I32 => self.plain(&base, at, 4, Shape::Bytes)?,
                Read::I8 => self.optional(&base, at)?,
                Read::U8 => self.compact(&base, at)?,
                Read::Slice(_) => return None,
            };
            push(&mut shapes, shape);
            at += reads;
        }
        Some(shapes.leak())
    }

    /// An integer of `bytes` bytes: a length of `text`, a count, or just a value. Also the reads that it takes.
    fn plain(self, base: &Run, at: usize, bytes: usize, text: Shape) -> Option<(Shape, usize)> {
        if self.asks_for_slice(base, at, base.script[at] + PROBE_LENGTH as i64) {
            return Some((text, length_and_slice(base, at)));
        }
        let raised = raised(base, at, base.script[at] + 1);
        if self.grows(base, at, &raised) {
            return Some((Shape::Array(self.shapes(&raised, at + 1, reads_behind(base, at))?), 1));
        }
        Some((Shape::Fixed(bytes), 1))
    }

    /// A byte: the mark before a structure that may be null, or just a value.
    fn optional(self, base: &Run, at: usize) -> Option<(Shape, usize)> {
        let raised = raised(base, at, 1);
        if self.grows(base, at, &raised) {
            return Some((Shape::Optional(self.shapes(&raised, at + 1, reads_behind(base, at))?), 1));
        }
        Some((Shape::Fixed(1), 1))
    }

    /// A varint: a length, the number of tagged fields, a count; or a boolean.
    fn compact(self, base: &Run, at: usize) -> Option<(Shape, usize)> {
        if self.asks_for_slice(base, at, PROBE_LENGTH as i64 + 1) {
            return Some((Shape::Compact, length_and_slice(base, at)));
        }
        if self.passes_unknown_tag(base, at) {
            return Some((Shape::Tags(self.known_tags(base, at)?), 1));
        }
        let raised = raised(base, at, 2);
        if self.grows(base, at, &raised) {
            return Some((Shape::CompactArray(self.shapes(&raised, at + 1, reads_behind(base, at))?), 1));
        }
        Some((Shape::Fixed(1), 1))
    }

    /// Whether the decoder reads a slice of our length right behind the value.
    fn asks_for_slice(self, base: &Run, at: usize, value: i64) -> bool {
        let run = self.settle(raised(base, at, value), at + 1);
        run.is_some_and(|run| run.log.get(at + 1) == Some(&Read::Slice(PROBE_LENGTH)))
    }

    /// Whether the decoder reads more with this script than in `base`.
    fn grows(self, base: &Run, at: usize, script: &[i64]) -> bool {
        self.settle(script.to_vec(), at + 1).is_some_and(|run| run.log.len() > base.log.len())
    }

    /// Whether one tagged field of a tag that nobody has is passed by its size.
    fn passes_unknown_tag(self, base: &Run, at: usize) -> bool {
        let Some(run) = self.settle(tagged(base, at, 120), at + 3) else { return false };
        run.log.get(at + 1..at + 4) == Some(&[Read::U8, Read::U8, Read::Slice(PROBE_LENGTH)])
            && run.log.len() == base.log.len() + 3
    }

    /// The tags whose value is decoded instead of passed.
    fn known_tags(self, base: &Run, at: usize) -> Option<&'static [(u32, &'static [Shape])]> {
        let mut known = vec![];
        for tag in 0..TAGS_TRIED {
            let script = tagged(base, at, tag);
            // A tag that the version does not have is refused by the decoder, whatever it holds.
            let Some(run) = self.settle(script.clone(), at + 3) else { continue };
            if run.log.get(at + 3) != Some(&Read::Slice(PROBE_LENGTH)) {
                known.push((tag, self.shapes(&script, at + 3, reads_behind(base, at))?));
            }
        }
        Some(known.leak())
    }

    /// Completes the script with the smallest values that the decoder is content with; those before `pinned` stay.
    fn settle(self, mut script: Vec<i64>, pinned: usize) -> Option<Run> {
        for _ in 0..400 {
            let (log, content) = (self.probe)(&script, self.version);
            script.resize(log.len().max(script.len()), 0);
            if content {
                script.truncate(log.len());
                return Some(Run { script, log });
            }
            // Null was refused at the last length that was read.
            let mut last = log.len().checked_sub(1)?;
            if log[last] == Read::Slice(0) {
                last = last.checked_sub(1)?;
            }
            if last < pinned || script[last] != 0 {
                return None;
            }
            script[last] = 1;
        }
        None
    }
}

/// The script of `base` up to `at`, with another value there.
fn raised(base: &Run, at: usize, value: i64) -> Vec<i64> {
    let mut script = base.script[..at].to_vec();
    script.push(value);
    script
}

/// The script of `base` up to `at`, with one tagged field there.
fn tagged(base: &Run, at: usize, tag: u32) -> Vec<i64> {
    let mut script = raised(base, at, 1);
    script.extend([i64::from(tag), PROBE_LENGTH as i64]);
    script
}

/// Reads of `base` behind the one at `at`.
fn reads_behind(base: &Run, at: usize) -> usize {
    base.log.len() - at - 1
}

/// A length that is not null has its slice behind it, be it empty.
fn length_and_slice(base: &Run, at: usize) -> usize {
    if base.log.get(at + 1) == Some(&Read::Slice(0)) { 2 } else { 1 }
}

/// Adds a shape; neighbours of fixed size become one.
fn push(shapes: &mut Vec<Shape>, shape: Shape) {
    if let (Some(Shape::Fixed(before)), Shape::Fixed(bytes)) = (shapes.last_mut(), shape) {
        *before += bytes;
    } else {
        shapes.push(shape);
    }
}
