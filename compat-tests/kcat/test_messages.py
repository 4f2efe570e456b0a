"""What goes in comes out: keys, headers, nulls, order, sizes, acknowledgements."""

import hashlib

import pytest

from batches import partition_batches
from kcat import write_message


def test_keys_and_values_come_back_in_the_order_they_went_in(kcat, topic):
    kcat.produce(topic, [f"key{i}:value{i}" for i in range(50)], "-K:", "-p", 1)
    messages = kcat.consume(topic)
    assert [(m["key"], m["payload"]) for m in messages] == [(f"key{i}", f"value{i}") for i in range(50)]
    assert [m["offset"] for m in messages] == list(range(50))
    assert {m["partition"] for m in messages} == {1}


def test_the_same_key_goes_to_the_same_partition(kcat, topic):
    kcat.produce(topic, [f"key{i % 20}:{i}" for i in range(400)], "-K:")
    home, last = {}, {}
    for message in kcat.consume(topic):
        key, number = message["key"], int(message["payload"])
        assert home.setdefault(key, message["partition"]) == message["partition"]
        assert number > last.get(key, -1), f"the order of {key} is lost"
        last[key] = number
    assert len(home) == 20
    assert set(home.values()) == {0, 1, 2}


def test_headers_come_back_in_order_with_repeated_and_empty_ones(kcat, topic):
    kcat.produce(topic, ["x"], "-H", "a=1", "-H", "b=two words", "-H", "a=2", "-H", "empty=", "-H", "null")
    (message,) = kcat.consume(topic)
    assert message["headers"] == ["a", "1", "b", "two words", "a", "2", "empty", "", "null", None]


def test_null_keys_and_values_stay_null(kcat, topic):
    kcat.produce(topic, ["deleted:", ":kept", ":"], "-K:", "-Z", "-p", 0)
    assert [(m["key"], m["payload"]) for m in kcat.consume(topic)] == [
        ("deleted", None),
        (None, "kept"),
        (None, None),
    ]


def test_empty_values_stay_empty(kcat, topic):
    kcat.produce(topic, ["k:"], "-K:")
    (message,) = kcat.consume(topic)
    assert (message["key"], message["payload"]) == ("k", "")


def test_binary_content_is_unchanged(kcat, topic, tmp_path):
    file = tmp_path / "binary"
    file.write_bytes(bytes(range(256)) * 8)
    kcat.run("-P", "-t", topic, "-p", 0, file)
    out = kcat.run("-C", "-t", topic, "-p", 0, "-e", "-q", "-D", "").stdout
    assert out == file.read_bytes()


def test_messages_carry_the_clients_timestamp_and_it_is_a_create_time(kcat, topic):
    kcat.produce(topic, range(20), "-p", 0)
    messages = kcat.consume(topic)
    assert {m["tstype"] for m in messages} == {"create"}
    stamps = [m["ts"] for m in messages]
    assert stamps == sorted(stamps) and stamps[0] > 1_600_000_000_000


def test_a_hundred_thousand_messages_keep_their_order(kcat, topic):
    kcat.produce(topic, range(100_000), "-p", 2)
    out = kcat.run("-C", "-t", topic, "-p", 2, "-e", "-q", "-f", "%o %s\n").stdout
    assert out == b"".join(b"%d %d\n" % (i, i) for i in range(100_000))


def test_a_large_message_passes(kcat, topic, tmp_path):
    file = write_message(tmp_path, 4_000_000)
    kcat.run("-P", "-t", topic, "-p", 0, "-X", "message.max.bytes=10000000", file)
    out = kcat.run("-C", "-t", topic, "-p", 0, "-e", "-q", "-D", "").stdout
    assert hashlib.sha256(out).digest() == hashlib.sha256(file.read_bytes()).digest()


def test_a_message_above_the_brokers_limit_is_refused_and_the_next_one_passes(kcat, topic, tmp_path):
    file = write_message(tmp_path, 6_000_000)
    refused = kcat.run("-P", "-t", topic, "-p", 0, "-X", "message.max.bytes=10000000", file, check=False)
    assert b"Message size too large" in refused.stderr
    kcat.produce(topic, ["small"], "-p", 0)
    assert kcat.payloads(topic) == ["small"]


@pytest.mark.parametrize("acks", ["0", "1", "all"])
def test_every_level_of_acknowledgement_stores_the_messages(kcat, topic, acks):
    # Without acknowledgements nothing tells a producer that its topic is there.
    kcat.produce(topic, ["first"], "-p", 0)
    kcat.produce(topic, range(100), "-p", 0, "-X", f"acks={acks}")
    expected = ["first", *map(str, range(100))]
    assert kcat.payloads(topic, "-c", 101) == expected


def test_an_idempotent_producer_stores_its_messages_with_a_producer_id(kcat, topic, broker):
    kcat.produce(topic, range(100), "-p", 0, "-X", "enable.idempotence=true", "-X", "batch.num.messages=10")
    assert kcat.payloads(topic) == list(map(str, range(100)))
    stored = partition_batches(broker.partition(topic))
    assert len(stored) >= 10
    assert {batch.producer_id >= 0 for batch in stored} == {True}
    assert len({batch.producer_id for batch in stored}) == 1
