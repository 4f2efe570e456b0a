"""Reads a scenario and plays it against a broker. README.md tells what a scenario may hold."""

import fnmatch
import random
import re
import struct
import time
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from harness import protocol
from harness.connection import ANSWER_SECONDS_MAX, Connection
from harness.normal import Normal
from harness.values import Variables

HOME = Path(__file__).resolve().parents[1]
SCENARIOS = HOME / "scenarios"
SETTLE_SECONDS_MAX = 15
CLOSE_SECONDS_MAX = 5
HELPERS = {"topic", "settle", "gone", "produce", "coordinator", "pause", "receive", "closes", "bytes", "frame"}
OPTIONS = {
    "connection", "version", "save", "name", "setup", "later", "answer", "until", "when", "extra", "cut", "client", "as",
    "end", "body", "sort", "within",
}  # fmt: skip


class Unfit(Exception):
    """The scenario itself is wrong, or its set-up failed."""


@dataclass
class Scenario:
    name: str
    about: str
    api: str
    versions: list[int]
    steps: list[dict]
    broker: dict = field(default_factory=dict)
    alone: bool = False

    def uses(self) -> set[tuple[str, int]]:
        """Each (API, version) that is asked and compared."""
        found = set()
        for version in self.versions:
            for step in self.steps:
                name = verb(step)
                if name not in HELPERS and not step.get("setup") and applies(step, version):
                    found.add((name, step_version(self, step, name, version)))
        return found


    def asked(self) -> dict[str, tuple[str, int | None]]:
        """What a step's label stands for: the API, and its version when that is not the version under test."""
        found = {}
        for number, step in enumerate(self.steps, 1):
            name = verb(step)
            if name in ("frame", "bytes"):
                (pair,) = step.get("as", {"ApiVersions": 0}).items()
                found[label_of(number, step)] = pair
            elif name not in HELPERS:
                under_test = name == self.api and "version" not in step
                version = None if under_test else step_version(self, step, name, 0)
                found[label_of(number, step)] = (name, version)
        return found


def label_of(number: int, step: dict) -> str:
    return step.get("name", f"{number} {verb(step)}")


def verb(step: dict) -> str:
    names = step.keys() - OPTIONS
    if len(names) != 1:
        raise Unfit(f"a step has one API or helper, not {sorted(names)}")
    return names.pop()


def applies(step: dict, version: int) -> bool:
    return "when" not in step or version in protocol.Versions.of(str(step["when"]))


def step_version(scenario: Scenario, step: dict, name: str, version: int) -> int:
    if "version" in step:
        return step["version"]
    return version if name == scenario.api else protocol.api(name).request.versions.high


def parse_versions(text: str) -> tuple[str, list[int]]:
    """`Fetch 4-11,13` or `Fetch all`."""
    name, _, rest = text.partition(" ")
    served = protocol.api(name).request.versions
    parts = [f"{served.low}-{served.high}"] if rest in ("", "all") else rest.split(",")
    return name, [version for part in parts for version in expand(part.strip(), served)]


def expand(part: str, served: protocol.Versions):
    wanted = protocol.Versions.of(part)
    return range(wanted.low, min(wanted.high, max(served.high, wanted.low) if part.endswith("+") else wanted.high) + 1)


def read(path: Path) -> Scenario:
    name = str(path.relative_to(SCENARIOS).with_suffix(""))
    try:
        data = yaml.safe_load(path.read_text())
        unknown = data.keys() - {"about", "broker", "alone", "versions", "steps"}
        if unknown:
            raise Unfit(f"unknown: {', '.join(sorted(unknown))}")
        api, versions = parse_versions(data["versions"])
        broker = {key: str(value) for key, value in data.get("broker", {}).items()}
        for number, step in enumerate(data["steps"], 1):
            if not isinstance(label_of(number, step), str):
                raise Unfit("a label is no text: YAML wants quotes around it")
        return Scenario(name, data["about"], api, versions, data["steps"], broker, data.get("alone", False))
    except Exception as error:
        raise Unfit(f"{name}: {type(error).__name__}: {error}") from error


def is_named(name: str, patterns: list[str]) -> bool:
    """Whether a pattern names it, or begins it."""
    return any(fnmatch.fnmatchcase(name, pattern) or name.startswith(pattern) for pattern in patterns)


def read_all(patterns: list[str] = ()) -> list[Scenario]:
    """The scenarios that are named, or all."""
    found = [read(path) for path in sorted(SCENARIOS.glob("*/*.yaml"))]
    return [s for s in found if is_named(s.name, patterns)] if patterns else found


class Play:
    """One run: a scenario in one version against one broker."""

    def __init__(self, scenario: Scenario, version: int, address: tuple[str, int]):
        self.scenario, self.version, self.address = scenario, version, address
        run = f"{random.randrange(16**8):08x}"
        self.variables = Variables(run)
        self.normal = Normal(run, address[1], self.variables.base_time, str(scenario.steps))
        self.connections: dict[str, Connection] = {}
        self.pending: dict[str, list] = {}
        self.results: dict[str, object] = {}

    def run(self) -> dict[str, object]:
        """Step → normalised answer, in order."""
        try:
            for number, step in enumerate(self.scenario.steps, 1):
                if applies(step, self.version):
                    self.step(number, step)
        finally:
            for connection in self.connections.values():
                connection.close()
        return self.results

    def step(self, number: int, step: dict) -> None:
        name = verb(step)
        label = label_of(number, step)
        try:
            if name in HELPERS:
                getattr(self, name)(label, step, step[name])
            else:
                self.ask(label, step, name)
        except (Unfit, KeyError, ValueError, TypeError, struct.error, protocol.Malformed) as error:
            raise Unfit(f"step {label}: {type(error).__name__}: {error}") from error

    # --- the way of a request

    def connection(self, step: dict) -> Connection:
        name = step.get("connection", "main")
        found = self.connections.get(name)
        if found is None or not found.open:
            found = Connection(self.address, step.get("client", "differential"))
            self.connections[name] = found
            self.pending[name] = []
        return found

    def ask(self, label: str, step: dict, name: str) -> None:
        api = protocol.api(name)
        version = step_version(self.scenario, step, name, self.version)
        until = step.get("until")
        end = time.monotonic() + SETTLE_SECONDS_MAX
        while True:
            connection = self.connection(step)
            answered = step.get("answer") != "none"
            connection.request(api, version, self.body(api, version, step, name), answered)
            if not answered:
                return
            if step.get("later"):
                self.pending[step.get("connection", "main")].append((label, step, api))
                return
            answer = connection.receive(step.get("within", ANSWER_SECONDS_MAX))
            if until is None or all(at(answer, path) == self.variables.text(v) for path, v in until.items()):
                break
            if time.monotonic() > end:
                raise Unfit(f"never {until}: {answer}")
            time.sleep(0.02)
        self.keep(label, step, api, answer)

    def body(self, api: protocol.Api, version: int, step: dict, name: str) -> bytes:
        if "body" in step:
            return bytes.fromhex(str(step["body"]))
        values = self.variables.fields(api.request.fields, step[name] or {})
        body = protocol.encode_body(api, version, values) + bytes.fromhex(str(step.get("extra", "")))
        return body[: len(body) - step.get("cut", 0)]

    def keep(self, label: str, step: dict, api: protocol.Api, answer) -> None:
        for name, path in step.get("save", {}).items():
            self.variables[name] = at(answer, path)
        if step.get("setup"):
            return
        if label in self.results:
            raise Unfit(f"two steps are called {label}")
        self.results[label] = self.normal.answer(api, answer, step.get("sort", {}))

    def call(self, name: str, version: int, values: dict):
        """A request of a helper, on a connection of its own."""
        api = protocol.api(name)
        connection = self.connection({"connection": "set-up"})
        connection.request(api, version, protocol.encode_body(api, version, values))
        return connection.receive()

    def until(self, what: str, condition):
        end = time.monotonic() + SETTLE_SECONDS_MAX
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > end:
                raise Unfit(f"waited in vain: {what}")
            time.sleep(0.01)

    # --- helpers

    def topic(self, label: str, step: dict, want) -> None:
        """Creates `<name>-$run` and waits until its partitions serve; `$name` and `$name.id` are set."""
        want = {"name": want} if isinstance(want, str) else want
        full = f"{want['name']}-{self.variables['run']}"
        made = {"Name": full, "NumPartitions": want.get("partitions", 1), "ReplicationFactor": 1}
        made["Configs"] = [{"Name": k, "Value": str(v)} for k, v in want.get("configs", {}).items()]
        answer = self.call("CreateTopics", 7, {"Topics": [made], "timeoutMs": 10_000})
        if answer["Topics"][0]["ErrorCode"]:
            raise Unfit(f"{full} was not created: {answer}")
        self.variables[want["name"]] = full
        self.variables[f"{want['name']}.id"] = answer["Topics"][0]["TopicId"]
        self.normal.topic(full, answer["Topics"][0]["TopicId"])
        self.serving(full, made["NumPartitions"])

    def settle(self, label: str, step: dict, want) -> None:
        """Waits until a topic has that many partitions and each one serves."""
        want = {"topic": want} if isinstance(want, str) else want
        self.serving(self.variables.text(want["topic"]), want.get("partitions", 1))

    def metadata(self, topic: str) -> dict:
        answer = self.call("Metadata", 12, {"Topics": [{"Name": topic}], "AllowAutoTopicCreation": False})
        return answer["Topics"][0]

    def serving(self, topic: str, partitions: int) -> None:
        def ready():
            found = self.metadata(topic)
            if found["ErrorCode"] or len(found["Partitions"]) != partitions:
                return False
            asked = [{"PartitionIndex": number, "Timestamp": -1} for number in range(partitions)]
            answer = self.call(
                "ListOffsets", 7, {"ReplicaId": -1, "Topics": [{"Name": topic, "Partitions": asked}]}
            )
            return all(p["ErrorCode"] == 0 for p in answer["Topics"][0]["Partitions"])

        self.until(f"{topic} with {partitions} partitions", ready)

    def gone(self, label: str, step: dict, topic: str) -> None:
        """Waits until a topic is unknown."""
        name = self.variables.text(topic)
        self.until(f"{name} is gone", lambda: self.metadata(name)["ErrorCode"] == 3)

    def produce(self, label: str, step: dict, want: dict) -> None:
        """Appends one batch: `topic`, `partition`, and what a batch has. It has to succeed."""
        want = dict(want)
        topic, partition = self.variables.text(want.pop("topic")), want.pop("partition", 0)
        data = {"Index": partition, "Records": self.variables.batch(want)}
        answer = self.call(
            "Produce",
            9,
            {"Acks": -1, "TimeoutMs": 10_000, "TopicData": [{"Name": topic, "PartitionData": [data]}]},
        )
        if answer["Responses"][0]["PartitionResponses"][0]["ErrorCode"]:
            raise Unfit(f"not appended: {answer}")

    def coordinator(self, label: str, step: dict, group: str) -> None:
        """Waits until the group's coordinator serves."""
        group = self.variables.text(group)

        def ready():
            found = self.call("FindCoordinator", 3, {"Key": group, "KeyType": 0})
            return found["ErrorCode"] == 0 and self.call("OffsetFetch", 7, {"GroupId": group})["ErrorCode"] == 0

        self.until(f"a coordinator for {group}", ready)

    def pause(self, label: str, step: dict, milliseconds: int) -> None:
        """For what only time brings, a session that runs out: there is no condition to wait for."""
        time.sleep(milliseconds / 1000)

    def receive(self, label: str, step: dict, connection: str) -> None:
        """The oldest answer that is outstanding on a connection; it stands under the label of its request."""
        if not self.pending.get(connection):
            raise Unfit(f"nothing is outstanding on {connection}")
        label, asked, api = self.pending[connection].pop(0)
        saved = asked.get("save", {}) | step.get("save", {})
        self.keep(label, {**asked, "save": saved}, api, self.connections[connection].receive())

    def closes(self, label: str, step: dict, connection: str) -> None:
        """Whether the broker closes the connection."""
        self.results[label] = self.connections[connection].ends(CLOSE_SECONDS_MAX)

    def frame(self, label: str, step: dict, data: str) -> None:
        """Bytes with their length in front; `as: {Api: version}` decodes the answer, its correlation id being 7."""
        raw = bytes.fromhex(str(data))
        self.send(label, step, struct.pack(">i", len(raw)) + raw)

    def bytes(self, label: str, step: dict, data: str) -> None:
        """Bytes as they are."""
        self.send(label, step, bytes.fromhex(str(data)))

    def send(self, label: str, step: dict, data) -> None:
        connection = self.connection(step)
        connection.send(data)
        if step.get("end"):
            connection.end_of_sending()
        if step.get("answer") == "none":
            return
        ((name, version),) = step.get("as", {"ApiVersions": 0}).items()
        api = protocol.api(name)
        connection.expect(api, version, 7)
        self.keep(label, step, api, connection.receive())


def at(answer, path: str):
    """`Topics.0.ErrorCode` of an answer; None where there is no such place."""
    for part in re.split(r"\.", path):
        if isinstance(answer, dict):
            answer = answer.get(part)
        elif isinstance(answer, list) and int(part) < len(answer):
            answer = answer[int(part)]
        else:
            return None
    return answer
