//! Produce, versions 3–13 (KIP-98 idempotence, KIP-467 record errors, KIP-516 topic ids). Each partition has its
//! own outcome. Transactions are not served: a transactional id or batch is refused with a fatal error.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::num::NonZeroUsize;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::produce_response::{
    BatchIndexAndErrorMessage, PartitionProduceResponse, TopicProduceResponse,
};
use kafka_protocol::messages::{ProduceRequest, ProduceResponse};
use kafka_protocol::protocol::StrBytes;
use tokio::sync::Semaphore;

use super::{Context, Reply};
use crate::limits::{
    APPEND_INLINE_BYTES_MAX, BATCH_DECOMPRESSED_BYTES_MAX, PRODUCE_INLINE_BYTES_MAX, PRODUCE_INLINE_MS_MAX,
};
use crate::replica::Partition;
use crate::replica::partition::{Appended, Refusal};
use crate::replica::validate::{codec_before_7, validate_within};
use crate::types::{ErrorCode, Offset, TopicId, TopicPartition};

/// First version that names topics by id.
const TOPIC_IDS_FROM: i16 = 13;
/// First version with `record_errors` and `error_message`.
const RECORD_ERRORS_FROM: i16 = 8;
/// First version that takes Zstandard (KIP-110).
const ZSTANDARD_FROM: i16 = 7;

/// Appends every batch, then answers when all are committed.
pub(super) fn handle(context: Context, mut request: ProduceRequest) -> Reply<ProduceResponse> {
    request.topic_data = told_once(request.topic_data);
    let acks = request.acks;
    let refused = if request.transactional_id.is_some() {
        Some(ErrorCode::TransactionalIdAuthorizationFailed)
    } else if !matches!(acks, -1..=1) {
        Some(ErrorCode::InvalidRequiredAcks)
    } else {
        None
    };
    if let Some(code) = refused {
        let response = refuse_all(&context, request.topic_data, code);
        return if acks == 0 { closed(&response) } else { Reply::Now(response) };
    }
    let (batches, bytes_largest, bytes) = sizes(&request);
    let is_large =
        bytes_largest > APPEND_INLINE_BYTES_MAX || (bytes > PRODUCE_INLINE_BYTES_MAX && batches > 1);
    let mut work = Work::new(context, request);
    if is_large || !work.append_at_once() {
        return append_in_turns(work);
    }
    reply(work.topics, acks, work.context.version)
}

/// As with Kafka a topic is one however often it is named, a partition's last records are what counts, and a topic
/// without partitions is nothing.
fn told_once(topics: Vec<TopicProduceData>) -> Vec<TopicProduceData> {
    if let [topic] = topics.as_slice()
        && topic.partition_data.len() == 1
    {
        return topics;
    }
    let mut done = Vec::with_capacity(topics.len());
    let mut places = HashMap::new();
    for topic in topics.into_iter().filter(|topic| !topic.partition_data.is_empty()) {
        match places.entry((topic.name.clone(), topic.topic_id)) {
            Entry::Occupied(place) => {
                let first: &mut TopicProduceData = &mut done[*place.get()];
                first.partition_data.extend(topic.partition_data);
            }
            Entry::Vacant(place) => {
                place.insert(done.len());
                done.push(topic);
            }
        }
    }
    for topic in &mut done {
        let mut last = HashMap::with_capacity(topic.partition_data.len());
        for (at, data) in topic.partition_data.iter().enumerate() {
            last.insert(data.index, at);
        }
        if last.len() < topic.partition_data.len() {
            let mut at = 0..;
            topic.partition_data.retain(|data| last.get(&data.index).copied() == at.next());
        }
    }
    done
}

/// Number of batches, bytes of the largest one, bytes of all.
fn sizes(request: &ProduceRequest) -> (usize, usize, usize) {
    let partitions = request.topic_data.iter().flat_map(|topic| &topic.partition_data);
    partitions.fold((0, 0, 0), |(count, largest, sum), partition| {
        let bytes = partition.records.as_ref().map_or(0, Bytes::len);
        (count + 1, largest.max(bytes), sum + bytes)
    })
}

/// Batches that are opened at a time on the pool for blocking work. Each may take all its bytes in memory, and together
/// they must not keep the runtime's workers from their processors.
static OPENING: LazyLock<Semaphore> = LazyLock::new(|| {
    let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    Semaphore::new((processors / 2).max(1))
});

/// What of a request was appended, and what is still to be.
struct Work {
    context: Context,
    acks: i16,
    topics: Vec<TopicDone>,
    /// Each with the place of its topic.
    todo: VecDeque<(usize, PartitionProduceData)>,
}

impl Work {
    fn new(context: Context, request: ProduceRequest) -> Self {
        let (batches, ..) = sizes(&request);
        let mut topics = Vec::with_capacity(request.topic_data.len());
        let mut todo = VecDeque::with_capacity(batches);
        for topic in request.topic_data {
            todo.extend(topic.partition_data.into_iter().map(|data| (topics.len(), data)));
            topics.push(TopicDone { name: topic.name, id: TopicId(topic.topic_id), partitions: Vec::new() });
        }
        Self { context, acks: request.acks, topics, todo }
    }

    fn done(&mut self, topic: usize, done: Done) {
        if let Some(topic) = self.topics.get_mut(topic) {
            topic.partitions.push(done);
        }
    }

    /// Appends what can be without keeping others waiting for long. `false` when there is more: a batch that opens to
    /// much more than it is, or too many that take their time.
    fn append_at_once(&mut self) -> bool {
        let begun_ms = self.context.broker.clock.now().mono_ms;
        while self.append_small() {
            let took_ms = self.context.broker.clock.now().mono_ms.saturating_sub(begun_ms);
            if took_ms >= PRODUCE_INLINE_MS_MAX {
                break;
            }
        }
        self.todo.is_empty()
    }

    /// Appends the next batch; `false` when there is none, or it is not one to be appended on a runtime's worker.
    fn append_small(&mut self) -> bool {
        let Some((at, data)) = self.todo.pop_front() else { return false };
        let is_small = data.records.as_ref().is_none_or(|bytes| bytes.len() <= APPEND_INLINE_BYTES_MAX);
        let appended = match self.topics.get(at).filter(|_| is_small) {
            Some(topic) => append_partition(&self.context, topic, &data, APPEND_INLINE_BYTES_MAX),
            None => None,
        };
        let Some(done) = appended else {
            self.todo.push_front((at, data));
            return false;
        };
        self.done(at, done);
        true
    }

    /// Appends the next batch on the pool for blocking work.
    async fn append_large(&mut self) {
        let Some((at, data)) = self.todo.pop_front() else { return };
        let Some(topic) = self.topics.get(at) else { return };
        let (context, topic, index) = (self.context.clone(), topic.head(), data.index);
        let append = move || append_partition(&context, &topic, &data, BATCH_DECOMPRESSED_BYTES_MAX);
        // The semaphore is never closed.
        let _turn = OPENING.acquire().await;
        let done = tokio::task::spawn_blocking(append).await.ok().flatten();
        self.done(at, done.unwrap_or_else(|| Done::refused(index, ErrorCode::UnknownServerError)));
    }
}

/// A request that takes long: other connections get their turn between two partitions, and a batch that is large, or
/// opens to much, is appended on the pool for blocking work. No other request of this connection is handled meanwhile.
fn append_in_turns(mut work: Work) -> Reply<ProduceResponse> {
    let (acks, version) = (work.acks, work.context.version);
    // A task of its own: a client that goes away in the middle leaves no half of its request behind.
    let appending = tokio::spawn(async move {
        while !work.todo.is_empty() {
            tokio::task::yield_now().await;
            if !work.append_small() {
                work.append_large().await;
            }
        }
        work.topics
    });
    Reply::Then(Box::pin(async move {
        match appending.await {
            Ok(done) => reply(done, acks, version),
            Err(error) => Reply::Close(format!("the append failed: {error}")),
        }
    }))
}

/// A topic's outcomes, named as the request named it.
#[derive(Clone)]
struct TopicDone {
    name: kafka_protocol::messages::TopicName,
    id: TopicId,
    partitions: Vec<Done>,
}

/// One partition's outcome; for a good one the partition to ask when it is committed.
#[derive(Clone)]
struct Done {
    index: i32,
    result: Result<(Arc<Partition>, Appended), (Refusal, Offset)>,
}

impl TopicDone {
    /// The names alone.
    fn head(&self) -> Self {
        Self { name: self.name.clone(), id: self.id, partitions: Vec::new() }
    }
}

impl Done {
    fn refused(index: i32, code: ErrorCode) -> Self {
        Self { index, result: Err((code.into(), Offset::UNKNOWN)) }
    }
}

/// Appends one partition's batch; `None`, with nothing done, when it opens to more than `opened_bytes_max` where that is
/// not the most that any may.
fn append_partition(
    context: &Context,
    topic: &TopicDone,
    data: &PartitionProduceData,
    opened_bytes_max: usize,
) -> Option<Done> {
    let index = data.index;
    let partition = match find(context, topic, index) {
        Ok(partition) => partition,
        Err(code) => return Some(Done::refused(index, code)),
    };
    let records = data.records.clone().unwrap_or_default();
    let result = match append(context, &partition, records, opened_bytes_max)? {
        Ok(appended) => Ok((partition, appended)),
        Err(refusal) => {
            let log_start = refusal.names_log_start.then(|| partition.log_start().ok()).flatten();
            Err((refusal, log_start.unwrap_or(Offset::UNKNOWN)))
        }
    };
    Some(Done { index, result })
}

fn find(context: &Context, topic: &TopicDone, index: i32) -> Result<Arc<Partition>, ErrorCode> {
    let by_id = context.version >= TOPIC_IDS_FROM;
    let name = if by_id {
        let image = context.broker.controller.image();
        image.topic_by_id(topic.id).ok_or(ErrorCode::UnknownTopicId)?.name.clone()
    } else {
        topic.name.as_str().into()
    };
    let named = TopicPartition { topic: name, partition: index };
    let partition = context.broker.partitions.get(&named).ok_or(ErrorCode::UnknownTopicOrPartition)?;
    if by_id && partition.topic_id != topic.id {
        // Deleted and made again between the two looks.
        return Err(ErrorCode::UnknownTopicId);
    }
    Ok(partition)
}

fn append(
    context: &Context,
    partition: &Partition,
    records: Bytes,
    opened_bytes_max: usize,
) -> Option<Result<Appended, Refusal>> {
    if partition.is_internal() {
        return Some(Err(Refusal::from(ErrorCode::InvalidTopicException)));
    }
    if context.version < ZSTANDARD_FROM
        && let Err(refusal) = codec_before_7(&records)
    {
        return Some(Err(refusal.into()));
    }
    let rules = &partition.settings().rules;
    let batch = match validate_within(records, rules, context.now.wall_ms, opened_bytes_max) {
        Ok(batch) => batch,
        Err(refusal) if refusal.opens_to_too_much && opened_bytes_max < BATCH_DECOMPRESSED_BYTES_MAX => {
            return None;
        }
        Err(refusal) => return Some(Err(refusal.into())),
    };
    if batch.header.is_transactional() {
        return Some(Err(Refusal::from(ErrorCode::TransactionalIdAuthorizationFailed)));
    }
    Some(partition.append(&batch, context.now))
}

/// The answer to appended batches: at once, unless a partition still has to commit.
fn reply(done: Vec<TopicDone>, acks: i16, version: i16) -> Reply<ProduceResponse> {
    let waits = |done: &Done| match &done.result {
        Ok((partition, appended)) => !partition.is_committed(appended),
        Err(_) => false,
    };
    if acks == 0 {
        let response = response(done, version);
        return if has_error(&response) { closed(&response) } else { Reply::Silent };
    }
    if done.iter().flat_map(|topic| &topic.partitions).any(waits) {
        return Reply::Later(Box::pin(finish(done, version)));
    }
    Reply::Now(response(done, version))
}

async fn finish(mut done: Vec<TopicDone>, version: i16) -> ProduceResponse {
    for partition in done.iter_mut().flat_map(|topic| &mut topic.partitions) {
        if let Ok((handle, appended)) = &partition.result
            && let Err(code) = handle.committed(appended).await
        {
            partition.result = Err((code.into(), Offset::UNKNOWN));
        }
    }
    response(done, version)
}

fn response(done: Vec<TopicDone>, version: i16) -> ProduceResponse {
    let topic = |topic: TopicDone| {
        let mut response = TopicProduceResponse::default();
        if version >= TOPIC_IDS_FROM {
            response.topic_id = topic.id.0;
        } else {
            response.name = topic.name;
        }
        let partition = |done: Done| match done.result {
            Ok((_, appended)) => appended_partition(done.index, &appended),
            Err((refusal, log_start)) => refused_partition(version, done.index, refusal, log_start),
        };
        response.partition_responses = topic.partitions.into_iter().map(partition).collect();
        response
    };
    ProduceResponse::default().with_responses(done.into_iter().map(topic).collect())
}

fn appended_partition(index: i32, appended: &Appended) -> PartitionProduceResponse {
    PartitionProduceResponse::default()
        .with_index(index)
        .with_base_offset(appended.base_offset.0)
        .with_log_append_time_ms(appended.log_append_time_ms)
        .with_log_start_offset(appended.log_start.0)
}

fn refused_partition(
    version: i16,
    index: i32,
    refusal: Refusal,
    log_start: Offset,
) -> PartitionProduceResponse {
    let mut response = PartitionProduceResponse::default()
        .with_index(index)
        .with_error_code(refusal.error.code())
        .with_base_offset(Offset::UNKNOWN.0)
        .with_log_append_time_ms(-1)
        .with_log_start_offset(log_start.0);
    if version >= RECORD_ERRORS_FROM {
        let record = |(batch_index, message): (i32, Option<String>)| {
            BatchIndexAndErrorMessage::default()
                .with_batch_index(batch_index)
                .with_batch_index_error_message(message.map(StrBytes::from_string))
        };
        response.record_errors = refusal.record_errors.into_iter().map(record).collect();
        response.error_message = refusal.message.map(StrBytes::from_string);
    }
    response
}

/// The same refusal for every partition that exists; the others are unknown, as without it.
fn refuse_all(context: &Context, topics: Vec<TopicProduceData>, code: ErrorCode) -> ProduceResponse {
    let done = topics.into_iter().map(|topic| {
        let (id, partitions) = (TopicId(topic.topic_id), Vec::new());
        let mut head = TopicDone { name: topic.name, id, partitions };
        let indexes = topic.partition_data.iter().map(|data| data.index);
        let refused = |index| Done::refused(index, find(context, &head, index).err().unwrap_or(code));
        head.partitions = indexes.map(refused).collect();
        head
    });
    response(done.collect(), context.version)
}

fn has_error(response: &ProduceResponse) -> bool {
    response.responses.iter().flat_map(|topic| &topic.partition_responses).any(|p| p.error_code != 0)
}

/// A producer that wants no answers learns of an error by losing its connection, as with Kafka.
fn closed(response: &ProduceResponse) -> Reply<ProduceResponse> {
    let failed = response.responses.iter().find_map(|topic| {
        let partition = topic.partition_responses.iter().find(|partition| partition.error_code != 0)?;
        Some(format!("acks=0 and error {} for {}-{}", partition.error_code, topic.name.0, partition.index))
    });
    Reply::Close(failed.unwrap_or_else(|| "acks=0 and an error".to_owned()))
}
