import pytest
from harness import brokers


@pytest.fixture(scope="session", autouse=True)
def jars():
    brokers.need_kafka()
