//! A disk that stops the process, so to say, after any number of changes: a log that was being compacted then is opened
//! as the next start finds it.

use std::io;
use std::sync::atomic::{AtomicI64, Ordering};

use super::compacting::{OPTIONS, compacted, entry, forever, round_with, state};
use super::storage::Access;
use super::watched::{Call, Go, Watched, Watcher};
use super::*;

/// Lets so many changes happen, then none. Never waits for the real disk.
#[derive(Clone, Debug)]
pub(super) struct Stopping(Arc<AtomicI64>);

impl Stopping {
    pub(super) fn never() -> Arc<Self> {
        Arc::new(Self(Arc::new(AtomicI64::new(i64::MAX))))
    }

    fn change(&self) -> io::Result<()> {
        if self.0.fetch_sub(1, Ordering::SeqCst) > 0 { Ok(()) } else { Err(io::Error::other("stopped")) }
    }
}

impl Watcher for Stopping {
    fn before(&self, call: Call<'_>, _: &Path) -> io::Result<Go> {
        if !matches!(call, Call::Read | Call::List | Call::Open(Access::Existing)) {
            self.change()?;
        }
        Ok(Go::Skip)
    }
}

/// A log with values, tombstones, an aborted transaction and segments that a round joins; some are left empty.
fn fill_log(log: &mut Log) {
    append(log, &transactional(7, 0, 4));
    log.append_as(&marker(7, 0, true), LeaderEpoch(0), AppendOrigin::Coordinator, now()).unwrap();
    for n in 0..40 {
        let key = if n % 20 == 0 { format!("once-{n}") } else { format!("k{}", n % 3) };
        append(log, &entry(&key, Some(&format!("value-{n}")), T0));
    }
    append(log, &entry("once-20", None, T0));
    append(log, &idempotent(9, 0, 0, 2));
    for n in 0..15 {
        append(log, &entry(&format!("k{}", n % 6), Some(&format!("later-{n}")), T0));
    }
}

fn reads(log: &Log) -> (Vec<i64>, usize) {
    let reader = log.reader();
    let (end, mut from, mut bases) = (log.end(), Offset(0), Vec::new());
    while from < end {
        let read = reader.read(from, end, 400, true).unwrap();
        bases.extend(batches(read.records).iter().map(|batch| batch.header.base_offset));
        from = read.next;
    }
    assert!(bases.is_sorted_by(|a, b| a < b), "offsets rise: {bases:?}");
    (bases, reader.aborted_transactions(Offset(0), end).unwrap().len())
}

#[test]
fn a_round_that_dies_after_any_change_to_the_disk_loses_nothing() {
    let mut outcomes = std::collections::BTreeSet::new();
    for changes in 0.. {
        let disk = Stopping::never();
        let bench =
            Bench::with_storage(LogConfig { segment_bytes: 900, ..compacted() }, Watched::disk(disk.clone()));
        let (mut log, _) = bench.open();
        fill_log(&mut log);
        // The first round makes small segments, the second joins them; either dies.
        let joins = changes % 2 == 1;
        if joins {
            let (after, cleaned) = round_with(log, None, &OPTIONS, &forever(), now());
            cleaned.unwrap();
            log = after;
        }
        let (before, end) = (state(&log.reader()), log.end());
        bench.context.wait_for_flusher();
        disk.0.store(changes / 2, Ordering::SeqCst);
        let (log, result) = round_with(log, None, &OPTIONS, &forever(), now().after_ms(600));
        let is_whole = result.is_ok();
        drop(log);
        let left = bench.names();
        outcomes
            .insert((left.iter().any(|n| n.contains(".cleaned")), left.iter().any(|n| n.contains(".swap"))));
        disk.0.store(i64::MAX, Ordering::SeqCst);
        for crashed_again in [true, false] {
            let (log, recovery) = bench.open();
            assert_eq!((recovery.cut_bytes, recovery.removed_segments), (0, 0), "{changes}: {left:?}");
            assert_eq!((state(&log.reader()), log.end()), (before.clone(), end), "{changes}: {left:?}");
            assert!(log.producers().producers()[&9].last_batch().is_some());
            reads(&log);
            assert!(!bench.names().iter().any(|name| name.contains(".cleaned") || name.contains(".swap")));
            if !crashed_again {
                let (mut log, result) = round_with(log, None, &OPTIONS, &forever(), now().after_ms(600));
                result.unwrap();
                assert_eq!(state(&log.reader()), before);
                assert!(append(&mut log, &idempotent(9, 0, 0, 2)).duplicate);
            }
        }
        if is_whole && changes > 100 {
            break;
        }
    }
    assert!(outcomes.len() >= 3, "unfinished, finished and neither were met: {outcomes:?}");
}

/// What a start makes of a real cleaner's leftovers, at each step of the swap.
#[test]
fn a_finished_output_without_a_batch_takes_the_place_of_its_namesake() {
    let bench = Bench::new(compacted());
    let (mut log, _) = bench.open();
    append(&mut log, &transactional(7, 0, 4));
    log.append_as(&marker(7, 0, true), LeaderEpoch(0), AppendOrigin::Coordinator, now()).unwrap();
    for n in 0..40 {
        append(&mut log, &entry("k", Some(&format!("value-{n}")), T0));
    }
    let second = log.reader.segments.load()[1].base;
    drop(log);
    for kind in ["log", "index", "timeindex"] {
        std::fs::write(bench.file(&format!("{:020}.{kind}.swap", 0)), b"").unwrap();
    }
    let (log, recovery) = bench.open_with(|spec| spec.may_have_gaps = true);
    assert_eq!((recovery.cut_bytes, recovery.removed_segments), (0, 0));
    assert_eq!((log.start(), records(&log.reader(), 0)[0].0), (Offset(0), second));
    assert!(!bench.file("00000000000000000000.txnindex").exists());
    assert_eq!(reads(&log).1, 0);
}

/// What a start finds when the disk refused everything from some change of a round on, healed, and then the process
/// died in the middle of the next round.
#[test]
fn a_round_after_one_that_the_disk_broke_off_may_die_at_any_point_too() {
    let mut swaps_left = 0;
    for first in 0.. {
        let mut is_whole = false;
        for second in (first % 11..).step_by(11) {
            let disk = Stopping::never();
            let bench = Bench::with_storage(
                LogConfig { segment_bytes: 900, ..compacted() },
                Watched::disk(disk.clone()),
            );
            let (mut log, _) = bench.open();
            fill_log(&mut log);
            let (before, end) = (state(&log.reader()), log.end());
            bench.context.wait_for_flusher();
            disk.0.store(first, Ordering::SeqCst);
            let (log, result) = round_with(log, None, &OPTIONS, &forever(), now().after_ms(600));
            is_whole = result.is_ok();
            if second < 11 {
                swaps_left += usize::from(bench.names().iter().any(|name| name.contains(".swap")));
            }
            assert_eq!(state(&log.reader()), before, "{first}");
            disk.0.store(second, Ordering::SeqCst);
            let (log, result) = round_with(log, None, &OPTIONS, &forever(), now().after_ms(700));
            let was_enough = result.is_ok();
            drop(log);
            let left = bench.names();
            disk.0.store(i64::MAX, Ordering::SeqCst);
            let (log, recovery) = bench.open();
            let at = format!("{first}, {second}: {left:?}");
            assert_eq!((recovery.cut_bytes, recovery.removed_segments), (0, 0), "{at}");
            assert_eq!((state(&log.reader()), log.end()), (before, end), "{at}");
            reads(&log);
            if was_enough {
                break;
            }
        }
        if is_whole {
            break;
        }
    }
    assert!(swaps_left > 0);
}

/// A value must not come back without the tombstone behind it that went with it.
#[test]
fn what_a_swap_that_dies_leaves_of_the_old_segments_are_the_last_ones() {
    let mut were_left = false;
    for changes in 0.. {
        let disk = Stopping::never();
        let bench =
            Bench::with_storage(LogConfig { segment_bytes: 900, ..compacted() }, Watched::disk(disk.clone()));
        let (mut log, _) = bench.open();
        fill_log(&mut log);
        bench.context.wait_for_flusher();
        log.set_config(Arc::new(compacted_in_one()));
        let bases: Vec<i64> = log.reader.segments.load().iter().skip(1).map(|segment| segment.base).collect();
        disk.0.store(changes, Ordering::SeqCst);
        let (log, result) = round_with(log, None, &OPTIONS, &forever(), now().after_ms(600));
        drop(log);
        let is_left: Vec<bool> =
            bases.iter().map(|base| bench.file(&format!("{base:020}.log")).exists()).collect();
        assert!(is_left.is_sorted(), "{changes}: {is_left:?}");
        were_left |= is_left.first() != is_left.get(bases.len() - 2);
        if result.is_ok() {
            break;
        }
    }
    assert!(were_left);
}

fn compacted_in_one() -> LogConfig {
    LogConfig { segment_bytes: 1_000_000, ..compacted() }
}
