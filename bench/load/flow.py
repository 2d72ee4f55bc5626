"""What one load process can be told to do."""

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple

from bench.load.listeners import Listeners
from bench.load.producers import Order, Producers, Sent


class Flow(NamedTuple):
    """What came through from producers to clients: how many alerts, in what time."""

    seconds: float
    alerts: int
    refused: int


class Load:
    """Producers and listeners of one process."""

    def __init__(self) -> None:
        self._listeners = Listeners()

    async def listen(self, port: int, paths: Sequence[str]) -> None:
        """Connect a client for each path."""
        await self._listeners.connect(port, paths)

    async def listen_bare(self, port: int, count: int) -> None:
        """Open plain connections."""
        await self._listeners.connect_bare(port, count)

    async def expect(self, alerts: int) -> int:
        """Wait until ``alerts`` more have come; return the time of the last (monotonic, ns)."""
        return await self._listeners.expect(alerts)

    async def watch_for(self, alerts: int) -> None:
        """Wait like ``expect``, but awake: nobody who sends has to wake this process, which can cost more than sending."""
        await self._listeners.watch_for(alerts)

    async def late_ns(self) -> list[int]:
        """Return how late the alerts were that came since the last call."""
        late, self._listeners.late_ns = self._listeners.late_ns, []
        return late

    async def burst(self, order: Order, requests: int) -> Sent:
        """Publish as fast as answers come."""
        producers = Producers(order)
        await producers.open()
        try:
            return await producers.burst(requests)
        finally:
            producers.close()

    async def steady(self, order: Order, per_s: float, seconds: float) -> Sent:
        """Publish at a rate, whatever happens."""
        producers = Producers(order)
        await producers.open()
        try:
            return await producers.steady(per_s, seconds)
        finally:
            producers.close()

    async def burst_through(self, order: Order, requests: int, deliveries: int) -> float:
        """Publish as fast as answers come; return the seconds until the last of the ``deliveries`` came."""
        began_ns = time.monotonic_ns()
        await self.burst(order, requests)
        return (await self.expect(deliveries) - began_ns) / 1e9

    async def steady_through(self, order: Order, per_s: float, seconds: float) -> None:
        """Publish at a rate, and wait until all of it has come to the listeners."""
        await self.steady(order, per_s, seconds)
        await self._listeners.expect(round(per_s * seconds))

    async def through(self, order: Order, window: int, seconds: float) -> Flow:
        """Publish as fast as alerts come out at the clients: never are more than ``window`` under way.

        So nothing gathers anywhere, and the rate is what holds for ever.
        """
        producers = Producers(order)
        await producers.open()
        try:
            return await self._through(producers, order.batch, window, seconds)
        finally:
            producers.close()

    async def _through(self, producers: Producers, batch: int, window: int, seconds: float) -> Flow:
        listeners, sent = self._listeners, 0
        before, began = listeners.alerts, time.monotonic()
        while time.monotonic() - began < seconds:
            while sent - (listeners.alerts - before) + batch <= window:
                producers.send(0)
                sent += batch
            await asyncio.sleep(0.001)
        came, took = listeners.alerts - before, time.monotonic() - began
        await listeners.expect(sent)
        return Flow(took, came, producers.refused)
