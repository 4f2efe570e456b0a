"""kafka-python's administration client."""

import uuid

import pytest
from kafka import TopicPartition
from kafka.admin import ConfigResource, KafkaAdminClient, MemberToRemove, OffsetSpec, OffsetTimestamp
from kafka.errors import (
    GroupSubscribedToTopicError,
    InvalidConfigurationError,
    InvalidPartitionsError,
    NoError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
)
from kafka.structs import OffsetAndMetadata

from broker import wait_until
from clients import CLIENTS
from clients.common import HOUR_AGO_MS, Record

MINUTE_MS = 60_000


@pytest.fixture(scope="module")
def admin(broker):
    client = KafkaAdminClient(bootstrap_servers=broker.address)
    yield client
    client.close()


@pytest.fixture
def client(broker):
    return CLIENTS["kafka-python"](broker.address)


def values(admin, kind: str, name: str, **options) -> dict:
    """Every key of a resource with what is told of it."""
    found = admin.describe_configs([ConfigResource(kind, name)], config_filter="all", **options)
    return found[kind.lower()][name]


def test_a_topic_is_created_described_and_deleted(admin, name):
    options = {"num_partitions": 2, "replication_factor": 1, "configs": {"retention.ms": "60000"}}
    admin.create_topics({name: options})
    admin.wait_for_topics([name])
    assert name in admin.list_topics()
    (topic,) = admin.describe_topics([name])
    assert [p["partition_index"] for p in sorted(topic["partitions"], key=lambda p: p["partition_index"])] == [0, 1]
    with pytest.raises(TopicAlreadyExistsError):
        admin.create_topics({name: options})
    assert admin.describe_topics([uuid.UUID(topic["topic_id"])])[0]["name"] == name
    admin.delete_topics([name])
    wait_until(lambda: name not in admin.list_topics(), 20, "the topic to be gone")
    with pytest.raises(UnknownTopicOrPartitionError):
        admin.delete_topics([name])


def test_a_creation_that_is_only_validated_creates_nothing(admin, name):
    created = admin.create_topics({name: {"num_partitions": 4}}, validate_only=True)
    assert [(t["name"], t["num_partitions"]) for t in created["topics"]] == [(name, 4)]
    assert name not in admin.list_topics()
    with pytest.raises(InvalidConfigurationError):
        admin.create_topics({name: {"configs": {"cleanup.policy": "nonsense"}}}, validate_only=True)


def test_partitions_are_added_and_never_taken_away(admin, topic):
    admin.create_partitions({topic: 5})
    wait_until(lambda: len(admin.describe_topics([topic])[0]["partitions"]) == 5, 20, "five partitions")
    with pytest.raises(InvalidPartitionsError):
        admin.create_partitions({topic: 4})


def test_configurations_are_altered_key_by_key(admin, topic):
    answer = admin.alter_configs([ConfigResource("TOPIC", topic, {"retention.ms": "60000", "segment.ms": "70000"})])
    assert answer == {"topic": {topic: "OK"}}
    admin.alter_configs([ConfigResource("TOPIC", topic, {"retention.ms": "80000"})])
    wait_until(lambda: values(admin, "TOPIC", topic)["retention.ms"]["value"] == "80000", 20, "the new value")
    described = values(admin, "TOPIC", topic)
    assert described["segment.ms"]["value"] == "70000"
    admin.reset_configs([ConfigResource("TOPIC", topic, ["retention.ms"])])
    wait_until(lambda: values(admin, "TOPIC", topic)["retention.ms"]["value"] == "604800000", 20, "the default")


def test_the_older_way_to_alter_replaces_every_configuration(admin, topic):
    admin.alter_configs([ConfigResource("TOPIC", topic, {"retention.ms": "60000"})], incremental=False)
    wait_until(lambda: values(admin, "TOPIC", topic)["retention.ms"]["value"] == "60000", 20, "the new value")
    # This request resets what it does not name; an empty one resets everything.
    admin.reset_configs([ConfigResource("TOPIC", topic, {})], incremental=False)
    wait_until(lambda: values(admin, "TOPIC", topic)["retention.ms"]["value"] == "604800000", 20, "the default")


def test_a_wrong_configuration_is_refused(admin, topic):
    wrong = [ConfigResource("TOPIC", topic, {"retention.ms": "soon"})]
    assert "Error 40" in admin.alter_configs(wrong)["topic"][topic]
    assert values(admin, "TOPIC", topic)["retention.ms"]["value"] == "604800000"


def test_a_broker_describes_its_configuration_with_synonyms(admin):
    described = values(admin, "BROKER", "1", include_synonyms=True)
    assert described["num.partitions"]["value"] == "3"
    assert described["num.partitions"]["config_source"] == "STATIC_BROKER_CONFIG"
    assert [s["name"] for s in described["num.partitions"]["synonyms"]] == ["num.partitions", "num.partitions"]
    assert len(described) > 200


def test_the_cluster_names_its_one_broker_as_controller(admin, broker):
    cluster = admin.describe_cluster()
    assert [(b["broker_id"], b["host"], b["port"]) for b in cluster["brokers"]] == [(1, "127.0.0.1", broker.port)]
    assert cluster["controller_id"] == 1 and len(cluster["cluster_id"]) == 22


def test_offsets_are_found_by_time_and_records_deleted(admin, client, topic):
    client.produce(topic, [Record(0, None, b"%d" % i, timestamp=HOUR_AGO_MS + i * MINUTE_MS) for i in range(10)])
    first = TopicPartition(topic, 0)

    def offset(spec) -> int:
        return admin.list_partition_offsets({first: spec})[first].offset

    assert offset(OffsetTimestamp(HOUR_AGO_MS + 4 * MINUTE_MS - 1)) == 4
    assert offset(OffsetTimestamp(HOUR_AGO_MS + 60 * MINUTE_MS)) == -1
    assert (offset(OffsetSpec.EARLIEST), offset(OffsetSpec.LATEST), offset(OffsetSpec.MAX_TIMESTAMP)) == (0, 10, 9)
    deleted = admin.delete_records({first: 6})
    assert deleted[first]["low_watermark"] == 6
    assert offset(OffsetSpec.EARLIEST) == 6
    assert [r.value for r in client.read(topic, 1)] == [b"6", b"7", b"8", b"9"]


def test_a_group_is_listed_described_reset_and_deleted(admin, client, topic):
    group = f"g-{topic}"
    first = TopicPartition(topic, 0)
    client.produce(topic, [Record(0, None, b"%d" % i) for i in range(10)])
    with client.member(group, topic) as member:
        wait_until(lambda: len(member.records) == 10, 30, "ten records")
        described = admin.describe_groups([group])[group]
        assert (described["group_state"], described["protocol_data"]) == ("Stable", "range")
        assert len(described["members"]) == 1
        listed = {g["group_id"]: g for g in admin.list_groups(states_filter=["Stable"])}
        assert listed[group]["protocol_type"] == "consumer"
        assert admin.delete_groups([group]) == {group: "NonEmptyGroupError"}
        moved = admin.alter_group_offsets(group, {first: OffsetAndMetadata(2, "", -1)})
        assert moved[first] is not NoError, "a group with members refuses offsets from elsewhere"
    assert admin.describe_groups([group])[group]["group_state"] == "Empty"
    assert admin.list_group_offsets(group)[group][first].offset == 10
    moved = admin.reset_group_offsets(group, {first: OffsetSpec.EARLIEST})
    assert moved[first] == {"error": NoError, "offset": 0}
    admin.alter_group_offsets(group, {first: OffsetAndMetadata(8, "moved", -1)})
    assert admin.list_group_offsets(group)[group][first].metadata == "moved"
    with client.member(group, topic) as member:
        wait_until(lambda: len(member.records) == 2, 30, "the last two records")
    assert admin.delete_groups([group]) == {group: "OK"}
    assert group not in {g["group_id"] for g in admin.list_groups()}


def test_committed_offsets_are_deleted_unless_the_topic_is_subscribed_to(admin, client, topic):
    group = f"g-{topic}"
    client.commit(group, topic, {0: 3, 1: 4})
    first, second = TopicPartition(topic, 0), TopicPartition(topic, 1)
    assert admin.delete_group_offsets(group, [first]) == {first: NoError}
    assert set(admin.list_group_offsets(group)[group]) == {second}
    with client.member(group, topic) as member:
        wait_until(lambda: member.owned, 30, "an assignment")
        assert admin.delete_group_offsets(group, [second]) == {second: GroupSubscribedToTopicError}


def test_members_are_removed_by_their_instance_id(admin, client, topic):
    group = f"g-{topic}"
    with client.member(group, topic, instance="one") as member:
        wait_until(lambda: member.owned, 30, "an assignment")
    assert len(admin.describe_groups([group])[group]["members"]) == 1
    assert set(admin.remove_group_members(group, [MemberToRemove(group_instance_id="one")]).values()) == {NoError}
    wait_until(lambda: not admin.describe_groups([group])[group]["members"], 20, "an empty group")
