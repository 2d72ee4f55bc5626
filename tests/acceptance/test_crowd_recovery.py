"""A thousand clients are cut off in one moment and come back in another, by recovery as Microsoft's reliable ones do."""

import asyncio
import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from bench.load.client import TEXT, frame, upgrade
from bench.load.guest import Door, Guest, Wire

from tests.acceptance.conftest import MakeServer
from tests.acceptance.deadlines import until, until_async
from tests.acceptance.open_files import allow_open_files
from tests.acceptance.server_process import ServerProcess
from tests.acceptance.webpubsub_speech import client_url

pytestmark = pytest.mark.acceptance

CROWD = 1_000
PER_USER = 20
USERS = [f"user-{number}" for number in range(CROWD // PER_USER)]
PATIENCE_S = 60.0
RELIABLE = "json.reliable.webpubsub.azure.v1"
PING = frame(TEXT, b'{"type":"ping"}')
PONG = b'{"type":"pong"}'
ACKNOWLEDGE = b'{"type":"sequenceAck","sequenceId":%d}'
SESSION = re.compile(rb'"connectionId":"([^"]+)","reconnectionToken":"([^"]+)"')
MESSAGE = re.compile(rb'"type":"message"(.*?),"sequenceId":(\d+)\}', re.DOTALL)
MARK = re.compile(rb'"(send|alert|own)":(\d+)')


class Session:
    """What one client was told in one session; sequence ids by socket, ``acked`` is the last that it acknowledged."""

    def __init__(self) -> None:
        self.names: list[tuple[str, str]] = []
        self.sequences: list[list[int]] = []
        self.acked = 0
        self.marks: dict[str, list[int]] = {"send": [], "alert": [], "own": []}
        self.pongs = 0

    def heard(self, frames: bytes) -> None:
        self.names += [(name.decode(), token.decode()) for name, token in SESSION.findall(frames)]
        self.pongs += frames.count(PONG)
        for body, number in MESSAGE.findall(frames):
            self.sequences[-1].append(int(number))
            for kind, mark in MARK.findall(body):
                self.marks[kind.decode()].append(int(mark))

    @property
    def count(self) -> int:
        """How many of the marked messages came."""
        return sum(map(len, self.marks.values()))


class Line(Guest):
    """One socket of a session; it is inside when its first ping was answered."""

    __slots__ = ("session",)

    def __init__(self, path: str, session: Session) -> None:
        super().__init__(Wire(), Door(upgrade(path, RELIABLE), says=PING, hears=PONG))
        self.session = session
        session.sequences.append([])

    def heard(self, frames: bytes, now_ns: int) -> None:
        self.session.heard(frames)
        super().heard(frames, now_ns)

    def acknowledge(self) -> None:
        """Acknowledge all that came; the answer to a ping after it says that the server knows."""
        session = self.session
        session.acked = session.sequences[-1][-1]
        self.write(frame(TEXT, ACKNOWLEDGE % session.acked) + PING)


class Crowd:
    """All sessions, and the sockets that they have now."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self.lines: list[Line] = []

    @property
    def sessions(self) -> list[Session]:
        return [line.session for line in self.lines]

    async def come(self) -> None:
        urls = [client_url(self._server, u, groups=["g"], scope="inbox") for u in USERS]
        paths = [urlsplit(url)._replace(scheme="", netloc="").geturl() for url in urls]
        await self._enter(Line(path, Session()) for path in paths for _ in range(PER_USER))

    def cut(self) -> None:
        """Drop every socket, without a word."""
        for line in self.lines:
            line.drop()

    async def recover(self) -> None:
        await self._enter([Line(recovery_path(one), one) for one in self.sessions])

    async def until_all(self, have: Callable[[Session], bool], what: str) -> None:
        async def look() -> bool:
            gone = [line.lost for line in self.lines if line.lost]
            assert not gone, gone[0]
            return all(have(session) for session in self.sessions)

        await until_async(look, what, PATIENCE_S)

    async def _enter(self, lines: Iterable[Line]) -> None:
        self.lines = list(lines)
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*(line.enter(self._server.port) for line in self.lines))


def recovery_path(session: Session) -> str:
    [(name, token)] = session.names
    return f"/client/hubs/default?awps_connection_id={name}&awps_reconnection_token={token}"


class Backend:
    """Tells everybody something, numbered by the way it goes."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self.told = {"send": 0, "alert": 0, "own": 0}

    async def tell(self) -> None:
        """Send to the hub and to the group, publish to everybody, and to every user by name."""
        for path in (":send", "groups/g/:send", ":send"):
            await self._post(f"/api/hubs/default/{path}", self._next("send"))
        broadcasts = [alert({"all": True}, self._next("alert")) for _ in range(3)]
        own = alert({"users": USERS}, self._next("own"))
        await self._post("/v1/alerts/batch", {"alerts": [*broadcasts, own]})

    def _next(self, kind: str) -> dict[str, int]:
        number = self.told[kind]
        self.told[kind] += 1
        return {kind: number}

    async def _post(self, path: str, body: Any) -> None:
        answer = await self._http.post(path, json=body)
        assert answer.status_code == 202, answer.text


def alert(to: dict[str, Any], data: dict[str, int]) -> dict[str, Any]:
    return {"to": to, "title": "told", "data": data}


async def test_a_thousand_who_recover_at_once_get_what_they_missed_and_nothing_twice(
    make_server: MakeServer,
) -> None:
    allow_open_files(CROWD + 500)
    server = make_server(env={"TOCSIN_RECOVERY_WINDOW_S": "600"}).start()
    key, crowd = server.key("server"), Crowd(server)
    async with httpx.AsyncClient(base_url=server.url, headers=key, timeout=PATIENCE_S) as http:
        backend = Backend(http)
        await crowd.come()
        await backend.tell()
        await crowd.until_all(lambda one: one.count == 7, "all were told while they were there")
        for line in crowd.lines:
            line.acknowledge()
        await crowd.until_all(lambda one: one.pongs == 2, "what they have is known")
        crowd.cut()
        await backend.tell()
        delivered = backend.told["alert"] + backend.told["own"]
        until(lambda: len(server.titles(key, USERS[-1])) == delivered, "the alerts are delivered")
        await crowd.recover()
        await crowd.until_all(lambda one: one.count >= 14, "all were told what they missed")
        await backend.tell()
        await crowd.until_all(lambda one: one.count >= 21, "all hear again")
        for line in crowd.lines:
            line.write(PING)
        await crowd.until_all(lambda one: one.pongs == 4, "nothing more was on its way")
        for session in crowd.sessions:
            assert session.marks == {kind: [*range(n)] for kind, n in backend.told.items()}
            before, after = session.sequences
            assert before == [*range(1, len(before) + 1)]
            assert after == [*range(session.acked + 1, session.acked + 1 + len(after))]
            assert len(session.names) == 1, "connected came twice"
        crowd.cut()
