"""One connection to a broker: requests go out, answers are read in their order. Relies on the standard library only."""

import hashlib
import socket
import struct
from collections import deque
from pathlib import Path

from harness import protocol

ANSWER_SECONDS_MAX = 10
CLOSED, NOTHING = "closed", "no answer"
keep: Path | None = None
"""Where every frame is kept that is sent, each once, without its length."""


class Connection:
    def __init__(self, address: tuple[str, int], client: str | None):
        self.client = client
        self._socket = socket.create_connection(address, timeout=ANSWER_SECONDS_MAX)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sent = 0
        self._waiting = deque()
        self.open = True

    def request(self, api: protocol.Api, version: int, body: bytes, answered: bool = True) -> None:
        self._sent += 1
        frame = protocol.encode_header(api, version, self._sent, self.client) + body
        if keep:
            (keep / f"{api.name}-{version}-{hashlib.sha1(body).hexdigest()[:12]}").write_bytes(frame)
        self.send(struct.pack(">i", len(frame)) + frame)
        if answered:
            self._waiting.append((api, version, self._sent))

    def expect(self, api: protocol.Api, version: int, correlation: int) -> None:
        """An answer to something that was sent as bytes."""
        self._waiting.append((api, version, correlation))

    def send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError:
            self.open = False

    def end_of_sending(self) -> None:
        self._socket.shutdown(socket.SHUT_WR)

    def receive(self, seconds: float = ANSWER_SECONDS_MAX):
        """The oldest outstanding answer as a dict, `CLOSED`, or `NOTHING` when none comes in time."""
        api, version, correlation = self._waiting.popleft()
        self._socket.settimeout(seconds)
        data = self._frame()
        if not isinstance(data, bytes):
            return data
        (got,) = struct.unpack_from(">i", data)
        if got != correlation:
            return {"correlation id": f"{got} instead of {correlation}"}
        return protocol.decode_answer(api, version, data[4:])

    def ends(self, seconds: float):
        """`CLOSED` when the broker closes the connection within the time, else `NOTHING`."""
        self._socket.settimeout(seconds)
        try:
            return "more bytes" if self._socket.recv(1) else CLOSED
        except TimeoutError:
            return NOTHING
        except OSError:
            return CLOSED

    def _frame(self):
        try:
            head = self._take(4)
            return head and self._take(struct.unpack(">i", head)[0]) or CLOSED
        except TimeoutError:
            self.open = False
            return NOTHING
        except OSError:
            self.open = False
            return CLOSED

    def _take(self, count: int) -> bytes | None:
        data = bytearray()
        while len(data) < count:
            part = self._socket.recv(count - len(data))
            if not part:
                self.open = False
                return None
            data += part
        return bytes(data)

    def close(self) -> None:
        self._socket.close()
