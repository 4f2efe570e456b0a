"""Starts the brokers that are asked: Milena's release binary, or Apache Kafka from its jars in `target/libs`."""

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from broker import Broker, die_with_parent, free_port, wait_until

from harness import protocol
from harness.connection import Connection

HOME = Path(__file__).resolve().parents[1]
JVM = [
    "java",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xshare:auto",
    "-Xmx700m",
    "-Dorg.slf4j.simpleLogger.logFile=System.out",
    "-cp",
    f"{HOME}/target/libs/*",
]
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
    "group.initial.rebalance.delay.ms": "0",
}


def storage_tool(properties: Path, *more: str) -> None:
    """Formats the data directories that `properties` names."""
    tool = [*JVM, "kafka.tools.StorageTool", "format", "-t", "AAAAAAAAAAAAAAAAAAAAAQ", "-c", str(properties), *more]
    done = subprocess.run(tool, capture_output=True, text=True, preexec_fn=die_with_parent)
    assert done.returncode == 0, f"format failed:\n{done.stdout}{done.stderr}"


class Kafka(Broker):
    """A single Kafka node that is broker and controller."""

    formatted: Path | None = None

    def command(self, settings: dict[str, str]) -> list[str]:
        controller = free_port()
        full = {**ALONE, "controller.quorum.voters": f"1@127.0.0.1:{controller}", **settings}
        full.setdefault("advertised.listeners", settings["listeners"])
        full["listeners"] = f"{settings['listeners']},CONTROLLER://127.0.0.1:{controller}"
        properties = self.home / "server.properties"
        properties.write_text("".join(f"{key}={value}\n" for key, value in full.items()))
        self.format(properties)
        return [*JVM, "kafka.Kafka", str(properties)]

    def format(self, properties: Path) -> None:
        """The same for every node, so done once and copied."""
        if self.data.exists():
            return
        if Kafka.formatted is None:
            storage_tool(properties)
            kept = tempfile.mkdtemp(prefix="differential-")
            atexit.register(shutil.rmtree, kept, ignore_errors=True)
            Kafka.formatted = Path(kept) / "formatted"
            shutil.copytree(self.data, Kafka.formatted)
        else:
            shutil.copytree(Kafka.formatted, self.data)

    def stop(self) -> None:
        """Its data is thrown away, so it need not end cleanly."""
        self.kill()


class Brokers:
    """Running brokers by configuration; a scenario that wants one of its own gets a new one."""

    def __init__(self, kind: type[Broker]):
        self.kind = kind
        self.home = Path(tempfile.mkdtemp(prefix="differential-"))
        self._shared: dict[tuple, Broker] = {}
        self._number = 0

    def start(self, overrides: dict[str, str]) -> Broker:
        self._number += 1
        broker = self.kind(self.home / str(self._number))
        broker.overrides = overrides
        broker.start()
        wait_until(lambda: accepts(broker.port), 10, "a connection")
        return broker

    def shared(self, overrides: dict[str, str]) -> Broker:
        """One for all with this configuration, its group coordinator and producer ids in service."""
        key = tuple(sorted(overrides.items()))
        if key not in self._shared:
            broker = self.start(overrides)
            warm(broker)
            self._shared[key] = broker
        return self._shared[key]

    def close(self) -> None:
        for broker in self._shared.values():
            broker.stop()
        shutil.rmtree(self.home, ignore_errors=True)


def accepts(port: int) -> bool:
    """Kafka opens its port a moment after it says that it is ready."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def warm(broker: Broker) -> None:
    connection = Connection(("127.0.0.1", broker.port), "warm-up")

    def served(name: str, version: int, values: dict) -> bool:
        api = protocol.api(name)
        connection.request(api, version, protocol.encode_body(api, version, values))
        return connection.receive()["ErrorCode"] == 0

    requests = [
        ("InitProducerId", 4, {"TransactionalId": None, "TransactionTimeoutMs": 1000}),
        ("FindCoordinator", 3, {"Key": "warm-up", "KeyType": 0}),
        ("OffsetFetch", 7, {"GroupId": "warm-up"}),
    ]
    for request in requests:
        wait_until(lambda request=request: served(*request), 20, f"{request[0]} in service")
    connection.close()


def need_kafka() -> None:
    """Kafka's jars, copied by Maven when `pom.xml` changed."""
    pom, done = HOME / "pom.xml", HOME / "target" / "pom.installed"
    if done.exists() and done.read_text() == pom.read_text():
        return
    print("fetching Kafka's jars", file=sys.stderr)
    shutil.rmtree(HOME / "target" / "libs", ignore_errors=True)
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={HOME}/target/libs"]
    subprocess.run(["mvn", "-q", "-B", "-Dstyle.color=never", *goal], cwd=HOME, check=True, env=os.environ)
    done.write_text(pom.read_text())
