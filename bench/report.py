"""The results as a table on the terminal and as ``bench/RESULTS.md``, with what one must know to compare them."""

import os
import platform
import shlex
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path

from bench.frame import Row
from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).with_name("RESULTS.md")
_COLUMNS = ("what", "ours", "control", "ratio", "goal", "reached")
_PACKAGES = ("tocsin", "uvicorn", "uvloop", "httptools", "msgspec", "fastapi", "pydantic")
_INTRODUCTION = """# Measurements

Written by `make bench`; do not edit. Every row runs beside its control, in turns within the same minutes, and the medians
count: trust the ratios, for the absolute numbers are this machine's. What each row does and against which control:
[README.md](README.md).
"""


def show(rows: Sequence[Row]) -> None:
    """Print the results."""
    table = Table(*_COLUMNS, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*_cells(row))
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    for row in rows:
        if row.note:
            print(f"  {row.what}: {row.note}")


def write_results(rows: Sequence[Row]) -> None:
    """Write the results of all rows."""
    lines = [_INTRODUCTION, *_facts(), "", _line(_COLUMNS), _line("---" for _ in _COLUMNS)]
    lines += [_line(_cells(row)) for row in rows]
    lines += ["", "## Notes", *(f"- **{row.what}**: {row.note}" for row in rows if row.note)]
    RESULTS.write_text("\n".join(lines) + "\n")


def _cells(row: Row) -> tuple[str, ...]:
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    reached = {True: "yes", False: "no", None: ""}[row.reached]
    return (row.what, row.ours, row.control, ratio, row.goal, reached)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _facts() -> list[str]:
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    load_1m, load_5m, _ = os.getloadavg()
    return [
        f"- Machine: {os.cpu_count()} cores, {_cpu_model()}, {platform.system()} {platform.release()}",
        f"- Load average when written: {load_1m:.1f} (1 min), {load_5m:.1f} (5 min)",
        f"- Date: {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC, commit {_commit()}",
        f"- Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {versions}",
        f"- Command: `{shlex.join(['python', '-m', 'bench', *sys.argv[1:]])}`",
    ]


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return platform.processor() or platform.machine()
    names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
    return names[0].partition(": ")[2] if names else platform.machine()


def _commit() -> str:
    try:
        commit = _git("rev-parse", "--short", "HEAD")
        changed = _git("status", "--porcelain", "--", "src/tocsin", "bench", ":!bench/RESULTS.md")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{commit} with changes" if changed else commit


def _git(*command: str) -> str:
    return subprocess.run(
        ["git", *command], check=True, capture_output=True, text=True
    ).stdout.strip()
