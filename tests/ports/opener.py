"""Opening stores for a test, with limits of its choice."""

from collections.abc import Awaitable, Callable
from typing import Any

from tests.ports.turned_clock import TurnedClock
from tests.ports.world import AnyStore, World
from tocsin.ports.limits import StoreLimits

OpenStore = Callable[..., Awaitable[World]]


class Opener:
    """Opens stores of one kind, with limits of the test's choice, and closes them in the end."""

    def __init__(
        self, clock: TurnedClock, open_: Callable[[StoreLimits], Awaitable[AnyStore]]
    ) -> None:
        self._clock = clock
        self._open = open_
        self._opened: list[AnyStore] = []

    async def __call__(self, **limits: Any) -> World:
        store = await self._open(StoreLimits(**{"low_water_bytes": 0, **limits}))
        self._opened.append(store)
        return World(store, self._clock)

    async def close(self) -> None:
        for store in self._opened:
            await store.close()
