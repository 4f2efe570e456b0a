"""Runs the scenarios in `java/scenarios`: Kafka's own clients against one broker, one JVM for all of them."""

import json
import subprocess
from pathlib import Path

from broker import Broker, die_with_parent

from harness.brokers import HOME, JVM, Brokers
from harness.normal import Normal
from harness.recording import pretty
from harness.scenario import Unfit

SOURCES = HOME / "java"
CLASSES = HOME / "target" / "classes"
RECORDED = HOME / "recorded" / "java"
SECONDS_MAX = 240


def names() -> list[str]:
    return sorted(path.stem for path in (SOURCES / "scenarios").glob("*.java"))


def build() -> None:
    sources = sorted(SOURCES.glob("*/*.java"))
    stamp = CLASSES / "built"
    texts = "".join(path.read_text() for path in sources)
    if stamp.exists() and stamp.read_text() == texts:
        return
    command = ["javac", "-Xlint:all,-try", "-cp", f"{HOME}/target/libs/*", "-d", str(CLASSES), *map(str, sources)]
    subprocess.run(command, check=True)
    stamp.write_text(texts)


def play(chosen: list[str], broker: Broker) -> dict[str, dict[str, str]]:
    """Scenario → label → result."""
    build()
    at = JVM.index("-cp")
    path = f"{CLASSES}:{JVM[at + 1]}"
    quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=off"
    command = [*JVM[:at], quiet, "-cp", path, "differential.Runner", broker.address, str(CLASSES), *chosen]
    try:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=die_with_parent,
            timeout=SECONDS_MAX,
        )
    except subprocess.TimeoutExpired as late:
        raise Unfit(f"the Java scenarios took more than {SECONDS_MAX} s:\n{str(late.stdout)[-2000:]}") from None
    if not done.stdout.endswith("done\n"):
        raise Unfit(f"the Java scenarios ended early:\n{done.stdout[-2000:]}")
    found: dict[str, dict[str, str]] = {}
    normal = None
    for line in done.stdout.splitlines()[:-1]:
        name, label, value = line.split("\t", 2)
        if label == "run":
            normal = Normal(value, broker.port, 0)
            found[name] = {}
        else:
            found[name][label] = normal.text(value)
    return found


def play_on(kind: type[Broker], chosen: list[str], times: int = 1) -> list[dict[str, dict[str, str]]]:
    """As often as wanted on the same broker."""
    brokers = Brokers(kind)
    try:
        return [play(chosen, brokers.shared({})) for _ in range(times)]
    finally:
        brokers.close()


def load(name: str) -> dict[str, str]:
    path = recorded(name)
    return json.loads(path.read_text()) if path.exists() else {}


def store(name: str, results: dict[str, str]) -> None:
    path = recorded(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(pretty(results) + "\n")


def recorded(name: str) -> Path:
    return RECORDED / f"{name}.json"
