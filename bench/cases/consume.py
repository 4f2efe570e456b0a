"""Reading: from the start, out of the page cache, and at the tail with many consumers of one topic."""

from bench import clients
from bench.cases.sizes import BYTES_MAX, BYTES_QUICK_MAX, LABELS, records_for, throughput_unit
from bench.context import Bench, Side
from bench.model import HIGHER, LOWER, Case, Figure, Outcome

CPU_PER_GB = 0.7
FROM_START = {100: 1.0, 1024: 1.4}


class FromStart(Case):
    """One topic per broker, filled once. Only its newest bytes can be in a cache of the broker; reading begins with the
    oldest, and all of it is more than such a cache holds."""

    prepare_seconds = 12.0
    fill_bytes = 1_000_000_000

    def __init__(self, name: str, size: int, partitions: int, target: float | None, quick: bool):
        super().__init__(name, quick)
        self.size, self.partitions = size, partitions
        self.records = 0
        self.topics: dict[str, str] = {}
        unit, self.scale = throughput_unit(size)
        self.figures = [Figure("", unit, HIGHER, target)]
        self.cost_targets = {"cpu_per_gb": CPU_PER_GB}

    def prepare(self, bench: Bench) -> None:
        self.records = min(self.fill_bytes, BYTES_QUICK_MAX if bench.quick else BYTES_MAX) // self.size
        for side in bench.shared().values():
            topic = self.topics[side.name] = bench.unique(self.name)
            side.create(topic, self.partitions)
            wanted = ["--records", self.records, "--size", self.size, "--acks", "1", "--compression", "none"]
            bench.load("produce", *wanted, "--connections", 1, "--topic", topic, side=side)
            self.run(bench, side)

    def finish(self, bench: Bench) -> None:
        for name, topic in self.topics.items():
            bench.shared()[name].delete(topic)


class Consume(FromStart):
    def __init__(self, size, partitions, consumers, target=None, quick=False):
        name = f"consume/{LABELS[size]}/{partitions}p/{consumers}c"
        super().__init__(name, size, partitions, target, quick)
        self.consumers = consumers
        self.fill_bytes = 1_000_000_000 if consumers == 1 else 4_000_000_000 // max(consumers, 8)
        self.seconds = 2.0 if consumers == 1 else 4.5
        self.prepare_seconds = 10.0 if consumers == 1 else 14.0

    def run(self, bench: Bench, side: Side) -> Outcome:
        topic = self.topics[side.name]
        raw, cost, seconds = side.measured(
            lambda: bench.load(
                "consume", "--records", self.records, "--consumers", self.consumers, "--topic", topic, side=side
            )
        )
        read = self.records * self.consumers
        rate = read / raw["seconds"]
        return Outcome(
            {"": rate / self.scale}, read, read * self.size, cost, seconds, raw["cpu_seconds"], {**raw, "rate": rate}
        )


class JavaConsume(FromStart):
    seconds = 4.0
    prepare_seconds = 14.0

    def __init__(self, size, partitions, quick=False):
        super().__init__(f"consume-java/{LABELS[size]}/{partitions}p", size, partitions, None, quick)

    def run(self, bench: Bench, side: Side) -> Outcome:
        topic, group = self.topics[side.name], bench.unique("readers")
        raw, cost, seconds = side.measured(
            lambda: clients.consumer_performance(side.address, topic, group, self.records, self.limit_s)
        )
        rate = raw["records_per_s"]
        read = raw["records"]
        return Outcome({"": rate / self.scale}, read, read * self.size, cost, seconds, raw["cpu_seconds"], raw)


class FanOut(Case):
    """One producer at a rate that lets everybody stay at the tail; what counts is what the broker hands out for a second
    of its CPU."""

    size = 1024
    wanted_s = 3.0
    seconds = 5.5
    prepare_seconds = 6.0

    def __init__(self, consumers: int, megabytes: int):
        super().__init__(f"fanout/{consumers}c/{megabytes}MB")
        self.consumers, self.rate = consumers, megabytes * 1_000_000
        self.figures = [
            Figure("", "MB per CPU s", HIGHER, 1.5 if consumers == 50 else None),
            Figure("delivered", "MB/s", HIGHER),
            Figure("p99", "ms", LOWER),
        ]

    def prepare(self, bench: Bench) -> None:
        for side in bench.shared().values():
            self.go(bench, side, 1)

    def run(self, bench: Bench, side: Side) -> Outcome:
        return self.go(bench, side, self.wanted_s)

    def go(self, bench: Bench, side: Side, wanted_s: float) -> Outcome:
        with side.topic(bench.unique(self.name)) as topic:
            wanted = ["--consumers", self.consumers, "--rate", self.rate, "--size", self.size, "--seconds", wanted_s]
            raw, cost, seconds = side.measured(lambda: bench.load("fanout", *wanted, "--topic", topic, side=side))
        delivered = raw["delivered_bytes"]
        figures = {
            "": delivered / 1e6 / max(cost.cpu_s, 0.01),
            "delivered": delivered / 1e6 / raw["seconds"],
            "p99": raw["delivery"]["p99_us"] / 1000,
        }
        return Outcome(
            figures, delivered // self.size, delivered, cost, seconds, raw.get("cpu_seconds"), raw
        )


def cases() -> list[Case]:
    found: list[Case] = [
        Consume(100, 1, 1, FROM_START[100]),
        Consume(1024, 1, 1, FROM_START[1024], quick=True),
        Consume(100, 16, 1, FROM_START[100]),
        Consume(1024, 16, 1, FROM_START[1024]),
        Consume(1024, 1, 10),
        Consume(1024, 1, 50),
        JavaConsume(100, 1),
        JavaConsume(1024, 1),
    ]
    return found + [FanOut(1, 100), FanOut(10, 20), FanOut(50, 5)]
