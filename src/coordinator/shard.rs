//! The one shell around the machines: a mutex per shard. In one critical section without an await a command is
//! decided, its records are replayed and appended, and the position is noted that its answers wait for. A failed
//! append discards the shard: who waits is sent to look for the coordinator again, and the log is replayed.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::answer::Answer;
use super::command::{Command, FromReply, Judge, Reply};
use super::group_log::GroupLog;
use super::loader::{self, LoadReport};
use super::machine::{Effects, Machine, Ticket};
use super::record::GroupRecord;
use super::records;
use super::settings::Settings;
use crate::limits::GROUP_RECORDS_UNCOMMITTED_MAX;
use crate::types::{ErrorCode, LeaderEpoch, Now, Offset, TopicName};
use crate::wire::batch::{BatchBuilder, HEADER_BYTES};

/// No deadline.
pub(crate) const NEVER_MS: i64 = i64::MAX;
/// How long a load that failed waits for its next try, in milliseconds.
const LOAD_RETRY_MS: i64 = 1_000;

/// A reply together with the position that has to be committed before it leaves.
struct Decided {
    reply: Reply,
    position: Offset,
}

/// A shard that answers.
struct Active {
    machine: Machine,
    waiting: HashMap<Ticket, oneshot::Sender<Decided>>,
    tickets: u64,
    position: Offset,
}

enum Phase {
    Unloaded,
    /// The log is being replayed, or will be: at once, or from `retry_at_ms` on after a failure.
    Loading {
        retry_at_ms: Option<i64>,
    },
    Active(Box<Active>),
}

struct State {
    phase: Phase,
    epoch: LeaderEpoch,
    log: Option<Arc<dyn GroupLog>>,
    /// Topics that were deleted while the log was replayed: their offsets go when that is done.
    deleted_topics: HashSet<TopicName>,
}

impl State {
    fn new(phase: Phase, epoch: LeaderEpoch, log: Option<Arc<dyn GroupLog>>) -> Self {
        Self { phase, epoch, log, deleted_topics: HashSet::new() }
    }
}

/// One partition of `__consumer_offsets`.
pub(crate) struct Shard {
    state: Mutex<State>,
    /// When `expire` has something to do, on the monotonic clock; `NEVER_MS` when it has not.
    deadline_ms: AtomicI64,
}

impl Default for Shard {
    fn default() -> Self {
        Self {
            state: Mutex::new(State::new(Phase::Unloaded, LeaderEpoch::UNKNOWN, None)),
            deadline_ms: AtomicI64::new(NEVER_MS),
        }
    }
}

impl Shard {
    /// Becomes responsible from this epoch on. Commands are refused with `COORDINATOR_LOAD_IN_PROGRESS` until
    /// `load` is done. An older epoch than the one that is known changes nothing.
    pub(crate) fn begin_load(&self, epoch: LeaderEpoch, log: Arc<dyn GroupLog>) -> bool {
        let mut state = self.lock();
        if epoch < state.epoch {
            return false;
        }
        state.phase = Phase::Loading { retry_at_ms: None };
        state.epoch = epoch;
        state.log = Some(log);
        self.deadline_ms.store(NEVER_MS, Ordering::SeqCst);
        true
    }

    /// Replays the log, without the mutex, and begins to answer. Does nothing when the shard is not loading, or
    /// no longer for the same log.
    pub(crate) fn load(&self, settings: &Arc<Settings>, now: Now) -> Result<LoadReport, ErrorCode> {
        let (log, epoch) = {
            let state = self.lock();
            match (&state.phase, &state.log) {
                (Phase::Loading { .. }, Some(log)) => (log.clone(), state.epoch),
                _ => return Ok(LoadReport::default()),
            }
        };
        let loaded = loader::load(&*log, settings.clone(), now);
        let mut state = self.lock();
        let is_same =
            state.epoch == epoch && state.log.as_ref().is_some_and(|current| Arc::ptr_eq(current, &log));
        if !is_same || !matches!(state.phase, Phase::Loading { .. }) {
            return Ok(LoadReport::default());
        }
        match loaded {
            Ok((machine, effects, report, position)) => {
                let active = Active { machine, waiting: HashMap::new(), tickets: 0, position };
                state.phase = Phase::Active(Box::new(active));
                self.settle(&mut state, effects, now)?;
                self.delete_deferred(&mut state, now)?;
                Ok(report)
            }
            Err(error) => {
                let retry_at_ms = now.after_ms(LOAD_RETRY_MS).mono_ms;
                state.phase = Phase::Loading { retry_at_ms: Some(retry_at_ms) };
                self.deadline_ms.store(retry_at_ms, Ordering::SeqCst);
                Err(error)
            }
        }
    }

    /// Is no longer responsible; who waits is told `NOT_COORDINATOR`. An older epoch than the one that is known
    /// changes nothing.
    pub(crate) fn unload(&self, epoch: LeaderEpoch) {
        let mut state = self.lock();
        if epoch >= state.epoch {
            *state = State::new(Phase::Unloaded, epoch, None);
            self.deadline_ms.store(NEVER_MS, Ordering::SeqCst);
        }
    }

    /// True when this shard answers, or will when it has loaded.
    pub(crate) fn is_responsible(&self) -> bool {
        !matches!(self.lock().phase, Phase::Unloaded)
    }

    /// When this shard has something to do, on the monotonic clock.
    pub(crate) fn deadline_ms(&self) -> i64 {
        self.deadline_ms.load(Ordering::SeqCst)
    }

    /// True when a load is due: after a failed append, or when the last one failed.
    pub(crate) fn needs_load(&self, now: Now) -> bool {
        matches!(self.lock().phase, Phase::Loading { retry_at_ms: Some(at) } if at <= now.mono_ms)
    }

    /// Decides on a command.
    pub(crate) fn submit<T: FromReply>(&self, command: Command, now: Now) -> Answer<T> {
        let mut state = self.lock();
        let Some(log) = state.log.clone() else { return Answer::refused(ErrorCode::NotCoordinator) };
        let active = match &mut state.phase {
            Phase::Unloaded => return Answer::refused(ErrorCode::NotCoordinator),
            Phase::Loading { .. } => return Answer::refused(ErrorCode::CoordinatorLoadInProgress),
            Phase::Active(active) => active,
        };
        if writes(&command)
            && active.position.0.saturating_sub(log.committed().0) > GROUP_RECORDS_UNCOMMITTED_MAX
        {
            return Answer::refused(ErrorCode::CoordinatorNotAvailable);
        }
        active.tickets = active.tickets.wrapping_add(1);
        let ticket = Ticket(active.tickets);
        active.machine.set_batch_bytes_max(log.batch_bytes_max());
        let mut effects = active.machine.handle(ticket, command, now);
        let own = effects.replies.iter().position(|(to, _)| *to == ticket);
        let own = own.map(|index| effects.replies.swap_remove(index).1);
        let receiver = own.is_none().then(|| {
            let (sender, receiver) = oneshot::channel();
            active.waiting.insert(ticket, sender);
            receiver
        });
        if let Err(error) = self.settle(&mut state, effects, now) {
            return Answer::refused(error);
        }
        let position = match &state.phase {
            Phase::Active(active) => active.position,
            _ => return Answer::refused(ErrorCode::NotCoordinator),
        };
        drop(state);
        match (own, receiver) {
            (Some(reply), _) if log.committed() >= position => Answer::Ready(T::from_reply(reply)),
            (Some(reply), _) => Answer::Later(Box::pin(async move {
                committed(&*log, position).await?;
                T::from_reply(reply)
            })),
            (None, Some(receiver)) => Answer::Later(Box::pin(async move {
                let decided = receiver.await.map_err(|_| ErrorCode::NotCoordinator)?;
                committed(&*log, decided.position).await?;
                T::from_reply(decided.reply)
            })),
            (None, None) => Answer::refused(ErrorCode::UnknownServerError),
        }
    }

    /// Does what is due.
    pub(crate) fn expire(&self, now: Now) {
        if self.deadline_ms() > now.mono_ms {
            return;
        }
        let mut state = self.lock();
        if let Phase::Active(active) = &mut state.phase {
            let effects = active.machine.expire(now);
            // A refused append has discarded the shard, and its load is scheduled.
            let _ = self.settle(&mut state, effects, now);
        }
    }

    /// Deletes the committed offsets of a topic that is gone; at once, or when the shard has loaded.
    pub(crate) fn delete_topics(&self, topics: &HashSet<TopicName>, now: Now) -> Result<(), ErrorCode> {
        let mut state = self.lock();
        match &mut state.phase {
            Phase::Unloaded => Ok(()),
            Phase::Loading { .. } => {
                state.deleted_topics.extend(topics.iter().cloned());
                Ok(())
            }
            Phase::Active(active) => {
                let effects = active.machine.delete_topics(topics);
                let settled = self.settle(&mut state, effects, now);
                if settled.is_err() {
                    state.deleted_topics.extend(topics.iter().cloned());
                }
                settled
            }
        }
    }

    /// Deletes or cuts committed offsets, where the shard has loaded.
    pub(crate) fn mend_offsets(&self, judge: Judge<'_>, now: Now) -> Result<(), ErrorCode> {
        let mut state = self.lock();
        let Phase::Active(active) = &mut state.phase else { return Ok(()) };
        let effects = active.machine.mend_offsets(judge);
        self.settle(&mut state, effects, now)
    }

    fn delete_deferred(&self, state: &mut MutexGuard<'_, State>, now: Now) -> Result<(), ErrorCode> {
        let topics = std::mem::take(&mut state.deleted_topics);
        let Phase::Active(active) = &mut state.phase else { return Ok(()) };
        let effects = active.machine.delete_topics(&topics);
        let settled = self.settle(state, effects, now);
        if settled.is_err() {
            state.deleted_topics = topics;
        }
        settled
    }

    /// Appends what was decided, hands the answers on, and notes the next deadline. On failure the shard is
    /// discarded and everybody who waits is told so by the end of his channel.
    fn settle(&self, state: &mut MutexGuard<'_, State>, effects: Effects, now: Now) -> Result<(), ErrorCode> {
        let State { phase: Phase::Active(active), log: Some(log), epoch, .. } = &mut **state else {
            return Ok(());
        };
        let appended = append(&**log, &effects.records, *epoch, now);
        match appended {
            Ok(Some(end)) => active.position = end,
            Ok(None) => {}
            Err(error) => {
                tracing::error!(%error, "groups could not be recorded; their log will be replayed");
                state.phase = Phase::Loading { retry_at_ms: Some(now.mono_ms) };
                self.deadline_ms.store(now.mono_ms, Ordering::SeqCst);
                return Err(answer_to_append_error(error));
            }
        }
        for (ticket, reply) in effects.replies {
            if let Some(sender) = active.waiting.remove(&ticket) {
                // The client may be gone; what was decided stands.
                let _ = sender.send(Decided { reply, position: active.position });
            }
        }
        self.deadline_ms.store(active.machine.deadline_ms().unwrap_or(NEVER_MS), Ordering::SeqCst);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock; were it so, the log is still the truth and the state whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// True for commands that can lead to records.
const fn writes(command: &Command) -> bool {
    !matches!(
        command,
        Command::Heartbeat(_) | Command::Fetch(_) | Command::Describe { .. } | Command::List(_)
    )
}

async fn committed(log: &dyn GroupLog, position: Offset) -> Result<(), ErrorCode> {
    if log.committed() >= position {
        return Ok(());
    }
    log.wait_committed(position).await.map_err(answer_to_append_error)
}

/// Appends records in as few batches as fit; tells the log's end when there were any.
fn append(
    log: &dyn GroupLog,
    group_records: &[GroupRecord],
    epoch: LeaderEpoch,
    now: Now,
) -> Result<Option<Offset>, ErrorCode> {
    let batch_bytes_max = log.batch_bytes_max();
    let mut end = None;
    let mut builder = BatchBuilder::new(now.wall_ms).leader_epoch(epoch.0);
    let mut size = HEADER_BYTES;
    for record in group_records {
        let encoded = records::encode(record).map_err(|error| {
            tracing::error!(%error, "a group's record cannot be encoded");
            ErrorCode::UnknownServerError
        })?;
        if size + encoded.size_bytes() > batch_bytes_max && !builder.is_empty() {
            end = Some(log.append(builder.build(0), now)?);
            builder = BatchBuilder::new(now.wall_ms).leader_epoch(epoch.0);
            size = HEADER_BYTES;
        }
        size += encoded.size_bytes();
        builder.push(Some(&encoded.key), encoded.value.as_deref(), now.wall_ms);
    }
    if !builder.is_empty() {
        end = Some(log.append(builder.build(0), now)?);
    }
    Ok(end)
}

/// What a client is told when the log refuses: look for the coordinator again, or try again (Kafka's mapping).
fn answer_to_append_error(error: ErrorCode) -> ErrorCode {
    match error {
        ErrorCode::NotLeaderOrFollower | ErrorCode::KafkaStorageError => ErrorCode::NotCoordinator,
        ErrorCode::MessageTooLarge | ErrorCode::RecordListTooLarge | ErrorCode::InvalidFetchSize => {
            ErrorCode::UnknownServerError
        }
        ErrorCode::UnknownTopicOrPartition | ErrorCode::NotEnoughReplicas | ErrorCode::RequestTimedOut => {
            ErrorCode::CoordinatorNotAvailable
        }
        other => other,
    }
}
