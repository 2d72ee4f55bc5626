"""What a process used: CPU seconds and resident memory, from the outside."""

import os
import resource
import statistics
import subprocess
from collections.abc import Sequence
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_USER_TIME = 11  # field 14 of proc_pid_stat(5), counted after the name in parentheses


def family(pid: int) -> list[int]:
    """Return a process and its children, as far as the system tells of these (Linux)."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    return [pid, *map(int, children.read_text().split())] if children.exists() else [pid]


def cpu_s(pid: int) -> float:
    """Return the CPU seconds that a process used, user and system, all its threads (10 ms resolution)."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return _ps_time_s(pid)
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[_USER_TIME]) + int(fields[_USER_TIME + 1])) / _TICKS_PER_S


def waited_s(pid: int) -> float:
    """Return the seconds that the first thread of a process could have run and had no processor (Linux; 0 elsewhere)."""
    stat = Path(f"/proc/{pid}/schedstat")
    return int(stat.read_text().split()[1]) / 1e9 if stat.exists() else 0.0


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process."""
    status = Path(f"/proc/{pid}/statm")
    if not status.exists():
        return int(_ps(pid, "rss")) * 1024
    return int(status.read_text().split()[1]) * resource.getpagesize()


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that ``share`` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def allow_open_files(count: int) -> None:
    """Raise the bound on open files, which child processes inherit, to ``count`` or as near as is allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def open_files() -> int:
    """Return how many files this process, and each that it starts, may have open."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def _ps(pid: int, field: str) -> str:
    return subprocess.run(
        ["ps", "-o", f"{field}=", "-p", str(pid)], check=True, capture_output=True, text=True
    ).stdout.strip()


def _ps_time_s(pid: int) -> float:
    seconds = 0.0
    for part in _ps(pid, "time").split(":"):
        seconds = 60 * seconds + float(part)
    return seconds
