"""All that a client can see of a broker's data, as one flat dict. It asks with plain requests, so that every byte of a
record batch is compared: offsets, timestamps, headers, compression, producers, leader epochs."""

import struct

from asking import Asker
from harness.batches import CONTROL, read_batches

# Their records are compared as what is left for each key.
COMPACTED = ("compacted", "__consumer_offsets", "__transaction_state")
TOPIC, BROKER, GROUP, CLIENT_METRICS = 2, 4, 32, 16
# Set for this topic, this broker, all brokers, this subscription, this group.
SET_SOURCES = (1, 2, 3, 7, 8)
LATEST, EARLIEST, MAX_TIMESTAMP = -1, -2, -3
FETCH_BYTES = 1 << 20


def everything(ask: Asker, groups: list[str]) -> dict:
    found = {}
    for name, (topic_id, partitions) in topics(ask).items():
        found["topic", name] = topic_id, partitions
        found["configs", TOPIC, name] = configs(ask, TOPIC, name)
        for at in range(partitions):
            if name not in COMPACTED:
                found |= of_partition(ask, name, at)
    found["latest", "compacted"] = latest(ask, "compacted", 0)
    for kind, name in [(BROKER, "1"), (BROKER, ""), (GROUP, "left"), (CLIENT_METRICS, "metrics")]:
        found["configs", kind, name] = configs(ask, kind, name)
    for group in groups:
        found["committed", group] = committed(ask, group)
        found["stable", group] = stable(ask, group)
    listed = ask.settled("ListGroups", 5)["Groups"]
    for one in listed:
        found["group", one["GroupId"]] = one
    classic = [one["GroupId"] for one in listed if one["GroupType"] == "classic"]
    for one in ask.settled("DescribeGroups", 5, Groups=classic)["Groups"]:
        found["description", one["GroupId"]] = one
    return found


def topics(ask: Asker) -> dict[str, tuple]:
    """Name → id and partitions."""
    answer = ask.settled("Metadata", 12, Topics=None)
    return {one["Name"]: (one["TopicId"], len(one["Partitions"])) for one in answer["Topics"]}


def leader_epochs(ask: Asker) -> dict[tuple[str, int], int]:
    answer = ask.settled("Metadata", 12, Topics=None)
    return {
        (one["Name"], partition["PartitionIndex"]): partition["LeaderEpoch"]
        for one in answer["Topics"]
        for partition in one["Partitions"]
    }


def configs(ask: Asker, kind: int, name: str) -> dict[str, str]:
    resource = {"ResourceType": kind, "ResourceName": name, "ConfigurationKeys": None}
    (found,) = ask.settled("DescribeConfigs", 4, Resources=[resource])["Results"]
    return {one["Name"]: one["Value"] for one in found["Configs"] if one["ConfigSource"] in SET_SOURCES}


def committed(ask: Asker, group: str) -> dict:
    """Offset, leader epoch and metadata by topic and partition."""
    answer = ask.settled("OffsetFetch", 9, Groups=[{"GroupId": group, "Topics": None}])
    return {
        (topic["Name"], one["PartitionIndex"]): (one["CommittedOffset"], one["CommittedLeaderEpoch"], one["Metadata"])
        for topic in answer["Groups"][0]["Topics"]
        for one in topic["Partitions"]
    }


def stable(ask: Asker, group: str) -> list[dict]:
    """Who asks for stable offsets is told to wait for one that a transaction may still change."""
    wanted = [{"GroupId": group, "Topics": [{"Name": "orders", "PartitionIndexes": [0]}]}]
    return ask("OffsetFetch", 9, Groups=wanted, RequireStable=True)["Groups"]


def of_partition(ask: Asker, topic: str, at: int) -> dict:
    start = list_offset(ask, topic, at, EARLIEST)["Offset"]
    all_of_it, stable = read(ask, topic, at, start, 0), read(ask, topic, at, start, 1)
    batches = split(all_of_it["records"])
    times = {struct.unpack_from(">q", batch, 35)[0] for batch in batches}
    offsets = {(time, isolation): list_offset(ask, topic, at, time, isolation) for time in times for isolation in (0, 1)}
    for special in (LATEST, EARLIEST, MAX_TIMESTAMP):
        for isolation in (0, 1):
            offset = list_offset(ask, topic, at, special, isolation)
            if special == LATEST or not batches:
                # That of the leader, which whoever takes over raises.
                del offset["LeaderEpoch"]
            offsets[special, isolation] = offset
    epochs = {struct.unpack_from(">i", batch, 12)[0] for batch in batches}
    return {
        ("log", topic, at): all_of_it,
        ("committed log", topic, at): stable,
        ("offsets", topic, at): offsets,
        ("ends of epochs", topic, at): {epoch: end_of_epoch(ask, topic, at, epoch) for epoch in epochs},
        ("producers", topic, at): producers(ask, topic, at),
    }


def list_offset(ask: Asker, topic: str, at: int, time: int, isolation: int = 0) -> dict:
    wanted = [{"Name": topic, "Partitions": [{"PartitionIndex": at, "Timestamp": time}]}]
    answer = ask.settled("ListOffsets", 8, ReplicaId=-1, IsolationLevel=isolation, Topics=wanted)
    return answer["Topics"][0]["Partitions"][0]


def end_of_epoch(ask: Asker, topic: str, at: int, epoch: int) -> tuple[int, int]:
    wanted = [{"Topic": topic, "Partitions": [{"Partition": at, "LeaderEpoch": epoch}]}]
    (found,) = ask.settled("OffsetForLeaderEpoch", 4, ReplicaId=-1, Topics=wanted)["Topics"][0]["Partitions"]
    return found["LeaderEpoch"], found["EndOffset"]


def producers(ask: Asker, topic: str, at: int) -> list[dict]:
    answer = ask.settled("DescribeProducers", 0, Topics=[{"Name": topic, "PartitionIndexes": [at]}])
    found = answer["Topics"][0]["Partitions"][0]["ActiveProducers"]
    return sorted(found, key=lambda one: one["ProducerId"])


def read(ask: Asker, topic: str, at: int, start: int, isolation: int) -> dict:
    """What a reader with this isolation gets from there to the end."""
    records, aborted, offset = b"", set(), start
    while True:
        partition = {"Partition": at, "FetchOffset": offset, "PartitionMaxBytes": FETCH_BYTES}
        wanted = [{"Topic": topic, "Partitions": [partition]}]
        answer = ask.settled("Fetch", 12, ReplicaId=-1, MaxWaitMs=0, MinBytes=0, IsolationLevel=isolation, Topics=wanted)
        (found,) = answer["Responses"][0]["Partitions"]
        aborted |= {(one["ProducerId"], one["FirstOffset"]) for one in found["AbortedTransactions"] or []}
        if not found["Records"]:
            break
        records += found["Records"]
        offset = next_offset(split(records)[-1])
    return {
        "log start": found["LogStartOffset"],
        "high watermark": found["HighWatermark"],
        "last stable offset": found["LastStableOffset"],
        "aborted": sorted(aborted),
        "end": offset,
        "records": records,
    }


def split(records: bytes) -> list[bytes]:
    """Each batch."""
    found, at = [], 0
    while at < len(records):
        size = 12 + struct.unpack_from(">i", records, at + 8)[0]
        assert at + size <= len(records), "the answer ends within a batch"
        found.append(records[at : at + size])
        at += size
    return found


def next_offset(batch: bytes) -> int:
    return struct.unpack_from(">q", batch)[0] + struct.unpack_from(">i", batch, 23)[0] + 1


def values(ask: Asker, topic: str, at: int) -> list[bytes]:
    """The values of all records that are no control records."""
    batches = read_batches(read(ask, topic, at, 0, 0)["records"])
    data = [batch for batch in batches if not batch.get("attributes", 0) & CONTROL]
    return [record["value"] for batch in data for record in batch["records"]]


def latest(ask: Asker, topic: str, at: int) -> dict[bytes, tuple]:
    """What compaction keeps: the last record of each key; a key that was deleted is not there."""
    found = {}
    for batch in read_batches(read(ask, topic, at, 0, 0)["records"]):
        for record in batch["records"]:
            found[record["key"]] = record["offset"], record["timestamp"], record["value"]
    return {key: record for key, record in found.items() if record[2] is not None}


def compare(found: dict, left: dict) -> None:
    differences = []
    for key in {**left, **found}:
        # An internal topic may be made by whoever needs it first.
        if key in left or not str(key[1:]).count("__"):
            differences += unlike(str(key), found.get(key), left.get(key))
    assert not differences, "\n" + "\n".join(differences)


def unlike(where: str, found, left) -> list[str]:
    """What differs, as far inside as both have the same shape."""
    if found == left:
        return []
    if isinstance(found, dict) and isinstance(left, dict):
        keys = {**left, **found}
        return [line for key in keys for line in unlike(f"{where} / {key}", found.get(key), left.get(key))]
    if where.endswith("/ records"):
        found, left = found and read_batches(found), left and read_batches(left)
    return [f"{where}\n    left  {left}\n    found {found}"]
