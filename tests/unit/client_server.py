"""A tiny server for the live client: one hub on the memory store, one WebSocket endpoint, the inbox API."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import msgspec
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.model.server import envelope
from tocsin.adapters.memory.store import MemoryStore
from tocsin.clock import SystemClock
from tocsin.model.alert import Audience
from tocsin.model.answers import changes_answer, inbox_answer, outcome_answer, reload_answer
from tocsin.model.commands import Command, Done, MarkUpTo, Patch, PatchItems
from tocsin.model.inbox import Reload
from tocsin.model.position import parse_position
from tocsin.model.report import report_decoder
from tocsin.model.wire import head_frame
from tocsin.ports.fanout import announce_changes

HUB, USER = "h", "ann"


class TinyServer:
    """What the tests turn: sockets, and answers that fail."""

    def __init__(self) -> None:
        self.clock = SystemClock()
        self.store = MemoryStore(self.clock)
        self.sockets: list[web.WebSocketResponse] = []
        self.heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.statuses: list[int] = []
        self.connections = 0
        self.alerts = 0
        self._sequence = 0
        app = web.Application()
        app.router.add_get("/client/hubs/h", self._socket)
        app.router.add_get("/v1/inbox", self._inbox)
        app.router.add_get("/v1/inbox/changes", self._changes)
        app.router.add_patch("/v1/inbox/items", self._patch)
        app.router.add_post("/v1/inbox/mark", self._mark)
        app.router.add_post("/v1/inbox/receipts", self._receipts)
        self.http = TestServer(app)

    @property
    def base_url(self) -> str:
        return str(self.http.make_url(""))

    def client_url(self, token: str = "good") -> str:
        return str(self.http.make_url(f"/client/hubs/h?access_token={token}"))

    async def deliver(self, *, announced: bool = True) -> str:
        self.alerts += 1
        alert = envelope(
            f"a{self.alerts}",
            HUB,
            Audience(users=(USER,)),
            self.clock.now_us(),
            category=None,
            collapse_key=None,
            expires_us=None,
        )
        delivered = await self.store.deliver([alert])
        if announced:
            for announcement in announce_changes(HUB, delivered[HUB].changes):
                await self.send(announcement.body)
        return alert.id

    async def send(self, body: bytes) -> None:
        for socket in self.sockets:
            self._sequence += 1
            message = {
                "type": "message",
                "from": "server",
                "dataType": "json",
                "data": msgspec.Raw(body),
                "sequenceId": self._sequence,
            }
            await socket.send_str(msgspec.json.encode(message).decode())

    async def close_sockets(self, code: int, reason: str = "") -> None:
        for socket in list(self.sockets):
            await socket.close(code=code, message=reason.encode())

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("json.reliable.webpubsub.azure.v1",))
        await socket.prepare(request)
        self.connections += 1
        connected = {"type": "system", "event": "connected", "userId": USER, "connectionId": "c"}
        await socket.send_json(connected)
        self.sockets.append(socket)
        _, position = await self.store.head(HUB, USER)
        await self.send(head_frame(position))
        async for message in socket:
            self.heard.put_nowait(msgspec.json.decode(message.data))
        self.sockets.remove(socket)
        return socket

    async def _inbox(self, request: web.Request) -> web.Response:
        self._check(request)
        page = await self.store.inbox(HUB, USER, limit=int(request.query["limit"]))
        assert not isinstance(page, Reload)
        return web.Response(body=inbox_answer(page))

    async def _changes(self, request: web.Request) -> web.Response:
        self._check(request)
        changes = await self.store.changes(HUB, USER, parse_position(request.query["since"]))
        if isinstance(changes, Reload):
            return web.Response(body=reload_answer(changes))
        return web.Response(body=changes_answer(changes))

    async def _patch(self, request: web.Request) -> web.Response:
        patches = msgspec.convert((await request.json())["patches"], tuple[Patch, ...])
        return await self._act(request, PatchItems(patches))

    async def _mark(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        up_to = wanted["up_to"]
        mark = MarkUpTo(wanted["action"], up_to["epoch"], up_to["sort"], up_to["brev"])
        return await self._act(request, mark)

    async def _receipts(self, request: web.Request) -> web.Response:
        self._check(request)
        device = request.headers["Tocsin-Device"]
        try:
            report = report_decoder.decode(await request.read())
        except msgspec.ValidationError as error:
            problem = {"code": "invalid-field", "detail": str(error)}
            return web.json_response(problem, status=400)
        now_us = self.clock.now_us()
        await self.store.receipts.note(report.told_by(HUB, USER, device, now_us))
        return web.Response(status=204)

    async def _act(self, request: web.Request, command: Command) -> web.Response:
        self._check(request)
        outcome = await self.store.act(HUB, USER, command, request.headers["Idempotency-Key"])
        if isinstance(outcome, Done):
            for announcement in announce_changes(HUB, outcome.changes):
                await self.send(announcement.body)
        status, body = outcome_answer(outcome)
        return web.Response(status=status, body=body)

    def _check(self, request: web.Request) -> None:
        if request.headers["Authorization"] != "Bearer good":
            raise web.HTTPUnauthorized(text="{}")
        if self.statuses:
            raise web.HTTPServiceUnavailable(text="{}", reason=str(self.statuses.pop()))


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[tuple[TinyServer, aiohttp.ClientSession]]:
    server = TinyServer()
    await server.http.start_server()
    try:
        async with aiohttp.ClientSession() as session:
            yield server, session
    finally:
        await server.close_sockets(1001)
        await server.http.close()
