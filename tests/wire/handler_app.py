"""A real application behind a hub: it keeps what it was asked and answers what a test tells it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class Asked:
    """One request, as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> str:
        return self.headers.get("ce-eventname", "")


Answer = Callable[[Asked], Awaitable[web.Response]]


async def nothing(_asked: Asked) -> web.Response:
    """Say nothing."""
    return web.Response(status=204)


async def hang(_asked: Asked) -> web.Response:
    """Answer never."""
    await asyncio.Event().wait()
    return web.Response()


@dataclass
class HandlerApp:
    """``asked`` holds the events in the order they came, ``answers`` what is answered to an event by its name.

    ``allows`` is what the handshake is answered with, None for no header; ``handshakes`` are those requests.
    """

    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    handshakes: list[Asked] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    allows: str | None = "*"
    options_status: int = 200
    runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/{{hub}}/{{event}}"

    async def stop(self) -> None:
        """Be down from now on."""
        assert self.runner is not None
        await self.runner.cleanup()

    def events(self) -> list[str]:
        return [asked.event for asked in self.asked]

    async def handle(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Asked(request.method, request.path_qs, headers, await request.read())
        if request.method == "POST":
            self.asked.append(asked)
            return await self.answers.get(asked.event, nothing)(asked)
        self.handshakes.append(asked)
        if request.method == "OPTIONS" and self.options_status != 200:
            return web.Response(status=self.options_status)
        allowed = {} if self.allows is None else {"WebHook-Allowed-Origin": self.allows}
        return web.Response(headers=allowed)


@asynccontextmanager
async def handling() -> AsyncIterator[HandlerApp]:
    """Run an application on a loopback port."""
    app = HandlerApp()
    server = web.Application(client_max_size=2**22)
    server.router.add_route("*", "/{tail:.*}", app.handle)
    runner = web.AppRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        app.port = runner.addresses[0][1]
        app.runner = runner
        yield app
    finally:
        await runner.cleanup()
