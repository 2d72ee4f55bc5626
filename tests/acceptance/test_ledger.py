"""The ledger: what the server said it took is in every recipient's inbox exactly once, however often it was killed."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.acceptance.conftest import MakeServer
from tests.acceptance.deadlines import until_async
from tests.acceptance.live_clients import live_clients
from tests.acceptance.server_process import ServerProcess
from tocsin.client import comeback

pytestmark = pytest.mark.acceptance

DOUBLING = (str(Path(__file__).parent / "doubling_server.py"),)
USERS = tuple(f"user-{number}" for number in range(8))
IN_FLIGHT = 32
KILLS = 10
ACCEPTED_BETWEEN_KILLS = 60
HEALED_S = 120.0  # a read that failed is tried again after 30 s at most


class Ledger:
    """Publishes alerts until told to stop, repeats each until it has an answer, and notes what was accepted.

    ``answers_lost`` is how many answers to each alert are thrown away.
    """

    def __init__(
        self, server: ServerProcess, key: Mapping[str, str], *, answers_lost: int = 0
    ) -> None:
        self.accepted: dict[str, str] = {}  # alert ids by what the alert was called by its producer
        self.repeated = 0
        self._address = f"{server.url}/v1/alerts"
        self._key = key
        self._numbers = itertools.count()
        self._answers_lost = answers_lost
        self._stopping = False

    async def run(self) -> None:
        """Keep 32 publishes in flight until ``stop``."""
        async with (
            aiohttp.ClientSession(headers=self._key) as http,
            asyncio.TaskGroup() as publishers,
        ):
            for _ in range(IN_FLIGHT):
                publishers.create_task(self._publish_on(http))

    def stop(self) -> None:
        """Begin no new alert; what is in flight is still brought to its answer."""
        self._stopping = True

    async def accepts(self, count: int) -> None:
        """Wait until ``count`` more alerts were accepted."""
        enough = len(self.accepted) + count

        async def find() -> bool:
            return len(self.accepted) >= enough

        await until_async(find, f"{count} alerts are accepted")

    def own(self, user: str) -> Counter[str]:
        """Return the titles that have to be in a user's inbox."""
        return Counter(name for name in self.accepted if user in recipients(name))

    def for_all(self) -> Counter[str]:
        """Return the titles that have to be on the broadcast stream."""
        return Counter(name for name in self.accepted if not recipients(name))

    async def _publish_on(self, http: aiohttp.ClientSession) -> None:
        while not self._stopping:
            name = str(next(self._numbers))
            users = recipients(name)
            to = {"users": users} if users else {"all": True}
            self.accepted[name] = await self._publish(http, {"id": name, "title": name, "to": to})

    async def _publish(self, http: aiohttp.ClientSession, alert: Mapping[str, Any]) -> str:
        for attempt in itertools.count():
            try:
                async with http.post(self._address, json=alert) as answer:
                    said = await answer.json()
                    if answer.status == 202 and attempt >= self._answers_lost:
                        assert said["status"] == "accepted" or attempt, (
                            "only a repeat is a duplicate"
                        )
                        alert_id: str = said["id"]
                        return alert_id
                    assert answer.status in (202, 503), said
            except aiohttp.ClientError:  # nobody knows: the same again
                self.repeated += 1
                await asyncio.sleep(0.05)
        raise AssertionError


def recipients(name: str) -> list[str]:
    """Return whom the alert of that name is for: one, three or five users; nobody in particular means everybody."""
    number = int(name)
    if number % 17 == 0:
        return []
    return [USERS[(number + step) % len(USERS)] for step in range(1 + 2 * (number % 3))]


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A client for the checks."""
    async with aiohttp.ClientSession() as session:
        yield session


async def inbox_of(
    http: aiohttp.ClientSession, server: ServerProcess, key: Mapping[str, str], user: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Fetch all own items and broadcasts of a user, page by page."""
    query = {"user": user, "limit": "200"}
    async with http.get(f"{server.url}/v1/inbox", params=query, headers=key) as answer:
        page = await answer.json()
    items, broadcasts = page["items"], page["broadcasts"]
    while page.get("end") is not None:
        older = query | {"before": str(page["end"])}
        async with http.get(f"{server.url}/v1/inbox", params=older, headers=key) as answer:
            page = await answer.json()
        items += page["items"]
    return items, broadcasts


async def test_every_accepted_alert_is_in_every_inbox_exactly_once_after_ten_kills(
    make_server: MakeServer, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Connections that stand for a second only make clients wait longer and longer; here they are to be in the fray.
    monkeypatch.setattr(comeback, "LONGEST_PAUSE_S", 0.5)
    server = make_server(env={"TOCSIN_LIMITS__BROADCASTS_PER_HUB": "5000"}).start()
    key = server.key("server")
    ledger = Ledger(server, key)
    async with live_clients(server, key, USERS) as clients:
        async with asyncio.TaskGroup() as publishing:
            publishing.create_task(ledger.run())
            for kill in range(KILLS):
                await ledger.accepts(ACCEPTED_BETWEEN_KILLS)
                if kill % 2:  # else it hits clients that are still on their way back
                    await clients.move()
                await asyncio.to_thread(server.restart)
            ledger.stop()
        assert ledger.repeated >= KILLS, "kills hit publishes in flight"

        await check_inboxes(http, server, key, ledger)
        await asyncio.gather(*(clients.become_equal(user, HEALED_S) for user in USERS))
        await clients.become_quiet()


async def check_inboxes(
    http: aiohttp.ClientSession, server: ServerProcess, key: Mapping[str, str], ledger: Ledger
) -> None:
    """Check that every inbox holds what the ledger says, each alert once and under the id that was answered.

    Raises:
        AssertionError: One does not.
    """

    async def all_processed() -> bool:
        async with http.get(f"{server.url}/metrics") as answer:
            return "tocsin_queue_alerts 0.0" in await answer.text()

    await until_async(all_processed, "the queue is empty")
    for user in USERS:
        items, broadcasts = await inbox_of(http, server, key, user)
        assert Counter(item["alert"]["title"] for item in items) == ledger.own(user)
        assert Counter(item["alert"]["title"] for item in broadcasts) == ledger.for_all()
        ids = {item["alert"]["title"]: item["alert_id"] for item in (*items, *broadcasts)}
        assert all(ledger.accepted[title] == alert_id for title, alert_id in ids.items())


async def ledger_without_answers(server: ServerProcess, key: Mapping[str, str]) -> Ledger:
    """Publish some alerts twice each, as producers do whose answers were lost."""
    for user in USERS:  # a broadcast is for those who were mentioned before it
        await asyncio.to_thread(server.client_token, key, user)
    ledger = Ledger(server, key, answers_lost=1)
    async with asyncio.TaskGroup() as publishing:
        publishing.create_task(ledger.run())
        await ledger.accepts(ACCEPTED_BETWEEN_KILLS)
        ledger.stop()
    return ledger


async def test_the_ledger_holds_when_answers_are_lost(
    server: ServerProcess, http: aiohttp.ClientSession
) -> None:
    key = server.key("server")
    await check_inboxes(http, server, key, await ledger_without_answers(server, key))


async def test_the_ledger_notices_a_server_that_forgets_what_was_sent_before(
    make_server: MakeServer, http: aiohttp.ClientSession
) -> None:
    server = make_server(program=DOUBLING).start()
    key = server.key("server")
    ledger = await ledger_without_answers(server, key)
    with pytest.raises(AssertionError, match="Counter"):
        await check_inboxes(http, server, key, ledger)
