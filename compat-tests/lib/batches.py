"""Reads the heads of the record batches (magic 2) in a `.log` file. Relies on the standard library only."""

import struct
from dataclasses import dataclass
from pathlib import Path

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
HEAD = struct.Struct(">qiibIhiqqqhii")


@dataclass(frozen=True)
class Batch:
    base_offset: int
    size: int
    """Bytes on disk, the 12 before the length included."""
    codec: str
    records: int
    producer_id: int


def batches(file: Path) -> list[Batch]:
    """Every batch of the file; a file that does not end with a whole batch fails."""
    data = file.read_bytes()
    found, at = [], 0
    while at < len(data):
        (base, length, _, magic, _, attributes, _, _, _, producer, _, _, records) = HEAD.unpack_from(data, at)
        assert magic == 2, f"magic {magic} at byte {at} of {file}"
        size = 12 + length
        assert at + size <= len(data), f"{file} ends within the batch at byte {at}"
        found.append(Batch(base, size, CODECS[attributes & 7], records, producer))
        at += size
    return found


def partition_batches(directory: Path) -> list[Batch]:
    """Every batch of a partition, in offset order."""
    return [batch for file in sorted(directory.glob("*.log")) for batch in batches(file)]
