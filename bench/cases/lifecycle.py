"""Start, idle and restart of brokers that hold next to nothing, and their size on the disk."""

import time
from abc import ABC

from bench import procfs, wire
from bench.brokers import LIBS, Milena
from bench.context import Bench, Side
from bench.model import KAFKA, LOWER, MILENA, Case, Figure, Outcome


class Own(Case, ABC):
    """Its brokers live for one run each."""

    shared = False
    prepare_seconds = 0.0


class Start(Own):
    seconds = 2.5

    def __init__(self):
        super().__init__("start", quick=True)
        self.figures = [Figure("first answer", "ms", LOWER, 1 / 200, absolute=10), Figure("CPU", "s", LOWER)]

    def run(self, bench: Bench, side: Side) -> Outcome:
        side = bench.own(side.name)
        try:
            seconds = side.broker.start()
            taken = procfs.sample(side.broker.pid).cpu_s
        finally:
            side.broker.discard()
        return Outcome({"first answer": seconds * 1000, "CPU": taken}, seconds=seconds)


class Idle(Own):
    """Both are measured at the same time: neither does anything."""

    settle_s = 5.0
    wanted_s = 60.0
    pairs_max = 2

    def __init__(self):
        super().__init__("idle", quick=True)
        self.figures = [
            Figure("memory", "MB", LOWER, 1 / 40, absolute=10),
            Figure("CPU", "% of one", LOWER),
            Figure("threads", "", LOWER),
        ]
        self.outcomes: dict[str, Outcome] = {}

    def pair_seconds(self) -> float:
        return self.settle_s + self.wanted_s + 4

    def before_pair(self, bench: Bench) -> None:
        seconds = 5 if bench.quick else self.wanted_s
        sides = [bench.own(name) for name in (KAFKA, MILENA)]
        try:
            for side in sides:
                side.broker.start()
            time.sleep(2 if bench.quick else self.settle_s)
            watches = [procfs.Watch(side.broker.pid) for side in sides]
            time.sleep(seconds)
            for side, watch in zip(sides, watches):
                self.outcomes[side.name] = self.outcome(watch, seconds)
        finally:
            for side in sides:
                side.broker.discard()

    def outcome(self, watch: procfs.Watch, seconds: float) -> Outcome:
        cost, held = watch.cost(), procfs.memory(watch.pid)
        figures = {"memory": held["rss"] / 1e6, "CPU": cost.cpu_s / seconds * 100, "threads": held["threads"]}
        return Outcome(figures, cost=cost, seconds=seconds)

    def run(self, bench: Bench, side: Side) -> Outcome:
        return self.outcomes[side.name]


class Restart(Own):
    """With one topic that holds one record."""

    seconds = 9.0

    def __init__(self):
        super().__init__("restart/little")
        self.figures = [Figure("clean", "ms", LOWER), Figure("kill -9", "ms", LOWER, 1 / 50)]

    def run(self, bench: Bench, side: Side) -> Outcome:
        side = bench.own(side.name)
        try:
            side.broker.start()
            side.create("little", 1)
            with side.broker.connection() as connection:
                wire.produce_everywhere(connection, "little", 1)
            side.broker.stop()
            clean = self.again(side)
            side.broker.kill()
            killed = self.again(side)
        finally:
            side.broker.discard()
        return Outcome({"clean": clean * 1000, "kill -9": killed * 1000})

    def again(self, side: Side) -> float:
        """Seconds until the record can be seen."""
        side.broker.start()
        with side.broker.connection() as connection:
            wire.wait_for_record(connection, "little", 0)
        return time.monotonic() - side.broker.started


class Size(Own):
    """The binary, and the jars of Kafka (without a JVM)."""

    seconds = 0.1
    pairs_max = 1

    def __init__(self):
        super().__init__("size", quick=True)
        self.figures = [Figure("", "MB", LOWER)]

    def run(self, bench: Bench, side: Side) -> Outcome:
        files = [Milena.binary] if side.name == MILENA else LIBS.glob("*.jar")
        return Outcome({"": sum(file.stat().st_size for file in files) / 1e6})


def cases() -> list[Case]:
    return [Start(), Idle(), Restart(), Size()]
