//! Tests of topic settings that a log obeys by itself: `flush.ms`, `preallocate`, `segment.jitter.ms`. Those that are seen
//! from outside are tested over the wire.

use super::*;

fn after(ms: i64) -> Now {
    now().after_ms(ms)
}

fn append_at(log: &mut Log, moment: Now) {
    let n = log.end().0;
    log.append(&batch(n, 1), LeaderEpoch(0), moment).unwrap();
}

fn run_flushes(bench: &Bench, moment: Now) {
    bench.context.run_flushes(moment);
    bench.context.wait_for_flusher();
}

#[test]
fn with_flush_ms_records_are_synced_when_that_time_is_over_and_not_before() {
    let bench = Bench::new(LogConfig { flush_ms: 100, ..LogConfig::default() });
    let (mut log, _) = bench.open();
    assert_eq!(bench.context.next_flush_mono_ms(), None);
    append_at(&mut log, after(10));
    append_at(&mut log, after(50));
    assert_eq!(bench.context.next_flush_mono_ms(), Some(110), "counted from the first record that waits");
    run_flushes(&bench, after(109));
    assert_eq!(log.reader().synced(), Offset(0));
    run_flushes(&bench, after(110));
    assert_eq!(log.reader().synced(), Offset(2));
    assert_eq!(bench.context.next_flush_mono_ms(), None, "nothing is queued while nothing waits");
    append_at(&mut log, after(200));
    assert_eq!(bench.context.next_flush_mono_ms(), Some(300));
    assert!(log.reader.pinned.lock().unwrap().is_empty(), "no file is held open for it");
    drop(log);
    run_flushes(&bench, after(300));
}

#[test]
fn a_log_without_flush_ms_never_stands_in_the_queue_until_the_setting_changes() {
    let bench = Bench::new(small());
    let (mut log, _) = bench.open();
    fill(&mut log, 30);
    log.schedule_flush(after(0));
    assert_eq!(bench.context.next_flush_mono_ms(), None);
    log.set_config(Arc::new(LogConfig { flush_ms: 5000, ..small() }));
    log.schedule_flush(after(1000));
    assert_eq!(bench.context.next_flush_mono_ms(), Some(6000), "what waits already is flushed, too");
    log.set_config(Arc::new(LogConfig { flush_ms: 10, ..small() }));
    log.schedule_flush(after(1000));
    assert_eq!(bench.context.next_flush_mono_ms(), Some(1010), "a shorter time holds at once");
    run_flushes(&bench, after(1010));
    assert_eq!(log.reader().synced(), log.end());
    append_at(&mut log, after(5995));
    run_flushes(&bench, after(6000));
    assert!(log.reader().synced() < log.end(), "the longer time is over, but does not hold any more");
    run_flushes(&bench, after(6005));
    assert_eq!(log.reader().synced(), log.end());
}

#[test]
fn the_first_log_that_is_due_wakes_the_schedule() {
    let bench = Bench::new(LogConfig { flush_ms: 100, ..LogConfig::default() });
    let (send, receive) = std::sync::mpsc::channel();
    bench.context.set_flush_waker(move || send.send(()).unwrap());
    let (mut log, _) = bench.open();
    append_at(&mut log, after(0));
    append_at(&mut log, after(1));
    assert_eq!(receive.try_iter().count(), 1);
}

fn log_file_bytes(bench: &Bench, base: i64) -> u64 {
    std::fs::metadata(bench.file(&format!("{base:020}.log"))).unwrap().len()
}

#[test]
fn a_preallocated_segment_has_its_full_length_until_it_is_closed() {
    let config = LogConfig { preallocate: true, ..small() };
    let bench = Bench::new(config);
    let (mut log, _) = bench.open();
    fill(&mut log, 1);
    assert_eq!(log_file_bytes(&bench, 0), 1000);
    let size = log.size_bytes();
    assert!(size < 1000, "what readers see is what was appended");
    fill(&mut log, 40);
    let segments: Vec<(i64, u64)> =
        log.reader.segments.load().iter().map(|segment| (segment.base, segment.size())).collect();
    let (active, closed) = segments.split_last().unwrap();
    for (base, size) in closed {
        assert_eq!(log_file_bytes(&bench, *base), *size, "cut at the roll");
    }
    assert_eq!(log_file_bytes(&bench, active.0), 1000);
    assert_filled(&log.reader(), 0);
    log.close().unwrap();
    assert_eq!(log_file_bytes(&bench, active.0), active.1, "cut at a clean stop");
}

#[test]
fn after_a_crash_the_unused_part_of_a_preallocated_segment_is_cut_off_and_no_record_lost() {
    let bench = Bench::new(LogConfig { preallocate: true, ..small() });
    let (mut log, _) = bench.open();
    fill(&mut log, 41);
    drop(log);
    let (mut log, _) = bench.open();
    assert_eq!(log.end(), Offset(82));
    assert_filled(&log.reader(), 0);
    fill(&mut log, 20);
    assert_filled(&log.reader(), 0);
}

#[test]
fn preallocation_begins_with_the_next_segment() {
    let bench = Bench::new(small());
    let (mut log, _) = bench.open();
    fill(&mut log, 1);
    log.set_config(Arc::new(LogConfig { preallocate: true, ..small() }));
    fill(&mut log, 1);
    assert_eq!(log_file_bytes(&bench, 0), log.size_bytes());
    fill(&mut log, 20);
    let active = log.reader.segments.load().last().unwrap().base;
    assert_eq!(log_file_bytes(&bench, active), 1000);
}

/// How many segments 400 seconds of records, one a second, take with `segment.ms` of 20 s.
fn segments_with_jitter(segment_jitter_ms: i64) -> usize {
    let bench = Bench::new(LogConfig { segment_ms: 20_000, segment_jitter_ms, ..LogConfig::default() });
    let (mut log, _) = bench.open();
    for second in 0..400 {
        append(&mut log, &batch(second * 1000, 1));
    }
    log.reader.segments.load().len()
}

#[test]
fn jitter_closes_segments_earlier_but_never_later_and_not_each_batch_for_itself() {
    let exact = segments_with_jitter(0);
    assert_eq!(exact, 20, "21 records each, because more than 20 s have to be over");
    let with_jitter = segments_with_jitter(10_000);
    assert!((21..=40).contains(&with_jitter), "{with_jitter}");
    // More jitter than segment.ms counts as segment.ms, as with Kafka.
    let with_most = segments_with_jitter(i64::MAX);
    assert!((21..200).contains(&with_most), "{with_most}");
}
