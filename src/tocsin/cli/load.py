"""The load of ``tocsin bench``: alerts at a given rate, people who look, and erasing all of it."""

import asyncio
import uuid
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import partial

import aiohttp
import msgspec

from tocsin.cli.link import Link, open_link
from tocsin.cli.pool import each
from tocsin.client.live import InboxClient
from tocsin.client.refusal import RefusedError
from tocsin.clock import SystemClock
from tocsin.config import Settings
from tocsin.errors import ConfigError
from tocsin.ports.care import Progress

ARRIVE_S = 30.0
LOOK_EVERY_S = 0.05
CATEGORY = "tocsin-bench"
# What a run that is cut leaves behind goes away by itself.
EXPIRES_IN = timedelta(hours=1)


class Load(msgspec.Struct, frozen=True):
    """How many alerts, how many of them a second, and for how many people who look."""

    alerts: int
    rate: float
    clients: int


class Measured(msgspec.Struct):
    """What came of a load; times in seconds, by the number of the alert."""

    began_s: dict[int, float] = msgspec.field(default_factory=dict)
    accepted_s: dict[int, float] = msgspec.field(default_factory=dict)
    arrived_s: dict[int, float] = msgspec.field(default_factory=dict)
    refused: list[str] = msgspec.field(default_factory=list)
    took_s: float = 0.0


async def put_load(settings: Settings, hub: str | None, load: Load, progress: Progress) -> Measured:
    """Publish to made-up people who look, measure, and erase them at the end, however that comes.

    Raises:
        ConfigError: There is no server to put it on.
    """
    measured = Measured()
    async with open_link(settings, hub) as link:
        if not link.is_live:
            detail = f"no server runs on {settings.data_dir}; start `tocsin serve`, or name one with TOCSIN_URL"
            raise ConfigError(detail, code="no-server")
        users = [f"{CATEGORY}-{uuid.uuid4().hex[:8]}-{number}" for number in range(load.clients)]
        try:
            await _measure(link, users, load, measured, progress)
        finally:
            await _erase(link, users, measured, progress)
    return measured


async def _measure(
    link: Link, users: list[str], load: Load, measured: Measured, progress: Progress
) -> None:
    """Let people look, publish to them, and wait until they have all of it."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        watching = await stack.enter_async_context(asyncio.TaskGroup())
        people = [
            await stack.enter_async_context(await _client(link, user, session)) for user in users
        ]
        for person in people:
            await person.synced()
            watching.create_task(_watch(person, measured))
        await _publish_all(link, users, load, measured, progress)
        await _arrive(measured, progress)


async def _client(link: Link, user: str, session: aiohttp.ClientSession) -> InboxClient:
    url = str((await link.call("POST", "/v1/client-tokens", {"user_id": user}))["url"])
    return InboxClient(url, url.partition("/client/")[0].replace("ws", "http", 1), session)


async def _watch(client: InboxClient, measured: Measured) -> None:
    """Note when each alert is there, until the client is closed."""
    clock = SystemClock()
    async for event in client.events():
        for item in event.get("items", ()) if event["type"] == "arrived" else ():
            number = item["alert"]["data"]["number"]
            measured.arrived_s[number] = clock.monotonic_s() - measured.began_s[number]


async def _publish_all(
    link: Link, users: list[str], load: Load, measured: Measured, progress: Progress
) -> None:
    """Publish at the given rate; a server that is slower than that is asked by 32 at once, and no more."""
    clock = SystemClock()
    expires_at = (datetime.fromtimestamp(clock.now_us() / 1e6, UTC) + EXPIRES_IN).isoformat()
    start_s = clock.monotonic_s()

    async def publish(number: int) -> None:
        await asyncio.sleep(max(0.0, start_s + number / load.rate - clock.monotonic_s()))
        began_s = measured.began_s[number] = clock.monotonic_s()
        alert = {
            "to": {"users": [users[number % len(users)]]},
            "title": f"tocsin bench {number}",
            "category": CATEGORY,
            "data": {"number": number},
            "expires_at": expires_at,
        }
        try:
            await link.call("POST", "/v1/alerts", alert)
        except RefusedError as error:
            measured.refused.append(error.detail)
            return
        measured.accepted_s[number] = clock.monotonic_s() - began_s
        progress("publishing", (number + 1) / load.alerts)

    await each([partial(publish, number) for number in range(load.alerts)])
    measured.took_s = clock.monotonic_s() - start_s


async def _arrive(measured: Measured, progress: Progress) -> None:
    """Wait until everything is there, for at most 30 s."""
    clock = SystemClock()
    end_s = clock.monotonic_s() + ARRIVE_S
    while len(measured.arrived_s) < len(measured.accepted_s) and clock.monotonic_s() < end_s:
        progress("waiting for the last ones", len(measured.arrived_s) / len(measured.accepted_s))
        await asyncio.sleep(LOOK_EVERY_S)


async def _erase(link: Link, users: list[str], measured: Measured, progress: Progress) -> None:
    """Erase the made-up people, and with them all that was published, since nobody else has it."""

    async def erase(place: int, user: str) -> None:
        try:
            await link.call("DELETE", f"/v1/users/{user}")
        except RefusedError as error:
            measured.refused.append(f"cleaning up: {error.detail}")
        progress("cleaning up", (place + 1) / len(users))

    await each([partial(erase, place, user) for place, user in enumerate(users)])
