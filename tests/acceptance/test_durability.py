"""No 202 before its fsync, as the kernel sees it."""

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.acceptance.conftest import MakeServer
from tests.acceptance.server_process import TOCSIN, ServerProcess

pytestmark = pytest.mark.acceptance

UNSYNCED = (str(Path(__file__).parent / "unsynced_server.py"),)
PUBLISHES = 60
BATCH = 4
AT_ONCE = 6
WRITES = ("write", "writev", "sendto", "sendmsg")
CALLS = ",".join(("read", "recvfrom", "recvmsg", *WRITES, "pwrite64", "fsync", "fdatasync"))
SOCKETS = ("socket:", "TCP:")
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


def traced(
    make_server: MakeServer, folder: Path, count: int, program: Sequence[str] = TOCSIN
) -> tuple[list[Call], dict[str, str]]:
    """Publish to a server, alone and in batches, with several requests at once.

    Returns:
        Its system calls, and the ids of the alerts by their titles.
    """
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
    server = make_server(wrapper=watched, program=program).start()
    key = server.key("producer")
    with ThreadPoolExecutor(AT_ONCE) as threads:
        published = threads.map(lambda number: publish(server, key, number), range(count))
        ids = {title: alert_id for answers in published for title, alert_id in answers.items()}
    server.stop()
    return list(calls(trace.read_text(errors="replace"))), ids


def publish(server: ServerProcess, key: Mapping[str, str], number: int) -> dict[str, str]:
    """Publish one alert, or each third time a batch; return the ids by the titles."""
    if number % 3:
        title = f"durable-{number:04}"
        answer = server.publish(key, title=title)
        assert answer.status_code == 202
        return {title: answer.json()["id"]}
    titles = [f"durable-{number:04}-{place}" for place in range(BATCH)]
    alerts = [{"to": {"users": ["ada"]}, "title": title} for title in titles]
    answer = server.request("POST", "/v1/alerts/batch", json={"alerts": alerts}, headers=key)
    assert answer.status_code == 202
    results = answer.json()["results"]
    assert {result["status"] for result in results} == {"accepted"}
    return {title: result["id"] for title, result in zip(titles, results, strict=True)}


def test_no_202_is_written_before_an_fsync_that_covers_it(
    make_server: MakeServer, folder: Path
) -> None:
    seen, ids = traced(make_server, folder, PUBLISHES)
    for title, alert_id in ids.items():
        check_order(seen, title, alert_id)


def test_a_202_before_its_fsync_is_noticed(make_server: MakeServer, folder: Path) -> None:
    seen, ids = traced(make_server, folder, AT_ONCE, UNSYNCED)
    for title, alert_id in ids.items():
        with pytest.raises(AssertionError, match="before an fsync covered it"):
            check_order(seen, title, alert_id)


def check_order(seen: list[Call], title: str, alert_id: str) -> None:
    """Check that an alert was read, written to the log, synced and answered, one after the other."""
    read = next(call for call in seen if call.file.startswith(SOCKETS) and title in call.text)
    answered = answer_with(seen, alert_id)
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


def answer_with(seen: list[Call], alert_id: str) -> Call:
    """Return the call that began an answer: its head has the id of one alert, its body those of a batch."""
    written = [call for call in seen if call.name in WRITES and call.file.startswith(SOCKETS)]
    place = next(place for place, call in enumerate(written) if alert_id in call.text)
    told = written[place]
    return next(
        call
        for call in reversed(written[: place + 1])
        if call.file == told.file and "HTTP/1.1 202" in call.text
    )
