"""Groups: members that join and leave while records arrive, eager and cooperative, dynamic and static."""

import itertools
import threading
from collections import Counter

import pytest

from broker import wait_until
from clients import CLIENTS
from clients.common import Record

ALL = frozenset({0, 1, 2})


def strategies():
    return [pytest.param(c, s, id=f"{c.name}-{s}") for c in CLIENTS.values() for s in c.strategies]


class Stream:
    """Writes numbered records to every partition in turn until it is stopped."""

    def __init__(self, client, topic):
        self.sent: list[bytes] = []
        self._client, self._topic = client, topic
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)

    def _write(self) -> None:
        numbers = itertools.count()
        while not self._stopped.is_set():
            values = [b"%d" % next(numbers) for _ in range(15)]
            self._client.produce(self._topic, [Record(i % 3, None, v) for i, v in enumerate(values)])
            self.sent += values

    def __enter__(self) -> "Stream":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stopped.set()
        self._thread.join()


def shared(*members) -> bool:
    for member in members:
        member.check()
    owned = [member.owned for member in members]
    return all(owned) and frozenset().union(*owned) == ALL and sum(map(len, owned)) == len(ALL)


@pytest.mark.parametrize("kind, strategy", strategies())
def test_every_record_arrives_once_while_members_join_and_leave(broker, kind, strategy, topic):
    client, group = kind(broker.address), f"g-{topic}"
    first, second = (client.member(group, topic, strategy) for _ in range(2))
    with Stream(CLIENTS["confluent-kafka"](broker.address), topic) as stream:
        with second:
            with first:
                wait_until(lambda: shared(first, second), 30, "two members that share the partitions")
                reached = len(first.records), len(second.records)
                wait_until(
                    lambda: len(first.records) > reached[0] and len(second.records) > reached[1], 30, "records for both"
                )
            wait_until(lambda: shared(second), 30, "the second member to own everything")
            reached = len(stream.sent)
            wait_until(lambda: len(stream.sent) > reached, 30, "more records")
            stream.__exit__()
            wait_until(lambda: len(first.records) + len(second.records) >= len(stream.sent), 30, "every record")
    assert Counter(first.values + second.values) == Counter(stream.sent)
    assert first.records and second.records


@pytest.mark.parametrize("kind", [pytest.param(c, id=n) for n, c in CLIENTS.items()])
def test_a_static_member_that_restarts_gets_its_partitions_back_without_a_rebalance(broker, kind, topic, librdkafka_admin):
    client, group = kind(broker.address), f"g-{topic}"
    with client.member(group, topic, instance="one") as first:
        wait_until(lambda: shared(first), 30, "the first member to own everything")
        with client.member(group, topic, instance="two") as second:
            wait_until(lambda: shared(first, second), 30, "two members that share the partitions")
        before = first.owned, first.rebalances
        member_ids = ids(librdkafka_admin, group)
        assert set(member_ids) == {"one", "two"}, "closing a static member is not leaving"
        with client.member(group, topic, instance="two") as again:
            wait_until(lambda: again.owned, 30, "the partitions of the restarted member")
            assert again.owned == ALL - first.owned
            client.produce(topic, [Record(p, None, b"%d" % p) for p in range(3)])
            wait_until(lambda: len(first.records) + len(again.records) >= 3, 30, "records for both")
            assert (first.owned, first.rebalances) == before
            now = ids(librdkafka_admin, group)
    assert now["one"] == member_ids["one"]
    assert now["two"] != member_ids["two"], "a restarted static member gets a new member id"
    assert {r.partition for r in again.records} == ALL - before[0]


def ids(admin, group) -> dict[str, str]:
    """Member id by instance id."""
    described = admin.describe_consumer_groups([group])[group].result(30)
    return {member.group_instance_id: member.member_id for member in described.members}


def test_a_second_holder_of_an_instance_id_fences_the_first(broker, topic):
    client, group = CLIENTS["confluent-kafka"](broker.address), f"g-{topic}"
    first = client.member(group, topic, instance="one").join()
    wait_until(lambda: shared(first), 30, "the first holder to own everything")
    with client.member(group, topic, instance="one") as second:
        wait_until(lambda: shared(second), 30, "the second holder to own everything")

        def fenced():
            try:
                first.check()
            except Exception as failure:
                return failure
            return None

        failure = wait_until(fenced, 30, "the first holder to be fenced")
    assert "FENCED_INSTANCE_ID" in repr(failure) or "fenced" in repr(failure).lower()


def test_a_group_goes_on_where_it_stopped(client, topic):
    group = f"g-{topic}"
    for turn in (b"a", b"b"):
        client.produce(topic, [Record(p, None, turn) for p in range(3)])
        with client.member(group, topic) as member:
            wait_until(lambda: len(member.records) >= 3, 30, "three records")
        assert member.values == [turn] * 3


def test_two_groups_each_get_everything(client, topic):
    client.produce(topic, [Record(p, None, b"%d" % p) for p in range(3)])
    with client.member(f"g1-{topic}", topic) as one, client.member(f"g2-{topic}", topic) as two:
        wait_until(lambda: len(one.records) >= 3 and len(two.records) >= 3, 30, "three records each")
    assert sorted(one.values) == sorted(two.values) == [b"0", b"1", b"2"]


def test_two_kinds_of_client_share_a_group(broker, topic):
    group = f"g-{topic}"
    pure, native = CLIENTS["kafka-python"](broker.address), CLIENTS["confluent-kafka"](broker.address)
    with pure.member(group, topic) as one:
        with native.member(group, topic) as two:
            wait_until(lambda: shared(one, two), 30, "two kinds of client that share the partitions")
            native.produce(topic, [Record(p, None, b"%d" % p) for p in range(3)])
            wait_until(lambda: len(one.records) + len(two.records) >= 3, 30, "records for both")
        wait_until(lambda: shared(one), 30, "the one that stays to own everything")
    assert sorted(one.values + two.values) == [b"0", b"1", b"2"]


def test_committed_offsets_are_read_back_and_can_be_moved(client, topic):
    group = f"g-{topic}"
    client.produce(topic, [Record(0, None, b"%d" % i) for i in range(10)])
    assert client.committed(group, topic, 2) == {0: None, 1: None}
    client.commit(group, topic, {0: 10})
    assert client.committed(group, topic, 2) == {0: 10, 1: None}
    client.commit(group, topic, {0: 7})
    with client.member(group, topic) as member:
        wait_until(lambda: len(member.records) >= 3, 30, "the last three records")
    assert member.values == [b"7", b"8", b"9"]
    assert client.committed(group, topic, 2)[0] == 10
