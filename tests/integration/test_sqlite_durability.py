"""No publish is answered before the fsync that covers it: seen in the system calls of a real process."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.sqlite_publisher import EACH, PUBLISHERS
from tocsin.adapters.sqlite.connection import connect_writer

ROOT = Path(__file__).parents[2]
ANSWERED = re.compile(r"answered (a\d+);")
SYNC_BEGAN = re.compile(r"^(\d+) +(?:fsync|fdatasync)\(\d+<[^>]*-wal>")
SYNC_ENDED = re.compile(r"^(\d+) +<\.\.\. (?:fsync|fdatasync) resumed>.*= 0$")


def traced(folder: Path) -> list[str]:
    strace = shutil.which("strace")
    if strace is None:
        pytest.fail("this test reads system calls: install strace (apt-get install strace)")
    trace = folder / "trace"
    command = [strace, "-f", "-y", "-s", "16384", "-o", str(trace)]
    command += ["-e", "trace=fsync,fdatasync,pwrite64,write"]
    command += [sys.executable, "-m", "tests.integration.sqlite_publisher", str(folder / "data")]
    done = subprocess.run(
        command, check=False, timeout=110, capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return trace.read_text(errors="replace").splitlines()


def finished_syncs(lines: list[str]) -> list[tuple[int, int]]:
    """Return where each fsync of the log began and where it had succeeded, as line numbers."""
    began: dict[str, int] = {}
    syncs = []
    for number, line in enumerate(lines):
        if (begin := SYNC_BEGAN.match(line)) is not None:
            if line.endswith("= 0"):
                syncs.append((number, number))
            else:
                began[begin[1]] = number
        elif (end := SYNC_ENDED.match(line)) is not None and end[1] in began:
            syncs.append((began.pop(end[1]), number))
    return syncs


def test_no_answer_before_the_fsync_that_covers_it(tmp_path: Path) -> None:
    lines = traced(tmp_path)
    syncs = finished_syncs(lines)
    answers = {
        found[1]: number
        for number, line in enumerate(lines)
        if " write(2" in line and (found := ANSWERED.search(line)) is not None
    }
    assert len(answers) == PUBLISHERS * EACH
    for alert_id, answered in answers.items():
        written = [n for n, line in enumerate(lines) if "-wal>" in line and alert_id in line]
        assert written, f"{alert_id} never reached the log"
        covering = [end for begin, end in syncs if begin > written[0] and end < answered]
        assert covering, f"{alert_id} was answered on line {answered} without an fsync"
    assert len(syncs) < len(answers), "many publishers share an fsync"


def test_who_writes_asks_macos_for_what_other_systems_call_fsync(tmp_path: Path) -> None:
    connection = connect_writer(tmp_path / "tocsin.db")
    names = ("fullfsync", "checkpoint_fullfsync")
    kept = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]
    connection.close()
    assert kept == [1, 1]
