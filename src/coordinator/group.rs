//! One classic group: its state, its members and the rules that the parts in `group/` share.
//! Pure: it decides from its state, the command and the moment that is handed in. Durable state changes in
//! `apply` alone, at start-up and at run time; members that are joining, tickets and alarms are volatile.

mod describe;
mod join;
mod member;
mod rebalance;
mod session;
mod sync;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

pub(crate) use member::Member;

use super::machine::Turn;
use super::memory::{Charge, GroupMemory};
use super::record::{GroupMetadata, GroupRecord, MemberMetadata};
use super::timers::{Alarm, Timer, Timers};
use super::{records, subscription};
use crate::types::{ErrorCode, Now, TopicName};

/// Kafka's name for the type of these groups.
pub(crate) const CLASSIC: &str = "classic";

/// The protocol type of groups whose members consume topics.
const CONSUMER_PROTOCOL: &str = "consumer";

/// Where a group stands. A group that is gone is not in the coordinator; Kafka's name for that is `Dead`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GroupState {
    /// Nobody is in it; it stays for its offsets.
    Empty,
    /// Members are asked to join again; joins are parked.
    PreparingRebalance,
    /// All have joined; the leader's assignment is awaited.
    CompletingRebalance,
    /// The assignment is known to all.
    Stable,
}

impl GroupState {
    /// All of them.
    pub(crate) const ALL: [Self; 4] =
        [Self::Empty, Self::PreparingRebalance, Self::CompletingRebalance, Self::Stable];

    /// The name in `DescribeGroups` and `ListGroups`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::PreparingRebalance => "PreparingRebalance",
            Self::CompletingRebalance => "CompletingRebalance",
            Self::Stable => "Stable",
        }
    }
}

/// When the join phase ends.
#[derive(Clone, Copy, Debug)]
enum JoinPhase {
    /// The group was empty: more members may come, for `remaining_ms` after this delay at most.
    Initial { delay_ms: i32, remaining_ms: i32 },
    /// Members of the last generation are waited for.
    Rejoin,
}

/// A member that was told its id.
#[derive(Debug)]
struct Pending {
    alarm: Alarm,
    _charge: Charge,
}

/// A classic group.
#[derive(Debug)]
pub(crate) struct Group {
    id: Arc<str>,
    state: GroupState,
    generation: i32,
    protocol_type: Option<Arc<str>>,
    protocol: Option<Arc<str>>,
    leader: Option<Arc<str>>,
    state_changed_ms: Option<i64>,
    members: BTreeMap<Arc<str>, Member>,
    /// Instance id → member id.
    statics: HashMap<Arc<str>, Arc<str>>,
    /// Members that were told their id and have not joined with it yet.
    pending: HashMap<Arc<str>, Pending>,
    /// Members of this generation that have not sent `SyncGroup` yet.
    unsynced: HashSet<Arc<str>>,
    awaiting_join: usize,
    /// How many members speak each protocol.
    supporters: HashMap<Arc<str>, usize>,
    /// What the members consume; `None` when it cannot be known.
    subscribed: Option<BTreeSet<TopicName>>,
    /// True when the rebalance in preparation began with an empty group.
    initial: bool,
    /// True when somebody came while an initial rebalance was waiting.
    newcomer: bool,
    phase: JoinPhase,
    join_alarm: Alarm,
    sync_alarm: Alarm,
    memory: Arc<GroupMemory>,
    /// For the group without its members.
    _charge: Charge,
}

/// What a group takes beside its names and members, and a member beside what it says.
const GROUP_BYTES: usize = 1_000;
const MEMBER_BYTES: usize = 700;

impl Group {
    /// A group that no record tells of yet: empty, without a protocol type.
    pub(crate) fn new(id: Arc<str>, memory: &Arc<GroupMemory>, now: Now) -> Self {
        Self {
            _charge: Charge::new(memory, GROUP_BYTES.saturating_add(id.len())),
            memory: memory.clone(),
            id,
            state: GroupState::Empty,
            generation: 0,
            protocol_type: None,
            protocol: None,
            leader: None,
            state_changed_ms: Some(now.wall_ms),
            members: BTreeMap::new(),
            statics: HashMap::new(),
            pending: HashMap::new(),
            unsynced: HashSet::new(),
            awaiting_join: 0,
            supporters: HashMap::new(),
            subscribed: None,
            initial: false,
            newcomer: false,
            phase: JoinPhase::Rejoin,
            join_alarm: Alarm::default(),
            sync_alarm: Alarm::default(),
        }
    }

    /// Takes over what a record says. A member that is known already keeps its session, its tickets and the
    /// protocols beside the chosen one, which no record holds.
    pub(crate) fn apply(&mut self, value: &GroupMetadata, timers: &mut Timers) {
        let mut known = std::mem::take(&mut self.members);
        self.statics.clear();
        self.supporters.clear();
        self.awaiting_join = 0;
        for recorded in &value.members {
            if self.members.contains_key(&recorded.member_id) {
                continue;
            }
            let mut member = known
                .remove(&recorded.member_id)
                .unwrap_or_else(|| Member::recorded(recorded, value.protocol.clone()));
            member.assignment = recorded.assignment.clone();
            self.insert(member);
        }
        for (id, mut gone) in known {
            gone.session.cancel(timers);
            self.unsynced.remove(&id);
        }
        self.generation = value.generation;
        self.protocol_type.clone_from(&value.protocol_type);
        self.protocol.clone_from(&value.protocol);
        self.leader.clone_from(&value.leader);
        self.state_changed_ms = value.state_changed_ms;
        self.state = if self.members.is_empty() { GroupState::Empty } else { GroupState::Stable };
        self.initial = false;
        self.subscribed = self.compute_subscribed();
    }

    /// Gives every member a fresh session after a load, and shrinks a group that is larger than is allowed now.
    pub(crate) fn loaded(&mut self, turn: &mut Turn<'_>) {
        let ids: Vec<_> = self.members.keys().cloned().collect();
        for id in &ids {
            self.extend_session(id, turn);
        }
        if ids.len() > turn.size_max() {
            tracing::info!(group = %self.id, members = ids.len(), "group is over its maximum size after loading");
            self.prepare_rebalance("it is over its maximum size after loading", turn);
        }
    }

    /// The record of the group as it stands, with these assignments.
    fn metadata(
        &self,
        state_changed_ms: Option<i64>,
        assignment: impl Fn(&Member) -> bytes::Bytes,
    ) -> GroupMetadata {
        let members = self.members.values().map(|member| MemberMetadata {
            member_id: member.id.clone(),
            instance_id: member.instance_id.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            rebalance_timeout_ms: member.rebalance_timeout_ms,
            session_timeout_ms: member.session_timeout_ms,
            subscription: self.protocol.as_deref().map(|name| member.metadata(name)).unwrap_or_default(),
            assignment: assignment(member),
        });
        GroupMetadata {
            protocol_type: self.protocol_type.clone(),
            generation: self.generation,
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            state_changed_ms,
            members: members.collect(),
        }
    }

    /// Decides on a record: it is applied here and handed to the shell. Refused, with nothing changed, when the
    /// log could not take it.
    fn write(&mut self, value: GroupMetadata, turn: &mut Turn<'_>) -> Result<(), ErrorCode> {
        let record = GroupRecord::Metadata { group: self.id.clone(), value: Some(value) };
        if records::size_bytes(&record).is_none_or(|size| size > turn.batch_bytes_max) {
            tracing::warn!(group = %self.id, "the group's record is too large for its topic");
            return Err(ErrorCode::UnknownServerError);
        }
        if let GroupRecord::Metadata { value: Some(value), .. } = &record {
            self.apply(value, turn.timers);
        }
        turn.emit(record);
        Ok(())
    }

    /// Cancels every alarm before the group is dropped.
    pub(crate) fn dismantle(mut self, timers: &mut Timers) {
        self.join_alarm.cancel(timers);
        self.sync_alarm.cancel(timers);
        for pending in self.pending.values_mut() {
            pending.alarm.cancel(timers);
        }
        for member in self.members.values_mut() {
            member.session.cancel(timers);
        }
    }

    /// True when nobody is in the group.
    pub(crate) fn is_empty(&self) -> bool {
        self.state == GroupState::Empty
    }

    /// True for a group that exists because somebody committed offsets without joining.
    pub(crate) fn is_simple(&self) -> bool {
        self.is_empty() && self.protocol_type.is_none() && self.pending.is_empty()
    }

    fn is_leader(&self, member_id: &str) -> bool {
        self.leader.as_deref() == Some(member_id)
    }

    fn is_consumer_group(&self) -> bool {
        self.protocol_type.as_deref() == Some(CONSUMER_PROTOCOL)
    }

    fn set_state(&mut self, state: GroupState, now: Now) {
        self.state = state;
        self.state_changed_ms = Some(now.wall_ms);
    }

    /// Refuses who is not a member, and who was replaced by another holder of its instance id (KIP-345).
    fn validate_member(&self, member_id: &str, instance_id: Option<&str>) -> Result<(), ErrorCode> {
        if let Some(instance_id) = instance_id {
            match self.statics.get(instance_id) {
                None => return Err(ErrorCode::UnknownMemberId),
                Some(current) if **current != *member_id => return Err(ErrorCode::FencedInstanceId),
                Some(_) => {}
            }
        }
        if self.members.contains_key(member_id) { Ok(()) } else { Err(ErrorCode::UnknownMemberId) }
    }

    /// Puts a member in, with everything that counts it.
    fn insert(&mut self, mut member: Member) {
        member.charge = Charge::new(&self.memory, member.bytes());
        if let Some(instance_id) = &member.instance_id {
            self.statics.insert(instance_id.clone(), member.id.clone());
        }
        self.count_protocols(&member, true);
        self.awaiting_join += usize::from(member.awaiting_join.is_some());
        self.members.insert(member.id.clone(), member);
    }

    /// Takes a member out, pending or not, with everything that counts it; the first of the rest leads if it led.
    fn remove(&mut self, member_id: &str, timers: &mut Timers) {
        if let Some(mut pending) = self.pending.remove(member_id) {
            pending.alarm.cancel(timers);
        }
        self.unsynced.remove(member_id);
        let Some(mut member) = self.members.remove(member_id) else { return };
        member.session.cancel(timers);
        self.count_protocols(&member, false);
        self.awaiting_join -= usize::from(member.awaiting_join.is_some());
        if let Some(instance_id) = &member.instance_id
            && self.statics.get(instance_id).is_some_and(|current| **current == *member_id)
        {
            self.statics.remove(instance_id);
        }
        if self.is_leader(member_id) {
            self.leader = self.members.keys().next().cloned();
        }
    }

    fn count_protocols(&mut self, member: &Member, add: bool) {
        for (name, _) in &member.protocols {
            let count = self.supporters.entry(name.clone()).or_default();
            *count = if add { count.saturating_add(1) } else { count.saturating_sub(1) };
            if *count == 0 {
                self.supporters.remove(name);
            }
        }
    }

    /// True when a member with this type and these protocols can be in the group beside those who are.
    fn supports<'a>(&self, protocol_type: &str, mut names: impl Iterator<Item = &'a str>) -> bool {
        if self.is_empty() {
            return !protocol_type.is_empty() && names.next().is_some();
        }
        self.protocol_type.as_deref() == Some(protocol_type)
            && names.any(|name| self.supporters.get(name).copied().unwrap_or(0) == self.members.len())
    }

    /// The protocol with the most votes among those that all members speak; each votes for its own best one. Of two
    /// with as many votes it is, as with Kafka, the one that a Java hash map has first.
    fn select_protocol(&self) -> Option<Arc<str>> {
        let shared = |name: &Arc<str>| self.supporters.get(name) == Some(&self.members.len());
        let mut votes: BTreeMap<&Arc<str>, usize> = BTreeMap::new();
        for member in self.members.values() {
            if let Some((best, _)) = member.protocols.iter().find(|(name, _)| shared(name)) {
                *votes.entry(best).or_default() += 1;
            }
        }
        let place = |name: &str| {
            let hash = super::java_hash(name).cast_unsigned();
            (hash ^ (hash >> 16)) & 15
        };
        let best = votes.into_iter().max_by_key(|(name, count)| (*count, std::cmp::Reverse(place(name))));
        best.map(|(name, _)| name.clone())
    }

    fn compute_subscribed(&self) -> Option<BTreeSet<TopicName>> {
        if !self.is_consumer_group() {
            return None;
        }
        if self.members.is_empty() {
            return Some(BTreeSet::new());
        }
        let protocol = self.protocol.as_deref()?;
        let mut all = BTreeSet::new();
        for member in self.members.values() {
            all.extend(subscription::topics(&member.metadata(protocol))?);
        }
        Some(all)
    }

    /// True when committed offsets on the topic must not expire because somebody reads it.
    pub(crate) fn is_subscribed_to(&self, topic: &str) -> bool {
        match &self.subscribed {
            Some(topics) => topics.contains(topic),
            None => self.is_consumer_group(),
        }
    }

    /// From when on an offset that was committed at `commit_ms` ages; `None` while offsets of this group do not.
    pub(crate) fn offset_age_base(&self, commit_ms: i64) -> Option<i64> {
        if self.protocol_type.is_none() {
            return Some(commit_ms);
        }
        match self.state {
            GroupState::Empty => Some(self.state_changed_ms.unwrap_or(commit_ms)),
            GroupState::Stable if self.is_consumer_group() && self.subscribed.is_some() => Some(commit_ms),
            _ => None,
        }
    }

    /// Whether a commit may be made, and by whom. Generation below 0 is a consumer that is no member.
    pub(crate) fn validate_commit(
        &self,
        member_id: &str,
        instance_id: Option<&str>,
        generation: i32,
    ) -> Result<(), ErrorCode> {
        if generation < 0 && self.is_empty() {
            return Ok(());
        }
        if generation >= 0 || !member_id.is_empty() || instance_id.is_some() {
            self.validate_member(member_id, instance_id)?;
            if generation != self.generation {
                return Err(ErrorCode::IllegalGeneration);
            }
        } else if !self.is_empty() {
            return Err(ErrorCode::UnknownMemberId);
        }
        if self.state == GroupState::CompletingRebalance {
            return Err(ErrorCode::RebalanceInProgress);
        }
        Ok(())
    }

    /// The longest rebalance timeout of the members, in milliseconds.
    fn rebalance_timeout_ms(&self) -> i32 {
        self.members.values().map(|member| member.rebalance_timeout_ms).max().unwrap_or(0).max(0)
    }

    fn session_timer(&self, member_id: &Arc<str>) -> impl FnOnce() -> Timer + use<> {
        let (group, member) = (self.id.clone(), member_id.clone());
        move || Timer::Session { group, member }
    }

    fn join_timer(&self) -> impl FnOnce() -> Timer + use<> {
        let group = self.id.clone();
        move || Timer::Join(group)
    }

    fn sync_timer(&self) -> impl FnOnce() -> Timer + use<> {
        let group = self.id.clone();
        move || Timer::Sync(group)
    }
}
