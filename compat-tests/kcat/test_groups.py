"""`-G`: members of a group share the partitions, and the group remembers where it was."""

from collections import Counter

from broker import wait_until

ALL = {0, 1, 2}
EARLIEST = ("-X", "auto.offset.reset=earliest")


def read_as_group(kcat, group, topic) -> list[str]:
    """Joins, reads to the end of every partition, leaves."""
    with kcat.group(group, *EARLIEST, "-e").join(topic) as member:
        member.ended()
    return [m["payload"] for m in member.messages]


def test_two_members_share_the_partitions_and_every_message_arrives_once(kcat, topic):
    kcat.produce(topic, ["seed"])
    with kcat.group(f"g-{topic}", *EARLIEST).join(topic) as first:
        wait_until(lambda: first.assigned() == ALL, 30, "the first member to get everything")
        wait_until(lambda: first.messages, 30, "the seed to arrive")
        with kcat.group(f"g-{topic}", *EARLIEST).join(topic) as second:

            def shared():
                one, two = first.assigned(), second.assigned()
                return one and two and one | two == ALL and not one & two

            wait_until(shared, 60, "both members to have partitions")
            for partition in ALL:
                kcat.produce(topic, [f"{partition}-{i}" for i in range(200)], "-p", partition)
            wait_until(lambda: len(first.messages) + len(second.messages) >= 601, 40, "all messages to arrive")
            held = first.assigned(), second.assigned()
    expected = Counter(["seed", *(f"{p}-{i}" for p in ALL for i in range(200))])
    assert Counter(m["payload"] for m in first.messages + second.messages) == expected
    for member, partitions in zip((first, second), held):
        seen = {m["partition"] for m in member.messages if m["payload"] != "seed"}
        assert seen == partitions


def test_a_member_that_leaves_hands_its_partitions_to_the_other(kcat, topic):
    kcat.produce(topic, ["seed"])
    with kcat.group(f"g-{topic}", *EARLIEST).join(topic) as first:
        with kcat.group(f"g-{topic}", *EARLIEST).join(topic) as second:
            wait_until(lambda: first.assigned() and second.assigned(), 60, "both to have partitions")
        wait_until(lambda: first.assigned() == ALL, 40, "the one that stays to get everything")
        for partition in ALL:
            kcat.produce(topic, [f"{partition}"], "-p", partition)
        wait_until(lambda: len(first.messages) + len(second.messages) >= 4, 40, "all messages to arrive")
    got = Counter(m["payload"] for m in first.messages + second.messages)
    assert got == Counter(["seed", "0", "1", "2"])


def test_a_group_goes_on_where_it_stopped(kcat, topic):
    kcat.produce(topic, ["a", "b", "c"])
    assert sorted(read_as_group(kcat, f"g-{topic}", topic)) == ["a", "b", "c"]
    assert read_as_group(kcat, f"g-{topic}", topic) == []
    kcat.produce(topic, ["d"])
    assert read_as_group(kcat, f"g-{topic}", topic) == ["d"]


def test_two_groups_each_get_everything(kcat, topic):
    kcat.produce(topic, range(30))
    expected = sorted(map(str, range(30)))
    assert sorted(read_as_group(kcat, f"g1-{topic}", topic)) == expected
    assert sorted(read_as_group(kcat, f"g2-{topic}", topic)) == expected
