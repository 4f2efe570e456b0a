//! The end of a group's copy: its files take the place of the old segments' under the log's lock, in an order in which
//! a crash at any point leaves what `listing` finishes or undoes.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::log::error::LogError;
use crate::log::names::{CLEANED_SUFFIX, FileKind, SWAP_SUFFIX};
use crate::log::reader::{LogReader, Segments};
use crate::log::segment::Segment;
use crate::log::writer::Log;
use crate::types::Now;

/// A swap whose new segment readers have, and whose files are not all where they belong yet.
#[derive(Debug)]
pub(crate) struct UnfinishedSwap {
    new: Arc<Segment>,
    /// Those of the replaced segments whose files still have to go; empty before a file of `new` gets its own name.
    old: VecDeque<Arc<Segment>>,
}

impl Log {
    /// Puts `new`, whose files stand under `.cleaned` names, in the place of the neighbours `old`. False, and nothing
    /// changed, when the log has moved on: closed, deleted, no longer compacted, or one of the segments is gone.
    pub(super) fn swap_in(&mut self, old: &[Arc<Segment>], new: Segment, now: Now) -> Result<bool, LogError> {
        let reader = Arc::clone(&self.reader);
        if self.closed || reader.is_poisoned() || reader.deleted.load(Ordering::Acquire) {
            return Ok(false);
        }
        self.finish_swap(now)?;
        let segments = reader.segments.load_full();
        let place = old.first().and_then(|first| segments.iter().position(|s| Arc::ptr_eq(s, first)));
        let (Some(at), true) = (place, self.config.cleanup_policy.compact) else { return Ok(false) };
        let behind = at.saturating_add(old.len());
        let are_there = segments.get(at..behind).is_some_and(|there| {
            there.iter().zip(old).all(|(there, old)| Arc::ptr_eq(there, old)) && behind < segments.len()
        });
        if !are_there {
            return Ok(false);
        }
        let new = Arc::new(new);
        reader.rename_cleaned(&new)?;
        let mut replaced: Segments = segments.get(..at).unwrap_or_default().to_vec();
        replaced.push(Arc::clone(&new));
        replaced.extend_from_slice(segments.get(behind..).unwrap_or_default());
        // Readers that come from now on take the new files, under whichever name; those before keep what they opened.
        reader.segments.store(Arc::new(replaced));
        for segment in old {
            segment.retire();
        }
        self.drop_snapshots_of(old, new.base, now);
        self.unfinished_swap = Some(UnfinishedSwap { new, old: old.iter().cloned().collect() });
        self.finish_swap(now)?;
        Ok(true)
    }

    /// Takes the replaced files away, makes that durable, and gives the new ones their own names. Where the disk refuses,
    /// the next call goes on; before that no output may be begun, beside which a start would take this swap for void.
    pub(super) fn finish_swap(&mut self, now: Now) -> Result<(), LogError> {
        let Some(swap) = &mut self.unfinished_swap else { return Ok(()) };
        // In their order: of what a crash leaves, a value must not outlive the tombstone behind it.
        while let Some(segment) = swap.old.front() {
            self.reader.try_remove_segment(segment, &self.config, now)?;
            swap.old.pop_front();
        }
        self.reader.sync_partition_directory()?;
        self.reader.rename_swapped(&swap.new)?;
        self.unfinished_swap = None;
        Ok(())
    }

    /// The snapshots at the bases of segments that are no more.
    fn drop_snapshots_of(&mut self, old: &[Arc<Segment>], kept: i64, now: Now) {
        let is_gone =
            |offset: i64| offset != kept && old.binary_search_by_key(&offset, |segment| segment.base).is_ok();
        for &offset in self.snapshots.iter().filter(|&&offset| is_gone(offset)) {
            self.reader.remove_snapshot(offset, &self.config, now);
        }
        self.snapshots.retain(|&offset| !is_gone(offset));
    }
}

impl LogReader {
    /// `.cleaned` → `.swap`, and makes that durable: from here on a restart finishes the swap. The `.log` goes first, so
    /// that a `.cleaned` file beside a `.swap` shows that not all were renamed.
    fn rename_cleaned(&self, new: &Segment) -> Result<(), LogError> {
        let renamed = self
            .rename_suffix(new, CLEANED_SUFFIX, SWAP_SUFFIX)
            .and_then(|()| self.sync_partition_directory());
        if renamed.is_err() {
            // The old segments are all there: as if nothing had been.
            self.remove_suffixed(new.base, SWAP_SUFFIX);
            self.remove_suffixed(new.base, CLEANED_SUFFIX);
        }
        renamed
    }

    fn rename_swapped(&self, new: &Segment) -> Result<(), LogError> {
        self.rename_suffix(new, SWAP_SUFFIX, "")?;
        new.set_swapped();
        Ok(())
    }

    fn rename_suffix(&self, segment: &Segment, from: &str, to: &str) -> Result<(), LogError> {
        for kind in FileKind::OF_SEGMENT {
            if kind == FileKind::TxnIndex && !segment.has_txn_index() {
                continue;
            }
            let path = self.suffixed_path(segment.base, kind, from);
            let renamed = self.suffixed_path(segment.base, kind, to);
            match self.context.storage.rename(&path, &renamed) {
                // An earlier attempt came as far.
                Err(error) if error.kind() == io::ErrorKind::NotFound && to.is_empty() => {}
                other => other.map_err(LogError::io(&path))?,
            }
        }
        Ok(())
    }

    fn sync_partition_directory(&self) -> Result<(), LogError> {
        self.context.storage.sync_dir(&self.dir).map_err(LogError::io(&self.dir))
    }

    /// Removes a cleaner's output; what cannot be removed is left for the next start. The `.log` goes last: without it an
    /// index would be taken for that of the old segment.
    pub(super) fn remove_suffixed(&self, base: i64, suffix: &str) {
        for kind in FileKind::OF_SEGMENT.into_iter().rev() {
            let path = self.suffixed_path(base, kind, suffix);
            match self.context.storage.remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(path = %path.display(), %error, "cannot remove a cleaner's output");
                }
                _ => {}
            }
        }
    }
}
