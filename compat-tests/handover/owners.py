"""Kafka and Milena on one data directory and one port, one after the other."""

from pathlib import Path

from broker import Broker
from harness import brokers

SETTINGS = {
    "auto_create_topics_enable": "false",
    "offsets_topic_num_partitions": "4",
    "transaction_state_log_num_partitions": "4",
    # Records are looked at one by one, and what compaction takes is no loss.
    "log_cleaner_enable": "false",
    "log_flush_start_offset_checkpoint_interval_ms": "50",
}


class Kafka(brokers.Kafka):
    """A Kafka whose data stay: it ends cleanly, and its voters are fixed or, with `dynamic`, kept in its metadata."""

    def __init__(self, home: Path, dynamic: bool):
        super().__init__(home, **SETTINGS)
        self.dynamic = dynamic

    def command(self, settings: dict[str, str]) -> list[str]:
        command = super().command(settings)
        if self.dynamic:
            properties = self.home / "server.properties"
            text = properties.read_text()
            properties.write_text(text.replace("controller.quorum.voters=1@", "controller.quorum.bootstrap.servers="))
        return command

    def format(self, properties: Path) -> None:
        if not self.dynamic or self.data.exists():
            return super().format(properties)
        text = properties.read_text().replace("controller.quorum.voters=1@", "controller.quorum.bootstrap.servers=")
        properties.write_text(text)
        return brokers.storage_tool(properties, "--standalone")

    def stop(self) -> None:
        Broker.stop(self)


class House:
    """The data directory, and who owns it now."""

    def __init__(self, home: Path, dynamic: bool):
        self.owners = {"kafka": Kafka(home, dynamic), "milena": Broker(home, **SETTINGS)}
        self.port = self.owners["kafka"].port
        self.owners["milena"].port = self.port
        self.owner: Broker | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def data(self) -> Path:
        return self.owners["kafka"].data

    def wait_for_start(self, partition: str, offset: int) -> None:
        """Until the checkpoint says that a log begins there: before that it is not sure to survive a kill.
        Kafka first writes it after half a minute."""
        line = f"{partition.replace('-', ' ')} {offset}"
        checkpoint = self.data / "log-start-offset-checkpoint"
        brokers.wait_until(lambda: line in checkpoint.read_text().splitlines(), 90, f"{line} in {checkpoint}")

    def hand_to(self, name: str, killed: bool) -> None:
        self.end(killed)
        self.owner = self.owners[name]
        self.owner.start()
        brokers.wait_until(lambda: brokers.accepts(self.port), 10, "a connection")

    def end(self, killed: bool) -> None:
        owner, self.owner = self.owner, None
        if owner and owner.process:
            owner.kill() if killed else owner.stop()
