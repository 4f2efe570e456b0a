"""The processes that the benchmark starts: started here, known here, ended here by their id, and no others.

Relies on Linux: a child dies with its parent (PR_SET_PDEATHSIG), even when the benchmark itself is killed.
"""

import ctypes
import os
import resource
import signal
import subprocess

_LIBC = ctypes.CDLL(None)
_running: set[subprocess.Popen] = set()


class Failed(Exception):
    """A client or a broker did not do what it was started for."""


def _child() -> None:
    _LIBC.prctl(1, signal.SIGKILL)


def raise_file_limit() -> int:
    """The most open files that the system allows, for us and for all children."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def start(command: list, **options) -> subprocess.Popen:
    """A child in a process group of its own, so that Ctrl-C reaches the benchmark alone, which then ends its children."""
    options.setdefault("stdin", subprocess.DEVNULL)
    process = subprocess.Popen(
        [str(word) for word in command], preexec_fn=_child, start_new_session=True, **options
    )
    _running.add(process)
    return process


def end(process: subprocess.Popen, gently_s: float = 0) -> None:
    """Ends it, with SIGTERM first when it has time, and waits until it is gone."""
    if process.poll() is None and gently_s:
        process.terminate()
        try:
            process.wait(gently_s)
        except subprocess.TimeoutExpired:
            pass
    if process.poll() is None:
        process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream:
            stream.close()
    _running.discard(process)


def end_all() -> None:
    for process in list(_running):
        end(process)


def run(command: list, limit_s: float) -> tuple[str, str, float]:
    """What a command that has to succeed printed to stdout and stderr, and the CPU seconds that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        out, err = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        raise Failed(f"not done after {limit_s:.0f} s: {shown(command)}") from None
    finally:
        end(process)
    if process.returncode:
        raise Failed(f"exit code {process.returncode}: {shown(command)}\n{(err or out)[-2000:].strip()}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return out, err, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def shown(command: list) -> str:
    words = [os.path.basename(str(word)) if "/" in str(word) else str(word) for word in command]
    text = " ".join(words)
    return text if len(text) < 300 else text[:300] + " …"
