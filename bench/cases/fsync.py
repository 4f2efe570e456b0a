"""Acknowledgements that wait for stable storage (`flush.messages=1`)."""

from bench.context import Bench, Side
from bench.model import HIGHER, LOWER, Case, Figure, Outcome

WANTED_S = 3.0


class Fsync(Case):
    seconds = 4.5
    prepare_seconds = 5.0

    def __init__(self, partitions: int, connections: int, target: float | None, quick: bool = False):
        super().__init__(f"fsync/{partitions}p/{connections}c", quick)
        self.partitions, self.connections = partitions, connections
        self.figures = [Figure("", "acks/s", HIGHER, target), Figure("p99", "ms", LOWER)]
        self.count = 0

    def prepare(self, bench: Bench) -> None:
        self.count = 10 * self.connections
        rates = [self.run(bench, side).figures[""] for side in bench.shared().values()]
        self.count = max(self.count, int(min(rates) * (1 if bench.quick else WANTED_S)))

    def run(self, bench: Bench, side: Side) -> Outcome:
        with side.topic(bench.unique(self.name), self.partitions, {"flush.messages": "1"}) as topic:
            wanted = ["--connections", self.connections, "--partitions", self.partitions, "--count", self.count]
            raw, cost, seconds = side.measured(lambda: bench.load("acks", *wanted, "--topic", topic, side=side))
        done = raw["acknowledgements"]
        figures = {"": done / raw["seconds"], "p99": histogram(raw)["p99_us"] / 1000}
        return Outcome(figures, done, 0, cost, seconds, raw.get("cpu_seconds"), raw)


def histogram(raw: dict) -> dict:
    """The one histogram of an answer."""
    return next(value for value in raw.values() if isinstance(value, dict) and "p99_us" in value)


def cases() -> list[Case]:
    return [Fsync(1, 1, None), Fsync(1, 128, 3.0, quick=True), Fsync(16, 128, 3.0)]
