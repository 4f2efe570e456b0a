//! Compaction of a partition: where it stands, when a round is due, the round itself. One round at a time runs over a
//! partition; who calls sees to that.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use super::partition::Partition;
use crate::log::cleaner::{Cleaned, CleanerOptions, CleaningError, CleaningPlan, LockedLog, Pace, clean};
use crate::log::{Log, LogError};
use crate::types::{ErrorCode, Now, Offset};

/// Nothing was cleaned yet.
const NEVER: i64 = -1;
/// How long a log is left alone after the disk refused something.
const RETRY_MS: i64 = 60_000;

/// Where compaction of a partition stands.
#[derive(Debug)]
pub(super) struct Cleaning {
    /// The first dirty offset.
    cleaned: AtomicI64,
    /// A round failed: none is tried before this monotonic time.
    retry_mono_ms: AtomicI64,
    /// Bytes of the log cannot be read: none is tried any more.
    gave_up: AtomicBool,
}

impl Cleaning {
    pub(super) fn new(cleaned: Option<Offset>) -> Self {
        Self {
            cleaned: AtomicI64::new(cleaned.map_or(NEVER, |cleaned| cleaned.0)),
            retry_mono_ms: AtomicI64::new(i64::MIN),
            gave_up: AtomicBool::new(false),
        }
    }

    /// The first dirty offset, once a round came to its end.
    pub(super) fn cleaned(&self) -> Option<Offset> {
        Some(self.cleaned.load(Ordering::Acquire)).filter(|&cleaned| cleaned != NEVER).map(Offset)
    }

    /// A log that was cut is dirty from its active segment on, which compaction never touched; one that ends below what
    /// is said to be clean is dirty as a whole.
    pub(super) fn fit(&self, log: &Log) {
        let cleaned = self.cleaned.fetch_min(log.active_base().0, Ordering::AcqRel);
        if cleaned > log.end().0 {
            self.cleaned.store(NEVER, Ordering::Release);
        }
    }

    fn may_run(&self, now: Now) -> bool {
        !self.gave_up.load(Ordering::Acquire) && self.retry_mono_ms.load(Ordering::Acquire) <= now.mono_ms
    }
}

struct Locked<'a>(&'a Partition);

impl LockedLog for Locked<'_> {
    fn with(&self, work: &mut dyn FnMut(&mut Log)) -> bool {
        self.0.with_log(|log| work(log)).is_ok()
    }
}

impl Partition {
    /// What a round of compaction would do now, when one is due. A log that was not opened is opened for it when its
    /// directory exists; one that an fsync failed for stays as it is.
    pub fn due_cleaning(&self, now: Now) -> Result<Option<CleaningPlan>, ErrorCode> {
        if !self.settings().config.cleanup_policy.compact
            || !self.cleaning.may_run(now)
            || !self.may_have_records()
        {
            return Ok(None);
        }
        let high_watermark = self.high_watermark()?;
        if self.reader()?.is_poisoned() {
            return Ok(None);
        }
        let config = self.with_log(|log| log.config().clone())?;
        let planned =
            self.reader()?.cleaning_plan(&config, self.cleaning.cleaned(), high_watermark, now.wall_ms);
        let plan = planned.map_err(|error| self.cleaning_failed(&error, now))?;
        Ok(Some(plan).filter(|plan| plan.is_due(&config)))
    }

    /// Brings to stable storage what compaction is about to rely on.
    pub fn prepare_cleaning(&self, now: Now) -> Result<(), ErrorCode> {
        self.reader()?.settle_closed().map_err(|error| self.cleaning_failed(&error, now))
    }

    /// Runs a round; `None` when it was stopped early. Waits for the disk and for the pace.
    pub fn clean(
        &self,
        plan: &CleaningPlan,
        options: &CleanerOptions,
        pace: &dyn Pace,
        now: Now,
    ) -> Result<Option<Cleaned>, ErrorCode> {
        let reader = self.reader()?;
        let config = self.with_log(|log| log.config().clone())?;
        match clean(&Locked(self), &reader, &config, plan, options, pace, now) {
            Ok(cleaned) => {
                self.cleaning.cleaned.store(cleaned.upto.0, Ordering::Release);
                Ok(Some(cleaned))
            }
            Err(CleaningError::Stopped) => Ok(None),
            Err(CleaningError::Log(error)) => Err(self.cleaning_failed(&error, now)),
        }
    }

    fn cleaning_failed(&self, error: &LogError, now: Now) -> ErrorCode {
        if matches!(error, LogError::Corrupt { .. }) {
            self.cleaning.gave_up.store(true, Ordering::Release);
        } else {
            self.cleaning.retry_mono_ms.store(now.mono_ms.saturating_add(RETRY_MS), Ordering::Release);
        }
        self.complain("cannot compact the log", error);
        self.home.shared.context.note_log_failure(error);
        error.code()
    }
}
