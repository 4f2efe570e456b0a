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
    """Applies `change` to each structure; a list of them may have become a map by name."""
    if f.kind == "[]" and isinstance(value, list):
        return [change(item) if isinstance(item, dict) else item for item in value]
    if f.kind == "[]" and isinstance(value, dict):
        return {name: change(item) for name, item in value.items()}
    return change(value) if isinstance(value, dict) else value


def merge(fields: list[Field], one: dict, other: dict) -> dict:
    """An answer with the fields of both; where both have a field, the second one's value stands."""
    known = {f.name: f for f in fields}
    names = [name for name in known if name in one or name in other]
    names += [name for name in {**one, **other} if name not in known]
    out = {}
    for name in names:
        if name in one and name in other:
            out[name] = merge_values(known.get(name), one[name], other[name])
        else:
            out[name] = one.get(name, other.get(name))
    return out


def merge_values(f: Field | None, one, other):
    if f is None or type(one) is not type(other):
        return other
    if isinstance(one, list) and len(one) == len(other):
        return [merge(f.fields, *pair) if isinstance(pair[1], dict) else pair[1] for pair in zip(one, other)]
    if isinstance(one, dict) and f.kind == "[]":
        return {k: merge(f.fields, one[k], v) if k in one else v for k, v in other.items()}
    return merge(f.fields, one, other) if isinstance(one, dict) else other


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

        def both(label):
            pair = one[label], other[label]
            return merge(self.fields[label], *pair) if all(isinstance(a, dict) for a in pair) else pair[1]

        return {label: both(label) for label in one}
