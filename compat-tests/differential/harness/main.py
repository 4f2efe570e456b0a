"""`run` and `record`: plays scenarios, compares, counts."""

import argparse
import datetime
import random
import sys
import time
from dataclasses import dataclass, field

from broker import Broker

from harness import recording, scenario as scenarios
from harness.brokers import Brokers, Kafka, need_kafka
from harness.compare import Accepted, Difference, differences
from harness.scenario import HOME, Play, Scenario, Unfit

RECORDED = HOME / "recorded"
ACCEPTED = HOME / "accepted.yaml"
SAMPLE = 15
ATTEMPTS = 3


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
    report.add(name, len(got), unexplained, len(found) - len(unexplained))


def compare_raw(chosen: list[Scenario], kind: type[Broker], accepted: Accepted | None, report: Report) -> None:
    brokers = Brokers(kind)
    try:
        for scenario in chosen:
            try:
                got = play(scenario, brokers)
            except (Unfit, AssertionError, OSError) as error:
                report.add(scenario.name, 0, [f"{scenario.name}: {error}"], 0)
                continue
            compare(scenario.name, recorded(scenario).load(), got, accepted, report)
    finally:
        brokers.close()


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


def uncovered(chosen: list[Scenario]) -> list[str]:
    """Versions of the APIs that Milena advertises that no scenario asks."""
    from harness import protocol
    from harness.connection import Connection

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
    parser.add_argument("--record", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def check_sample(chosen: list[Scenario], options: argparse.Namespace, problems: list[str]) -> int:
    """A sample against the live Kafka. Returns how many were asked."""
    count = min(options.sample, len(chosen))
    sample = chosen if options.names else random.Random(options.seed).sample(chosen, count)
    print(f"asking Kafka {len(sample)} scenarios again (seed {options.seed})")
    need_kafka()
    report = Report()
    compare_raw(sample, Kafka, None, report)
    problems += [f"recorded otherwise: {problem}" for problem in report.problems]
    return report.equal


def main() -> int:
    options = arguments()
    try:
        everything = scenarios.read_all()
        chosen = scenarios.read_all(options.names)
    except Unfit as error:
        print(error)
        print("0 passed, 1 failed")
        return 1
    if options.record:
        need_kafka()
        return 1 if record_raw(chosen) or not chosen else 0
    accepted, report, problems, live = Accepted(ACCEPTED), Report(), [], 0
    if not options.live:
        compare_raw(chosen, Broker, accepted, report)
        problems += report.problems
        stale = accepted.stale(report.played, {s.name for s in everything})
        problems += [f"accepted, but it does not differ any more: {entry}" for entry in stale]
        if not options.names:
            problems += uncovered(everything)
    if not options.raw:
        live = check_sample(chosen, options, problems)
    for problem in problems:
        print(problem)
    print(report.line())
    failed = max(report.different, len(problems) and 1)
    passed = report.equal + report.accepted + live
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
