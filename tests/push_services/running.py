"""The stand-ins on a loopback port: within a test, or as a process of their own.

``python -m tests.push_services.running web-push`` writes ``{"origin": ...}`` and serves until its standard input ends; then
``POST /subscriptions?behaviour=&count=``, ``GET /service-account`` and ``GET /report?since=`` are how it is spoken with.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Protocol, TypeVar

from aiohttp import web

from tests.push_services.fcm import FcmService
from tests.push_services.web_push import WebPushService

END_S = 60.0


class Service(Protocol):
    """A stand-in; ``origin`` is set when it listens, ``end`` lets go of what hangs."""

    origin: str

    def app(self) -> web.Application: ...

    def end(self) -> None: ...


S = TypeVar("S", bound=Service)
SERVICES: dict[str, Callable[[], Service]] = {"web-push": WebPushService, "fcm": FcmService}


@contextlib.asynccontextmanager
async def serving(service: S, port: int = 0) -> AsyncIterator[S]:
    """Serve on a loopback port within this loop."""
    runner = web.AppRunner(service.app(), access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    service.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield service
    finally:
        service.end()
        await runner.cleanup()


@contextlib.contextmanager
def process(kind: str) -> Iterator[str]:
    """Run a stand-in as a process of its own; yields its origin."""
    with program("tests.push_services.running", kind) as origin:
        yield origin


@contextlib.contextmanager
def program(*module: str) -> Iterator[str]:
    """Run a module that writes where it listens and serves until its input ends; yields its origin."""
    command = [sys.executable, "-m", *module]
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        yield str(json.loads(child.stdout.readline())["origin"])
    finally:
        child.stdin.close()
        try:
            child.wait(END_S)
        finally:
            child.kill()
            child.wait()
            child.stdout.close()


async def main(kind: str) -> None:
    """Serve until standard input ends."""
    async with serving(SERVICES[kind]()) as service:
        await serve_until_input_ends(service.origin)


async def serve_until_input_ends(origin: str) -> None:
    """Write where this process listens, and wait for the end of its standard input."""
    print(json.dumps({"origin": origin}), flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
