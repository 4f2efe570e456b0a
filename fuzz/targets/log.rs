//! A partition's directory after a crash: two segments with whatever their files hold. It opens without a panic, and what
//! it shows afterwards are whole batches; opened again it shows the same. An input is cut into files by a head of lengths.
#![no_main]

use std::path::Path;
use std::sync::{Arc, LazyLock};

use bytes::Buf;
use libfuzzer_sys::fuzz_target;
use milena::log::{ContextOptions, Log, LogConfig, LogContext, OpenSpec};
use milena::types::{Now, Offset, TopicId, TopicPartition};
use milena::wire::batch::Batch;

static CONTEXT: LazyLock<Arc<LogContext>> =
    LazyLock::new(|| LogContext::new(ContextOptions::default()).unwrap());

const NAMES: [&str; 9] = [
    "00000000000000000000.log",
    "00000000000000000000.index",
    "00000000000000000000.timeindex",
    "00000000000000000000.txnindex",
    "00000000000000000010.log",
    "00000000000000000010.index",
    "00000000000000000010.timeindex",
    "00000000000000000010.snapshot",
    "leader-epoch-checkpoint",
];

fuzz_target!(|data: &[u8]| {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("t-0");
    std::fs::create_dir(&dir).unwrap();
    let mut rest = data;
    let recovery_point = if rest.is_empty() { 0 } else { i64::from(rest.get_u8() % 32) };
    for name in NAMES {
        if rest.len() < 2 {
            break;
        }
        let length = usize::from(rest.get_u16()).min(rest.len());
        let (bytes, later) = rest.split_at(length);
        if length > 0 {
            std::fs::write(dir.join(name), bytes).unwrap();
        }
        rest = later;
    }
    let first = open(&dir, recovery_point);
    let again = open(&dir, recovery_point);
    assert_eq!(first, again, "what was recovered once stays");
});

/// Offsets of the batches that a reader sees, from the log's start to its end.
fn open(dir: &Path, recovery_point: i64) -> Vec<(i64, i64)> {
    let spec = OpenSpec {
        dir: dir.to_owned(),
        topic_partition: TopicPartition::new("t", 0),
        topic_id: TopicId::ZERO,
        config: Arc::new(LogConfig::default()),
        log_start: Offset::ZERO,
        recovery_point: Offset(recovery_point),
        cleaned: Offset::ZERO,
        clean: false,
        end: None,
        producer_id_expiration_ms: 86_400_000,
    };
    let Ok((log, _)) = Log::open(spec, &CONTEXT, Now::default()) else { return Vec::new() };
    let reader = log.reader();
    let mut found = Vec::new();
    let mut at = reader.start();
    while at < reader.end() {
        let Ok(read) = reader.read(at, reader.end(), 1 << 20, true) else { break };
        let Ok(mut records) = read.records.into_bytes() else { break };
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
