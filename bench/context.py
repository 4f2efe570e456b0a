"""What the cases share: the two brokers that stay up, topics, the disk, the clients' ways in."""

import itertools
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import children, clients, wire
from bench.brokers import KINDS, TARGET, Broker
from bench.children import Failed
from bench.procfs import Cost, Watch

DATA = TARGET / "bench"
FREE_BYTES_MIN = 5 << 30
LEFTOVER_BYTES_MAX = 64 << 20
LEFTOVER_LIMIT_S = 90
WARM_BYTES = 1_000_000_000
WARM_BYTES_QUICK = 150_000_000


class Side:
    """One of the two brokers, as a case sees it."""

    def __init__(self, name: str, broker: Broker):
        self.name = name
        self.broker = broker

    @property
    def address(self) -> str:
        return self.broker.address

    def create(self, topic: str, partitions: int, configs: dict[str, str] | None = None) -> None:
        with self.broker.connection() as connection:
            wire.create_topic(connection, topic, partitions, configs or {})

    def delete(self, topic: str) -> None:
        """Deletes it and waits until its files are gone, so that they cost nothing in the next run."""
        with self.broker.connection() as connection:
            wire.delete_topics(connection, [topic])
        until = time.monotonic() + LEFTOVER_LIMIT_S
        while leftover_bytes(self.broker.data) > LEFTOVER_BYTES_MAX:
            if time.monotonic() > until:
                raise Failed(f"{self.name} does not remove the files of {topic}")
            time.sleep(0.05)

    @contextmanager
    def topic(self, name: str, partitions: int = 1, configs: dict[str, str] | None = None) -> Iterator[str]:
        self.create(name, partitions, configs)
        try:
            yield name
        finally:
            if self.broker.process is not None and self.broker.process.poll() is None:
                self.delete(name)

    def measured(self, work: Callable) -> tuple[object, Cost, float]:
        """What `work` returns, what it cost the broker, and the seconds that it took."""
        watch, begin = Watch(self.broker.pid), time.monotonic()
        result = work()
        seconds = time.monotonic() - begin
        return result, watch.cost(), seconds


def leftover_bytes(data: Path) -> int:
    """Allocated by topics that are deleted, but still on the disk."""
    total = 0
    for directory in data.glob("*-delete"):
        try:
            total += sum(file.stat().st_blocks * 512 for file in os.scandir(directory))
        except OSError:
            continue
    return total


class Bench:
    """One run of the benchmark."""

    def __init__(self, quick: bool):
        self.quick = quick
        self.home = DATA / f"run-{os.getpid()}"
        self._shared: dict[str, Side] = {}
        self._number = itertools.count(1)

    def open(self) -> None:
        """Removes what a run that was killed left behind."""
        DATA.mkdir(parents=True, exist_ok=True)
        for old in DATA.glob("run-*"):
            if not Path(f"/proc/{old.name[4:]}").exists():
                shutil.rmtree(old, ignore_errors=True)
        self.home.mkdir()

    def close(self) -> None:
        children.end_all()
        self._shared.clear()
        shutil.rmtree(self.home, ignore_errors=True)

    def need_disk(self) -> None:
        free = shutil.disk_usage(self.home).free
        if free < FREE_BYTES_MIN:
            raise Failed(f"only {free / 2**30:.1f} GiB are free on the disk, 5 are needed")

    def touch_memory(self, size: int) -> tuple[float, float]:
        """Writes a file of so many bytes and removes it; the seconds and CPU seconds that the writing took.

        Before a run that writes, so that the broker gets memory for its files that the machine has at hand. The host of a
        virtual machine may take free memory back: the first to touch it again would pay many times what the copy costs,
        and which of the brokers that is would be chance.
        """
        path = self.home / "touched"
        block = memoryview(bytes(1_000_000))
        file = os.open(path, os.O_CREAT | os.O_WRONLY)
        # It is gone when it is closed, however this ends.
        path.unlink()
        try:
            begin, cpu = time.perf_counter(), time.process_time()
            for position in range(0, size, len(block)):
                os.pwrite(file, block[: size - position], position)
            return time.perf_counter() - begin, time.process_time() - cpu
        finally:
            os.close(file)

    def unique(self, name: str) -> str:
        """A name for a topic or group that no other run has."""
        return f"{name.replace('/', '-')}-{next(self._number)}"

    def own(self, kind: str, settings: dict[str, str] | None = None) -> Side:
        """A broker for one run, not started yet. The case discards it."""
        return Side(kind, KINDS[kind](self.home / self.unique(kind), settings))

    def shared(self) -> dict[str, Side]:
        """The brokers that stay up, started and warmed at the first call."""
        for kind in KINDS:
            if kind not in self._shared:
                side = self.own(kind)
                side.broker.start()
                self._shared[kind] = side
                self._warm(side)
        return self._shared

    def _warm(self, side: Side) -> None:
        """Both brokers alike, though only a JVM needs it: its compiler is done with the main paths afterwards."""
        for size in (100, 1024):
            records = (WARM_BYTES_QUICK if self.quick else WARM_BYTES) // size
            with side.topic(self.unique("warm"), 4) as topic:
                wanted = ["--records", records, "--size", size, "--acks", "1", "--compression", "none"]
                self.load("produce", *wanted, "--connections", 1, "--topic", topic, side=side)
                self.load("consume", "--records", records, "--consumers", 1, "--topic", topic, side=side)

    def standing(self) -> bool:
        """Whether the brokers that stay up do so."""
        return bool(self._shared) and all(side.broker.process for side in self._shared.values())

    def stop_shared(self) -> None:
        for side in self._shared.values():
            side.broker.discard()
        self._shared.clear()

    def load(self, command: str, *arguments, limit_s: float = 120, side: Side | None = None) -> dict:
        """Runs the load program against a broker; what it measured."""
        broker = ["--broker", side.address] if side else []
        return clients.load([*command.split(), *broker, *arguments], limit_s)
