"""No 202 before its fsync, as the kernel sees it."""

import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.acceptance.conftest import MakeServer

pytestmark = pytest.mark.acceptance

ALERTS = 60
AT_ONCE = 6
CALLS = "read,recvfrom,recvmsg,write,writev,sendto,sendmsg,pwrite64,fsync,fdatasync"
SHOWN_BYTES = 8_192  # of a buffer: a page of the database has 4,096

_BEGUN = re.compile(r"^(\d+) +(\w+)\((.*)$")
_RESUMED = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>(.*)$")
_FILE = re.compile(r"^\d+<([^>]*)>")
_UNFINISHED = " <unfinished ...>"


class Call(NamedTuple):
    """One system call: the lines of the trace in which it began and ended, and what it was about."""

    name: str
    began: int
    ended: int
    file: str
    text: str


def calls(trace: str) -> Iterator[Call]:
    """Put the calls of all threads together again; a call that never ended is left out."""
    open_calls: dict[str, tuple[str, int, str]] = {}
    for number, line in enumerate(trace.splitlines()):
        if match := _RESUMED.match(line):
            thread, name, rest = match.groups()
            begun_name, began, text = open_calls.pop(thread)
            assert begun_name == name
            yield _call(name, began, number, text + rest)
        elif match := _BEGUN.match(line):
            thread, name, text = match.groups()
            if text.endswith(_UNFINISHED):
                open_calls[thread] = (name, number, text.removesuffix(_UNFINISHED))
            else:
                yield _call(name, number, number, text)


def _call(name: str, began: int, ended: int, text: str) -> Call:
    file = _FILE.match(text)
    return Call(name, began, ended, file[1] if file else "", text)


def test_no_202_is_written_before_an_fsync_that_covers_it(
    make_server: MakeServer, folder: Path
) -> None:
    strace = shutil.which("strace")
    assert strace is not None, "strace is missing; on Debian or Ubuntu: apt-get install strace"
    trace = folder / "trace"
    # -D: strace watches from the side, so that the child is the server itself.
    watched = (
        strace,
        "-D",
        "-f",
        "-y",
        "-s",
        str(SHOWN_BYTES),
        "-o",
        str(trace),
        "-e",
        f"trace={CALLS}",
    )
    server = make_server(wrapper=watched).start()
    key = server.key("producer")
    titles = [f"durable-{number:04}" for number in range(ALERTS)]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = list(threads.map(lambda title: server.publish(key, title=title), titles))
    assert {answer.status_code for answer in answers} == {202}
    server.stop()
    seen = list(calls(trace.read_text(errors="replace")))
    for title, answer in zip(titles, answers, strict=True):
        check_order(seen, title, answer.json()["id"])


def check_order(seen: list[Call], title: str, alert_id: str) -> None:
    """Check that an alert was read, written to the log, synced and answered, one after the other."""
    read = next(
        call for call in seen if call.file.startswith(("socket:", "TCP:")) and title in call.text
    )
    answered = next(
        call
        for call in seen
        if call.name in ("write", "writev", "sendto", "sendmsg")
        and "HTTP/1.1 202" in call.text
        and f"location: /v1/alerts/{alert_id}" in call.text
    )
    logged = next(
        (
            call
            for call in seen
            if call.name == "pwrite64"
            and call.file.endswith("-wal")
            and title in call.text
            and call.began > read.began
        ),
        None,
    )
    assert logged is not None, f"{title} never reached the log"
    assert any(
        call.name in ("fsync", "fdatasync")
        and call.file.endswith("-wal")
        and call.text.endswith("= 0")
        and logged.ended < call.began
        and call.ended < answered.began
        for call in seen
    ), f"{title} was answered in line {answered.began} of the trace, before an fsync covered it"
