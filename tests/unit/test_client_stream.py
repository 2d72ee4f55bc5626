"""The event stream as the Python client reads it, and how it tells what came over it."""

import asyncio
from collections.abc import Sequence
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.unit.realtime_fakes import FakeClock
from tocsin.client import received
from tocsin.client.received import MOST_AT_ONCE, MOST_WAITING, Received
from tocsin.client.socket import Closed
from tocsin.client.stream import InboxStream
from tocsin.errors import InvalidInputError, UnavailableError
from tocsin.supervisor import Supervisor

SAID = (
    b'id: e:1:0\ndata: {"n":1}\n\n:\n\ndata: {"n":"\xc3\xa9"}\n\n'
    b'event: reload\ndata: {"reload":true}\n\n'
)
END = b'event: end\nretry: 7\ndata: {"code":1001,"reason":"retry-after-ms=7"}\n\n'


async def listen(said: bytes, status: int = 200) -> tuple[list[object], Closed]:
    """Say something byte by byte, and return what was told."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=status)
        await response.prepare(request)
        for byte in said:
            await response.write(bytes([byte]))
        return response

    app = web.Application()
    app.router.add_get("/v1/inbox/stream", answer)
    told: list[object] = []
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        url = str(server.make_url("/v1/inbox/stream"))
        stream = InboxStream(session, url, opened=lambda: told.append("open"), heard=told.append)
        return told, await stream.run({})


async def test_frames_are_told_however_the_bytes_are_cut() -> None:
    told, closed = await listen(SAID + END)
    assert told == ["open", {"n": 1}, {"n": "é"}]
    assert closed == Closed(1001, "retry-after-ms=7")


async def test_a_stream_that_breaks_off_says_so() -> None:
    told, closed = await listen(SAID[:-5])
    assert (len(told), closed.code) == (3, 1006)


async def test_a_stream_that_is_refused_is_no_connection() -> None:
    with pytest.raises(aiohttp.ClientResponseError):
        await listen(b"", status=403)


class Ear:
    """A server that is told receipts, and fails as often as it is asked to."""

    def __init__(self, *failures: Exception) -> None:
        self.batches: list[list[str]] = []
        self.failures = list(failures)
        self.tasks = Supervisor()
        self.received = Received(self.tell, self.tasks, FakeClock())

    async def tell(self, receipts: Sequence[dict[str, Any]]) -> None:
        assert {receipt["fact"] for receipt in receipts} == {"received"}
        self.batches.append([receipt["alert_id"] for receipt in receipts])
        if self.failures:
            raise self.failures.pop(0)

    async def hears(self, batches: int) -> None:
        async with asyncio.timeout(30):
            while len(self.batches) < batches:  # noqa: ASYNC110 -- nothing else happens
                await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(received, "GATHER_S", 0)
    monkeypatch.setattr(received, "PAUSE_S", 0)


def items(count: int) -> list[dict[str, Any]]:
    return [{"alert_id": f"a{number}"} for number in range(count)]


async def test_what_arrived_is_told_in_batches_and_broadcasts_are_not() -> None:
    ear = Ear()
    ear.received.note([*items(MOST_AT_ONCE + 1), {"alert_id": "all", "brev": 1}])
    await ear.hears(2)
    assert [len(batch) for batch in ear.batches] == [MOST_AT_ONCE, 1]
    ear.received.note(items(1))
    await ear.hears(3)


async def test_what_was_not_answered_is_told_again_and_what_was_refused_is_not() -> None:
    ear = Ear(UnavailableError("away"), InvalidInputError("no"))
    ear.received.note(items(1))
    await ear.hears(2)
    ear.received.note([{"alert_id": "b"}])
    await ear.hears(3)
    assert ear.batches == [["a0"], ["a0"], ["b"]]


async def test_what_waits_is_bounded_and_the_oldest_goes() -> None:
    ear = Ear()
    ear.received.note(items(MOST_WAITING + 3))
    await ear.hears(3)
    assert ear.batches[0][0] == "a3"
    assert sum(map(len, ear.batches)) == MOST_WAITING
