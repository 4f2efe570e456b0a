"""Writes the first inputs of each fuzz target: `seeds.py CORPUS`. Requests come from `requests.gz`, the rest from the data
directories of a real Kafka in `tests/data`. `seeds.py --collect DIRECTORY` makes `requests.gz` of the frames that
`compat-tests/differential/run --raw --keep DIRECTORY` leaves there."""

import gzip
import hashlib
import re
import struct
import sys
import tarfile
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
DATA = HERE.parent / "tests" / "data"
REQUESTS = HERE / "requests.gz"
REQUEST_MAX = 20_000
HEADER_BYTES = 61
SMALL = {
    "-offset-checkpoint": 0,
    "leader-epoch-checkpoint": 1,
    ".snapshot": 2,
    ".txnindex": 3,
    ".properties": 6,
}
LOG_ENDINGS = (".log", ".index", ".timeindex")
LENGTH_MAX = 0xFFFF
ALONE_MAX = 8
"""Frames of one API and version that become an input of their own."""
TOGETHER = 6
"""Frames that follow one another and become one input."""
BATCHES = 300
"""Batches of producers, and as many of logs, that become inputs."""
ID = b"the-topics-id-0\0"
"""What the target `request` puts a topic's id in the place of; its topics are called as `same_names` calls them."""
WITH_IDS = {0: 13, 1: 13, 3: 10, 8: 10, 9: 10, 20: 6, 75: 0}
"""API keys whose requests name topics by id, from which version on."""
SETTINGS = [
    "log.retention.ms=-1", "num.partitions=3", "cleanup.policy=compact,delete", "retention.bytes=100",
    "listeners=PLAINTEXT://127.0.0.1:0", "advertised.listeners=A://h:1", "compression.type=zstd", "log.dirs=/tmp/a",
    "listener.security.protocol.map=A:PLAINTEXT", "min.cleanable.dirty.ratio=0.5", "broker.rack=r", "node.id=1",
    "max.connections.per.ip.overrides=127.0.0.1:2", "message.timestamp.type=LogAppendTime",
]


def directories() -> dict[str, dict[str, bytes]]:
    """Directory → file → bytes, of every archive."""
    found: dict[str, dict[str, bytes]] = {}
    for archive in DATA.glob("kafka-4.3.0-*.tar.gz"):
        with tarfile.open(archive) as files:
            for member in files:
                if member.isfile():
                    path = Path(archive.name) / member.name
                    found.setdefault(str(path.parent), {})[path.name] = files.extractfile(member).read()
    return found


def names_in(target: str) -> list[str]:
    """The files that a target cuts its input into."""
    source = (HERE / "targets" / f"{target}.rs").read_text()
    return re.findall(r'"([^"]+)"', source.split("const NAMES", 1)[1].split("];", 1)[0])


def joined(parts: list[bytes]) -> bytes:
    return b"".join(struct.pack(">H", len(part[:LENGTH_MAX])) + part[:LENGTH_MAX] for part in parts)


def batches(log: bytes):
    at = 0
    while at + 12 <= len(log):
        (length,) = struct.unpack_from(">i", log, at + 8)
        if length <= 0:
            return
        yield log[at : at + 12 + length]
        at += 12 + length


def batches_within(frame: bytes):
    """Of a Produce request, by what a batch of a producer looks like."""
    for at in range(len(frame) - HEADER_BYTES):
        (length,) = struct.unpack_from(">i", frame, at + 8)
        if frame[at + 16] == 2 and frame[at : at + 8] == bytes(8) and 49 <= length <= len(frame) - at - 12:
            yield frame[at : at + 12 + length]


def same_names(frame: bytes) -> bytes:
    """With the names that the broker under test knows in the place of a scenario's own."""
    topics: dict[bytes, bytes] = {}

    def known(name: re.Match) -> bytes:
        return topics.setdefault(name[0], b"t-%08x" % min(len(topics) + 1, 3))

    frame = re.sub(rb"t-[0-9a-f]{8}", known, frame)
    frame = re.sub(rb"g-[0-9a-f]{8}", b"g-00000001", frame)
    key, version = struct.unpack_from(">hh", frame)
    if version < WITH_IDS.get(key, 1000):
        return frame
    ids: dict[bytes, bytes] = {}

    def stand_in(found: re.Match) -> bytes:
        if len(set(found[0])) < 11:
            return found[0]
        return ids.setdefault(found[0], ID[:15] + bytes([len(ids)]))

    # Random UUIDs.
    return re.sub(rb"(?s).{6}[\x40-\x4f].[\x80-\xbf].{7}", stand_in, frame)


def collect(directory: Path) -> None:
    """Keeps each frame once, in the order in which they were sent."""
    files = sorted(directory.iterdir(), key=lambda file: file.stat().st_mtime_ns)
    frames = {}
    for file in files:
        frame = same_names(file.read_bytes())
        if len(frame) <= REQUEST_MAX:
            # The correlation id makes no difference.
            frames.setdefault(frame[:4] + frame[8:], frame)
    REQUESTS.write_bytes(gzip.compress(joined(list(frames.values())), 9, mtime=0))


def requests() -> list[bytes]:
    data = gzip.decompress(REQUESTS.read_bytes())
    frames = []
    at = 0
    while at < len(data):
        (length,) = struct.unpack_from(">H", data, at)
        frames.append(data[at + 2 : at + 2 + length])
        at += 2 + length
    return frames


def main(corpus: Path) -> None:
    def keep(target: str, data: bytes) -> None:
        directory = corpus / target
        directory.mkdir(parents=True, exist_ok=True)
        (directory / hashlib.sha1(data).hexdigest()).write_bytes(data)

    for target in ("frame", "request", "batch", "log", "files", "directory"):
        (corpus / target).mkdir(parents=True, exist_ok=True)
    frames = requests()
    kinds: Counter = Counter()
    for frame in frames:
        kinds[frame[:4]] += 1
        if kinds[frame[:4]] > ALONE_MAX:
            continue
        keep("frame", b"\x3f" + struct.pack(">i", len(frame)) + frame)
        keep("request", joined([frame]))
    for first in range(0, len(frames), TOGETHER):
        together = frames[first : first + TOGETHER]
        if {frame[:4] for frame in together} - {together[0][:4]}:
            keep("request", joined(together))
    found = directories()
    produced = [batch for frame in frames if frame[:2] == b"\0\0" for batch in batches_within(frame)]
    stored = [
        batch
        for files in found.values()
        for name, data in files.items()
        if name.endswith(".log")
        for batch in batches(data)
    ]
    for batch in sorted(set(produced), key=len)[-BATCHES:] + stored[:BATCHES]:
        keep_batch(lambda data: keep("batch", data), batch)
    keep_directories(keep, found)
    for checkpoint in DATA.glob("*.checkpoint"):
        keep("files", b"\x05" + checkpoint.read_bytes())
    journal = (DATA / "cluster_metadata.log").read_bytes()
    for choice in (b"\x04", b"\x07"):
        keep("files", choice + journal)
    for batch in batches(journal):
        keep("files", b"\x07" + batch)
    for text in SETTINGS:
        keep("files", b"\x10" + text.encode())
        keep("files", b"\x06" + text.encode() + b"\n")
    keep_records(keep)


def keep_batch(keep, batch: bytes) -> None:
    for rules in (b"\0", b"\x02", b"\x18", b"\x38"):
        keep(b"\x0d" + rules + batch)
    codec = batch[22] & 7
    payload = batch[HEADER_BYTES:]
    if codec == 0:
        keep(b"\x0c\0" + payload)
        for choice in range(4, 12):
            keep(bytes([choice, 0]) + (batch if choice >= 8 else payload))
    elif codec <= 4:
        keep(bytes([codec - 1, 1]) + payload)


def records(payload: bytes):
    """Key and value of each, as far as they can be followed."""

    def varint(at: int) -> tuple[int, int]:
        number = shift = 0
        while True:
            byte = payload[at]
            number |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                return (number >> 1) ^ -(number & 1), at

    at = 0
    while at < len(payload):
        length, at = varint(at)
        end, at = at + length, at + 1
        _, at = varint(at)
        _, at = varint(at)
        size, at = varint(at)
        key = payload[at : at + max(size, 0)]
        size, at = varint(at + max(size, 0))
        yield key, payload[at : at + max(size, 0)]
        at = end


def keep_records(keep) -> None:
    for batch in batches((DATA / "cluster_metadata.log").read_bytes()):
        for key, value in records(batch[HEADER_BYTES:]):
            keep("files", b"\x09" + value)
            keep("files", b"\x0f" + bytes([len(key)]) + key + value)
    for batch in batches((DATA / "consumer_offsets.log").read_bytes()):
        for key, value in records(batch[HEADER_BYTES:]):
            keep("files", b"\x0a" + key)
            keep("files", (b"\x0c" if key[:2] == b"\0\2" else b"\x0b") + value)
    for batch in batches((DATA / "transaction_state.log").read_bytes()):
        for key, value in records(batch[HEADER_BYTES:]):
            keep("files", b"\x0d" + key)
            keep("files", b"\x0e" + value)


def keep_directories(keep, found: dict[str, dict[str, bytes]]) -> None:
    log_names, all_names = names_in("log"), names_in("directory")
    for where, files in found.items():
        if "partition.metadata" in files:
            parts = [files.get(name, b"")[:LENGTH_MAX].rstrip(b"\0") for name in log_names[:-1]]
            later = sorted(name[:-4] for name in files if name.endswith(".log"))[1:2]
            for base in later:
                parts[4:7] = [files.get(base + ending, b"").rstrip(b"\0") for ending in LOG_ENDINGS]
            for flags in (0x00, 0x14, 0x36, 0x30):
                keep("log", bytes([0, flags & 1, flags]) + joined(parts))
        for name, data in files.items():
            for ending, choice in SMALL.items():
                if name.endswith(ending):
                    keep("files", bytes([choice]) + data)
        if "meta.properties" in files:
            keep("directory", b"\0" + joined(whole_directory(found, where, files, all_names)))


def whole_directory(found, where: str, files: dict[str, bytes], names: list[str]) -> list[bytes]:
    """A data directory cut down to what the target knows: of the offsets the partition that has most."""

    def part(name: str) -> bytes:
        directory, _, file = name.rpartition("/")
        if not directory:
            return files.get(name, b"")
        if directory == "__consumer_offsets-0":
            candidates = [path for path in found if path.startswith(f"{where}/__consumer_offsets-")]
            log = "00000000000000000000.log"
            path = max(candidates, key=lambda path: len(found[path].get(log, b"")), default="")
        else:
            path = f"{where}/{directory}"
        return found.get(path, {}).get(file, b"").rstrip(b"\0")

    return [part(name) for name in names]


if __name__ == "__main__":
    if sys.argv[1] == "--collect":
        collect(Path(sys.argv[2]))
    else:
        main(Path(sys.argv[1]))
