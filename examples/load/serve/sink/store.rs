//! What the fake broker remembers: where each partition ends, and its newest batches once somebody looks.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Result, bail};
use bytes::{Bytes, BytesMut};
use milena::wire::batch::{Batch, BatchBuilder, BatchHeader};
use tokio::sync::Notify;

use crate::payload::Payloads;
use crate::raw::roundtrip::now_ms;

/// Bytes of its newest batches that a partition keeps.
const KEPT_BYTES: usize = 64 << 20;
/// Bytes of a batch's head that say where it stands; they are not under its checksum.
const HEAD_BYTES: usize = 16;

pub(super) struct Store {
    logs: Mutex<HashMap<(String, i32), Log>>,
    topics: Mutex<Vec<String>>,
    /// Whether anybody has asked where a partition ends, or fetched: before, nothing is copied, so that producing costs as
    /// little as it can.
    watched: AtomicBool,
    /// Rings when a batch was kept.
    pub(super) news: Notify,
}

#[derive(Default)]
struct Log {
    end: i64,
    kept: VecDeque<Kept>,
    kept_bytes: usize,
}

struct Kept {
    next: i64,
    batch: Bytes,
}

impl Store {
    pub(super) fn new(topics: impl Iterator<Item = String>) -> Self {
        Self {
            logs: Mutex::default(),
            topics: Mutex::new(topics.collect()),
            watched: AtomicBool::new(false),
            news: Notify::new(),
        }
    }

    /// All topics that anybody knows.
    pub(super) fn topics(&self) -> Vec<String> {
        lock(&self.topics).clone()
    }

    /// A topic that was asked for exists from then on.
    pub(super) fn know(&self, topic: &str) {
        let mut topics = lock(&self.topics);
        if !topics.iter().any(|known| known == topic) {
            topics.push(topic.to_owned());
        }
    }

    /// Where the partition ends; what is appended from now on is kept for whoever reads from there.
    pub(super) fn end(&self, topic: &str, partition: i32) -> i64 {
        self.watched.store(true, Ordering::Relaxed);
        lock(&self.logs).get(&(topic.to_owned(), partition)).map_or(0, |log| log.end)
    }

    /// Takes a batch; gives its first offset.
    pub(super) fn append(&self, topic: &str, partition: i32, batch: &Bytes) -> Result<i64> {
        let header = BatchHeader::parse(batch)?;
        let mut logs = lock(&self.logs);
        let log = logs.entry((topic.to_owned(), partition)).or_default();
        let base = log.end;
        log.end += i64::from(header.last_offset_delta) + 1;
        if self.watched.load(Ordering::Relaxed) {
            log.keep(&Batch { header, bytes: batch.clone() }, base);
            drop(logs);
            self.news.notify_waiters();
        }
        Ok(base)
    }

    /// The newest batches from this offset on, and where the partition ends. What is no longer kept is left out, as if it
    /// had been compacted away.
    pub(super) fn read(&self, topic: &str, partition: i32, offset: i64, bytes_max: usize) -> (Bytes, i64) {
        self.watched.store(true, Ordering::Relaxed);
        let logs = lock(&self.logs);
        let Some(log) = logs.get(&(topic.to_owned(), partition)) else { return (Bytes::new(), 0) };
        let from = log.kept.partition_point(|kept| kept.next <= offset);
        let mut batches = log.kept.range(from..).map(|kept| &kept.batch);
        let Some(first) = batches.next() else { return (Bytes::new(), log.end) };
        let mut all = BytesMut::from(&first[..]);
        for batch in batches {
            if all.len() + batch.len() > bytes_max {
                break;
            }
            all.extend_from_slice(batch);
        }
        (all.freeze(), log.end)
    }
}

impl Log {
    fn keep(&mut self, batch: &Batch, base: i64) {
        let moved = [&batch.head(base, 0)[..], &batch.bytes[HEAD_BYTES..]].concat();
        self.kept_bytes += moved.len();
        self.kept.push_back(Kept { next: self.end, batch: moved.into() });
        while self.kept_bytes > KEPT_BYTES {
            let Some(oldest) = self.kept.pop_front() else { break };
            self.kept_bytes -= oldest.batch.len();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A batch that stands wherever it is asked for.
pub(super) struct Prepared {
    batch: Batch,
}

impl Prepared {
    pub(super) fn new(value_bytes: usize, bytes: usize) -> Result<Self> {
        let payloads = Payloads::new(value_bytes);
        let now = now_ms();
        let mut builder = BatchBuilder::new(now);
        for index in 0.. {
            if builder.size_bytes() + value_bytes > bytes && !builder.is_empty() {
                break;
            }
            builder.push(None, Some(payloads.get(index)), now);
        }
        let batch = builder.build(0);
        if batch.bytes.len() < HEAD_BYTES {
            bail!("a batch without a head");
        }
        Ok(Self { batch })
    }

    /// The whole batch, which `place` gives its offset.
    pub(super) fn bytes(&self) -> Bytes {
        self.batch.bytes.clone()
    }

    /// Puts the batch at its offsets: the chunks that are this batch, in their order.
    pub(super) fn place(&self, chunks: Vec<Bytes>, offsets: &[i64]) -> Vec<Bytes> {
        let mut offsets = offsets.iter();
        let mut placed = Vec::with_capacity(chunks.len() * 2);
        for chunk in chunks {
            let own = chunk.as_ptr() == self.batch.bytes.as_ptr();
            match own.then(|| offsets.next()).flatten() {
                Some(offset) => {
                    placed.push(Bytes::copy_from_slice(&self.batch.head(*offset, 0)));
                    placed.push(chunk.slice(HEAD_BYTES..));
                }
                None => placed.push(chunk),
            }
        }
        placed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(values: &[&str]) -> Bytes {
        let mut builder = BatchBuilder::new(0);
        for value in values {
            builder.push(None, Some(value.as_bytes()), 0);
        }
        builder.build(0).bytes
    }

    #[test]
    fn what_is_appended_behind_the_end_that_a_reader_asked_for_is_kept_at_its_offset() {
        let store = Store::new(std::iter::empty());
        assert_eq!(store.append("topic", 0, &batch(&["dropped", "too"])).unwrap(), 0);
        let end = store.end("topic", 0);
        assert_eq!(end, 2);
        assert_eq!(store.append("topic", 0, &batch(&["a", "b", "c"])).unwrap(), 2);
        store.append("topic", 0, &batch(&["d"])).unwrap();
        let (records, end) = store.read("topic", 0, end, 1 << 20);
        assert_eq!(end, 6);
        let first = Batch::parse(records.clone()).unwrap();
        let second = Batch::parse(records.slice(first.bytes.len()..)).unwrap();
        assert_eq!((first.header.base_offset, second.header.base_offset), (2, 5));
        assert!(first.crc_is_valid());
        let (behind, _) = store.read("topic", 0, 3, 0);
        assert_eq!(behind, first.bytes, "a whole batch, however little was asked for");
        assert!(store.read("topic", 0, 6, 1 << 20).0.is_empty());
    }

    #[test]
    fn a_partition_keeps_its_newest_batches_only() {
        let mut log = Log::default();
        let value = "x".repeat(KEPT_BYTES / 4);
        let batch = Batch::parse(batch(&[&value])).unwrap();
        for base in 0..10 {
            log.end = base + 1;
            log.keep(&batch, base);
        }
        let kept: Vec<i64> = log.kept.iter().map(|kept| kept.next).collect();
        assert_eq!(kept, [8, 9, 10]);
    }
}
