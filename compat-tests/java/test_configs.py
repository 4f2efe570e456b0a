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


def entity(tools, kind, name, *arguments, check=True):
    """ConfigCommand on a broker, group, subscription or a broker's loggers; without a name on the default of all."""
    which = ("--entity-name", name) if name else ("--entity-default",)
    return tools.configs(*arguments, "--entity-type", kind, *which, check=check)


def values_of(tools, kind, name, *arguments) -> dict[str, str]:
    lines = entity(tools, kind, name, "--describe", *arguments).lines
    return dict(line.split()[0].split("=", 1) for line in lines if "sensitive=" in line)


def change(tools, kind, name, *arguments, check=True):
    return entity(tools, kind, name, "--alter", *arguments, check=check)


def test_a_broker_and_the_default_of_all_are_set_shown_and_taken_back(tools, topic):
    tools.create(topic)
    change(tools, "brokers", None, "--add-config", "log.retention.ms=600000,message.max.bytes=900000")
    change(tools, "brokers", "1", "--add-config", "log.retention.ms=700000")
    assert values_of(tools, "brokers", None) == {"log.retention.ms": "600000", "message.max.bytes": "900000"}
    assert values_of(tools, "brokers", "1") == {"log.retention.ms": "700000"}
    everything = values_of(tools, "brokers", "1", "--all")
    assert len(everything) > 300 and everything["message.max.bytes"] == "900000"
    assert described(tools, topic, "--all")["retention.ms"] == "700000"
    change(tools, "brokers", "1", "--delete-config", "log.retention.ms")
    assert described(tools, topic, "--all")["retention.ms"] == "600000"
    change(tools, "brokers", None, "--delete-config", "log.retention.ms,message.max.bytes")
    assert values_of(tools, "brokers", None) == {}


def test_what_a_broker_refuses_is_told(tools):
    for name, config in [("1", "num.partitions=3"), (None, "ssl.keystore.type=JKS"), ("1", "max.connections=0")]:
        done = change(tools, "brokers", name, "--add-config", config, check=False)
        assert done.code == 1 and "InvalidRequestException" in done.text, config


def test_a_groups_configuration_is_held_to_the_brokers_bounds(tools):
    change(tools, "groups", "readers", "--add-config", "consumer.session.timeout.ms=50000")
    assert values_of(tools, "groups", "readers") == {"consumer.session.timeout.ms": "50000"}
    done = change(tools, "groups", "readers", "--add-config", "consumer.session.timeout.ms=61000", check=False)
    assert done.code == 1 and "InvalidConfigurationException" in done.text
    change(tools, "groups", "readers", "--delete-config", "consumer.session.timeout.ms")
    assert values_of(tools, "groups", "readers") == {}


def test_a_subscription_to_client_metrics_is_made_listed_and_deleted(tools):
    change(tools, "client-metrics", "sub", "--add-config", "interval.ms=1000,metrics=[org.apache.kafka],match=[client_id=a]")
    shown = values_of(tools, "client-metrics", "sub")
    assert shown["interval.ms"] == "1000" and shown["match"] == "client_id=a"
    assert "sub" in tools.configs("--describe", "--entity-type", "client-metrics").out
    change(tools, "client-metrics", "sub", "--delete-config", "interval.ms,metrics,match")
    assert "sub" not in tools.configs("--describe", "--entity-type", "client-metrics").out


def test_the_levels_of_loggers_are_set_and_taken_back(tools):
    assert values_of(tools, "broker-loggers", "1")["milena.net"] == "INFO"
    change(tools, "broker-loggers", "1", "--add-config", "milena.net=DEBUG")
    assert values_of(tools, "broker-loggers", "1")["milena.net"] == "DEBUG"
    change(tools, "broker-loggers", "1", "--delete-config", "milena.net")
    assert values_of(tools, "broker-loggers", "1")["milena.net"] == "INFO"
    done = change(tools, "broker-loggers", "1", "--add-config", "milena.net=LOUD", check=False)
    assert done.code == 1 and "InvalidConfigurationException" in done.text
