"""The results as a table on the terminal and in ``bench/RESULTS.md``, with what one must know to compare them.

The table of a row that the project's README shows is renewed there too.
"""

import os
import platform
import re
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
README = Path(__file__).parents[1] / "README.md"
_PACKAGES = ("tocsin", "uvicorn", "uvloop", "httptools", "msgspec", "fastapi", "pydantic")
_INTRODUCTION = """# Measurements

Written by `make bench`; do not edit. Every row runs beside its control, in turns within the same minutes, and the medians
count: trust the ratios, for the absolute numbers are this machine's. What each row does and against which control:
[README.md](README.md). Each part says when it was measured, at which commit, on which machine, and how
busy that was.
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
    table = _table(rows)
    parts = _old_parts() | {name: "\n".join([table, "", *(f"- {note}" for note in _notes(rows))])}
    text = [_INTRODUCTION, *_machine(), ""]
    text += [f"## {name}\n\n{parts[name].strip()}\n" for name in order if name in parts]
    RESULTS.write_text("\n".join(text))
    _renew_readme(name, table)


def _old_parts() -> dict[str, str]:
    if not RESULTS.exists():
        return {}
    _, *parts = RESULTS.read_text().split("\n## ")
    return {name: text for name, _, text in (part.partition("\n") for part in parts)}


def _renew_readme(name: str, table: str) -> None:
    """Put a table between the marks of its name, if there are any."""
    shown = re.compile(f"(<!-- bench: {name} -->\n).*?(\n<!-- end of bench -->)", re.DOTALL)
    text = README.read_text()
    renewed = shown.sub(lambda marks: marks[1] + table + marks[2], text)
    if renewed != text:
        README.write_text(renewed)


def _table(rows: Sequence[Line]) -> str:
    """Return the results, under a line that says when, where and how they were got."""
    now = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
    load_1m, load_5m, _ = os.getloadavg()
    load = f"load average {load_1m:.1f} (1 min) and {load_5m:.1f} (5 min)"
    columns = rows[0].columns()
    return "\n".join(
        [
            f"{now} UTC, commit {_commit()}, {os.cpu_count()} cores ({_cpu_model()}), {load}.",
            "",
            _line(columns),
            _line("---" for _ in columns),
            *(_line(row.cells()) for row in rows),
        ]
    )


def _notes(rows: Sequence[Line]) -> list[str]:
    return list(dict.fromkeys(row.note for row in rows if row.note))


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _machine() -> list[str]:
    versions = [
        f"Python {platform.python_version()}",
        f"SQLite {sqlite3.sqlite_version}",
        *(f"{name} {version(name)}" for name in _PACKAGES),
    ]
    return [
        f"- {platform.system()} {platform.release()}, {', '.join(versions)}",
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
