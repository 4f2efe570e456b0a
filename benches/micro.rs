//! What single steps of the data path cost: `cargo bench`, or one of them with `cargo bench -- walk`. Batches hold
//! records of 100 bytes; throughputs are those of the batch's bytes or of its records.
#![allow(missing_docs, clippy::unwrap_used, reason = "a measurement ends at the first thing that is wrong")]

use std::hint::black_box;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{ApiKey, FetchRequest, ProduceRequest, TopicName};
use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};
use milena::coordinator::{BoxFuture, Coordinator, GroupLog, Settings};
use milena::log::{ContextOptions, Log, LogConfig, LogContext, OpenSpec};
use milena::replica::validate::{ProduceRules, validate};
use milena::types::{ErrorCode, LeaderEpoch, Now, Offset, TopicId, TopicPartition};
use milena::wire::batch::{Batch, BatchBuilder, RecordRefs};
use milena::wire::guard;
use milena::wire::records::offsets::{OffsetCommitKey, OffsetCommitValue};

const NOW: Now = Now { mono_ms: 0, wall_ms: 1_700_000_000_000 };
const RECORD_BYTES: usize = 100;
/// Versions whose bodies every client of the last years sends.
const PRODUCE_VERSION: i16 = 11;
const FETCH_VERSION: i16 = 12;

fn batch(records: usize) -> Batch {
    let mut builder = BatchBuilder::new(NOW.wall_ms);
    for _ in 0..records {
        builder.push(None, Some(&[b'x'; RECORD_BYTES]), NOW.wall_ms);
    }
    builder.build(0)
}

/// Header, checksum, records: what a batch passes before it reaches a log.
fn batches(criterion: &mut Criterion) {
    for records in [1, 100, 9_000] {
        let batch = batch(records);
        let mut group = criterion.benchmark_group(format!("batch of {records}"));
        group.throughput(Throughput::Bytes(batch.bytes.len() as u64));
        group.bench_function("header", |bench| bench.iter(|| Batch::parse(black_box(batch.bytes.clone()))));
        group.bench_function("checksum", |bench| bench.iter(|| black_box(&batch).crc_is_valid()));
        group.throughput(Throughput::Elements(records as u64));
        group.bench_function("walk", |bench| {
            let payload = batch.payload();
            bench.iter(|| RecordRefs::new(black_box(&payload), records as i32).map(Result::unwrap).count());
        });
        group.bench_function("validate", |bench| {
            let rules = ProduceRules::default();
            bench.iter(|| validate(black_box(batch.bytes.clone()), &rules, NOW.wall_ms).unwrap());
        });
        group.finish();
    }
}

/// A log in a directory that goes away with the value.
fn open_log(root: &tempfile::TempDir) -> Log {
    let context = LogContext::new(ContextOptions::default()).unwrap();
    let spec = OpenSpec {
        dir: root.path().join("t-0"),
        topic_partition: TopicPartition::new("t", 0),
        topic_id: TopicId::parse("B6G_RwcNSD6o6trLeAETPg").unwrap(),
        config: Arc::new(LogConfig::default()),
        log_start: Offset::ZERO,
        recovery_point: Offset::ZERO,
        cleaned: Offset::ZERO,
        may_have_gaps: false,
        clean: false,
        end: None,
        producer_id_expiration_ms: 86_400_000,
    };
    Log::open(spec, &context, NOW).unwrap().0
}

/// One batch into the page cache, and one found again through the index.
fn log(criterion: &mut Criterion) {
    const BATCHES: i64 = 50_000;
    let root = tempfile::tempdir().unwrap();
    let mut log = open_log(&root);
    let ten = batch(10);
    for _ in 0..BATCHES {
        log.append(&ten, LeaderEpoch(0), NOW).unwrap();
    }
    let reader = log.reader();
    let mut offset = 0;
    criterion.bench_function("log/index look-up and one batch", |bench| {
        bench.iter(|| {
            // A step that shares no factor with the count: every offset once, in no order that a cache likes.
            offset = (offset + 7_654_321) % (BATCHES * 10);
            reader.read(Offset(offset), Offset(BATCHES * 10), 1, true).unwrap()
        });
    });
    let mut group = criterion.benchmark_group("log/append");
    for records in [1, 150, 9_000] {
        let batch = batch(records);
        let root = tempfile::tempdir().unwrap();
        let mut log = open_log(&root);
        group.throughput(Throughput::Bytes(batch.bytes.len() as u64));
        group.bench_function(format!("{} bytes", batch.bytes.len()), |bench| {
            bench.iter(|| log.append(&batch, LeaderEpoch(0), NOW).unwrap());
            // A long measurement must not fill the disk.
            log.advance_start(log.end()).unwrap();
            log.drop_below_start(NOW);
        });
    }
    group.finish();
}

fn produce_body() -> Bytes {
    let data = PartitionProduceData::default().with_records(Some(batch(100).bytes));
    let topic = TopicProduceData::default().with_name(name("orders")).with_partition_data(vec![data]);
    encoded(&ProduceRequest::default().with_acks(1).with_topic_data(vec![topic]), PRODUCE_VERSION)
}

fn fetch_body(partitions: i32) -> Bytes {
    let partition = |index| FetchPartition::default().with_partition(index).with_partition_max_bytes(1 << 20);
    let topic = FetchTopic::default()
        .with_topic(name("orders"))
        .with_partitions((0..partitions).map(partition).collect());
    encoded(&FetchRequest::default().with_topics(vec![topic]), FETCH_VERSION)
}

fn name(name: &'static str) -> TopicName {
    TopicName(StrBytes::from_static_str(name))
}

fn encoded(request: &impl Encodable, version: i16) -> Bytes {
    let mut body = BytesMut::new();
    request.encode(&mut body, version).unwrap();
    body.freeze()
}

/// From a request's bytes to its message.
fn requests(criterion: &mut Criterion) {
    request::<ProduceRequest>(criterion, "produce", ApiKey::Produce, PRODUCE_VERSION, &produce_body());
    for partitions in [1, 100] {
        let what = format!("fetch of {partitions}");
        request::<FetchRequest>(criterion, &what, ApiKey::Fetch, FETCH_VERSION, &fetch_body(partitions));
    }
}

fn request<Q: Decodable>(criterion: &mut Criterion, what: &str, key: ApiKey, version: i16, body: &Bytes) {
    let mut group = criterion.benchmark_group(what);
    group.bench_function("guard", |bench| {
        bench.iter(|| guard::check(key as i16, version, black_box(body)).unwrap());
    });
    group.bench_function("decode", |bench| {
        bench.iter(|| Q::decode(&mut black_box(body.clone()), version).unwrap());
    });
    group.finish();
}

/// A partition of `__consumer_offsets` in memory.
struct Offsets(Vec<Batch>);

impl GroupLog for Offsets {
    fn append(&self, _: Batch, _: Now) -> Result<Offset, ErrorCode> {
        Err(ErrorCode::KafkaStorageError)
    }

    fn committed(&self) -> Offset {
        Offset(self.0.last().map_or(0, |batch| batch.header.next_offset()))
    }

    fn wait_committed(&self, _: Offset) -> BoxFuture<Result<(), ErrorCode>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn bounds(&self) -> Result<(Offset, Offset), ErrorCode> {
        Ok((Offset::ZERO, self.committed()))
    }

    fn read(&self, from: Offset, _: usize) -> Result<Bytes, ErrorCode> {
        let at = self.0.partition_point(|batch| batch.header.next_offset() <= from.0);
        Ok(self.0.get(at).map(|batch| batch.bytes.clone()).unwrap_or_default())
    }

    fn batch_bytes_max(&self) -> usize {
        1 << 20
    }
}

/// What a start does with the offsets that groups committed.
fn replay(criterion: &mut Criterion) {
    const COMMITS: i64 = 10_000;
    let commit = |number: i64| {
        let key = OffsetCommitKey {
            group: format!("group-{}", number % 100),
            topic: "orders".to_owned(),
            partition: (number / 100) as i32,
        };
        let value = OffsetCommitValue { offset: number, commit_timestamp: NOW.wall_ms, ..Default::default() };
        let mut builder = BatchBuilder::new(NOW.wall_ms);
        builder.push(Some(&key.encode().unwrap()), Some(&value.encode(3).unwrap()), NOW.wall_ms);
        builder.build(number)
    };
    let log = Arc::new(Offsets((0..COMMITS).map(commit).collect()));
    let mut group = criterion.benchmark_group("groups");
    group.throughput(Throughput::Elements(COMMITS as u64));
    group.bench_function("replay", |bench| {
        let fresh = || {
            let coordinator =
                Coordinator::new(Settings { offsets_topic_partitions: 1, ..Settings::default() });
            coordinator.begin_load(0, LeaderEpoch(0), log.clone());
            coordinator
        };
        bench.iter_batched(fresh, |it| it.load(0, NOW).unwrap(), BatchSize::PerIteration);
    });
    group.finish();
}

criterion_group!(micro, batches, log, requests, replay);
criterion_main!(micro);
