//! Tests of reading by offset and by time.

use std::sync::atomic::Ordering;

use super::storage::{Access, Storage as _};
use super::*;
use crate::wire::slices::Slice;

fn filled(config: LogConfig, batches: usize) -> (Bench, Log) {
    let bench = Bench::new(config);
    let (mut log, _) = bench.open();
    fill(&mut log, batches);
    (bench, log)
}

#[test]
fn every_offset_is_found_in_files_and_in_what_waits_in_memory() {
    let (_bench, log) = filled(small(), 200);
    for round in 0..2 {
        for from in (0..400).rev() {
            // A fresh reader each time would be slow; read backwards so that no hint fits.
            let read = log.reader().read(Offset(from), Offset(400), 1, true).unwrap();
            let found = batches(read.records);
            assert_eq!((found.len(), found[0].header.base_offset), (1, from / 2 * 2), "round {round}");
        }
        log.reader.forget_files();
    }
}

#[test]
fn a_read_begins_with_the_batch_that_holds_the_offset_and_goes_on_where_it_ended() {
    let (_bench, log) = filled(small(), 200);
    for from in [0, 1, 133, 399] {
        assert_filled(&log.reader(), from);
    }
}

#[test]
fn a_read_returns_whole_batches_within_its_bytes_but_the_first_one_in_any_case() {
    let (_bench, log) = filled(LogConfig::default(), 10);
    let reader = log.reader();
    let size = batch(0, 2).bytes.len();
    let count = |max: usize, min_one: bool| {
        batches(reader.read(Offset(0), Offset(20), max, min_one).unwrap().records).len()
    };
    assert_eq!(count(size * 3 - 1, true), 2);
    assert_eq!(count(size * 3, true), 3);
    assert_eq!(count(10, true), 1);
    assert_eq!(count(10, false), 0);
    assert_eq!(count(size - 1, false), 0);
    assert_eq!(count(0, true), 1);
    assert_eq!(count(usize::MAX, false), 10);
}

#[test]
fn nothing_at_or_above_the_upper_bound_is_returned() {
    let (_bench, log) = filled(LogConfig::default(), 10);
    let reader = log.reader();
    let next = |from: i64, upper: i64| reader.read(Offset(from), Offset(upper), 10_000, true).unwrap().next.0;
    assert_eq!(next(0, 6), 6);
    assert_eq!(next(0, 5), 4, "a batch that reaches over the bound is left out");
    assert_eq!(next(6, 6), 6);
    assert_eq!(next(4, 5), 4);
    assert_eq!(next(0, 500), 20);
}

#[test]
fn an_offset_outside_the_log_is_out_of_range() {
    let (_bench, mut log) = filled(small(), 100);
    log.advance_start(Offset(50)).unwrap();
    log.drop_below_start(now());
    let reader = log.reader();
    for asked in [-1, 0, 49, 201] {
        let error = reader.read(Offset(asked), Offset(200), 100, true).unwrap_err();
        assert!(
            matches!(error, ReadError::OffsetOutOfRange { start: Offset(50), end: Offset(200), .. }),
            "{asked}"
        );
        assert_eq!(error.code().code(), 1);
    }
    assert!(reader.read(Offset(200), Offset(200), 100, true).unwrap().records.is_empty());
    assert_filled(&reader, 50);
}

#[test]
fn a_read_without_waiting_gives_the_same_records() {
    let (_bench, log) = filled(small(), 100);
    let reader = log.reader();
    for from in 0..200 {
        let waited = reader.read(Offset(from), Offset(200), 300, true).unwrap();
        let tried = reader.fetch(Offset(from), Offset(200), 300, true, false).unwrap();
        assert_eq!(waited.next, tried.next);
        assert_eq!(waited.records.into_bytes().unwrap(), tried.records.into_bytes().unwrap());
    }
}

#[test]
fn a_reader_that_lost_its_file_to_retention_is_told_the_new_start() {
    let (_bench, mut log) = filled(small(), 100);
    let reader = log.reader();
    let old = reader.segments.load_full();
    log.advance_start(Offset(150)).unwrap();
    log.drop_below_start(now());
    // A reader in the middle of its read holds the old snapshot.
    let current = reader.segments.swap(old);
    reader.start.store(0, Ordering::Release);
    let attempts = std::cell::Cell::new(0);
    let result = reader.retry_vanished(|| {
        let result = reader.read_once(read::Asked {
            from: 0,
            upper: 200,
            max_bytes: 100,
            min_one: true,
            wait: scan::Wait::Yes,
            defers: false,
        });
        attempts.set(attempts.get() + 1);
        reader.start.store(150, Ordering::Release);
        reader.segments.store(Arc::clone(&current));
        result
    });
    assert!(matches!(result, Err(ReadError::OffsetOutOfRange { .. })), "{result:?}");
    assert_eq!(attempts.get(), 2);
}

#[test]
fn a_reader_tries_again_as_long_as_segments_are_replaced_under_it_and_no_longer() {
    let (_bench, log) = filled(small(), 100);
    let reader = log.reader();
    let gone = || ReadError::io(Path::new("x"))(std::io::ErrorKind::NotFound.into());
    let attempts = std::cell::Cell::new(0);
    let found = reader.retry_vanished(|| {
        attempts.set(attempts.get() + 1);
        if attempts.get() > 100 {
            return Ok(());
        }
        reader.segments.store(Arc::new((**reader.segments.load()).clone()));
        Err(gone())
    });
    assert!(found.is_ok() && attempts.get() == 101, "{found:?} after {}", attempts.get());
    attempts.set(0);
    let missing: Result<(), _> = reader.retry_vanished(|| {
        attempts.set(attempts.get() + 1);
        Err(gone())
    });
    assert!(missing.is_err() && attempts.get() == 1, "{missing:?} after {}", attempts.get());
}

#[test]
fn a_reader_that_saw_the_start_before_retention_raised_it_is_not_led_over_the_gap() {
    let (_bench, mut log) = filled(small(), 100);
    let reader = log.reader();
    log.advance_start(Offset(150)).unwrap();
    log.drop_below_start(now());
    // As the reader saw it a moment before.
    reader.start.store(0, Ordering::Release);
    let result = reader.read(Offset(0), Offset(200), 100, true);
    assert!(matches!(result, Err(ReadError::OffsetOutOfRange { .. })), "{result:?}");
}

#[test]
fn the_first_record_at_or_after_a_time_is_found_to_the_record() {
    let (_bench, log) = filled(small(), 200);
    let reader = log.reader();
    for n in [0, 1, 2, 7, 133, 250, 399] {
        let found = reader.offset_for_timestamp(T0 + n).unwrap().unwrap();
        assert_eq!((found.offset, found.timestamp, found.epoch), (Offset(n), T0 + n, LeaderEpoch(0)));
    }
    assert_eq!(reader.offset_for_timestamp(0).unwrap().unwrap().offset, Offset(0));
    assert_eq!(reader.offset_for_timestamp(T0 + 400).unwrap(), None);
}

#[test]
fn a_time_below_the_log_start_finds_the_log_start() {
    let (_bench, mut log) = filled(LogConfig::default(), 20);
    log.advance_start(Offset(7)).unwrap();
    log.drop_below_start(now());
    let found = log.reader().offset_for_timestamp(T0).unwrap().unwrap();
    assert_eq!((found.offset, found.timestamp), (Offset(7), T0 + 7));
}

#[test]
fn the_largest_timestamp_is_found_where_it_stands_first() {
    let bench = Bench::new(small());
    let (mut log, _) = bench.open();
    assert_eq!(log.reader().max_timestamp().unwrap(), None);
    fill(&mut log, 40);
    append(&mut log, &batch(500, 3));
    fill(&mut log, 40);
    let found = log.reader().max_timestamp().unwrap().unwrap();
    assert_eq!((found.offset, found.timestamp), (Offset(82), T0 + 502));
    let (log, _) = bench.reopen(log);
    assert_eq!(log.reader().max_timestamp().unwrap(), Some(found));
    assert_eq!(log.reader().offset_for_timestamp(T0 + 501).unwrap().unwrap().offset, Offset(81));
}

#[test]
fn a_wrong_index_costs_time_and_no_record() {
    let (bench, log) = filled(LogConfig { index_interval_bytes: 100, ..LogConfig::default() }, 100);
    let (log, _) = bench.reopen(log);
    let path = bench.file("00000000000000000000.index");
    let good = std::fs::read(&path).unwrap();
    // Each entry claims to be at the next one's place, or in the middle of a batch.
    let mut shifted = good.clone();
    for (entry, next) in (0..good.len() - 8).step_by(8).zip((8..).step_by(8)) {
        shifted[entry + 4..entry + 8].clone_from_slice(&good[next + 4..next + 8]);
    }
    let broken: Vec<u8> = good.iter().enumerate().map(|(i, b)| if i % 8 == 7 { b ^ 1 } else { *b }).collect();
    for bytes in [shifted, broken] {
        std::fs::write(&path, bytes).unwrap();
        for from in (0..200).rev() {
            let read = log.reader().read(Offset(from), Offset(200), 1, true).unwrap();
            assert_eq!(batches(read.records)[0].header.base_offset, from / 2 * 2);
        }
    }
}

/// A closed segment and an active one, with batches from a few bytes to more than a buffer.
fn large_batches() -> (Bench, Log) {
    let config = LogConfig { segment_bytes: 4_000_000, index_interval_bytes: 4096, ..LogConfig::default() };
    let bench = Bench::new(config);
    let (mut log, _) = bench.open();
    for n in 0..150_usize {
        let mut builder = BatchBuilder::new(T0);
        for _ in 0..=n % 3 {
            builder.push(None, Some(&vec![n as u8; n * 7919 % 50_000 * (1 + n % 29 / 28 * 5)]), T0);
        }
        append(&mut log, &builder.build(0));
    }
    (bench, log)
}

/// What an answer gets is what a read gets, be it read when it is sent or before.
fn assert_answers_are_reads(log: &Log) {
    let reader = log.reader();
    let mut deferred = 0;
    for from in (0..log.end().0).step_by(7) {
        for max_bytes in [1, 100_000, 262_144, 300_000, 1_048_576, usize::MAX] {
            for upper in [from + 1, from + 40, log.end().0] {
                let (from, upper) = (Offset(from), Offset(upper));
                let read = reader.read(from, upper, max_bytes, true).unwrap();
                let fetched = reader.fetch(from, upper, max_bytes, true, true).unwrap();
                deferred +=
                    usize::from(fetched.records.clone().into_iter().any(|s| matches!(s, Slice::Stored(_))));
                assert_eq!(read.next, fetched.next, "{from} {upper} {max_bytes}");
                assert_eq!(read.records.into_bytes().unwrap(), fetched.records.into_bytes().unwrap());
            }
        }
    }
    assert!(deferred > 50, "{deferred}");
}

#[test]
fn what_is_read_when_it_is_sent_is_what_a_read_returns() {
    let (bench, log) = large_batches();
    assert!(log.reader().segments.load().len() > 1);
    assert_answers_are_reads(&log);
    let (log, _) = bench.reopen(log);
    assert_answers_are_reads(&log);
}

#[test]
fn what_is_read_when_it_is_sent_comes_in_smaller_pieces_while_memory_is_short() {
    let (bench, log) = large_batches();
    let fetched = log.reader().fetch(Offset(0), log.end(), 1 << 20, true, true).unwrap();
    let mut pieces = fetched.records.into_iter().filter_map(|slice| match slice {
        Slice::Stored(mut stored) => Some(move || stored.read(true).unwrap().len()),
        Slice::Here(_) => None,
    });
    let mut next_piece = pieces.next().unwrap();
    assert!(next_piece() > 32 * 1024);
    let mut lent = Vec::new();
    while !bench.context.is_read_memory_short() {
        lent.push(bench.context.buffers.take());
    }
    assert_eq!(next_piece(), 32 * 1024);
    drop(lent);
}

#[test]
fn a_wrong_index_changes_nothing_of_what_is_sent() {
    let (bench, log) = large_batches();
    let (log, _) = bench.reopen(log);
    let path = bench.file("00000000000000000000.index");
    let good = std::fs::read(&path).unwrap();
    let middle: Vec<u8> = good.iter().enumerate().map(|(i, b)| if i % 8 == 7 { b ^ 1 } else { *b }).collect();
    let mut shifted = good.clone();
    for (entry, next) in (0..good.len() - 8).step_by(8).zip((8..).step_by(8)) {
        shifted[entry + 4..entry + 8].clone_from_slice(&good[next + 4..next + 8]);
    }
    for bytes in [middle, shifted] {
        std::fs::write(&path, bytes).unwrap();
        let reader = log.reader();
        for from in (0..100).step_by(9) {
            let read = reader.read(Offset(from), log.end(), 1 << 20, true).unwrap();
            let fetched = reader.fetch(Offset(from), log.end(), 1 << 20, true, true).unwrap();
            assert_eq!(read.next, fetched.next);
            assert_eq!(read.records.into_bytes().unwrap(), fetched.records.into_bytes().unwrap());
        }
    }
}

#[test]
fn an_answer_that_would_keep_too_many_files_open_is_read_at_once() {
    let (bench, log) = large_batches();
    let is_promised = || {
        let fetched = log.reader().fetch(Offset(0), log.end(), 1 << 20, true, true).unwrap();
        fetched.records.into_iter().any(|slice| matches!(slice, Slice::Stored(_)))
    };
    let handles = &bench.context.handles;
    let open = || storage::Disk.open(&bench.file("00000000000000000000.log"), Access::Existing).unwrap();
    let others: Vec<_> = std::iter::repeat_with(open).take_while(|file| handles.lend(file)).collect();
    assert_eq!(others.len(), ContextOptions::default().handles_max / 2);
    assert!(!is_promised());
    handles.give_back(&others[0]);
    for _ in 0..10 {
        assert!(is_promised(), "a range that was sent keeps nothing");
    }
}

#[test]
fn what_an_answer_will_send_stays_when_its_segment_goes() {
    let (bench, mut log) = large_batches();
    let reader = log.reader();
    let fetched = reader.fetch(Offset(0), log.end(), 1 << 20, true, true).unwrap();
    let read = reader.read(Offset(0), log.end(), 1 << 20, true).unwrap();
    log.advance_start(log.end()).unwrap();
    log.drop_below_start(now());
    bench.context.run_deletions(now().after_ms(100_000));
    reader.forget_files();
    assert!(!bench.file("00000000000000000000.log").exists());
    assert_eq!(read.records.into_bytes().unwrap(), fetched.records.into_bytes().unwrap());
}

/// Batches from a few bytes to more than a buffer, appended while the log rolls and loses its beginning.
#[test]
fn readers_get_every_record_whole_while_the_log_grows_rolls_and_loses_its_beginning() {
    const BATCHES: i64 = 300;
    let config = LogConfig { segment_bytes: 2_000_000, index_interval_bytes: 4096, ..LogConfig::default() };
    let bench = Bench::new(config);
    let (mut log, _) = bench.open();
    let value = |n: i64| vec![n as u8; usize::try_from(n * 7919 % 300_000).unwrap()];
    let sized = |n: i64| {
        let mut builder = BatchBuilder::new(T0);
        builder.push(None, Some(&value(n)), T0);
        builder.build(0)
    };
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for reader in 0..3_usize {
            let (shared, done, value) = (log.reader(), &done, &value);
            scope.spawn(move || {
                // What was read stays with its reader while others read.
                let mut held = Vec::new();
                let mut next = Offset(0);
                while !(done.load(Ordering::Acquire) && next == shared.end()) {
                    let found = match shared.fetch(next, shared.end(), 200_000 << reader, true, false) {
                        Err(ReadError::WouldBlock) => shared.read(next, shared.end(), 1, true),
                        other => other,
                    };
                    match found {
                        Ok(read) => {
                            let at = std::mem::replace(&mut next, read.next);
                            held.push((at, next, read.records));
                        }
                        Err(ReadError::OffsetOutOfRange { start, .. }) => next = next.max(start),
                        Err(error) => panic!("{error}"),
                    }
                    if held.len() > 5 || next == shared.end() {
                        for (at, end, records) in held.drain(..) {
                            let found = batches(records);
                            assert!(found.iter().map(|batch| batch.header.base_offset).eq(at.0..end.0));
                            for batch in found {
                                let record = batch.records().unwrap().next().unwrap().unwrap();
                                assert_eq!(record.value.unwrap(), value(batch.header.base_offset));
                            }
                        }
                    }
                }
            });
        }
        for n in 0..BATCHES {
            append(&mut log, &sized(n));
            if n % 25 == 24 {
                log.advance_start(Offset(n - 20)).unwrap();
                log.drop_below_start(now());
            }
            if n % 50 == 49 {
                bench.context.trim_buffers();
            }
        }
        done.store(true, Ordering::Release);
    });
    assert!(log.reader().segments.load().first().unwrap().base > 0);
}
