"""Recorded answers: one JSON file a scenario, versions with equal answers together, a line for what fits in one."""

import json
from pathlib import Path

from harness import protocol
from harness.protocol import Field

WIDTH = 140


def pretty(value, indent: int = 0) -> str:
    """JSON that breaks only what does not fit into a line."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) + indent <= WIDTH or not isinstance(value, (dict, list)) or not value:
        return line
    inner = " " * (indent + 1)
    if isinstance(value, dict):
        parts = [f"{json.dumps(key, ensure_ascii=False)}: {pretty(item, indent + 1)}" for key, item in value.items()]
        return "{\n" + ",\n".join(inner + part for part in parts) + "\n" + " " * indent + "}"
    return "[\n" + ",\n".join(inner + pretty(item, indent + 1) for item in value) + "\n" + " " * indent + "]"


def ranges(versions: list[int]) -> str:
    """`0-3,5` of a rising list."""
    parts = []
    for version in versions:
        if parts and parts[-1][1] == version - 1:
            parts[-1][1] = version
        else:
            parts.append([version, version])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in parts)


def numbers(text: str) -> list[int]:
    found = []
    for part in text.split(","):
        low, _, high = part.partition("-")
        found += range(int(low), int(high or low) + 1)
    return found


def project(fields: list[Field], answer: dict, version: int) -> dict:
    """What a version has of an answer that holds the fields of several."""
    known = {f.name: f for f in fields}
    out = {}
    for name, value in answer.items():
        f = known.get(name)
        if f is None:
            out[name] = value
        elif version in f.versions:
            out[name] = inside(f, value, lambda item, f=f: project(f.fields, item, version))
    return out


def inside(f: Field, value, change):
    if isinstance(value, dict):
        return change(value)
    if f.kind == "[]" and isinstance(value, list):
        return [change(item) if isinstance(item, dict) else item for item in value]
    return value


def merge(fields: list[Field], one, other):
    """An answer with the fields of both; where both have a field, the second one's value stands."""
    if isinstance(one, dict) and isinstance(other, dict):
        known = {f.name: f for f in fields}
        names = [name for name in known if name in one or name in other]
        names += [name for name in {**one, **other} if name not in known]
        inner = lambda name: known[name].fields if name in known else []
        return {
            name: merge(inner(name), one[name], other[name])
            if name in one and name in other
            else one.get(name, other.get(name))
            for name in names
        }
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [merge(fields, *pair) for pair in zip(one, other)]
    return other


class Recording:
    """One scenario's answers. Versions whose answers differ only in the fields that they have stand together."""

    def __init__(self, path: Path, asked: dict[str, tuple[str, int | None]]):
        """`asked`: what a step's label stands for, the API and its version when that is always the same."""
        self.path = path
        self.fields = {label: protocol.api(name).response.fields for label, (name, _) in asked.items()}
        self.fixed = {label: version for label, (_, version) in asked.items()}

    def load(self) -> dict[int, dict]:
        """Version → step → answer; empty when nothing is recorded."""
        if not self.path.exists():
            return {}
        groups = json.loads(self.path.read_text())
        return {version: self._of(steps, version) for key, steps in groups.items() for version in numbers(key)}

    def store(self, by_version: dict[int, dict]) -> None:
        groups: list[tuple[list[int], dict]] = []
        for version, steps in sorted(by_version.items()):
            for index, (versions, merged) in enumerate(groups):
                both = self._merge(merged, steps)
                if all(self._of(both, v) == by_version[v] for v in [*versions, version]):
                    groups[index] = ([*versions, version], both)
                    break
            else:
                groups.append(([version], steps))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(pretty({ranges(versions): steps for versions, steps in groups}) + "\n")

    def _of(self, steps: dict, version: int) -> dict:
        def of(label, answer):
            fixed = self.fixed.get(label)
            return project(self.fields[label], answer, version if fixed is None else fixed)

        return {label: of(label, answer) if isinstance(answer, dict) else answer for label, answer in steps.items()}

    def _merge(self, one: dict, other: dict) -> dict:
        if one.keys() != other.keys():
            return other
        return {label: merge(self.fields.get(label, []), one[label], other[label]) for label in one}
