"""Runs the broker's release binary for a test: free port, temporary data directory, bounded waits.

Relies on the standard library only. Never ends a process that it did not start.
`MILENA_BIN` names another binary that takes the same command line.
"""

import ctypes
import os
import random
import signal
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
READY = b"Transitioning from RECOVERY to RUNNING"
# A JVM broker needs about 12 s after a kill until its old session has run out.
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 60


def binary() -> Path:
    """The broker under test."""
    named = os.environ.get("MILENA_BIN")
    if named:
        return Path(named)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "release" / "milena"


def free_port() -> int:
    """A port below the ephemeral range, where no outgoing connection can take it between two starts."""
    while True:
        port = random.randrange(10_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def wait_until(condition, seconds: float, what: str):
    """Returns the first true value of `condition()`, or fails after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain: {what}")
        time.sleep(0.02)


# Loaded before anything forks: between fork and exec, other threads may hold what loading needs.
LIBC = ctypes.CDLL(None)


def die_with_parent() -> None:
    """For `preexec_fn`: a child must not outlive a test run that was killed (PR_SET_PDEATHSIG)."""
    LIBC.prctl(1, signal.SIGKILL)


class Broker:
    """One broker process that can be stopped, killed and started again on the same port and directory."""

    # How it ends after SIGTERM.
    stop_code = 0

    def __init__(self, home: Path, **overrides: str):
        """`overrides` are configuration keys, with `_` for `.`."""
        self.home = Path(home)
        self.data = self.home / "data"
        self.log = self.home / "broker.log"
        self.port = free_port()
        self.overrides = {key.replace("_", "."): value for key, value in overrides.items()}
        self.process = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def command(self, settings: dict[str, str]) -> list[str]:
        """What is run, as arguments."""
        arguments = [("--override", f"{key}={value}") for key, value in settings.items()]
        return [str(binary()), *(word for pair in arguments for word in pair)]

    def start(self) -> "Broker":
        assert self.process is None, "the broker is running already"
        settings = {
            "listeners": f"PLAINTEXT://{self.address}",
            "log.dirs": str(self.data),
            **self.overrides,
        }
        self.home.mkdir(parents=True, exist_ok=True)
        command = self.command(settings)
        begin = self.log.stat().st_size if self.log.exists() else 0
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent,
            )

        def ready():
            with open(self.log, "rb") as log:
                log.seek(begin)
                if READY in log.read():
                    return True
            code = self.process.poll()
            assert code is None, f"the broker ended with code {code} before it was ready:\n{self.tail()}"
            return False

        wait_until(ready, START_SECONDS_MAX, f"the broker's readiness line\n{self.tail()}")
        return self

    def stop(self) -> None:
        """A clean stop: SIGTERM, and an exit code that says so."""
        process, self.process = self.process, None
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the broker did not stop on SIGTERM:\n{self.tail()}") from None
        assert code == self.stop_code, f"exit code {code} after SIGTERM:\n{self.tail()}"
        assert "panicked at" not in self.log.read_text(errors="replace"), self.tail()

    def kill(self) -> None:
        """`kill -9`."""
        process, self.process = self.process, None
        process.kill()
        process.wait()

    def restart(self) -> None:
        self.stop()
        self.start()

    def partition(self, topic: str, index: int = 0) -> Path:
        """The data directory of a partition."""
        return self.data / f"{topic}-{index}"

    def tail(self, lines: int = 40) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def __enter__(self) -> "Broker":
        return self.start()

    def __exit__(self, kind, value, trace) -> None:
        if self.process is None:
            return
        if kind is None:
            self.stop()
        else:
            self.kill()
