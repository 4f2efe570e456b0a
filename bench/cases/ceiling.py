"""What is left without a broker: the clients against one that stores nothing, an echo server, the disk's own sync."""

import os
import time

from bench import clients
from bench.cases.sizes import BYTES_QUICK_MAX, LABELS, throughput_unit
from bench.clients import Served
from bench.context import Bench, Side
from bench.model import CLIENT, HIGHER, LOWER, Case, Figure, Outcome


class Ceiling(Case):
    sides = (CLIENT,)
    pairs_max = 2
    prepare_seconds = 1.0
    bytes = 1_000_000_000

    def __init__(self, name: str, size: int | None = None, quick: bool = False):
        super().__init__(f"ceiling/{name}", quick)
        self.size = size
        if size:
            unit, self.scale = throughput_unit(size)
            self.figures = [Figure("", unit, HIGHER)]

    def records(self, bench: Bench) -> int:
        return (BYTES_QUICK_MAX if bench.quick else self.bytes) // self.size

    def throughput(self, raw: dict, rate: float) -> Outcome:
        return Outcome({"": rate / self.scale}, client_cpu_s=raw["cpu_seconds"], raw=raw)


class Against:
    """A fake broker or echo server for the time of a run; the address of it."""

    def __init__(self, *arguments):
        self.arguments = list(arguments)

    def __enter__(self) -> str:
        self.served = Served(self.arguments)
        return f"127.0.0.1:{self.served.first['port']}"

    def __exit__(self, *_) -> None:
        self.served.end()


class ProduceCeiling(Ceiling):
    seconds = 2.5

    def __init__(self, size: int):
        super().__init__(f"produce/{LABELS[size]}/1p", size, quick=size == 100)

    def run(self, bench: Bench, side: Side) -> Outcome:
        with Against("sink") as address:
            wanted = ["--records", self.records(bench), "--size", self.size, "--acks", "1", "--compression", "none"]
            wanted += ["--connections", 1, "--topic", "sink", "--broker", address]
            raw = bench.load("produce", *wanted)
        return self.throughput(raw, raw["records"] / raw["seconds"])


class JavaProduceCeiling(Ceiling):
    seconds = 5.5

    def __init__(self, size: int):
        super().__init__(f"produce-java/{LABELS[size]}/1p", size)

    def run(self, bench: Bench, side: Side) -> Outcome:
        with Against("sink") as address:
            records = self.records(bench)
            raw = clients.producer_performance(address, "sink", records, self.size, {"acks": "1"}, self.limit_s)
        return self.throughput(raw, raw["records_per_s"])


class ConsumeCeiling(Ceiling):
    seconds = 2.5

    def __init__(self, size: int):
        super().__init__(f"consume/{LABELS[size]}/1p", size)

    def run(self, bench: Bench, side: Side) -> Outcome:
        with Against("sink", "--topic", "sink", "--serve", "--size", self.size) as address:
            wanted = ["--records", self.records(bench), "--consumers", 1, "--topic", "sink", "--broker", address]
            raw = bench.load("consume", *wanted)
        return self.throughput(raw, raw["records"] / raw["seconds"])


class RateCeiling(Ceiling):
    """The producer of `rate/50MB`, acknowledged by a broker that stores nothing."""

    rate, wanted_s = 50_000_000, 10

    def __init__(self, linger_ms: int | None = None):
        super().__init__("rate/50MB" + ("" if linger_ms is None else f"/linger{linger_ms}"))
        self.seconds = self.wanted_s + 4.0
        self.settings = [] if linger_ms is None else ["--producer-config", f"linger.ms={linger_ms}"]
        self.figures = [Figure(f"ack {name}", "ms", LOWER) for name in ("p50", "p99", "p99.9")]

    def run(self, bench: Bench, side: Side) -> Outcome:
        with Against("sink", "--topic", "sink") as address:
            wanted = ["--bytes-per-s", self.rate, "--size", 1024, "--seconds", self.wanted_s, "--consumers", 0]
            raw = bench.load("rate", *wanted, *self.settings, "--topic", "sink", "--broker", address)
        ack = raw["ack"]
        figures = {"ack p50": ack["p50_us"] / 1e3, "ack p99": ack["p99_us"] / 1e3, "ack p99.9": ack["p999_us"] / 1e3}
        return Outcome(figures, client_cpu_s=raw["cpu_seconds"], raw=raw)


class PageCache(Ceiling):
    """Filling a file with `pwrite` of 1 MB: what copying into the page cache costs by itself, into memory that was not
    used lately and into memory that was."""

    seconds = 4.0
    filled = 1_000_000_000

    def __init__(self):
        super().__init__("pwrite/1MB")
        self.figures = []
        for which in ("", " touched"):
            self.figures += [Figure(f"MB/s{which}", "MB/s", HIGHER), Figure(f"CPU s/GB{which}", "CPU s", LOWER)]

    def run(self, bench: Bench, side: Side) -> Outcome:
        found = {}
        for which in ("", " touched"):
            seconds, cpu = bench.touch_memory(self.filled)
            found |= {f"MB/s{which}": self.filled / 1e6 / seconds, f"CPU s/GB{which}": cpu * 1e9 / self.filled}
        return Outcome(found)


class JavaLatencyCeiling(Ceiling):
    seconds = 7.0

    def __init__(self):
        super().__init__("latency-java/1000")
        self.figures = [Figure(name, "µs", LOWER) for name in ("p50", "p99", "p99.9")]

    def run(self, bench: Bench, side: Side) -> Outcome:
        with Against("sink") as address:
            raw = clients.java_latency(address, "sink", 1000, 5, self.limit_s)
        figures = {"p50": raw["p50_us"], "p99": raw["p99_us"], "p99.9": raw["p999_us"]}
        return Outcome(figures, client_cpu_s=raw["cpu_seconds"], raw=raw)


class Echo(Ceiling):
    seconds = 2.0

    def __init__(self):
        super().__init__("roundtrip/1KB")
        self.figures = [Figure(name, "µs", LOWER) for name in ("p50", "p99", "p99.9")]

    def run(self, bench: Bench, side: Side) -> Outcome:
        with Against("echo") as address:
            raw = bench.load("roundtrip", "--size", 1024, "--count", 20_000, "--echo", "--broker", address)
        taken = raw["roundtrip"]
        figures = {"p50": taken["p50_us"], "p99": taken["p99_us"], "p99.9": taken["p999_us"]}
        return Outcome(figures, raw=raw)


class DiskSync(Ceiling):
    """`pwrite` of 4 KiB and `fdatasync`, where the brokers' data lie."""

    seconds = 1.0
    count = 500

    def __init__(self):
        super().__init__("fdatasync/4KiB", quick=True)
        self.figures = [Figure("p50", "µs", LOWER), Figure("p99", "µs", LOWER)]

    def run(self, bench: Bench, side: Side) -> Outcome:
        taken = []
        path = bench.home / "fdatasync"
        file = os.open(path, os.O_CREAT | os.O_WRONLY)
        try:
            for number in range(self.count):
                begin = time.perf_counter()
                os.pwrite(file, b"x" * 4096, number * 4096)
                os.fdatasync(file)
                taken.append((time.perf_counter() - begin) * 1e6)
        finally:
            os.close(file)
            path.unlink()
        taken.sort()
        return Outcome({"p50": taken[self.count // 2], "p99": taken[self.count * 99 // 100]})


def cases() -> list[Case]:
    both = [kind(size) for kind in (ProduceCeiling, JavaProduceCeiling, ConsumeCeiling) for size in (100, 1024)]
    rates = [RateCeiling(), RateCeiling(linger_ms=0)]
    return [*both, *rates, JavaLatencyCeiling(), Echo(), PageCache(), DiskSync()]
