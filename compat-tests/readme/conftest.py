import pytest

from broker import Broker


@pytest.fixture
def broker(tmp_path):
    with Broker(tmp_path) as running:
        yield running
