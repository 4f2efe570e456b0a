"""ConfigCommand on topics."""


def described(tools, topic, *arguments) -> dict[str, str]:
    """Key → value of the lines that the tool prints for a topic."""
    lines = tools.configs("--describe", "--entity-type", "topics", "--entity-name", topic, *arguments).lines
    return dict(line.split()[0].split("=", 1) for line in lines if "sensitive=" in line)


def alter(tools, topic, *arguments, check=True):
    return tools.configs("--alter", "--entity-type", "topics", "--entity-name", topic, *arguments, check=check)


def test_a_configuration_is_set_changed_and_deleted(tools, topic):
    tools.create(topic, "--config", "retention.ms=1000000")
    assert described(tools, topic) == {"retention.ms": "1000000"}
    alter(tools, topic, "--add-config", "retention.ms=2000000,cleanup.policy=[compact,delete]")
    assert described(tools, topic) == {"retention.ms": "2000000", "cleanup.policy": "compact,delete"}
    alter(tools, topic, "--delete-config", "retention.ms,cleanup.policy")
    assert described(tools, topic) == {}


def test_all_configurations_stand_with_their_defaults(tools, topic):
    tools.create(topic, "--config", "max.message.bytes=5000")
    values = described(tools, topic, "--all")
    assert values["max.message.bytes"] == "5000"
    assert values["cleanup.policy"] == "delete"
    assert values["compression.type"] == "producer"
    assert values["retention.ms"] == "604800000"
    assert values["segment.bytes"] == "1073741824"
    assert values["min.insync.replicas"] == "1"
    assert len(values) > 25


def test_a_value_that_does_not_parse_is_refused_and_nothing_changes(tools, topic):
    tools.create(topic)
    done = alter(tools, topic, "--add-config", "retention.ms=never", check=False)
    assert done.code == 1
    assert "InvalidConfigurationException" in done.text or "ConfigException" in done.text
    assert described(tools, topic) == {}


def test_an_unknown_key_is_refused(tools, topic):
    tools.create(topic)
    done = alter(tools, topic, "--add-config", "no.such.key=1", check=False)
    assert done.code == 1
    assert "InvalidConfigurationException" in done.text
    assert described(tools, topic) == {}


def test_a_missing_topic_is_refused(tools, topic):
    done = alter(tools, topic, "--add-config", "retention.ms=1000000", check=False)
    assert done.code == 1


def test_a_changed_configuration_takes_effect_at_once(tools, topic):
    tools.create(topic)
    tools.produce(topic, ["x" * 3000])
    alter(tools, topic, "--add-config", "max.message.bytes=1000")
    assert "RecordTooLargeException" in tools.produce(topic, ["y" * 3000], check=False).text
    alter(tools, topic, "--delete-config", "max.message.bytes")
    tools.produce(topic, ["z" * 3000])
    assert tools.offsets(topic) == {0: "2"}
