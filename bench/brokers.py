"""Starts and stops the two brokers, each with the same settings on the same filesystem.

Kafka runs as its own start script would run it: 1 GB of heap, G1, a single node that is broker and controller.
"""

import os
import random
import shutil
import socket
import subprocess
import time
from pathlib import Path

from bench import children, wire
from bench.children import Failed

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / "bench"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
LIBS = HOME / "target" / "libs"
START_LIMIT_S = 300
STOP_LIMIT_S = 120

# The heap and the flags that Kafka's start script gives to the JVM.
JVM = [
    "java",
    "-Xmx1G",
    "-Xms1G",
    "-server",
    "-XX:+UseG1GC",
    "-XX:MaxGCPauseMillis=20",
    "-XX:InitiatingHeapOccupancyPercent=35",
    "-XX:+ExplicitGCInvokesConcurrent",
    "-Djava.awt.headless=true",
]
QUIET = ["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
CLASSES = ["-cp", f"{LIBS}/*"]

# Where the two differ without being told, and what lets deleted topics leave the disk soon.
BOTH = {
    "group.initial.rebalance.delay.ms": "0",
    "log.segment.delete.delay.ms": "200",
}
# What Milena does by itself because its node is alone; Kafka has to be told.
ALONE = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
}


_given: set[int] = set()


def free_port() -> int:
    """A port below those that the system gives to clients, and not the same twice."""
    while True:
        port = random.randrange(10_000, 32_000)
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port


class Broker:
    """One broker process that can be stopped, killed and started again on the same port and directory."""

    name = ""

    def __init__(self, home: Path, settings: dict[str, str] | None = None):
        self.home = home
        self.data = home / "data"
        self.log = home / "broker.log"
        self.port = free_port()
        self.settings = {**BOTH, **(settings or {})}
        self.process: subprocess.Popen | None = None
        self.started = 0.0
        """When the process was started, on the monotonic clock."""

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self.process.pid

    def command(self) -> list:
        """What is run; files that it needs are made here."""
        raise NotImplementedError

    def start(self) -> float:
        """Returns the seconds from the start of the process to its first answer."""
        self.home.mkdir(parents=True, exist_ok=True)
        command = self.command()
        with open(self.log, "ab") as log:
            self.started = time.monotonic()
            self.process = children.start(
                command, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, "MILENA_LOG": "warn"}
            )
        self._first_answer()
        return time.monotonic() - self.started

    def _first_answer(self) -> None:
        """Asks ApiVersions again and again; the longer it takes, the larger the pause, so as to take nothing from it."""
        while True:
            waited = time.monotonic() - self.started
            try:
                with wire.Connection(self.port) as connection:
                    return wire.api_versions(connection)
            except OSError as error:
                if self.process.poll() is not None:
                    raise Failed(f"{self.name} ended: {self.tail()}") from error
                if waited > START_LIMIT_S:
                    raise Failed(f"{self.name} does not answer: {self.tail()}") from error
            time.sleep(min(0.01, max(0.0002, waited / 500)))

    def connection(self) -> wire.Connection:
        return wire.Connection(self.port)

    def stop(self) -> None:
        """A clean stop."""
        process, self.process = self.process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.name} did not stop on SIGTERM: {self.tail()}") from None
        finally:
            children.end(process)

    def kill(self) -> None:
        """`kill -9`."""
        process, self.process = self.process, None
        if process is not None:
            children.end(process)

    def discard(self) -> None:
        """Ends it and removes its data."""
        self.kill()
        shutil.rmtree(self.home, ignore_errors=True)

    def tail(self) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-20:])


class Milena(Broker):
    name = "milena"
    binary = TARGET / "release" / "milena"

    def command(self) -> list:
        settings = {"listeners": f"PLAINTEXT://{self.address}", "log.dirs": self.data, **self.settings}
        pairs = [("--override", f"{key}={value}") for key, value in settings.items()]
        return [Milena.binary, *(word for pair in pairs for word in pair)]


class Kafka(Broker):
    name = "kafka"

    def command(self) -> list:
        properties = self.home / "server.properties"
        controller = free_port()
        listener = f"PLAINTEXT://{self.address}"
        settings = {
            **ALONE,
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "listeners": f"{listener},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": listener,
            "log.dirs": self.data,
            **self.settings,
        }
        properties.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        if not self.data.exists():
            tool = ["java", *QUIET, *CLASSES, "kafka.tools.StorageTool", "format"]
            children.run([*tool, "-t", "AAAAAAAAAAAAAAAAAAAAAQ", "-c", properties], 60)
        return [*JVM, *QUIET, *CLASSES, "kafka.Kafka", properties]


KINDS = {"kafka": Kafka, "milena": Milena}


def need_kafka() -> None:
    """Kafka's jars, copied by Maven when pom.xml has changed."""
    pom, done = HOME / "pom.xml", HOME / "target" / "pom.installed"
    if done.exists() and done.read_text() == pom.read_text():
        return
    shutil.rmtree(LIBS, ignore_errors=True)
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={LIBS}"]
    command = ["mvn", "-q", "-B", "-Dstyle.color=never", "-f", pom, *goal]
    try:
        children.run([*command, "--offline"], 600)
    except Failed:
        children.run(command, 900)
    done.write_text(pom.read_text())


def need_programs(broker: bool, load: bool) -> None:
    """The broker's binary and the load program, both optimised, those of them that were not named."""
    build = ["cargo", "build", "--release", "--manifest-path", ROOT / "Cargo.toml"]
    if broker:
        children.run(build, 1800)
    if load:
        children.run([*build, "--example", "load"], 1800)
