//! Metadata, versions 0–13 (KIP-4, KIP-430 authorized operations, KIP-516 topic ids). A topic that is created on
//! the way is there, with its leader, in the same answer.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use kafka_protocol::messages::MetadataRequest;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;

use super::{CLUSTER_OPERATIONS, Context, OPERATIONS_UNASKED, Reply, TOPIC_OPERATIONS};
use crate::broker::Broker;
use crate::broker::endpoints::advertised;
use crate::broker::topics::new_topic;
use crate::controller::command::{ApiError, Command, NewTopic, Reply as Outcome};
use crate::controller::image::{Image, TopicImage};
use crate::controller::names::check_topic_name;
use crate::types::{ErrorCode, TopicId};
use crate::wire::metadata_response::{Answering, MetadataBody, MetadataWriter, ToldPartition, ToldTopic};

/// First version in which a topic can be asked for by id.
const TOPIC_IDS_FROM: i16 = 12;

/// Answers from the image, or after the missing topics have been created.
pub(super) fn handle(context: Context, mut request: MetadataRequest) -> Reply<MetadataBody> {
    if let Some(reason) = misplaced_null(context.version, &request) {
        return Reply::Close(reason.to_owned());
    }
    if let Some(refused) = refuse(&context, &request) {
        return Reply::Now(refused);
    }
    keep_ids(context.version, &mut request);
    let image = context.broker.controller.image();
    let missing = missing_topics(&context, &request, &image);
    if missing.is_empty() {
        return Reply::Now(answer(&context, &request, &image, &HashMap::new()));
    }
    Reply::Run(Box::pin(async move {
        let failed = create(&context.broker, missing).await;
        let image = context.broker.controller.image();
        answer(&context, &request, &image, &failed)
    }))
}

/// A null that the version has no place for, which the decoder lets through: Kafka closes the connection.
fn misplaced_null(version: i16, request: &MetadataRequest) -> Option<&'static str> {
    match &request.topics {
        None if version == 0 => Some("the topics are null"),
        Some(topics) if version < 10 && topics.iter().any(|topic| topic.name.is_none()) => {
            Some("a topic's name is null")
        }
        _ => None,
    }
}

/// Versions 10 and 11 have a field for the id but do not serve it: INVALID_REQUEST for every topic.
fn refuse(context: &Context, request: &MetadataRequest) -> Option<MetadataBody> {
    let topics = request.topics.as_ref()?;
    let by_id = |topic: &MetadataRequestTopic| topic.name.is_none() || !topic.topic_id.is_nil();
    if context.version < 10 || context.version >= TOPIC_IDS_FROM || !topics.iter().any(by_id) {
        return None;
    }
    let mut writer = MetadataWriter::new(context.version, None, topics.len(), 0);
    for topic in topics {
        writer.topic(&failed_topic(context.version, topic, ErrorCode::InvalidRequest, OPERATIONS_UNASKED));
    }
    Some(writer.finish(OPERATIONS_UNASKED))
}

/// Kafka looks at the names of a request only when nothing in it is asked for by id.
fn keep_ids(version: i16, request: &mut MetadataRequest) {
    let has_id = |topic: &MetadataRequestTopic| !topic.topic_id.is_nil();
    if let Some(topics) = request.topics.as_mut().filter(|_| version >= TOPIC_IDS_FROM)
        && topics.iter().any(has_id)
    {
        topics.retain(has_id);
    }
}

/// Named topics that do not exist and that both sides allow to be created.
fn missing_topics(context: &Context, request: &MetadataRequest, image: &Image) -> Vec<NewTopic> {
    let allowed = context.broker.config.topics.auto_create_topics_enable
        && (context.version < 4 || request.allow_auto_topic_creation);
    let Some(topics) = request.topics.as_ref().filter(|_| allowed) else { return Vec::new() };
    topics
        .iter()
        .filter(|topic| topic.topic_id.is_nil())
        .filter_map(|topic| topic.name.as_ref())
        .filter(|name| image.topic(name).is_none())
        .map(|name| new_topic(&context.broker.config, name))
        .collect()
}

/// Creates topics; returns those that could not be.
async fn create(broker: &Arc<Broker>, topics: Vec<NewTopic>) -> HashMap<String, ErrorCode> {
    let names: Vec<String> = topics.iter().map(|topic| topic.name.clone()).collect();
    let outcomes = match broker.controller.submit(Command::EnsureTopics(topics)).await {
        Ok(Outcome::EnsureTopics(outcomes)) => outcomes,
        Ok(_) => return HashMap::new(),
        Err(code) => return names.into_iter().map(|name| (name, code)).collect(),
    };
    let failed = |(name, outcome): (String, Result<Arc<TopicImage>, ApiError>)| {
        outcome.err().map(|error| (name, error.code))
    };
    names.into_iter().zip(outcomes).filter_map(failed).collect()
}

fn answer(
    context: &Context,
    request: &MetadataRequest,
    image: &Image,
    failed: &HashMap<String, ErrorCode>,
) -> MetadataBody {
    // Version 0 has no null: an empty list means all topics there.
    let asked = request.topics.as_ref().filter(|topics| context.version > 0 || !topics.is_empty());
    let with_operations = request.include_topic_authorized_operations;
    let Some(asked) = asked else {
        return write(context, request, image, image.topics().map(|topic| Told::Known(topic)));
    };
    let mut topics = tell_once(context.version, asked, image, failed, with_operations);
    topics.sort_by_key(Told::place);
    write(context, request, image, topics.into_iter())
}

/// Writes the answer that tells of `topics`.
fn write<'a>(
    context: &Context,
    request: &MetadataRequest,
    image: &Image,
    topics: impl ExactSizeIterator<Item = Told<'a>> + Clone,
) -> MetadataBody {
    let broker = &context.broker;
    let (host, port) = advertised(&broker.config, &context.connection.listener, context.connection.local);
    let answering = Answering {
        node: broker.node_id,
        host: &host,
        port,
        rack: broker.config.rack.as_deref(),
        cluster_id: &image.cluster_id,
    };
    let bytes = topics.clone().map(|topic| topic.size_bytes()).sum();
    let mut writer = MetadataWriter::new(context.version, Some(&answering), topics.len(), bytes);
    let known_operations = operations(request.include_topic_authorized_operations);
    for topic in topics {
        match topic {
            Told::Known(topic) => write_known(&mut writer, topic, known_operations),
            Told::Failed(failed) => writer.topic(&failed),
        }
    }
    let with_operations = request.include_cluster_authorized_operations;
    writer.finish(if with_operations { CLUSTER_OPERATIONS } else { OPERATIONS_UNASKED })
}

const fn operations(asked: bool) -> i32 {
    if asked { TOPIC_OPERATIONS } else { OPERATIONS_UNASKED }
}

fn write_known(writer: &mut MetadataWriter, topic: &TopicImage, operations: i32) {
    writer.topic(&ToldTopic {
        error_code: 0,
        name: Some(&topic.name),
        id: topic.id,
        internal: topic.internal,
        operations,
        partitions: topic.partitions.len(),
    });
    for (index, partition) in (0..).zip(&topic.partitions) {
        let error = if partition.leader.is_none() { ErrorCode::LeaderNotAvailable.code() } else { 0 };
        writer.partition(&ToldPartition {
            error_code: error,
            index,
            leader: partition.leader.map_or(-1, |leader| leader.0),
            leader_epoch: partition.leader_epoch.0,
            replicas: &partition.replicas,
            isr: &partition.isr,
            offline: partition.offline_replicas(),
        });
    }
}

/// A topic as the answer tells it.
#[derive(Clone, Copy)]
enum Told<'a> {
    Known(&'a TopicImage),
    /// It cannot be described, and is named as it was asked for.
    Failed(ToldTopic<'a>),
}

impl Told<'_> {
    /// Kafka's order: unknown ids, topics that are there, the others; within each as they were asked for.
    fn place(&self) -> u8 {
        match self {
            Self::Failed(topic) if topic.error_code == ErrorCode::UnknownTopicId.code() => 0,
            Self::Known(_) => 1,
            Self::Failed(_) => 2,
        }
    }

    fn size_bytes(&self) -> usize {
        match self {
            Self::Known(topic) => {
                let replicas = topic.partitions.first().map_or(0, |partition| partition.replicas.len());
                MetadataWriter::topic_bytes(topic.name.len(), topic.partitions.len(), replicas)
            }
            Self::Failed(topic) => MetadataWriter::topic_bytes(topic.name.map_or(0, str::len), 0, 0),
        }
    }
}

/// As with Kafka a topic stands in the answer once, however often and by whatever it was asked for.
fn tell_once<'a>(
    version: i16,
    topics: &'a [MetadataRequestTopic],
    image: &'a Image,
    failed: &HashMap<String, ErrorCode>,
    with_operations: bool,
) -> Vec<Told<'a>> {
    let mut told = HashSet::new();
    let responses = topics.iter().filter_map(|topic| {
        let known = find(version, topic, image);
        let key = match &known {
            Ok(known) => (Some(&*known.name), TopicId::ZERO),
            Err(_) => (topic.name.as_ref().map(|name| name.as_str()), TopicId(topic.topic_id)),
        };
        if !told.insert(key) {
            return None;
        }
        let code = match known {
            Ok(known) => return Some(Told::Known(known)),
            Err(code) => {
                topic.name.as_ref().and_then(|name| failed.get(name.as_str())).copied().unwrap_or(code)
            }
        };
        let with_operations = with_operations && code != ErrorCode::UnknownTopicId;
        Some(Told::Failed(failed_topic(version, topic, code, operations(with_operations))))
    });
    responses.collect()
}

fn find<'a>(
    version: i16,
    topic: &MetadataRequestTopic,
    image: &'a Image,
) -> Result<&'a Arc<TopicImage>, ErrorCode> {
    if version >= TOPIC_IDS_FROM && !topic.topic_id.is_nil() {
        return image.topic_by_id(TopicId(topic.topic_id)).ok_or(ErrorCode::UnknownTopicId);
    }
    let name = topic.name.as_deref().ok_or(ErrorCode::InvalidRequest)?;
    check_topic_name(name).map_err(|error| error.code)?;
    image.topic(name).ok_or(ErrorCode::UnknownTopicOrPartition)
}

/// A topic that cannot be described, named as it was asked for.
fn failed_topic(
    version: i16,
    topic: &MetadataRequestTopic,
    code: ErrorCode,
    operations: i32,
) -> ToldTopic<'_> {
    // The id alone was looked for; null cannot be said before version 12.
    let name = topic.name.as_ref().map(|name| name.as_str()).filter(|_| code != ErrorCode::UnknownTopicId);
    ToldTopic {
        error_code: code.code(),
        name: if version < TOPIC_IDS_FROM { Some(name.unwrap_or_default()) } else { name },
        id: TopicId(topic.topic_id),
        internal: false,
        operations,
        partitions: 0,
    }
}
