//! FindCoordinator, versions 0–6 (key types from 1, KIP-699 several keys from 4, KIP-932 share groups from 6). Groups
//! alone are coordinated here; their topic is created when it is first asked for.

use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::{BrokerId, FindCoordinatorRequest, FindCoordinatorResponse};
use kafka_protocol::protocol::StrBytes;

use super::{Context, Reply};
use crate::broker::endpoints::advertised;
use crate::broker::topics::{CONSUMER_OFFSETS, new_topic};
use crate::controller::image::TopicImage;
use crate::types::ErrorCode;

/// The key type of a group.
const GROUP: i8 = 0;
/// The key type of a transactional id.
const TRANSACTION: i8 = 1;
/// The key type of a share group's partition (KIP-932).
const SHARE: i8 = 2;
/// First version that asks for several keys.
const KEYS_FROM: i16 = 4;

/// Where a coordinator is.
#[derive(Clone, Debug)]
struct Node {
    id: i32,
    host: String,
    port: i32,
}

/// Tells where the groups' coordinators are, after having created their topic if need be.
pub(super) fn handle(context: Context, request: FindCoordinatorRequest) -> Reply<FindCoordinatorResponse> {
    if context.version >= 1 && request.key_type != GROUP {
        return Reply::Now(refuse(context.version, request));
    }
    if let Some(topic) = context.broker.controller.image().topic(CONSUMER_OFFSETS) {
        return Reply::Now(respond(context.version, request, |key| locate(&context, topic, key)));
    }
    Reply::Run(Box::pin(async move {
        let topic = new_topic(&context.broker.config, CONSUMER_OFFSETS);
        match context.broker.controller.ensure_topic(topic).await {
            Ok(topic) => respond(context.version, request, |key| locate(&context, &topic, key)),
            Err(error) => {
                tracing::warn!(?error, "the topic of groups cannot be created");
                respond(context.version, request, |_| Err(ErrorCode::CoordinatorNotAvailable))
            }
        }
    }))
}

/// No coordinator for anything but groups. A transactional id gets the error that ends a transactional producer at
/// once: librdkafka looks for a coordinator again and again on any other.
fn refuse(version: i16, request: FindCoordinatorRequest) -> FindCoordinatorResponse {
    let (error, message) = match request.key_type {
        TRANSACTION => {
            (ErrorCode::TransactionalIdAuthorizationFailed, Some("this broker does not serve transactions"))
        }
        // With Kafka a batched answer has a message only when the request itself cannot be read.
        SHARE => (ErrorCode::InvalidRequest, None),
        _ => (ErrorCode::InvalidRequest, Some("there is no such key type")),
    };
    let message = message.map(StrBytes::from_static_str);
    let mut response = respond(version, request, |_| Err(error));
    if version < KEYS_FROM {
        response.error_message = message.or(response.error_message);
    } else if message.is_some() {
        for coordinator in &mut response.coordinators {
            coordinator.error_message.clone_from(&message);
        }
    }
    response
}

/// The leader of the group's partition. This node is the only one that can be told an address for.
fn locate(context: &Context, topic: &TopicImage, group_id: &str) -> Result<Node, ErrorCode> {
    let broker = &context.broker;
    let partition = topic.partition(broker.coordinator.partition_for(group_id));
    if partition.and_then(|partition| partition.leader) != Some(broker.node_id) {
        return Err(ErrorCode::CoordinatorNotAvailable);
    }
    let (host, port) = advertised(&broker.config, &context.connection.listener, context.connection.local);
    Ok(Node { id: broker.node_id.0, host, port: i32::from(port) })
}

fn respond(
    version: i16,
    request: FindCoordinatorRequest,
    find: impl Fn(&str) -> Result<Node, ErrorCode>,
) -> FindCoordinatorResponse {
    let nowhere = || Node { id: -1, host: String::new(), port: -1 };
    if version >= KEYS_FROM {
        let coordinators = request.coordinator_keys.into_iter().map(|key| {
            let found = find(&key);
            let error_code = found.as_ref().err().map_or(0, ErrorCode::code);
            let node = found.unwrap_or_else(|_| nowhere());
            Coordinator::default()
                .with_key(key)
                .with_node_id(BrokerId(node.id))
                .with_host(StrBytes::from_string(node.host))
                .with_port(node.port)
                .with_error_code(error_code)
        });
        return FindCoordinatorResponse::default().with_coordinators(coordinators.collect());
    }
    let found = find(&request.key);
    // Kafka fills the message of a success, too.
    let message = found.as_ref().err().map_or_else(|| "NONE".to_owned(), ToString::to_string);
    let error_code = found.as_ref().err().map_or(0, ErrorCode::code);
    let node = found.unwrap_or_else(|_| nowhere());
    FindCoordinatorResponse::default()
        .with_error_code(error_code)
        .with_error_message(Some(StrBytes::from_string(message)))
        .with_node_id(BrokerId(node.id))
        .with_host(StrBytes::from_string(node.host))
        .with_port(node.port)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::groups::in_every_version;

    fn request(version: i16) -> FindCoordinatorRequest {
        let key = StrBytes::from_static_str("g");
        if version >= KEYS_FROM {
            return FindCoordinatorRequest::default().with_coordinator_keys(vec![key.clone(), key]);
        }
        FindCoordinatorRequest::default().with_key(key)
    }

    #[test]
    fn a_transactional_id_is_refused_for_good_and_told_why() {
        let asked = |version| request(version).with_key_type(TRANSACTION);
        let why = Some("this broker does not serve transactions");
        let refused = in_every_version(1..=6, |version| refuse(version, asked(version)));
        for answer in &refused[..3] {
            assert_eq!((answer.error_code, answer.error_message.as_deref()), (53, why));
        }
        for answer in &refused[3..] {
            let coordinator = &answer.coordinators[0];
            assert_eq!((coordinator.error_code, coordinator.error_message.as_deref()), (53, why));
        }
    }

    #[test]
    fn a_node_or_its_absence_can_be_told_in_every_version() {
        let here = |_: &str| Ok(Node { id: 1, host: "h".into(), port: 9092 });
        let gone = |_: &str| Err(ErrorCode::CoordinatorNotAvailable);
        let found = in_every_version(0..=6, |version| respond(version, request(version), here));
        let missing = in_every_version(0..=6, |version| respond(version, request(version), gone));
        for (version, (found, missing)) in found.iter().zip(&missing).enumerate() {
            if version < 4 {
                assert_eq!((found.node_id.0, &*found.host, found.port, found.error_code), (1, "h", 9092, 0));
                assert_eq!((missing.node_id.0, missing.port, missing.error_code), (-1, -1, 15));
            } else {
                let (found, missing) = (&found.coordinators[1], &missing.coordinators[1]);
                assert_eq!((&*found.key, found.node_id.0, found.port, found.error_code), ("g", 1, 9092, 0));
                assert_eq!((missing.node_id.0, missing.port, missing.error_code), (-1, -1, 15));
            }
        }
        assert_eq!(found[1].error_message.as_deref(), Some("NONE"));
    }
}
