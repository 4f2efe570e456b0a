//! Tests of what a partition answers once it was closed or deleted, and of what a stop leaves behind.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use super::partition::{Recovered, Shared};
use super::reading::{Isolation, ReadFailure, ReadLimits};
use super::registry::{Found, Registry};
use super::settings::TopicSettings;
use super::{Partition, validate};
use crate::config::Config;
use crate::log::cleaner::{CleanerOptions, Pace};
use crate::log::storage::{Disk, Storage};
use crate::log::watched::{Call, Go, Watched, Watcher};
use crate::log::{Checkpoint, ContextOptions, LogContext, LogDirectory, Next, TimedOffset};
use crate::types::{Clock, ErrorCode, LeaderEpoch, NodeId, Now, Offset, TopicId, TopicPartition};
use crate::wire::batch::BatchBuilder;

/// A clock that stands until it is moved.
#[derive(Default)]
struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Now {
        Now::default().after_ms(self.0.load(Ordering::Relaxed))
    }
}

/// A whole retention; how many segments went.
fn retain(partition: &Partition, now: Now) -> Result<usize, ErrorCode> {
    partition.expire(now)?;
    partition.drop_below_start(now)
}

fn registry(dir: &Path) -> Registry {
    registry_at(dir, Arc::default())
}

fn registry_at(dir: &Path, clock: Arc<Hands>) -> Registry {
    registry_with(dir, LogContext::new(ContextOptions::default()).unwrap(), clock)
}

fn registry_with(dir: &Path, context: Arc<LogContext>, clock: Arc<Hands>) -> Registry {
    let directory = LogDirectory::open(dir, None, NodeId(1), &context, Now::default()).unwrap();
    let shared = Shared { context, clock, producer_id_expiration_ms: AtomicI64::new(1000) };
    Registry::new(vec![Found::Online(directory)], Arc::new(shared))
}

fn files(registry: &Registry) -> &LogDirectory {
    registry.directories()[0].files().unwrap()
}

fn named() -> TopicPartition {
    TopicPartition::new("t", 0)
}

fn add(registry: &Registry, id: TopicId, existed: bool) -> Arc<Partition> {
    let config = Config::from_pairs([]).unwrap().topic_config(&std::collections::BTreeMap::new()).unwrap();
    registry.add(
        &registry.directories()[0],
        named(),
        id,
        TopicSettings::new(config, false),
        LeaderEpoch(0),
        existed,
    )
}

pub(super) fn append(partition: &Partition) -> Result<Offset, ErrorCode> {
    let mut builder = BatchBuilder::new(0);
    builder.push(None, Some(b"a"), 0);
    let batch = validate::validate(builder.build(0).bytes, &partition.settings().rules, 0).unwrap();
    partition.append(&batch, Now::default()).map(|done| done.base_offset).map_err(|refusal| refusal.error)
}

pub(super) fn read(partition: &Partition) -> Result<usize, ErrorCode> {
    let limits = ReadLimits {
        bytes_max: 1000,
        at_least_one_batch: true,
        isolation: Isolation::Uncommitted,
        may_block: true,
    };
    match partition.read(Offset::ZERO, limits) {
        Ok(read) => Ok(read.records.len()),
        Err(ReadFailure::Code(code)) => Err(code),
        Err(ReadFailure::WouldBlock) => panic!("it may block"),
    }
}

#[test]
fn the_size_of_a_log_is_known_without_opening_it() {
    let dir = tempfile::tempdir().unwrap();
    let registry = registry(dir.path());
    let partition = add(&registry, TopicId::random(), false);
    assert_eq!(partition.size_bytes(), Ok(0));
    append(&partition).unwrap();
    let size = partition.size_bytes().unwrap();
    assert_eq!(size, read(&partition).unwrap() as u64);
    let unopened = add(&registry, partition.topic_id, true);
    assert_eq!(unopened.size_bytes(), Ok(size));
    assert_ne!(unopened.recover(), Ok(Recovered::WasOpen), "asking did not open it");
    registry.remove([named()], Now::default());
    assert_eq!(unopened.size_bytes(), Err(ErrorCode::UnknownTopicOrPartition));
}

#[test]
fn a_deleted_partition_is_unknown_to_whoever_still_holds_it() {
    let dir = tempfile::tempdir().unwrap();
    let registry = registry(dir.path());
    let old = add(&registry, TopicId::random(), false);
    assert_eq!(append(&old), Ok(Offset(0)));
    registry.remove([named()], Now::default());
    let new = add(&registry, TopicId::random(), false);
    assert_eq!(append(&new), Ok(Offset(0)));
    assert_eq!(append(&old), Err(ErrorCode::UnknownTopicOrPartition));
    assert_eq!(read(&old), Err(ErrorCode::UnknownTopicOrPartition));
    assert_eq!(old.log_end(), Err(ErrorCode::UnknownTopicOrPartition));
    assert!(read(&new).unwrap() > 0);
}

#[test]
fn checkpoints_speak_of_a_deleted_partition_until_its_name_is_used_again_and_no_longer() {
    let dir = tempfile::tempdir().unwrap();
    let registry = registry(dir.path());
    let old = add(&registry, TopicId::random(), false);
    append(&old).unwrap();
    old.delete_records(None).unwrap();
    assert!(registry.write_checkpoint(Checkpoint::LogStart));
    let written = |registry: &Registry| files(registry).read_checkpoint(Checkpoint::LogStart).unwrap();
    registry.remove([named()], Now::default());
    assert_eq!(written(&registry), [(named(), Offset(1))].into(), "a deletion alone writes nothing");
    let other = TopicPartition::new("other", 0);
    registry.add(&registry.directories()[0], other, TopicId::random(), old.settings(), LeaderEpoch(0), false);
    assert_eq!(written(&registry).len(), 1, "another name neither");
    add(&registry, TopicId::random(), false);
    assert!(written(&registry).is_empty());
}

#[test]
fn retention_leaves_a_log_unopened_that_nobody_uses_and_looks_again_when_something_is_due() {
    const WEEK_MS: i64 = 7 * 24 * 60 * 60 * 1000;
    let dir = tempfile::tempdir().unwrap();
    let id = TopicId::random();
    let first = registry(dir.path());
    append(&add(&first, id, false)).unwrap();
    first.close(1, None).unwrap();
    drop(first);
    let registry = registry(dir.path());
    let partition = add(&registry, id, true);
    let is_open = |partition: &Partition| partition.recover() == Ok(Recovered::WasOpen);
    let now = Now::default();
    assert_eq!(retain(&partition, now), Ok(0));
    // Not looked at: it would fail.
    let (here, away) = (dir.path().join("t-0"), dir.path().join("away"));
    std::fs::rename(&here, &away).unwrap();
    std::fs::write(&here, "no directory").unwrap();
    assert_eq!(retain(&partition, now.after_ms(WEEK_MS - 1)), Ok(0));
    std::fs::remove_file(&here).unwrap();
    std::fs::rename(&away, &here).unwrap();
    // Nor after a change of settings, which may make something due, does it stay open.
    partition.set_settings(partition.settings());
    assert_eq!(retain(&partition, now.after_ms(WEEK_MS)), Ok(0));
    assert_eq!(retain(&partition, now.after_ms(WEEK_MS + 1)), Ok(1));
    assert!(is_open(&partition), "it has changed");
    assert_eq!(partition.log_start(), Ok(Offset(1)));
}

#[test]
fn a_checkpoint_is_written_again_when_there_is_something_new_to_say() {
    let dir = tempfile::tempdir().unwrap();
    let registry = registry(dir.path());
    let partition = add(&registry, TopicId::random(), false);
    let path = dir.path().join("replication-offset-checkpoint");
    let update = || {
        let _ = std::fs::remove_file(&path);
        registry.update_checkpoint(Checkpoint::HighWatermark);
        std::fs::read_to_string(&path).ok()
    };
    assert_eq!(update(), None);
    append(&partition).unwrap();
    assert_eq!(update().as_deref(), Some("0\n1\nt 0 1\n"));
    assert_eq!(update(), None);
    append(&partition).unwrap();
    assert!(update().is_some());
}

#[test]
fn a_closed_partition_is_in_the_checkpoints_and_takes_nothing_more() {
    let dir = tempfile::tempdir().unwrap();
    let registry = registry(dir.path());
    let partition = add(&registry, TopicId::random(), false);
    append(&partition).unwrap();
    append(&partition).unwrap();
    partition.delete_records(Some(Offset(1))).unwrap();
    registry.close(1, None).unwrap();
    assert_eq!(append(&partition), Err(ErrorCode::NotLeaderOrFollower));
    assert_eq!(read(&partition), Err(ErrorCode::NotLeaderOrFollower));
    for (which, at) in
        [(Checkpoint::LogStart, 1), (Checkpoint::RecoveryPoint, 2), (Checkpoint::HighWatermark, 2)]
    {
        let written = files(&registry).read_checkpoint(which).unwrap();
        assert_eq!(written, [(named(), Offset(at))].into(), "{which:?}");
    }
}

/// A partition with `flush.messages=1` and one record, whose sync is held up.
struct Unsynced {
    dir: tempfile::TempDir,
    context: Arc<LogContext>,
    registry: Arc<Registry>,
    partition: Arc<Partition>,
    release: std::sync::mpsc::Sender<()>,
}

impl Unsynced {
    fn new() -> Self {
        Self::on(Arc::new(Disk))
    }

    fn on(storage: Arc<dyn Storage>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = ContextOptions { flusher_threads: 1, storage, ..ContextOptions::default() };
        let context = LogContext::new(options).unwrap();
        let registry = Arc::new(registry_with(dir.path(), context.clone(), Arc::default()));
        let settings = [("flush.messages".to_owned(), "1".to_owned())].into();
        let config = Config::from_pairs([]).unwrap().topic_config(&settings).unwrap();
        let partition = registry.add(
            &registry.directories()[0],
            named(),
            TopicId::random(),
            TopicSettings::new(config, false),
            LeaderEpoch(0),
            false,
        );
        let (release, held) = std::sync::mpsc::channel::<()>();
        context.flusher.submit(move || {
            let _ = held.recv();
            Next::Done
        });
        append(&partition).unwrap();
        Self { dir, context, registry, partition, release }
    }

    /// Lets the sync go on and waits for it. The directory stays as long as the value.
    fn sync(self) -> tempfile::TempDir {
        drop(self.release);
        self.context.wait_for_flusher();
        self.dir
    }
}

#[test]
fn a_coordinator_reads_what_it_wrote_before_it_is_committed() {
    let unsynced = Unsynced::new();
    assert_eq!(read(&unsynced.partition), Ok(0));
    assert!(!unsynced.partition.read_applied(Offset::ZERO, 1000).unwrap().is_empty());
    unsynced.sync();
}

#[test]
fn a_partition_that_was_not_recovered_is_looked_at_again_by_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let id = TopicId::random();
    append(&add(&registry(dir.path()), id, false)).unwrap();
    // The last stop was not clean, and nobody opened the log since.
    let next = registry(dir.path());
    add(&next, id, true);
    next.close(1, None).unwrap();
    drop(next);
    let third = registry(dir.path());
    assert!(!files(&third).was_clean());
    add(&third, id, true).recover().unwrap();
    third.close(1, None).unwrap();
    drop(third);
    assert!(files(&registry(dir.path())).was_clean());
}

/// Where a test's log lines go.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_log_that_cannot_be_opened_is_one_line_a_minute_however_many_ask() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(Hands::default());
    let registry = registry_at(dir.path(), clock.clone());
    std::fs::write(dir.path().join("t-0"), "a file where the directory belongs").unwrap();
    let partition = add(&registry, TopicId::random(), true);
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    let ask = || {
        for _ in 0..3 {
            assert_eq!(append(&partition), Err(ErrorCode::KafkaStorageError));
            assert_eq!(read(&partition), Err(ErrorCode::KafkaStorageError));
        }
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        text.lines().filter(|line| line.contains("cannot open the log")).count()
    };
    tracing::subscriber::with_default(subscriber, || {
        assert_eq!(ask(), 1);
        clock.0.store(60_000, Ordering::Relaxed);
        assert_eq!(ask(), 2);
    });
}

#[test]
fn another_expiration_of_producers_holds_for_logs_that_are_open() {
    let dir = tempfile::tempdir().unwrap();
    let registry = registry(dir.path());
    let partition = add(&registry, TopicId::random(), false);
    let mut builder = BatchBuilder::new(0).producer(7, 0, 0);
    builder.push(None, Some(b"a"), 0);
    let batch = validate::validate(builder.build(0).bytes, &partition.settings().rules, 0).unwrap();
    partition.append(&batch, Now::default()).map_err(|refusal| refusal.error).unwrap();
    let later = Now::default().after_ms(4999);
    registry.set_producer_id_expiration(5000);
    registry.enforce_retention(later);
    assert_eq!(partition.producers(9).unwrap().len(), 1);
    registry.set_producer_id_expiration(4999);
    registry.enforce_retention(later);
    assert_eq!(partition.producers(9).unwrap().len(), 0);
}

fn compacted(registry: &Registry, name: &str) -> Arc<Partition> {
    let settings = [("cleanup.policy", "compact"), ("segment.ms", "1"), ("min.cleanable.dirty.ratio", "0.1")];
    let settings = settings.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let config = Config::from_pairs([]).unwrap().topic_config(&settings).unwrap();
    let named = TopicPartition::new(name, 0);
    let home = &registry.directories()[0];
    registry.add(home, named, TopicId::random(), TopicSettings::new(config, false), LeaderEpoch(0), false)
}

/// Appends ten records of two keys, each in a segment of its own.
fn fill_compacted(partition: &Partition) {
    let end = partition.log_end().unwrap().0;
    for n in end..end + 10 {
        let mut builder = BatchBuilder::new(n * 1000);
        builder.push(Some(if n % 2 == 0 { b"even" } else { b"odd" }), Some(b"x"), n * 1000);
        partition.append(&builder.build(0), Now::default()).unwrap();
    }
}

/// Segments go by retention, or because DeleteRecords raised the log start; then the power is lost. Their new names were
/// not synced: any of them may be as if it had not been. `checkpoint` was not written, either.
fn loses_no_record_behind_a_segment_that_comes_back(retention_bytes: &str, checkpoint: &str) {
    let dir = tempfile::tempdir().unwrap();
    let context = LogContext::new(ContextOptions::default()).unwrap();
    let registry = registry_with(dir.path(), context.clone(), Arc::default());
    let limited = |registry: &Registry, id, existed| {
        let settings = [("segment.ms", "1"), ("retention.bytes", retention_bytes), ("retention.ms", "-1")];
        let settings = settings.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let config = Config::from_pairs([]).unwrap().topic_config(&settings).unwrap();
        let settings = TopicSettings::new(config, false);
        registry.add(&registry.directories()[0], named(), id, settings, LeaderEpoch(0), existed)
    };
    let id = TopicId::random();
    let partition = limited(&registry, id, false);
    fill_compacted(&partition);
    context.wait_for_flusher();
    if retention_bytes == "-1" {
        partition.delete_records(Some(Offset(6))).unwrap();
    }
    registry.enforce_retention(Now::default());
    assert!(partition.log_start().unwrap() > Offset(1), "several went");
    drop((registry, partition, context));
    for kind in ["log", "index", "timeindex"] {
        let name = format!("t-0/{:020}.{kind}", 0);
        std::fs::rename(dir.path().join(format!("{name}.deleted")), dir.path().join(name)).unwrap();
    }
    std::fs::remove_file(dir.path().join(checkpoint)).unwrap();
    let next = registry_at(dir.path(), Arc::default());
    let found = limited(&next, id, true);
    found.recover().unwrap();
    assert_eq!(append(&found), Ok(Offset(10)));
}

#[test]
fn a_loss_of_power_that_brings_a_deleted_segment_back_costs_no_record_behind_it() {
    for retention_bytes in ["300", "-1"] {
        for checkpoint in ["recovery-point-offset-checkpoint", "log-start-offset-checkpoint"] {
            loses_no_record_behind_a_segment_that_comes_back(retention_bytes, checkpoint);
        }
    }
}

/// Notes what gets another name, and which directories are synced.
#[derive(Debug, Default)]
struct Noting(Mutex<Vec<String>>);

impl Watcher for Noting {
    fn before(&self, call: Call<'_>, path: &Path) -> io::Result<Go> {
        let noted = match call {
            Call::Rename(to) => to,
            Call::SyncDir => path,
            _ => return Ok(Go::On),
        };
        self.0.lock().unwrap().push(noted.file_name().unwrap_or_default().to_str().unwrap().to_owned());
        Ok(Go::On)
    }
}

#[test]
fn segments_get_their_last_names_between_the_checkpoint_of_the_log_start_and_a_sync_of_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    let noting = Arc::new(Noting::default());
    let options = ContextOptions { storage: Watched::disk(noting.clone()), ..ContextOptions::default() };
    let context = LogContext::new(options).unwrap();
    let registry = registry_with(dir.path(), context.clone(), Arc::default());
    let settings = [("segment.ms".to_owned(), "1".to_owned())].into();
    let config = Config::from_pairs([]).unwrap().topic_config(&settings).unwrap();
    let settings = TopicSettings::new(config, false);
    let (home, id) = (&registry.directories()[0], TopicId::random());
    let partition = registry.add(home, named(), id, settings, LeaderEpoch(0), false);
    fill_compacted(&partition);
    context.wait_for_flusher();
    partition.delete_records(Some(Offset(6))).unwrap();
    noting.0.lock().unwrap().clear();
    registry.enforce_retention(Now::default());
    let noted = noting.0.lock().unwrap().clone();
    let at = |name: &str| {
        noted.iter().position(|noted| noted == name).unwrap_or_else(|| panic!("{name}: {noted:?}"))
    };
    let gone: Vec<_> = (0..6).map(|base| at(&format!("{base:020}.log.deleted"))).collect();
    assert!(
        gone.iter().all(|gone| at("log-start-offset-checkpoint") < *gone && *gone < at("t-0")),
        "{noted:?}"
    );
}

struct Always;

impl Pace for Always {
    fn spent(&self, _: u64) -> bool {
        true
    }
}

const CLEANING: CleanerOptions = CleanerOptions { map_bytes: 4096, load_factor: 0.9, io_bytes: 4096 };

#[test]
fn a_log_that_cannot_be_compacted_does_not_keep_the_cleaner_from_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let registry = registry(dir.path());
    let clean = || registry.clean_filthiest(&CLEANING, &Always, Now::default());
    let sound = compacted(&registry, "sound");
    fill_compacted(&sound);
    while clean() {}
    fill_compacted(&sound);
    let broken = compacted(&registry, "broken");
    fill_compacted(&broken);
    let ratio =
        |partition: &Partition| partition.due_cleaning(Now::default()).unwrap().unwrap().dirty_ratio();
    assert!(ratio(&broken) > ratio(&sound));
    broken.reader().unwrap().poison(&io::ErrorKind::Other.into());
    while clean() {}
    assert_eq!(sound.checkpoint(Checkpoint::Cleaner), Some(Offset(19)));
    assert_eq!(broken.checkpoint(Checkpoint::Cleaner), None);
}

#[test]
fn a_log_that_the_disk_fails_for_is_left_alone_for_a_while_and_the_others_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let registry = registry(dir.path());
    let clean = |now| while registry.clean_filthiest(&CLEANING, &Always, now) {};
    let sound = compacted(&registry, "sound");
    fill_compacted(&sound);
    clean(Now::default());
    fill_compacted(&sound);
    let broken = compacted(&registry, "broken");
    fill_compacted(&broken);
    // A folder where the output belongs.
    std::fs::create_dir(broken.reader().unwrap().path().join("00000000000000000000.log.cleaned")).unwrap();
    clean(Now::default());
    assert_eq!(sound.checkpoint(Checkpoint::Cleaner), Some(Offset(19)));
    assert_eq!(broken.checkpoint(Checkpoint::Cleaner), None);
    std::fs::remove_dir(broken.reader().unwrap().path().join("00000000000000000000.log.cleaned")).unwrap();
    clean(Now::default().after_ms(59_999));
    assert_eq!(broken.checkpoint(Checkpoint::Cleaner), None);
    clean(Now::default().after_ms(60_000));
    assert_eq!(broken.checkpoint(Checkpoint::Cleaner), Some(Offset(9)));
}

#[test]
fn nothing_is_compacted_before_the_recovery_point_is_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let registry = registry(dir.path());
    let partition = compacted(&registry, "t");
    fill_compacted(&partition);
    // A folder where the checkpoint belongs.
    let place = dir.path().join("recovery-point-offset-checkpoint");
    std::fs::create_dir(&place).unwrap();
    let size = partition.size_bytes();
    assert!(!registry.clean_filthiest(&CLEANING, &Always, Now::default()));
    assert_eq!((partition.size_bytes(), partition.checkpoint(Checkpoint::Cleaner)), (size, None));
    std::fs::remove_dir(&place).unwrap();
    assert!(registry.clean_filthiest(&CLEANING, &Always, Now::default()));
    assert!(partition.size_bytes().unwrap() < size.unwrap());
}

#[test]
fn what_became_durable_after_a_checkpoint_is_in_the_next_one() {
    let unsynced = Unsynced::new();
    let (registry, partition) = (unsynced.registry.clone(), unsynced.partition.clone());
    registry.update_checkpoint(Checkpoint::HighWatermark);
    let _dir = unsynced.sync();
    assert_eq!(partition.high_watermark(), Ok(Offset(1)));
    registry.update_checkpoint(Checkpoint::HighWatermark);
    let written = files(&registry).read_checkpoint(Checkpoint::HighWatermark).unwrap();
    assert_eq!(written, [(named(), Offset(1))].into());
}

#[test]
fn a_topic_whose_first_moment_a_crash_took_begins_at_offset_zero_under_a_used_name() {
    let dir = tempfile::tempdir().unwrap();
    let first = registry(dir.path());
    let old = add(&first, TopicId::random(), false);
    append(&old).unwrap();
    old.delete_records(None).unwrap();
    assert!(first.write_checkpoint(Checkpoint::LogStart));
    // The new topic is in the journal, and this node has not heard of it.
    first.remove([named()], Now::default());
    drop((first, old));
    let next = registry(dir.path());
    let new = add(&next, TopicId::random(), true);
    next.forget_gone();
    assert!(files(&next).read_checkpoint(Checkpoint::LogStart).unwrap().is_empty());
    assert_eq!(append(&new), Ok(Offset(0)));
}

/// That a partition whose name a checkpoint gives to one before loses nothing: it takes nothing until that is mended.
fn takes_nothing_before_its_name_is_its_own(dir: &Path, registry: Registry, new: Arc<Partition>) {
    let in_the_way = dir.join("log-start-offset-checkpoint.tmp");
    let early = append(&new);
    registry.settle_names();
    assert_eq!(append(&new).is_ok(), early.is_ok(), "it cannot be written yet");
    std::fs::remove_dir(&in_the_way).unwrap();
    if early.is_err() {
        registry.settle_names();
        assert_eq!(append(&new), Ok(Offset(0)));
    }
    let id = new.topic_id;
    drop((registry, new));
    let next = registry_at(dir, Arc::default());
    let found = add(&next, id, true);
    next.forget_gone();
    found.recover().unwrap();
    assert!(read(&found).is_ok_and(|bytes| bytes > 0), "a crash took what was acknowledged");
    assert_eq!(early, Err(ErrorCode::KafkaStorageError));
}

/// A registry that had five records of `t-0`, all deleted, and whose checkpoint of log starts cannot be written.
fn trimmed(dir: &Path) -> Registry {
    let registry = registry(dir);
    let old = add(&registry, TopicId::random(), false);
    for _ in 0..5 {
        append(&old).unwrap();
    }
    old.delete_records(None).unwrap();
    assert!(registry.write_checkpoint(Checkpoint::LogStart));
    registry.remove([named()], Now::default());
    std::fs::create_dir(dir.join("log-start-offset-checkpoint.tmp")).unwrap();
    registry
}

#[test]
fn a_name_is_not_used_again_where_the_checkpoint_that_speaks_of_it_cannot_be_written() {
    let dir = tempfile::tempdir().unwrap();
    let registry = trimmed(dir.path());
    let new = add(&registry, TopicId::random(), false);
    takes_nothing_before_its_name_is_its_own(dir.path(), registry, new);
}

#[test]
fn nor_is_one_that_a_crash_left_in_a_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    drop(trimmed(dir.path()));
    let registry = registry(dir.path());
    let new = add(&registry, TopicId::random(), true);
    registry.forget_gone();
    takes_nothing_before_its_name_is_its_own(dir.path(), registry, new);
}

/// A disk that holds up the next opening of a file of some name, or renaming to it, for as long as a test likes.
#[derive(Debug, Default)]
struct Slow {
    asked: AtomicBool,
    held: Mutex<Option<(&'static str, std::sync::mpsc::Receiver<()>)>>,
}

impl Slow {
    /// Holds up what concerns a file whose name ends so, until what is returned is dropped.
    fn hold(&self, name: &'static str) -> std::sync::mpsc::Sender<()> {
        let (release, go) = std::sync::mpsc::channel();
        *self.held.lock().unwrap() = Some((name, go));
        release
    }

    fn wait_until_asked(&self) {
        while !self.asked.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
    }

    fn pass(&self, path: &Path) {
        let is_held = |held: &mut (&str, _)| path.to_str().unwrap().ends_with(held.0);
        let held = self.held.lock().unwrap().take_if(is_held);
        if let Some((_, go)) = held {
            self.asked.store(true, Ordering::Release);
            let _ = go.recv();
        }
    }
}

impl Watcher for Slow {
    fn before(&self, call: Call<'_>, path: &Path) -> io::Result<Go> {
        match call {
            Call::Open(_) => self.pass(path),
            Call::Rename(to) => self.pass(to),
            _ => {}
        }
        Ok(Go::On)
    }
}

#[test]
fn what_may_be_seen_is_decided_after_a_record_was_found_by_its_time() {
    type LookUp = fn(&Partition) -> Result<Option<TimedOffset>, ErrorCode>;
    let look_ups: [LookUp; 2] = [
        |partition| partition.offset_for_timestamp(0, Isolation::Uncommitted),
        |partition| partition.max_timestamp(Isolation::Uncommitted),
    ];
    for look_up in look_ups {
        let disk = Arc::new(Slow::default());
        let unsynced = Unsynced::on(Watched::disk(disk.clone()));
        let partition = unsynced.partition.clone();
        assert_eq!(look_up(&partition), Ok(None), "it is not committed yet");
        partition.with_log(|log| log.reader().forget_files()).unwrap();
        let release = disk.hold("0.log");
        std::thread::scope(|scope| {
            let found = scope.spawn(|| look_up(&partition));
            disk.wait_until_asked();
            let _dir = unsynced.sync();
            drop(release);
            assert_eq!(found.join().unwrap().unwrap().map(|found| found.offset), Some(Offset::ZERO));
        });
    }
}

#[test]
fn a_used_name_is_taken_again_only_when_the_checkpoint_that_is_being_written_stands() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(Slow::default());
    let options = ContextOptions { storage: Watched::disk(disk.clone()), ..ContextOptions::default() };
    let registry = registry_with(dir.path(), LogContext::new(options).unwrap(), Arc::default());
    let old = add(&registry, TopicId::random(), false);
    append(&old).unwrap();
    old.delete_records(None).unwrap();
    assert!(registry.write_checkpoint(Checkpoint::LogStart));
    registry.remove([named()], Now::default());
    let release = disk.hold("log-start-offset-checkpoint");
    std::thread::scope(|scope| {
        scope.spawn(|| registry.update_checkpoint(Checkpoint::LogStart));
        disk.wait_until_asked();
        let added = scope.spawn(|| {
            add(&registry, TopicId::random(), false);
            files(&registry).read_checkpoint(Checkpoint::LogStart).unwrap()
        });
        // Long enough for one that does not wait; one that does needs the release.
        for _ in 0..1000 {
            if added.is_finished() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_micros(100));
        }
        drop(release);
        assert!(added.join().unwrap().is_empty());
    });
}
