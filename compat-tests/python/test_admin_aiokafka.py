"""aiokafka's administration client."""

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from broker import wait_until
from clients import CLIENTS
from clients.aio import run
from clients.common import HOUR_AGO_MS, Record


@pytest.fixture
def client(broker):
    return CLIENTS["aiokafka"](broker.address)


@pytest.fixture
def admin(broker):
    """Runs one call of the client, `admin("list_topics")`, with its own connection."""

    def call(method, *arguments, **options):
        async def called():
            client = AIOKafkaAdminClient(bootstrap_servers=broker.address)
            await client.start()
            try:
                return await getattr(client, method)(*arguments, **options)
            finally:
                await client.close()

        return run(called())

    return call


def config(admin, kind, name) -> dict[str, str]:
    (answer,) = admin("describe_configs", [ConfigResource(kind, name)])
    ((code, _, _, _, entries),) = answer.resources
    assert code == 0
    return {entry[0]: entry[1] for entry in entries}


def errors(answer) -> list[int]:
    """The codes of an answer that has one for each topic."""
    return [error[1] for error in getattr(answer, "topic_errors", None) or answer.topic_error_codes]


def test_a_topic_is_created_described_and_deleted(admin, name):
    topic = NewTopic(name, 2, 1, topic_configs={"retention.ms": "60000"})
    assert errors(admin("create_topics", [topic])) == [0]
    wait_until(lambda: name in admin("list_topics"), 20, "the topic")
    (described,) = admin("describe_topics", [name])
    assert sorted(p["partition"] for p in described["partitions"]) == [0, 1]
    assert config(admin, ConfigResourceType.TOPIC, name)["retention.ms"] == "60000"
    assert errors(admin("create_topics", [topic])) == [36]
    assert errors(admin("delete_topics", [name])) == [0]
    wait_until(lambda: name not in admin("list_topics"), 20, "the topic to be gone")
    assert errors(admin("delete_topics", [name])) == [3]


def test_partitions_are_added(admin, topic):
    admin("create_partitions", {topic: NewPartitions(4)})
    wait_until(lambda: len(admin("describe_topics", [topic])[0]["partitions"]) == 4, 20, "four partitions")


def test_configurations_are_altered_as_a_whole(admin, topic):
    for settings in ({"retention.ms": "60000"}, {"segment.ms": "70000"}):
        (answer,) = admin("alter_configs", [ConfigResource(ConfigResourceType.TOPIC, topic, settings)])
        assert [resource[0] for resource in answer.resources] == [0]
        (key,) = settings
        wait_until(
            lambda: config(admin, ConfigResourceType.TOPIC, topic)[key] == settings[key], 20, "the new value"
        )
    assert config(admin, ConfigResourceType.TOPIC, topic)["retention.ms"] == "604800000"


def test_the_broker_and_the_cluster_describe_themselves(admin, broker):
    assert config(admin, ConfigResourceType.BROKER, "1")["num.partitions"] == "3"
    cluster = admin("describe_cluster")
    assert [(b["node_id"], b["host"], b["port"]) for b in cluster["brokers"]] == [(1, "127.0.0.1", broker.port)]
    assert cluster["controller_id"] == 1


def test_a_group_is_listed_and_described(admin, client, topic):
    group = f"g-{topic}"
    client.produce(topic, [Record(0, None, b"%d" % i) for i in range(10)])
    with client.member(group, topic) as member:
        wait_until(lambda: len(member.records) == 10, 30, "ten records")
        assert (group, "consumer") in [g[:2] for g in admin("list_consumer_groups")]
        (answer,) = admin("describe_consumer_groups", [group])
        ((code, id, state, kind, assignor, members, *_),) = answer.groups
        assert (code, id, state, kind, assignor, len(members)) == (0, group, "Stable", "consumer", "range", 1)
    offsets = admin("list_consumer_group_offsets", group)
    assert offsets[TopicPartition(topic, 0)].offset == 10


def test_offsets_are_found_by_time_and_records_deleted(admin, client, topic):
    minute = 60_000
    client.produce(topic, [Record(0, None, b"%d" % i, timestamp=HOUR_AGO_MS + i * minute) for i in range(10)])
    first = TopicPartition(topic, 0)

    async def at(time):
        async with AIOKafkaConsumer(bootstrap_servers=client.address) as consumer:
            return (await consumer.offsets_for_times({first: time}))[first]

    assert run(at(HOUR_AGO_MS + 4 * minute - 1)) == (4, HOUR_AGO_MS + 4 * minute)
    assert run(at(HOUR_AGO_MS + 60 * minute)) is None
    assert admin("delete_records", {first: RecordsToDelete(before_offset=6)}) == {first: 6}
    assert [r.value for r in client.read(topic, 1)] == [b"6", b"7", b"8", b"9"]
