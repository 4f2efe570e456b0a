//! Compaction of a log as a whole: what survives a round, and what readers, producers and a restart make of it.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::cleaner::{Cleaned, CleanerOptions, CleaningError, LockedLog, Pace, clean};
use super::*;
use crate::wire::compress::Codec;

pub(super) struct Shared(pub(super) Mutex<Log>);

impl LockedLog for Shared {
    fn with(&self, work: &mut dyn FnMut(&mut Log)) -> bool {
        work(&mut self.0.lock().unwrap());
        true
    }
}

/// A pace that lets a round go on for so many calls.
#[derive(Debug)]
pub(super) struct Steps(AtomicU64);

impl Pace for Steps {
    fn spent(&self, _: u64) -> bool {
        self.0.fetch_sub(1, Ordering::SeqCst) > 1
    }
}

pub(super) const OPTIONS: CleanerOptions =
    CleanerOptions { map_bytes: 1 << 20, load_factor: 0.9, io_bytes: 300 };

/// Small segments, compacted; tombstones go after 500 ms.
pub(super) fn compacted() -> LogConfig {
    LogConfig {
        cleanup_policy: CleanupPolicy { delete: false, compact: true },
        delete_retention_ms: 500,
        min_cleanable_dirty_ratio: 0.0,
        ..small()
    }
}

pub(super) fn entry(key: &str, value: Option<&str>, timestamp: i64) -> Batch {
    let mut builder = BatchBuilder::new(timestamp);
    builder.push(Some(key.as_bytes()), value.map(str::as_bytes), timestamp);
    builder.build(0)
}

fn put(log: &mut Log, key: &str, value: &str) -> Offset {
    let n = log.end().0;
    append(log, &entry(key, Some(value), T0 + n)).base_offset
}

/// Puts `count` records with the keys `k0`, `k1` … `k<keys - 1>` in turns.
fn put_round(log: &mut Log, keys: i64, count: i64) {
    for _ in 0..count {
        let n = log.end().0;
        put(log, &format!("k{}", n % keys), &format!("value-{n}"));
    }
}

pub(super) fn round_with(
    log: Log,
    cleaned: Option<Offset>,
    options: &CleanerOptions,
    pace: &dyn Pace,
    at: Now,
) -> (Log, Result<Cleaned, CleaningError>) {
    let (reader, config, end) = (log.reader(), Arc::clone(log.config()), log.end());
    let plan = reader.cleaning_plan(&config, cleaned, end, at.wall_ms).unwrap();
    let shared = Shared(Mutex::new(log));
    let result = clean(&shared, &reader, &config, &plan, options, pace, at);
    (shared.0.into_inner().unwrap(), result)
}

pub(super) fn forever() -> Steps {
    Steps(AtomicU64::new(u64::MAX))
}

/// A whole round at `at`, and where it came to.
fn round_at(log: Log, cleaned: Option<Offset>, at: Now) -> (Log, Offset) {
    let (log, result) = round_with(log, cleaned, &OPTIONS, &forever(), at);
    (log, result.unwrap().upto)
}

fn round(log: Log) -> Log {
    round_at(log, None, now()).0
}

/// The last value of each key, as who reads the whole log sees it.
pub(super) fn state(reader: &LogReader) -> BTreeMap<String, String> {
    let mut state = BTreeMap::new();
    for (_, key, value) in records(reader, reader.start().0) {
        match value {
            Some(value) => state.insert(key.unwrap(), value),
            None => state.remove(&key.unwrap()),
        };
    }
    state
}

fn offsets(reader: &LogReader) -> Vec<i64> {
    records(reader, reader.start().0).iter().map(|(offset, ..)| *offset).collect()
}

fn bases(log: &Log) -> Vec<i64> {
    log.reader.segments.load().iter().map(|segment| segment.base).collect()
}

#[test]
fn the_newest_record_of_each_key_stays_at_its_offset_and_the_active_segment_is_left_alone() {
    let bench = Bench::new(compacted());
    let (mut log, _) = bench.open();
    put_round(&mut log, 5, 200);
    let before = records(&log.reader(), 0);
    let (active, size) = (log.active_base().0, log.size_bytes());
    let (log, upto) = round_at(log, None, now());
    assert_eq!(upto.0, active);
    let after = records(&log.reader(), 0);
    let kept: Vec<_> = before.iter().filter(|(offset, ..)| *offset >= active - 5).cloned().collect();
    assert_eq!(after, kept);
    assert_eq!((log.start(), log.end()), (Offset(0), Offset(200)));
    assert!(log.size_bytes() < size / 4);
    assert_eq!(bench.context.run_deletions(now().after_ms(59_999)), 0);
    assert!(bench.context.run_deletions(now().after_ms(60_000)) > 20);
    assert!(bench.names().iter().all(|name| !name.ends_with("ed") && !name.ends_with("swap")));
}

#[test]
fn segments_that_became_small_are_joined_by_the_next_round() {
    let bench = Bench::new(LogConfig { file_delete_delay_ms: 0, ..compacted() });
    let (mut log, _) = bench.open();
    put_round(&mut log, 5, 100);
    let (mut log, first) = round_at(log, None, now());
    assert!(bases(&log).len() > 6);
    put_round(&mut log, 5, 30);
    let active = log.active_base().0;
    let (log, _) = round_at(log, Some(first), now());
    // One holds what is left of those before; what were whole segments when the round began stay their own.
    assert_eq!((bases(&log).len(), bases(&log)[1]), (4, first.0));
    bench.context.run_deletions(now());
    let left: Vec<String> = bench.names().into_iter().filter(|name| name.contains(".log")).collect();
    let expected: Vec<String> = bases(&log).iter().map(|base| format!("{base:020}.log")).collect();
    assert_eq!((left, *bases(&log).last().unwrap()), (expected, active));
    let snapshots = bench.names().into_iter().filter(|name| name.ends_with(".snapshot")).count();
    assert_eq!(snapshots, 3, "one at each base but the first");
}

#[test]
fn every_offset_and_time_is_found_in_what_a_round_left_and_after_a_restart() {
    for codec in [Codec::None, Codec::Zstd] {
        let bench = Bench::new(compacted());
        let (mut log, _) = bench.open();
        for n in 0..150 {
            let mut builder = BatchBuilder::new(T0 + 2 * n);
            for i in 2 * n..2 * n + 2 {
                builder.push(Some(format!("k{}", (i * 7) % 31).as_bytes()), Some(b"0123456789"), T0 + i);
            }
            append(&mut log, &builder.build_compressed(0, codec, None).unwrap());
        }
        let log = round(log);
        let check = |log: &Log| {
            let reader = log.reader();
            let there = offsets(&reader);
            for from in 0..300 {
                let read = reader.read(Offset(from), Offset(300), 1, true).unwrap();
                let first = batches(read.records).remove(0);
                let next = there.iter().find(|offset| **offset >= from).unwrap();
                assert!(first.header.last_offset() >= from && first.header.base_offset <= *next, "{from}");
                let found = reader.offset_for_timestamp(T0 + from).unwrap().unwrap();
                assert_eq!((found.offset.0, found.timestamp), (*next, T0 + next));
            }
            assert_eq!(reader.max_timestamp().unwrap().unwrap().offset, Offset(299));
            there
        };
        let there = check(&log);
        assert!(there.len() < 70);
        let (log, recovery) = bench.reopen(log);
        assert_eq!((recovery, check(&log)), (Recovery::default(), there.clone()));
        drop(log);
        let (log, recovery) = bench.open();
        assert_eq!((recovery.cut_bytes, recovery.removed_segments, check(&log)), (0, 0, there));
    }
}

#[test]
fn a_second_round_takes_up_where_the_first_came_to() {
    let bench = Bench::new(compacted());
    let (mut log, _) = bench.open();
    put_round(&mut log, 5, 100);
    let (mut log, first) = round_at(log, None, now());
    let plan = log.reader().cleaning_plan(log.config(), Some(first), log.end(), T0).unwrap();
    assert!(!plan.is_due(log.config()), "nothing is dirty: {plan:?}");
    put_round(&mut log, 5, 100);
    let plan = log.reader().cleaning_plan(log.config(), Some(first), log.end(), T0).unwrap();
    assert!(plan.is_due(log.config()) && plan.first_dirty == first && plan.clean_bytes > 0);
    let (log, second) = round_at(log, Some(first), now());
    assert!(second > first);
    let there = offsets(&log.reader());
    assert_eq!(there[..5], [second.0 - 5, second.0 - 4, second.0 - 3, second.0 - 2, second.0 - 1]);
}

#[test]
fn a_tombstone_stays_for_delete_retention_ms_from_the_round_that_met_it() {
    let bench = Bench::new(compacted());
    let (mut log, _) = bench.open();
    put(&mut log, "a", "1");
    let tombstone = append(&mut log, &entry("a", None, T0)).base_offset.0;
    put_round(&mut log, 3, 60);
    let has = |log: &Log| offsets(&log.reader()).contains(&tombstone);
    let (mut log, first) = round_at(log, None, now());
    assert!(has(&log) && !offsets(&log.reader()).contains(&0));
    put_round(&mut log, 3, 60);
    let (mut log, second) = round_at(log, Some(first), now().after_ms(499));
    assert!(has(&log));
    put_round(&mut log, 3, 60);
    let (log, _) = round_at(log, Some(second), now().after_ms(500));
    assert!(!has(&log));
    assert!(!state(&log.reader()).contains_key("a"));
}

#[test]
fn a_map_without_room_cleans_a_prefix_and_the_next_rounds_the_rest() {
    let bench = Bench::new(compacted());
    let (mut log, _) = bench.open();
    put_round(&mut log, 40, 400);
    let expected = state(&log.reader());
    let options = CleanerOptions { map_bytes: 20 * 24, load_factor: 1.0, io_bytes: 1 };
    let (mut cleaned, mut rounds) = (Offset(0), 0);
    while cleaned < log.active_base() {
        let (after, result) = round_with(log, Some(cleaned), &options, &forever(), now());
        log = after;
        let upto = result.unwrap().upto;
        assert!(upto > cleaned, "every round moves on");
        cleaned = upto;
        rounds += 1;
        assert_eq!(state(&log.reader()), expected);
    }
    assert!(rounds > 10);
    assert_eq!(offsets(&log.reader()).iter().filter(|offset| **offset < cleaned.0).count(), 40);
}

#[test]
fn transactions_lose_what_was_aborted_and_keep_their_markers_until_their_horizon() {
    let bench = Bench::new(compacted());
    let (mut log, _) = bench.open();
    let mark = |log: &mut Log, producer, aborts| {
        log.append_as(&marker(producer, 0, aborts), LeaderEpoch(0), AppendOrigin::Coordinator, now())
            .unwrap();
    };
    append(&mut log, &transactional(7, 0, 4));
    mark(&mut log, 7, true);
    append(&mut log, &transactional(8, 0, 4));
    mark(&mut log, 8, false);
    put_round(&mut log, 3, 60);
    let read = |log: &Log| records(&log.reader(), 0).iter().filter(|(offset, ..)| *offset < 10).count();
    let controls = |log: &Log| {
        let read = log.reader().read(Offset(0), log.end(), 1 << 20, true).unwrap();
        let early = |batch: &Batch| batch.header.is_control() && batch.header.base_offset < 10;
        let batches = batches(read.records).into_iter().filter(early);
        batches.map(|batch| (batch.header.base_offset, batch.header.records_count)).collect::<Vec<_>>()
    };
    let (mut log, first) = round_at(log, None, now());
    // The aborted records are gone; the abort marker is still needed by readers that were in their middle.
    assert_eq!((read(&log), controls(&log)), (1, vec![(4, 1), (9, 1)]));
    assert_eq!(log.reader().aborted_transactions(Offset(0), Offset(10)).unwrap().len(), 1);
    // As long as the producer has no newer batch its last one stays, empty, and the marker with it.
    append(&mut log, &transactional(7, 4, 1));
    mark(&mut log, 7, false);
    put_round(&mut log, 3, 60);
    // The round that meets the batch drops it, the next one finds a marker without records.
    let mut cleaned = first;
    for wait_ms in [0, 0, 499] {
        (log, cleaned) = round_at(log, Some(cleaned), now().after_ms(wait_ms));
        assert_eq!(controls(&log), [(4, 1), (9, 1)]);
        put_round(&mut log, 3, 60);
    }
    let (log, _) = round_at(log, Some(cleaned), now().after_ms(500));
    assert_eq!((read(&log), controls(&log)), (1, vec![(9, 1)]));
    assert_eq!(log.reader().aborted_transactions(Offset(0), Offset(10)).unwrap().len(), 0);
    assert!(!bench.file("00000000000000000000.txnindex").exists());
}

#[test]
fn nothing_of_an_open_transaction_is_cleaned() {
    let bench = Bench::new(compacted());
    let (mut log, _) = bench.open();
    put_round(&mut log, 3, 60);
    let open = append(&mut log, &transactional(7, 0, 2)).base_offset.0;
    put_round(&mut log, 3, 60);
    let (log, upto) = round_at(log, None, now());
    assert!(upto.0 <= open && bases(&log).contains(&upto.0));
    let there = offsets(&log.reader());
    assert!((upto.0..log.end().0).all(|offset| there.contains(&offset)));
}

#[test]
fn an_idle_producer_goes_on_after_compaction_and_a_restart_and_its_retries_are_known() {
    let bench = Bench::new(compacted());
    let (mut log, _) = bench.open();
    append(&mut log, &idempotent(7, 0, 0, 3));
    let last = idempotent(7, 0, 3, 3);
    append(&mut log, &last);
    for i in 0..6 {
        put(&mut log, &format!("k{i}"), "newer");
    }
    put_round(&mut log, 3, 80);
    let mut log = round(log);
    let at = records(&log.reader(), 0);
    assert!(at.iter().all(|(offset, ..)| *offset > 5));
    assert!(append(&mut log, &last).duplicate);
    // Without any snapshot the state comes from the batches alone.
    log.close().unwrap();
    for name in bench.names().iter().filter(|name| name.ends_with(".snapshot")) {
        std::fs::remove_file(bench.file(name)).unwrap();
    }
    let (mut log, _) = bench.open();
    assert!(append(&mut log, &last).duplicate);
    assert!(!append(&mut log, &idempotent(7, 0, 6, 1)).duplicate);
    let error = log.append(&idempotent(7, 0, 9, 1), LeaderEpoch(0), now()).unwrap_err();
    assert!(matches!(error, AppendError::OutOfOrderSequence { last: 6, .. }), "{error}");
}

#[test]
fn leader_epochs_end_where_they_did() {
    let bench = Bench::new(compacted());
    let (mut log, _) = bench.open();
    put_round(&mut log, 3, 50);
    log.append(&entry("k0", Some("x"), T0), LeaderEpoch(4), now()).unwrap();
    put_round(&mut log, 3, 5);
    log.append(&entry("k0", Some("x"), T0), LeaderEpoch(6), now()).unwrap();
    let told = |log: &Log| [0, 3, 4, 5, 6].map(|epoch| log.end_offset_for_epoch(LeaderEpoch(epoch)));
    let before = told(&log);
    let log = round(log);
    assert_eq!(told(&log), before);
}

#[test]
fn a_reader_in_the_middle_of_a_segment_reads_on_while_it_is_swapped() {
    let bench = Bench::new(compacted());
    let (mut log, _) = bench.open();
    put_round(&mut log, 20, 200);
    let reader = log.reader();
    let old = reader.segments.load_full();
    // Places remembered in the old files must not be used in the new ones.
    let first = reader.read(Offset(0), Offset(200), 200, true).unwrap();
    let log = round(log);
    let next = reader.read(first.next, Offset(200), 200, true).unwrap();
    let all = reader.read(Offset(0), Offset(200), 1 << 20, true).unwrap();
    let there = batches(all.records).into_iter().map(|batch| batch.header);
    let expected = there.into_iter().find(|header| header.last_offset() >= first.next.0).unwrap();
    assert_eq!(batches(next.records)[0].header, expected);
    assert!(first.next.0 < offsets(&log.reader())[0]);
    // Who still holds the old list finds its files gone, and looks again.
    for segment in old.iter().take(old.len() - 1) {
        let error = reader.segment_file(segment, names::FileKind::Log).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    }
}

#[test]
fn a_place_remembered_in_an_old_file_is_not_used_in_the_new_one() {
    let bench = Bench::new(compacted());
    let (mut log, _) = bench.open();
    for key in ["k0", "k1", "k2", "a", "b", "c"] {
        put(&mut log, key, "value-0");
    }
    put_round(&mut log, 3, 60);
    let reader = log.reader();
    let first = reader.read(Offset(0), Offset(3), 1 << 20, true).unwrap();
    assert_eq!(first.next, Offset(3));
    for from in [1, 2] {
        reader.read(Offset(from), Offset(from + 1), 1 << 20, true).unwrap();
    }
    let log = round(log);
    assert_eq!(offsets(&log.reader())[..3], [3, 4, 5]);
    for from in [1, 2, 3] {
        let next = reader.read(Offset(from), Offset(60), 1, true).unwrap();
        assert_eq!(batches(next.records)[0].header.base_offset, 3, "{from}");
    }
}

#[test]
fn readers_and_appends_go_on_during_rounds_and_see_every_key() {
    let bench = Bench::new(LogConfig { segment_bytes: 2000, file_delete_delay_ms: 0, ..compacted() });
    let (mut log, _) = bench.open();
    put_round(&mut log, 10, 300);
    let reader = log.reader();
    let shared = Shared(Mutex::new(log));
    let done = std::sync::atomic::AtomicBool::new(false);
    let clean_upto = std::sync::atomic::AtomicI64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    assert_eq!(state(&reader).len(), 10);
                    let start = Offset(0);
                    let found = reader.offset_for_timestamp(T0).unwrap().unwrap();
                    assert!(found.offset >= start);
                }
            });
        }
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                // No further ahead than a round can follow.
                if reader.end().0 - clean_upto.load(Ordering::SeqCst) < 400 {
                    put_round(&mut shared.0.lock().unwrap(), 10, 5);
                }
                std::thread::yield_now();
            }
        });
        let mut cleaned = None;
        for _ in 0..30 {
            let (config, end) = (Arc::clone(shared.0.lock().unwrap().config()), reader.end());
            let plan = reader.cleaning_plan(&config, cleaned, end, T0).unwrap();
            if plan.is_due(&config) {
                let result = clean(&shared, &reader, &config, &plan, &OPTIONS, &forever(), now());
                cleaned = Some(result.unwrap().upto);
                clean_upto.store(cleaned.unwrap().0, Ordering::SeqCst);
                bench.context.run_deletions(now());
            }
        }
        done.store(true, Ordering::SeqCst);
    });
    let log = shared.0.into_inner().unwrap();
    let expected: BTreeMap<String, String> =
        (log.end().0 - 10..log.end().0).map(|n| (format!("k{}", n % 10), format!("value-{n}"))).collect();
    assert_eq!(state(&log.reader()), expected);
}

#[test]
fn a_round_that_the_log_overtakes_ends_and_leaves_no_file() {
    type Overtake = fn(&mut Log);
    let overtake: [(&str, Overtake); 4] = [
        ("records deleted", |log| {
            log.advance_start(Offset(50)).unwrap();
            log.drop_below_start(now());
        }),
        ("no longer compacted", |log| log.set_config(Arc::new(small()))),
        ("closed", |log| log.close_in_place().unwrap()),
        ("deleted", |log| log.delete_in_place(now()).unwrap()),
    ];
    for (what, overtake) in overtake {
        /// Overtakes the log the second time that the round asks for it: when the copy is ready.
        struct Overtaken(Mutex<(Log, u32)>, fn(&mut Log));
        impl LockedLog for Overtaken {
            fn with(&self, work: &mut dyn FnMut(&mut Log)) -> bool {
                let (log, calls) = &mut *self.0.lock().unwrap();
                *calls += 1;
                if *calls == 2 {
                    (self.1)(log);
                }
                work(log);
                true
            }
        }
        let bench = Bench::new(LogConfig { segment_bytes: 3000, ..compacted() });
        let (mut log, _) = bench.open();
        put_round(&mut log, 5, 200);
        let (reader, config) = (log.reader(), Arc::clone(log.config()));
        let plan = reader.cleaning_plan(&config, None, log.end(), T0).unwrap();
        let log = Overtaken(Mutex::new((log, 0)), overtake);
        let result = clean(&log, &reader, &config, &plan, &OPTIONS, &forever(), now());
        assert!(matches!(result, Err(CleaningError::Stopped)), "{what}: {result:?}");
        if bench.dir().exists() {
            assert!(!bench.names().iter().any(|name| name.contains(".cleaned")), "{what}");
            assert_eq!(state(&reader).len(), 5, "{what}");
        }
    }
}

#[test]
fn a_round_that_is_stopped_at_any_point_loses_nothing() {
    let bench = Bench::new(compacted());
    let (mut log, _) = bench.open();
    put_round(&mut log, 7, 120);
    let expected = state(&log.reader());
    let (mut steps, mut stopped) = (1, 0);
    loop {
        let pace = Steps(AtomicU64::new(steps));
        let (after, result) = round_with(log, None, &OPTIONS, &pace, now());
        log = after;
        assert_eq!(state(&log.reader()), expected);
        assert!(!bench.names().iter().any(|name| name.contains(".cleaned") || name.contains(".swap")));
        match result {
            Ok(_) => break,
            Err(error) => assert!(matches!(error, CleaningError::Stopped), "{error}"),
        }
        steps += 13;
        stopped += 1;
    }
    assert!(stopped > 5);
}

#[test]
fn rotten_bytes_end_a_round_and_are_not_written_anew() {
    let bench = Bench::new(compacted());
    let (mut log, _) = bench.open();
    put_round(&mut log, 5, 100);
    let path = bench.file("00000000000000000000.log");
    let mut bytes = std::fs::read(&path).unwrap();
    let place = bytes.len() - 3;
    bytes[place] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let (_log, result) = round_with(log, None, &OPTIONS, &forever(), now());
    assert!(matches!(result, Err(CleaningError::Log(LogError::Corrupt { .. }))), "{result:?}");
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

#[test]
fn lags_hold_records_back_and_press_them_forward() {
    let config = LogConfig { min_compaction_lag_ms: 1_000, ..compacted() };
    let bench = Bench::new(config.clone());
    let (mut log, _) = bench.open();
    put_round(&mut log, 5, 100);
    let plan = |config: &LogConfig, at: i64| log.reader().cleaning_plan(config, None, log.end(), at).unwrap();
    assert!(!plan(&config, T0 + 1_000).is_due(&config));
    let second = bases(&log)[1];
    let part = plan(&config, T0 + 1_000 + second);
    assert_eq!((part.round_end, part.is_due(&config)), (Offset(second), true));
    assert_eq!(plan(&config, T0 + 1_100).round_end, log.active_base());

    let lazy = LogConfig { min_cleanable_dirty_ratio: 1.0, max_compaction_lag_ms: 5_000, ..compacted() };
    assert!(!plan(&lazy, T0 + 5_000).is_due(&lazy), "all of it is dirty, which is not more than all");
    assert!(plan(&lazy, T0 + 5_001).is_due(&lazy));
}

#[test]
fn a_segment_of_a_compacted_topic_is_closed_before_its_records_are_overdue() {
    for (compact, segments) in [(true, 2), (false, 1)] {
        let cleanup_policy = CleanupPolicy { delete: !compact, compact };
        let bench =
            Bench::new(LogConfig { cleanup_policy, max_compaction_lag_ms: 100, ..LogConfig::default() });
        let (mut log, _) = bench.open();
        for at in [0, 100, 101] {
            append(&mut log, &entry("a", Some("x"), T0 + at));
        }
        assert_eq!(log.reader.segments.load().len(), segments);
    }
}

#[test]
fn a_dirty_ratio_at_the_minimum_is_not_due_and_one_above_is() {
    let bench = Bench::new(compacted());
    let (mut log, _) = bench.open();
    put_round(&mut log, 1000, 100);
    let (mut log, upto) = round_at(log, None, now());
    put_round(&mut log, 1000, 30);
    let plan = log.reader().cleaning_plan(log.config(), Some(upto), log.end(), T0).unwrap();
    let ratio = plan.dirty_ratio();
    assert!(ratio > 0.1 && ratio < 0.5, "{ratio}");
    let at = |ratio| LogConfig { min_cleanable_dirty_ratio: ratio, ..compacted() };
    assert!(!plan.is_due(&at(ratio)) && plan.is_due(&at(ratio - 0.001)));
}

#[test]
fn a_topic_that_is_no_longer_compacted_keeps_its_data_over_a_crash() {
    let bench = Bench::new(compacted());
    let (mut log, _) = bench.open();
    // Keys that never come again between such that do, so that segments end in gaps.
    for n in 0..200 {
        let key = if n % 40 == 0 { format!("once-{n}") } else { "again".to_owned() };
        put(&mut log, &key, "x");
    }
    let (mut log, upto) = round_at(log, None, now());
    put_round(&mut log, 5, 20);
    let expected = records(&log.reader(), 0);
    drop(log);
    // Many small segments with gaps between them, as a cleaner with small segments leaves them.
    let delete = Arc::new(LogConfig { segment_bytes: 100, ..small() });
    let open = |cleaned, recovery_point| {
        bench.open_with(|spec| {
            spec.config = Arc::clone(&delete);
            spec.cleaned = cleaned;
            spec.recovery_point = recovery_point;
        })
    };
    for (cleaned, recovery_point) in [(upto, Offset(0)), (Offset(0), upto)] {
        let (log, recovery) = open(cleaned, recovery_point);
        assert_eq!((recovery.cut_bytes, recovery.removed_segments), (0, 0));
        assert_eq!(records(&log.reader(), 0), expected);
    }
}

#[test]
fn compaction_leaves_no_gap_between_segments_so_that_a_start_takes_none_for_lost_records() {
    let bench = Bench::new(compacted());
    let (mut log, _) = bench.open();
    put_round(&mut log, 5, 200);
    let log = round(log);
    let expected = records(&log.reader(), 0);
    drop(log);
    let (log, recovery) = bench.open();
    assert_eq!((recovery.cut_bytes, recovery.removed_segments), (0, 0));
    assert_eq!(records(&log.reader(), 0), expected);
}

#[test]
fn a_record_that_claims_an_offset_of_another_batch_does_not_move_a_round_past_what_it_saw() {
    let bench = Bench::new(compacted());
    let (mut log, _) = bench.open();
    let mut builder = BatchBuilder::new(T0);
    builder.push(Some(b"liar"), Some(b"x"), T0);
    builder.push(Some(b"k"), Some(b"x"), T0);
    let mut bytes = builder.build(0).bytes.to_vec();
    // Behind the header: the record's length, attributes, time, offset.
    bytes[64] = 126;
    let crc = crc32c::crc32c(&bytes[21..]);
    bytes.splice(17..21, crc.to_be_bytes());
    let liar = Batch::parse(bytes.into()).unwrap();
    assert_eq!(liar.records().unwrap().next().unwrap().unwrap().offset_delta, 63);
    append(&mut log, &liar);
    put_round(&mut log, 3, 40);
    // Room for one key.
    let options = CleanerOptions { map_bytes: 48, ..OPTIONS };
    let (log, result) = round_with(log, None, &options, &forever(), now());
    let upto = result.unwrap().upto;
    assert_eq!(upto, Offset(2), "the one key that is in the map is at 1");
    assert_eq!(log.end(), Offset(42));
}
