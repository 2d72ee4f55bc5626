"""The life of a serving process: it starts, listens, calms the collector, hears signals, drains and ends."""

import asyncio
import gc
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from tocsin.api.auth import DEFAULT_HUB
from tocsin.api.endpoints import find_endpoints
from tocsin.api.http_guard import guarded_protocol
from tocsin.api.listener import Listener, bind, bind_unix, tls_context
from tocsin.api.upgrade import socket_upgrade
from tocsin.config import SOCKET_NAME, Settings, advice
from tocsin.errors import UnauthenticatedError
from tocsin.node.life import Node
from tocsin.ports.audit import LOCAL, Deed

log = structlog.get_logger()

DEMO_KEY_FILE = "demo.key"
_GREETING = """
  Tocsin is running.  Open {url}/?user=ada

  Publish a first alert:
    curl -X POST {url}/v1/alerts \\
      -H 'authorization: Bearer {key}' \\
      -d '{{"to": {{"users": ["ada"]}}, "title": "Hello, Ada", "body": "Sent with curl.", "severity": "success"}}'
"""
REQUESTS_END_S = 5.0
WORK_ENDS_S = 5.0
# The event loop and the store's writer thread take turns; at the default of 5 ms a request would wait that long for
# its turn whenever the writer is busy.
_SWITCH_INTERVAL_S = 0.0005
_NEW_OBJECTS_PER_ROUND = 20_000
# What lives through so many rounds is looked at once more, all in one go: 20 of them took 70 ms while a crowd came in.
_ROUNDS_PER_SECOND_LOOK = 5
_SECOND_LOOKS_PER_THIRD = 400


async def serve(settings: Settings) -> None:
    """Run a node until SIGTERM or SIGINT, then drain it.

    Raises:
        ConfigError: The settings cannot work here; nothing was started.
    """
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    # First, so that who asks during the start (a migration may take a while) is heard after it.
    stop = StopSignals()
    stop.listen()
    bound = bind(settings.host, settings.port, shared=settings.has_peers)
    port = bound.getsockname()[1]
    tls = None
    if settings.tls_cert is not None and settings.tls_key is not None:
        tls = tls_context(settings.tls_cert, settings.tls_key)
    endpoints = find_endpoints(
        settings.host,
        port,
        settings.public_url,
        tls=tls is not None,
        others=settings.other_urls,
    )
    async with Node.opened(settings, endpoints) as node:
        listener = _listener(node)
        await listener.listen(bound, node.app, tls)
        await listener.listen(bind_unix(settings.data_dir / SOCKET_NAME), node.local_app)
        node.start()
        calm_collector()
        log.info("serve.ready", address=endpoints.public, data_dir=str(settings.data_dir))
        for line in advice(settings):
            log.warning("serve.advice", advice=line)
        if settings.demo:
            sys.stdout.write(await _greeting(node))
            sys.stdout.flush()
        await stop.asked.wait()
        await _drain(node, listener, stop.hurry)
    log.info("serve.stopped")


class StopSignals:
    """SIGTERM and SIGINT: the first asks to stop, any other to hurry."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.hurry = asyncio.Event()

    def listen(self) -> None:
        """Hear them from now on, in place of what Python does."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.heard)

    def heard(self) -> None:
        """Take one."""
        if self.asked.is_set():
            log.info("serve.hurries")
            self.hurry.set()
        self.asked.set()


def calm_collector() -> None:
    """Take what was made by now out of the garbage collector's rounds, and have it come less often.

    Hardly anything here is a circle, so reference counts free nearly all of it, while the rounds took 7 % of the time
    of a publish (docs/decisions/0007-one-write-per-answer.md).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS_PER_ROUND, _ROUNDS_PER_SECOND_LOOK, _SECOND_LOOKS_PER_THIRD)


async def _drain(node: Node, listener: Listener, hurry: asyncio.Event) -> None:
    """Say so, stop accepting, spread the closes, finish what was begun (I9); once asked to hurry, all of it at once."""
    settings = node.settings
    log.info("serve.drains", notice_s=settings.drain_notice_s, over_s=settings.drain_s)
    node.leave()
    await within(settings.drain_notice_s, asyncio.sleep, hurry)
    listener.stop_accepting()
    await within(node.settings.drain_s, node.gateway.drain, hurry)
    await within(REQUESTS_END_S, listener.finish, hurry)
    await within(WORK_ENDS_S, node.finish_work, hurry)
    node.gateway.close()
    (node.settings.data_dir / SOCKET_NAME).unlink(missing_ok=True)


async def within(
    seconds: float, step: Callable[[float], Coroutine[Any, Any, None]], hurry: asyncio.Event
) -> None:
    """Give ``step`` its time; when asked to hurry it is begun anew with none."""
    under_way = asyncio.ensure_future(step(seconds))
    hurrying = asyncio.ensure_future(hurry.wait())
    await asyncio.wait([under_way, hurrying], return_when=asyncio.FIRST_COMPLETED)
    hurrying.cancel()
    if under_way.done():
        under_way.result()
        return
    under_way.cancel()
    await asyncio.wait([under_way])
    await step(0)


def _listener(node: Node) -> Listener:
    limits = node.settings.limits
    protocol = guarded_protocol(limits.head_bytes, limits.head_s, limits.body_s)
    trusted = node.settings.trusted_proxies
    return Listener(
        protocol,
        {
            "ws": socket_upgrade(node.gateway) if "gateway" in node.settings.roles else "none",
            "http": protocol,
            "proxy_headers": bool(trusted),
            "forwarded_allow_ips": list(trusted),
        },
    )


async def _greeting(node: Node) -> str:
    """Say where to look, with a first alert ready to send; the key in it is kept beside the database."""
    key = await _demo_key(node)
    return _GREETING.format(url=node.endpoints.public, key=key)


async def _demo_key(node: Node) -> str:
    path = node.settings.data_dir / DEMO_KEY_FILE
    try:
        text = path.read_text()
        node.keyring.check(text)
    except (OSError, UnauthenticatedError):
        text, _ = await node.keyring.create(DEFAULT_HUB, "producer", "demo", _demo_deed(node))
        path.touch(mode=0o600)
        path.write_text(text)
    return text


def _demo_deed(node: Node) -> Deed:
    return Deed(DEFAULT_HUB, LOCAL, "demo", "key.create", "", "done", node.clock.now_us())
