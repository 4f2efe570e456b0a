//! Tests of opening again: after a clean stop, after a crash, with damaged files.

use super::*;

#[test]
fn a_clean_restart_scans_nothing_and_knows_everything() {
    let bench = Bench::new(small());
    let (mut log, _) = bench.open();
    fill(&mut log, 100);
    append(&mut log, &idempotent(7, 0, 0, 3));
    append(&mut log, &transactional(8, 0, 5));
    let (end, size) = (log.end(), log.size_bytes());
    let before = log.producers().producers().clone();
    let (log, recovery) = bench.reopen(log);
    assert_eq!(recovery, Recovery::default());
    assert_eq!((log.end(), log.size_bytes(), log.recovery_point()), (end, size, end));
    assert_eq!(log.producers().producers(), &before);
    assert_eq!(log.last_stable(end), Offset(203));
    assert_eq!(log.reader().last_stable(end), Offset(203));
    assert_eq!(log.latest_epoch(), Some(LeaderEpoch(0)));
    assert_filled_until(&log, 200);
}

fn assert_filled_until(log: &Log, until: i64) {
    let found = records(&log.reader(), 0);
    for (n, (offset, _, value)) in (0..until).zip(&found) {
        assert_eq!((*offset, value.as_deref()), (n, Some(format!("value-{n}").as_str())));
    }
}

#[test]
fn a_log_without_a_file_closes_and_opens_without_one() {
    let bench = Bench::new(small());
    let (log, _) = bench.open();
    let (log, _) = bench.reopen(log);
    assert_eq!((log.start(), log.end()), (Offset(0), Offset(0)));
    assert!(!bench.dir().exists());
}

#[test]
fn an_unchanged_log_is_not_touched_by_a_clean_stop() {
    let bench = Bench::new(small());
    let (mut log, _) = bench.open();
    fill(&mut log, 20);
    let (log, _) = bench.reopen(log);
    let before: Vec<_> = stats(&bench);
    let (_log, _) = bench.reopen(log);
    assert_eq!(stats(&bench), before);
}

fn stats(bench: &Bench) -> Vec<(String, u64, std::time::SystemTime)> {
    bench
        .names()
        .into_iter()
        .map(|name| {
            let metadata = std::fs::metadata(bench.file(&name)).unwrap();
            (name, metadata.len(), metadata.modified().unwrap())
        })
        .collect()
}

#[test]
fn after_a_crash_everything_written_is_there_and_the_files_are_as_they_were() {
    let bench = Bench::new(small());
    let (mut log, _) = bench.open();
    fill(&mut log, 100);
    append(&mut log, &transactional(8, 0, 5));
    log.append_as(&marker(8, 0, true), LeaderEpoch(0), AppendOrigin::Coordinator, now()).unwrap();
    bench.context.wait_for_flusher();
    drop(log);
    let (log, recovery) = bench.open();
    assert!(recovery.recovered && recovery.scanned_segments > 5);
    assert_eq!((recovery.cut_bytes, recovery.removed_segments), (0, 0));
    assert_eq!(log.end(), Offset(206));
    assert_filled_until(&log, 200);
    assert_eq!(log.reader().aborted_transactions(Offset(0), Offset(206)).unwrap().len(), 1);
    let recovered: Vec<(String, Vec<u8>)> = contents(&bench);
    let (_log, _) = bench.reopen(log);
    // A stop adds the snapshot at the end; the active segment's time index is complete, its last batches being older.
    let mut stopped = contents(&bench);
    stopped.retain(|(name, _)| name != "00000000000000000206.snapshot");
    assert!(stopped == recovered);
}

#[test]
fn recovering_a_small_log_writes_nothing() {
    let bench = Bench::new(LogConfig::default());
    let (mut log, _) = bench.open();
    fill(&mut log, 1);
    drop(log);
    let before = stats(&bench);
    let (log, recovery) = bench.open();
    assert!(recovery.recovered && log.end() > Offset(0));
    assert_eq!(stats(&bench), before);
}

fn contents(bench: &Bench) -> Vec<(String, Vec<u8>)> {
    bench.names().into_iter().map(|name| (name.clone(), std::fs::read(bench.file(&name)).unwrap())).collect()
}

#[test]
fn a_recovery_begins_at_the_segment_of_the_recovery_point() {
    let bench = Bench::new(small());
    let (mut log, _) = bench.open();
    fill(&mut log, 100);
    bench.context.wait_for_flusher();
    let recovery_point = log.recovery_point();
    assert!(recovery_point > Offset(100));
    drop(log);
    let (log, recovery) = bench.open_with(|spec| spec.recovery_point = recovery_point);
    assert_eq!(recovery.scanned_segments, 1);
    assert_eq!(log.recovery_point(), recovery_point);
    assert_filled(&log.reader(), 0);
}

#[test]
fn a_torn_last_batch_is_cut_off_and_the_log_goes_on_there() {
    let bench = Bench::new(LogConfig::default());
    let (mut log, _) = bench.open();
    fill(&mut log, 10);
    drop(log);
    let path = bench.file("00000000000000000000.log");
    let size = std::fs::metadata(&path).unwrap().len();
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(size - 3).unwrap();
    let (mut log, recovery) = bench.open();
    let batch_bytes = batch(18, 2).bytes.len() as u64;
    assert_eq!((log.end(), recovery.cut_bytes), (Offset(18), batch_bytes - 3));
    assert_eq!(std::fs::metadata(&path).unwrap().len(), size - batch_bytes);
    fill(&mut log, 3);
    assert_filled(&log.reader(), 0);
}

#[test]
fn a_flipped_bit_cuts_the_log_there_and_removes_the_segments_behind() {
    let bench = Bench::new(small());
    let (mut log, _) = bench.open();
    fill(&mut log, 100);
    bench.context.wait_for_flusher();
    let second = log.reader.segments.load()[1].base;
    drop(log);
    let path = bench.file(&format!("{second:020}.log"));
    let mut bytes = std::fs::read(&path).unwrap();
    let size = batch(10, 2).bytes.len();
    bytes[2 * size + 70] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let (log, recovery) = bench.open();
    assert_eq!(log.end(), Offset(second + 4));
    assert!(recovery.removed_segments > 3);
    assert_filled(&log.reader(), 0);
    let is_behind = |name: &String| {
        let parsed = names::parse_file_name(name);
        parsed.is_some_and(|(offset, _, suffix)| offset > second + 4 && suffix == names::Suffix::None)
    };
    assert!(!bench.names().iter().any(is_behind), "{:?}", bench.names());
}

#[test]
fn epochs_are_cut_with_the_log_whatever_their_file_says() {
    let bench = Bench::new(small());
    let (mut log, _) = bench.open();
    fill(&mut log, 10);
    log.append(&batch(0, 2), LeaderEpoch(4), now()).unwrap();
    let (cut, at) = (log.end(), log.size_bytes());
    log.append(&batch(2, 2), LeaderEpoch(6), now()).unwrap();
    let base = log.active_base();
    let before = at - (log.size_bytes() - log.reader.segments.load().last().unwrap().size());
    drop(log);
    let path = bench.file(&format!("{:020}.log", base.0));
    std::fs::OpenOptions::new().write(true).open(path).unwrap().set_len(before + 30).unwrap();
    let file = std::fs::read_to_string(bench.file("leader-epoch-checkpoint")).unwrap();
    assert!(file.contains("\n6 "), "{file}");
    let (mut log, _) = bench.open();
    assert_eq!((log.end(), log.latest_epoch()), (cut, Some(LeaderEpoch(4))));
    log.append(&batch(2, 2), LeaderEpoch(5), now()).unwrap();
    assert_eq!(log.end_offset_for_epoch(LeaderEpoch(4)), (LeaderEpoch(4), cut));
    let file = std::fs::read_to_string(bench.file("leader-epoch-checkpoint")).unwrap();
    assert!(!file.contains("\n6 ") && file.contains("\n5 "), "{file}");
}

#[test]
fn a_recovery_point_that_lies_behind_the_end_hides_no_torn_batch() {
    let bench = Bench::new(small());
    let (mut log, _) = bench.open();
    fill(&mut log, 100);
    let (end, base) = (log.end(), log.active_base());
    drop(log);
    let path = bench.file(&format!("{:020}.log", base.0));
    let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(file.metadata().unwrap().len() - 5).unwrap();
    let (log, recovery) = bench.open_with(|spec| spec.recovery_point = Offset(1_000_000));
    assert_eq!((log.end(), recovery.scanned_segments), (Offset(end.0 - 2), 1));
    assert_eq!(log.recovery_point(), log.end());
    assert_filled(&log.reader(), 0);
}

#[test]
fn missing_and_zero_filled_indexes_are_made_anew() {
    for clean in [false, true] {
        let bench = Bench::new(small());
        let (mut log, _) = bench.open();
        fill(&mut log, 100);
        let end = log.end();
        let (log, _) = bench.reopen(log);
        let last = log.reader.segments.load().last().unwrap().base;
        drop(log);
        let expected = contents(&bench);
        std::fs::remove_file(bench.file("00000000000000000000.index")).unwrap();
        std::fs::write(bench.file("00000000000000000000.timeindex"), b"odd").unwrap();
        for kind in ["index", "timeindex"] {
            let path = bench.file(&format!("{last:020}.{kind}"));
            let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
            file.set_len(if kind == "index" { 4096 } else { 4092 }).unwrap();
        }
        let (log, recovery) = bench.open_with(|spec| {
            spec.clean = clean;
            spec.recovery_point = end;
        });
        assert_eq!(recovery.rebuilt_indexes, if clean { 2 } else { 1 });
        assert_eq!(contents(&bench), expected, "clean: {clean}");
        assert_filled(&log.reader(), 0);
    }
}

#[test]
fn a_clean_log_whose_tail_makes_no_sense_is_recovered() {
    let bench = Bench::new(small());
    let (mut log, _) = bench.open();
    fill(&mut log, 100);
    let end = log.end();
    let (log, _) = bench.reopen(log);
    let last = log.reader.segments.load().last().unwrap().base;
    drop(log);
    let path = bench.file(&format!("{last:020}.log"));
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.extend(b"no batch");
    std::fs::write(&path, bytes).unwrap();
    let (log, recovery) = bench.open_with(|spec| {
        spec.clean = true;
        spec.recovery_point = end;
    });
    assert_eq!((log.end(), recovery.cut_bytes), (end, 8));
    assert_filled(&log.reader(), 0);
}

#[test]
fn the_five_batches_of_a_producer_survive_a_clean_restart() {
    let bench = Bench::new(small());
    let (mut log, _) = bench.open();
    for n in 0..7 {
        append(&mut log, &idempotent(7, 0, n * 5, 5));
    }
    let (mut log, recovery) = bench.reopen(log);
    assert!(!recovery.recovered);
    for n in 2..7 {
        let again = append(&mut log, &idempotent(7, 0, n * 5, 5));
        assert!(again.duplicate);
        assert_eq!(again.base_offset, Offset(i64::from(n) * 5));
    }
    assert!(log.append(&idempotent(7, 0, 5, 5), LeaderEpoch(0), now()).is_err());
}

#[test]
fn a_producer_whose_records_were_all_deleted_is_known_after_a_clean_restart() {
    let bench = Bench::new(LogConfig::default());
    let (mut log, _) = bench.open();
    append(&mut log, &idempotent(7, 0, 0, 3));
    log.advance_start(Offset(3)).unwrap();
    let (mut log, _) = bench.reopen(log);
    assert_eq!(log.start(), Offset(3));
    assert!(append(&mut log, &idempotent(7, 0, 0, 3)).duplicate);
}

#[test]
fn a_damaged_snapshot_is_passed_over_for_an_older_one() {
    let bench = Bench::new(small());
    let (mut log, _) = bench.open();
    append(&mut log, &idempotent(7, 0, 0, 5));
    fill(&mut log, 60);
    append(&mut log, &idempotent(7, 0, 5, 5));
    let end = log.end();
    log.close().unwrap();
    let newest = bench.names().into_iter().rfind(|name| name.ends_with(".snapshot")).unwrap();
    std::fs::write(bench.file(&newest), b"damaged").unwrap();
    let (mut log, recovery) = bench.open_with(|spec| {
        spec.clean = true;
        spec.recovery_point = end;
    });
    assert!(!recovery.recovered);
    assert!(append(&mut log, &idempotent(7, 0, 5, 5)).duplicate);
    assert!(!append(&mut log, &idempotent(7, 0, 10, 5)).duplicate);
}

#[test]
fn a_log_start_above_the_end_empties_the_log() {
    let bench = Bench::new(small());
    let (mut log, _) = bench.open();
    fill(&mut log, 20);
    drop(log);
    let (mut log, _) = bench.open_with(|spec| spec.log_start = Offset(100));
    assert_eq!((log.start(), log.end(), log.size_bytes()), (Offset(100), Offset(100), 0));
    fill(&mut log, 5);
    assert_filled(&log.reader(), 100);
}

#[test]
fn a_directory_of_another_topic_is_refused_and_one_with_records_that_names_none_after_a_crash() {
    let bench = Bench::new(small());
    let (mut log, _) = bench.open();
    fill(&mut log, 1);
    drop(log);
    let mut other = bench.spec.clone();
    other.topic_id = TopicId::random();
    assert!(matches!(Log::open(other, &bench.context, now()), Err(LogError::OtherTopic { .. })));
    for damage in [Some("?"), Some(""), None] {
        let path = bench.file("partition.metadata");
        match damage {
            Some(text) => std::fs::write(path, text).unwrap(),
            None => std::fs::remove_file(path).unwrap(),
        }
        let opened = Log::open(bench.spec.clone(), &bench.context, now());
        assert!(matches!(opened, Err(LogError::NoTopicId { .. })), "{damage:?}");
    }
}

#[test]
fn a_damaged_metadata_file_is_written_anew_after_a_clean_stop_or_where_there_are_no_records() {
    for (records, clean) in [(1, true), (0, false)] {
        let bench = Bench::new(small());
        let (mut log, _) = bench.open();
        fill(&mut log, 1);
        log.close().unwrap();
        std::fs::write(bench.file("partition.metadata"), "?").unwrap();
        let file = bench.file("00000000000000000000.log");
        if records == 0 {
            std::fs::write(file, b"").unwrap();
        }
        let (mut log, _) = bench.open_with(|spec| spec.clean = clean);
        fill(&mut log, 1);
        let metadata = std::fs::read_to_string(bench.file("partition.metadata")).unwrap();
        assert_eq!(metadata, "version: 0\ntopic_id: B6G_RwcNSD6o6trLeAETPg");
    }
}

#[test]
fn lost_or_damaged_epochs_are_read_from_the_batches() {
    for damage in [Some("0\n9\n"), None, Some("")] {
        let bench = Bench::new(small());
        let (mut log, _) = bench.open();
        fill(&mut log, 40);
        log.append(&batch(0, 2), LeaderEpoch(4), now()).unwrap();
        log.append(&batch(2, 2), LeaderEpoch(6), now()).unwrap();
        bench.context.wait_for_flusher();
        let recovery_point = log.recovery_point();
        drop(log);
        let path = bench.file("leader-epoch-checkpoint");
        match damage {
            Some(text) => std::fs::write(&path, text).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        let (log, _) = bench.open_with(|spec| spec.recovery_point = recovery_point);
        assert_eq!(log.end_offset_for_epoch(LeaderEpoch(0)), (LeaderEpoch(0), Offset(80)), "{damage:?}");
        assert_eq!(log.end_offset_for_epoch(LeaderEpoch(5)), (LeaderEpoch(4), Offset(82)));
        assert_eq!(log.latest_epoch(), Some(LeaderEpoch(6)));
    }
}

#[test]
fn state_is_loaded_up_to_a_given_end_and_the_next_append_removes_the_rest() {
    for clean in [true, false] {
        let bench = Bench::new(small());
        let (mut log, _) = bench.open();
        append(&mut log, &idempotent(7, 0, 0, 2));
        fill(&mut log, 9);
        append(&mut log, &idempotent(7, 0, 2, 2));
        fill(&mut log, 60);
        let full = log.end();
        log.close().unwrap();
        let (mut log, _) = bench.open_with(|spec| {
            spec.clean = clean;
            spec.recovery_point = full;
            spec.end = Some(Offset(20));
        });
        assert_eq!((log.end(), log.reader().end()), (Offset(20), Offset(20)));
        assert!(!append(&mut log, &idempotent(7, 0, 2, 2)).duplicate);
        fill(&mut log, 30);
        let (log, _) = bench.reopen(log);
        assert_eq!(log.end(), Offset(82));
        let found = records(&log.reader(), 0);
        assert_eq!(found.len(), 82);
        assert_eq!(found[81].2.as_deref(), Some("value-81"));
    }
}

#[test]
fn a_zero_filled_time_index_beside_a_good_offset_index_is_made_anew() {
    let bench = Bench::new(LogConfig { index_interval_bytes: 100, ..LogConfig::default() });
    let (mut log, _) = bench.open();
    fill(&mut log, 100);
    let end = log.end();
    log.close().unwrap();
    let expected = contents(&bench);
    let path = bench.file("00000000000000000000.timeindex");
    std::fs::OpenOptions::new().write(true).open(path).unwrap().set_len(4092).unwrap();
    let (log, recovery) = bench.open_with(|spec| {
        spec.clean = true;
        spec.recovery_point = end;
    });
    assert_eq!((recovery.rebuilt_indexes, recovery.recovered), (1, false));
    assert_eq!(contents(&bench), expected);
    assert_eq!(log.reader().max_timestamp().unwrap().unwrap().offset, Offset(199));
}

#[test]
fn batches_that_stand_in_the_log_twice_are_cut_off() {
    let bench = Bench::new(LogConfig::default());
    let (mut log, _) = bench.open();
    fill(&mut log, 10);
    drop(log);
    let path = bench.file("00000000000000000000.log");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, [&bytes[..], &bytes[..]].concat()).unwrap();
    let (log, recovery) = bench.open();
    assert_eq!((log.end(), recovery.cut_bytes), (Offset(20), bytes.len() as u64));
    assert_filled(&log.reader(), 0);
}

#[test]
fn a_segment_that_lost_its_last_batches_ends_the_log_unless_a_killed_kafka_may_have_cleaned_it() {
    for (compact, may_have_gaps) in [(false, false), (true, false), (true, true)] {
        let cleanup_policy = CleanupPolicy { delete: !compact, compact };
        let bench = Bench::new(LogConfig { cleanup_policy, ..small() });
        let (mut log, _) = bench.open();
        fill(&mut log, 100);
        bench.context.wait_for_flusher();
        let (end, segments) = (log.end(), log.reader.segments.load_full());
        drop(log);
        let (second, third) = (segments[1].base, segments[2].base);
        let lost = batch(third - 2, 2).bytes.len() as u64;
        let file =
            std::fs::OpenOptions::new().write(true).open(bench.file(&format!("{second:020}.log"))).unwrap();
        file.set_len(segments[1].size() - lost).unwrap();
        let (log, recovery) = bench.open_with(|spec| spec.may_have_gaps = may_have_gaps);
        let kept = if may_have_gaps { end } else { Offset(third - 2) };
        let removed = if may_have_gaps { 0 } else { segments.len() - 2 };
        assert_eq!((log.end(), recovery.removed_segments), (kept, removed), "compact: {compact}");
    }
}

#[test]
fn producers_are_replayed_from_the_middle_of_a_segment_where_the_snapshot_stands() {
    let bench = Bench::new(LogConfig::default());
    let (mut log, _) = bench.open();
    for n in 0..3 {
        append(&mut log, &idempotent(7, 0, n * 5, 5));
    }
    append(&mut log, &transactional(8, 0, 2));
    let (mut log, _) = bench.reopen(log);
    log.append_as(&marker(8, 0, false), LeaderEpoch(0), AppendOrigin::Coordinator, now()).unwrap();
    append(&mut log, &idempotent(7, 0, 15, 5));
    let (end, before) = (log.end(), log.producers().producers().clone());
    log.close().unwrap();
    std::fs::write(bench.file(&format!("{:020}.snapshot", end.0)), b"damaged").unwrap();
    let (log, recovery) = bench.open_with(|spec| {
        spec.clean = true;
        spec.recovery_point = end;
    });
    assert!(!recovery.recovered);
    assert_eq!(log.producers().producers(), &before);
    assert_eq!(log.last_stable(end), end);
}

#[test]
fn producers_that_were_idle_too_long_are_forgotten_at_start() {
    let bench = Bench::new(LogConfig::default());
    let (mut log, _) = bench.open();
    append(&mut log, &idempotent(7, 0, 0, 1));
    append(&mut log, &transactional(8, 0, 1));
    let end = log.end();
    log.close().unwrap();
    for (idle_ms, known) in [(86_399_999, vec![7, 8]), (86_400_000, vec![8])] {
        let mut spec = bench.spec.clone();
        spec.clean = true;
        spec.recovery_point = end;
        let (log, _) = Log::open(spec, &bench.context, now().after_ms(idle_ms)).unwrap();
        assert_eq!(log.producers().producers().keys().copied().collect::<Vec<_>>(), known);
    }
}
