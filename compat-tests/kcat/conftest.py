import itertools

import pytest

from broker import Broker
from kcat import Kcat

PARTITIONS = 3


@pytest.fixture(scope="session")
def broker(tmp_path_factory):
    home = tmp_path_factory.mktemp("broker")
    with Broker(home, num_partitions=str(PARTITIONS), message_max_bytes="5000000") as running:
        yield running


@pytest.fixture
def kcat(broker):
    return Kcat(broker.address)


_numbers = itertools.count()


@pytest.fixture
def topic(request):
    """A topic name that no other test uses."""
    return f"t{next(_numbers)}"
