"""Two data directories go back and forth like one, and every partition stays in the one where it is."""

import pytest
from broker import wait_until

import state
from asking import Asker
from owners import House
from work import ready

OWNERS = ["kafka", "milena", "kafka", "milena"]
PARTITIONS = 4


def write(ask: Asker, house: House, owner: str, stage: int) -> None:
    """Records everywhere, offsets, a configuration, and a topic that this owner places."""
    for name, partitions in [("spread", PARTITIONS), ("compacted", 1), (f"made-{stage}", PARTITIONS)]:
        if stage == 0 or name.startswith("made"):
            topic = {"Name": name, "NumPartitions": partitions, "ReplicationFactor": 1}
            ask.settled("CreateTopics", 5, Topics=[topic], timeoutMs=10_000)
            ready(ask, name, partitions)
        for at in range(partitions):
            house.append(ask, name, at, [b"%s %d %d" % (owner.encode(), stage, n) for n in range(3)])
    change = {"Name": "retention.bytes", "ConfigOperation": 0, "Value": str(10_000_000 + stage)}
    resource = {"ResourceType": state.TOPIC, "ResourceName": "spread", "Configs": [change]}
    ask.settled("IncrementalAlterConfigs", 1, Resources=[resource])
    ask.settled("FindCoordinator", 3, Key="readers", KeyType=0)
    commits = [{"PartitionIndex": at, "CommittedOffset": stage + 1} for at in range(PARTITIONS)]
    topics = [{"Name": "spread", "Partitions": commits}]
    ask.settled("OffsetCommit", 8, GroupId="readers", GenerationIdOrMemberEpoch=-1, Topics=topics)


@pytest.mark.parametrize("killed", [False, True], ids=["stopped", "killed"])
def test_two_data_directories_go_back_and_forth(tmp_path, killed):
    house = House(tmp_path, False, ["data", "beside"])
    left, lay, epochs = {}, {}, {}
    try:
        for stage, owner in enumerate(OWNERS):
            house.hand_to(owner, killed)
            ask = Asker(house.port)
            if stage:
                state.compare(state.everything(ask, ["readers"]), left)
                found = state.leader_epochs(ask)
                assert {key: epoch for key, epoch in epochs.items() if found[key] < epoch} == {}
                assert {name: where for name, where in house.partitions().items() if name in lay} == lay
                assert not [name for name in house.partitions() if name.endswith("-stray")]
                assert not house.complaints(killed)
            write(ask, house, owner, stage)
            wait_until(lambda: len(set(house.partitions("spread-").values())) == 2, 10, "partitions in both")
            left, epochs, lay = state.everything(ask, ["readers"]), state.leader_epochs(ask), house.partitions()
            ask.close()
        house.end(killed=False)
    finally:
        house.end(killed=True)
