//! The deadlines of one shard in order. Each alarm has at most one entry here, however often it is moved: an alarm
//! that moves later keeps its entry and is armed again when that one is due, so a heartbeat costs a field write.

use std::collections::BTreeMap;
use std::sync::Arc;

/// What a deadline is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// A member's session, or the patience with a member that was told its id.
    Session {
        /// The member's group.
        group: Arc<str>,
        /// The member's id.
        member: Arc<str>,
    },
    /// The end of a group's join phase.
    Join(Arc<str>),
    /// The end of the wait for all members' `SyncGroup`.
    Sync(Arc<str>),
    /// The next search for expired offsets.
    Cleanup,
}

type Slot = (i64, u64);

/// All entries, earliest first. Times are milliseconds of the monotonic clock.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    entries: BTreeMap<Slot, Timer>,
    sequence: u64,
}

/// One deadline that can be moved.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    at: Option<i64>,
    armed: Option<Slot>,
}

impl Timers {
    /// When the earliest entry is due.
    pub(crate) fn next_ms(&self) -> Option<i64> {
        self.entries.keys().next().map(|slot| slot.0)
    }

    /// Takes the earliest entry if it is due at `now_ms`.
    pub(crate) fn pop_due(&mut self, now_ms: i64) -> Option<Timer> {
        let entry = self.entries.first_entry()?;
        (entry.key().0 <= now_ms).then(|| entry.remove())
    }

    /// How many entries there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    fn insert(&mut self, at: i64, timer: Timer) -> Slot {
        self.sequence = self.sequence.wrapping_add(1);
        let slot = (at, self.sequence);
        self.entries.insert(slot, timer);
        slot
    }
}

impl Alarm {
    /// Sets or moves the deadline.
    pub(crate) fn set(&mut self, at: i64, timer: impl FnOnce() -> Timer, timers: &mut Timers) {
        self.at = Some(at);
        match self.armed {
            Some(slot) if slot.0 <= at => {}
            slot => {
                if let Some(slot) = slot {
                    timers.entries.remove(&slot);
                }
                self.armed = Some(timers.insert(at, timer()));
            }
        }
    }

    /// Takes the deadline away.
    pub(crate) fn cancel(&mut self, timers: &mut Timers) {
        self.at = None;
        if let Some(slot) = self.armed.take() {
            timers.entries.remove(&slot);
        }
    }

    /// Called when this alarm's entry was popped: true when the deadline is really over, otherwise it is armed again.
    pub(crate) fn is_over(
        &mut self,
        now_ms: i64,
        timer: impl FnOnce() -> Timer,
        timers: &mut Timers,
    ) -> bool {
        self.armed = None;
        match self.at {
            Some(at) if at > now_ms => {
                self.armed = Some(timers.insert(at, timer()));
                false
            }
            at => {
                self.at = None;
                at.is_some()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_that_moves_later_keeps_one_entry_and_rings_at_the_new_time() {
        let mut timers = Timers::default();
        let mut alarm = Alarm::default();
        for at in 10..1_000 {
            alarm.set(at, || Timer::Cleanup, &mut timers);
        }
        assert_eq!(timers.len(), 1);
        assert_eq!(timers.pop_due(10), Some(Timer::Cleanup));
        assert!(!alarm.is_over(10, || Timer::Cleanup, &mut timers));
        assert_eq!(timers.next_ms(), Some(999));
        assert_eq!(timers.pop_due(999), Some(Timer::Cleanup));
        assert!(alarm.is_over(999, || Timer::Cleanup, &mut timers));
        assert_eq!(timers.len(), 0);
    }

    #[test]
    fn an_alarm_that_moves_earlier_rings_earlier_and_a_cancelled_one_never() {
        let mut timers = Timers::default();
        let mut alarm = Alarm::default();
        alarm.set(100, || Timer::Cleanup, &mut timers);
        alarm.set(50, || Timer::Cleanup, &mut timers);
        assert_eq!((timers.len(), timers.next_ms()), (1, Some(50)));
        assert_eq!(timers.pop_due(49), None);
        alarm.cancel(&mut timers);
        assert_eq!(timers.len(), 0);
    }
}
