"""Kafka and Milena on one data directory and one port, one after the other."""

import time
from pathlib import Path

from asking import Asker
from broker import Broker
from harness import brokers
from harness.batches import build_batch

SETTINGS = {
    "auto_create_topics_enable": "false",
    "offsets_topic_num_partitions": "4",
    "transaction_state_log_num_partitions": "4",
    "log_cleaner_backoff_ms": "100",
    "log_flush_start_offset_checkpoint_interval_ms": "50",
}
# So that Kafka writes checkpoints at once, and does not wait long for a session that a kill left behind.
KAFKA_ALONE = {
    "log_initial_task_delay_ms": "100",
    "broker_session_timeout_ms": "2000",
    "broker_heartbeat_interval_ms": "500",
}
# A Kafka that starts has no leaders for a moment, when it has begun to load groups already.
HARMLESS = "Stopped loading records"


class Kafka(brokers.Kafka):
    """A Kafka whose data stay: it ends cleanly, and its voters are fixed or, with `dynamic`, kept in its metadata."""

    # A JVM that ends by SIGTERM says so.
    stop_code = 143

    def __init__(self, home: Path, dynamic: bool):
        super().__init__(home, **SETTINGS, **KAFKA_ALONE)
        self.dynamic = dynamic

    def command(self, settings: dict[str, str]) -> list[str]:
        command = super().command(settings)
        self.name_voters(self.home / "server.properties")
        return command

    def format(self, properties: Path) -> None:
        if not self.dynamic and "," not in self.overrides["log.dirs"]:
            return super().format(properties)
        self.name_voters(properties)
        if not self.data.exists():
            brokers.storage_tool(properties, *(["--standalone"] if self.dynamic else []))

    def name_voters(self, properties: Path) -> None:
        """Dynamic voters stand in the metadata, and the configuration only tells where one may be."""
        if self.dynamic:
            text = properties.read_text()
            properties.write_text(text.replace("controller.quorum.voters=1@", "controller.quorum.bootstrap.servers="))

    def stop(self) -> None:
        Broker.stop(self)


class House:
    """The data directory, and who owns it now."""

    def __init__(self, home: Path, dynamic: bool, directories: tuple[str, ...] = ("data",)):
        self.owners = {"kafka": Kafka(home / "kafka", dynamic), "milena": Broker(home / "milena", **SETTINGS)}
        self.directories = [home / name for name in directories]
        # That of the metadata.
        self.data = self.directories[0]
        self.port = self.owners["kafka"].port
        for owner in self.owners.values():
            owner.port, owner.data = self.port, self.data
            owner.overrides["log.dirs"] = ",".join(map(str, self.directories))
        self.owner: Broker | None = None
        self.said_before = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def format(self) -> None:
        """As an operator does before the first start, whoever starts then."""
        kafka = self.owners["kafka"]
        kafka.home.mkdir(parents=True)
        kafka.command({"listeners": f"PLAINTEXT://{self.address}", **kafka.overrides})

    def partitions(self, prefix: str = "") -> dict[str, str]:
        """The partitions' directories, and which data directory each is in."""
        found = [path for data in self.directories for path in data.glob(f"{prefix}*") if path.is_dir() and "-" in path.name]
        assert len({path.name for path in found}) == len(found), "a partition is in two directories"
        return {path.name: path.parent.name for path in found if not path.name.endswith("-delete")}

    def append(self, ask: Asker, topic: str, at: int, values: list[bytes]) -> None:
        batch = build_batch({"records": [{"key": b"k", "value": value} for value in values]}, int(time.time() * 1000))
        data = [{"Name": topic, "PartitionData": [{"Index": at, "Records": batch}]}]
        ask.settled("Produce", 9, Acks=-1, TimeoutMs=10_000, TopicData=data)

    def wait_for_start(self, partition: str, offset: int) -> None:
        """Until the checkpoint says that a log begins there: before that it is not sure to survive a kill."""
        line = f"{partition.replace('-', ' ')} {offset}"
        checkpoint = self.data / "log-start-offset-checkpoint"
        brokers.wait_until(lambda: line in checkpoint.read_text().splitlines(), 90, f"{line} in {checkpoint}")

    def hand_to(self, name: str, killed: bool) -> None:
        self.end(killed)
        self.owner = self.owners[name]
        self.said_before = len(self.log())
        self.owner.start()
        brokers.wait_until(lambda: brokers.accepts(self.port), 10, "a connection")

    def end(self, killed: bool) -> None:
        owner, self.owner = self.owner, None
        if owner and owner.process:
            owner.kill() if killed else owner.stop()

    def log(self) -> list[str]:
        log = self.owner.log
        return log.read_text(errors="replace").splitlines() if log.exists() else []

    def complaints(self, killed: bool) -> list[str]:
        """What the owner has found wrong since it came."""
        words = [" ERROR ", " FATAL ", "stray", "orrupt", "anicked"]
        if not killed:
            # A Kafka that takes the broker for one that crashed.
            words.append("UNCLEAN")
        said = self.log()[self.said_before :]
        return [line for line in said if any(word in line for word in words) and HARMLESS not in line]
