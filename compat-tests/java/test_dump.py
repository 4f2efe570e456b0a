"""DumpLogSegments over every file of the data directory: after a clean stop, and after `kill -9`, a start and a stop."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from batches import CODECS
from broker import Broker, wait_until
from test_consoles import KEYS
from test_offsets import delete_before
from tools import Tools

COMPLAINT = re.compile(r"mismatch|corrupt|exception|found timestamp|out of order|invalid|isvalid: false|error", re.I)
# The tool begins each file with -1, so this says nothing about a segment that begins above 0.
FIRST_OF_FILE = re.compile(r"Non-consecutive offsets in \S+\n  -1 is followed by \d+\n")
DUMPED = {".log", ".index", ".timeindex", ".snapshot", ".txnindex", ".checkpoint"}
KNOWN = {
    "meta.properties",
    "recovery-point-offset-checkpoint",
    "replication-offset-checkpoint",
    "log-start-offset-checkpoint",
    "cleaner-offset-checkpoint",
    ".kafka_cleanshutdown",
    ".lock",
    "leader-epoch-checkpoint",
    "partition.metadata",
    "quorum-state",
}
ROLLED = 30_000
GROUP = "readers"


class Stopped:
    """The data directory of a stopped broker, and what was written to it."""

    def __init__(self, server, directory: Path, acknowledged: dict[int, str]):
        self._server = server
        self.directory = directory
        self.acknowledged = acknowledged
        # The folder of a deleted topic waits for its end; nobody opens it again.
        self.files = sorted(f for f in directory.rglob("*") if f.is_file() and not f.parent.name.endswith("-delete"))

    def named(self, suffix: str, *topics: str) -> list[Path]:
        """The files with a suffix; with topics, only those of their partitions."""
        folders = tuple(f"{topic}-" for topic in topics)
        return [f for f in self.files if f.suffix == suffix and (not topics or f.parent.name.startswith(folders))]

    def dump(self, files: list[Path], *arguments) -> str:
        """What the tool prints; any complaint fails."""
        assert files
        done = self._server.run("DumpLogSegments", "--files", ",".join(map(str, files)), *arguments)
        errors = FIRST_OF_FILE.sub("", done.err)
        assert done.code == 0 and not errors.strip(), f"{arguments}: {errors[:4000]}"
        lines = done.out.replace(str(self.directory), "").splitlines()
        if "--print-data-log" in arguments:
            # Random payloads spell anything; those of a decoder stay, as it complains within them.
            lines = [line.split(" payload: ")[0] for line in lines]
        complaints = [line for line in lines if COMPLAINT.search(line)]
        assert not complaints, f"{arguments}: {complaints[:20]}"
        for file in files:
            assert f"Dumping {file}\n" in done.out
        return done.out

    def dump_log(self, files: list[Path], *arguments) -> str:
        """A dump of `.log` or `.checkpoint` files, in which every batch has to be valid."""
        out = self.dump(files, *arguments)
        batches = re.findall(r"^baseOffset: .*$", out, re.MULTILINE)
        assert all(" isvalid: true" in batch for batch in batches)
        return out


def write(tools, tmp_path, again: bool):
    """Something of everything; `again` after a restart on the same directory."""
    if not again:
        tools.create("rolled", "--config", "segment.bytes=1048576")
        for topic in ("codecs", "plain", "trimmed", "going", "verified"):
            tools.create(topic)
        tools.topics("--alter", "--topic", "plain", "--partitions", 3)
        tools.configs(
            *("--alter", "--entity-type", "topics", "--entity-name", "codecs", "--add-config", "retention.ms=864000000")
        )
    tools.run(
        *("ProducerPerformance", "--topic", "rolled", "--num-records", ROLLED, "--record-size", 100),
        *("--throughput", -1, "--command-property", "acks=all", "batch.size=1000"),
    )
    for codec in CODECS:
        tools.produce("codecs", [f"{codec} {i} " + "again and again " * 20 for i in range(200)], "--compression-codec", codec)
    tools.produce("plain", [f"key{i}:value{i}" for i in range(90)], *KEYS)
    headers = ("--reader-property", "parse.headers=true", "--reader-property", "null.marker=NULL")
    tools.produce("plain", ["a:1,b:2\twith headers", "NULL\tNULL"], *headers)
    tools.produce("trimmed", range(20))
    delete_before(tools, tmp_path, "trimmed", 27 if again else 7)
    tools.consume("plain", 92, "--group", GROUP, "--from-beginning")
    if not again:
        tools.produce("going", ["soon gone"])
        tools.topics("--delete", "--topic", "going")


def verified(tools, broker, kill: bool) -> dict[int, str]:
    """Offset → value of what VerifiableProducer got acknowledged, with the broker killed meanwhile."""

    def acks():
        rows = (json.loads(line) for line in list(producer.lines) if "producer_send_success" in line)
        return {row["offset"]: row["value"] for row in rows}

    with tools.background("VerifiableProducer", "--topic", "verified", "--throughput", 2000) as producer:
        wait_until(lambda: len(acks()) > 1000, 30, "the first thousand acknowledgements")
        if kill:
            broker.kill()
            broker.start()
            before = len(acks())
            wait_until(lambda: len(acks()) > before + 1000, 60, "acknowledgements after the restart")
    return acks()


@pytest.fixture(scope="module", params=["stopped", "killed"])
def data(request, server, tmp_path_factory) -> Stopped:
    home = tmp_path_factory.mktemp(request.param)
    killed = request.param == "killed"
    with Broker(home) as broker:
        tools = Tools(server, broker.address)
        write(tools, home, again=False)
        acknowledged = verified(tools, broker, kill=killed)
        if killed:
            write(tools, home, again=True)
    return Stopped(server, broker.data, acknowledged)


def payloads(out: str) -> list[str]:
    return re.findall(r"^\| offset: .* payload: (.*)$", out, re.MULTILINE)


def rounds(data: Stopped) -> int:
    """How often everything was written."""
    return 2 if data.directory.parent.name.startswith("killed") else 1


def test_every_file_is_of_a_kind_that_kafka_knows(data):
    unknown = [f for f in data.files if f.suffix not in DUMPED and f.name not in KNOWN]
    assert not [f for f in unknown if not f.name.endswith(".deleted")]
    assert (data.directory / ".kafka_cleanshutdown").exists()


def test_every_log_is_valid_record_by_record(data):
    logs = data.named(".log")
    assert len(data.named(".log", "rolled")) >= 3
    data.dump_log(logs, "--deep-iteration", "--print-data-log")


def test_every_record_is_in_the_files(data):
    def written(topic):
        return payloads(data.dump_log(data.named(".log", topic), "--deep-iteration", "--print-data-log"))

    times = rounds(data)
    assert len(written("rolled")) == ROLLED * times
    codecs = Counter(text.split()[0] for text in written("codecs"))
    assert codecs == Counter({codec: 200 * times for codec in CODECS})
    # The record with a null value has no payload.
    assert Counter(written("plain")) == Counter({**{f"value{i}": times for i in range(90)}, "with headers": times})
    assert written("trimmed")[-20:] == [str(i) for i in range(20)]


def test_every_acknowledged_message_stands_at_its_offset(data):
    out = data.dump_log(data.named(".log", "verified"), "--deep-iteration", "--print-data-log")
    stored = dict(re.findall(r"^\| offset: (\d+) .* payload: (\d+)$", out, re.MULTILINE))
    missing = {o: value for o, value in data.acknowledged.items() if stored.get(str(o)) != value}
    assert data.acknowledged and not missing


def test_the_codecs_of_the_batches_are_those_of_the_producers(data):
    out = data.dump_log(data.named(".log", "codecs"))
    assert set(re.findall(r"compresscodec: (\w+)", out)) == set(CODECS)


def test_every_offset_index_is_sane_and_agrees_with_its_log(data):
    indexes = data.named(".index")
    sane = data.dump(indexes, "--index-sanity-check")
    # The tool says nothing about an empty one.
    assert sane.count(" passed sanity check.") == sum(index.stat().st_size > 0 for index in indexes)
    data.dump(indexes, "--verify-index-only")


def test_every_time_index_is_sane_and_agrees_with_its_log(data):
    indexes = data.named(".timeindex")
    sane = data.dump(indexes, "--index-sanity-check")
    assert sane.count(" passed sanity check.") == len(indexes)
    data.dump(indexes, "--verify-index-only")


def test_a_rolled_segment_has_an_entry_for_every_four_kilobytes(data):
    for suffix, wanted in ((".index", 200), (".timeindex", 2)):
        first = data.named(suffix, "rolled")[0]
        entries = re.findall(r"^(?:offset|timestamp): \d+", data.dump([first]), re.MULTILINE)
        assert len(entries) >= wanted, f"{len(entries)} in {first}"


def test_producer_snapshots_hold_the_producers(data):
    out = data.dump(data.named(".snapshot"))
    last = data.dump([data.named(".snapshot", "rolled")[-1]])
    assert re.search(r"^producerId: \d+ producerEpoch: 0 .*lastSequence: \d+ lastOffset: \d+ ", last, re.MULTILINE)
    ends = [int(offset) for offset in re.findall(r"lastOffset: (\d+)", last)]
    assert max(ends) == ROLLED * rounds(data) - 1
    assert out.count("producerId: ") > last.count("producerId: ")


def test_the_offsets_topic_decodes_to_the_committed_offsets(data):
    out = data.dump_log(data.named(".log", "__consumer_offsets"), "--offsets-decoder")
    committed = {}
    for key, value in re.findall(r" key: (\{.*?\}\}) payload: (\{.*\}\})$", out, re.MULTILINE):
        fields = json.loads(key)
        if fields["type"] == "1" and fields["data"]["group"] == GROUP:
            committed[fields["data"]["partition"]] = json.loads(value)["data"]["offset"]
    assert sum(committed.values()) == 92 * rounds(data)
    members = [line for line in out.splitlines() if f'"type":"2","data":{{"group":"{GROUP}"}}' in line]
    assert any('"protocolType":"consumer"' in line and '"protocol":"range"' in line for line in members)


def test_the_metadata_log_decodes_to_the_topics(data):
    log = data.named(".log", "__cluster_metadata")
    out = data.dump_log(log, "--cluster-metadata-decoder")
    checkpoints = data.named(".checkpoint")
    if checkpoints:
        out += data.dump_log(checkpoints, "--cluster-metadata-decoder")
    for topic in ("rolled", "codecs", "plain", "trimmed", "verified", "__consumer_offsets"):
        assert f'"type":"TOPIC_RECORD","version":0,"data":{{"name":"{topic}"' in out
    assert '"type":"REMOVE_TOPIC_RECORD"' in out
    assert '"name":"metadata.version"' in out
    assert '"name":"retention.ms","value":"864000000"' in out


def test_a_compacted_log_is_valid_and_holds_the_last_value_of_each_key(server, tmp_path):
    fast = {"log.cleaner.backoff.ms": "100", "log.segment.delete.delay.ms": "0"}
    with Broker(tmp_path, **fast) as broker:
        tools = Tools(server, broker.address)
        configs = ("cleanup.policy=compact", "segment.ms=1", "min.cleanable.dirty.ratio=0.01", "index.interval.bytes=100")
        tools.create("kept", *(part for config in configs for part in ("--config", config)))
        for turn in range(5):
            codec = CODECS[turn]
            tools.produce("kept", [f"key{i % 20}:{turn}-{i}" for i in range(100)], *KEYS, "--compression-codec", codec)
        checkpoint = broker.data / "cleaner-offset-checkpoint"
        wait_until(lambda: checkpoint.exists() and "kept 0 400" in checkpoint.read_text(), 30, "four turns compacted")
    data = Stopped(server, broker.data, {})
    out = data.dump_log(data.named(".log", "kept"), "--deep-iteration", "--print-data-log")
    stored = re.findall(r"^\| offset: (\d+) .* payload: (\S+)$", out, re.MULTILINE)
    kept = [(str(300 + i), f"3-{i}") for i in range(80, 100)]
    assert stored == kept + [(str(400 + i), f"4-{i}") for i in range(100)]
    for suffix in (".index", ".timeindex"):
        data.dump(data.named(suffix, "kept"), "--index-sanity-check")
    # A time index may name a batch that was emptied; the tool calls that a mismatch in Kafka's own files, too.
    data.dump(data.named(".index", "kept"), "--verify-index-only")
