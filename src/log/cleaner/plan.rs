//! What a round of compaction could do to a log, and whether it is due (Kafka's rules for the dirty part, the dirty
//! ratio and the two compaction lags). Reads headers and the ends of time indexes, no more; takes no lock.

use std::sync::Arc;

use crate::log::config::LogConfig;
use crate::log::error::{LogError, ReadError};
use crate::log::names::FileKind;
use crate::log::reader::LogReader;
use crate::log::scan::{Scanner, Wait};
use crate::log::segment::{Segment, floor_index};
use crate::types::Offset;

/// What the next round would clean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CleaningPlan {
    /// Below it the log was compacted before.
    pub first_dirty: Offset,
    /// The base offset of the first segment that is not touched.
    pub round_end: Offset,
    /// Bytes of the segments below `first_dirty`.
    pub clean_bytes: u64,
    /// Bytes of the segments from there to `round_end`.
    pub dirty_bytes: u64,
    /// A record waits longer than `max.compaction.lag.ms`.
    pub is_overdue: bool,
}

impl CleaningPlan {
    /// The share of the bytes that is dirty, from 0 to 1.
    pub fn dirty_ratio(&self) -> f64 {
        let all = self.clean_bytes.saturating_add(self.dirty_bytes);
        if all == 0 { 0.0 } else { self.dirty_bytes as f64 / all as f64 }
    }

    /// Whether the log is dirty enough, or a record waits too long.
    pub fn is_due(&self, config: &LogConfig) -> bool {
        self.dirty_bytes > 0 && (self.is_overdue || self.dirty_ratio() > config.min_cleanable_dirty_ratio)
    }
}

impl LogReader {
    /// Plans a round. `cleaned` is where the last one came to; one that the log does not reach, or that lies below its
    /// start, begins anew at the log start. Nothing at or above the last stable offset is cleaned, and nothing of the
    /// active segment.
    pub fn cleaning_plan(
        &self,
        config: &LogConfig,
        cleaned: Option<Offset>,
        high_watermark: Offset,
        now_ms: i64,
    ) -> Result<CleaningPlan, LogError> {
        let plan = || self.plan_once(config, cleaned, high_watermark, now_ms);
        self.retry_vanished(plan).map_err(LogError::from)
    }

    fn plan_once(
        &self,
        config: &LogConfig,
        cleaned: Option<Offset>,
        high_watermark: Offset,
        now_ms: i64,
    ) -> Result<CleaningPlan, ReadError> {
        let (start, end) = (self.start(), self.end());
        let first_dirty = cleaned.filter(|&cleaned| cleaned >= start && cleaned <= end).unwrap_or(start).0;
        let segments = self.segments.load_full();
        let Some((active, closed)) = segments.split_last() else {
            let (first_dirty, round_end) = (Offset(first_dirty), Offset(first_dirty));
            let (clean_bytes, dirty_bytes, is_overdue) = (0, 0, false);
            return Ok(CleaningPlan { first_dirty, round_end, clean_bytes, dirty_bytes, is_overdue });
        };
        let dirty = dirty_part(closed, first_dirty, active.base);
        let mut upper = self.last_stable(high_watermark).0.min(active.base);
        if let Some(young) = self.first_young(dirty, config.min_compaction_lag_ms, now_ms)? {
            upper = upper.min(young);
        }
        let upper = upper.max(first_dirty);
        let round_end = if upper < active.base {
            from_floor(closed, upper).first().map_or(active.base, |segment| segment.base)
        } else {
            active.base
        };
        let bytes = |segments: &mut dyn Iterator<Item = &Arc<Segment>>| {
            segments.map(|segment| segment.size()).fold(0, u64::saturating_add)
        };
        Ok(CleaningPlan {
            first_dirty: Offset(first_dirty),
            round_end: Offset(round_end),
            clean_bytes: bytes(&mut closed.iter().take_while(|segment| segment.base < first_dirty)),
            dirty_bytes: bytes(&mut dirty_part(closed, first_dirty, round_end).iter()),
            is_overdue: self.is_overdue(dirty, config.max_compaction_lag_ms, now_ms)?,
        })
    }

    /// The base offset of the first segment with a record younger than `lag_ms`.
    fn first_young(
        &self,
        dirty: &[Arc<Segment>],
        lag_ms: i64,
        now_ms: i64,
    ) -> Result<Option<i64>, ReadError> {
        if lag_ms <= 0 {
            return Ok(None);
        }
        for segment in dirty {
            if self.timestamp_or_modified(segment)? > now_ms.saturating_sub(lag_ms) {
                return Ok(Some(segment.base));
            }
        }
        Ok(None)
    }

    /// Whether the first batch of a dirty segment is older than `lag_ms`.
    fn is_overdue(&self, dirty: &[Arc<Segment>], lag_ms: i64, now_ms: i64) -> Result<bool, ReadError> {
        if lag_ms == i64::MAX {
            return Ok(false);
        }
        for segment in dirty.iter().filter(|segment| segment.size() > 0) {
            let path = self.file_path(segment.base, FileKind::Log);
            let file = self.segment_file(segment, FileKind::Log).map_err(ReadError::io(&path))?;
            let first = Scanner::new(&*file, 0, segment.size(), Wait::Yes).with_chunk(0).next_header();
            let first = first.map_err(|error| self.scan_error(segment.base, 0, error))?;
            let timestamp = first.map_or(-1, |scanned| scanned.header.max_timestamp);
            if timestamp > 0 && timestamp < now_ms.saturating_sub(lag_ms.max(0)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The segments from the one on that holds `from` that begin below `end`; none when the range is empty.
fn dirty_part(segments: &[Arc<Segment>], from: i64, end: i64) -> &[Arc<Segment>] {
    let below = segments.partition_point(|segment| segment.base < end);
    let below = if from < end { segments.get(..below).unwrap_or_default() } else { &[] };
    from_floor(below, from)
}

/// The segments from the one on that holds `offset`.
pub(super) fn from_floor(segments: &[Arc<Segment>], offset: i64) -> &[Arc<Segment>] {
    segments.get(floor_index(segments, offset)..).unwrap_or_default()
}
