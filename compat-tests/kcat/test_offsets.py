"""Reading from a place: absolute, from the end, by time; empty topics; offset queries."""

import time

from broker import wait_until


def now_ms() -> int:
    return int(time.time() * 1000)


def produce_around_a_time(kcat, topic) -> int:
    """Two groups of messages in partition 0; returns a time after the first and not after the second."""
    kcat.produce(topic, ["old0", "old1", "old2"], "-p", 0)
    between = max(m["ts"] for m in kcat.consume(topic, "-p", 0)) + 1
    wait_until(lambda: now_ms() > between, 5, "the clock to move on")
    kcat.produce(topic, ["new0", "new1"], "-p", 0)
    return between


def query(kcat, topic, partition, timestamp) -> str:
    return kcat.run("-Q", "-t", f"{topic}:{partition}:{timestamp}").stdout.decode().strip()


def test_reading_from_an_absolute_offset(kcat, topic):
    kcat.produce(topic, range(10), "-p", 0)
    assert kcat.payloads(topic, "-p", 0, "-o", 7) == ["7", "8", "9"]


def test_reading_the_last_messages(kcat, topic):
    kcat.produce(topic, range(10), "-p", 0)
    assert kcat.payloads(topic, "-p", 0, "-o", -3) == ["7", "8", "9"]


def test_reading_a_number_of_messages(kcat, topic):
    kcat.produce(topic, range(10), "-p", 0)
    out = kcat.run("-C", "-t", topic, "-p", 0, "-q", "-c", 4).stdout
    assert out == b"0\n1\n2\n3\n"


def test_reading_from_a_time(kcat, topic):
    between = produce_around_a_time(kcat, topic)
    assert kcat.payloads(topic, "-p", 0, "-o", f"s@{between}") == ["new0", "new1"]


def test_reading_up_to_a_time(kcat, topic):
    between = produce_around_a_time(kcat, topic)
    assert kcat.payloads(topic, "-p", 0, "-o", "s@0", "-o", f"e@{between}") == ["old0", "old1", "old2"]


def test_an_offset_query_answers_by_time(kcat, topic):
    between = produce_around_a_time(kcat, topic)
    assert query(kcat, topic, 0, 0) == f"{topic} [0] offset 0"
    assert query(kcat, topic, 0, between) == f"{topic} [0] offset 3"


def test_an_offset_query_past_the_last_message_finds_none(kcat, topic):
    produce_around_a_time(kcat, topic)
    assert query(kcat, topic, 0, now_ms() + 60_000) == f"{topic} [0] offset -1"


def test_an_offset_query_for_the_end_answers_the_next_offset(kcat, topic):
    produce_around_a_time(kcat, topic)
    assert query(kcat, topic, 0, -1) == f"{topic} [0] offset 5"
    assert query(kcat, topic, 0, -2) == f"{topic} [0] offset 0"


def test_an_empty_partition_ends_at_offset_0(kcat, topic):
    kcat.produce(topic, ["elsewhere"], "-p", 1)
    done = kcat.run("-C", "-t", topic, "-p", 0, "-e")
    assert done.stdout == b""
    assert f"Reached end of topic {topic} [0] at offset 0".encode() in done.stderr


def test_a_reader_at_the_end_gets_what_comes_next(kcat, topic):
    kcat.produce(topic, ["before"], "-p", 0)
    with kcat.group(f"tail-{topic}", "-X", "auto.offset.reset=latest").join(topic) as reader:
        # The assignment is reported before the positions are known, so messages go on until one arrives.
        wait_until(lambda: reader.assigned() == {0, 1, 2}, 30, "the reader's assignment")
        sent = []

        def arrived():
            sent.append(f"after{len(sent)}")
            kcat.produce(topic, sent[-1:], "-p", 0)
            return reader.messages

        wait_until(arrived, 30, "a message to arrive")
    got = [m["payload"] for m in reader.messages]
    assert got and "before" not in got
    assert got == sent[sent.index(got[0]) :][: len(got)]
