//! Metadata, versions 0–13 (KIP-4, KIP-430 authorized operations, KIP-516 topic ids). A topic that is created on
//! the way is there, with its leader, in the same answer.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{BrokerId, MetadataRequest, MetadataResponse};
use kafka_protocol::protocol::StrBytes;

use super::{CLUSTER_OPERATIONS, Context, OPERATIONS_UNASKED, Reply, TOPIC_OPERATIONS};
use crate::broker::Broker;
use crate::broker::endpoints::advertised;
use crate::broker::topics::new_topic;
use crate::controller::command::{ApiError, Command, NewTopic, Reply as Outcome};
use crate::controller::image::{Image, PartitionImage, TopicImage};
use crate::controller::names::check_topic_name;
use crate::types::{ErrorCode, NodeId, TopicId};

/// First version in which a topic can be asked for by id.
const TOPIC_IDS_FROM: i16 = 12;

/// Answers from the image, or after the missing topics have been created.
pub(super) fn handle(context: Context, mut request: MetadataRequest) -> Reply<MetadataResponse> {
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
fn refuse(context: &Context, request: &MetadataRequest) -> Option<MetadataResponse> {
    let topics = request.topics.as_ref()?;
    let by_id = |topic: &MetadataRequestTopic| topic.name.is_none() || !topic.topic_id.is_nil();
    if context.version < 10 || context.version >= TOPIC_IDS_FROM || !topics.iter().any(by_id) {
        return None;
    }
    let refused =
        topics.iter().map(|topic| failed_topic(context.version, topic, ErrorCode::InvalidRequest)).collect();
    Some(MetadataResponse::default().with_topics(refused))
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
) -> MetadataResponse {
    let with_operations = request.include_topic_authorized_operations;
    let broker = &context.broker;
    // Version 0 has no null: an empty list means all topics there.
    let asked = request.topics.as_ref().filter(|topics| context.version > 0 || !topics.is_empty());
    let topics = match asked {
        None => image.topics().map(|topic| found(context.version, topic, with_operations)).collect(),
        Some(topics) => tell_once(context.version, topics, image, failed, with_operations),
    };
    let (host, port) = advertised(&broker.config, &context.connection.listener, context.connection.local);
    let node = MetadataResponseBroker::default()
        .with_node_id(BrokerId(broker.node_id.0))
        .with_host(StrBytes::from_string(host))
        .with_port(i32::from(port))
        .with_rack(broker.config.rack.clone().map(StrBytes::from_string));
    let mut response = MetadataResponse::default()
        .with_brokers(vec![node])
        .with_cluster_id(Some(StrBytes::from_string(image.cluster_id.to_string())))
        .with_controller_id(BrokerId(broker.node_id.0))
        .with_topics(topics);
    if (8..=10).contains(&context.version) && request.include_cluster_authorized_operations {
        response.cluster_authorized_operations = CLUSTER_OPERATIONS;
    }
    response
}

/// As with Kafka a topic stands in the answer once, however often and by whatever it was asked for.
fn tell_once(
    version: i16,
    topics: &[MetadataRequestTopic],
    image: &Image,
    failed: &HashMap<String, ErrorCode>,
    with_operations: bool,
) -> Vec<MetadataResponseTopic> {
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
            Ok(known) => return Some(found(version, known, with_operations)),
            Err(code) => {
                topic.name.as_ref().and_then(|name| failed.get(name.as_str())).copied().unwrap_or(code)
            }
        };
        let mut response = failed_topic(version, topic, code);
        if version >= 8 && with_operations && code != ErrorCode::UnknownTopicId {
            response.topic_authorized_operations = TOPIC_OPERATIONS;
        }
        Some(response)
    });
    let mut responses: Vec<_> = responses.collect();
    responses.sort_by_key(place);
    responses
}

/// Kafka's order: unknown ids, topics that are there, the others; within each as they were asked for.
fn place(topic: &MetadataResponseTopic) -> u8 {
    match topic.error_code {
        code if code == ErrorCode::UnknownTopicId.code() => 0,
        0 => 1,
        _ => 2,
    }
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

fn found(version: i16, topic: &TopicImage, with_operations: bool) -> MetadataResponseTopic {
    let mut response = MetadataResponseTopic::default()
        .with_name(Some(StrBytes::from_string(topic.name.to_string()).into()))
        .with_is_internal(topic.internal)
        .with_partitions(
            topic
                .partitions
                .iter()
                .zip(0..)
                .map(|(partition, index)| found_partition(index, partition))
                .collect(),
        );
    if version >= 10 {
        response.topic_id = topic.id.0;
    }
    if version >= 8 {
        response.topic_authorized_operations =
            if with_operations { TOPIC_OPERATIONS } else { OPERATIONS_UNASKED };
    }
    response
}

fn found_partition(index: i32, partition: &PartitionImage) -> MetadataResponsePartition {
    let ids = |nodes: &[NodeId]| nodes.iter().map(|node| BrokerId(node.0)).collect();
    let error = if partition.leader.is_none() { ErrorCode::LeaderNotAvailable.code() } else { 0 };
    MetadataResponsePartition::default()
        .with_error_code(error)
        .with_partition_index(index)
        .with_leader_id(BrokerId(partition.leader.map_or(-1, |leader| leader.0)))
        .with_leader_epoch(partition.leader_epoch.0)
        .with_replica_nodes(ids(&partition.replicas))
        .with_isr_nodes(ids(&partition.isr))
}

/// A topic that cannot be described, named as it was asked for.
fn failed_topic(version: i16, topic: &MetadataRequestTopic, code: ErrorCode) -> MetadataResponseTopic {
    let mut response =
        MetadataResponseTopic::default().with_error_code(code.code()).with_name(topic.name.clone());
    if version >= 10 {
        response.topic_id = topic.topic_id;
    }
    if code == ErrorCode::UnknownTopicId {
        // The id alone was looked for.
        response.name = None;
    }
    if version < TOPIC_IDS_FROM && response.name.is_none() {
        // Null cannot be said before version 12.
        response.name = Some(StrBytes::new().into());
    }
    response
}
