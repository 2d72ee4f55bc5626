"""Alerts that can never be delivered, and alerts that crash the server, among ten thousand good ones."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.acceptance.conftest import MakeServer
from tests.acceptance.deadlines import until_async
from tests.acceptance.server_process import TOCSIN, ServerProcess, log_entries
from tocsin.process.retry import MAX_ATTEMPTS, MAX_CRASHES

pytestmark = pytest.mark.acceptance

POISONED = (str(Path(__file__).parent / "poisoned_server.py"),)
ALERTS = 10_000
BATCH = 500
USERS = 97
DONE_S = 250.0


def kind(number: int) -> str:
    """Return what becomes of an alert: one in 1,000 crashes the server, one in 100 fails for good."""
    if number % 1000 == 333:
        return "crashes"
    return "fails" if number % 100 == 50 else "good"


def alert(number: int) -> dict[str, Any]:
    return {
        "id": str(number),
        "title": str(number),
        "category": kind(number),
        "to": {"users": [f"user-{number % USERS}"]},
    }


class Producer:
    """Asks until there is an answer, however often the server goes down meanwhile."""

    def __init__(self, http: aiohttp.ClientSession, server: ServerProcess) -> None:
        self._http = http
        self._url = server.url

    async def ask(self, method: str, path: str, **more: Any) -> Any:
        for _ in itertools.count():
            try:
                async with self._http.request(method, f"{self._url}{path}", **more) as answer:
                    if answer.status != 503:
                        assert answer.ok, await answer.text()
                        return await answer.json()
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)
        raise AssertionError

    async def publish(self, numbers: Sequence[int]) -> None:
        body = {"alerts": [alert(number) for number in numbers]}
        said = await self.ask("POST", "/v1/alerts/batch", json=body)
        assert {result["status"] for result in said["results"]} <= {"accepted", "duplicate"}

    async def dead(self) -> list[dict[str, Any]]:
        letters: list[dict[str, Any]] = []
        query = {"limit": "200"}
        while True:
            page = await self.ask("GET", "/v1/admin/dead", params=query)
            letters += page["dead"]
            if page["page"]["next"] is None:
                return letters
            query["cursor"] = page["page"]["next"]

    async def inboxes(self) -> Counter[str]:
        """Count the titles of all inboxes, each under its own user."""
        told: Counter[str] = Counter()
        for number in range(USERS):
            user = f"user-{number}"
            page = await self.ask("GET", "/v1/inbox", params={"user": user, "limit": "200"})
            titles = [item["alert"]["title"] for item in page["items"]]
            assert {int(title) % USERS for title in titles} <= {number}
            told.update(titles)
        return told

    async def settled(self, dead: int) -> None:
        """Wait until nothing waits and so many are dead."""

        async def find() -> bool:
            return await self._waiting() == 0 and len(await self.dead()) == dead

        await until_async(find, f"nothing waits, and {dead} are dead", DONE_S)

    async def _waiting(self) -> float:
        try:
            async with self._http.get(f"{self._url}/metrics") as answer:
                lines = (await answer.text()).splitlines()
        except aiohttp.ClientError:
            return -1
        line = next(line for line in lines if line.startswith("tocsin_queue_alerts "))
        return float(line.split()[1])


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.mark.timeout(600)  # half a minute, and forty starts of a server on a busy machine
async def test_poison_becomes_dead_letters_and_everything_else_arrives_once(
    make_server: MakeServer, http: aiohttp.ClientSession
) -> None:
    server = make_server(program=POISONED).start()
    http.headers.update(server.key("admin"))
    producer = Producer(http, server)
    for begin in range(0, ALERTS, BATCH):
        await producer.publish(range(begin, begin + BATCH))
    poison = {number for number in range(ALERTS) if kind(number) != "good"}
    await producer.settled(len(poison))

    good = Counter(str(number) for number in range(ALERTS) if number not in poison)
    assert await producer.inboxes() == good
    await check_letters(producer, poison)
    lives = sum(said.get("event") == "serve.ready" for said in log_entries(server.log()))
    assert lives > MAX_CRASHES * ALERTS / 1000, "the alerts that crash it did crash it"

    server.stop()
    mended = ServerProcess(server.folder, program=TOCSIN)
    try:
        mended.start()
        producer = Producer(http, mended)
        for letter in await producer.dead():
            await producer.ask("POST", f"/v1/admin/dead/{letter['id']}/retry")
        await producer.settled(0)
        assert await producer.inboxes() == Counter(str(number) for number in range(ALERTS))
    finally:
        mended.end()


async def check_letters(producer: Producer, poison: set[int]) -> None:
    """Check that each dead letter says what it was and why it was given up."""
    found = set()
    for row in await producer.dead():
        letter = await producer.ask("GET", f"/v1/admin/dead/{row['id']}")
        number = int(letter["alert"]["title"])
        found.add(number)
        assert letter["to"] == {"users": [f"user-{number % USERS}"]}
        if kind(number) == "fails":
            assert letter["attempts"] == MAX_ATTEMPTS
            assert letter["reason"] == "ValueError: this alert cannot be delivered"
        else:
            assert letter["attempts"] == MAX_CRASHES + 1
            assert f"ended {MAX_CRASHES} times" in letter["reason"]
    assert found == poison
