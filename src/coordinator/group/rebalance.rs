//! Rebalances: how one is prepared, how the join phase ends and the next generation begins, and what happens to
//! members that never rejoin or never sync.

use super::{Group, GroupState, JoinPhase};
use crate::coordinator::command::JoinAnswer;
use crate::coordinator::machine::Turn;
use crate::types::ErrorCode;

/// The least time between two looks for members that may come back, in milliseconds: a rebalance timeout of 0 must
/// not make a loop.
const REJOIN_WAIT_MS_MIN: i32 = 100;

impl Group {
    /// Starts a rebalance where the state allows it; where one is being prepared, sees whether it can go on.
    pub(super) fn rebalance_or_complete(&mut self, reason: &str, turn: &mut Turn<'_>) {
        if self.state == GroupState::PreparingRebalance {
            self.complete_join_if_all(turn);
        } else {
            self.prepare_rebalance(reason, turn);
        }
    }

    /// Asks all members to join again. An empty group waits for more members first.
    pub(super) fn prepare_rebalance(&mut self, reason: &str, turn: &mut Turn<'_>) {
        if self.state == GroupState::CompletingRebalance {
            self.fail_syncs(ErrorCode::RebalanceInProgress, turn);
        }
        self.unsynced.clear();
        self.sync_alarm.cancel(turn.timers);
        self.initial = self.is_empty();
        self.newcomer = false;
        self.set_state(GroupState::PreparingRebalance, turn.now);
        tracing::info!(group = %self.id, generation = self.generation, reason, "preparing to rebalance");
        if self.initial {
            let delay_ms = turn.settings.initial_rebalance_delay_ms.max(0);
            let remaining_ms = self.rebalance_timeout_ms().saturating_sub(delay_ms).max(0);
            self.wait_initially(delay_ms, remaining_ms, turn);
        } else if self.all_joined() {
            self.complete_join(turn);
        } else {
            self.wait_for_rejoin(turn);
        }
    }

    fn wait_initially(&mut self, delay_ms: i32, remaining_ms: i32, turn: &mut Turn<'_>) {
        self.phase = JoinPhase::Initial { delay_ms, remaining_ms };
        if delay_ms == 0 {
            return self.join_phase_over(turn);
        }
        let timer = self.join_timer();
        self.join_alarm.set(turn.after_ms(delay_ms), timer, turn.timers);
    }

    fn wait_for_rejoin(&mut self, turn: &mut Turn<'_>) {
        self.phase = JoinPhase::Rejoin;
        let at = turn.after_ms(self.rebalance_timeout_ms().max(REJOIN_WAIT_MS_MIN));
        let timer = self.join_timer();
        self.join_alarm.set(at, timer, turn.timers);
    }

    pub(super) fn all_joined(&self) -> bool {
        self.awaiting_join == self.members.len() && self.pending.is_empty()
    }

    /// Ends the join phase when nobody is missing. An initial rebalance always waits its time out.
    pub(super) fn complete_join_if_all(&mut self, turn: &mut Turn<'_>) {
        if self.state == GroupState::PreparingRebalance && !self.initial && self.all_joined() {
            self.complete_join(turn);
        }
    }

    /// The join alarm rang.
    pub(crate) fn on_join_alarm(&mut self, turn: &mut Turn<'_>) {
        let timer = self.join_timer();
        if self.join_alarm.is_over(turn.now.mono_ms, timer, turn.timers)
            && self.state == GroupState::PreparingRebalance
        {
            self.join_phase_over(turn);
        }
    }

    fn join_phase_over(&mut self, turn: &mut Turn<'_>) {
        match self.phase {
            JoinPhase::Initial { delay_ms, remaining_ms } if self.newcomer && remaining_ms != 0 => {
                self.newcomer = false;
                let next_delay_ms = turn.settings.initial_rebalance_delay_ms.clamp(0, remaining_ms);
                self.wait_initially(next_delay_ms, remaining_ms.saturating_sub(delay_ms).max(0), turn);
            }
            _ => self.complete_join(turn),
        }
    }

    /// Begins the next generation with those who joined; static members stay in it even when they are away.
    pub(super) fn complete_join(&mut self, turn: &mut Turn<'_>) {
        self.join_alarm.cancel(turn.timers);
        let missing: Vec<_> = self
            .members
            .values()
            .filter(|member| member.awaiting_join.is_none() && member.instance_id.is_none())
            .map(|member| member.id.clone())
            .collect();
        for id in &missing {
            tracing::info!(group = %self.id, member = %id, "member did not join again in time");
            self.remove(id, turn.timers);
        }
        if self.members.is_empty() {
            return self.become_empty(turn);
        }
        if !self.elect_joined_leader() {
            // Only static members that are away are left: their sessions decide.
            return self.wait_for_rejoin(turn);
        }
        self.generation = self.generation.checked_add(1).unwrap_or(0);
        self.protocol = self.select_protocol();
        self.subscribed = self.compute_subscribed();
        self.initial = false;
        self.set_state(GroupState::CompletingRebalance, turn.now);
        tracing::info!(
            group = %self.id, generation = self.generation, members = self.members.len(), "generation begins"
        );
        self.answer_joins(turn);
    }

    fn become_empty(&mut self, turn: &mut Turn<'_>) {
        self.generation = self.generation.checked_add(1).unwrap_or(0);
        self.protocol = None;
        self.leader = None;
        self.unsynced.clear();
        tracing::info!(group = %self.id, generation = self.generation, "group is empty");
        let record = self.metadata(Some(turn.now.wall_ms), |member| member.assignment.clone());
        if let Err(error) = self.write(record, turn) {
            // An empty group's record is a few bytes; were it refused, the last one would still be replayed.
            tracing::error!(group = %self.id, %error, "the empty group could not be recorded");
        }
    }

    /// Tells every member of its generation, and waits for their `SyncGroup`.
    fn answer_joins(&mut self, turn: &mut Turn<'_>) {
        let ids: Vec<_> = self.members.keys().cloned().collect();
        for id in &ids {
            let answer = self.joined(id);
            self.answer_join(id, answer, turn);
            self.extend_session(id, turn);
            if let Some(member) = self.members.get_mut(id) {
                member.is_new = false;
            }
        }
        self.unsynced = ids.into_iter().collect();
        let at = turn.after_ms(self.rebalance_timeout_ms());
        let timer = self.sync_timer();
        self.sync_alarm.set(at, timer, turn.timers);
    }

    /// Keeps a leader that joined, or makes one of those who did the leader. False when nobody joined.
    fn elect_joined_leader(&mut self) -> bool {
        let joined = |id: &str| self.members.get(id).is_some_and(|member| member.awaiting_join.is_some());
        if self.leader.as_deref().is_some_and(joined) {
            return true;
        }
        let next = self.members.values().find(|member| member.awaiting_join.is_some());
        match next.map(|member| member.id.clone()) {
            Some(id) => {
                self.leader = Some(id);
                true
            }
            None => false,
        }
    }

    /// The sync alarm rang: who has not synced by now is removed.
    pub(crate) fn on_sync_alarm(&mut self, turn: &mut Turn<'_>) {
        let timer = self.sync_timer();
        if !self.sync_alarm.is_over(turn.now.mono_ms, timer, turn.timers) || self.unsynced.is_empty() {
            return;
        }
        if !matches!(self.state, GroupState::CompletingRebalance | GroupState::Stable) {
            return;
        }
        for id in std::mem::take(&mut self.unsynced) {
            tracing::info!(group = %self.id, member = %id, "member did not sync in time");
            self.answer_join(&id, JoinAnswer::refused(ErrorCode::UnknownMemberId, ""), turn);
            self.remove(&id, turn.timers);
        }
        self.prepare_rebalance("members did not sync in time", turn);
    }
}
