"""How long things take: at a fixed rate of half the machine, at light load, and the bare round trip."""

from bench import clients
from bench.clients import Served
from bench.context import Bench, Side
from bench.model import LOWER, Case, Figure, Outcome
from bench.stats import above_floor

SHARES = {"p50": "p50_us", "p99": "p99_us", "p99.9": "p999_us"}


def percentiles(prefix: str, histogram: dict, scale: float) -> dict[str, float]:
    return {f"{prefix}{name}": histogram[key] / scale for name, key in SHARES.items()}


class FixedRate(Case):
    """Open loop: the moment at which a record has to be sent is fixed before, and time counts from that moment. Without
    `linger_ms` librdkafka waits 5 ms for a batch to fill, which is most of what both brokers show then.
    """

    size = 1024
    prepare_seconds = 14.0
    limit_s = 180.0

    def __init__(self, megabytes: int, target: float | None = None, linger_ms: int | None = None, wanted_s: float = 60):
        super().__init__(f"rate/{megabytes}MB" + ("" if linger_ms is None else f"/linger{linger_ms}"))
        self.rate, self.wanted_s = megabytes * 1_000_000, wanted_s
        self.settings = [] if linger_ms is None else ["--producer-config", f"linger.ms={linger_ms}"]
        goals = {"p50": None, "p99": target, "p99.9": target}
        self.figures = [Figure(f"ack {name}", "ms", LOWER, goal) for name, goal in goals.items()]
        self.figures += [Figure(f"delivery {name}", "ms", LOWER) for name in goals]
        self.seconds = wanted_s + 4

    def prepare(self, bench: Bench) -> None:
        for side in bench.shared().values():
            self.go(bench, side, 4)

    def run(self, bench: Bench, side: Side) -> Outcome:
        return self.go(bench, side, 5 if bench.quick else self.wanted_s)

    def go(self, bench: Bench, side: Side, wanted_s: float) -> Outcome:
        with side.topic(bench.unique(self.name)) as topic:
            wanted = ["--bytes-per-s", self.rate, "--size", self.size, "--seconds", wanted_s, "--consumers", 1]
            wanted += self.settings
            raw, cost, seconds = side.measured(
                lambda: bench.load("rate", *wanted, "--topic", topic, side=side, limit_s=self.limit_s)
            )
        figures = {**percentiles("ack ", raw["ack"], 1000), **percentiles("delivery ", raw["delivery"], 1000)}
        sent = raw["ack"]["count"]
        return Outcome(figures, sent, sent * self.size, cost, seconds, raw.get("cpu_seconds"), raw)


class LightLoad(Case):
    """1,000 records a second from end to end, librdkafka."""

    wanted_s = 6.0
    seconds = 9.0
    prepare_seconds = 8.0

    def __init__(self):
        super().__init__("latency/1000")
        self.figures = [Figure(name, "µs", LOWER) for name in SHARES]

    def prepare(self, bench: Bench) -> None:
        for side in bench.shared().values():
            self.go(bench, side, 2)

    def run(self, bench: Bench, side: Side) -> Outcome:
        return self.go(bench, side, 3 if bench.quick else self.wanted_s)

    def go(self, bench: Bench, side: Side, wanted_s: float) -> Outcome:
        with side.topic(bench.unique(self.name)) as topic:
            wanted = ["--rate", 1000, "--seconds", wanted_s]
            raw, cost, seconds = side.measured(lambda: bench.load("latency", *wanted, "--topic", topic, side=side))
        sent = raw["delivery"]["count"]
        return Outcome(
            percentiles("", raw["delivery"], 1), sent, 0, cost, seconds, raw.get("cpu_seconds"), raw
        )


class JavaLightLoad(Case):
    """One record at a time through Kafka's Java clients, 1,000 a second at most."""

    wanted_s = 6.0
    seconds = 8.0
    prepare_seconds = 8.0

    def __init__(self):
        super().__init__("latency-java/1000", quick=True)
        targets = {"p50": 0.85, "p99": 0.4, "p99.9": 0.3}
        self.figures = [Figure(name, "µs", LOWER, target) for name, target in targets.items()]

    def prepare(self, bench: Bench) -> None:
        for side in bench.shared().values():
            self.go(bench, side, 2)

    def run(self, bench: Bench, side: Side) -> Outcome:
        return self.go(bench, side, 4 if bench.quick else self.wanted_s)

    def go(self, bench: Bench, side: Side, wanted_s: float) -> Outcome:
        with side.topic(bench.unique(self.name)) as topic:
            raw, cost, seconds = side.measured(
                lambda: clients.java_latency(side.address, topic, 1000, wanted_s, self.limit_s)
            )
        return Outcome(percentiles("", raw, 1), raw["count"], 0, cost, seconds, raw["cpu_seconds"], raw)


class EndToEndLatency(Case):
    """Kafka's own tool: one record at a time without a pause; its mean is all that it prints below a millisecond."""

    records = 5_000
    seconds = 5.0
    prepare_seconds = 0.0

    def __init__(self):
        super().__init__("latency-java/EndToEndLatency")
        self.figures = [Figure("mean", "µs", LOWER)]

    def run(self, bench: Bench, side: Side) -> Outcome:
        with side.topic(bench.unique(self.name)) as topic:
            raw, cost, seconds = side.measured(
                lambda: clients.end_to_end_latency(side.address, topic, self.records, 100, self.limit_s)
            )
        return Outcome({"mean": raw["avg_us"]}, self.records, 0, cost, seconds, raw["cpu_seconds"], raw)


class RoundTrip(Case):
    """A raw socket, one request at a time; an echo server's time, measured in the same pair, is taken off."""

    count = 20_000
    seconds = 4.0

    def __init__(self):
        super().__init__("roundtrip/1KB", quick=True)
        self.figures = [
            Figure("p50 − floor", "µs", LOWER, 0.6),
            Figure("p99 − floor", "µs", LOWER, 0.6),
            Figure("p99.9", "µs", LOWER),
        ]
        self.floor: dict = {}

    def pair_seconds(self) -> float:
        return super().pair_seconds() + 3

    def prepare(self, bench: Bench) -> None:
        self.before_pair(bench)
        for side in bench.shared().values():
            self.run(bench, side)

    def before_pair(self, bench: Bench) -> None:
        echo = Served(["echo"])
        try:
            wanted = ["--size", 1024, "--count", self.count, "--echo", "--broker", f"127.0.0.1:{echo.first['port']}"]
            self.floor = bench.load("roundtrip", *wanted)["roundtrip"]
        finally:
            echo.end()

    def run(self, bench: Bench, side: Side) -> Outcome:
        with side.topic(bench.unique(self.name)) as topic:
            wanted = ["--size", 1024, "--count", self.count, "--warmup", 2000, "--topic", topic]
            raw, cost, seconds = side.measured(lambda: bench.load("roundtrip", *wanted, side=side))
        taken = raw["roundtrip"]
        figures = {
            "p50 − floor": above_floor(taken["p50_us"], self.floor["p50_us"]),
            "p99 − floor": above_floor(taken["p99_us"], self.floor["p99_us"]),
            "p99.9": taken["p999_us"],
        }
        sent = self.count + 2000
        raw = {**raw, "floor": self.floor}
        return Outcome(figures, sent, sent * 1024, cost, seconds, raw.get("cpu_seconds"), raw)


def cases() -> list[Case]:
    return [
        RoundTrip(),
        LightLoad(),
        JavaLightLoad(),
        EndToEndLatency(),
        FixedRate(20),
        FixedRate(50, 1 / 4),
        FixedRate(50, 1 / 4, linger_ms=0, wanted_s=30),
    ]
