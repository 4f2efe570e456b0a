"""Turns what a scenario says into what a request holds: variables, times, repeated text, record batches.

`$name` is a variable, `$$` a dollar. A number may be `T+50` (the run's base time, an hour ago), `NOW-5` or `$saved+1`.
Text may be `{text: x, times: 300}`, bytes `{hex: 00ff}`, `{subscription: [topics]}` or `{assignment: {topic: [partitions]}}`.
"""

import re
import struct
import time

from harness import batches
from harness.protocol import NUMBERS, Field

VARIABLE = re.compile(r"\$(?:\{([^}]+)\}|([A-Za-z][\w-]*(?:\.id\b)?)|(\$))")
HOUR_MS = 3_600_000


class Variables:
    """What one run of a scenario knows: its own unique tag, its base time, saved values."""

    def __init__(self, run: str):
        self.values = {"run": run}
        self.base_time = (int(time.time() * 1000) - HOUR_MS) // 1000 * 1000

    def __getitem__(self, name: str):
        if name not in self.values:
            raise KeyError(f"no variable ${name}; there are: {', '.join(sorted(self.values))}")
        return self.values[name]

    def __setitem__(self, name: str, value) -> None:
        self.values[name] = value

    def text(self, value):
        """The variables in a text replaced. A text that is one variable becomes its value, of whatever type."""
        if isinstance(value, dict):
            return self.text(value["text"]) * value["times"]
        if not isinstance(value, str):
            return value
        whole = VARIABLE.fullmatch(value)
        if whole and not whole[3]:
            return self[whole[1] or whole[2]]
        return VARIABLE.sub(lambda found: found[3] or str(self[found[1] or found[2]]), value)

    def number(self, value):
        if not isinstance(value, str):
            return value
        found = re.fullmatch(r"(T|NOW|\$[\w.-]+?)?([+-]?\d+)?", value)
        if not found:
            raise ValueError(f"{value!r} is no number")
        first, more = found.groups()
        start = {"T": self.base_time, "NOW": int(time.time() * 1000), None: 0}
        return (start[first] if first in start else self[first[1:]]) + int(more or 0)

    def octets(self, value) -> bytes | None:
        if isinstance(value, dict):
            if "hex" in value:
                return bytes.fromhex(str(value["hex"]))
            if "subscription" in value:
                return subscription([self.text(topic) for topic in value["subscription"]])
            if "assignment" in value:
                return assignment({self.text(topic): parts for topic, parts in value["assignment"].items()})
        value = self.text(value)
        return value.encode() if isinstance(value, str) else value

    def batch(self, value: dict) -> bytes:
        made = dict(value)
        made["records"] = [self.record(record) for record in value.get("records", [])]
        for name in value.keys() - {"records", "codec", "body"}:
            made[name] = self.number(value[name])
        if "body" in value:
            made["body"] = bytes.fromhex(str(value["body"]))
        return batches.build_batch(made, self.base_time)

    def record(self, value: dict) -> dict:
        made = dict(value)
        for name in ("key", "value"):
            made[name] = self.octets(value.get(name))
        if "timestamp" in value:
            made["timestamp"] = self.number(value["timestamp"])
        made["headers"] = [(self.octets(k), self.octets(v)) for k, v in value.get("headers", [])]
        return made

    def records(self, value) -> bytes | None:
        """From null, `{hex: …}`, one batch, a list of batches, or a list of records (one batch)."""
        if value is None or isinstance(value, (bytes, str)):
            return self.octets(value)
        if isinstance(value, dict):
            if "hex" in value:
                return self.octets(value)
            if "batches" in value:
                return self.records(value["batches"]) + bytes.fromhex(str(value.get("tail", "")))
            return self.batch(value)
        if value and all("records" in item or "body" in item for item in value):
            return b"".join(self.batch(item) for item in value)
        return self.batch({"records": value}) if value else b""

    def field(self, f: Field, value):
        """A value of a request's field."""
        if isinstance(value, str) and VARIABLE.fullmatch(value) and value != "$$":
            return self.text(value)
        if value is None:
            return None
        if f.kind in NUMBERS:
            return self.number(value)
        if f.kind == "string" or f.kind == "uuid":
            return self.text(value)
        if f.kind == "bytes":
            return self.octets(value)
        if f.kind == "records":
            return self.records(value)
        if f.kind.startswith("[]"):
            return [self.field(f.item, item) for item in value]
        return self.fields(f.fields, value) if f.kind == "{}" else value

    def fields(self, fields: list[Field], values: dict) -> dict:
        by_name = {f.name: f for f in fields}
        unknown = values.keys() - by_name.keys()
        if unknown:
            raise KeyError(f"no field is called {', '.join(sorted(unknown))}; there are: {', '.join(by_name)}")
        return {name: self.field(by_name[name], value) for name, value in values.items()}


def short(data: bytes) -> bytes:
    return struct.pack(">h", len(data)) + data


def subscription(topics: list[str]) -> bytes:
    """A consumer's subscription, version 0, without user data."""
    return struct.pack(">hi", 0, len(topics)) + b"".join(short(t.encode()) for t in topics) + struct.pack(">i", -1)


def assignment(partitions: dict[str, list[int]]) -> bytes:
    """A consumer's assignment, version 0, without user data."""
    out = struct.pack(">hi", 0, len(partitions))
    for topic, numbers in partitions.items():
        out += short(topic.encode()) + struct.pack(f">i{len(numbers)}i", len(numbers), *numbers)
    return out + struct.pack(">i", -1)
