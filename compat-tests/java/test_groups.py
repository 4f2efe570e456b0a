"""ConsumerGroupCommand."""

import time
from datetime import datetime, timezone

import pytest

from broker import wait_until
from tools import table


def committed(tools, group) -> dict[int, str]:
    """Partition → committed offset."""
    rows = table(tools.groups("--describe", "--group", group, "--offsets").out)
    return {int(row["PARTITION"]): row["CURRENT-OFFSET"] for row in rows}


def reset(tools, group, topic, *how, mode="--execute") -> dict[int, str]:
    """The new offsets that the tool prints."""
    out = tools.groups("--reset-offsets", "--group", group, "--topic", topic, *how, mode).out
    return {int(row["PARTITION"]): row["NEW-OFFSET"] for row in table(out)}


@pytest.fixture
def group(tools, topic):
    """A group without members that has read all 10 messages of a topic with one partition."""
    tools.create(topic)
    tools.produce(topic, range(10))
    name = f"g-{topic}"
    tools.consume(topic, 10, "--group", name, "--from-beginning")
    return name


def test_a_group_is_listed_with_its_state(tools, group):
    assert group in tools.groups("--list").lines
    assert {"GROUP": group, "STATE": "Empty"} in [
        {"GROUP": row["GROUP"], "STATE": row["STATE"]} for row in table(tools.groups("--list", "--state").out)
    ]
    assert group not in tools.groups("--list", "--state", "Stable").out


def test_a_description_shows_offsets_end_and_lag(tools, topic, group):
    tools.produce(topic, range(5))
    (row,) = table(tools.groups("--describe", "--group", group).out)
    assert (row["GROUP"], row["TOPIC"], row["PARTITION"]) == (group, topic, "0")
    assert (row["CURRENT-OFFSET"], row["LOG-END-OFFSET"], row["LAG"]) == ("10", "15", "5")
    assert row["CONSUMER-ID"] == "-"


def test_an_unknown_group_cannot_be_described(tools):
    done = tools.groups("--describe", "--group", "nobody", check=False)
    assert "GroupIdNotFoundException: Group nobody not found." in done.text


def test_members_and_state_of_a_living_group(tools, topic):
    tools.create(topic, partitions=3)
    name = f"g-{topic}"
    consumer = ("--topic", topic, "--group-id", name, "--session-timeout", 10_000)
    with tools.background("VerifiableConsumer", *consumer) as one:
        with tools.background("VerifiableConsumer", *consumer) as two:

            def shared():
                rows = table(tools.groups("--describe", "--group", name, "--members", "--verbose").out)
                return len(rows) == 2 and sorted(int(row["#PARTITIONS"]) for row in rows) == [1, 2] and rows

            rows = wait_until(shared, 40, "two members that share three partitions")
            assert len({row["CONSUMER-ID"] for row in rows}) == 2
            assert {row["HOST"] for row in rows} == {"/127.0.0.1"}
            (state,) = table(tools.groups("--describe", "--group", name, "--state").out)
            assert state["STATE"] == "Stable"
            assert state["#MEMBERS"] == "2"
            assert "range" in state.values()

            refused = tools.groups(
                *("--reset-offsets", "--group", name, "--topic", topic, "--to-earliest", "--execute"), check=False
            )
            assert f"if the group '{name}' is inactive" in refused.text
            not_empty = tools.groups("--delete", "--group", name, check=False)
            assert "GroupNotEmptyException" in not_empty.text
    for member in (one, two):
        assert any("partitions_assigned" in line for line in member.lines)
    # Both left by themselves, so no session has to run out.
    (state,) = table(tools.groups("--describe", "--group", name, "--state").out)
    assert (state["STATE"], state["#MEMBERS"]) == ("Empty", "0")


def test_offsets_are_reset_to_the_earliest_and_the_messages_come_again(tools, topic, group):
    assert reset(tools, group, topic, "--to-earliest") == {0: "0"}
    assert committed(tools, group) == {0: "0"}
    assert tools.consume(topic, 10, "--group", group) == [str(i) for i in range(10)]


def test_offsets_are_shifted_and_bounded_by_the_log(tools, topic, group):
    assert reset(tools, group, topic, "--shift-by", -3) == {0: "7"}
    assert tools.consume(topic, 3, "--group", group) == ["7", "8", "9"]
    assert reset(tools, group, topic, "--shift-by", -100) == {0: "0"}
    assert reset(tools, group, topic, "--shift-by", 4) == {0: "4"}
    assert reset(tools, group, topic, "--to-offset", 6) == {0: "6"}
    assert reset(tools, group, topic, "--to-latest") == {0: "10"}
    assert committed(tools, group) == {0: "10"}


def test_offsets_are_reset_to_a_time(tools, topic, group):
    stamps = tools.consume(topic, 10, "--from-beginning", "--formatter-property", "print.timestamp=true")
    between = max(int(line.split("\t")[0].split(":")[1]) for line in stamps) + 1
    wait_until(lambda: time.time() * 1000 > between, 5, "the clock to move on")
    tools.produce(topic, ["new"])
    moment = datetime.fromtimestamp(between / 1000, timezone.utc)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{between % 1000:03d}+00:00"
    assert reset(tools, group, topic, "--to-datetime", text) == {0: "10"}
    assert tools.consume(topic, 1, "--group", group) == ["new"]


def test_a_dry_run_changes_nothing(tools, topic, group):
    assert reset(tools, group, topic, "--to-earliest", mode="--dry-run") == {0: "0"}
    assert committed(tools, group) == {0: "10"}


def test_a_deleted_group_is_gone_with_its_offsets(tools, topic, group):
    done = tools.groups("--delete", "--group", group)
    assert f"Deletion of requested consumer groups ('{group}') was successful." in done.out
    assert group not in tools.groups("--list").lines
    assert "GroupIdNotFoundException" in tools.groups("--describe", "--group", group, check=False).text
    assert tools.consume(topic, 10, "--group", group, "--from-beginning") == [str(i) for i in range(10)]


def test_an_unknown_group_cannot_be_deleted(tools):
    done = tools.groups("--delete", "--group", "nobody", check=False)
    assert "GroupIdNotFoundException" in done.text


def test_deleting_a_topic_drops_its_committed_offsets(tools, topic, group):
    tools.topics("--delete", "--topic", topic)
    tools.create(topic)
    wait_until(lambda: topic in tools.topics("--list").lines, 20, "the new topic")
    tools.produce(topic, ["fresh"])
    assert tools.consume(topic, 1, "--group", group, "--from-beginning") == ["fresh"]
