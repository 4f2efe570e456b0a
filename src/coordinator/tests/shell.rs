//! The shell: what leaves when, failed appends, loads, and the driver's deadlines.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::task::{Context, Poll, Waker};

use tokio::sync::watch;

use super::*;
use crate::coordinator::answer::{Answer, BoxFuture};
use crate::coordinator::group_log::GroupLog;
use crate::coordinator::{Coordinator, drive, partition_for};
use crate::types::{Clock, LeaderEpoch, Offset};
use crate::wire::batch::{Batch, BatchBuilder};

/// A log in memory whose commits and failures are made by the test.
struct MemoryLog {
    bytes: Mutex<Vec<(i64, Bytes)>>,
    end: AtomicI64,
    committed: watch::Sender<i64>,
    holds_commits: AtomicBool,
    refuses: AtomicBool,
    unreadable: AtomicBool,
    /// What happens while the log is read.
    meanwhile: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl MemoryLog {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            bytes: Mutex::default(),
            end: AtomicI64::new(0),
            committed: watch::Sender::new(0),
            holds_commits: AtomicBool::new(false),
            refuses: AtomicBool::new(false),
            unreadable: AtomicBool::new(false),
            meanwhile: Mutex::new(None),
        })
    }

    fn put(&self, batch: &Batch) {
        let base = self.end.load(Ordering::SeqCst);
        let mut bytes = batch.head(base, 0).to_vec();
        bytes.extend_from_slice(&batch.bytes[16..]);
        self.bytes.lock().unwrap().push((base, bytes.into()));
        let end = base + i64::from(batch.header.last_offset_delta) + 1;
        self.end.store(end, Ordering::SeqCst);
        if !self.holds_commits.load(Ordering::SeqCst) {
            self.commit();
        }
    }

    fn commit(&self) {
        self.committed.send_replace(self.end.load(Ordering::SeqCst));
    }
}

impl GroupLog for MemoryLog {
    fn append(&self, batch: Batch, _: Now) -> Result<Offset, ErrorCode> {
        if self.refuses.load(Ordering::SeqCst) {
            return Err(ErrorCode::KafkaStorageError);
        }
        assert!(batch.bytes.len() <= self.batch_bytes_max());
        self.put(&batch);
        Ok(Offset(self.end.load(Ordering::SeqCst)))
    }

    fn committed(&self) -> Offset {
        Offset(*self.committed.borrow())
    }

    fn wait_committed(&self, upto: Offset) -> BoxFuture<Result<(), ErrorCode>> {
        let mut committed = self.committed.subscribe();
        Box::pin(async move {
            let reached = committed.wait_for(|end| *end >= upto.0).await;
            reached.map(|_| ()).or(Err(ErrorCode::NotLeaderOrFollower))
        })
    }

    fn bounds(&self) -> Result<(Offset, Offset), ErrorCode> {
        if self.unreadable.load(Ordering::SeqCst) {
            return Err(ErrorCode::KafkaStorageError);
        }
        Ok((Offset::ZERO, Offset(self.end.load(Ordering::SeqCst))))
    }

    fn read(&self, from: Offset, _: usize) -> Result<Bytes, ErrorCode> {
        if let Some(act) = self.meanwhile.lock().unwrap().take() {
            act();
        }
        let batches = self.bytes.lock().unwrap();
        let found = batches.iter().rev().find(|(base, _)| *base <= from.0);
        Ok(found.map(|(_, bytes)| bytes.clone()).unwrap_or_default())
    }

    fn batch_bytes_max(&self) -> usize {
        100_000
    }
}

const NOW: Now = Now { mono_ms: 5_000, wall_ms: 1_700_000_000_000 };

fn coordinator(log: &Arc<MemoryLog>) -> Arc<Coordinator> {
    let coordinator = Coordinator::new(Settings::default());
    coordinator.set_partitions(1);
    coordinator.begin_load(0, LeaderEpoch(1), log.clone());
    coordinator.load(0, NOW).unwrap();
    Arc::new(coordinator)
}

fn ready<T>(answer: Answer<T>) -> Result<T, ErrorCode> {
    match answer {
        Answer::Ready(result) => result,
        Answer::Later(mut future) => match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => result,
            Poll::Pending => panic!("the answer is not there yet"),
        },
    }
}

fn is_pending<T>(answer: &mut Answer<T>) -> bool {
    match answer {
        Answer::Ready(_) => false,
        Answer::Later(future) => future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending(),
    }
}

/// One member in a stable group: its id and generation.
fn stable_member(coordinator: &Coordinator) -> (String, i32) {
    let told = ready(coordinator.join(join("a"), NOW)).unwrap();
    let joined = ready(coordinator.join(Join { member_id: told.member_id, ..join("a") }, NOW)).unwrap();
    let synced = ready(coordinator.sync(sync_of(&joined), NOW)).unwrap();
    assert_eq!(synced.error, None);
    (joined.member_id, joined.generation)
}

fn sync_of(joined: &JoinAnswer) -> SyncGroup {
    SyncGroup {
        group_id: GROUP.into(),
        member_id: joined.member_id.clone(),
        generation: joined.generation,
        assignments: vec![(joined.member_id.clone(), Bytes::from_static(b"p"))],
        ..SyncGroup::default()
    }
}

fn beat(member_id: &str, generation: i32) -> Heartbeat {
    Heartbeat { group_id: GROUP.into(), member_id: member_id.into(), generation, instance_id: None }
}

fn fetch_one() -> Fetch {
    Fetch { group_id: GROUP.into(), topics: Some(vec![("orders".into(), vec![0])]), require_stable: false }
}

#[test]
fn groups_are_spread_by_javas_hash_of_utf_16() {
    // Values of `Math.abs("…".hashCode()) % 50` in Java.
    for (group, partition) in
        [("tx-group", 10), ("readers", 28), ("joined-classic", 34), ("joined-consumer", 34)]
    {
        assert_eq!(partition_for(group, 50), partition, "{group}");
    }
    assert_eq!(partition_for("", 50), 0);
    // Its hash code is the one that has no absolute value.
    assert_eq!(partition_for("polygenelubricants", 50), 0);
    // A pair of surrogates: 0xD83D * 31 + 0xDE00.
    assert_eq!(partition_for("😀", 1_000_000), (0xD83D * 31 + 0xDE00) % 1_000_000);
}

#[test]
fn nothing_is_answered_without_responsibility_or_before_the_load_is_done() {
    let coordinator = Coordinator::new(Settings::default());
    coordinator.set_partitions(1);
    assert_eq!(ready(coordinator.join(join("a"), NOW)), Err(ErrorCode::NotCoordinator));
    let log = MemoryLog::new();
    coordinator.begin_load(0, LeaderEpoch(3), log.clone());
    assert_eq!(ready(coordinator.join(join("a"), NOW)), Err(ErrorCode::CoordinatorLoadInProgress));
    assert_eq!(ready(coordinator.fetch(fetch_one(), NOW)), Err(ErrorCode::CoordinatorLoadInProgress));
    assert_eq!(
        ready(coordinator.heartbeat(beat("m", 1), NOW)),
        Ok(()),
        "heartbeats are taken on trust meanwhile"
    );
    coordinator.load(0, NOW).unwrap();
    assert!(ready(coordinator.join(join("a"), NOW)).is_ok());
    coordinator.unload(0, LeaderEpoch(2));
    assert!(ready(coordinator.join(join("b"), NOW)).is_ok(), "an older epoch changes nothing");
    coordinator.unload(0, LeaderEpoch(4));
    assert_eq!(ready(coordinator.join(join("a"), NOW)), Err(ErrorCode::NotCoordinator));
    coordinator.begin_load(0, LeaderEpoch(3), log);
    assert_eq!(ready(coordinator.join(join("a"), NOW)), Err(ErrorCode::NotCoordinator));
}

#[test]
fn an_empty_group_id_is_allowed_for_offsets_alone() {
    let coordinator = coordinator(&MemoryLog::new());
    let none = String::new;
    assert_eq!(
        ready(coordinator.join(Join { group_id: none(), ..join("a") }, NOW)),
        Err(ErrorCode::InvalidGroupId)
    );
    assert_eq!(ready(coordinator.sync(SyncGroup::default(), NOW)), Err(ErrorCode::InvalidGroupId));
    assert_eq!(ready(coordinator.heartbeat(Heartbeat::default(), NOW)), Err(ErrorCode::InvalidGroupId));
    assert_eq!(ready(coordinator.leave(Leave::default(), NOW)), Err(ErrorCode::InvalidGroupId));
    let offsets = Commit { group_id: none(), ..commit(-1, &[("orders", 0, 3)]) };
    ready(coordinator.commit(offsets, NOW)).unwrap();
    let fetched = ready(coordinator.fetch(Fetch { group_id: none(), ..fetch_one() }, NOW)).unwrap();
    assert_eq!(fetched[0].partitions[0].offset, 3);
}

#[test]
fn strings_that_no_record_can_hold_are_refused() {
    let coordinator = coordinator(&MemoryLog::new());
    let long = || "x".repeat(40_000);
    let joins = [
        Join { group_id: long(), ..join("a") },
        join(&long()),
        Join { protocols: vec![protocol(&long(), &["t"])], ..join("a") },
    ];
    for odd in joins {
        assert_eq!(ready(coordinator.join(odd, NOW)), Err(ErrorCode::InvalidRequest));
    }
    let offsets = commit(-1, &[(&long(), 0, 1)]);
    assert_eq!(ready(coordinator.commit(offsets, NOW)), Err(ErrorCode::InvalidRequest));
}

#[test]
fn an_id_that_leaves_no_room_for_a_member_id_is_refused_as_by_kafka() {
    let coordinator = coordinator(&MemoryLog::new());
    let long = || "x".repeat(i16::MAX as usize - 36);
    for odd in [Join { instance_id: Some(long()), ..join("a") }, Join { client_id: long(), ..join("a") }] {
        assert_eq!(ready(coordinator.join(odd, NOW)), Err(ErrorCode::UnknownServerError));
    }
}

#[test]
fn a_restart_is_a_replay_of_the_log() {
    let log = MemoryLog::new();
    let first = coordinator(&log);
    let (member, generation) = stable_member(&first);
    ready(first.commit(Commit { member_id: member.clone(), ..commit(generation, &[("orders", 0, 9)]) }, NOW))
        .unwrap();
    let second = coordinator(&log);
    assert_eq!(ready(second.heartbeat(beat(&member, generation), NOW)), Ok(()));
    assert_eq!(ready(second.fetch(fetch_one(), NOW)).unwrap()[0].partitions[0].offset, 9);
}

#[test]
fn every_answer_waits_for_what_it_was_decided_on() {
    let log = MemoryLog::new();
    let coordinator = coordinator(&log);
    let (member, generation) = stable_member(&coordinator);
    log.holds_commits.store(true, Ordering::SeqCst);
    let offsets = Commit { member_id: member.clone(), ..commit(generation, &[("orders", 0, 9)]) };
    let mut written = coordinator.commit(offsets, NOW);
    let mut read = coordinator.fetch(fetch_one(), NOW);
    let mut refused = coordinator.heartbeat(beat(&member, generation + 1), NOW);
    assert!(is_pending(&mut written) && is_pending(&mut read) && is_pending(&mut refused));
    log.commit();
    assert!(ready(written).is_ok());
    assert_eq!(ready(read).unwrap()[0].partitions[0].offset, 9);
    assert_eq!(ready(refused), Err(ErrorCode::IllegalGeneration));
}

#[test]
fn an_answer_that_is_dropped_undoes_nothing() {
    let log = MemoryLog::new();
    let coordinator = coordinator(&log);
    log.holds_commits.store(true, Ordering::SeqCst);
    drop(coordinator.commit(commit(-1, &[("orders", 0, 9)]), NOW));
    log.commit();
    assert_eq!(ready(coordinator.fetch(fetch_one(), NOW)).unwrap()[0].partitions[0].offset, 9);
}

#[test]
fn uncommitted_records_are_bounded() {
    let log = MemoryLog::new();
    let coordinator = coordinator(&log);
    log.holds_commits.store(true, Ordering::SeqCst);
    let offsets: Vec<_> = (0..500).map(|partition| ("orders", partition, 1)).collect();
    let mut refusals = 0;
    for _ in 0..120 {
        let answer = coordinator.commit(commit(-1, &offsets), NOW);
        refusals += usize::from(matches!(answer, Answer::Ready(Err(ErrorCode::CoordinatorNotAvailable))));
    }
    assert_eq!(refusals, 19);
    log.holds_commits.store(false, Ordering::SeqCst);
    log.commit();
    assert!(ready(coordinator.commit(commit(-1, &offsets), NOW)).is_ok());
}

#[test]
fn a_refused_append_discards_the_shard_and_what_was_recorded_comes_back() {
    let log = MemoryLog::new();
    let coordinator = coordinator(&log);
    let (member, generation) = stable_member(&coordinator);
    let mut parked = coordinator.join(Join { member_id_required: false, ..join("b") }, NOW);
    assert!(is_pending(&mut parked));
    log.refuses.store(true, Ordering::SeqCst);
    let offsets = Commit { member_id: member.clone(), ..commit(generation, &[("orders", 0, 9)]) };
    assert_eq!(ready(coordinator.commit(offsets, NOW)), Err(ErrorCode::NotCoordinator));
    assert_eq!(ready(parked), Err(ErrorCode::NotCoordinator));
    assert_eq!(ready(coordinator.fetch(fetch_one(), NOW)), Err(ErrorCode::CoordinatorLoadInProgress));
    assert_eq!(coordinator.due_loads(NOW), [0]);
    log.refuses.store(false, Ordering::SeqCst);
    coordinator.load(0, NOW).unwrap();
    assert!(coordinator.due_loads(NOW).is_empty());
    assert_eq!(
        ready(coordinator.heartbeat(beat(&member, generation), NOW)),
        Ok(()),
        "as before the rebalance"
    );
    assert_eq!(ready(coordinator.fetch(fetch_one(), NOW)).unwrap()[0].partitions[0].offset, -1);
}

#[test]
fn a_load_that_fails_is_tried_again_a_second_later() {
    let log = MemoryLog::new();
    log.bytes.lock().unwrap().push((0, Bytes::from_static(b"no batch")));
    log.end.store(1, Ordering::SeqCst);
    let coordinator = Coordinator::new(Settings::default());
    coordinator.set_partitions(1);
    coordinator.begin_load(0, LeaderEpoch(1), log.clone());
    assert_eq!(coordinator.load(0, NOW), Err(ErrorCode::CorruptMessage));
    assert!(coordinator.due_loads(NOW).is_empty());
    assert_eq!(coordinator.next_deadline_ms(), Some(NOW.mono_ms + 1_000));
    assert_eq!(coordinator.due_loads(NOW.after_ms(1_000)), [0]);
    assert_eq!(ready(coordinator.fetch(fetch_one(), NOW)), Err(ErrorCode::CoordinatorLoadInProgress));
}

#[test]
fn a_batch_that_fails_its_checksum_fails_the_load() {
    let mut builder = BatchBuilder::new(0);
    builder.push(Some(b"key"), Some(b"value"), 0);
    let mut bytes = builder.build(0).bytes.to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    let log = MemoryLog::new();
    log.put(&Batch::parse(bytes.into()).unwrap());
    let coordinator = Coordinator::new(Settings::default());
    coordinator.set_partitions(1);
    coordinator.begin_load(0, LeaderEpoch(1), log.clone());
    assert_eq!(coordinator.load(0, NOW), Err(ErrorCode::CorruptMessage));
}

#[test]
fn a_log_that_cannot_be_opened_is_not_taken_for_an_empty_one() {
    let log = MemoryLog::new();
    ready(coordinator(&log).commit(commit(-1, &[("orders", 0, 9)]), NOW)).unwrap();
    log.unreadable.store(true, Ordering::SeqCst);
    let loading = Coordinator::new(Settings::default());
    loading.set_partitions(1);
    loading.begin_load(0, LeaderEpoch(1), log.clone());
    assert_eq!(loading.load(0, NOW), Err(ErrorCode::KafkaStorageError));
    assert_eq!(ready(loading.fetch(fetch_one(), NOW)), Err(ErrorCode::CoordinatorLoadInProgress));
    log.unreadable.store(false, Ordering::SeqCst);
    loading.load(0, NOW.after_ms(1_000)).unwrap();
    assert_eq!(ready(loading.fetch(fetch_one(), NOW)).unwrap()[0].partitions[0].offset, 9);
}

#[test]
fn a_topic_deleted_while_its_offsets_are_loaded_loses_them_afterwards() {
    let log = MemoryLog::new();
    ready(coordinator(&log).commit(commit(-1, &[("orders", 0, 9), ("kept", 0, 1)]), NOW)).unwrap();
    let loading = Coordinator::new(Settings::default());
    loading.set_partitions(1);
    loading.begin_load(0, LeaderEpoch(1), log.clone());
    loading.topics_deleted(&["orders".into()].into(), NOW);
    loading.load(0, NOW).unwrap();
    assert_eq!(ready(loading.fetch(fetch_one(), NOW)).unwrap()[0].partitions[0].offset, -1);
    loading.topics_deleted(&["kept".into()].into(), NOW);
    let all = Fetch { topics: None, ..fetch_one() };
    assert!(ready(coordinator(&log).fetch(all, NOW)).unwrap().is_empty(), "the tombstones are on record");
}

#[test]
fn a_deleted_topics_tombstones_that_are_refused_are_written_after_the_next_load() {
    let log = MemoryLog::new();
    let coordinator = coordinator(&log);
    ready(coordinator.commit(commit(-1, &[("orders", 0, 9)]), NOW)).unwrap();
    log.refuses.store(true, Ordering::SeqCst);
    coordinator.topics_deleted(&["orders".into()].into(), NOW);
    log.refuses.store(false, Ordering::SeqCst);
    coordinator.load(0, NOW).unwrap();
    assert_eq!(ready(coordinator.fetch(fetch_one(), NOW)).unwrap()[0].partitions[0].offset, -1);
}

#[test]
fn a_load_that_another_epoch_overtakes_has_no_effect() {
    let log = MemoryLog::new();
    ready(coordinator(&log).commit(commit(-1, &[("orders", 0, 9)]), NOW)).unwrap();
    let loading = Arc::new(Coordinator::new(Settings::default()));
    loading.set_partitions(1);
    loading.begin_load(0, LeaderEpoch(1), log.clone());
    let (overtaking, newer) = (loading.clone(), MemoryLog::new());
    *log.meanwhile.lock().unwrap() = Some(Box::new(move || overtaking.begin_load(0, LeaderEpoch(2), newer)));
    loading.load(0, NOW).unwrap();
    assert_eq!(ready(loading.fetch(fetch_one(), NOW)), Err(ErrorCode::CoordinatorLoadInProgress));
    loading.load(0, NOW).unwrap();
    assert_eq!(ready(loading.fetch(fetch_one(), NOW)).unwrap()[0].partitions[0].offset, -1);
}

#[test]
fn a_load_sees_transactions_as_they_ended_and_skips_what_it_does_not_know() {
    let log = MemoryLog::new();
    let offset = |topic: &str, offset: i64| {
        let record = GroupRecord::Offset {
            group: GROUP.into(),
            topic: topic.into(),
            partition: 0,
            value: Some(crate::coordinator::record::OffsetValue {
                offset,
                leader_epoch: -1,
                metadata: "".into(),
                commit_ms: NOW.wall_ms,
                expire_ms: None,
                topic_id: crate::types::TopicId::ZERO,
            }),
        };
        crate::coordinator::records::encode(&record).unwrap()
    };
    for (producer, topic) in [(1, "committed"), (2, "aborted"), (3, "open")] {
        let mut batch = BatchBuilder::new(NOW.wall_ms).producer(producer, 0, 0).transactional();
        let encoded = offset(topic, producer * 10);
        batch.push(Some(&encoded.key), encoded.value.as_deref(), NOW.wall_ms);
        log.put(&batch.build(0));
    }
    for (producer, kind) in [(1, 1), (2, 0)] {
        let mut marker = BatchBuilder::new(NOW.wall_ms).producer(producer, 0, -1).transactional().control();
        marker.push(Some(&[0, 0, 0, kind]), Some(&[0, 0, 0, 0, 0, 0]), NOW.wall_ms);
        log.put(&marker.build(0));
    }
    let mut odd = BatchBuilder::new(NOW.wall_ms);
    odd.push(Some(&[0, 99, 1]), Some(b"of a later version"), NOW.wall_ms);
    odd.push(Some(&[0, 1, 0]), Some(b"broken"), NOW.wall_ms);
    odd.push(None, Some(b"without a key"), NOW.wall_ms);
    log.put(&odd.build(0));
    let coordinator = Coordinator::new(Settings::default());
    coordinator.set_partitions(1);
    coordinator.begin_load(0, LeaderEpoch(1), log.clone());
    let report = coordinator.load(0, NOW).unwrap();
    assert_eq!((report.groups, report.records, report.broken_records), (1, 3, 1));
    let all = Fetch { group_id: GROUP.into(), ..Fetch::default() };
    let fetched = ready(coordinator.fetch(all, NOW)).unwrap();
    assert_eq!((fetched.len(), &*fetched[0].topic, fetched[0].partitions[0].offset), (1, "committed", 10));
}

#[test]
fn many_tombstones_are_split_over_batches_that_the_log_takes() {
    let log = MemoryLog::new();
    let coordinator = coordinator(&log);
    for first in (0..10_000).step_by(500) {
        let offsets: Vec<_> = (first..first + 500).map(|partition| ("orders", partition, 1)).collect();
        ready(coordinator.commit(commit(-1, &offsets), NOW)).unwrap();
    }
    let before = log.bytes.lock().unwrap().len();
    coordinator.topics_deleted(&["orders".into()].into(), NOW);
    assert!(log.bytes.lock().unwrap().len() > before + 1);
    assert_eq!(ready(coordinator.fetch(fetch_one(), NOW)).unwrap()[0].partitions[0].offset, -1);
}

#[tokio::test]
async fn groups_of_all_partitions_are_listed_and_a_loading_one_fails_the_list() {
    let coordinator = Coordinator::new(Settings::default());
    coordinator.set_partitions(3);
    for partition in 0..3 {
        coordinator.begin_load(partition, LeaderEpoch(1), MemoryLog::new());
        coordinator.load(partition, NOW).unwrap();
    }
    for group in ["a", "b", "c", "d"] {
        let offsets = Commit { group_id: group.into(), ..commit(-1, &[("orders", 0, 1)]) };
        ready(coordinator.commit(offsets, NOW)).unwrap();
    }
    let mut ids: Vec<_> = coordinator.list(ListFilter::default(), NOW).await.unwrap();
    ids.sort_by(|a, b| a.group_id.cmp(&b.group_id));
    assert_eq!(ids.iter().map(|group| group.group_id.as_str()).collect::<Vec<_>>(), ["a", "b", "c", "d"]);
    coordinator.begin_load(1, LeaderEpoch(2), MemoryLog::new());
    assert_eq!(coordinator.list(ListFilter::default(), NOW).await, Err(ErrorCode::CoordinatorLoadInProgress));
}

/// The runtime's clock.
struct RuntimeClock(tokio::time::Instant);

impl Clock for RuntimeClock {
    fn now(&self) -> Now {
        NOW.after_ms(self.0.elapsed().as_millis() as i64)
    }
}

/// Lets the driver work until something is so; the test's own time limit is the runner's.
async fn until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn the_driver_wakes_for_deadlines_that_appear_and_loads_again_after_a_failure() {
    let log = MemoryLog::new();
    let settings = Settings { session_timeout_ms_min: 1, ..Settings::default() };
    let coordinator = Arc::new(Coordinator::new(settings));
    coordinator.set_partitions(1);
    let clock = Arc::new(RuntimeClock(tokio::time::Instant::now()));
    let driver = tokio::spawn(drive(coordinator.clone(), clock.clone()));
    tokio::task::yield_now().await;
    coordinator.begin_load(0, LeaderEpoch(1), log.clone());
    coordinator.load(0, clock.now()).unwrap();

    let short = Join { session_timeout_ms: 20, member_id_required: false, ..join("a") };
    let joined = ready(coordinator.join(short, clock.now())).unwrap();
    assert_eq!(joined.error, None);
    until(|| match ready(coordinator.describe(GROUP, clock.now())).unwrap() {
        Description::Group(group) => group.state == "Empty",
        _ => false,
    })
    .await;

    log.refuses.store(true, Ordering::SeqCst);
    let failed = ready(coordinator.commit(commit(-1, &[("orders", 0, 9)]), clock.now()));
    assert_eq!(failed, Err(ErrorCode::NotCoordinator));
    log.refuses.store(false, Ordering::SeqCst);
    until(|| ready(coordinator.fetch(fetch_one(), clock.now())) != Err(ErrorCode::CoordinatorLoadInProgress))
        .await;
    assert_eq!(ready(coordinator.fetch(fetch_one(), clock.now())).unwrap()[0].partitions[0].offset, -1);
    driver.abort();
}
