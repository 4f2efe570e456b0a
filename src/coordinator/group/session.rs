//! Signs of life: heartbeats, the end of a session, and members that leave by themselves.

use std::sync::Arc;

use super::{Group, GroupState, Pending};
use crate::coordinator::command::{Heartbeat, JoinAnswer, Leave, LeavingMember, LeftMember};
use crate::coordinator::machine::Turn;
use crate::types::ErrorCode;

impl Group {
    /// Handles a heartbeat.
    pub(crate) fn heartbeat(&mut self, heartbeat: &Heartbeat, turn: &mut Turn<'_>) -> Result<(), ErrorCode> {
        self.validate_member(&heartbeat.member_id, heartbeat.instance_id.as_deref())?;
        if heartbeat.generation != self.generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        self.extend_session(&heartbeat.member_id, turn);
        match self.state {
            GroupState::Empty => Err(ErrorCode::UnknownMemberId),
            GroupState::PreparingRebalance => Err(ErrorCode::RebalanceInProgress),
            GroupState::CompletingRebalance | GroupState::Stable => Ok(()),
        }
    }

    /// A commit keeps its member alive as a heartbeat does.
    pub(crate) fn committed(&mut self, member_id: &str, turn: &mut Turn<'_>) {
        if matches!(self.state, GroupState::Stable | GroupState::PreparingRebalance) {
            self.extend_session(member_id, turn);
        }
    }

    /// Begins the member's session anew.
    pub(super) fn extend_session(&mut self, id: &str, turn: &mut Turn<'_>) {
        if let Some(timeout_ms) = self.members.get(id).map(|member| member.session_timeout_ms) {
            self.extend_session_by(id, timeout_ms, turn);
        }
    }

    pub(super) fn extend_session_by(&mut self, id: &str, timeout_ms: i32, turn: &mut Turn<'_>) {
        let group = &self.id;
        let Some(member) = self.members.get_mut(id) else { return };
        let timer = {
            let (group, member) = (group.clone(), member.id.clone());
            move || super::Timer::Session { group, member }
        };
        member.session.set(turn.after_ms(timeout_ms), timer, turn.timers);
    }

    /// A session alarm rang: a member that is not waiting for the coordinator has failed.
    pub(crate) fn on_session_alarm(&mut self, id: &Arc<str>, turn: &mut Turn<'_>) {
        let timer = self.session_timer(id);
        let now_ms = turn.now.mono_ms;
        if let Some(Pending { alarm, .. }) = self.pending.get_mut(id) {
            if alarm.is_over(now_ms, timer, turn.timers) {
                tracing::info!(group = %self.id, member = %id, "member never came with the id it was given");
                self.remove(id, turn.timers);
                self.complete_join_if_members_joined(turn);
            }
            return;
        }
        let Some(member) = self.members.get_mut(id) else { return };
        if !member.session.is_over(now_ms, timer, turn.timers) || member.is_excused() {
            return;
        }
        tracing::info!(group = %self.id, member = %id, "member's session timed out");
        self.expel(id, turn);
        self.after_removal("a member's session timed out", turn);
    }

    /// Handles `LeaveGroup`, of several members at once if need be.
    pub(crate) fn leave(&mut self, leave: &Leave, turn: &mut Turn<'_>) -> Vec<LeftMember> {
        let left: Vec<_> = leave
            .members
            .iter()
            .map(|leaving| LeftMember {
                member_id: leaving.member_id.clone(),
                instance_id: leaving.instance_id.clone(),
                error: self.leave_one(leaving, turn).err(),
            })
            .collect();
        if left.iter().any(|member| member.error.is_none()) {
            match self.state {
                GroupState::Empty => {}
                // Unlike an expired session, a leave does not cut an initial rebalance short.
                GroupState::PreparingRebalance => self.complete_join_if_all(turn),
                GroupState::CompletingRebalance | GroupState::Stable => {
                    self.prepare_rebalance("members left", turn);
                }
            }
        }
        left
    }

    fn leave_one(&mut self, leaving: &LeavingMember, turn: &mut Turn<'_>) -> Result<(), ErrorCode> {
        let id: Arc<str> = if leaving.member_id.is_empty() {
            let holder = leaving.instance_id.as_deref().and_then(|instance_id| self.statics.get(instance_id));
            holder.cloned().ok_or(ErrorCode::UnknownMemberId)?
        } else {
            if !self.pending.contains_key(leaving.member_id.as_str()) {
                self.validate_member(&leaving.member_id, leaving.instance_id.as_deref())?;
            }
            leaving.member_id.as_str().into()
        };
        tracing::info!(
            group = %self.id, member = %id, reason = leaving.reason.as_deref().unwrap_or_default(), "member leaves"
        );
        self.expel(&id, turn);
        Ok(())
    }

    /// Takes a member out. A join that is parked is refused so that a client which still lives starts anew.
    fn expel(&mut self, id: &str, turn: &mut Turn<'_>) {
        self.answer_join(id, JoinAnswer::refused(ErrorCode::UnknownMemberId, ""), turn);
        self.answer_sync(id, Err(ErrorCode::UnknownMemberId), turn);
        self.remove(id, turn.timers);
    }

    fn after_removal(&mut self, reason: &str, turn: &mut Turn<'_>) {
        match self.state {
            GroupState::Empty => {}
            GroupState::PreparingRebalance => self.complete_join_if_members_joined(turn),
            GroupState::CompletingRebalance | GroupState::Stable => self.prepare_rebalance(reason, turn),
        }
    }

    /// As `complete_join_if_all`, and it ends an initial rebalance too: nobody else is known to come.
    fn complete_join_if_members_joined(&mut self, turn: &mut Turn<'_>) {
        if self.state == GroupState::PreparingRebalance && self.all_joined() {
            self.complete_join(turn);
        }
    }
}
