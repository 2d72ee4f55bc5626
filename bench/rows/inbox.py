"""Reading an inbox of 100,000 items beside one of 100, both in the same large table."""

import asyncio
import json
import socket
import tempfile
import time
from pathlib import Path
from typing import Self

from bench.frame import Bench, Row, ms
from bench.measure import median, percentile
from bench.servers import Tocsin, tocsin, user_name
from msgspec import Raw

from tocsin.adapters.sqlite.store import SqliteStore
from tocsin.clock import SystemClock
from tocsin.model.alert import Audience, Envelope
from tocsin.model.ids import uuid7

MANY = 100_000
FEW = 100
READS = 1_500
CHANGES = 10
_ALERTS_AT_ONCE = 200
_CONTENT = Raw(
    b'{"source":"bench","title":"Payment received","severity":"success",'
    b'"created_at":"2026-01-01T00:00:00.000Z","body":"Invoice 7 was paid in full today.",'
    b'"category":"payments","url":"/invoices/7"}'
)
_BIG, _SMALL = user_name(0), user_name(1)


def inbox(bench: Bench) -> list[Row]:
    """Pages and changes of a user with many items and of one with few, in turns."""
    rows = 10_000_000 if bench.large else 1_000_000
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as name:
        folder = Path(name) / "data"
        folder.mkdir(mode=0o700)
        began = time.monotonic()
        asyncio.run(_fill(folder, rows))
        bench.say(f"{rows:,} rows written in {time.monotonic() - began:,.0f} s")
        with tocsin(folder=folder) as server, _Reader(server) as reader:
            page = {user: f"/v1/inbox?limit=50&user={user}" for user in (_BIG, _SMALL)}
            changes = {user: _changes_path(server, reader, user) for user in (_BIG, _SMALL)}
            return [
                _compare(bench, reader, "page", page, rows),
                _compare(bench, reader, "changes", changes, rows),
            ]


def _compare(bench: Bench, reader: "_Reader", what: str, paths: dict[str, str], rows: int) -> Row:
    ratios, big, small = list[float](), list[float](), list[float]()
    for _ in range(bench.turns):
        times = reader.times(paths)
        big.append(percentile(times[_BIG], 0.99))
        small.append(percentile(times[_SMALL], 0.99))
        ratios.append(big[-1] / small[-1])
        bench.say(f"{what}, p99: {MANY:,} items {ms(big[-1])}, {FEW} items {ms(small[-1])}")
    ratio = median(ratios)
    return Row(
        f"inbox {what} p99, user with {MANY:,} items (control: {FEW})",
        ms(median(big)),
        ms(median(small)),
        ratio,
        "ratio <= 1.3",
        ratio <= 1.3,
        f"table of {rows:,} rows, {READS:,} reads of each user in turns",
    )


async def _fill(folder: Path, rows: int) -> None:
    """Deliver each alert to the big user and some others, so that every other user gets a few."""
    clock = SystemClock()
    others_each = rows // MANY - 1
    others = MANY * others_each // FEW
    store = await SqliteStore.open(folder, clock)
    try:
        for start in range(0, MANY, _ALERTS_AT_ONCE):
            await store.deliver(
                [
                    _envelope(number * others_each, others_each, others, clock.now_us())
                    for number in range(start, start + _ALERTS_AT_ONCE)
                ]
            )
    finally:
        await store.close()


def _envelope(first: int, count: int, others: int, now_us: int) -> Envelope:
    users = [user_name(1 + number % others) for number in range(first, first + count)]
    return Envelope(
        id=uuid7(now_us),
        hub="default",
        key_id="bench",
        audience=Audience(users=(_BIG, *users)),
        content=_CONTENT,
        accepted_us=now_us,
        severity="success",
        category="payments",
    )


def _changes_path(server: Tocsin, reader: "_Reader", user: str) -> str:
    """Publish a few alerts to a user; return where to read what changed by them."""
    answer = json.loads(reader.get(f"/v1/inbox?limit=1&user={user}"))
    at = answer["position"]
    alert = {"to": {"users": [user]}, "title": "One more"}
    for _ in range(CHANGES):
        server.publish(alert)
        server.settle()
    path = f"/v1/inbox/changes?since={at['epoch']}:{at['rev']}:{at['brev']}&user={user}"
    assert len(json.loads(reader.get(path))["items"]) == CHANGES
    return path


class _Reader:
    """One connection on which requests go out one after the other."""

    def __init__(self, server: Tocsin) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.port))
        self._key = server.server_key

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def get(self, path: str) -> bytes:
        """Return the body of an answer."""
        self._socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {self._key}\r\n\r\n".encode()
        )
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._socket.recv(262_144)
        head, _, body = data.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise ConnectionError(data.decode())
        size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        while len(body) < size:
            body += self._socket.recv(262_144)
        return body

    def times(self, paths: dict[str, str]) -> dict[str, list[float]]:
        """Read each user's path in turns; return the times in nanoseconds by user."""
        times: dict[str, list[float]] = {user: [] for user in paths}
        for _ in range(READS):
            for user, path in paths.items():
                began_ns = time.monotonic_ns()
                self.get(path)
                times[user].append(time.monotonic_ns() - began_ns)
        return times
