//! The state machine of one shard: its groups, their offsets and their deadlines.
//! Pure: no IO, no clock, no randomness. What `handle` and `expire` decide is already replayed here when they
//! return, through the same `replay` that a load uses; the shell appends it before anybody hears of it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;

use super::command::{
    Command, Commit, CommittedTopic, DeleteOffsets, DescribedGroup, Description, Fetch, Join, JoinAnswer,
    Judge, ListFilter, ListedGroup, Reply, SyncAnswer,
};
use super::group::{Group, GroupState};
use super::offsets::Offsets;
use super::record::{ForeignKind, GroupMetadata, GroupRecord};
use super::records;
use super::settings::Settings;
use super::timers::{Alarm, Timer, Timers};
use crate::types::{ErrorCode, Now, ProducerId, TopicName};

/// Names a command whose answer may come later, with another command's effects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Ticket(pub(crate) u64);

/// What a decision leads to: records to append, in order, and answers that wait for them.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    pub(crate) records: Vec<GroupRecord>,
    pub(crate) replies: Vec<(Ticket, Reply)>,
}

/// What a group may use while it decides.
pub(crate) struct Turn<'a> {
    pub(crate) now: Now,
    pub(crate) settings: &'a Settings,
    /// Bytes that one batch of the shard's log may have.
    pub(crate) batch_bytes_max: usize,
    pub(crate) timers: &'a mut Timers,
    effects: &'a mut Effects,
}

impl Turn<'_> {
    /// The monotonic moment `ms` from now.
    pub(crate) fn after_ms(&self, ms: i32) -> i64 {
        self.now.after_ms(i64::from(ms)).mono_ms
    }

    pub(crate) fn size_max(&self) -> usize {
        usize::try_from(self.settings.group_size_max).unwrap_or(0)
    }

    /// Hands a record that is applied already to the shell.
    pub(crate) fn emit(&mut self, record: GroupRecord) {
        self.effects.records.push(record);
    }

    pub(crate) fn answer_join(&mut self, ticket: Ticket, answer: JoinAnswer) {
        self.effects.replies.push((ticket, Reply::Join(answer)));
    }

    pub(crate) fn answer_sync(&mut self, ticket: Ticket, answer: SyncAnswer) {
        self.effects.replies.push((ticket, Reply::Sync(answer)));
    }
}

/// A group of a protocol that is not run here: its records are kept until a classic group takes its id.
#[derive(Debug)]
struct Foreign {
    kind: ForeignKind,
    keys: BTreeSet<Bytes>,
}

impl Foreign {
    /// A KIP-848 group is described as the empty one that it is to classic members, who may join it: while
    /// ConsumerGroupDescribe is not served, Kafka's tools ask here, and one refused group fails their whole listing.
    fn describe(&self) -> Description {
        match self.kind {
            ForeignKind::Consumer => Description::Group(DescribedGroup {
                state: GroupState::Empty.name(),
                protocol_type: self.kind.name().into(),
                protocol: String::new(),
                members: Vec::new(),
            }),
            ForeignKind::Share | ForeignKind::Streams => Description::NotClassic,
        }
    }
}

/// The groups of one partition of `__consumer_offsets`.
#[derive(Debug)]
pub(crate) struct Machine {
    settings: Arc<Settings>,
    groups: BTreeMap<Arc<str>, Group>,
    foreign: HashMap<Arc<str>, Foreign>,
    offsets: Offsets,
    timers: Timers,
    cleanup: Alarm,
    batch_bytes_max: usize,
    /// The position that the next record gets; the shard is the only writer of its log.
    position: i64,
}

impl Machine {
    /// A shard without records. `batch_bytes_max` bounds what one decision may write at once.
    pub(crate) fn new(settings: Arc<Settings>, batch_bytes_max: usize) -> Self {
        Self {
            offsets: Offsets::new(&settings.memory),
            settings,
            groups: BTreeMap::new(),
            foreign: HashMap::new(),
            timers: Timers::default(),
            cleanup: Alarm::default(),
            batch_bytes_max,
            position: 0,
        }
    }

    /// Decides on one command. Its own answer is among the replies unless it has to wait for other members.
    pub(crate) fn handle(&mut self, ticket: Ticket, command: Command, now: Now) -> Effects {
        let mut effects = Effects::default();
        let reply = match command {
            Command::Join(join) => {
                self.join(ticket, &join, now, &mut effects);
                None
            }
            Command::Sync(sync) => {
                if self.groups.contains_key(sync.group_id.as_str()) {
                    self.with_group(&sync.group_id, now, &mut effects, |group, turn| {
                        group.sync(ticket, &sync, turn);
                    });
                    None
                } else {
                    Some(Reply::Sync(SyncAnswer::refused(ErrorCode::UnknownMemberId)))
                }
            }
            Command::Heartbeat(heartbeat) => {
                let verdict = self.with_group(&heartbeat.group_id, now, &mut effects, |group, turn| {
                    group.heartbeat(&heartbeat, turn)
                });
                Some(Reply::Verdict(verdict.unwrap_or(Err(ErrorCode::UnknownMemberId))))
            }
            Command::Leave(leave) => {
                let left = self
                    .with_group(&leave.group_id, now, &mut effects, |group, turn| group.leave(&leave, turn));
                Some(Reply::Leave(left.unwrap_or_else(|| leave.unknown_members())))
            }
            Command::Commit(commit) => Some(Reply::Commit(self.commit(&commit, now, &mut effects))),
            Command::Fetch(fetch) => Some(Reply::Fetch(self.fetch(&fetch))),
            Command::DeleteOffsets(delete) => Some(Reply::Commit(self.delete_offsets(&delete, &mut effects))),
            Command::Describe { group_id } => Some(Reply::Describe(self.describe(&group_id))),
            Command::List(filter) => Some(Reply::List(self.list(&filter))),
            Command::Delete { group_id } => Some(Reply::Verdict(self.delete(&group_id, &mut effects))),
        };
        effects.replies.extend(reply.map(|reply| (ticket, reply)));
        self.position = self.position.saturating_add(effects.records.len() as i64);
        effects
    }

    /// Deletes the committed offsets of topics that are gone.
    pub(crate) fn delete_topics(&mut self, topics: &HashSet<TopicName>) -> Effects {
        let mut effects = Effects::default();
        self.write_all(self.offsets.delete_topics(topics), Now::default(), &mut effects);
        self.position = self.position.saturating_add(effects.records.len() as i64);
        effects
    }

    /// Deletes or cuts the committed offsets that a crash left behind what they were committed for.
    pub(crate) fn mend_offsets(&mut self, judge: Judge<'_>) -> Effects {
        let mut effects = Effects::default();
        self.write_all(self.offsets.mended(judge), Now::default(), &mut effects);
        self.position = self.position.saturating_add(effects.records.len() as i64);
        effects
    }

    /// When `expire` has something to do next, on the monotonic clock.
    pub(crate) fn deadline_ms(&self) -> Option<i64> {
        self.timers.next_ms()
    }

    /// Does what is due.
    pub(crate) fn expire(&mut self, now: Now) -> Effects {
        let mut effects = Effects::default();
        while let Some(timer) = self.timers.pop_due(now.mono_ms) {
            match timer {
                Timer::Session { group, member } => {
                    self.with_group(&group, now, &mut effects, |group, turn| {
                        group.on_session_alarm(&member, turn);
                    });
                }
                Timer::Join(group) => {
                    self.with_group(&group, now, &mut effects, Group::on_join_alarm);
                }
                Timer::Sync(group) => {
                    self.with_group(&group, now, &mut effects, Group::on_sync_alarm);
                }
                Timer::Cleanup => {
                    if self.cleanup.is_over(now.mono_ms, || Timer::Cleanup, &mut self.timers) {
                        self.expire_offsets(now, &mut effects);
                        self.schedule_cleanup(now);
                    }
                }
            }
        }
        self.position = self.position.saturating_add(effects.records.len() as i64);
        effects
    }

    /// Takes over one record of the log that stands at `position`. `producer` is the one whose transaction the
    /// record belongs to, or none.
    pub(crate) fn replay(&mut self, record: &GroupRecord, producer: ProducerId, position: i64, now: Now) {
        self.position = position.saturating_add(1);
        match record {
            GroupRecord::Metadata { group, value: Some(value) } => {
                let memory = &self.settings.memory;
                let new = || Group::new(group.clone(), memory, now);
                let group = self.groups.entry(group.clone()).or_insert_with(new);
                group.apply(value, &mut self.timers);
            }
            GroupRecord::Metadata { group, value: None } => {
                if let Some(group) = self.groups.remove(group) {
                    group.dismantle(&mut self.timers);
                }
            }
            GroupRecord::Offset { group, topic, partition, value } => {
                if value.is_some() && !self.groups.contains_key(group) && !self.foreign.contains_key(group) {
                    // Offsets without a group are those of a consumer that assigns its partitions itself.
                    let new = Group::new(group.clone(), &self.settings.memory, now);
                    self.groups.insert(group.clone(), new);
                }
                self.offsets.replay((group, topic, *partition), value.as_ref(), producer, position);
            }
            GroupRecord::Foreign { group, kind, key, present } => {
                self.replay_foreign(group, *kind, key, *present);
            }
        }
    }

    /// The end of a producer's transaction in the log, at `position`.
    pub(crate) fn replay_marker(&mut self, producer: ProducerId, commit: bool, position: i64) {
        self.position = position.saturating_add(1);
        self.offsets.end_transaction(producer, commit);
    }

    /// Called once after the log was replayed: sessions begin anew, and the search for expired offsets.
    pub(crate) fn loaded(&mut self, now: Now) -> Effects {
        let mut effects = Effects::default();
        let ids: Vec<_> = self.groups.keys().cloned().collect();
        for id in &ids {
            self.with_group(id, now, &mut effects, Group::loaded);
        }
        self.schedule_cleanup(now);
        self.position = self.position.saturating_add(effects.records.len() as i64);
        effects
    }

    /// How many groups there are.
    pub(crate) fn groups_count(&self) -> usize {
        self.groups.len()
    }

    /// Tells how large a batch the log takes now.
    pub(crate) fn set_batch_bytes_max(&mut self, bytes: usize) {
        self.batch_bytes_max = bytes;
    }

    fn schedule_cleanup(&mut self, now: Now) {
        let interval_ms = self.settings.offsets_check_interval_ms.max(1);
        self.cleanup.set(now.mono_ms.saturating_add(interval_ms), || Timer::Cleanup, &mut self.timers);
    }

    fn with_group<R>(
        &mut self,
        id: &str,
        now: Now,
        effects: &mut Effects,
        act: impl FnOnce(&mut Group, &mut Turn<'_>) -> R,
    ) -> Option<R> {
        let group = self.groups.get_mut(id)?;
        let mut turn = Turn {
            now,
            settings: &self.settings,
            batch_bytes_max: self.batch_bytes_max,
            timers: &mut self.timers,
            effects,
        };
        Some(act(group, &mut turn))
    }

    /// Decides on a record: replayed here, appended by the shell.
    fn write(&mut self, record: GroupRecord, now: Now, effects: &mut Effects) {
        let (next, behind) = (self.position, effects.records.len() as i64);
        self.replay(&record, ProducerId::NONE, next.saturating_add(behind), now);
        self.position = next;
        effects.records.push(record);
    }

    fn write_all(&mut self, records: Vec<GroupRecord>, now: Now, effects: &mut Effects) {
        for record in records {
            self.write(record, now, effects);
        }
    }

    fn join(&mut self, ticket: Ticket, join: &Join, now: Now, effects: &mut Effects) {
        if let Err(error) = self.prepare_join(join, now, effects) {
            let refusal = JoinAnswer::refused(error, join.member_id.as_str());
            return effects.replies.push((ticket, Reply::Join(refusal)));
        }
        self.with_group(&join.group_id, now, effects, |group, turn| group.join(ticket, join, turn));
    }

    /// Makes sure that there is a classic group to join.
    fn prepare_join(&mut self, join: &Join, now: Now, effects: &mut Effects) -> Result<(), ErrorCode> {
        let timeout = join.session_timeout_ms;
        if timeout < self.settings.session_timeout_ms_min || timeout > self.settings.session_timeout_ms_max {
            return Err(ErrorCode::InvalidSessionTimeout);
        }
        let id = join.group_id.as_str();
        let growth =
            self.groups.get(id).map_or_else(|| Group::growth_by_new(join), |group| group.growth(join));
        if !self.settings.memory.has_room(growth) {
            return Err(ErrorCode::GroupMaxSizeReached);
        }
        if self.groups.contains_key(id) {
            return Ok(());
        }
        let foreign = self.foreign.get(id).map(|foreign| foreign.kind);
        if foreign == Some(ForeignKind::Share) {
            return Err(ErrorCode::InconsistentGroupProtocol);
        }
        if !join.member_id.is_empty() {
            return Err(ErrorCode::UnknownMemberId);
        }
        if join.protocol_type.is_empty() || join.protocols.is_empty() {
            return Err(ErrorCode::InconsistentGroupProtocol);
        }
        self.take_over(id, now, effects);
        let empty = GroupMetadata { state_changed_ms: Some(now.wall_ms), ..GroupMetadata::default() };
        let record = GroupRecord::Metadata { group: id.into(), value: Some(empty) };
        self.write(record, now, effects);
        Ok(())
    }

    /// Deletes the records of another protocol's group before a classic group gets its id, or a real Kafka could
    /// not replay the log. None of its members can be alive: that protocol is not served here.
    fn take_over(&mut self, id: &str, now: Now, effects: &mut Effects) {
        let Some((id, foreign)) = self.foreign.remove_entry(id) else { return };
        tracing::info!(group = %id, kind = foreign.kind.name(), "a classic group takes over");
        let mut keys: Vec<Bytes> = foreign.keys.into_iter().collect();
        keys.sort_by_key(|key| std::cmp::Reverse(deletion_rank(key)));
        for key in keys {
            let record = GroupRecord::Foreign { group: id.clone(), kind: foreign.kind, key, present: false };
            self.write(record, now, effects);
        }
    }

    fn replay_foreign(&mut self, group: &Arc<str>, kind: ForeignKind, key: &Bytes, present: bool) {
        if present {
            // Committed offsets may stand before their group's records.
            if self.groups.get(group).is_some_and(Group::is_simple)
                && let Some(simple) = self.groups.remove(group)
            {
                simple.dismantle(&mut self.timers);
            }
            let foreign =
                self.foreign.entry(group.clone()).or_insert_with(|| Foreign { kind, keys: BTreeSet::new() });
            foreign.kind = kind;
            foreign.keys.insert(key.clone());
        } else if let Some(foreign) = self.foreign.get_mut(group) {
            foreign.keys.remove(key);
            if foreign.keys.is_empty() {
                self.foreign.remove(group);
            }
        }
    }

    fn commit(
        &mut self,
        commit: &Commit,
        now: Now,
        effects: &mut Effects,
    ) -> Result<Vec<CommittedTopic>, ErrorCode> {
        let id: Arc<str> = match self.groups.get_key_value(commit.group_id.as_str()) {
            Some((id, group)) => {
                group.validate_commit(&commit.member_id, commit.instance_id.as_deref(), commit.generation)?;
                id.clone()
            }
            None if commit.generation < 0 => commit.group_id.as_str().into(),
            None if self.foreign.contains_key(commit.group_id.as_str()) => {
                return Err(ErrorCode::UnknownMemberId);
            }
            None if commit.tells_unknown_group => return Err(ErrorCode::GroupIdNotFound),
            None => return Err(ErrorCode::IllegalGeneration),
        };
        self.with_group(&id, now, effects, |group, turn| group.committed(&commit.member_id, turn));
        let (records, verdicts) = Offsets::commit(commit, &id, now.wall_ms, &self.settings);
        // All partitions of one commit stand in one batch, so that a crash keeps all or none.
        let sizes = records.iter().map(records::size_bytes);
        let total = sizes.sum::<Option<usize>>();
        if total.is_none_or(|total| total > self.batch_bytes_max) {
            return Err(ErrorCode::UnknownServerError);
        }
        if !self.settings.memory.has_room(self.offsets.growth(&records)) {
            return Err(ErrorCode::InvalidCommitOffsetSize);
        }
        self.write_all(records, now, effects);
        Ok(verdicts)
    }

    fn fetch(&self, fetch: &Fetch) -> Vec<super::command::FetchedTopic> {
        self.offsets.fetch(fetch)
    }

    fn describe(&self, group_id: &str) -> Description {
        match self.groups.get(group_id) {
            Some(group) => Description::Group(group.describe()),
            None => self.foreign.get(group_id).map_or(Description::NotFound, Foreign::describe),
        }
    }

    fn list(&self, filter: &ListFilter) -> Vec<ListedGroup> {
        let foreign = self.foreign.iter().map(|(id, foreign)| ListedGroup {
            group_id: id.as_ref().into(),
            protocol_type: foreign.kind.name().into(),
            state: GroupState::Empty.name(),
            group_type: foreign.kind.name(),
        });
        let all = self.groups.values().map(Group::list).chain(foreign);
        all.filter(|group| filter.wants(group.state, group.group_type)).collect()
    }

    fn delete(&mut self, group_id: &str, effects: &mut Effects) -> Result<(), ErrorCode> {
        let now = Now::default();
        let id: Arc<str> = group_id.into();
        match self.groups.get(group_id) {
            Some(group) => group.validate_delete()?,
            None if self.foreign.contains_key(group_id) => {}
            None => return Err(ErrorCode::GroupIdNotFound),
        }
        self.write_all(self.offsets.delete_group(&id), now, effects);
        self.take_over(group_id, now, effects);
        if self.groups.contains_key(group_id) {
            self.write(GroupRecord::Metadata { group: id, value: None }, now, effects);
        }
        Ok(())
    }

    fn delete_offsets(
        &mut self,
        delete: &DeleteOffsets,
        effects: &mut Effects,
    ) -> Result<Vec<CommittedTopic>, ErrorCode> {
        let id: Arc<str> = delete.group_id.as_str().into();
        let group = self.groups.get(&id);
        match group {
            Some(group) => group.validate_delete_offsets()?,
            // Nobody is in a group whose protocol is not run here.
            None if self.foreign.contains_key(&id) => {}
            None => return Err(ErrorCode::GroupIdNotFound),
        }
        let mut records = Vec::new();
        // What is named again and again is deleted once: each record holds the group's id, however long that is.
        let mut seen = HashSet::new();
        let mut verdicts = Vec::with_capacity(delete.topics.len());
        for (topic, partitions) in &delete.topics {
            let is_read = group.is_some_and(|group| group.is_subscribed_to(topic));
            let error = is_read.then_some(ErrorCode::GroupSubscribedToTopic);
            if !is_read {
                let found = partitions.iter().filter(|index| seen.insert((topic, **index)));
                records.extend(found.filter_map(|index| self.offsets.delete_partition(&id, topic, *index)));
            }
            let partitions = partitions.iter().map(|partition| (*partition, error)).collect();
            verdicts.push(CommittedTopic { topic: topic.clone(), partitions });
        }
        self.write_all(records, Now::default(), effects);
        Ok(verdicts)
    }

    fn expire_offsets(&mut self, now: Now, effects: &mut Effects) {
        let mut tombstones = Vec::new();
        for (id, group) in &self.groups {
            let retention_ms = self.settings.offsets_retention_ms;
            let (records, nothing_left) = self.offsets.expired(id, group, now.wall_ms, retention_ms);
            tombstones.extend(records);
            if nothing_left && group.is_empty() {
                tombstones.push(GroupRecord::Metadata { group: id.clone(), value: None });
            }
        }
        self.write_all(tombstones, now, effects);
    }
}

/// Kafka's replay refuses to delete a group whose members are still there, so the group's own key goes last.
fn deletion_rank(key: &[u8]) -> i16 {
    let key_type = key.first_chunk::<2>().map_or(0, |bytes| i16::from_be_bytes(*bytes));
    match key_type {
        // The keys of the groups themselves: consumer, share, streams.
        3 | 11 | 17 => 0,
        // What hangs on the group alone.
        4 | 15 | 23 => 1,
        16 => 2,
        // Member metadata goes after the assignments of the member.
        5 | 10 | 19 => 3,
        other => other.saturating_add(10),
    }
}
