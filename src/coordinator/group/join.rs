//! `JoinGroup`: who may come in, under which id, and whether that starts a rebalance
//! (KIP-62 sessions, KIP-345 static members, KIP-394 member ids, KIP-814 skipped assignments).

use std::sync::Arc;

use bytes::Bytes;

use super::member::{keep, protocol_bytes};
use super::{Group, GroupState, MEMBER_BYTES, Member, Pending};
use crate::coordinator::command::{Join, JoinAnswer, JoinedMember};
use crate::coordinator::machine::{Ticket, Turn};
use crate::coordinator::memory::Charge;
use crate::coordinator::timers::Alarm;
use crate::limits::GROUP_PENDING_MEMBERS_MAX;
use crate::types::ErrorCode;

/// How long a new member's first join may stay parked, in milliseconds: it cannot send heartbeats yet, and one
/// whose client is gone must not hold a rebalance for ever. Kafka's constant.
const NEW_MEMBER_JOIN_TIMEOUT_MS: i32 = 5 * 60 * 1_000;

/// What a member that was told its id takes beside it.
const PENDING_BYTES: usize = 200;

type Protocols = Vec<(Arc<str>, Bytes)>;

impl Group {
    /// True when a member with what `join` says could be in the group.
    pub(crate) fn accepts(&self, join: &Join) -> bool {
        self.supports(&join.protocol_type, join.protocols.iter().map(|protocol| protocol.name.as_str()))
    }

    /// Bytes of memory that a join would add to the group.
    pub(crate) fn growth(&self, join: &Join) -> usize {
        let had = self.members.get(join.member_id.as_str()).map_or(0, |member| member.charge.bytes());
        // A member that says the same again does not grow, though its place in the estimate is not exact.
        said_bytes(join).saturating_sub(had)
    }

    /// Bytes of memory that a join takes with a group of its own.
    pub(crate) fn growth_by_new(join: &Join) -> usize {
        said_bytes(join).saturating_add(super::GROUP_BYTES).saturating_add(join.group_id.len())
    }

    /// Handles a join; the answer may come now, or with another member's command.
    pub(crate) fn join(&mut self, ticket: Ticket, join: &Join, turn: &mut Turn<'_>) {
        if !self.has_room(&join.member_id, turn) {
            self.remove(&join.member_id, turn.timers);
            return turn.answer_join(ticket, JoinAnswer::refused(ErrorCode::GroupMaxSizeReached, ""));
        }
        if !self.accepts(join) {
            let refusal = JoinAnswer::refused(ErrorCode::InconsistentGroupProtocol, join.member_id.as_str());
            return turn.answer_join(ticket, refusal);
        }
        let protocols = keep(&join.protocols);
        if join.member_id.is_empty() {
            self.join_without_id(ticket, join, protocols, turn);
        } else {
            self.join_with_id(ticket, join, protocols, turn);
        }
    }

    /// The maximum size holds for members that would be new. While a rebalance is prepared the parked joins count
    /// instead of the members, so that a group that became too large loses those who come last.
    fn has_room(&self, member_id: &str, turn: &Turn<'_>) -> bool {
        match self.state {
            GroupState::Empty => true,
            GroupState::PreparingRebalance => {
                self.members.get(member_id).is_some_and(|member| member.awaiting_join.is_some())
                    || self.awaiting_join < turn.size_max()
            }
            GroupState::CompletingRebalance | GroupState::Stable => {
                self.members.contains_key(member_id) || self.members.len() < turn.size_max()
            }
        }
    }

    fn join_without_id(&mut self, ticket: Ticket, join: &Join, protocols: Protocols, turn: &mut Turn<'_>) {
        let stem = join.instance_id.as_deref().unwrap_or(&join.client_id);
        let fresh: Arc<str> = format!("{stem}-{}", join.fresh_id).into();
        let holder =
            join.instance_id.as_deref().and_then(|instance_id| self.statics.get(instance_id).cloned());
        if let Some(holder) = holder {
            self.replace_static(ticket, join, (holder, fresh), protocols, turn);
        } else if join.instance_id.is_none() && join.member_id_required {
            self.announce(ticket, join, fresh, turn);
        } else {
            self.add(ticket, join, fresh, protocols, turn);
        }
    }

    /// Gives a dynamic member its id and asks it to come back with it, so that a client that gave up leaves
    /// no member behind.
    fn announce(&mut self, ticket: Ticket, join: &Join, fresh: Arc<str>, turn: &mut Turn<'_>) {
        if self.pending.len() >= GROUP_PENDING_MEMBERS_MAX {
            return turn.answer_join(ticket, JoinAnswer::refused(ErrorCode::CoordinatorNotAvailable, ""));
        }
        let timer = self.session_timer(&fresh);
        let bytes = PENDING_BYTES.saturating_add(fresh.len());
        let charge = Charge::new(&self.memory, bytes);
        let pending = Pending { alarm: Alarm::default(), _charge: charge };
        let pending = self.pending.entry(fresh.clone()).or_insert(pending);
        pending.alarm.set(turn.after_ms(join.session_timeout_ms), timer, turn.timers);
        turn.answer_join(ticket, JoinAnswer::refused(ErrorCode::MemberIdRequired, &*fresh));
    }

    fn join_with_id(&mut self, ticket: Ticket, join: &Join, protocols: Protocols, turn: &mut Turn<'_>) {
        let id = join.member_id.as_str();
        if join.instance_id.is_none() && self.pending.contains_key(id) {
            return self.add(ticket, join, id.into(), protocols, turn);
        }
        if let Err(error) = self.validate_member(id, join.instance_id.as_deref()) {
            return turn.answer_join(ticket, JoinAnswer::refused(error, id));
        }
        let unchanged = self.members.get(id).is_some_and(|member| member.matches(&protocols));
        match self.state {
            // No member is in an empty group, so validation has refused already.
            GroupState::Empty => {
                turn.answer_join(ticket, JoinAnswer::refused(ErrorCode::UnknownMemberId, id));
            }
            // The same words again: the answer of this generation was lost on the way.
            GroupState::CompletingRebalance if unchanged => {
                turn.answer_join(ticket, self.joined(id));
            }
            // A leader that joins again has seen a change that its metadata does not show, such as new partitions.
            GroupState::Stable if unchanged && !self.is_leader(id) => {
                turn.answer_join(ticket, self.joined(id));
            }
            _ => {
                self.update(id, join, protocols);
                self.park_join(id, ticket, turn);
                self.rebalance_or_complete("a member joined again", turn);
            }
        }
    }

    /// Adds a member and rebalances.
    fn add(&mut self, ticket: Ticket, join: &Join, id: Arc<str>, protocols: Protocols, turn: &mut Turn<'_>) {
        if let Some(mut pending) = self.pending.remove(&id) {
            pending.alarm.cancel(turn.timers);
        }
        if self.members.is_empty() {
            self.protocol_type = Some(join.protocol_type.as_str().into());
        }
        if self.leader.is_none() {
            self.leader = Some(id.clone());
        }
        self.newcomer |= self.state == GroupState::PreparingRebalance && self.initial;
        self.insert(Member::joining(id.clone(), join, protocols));
        self.park_join(&id, ticket, turn);
        self.extend_session_by(&id, NEW_MEMBER_JOIN_TIMEOUT_MS, turn);
        tracing::info!(
            group = %self.id, member = %id, reason = join.reason.as_deref().unwrap_or_default(), "member joins"
        );
        self.rebalance_or_complete("a member joined", turn);
    }

    /// Hands a static member's place to a new holder of its instance id. In a stable group whose protocol stays
    /// the same nobody else notices (KIP-345).
    fn replace_static(
        &mut self,
        ticket: Ticket,
        join: &Join,
        (old, fresh): (Arc<str>, Arc<str>),
        protocols: Protocols,
        turn: &mut Turn<'_>,
    ) {
        let led_by = self.leader.clone();
        self.rename(&old, &fresh, turn);
        self.extend_session(&fresh, turn);
        self.update(&fresh, join, protocols);
        self.park_join(&fresh, ticket, turn);
        match self.state {
            GroupState::Stable if self.select_protocol() == self.protocol => {
                self.settle_replacement(&fresh, led_by, join.can_skip_assignment, turn);
            }
            GroupState::Stable => self.rebalance_or_complete("a static member changed the protocol", turn),
            // The leader may have been told the old id already and would assign to it.
            GroupState::CompletingRebalance => self.prepare_rebalance("a static member came back", turn),
            GroupState::PreparingRebalance | GroupState::Empty => self.complete_join_if_all(turn),
        }
    }

    fn settle_replacement(
        &mut self,
        id: &Arc<str>,
        led_by: Option<Arc<str>>,
        can_skip_assignment: bool,
        turn: &mut Turn<'_>,
    ) {
        let record = self.metadata(self.state_changed_ms, |member| member.assignment.clone());
        if let Err(error) = self.write(record, turn) {
            self.answer_join(id, JoinAnswer::refused(error, ""), turn);
            return self.prepare_rebalance("a static member could not be recorded", turn);
        }
        let mut answer = self.joined(id);
        if can_skip_assignment {
            answer.skip_assignment = self.is_leader(id);
        } else {
            // An old client that is told it leads would assign anew, and nobody would ask the others to rejoin.
            answer.members.clear();
            answer.leader = led_by.as_deref().unwrap_or_default().into();
        }
        self.answer_join(id, answer, turn);
    }

    /// Gives a static member another id; who still waits under the old one is fenced.
    fn rename(&mut self, old: &Arc<str>, fresh: &Arc<str>, turn: &mut Turn<'_>) {
        self.answer_join(old, JoinAnswer::refused(ErrorCode::FencedInstanceId, &**old), turn);
        self.answer_sync(old, Err(ErrorCode::FencedInstanceId), turn);
        let led = self.is_leader(old);
        let Some(mut member) = self.members.remove(old) else { return };
        member.session.cancel(turn.timers);
        member.id = fresh.clone();
        member.is_new = false;
        if let Some(instance_id) = &member.instance_id {
            self.statics.insert(instance_id.clone(), fresh.clone());
        }
        self.members.insert(fresh.clone(), member);
        if self.unsynced.remove(old) {
            self.unsynced.insert(fresh.clone());
        }
        if led {
            self.leader = Some(fresh.clone());
        }
    }

    fn update(&mut self, id: &str, join: &Join, protocols: Protocols) {
        let Some((id, mut member)) = self.members.remove_entry(id) else { return };
        self.count_protocols(&member, false);
        member.protocols = protocols;
        member.rebalance_timeout_ms = join.rebalance_timeout_ms;
        member.session_timeout_ms = join.session_timeout_ms;
        member.charge.set(member.bytes());
        self.count_protocols(&member, true);
        self.members.insert(id, member);
    }

    /// Parks a join. An older one of the same member is told to try again: its client no longer waits for it.
    fn park_join(&mut self, id: &str, ticket: Ticket, turn: &mut Turn<'_>) {
        let Some(member) = self.members.get_mut(id) else { return };
        match member.awaiting_join.replace(ticket) {
            Some(older) => turn.answer_join(older, JoinAnswer::refused(ErrorCode::RebalanceInProgress, id)),
            None => self.awaiting_join += 1,
        }
    }

    /// Answers a parked join, if there is one.
    pub(super) fn answer_join(&mut self, id: &str, answer: JoinAnswer, turn: &mut Turn<'_>) {
        let Some(ticket) = self.members.get_mut(id).and_then(|member| member.awaiting_join.take()) else {
            return;
        };
        self.awaiting_join -= 1;
        turn.answer_join(ticket, answer);
    }

    /// What a member of the current generation is told; the leader learns of all members.
    pub(super) fn joined(&self, id: &str) -> JoinAnswer {
        let protocol = self.protocol.as_deref().unwrap_or_default();
        let members = self.members.values().map(|member| JoinedMember {
            member_id: member.id.as_ref().into(),
            instance_id: member.instance_id.as_deref().map(Into::into),
            metadata: member.metadata(protocol),
        });
        JoinAnswer {
            error: None,
            member_id: id.into(),
            generation: self.generation,
            protocol_type: self.protocol_type.as_deref().map(Into::into),
            protocol: self.protocol.as_deref().map(Into::into),
            leader: self.leader.as_deref().unwrap_or_default().into(),
            skip_assignment: false,
            members: if self.is_leader(id) { members.collect() } else { Vec::new() },
        }
    }
}

/// Bytes of memory of a member that says this, by estimate.
fn said_bytes(join: &Join) -> usize {
    let instance = join.instance_id.as_ref().map_or(0, String::len);
    // Its id is made of one of the two.
    let names = [join.client_id.len(), instance, join.client_id.len().max(instance), join.client_host.len()];
    let protocols = join.protocols.iter().map(|said| protocol_bytes(&said.name, &said.metadata));
    names.into_iter().chain(protocols).fold(MEMBER_BYTES, usize::saturating_add)
}
