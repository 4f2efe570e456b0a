"""The clients, none of them written for this broker: librdkafka in the load program, Kafka's own tools.

Each call runs one of them to its end and returns what it measured. The parsers of what Kafka's tools print are pure.
"""

import json
import re
import subprocess
import threading
from pathlib import Path

from bench import children
from bench.brokers import CLASSES, HOME, QUIET, TARGET
from bench.children import Failed

LOAD = TARGET / "release" / "examples" / "load"
TOOLS = "org.apache.kafka.tools"
CLIENT_JVM = ["java", "-Xmx512M", "-server", "-XX:+UseG1GC", *QUIET]


def load(arguments: list, limit_s: float) -> dict:
    """The load program's last line."""
    limit = ["--timeout-s", str(int(limit_s))]
    out, _, _ = children.run([LOAD, *arguments, *limit], limit_s + 10)
    return parse_last_line(out)


def parse_last_line(out: str) -> dict:
    lines = out.strip().splitlines()
    if not lines:
        raise Failed("the load program printed nothing")
    return json.loads(lines[-1])


class Served:
    """A command of the load program that serves until its stdin closes; its first line says where or that it stands."""

    def __init__(self, arguments: list, limit_s: float = 60):
        self.arguments = arguments
        self.process = children.start(
            [LOAD, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        timer = threading.Timer(limit_s, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        if not line:
            said = self.process.stderr.read()
            children.end(self.process)
            raise Failed(f"{children.shown(arguments)} is not ready: {said.strip()[-500:]}")
        self.first = json.loads(line)

    def finish(self, limit_s: float = 60) -> dict:
        """Lets it end; its last line, if it has one."""
        try:
            out, err = self.process.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            raise Failed(f"{children.shown(self.arguments)} does not end") from None
        finally:
            children.end(self.process)
        if self.process.returncode:
            raise Failed(f"{children.shown(self.arguments)}: {err.strip()[-500:]}")
        return parse_last_line(out) if out.strip() else {}

    def end(self) -> None:
        children.end(self.process)


def producer_performance(address: str, topic: str, records: int, size: int, props: dict, limit_s: float) -> dict:
    settings = {"bootstrap.servers": address, **props}
    arguments = ["--topic", topic, "--num-records", records, "--warmup-records", records // 3]
    arguments += ["--record-size", size, "--throughput", -1]
    properties = ["--command-property", *(f"{key}={value}" for key, value in settings.items())]
    tool = [*CLIENT_JVM, *CLASSES, f"{TOOLS}.ProducerPerformance"]
    out, _, cpu = children.run([*tool, *arguments, *properties], limit_s)
    return {**parse_producer_performance(out), "cpu_seconds": cpu}


NUMBER = r"(-?[\d.]+)"
PRODUCER_LINE = re.compile(
    rf"^(\d+)(?: steady state)? records sent, {NUMBER} records/sec \({NUMBER} MB/sec\), {NUMBER} ms avg latency, "
    rf"{NUMBER} ms max latency, {NUMBER} ms 50th, {NUMBER} ms 95th, {NUMBER} ms 99th, {NUMBER} ms 99.9th",
    re.MULTILINE,
)


def parse_producer_performance(out: str) -> dict:
    """The last line with percentiles: the steady state behind the warm-up, if there was one, else the summary."""
    found = PRODUCER_LINE.findall(out)
    if not found:
        raise Failed(f"ProducerPerformance printed no summary: {out[-500:]}")
    names = ["records", "records_per_s", "mib_per_s", "avg_ms", "max_ms", "p50_ms", "p95_ms", "p99_ms", "p999_ms"]
    return dict(zip(names, map(float, found[-1])))


def consumer_performance(address: str, topic: str, group: str, records: int, limit_s: float) -> dict:
    arguments = ["--bootstrap-server", address, "--topic", topic, "--num-records", records, "--group", group]
    tool = [*CLIENT_JVM, *CLASSES, f"{TOOLS}.ConsumerPerformance"]
    out, _, cpu = children.run([*tool, *arguments, "--timeout", 30_000], limit_s)
    return {**parse_consumer_performance(out), "cpu_seconds": cpu}


def parse_consumer_performance(out: str) -> dict:
    """The last two lines are names and values separated by commas. The fetch rates leave out the time of joining."""
    lines = [line for line in out.splitlines() if line.count(",") >= 9]
    if len(lines) < 2:
        raise Failed(f"ConsumerPerformance printed no result: {out[-500:]}")
    names, values = ([word.strip() for word in line.split(",")] for line in lines[-2:])
    found = dict(zip(names, values))
    return {
        "records": int(found["data.consumed.in.nMsg"]),
        "mib": float(found["data.consumed.in.MB"]),
        "records_per_s": float(found["fetch.nMsg.sec"]),
        "mib_per_s": float(found["fetch.MB.sec"]),
        "fetch_ms": float(found["fetch.time.ms"]),
        "join_ms": float(found["rebalance.time.ms"]),
    }


def end_to_end_latency(address: str, topic: str, records: int, size: int, limit_s: float) -> dict:
    """Kafka's tool; its percentiles are whole milliseconds, its mean is not."""
    arguments = ["--bootstrap-server", address, "--topic", topic, "--num-records", records]
    arguments += ["--producer-acks", "1", "--record-size", size]
    tool = [*CLIENT_JVM, *CLASSES, f"{TOOLS}.EndToEndLatency"]
    out, _, cpu = children.run([*tool, *arguments], limit_s)
    return {**parse_end_to_end_latency(out), "cpu_seconds": cpu}


def parse_end_to_end_latency(out: str) -> dict:
    mean = re.search(rf"Avg latency: {NUMBER} ms", out)
    shares = re.search(r"Percentiles: 50th = (\d+), 99th = (\d+), 99.9th = (\d+)", out)
    if not mean or not shares:
        raise Failed(f"EndToEndLatency printed no result: {out[-500:]}")
    p50, p99, p999 = map(int, shares.groups())
    return {"avg_us": float(mean[1]) * 1000, "p50_ms": p50, "p99_ms": p99, "p999_ms": p999}


def java_latency(address: str, topic: str, per_second: int, seconds: float, limit_s: float) -> dict:
    """Percentiles in microseconds with Kafka's Java clients, of what EndToEndLatency measures."""
    tool = [*CLIENT_JVM, *CLASSES, compiled()]
    out, _, cpu = children.run([*tool, address, topic, per_second, seconds], limit_s)
    return {**parse_last_line(out), "cpu_seconds": cpu}


def compiled() -> Path:
    """Java compiles a single source file when it starts it."""
    return HOME / "java" / "EndToEnd.java"
