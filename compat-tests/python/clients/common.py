"""What the adapters share: a record, and a group member that runs in a thread of its own."""

import threading
import time
from dataclasses import dataclass, field

SECONDS_MAX = 40
SESSION_MS = 20_000
HEARTBEAT_MS = 300
# Recent: retention takes away what is older than a week.
HOUR_AGO_MS = int(time.time() * 1000) - 3_600_000


@dataclass(frozen=True)
class Record:
    """A record as a test states it; `offset` is filled in when it was read and left out of comparisons."""

    partition: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    timestamp: int = HOUR_AGO_MS
    offset: int = field(default=-1, compare=False)


class Member:
    """A consumer in a group that polls until it is told to leave.

    A client's subclass implements `poll_until_left` and calls `gained`, `lost` and `got`.
    """

    def __init__(self):
        self.records: list[Record] = []
        self.rebalances = 0
        """How many assignments the client reported."""
        self.owned: frozenset[int] = frozenset()
        self._left = threading.Event()
        self._failure = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def poll_until_left(self) -> None:
        raise NotImplementedError

    def join(self) -> "Member":
        self._thread.start()
        return self

    def leave(self) -> None:
        """Ends as the client's own `close` does; for a static member that is not a departure."""
        self._left.set()
        self._thread.join(SECONDS_MAX)
        assert not self._thread.is_alive(), "the member did not end"
        self.check()

    def check(self) -> None:
        """Raises what ended the member's thread."""
        if self._failure is not None:
            raise self._failure

    def gained(self, partitions) -> None:
        self.owned |= frozenset(partitions)
        self.rebalances += 1

    def lost(self, partitions) -> None:
        self.owned -= frozenset(partitions)

    def got(self, record: Record) -> None:
        self.records.append(record)

    @property
    def values(self) -> list[bytes]:
        return [record.value for record in self.records]

    def left(self) -> bool:
        return self._left.is_set()

    def _run(self) -> None:
        try:
            self.poll_until_left()
        except BaseException as failure:
            self._failure = failure

    def __enter__(self) -> "Member":
        return self.join()

    def __exit__(self, *_) -> None:
        self.leave()


def record_of(message) -> Record:
    """A message as kafka-python and aiokafka hand it out; their names are the same."""
    return Record(
        message.partition, message.key, message.value, tuple(message.headers), message.timestamp, message.offset
    )


class KeywordMember(Member):
    """A member of the two clients whose consumers take the same keywords."""

    def __init__(self, address: str, group: str, topic: str, assignor: type, instance: str | None):
        super().__init__()
        self.topic = topic
        self.settings = {
            "bootstrap_servers": address,
            "group_id": group,
            "group_instance_id": instance,
            "partition_assignment_strategy": [assignor],
            "auto_offset_reset": "earliest",
            "session_timeout_ms": SESSION_MS,
            "heartbeat_interval_ms": HEARTBEAT_MS,
            "fetch_max_wait_ms": 50,
        }
