"""VerifiableProducer and -Consumer, and the performance tools."""

import json
import re
from collections import Counter

COUNT = 5000


def events(done, name) -> list[dict]:
    rows = (json.loads(line) for line in done.lines if line.startswith("{"))
    return [row for row in rows if row["name"] == name]


def test_everything_acknowledged_is_consumed_once(tools, topic):
    tools.create(topic, partitions=3)
    # Its summary comes from a hook at the end of its JVM, so it has one of its own.
    with tools.background("VerifiableProducer", "--topic", topic, "--max-messages", COUNT, "--acks", "-1") as producer:
        produced = producer.ended()
    assert produced.code == 0
    (summary,) = events(produced, "tool_data")
    assert (summary["sent"], summary["acked"]) == (COUNT, COUNT)
    acked = events(produced, "producer_send_success")
    for partition in range(3):
        offsets = [row["offset"] for row in acked if row["partition"] == partition]
        assert sorted(offsets) == list(range(len(offsets)))

    consumed = tools.run(
        *("VerifiableConsumer", "--topic", topic, "--group-id", f"g-{topic}", "--max-messages", COUNT, "--verbose")
    )
    values = Counter(row["value"] for row in events(consumed, "record_data"))
    assert values == Counter(str(i) for i in range(COUNT))
    assert sum(row["count"] for row in events(consumed, "records_consumed")) == COUNT
    commits = events(consumed, "offsets_committed")
    assert commits and all(row["success"] for row in commits)
    ends = {}
    for row in commits:
        ends.update({o["partition"]: o["offset"] for o in row["offsets"]})
    assert {p: str(end) for p, end in ends.items()} == {p: o for p, o in tools.offsets(topic).items() if o != "0"}


def test_the_performance_tools_count_what_they_moved(tools, topic):
    tools.create(topic, partitions=2)
    records = 50_000
    sent = tools.run(
        *("ProducerPerformance", "--topic", topic, "--num-records", records, "--record-size", 100),
        *("--throughput", -1, "--command-property", "acks=all"),
    )
    assert re.search(rf"^{records} records sent, .* 99\.9th\.$", sent.out, re.MULTILINE)
    assert sum(map(int, tools.offsets(topic).values())) == records
    read = tools.run(
        *("ConsumerPerformance", "--topic", topic, "--num-records", records, "--group", f"g-{topic}"),
        *("--hide-header",),
    )
    assert int(read.lines[-1].split(", ")[4]) == records
