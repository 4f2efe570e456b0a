//! `SyncGroup`: members wait for the leader's assignment, which is recorded before anybody learns of it.

use std::collections::HashMap;

use bytes::Bytes;

use super::member::assignment_bytes;
use super::{Group, GroupState};
use crate::coordinator::command::{SyncAnswer, SyncGroup};
use crate::coordinator::machine::{Ticket, Turn};
use crate::types::ErrorCode;

impl Group {
    /// Handles a `SyncGroup`; a follower's answer may come with the leader's.
    pub(crate) fn sync(&mut self, ticket: Ticket, sync: &SyncGroup, turn: &mut Turn<'_>) {
        if let Err(error) = self.validate_sync(sync) {
            return turn.answer_sync(ticket, SyncAnswer::refused(error));
        }
        let id = sync.member_id.as_str();
        match self.state {
            // No member is in an empty group, so validation has refused already.
            GroupState::Empty => turn.answer_sync(ticket, SyncAnswer::refused(ErrorCode::UnknownMemberId)),
            GroupState::PreparingRebalance => {
                turn.answer_sync(ticket, SyncAnswer::refused(ErrorCode::RebalanceInProgress));
            }
            // The leader may come again, with its rebalance timeout to find room; the others wait.
            GroupState::CompletingRebalance
                if self.is_leader(id) && !self.has_room_for(&sync.assignments) =>
            {
                turn.answer_sync(ticket, SyncAnswer::refused(ErrorCode::CoordinatorNotAvailable));
            }
            GroupState::CompletingRebalance => {
                self.park_sync(id, ticket, turn);
                self.mark_synced(id, turn);
                if self.is_leader(id) {
                    self.take_assignment(&sync.assignments, turn);
                }
            }
            GroupState::Stable => {
                self.mark_synced(id, turn);
                let assignment = self.members.get(id).map(|member| member.assignment.clone());
                turn.answer_sync(ticket, self.synced(assignment.unwrap_or_default()));
            }
        }
    }

    fn validate_sync(&self, sync: &SyncGroup) -> Result<(), ErrorCode> {
        if self.is_empty() {
            return Err(ErrorCode::UnknownMemberId);
        }
        self.validate_member(&sync.member_id, sync.instance_id.as_deref())?;
        if sync.generation != self.generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        let differs = |asked: &Option<String>, actual: Option<&str>| {
            asked.as_deref().is_some_and(|asked| actual.is_some_and(|actual| actual != asked))
        };
        if differs(&sync.protocol_type, self.protocol_type.as_deref())
            || differs(&sync.protocol, self.protocol.as_deref())
        {
            return Err(ErrorCode::InconsistentGroupProtocol);
        }
        Ok(())
    }

    /// Whether these assignments, in place of those that the members have, fit into the memory for groups.
    fn has_room_for(&self, assignments: &[(String, Bytes)]) -> bool {
        let new = assignments.iter().filter(|(id, _)| self.members.contains_key(id.as_str()));
        let new = new.map(|(_, assignment)| assignment_bytes(assignment)).fold(0, usize::saturating_add);
        let old = self.members.values().map(|member| assignment_bytes(&member.assignment));
        self.memory.has_room(new.saturating_sub(old.fold(0, usize::saturating_add)))
    }

    /// Records the leader's assignment and answers everybody who waits for it. Members that the leader forgot get
    /// an empty one.
    fn take_assignment(&mut self, assignments: &[(String, Bytes)], turn: &mut Turn<'_>) {
        let by_member: HashMap<&str, &Bytes> =
            assignments.iter().map(|(id, bytes)| (id.as_str(), bytes)).collect();
        let record = self.metadata(Some(turn.now.wall_ms), |member| {
            by_member.get(&*member.id).map(|bytes| Bytes::copy_from_slice(bytes)).unwrap_or_default()
        });
        if let Err(error) = self.write(record, turn) {
            self.fail_syncs(error, turn);
            return self.prepare_rebalance("the assignment could not be recorded", turn);
        }
        tracing::info!(group = %self.id, generation = self.generation, "group is stable");
        let ids: Vec<_> = self.members.keys().cloned().collect();
        for id in &ids {
            let assignment = self.members.get(id).map(|member| member.assignment.clone());
            self.answer_sync(id, Ok(assignment.unwrap_or_default()), turn);
        }
    }

    /// Refuses everybody who waits for an assignment; there is none any more.
    pub(super) fn fail_syncs(&mut self, error: ErrorCode, turn: &mut Turn<'_>) {
        let ids: Vec<_> = self.members.keys().cloned().collect();
        for id in &ids {
            if let Some(member) = self.members.get_mut(id) {
                member.assignment = Bytes::new();
            }
            self.answer_sync(id, Err(error), turn);
        }
    }

    /// Parks a sync. An older one of the same member is told to join again: its client no longer waits for it.
    fn park_sync(&mut self, id: &str, ticket: Ticket, turn: &mut Turn<'_>) {
        let Some(member) = self.members.get_mut(id) else { return };
        if let Some(older) = member.awaiting_sync.replace(ticket) {
            turn.answer_sync(older, SyncAnswer::refused(ErrorCode::RebalanceInProgress));
        }
    }

    /// Answers a parked sync, if there is one. The member's session begins anew: its end was not counted while
    /// the member waited.
    pub(super) fn answer_sync(&mut self, id: &str, result: Result<Bytes, ErrorCode>, turn: &mut Turn<'_>) {
        let Some(ticket) = self.members.get_mut(id).and_then(|member| member.awaiting_sync.take()) else {
            return;
        };
        let answer = match result {
            Ok(assignment) => self.synced(assignment),
            Err(error) => SyncAnswer::refused(error),
        };
        turn.answer_sync(ticket, answer);
        self.extend_session(id, turn);
    }

    fn mark_synced(&mut self, id: &str, turn: &mut Turn<'_>) {
        self.unsynced.remove(id);
        if self.unsynced.is_empty() {
            self.sync_alarm.cancel(turn.timers);
        }
    }

    fn synced(&self, assignment: Bytes) -> SyncAnswer {
        SyncAnswer {
            error: None,
            protocol_type: self.protocol_type.as_deref().map(Into::into),
            protocol: self.protocol.as_deref().map(Into::into),
            assignment,
        }
    }
}
