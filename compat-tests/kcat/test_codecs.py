"""Every codec, in the messages and in the file."""

import pytest

from batches import CODECS, partition_batches

LINES = [f"line {i} " + "the same words again and again " * 5 for i in range(2000)]


@pytest.mark.parametrize("codec", CODECS)
def test_a_codec_passes_through_and_the_file_is_compressed_with_it(kcat, topic, broker, codec):
    kcat.produce(topic, LINES, "-p", 0, "-z", codec, "-X", "linger.ms=50")
    assert kcat.payloads(topic) == LINES

    stored = partition_batches(broker.partition(topic))
    assert {batch.codec for batch in stored} == {codec}
    assert sum(batch.records for batch in stored) == len(LINES)
    plain = sum(map(len, LINES))
    size = sum(batch.size for batch in stored)
    if codec == "none":
        assert size > plain
    else:
        assert size < plain / 2


def test_batches_of_every_codec_stand_side_by_side_in_one_partition(kcat, topic, broker):
    for codec in CODECS:
        kcat.produce(topic, LINES[:100], "-p", 0, "-z", codec, "-X", "linger.ms=50")
    assert kcat.payloads(topic) == LINES[:100] * len(CODECS)
    assert {batch.codec for batch in partition_batches(broker.partition(topic))} == set(CODECS)


@pytest.mark.parametrize("codec", CODECS)
def test_a_compressed_batch_can_be_read_from_its_middle(kcat, topic, codec):
    kcat.produce(topic, LINES[:500], "-p", 0, "-z", codec, "-X", "linger.ms=50")
    messages = kcat.consume(topic, "-p", 0, "-o", 321)
    assert [m["offset"] for m in messages] == list(range(321, 500))
    assert [m["payload"] for m in messages] == LINES[321:500]
