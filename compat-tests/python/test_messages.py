"""Records that each client writes, in every codec, as all of the clients read them."""

import pytest

from batches import CODECS, partition_batches
from clients import CLIENTS
from clients.common import HOUR_AGO_MS, Record

PARTITIONS = range(3)


def varied_records() -> list[Record]:
    """Keys and values that are missing, empty, binary and long; headers that are missing, repeated and empty."""
    found = []
    for partition in PARTITIONS:
        found += [
            Record(partition, None, b"no key"),
            Record(partition, b"no value", None),
            Record(partition, b"\x00\xff binary \x80", bytes(range(256))),
            Record(partition, "schlüssel".encode(), "größe 量".encode()),
            Record(partition, b"headers", b"h", (("a", b"1"), ("a", b"2"), ("empty", b""), ("bytes", b"\x00\xff"))),
            Record(partition, b"long", b"abcdefgh" * 10_000),
        ]
        found += [Record(partition, b"k%d" % i, b"value %d" % i, timestamp=HOUR_AGO_MS + i) for i in range(200)]
    return found


@pytest.mark.parametrize("codec", CODECS)
def test_every_client_reads_what_a_client_wrote_in_a_codec(broker, client, topic, codec):
    written = varied_records()
    offsets = client.produce(topic, written, codec)
    for partition in PARTITIONS:
        mine = [offset for record, offset in zip(written, offsets) if record.partition == partition]
        assert mine == list(range(len(mine)))
    for reader in CLIENTS.values():
        read = reader(broker.address).read(topic, len(PARTITIONS))
        for partition in PARTITIONS:
            expected = [r for r in written if r.partition == partition]
            assert [r for r in read if r.partition == partition] == expected, reader.name
    for partition in PARTITIONS:
        used = {batch.codec for batch in partition_batches(broker.partition(topic, partition))}
        # A client may leave a batch as it is when the codec would make it larger.
        assert codec in used and used <= {codec, "none"}


def test_an_empty_key_and_value_are_not_null_ones(client, topic):
    written = [Record(0, b"", b""), Record(0, b"", None), Record(0, None, b"")]
    client.produce(topic, written)
    assert client.read(topic, 1) == written
