"""The few requests of Kafka's protocol that the benchmark itself sends: topics, metadata, one record per partition.

Old, fixed versions that both brokers serve. Nothing that is measured in microseconds goes through here.
"""

import socket
import struct
import time

from bench.children import Failed

PRODUCE, LIST_OFFSETS, METADATA, API_VERSIONS, CREATE_TOPICS, DELETE_TOPICS = 0, 2, 3, 18, 19, 20
NOT_THERE = 3
ALREADY_THERE = 36
# Unknown partition, no leader, not the leader: what a partition answers for a moment after it was made.
NOT_YET = (3, 5, 6)


def _text(value: str) -> bytes:
    data = value.encode()
    return struct.pack(">h", len(data)) + data


def _list(items) -> bytes:
    items = list(items)
    return struct.pack(">i", len(items)) + b"".join(items)


class Reader:
    """Takes values off the front of an answer."""

    def __init__(self, data: bytes, at: int = 0):
        self.data, self.at = data, at

    def take(self, form: str):
        values = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return values[0] if len(values) == 1 else values

    def text(self) -> str | None:
        size = self.take(">h")
        if size < 0:
            return None
        self.at += size
        return self.data[self.at - size : self.at].decode()

    def skip_ints(self) -> None:
        count = self.take(">i")
        self.at += 4 * count


class Connection:
    """One connection, one request at a time."""

    def __init__(self, port: int, patience_s: float = 60):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=patience_s)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = self.socket.makefile("rb")
        self.correlation = 0

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_) -> None:
        self.stream.close()
        self.socket.close()

    def ask(self, api: int, version: int, body: bytes) -> bytes:
        """The body of the answer."""
        self.correlation += 1
        message = struct.pack(">hhi", api, version, self.correlation) + _text("bench") + body
        self.socket.sendall(struct.pack(">i", len(message)) + message)
        head = self.stream.read(8)
        if len(head) < 8:
            raise ConnectionError("closed")
        size, correlation = struct.unpack(">ii", head)
        if correlation != self.correlation:
            raise Failed(f"answer {correlation} to request {self.correlation}")
        body = self.stream.read(size - 4)
        if len(body) < size - 4:
            raise ConnectionError("closed")
        return body


def api_versions(connection: Connection) -> None:
    if struct.unpack_from(">h", connection.ask(API_VERSIONS, 0, b""))[0]:
        raise Failed("ApiVersions was refused")


def create_topic(connection: Connection, name: str, partitions: int, configs: dict[str, str]) -> None:
    """Creates a topic and waits until each of its partitions serves."""
    settings = _list(_text(key) + _text(value) for key, value in configs.items())
    topic = _text(name) + struct.pack(">ih", partitions, 1) + _list([]) + settings
    answer = Reader(connection.ask(CREATE_TOPICS, 2, _list([topic]) + struct.pack(">i?", 30_000, False)))
    answer.take(">ii")
    answer.text()
    error, message = answer.take(">h"), answer.text()
    if error not in (0, ALREADY_THERE):
        raise Failed(f"the topic {name} was not created: error {error}, {message}")
    until = time.monotonic() + 60
    while leaders(metadata(connection, [name])) != partitions or not serves(connection, name, partitions):
        if time.monotonic() > until:
            raise Failed(f"the topic {name} has no leaders")
        time.sleep(0.01)


def delete_topics(connection: Connection, names: list[str]) -> None:
    answer = Reader(connection.ask(DELETE_TOPICS, 1, _list(map(_text, names)) + struct.pack(">i", 30_000)))
    answer.take(">i")
    for _ in range(answer.take(">i")):
        name, error = answer.text(), answer.take(">h")
        if error not in (0, NOT_THERE):
            raise Failed(f"the topic {name} was not deleted: error {error}")


def metadata(connection: Connection, names: list[str] | None = None) -> bytes:
    """The answer to Metadata, of all topics without names. `leaders` counts in it."""
    wanted = struct.pack(">i", -1) if names is None else _list(map(_text, names))
    return connection.ask(METADATA, 1, wanted)


def leaders(answer: bytes) -> int:
    """Partitions that have a leader."""
    reader = Reader(answer)
    for _ in range(reader.take(">i")):
        reader.take(">i")
        reader.text()
        reader.take(">i")
        reader.text()
    reader.take(">i")
    found = 0
    for _ in range(reader.take(">i")):
        reader.take(">h")
        reader.text()
        reader.take(">?")
        for _ in range(reader.take(">i")):
            error, _, leader = reader.take(">hii")
            reader.skip_ints()
            reader.skip_ints()
            found += error == 0 and leader >= 0
    return found


def _crc32c_table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


def crc32c(data: bytes, table=_crc32c_table()) -> int:
    value = 0xFFFFFFFF
    for byte in data:
        value = value >> 8 ^ table[(value ^ byte) & 0xFF]
    return value ^ 0xFFFFFFFF


def one_record(size: int, now_ms: int) -> bytes:
    """A batch of one record whose value has `size` bytes (up to 63, so that every length is one byte)."""
    record = struct.pack(">bbbbb", 0, 0, 0, 1, size * 2) + b"x" * size + b"\0"
    rest = struct.pack(">hiqqqhii", 0, 0, now_ms, now_ms, -1, -1, -1, 1)
    rest += struct.pack(">b", len(record) * 2) + record
    return struct.pack(">qiibI", 0, 9 + len(rest), -1, 2, crc32c(rest)) + rest


def produce_everywhere(connection: Connection, topic: str, partitions: int) -> None:
    """One small record into each partition of a topic; what is not led yet is tried again."""
    batch = one_record(50, int(time.time() * 1000))
    left = list(range(partitions))
    until = time.monotonic() + 120
    while left:
        left = _produce(connection, topic, left, batch)
        if left and time.monotonic() > until:
            raise Failed(f"records for {len(left)} partitions of {topic} are refused")


def _produce(connection: Connection, topic: str, partitions: list[int], batch: bytes) -> list[int]:
    """The same batch into several partitions of a topic; those that have no leader yet are returned."""
    parts = _list(struct.pack(">ii", index, len(batch)) + batch for index in partitions)
    body = struct.pack(">hhi", -1, 1, 60_000) + _list([_text(topic) + parts])
    answer = Reader(connection.ask(PRODUCE, 3, body))
    refused = []
    for _ in range(answer.take(">i")):
        answer.text()
        for _ in range(answer.take(">i")):
            index, error, _, _ = answer.take(">ihqq")
            if error in NOT_YET:
                refused.append(index)
            elif error:
                raise Failed(f"a record for {topic}-{index} was refused: error {error}")
    return refused


def latest(connection: Connection, topic: str, partitions: list[int]) -> list[tuple[int, int]]:
    """Of each partition the error and the end of its log."""
    parts = _list(struct.pack(">iq", partition, -1) for partition in partitions)
    answer = Reader(connection.ask(LIST_OFFSETS, 1, struct.pack(">i", -1) + _list([_text(topic) + parts])))
    answer.take(">i")
    answer.text()
    found = []
    for _ in range(answer.take(">i")):
        _, error, _, offset = answer.take(">ihqq")
        found.append((error, offset))
    return found


def serves(connection: Connection, topic: str, partitions: int) -> bool:
    """Metadata may name a leader before that leader knows of it."""
    return all(error == 0 for error, _ in latest(connection, topic, list(range(partitions))))


def wait_for_record(connection: Connection, topic: str, partition: int, limit_s: float = 60) -> None:
    """Until a partition says that it holds a record."""
    until = time.monotonic() + limit_s
    while True:
        error, offset = latest(connection, topic, [partition])[0]
        if error == 0 and offset > 0:
            return
        if time.monotonic() > until:
            raise Failed(f"{topic}-{partition} does not serve its record: error {error}, end {offset}")
        time.sleep(0.001)
