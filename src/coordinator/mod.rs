//! Groups and offsets as pure state machines, and the one shell that runs them.
//! It relies on a log per shard that is handed in, and on time that is handed in; it never looks into metadata,
//! never opens a partition and never speaks the wire protocol.

pub mod answer;
pub mod command;
mod group;
pub mod group_log;
mod loader;
mod machine;
pub mod memory;
mod offsets;
mod record;
mod records;
pub mod settings;
mod shard;
mod subscription;
mod timers;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicI64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::Notify;

pub use answer::{Answer, BoxFuture};
use command::{
    Command, Commit, CommittedTopic, DeleteOffsets, Description, Fetch, FetchedTopic, FromReply, Heartbeat,
    Join, JoinAnswer, Judge, Leave, LeftMember, ListFilter, ListedGroup, SyncAnswer, SyncGroup,
};
pub use group_log::GroupLog;
pub use loader::LoadReport;
use records::STRING_BYTES_MAX;
pub use settings::Settings;
use shard::{NEVER_MS, Shard};

use crate::types::{Clock, ErrorCode, LeaderEpoch, Now, TopicName};

/// What a generated member id adds to the client's or instance's id: a dash and a UUID.
const MEMBER_ID_SUFFIX_BYTES: usize = 37;

type Shards = BTreeMap<i32, Arc<Shard>>;

/// All shards of this broker: the only way to groups and committed offsets.
pub struct Coordinator {
    settings: Arc<Settings>,
    partitions: AtomicI32,
    shards: ArcSwap<Shards>,
    /// When the driver wakes up by itself, on the monotonic clock.
    wakes_at_ms: AtomicI64,
    wake: Notify,
}

impl Coordinator {
    /// A coordinator that is responsible for nothing yet.
    pub fn new(settings: Settings) -> Self {
        let partitions = AtomicI32::new(settings.offsets_topic_partitions.max(1));
        Self {
            settings: Arc::new(settings),
            partitions,
            shards: ArcSwap::default(),
            wakes_at_ms: AtomicI64::new(NEVER_MS),
            wake: Notify::new(),
        }
    }

    /// Tells how many partitions `__consumer_offsets` really has.
    pub fn set_partitions(&self, count: i32) {
        self.partitions.store(count.max(1), Ordering::Release);
    }

    /// The partition of `__consumer_offsets` that a group belongs to.
    pub fn partition_for(&self, group_id: &str) -> i32 {
        partition_for(group_id, self.partitions.load(Ordering::Acquire))
    }

    /// Makes this broker responsible for a partition from `epoch` on. Until [`Self::load`] has run, its groups are
    /// answered `COORDINATOR_LOAD_IN_PROGRESS`. An epoch older than the last one changes nothing.
    pub fn begin_load(&self, partition: i32, epoch: LeaderEpoch, log: Arc<dyn GroupLog>) {
        self.shards.rcu(|shards| {
            let mut shards = Shards::clone(shards);
            shards.entry(partition).or_default();
            shards
        });
        if let Some(shard) = self.shards.load().get(&partition) {
            shard.begin_load(epoch, log);
        }
    }

    /// Replays a partition's log and begins to answer for it. It reads files, so not on a runtime's worker unless
    /// the log is small. On failure the driver tries again every second.
    pub fn load(&self, partition: i32, now: Now) -> Result<LoadReport, ErrorCode> {
        let Some(shard) = self.shards.load().get(&partition).cloned() else {
            return Ok(LoadReport::default());
        };
        let result = shard.load(&self.settings, now);
        match &result {
            Ok(report) => tracing::debug!(partition, ?report, "groups are loaded"),
            Err(error) => tracing::error!(partition, %error, "groups could not be loaded"),
        }
        self.wake_for(&shard);
        result
    }

    /// Ends the responsibility for a partition: its groups are answered `NOT_COORDINATOR`, waiting ones at once.
    /// An epoch older than the last one changes nothing.
    pub fn unload(&self, partition: i32, epoch: LeaderEpoch) {
        if let Some(shard) = self.shards.load().get(&partition) {
            shard.unload(epoch);
        }
    }

    /// Ends the responsibility for every partition and forgets them: the broker stops, or their topic is deleted. A
    /// topic that is made again begins at an epoch of its own.
    pub fn remove_all(&self) {
        for shard in self.shards.swap(Arc::default()).values() {
            shard.unload(LeaderEpoch(i32::MAX));
        }
    }

    /// `JoinGroup`; refusals of the group are inside the answer.
    pub fn join(&self, join: Join, now: Now) -> Answer<JoinAnswer> {
        let stem = join.instance_id.as_ref().unwrap_or(&join.client_id);
        let strings =
            [&join.group_id, &join.member_id, &join.client_id, &join.client_host, &join.protocol_type];
        let names = join.protocols.iter().map(|protocol| &protocol.name);
        if is_too_long(strings.into_iter().chain(names)) {
            return Answer::refused(ErrorCode::InvalidRequest);
        }
        if stem.len() > STRING_BYTES_MAX - MEMBER_ID_SUFFIX_BYTES {
            // No record can hold the member id that would be made of it; Kafka finds out when it writes one.
            return Answer::refused(ErrorCode::UnknownServerError);
        }
        let group_id = join.group_id.clone();
        self.submit_to_named(&group_id, Command::Join(join), now)
    }

    /// `SyncGroup`; refusals of the group are inside the answer.
    pub fn sync(&self, sync: SyncGroup, now: Now) -> Answer<SyncAnswer> {
        let group_id = sync.group_id.clone();
        self.submit_to_named(&group_id, Command::Sync(sync), now)
    }

    /// Heartbeat. While the group's partition is loading, a heartbeat is taken on trust: the session will begin
    /// anew anyway.
    pub fn heartbeat(&self, heartbeat: Heartbeat, now: Now) -> Answer<()> {
        let group_id = heartbeat.group_id.clone();
        match self.submit_to_named(&group_id, Command::Heartbeat(heartbeat), now) {
            Answer::Ready(Err(ErrorCode::CoordinatorLoadInProgress)) => Answer::Ready(Ok(())),
            answer => answer,
        }
    }

    /// `LeaveGroup`: one verdict a member.
    pub fn leave(&self, leave: Leave, now: Now) -> Answer<Vec<LeftMember>> {
        let group_id = leave.group_id.clone();
        self.submit_to_named(&group_id, Command::Leave(leave), now)
    }

    /// `OffsetCommit`: one verdict a partition. The empty group id is allowed, as it always was.
    pub fn commit(&self, commit: Commit, now: Now) -> Answer<Vec<CommittedTopic>> {
        let topics = commit.topics.iter().map(|topic| topic.topic.len());
        let metadata = commit.topics.iter().flat_map(|topic| &topic.partitions);
        let metadata = metadata.filter_map(|partition| partition.metadata.as_ref().map(String::len));
        let within = |length: usize| length <= self.settings.offset_metadata_bytes_max.max(0) as usize;
        // Metadata that is over Kafka's configured bound is judged per partition.
        let longest = topics.chain(metadata.filter(|length| within(*length))).max().unwrap_or(0);
        if longest.max(commit.group_id.len()) > STRING_BYTES_MAX {
            return Answer::refused(ErrorCode::InvalidRequest);
        }
        let group_id = commit.group_id.clone();
        self.submit(&group_id, Command::Commit(commit), now)
    }

    /// `OffsetFetch` of one group. The empty group id is allowed, as it always was.
    pub fn fetch(&self, fetch: Fetch, now: Now) -> Answer<Vec<FetchedTopic>> {
        let group_id = fetch.group_id.clone();
        self.submit(&group_id, Command::Fetch(fetch), now)
    }

    /// `OffsetDelete`: one verdict a partition; `GROUP_SUBSCRIBED_TO_TOPIC` for what members consume,
    /// `NON_EMPTY_GROUP` for a group whose members do not tell what they consume.
    pub fn delete_offsets(&self, delete: DeleteOffsets, now: Now) -> Answer<Vec<CommittedTopic>> {
        let group_id = delete.group_id.clone();
        self.submit_to_named(&group_id, Command::DeleteOffsets(delete), now)
    }

    /// `DescribeGroups` of one group.
    pub fn describe(&self, group_id: &str, now: Now) -> Answer<Description> {
        self.submit(group_id, Command::Describe { group_id: group_id.into() }, now)
    }

    /// `DeleteGroups` of one group: `NON_EMPTY_GROUP`, or `GROUP_ID_NOT_FOUND`.
    pub fn delete(&self, group_id: &str, now: Now) -> Answer<()> {
        self.submit(group_id, Command::Delete { group_id: group_id.into() }, now)
    }

    /// `ListGroups` over all partitions that this broker is responsible for; one that is still loading fails it.
    pub async fn list(&self, filter: ListFilter, now: Now) -> Result<Vec<ListedGroup>, ErrorCode> {
        let shards: Vec<_> = self.shards.load().values().cloned().collect();
        let mut all = Vec::new();
        for shard in shards.iter().filter(|shard| shard.is_responsible()) {
            let answer: Answer<Vec<ListedGroup>> = shard.submit(Command::List(filter.clone()), now);
            match answer.wait().await {
                Ok(groups) => all.extend(groups),
                Err(ErrorCode::NotCoordinator) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    /// Deletes the committed offsets of topics that are gone, on every partition. The records are appended when
    /// this returns; a partition that is loading does it when it has loaded.
    pub fn topics_deleted(&self, topics: &HashSet<TopicName>, now: Now) {
        for (partition, shard) in self.shards.load().iter() {
            if let Err(error) = shard.delete_topics(topics, now) {
                tracing::warn!(partition, topics = topics.len(), %error, "offsets of deleted topics stay");
            }
            self.wake_for(shard);
        }
    }

    /// Deletes the committed offsets of topics that are gone by what they were committed for: a crash may come
    /// between a topic's deletion and [`Self::topics_deleted`]. Cuts those above the end of a log that lost records.
    /// Called at the start, before anybody can commit.
    pub fn mend_offsets(&self, judge: Judge<'_>, now: Now) {
        for (partition, shard) in self.shards.load().iter() {
            if let Err(error) = shard.mend_offsets(judge, now) {
                tracing::warn!(partition, %error, "offsets that a crash left wrong stay");
            }
        }
    }

    /// When [`Self::expire`] has something to do next, on the monotonic clock.
    pub fn next_deadline_ms(&self) -> Option<i64> {
        let earliest = self.shards.load().values().map(|shard| shard.deadline_ms()).min();
        earliest.filter(|at| *at != NEVER_MS)
    }

    /// Ends sessions, rebalances and offsets whose time is over.
    pub fn expire(&self, now: Now) {
        for shard in self.shards.load().values() {
            shard.expire(now);
        }
    }

    /// Partitions that have to be replayed again with [`Self::load`]: an append was refused, or the last load
    /// failed.
    pub fn due_loads(&self, now: Now) -> Vec<i32> {
        let shards = self.shards.load();
        let due =
            shards.iter().filter(|(_, shard)| shard.deadline_ms() <= now.mono_ms && shard.needs_load(now));
        due.map(|(partition, _)| *partition).collect()
    }

    /// Completes when the next deadline is over, or when an earlier one has appeared.
    pub async fn wait_for_deadline(&self, clock: &dyn Clock) {
        // Between here and the store below a new deadline leaves a permit, and the wait ends at once.
        self.wakes_at_ms.store(NEVER_MS, Ordering::SeqCst);
        let Some(at) = self.next_deadline_ms() else { return self.wake.notified().await };
        self.wakes_at_ms.store(at, Ordering::SeqCst);
        let wait_ms = at.saturating_sub(clock.now().mono_ms);
        let Ok(wait_ms) = u64::try_from(wait_ms) else { return };
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(wait_ms)) => {}
            () = self.wake.notified() => {}
        }
    }

    fn submit_to_named<T: FromReply>(&self, group_id: &str, command: Command, now: Now) -> Answer<T> {
        if group_id.is_empty() {
            return Answer::refused(ErrorCode::InvalidGroupId);
        }
        self.submit(group_id, command, now)
    }

    fn submit<T: FromReply>(&self, group_id: &str, command: Command, now: Now) -> Answer<T> {
        let shards = self.shards.load();
        let Some(shard) = shards.get(&self.partition_for(group_id)) else {
            return Answer::refused(ErrorCode::NotCoordinator);
        };
        let answer = shard.submit(command, now);
        self.wake_for(shard);
        answer
    }

    fn wake_for(&self, shard: &Shard) {
        if shard.deadline_ms() < self.wakes_at_ms.load(Ordering::SeqCst) {
            self.wake.notify_one();
        }
    }
}

/// Runs the deadlines of all shards until it is dropped; the owner of all tasks spawns it once.
pub async fn drive(coordinator: Arc<Coordinator>, clock: Arc<dyn Clock>) {
    loop {
        coordinator.wait_for_deadline(&*clock).await;
        let now = clock.now();
        for partition in coordinator.due_loads(now) {
            let loading = coordinator.clone();
            // A failed load is logged there and tried again.
            let _ = tokio::task::spawn_blocking(move || loading.load(partition, now)).await;
        }
        coordinator.expire(now);
    }
}

fn is_too_long<'a>(mut strings: impl Iterator<Item = &'a String>) -> bool {
    strings.any(|string| string.len() > STRING_BYTES_MAX)
}

/// Kafka's hash: `abs(hashCode)` of the id as a Java string modulo the number of partitions, with 0 for the one
/// hash code that has no absolute value.
fn partition_for(group_id: &str, partitions: i32) -> i32 {
    java_hash(group_id).checked_abs().unwrap_or(0) % partitions.max(1)
}

/// A Java string's `hashCode`.
fn java_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}
