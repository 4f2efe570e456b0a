"""One Maven project in several lines (a profile each, with a build directory of its own), a fresh broker for each line.

Needs a JDK 17 or newer and Maven; uses the network only while something is missing from Maven's local repository.
"""

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

from broker import Broker, die_with_parent

LIB = Path(__file__).resolve().parent
SETUP_SECONDS_MAX = 900
TEST_SECONDS_MAX = 300


class Line:
    """One line of a project: a Maven profile."""

    def __init__(self, project: Path, name: str):
        self.project = project
        self.name = name
        self.target = project / "target" / name
        self.log = self.target / "maven.log"

    def maven(self, seconds: int, *arguments: str, **environment: str) -> bool:
        """Runs Maven with its output in the log; false when it failed or took too long."""
        command = ["mvn", "--batch-mode", "--quiet", "--file", str(self.project / "pom.xml")]
        command += ["-P", self.name, *arguments, "test"]
        with open(self.log, "wb") as out:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment},
                preexec_fn=die_with_parent,
            )
            try:
                return process.wait(seconds) == 0
            except subprocess.TimeoutExpired:
                # The JVM of the tests ends itself when Maven is gone.
                process.terminate()
                process.wait()
                out.write(f"ended after {seconds} s\n".encode())
                return False

    def set_up(self) -> bool:
        """Compiles, and fetches what is missing; the second time without a network."""
        return any(self.maven(SETUP_SECONDS_MAX, *mode, "-DskipTests") for mode in (["--offline"], []))

    def results(self) -> list[tuple[str, str, str]]:
        """Of each test that ran: its class, its name, and why it failed (empty when it passed)."""
        found = []
        for report in sorted((self.target / "surefire-reports").glob("TEST-*.xml")):
            for case in ElementTree.parse(report).getroot().iter("testcase"):
                if case.find("skipped") is not None:
                    continue
                bad = next((case.find(kind) for kind in ("failure", "error") if case.find(kind) is not None), None)
                why = "" if bad is None else reason(bad)
                found.append((case.get("classname", "").rpartition(".")[2], case.get("name", ""), why))
        return found

    def log_tail(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]


def reason(bad: ElementTree.Element) -> str:
    """What a failed test said, and the cause at the root of it, in few lines."""
    trace = bad.text or ""
    said = (bad.get("message") or trace.strip() or "no message").splitlines()[:12]
    causes = [text for text in trace.splitlines() if text.startswith("Caused by:")]
    return "\n".join(text[:200] for text in said + causes[-1:])


def run_line(line: Line, environment: Callable[[Broker], dict[str, str]], arguments: list[str]) -> tuple[int, int]:
    """Passed and failed tests of one line."""
    line.target.mkdir(parents=True, exist_ok=True)
    if not line.set_up():
        print(f"{line.name}: not compiled\n{line.log_tail()}")
        return 0, 1
    for old in (line.target / "surefire-reports").glob("*"):
        old.unlink()
    trouble = []
    with tempfile.TemporaryDirectory(prefix=f"{line.project.name}-") as home:
        try:
            with Broker(Path(home)) as broker:
                if not line.maven(TEST_SECONDS_MAX, "--offline", *arguments, **environment(broker)):
                    trouble.append(f"Maven failed:\n{line.log_tail()}")
        except AssertionError as failure:
            trouble.append(str(failure))
    found = line.results()
    for suite, name, why in found:
        print(f"{line.name} {'FAILED' if why else 'passed'} {suite}.{name}")
        if why:
            print("    " + why.replace("\n", "\n    "))
    for text in trouble:
        print(f"{line.name} FAILED {text}")
    failed = sum(1 for _, _, why in found if why) + len(trouble)
    if failed:
        print(f"{line.name}: the log of the tests is in {line.target / 'surefire-reports'}")
    return len(found) - sum(1 for _, _, why in found if why), failed


def run(
    project: Path, names: tuple[str, ...], environment: Callable[[Broker], dict[str, str]], arguments: list[str]
) -> int:
    """Runs every line and prints the totals. `environment` tells the tests where the broker is; `arguments` go to Maven."""
    passed = failed = 0
    built = subprocess.run(["bash", "-c", '. "$0" && need_broker', str(LIB / "setup.sh")], check=False)
    if built.returncode != 0:
        failed = 1
    else:
        for name in names:
            line_passed, line_failed = run_line(Line(project, name), environment, arguments)
            passed, failed = passed + line_passed, failed + line_failed
            sys.stdout.flush()
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1
