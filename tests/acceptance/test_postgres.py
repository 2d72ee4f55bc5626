"""A server whose store is PostgreSQL: the way of an alert, and what crashes of either of the two leave."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.acceptance.conftest import MakeServer
from tests.acceptance.deadlines import until
from tests.acceptance.live_clients import LiveClients
from tests.acceptance.server_process import ServerProcess
from tests.ports.postgres_server import PostgresServer, running_postgres

pytestmark = pytest.mark.acceptance

ALERTS = 60
AT_ONCE = 6
HEALS_S = 90.0


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with running_postgres() as made:
        yield made


@pytest.fixture
def server(make_server: MakeServer, postgres: PostgresServer) -> ServerProcess:
    """Start a server on a database of its own; the password in its URL is asked of nobody."""
    url = postgres.create().replace("tocsin@", "tocsin:s3cret@")
    return make_server(env={"TOCSIN_STORE": url}).start()


async def test_an_alert_reaches_who_is_looking_and_commands_know_what_postgresql_does_itself(
    server: ServerProcess,
) -> None:
    producer, key = server.key("producer"), server.key("server")
    clients = LiveClients(server, key)
    try:
        await clients.open(["ada"])
        moving = asyncio.ensure_future(clients.move())
        await asyncio.sleep(0)
        answer = await asyncio.to_thread(server.publish, producer, title="Over PostgreSQL")
        assert answer.status_code == 202
        await moving
        await clients.become_equal("ada", 30)
        titles = [row["alert"]["title"] for row in clients.clients["ada"].view()["items"]]
        assert titles == ["Over PostgreSQL"]
    finally:
        await clients.close()
    assert not (server.data_dir / "tocsin.db").exists()
    refused = await asyncio.to_thread(server.try_cli, "backup", "copy.tar")
    assert refused.returncode == 1
    assert "pg_dump" in refused.stderr
    found = await asyncio.to_thread(server.cli, "doctor")
    assert "every commit waits for the disk" in found
    settings = await asyncio.to_thread(server.cli, "check-config")
    assert "s3cret" not in server.log() + refused.stderr + found + settings


def publish_over(server: ServerProcess, crash: Callable[[], None]) -> list[str]:
    """Publish from several threads, each alert until it was accepted, while something crashes; return the titles."""
    producer, healed = server.key("producer"), threading.Event()
    titles = [f"title-{number:03}" for number in range(ALERTS)]

    def attempt(title: str) -> bool:
        accepted = is_accepted(server, producer, title)
        if not accepted:
            healed.wait(HEALS_S)
        return accepted

    def publish(title: str) -> None:
        if title == titles[ALERTS // 3]:
            crash()
            healed.set()
        until(lambda: attempt(title), f"{title} is accepted", HEALS_S)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(publish, titles))
    return titles


def is_accepted(server: ServerProcess, key: Mapping[str, str], title: str) -> bool:
    """Try once, as a producer does: under the same id as before."""
    try:
        return server.publish(key, id=title, title=title).status_code == 202
    except httpx.TransportError:
        return False


def check_delivered(server: ServerProcess, titles: Sequence[str]) -> None:
    """See that each alert comes to the inbox, and that none is there twice."""
    key = server.key("server")
    until(lambda: len(server.titles(key)) >= len(titles), "everything is delivered", 60)
    assert sorted(server.titles(key)) == titles


def test_a_killed_server_loses_nothing_that_it_accepted(server: ServerProcess) -> None:
    check_delivered(server, publish_over(server, server.restart))


def test_a_crash_of_postgresql_under_a_server_loses_nothing_that_was_accepted(
    server: ServerProcess, postgres: PostgresServer
) -> None:
    def crash() -> None:
        postgres.stop(signal.SIGQUIT)
        assert not is_accepted(server, producer, "while it is away")
        postgres.start()

    producer = server.key("producer")
    check_delivered(server, publish_over(server, crash))
