"""GetOffsetShell and DeleteRecordsCommand."""

import json
import time

from broker import wait_until

STAMP = ("--formatter-property", "print.timestamp=true", "--formatter-property", "print.value=false")


def now_ms() -> int:
    return int(time.time() * 1000)


def delete_before(tools, tmp_path, topic, offset, check=True):
    request = tmp_path / "delete.json"
    request.write_text(
        json.dumps({"version": 1, "partitions": [{"topic": topic, "partition": 0, "offset": offset}]})
    )
    return tools.run("DeleteRecordsCommand", "--offset-json-file", request, check=check)


def test_earliest_and_latest(tools, topic):
    tools.create(topic, partitions=2)
    tools.produce(topic, range(7))
    assert tools.offsets(topic, "earliest") == {0: "0", 1: "0"}
    latest = tools.offsets(topic, "latest")
    assert sum(map(int, latest.values())) == 7
    assert tools.offsets(topic, "-1") == latest
    assert tools.offsets(topic, "-2") == {0: "0", 1: "0"}


def test_offsets_by_time_and_of_the_largest_timestamp(tools, topic):
    tools.create(topic)
    tools.produce(topic, ["a", "b", "c"])
    stamps = [int(line.split(":")[1]) for line in tools.consume(topic, 3, "--from-beginning", *STAMP)]
    between = max(stamps) + 1
    wait_until(lambda: now_ms() > between, 5, "the clock to move on")
    tools.produce(topic, ["d", "e"], "--sync", "--timeout", 0)
    last = [int(line.split(":")[1]) for line in tools.consume(topic, 5, "--from-beginning", *STAMP)]
    assert tools.offsets(topic, 0) == {0: "0"}
    assert tools.offsets(topic, between) == {0: "3"}
    assert tools.offsets(topic, now_ms() + 60_000) == {}
    assert tools.offsets(topic, "max-timestamp") == {0: str(last.index(max(last)))}


def test_an_empty_partition_has_no_largest_timestamp(tools, topic):
    tools.create(topic)
    assert tools.offsets(topic, "latest") == {0: "0"}
    assert tools.offsets(topic, "max-timestamp") == {}


def test_partitions_can_be_picked(tools, topic):
    tools.create(topic, partitions=4)
    done = tools.run("GetOffsetShell", "--topic-partitions", f"{topic}:1-3")
    assert sorted(done.lines) == [f"{topic}:1:0", f"{topic}:2:0"]


def test_deleted_records_are_not_read_again(tools, topic, tmp_path):
    tools.create(topic)
    tools.produce(topic, range(10))
    done = delete_before(tools, tmp_path, topic, 4)
    assert f"partition: {topic}-0\tlow_watermark: 4" in done.out
    assert tools.offsets(topic, "earliest") == {0: "4"}
    assert tools.consume(topic, 6, "--from-beginning") == [str(i) for i in range(4, 10)]


def test_deleting_up_to_the_high_watermark_empties_a_partition(tools, topic, tmp_path):
    tools.create(topic)
    tools.produce(topic, range(10))
    done = delete_before(tools, tmp_path, topic, -1)
    assert f"partition: {topic}-0\tlow_watermark: 10" in done.out
    assert tools.offsets(topic, "earliest") == tools.offsets(topic, "latest") == {0: "10"}
    tools.produce(topic, ["next"])
    assert tools.consume(topic, 1, "--from-beginning") == ["next"]


def test_deleting_past_the_end_is_refused(tools, topic, tmp_path):
    tools.create(topic)
    tools.produce(topic, range(3))
    done = delete_before(tools, tmp_path, topic, 100, check=False)
    assert "OffsetOutOfRangeException" in done.text
    assert tools.offsets(topic, "earliest") == {0: "0"}
