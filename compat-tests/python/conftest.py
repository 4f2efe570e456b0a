import itertools

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from broker import Broker, wait_until
from clients import CLIENTS

PARTITIONS = 3


@pytest.fixture(scope="session")
def broker(tmp_path_factory):
    with Broker(tmp_path_factory.mktemp("broker"), num_partitions=str(PARTITIONS)) as running:
        yield running


@pytest.fixture(params=CLIENTS)
def client(request, broker):
    return CLIENTS[request.param](broker.address)


_numbers = itertools.count()


@pytest.fixture
def name():
    """A name that no other test uses."""
    return f"n{next(_numbers)}"


@pytest.fixture(scope="session")
def librdkafka_admin(broker):
    return AdminClient({"bootstrap.servers": broker.address})


@pytest.fixture
def topic(librdkafka_admin, name):
    """A topic with three partitions that is ready for use."""
    librdkafka_admin.create_topics([NewTopic(name, PARTITIONS, 1)])[name].result(30)

    def ready():
        found = librdkafka_admin.list_topics(name, timeout=10).topics[name]
        return len(found.partitions) == PARTITIONS and all(p.leader >= 0 for p in found.partitions.values())

    wait_until(ready, 20, f"the leaders of {name}")
    return name
