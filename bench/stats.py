"""The arithmetic of the tables. Pure."""

import statistics
from collections.abc import Iterable


def median(values: Iterable[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return statistics.median(there) if there else None


def pairwise(kafka: dict[int, float], milena: dict[int, float]) -> list[float]:
    """Milena ÷ Kafka of each pair that both have. A pair in which Kafka's figure is not above 0 says nothing."""
    return [milena[pair] / kafka[pair] for pair in sorted(kafka.keys() & milena.keys()) if kafka[pair] > 0]


def spread(values: list[float]) -> tuple[float, float] | None:
    return (min(values), max(values)) if values else None


def above_floor(value: float, floor: float) -> float:
    """What is left of a measured time without the time of a bare echo. Noise can make the floor the larger one: then 0."""
    return max(value - floor, 0.0)


def meets(value: float | None, target: float | None, better: str) -> bool | None:
    """None when there is nothing to compare."""
    if value is None or target is None:
        return None
    return value >= target if better == "higher" else value <= target

