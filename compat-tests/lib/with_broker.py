"""Runs a command beside a broker of its own, for tests that are not written in Python.

Usage: with_broker.py [KEY=VALUE…] -- COMMAND…

KEY=VALUE are overrides of the broker's configuration. The command finds the address in the variable BROKER and the data
directory in BROKER_DATA; its exit code becomes this one's, unless the broker did not stop cleanly.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from broker import Broker, die_with_parent


def main(arguments: list[str]) -> int:
    at = arguments.index("--")
    overrides = dict(setting.split("=", 1) for setting in arguments[:at])
    with tempfile.TemporaryDirectory(prefix="broker-") as home, Broker(Path(home), **overrides) as broker:
        found = {"BROKER": broker.address, "BROKER_DATA": str(broker.data)}
        return subprocess.run(
            arguments[at + 1 :], env={**os.environ, **found}, preexec_fn=die_with_parent
        ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
