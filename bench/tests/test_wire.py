import struct
import unittest

from bench import wire


def topic(partitions: list[tuple[int, int]]) -> bytes:
    """A topic of Metadata v1 from each partition's error and leader."""
    parts = b"".join(
        struct.pack(">hii", error, index, leader) + struct.pack(">iiii", 1, leader, 1, leader)
        for index, (error, leader) in enumerate(partitions)
    )
    return struct.pack(">h", 0) + struct.pack(">h1s", 1, b"t") + b"\0" + struct.pack(">i", len(partitions)) + parts


class Wire(unittest.TestCase):
    def test_partitions_with_a_leader_are_counted(self):
        broker = struct.pack(">iih9sih", 1, 1, 9, b"127.0.0.1", 9092, -1)
        answer = broker + struct.pack(">ii", 1, 1) + topic([(0, 1), (5, -1), (0, 1)])
        self.assertEqual(wire.leaders(answer), 2)

    def test_the_checksum_is_crc_32c(self):
        self.assertEqual(wire.crc32c(b"123456789"), 0xE3069283)

    def test_a_batch_tells_its_length_and_is_covered_by_its_checksum(self):
        batch = wire.one_record(50, 1_000)
        length, _, magic, crc = struct.unpack_from(">iibI", batch, 8)
        self.assertEqual((length, magic), (len(batch) - 12, 2))
        self.assertEqual(crc, wire.crc32c(batch[21:]))
