"""What a case is: its figures with the direction in which they are better, and how one run of it is made."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.procfs import Cost

if TYPE_CHECKING:
    from bench.context import Bench, Side

HIGHER, LOWER = "higher", "lower"
KAFKA, MILENA, CLIENT = "kafka", "milena", "client"


@dataclass(frozen=True)
class Figure:
    """One row of the table."""

    name: str
    """Comes behind the case's name; empty for the figure that the case is named after."""
    unit: str
    better: str
    target: float | None = None
    """Of the ratio Milena ÷ Kafka: at least so much when higher is better, else at most."""
    absolute: float | None = None
    """Of Milena's own figure, in its unit."""


@dataclass
class Outcome:
    """One run of a case against one broker."""

    figures: dict[str, float]
    """By the names of the case's figures; one may be missing."""
    records: int = 0
    bytes: int = 0
    """Moved through the broker; the costs per record and per GB divide by them."""
    cost: Cost | None = None
    seconds: float = 0
    """What the cost spans."""
    client_cpu_s: float | None = None
    raw: dict = field(default_factory=dict)
    """All that the client printed."""


class Case:
    """A case; `run` is called for each broker in turn. An instance keeps what `prepare` found."""

    figures: list[Figure] = []
    sides = (KAFKA, MILENA)
    shared = True
    """Runs on the brokers that stay up. Else it starts its own, after those were stopped."""
    seconds = 5.0
    """What a run against one broker takes, deletion of its topic included, when nothing else runs."""
    prepare_seconds = 5.0
    limit_s = 120.0
    """No client of the case may take longer."""
    pairs_max: int | None = None
    """For a case whose runs take minutes."""
    cost_targets: dict[str, float] = {}
    """Of the ratios `cpu_per_gb` and `peak_rss`: at most so much."""

    def __init__(self, name: str, quick: bool = False):
        self.name = name
        self.quick = quick

    def pairs(self, wanted: int) -> int:
        return min(wanted, self.pairs_max or wanted)

    def estimate(self, pairs: int, quick: bool) -> float:
        """Seconds for the whole case; a quick run does about half in each."""
        whole = self.prepare_seconds + self.pairs(pairs) * self.pair_seconds()
        return whole * 0.6 if quick else whole

    def pair_seconds(self) -> float:
        return self.seconds * len(self.sides)

    def prepare(self, bench: "Bench") -> None:
        """Before the first pair: warm-up, filling, how much a run has to do."""

    def before_pair(self, bench: "Bench") -> None:
        """Before the first broker's turn in each pair."""

    def run(self, bench: "Bench", side: "Side") -> Outcome:
        raise NotImplementedError

    def finish(self, bench: "Bench") -> None:
        """After the last pair, also when one failed: what it left is removed."""
