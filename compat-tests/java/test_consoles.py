"""ConsoleProducer and ConsoleConsumer."""

import pytest

from batches import CODECS, partition_batches

SHOW = [
    part
    for setting in ("print.key=true", "print.headers=true", "print.partition=true", "print.offset=true")
    for part in ("--formatter-property", setting)
]
KEYS = ("--reader-property", "parse.key=true", "--reader-property", "key.separator=:")


def test_messages_are_read_from_the_beginning_in_order(tools, topic):
    tools.create(topic)
    tools.produce(topic, [f"line {i}" for i in range(100)])
    assert tools.consume(topic, 100, "--from-beginning") == [f"line {i}" for i in range(100)]


def test_keys_headers_and_nulls_pass(tools, topic):
    tools.create(topic)
    reader = ["parse.key=true", "parse.headers=true", "null.marker=NULL"]
    lines = ["h1:v1,h2:v2\tk1\tvalue", "h1:\tk2\tNULL", "NULL\tNULL\tplain"]
    tools.produce(topic, lines, *(part for setting in reader for part in ("--reader-property", setting)))
    assert tools.consume(topic, 3, "--from-beginning", *SHOW) == [
        "Partition:0\tOffset:0\th1:v1,h2:v2\tk1\tvalue",
        "Partition:0\tOffset:1\th1:\tk2\tnull",
        "Partition:0\tOffset:2\tNO_HEADERS\tnull\tplain",
    ]


def test_one_key_stays_in_one_partition(tools, topic):
    tools.create(topic, partitions=3)
    tools.produce(topic, [f"key{i % 10}:{i}" for i in range(100)], *KEYS)
    home = {}
    for line in tools.consume(topic, 100, "--from-beginning", *SHOW):
        partition, _, _, key, _ = line.split("\t")
        assert home.setdefault(key, partition) == partition
    assert len(home) == 10
    assert len(set(home.values())) == 3


def test_reading_one_partition_from_an_offset(tools, topic):
    tools.create(topic, partitions=2)
    tools.produce(topic, [f"same:{i}" for i in range(20)], *KEYS)
    (full,) = (p for p, end in tools.offsets(topic).items() if end == "20")
    assert tools.consume(topic, 5, "--partition", full, "--offset", 15) == [str(i) for i in range(15, 20)]


def test_a_group_goes_on_where_it_stopped(tools, topic):
    tools.create(topic)
    tools.produce(topic, range(10))
    group = ("--group", f"g-{topic}", "--from-beginning")
    assert tools.consume(topic, 10, *group) == [str(i) for i in range(10)]
    tools.produce(topic, range(10, 15))
    assert tools.consume(topic, 5, *group) == [str(i) for i in range(10, 15)]


@pytest.mark.parametrize("codec", CODECS[1:])
def test_every_codec_of_the_java_client_passes(tools, topic, broker, codec):
    tools.create(topic)
    lines = [f"line {i} " + "again and again " * 10 for i in range(200)]
    tools.produce(topic, lines, "--compression-codec", codec)
    assert tools.consume(topic, 200, "--from-beginning") == lines
    assert {batch.codec for batch in partition_batches(broker.partition(topic))} == {codec}


def test_a_message_above_the_topics_limit_is_refused(tools, topic):
    tools.create(topic, "--config", "max.message.bytes=1000")
    done = tools.produce(topic, ["x" * 2000], check=False)
    assert "RecordTooLargeException" in done.text
    tools.produce(topic, ["small"])
    assert tools.consume(topic, 1, "--from-beginning") == ["small"]


def test_a_missing_topic_is_created_by_producing(tools, topic):
    tools.produce(topic, ["first"])
    assert tools.consume(topic, 1, "--from-beginning") == ["first"]


def test_a_committed_reader_sees_plain_messages(tools, topic):
    tools.create(topic)
    tools.produce(topic, range(5))
    lines = tools.consume(topic, 5, "--from-beginning", "--isolation-level", "read_committed")
    assert lines == [str(i) for i in range(5)]
