//! Tests of appending and rolling.

use super::*;
use crate::limits::PRODUCERS_PER_PARTITION_KEPT;

#[test]
fn a_log_makes_its_directory_with_the_first_append() {
    let bench = Bench::new(LogConfig::default());
    let (mut log, recovery) = bench.open();
    assert_eq!(recovery, Recovery::default());
    assert!(!bench.dir().exists());
    fill(&mut log, 1);
    let expected = [
        "00000000000000000000.index",
        "00000000000000000000.log",
        "00000000000000000000.timeindex",
        "leader-epoch-checkpoint",
        "partition.metadata",
    ];
    assert_eq!(bench.names(), expected);
    let metadata = std::fs::read_to_string(bench.file("partition.metadata")).unwrap();
    assert_eq!(metadata, "version: 0\ntopic_id: B6G_RwcNSD6o6trLeAETPg");
    assert_eq!(std::fs::read_to_string(bench.file("leader-epoch-checkpoint")).unwrap(), "0\n1\n0 0\n");
}

#[test]
fn a_batch_is_stored_with_its_offset_and_leader_epoch_and_is_else_unchanged() {
    let bench = Bench::new(LogConfig::default());
    let (mut log, _) = bench.open();
    fill(&mut log, 1);
    let sent = batch(7, 3);
    let appended = log.append(&sent, LeaderEpoch(5), now()).unwrap();
    assert_eq!((appended.base_offset, appended.last_offset), (Offset(2), Offset(4)));
    assert_eq!((appended.log_append_time_ms, appended.duplicate), (-1, false));
    let stored = batches(log.reader().read(Offset(2), Offset(5), 1000, true).unwrap().records).remove(0);
    assert_eq!((stored.header.base_offset, stored.header.partition_leader_epoch), (2, 5));
    assert_eq!(stored.bytes[16..], sent.bytes[16..]);
    assert_eq!(log.latest_epoch(), Some(LeaderEpoch(5)));
    assert_eq!(log.end_offset_for_epoch(LeaderEpoch(0)), (LeaderEpoch(0), Offset(2)));
}

#[test]
fn a_batch_that_does_not_fit_starts_a_new_segment_with_a_snapshot() {
    let bench = Bench::new(small());
    let (mut log, _) = bench.open();
    fill(&mut log, 30);
    bench.context.wait_for_flusher();
    let names = bench.names();
    let logs: Vec<i64> =
        names.iter().filter_map(|n| n.strip_suffix(".log")).map(|n| n.parse().unwrap()).collect();
    assert!(logs.len() > 2, "{names:?}");
    for pair in logs.windows(2) {
        let size = std::fs::metadata(bench.file(&format!("{:020}.log", pair[0]))).unwrap().len();
        assert!((800..=1000).contains(&size), "{size}");
        assert!(bench.file(&format!("{:020}.snapshot", pair[1])).exists());
    }
    assert_eq!(log.recovery_point(), Offset(*logs.last().unwrap()), "closed segments are synced");
    assert_filled(&log.reader(), 0);
}

#[test]
fn a_segment_rolls_by_the_time_between_its_records() {
    let config = LogConfig { segment_ms: 1000, ..LogConfig::default() };
    let bench = Bench::new(config);
    let (mut log, _) = bench.open();
    append(&mut log, &batch(0, 1));
    append(&mut log, &batch(1000, 1));
    assert_eq!(log.reader.segments.load().len(), 1);
    append(&mut log, &batch(1001, 1));
    assert_eq!(log.reader.segments.load().len(), 2);
    let (mut log, _) = bench.reopen(log);
    append(&mut log, &batch(2002, 1));
    assert_eq!(log.reader.segments.load().len(), 3, "the first timestamp is read back after a restart");
}

#[test]
fn a_full_index_rolls_the_segment() {
    let config = LogConfig { index_interval_bytes: 0, segment_index_bytes: 24, ..LogConfig::default() };
    let bench = Bench::new(config);
    let (mut log, _) = bench.open();
    fill(&mut log, 2);
    assert_eq!(log.reader.segments.load().len(), 1);
    fill(&mut log, 1);
    assert_eq!(
        log.reader.segments.load().len(),
        2,
        "two places in the time index, one of them kept for the roll"
    );
}

#[test]
fn duplicates_get_their_first_offset_and_timestamp_and_nothing_is_written() {
    let bench = Bench::new(LogConfig::default());
    let (mut log, _) = bench.open();
    fill(&mut log, 1);
    append(&mut log, &idempotent(7, 0, 0, 10));
    append(&mut log, &idempotent(7, 0, 10, 5));
    let size = log.size_bytes();
    let again = append(&mut log, &idempotent(7, 0, 0, 10));
    assert!(again.duplicate);
    assert_eq!((again.base_offset, again.last_offset), (Offset(2), Offset(11)));
    assert_eq!(again.log_append_time_ms, T0 + 9);
    assert_eq!((log.end(), log.size_bytes()), (Offset(17), size));
    let gap = log.append(&idempotent(7, 0, 20, 1), LeaderEpoch(0), now()).unwrap_err();
    assert_eq!(gap.code().code(), 45);
}

#[test]
fn an_open_transaction_keeps_the_last_stable_offset_and_an_abort_is_indexed() {
    let bench = Bench::new(LogConfig::default());
    let (mut log, _) = bench.open();
    append(&mut log, &transactional(7, 0, 5));
    append(&mut log, &transactional(8, 0, 5));
    fill(&mut log, 1);
    let reader = log.reader();
    assert_eq!((log.last_stable(Offset(12)), reader.last_stable(Offset(12))), (Offset(0), Offset(0)));
    log.append_as(&marker(7, 0, false), LeaderEpoch(0), AppendOrigin::Coordinator, now()).unwrap();
    assert_eq!(reader.last_stable(Offset(13)), Offset(5));
    log.append_as(&marker(8, 0, false), LeaderEpoch(0), AppendOrigin::Coordinator, now()).unwrap();
    assert_eq!(reader.last_stable(Offset(14)), Offset(14));
    assert!(!bench.file("00000000000000000000.txnindex").exists());

    append(&mut log, &transactional(7, 5, 3));
    log.append_as(&marker(7, 0, true), LeaderEpoch(0), AppendOrigin::Coordinator, now()).unwrap();
    let aborted = AbortedTxn { producer_id: 7, first_offset: 14, last_offset: 17, last_stable_offset: 18 };
    assert_eq!(reader.aborted_transactions(Offset(17), Offset(18)).unwrap(), [aborted]);
    assert_eq!(reader.aborted_transactions(Offset(0), Offset(14)).unwrap(), []);
    let bytes = std::fs::read(bench.file("00000000000000000000.txnindex")).unwrap();
    assert_eq!(bytes, aborted.encode());
}

#[test]
fn an_epoch_may_begin_before_its_first_record() {
    let bench = Bench::new(LogConfig::default());
    let (mut log, _) = bench.open();
    fill(&mut log, 1);
    log.begin_epoch(LeaderEpoch(3));
    log.begin_epoch(LeaderEpoch(2));
    assert_eq!(log.latest_epoch(), Some(LeaderEpoch(3)));
    assert_eq!(log.end_offset_for_epoch(LeaderEpoch(0)), (LeaderEpoch(0), Offset(2)));
    log.append(&batch(2, 1), LeaderEpoch(3), now()).unwrap();
    assert_eq!(std::fs::read_to_string(bench.file("leader-epoch-checkpoint")).unwrap(), "0\n2\n0 0\n3 2\n");
}

#[test]
fn with_flush_messages_1_the_synced_end_follows_the_appends() {
    struct Notes(std::sync::mpsc::Sender<Offset>);
    impl SyncListener for Notes {
        fn synced(&self, upto: Offset) {
            self.0.send(upto).unwrap();
        }
        fn failed(&self) {}
    }
    let bench = Bench::new(LogConfig { flush_messages: 1, ..small() });
    let (mut log, _) = bench.open();
    let (send, receive) = std::sync::mpsc::channel();
    log.reader().set_sync_listener(Arc::new(Notes(send)));
    fill(&mut log, 50);
    while receive.recv().unwrap() != Offset(100) {}
    assert_eq!(log.reader().synced(), Offset(100));
    bench.context.wait_for_flusher();
    assert!(log.reader.pinned.lock().unwrap().is_empty(), "no handle is kept once all is synced");
}

#[test]
fn many_small_appends_keep_three_files_open() {
    let bench = Bench::new(LogConfig { index_interval_bytes: 100, ..LogConfig::default() });
    let (mut log, _) = bench.open();
    fill(&mut log, 500);
    assert_eq!(bench.context.open_files(), 3);
    log.close().unwrap();
    assert_eq!(bench.context.open_files(), 0);
}

#[test]
fn an_idle_log_costs_less_than_two_kibibytes() {
    let bench = Bench::new(LogConfig::default());
    let (mut log, _) = bench.open();
    fill(&mut log, 100);
    let path_bytes = log.reader.dir.as_os_str().len() + log.reader.partition.topic.len();
    // Each shared allocation has two counters; settings and context are shared between logs.
    let shared = 4 * 2 * size_of::<usize>() + size_of::<LogReader>() + size_of::<epochs::EpochCache>();
    let segment = size_of::<segment::Segment>() + size_of::<Arc<segment::Segment>>();
    let own = size_of::<Log>() + path_bytes + size_of::<Vec<i64>>() + segment;
    let waiting = 32 * (index::OFFSET_ENTRY_BYTES + index::TIME_ENTRY_BYTES + 4);
    assert!(shared + own + waiting <= 2048, "{shared} {own} {waiting}");
}

#[test]
fn when_all_logs_remember_too_many_producers_a_new_one_takes_the_place_of_the_oldest_of_its_log() {
    const MAX: usize = 200;
    let kept = PRODUCERS_PER_PARTITION_KEPT as i64;
    let options = ContextOptions { producers_max: MAX, ..ContextOptions::default() };
    let context = LogContext::new(options).unwrap();
    let bench = || Bench { context: Arc::clone(&context), ..Bench::new(LogConfig::default()) };
    let (large_bench, small_bench) = (bench(), bench());
    let put = |log: &mut Log, ids: std::ops::Range<i64>| {
        for id in ids {
            append(log, &idempotent(id, 0, 0, 1));
        }
    };
    let knows = |log: &Log, ids: std::ops::Range<i64>| {
        ids.into_iter().all(|id| log.producers().producers().contains_key(&id))
    };
    let mut large = large_bench.open().0;
    put(&mut large, 0..450);
    let count = large.producers().producers().len();
    assert!((MAX - MAX / 10..=MAX).contains(&count), "{count}");
    assert!(knows(&large, 450 - kept..450));
    let end = 450 + (MAX - count) as i64;
    put(&mut large, 450..end);
    // Whoever writes to few partitions does not feel that somebody fills others.
    let mut small = small_bench.open().0;
    put(&mut small, 0..kept);
    assert!(knows(&small, 0..kept));
    put(&mut small, kept..kept + 20);
    assert_eq!((small.producers().producers().len(), context.producers.room()), (kept as usize, 0));
    assert!(knows(&small, 20..kept + 20));
    // What one forgets, or takes with it, is room for the others, and a log that is opened takes no more than there is.
    large.close().unwrap();
    let room = context.producers.room();
    assert_eq!(room, MAX - kept as usize);
    put(&mut small, 100..130);
    assert_eq!(small.producers().producers().len(), kept as usize + 30);
    let large = large_bench.open_with(|spec| spec.clean = true).0;
    assert_eq!((large.producers().producers().len(), context.producers.room()), (room - 30, 0));
    assert!(knows(&large, end - (room - 30) as i64..end));
    small.close().unwrap();
    drop(large);
    assert_eq!(context.producers.room(), MAX);
}
