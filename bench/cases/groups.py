"""Consumer groups: how long 50 members take to their assignment, and commits one after another."""

from bench.context import Bench, Side
from bench.model import HIGHER, LOWER, Case, Figure, Outcome


class Join(Case):
    members = 50
    seconds = 6.0

    def __init__(self):
        super().__init__(f"group/{self.members}")
        self.figures = [Figure("", "s", LOWER)]

    def prepare(self, bench: Bench) -> None:
        for side in bench.shared().values():
            self.run(bench, side)

    def run(self, bench: Bench, side: Side) -> Outcome:
        with side.topic(bench.unique(self.name), self.members) as topic:
            raw, cost, seconds = side.measured(
                lambda: bench.load("group", "--members", self.members, "--topic", topic, side=side)
            )
        return Outcome({"": raw["seconds"]}, 0, 0, cost, seconds, raw.get("cpu_seconds"), raw)


class Commits(Case):
    count = 10_000
    seconds = 5.0

    def __init__(self):
        super().__init__(f"commits/{self.count}", quick=True)
        self.figures = [Figure("", "commits/s", HIGHER), Figure("p99", "µs", LOWER)]

    def prepare(self, bench: Bench) -> None:
        for side in bench.shared().values():
            self.go(bench, side, self.count // 4)

    def run(self, bench: Bench, side: Side) -> Outcome:
        return self.go(bench, side, self.count)

    def go(self, bench: Bench, side: Side, count: int) -> Outcome:
        with side.topic(bench.unique(self.name)) as topic:
            raw, cost, seconds = side.measured(
                lambda: bench.load("commits", "--count", count, "--topic", topic, side=side)
            )
        figures = {"": count / raw["seconds"], "p99": raw["commit"]["p99_us"]}
        return Outcome(figures, count, 0, cost, seconds, raw.get("cpu_seconds"), raw)


def cases() -> list[Case]:
    return [Join(), Commits()]
