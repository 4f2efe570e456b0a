//! A partition's directory after a crash: two segments with whatever their files hold. It opens without a panic, and what
//! it shows afterwards are whole batches; opened again it shows the same, and compaction leaves whole batches in order. An
//! input is three bytes that say how it is opened, and the files.
#![no_main]

use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};

use bytes::Buf;
use libfuzzer_sys::fuzz_target;
use milena::log::cleaner::{CleanerOptions, LockedLog, Pace, clean};
use milena::log::{CleanupPolicy, ContextOptions, Log, LogConfig, LogContext, LogReader, OpenSpec};
use milena::types::{LeaderEpoch, Now, Offset, TopicId, TopicPartition};
use milena::wire::batch::{Batch, BatchBuilder};
use milena_fuzz::{bounded, parts, seal_log};

static CONTEXT: LazyLock<Arc<LogContext>> =
    LazyLock::new(|| LogContext::new(ContextOptions::default()).unwrap());

const NAMES: [&str; 12] = [
    "00000000000000000000.log",
    "00000000000000000000.index",
    "00000000000000000000.timeindex",
    "00000000000000000000.txnindex",
    "00000000000000000010.log",
    "00000000000000000010.index",
    "00000000000000000010.timeindex",
    "00000000000000000010.snapshot",
    "leader-epoch-checkpoint",
    "00000000000000000010.txnindex",
    "00000000000000000020.snapshot",
    "partition.metadata",
];
const NOW: Now = Now { wall_ms: 1_800_000_000_000, mono_ms: 1_000_000 };

fuzz_target!(|data: &[u8]| {
    let Some((&[recovery_point, clean, flags], rest)) = data.split_first_chunk::<3>() else { return };
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("t-0");
    std::fs::create_dir(&dir).unwrap();
    for (name, part) in NAMES.iter().zip(parts(rest)) {
        let mut bytes = part.to_vec();
        if flags & 1 == 0 && name.ends_with(".log") {
            seal_log(&mut bytes);
        }
        if !bytes.is_empty() {
            std::fs::write(dir.join(name), bytes).unwrap();
        }
    }
    let spec = OpenSpec {
        dir,
        topic_partition: TopicPartition::new("t", 0),
        topic_id: TopicId::ZERO,
        config: Arc::new(LogConfig {
            cleanup_policy: CleanupPolicy { delete: flags & 2 != 0, compact: flags & 4 != 0 },
            segment_bytes: 16_384,
            delete_retention_ms: 0,
            min_cleanable_dirty_ratio: 0.0,
            ..LogConfig::default()
        }),
        log_start: Offset(i64::from(flags >> 6)),
        recovery_point: Offset(i64::from(recovery_point % 32)),
        cleaned: Offset::ZERO,
        may_have_gaps: clean & 2 != 0,
        clean: clean & 1 != 0,
        end: (flags & 8 != 0).then(|| Offset(i64::from(clean >> 3))),
        producer_id_expiration_ms: 86_400_000,
    };
    bounded(|| try_log(spec, flags & 16 != 0, flags & 32 != 0));
    let _ = CONTEXT.run_deletions(Now { mono_ms: i64::MAX, ..NOW });
});

fn try_log(spec: OpenSpec, append: bool, compact: bool) {
    let dir = spec.dir.clone();
    let crashed = OpenSpec { clean: false, end: None, ..spec.clone() };
    let Ok((mut log, _)) = Log::open(spec, &CONTEXT, NOW) else { return };
    let reader = log.reader();
    let _ = batches(&reader);
    let _ = reader.offset_for_timestamp(0);
    let _ = reader.max_timestamp();
    let _ = reader.aborted_transactions(reader.start(), reader.end());
    let _ = reader.last_stable(reader.end());
    if append {
        let mut builder = BatchBuilder::new(NOW.wall_ms);
        builder.push(Some(b"k"), Some(b"v"), NOW.wall_ms);
        if let Ok(appended) = log.append(&builder.build(0), LeaderEpoch(i32::MAX), NOW) {
            let read = reader
                .read(appended.base_offset, reader.end(), 1 << 20, true)
                .expect("what was appended is read");
            let bytes = read.records.into_bytes().expect("what was appended is there");
            assert!(Batch::parse(bytes).expect("it is a batch").crc_is_valid());
        }
    }
    if compact {
        compacted(log);
    } else {
        drop(log);
    }
    drop(reader);
    let Ok((log, _)) = Log::open(crashed.clone(), &CONTEXT, NOW) else { return };
    let first = batches(&log.reader());
    drop(log);
    let (log, _) = Log::open(crashed, &CONTEXT, NOW).expect("what was recovered once opens");
    assert_eq!(first, batches(&log.reader()), "what was recovered once stays: {}", names(&dir));
}

fn names(dir: &Path) -> String {
    let names = std::fs::read_dir(dir).into_iter().flatten().flatten();
    names.map(|entry| format!("{} ", entry.file_name().display())).collect()
}

struct Shared(Mutex<Log>);

impl LockedLog for Shared {
    fn with(&self, work: &mut dyn FnMut(&mut Log)) -> bool {
        work(&mut self.0.lock().unwrap());
        true
    }
}

impl Pace for Shared {
    fn spent(&self, _: u64) -> bool {
        true
    }
}

fn compacted(log: Log) {
    let (reader, config) = (log.reader(), log.config().clone());
    let in_order = |found: &[(i64, i64)]| found.is_sorted_by(|before, after| before.1 < after.0);
    let were_in_order = in_order(&batches(&reader));
    let Ok(plan) = reader.cleaning_plan(&config, None, reader.end(), NOW.wall_ms) else { return };
    let shared = Shared(Mutex::new(log));
    let options = CleanerOptions { map_bytes: 1 << 16, load_factor: 0.9, io_bytes: 4096 };
    let cleaned = clean(&shared, &reader, &config, &plan, &options, &shared, NOW);
    if cleaned.is_ok() && were_in_order {
        let found = batches(&reader);
        assert!(in_order(&found), "offsets grow: {found:?}");
    }
}

/// Offsets of the batches that a reader sees, from the log's start to its end.
fn batches(reader: &LogReader) -> Vec<(i64, i64)> {
    let mut found = Vec::new();
    let mut at = reader.start();
    while at < reader.end() {
        let Ok(read) = reader.read(at, reader.end(), 1 << 20, true) else { break };
        let Ok(mut records) = read.records.into_bytes() else { break };
        if records.is_empty() {
            // Compaction left nothing up to the end.
            break;
        }
        while !records.is_empty() {
            let batch = Batch::parse(records.clone()).expect("readers see whole batches");
            found.push((batch.header.base_offset, batch.header.last_offset()));
            records.advance(batch.bytes.len());
        }
        assert!(read.next > at, "a read gets on");
        at = read.next;
    }
    found
}
