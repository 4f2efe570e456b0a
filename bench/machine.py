"""What the figures depend on: the machine, its kernel, and the versions of all that takes part."""

import os
import platform
import re
import subprocess
import time
from pathlib import Path

from bench.brokers import LIBS, ROOT


def facts(milena: Path) -> dict:
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "processor": processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "kernel": platform.release(),
        "system": said(["uname", "-m"]),
        "load_before": os.getloadavg()[0],
        "java": first_line(said(["java", "-version"])),
        "kafka": kafka_version(),
        "milena": said([str(milena), "--version"]),
        "commit": said(["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12"]),
        "python": platform.python_version(),
    }


def said(command: list[str]) -> str:
    """What a command prints, or `?`."""
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return "?"
    return done.stdout.strip()


def first_line(text: str) -> str:
    return text.partition("\n")[0]


def processor() -> str:
    found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.machine()


def kafka_version() -> str:
    names = [jar.stem for jar in LIBS.glob("kafka-clients-*.jar")]
    return names[0].rpartition("-")[2] if names else "?"
