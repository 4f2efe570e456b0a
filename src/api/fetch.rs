//! Fetch, versions 4–18 (KIP-74 first batch, KIP-227 sessions, KIP-320 leader epochs, KIP-516 topic ids).
//! Reads what is there; with less than `min_bytes` it waits for a signal of the partitions, never by polling.

use std::sync::Arc;
use std::time::Duration;

use kafka_protocol::messages::FetchRequest;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};

use super::{Context, IntoFrame, Reply};
use crate::broker::Broker;
use crate::broker::fetch_sessions::{Begin, Entry, Session, State, TopicKey, Wanted};
use crate::limits::FETCH_PARTITIONS_FREE;
use crate::replica::Partition;
use crate::replica::reading::{Isolation, ReadFailure, ReadLimits};
use crate::types::{ErrorCode, LeaderEpoch, NodeId, Offset, TopicId, TopicName, TopicPartition};
use crate::wire::fetch_response::{FetchResponse, FetchedPartition, FetchedTopic};
use crate::wire::frame::{Frame, ResponseHead};

/// Bytes of records in one answer, whatever is asked for and allowed: its frame's size has to fit into 31 bits.
const ANSWER_BYTES_MAX: i32 = 1 << 30;
/// First version that names topics by id.
const TOPIC_IDS_FROM: i16 = 13;
/// First version with sessions.
const SESSIONS_FROM: i16 = 7;

impl IntoFrame for FetchResponse {
    fn into_frame(self, head: ResponseHead) -> Result<Frame, String> {
        Self::into_frame(self, head)
    }
}

/// Answers at once when `min_bytes` are there, an error is, or nothing may be waited for.
pub(super) fn handle(context: Context, request: FetchRequest) -> Reply<FetchResponse> {
    let mut fetch = match Fetch::begin(&context, &request) {
        Ok(fetch) => fetch,
        Err(error) => {
            return Reply::Now(FetchResponse { error_code: error.code(), ..FetchResponse::default() });
        }
    };
    let wait_ms = if fetch.may_wait() { request.max_wait_ms.max(0) } else { 0 };
    match fetch.round(false) {
        Ok(round) if fetch.is_enough(&round) || wait_ms == 0 => Reply::Now(fetch.answer(round)),
        first => {
            // The deadline counts from here, whenever the answer is first polled.
            let deadline = tokio::time::sleep(Duration::from_millis(wait_ms as u64));
            let bytes = first.as_ref().map_or(0, |round| round.bytes);
            let cold = first.is_err();
            fetch.register();
            Reply::Parked(Box::pin(fetch.wait(deadline, bytes, cold)))
        }
    }
}

/// One Fetch request on its way.
struct Fetch {
    broker: Arc<Broker>,
    session: Arc<Session>,
    /// Whether the answer names every partition, changed or not.
    full: bool,
    /// Whether partitions that are found are registered with the session's signal.
    registers: bool,
    /// Whether the asker says that it is another broker, which is no replica of anything here.
    is_stranger: bool,
    bytes_max: usize,
    bytes_min: usize,
    isolation: Isolation,
}

/// The bytes that a partition needs are not in memory; the round has to be repeated where reading may block.
struct Cold;

/// What a partition holds from the asked offset on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// No records.
    Nothing,
    /// Records, all of which are in the answer.
    All,
    /// More than the limits allowed.
    Cut,
}

/// What one look at the partitions found.
#[derive(Default)]
struct Round {
    partitions: Vec<(u32, FetchedPartition)>,
    /// Partitions that were not found. As with Kafka they stand behind the others in the answer.
    unknown: Vec<(u32, FetchedPartition)>,
    bytes: usize,
    failed: bool,
    /// A partition had more than the limits allowed: no wait would bring more.
    is_cut: bool,
}

impl Fetch {
    fn begin(context: &Context, request: &FetchRequest) -> Result<Self, ErrorCode> {
        let broker = context.broker.clone();
        let by_id = context.version >= TOPIC_IDS_FROM;
        let asked = if context.version >= SESSIONS_FROM {
            (request.session_id, request.session_epoch)
        } else {
            (0, -1)
        };
        let new_id = || (uuid::Uuid::new_v4().as_u128() as i32) & i32::MAX;
        let (session, full) = match broker.fetch_sessions.begin(asked, by_id, new_id, context.now)? {
            Begin::Full(session) => (session, true),
            Begin::Incremental(session) => {
                if broker.fetch_sessions.is_full() && !request.topics.is_empty() {
                    // It would grow; the client begins anew, and gets none.
                    broker.fetch_sessions.remove(session.id);
                    return Err(ErrorCode::FetchSessionIdNotFound);
                }
                (session, false)
            }
        };
        let bytes_max =
            request.max_bytes.min(broker.config.fetch.max_bytes).clamp(0, ANSWER_BYTES_MAX) as usize;
        let fetch = Self {
            bytes_max,
            // More than fits into an answer would never be there.
            bytes_min: (request.min_bytes.max(0) as usize).min(bytes_max),
            registers: session.id != 0,
            is_stranger: is_stranger(request, broker.node_id),
            isolation: if request.isolation_level == 1 {
                Isolation::Committed
            } else {
                Isolation::Uncommitted
            },
            broker,
            session,
            full,
        };
        fetch.update_session(request);
        Ok(fetch)
    }

    /// Takes the request's changes into the session. An emptied session is over.
    fn update_session(&self, request: &FetchRequest) {
        let mut state = self.session.state();
        for topic in &request.topics {
            let key = topic_key(self.session.by_id, topic);
            for partition in &topic.partitions {
                state.want(key.clone(), partition.partition, wanted(partition));
            }
        }
        if self.full {
            return;
        }
        for topic in &request.forgotten_topics_data {
            let key = if self.session.by_id {
                TopicKey::Id(TopicId(topic.topic_id))
            } else {
                TopicKey::Name(topic.topic.as_str().into())
            };
            for partition in &topic.partitions {
                if let Some((token, entry)) = state.forget(key.clone(), *partition)
                    && let Some(handle) = entry.handle
                {
                    handle.waiters().deregister(&self.session.signal, token);
                }
            }
        }
        if state.is_empty() {
            self.broker.fetch_sessions.remove(self.session.id);
        }
    }

    /// Looks at every partition that may have news and reads what is there.
    fn round(&self, may_block: bool) -> Result<Round, Cold> {
        let mut state = self.session.state();
        let (news, _) = self.session.signal.take();
        state.mark_ready(news);
        let mut round = Round::default();
        for token in state.ready() {
            let Some(entry) = state.entry(token) else { continue };
            // When memory is short, what is there is enough; the client comes for the rest.
            let is_short = round.bytes > 0 && self.broker.partitions.is_read_memory_short();
            let left = if is_short { 0 } else { self.bytes_max.saturating_sub(round.bytes) };
            let limits = ReadLimits {
                bytes_max: left.min(entry.wanted.bytes_max.max(0) as usize),
                at_least_one_batch: round.bytes == 0,
                isolation: self.isolation,
                may_block,
            };
            let (fetched, rest) = self.fetch_partition(token, entry, limits)?;
            let failed = fetched.error_code != 0 || fetched.diverging.is_some();
            round.bytes += fetched.records.len();
            round.failed |= failed;
            round.is_cut |= rest == Rest::Cut;
            if rest == Rest::Nothing && !failed && is_old_news(entry, &fetched) {
                state.settle(token);
            }
            let unknown = is_unknown(fetched.error_code);
            if unknown { &mut round.unknown } else { &mut round.partitions }.push((token, fetched));
        }
        Ok(round)
    }

    /// Reads one partition, and tells what it holds from the asked offset on.
    fn fetch_partition(
        &self,
        token: u32,
        entry: &mut Entry,
        limits: ReadLimits,
    ) -> Result<(FetchedPartition, Rest), Cold> {
        let index = entry.partition;
        let fail = |error: ErrorCode| Ok((FetchedPartition::error(index, error.code()), Rest::Nothing));
        let partition = match self.find(token, entry) {
            Ok(partition) => partition,
            Err(error) => {
                // Kafka's list of aborted transactions is empty for what there is not, and null in other refusals.
                let aborted = is_unknown(error.code()).then(Vec::new);
                let refused = FetchedPartition::error(index, error.code());
                return Ok((FetchedPartition { aborted, ..refused }, Rest::Nothing));
            }
        };
        if self.is_stranger {
            return fail(ErrorCode::NotLeaderOrFollower);
        }
        let current = LeaderEpoch(entry.wanted.current_leader_epoch);
        if let Err(error) = partition.check_leader_epoch(current) {
            return fail(error);
        }
        let last_fetched = LeaderEpoch(entry.wanted.last_fetched_epoch);
        let from = Offset(entry.wanted.offset);
        match partition.divergence(last_fetched, from) {
            Ok(None) => {}
            Ok(Some(common)) => {
                return diverging(index, &partition, common)
                    .map(|fetched| (fetched, Rest::Nothing))
                    .or_else(fail);
            }
            Err(error) => return fail(error),
        }
        match partition.read(from, limits) {
            Ok(read) => {
                let rest = match from < read.upper {
                    true if read.is_cut => Rest::Cut,
                    true => Rest::All,
                    false => Rest::Nothing,
                };
                let fetched = FetchedPartition {
                    high_watermark: read.high_watermark.0,
                    last_stable_offset: read.last_stable.0,
                    log_start: read.log_start.0,
                    aborted: read.aborted,
                    records: read.records,
                    ..FetchedPartition::error(index, 0)
                };
                Ok((fetched, rest))
            }
            Err(ReadFailure::WouldBlock) => Err(Cold),
            Err(ReadFailure::Code(code)) => fail(code),
        }
    }

    /// The partition of an entry; found once, and again when it was deleted. A new find is registered with the
    /// session at once, if a client can come back to the session.
    fn find(&self, token: u32, entry: &mut Entry) -> Result<Arc<Partition>, ErrorCode> {
        if let Some(partition) = entry.handle.as_ref().filter(|partition| !partition.is_closed()) {
            return Ok(partition.clone());
        }
        entry.handle = None;
        let name = self.topic_name(entry).ok_or(ErrorCode::UnknownTopicId)?;
        let partition = self
            .broker
            .partitions
            .get(&TopicPartition { topic: name.clone(), partition: entry.partition })
            .ok_or(ErrorCode::UnknownTopicOrPartition)?;
        if let TopicKey::Id(id) = &entry.topic
            && partition.topic_id != *id
        {
            return Err(ErrorCode::InconsistentTopicId);
        }
        if self.registers {
            partition.waiters().register(&self.session.signal, token);
        }
        entry.name = Some(name);
        entry.handle = Some(partition.clone());
        Ok(partition)
    }

    /// As with Kafka a topic that was found by its id goes by the name that it had then.
    fn topic_name(&self, entry: &Entry) -> Option<TopicName> {
        match (&entry.topic, &entry.name) {
            (TopicKey::Name(name), _) | (TopicKey::Id(_), Some(name)) => Some(name.clone()),
            (TopicKey::Id(id), None) => Some(self.broker.controller.image().topic_by_id(*id)?.name.clone()),
        }
    }

    /// Registers a fetch without a session with its partitions, and with those that it finds from now on; sessions
    /// are registered already.
    fn register(&mut self) {
        let mut state = self.session.state();
        if !self.registers {
            self.registers = true;
            for token in state.ready() {
                if let Some(Entry { handle: Some(handle), .. }) = state.entry(token) {
                    handle.waiters().register(&self.session.signal, token);
                }
            }
        }
        // Whatever came between the first look and the registration is seen by the next look.
        if self.full {
            state.mark_all_ready();
        }
    }

    /// A request without a session keeps its partitions while it waits, of which there may be too many.
    fn may_wait(&self) -> bool {
        self.session.id != 0
            || self.session.state().len() <= FETCH_PARTITIONS_FREE
            || !self.broker.fetch_sessions.is_full()
    }

    fn is_enough(&self, round: &Round) -> bool {
        let is_full = round.is_cut && round.bytes > 0;
        round.bytes >= self.bytes_min || is_full || round.failed || self.session.state().is_empty()
    }

    async fn wait(self, deadline: tokio::time::Sleep, mut seen: usize, cold: bool) -> FetchResponse {
        tokio::pin!(deadline);
        let mut look = self.session.id == 0 || cold;
        loop {
            let expired = deadline.is_elapsed();
            if look || expired {
                let round = self.round_anywhere().await;
                if expired || self.is_enough(&round) {
                    return self.answer(round);
                }
                seen = round.bytes;
            }
            tokio::select! {
                () = self.session.signal.woken() => {}
                () = &mut deadline => {}
            }
            // Reading again pays only when enough was appended since the last look.
            let signal = &self.session.signal;
            look = signal.is_urgent() || seen.saturating_add(signal.bytes() as usize) >= self.bytes_min;
        }
    }

    /// A round that reads from memory if it can, and on the pool for blocking work if it must.
    async fn round_anywhere(&self) -> Round {
        if let Ok(round) = self.round(false) {
            return round;
        }
        let fetch = Self { broker: self.broker.clone(), session: self.session.clone(), ..*self };
        let read = tokio::task::spawn_blocking(move || fetch.round(true)).await;
        match read {
            Ok(Ok(round)) => round,
            // A blocking read is never cold; a failed task has been reported by the runtime.
            Ok(Err(Cold)) | Err(_) => Round { failed: true, ..Round::default() },
        }
    }

    /// Turns a round into the answer and remembers in the session what was sent.
    fn answer(&self, round: Round) -> FetchResponse {
        let mut state = self.session.state();
        let mut topics = Vec::new();
        for (token, fetched) in round.partitions.into_iter().chain(round.unknown) {
            if self.full || is_news(&mut state, token, &fetched) {
                remember(&mut state, token, &fetched);
                if let Some(entry) = state.entry(token) {
                    push(&mut topics, entry, fetched);
                }
            }
        }
        FetchResponse { error_code: 0, session_id: self.session.id, topics }
    }
}

fn is_unknown(code: i16) -> bool {
    code == ErrorCode::UnknownTopicOrPartition.code() || code == ErrorCode::UnknownTopicId.code()
}

/// Version 15 moved the asker's broker id (KIP-903).
fn is_stranger(request: &FetchRequest, node: NodeId) -> bool {
    let asker = request.replica_id.0.max(request.replica_state.replica_id.0);
    asker >= 0 && asker != node.0
}

/// The answer to an asker whose log is another one behind the epoch and end that are `common`: no records.
fn diverging(
    index: i32,
    partition: &Partition,
    common: (LeaderEpoch, Offset),
) -> Result<FetchedPartition, ErrorCode> {
    Ok(FetchedPartition {
        high_watermark: partition.upper(Isolation::Uncommitted)?.0,
        last_stable_offset: partition.upper(Isolation::Committed)?.0,
        log_start: partition.log_start()?.0,
        diverging: Some((common.0.0, common.1.0)),
        ..FetchedPartition::error(index, 0)
    })
}

/// Adds a partition to the answer's topics, in the order in which partitions come.
fn push(topics: &mut Vec<FetchedTopic>, entry: &Entry, fetched: FetchedPartition) {
    let (name, id) = match &entry.topic {
        TopicKey::Name(name) => (name.clone(), TopicId::ZERO),
        TopicKey::Id(id) => (TopicName::from(""), *id),
    };
    match topics.last_mut() {
        Some(last) if last.name == name && last.id == id => last.partitions.push(fetched),
        _ => topics.push(FetchedTopic { name, id, partitions: vec![fetched] }),
    }
}

fn topic_key(by_id: bool, topic: &FetchTopic) -> TopicKey {
    if by_id { TopicKey::Id(TopicId(topic.topic_id)) } else { TopicKey::Name(topic.topic.as_str().into()) }
}

/// Every negative epoch stands for none, as with Kafka.
fn wanted(partition: &FetchPartition) -> Wanted {
    let epoch = |epoch: i32| epoch.max(LeaderEpoch::UNKNOWN.0);
    Wanted {
        offset: partition.fetch_offset,
        bytes_max: partition.partition_max_bytes,
        current_leader_epoch: epoch(partition.current_leader_epoch),
        last_fetched_epoch: epoch(partition.last_fetched_epoch),
    }
}

/// Whether the client knows already all that an answer without records and error says.
fn is_old_news(entry: &Entry, fetched: &FetchedPartition) -> bool {
    entry.sent == (fetched.high_watermark, fetched.log_start)
}

fn is_news(state: &mut State, token: u32, fetched: &FetchedPartition) -> bool {
    let Some(entry) = state.entry(token) else { return false };
    !fetched.records.is_empty()
        || fetched.error_code != 0
        || fetched.diverging.is_some()
        || !is_old_news(entry, fetched)
}

fn remember(state: &mut State, token: u32, fetched: &FetchedPartition) {
    if let Some(entry) = state.entry(token) {
        entry.sent =
            if fetched.error_code == 0 { (fetched.high_watermark, fetched.log_start) } else { (-1, -1) };
    }
    if !fetched.records.is_empty() {
        state.move_to_back(token);
    }
}
