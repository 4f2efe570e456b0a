"""What was acknowledged is there after a clean stop and after `kill -9`: messages, topics, group offsets."""

import pytest

from broker import Broker
from kcat import Kcat
from test_groups import read_as_group


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_acknowledged_messages_and_group_offsets_survive(tmp_path, end):
    with Broker(tmp_path) as broker:
        kcat = Kcat(broker.address)
        kcat.produce("kept", [f"k{i}:v{i}" for i in range(1000)], "-K:", "-z", "lz4")
        assert len(read_as_group(kcat, "group", "kept")) == 1000
        before = kcat.consume("kept")
        if end == "stop":
            broker.stop()
        else:
            broker.kill()
        broker.start()
        assert kcat.consume("kept") == before
        assert read_as_group(kcat, "group", "kept") == []
        kcat.produce("kept", ["later"])
        after = kcat.consume("kept")
        assert after[:1000] == before
        assert (after[1000]["payload"], after[1000]["offset"]) == ("later", 1000)
        assert read_as_group(kcat, "group", "kept") == ["later"]
