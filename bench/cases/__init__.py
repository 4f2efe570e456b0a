"""All cases, in the order in which they run: those on the brokers that stay up, then those with brokers of their own."""

from bench.cases import ceiling, connections, consume, fsync, groups, latency, lifecycle, partitions, produce
from bench.model import Case

FAMILIES = [ceiling, produce, consume, latency, groups, fsync, connections, lifecycle, partitions]


def every() -> list[Case]:
    found = [case for family in FAMILIES for case in family.cases()]
    return sorted(found, key=lambda case: not case.shared)
