"""10,000 connections that do nothing, and 10,000 consumers that wait for records."""

import time

from bench import procfs
from bench.cases.lifecycle import Own
from bench.clients import Served
from bench.context import Bench, Side
from bench.model import LOWER, Figure, Outcome

CONNECTIONS = 10_000
WINDOW_S = 8.0


class Idle(Own):
    """One broker sees them one after another: idle connections, consumers that wait for 30 s, and for 500 ms."""

    seconds = 45.0
    pairs_max = 2

    def __init__(self):
        super().__init__(f"connections/{CONNECTIONS}")
        self.figures = [
            Figure("memory each", "bytes", LOWER, 1.0),
            Figure("CPU", "% of one", LOWER),
            Figure("waiting 30 s, memory each", "bytes", LOWER),
            Figure("waiting 30 s, CPU", "% of one", LOWER, absolute=1.0),
            Figure("waiting 500 ms, CPU per fetch", "µs", LOWER, 1.0),
        ]

    def run(self, bench: Bench, side: Side) -> Outcome:
        side = bench.own(side.name)
        try:
            side.broker.start()
            side.create("idle", 1)
            time.sleep(2)
            memory, cpu, first, _ = self.stand(side, ["--api-versions"])
            waiting, long_cpu, long, _ = self.stand(side, ["--fetch-wait-ms", 30_000, "--topic", "idle"])
            _, _, short, spent = self.stand(side, ["--fetch-wait-ms", 500, "--topic", "idle"])
        finally:
            side.broker.discard()
        figures = {
            "memory each": memory / CONNECTIONS,
            "CPU": cpu,
            "waiting 30 s, memory each": waiting / CONNECTIONS,
            "waiting 30 s, CPU": long_cpu,
            "waiting 500 ms, CPU per fetch": spent / max(short["fetches"], 1) * 1e6,
        }
        return Outcome(figures, raw={"idle": first, "30 s": long, "500 ms": short})

    def stand(self, side: Side, arguments: list) -> tuple[float, float, dict, float]:
        """Bytes that all of them took, per cent of a CPU while they stood, what the client counted from then on, and the
        CPU seconds of that time."""
        pid = side.broker.pid
        self.await_closed(pid)
        before = procfs.memory(pid)["rss"]
        served = Served(["idle", "--broker", side.address, "--connections", CONNECTIONS, *arguments])
        try:
            ready = procfs.Watch(pid)
            time.sleep(1)
            settled = procfs.Watch(pid)
            time.sleep(WINDOW_S)
            share = settled.cost().cpu_s / WINDOW_S * 100
            memory, spent = procfs.memory(pid)["rss"] - before, ready.cost().cpu_s
            said = served.finish()
        finally:
            served.end()
        return memory, share, said, spent

    def await_closed(self, pid: int) -> None:
        """Earlier connections that are not closed yet would take the descriptors of these."""
        end = time.monotonic() + self.limit_s
        while procfs.open_files(pid) > CONNECTIONS // 2:
            if time.monotonic() > end:
                raise TimeoutError(f"the broker keeps {procfs.open_files(pid)} files open")
            time.sleep(0.2)


def cases() -> list[Own]:
    return [Idle()]
