"""Makes the archives of `tests/data` that Kafka 4.3.0 writes through the clients of these tests, and beside each what
that Kafka answered. Run by hand: `compat-tests/handover/record`."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from broker import wait_until

import state
from asking import Asker
from owners import House
from work import GROUPS, Work

DATA = Path(__file__).resolve().parents[2] / "tests" / "data"
SNAPSHOTS = {
    "metadata_log_max_record_bytes_between_snapshots": "10000",
    "internal_metadata_log_segment_bytes": "20000",
    "metadata_max_retention_bytes": "25000",
    "internal_metadata_delete_delay_millis": "100",
}
# Name → dynamic voters, killed, settings.
ARCHIVES = {"standalone": (True, False, {}), "snapshot": (False, True, SNAPSHOTS)}
INDEX = {"log_index_size_max_bytes": "4096"}


def record(name: str, home: Path) -> None:
    dynamic, killed, settings = ARCHIVES[name]
    house = House(home, dynamic)
    kafka = house.owners["kafka"]
    kafka.overrides |= {key.replace("_", "."): value for key, value in {**settings, **INDEX}.items()}
    house.hand_to("kafka", False)
    work, ask = Work(house, False), Asker(house.port)
    try:
        work.begin(ask)
        work.add(ask, "kafka", 0)
        work.close()
        if settings:
            wait_until(lambda: not begins_at_0(house, work, ask), 300, "a metadata log without its beginning")
        found = state.everything(ask, GROUPS)
    except Exception:
        print(kafka.tail())
        raise
    finally:
        house.end(killed)
    archive = DATA / f"kafka-4.3.0-{name}.tar.gz"
    pack = ["tar", "--sparse", "--sort=name", "--owner=0", "--group=0", "--use-compress-program=gzip -9", "-cf", str(archive)]
    subprocess.run([*pack, "-C", str(home), "data"], check=True)
    (DATA / f"kafka-4.3.0-{name}.tsv").write_text("".join(sorted(lines(found))))


def begins_at_0(house: House, work: Work, ask: Asker) -> bool:
    """Changes metadata, so that the log goes on."""
    work.configure(ask, state.TOPIC, "orders", "retention.bytes", str(time.time_ns() % 10**9 + 10**9))
    return (house.data / "__cluster_metadata-0" / f"{0:020}.log").exists()


def lines(found: dict):
    """What the test compares, a line each: see the README beside the archives."""
    for (part, *key), value in found.items():
        if part == "topic":
            yield row("topic", *key, *value)
        elif part == "configs":
            yield from (row("config", *key, name, text) for name, text in value.items())
        elif part in ("log", "committed log"):
            aborted = ",".join(f"{producer}:{first}" for producer, first in value["aborted"])
            ends = [value[name] for name in ("log start", "high watermark", "last stable offset", "end")]
            yield row(part, *key, *ends, aborted, value["records"].hex())
        elif part == "offsets":
            for (timestamp, isolation), offset in value.items():
                yield row(part, *key, isolation, timestamp, offset["Timestamp"], offset["Offset"])
        elif part == "committed":
            for (topic, at), (offset, epoch, text) in value.items():
                yield row(part, *key, topic, at, offset, epoch, text)
        elif part == "group":
            yield row(part, value["GroupId"], value["GroupState"], value["GroupType"])


def row(*cells) -> str:
    return "\t".join(map(str, cells)) + "\n"


if __name__ == "__main__":
    for chosen in sys.argv[1:] or ARCHIVES:
        with tempfile.TemporaryDirectory(prefix="handover-") as directory:
            record(chosen, Path(directory))
