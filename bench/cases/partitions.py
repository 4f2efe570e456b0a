"""Many partitions: create them, ask for all metadata, memory and files, restart clean and after `kill -9`."""

import time

from bench import procfs, wire
from bench.cases.lifecycle import Own
from bench.children import Failed
from bench.context import Bench, Side
from bench.model import KAFKA, LOWER, MILENA, Figure, Outcome

RESTART_LIMIT_S = 300
IDLE_S = 5
METADATA_COUNT = 20


class Partitions(Own):
    """`topics` of `each` partitions; `written` topics get a record in each of theirs."""

    limit_s = 300.0

    def __init__(self, topics: int, each: int, written: int, figures: list[Figure], quick: bool = False):
        super().__init__(f"partitions/{topics * each}", quick)
        self.topics, self.each, self.written = topics, each, written
        self.count = topics * each
        self.figures = figures

    def run(self, bench: Bench, side: Side) -> Outcome:
        side = bench.own(side.name)
        try:
            side.broker.start()
            return self.life(bench, side)
        finally:
            side.broker.discard()

    def life(self, bench: Bench, side: Side) -> Outcome:
        pid = side.broker.pid
        before, files = procfs.memory(pid)["rss"], procfs.open_files(pid)
        wanted = ["--topics", self.topics, "--partitions", self.each, "--topic", "many"]
        created, cost, seconds = side.measured(
            lambda: bench.load("createmany", *wanted, side=side, limit_s=self.limit_s)
        )
        held = procfs.memory(pid)["rss"]
        asked = bench.load("metadata", "--count", METADATA_COUNT, side=side)
        self.write(side)
        idle = procfs.Watch(pid)
        time.sleep(IDLE_S)
        figures = {
            "create": created["seconds"],
            "create, CPU": cost.cpu_s,
            "memory each": (held - before) / self.count,
            "memory": procfs.memory(pid)["rss"] / 1e6,
            "metadata": asked["metadata"]["p50_us"] / 1000,
            "files": procfs.open_files(pid) - files,
            "idle CPU": idle.cost().cpu_s / IDLE_S * 100,
            **self.restarts(side),
        }
        raw = {"created": created, "metadata": asked}
        return Outcome(figures, cost=cost, seconds=seconds, raw=raw)

    def write(self, side: Side) -> None:
        with side.broker.connection() as connection:
            for number in range(self.written):
                wire.produce_everywhere(connection, f"many-{number}", self.each)

    def restarts(self, side: Side) -> dict[str, float]:
        side.broker.stop()
        clean = self.again(side)
        side.broker.kill()
        return {"restart clean": clean, "restart after kill -9": self.again(side)}

    def again(self, side: Side) -> float:
        """Seconds until the metadata names a leader for every partition, and the last of those written serves."""
        side.broker.start()
        with side.broker.connection() as connection:
            while True:
                answer = wire.metadata(connection)
                arrived = time.monotonic() - side.broker.started
                if wire.leaders(answer) >= self.count:
                    break
                if arrived > RESTART_LIMIT_S:
                    raise Failed(f"{side.name} has no leaders {RESTART_LIMIT_S} s after its start")
            begin = time.monotonic()
            wire.wait_for_record(connection, f"many-{self.written - 1}", self.each - 1)
            return arrived + time.monotonic() - begin


def compared(create: float | None, restart: float) -> list[Figure]:
    return [
        Figure("create", "s", LOWER, create),
        Figure("create, CPU", "s", LOWER),
        Figure("memory each", "bytes", LOWER, absolute=2048),
        Figure("memory", "MB", LOWER),
        Figure("metadata", "ms", LOWER, 1.0),
        Figure("files", "", LOWER, absolute=1023),
        Figure("idle CPU", "% of one", LOWER),
        Figure("restart clean", "s", LOWER, restart),
        Figure("restart after kill -9", "s", LOWER, restart),
    ]


ALONE = [
    Figure("create", "s", LOWER),
    Figure("memory", "MB", LOWER, absolute=250),
    Figure("metadata", "ms", LOWER),
    Figure("files", "", LOWER, absolute=1023),
    Figure("restart clean", "s", LOWER, absolute=5),
    Figure("restart after kill -9", "s", LOWER, absolute=5),
]


class Thousand(Partitions):
    seconds = 20.0

    def __init__(self):
        super().__init__(10, 100, 10, compared(1 / 20, 1 / 20))


class TenThousand(Partitions):
    seconds = 75.0
    pairs_max = 2

    def __init__(self):
        super().__init__(100, 100, 100, compared(1 / 20, 1 / 20))


class HundredThousand(Partitions):
    """Kafka's advice is at most 4,000; a thousand partitions are written to."""

    sides = (MILENA,)
    seconds = 30.0
    pairs_max = 3

    def __init__(self):
        super().__init__(100, 1000, 1, ALONE)


def cases() -> list[Partitions]:
    return [Thousand(), TenThousand(), HundredThousand()]
