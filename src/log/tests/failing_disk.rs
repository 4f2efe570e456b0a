//! Tests with a disk that fails: writes cut short, a full disk, failed fsync, failed renames.

use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};

use super::storage::Access;
use super::watched::{Call, Go, Watched, Watcher};
use super::*;

/// What the disk does wrong; shared by all its files.
#[derive(Debug, Default)]
struct Faults {
    /// Bytes that can still be written; negative means any number.
    room: AtomicI64,
    sync_fails: AtomicBool,
    set_len_fails: AtomicBool,
    create_fails: AtomicBool,
    reads_fail: AtomicBool,
    reads: AtomicUsize,
    /// The file that cannot be renamed, and whether that is for want of room.
    stuck: Mutex<String>,
    full: AtomicBool,
    /// Names of the files that were synced.
    synced: Mutex<Vec<String>>,
}

fn no_space() -> io::Error {
    io::Error::from(io::ErrorKind::StorageFull)
}

fn broken() -> io::Error {
    io::Error::other("input/output error")
}

impl Faults {
    fn write(&self, bytes: usize) -> io::Result<Go> {
        let Ok(room) = usize::try_from(self.room.load(Ordering::SeqCst)) else { return Ok(Go::On) };
        let len = bytes.min(room);
        if len == 0 {
            return Err(no_space());
        }
        self.room.fetch_sub(i64::try_from(len).unwrap(), Ordering::SeqCst);
        Ok(Go::Part(len))
    }

    fn read(&self) -> io::Result<Go> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        if self.reads_fail.load(Ordering::SeqCst) { Err(broken()) } else { Ok(Go::On) }
    }

    fn sync(&self, name: &str) -> Go {
        self.synced.lock().unwrap().push(name.to_string());
        Go::On
    }
}

impl Watcher for Faults {
    fn before(&self, call: Call<'_>, path: &Path) -> io::Result<Go> {
        let name = path.file_name().unwrap_or_default().to_str().unwrap();
        match call {
            Call::Read => self.read(),
            Call::Write(bytes) => self.write(bytes),
            Call::Sync if self.sync_fails.load(Ordering::SeqCst) => Err(broken()),
            Call::Sync | Call::SyncDir => Ok(self.sync(name)),
            Call::SetLen(_) if self.set_len_fails.load(Ordering::SeqCst) => Err(broken()),
            Call::Open(Access::Create | Access::Truncate) if self.create_fails.load(Ordering::SeqCst) => {
                Err(no_space())
            }
            Call::Rename(_) if name == self.stuck.lock().unwrap().as_str() => {
                Err(if self.full.load(Ordering::SeqCst) { no_space() } else { broken() })
            }
            _ => Ok(Go::On),
        }
    }
}

fn bench(config: LogConfig) -> (Bench, Arc<Faults>) {
    let faults = Arc::new(Faults { room: AtomicI64::new(-1), ..Faults::default() });
    (Bench::with_storage(config, Watched::disk(Arc::clone(&faults))), faults)
}

#[test]
fn a_write_that_fails_after_any_number_of_bytes_is_undone_and_the_next_one_succeeds() {
    let (bench, faults) = bench(LogConfig::default());
    let (mut log, _) = bench.open();
    fill(&mut log, 3);
    let size = log.size_bytes();
    let bytes = i64::try_from(batch(6, 2).bytes.len()).unwrap();
    for room in 0..bytes {
        faults.room.store(room, Ordering::SeqCst);
        let error = log.append(&idempotent(7, 0, 0, 2), LeaderEpoch(0), now()).unwrap_err();
        assert!(matches!(error, AppendError::Storage(_)), "{error}");
        assert_eq!(error.code().code(), 56);
        let on_disk = std::fs::metadata(bench.file("00000000000000000000.log")).unwrap().len();
        assert_eq!((log.end(), log.size_bytes(), on_disk), (Offset(6), size, size));
    }
    faults.room.store(-1, Ordering::SeqCst);
    assert!(log.producers().is_empty(), "a refused batch leaves no trace");
    fill(&mut log, 3);
    assert_filled(&log.reader(), 0);
    drop(log);
    let (log, recovery) = bench.open();
    assert_eq!((log.end(), recovery.cut_bytes), (Offset(12), 0));
}

fn segment_bases(log: &Log) -> Vec<i64> {
    log.reader.segments.load().iter().map(|segment| segment.base).collect()
}

#[test]
fn a_segment_that_cannot_be_removed_keeps_those_behind_it_so_that_a_crash_finds_no_gap() {
    let (bench, faults) = bench(LogConfig { retention_bytes: 2000, ..small() });
    let (mut log, _) = bench.open();
    fill(&mut log, 100);
    bench.context.wait_for_flusher();
    let bases = segment_bases(&log);
    *faults.stuck.lock().unwrap() = "00000000000000000000.log".into();
    let _ = retain_all(&mut log);
    let (start, end) = (log.start(), log.end());
    assert!(start > Offset(0));
    drop(log);
    // No checkpoint was written since.
    let (mut log, recovery) = bench.open();
    assert_eq!((recovery.cut_bytes, recovery.removed_segments, log.end()), (0, 0, end));
    assert_filled(&log.reader(), start.0);
    assert_eq!(segment_bases(&log), bases);
    faults.stuck.lock().unwrap().clear();
    retain(&mut log, end, now()).unwrap();
    assert_eq!((log.start(), segment_bases(&log)[0]), (start, start.0));
}

#[test]
fn what_a_full_disk_has_no_room_to_rename_is_removed_at_once() {
    let (bench, faults) = bench(LogConfig { retention_bytes: 2000, ..small() });
    let (mut log, _) = bench.open();
    fill(&mut log, 100);
    faults.full.store(true, Ordering::SeqCst);
    *faults.stuck.lock().unwrap() = "00000000000000000000.log".into();
    retain_all(&mut log).unwrap();
    assert!(!bench.file("00000000000000000000.log").exists());
    assert_eq!(segment_bases(&log)[0], log.start().0);
    assert_filled(&log.reader(), log.start().0);
    *faults.stuck.lock().unwrap() = "t-0".into();
    log.delete(now()).unwrap();
    assert!(!bench.dir().exists());
}

#[test]
fn what_could_not_be_removed_by_one_retention_is_removed_by_the_next() {
    let (bench, faults) = bench(LogConfig { retention_bytes: 2000, ..small() });
    let (mut log, _) = bench.open();
    fill(&mut log, 100);
    *faults.stuck.lock().unwrap() = "00000000000000000000.log".into();
    let _ = retain_all(&mut log);
    let start = log.start();
    assert!(log.reader().read(Offset(0), log.end(), 100, true).is_err(), "it is deleted for readers");
    faults.stuck.lock().unwrap().clear();
    retain_all(&mut log).unwrap();
    assert_eq!((log.start(), segment_bases(&log)[0]), (start, start.0));
    assert!(!bench.file("00000000000000000000.log").exists());
}

#[test]
fn a_log_is_not_opened_where_what_follows_a_cut_cannot_be_removed() {
    let (bench, faults) = bench(small());
    let (mut log, _) = bench.open();
    fill(&mut log, 60);
    bench.context.wait_for_flusher();
    let bases = segment_bases(&log);
    drop(log);
    let path = bench.file(&format!("{:020}.log", bases[0]));
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    *faults.stuck.lock().unwrap() = format!("{:020}.log", bases[1]);
    if let Ok((mut log, _)) = Log::open(bench.spec.clone(), &bench.context, now()) {
        // What stayed there would hide what is appended now.
        fill(&mut log, 30);
        faults.stuck.lock().unwrap().clear();
        let (log, _) = bench.reopen(log);
        assert_filled(&log.reader(), 0);
        panic!("it was opened");
    }
    faults.stuck.lock().unwrap().clear();
    let (mut log, recovery) = bench.open();
    assert_eq!(recovery.removed_segments, 1, "the others went from the end on");
    fill(&mut log, 60);
    let (log, _) = bench.reopen(log);
    assert_filled(&log.reader(), 0);
}

#[test]
fn a_write_that_cannot_be_undone_poisons_the_log() {
    let (bench, faults) = bench(LogConfig::default());
    let (mut log, _) = bench.open();
    fill(&mut log, 3);
    faults.room.store(30, Ordering::SeqCst);
    faults.set_len_fails.store(true, Ordering::SeqCst);
    assert!(log.append(&batch(6, 2), LeaderEpoch(0), now()).is_err());
    faults.room.store(-1, Ordering::SeqCst);
    faults.set_len_fails.store(false, Ordering::SeqCst);
    let error = log.append(&batch(6, 2), LeaderEpoch(0), now()).unwrap_err();
    assert!(matches!(error, AppendError::Poisoned));
    assert_filled(&log.reader(), 0);
    drop(log);
    let (log, recovery) = bench.open();
    assert_eq!((log.end(), recovery.cut_bytes), (Offset(6), 30));
}

#[test]
fn a_roll_that_fails_leaves_the_old_segment_and_succeeds_later() {
    let (bench, faults) = bench(small());
    let (mut log, _) = bench.open();
    fill(&mut log, 9);
    faults.create_fails.store(true, Ordering::SeqCst);
    while log.append(&batch(log.end().0, 2), LeaderEpoch(0), now()).is_ok() {}
    assert!(log.append(&batch(log.end().0, 2), LeaderEpoch(0), now()).is_err());
    assert_eq!(log.reader.segments.load().len(), 1);
    faults.create_fails.store(false, Ordering::SeqCst);
    fill(&mut log, 10);
    assert_eq!(log.reader.segments.load().len(), 2);
    let (log, _) = bench.reopen(log);
    assert_filled(&log.reader(), 0);
}

#[test]
fn a_new_partition_on_a_full_disk_is_refused_and_works_once_there_is_room() {
    let (bench, faults) = bench(small());
    let (mut log, _) = bench.open();
    for room in [0, 5, 43, 50] {
        faults.room.store(room, Ordering::SeqCst);
        let error = log.append(&batch(0, 2), LeaderEpoch(0), now()).unwrap_err();
        assert_eq!(error.code().code(), 56);
        assert_eq!(log.end(), Offset(0));
    }
    faults.room.store(-1, Ordering::SeqCst);
    fill(&mut log, 20);
    let (log, _) = bench.reopen(log);
    assert_filled(&log.reader(), 0);
}

#[test]
fn index_entries_that_cannot_be_written_wait_and_cost_no_append() {
    let (bench, faults) = bench(LogConfig { index_interval_bytes: 0, ..LogConfig::default() });
    let (mut log, _) = bench.open();
    fill(&mut log, 25);
    let batch_bytes = i64::try_from(batch(50, 2).bytes.len()).unwrap();
    // Room for the batches of the next appends, none for the entries that become due in between.
    for _ in 0..10 {
        faults.room.store(batch_bytes, Ordering::SeqCst);
        fill(&mut log, 1);
    }
    assert_eq!(std::fs::metadata(bench.file("00000000000000000000.index")).unwrap().len() / 8, 0);
    for from in (0..70).rev() {
        let read = log.reader().read(Offset(from), Offset(70), 1, true).unwrap();
        assert_eq!(batches(read.records)[0].header.base_offset, from / 2 * 2);
    }
    faults.room.store(-1, Ordering::SeqCst);
    let (log, recovery) = bench.reopen(log);
    assert_eq!(recovery, Recovery::default());
    assert_eq!(std::fs::metadata(bench.file("00000000000000000000.index")).unwrap().len() / 8, 34);
    assert_filled(&log.reader(), 0);
}

#[test]
fn an_abort_whose_index_entry_cannot_be_written_is_undone() {
    let (bench, faults) = bench(LogConfig::default());
    let (mut log, _) = bench.open();
    append(&mut log, &transactional(7, 0, 5));
    let abort = marker(7, 0, true);
    faults.room.store(i64::try_from(abort.bytes.len()).unwrap() + 10, Ordering::SeqCst);
    let append = |log: &mut Log| log.append_as(&abort, LeaderEpoch(0), AppendOrigin::Coordinator, now());
    assert!(append(&mut log).is_err());
    assert_eq!((log.end(), log.last_stable(Offset(5))), (Offset(5), Offset(0)));
    faults.room.store(-1, Ordering::SeqCst);
    append(&mut log).unwrap();
    assert_eq!(log.reader().aborted_transactions(Offset(0), Offset(6)).unwrap().len(), 1);
    assert_eq!(log.last_stable(Offset(6)), Offset(6));
}

#[test]
fn a_failed_fsync_of_an_acknowledged_append_is_sticky() {
    #[derive(Default)]
    struct Failed(AtomicBool);
    impl SyncListener for Failed {
        fn synced(&self, _: Offset) {}
        fn failed(&self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let (bench, faults) = bench(LogConfig { flush_messages: 1, ..LogConfig::default() });
    let (mut log, _) = bench.open();
    let failed = Arc::new(Failed::default());
    let listener: Arc<dyn SyncListener> = failed.clone();
    log.reader().set_sync_listener(listener);
    fill(&mut log, 1);
    bench.context.wait_for_flusher();
    assert_eq!(log.reader().synced(), Offset(2));
    faults.sync_fails.store(true, Ordering::SeqCst);
    fill(&mut log, 1);
    bench.context.wait_for_flusher();
    assert!(failed.0.load(Ordering::SeqCst) && log.reader().is_poisoned());
    assert_eq!(log.reader().synced(), Offset(2), "what was not synced is not called so");
    faults.sync_fails.store(false, Ordering::SeqCst);
    let error = log.append(&batch(4, 2), LeaderEpoch(0), now()).unwrap_err();
    assert!(matches!(error, AppendError::Poisoned), "the next fsync would succeed without the lost bytes");
    assert!(matches!(log.flush(), Err(LogError::Poisoned)));
}

#[test]
fn a_failed_fsync_of_a_closed_segment_is_sticky_and_the_recovery_point_stays() {
    let (bench, faults) = bench(small());
    let (mut log, _) = bench.open();
    faults.sync_fails.store(true, Ordering::SeqCst);
    while log.reader.segments.load().len() < 2 {
        fill(&mut log, 1);
    }
    bench.context.wait_for_flusher();
    assert_eq!(log.recovery_point(), Offset(0));
    assert!(log.append(&batch(0, 2), LeaderEpoch(0), now()).is_err());
}

#[test]
fn the_first_durable_append_syncs_file_directory_and_parent_and_the_next_only_the_file() {
    let (bench, faults) = bench(LogConfig { flush_messages: 1, ..LogConfig::default() });
    let (mut log, _) = bench.open();
    let synced = || std::mem::take(&mut *faults.synced.lock().unwrap());
    fill(&mut log, 1);
    bench.context.wait_for_flusher();
    let first = synced();
    let parent = bench.dir().parent().unwrap().file_name().unwrap().to_str().unwrap().to_string();
    for name in
        ["00000000000000000000.log", "partition.metadata.tmp", "leader-epoch-checkpoint.tmp", "t-0", &parent]
    {
        assert!(first.iter().any(|synced| synced == name), "{name} of {first:?}");
    }
    fill(&mut log, 1);
    bench.context.wait_for_flusher();
    assert_eq!(synced(), ["00000000000000000000.log"]);
}

#[test]
fn by_default_no_append_waits_for_the_disk() {
    let (bench, faults) = bench(LogConfig::default());
    let (mut log, _) = bench.open();
    fill(&mut log, 100);
    bench.context.wait_for_flusher();
    assert_eq!(*faults.synced.lock().unwrap(), Vec::<String>::new());
}

#[test]
fn a_roll_syncs_the_closed_segment_with_all_that_belongs_to_it() {
    for flush_messages in [1, i64::MAX] {
        let (bench, faults) = bench(LogConfig { flush_messages, ..small() });
        let (mut log, _) = bench.open();
        append(&mut log, &transactional(8, 0, 2));
        log.append_as(&marker(8, 0, true), LeaderEpoch(0), AppendOrigin::Coordinator, now()).unwrap();
        bench.context.wait_for_flusher();
        faults.synced.lock().unwrap().clear();
        while log.reader.segments.load().len() < 2 {
            fill(&mut log, 1);
        }
        bench.context.wait_for_flusher();
        let synced = faults.synced.lock().unwrap().clone();
        let second = log.reader.segments.load()[1].base;
        let mut expected =
            vec!["t-0".to_string(), "leader-epoch-checkpoint".into(), format!("{second:020}.snapshot")];
        for kind in ["log", "index", "timeindex", "txnindex"] {
            expected.push(format!("{:020}.{kind}", 0));
        }
        for name in expected {
            assert!(synced.contains(&name), "{name} of {synced:?}");
        }
        assert_eq!(log.recovery_point(), Offset(second));
    }
}

#[test]
fn a_clean_stop_syncs_what_was_written_and_nothing_when_nothing_was() {
    let (bench, faults) = bench(LogConfig::default());
    let (mut log, _) = bench.open();
    fill(&mut log, 3);
    let (log, _) = bench.reopen(log);
    let synced = std::mem::take(&mut *faults.synced.lock().unwrap());
    for name in ["00000000000000000000.log", "00000000000000000006.snapshot", "t-0"] {
        assert!(synced.iter().any(|synced| synced == name), "{name} of {synced:?}");
    }
    drop(bench.reopen(log));
    assert_eq!(*faults.synced.lock().unwrap(), Vec::<String>::new());
}

#[test]
fn a_sync_is_asked_for_after_so_many_records() {
    let (bench, faults) = bench(LogConfig { flush_messages: 10, ..LogConfig::default() });
    let (mut log, _) = bench.open();
    fill(&mut log, 4);
    bench.context.wait_for_flusher();
    assert_eq!(log.reader().synced(), Offset(0));
    fill(&mut log, 1);
    bench.context.wait_for_flusher();
    assert_eq!(log.reader().synced(), Offset(10));
    assert!(faults.synced.lock().unwrap().iter().any(|name| name == "00000000000000000000.log"));
}

#[test]
fn the_first_sync_of_a_new_partition_brings_its_topic_id_to_stable_storage() {
    // Without it a start after a loss of power sets the directory aside, with all that was synced.
    for config in [
        LogConfig { flush_messages: 10, ..LogConfig::default() },
        LogConfig { flush_ms: 10, ..LogConfig::default() },
        LogConfig::default(),
    ] {
        let (bench, faults) = bench(config.clone());
        let (mut log, _) = bench.open();
        fill(&mut log, 4);
        let is_default = config.flush_messages == i64::MAX && config.flush_ms == i64::MAX;
        if is_default {
            log.set_config(Arc::new(LogConfig { flush_messages: 1, ..config }));
        }
        fill(&mut log, 1);
        bench.context.run_flushes(now().after_ms(10));
        bench.context.wait_for_flusher();
        assert_eq!(log.reader().synced(), log.end());
        let synced = std::mem::take(&mut *faults.synced.lock().unwrap());
        assert!(synced.iter().any(|name| name == "partition.metadata"), "{synced:?}");
        fill(&mut log, 5);
        bench.context.run_flushes(now().after_ms(20));
        bench.context.wait_for_flusher();
        let synced = faults.synced.lock().unwrap();
        assert!(synced.iter().all(|name| name == "00000000000000000000.log"), "{synced:?}");
    }
}

#[test]
fn a_log_that_is_given_up_is_counted_among_those_that_take_no_appends_until_it_is_gone() {
    let (bench, _) = bench(LogConfig::default());
    let (mut log, _) = bench.open();
    fill(&mut log, 1);
    let counters = Arc::clone(&bench.context.counters);
    log.abandon();
    assert_eq!(counters.poisoned_logs.get(), 1);
    drop(log);
    assert_eq!(counters.poisoned_logs.get(), 0);
}

#[test]
fn a_sync_that_finds_its_partition_deleted_is_no_failure() {
    let (bench, faults) = bench(LogConfig { flush_messages: 1, ..LogConfig::default() });
    let (mut log, _) = bench.open();
    let reader = log.reader();
    fill(&mut log, 1);
    log.delete(now()).unwrap();
    faults.sync_fails.store(true, Ordering::SeqCst);
    reader.entries.note();
    reader.request_sync(0);
    bench.context.wait_for_flusher();
    assert!(!reader.is_poisoned());
}

#[test]
fn a_flush_that_is_due_syncs_the_files_that_nobody_held_open() {
    let (bench, faults) = bench(LogConfig { flush_ms: 10, ..LogConfig::default() });
    let (mut log, _) = bench.open();
    fill(&mut log, 1);
    assert_eq!(faults.synced.lock().unwrap().len(), 0);
    bench.context.run_flushes(now().after_ms(10));
    bench.context.wait_for_flusher();
    let synced = faults.synced.lock().unwrap().clone();
    assert!(synced.contains(&"00000000000000000000.log".to_string()), "{synced:?}");
    assert!(synced.contains(&"t-0".to_string()), "its directory entry, too: {synced:?}");
}

#[test]
fn a_flush_whose_file_cannot_be_opened_is_tried_again() {
    let (bench, _) = bench(LogConfig { flush_ms: 10, ..LogConfig::default() });
    let (mut log, _) = bench.open();
    fill(&mut log, 1);
    // A directory in its place cannot be opened for writing.
    let (file, aside) = (bench.file("00000000000000000000.log"), bench.file("aside"));
    log.reader.forget_files();
    std::fs::rename(&file, &aside).unwrap();
    std::fs::create_dir(&file).unwrap();
    bench.context.run_flushes(now().after_ms(10));
    bench.context.wait_for_flusher();
    assert_eq!((log.reader().synced(), log.reader().is_poisoned()), (Offset(0), false));
    std::fs::remove_dir(&file).unwrap();
    std::fs::rename(&aside, &file).unwrap();
    assert_eq!(bench.context.next_flush_mono_ms(), Some(1010));
    bench.context.run_flushes(now().after_ms(1010));
    bench.context.wait_for_flusher();
    assert_eq!(log.reader().synced(), log.end());
}

/// A log of a few megabytes, in batches larger than what lies between two entries of the index.
fn filled_with_large_batches(log: &mut Log) {
    for _ in 0..500 {
        let mut builder = BatchBuilder::new(T0);
        builder.push(None, Some(&[7; 5_000]), T0);
        append(log, &builder.build(0));
    }
}

fn fetch(reader: &LogReader) -> Result<ReadResult, ReadError> {
    reader.fetch(Offset(0), reader.end(), 1 << 20, true, true)
}

#[test]
fn what_could_not_be_read_when_it_was_sent_is_not_promised_again() {
    let (bench, faults) = bench(LogConfig::default());
    let (mut log, _) = bench.open();
    filled_with_large_batches(&mut log);
    let reader = log.reader();
    let promised = fetch(&reader).unwrap().records;
    faults.reads_fail.store(true, Ordering::SeqCst);
    assert!(promised.into_bytes().is_err());
    assert!(fetch(&reader).is_err(), "the partition's error, not the connection's");
    faults.reads_fail.store(false, Ordering::SeqCst);
    let read = fetch(&reader).unwrap().records;
    faults.reads_fail.store(true, Ordering::SeqCst);
    assert_eq!(read.len(), read.into_bytes().unwrap().len());
}

#[test]
fn what_an_answer_will_send_is_found_with_few_reads() {
    let (bench, faults) = bench(LogConfig::default());
    let (mut log, _) = bench.open();
    filled_with_large_batches(&mut log);
    let before = faults.reads.load(Ordering::SeqCst);
    let records = fetch(&log.reader()).unwrap().records;
    assert!(records.len() > 1_000_000);
    let reads = faults.reads.load(Ordering::SeqCst) - before;
    assert!(reads <= 10, "{reads}");
}

#[test]
fn every_directory_that_is_made_for_the_data_is_durable_when_it_is_open() {
    let faults = Arc::new(Faults { room: AtomicI64::new(-1), ..Faults::default() });
    let storage = Watched::disk(Arc::clone(&faults));
    let context = LogContext::new(ContextOptions { storage, ..ContextOptions::default() }).unwrap();
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("outer").join("data");
    let open = || LogDirectory::open(&path, None, crate::types::NodeId(1), &context, now()).unwrap();
    let name = home.path().file_name().unwrap().to_str().unwrap().to_string();
    let synced = || std::mem::take(&mut *faults.synced.lock().unwrap());
    drop(open());
    let first = synced();
    assert_eq!(first[..2], ["outer".to_string(), name]);
    assert_eq!(first[first.len() - 2..], ["meta.properties.tmp", "data"]);
    drop(open());
    assert_eq!(synced(), Vec::<String>::new());
    // As a start leaves it that was killed before it knew that its way is durable.
    std::fs::remove_file(path.join("meta.properties")).unwrap();
    drop(open());
    assert_eq!(synced(), first);
}
