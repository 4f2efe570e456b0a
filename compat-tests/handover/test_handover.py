"""What one broker wrote, the other has: every byte of every record, topics with ids and configurations, groups with their
offsets, what producers are known by. Every owner adds to it before the next one comes."""

import pytest
from broker import wait_until

import security
import state
from asking import Asker
from owners import House
from work import GROUPS, Work

KAFKA_FIRST = ["kafka", "milena", "kafka", "milena"]
MILENA_FIRST = ["milena", "kafka", "milena", "kafka"]
# Whether the voters stand in the metadata, who begins (on a directory that nobody formatted, or that
# `format --standalone` made), and whether each is killed in the end.
CASES = {
    "voters-stopped": (False, KAFKA_FIRST, False),
    "voters-killed": (False, KAFKA_FIRST, True),
    "standalone-stopped": (True, KAFKA_FIRST, False),
    "standalone-killed": (True, MILENA_FIRST, True),
    "milenas-stopped": (False, MILENA_FIRST, False),
    "milenas-killed": (False, MILENA_FIRST, True),
}


@pytest.mark.parametrize("case", CASES)
def test_what_one_broker_wrote_the_other_has(tmp_path, case):
    dynamic, owners, killed = CASES[case]
    house = House(tmp_path, dynamic)
    if dynamic:
        house.format()
    work = Work(house, killed)
    left, epochs = {}, {}
    try:
        for stage, owner in enumerate(owners):
            house.hand_to(owner, killed)
            ask = Asker(house.port)
            if stage:
                state.compare(state.everything(ask, GROUPS), left)
                found = state.leader_epochs(ask)
                assert {key: epoch for key, epoch in epochs.items() if found[key] < epoch} == {}
                assert not list(house.data.glob("*-stray"))
                assert not house.complaints(killed)
            else:
                work.begin(ask)
            work.add(ask, owner, stage)
            left, epochs = state.everything(ask, GROUPS), state.leader_epochs(ask)
            ask.close()
        work.close()
        house.end(killed=False)
    finally:
        house.end(killed=True)


def test_what_is_not_served_yet_comes_back(tmp_path):
    """Access rules, passwords and quotas stand in the metadata; nobody asks for them in between, and nothing forgets them."""
    authorizer = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
    house = House(tmp_path, False)
    settings = {"authorizer.class.name": authorizer, "super.users": "User:ANONYMOUS"}
    house.owners["kafka"].overrides |= settings
    # Every change makes a snapshot of the metadata, which has to hold them, too.
    house.owners["milena"].overrides["metadata.log.max.record.bytes.between.snapshots"] = "1"
    try:
        house.hand_to("kafka", False)
        ask = Asker(house.port)
        security.set_up(ask)
        left = wait_until(lambda: security.complete(security.kept(ask)), 20, "access rules, passwords and quotas")
        house.hand_to("milena", False)
        ask = Asker(house.port)
        for name in ("a", "b"):
            topic = {"Name": name, "NumPartitions": 1, "ReplicationFactor": 1}
            ask.settled("CreateTopics", 5, Topics=[topic], timeoutMs=10_000)
        wait_until(lambda: list(house.data.glob("__cluster_metadata-0/*.checkpoint")), 20, "a snapshot")
        house.hand_to("kafka", False)
        assert security.kept(Asker(house.port)) == left
    finally:
        house.end(killed=True)
