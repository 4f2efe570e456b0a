"""Requests to whoever serves, as dicts of the protocol's fields."""

from contextlib import suppress

from broker import wait_until
from harness import protocol
from harness.connection import Connection

RETRIABLE = (3, 5, 6, 14, 15, 16)
"""A partition that is not there yet or has no leader yet; a coordinator that loads or is not there yet."""


class Asker:
    def __init__(self, port: int):
        self.connection = Connection(("127.0.0.1", port), "handover")

    def __call__(self, name: str, version: int, **values) -> dict:
        api = protocol.api(name)
        self.connection.request(api, version, protocol.encode_body(api, version, values))
        answer = self.connection.receive()
        assert isinstance(answer, dict), f"{name} {version}: {answer}"
        return answer

    def settled(self, name: str, version: int, **values) -> dict:
        """As a call, repeated while something is not ready; the answer must bring no other error."""

        def answer():
            found = self(name, version, **values)
            return None if any(code in RETRIABLE for code in errors(found)) else found

        found = wait_until(answer, 30, f"{name} in service")
        assert not any(errors(found)), f"{name}: {found}"
        return found

    def close(self) -> None:
        with suppress(OSError):
            self.connection.close()


def errors(answer):
    """Every error code in an answer, at any depth."""
    if isinstance(answer, dict):
        for key, value in answer.items():
            if key == "ErrorCode":
                yield value
            else:
                yield from errors(value)
    elif isinstance(answer, list):
        for item in answer:
            yield from errors(item)
