"""`run` and `record`: plays scenarios, compares, counts."""

import argparse
import datetime
import random
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CalledProcessError

from broker import Broker

from harness import connection, java, protocol, recording, scenario as scenarios
from harness.brokers import Brokers, Kafka, need_kafka
from harness.compare import Accepted, Difference, differences
from harness.connection import Connection
from harness.scenario import HOME, Play, Scenario, Unfit

RECORDED = HOME / "recorded"
ACCEPTED = HOME / "accepted.yaml"
SAMPLE = 15
SAMPLE_JAVA = 3
ATTEMPTS = 3
LINES_MAX = 12
WORKERS = 4


def recorded(scenario: Scenario) -> recording.Recording:
    return recording.Recording(RECORDED / f"{scenario.name}.json", scenario.asked())


def play(scenario: Scenario, brokers: Brokers) -> dict:
    """Version → step → answer."""
    found = {}
    for version in scenario.versions:
        if not scenario.alone:
            found[version] = Play(scenario, version, address(brokers.shared(scenario.broker))).run()
            continue
        with_own = brokers.start(scenario.broker)
        try:
            found[version] = Play(scenario, version, address(with_own)).run()
        finally:
            with_own.kill()
    return found


def address(broker: Broker) -> tuple[str, int]:
    return "127.0.0.1", broker.port


@dataclass
class Report:
    """What a comparison found."""

    played: set[str] = field(default_factory=set)
    runs: int = 0
    equal: int = 0
    accepted: int = 0
    different: int = 0
    problems: list[str] = field(default_factory=list)

    def add(self, name: str, runs: int, unexplained: list, explained: int) -> None:
        self.played.add(name)
        self.runs += runs
        if unexplained:
            self.different += 1
            self.problems += [str(one) for one in unexplained]
        elif explained:
            self.accepted += 1
        else:
            self.equal += 1

    def line(self) -> str:
        return (
            f"scenarios {len(self.played)} ({self.runs} runs): "
            f"equal {self.equal}, accepted {self.accepted}, different {self.different}"
        )


def compare(name: str, expected: dict, got: dict, accepted: Accepted | None, report: Report) -> None:
    if not expected:
        report.add(name, 0, [f"{name}: nothing is recorded; compat-tests/differential/record {name}"], 0)
        return
    found = [
        Difference(name, version, *place)
        for version in {**expected, **got}
        for place in differences(expected.get(version, "(not played)"), got.get(version, "(not played)"))
    ]
    unexplained = [one for one in found if accepted is None or not accepted.covers(one)]
    report.add(name, len(got), summary(unexplained), len(found) - len(unexplained))


def summary(found: list[Difference]) -> list[str]:
    """A line for what is the same in several versions; not more than a few lines a scenario."""
    versions: dict[tuple, list[Difference]] = {}
    for one in found:
        versions.setdefault((one.at, repr(one.kafka), repr(one.milena)), []).append(one)
    lines = [same[0].line([one.version for one in same if one.version is not None]) for same in versions.values()]
    more = len(lines) - LINES_MAX
    return lines if more <= 0 else [*lines[:LINES_MAX], f"  … and {more} more differences in {found[0].scenario}"]


def compare_raw(chosen: list[Scenario], kind: type[Broker], accepted: Accepted | None, report: Report) -> None:
    # Most of a scenario's time is waiting. Each worker has brokers of its own, so that nobody sees the topics of others.
    workers = 1 if kind is Kafka else WORKERS
    with ThreadPoolExecutor(workers) as pool:
        for share in pool.map(lambda first: play_all(chosen[first::workers], kind), range(workers)):
            for scenario, got in share:
                if isinstance(got, dict):
                    compare(scenario.name, recorded(scenario).load(), got, accepted, report)
                else:
                    report.add(scenario.name, 0, [f"{scenario.name}: {got}"], 0)


def play_all(chosen: list[Scenario], kind: type[Broker]) -> list[tuple[Scenario, dict | Exception]]:
    """Each scenario with its answers, or with what kept it from being played."""
    brokers, found = Brokers(kind), []
    try:
        for scenario in chosen:
            try:
                found.append((scenario, play(scenario, brokers)))
            except (Unfit, AssertionError, OSError) as error:
                found.append((scenario, error))
    finally:
        brokers.close()
    return found


def record_raw(chosen: list[Scenario]) -> int:
    """Plays each one twice; what differs between the two is not stored. Returns how many failed."""
    brokers, failed = Brokers(Kafka), 0
    try:
        for scenario in chosen:
            try:
                store_stable(scenario, brokers)
            except (Unfit, AssertionError, OSError) as error:
                failed += 1
                print(f"{scenario.name}: not recorded: {error}")
    finally:
        brokers.close()
    return failed


def store_stable(scenario: Scenario, brokers: Brokers) -> None:
    began = time.monotonic()
    last = play(scenario, brokers)
    for _ in range(ATTEMPTS):
        before, last = last, play(scenario, brokers)
        unstable = [
            f"v{version} {path}: {one!r} and {other!r}"
            for version in last
            for path, one, other in differences(before[version], last[version])
        ]
        if not unstable:
            recorded(scenario).store(last)
            print(f"{scenario.name}: recorded, {time.monotonic() - began:.1f} s")
            return
    raise Unfit("unstable:\n  " + "\n  ".join(unstable[:20]))


def compare_java(chosen: list[str], kind: type[Broker], accepted: Accepted | None, report: Report) -> None:
    if not chosen:
        return
    try:
        (got,) = java.play_on(kind, chosen)
    except (Unfit, AssertionError, OSError, CalledProcessError) as error:
        report.add("java", 0, [f"java: {error}"], 0)
        return
    for name in chosen:
        expected, found = java.load(name), got.get(name, {})
        compare(f"java/{name}", expected and {None: expected}, {None: found}, accepted, report)


def record_java(chosen: list[str]) -> int:
    """As for the raw ones: what differs between two runs is not stored."""
    failed = 0
    for _ in range(ATTEMPTS):
        if not chosen:
            break
        one, other = java.play_on(Kafka, chosen, times=2)
        for name in chosen:
            unstable = list(differences(one.get(name), other.get(name)))
            if unstable or "failed" in one[name]:
                print(f"java/{name}: not recorded: {unstable or one[name]['failed']}")
            else:
                java.store(name, one[name])
                print(f"java/{name}: recorded")
        chosen = [name for name in chosen if one.get(name) != other.get(name) or "failed" in one[name]]
        failed = len(chosen)
    return failed


def chosen_java(names: list[str]) -> list[str]:
    found = java.names()
    if not names:
        return found
    return [name for name in found if scenarios.is_named(f"java/{name}", names)]


def uncovered(chosen: list[Scenario]) -> list[str]:
    """Versions of the APIs that Milena advertises that no scenario asks."""
    brokers = Brokers(Broker)
    try:
        broker = brokers.start({})
        connection = Connection(address(broker), "coverage")
        api = protocol.api("ApiVersions")
        connection.request(api, 0, b"")
        rows = connection.receive()["ApiKeys"]
        connection.close()
        broker.stop()
    finally:
        brokers.close()
    used = set().union(*(s.uses() for s in chosen))
    names = {protocol.api(name).key: name for name in protocol.api_names()}
    missing = []
    for row in rows:
        name = names[row["ApiKey"]]
        low = max(row["MinVersion"], protocol.api(name).request.versions.low)
        left = [v for v in range(low, row["MaxVersion"] + 1) if (name, v) not in used]
        if left:
            missing.append(f"no scenario asks {name} {recording.ranges(left)}")
    return missing


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run", description="Milena's answers against the recorded ones of Kafka.")
    parser.add_argument("names", nargs="*", help="scenarios, by area/name, by a prefix or a pattern of it")
    parser.add_argument("--raw", action="store_true", help="the raw scenarios only: no JVM")
    parser.add_argument("--live", action="store_true", help="only ask Kafka, whether what is recorded is still true")
    parser.add_argument("--sample", type=int, default=SAMPLE, help="how many scenarios are asked of the live Kafka")
    parser.add_argument("--seed", default=datetime.date.today().isoformat(), help="chooses the sample")
    parser.add_argument("--keep", type=Path, metavar="DIRECTORY", help="keeps the bytes of every request there")
    parser.add_argument("--record", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def check_sample(raw: list[Scenario], of_java: list[str], options: argparse.Namespace, problems: list[str]) -> int:
    """A sample against the live Kafka, or all that are named. Returns how many answered as recorded."""
    if not options.names:
        chance = random.Random(options.seed)
        raw = chance.sample(raw, min(options.sample, len(raw)))
        of_java = chance.sample(of_java, min(SAMPLE_JAVA, len(of_java)))
    print(f"asking Kafka {len(raw) + len(of_java)} scenarios again (seed {options.seed})")
    report = Report()
    compare_raw(raw, Kafka, None, report)
    compare_java(of_java, Kafka, None, report)
    problems += [f"recorded otherwise: {problem}" for problem in report.problems]
    return report.equal


def check_milena(raw: list[Scenario], of_java: list[str], options: argparse.Namespace, problems: list[str]) -> Report:
    """Everything chosen against the recordings."""
    accepted, report = Accepted(ACCEPTED), Report()
    compare_raw(raw, Broker, accepted, report)
    compare_java(of_java, Broker, accepted, report)
    everything = {s.name for s in scenarios.read_all()} | {f"java/{name}" for name in java.names()}
    stale = accepted.stale(report.played, everything)
    problems += report.problems
    problems += [f"accepted, but it does not differ any more: {entry}" for entry in stale]
    if not options.names:
        problems += uncovered(raw)
    return report


def main() -> int:
    options = arguments()
    connection.keep = options.keep
    # Brokers and their directories go away with a run that is stopped, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        raw = scenarios.read_all(options.names)
    except Unfit as error:
        print(error)
        print("0 passed, 1 failed")
        return 1
    of_java = [] if options.raw else chosen_java(options.names)
    if options.record or not options.raw:
        need_kafka()
    if options.record:
        failed = (record_raw(raw) if raw else 0) + record_java(of_java)
        return 1 if failed or not raw + of_java else 0
    problems: list[str] = []
    report = Report() if options.live else check_milena(raw, of_java, options, problems)
    live = 0 if options.raw else check_sample(raw, of_java, options, problems)
    for problem in problems:
        print(problem)
    print(report.line())
    failed = max(report.different, len(problems) and 1)
    passed = report.equal + report.accepted + live
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
