"""Producing as fast as the client can: librdkafka and Kafka's ProducerPerformance."""

from bench import clients
from bench.cases.sizes import LABELS, records_for, throughput_unit
from bench.context import Bench, Side
from bench.model import HIGHER, Case, Figure, Outcome

WARM_BYTES = 80_000_000
TOUCHED_MORE_BYTES = 300_000_000
# At least 1.2 with several partitions and with the Java client; the table has a row for the median of all those.
EVERYWHERE = 1.2
ONE_PARTITION = {100: 1.7, 1024: 2.2}
CPU_PER_GB = {100: 1 / 5, 1024: 1 / 3}
PEAK_RSS = 1 / 10


class Throughput(Case):
    """Shared by both clients: warms both brokers, and lets a run take about `wanted_s` on the slower one."""

    wanted_s = 1.6
    prepare_seconds = 2.0

    def __init__(self, name: str, size: int, partitions: int, target: float | None, quick: bool):
        super().__init__(name, quick)
        self.size, self.partitions = size, partitions
        self.records = 0
        unit, self.scale = throughput_unit(size)
        self.figures = [Figure("", unit, HIGHER, target)]
        self.cost_targets = {"cpu_per_gb": CPU_PER_GB[size], "peak_rss": PEAK_RSS}

    def prepare(self, bench: Bench) -> None:
        self.records = WARM_BYTES // self.size
        rates = [self.run(bench, side).raw["rate"] for side in bench.shared().values()]
        wanted = records_for(min(rates), self.wanted_s * (0.5 if bench.quick else 1), self.size, bench.quick)
        # Fewer than the warm-up's would measure how a JVM compiles.
        self.records = max(wanted, self.records)

    def send(self, bench: Bench, side: Side, topic: str) -> tuple[dict, float, float]:
        """What the client said, its records per second, its CPU seconds."""
        raise NotImplementedError

    def run(self, bench: Bench, side: Side) -> Outcome:
        with side.topic(bench.unique(self.name), self.partitions) as topic:
            # More than the records, because of their framing and because some of it is taken back at once.
            bench.touch_memory(self.records * self.size * 5 // 4 + TOUCHED_MORE_BYTES)
            (raw, rate, cpu), cost, seconds = side.measured(lambda: self.send(bench, side, topic))
        return Outcome(
            {"": rate / self.scale},
            records=self.records,
            bytes=self.records * self.size,
            cost=cost,
            seconds=seconds,
            client_cpu_s=cpu,
            raw={**raw, "rate": rate},
        )


class Produce(Throughput):
    seconds = 2.7

    def __init__(self, size, partitions, acks, codec, connections=1, target=None, quick=False):
        name = f"produce/{LABELS[size]}/{partitions}p/acks{acks}/{codec}"
        name += f"/{connections}c" if connections > 1 else ""
        super().__init__(name, size, partitions, target, quick)
        self.acks, self.codec, self.connections = acks, codec, connections
        if acks != "1" or codec != "none":
            # Beside the case that it varies, a shorter run does.
            self.wanted_s, self.seconds = 1.0, 2.1

    def send(self, bench, side, topic):
        wanted = ["--records", self.records, "--size", self.size, "--acks", self.acks, "--compression", self.codec]
        wanted += ["--topic", topic, "--connections", self.connections]
        raw = bench.load("produce", *wanted, side=side, limit_s=self.limit_s)
        return raw, raw["records"] / raw["seconds"], raw["cpu_seconds"]


class JavaProduce(Throughput):
    wanted_s = 3.0
    seconds = 5.1
    prepare_seconds = 5.0

    def __init__(self, size, partitions, acks, quick=False):
        name = f"produce-java/{LABELS[size]}/{partitions}p/acks{acks}/none"
        super().__init__(name, size, partitions, EVERYWHERE, quick)
        self.acks = acks

    def send(self, bench, side, topic):
        raw = clients.producer_performance(
            side.address, topic, self.records, self.size, {"acks": self.acks}, self.limit_s
        )
        return raw, raw["records_per_s"], raw["cpu_seconds"]


def target(size: int, partitions: int, codec: str) -> float | None:
    if codec != "none":
        return None
    return ONE_PARTITION[size] if partitions == 1 else EVERYWHERE


def cases() -> list[Case]:
    found = []
    for size in (100, 1024):
        for partitions in (1, 16, 100):
            for acks in ("1", "all"):
                for codec in ("none", "lz4"):
                    quick = partitions == 1 and acks == "1" and codec == "none"
                    goal = target(size, partitions, codec)
                    found.append(Produce(size, partitions, acks, codec, target=goal, quick=quick))
    for size in (100, 1024):
        for partitions in (1, 16, 100):
            found.append(Produce(size, partitions, "1", "none", connections=100))
    for size in (100, 1024):
        for partitions in (1, 16, 100):
            found.append(JavaProduce(size, partitions, "1", quick=size == 100 and partitions == 16))
    found.append(JavaProduce(100, 16, "all"))
    return found
