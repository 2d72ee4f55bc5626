"""A node's life: opened, started, and brought to its end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tocsin.api.app import App
from tocsin.api.cors import Cors
from tocsin.api.endpoints import Endpoints, find_endpoints
from tocsin.api.http import Receive, Scope, Send
from tocsin.api.routes import build_router
from tocsin.clock import SystemClock
from tocsin.config import Settings
from tocsin.node.fanout import opened_fanout
from tocsin.node.following import following
from tocsin.node.ground import Ground
from tocsin.node.handlers import in_file
from tocsin.node.parts import Parts
from tocsin.node.peers import opened_peers
from tocsin.node.queue import opened_queue
from tocsin.node.resources import resources
from tocsin.node.store import open_store
from tocsin.node.tracing import opened_tracing
from tocsin.supervisor import Supervisor


class Node(Parts):
    """One process of Tocsin, put together and not yet listening."""

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self.settings, self.store = ground.settings, ground.store
        self.endpoints, self.clock = ground.endpoints, ground.clock
        self._working: asyncio.Task[None] | None = None
        router = build_router(resources(self), self.settings.roles)
        self.app = App(router, Cors(self.settings.hubs), ground.metrics)

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, settings: Settings, endpoints: Endpoints | None = None
    ) -> AsyncIterator["Node"]:
        """Open the data folder and put a node together; close it at the end.

        Raises:
            ConfigError: The folder cannot be used, another process holds it, or its schema is newer than this program.
        """
        tls = settings.tls_cert is not None
        found = endpoints or find_endpoints(
            settings.host,
            settings.port,
            settings.public_url,
            tls=tls,
            others=settings.other_urls,
        )
        clock = SystemClock()
        supervisor = Supervisor()
        store = await open_store(settings, clock)
        try:
            async with (
                opened_tracing(settings, clock) as tracing,
                opened_queue(settings, store, clock) as queue,
                opened_fanout(settings, supervisor) as fanout,
                opened_peers(settings, supervisor) as peers,
            ):
                ground = Ground(
                    settings, store, queue, fanout, peers, tracing, found, clock, supervisor
                )
                node = cls(ground)
                try:
                    await node.keyring.load()
                    node.handlers.rules.read_file(in_file(settings))
                    await node.pushing.vapid.load()
                    await node.handlers.rules.load()
                    if "api" in settings.roles:
                        await node.eraser.resume()
                    yield node
                finally:
                    await supervisor.stop()
                    await node.outbound.close()
                    await node.handlers.outbound.close()
                    await node.pushing.outbound.close()
        finally:
            await store.close()

    async def local_app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of the data folder's owner."""
        scope["tocsin.local"] = True
        await self.app(scope, receive, send)

    def start(self) -> None:
        """Start what the roles of this process are, and what each process needs."""
        supervisor = self.ground.supervisor
        starts = {
            "api": lambda: None,  # requests start it
            "gateway": self.gateway.start,
            "processor": self._start_processing,
            "dispatcher": self._start_dispatching,
            "sources": self._start_reading,
        }
        supervisor.keep("inbox.recorder", self.recorder.run)
        if self.settings.has_peers:
            supervisor.keep("node.following", following(self).run)
        for role in self.settings.roles:
            starts[role]()

    def _start_processing(self) -> None:
        supervisor = self.ground.supervisor
        self._working = supervisor.keep("process.worker", self.worker.run)
        supervisor.keep("process.sweeper", self.sweeper.run)

    def _start_dispatching(self) -> None:
        self.ground.supervisor.keep("events.sender", self.sender.run)
        self.pushing.start(self.ground.supervisor)

    def _start_reading(self) -> None:
        self.sources.start(self.ground.supervisor)

    def leave(self) -> None:
        """Say by ``/readyz`` that this process ends; all else goes on."""
        self.ground.leaving.set()

    async def finish_work(self, within_s: float) -> None:
        """Lease nothing more and let the batch in hand end, for at most ``within_s`` seconds.

        What is not finished then is leased again after the next start (I2).
        """
        began_s = self.clock.monotonic_s()
        # First, while the worker still works: what they hold is acknowledged when it has arrived.
        await self.sources.finish(within_s)
        within_s = max(0.0, within_s - (self.clock.monotonic_s() - began_s))
        self.worker.stop()
        self.pushing.dispatcher.stop()
        ending = [asyncio.ensure_future(self.handlers.lines.finish(within_s))]
        if self._working is not None:
            ending.append(self._working)
        await asyncio.wait(ending, timeout=within_s)
        await self.recorder.flush()
