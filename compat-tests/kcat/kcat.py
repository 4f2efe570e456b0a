"""Calls the kcat binary with bounded waits."""

import json
import signal
import subprocess
import threading
from pathlib import Path

from broker import die_with_parent

SECONDS_MAX = 40
# kcat notices the end of a partition by an empty fetch; half a second for each call adds up.
FAST_END = ("-X", "fetch.wait.max.ms=50")


class Kcat:
    def __init__(self, address: str):
        self.address = address

    def run(self, *arguments, stdin: bytes = b"", check: bool = True) -> subprocess.CompletedProcess:
        done = subprocess.run(
            ["kcat", "-b", self.address, *map(str, arguments)],
            input=stdin,
            capture_output=True,
            timeout=SECONDS_MAX,
        )
        if check:
            assert done.returncode == 0, f"{done.args} ended with {done.returncode}: {done.stderr.decode()}"
        return done

    def produce(self, topic, lines, *arguments) -> None:
        """One message a line."""
        text = "".join(f"{line}\n" for line in lines)
        self.run("-P", "-t", topic, *arguments, stdin=text.encode())

    def consume(self, topic, *arguments) -> list[dict]:
        """Every message up to the end of the topic, as kcat's JSON envelopes."""
        out = self.run("-C", "-t", topic, "-e", "-q", "-J", *FAST_END, *arguments).stdout
        return [json.loads(line) for line in out.splitlines()]

    def payloads(self, topic, *arguments) -> list[str]:
        return [message["payload"] for message in self.consume(topic, *arguments)]

    def metadata(self, *arguments) -> dict:
        return json.loads(self.run("-L", "-J", *arguments).stdout)

    def group(self, group, *arguments) -> "Member":
        return Member(["kcat", "-b", self.address, *map(str, arguments), "-u", "-J", "-G", group])


class Member:
    """A kcat consumer in a group, running until it is stopped."""

    def __init__(self, command):
        self._command = command
        self._process = None
        self._readers = []
        self.messages: list[dict] = []
        self.errors: list[str] = []

    def join(self, topic) -> "Member":
        self._process = subprocess.Popen(
            [*self._command, topic],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=die_with_parent,
        )
        self._follow(self._process.stdout, lambda line: self.messages.append(json.loads(line)))
        self._follow(self._process.stderr, self.errors.append)
        return self

    def _follow(self, stream, take):
        def read():
            for line in stream:
                take(line.decode().rstrip("\n"))

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        self._readers.append(reader)

    def assigned(self) -> set[int]:
        """The partitions of the last assignment that kcat reported."""
        for line in reversed(list(self.errors)):
            if "revoked:" in line:
                return set()
            if "assigned:" in line:
                listed = line.split("assigned:")[1].split(",")
                return {int(part.split("[")[1].split("]")[0]) for part in listed if "[" in part}
        return set()

    def ended(self) -> None:
        """Waits until kcat ends by itself (`-e`)."""
        self._process.wait(SECONDS_MAX)

    def leave(self) -> None:
        """Ends as a user's Ctrl-C does: offsets committed, group left."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        for reader in self._readers:
            reader.join()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.leave()


def write_message(folder: Path, size: int) -> Path:
    """A file of `size` bytes that hardly compresses and whose content depends on the position."""
    file = folder / f"message-{size}"
    file.write_bytes(b"".join(b"%08x" % (i * 2654435761 % 2**32) for i in range(size // 8 + 1))[:size])
    return file
