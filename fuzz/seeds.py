"""Writes the first inputs of each fuzz target: `seeds.py REQUESTS CORPUS`. `REQUESTS` is a directory of frames as clients
send them; the rest comes from the data directories of a real Kafka in `tests/data`."""

import gzip
import hashlib
import struct
import sys
import tarfile
import zlib
from pathlib import Path

DATA = Path(__file__).resolve().parents[1] / "tests" / "data"
LOG_FILES = [
    "00000000000000000000.log",
    "00000000000000000000.index",
    "00000000000000000000.timeindex",
    "00000000000000000000.txnindex",
    "00000000000000000010.log",
    "00000000000000000010.index",
    "00000000000000000010.timeindex",
    "00000000000000000010.snapshot",
    "leader-epoch-checkpoint",
]
SMALL = {"-checkpoint": 0, "leader-epoch-checkpoint": 1, ".snapshot": 2, ".txnindex": 3, ".properties": 6}
LENGTH_MAX = 0xFFFF


def directories() -> dict[str, dict[str, bytes]]:
    """Directory → file → bytes, of both archives."""
    found: dict[str, dict[str, bytes]] = {}
    for archive in DATA.glob("kafka-4.3.0-datadir*.tar.gz"):
        with tarfile.open(archive) as files:
            for member in files:
                if member.isfile():
                    path = Path(archive.name) / member.name
                    found.setdefault(str(path.parent), {})[path.name] = files.extractfile(member).read()
    return found


def batches(log: bytes):
    at = 0
    while at + 12 <= len(log):
        (length,) = struct.unpack_from(">i", log, at + 8)
        if length <= 0:
            return
        yield log[at : at + 12 + length]
        at += 12 + length


def main(requests: Path, corpus: Path) -> None:
    def keep(target: str, data: bytes) -> None:
        directory = corpus / target
        directory.mkdir(parents=True, exist_ok=True)
        (directory / hashlib.sha1(data).hexdigest()).write_bytes(data)

    for file in requests.iterdir():
        frame = file.read_bytes()
        keep("frame", b"\x3f" + struct.pack(">i", len(frame)) + frame)
        if len(frame) <= LENGTH_MAX:
            keep("request", struct.pack(">H", len(frame)) + frame)
    for files in directories().values():
        if "partition.metadata" in files:
            parts = [files.get(name, b"")[:LENGTH_MAX].rstrip(b"\0") for name in LOG_FILES]
            keep("log", b"\0" + b"".join(struct.pack(">H", len(part)) + part for part in parts))
        for name, data in files.items():
            if name.endswith(".log"):
                for batch in batches(data):
                    keep("batch", b"\xff" + batch)
                if "partition.metadata" not in files or b"FeatureLevel" in data:
                    keep("files", b"\x04" + data[:LENGTH_MAX])
            for ending, choice in SMALL.items():
                if name.endswith(ending):
                    keep("files", bytes([choice]) + data)
    for checkpoint in DATA.glob("*.checkpoint"):
        keep("files", b"\x05" + checkpoint.read_bytes())
    keep("files", b"\x04" + (DATA / "cluster_metadata.log").read_bytes())
    keep("batch", b"\0" + gzip.compress(b"some bytes" * 20))
    keep("batch", b"\0" + zlib.compress(b"no gzip"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
