//! Tests of a log as a whole: appending, reading, recovery, retention, real Kafka directories, failing disks.

mod appending;
mod compacting;
mod compacting_steps;
mod damage;
mod every_call;
mod failing_disk;
mod fixtures;
mod images;
mod mem_disk;
mod reading;
mod restarts;
mod retaining;
mod settings;
mod stopping;
mod syncing;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::*;
use crate::types::{LeaderEpoch, Now, Offset, TopicId, TopicPartition};
use crate::wire::batch::{Batch, BatchBuilder};

/// A wall clock of 2023, as in the fixtures' records.
pub(crate) const T0: i64 = 1_700_000_000_000;

pub(crate) fn now() -> Now {
    Now { mono_ms: 0, wall_ms: T0 }
}

/// One log in a temporary directory, opened as often as a test wants.
pub(crate) struct Bench {
    _root: tempfile::TempDir,
    pub(crate) context: Arc<LogContext>,
    pub(crate) spec: OpenSpec,
}

impl Bench {
    pub(crate) fn new(config: LogConfig) -> Self {
        Self::with_storage(config, Arc::new(storage::Disk))
    }

    pub(crate) fn with_storage(config: LogConfig, storage: Arc<dyn storage::Storage>) -> Self {
        let root = tempfile::tempdir().unwrap();
        let context = LogContext::new(ContextOptions { storage, ..ContextOptions::default() }).unwrap();
        let spec = OpenSpec {
            dir: root.path().join("t-0"),
            topic_partition: TopicPartition::new("t", 0),
            topic_id: TopicId::parse("B6G_RwcNSD6o6trLeAETPg").unwrap(),
            config: Arc::new(config),
            log_start: Offset::ZERO,
            recovery_point: Offset::ZERO,
            cleaned: Offset::ZERO,
            clean: false,
            may_have_gaps: false,
            end: None,
            producer_id_expiration_ms: 86_400_000,
        };
        Self { _root: root, context, spec }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.spec.dir
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.spec.dir.join(name)
    }

    /// Opens as after a crash.
    pub(crate) fn open(&self) -> (Log, Recovery) {
        self.open_with(|_| ())
    }

    pub(crate) fn open_with(&self, change: impl FnOnce(&mut OpenSpec)) -> (Log, Recovery) {
        let mut spec = self.spec.clone();
        change(&mut spec);
        Log::open(spec, &self.context, now()).unwrap()
    }

    /// Opens as after a clean stop.
    pub(crate) fn reopen(&self, log: Log) -> (Log, Recovery) {
        let (start, recovery_point) = (log.start(), log.end());
        log.close().unwrap();
        self.open_with(|spec| {
            spec.clean = true;
            spec.log_start = start;
            spec.recovery_point = recovery_point;
        })
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.dir())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

/// A whole retention; how many segments went.
pub(crate) fn retain(log: &mut Log, high_watermark: Offset, now: Now) -> Result<usize, LogError> {
    log.expire(high_watermark, now)?;
    Ok(log.drop_below_start(now))
}

pub(crate) fn retain_all(log: &mut Log) -> Result<usize, LogError> {
    retain(log, log.end(), now())
}

/// Small segments and an index entry for about every second batch.
pub(crate) fn small() -> LogConfig {
    LogConfig { segment_bytes: 1000, index_interval_bytes: 100, ..LogConfig::default() }
}

/// A batch of `count` records `value-<n>` with timestamps `T0 + n`.
pub(crate) fn batch(n: i64, count: i64) -> Batch {
    build(BatchBuilder::new(T0 + n), n, count)
}

pub(crate) fn idempotent(producer: i64, epoch: i16, sequence: i32, count: i64) -> Batch {
    let n = i64::from(sequence);
    build(BatchBuilder::new(T0 + n).producer(producer, epoch, sequence), n, count)
}

pub(crate) fn transactional(producer: i64, sequence: i32, count: i64) -> Batch {
    let n = i64::from(sequence);
    build(BatchBuilder::new(T0 + n).producer(producer, 0, sequence).transactional(), n, count)
}

fn build(mut builder: BatchBuilder, n: i64, count: i64) -> Batch {
    for i in n..n + count {
        builder.push(Some(format!("k{i}").as_bytes()), Some(format!("value-{i}").as_bytes()), T0 + i);
    }
    builder.build(0)
}

/// A transaction marker of a coordinator with epoch 0.
pub(crate) fn marker(producer: i64, epoch: i16, aborts: bool) -> Batch {
    let mut builder = BatchBuilder::new(T0).producer(producer, epoch, -1).transactional().control();
    builder.push(Some(&[0, 0, 0, u8::from(!aborts)]), Some(&[0, 0, 0, 0, 0, 0]), T0);
    builder.build(0)
}

pub(crate) fn append(log: &mut Log, batch: &Batch) -> Appended {
    log.append(batch, LeaderEpoch(0), now()).unwrap()
}

/// Appends `batches` batches of two records each, numbered from the log's end on.
pub(crate) fn fill(log: &mut Log, batches: usize) {
    for _ in 0..batches {
        let n = log.end().0;
        append(log, &batch(n, 2));
    }
}

/// The batches of fetched bytes.
pub(crate) fn batches(records: impl Into<crate::wire::slices::Slices>) -> Vec<Batch> {
    let mut records = records.into().into_bytes().unwrap();
    let mut batches = Vec::new();
    while !records.is_empty() {
        let batch = Batch::parse(records.clone()).unwrap();
        assert!(batch.crc_is_valid());
        records = records.slice(batch.header.size_bytes()..);
        batches.push(batch);
    }
    batches
}

/// Offset, key and value of records.
pub(crate) type Records = Vec<(i64, Option<String>, Option<String>)>;

/// All data records from `from` to the end: offset, key, value.
pub(crate) fn records(reader: &LogReader, from: i64) -> Records {
    let mut found = Vec::new();
    let mut from = Offset(from);
    loop {
        let read = reader.read(from, reader.end(), 700, true).unwrap();
        if read.records.is_empty() {
            return found;
        }
        for batch in batches(read.records).into_iter().filter(|batch| !batch.header.is_control()) {
            for record in batch.records().unwrap() {
                let record = record.unwrap();
                let text = |b: Option<::bytes::Bytes>| b.map(|b| String::from_utf8(b.to_vec()).unwrap());
                let offset = batch.header.base_offset + i64::from(record.offset_delta);
                found.push((offset, text(record.key), text(record.value)));
            }
        }
        assert!(read.next > from);
        from = read.next;
    }
}

/// That a log filled by `fill` holds each record from `from` to its end, once and in order.
pub(crate) fn assert_filled(reader: &LogReader, from: i64) {
    let found = records(reader, from);
    let first = from / 2 * 2;
    assert_eq!(found.len() as i64, reader.end().0 - first);
    for (n, (offset, _, value)) in (first..).zip(&found) {
        assert_eq!((*offset, value.as_deref()), (n, Some(format!("value-{n}").as_str())));
    }
}
