"""A gateway in front of the server that passes each request on and, when asked to, says 503 instead of the answer."""

import contextlib
from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web

_OWN_HEADERS = {"content-length", "transfer-encoding", "connection", "host"}


class MoodyProxy:
    """``answers_lost`` is how many of the next answers are replaced; ``request_ids`` holds what each request was called."""

    def __init__(self, target: str) -> None:
        self.url = ""
        self.answers_lost = 0
        self.request_ids: list[str] = []
        self._target = target

    async def pass_on(self, request: web.Request) -> web.Response:
        """Take one request."""
        self.request_ids.append(request.headers.get("x-ms-client-request-id", ""))
        headers = {n: v for n, v in request.headers.items() if n.lower() not in _OWN_HEADERS}
        async with (
            aiohttp.ClientSession() as http,
            http.request(
                request.method,
                self._target + request.raw_path,
                headers=headers,
                data=await request.read(),
            ) as answer,
        ):
            body = await answer.read()
        if self.answers_lost:
            self.answers_lost -= 1
            return web.Response(status=503)
        kept = {n: v for n, v in answer.headers.items() if n.lower() not in _OWN_HEADERS}
        return web.Response(status=answer.status, body=body, headers=kept)


@contextlib.asynccontextmanager
async def moody_proxy_to(target: str) -> AsyncIterator[MoodyProxy]:
    """Run one in front of the server at that URL."""
    proxy = MoodyProxy(target)
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", proxy.pass_on)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    [address] = runner.addresses
    proxy.url = f"http://127.0.0.1:{address[1]}"
    try:
        yield proxy
    finally:
        await runner.cleanup()
