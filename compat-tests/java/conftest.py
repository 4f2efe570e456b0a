import itertools

import pytest

from broker import Broker
from tools import Tools, ToolServer


@pytest.fixture(scope="session")
def server():
    running = ToolServer()
    yield running
    running.close()


@pytest.fixture(scope="session")
def broker(tmp_path_factory):
    with Broker(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture(scope="session")
def tools(server, broker):
    return Tools(server, broker.address)


_numbers = itertools.count()


@pytest.fixture
def topic():
    """A topic name that no other test uses."""
    return f"t{next(_numbers)}"
