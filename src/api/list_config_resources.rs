//! `ListConfigResources`, versions 0 and 1 (KIP-714, KIP-1142): which resources have configurations. Version 0 lists
//! subscriptions to client metrics alone. Reads the image; changes nothing.

use kafka_protocol::messages::list_config_resources_response::ConfigResource as Listed;
use kafka_protocol::messages::{ListConfigResourcesRequest, ListConfigResourcesResponse};
use kafka_protocol::protocol::StrBytes;

use super::{Context, Reply};
use crate::controller::image::{Image, ResourceKind};
use crate::types::{ErrorCode, NodeId};

/// The kinds of resources, in the order in which Kafka lists them.
const KINDS: [ResourceKind; 5] = [
    ResourceKind::GROUP,
    ResourceKind::CLIENT_METRICS,
    ResourceKind::BROKER_LOGGER,
    ResourceKind::BROKER,
    ResourceKind::TOPIC,
];

/// See the module.
pub(super) fn handle(
    context: Context,
    request: ListConfigResourcesRequest,
) -> Reply<ListConfigResourcesResponse> {
    let image = context.broker.controller.image();
    Reply::Now(answer(&image, context.version, &request.resource_types))
}

fn answer(image: &Image, version: i16, types: &[i8]) -> ListConfigResourcesResponse {
    let asked: Vec<ResourceKind> = types.iter().copied().map(ResourceKind).collect();
    if asked.iter().any(|kind| !KINDS.contains(kind)) {
        return ListConfigResourcesResponse::default().with_error_code(ErrorCode::UnsupportedVersion.code());
    }
    let wanted = |kind: &ResourceKind| match version {
        0 => *kind == ResourceKind::CLIENT_METRICS,
        _ => asked.is_empty() || asked.contains(kind),
    };
    let listed = KINDS.into_iter().filter(wanted).flat_map(|kind| {
        names(image, kind).into_iter().map(move |name| {
            Listed::default().with_resource_type(kind.0).with_resource_name(StrBytes::from_string(name))
        })
    });
    ListConfigResourcesResponse::default().with_config_resources(listed.collect())
}

/// Topics and brokers are listed because they exist, groups and subscriptions when something is set for them.
fn names(image: &Image, kind: ResourceKind) -> Vec<String> {
    match kind {
        ResourceKind::TOPIC => image.topics().map(|topic| topic.name.to_string()).collect(),
        ResourceKind::BROKER | ResourceKind::BROKER_LOGGER => {
            image.brokers().keys().map(|NodeId(id)| id.to_string()).collect()
        }
        _ => {
            let of_kind = image.configs().filter(|(resource, _)| resource.kind == kind);
            of_kind.map(|(resource, _)| resource.name.clone()).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use kafka_protocol::protocol::Encodable;

    use super::*;
    use crate::controller::command::{AlterResource, ConfigChange, ConfigOp, NewTopic};
    use crate::controller::image::{ConfigResource, Configs};
    use crate::controller::testing::controller;

    async fn image() -> std::sync::Arc<Image> {
        let (controller, _dir) = controller();
        controller.ensure_topic(NewTopic::named("orders", 1, &Configs::new())).await.unwrap();
        for (kind, name) in [(ResourceKind::GROUP, "g"), (ResourceKind::CLIENT_METRICS, "m")] {
            let change =
                ConfigChange { key: "size".to_owned(), op: ConfigOp::Set, value: Some("5".to_owned()) };
            let resource = ConfigResource { kind, name: name.to_owned() };
            let alter = AlterResource { resource, changes: vec![change], replace: false };
            assert_eq!(controller.alter_configs(vec![alter], false).await.unwrap(), [Ok(())]);
        }
        controller.image()
    }

    fn listed(response: &ListConfigResourcesResponse) -> Vec<(i8, &str)> {
        response.config_resources.iter().map(|one| (one.resource_type, &*one.resource_name)).collect()
    }

    #[tokio::test]
    async fn every_kind_is_listed_unless_some_are_asked_for() {
        let image = image().await;
        let all = [(32, "g"), (16, "m"), (8, "1"), (4, "1"), (2, "orders")];
        assert_eq!(listed(&answer(&image, 1, &[])), all);
        assert_eq!(listed(&answer(&image, 1, &[2, 32, 16, 4, 8])), all);
        assert_eq!(listed(&answer(&image, 1, &[2, 2])), [(2, "orders")]);
        for version in 0..=1 {
            answer(&image, version, &[]).encode(&mut bytes::BytesMut::new(), version).unwrap();
        }
    }

    #[tokio::test]
    async fn the_older_version_lists_subscriptions_to_client_metrics() {
        assert_eq!(listed(&answer(&*image().await, 0, &[])), [(16, "m")]);
    }

    #[tokio::test]
    async fn a_kind_that_kafka_does_not_have_is_an_unsupported_version() {
        let response = answer(&*image().await, 1, &[2, 99]);
        assert_eq!((response.error_code, response.config_resources.len()), (35, 0));
    }
}
