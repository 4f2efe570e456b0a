use kafka_protocol::messages::alter_configs_request as legacy;
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::{AlterConfigsRequest, IncrementalAlterConfigsRequest};
use kafka_protocol::protocol::Encodable;

use super::*;
use crate::api::{alter_configs, incremental_alter_configs};
use crate::controller::command::NewTopic;
use crate::controller::image::Configs;
use crate::controller::testing::controller_with;

async fn here() -> (Here, tempfile::TempDir) {
    let live = Arc::new(LiveConfig::new(Arc::new(Config::from_pairs([]).unwrap())));
    let (controller, dir) = controller_with(Arc::new(TableRules { live: live.clone() }));
    controller.ensure_topic(NewTopic::named("a", 1, &Configs::new())).await.unwrap();
    (Here { controller: Arc::new(controller), live, node: NodeId(1) }, dir)
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// One change: kind, resource, key, operation, value.
type One<'a> = (i8, &'a str, &'a str, i8, Option<&'a str>);

fn resource((kind, name, key, op, value): One<'_>) -> AlterConfigsResource {
    let config =
        AlterableConfig::default().with_name(text(key)).with_config_operation(op).with_value(value.map(text));
    AlterConfigsResource::default()
        .with_resource_type(kind)
        .with_resource_name(text(name))
        .with_configs(vec![config])
}

async fn alter(here: &Here, changes: &[One<'_>]) -> Vec<i16> {
    let resources = changes.iter().copied().map(resource).collect();
    let request = IncrementalAlterConfigsRequest::default().with_resources(resources);
    let response = incremental_alter_configs::answer(here, request).await;
    for version in 0..=1 {
        response.encode(&mut bytes::BytesMut::new(), version).unwrap();
    }
    response.responses.iter().map(|one| one.error_code).collect()
}

async fn replace(here: &Here, kind: i8, name: &str, configs: &[(&str, Option<&str>)]) -> i16 {
    let configs = configs.iter().map(|(key, value)| {
        legacy::AlterableConfig::default().with_name(text(key)).with_value(value.map(text))
    });
    let resource = legacy::AlterConfigsResource::default()
        .with_resource_type(kind)
        .with_resource_name(text(name))
        .with_configs(configs.collect());
    let request = AlterConfigsRequest::default().with_resources(vec![resource]);
    let response = alter_configs::answer(here, request).await;
    for version in 0..=2 {
        response.encode(&mut bytes::BytesMut::new(), version).unwrap();
    }
    response.responses[0].error_code
}

const TOPIC: i8 = ResourceKind::TOPIC.0;
const BROKER: i8 = ResourceKind::BROKER.0;
/// A logger that no other test looks at.
const CLI: &str = "milena.cli";
const LOGGER: i8 = ResourceKind::BROKER_LOGGER.0;

#[tokio::test]
async fn answers_come_in_the_requests_order_whoever_refuses() {
    let (here, _dir) = here().await;
    let changes = [
        (9, "x", "retention.ms", 0, Some("1")),
        (TOPIC, "missing", "retention.ms", 0, Some("1")),
        (TOPIC, "a", "retention.ms", 0, Some("1")),
        (TOPIC, "b", "retention.ms", 0, Some("1")),
        (TOPIC, "b", "retention.ms", 0, Some("2")),
        (TOPIC, "c", "no.such.key", 0, Some("2")),
        (TOPIC, "d", "retention.ms", 0, None),
    ];
    assert_eq!(alter(&here, &changes).await, [42, 3, 0, 42, 42, 40, 42]);
    assert_eq!(here.controller.image().topic_config("a").unwrap()["retention.ms"], "1");
}

#[tokio::test]
async fn one_unknown_operation_spoils_all_that_the_controller_would_decide() {
    let (here, _dir) = here().await;
    let good = (TOPIC, "a", "retention.ms", 0, Some("1"));
    let strange = [(TOPIC, "b", "retention.ms", 4, Some("1")), good, (99, "x", "retention.ms", 4, Some("1"))];
    assert_eq!(alter(&here, &strange).await, [-1, -1, 42]);
    let broker = (BROKER, "1", "log.retention.ms", 4, Some("1"));
    assert_eq!(alter(&here, &[broker, (LOGGER, "1", "root", 9, Some("INFO")), good]).await, [42, -1, 0]);
}

#[tokio::test]
async fn a_broker_changes_only_itself_and_only_what_may_change_while_it_runs() {
    let (here, _dir) = here().await;
    let cases = [
        ("1", "log.retention.ms", 0, Some("1000"), 0),
        ("", "log.retention.ms", 0, Some("1000"), 0),
        ("", "log.retention.ms", 1, None, 0),
        ("2", "log.retention.ms", 0, Some("1000"), 42),
        ("one", "log.retention.ms", 0, Some("1000"), 42),
        ("1", "log.retention.ms", 0, Some("soon"), 42),
        ("1", "log.retention.ms", 2, Some("5"), 40),
        ("1", "no.such.key", 2, Some("5"), 40),
        ("1", "node.id", 0, Some("1"), 42),
        ("1", "num.partitions", 1, None, 0),
        ("1", "sasl.enabled.mechanisms", 0, Some("PLAIN"), 0),
        ("", "sasl.enabled.mechanisms", 0, Some("PLAIN"), 42),
        ("", "log.cleanup.policy", 2, Some("compact"), 0),
    ];
    for (name, key, op, value, code) in cases {
        assert_eq!(
            alter(&here, &[(BROKER, name, key, op, value)]).await,
            [code],
            "{name} {key} {op} {value:?}"
        );
    }
    let image = here.controller.image();
    assert_eq!(image.config(&ConfigResource::broker(None)).unwrap()["log.cleanup.policy"], "delete,compact");
    assert!(!image.config(&ConfigResource::broker(Some(NodeId(1)))).unwrap().contains_key("num.partitions"));
}

#[tokio::test]
async fn the_older_api_replaces_all_that_was_set() {
    let (here, _dir) = here().await;
    assert_eq!(
        replace(&here, TOPIC, "a", &[("retention.ms", Some("1")), ("cleanup.policy", Some("compact"))]).await,
        0
    );
    assert_eq!(replace(&here, TOPIC, "a", &[("cleanup.policy", Some("delete"))]).await, 0);
    let image = here.controller.image();
    assert_eq!(
        **image.topic_config("a").unwrap(),
        Configs::from([("cleanup.policy".to_owned(), "delete".to_owned())])
    );
    assert_eq!(replace(&here, TOPIC, "a", &[("cleanup.policy", None)]).await, 42);
    assert_eq!(
        replace(
            &here,
            TOPIC,
            "a",
            &[("cleanup.policy", Some("delete")), ("cleanup.policy", Some("compact"))]
        )
        .await,
        42
    );
    assert_eq!(replace(&here, LOGGER, "1", &[("root", Some("INFO"))]).await, 42);
    assert_eq!(replace(&here, BROKER, "1", &[("log.retention.ms", Some("5000"))]).await, 0);
    assert_eq!(replace(&here, BROKER, "1", &[("num.partitions", Some("5"))]).await, 42);
    assert_eq!(replace(&here, BROKER, "1", &[]).await, 0);
    assert_eq!(replace(&here, TOPIC, "a", &[]).await, 0);
    let image = here.controller.image();
    assert!(image.topic_config("a").is_none());
    assert!(image.config(&ConfigResource::broker(Some(NodeId(1)))).is_none());
}

#[tokio::test]
async fn loggers_take_levels_by_their_names_and_the_root_keeps_one() {
    let (here, _dir) = here().await;
    let cases = [
        ("1", CLI, 0, Some("DEBUG"), 0),
        ("2", CLI, 0, Some("DEBUG"), 42),
        ("", CLI, 0, Some("DEBUG"), 42),
        ("1", CLI, 0, Some("debug"), 40),
        ("1", CLI, 0, Some("OFF"), 40),
        ("1", CLI, 2, Some("DEBUG"), 42),
        ("1", CLI, 1, None, 0),
        ("1", "root", 1, None, 42),
        ("1", "kafka.server", 0, Some("DEBUG"), 40),
        ("1", "kafka.server", 1, None, 40),
    ];
    for (name, logger, op, value, code) in cases {
        assert_eq!(
            alter(&here, &[(LOGGER, name, logger, op, value)]).await,
            [code],
            "{logger} {op} {value:?}"
        );
    }
    assert_eq!(alter(&here, &[(LOGGER, "1", CLI, 0, Some("TRACE"))]).await, [0]);
    let levels = observe::levels();
    assert!(levels.iter().any(|(name, level)| name == CLI && level.name() == "TRACE"));
}
