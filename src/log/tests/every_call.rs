//! A log's whole life on a disk of which the Nth call fails, alone or with all that follow, for every N: nothing panics,
//! what was acknowledged and nothing else is there, and the log goes on once the disk does.

use super::compacting::{OPTIONS, compacted, entry, forever, round_with, state};
use super::mem_disk::{Fault, MemDisk, Plan};
use super::*;

/// What the appends that succeeded wrote: offset, key and value.
type Acknowledged = Vec<(i64, String, String)>;

struct Life {
    bench: Bench,
    disk: MemDisk,
    acknowledged: Acknowledged,
    number: i64,
    compact: bool,
}

impl Life {
    fn new(compact: bool) -> Self {
        let disk = MemDisk::default();
        let config = if compact {
            LogConfig { segment_bytes: 600, ..compacted() }
        } else {
            LogConfig { segment_bytes: 600, retention_bytes: 1500, index_interval_bytes: 100, ..small() }
        };
        let bench = Bench::with_storage(config, Arc::new(disk.clone()));
        // The data directory is there; the partition's own is made by its first append.
        storage::Storage::create_dir(&disk, bench.dir().parent().unwrap()).unwrap();
        Self { bench, disk, acknowledged: Vec::new(), number: 0, compact }
    }

    /// Everything that a log does, as far as the disk lets it.
    fn live(&mut self) -> Option<Log> {
        let (mut log, _) = Log::open(self.bench.spec.clone(), &self.bench.context, now()).ok()?;
        self.fill(&mut log, 14);
        log.begin_epoch(LeaderEpoch(3));
        self.abort(&mut log);
        let _ = log.flush();
        self.fill(&mut log, 6);
        if self.compact {
            log = round_with(log, None, &OPTIONS, &forever(), now().after_ms(600)).0;
        } else {
            let _ = retain_all(&mut log);
            let _ = log.advance_start(log.start().plus(3));
            log.drop_below_start(now());
        }
        self.bench.context.wait_for_flusher();
        self.bench.context.run_deletions(now().after_ms(1_000_000));
        self.fill(&mut log, 6);
        let _ = log.reader().offset_for_timestamp(T0 + 5);
        let _ = log.reader().read(log.start(), log.end(), 2000, true);
        Some(log)
    }

    fn fill(&mut self, log: &mut Log, batches: usize) {
        for _ in 0..batches {
            let (key, value) = (format!("k{}", self.number % 4), format!("value-{}", self.number));
            self.number += 1;
            match log.append(&entry(&key, Some(&value), T0 + self.number), LeaderEpoch(0), now()) {
                Ok(appended) => self.acknowledged.push((appended.base_offset.0, key, value)),
                Err(error) => assert_eq!(error.code().code(), 56, "{error}"),
            }
            // One after the other, so that the calls have the same numbers every time.
            self.bench.context.wait_for_flusher();
        }
    }

    fn abort(&mut self, log: &mut Log) {
        if log.append(&transactional(7, 0, 1), LeaderEpoch(3), now()).is_ok() {
            // Aborted records are read, too; a round of the cleaner takes them away.
            let offset = log.end().0 - 1;
            if !self.compact {
                self.acknowledged.push((offset, "k0".into(), "value-0".into()));
            }
            let marker = marker(7, 0, true);
            while log.append_as(&marker, LeaderEpoch(3), AppendOrigin::Coordinator, now()).is_err() {
                self.disk.heal();
                if log.reader().is_poisoned() {
                    break;
                }
            }
            self.bench.context.wait_for_flusher();
        }
    }

    fn check(&self, log: &Log, at: &str) {
        let (reader, start) = (log.reader(), log.start().0);
        if self.compact {
            let expected: std::collections::BTreeMap<_, _> =
                self.acknowledged.iter().map(|(_, key, value)| (key.clone(), value.clone())).collect();
            let mut found = state(&reader);
            // The aborted one's, if no round took it away.
            if found.get("k0").is_some_and(|value| value == "value-0") && expected.contains_key("k0") {
                found.insert("k0".into(), expected["k0"].clone());
            }
            assert_eq!(found, expected, "{at}");
        } else {
            let expected: Records = self
                .acknowledged
                .iter()
                .filter(|(offset, ..)| *offset >= start)
                .map(|(offset, key, value)| (*offset, Some(key.clone()), Some(value.clone())))
                .collect();
            let found: Records = records(&reader, start).into_iter().filter(|(o, ..)| *o >= start).collect();
            assert_eq!(found, expected, "{at}");
        }
    }
}

/// Runs a life with a plan; returns how many calls the plan concerned, and whether the log was poisoned.
fn run(compact: bool, plan: Plan) -> (u64, bool) {
    let at = format!("compact: {compact}, {plan:?}");
    let mut life = Life::new(compact);
    life.disk.set_plan(plan);
    let log = life.live();
    let calls = life.disk.calls();
    life.disk.heal();
    let mut poisoned = false;
    if let Some(mut log) = log {
        poisoned = log.reader().is_poisoned();
        life.check(&log, &at);
        let before = life.acknowledged.len();
        life.fill(&mut log, 3);
        let taken = if poisoned { 0 } else { 3 };
        assert_eq!(life.acknowledged.len() - before, taken, "{at}: appends on a disk that works again");
        life.check(&log, &at);
    }
    let (mut log, recovery) = life.bench.open();
    // A half written batch that could not be undone.
    assert!(recovery.cut_bytes == 0 || poisoned, "{at}: {recovery:?}");
    assert_eq!(recovery.removed_segments, 0, "{at}");
    life.check(&log, &at);
    life.fill(&mut log, 20);
    let (log, recovery) = life.bench.reopen(log);
    assert_eq!(recovery, Recovery::default(), "{at}");
    life.check(&log, &at);
    (calls, poisoned)
}

#[test]
fn whichever_call_of_the_disk_fails_nothing_acknowledged_is_lost_and_the_log_goes_on() {
    for (fault, poisons) in [(Fault::Eio, true), (Fault::NoSpace, false), (Fault::Sync, true)] {
        for compact in [false, true] {
            for count in [1, u64::MAX] {
                let mut was_poisoned = false;
                let mut from = 0;
                loop {
                    let (calls, poisoned) = run(compact, Plan { fault, from, count });
                    was_poisoned |= poisoned;
                    if from >= calls {
                        break;
                    }
                    from += 1;
                }
                assert!(from > 25, "{fault:?} met {from} calls");
                assert_eq!(was_poisoned, poisons, "{fault:?}, {count}");
            }
        }
    }
}
