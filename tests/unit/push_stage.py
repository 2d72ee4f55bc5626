"""The dispatcher on the memory store, with a provider that does what a test tells it, and a clock turned by hand."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from tests.ports.devices import device
from tests.ports.turned_clock import TurnedClock
from tests.ports.world import World, envelope
from tests.unit.scripted_provider import ScriptedProvider
from tocsin.adapters.memory.store import MemoryStore
from tocsin.config import Push as PushSettings
from tocsin.model.device import Platform
from tocsin.model.push import PushRecord
from tocsin.model.receipt import Fact, Told
from tocsin.ports.push import PushProvider
from tocsin.push.dispatcher import Dispatcher
from tocsin.push.gate import Gate
from tocsin.push.storm import StormGuard
from tocsin.supervisor import Supervisor
from tocsin.telemetry import Metrics

ROUNDS = 200
_CONTENT = msgspec.Raw(
    b'{"source":"s","title":"Fire","severity":"info","created_at":"2026-11-23T01:00:00Z"}'
)


class Keeper:
    """Keeps every fact; the dispatcher only asks."""

    def keeps(self, hub: str, fact: Fact) -> bool:
        return True

    def record(self, told: Sequence[Told]) -> None:
        raise AssertionError(told)

    async def note(self, told: Sequence[Told]) -> None:
        raise AssertionError(told)


class Stage:
    """What a test plays on."""

    def __init__(self, settings: PushSettings, supervisor: Supervisor) -> None:
        self.clock = TurnedClock()
        self.store = MemoryStore(self.clock)
        self.world = World(self.store, self.clock)
        self.provider, self.metrics = ScriptedProvider(), Metrics()
        self.present: set[str] = set()
        self._settings, self._supervisor = settings, supervisor
        self.dispatcher = self.dispatch({"fcm": self.provider})

    def dispatch(self, providers: Mapping[Platform, PushProvider]) -> Dispatcher:
        return Dispatcher(
            pushes=self.store.pushes,
            providers=providers,
            recorder=Keeper(),
            clock=self.clock,
            gate=Gate(
                lambda _, user: user in self.present,
                self.store.preferences,
                StormGuard(self._settings.storm_pushes, self._settings.storm_s),
            ),
            supervisor=self._supervisor,
            metrics=self.metrics,
            settings=self._settings,
        )

    async def register(self, user: str = "ann", device_id: str = "d1", **fields: object) -> None:
        await self.store.devices.put_device(device(user, device_id, **fields), 20)

    async def alert(self, *users: str, **fields: Any) -> str:
        told = envelope(*users, content=_CONTENT, **fields)
        await self.store.deliver([told])
        return told.id

    async def work(self) -> None:
        """Let the dispatcher do all that is to be done now."""
        for _ in range(ROUNDS):
            busy = await self.dispatcher.step()
            for _ in range(20):
                await asyncio.sleep(0)
            if not busy:
                return

    async def until(self, done: Callable[[], Awaitable[bool]]) -> None:
        """Work until something holds."""
        async with asyncio.timeout(60):
            while not await done():
                await self.work()
                await asyncio.sleep(0)
                self.clock.turn(s=1)

    async def waits(self, count: int) -> bool:
        return await self.store.pushes.waiting_pushes() == count

    async def turn(self, s: float) -> None:
        self.clock.turn(s=s)
        await self.work()

    async def pushes(self, alert_id: str, user: str = "ann") -> tuple[PushRecord, ...]:
        copy = await self.store.traces.copy("h", alert_id, user)
        assert copy is not None
        return copy.pushes

    async def shown(self, alert_id: str, user: str = "ann") -> None:
        told = Told("h", alert_id, user, "shown", self.clock.us)
        await self.store.pushes.cancel_shown([told])

    def counted(self, outcome: str) -> float:
        labels = {"platform": "fcm", "outcome": outcome}
        return self.metrics.registry.get_sample_value("tocsin_pushes_total", labels) or 0


@asynccontextmanager
async def stage(**settings: object) -> AsyncIterator[Stage]:
    supervisor = Supervisor()
    try:
        yield Stage(PushSettings.model_validate(settings), supervisor)
    finally:
        await supervisor.stop()
