"""Differences between a recorded answer and ours, and which of them are accepted."""

import fnmatch
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from harness.recording import numbers, ranges

ABSENT = "(absent)"


@dataclass(frozen=True)
class Difference:
    scenario: str
    version: int | None
    at: str
    """Step and path with dots: `2 Metadata.Topics.0.ErrorCode`."""
    kafka: object
    milena: object

    def line(self, versions: list[int]) -> str:
        """For people; `versions` have this difference in common."""
        where = f"{self.scenario} v{ranges(versions)}" if versions else self.scenario
        return f"{where}: {self.at}: Kafka {short(self.kafka)}, here {short(self.milena)}"


def short(value) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}…"


def differences(kafka, milena, path: str = ""):
    """(path, Kafka's value, ours) of each place that differs."""
    if isinstance(kafka, dict) and isinstance(milena, dict):
        pairs = [(key, kafka.get(key, ABSENT), milena.get(key, ABSENT)) for key in {**kafka, **milena}]
    elif isinstance(kafka, list) and isinstance(milena, list):
        longest = range(max(len(kafka), len(milena)))
        get = lambda items, index: items[index] if index < len(items) else ABSENT
        pairs = [(str(index), get(kafka, index), get(milena, index)) for index in longest]
    else:
        if kafka != milena or type(kafka) is not type(milena):
            yield path, kafka, milena
        return
    for key, one, other in pairs:
        yield from differences(one, other, f"{path}.{key}" if path else key)


@dataclass
class Entry:
    """A line of `accepted.yaml`."""

    scenarios: str
    at: str
    kafka: object
    milena: object
    reason: str
    versions: list[int] | None = None
    met: set[str] = field(default_factory=set)

    def covers(self, found: Difference) -> bool:
        return (
            fnmatch.fnmatchcase(found.scenario, self.scenarios)
            and (self.versions is None or found.version in self.versions)
            and fnmatch.fnmatchcase(found.at, self.at)
            and self.kafka in ("*", found.kafka)
            and self.milena in ("*", found.milena)
        )

    def __str__(self) -> str:
        return f"{self.scenarios} {self.at}: Kafka {short(self.kafka)}, here {short(self.milena)}"


class Accepted:
    def __init__(self, path: Path):
        self.entries = []
        for raw in yaml.safe_load(path.read_text()) or []:
            versions, places = raw.pop("versions", None), raw.pop("at")
            for at in [places] if isinstance(places, str) else places:
                self.entries.append(Entry(at=at, versions=versions and numbers(str(versions)), **raw))

    def covers(self, found: Difference) -> bool:
        covering = [entry for entry in self.entries if entry.covers(found)]
        for entry in covering:
            entry.met.add(found.scenario)
        return bool(covering)

    def stale(self, played: set[str], all_names: set[str]) -> list[Entry]:
        """Entries that met nothing although every scenario that they name was played."""

        def finished(entry):
            named = set(fnmatch.filter(all_names, entry.scenarios))
            return named <= played

        return [entry for entry in self.entries if not entry.met and finished(entry)]
