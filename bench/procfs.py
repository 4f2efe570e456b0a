"""What a process costs, from /proc: CPU seconds, context switches, memory, open files.

The parsers are pure. What Linux does not keep is said: switches of threads that ended are lost, their number is told.
"""

import os
from dataclasses import dataclass

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cost:
    """Between two samples of one process."""

    cpu_s: float
    voluntary: int
    involuntary: int
    """Context switches."""
    ended_threads: int
    """Threads whose switches are not counted, because they ended in between."""
    peak_rss: int
    """Bytes."""

    @property
    def switches(self) -> int:
        return self.voluntary + self.involuntary


@dataclass(frozen=True)
class Sample:
    cpu_s: float
    switches: dict[int, tuple[int, int]]
    """Thread id → voluntary, involuntary."""


def parse_cpu(stat: str, ticks: int = TICKS) -> float:
    """User and system seconds from /proc/PID/stat; the name in it may hold blanks and brackets."""
    fields = stat[stat.rindex(")") + 2 :].split()
    return (int(fields[11]) + int(fields[12])) / ticks


def parse_status(status: str) -> dict[str, int]:
    """The numbers of a status file; kB become bytes."""
    found = {}
    for line in status.splitlines():
        name, _, value = line.partition(":")
        words = value.split()
        if words and words[0].isdigit():
            found[name] = int(words[0]) * (1024 if words[-1] == "kB" else 1)
    return found


def difference(before: Sample, after: Sample, peak_rss: int) -> Cost:
    """A thread that was not there before counts from its beginning."""
    voluntary = involuntary = 0
    for thread, (mine, forced) in after.switches.items():
        had = before.switches.get(thread, (0, 0))
        voluntary += mine - had[0]
        involuntary += forced - had[1]
    ended = len(before.switches.keys() - after.switches.keys())
    return Cost(after.cpu_s - before.cpu_s, voluntary, involuntary, ended, peak_rss)


def _read(path: str) -> str:
    with open(path) as file:
        return file.read()


def sample(pid: int) -> Sample:
    switches = {}
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            found = parse_status(_read(f"/proc/{pid}/task/{thread}/status"))
        except OSError:
            continue
        switches[int(thread)] = (found["voluntary_ctxt_switches"], found["nonvoluntary_ctxt_switches"])
    return Sample(parse_cpu(_read(f"/proc/{pid}/stat")), switches)


def reset_peak(pid: int) -> None:
    """Lets the peak of resident memory begin again at what is resident now."""
    with open(f"/proc/{pid}/clear_refs", "w") as file:
        file.write("5")


def memory(pid: int) -> dict[str, int]:
    """Bytes resident now and at the peak, and threads."""
    found = parse_status(_read(f"/proc/{pid}/status"))
    return {"rss": found["VmRSS"], "peak_rss": found["VmHWM"], "threads": found["Threads"]}


def open_files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


class Watch:
    """Measures one process from its making to `cost()`."""

    def __init__(self, pid: int):
        self.pid = pid
        reset_peak(pid)
        self.before = sample(pid)

    def cost(self) -> Cost:
        return difference(self.before, sample(self.pid), memory(self.pid)["peak_rss"])
