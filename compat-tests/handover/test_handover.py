"""What one broker wrote, the other has: every byte of every record, topics with ids and configurations, groups with their
offsets, what producers are known by. Every owner adds to it before the next one comes."""

import pytest
from batches import partition_batches

import state
from asking import Asker
from owners import House
from work import GROUPS, Work

KAFKA_FIRST = ["kafka", "milena", "kafka", "milena"]
MILENA_FIRST = ["milena", "kafka", "milena", "kafka"]
CASES = {
    "voters": (False, KAFKA_FIRST),
    "standalone": (True, KAFKA_FIRST),
    "milenas": (False, MILENA_FIRST),
}


@pytest.mark.parametrize("killed", [False, True], ids=["stopped", "killed"])
@pytest.mark.parametrize("case", CASES)
def test_what_one_broker_wrote_the_other_has(tmp_path, case, killed):
    dynamic, owners = CASES[case]
    house = House(tmp_path, dynamic)
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
