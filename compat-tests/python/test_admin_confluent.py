"""confluent-kafka's administration client (librdkafka)."""

import pytest
from confluent_kafka import (
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import (
    AclOperation,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

from broker import wait_until
from clients import CLIENTS
from clients.common import HOUR_AGO_MS, Record

SECONDS = 30


@pytest.fixture
def client(broker):
    return CLIENTS["confluent-kafka"](broker.address)


@pytest.fixture
def admin(librdkafka_admin):
    return librdkafka_admin


def done(futures):
    """The result of a call for one thing."""
    (future,) = futures.values()
    return future.result(SECONDS)


def refused(futures) -> str:
    """The name of the error of a call for one thing."""
    with pytest.raises(KafkaException) as failure:
        done(futures)
    return failure.value.args[0].name()


def config(admin, kind, name) -> dict[str, ConfigEntry]:
    return done(admin.describe_configs([ConfigResource(kind, name)]))


def alter(admin, topic, operation, key, value=None):
    entry = ConfigEntry(key, value, incremental_operation=operation)
    return admin.incremental_alter_configs([ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])])


def partitions_of(admin, topic) -> int:
    return len(admin.list_topics(topic, timeout=SECONDS).topics[topic].partitions)


def test_a_topic_is_created_described_and_deleted(admin, name):
    wanted = [NewTopic(name, 2, 1, config={"retention.ms": "60000"})]
    assert done(admin.create_topics(wanted)) is None
    wait_until(lambda: partitions_of(admin, name) == 2, 20, "two partitions")
    described = done(admin.describe_topics(TopicCollection([name]), include_authorized_operations=True))
    assert [p.id for p in described.partitions] == [0, 1]
    assert AclOperation.ALTER_CONFIGS in described.authorized_operations
    assert refused(admin.create_topics(wanted)) == "TOPIC_ALREADY_EXISTS"
    assert done(admin.delete_topics([name])) is None
    wait_until(lambda: name not in admin.list_topics(timeout=SECONDS).topics, 20, "the topic to be gone")
    assert refused(admin.delete_topics([name])) == "UNKNOWN_TOPIC_OR_PART"


def test_a_creation_that_is_only_validated_creates_nothing(admin, name):
    assert done(admin.create_topics([NewTopic(name, 2, 1)], validate_only=True)) is None
    assert name not in admin.list_topics(timeout=SECONDS).topics
    wrong = [NewTopic(name, 2, 1, config={"cleanup.policy": "nonsense"})]
    assert refused(admin.create_topics(wrong, validate_only=True)) == "INVALID_CONFIG"


def test_partitions_are_added_and_never_taken_away(admin, topic):
    assert done(admin.create_partitions([NewPartitions(topic, 5)])) is None
    wait_until(lambda: partitions_of(admin, topic) == 5, 20, "five partitions")
    assert refused(admin.create_partitions([NewPartitions(topic, 4)])) == "INVALID_PARTITIONS"


def test_configurations_are_altered_by_operations(admin, topic):
    def value(key):
        return config(admin, ResourceType.TOPIC, topic)[key]

    done(alter(admin, topic, AlterConfigOpType.SET, "retention.ms", "60000"))
    wait_until(lambda: value("retention.ms").value == "60000", 20, "the new value")
    assert value("retention.ms").source == ConfigSource.DYNAMIC_TOPIC_CONFIG.value
    done(alter(admin, topic, AlterConfigOpType.APPEND, "cleanup.policy", "compact"))
    wait_until(lambda: value("cleanup.policy").value == "delete,compact", 20, "both policies")
    done(alter(admin, topic, AlterConfigOpType.SUBTRACT, "cleanup.policy", "delete"))
    wait_until(lambda: value("cleanup.policy").value == "compact", 20, "one policy")
    done(alter(admin, topic, AlterConfigOpType.DELETE, "retention.ms"))
    wait_until(lambda: value("retention.ms").value == "604800000", 20, "the default")
    assert refused(alter(admin, topic, AlterConfigOpType.SET, "retention.ms", "soon")) == "INVALID_CONFIG"


def test_the_older_way_to_alter_replaces_every_configuration(admin, topic):
    for settings in ({"retention.ms": "60000"}, {"segment.ms": "70000"}):
        done(admin.alter_configs([ConfigResource(ResourceType.TOPIC, topic, set_config=settings)]))
        (key,) = settings
        wait_until(
            lambda: config(admin, ResourceType.TOPIC, topic)[key].value == settings[key], 20, "the new value"
        )
    assert config(admin, ResourceType.TOPIC, topic)["retention.ms"].value == "604800000"


def test_the_broker_and_the_cluster_describe_themselves(admin, broker):
    described = config(admin, ResourceType.BROKER, "1")
    assert described["num.partitions"].value == "3"
    assert described["num.partitions"].source == ConfigSource.STATIC_BROKER_CONFIG.value
    cluster = admin.describe_cluster(include_authorized_operations=True).result(SECONDS)
    assert [(n.id, n.host, n.port) for n in cluster.nodes] == [(1, "127.0.0.1", broker.port)]
    assert cluster.controller.id == 1 and len(cluster.cluster_id) == 22
    assert AclOperation.CREATE in cluster.authorized_operations


def test_offsets_are_found_by_time_and_records_deleted(admin, client, topic):
    minute = 60_000
    client.produce(topic, [Record(0, None, b"%d" % i, timestamp=HOUR_AGO_MS + i * minute) for i in range(10)])

    def offset(spec) -> int:
        return done(admin.list_offsets({TopicPartition(topic, 0): spec})).offset

    assert offset(OffsetSpec.for_timestamp(HOUR_AGO_MS + 4 * minute - 1)) == 4
    assert offset(OffsetSpec.for_timestamp(HOUR_AGO_MS + 60 * minute)) == -1
    assert (offset(OffsetSpec.earliest()), offset(OffsetSpec.latest()), offset(OffsetSpec.max_timestamp())) == (0, 10, 9)
    assert done(admin.delete_records([TopicPartition(topic, 0, 6)])).low_watermark == 6
    assert offset(OffsetSpec.earliest()) == 6
    assert [r.value for r in client.read(topic, 1)] == [b"6", b"7", b"8", b"9"]
    assert refused(admin.delete_records([TopicPartition(topic, 0, 11)])) == "OFFSET_OUT_OF_RANGE"


def test_a_group_is_listed_described_reset_and_deleted(admin, client, topic):
    group = f"g-{topic}"
    client.produce(topic, [Record(0, None, b"%d" % i) for i in range(10)])

    def moved(offset):
        wanted = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 0, offset)])
        return admin.alter_consumer_group_offsets([wanted])

    def groups(**options) -> set[str]:
        return {g.group_id for g in admin.list_consumer_groups(**options).result(SECONDS).valid}

    with client.member(group, topic) as member:
        wait_until(lambda: len(member.records) == 10, 30, "ten records")
        described = done(admin.describe_consumer_groups([group], include_authorized_operations=True))
        assert (described.state, described.partition_assignor) == (ConsumerGroupState.STABLE, "range")
        (only,) = described.members
        assert {(p.topic, p.partition) for p in only.assignment.topic_partitions} == {(topic, p) for p in range(3)}
        assert AclOperation.DELETE in described.authorized_operations
        assert group in groups(states={ConsumerGroupState.STABLE})
        assert group not in groups(states={ConsumerGroupState.EMPTY})
        assert refused(admin.delete_consumer_groups([group])) == "NON_EMPTY_GROUP"
        (refusal,) = done(moved(2)).topic_partitions
        assert refusal.error.code() == KafkaError.UNKNOWN_MEMBER_ID
    assert done(admin.describe_consumer_groups([group])).state == ConsumerGroupState.EMPTY
    assert done(moved(8)).topic_partitions[0].error is None
    found = done(admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]))
    assert {(p.partition, p.offset) for p in found.topic_partitions if p.offset >= 0} >= {(0, 8)}
    with client.member(group, topic) as member:
        wait_until(lambda: len(member.records) == 2, 30, "the last two records")
    assert done(admin.delete_consumer_groups([group])) is None
    assert group not in groups()
    assert refused(admin.delete_consumer_groups([group])) == "GROUP_ID_NOT_FOUND"


def test_the_configuration_of_a_missing_topic_is_an_error(admin):
    with pytest.raises(KafkaException) as failure:
        config(admin, ResourceType.TOPIC, "nowhere")
    assert failure.value.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART
