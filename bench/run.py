"""The command `scripts/bench`: which cases, in which order, within how much time; prints the tables, writes the JSON."""

import argparse
import fnmatch
import signal
import sys
import time
from pathlib import Path

from bench import cases, children, clients, docs, machine, results, table
from bench.brokers import Milena, need_kafka, need_programs
from bench.children import Failed
from bench.context import Bench, Side
from bench.model import CLIENT, Case

QUICK_MINUTES = 4.0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="Runs Milena beside Apache Kafka and compares. docs/performance.md tells more."
    )
    parser.add_argument("cases", nargs="*", metavar="CASE", help="a case's name, or a pattern with *; all without one")
    parser.add_argument("--only", action="append", default=[], metavar="CASE", help="the same; may be repeated")
    parser.add_argument("--pairs", type=int, default=5, help="runs of each case and broker (5)")
    parser.add_argument("--quick", action="store_true", help="a few cases, one short pair each: about two minutes")
    parser.add_argument("--minutes", type=float, help="no case begins later than this (90; 4 with --quick)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write every run's figures")
    parser.add_argument("--list", action="store_true", help="the cases with an estimate of their seconds, then end")
    parser.add_argument("--milena", type=Path, metavar="BINARY", help="another binary; without it one is built")
    parser.add_argument("--load", type=Path, metavar="BINARY", help="another load program; without it one is built")
    parser.add_argument(
        "--write-docs", type=Path, metavar="FILE", help="puts the tables of a JSON file into docs/performance.md, then ends"
    )
    return parser.parse_args()


def chosen(patterns: list[str], quick: bool) -> list[Case]:
    every = cases.every()
    for pattern in patterns:
        if not any(fnmatch.fnmatchcase(case.name, pattern) for case in every):
            raise Failed(f"no case is called {pattern}; --list shows them")
    if patterns:
        return [case for case in every if any(fnmatch.fnmatchcase(case.name, pattern) for pattern in patterns)]
    return [case for case in every if case.quick or not quick]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class Run:
    """One run over the chosen cases."""

    def __init__(self, wanted: list[Case], options: argparse.Namespace):
        self.cases, self.options = wanted, options
        self.pairs = 1 if options.quick else options.pairs
        self.minutes = options.minutes or (QUICK_MINUTES if options.quick else 90.0)
        self.bench = Bench(options.quick)
        self.begin = time.monotonic()
        self.data = {"machine": {}, "pairs": self.pairs, "quick": options.quick, "minutes": 0.0, "cases": []}

    def spent_s(self) -> float:
        return time.monotonic() - self.begin

    def go(self) -> None:
        self.bench.open()
        try:
            self.data["machine"] = machine.facts(Milena.binary)
            for index, case in enumerate(self.cases):
                self.progress(index, case)
                found = results.of_case(case)
                self.data["cases"].append(found)
                if self.spent_s() > self.minutes * 60:
                    found["note"] = f"not run: {self.minutes:.0f} minutes were over"
                    continue
                self.attempt(case, found)
                self.save()
        finally:
            try:
                self.save()
            finally:
                self.bench.close()

    def save(self) -> None:
        self.data["minutes"] = self.spent_s() / 60
        if self.options.json and self.data["cases"]:
            results.write(self.options.json, self.data)

    def progress(self, index: int, case: Case) -> None:
        """The estimates are for an idle machine; what was slower so far will be so further on."""
        done = sum(each.estimate(self.pairs, self.options.quick) for each in self.cases[:index])
        left = sum(each.estimate(self.pairs, self.options.quick) for each in self.cases[index:])
        slowness = max(1.0, self.spent_s() / done) if done > 60 else 1.0
        minutes = left * slowness / 60
        say(f"[{index + 1}/{len(self.cases)}] {case.name}; about {minutes:.0f} minutes left")

    def attempt(self, case: Case, found: dict) -> None:
        """A case that fails says why in its note; the others go on, with new brokers."""
        try:
            self.measure(case, found)
        except (Failed, OSError, KeyError, ValueError) as error:
            found["note"] = f"failed: {type(error).__name__}: {error}"
            say(found["note"])
            self.bench.stop_shared()
            children.end_all()

    def measure(self, case: Case, found: dict) -> None:
        self.bench.need_disk()
        if not case.shared:
            self.bench.stop_shared()
        try:
            case.prepare(self.bench)
            limit = time.monotonic() + 3 * case.estimate(self.pairs, self.options.quick)
            for pair in range(1, case.pairs(self.pairs) + 1):
                if pair > 1 and time.monotonic() > limit:
                    found["note"] = f"ended after {pair - 1} pair{'' if pair == 2 else 's'}: it took three times what it may"
                    break
                self.bench.need_disk()
                self.one_pair(case, pair, found)
        finally:
            if self.bench.standing():
                case.finish(self.bench)

    def one_pair(self, case: Case, pair: int, found: dict) -> None:
        case.before_pair(self.bench)
        for name in case.sides:
            outcome = case.run(self.bench, self.side(case, name))
            found["runs"].append(results.of_run(pair, name, outcome))
            shown = ", ".join(f"{key} {table.number(value)}".strip() for key, value in outcome.figures.items())
            say(f"  {pair} {name:6} {shown}")

    def side(self, case: Case, name: str) -> Side | None:
        if name == CLIENT:
            return None
        return self.bench.shared()[name] if case.shared else Side(name, None)


def show_list(wanted: list[Case], pairs: int, quick: bool) -> None:
    for case in wanted:
        print(f"{case.estimate(pairs, quick):6.0f} s  {case.name}{'  (quick)' if case.quick else ''}")
    print(f"{sum(case.estimate(pairs, quick) for case in wanted) / 60:6.1f} minutes with {pairs} pair{'' if pairs == 1 else 's'}")


def end_early(*_) -> None:
    raise KeyboardInterrupt


def main() -> int:
    options = arguments()
    if options.write_docs:
        docs.write(results.read(options.write_docs))
        return 0
    try:
        wanted = chosen(options.cases + options.only, options.quick)
        if options.list:
            show_list(wanted, 1 if options.quick else options.pairs, options.quick)
            return 0
        return compare(wanted, options)
    except Failed as error:
        say(str(error))
        return 1


def compare(wanted: list[Case], options: argparse.Namespace) -> int:
    # SIGINT too: a shell lets background jobs ignore it.
    signal.signal(signal.SIGTERM, end_early)
    signal.signal(signal.SIGINT, end_early)
    children.raise_file_limit()
    Milena.binary = options.milena.resolve() if options.milena else Milena.binary
    clients.LOAD = options.load.resolve() if options.load else clients.LOAD
    run = None
    try:
        say("building, and looking for Kafka's jars")
        need_kafka()
        need_programs(not options.milena, not options.load)
        run = Run(wanted, options)
        run.go()
    except KeyboardInterrupt:
        say("ended early")
        return 130
    finally:
        children.end_all()
        if run and run.data["cases"]:
            print(table.whole(run.data))
    return 0
