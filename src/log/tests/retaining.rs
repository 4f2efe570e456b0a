//! Tests of what goes: retention, raised log starts, deleted partitions.

use super::*;

fn bases(log: &Log) -> Vec<i64> {
    log.reader.segments.load().iter().map(|segment| segment.base).collect()
}

fn at(wall_ms: i64) -> Now {
    Now { mono_ms: wall_ms, wall_ms }
}

/// Files under their own names, which is without those that wait to be removed.
fn live(bench: &Bench, kind: names::FileKind) -> Vec<i64> {
    let parsed = |name: &String| names::parse_file_name(name);
    let files = bench.names();
    let live =
        files.iter().filter_map(parsed).filter(|(_, k, suffix)| *k == kind && *suffix == names::Suffix::None);
    live.map(|(offset, ..)| offset).collect()
}

#[test]
fn old_segments_go_by_the_largest_timestamp_in_them() {
    let bench = Bench::new(LogConfig { retention_ms: 1000, ..small() });
    let (mut log, _) = bench.open();
    fill(&mut log, 100);
    let all = bases(&log);
    // Record n is of T0 + n: the first two segments are older than a second.
    let moment = at(T0 + all[2] - 1 + 1001);
    assert_eq!(retain(&mut log, Offset(200), moment).unwrap(), 2);
    assert_eq!((log.start(), bases(&log)), (Offset(all[2]), all[2..].to_vec()));
    assert_eq!(retain(&mut log, Offset(200), moment).unwrap(), 0);
    assert_filled(&log.reader(), all[2]);
    assert_eq!(live(&bench, names::FileKind::Snapshot)[0], all[2], "older snapshots went along");

    assert_eq!(bench.context.run_deletions(moment.after_ms(59_999)), 0);
    assert!(bench.file("00000000000000000000.log.deleted").exists());
    assert!(bench.context.run_deletions(moment.after_ms(60_000)) >= 6);
    assert!(!bench.names().iter().any(|name| name.ends_with(".deleted")));
}

#[test]
fn a_log_of_expired_records_alone_starts_a_new_segment_and_loses_all_others() {
    let bench = Bench::new(LogConfig { retention_ms: 1000, ..small() });
    let (mut log, _) = bench.open();
    fill(&mut log, 20);
    log.begin_epoch(LeaderEpoch(1));
    let count = bases(&log).len();
    assert_eq!(retain(&mut log, Offset(40), at(T0 + 10_000)).unwrap(), count);
    assert_eq!((log.start(), log.end(), bases(&log)), (Offset(40), Offset(40), vec![40]));
    assert_eq!(retain(&mut log, Offset(40), at(T0 + 10_000)).unwrap(), 0, "an empty segment stays");
    assert_eq!(log.retention_due_ms(), i64::MAX, "and is not worth a look");
    log.append(&batch(40, 2), LeaderEpoch(1), now()).unwrap();
    let (log, _) = bench.reopen(log);
    assert_eq!((log.start(), log.end()), (Offset(40), Offset(42)));
    assert_filled(&log.reader(), 40);
}

#[test]
fn the_oldest_segments_go_while_the_log_is_too_large_without_them() {
    let bench = Bench::new(small());
    let (mut log, _) = bench.open();
    fill(&mut log, 100);
    let sizes: Vec<u64> = log.reader.segments.load().iter().map(|segment| segment.size()).collect();
    let kept: u64 = sizes[3..].iter().sum();
    let limit = |log: &mut Log, bytes: u64| {
        let retention_bytes = i64::try_from(bytes).unwrap();
        log.set_config(Arc::new(LogConfig { retention_bytes, ..small() }));
        retain(log, Offset(200), now()).unwrap()
    };
    assert_eq!(limit(&mut log, kept + 1), 2, "the third segment would leave too little");
    assert_eq!(limit(&mut log, kept), 1);
    assert_eq!(log.size_bytes(), kept);
}

#[test]
fn nothing_above_the_high_watermark_goes() {
    let bench = Bench::new(LogConfig { retention_ms: 0, ..small() });
    let (mut log, _) = bench.open();
    fill(&mut log, 100);
    let all = bases(&log);
    let removed = retain(&mut log, Offset(all[3]), at(T0 + 1_000_000)).unwrap();
    assert_eq!((removed, log.start()), (3, Offset(all[3])));
}

#[test]
fn a_compacted_topic_keeps_its_segments() {
    let cleanup_policy = CleanupPolicy { delete: false, compact: true };
    let bench = Bench::new(LogConfig { retention_ms: 0, retention_bytes: 0, cleanup_policy, ..small() });
    let (mut log, _) = bench.open();
    fill(&mut log, 100);
    assert_eq!(retain(&mut log, Offset(200), at(T0 + 1_000_000)).unwrap(), 0);
}

#[test]
fn a_raised_log_start_takes_whole_segments_and_trims_epochs_and_snapshots() {
    let bench = Bench::new(small());
    let (mut log, _) = bench.open();
    fill(&mut log, 30);
    log.append(&batch(60, 2), LeaderEpoch(3), now()).unwrap();
    fill(&mut log, 40);
    let all = bases(&log);
    let inside = all[2] + 3;
    log.advance_start(Offset(inside)).unwrap();
    assert_eq!((log.start(), bases(&log)), (Offset(inside), all.clone()), "they go with the next retention");
    assert_eq!(log.reader().max_timestamp().unwrap().map(|found| found.offset), Some(log.end().plus(-1)));
    assert_eq!(log.drop_below_start(now()), 2);
    assert_eq!(bases(&log)[0], all[2]);
    assert_eq!(live(&bench, names::FileKind::Snapshot)[0], all[2]);
    let epochs = || std::fs::read_to_string(bench.file("leader-epoch-checkpoint")).unwrap();
    assert_eq!(epochs(), format!("0\n2\n0 {inside}\n3 60\n"));
    log.advance_start(Offset(0)).unwrap();
    assert_eq!(log.start(), Offset(inside), "a log start never falls");
    assert!(log.advance_start(Offset(1000)).is_err());
    log.advance_start(Offset(61)).unwrap();
    assert_eq!(epochs(), "0\n1\n3 61\n");
    let (log, _) = bench.reopen(log);
    assert_eq!(log.start(), Offset(61));
    let end = log.end();
    let mut log = log;
    log.advance_start(end).unwrap();
    assert_eq!(log.start(), end);
    fill(&mut log, 1);
    assert_eq!(log.end(), end.plus(2));
}

#[test]
fn a_transaction_that_began_below_the_log_start_keeps_nothing_back_but_what_is_left_of_it() {
    let bench = Bench::new(LogConfig::default());
    let (mut log, _) = bench.open();
    append(&mut log, &transactional(7, 0, 4));
    log.advance_start(Offset(3)).unwrap();
    assert_eq!((log.last_stable(Offset(4)), log.reader().last_stable(Offset(4))), (Offset(3), Offset(3)));
    let (log, _) = bench.reopen(log);
    assert_eq!(log.reader().last_stable(Offset(4)), Offset(3));
}

#[test]
fn a_deleted_log_frees_its_name_at_once_and_its_files_later() {
    let bench = Bench::new(small());
    let (mut log, _) = bench.open();
    fill(&mut log, 20);
    log.delete(at(0)).unwrap();
    assert!(!bench.dir().exists());
    assert_eq!(bench.context.open_files(), 0);
    let (mut again, _) = bench.open();
    fill(&mut again, 1);
    assert_eq!(again.end(), Offset(2));
    let parent = bench.dir().parent().unwrap();
    let count = || std::fs::read_dir(parent).unwrap().count();
    assert_eq!(count(), 2);
    assert_eq!(bench.context.run_deletions(at(60_000)), 1);
    assert_eq!(count(), 1);
}

#[test]
fn files_that_waited_to_be_removed_go_at_the_next_start() {
    let bench = Bench::new(small());
    let (mut log, _) = bench.open();
    fill(&mut log, 100);
    log.advance_start(Offset(100)).unwrap();
    log.drop_below_start(now());
    let start = log.start();
    assert!(bench.names().iter().any(|name| name.ends_with(".deleted")));
    drop(log);
    let (log, _) = bench.open_with(|spec| spec.log_start = start);
    assert!(!bench.names().iter().any(|name| name.ends_with(".deleted")));
    assert_eq!(log.start(), Offset(100));
    assert_filled(&log.reader(), 100);
}

#[test]
fn retention_forgets_idle_producers_of_compacted_topics_too() {
    let cleanup_policy = CleanupPolicy { delete: false, compact: true };
    let bench = Bench::new(LogConfig { cleanup_policy, ..small() });
    let (mut log, _) = bench.open();
    append(&mut log, &idempotent(7, 0, 0, 1));
    retain(&mut log, Offset(1), at(T0 + 86_399_999)).unwrap();
    assert_eq!(log.producers().producers().len(), 1);
    retain(&mut log, Offset(1), at(T0 + 86_400_000)).unwrap();
    assert!(log.producers().is_empty());
}
