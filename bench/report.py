"""The results as a table on the terminal and as ``bench/RESULTS.md``, with what one must know to compare them."""

import os
import platform
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path

from bench.frame import Line
from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).with_name("RESULTS.md")
_PACKAGES = ("tocsin", "uvicorn", "uvloop", "httptools", "msgspec", "fastapi", "pydantic")
_INTRODUCTION = """# Measurements

Written by `make bench`; do not edit. Every row runs beside its control, in turns within the same minutes, and the medians
count: trust the ratios, for the absolute numbers are this machine's. What each row does and against which control:
[README.md](README.md). Each part says when it was measured, at which commit, and how busy the machine was.
"""


def show(rows: Sequence[Line]) -> None:
    """Print the results."""
    table = Table(*rows[0].columns(), box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row.cells())
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    for note in _notes(rows):
        print(f"- {note}")


def write_results(name: str, rows: Sequence[Line], order: Iterable[str]) -> None:
    """Write the part of one name; the others stay as they are."""
    parts = _old_parts() | {name: _part(rows)}
    text = [_INTRODUCTION, *_machine(), ""]
    text += [f"## {name}\n\n{parts[name].strip()}\n" for name in order if name in parts]
    RESULTS.write_text("\n".join(text))


def _old_parts() -> dict[str, str]:
    if not RESULTS.exists():
        return {}
    _, *parts = RESULTS.read_text().split("\n## ")
    return {name: text for name, _, text in (part.partition("\n") for part in parts)}


def _part(rows: Sequence[Line]) -> str:
    now = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
    load_1m, load_5m, _ = os.getloadavg()
    columns = rows[0].columns()
    lines = [
        f"{now} UTC, commit {_commit()}, load average {load_1m:.1f} (1 min) and {load_5m:.1f} (5 min).",
        "",
        _line(columns),
        _line("---" for _ in columns),
        *(_line(row.cells()) for row in rows),
        "",
    ]
    return "\n".join([*lines, *(f"- {note}" for note in _notes(rows))])


def _notes(rows: Sequence[Line]) -> list[str]:
    return list(dict.fromkeys(row.note for row in rows if row.note))


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _machine() -> list[str]:
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return [
        f"- Machine: {os.cpu_count()} cores, {_cpu_model()}, {platform.system()} {platform.release()}",
        f"- Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {versions}",
        "- Command: `make bench`, or `python -m bench ROW ...` for some rows",
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
