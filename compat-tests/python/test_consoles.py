"""What web consoles ask a broker when they draw their pages, in their order, by kafka-python's administration client."""

from collections import defaultdict

import pytest
from kafka import TopicPartition
from kafka.admin import (
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ConfigResource,
    KafkaAdminClient,
    OffsetSpec,
    ResourcePatternFilter,
    ResourceType,
)
from kafka.errors import SecurityDisabledError

from broker import wait_until
from clients import CLIENTS
from clients.common import Record

CLUSTER_OPERATIONS = {
    "CREATE",
    "ALTER",
    "DESCRIBE",
    "CLUSTER_ACTION",
    "DESCRIBE_CONFIGS",
    "ALTER_CONFIGS",
    "IDEMPOTENT_WRITE",
}
TOPIC_OPERATIONS = {"READ", "WRITE", "CREATE", "DELETE", "ALTER", "DESCRIBE", "DESCRIBE_CONFIGS", "ALTER_CONFIGS"}
GROUP_OPERATIONS = {"READ", "DELETE", "DESCRIBE", "DESCRIBE_CONFIGS", "ALTER_CONFIGS"}
EVERY_ACL = ACLFilter(
    None,
    None,
    ACLOperation.ANY,
    ACLPermissionType.ANY,
    ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY),
)


@pytest.fixture
def admin(broker):
    client = KafkaAdminClient(bootstrap_servers=broker.address)
    yield client
    client.close()


@pytest.fixture
def group(broker, topic):
    """A topic with thirty records, ten in each partition, that a running group has read."""
    client = CLIENTS["kafka-python"](broker.address)
    client.produce(topic, [Record(i % 3, None, b"%d" % i) for i in range(30)])
    group = f"g-{topic}"
    client.commit(group, topic, {0: 4, 1: 10, 2: 10})
    with client.member(group, topic) as member:
        wait_until(lambda: len(member.records) == 6, 30, "what was not committed")
        yield group


def partitions_by_topic(admin) -> dict[str, list[int]]:
    return {t["name"]: [p["partition_index"] for p in t["partitions"]] for t in admin.describe_topics()}


def log_sizes(admin) -> dict[str, int]:
    """Bytes of each topic in the broker's log directories."""
    sizes = defaultdict(int)
    for broker in admin.describe_log_dirs():
        for directory in broker["log_dirs"]:
            assert directory["error_code"] == 0
            for topic in directory["topics"]:
                sizes[topic["name"]] += sum(p["partition_size"] for p in topic["partitions"])
    return sizes


def lag(admin, group, topic) -> int:
    committed = admin.list_group_offsets(group)[group]
    ends = admin.list_partition_offsets({TopicPartition(topic, p): OffsetSpec.LATEST for p in range(3)})
    return sum(ends[p].offset - committed[p].offset for p in ends)


def test_kafbat_draws_its_dashboard_topics_and_consumers(admin, broker, group, topic):
    cluster = admin.describe_cluster()
    (node,) = cluster["brokers"]
    assert (cluster["controller_id"], node["port"]) == (node["broker_id"], broker.port)
    assert set(cluster["authorized_operations"]) == CLUSTER_OPERATIONS
    # The version that it shows; a broker before KRaft would tell it in its configuration.
    assert admin.describe_features()["metadata.version"]["finalized"] == (30, 30)
    settings = admin.describe_configs([ConfigResource("BROKER", "1")], include_synonyms=True, config_filter="all")
    assert {"num.partitions", "log.retention.hours", "message.max.bytes"} <= set(settings["broker"]["1"])
    with pytest.raises(SecurityDisabledError):
        admin.describe_acls(EVERY_ACL)
    topics = partitions_by_topic(admin)
    assert topics[topic] == [0, 1, 2] and len(topics["__consumer_offsets"]) == 50
    described = admin.describe_configs([ConfigResource("TOPIC", t) for t in topics], config_filter="all")["topic"]
    assert described["__consumer_offsets"]["cleanup.policy"]["value"] == "compact"
    assert set(described) == set(topics)
    assert log_sizes(admin)[topic] > 0
    (listed,) = [g for g in admin.list_groups() if g["group_id"] == group]
    assert (listed["group_state"], listed["group_type"]) == ("Stable", "classic")
    (member,) = admin.describe_groups([group])[group]["members"]
    assert member["client_host"].strip("/") == "127.0.0.1"
    wait_until(lambda: lag(admin, group, topic) == 0, 30, "the group's automatic commit")


def test_akhq_lists_log_directories_and_alters_a_topic(admin, topic):
    assert admin.describe_cluster()["controller_id"] == 1

    def replicas():
        (broker,) = admin.describe_log_dirs()
        (directory,) = broker["log_dirs"]
        assert directory["log_dir"].startswith("/")
        found = {t["name"]: t["partitions"] for t in directory["topics"]}.get(topic, [])
        return sorted((p["partition_index"], p["offset_lag"], p["is_future_key"]) for p in found)

    wait_until(lambda: replicas() == [(p, 0, False) for p in range(3)], 20, "three replicas")

    def value(key):
        return admin.describe_configs([ConfigResource("TOPIC", topic)], config_filter="all")["topic"][topic][key]

    wanted = {"retention.ms": "60000", "max.message.bytes": "2000000"}
    answer = admin.alter_configs([ConfigResource("TOPIC", topic, dict(wanted))], incremental=False)
    assert answer == {"topic": {topic: "OK"}}
    for key, wish in wanted.items():
        wait_until(lambda: value(key)["value"] == wish, 20, f"the new {key}")
        assert value(key)["config_source"] == "DYNAMIC_TOPIC_CONFIG"


def test_redpanda_console_shows_what_may_be_done(admin, group, topic):
    assert set(admin.describe_cluster()["authorized_operations"]) == CLUSTER_OPERATIONS
    (described,) = admin.describe_topics([topic])
    assert set(described["authorized_operations"]) == TOPIC_OPERATIONS
    assert set(admin.describe_groups([group])[group]["authorized_operations"]) == GROUP_OPERATIONS
    assert admin.list_partition_reassignments() == {}
    (quorum,) = admin.describe_metadata_quorum()["topics"]
    assert [p["leader_id"] for p in quorum["partitions"]] == [1]
    paged = admin.describe_topic_partitions([topic], response_partition_limit=2)
    assert [p["partition_index"] for p in paged["topics"][0]["partitions"]] == [0, 1]
    rest = admin.describe_topic_partitions([topic], cursor=paged["next_cursor"])
    assert [p["partition_index"] for p in rest["topics"][0]["partitions"]] == [2]
    first = TopicPartition(topic, 0)
    (producer,) = admin.describe_producers([first])[first].active_producers
    assert (producer.last_sequence, producer.current_transaction_start_offset) == (9, -1)
    resources = admin.list_config_resources()
    assert topic in resources["topic"] and resources["broker"] == ["1"]
