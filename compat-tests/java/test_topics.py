"""TopicCommand: create, list, describe, alter, delete, create again."""

import re

from broker import wait_until
from test_consoles import KEYS


def described(tools, topic) -> dict[str, str]:
    """The first line of a topic's description, by its headings."""
    head = tools.topics("--describe", "--topic", topic).lines[0]
    return dict(part.split(": ", 1) if ": " in part else (part.rstrip(":"), "") for part in head.strip().split("\t"))


def partition_lines(tools, topic) -> list[dict[str, str]]:
    lines = tools.topics("--describe", "--topic", topic).lines[1:]
    return [dict(re.findall(r"(\w+): (\S+)", line)) for line in lines]


def listed(tools) -> list[str]:
    return tools.topics("--list").lines


def gone(tools, topic):
    wait_until(lambda: topic not in listed(tools), 20, f"{topic} to be gone")


def test_a_created_topic_is_listed_and_described(tools, topic):
    tools.create(topic, "--config", "retention.ms=3600000", "--config", "segment.bytes=1048576", partitions=3)
    assert topic in listed(tools)
    head = described(tools, topic)
    assert head["Topic"] == topic
    assert (head["PartitionCount"], head["ReplicationFactor"]) == ("3", "1")
    assert set(head["Configs"].split(",")) >= {"retention.ms=3600000", "segment.bytes=1048576"}
    rows = partition_lines(tools, topic)
    assert [row["Partition"] for row in rows] == ["0", "1", "2"]
    for row in rows:
        assert row["Leader"] == row["Replicas"] == row["Isr"]


def test_creating_an_existing_topic_is_refused(tools, topic):
    tools.create(topic)
    done = tools.topics("--create", "--topic", topic, "--partitions", 1, check=False)
    assert done.code == 1
    assert "TopicExistsException" in done.text
    assert f"Topic '{topic}' already exists." in done.text
    tools.topics("--create", "--topic", topic, "--if-not-exists")


def test_a_topic_without_counts_gets_the_brokers_defaults(tools, topic):
    tools.topics("--create", "--topic", topic)
    head = described(tools, topic)
    assert (head["PartitionCount"], head["ReplicationFactor"]) == ("1", "1")


def test_more_replicas_than_brokers_are_refused(tools, topic):
    done = tools.topics("--create", "--topic", topic, "--replication-factor", 2, check=False)
    assert done.code == 1
    assert "InvalidReplicationFactorException" in done.text
    assert topic not in listed(tools)


def test_an_unknown_topic_configuration_is_refused(tools, topic):
    done = tools.topics("--create", "--topic", topic, "--config", "retention.ms=soon", check=False)
    assert done.code == 1
    assert "InvalidConfigurationException" in done.text or "ConfigException" in done.text
    assert topic not in listed(tools)


def test_names_that_differ_only_in_dot_and_underscore_collide(tools, topic):
    tools.create(f"{topic}.x")
    done = tools.topics("--create", "--topic", f"{topic}_x", check=False)
    assert done.code == 1
    assert "InvalidTopicException" in done.text


def test_partitions_can_be_added_and_never_taken_away(tools, topic):
    tools.create(topic, partitions=2)
    tools.topics("--alter", "--topic", topic, "--partitions", 5)
    assert [row["Partition"] for row in partition_lines(tools, topic)] == ["0", "1", "2", "3", "4"]
    done = tools.topics("--alter", "--topic", topic, "--partitions", 3, check=False)
    assert done.code == 1
    assert "InvalidPartitionsException" in done.text
    assert described(tools, topic)["PartitionCount"] == "5"


def test_a_new_partition_takes_messages(tools, topic):
    tools.create(topic)
    tools.produce(topic, ["before"])
    tools.topics("--alter", "--topic", topic, "--partitions", 3)
    tools.produce(topic, [f"key{i}:x" for i in range(60)], *KEYS)
    offsets = tools.offsets(topic)
    assert sorted(offsets) == [0, 1, 2]
    assert sum(map(int, offsets.values())) == 61
    assert all(int(offset) > 0 for offset in offsets.values())


def test_a_deleted_topic_is_gone(tools, topic):
    tools.create(topic)
    tools.topics("--delete", "--topic", topic)
    gone(tools, topic)
    done = tools.topics("--describe", "--topic", topic, check=False)
    assert done.code == 1
    assert f"Topic '{topic}' does not exist" in done.text
    again = tools.topics("--delete", "--topic", topic, check=False)
    assert again.code == 1
    tools.topics("--delete", "--topic", topic, "--if-exists")


def test_a_deleted_topic_can_be_created_again_at_once_and_is_empty(tools, topic):
    tools.create(topic, partitions=2)
    ids = {described(tools, topic)["TopicId"]}
    for turn in range(5):
        tools.produce(topic, [f"turn {turn}"] * 3)
        tools.topics("--delete", "--topic", topic)
        tools.create(topic, partitions=2)
        wait_until(lambda: described(tools, topic)["TopicId"] not in ids, 20, "the new topic")
        ids.add(described(tools, topic)["TopicId"])
        assert tools.offsets(topic) == {0: "0", 1: "0"}
    assert len(ids) == 6
    tools.produce(topic, ["last"])
    assert tools.consume(topic, 1, "--from-beginning") == ["last"]


def test_overrides_and_internal_topics_can_be_filtered(tools, topic):
    tools.create(topic)
    tools.create(f"{topic}-set", "--config", "max.message.bytes=2000")
    overridden = tools.topics("--describe", "--topics-with-overrides").lines
    (line,) = (line for line in overridden if line.startswith(f"Topic: {topic}-set\t"))
    assert "max.message.bytes=2000" in line
    tools.produce(topic, ["x"])
    tools.consume(topic, 1, "--group", f"g-{topic}", "--from-beginning")
    assert "__consumer_offsets" in listed(tools)
    assert "__consumer_offsets" not in tools.topics("--list", "--exclude-internal").lines


def test_the_broker_lists_its_api_versions(tools):
    out = tools.run("BrokerApiVersionsCommand").out
    assert tools.address in out
    for api in ("Produce(0)", "Fetch(1)", "ListOffsets(2)", "Metadata(3)", "JoinGroup(11)", "ApiVersions(18)"):
        assert f"{api}:" in out
        assert "UNSUPPORTED" not in next(line for line in out.splitlines() if f"{api}:" in line)
