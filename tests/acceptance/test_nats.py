"""A server with its queue and its fan-out on NATS and its store on PostgreSQL: the way of an alert, and what crashes leave."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from tests.acceptance.conftest import MakeServer
from tests.acceptance.deadlines import until
from tests.acceptance.live_clients import live_clients
from tests.acceptance.server_process import ServerProcess
from tests.acceptance.test_postgres import check_delivered, is_accepted, postgres, publish_over
from tests.ports.nats_server import NatsServer, running_nats
from tests.ports.postgres_server import PostgresServer

__all__ = ["postgres"]

pytestmark = pytest.mark.acceptance


@pytest.fixture
def nats() -> Iterator[NatsServer]:
    """A server that the test may kill."""
    with running_nats() as server:
        yield server


def settings(nats: NatsServer, **more: str) -> dict[str, str]:
    """Say where the queue and the fan-out are; the password in these URLs is asked of nobody."""
    url = nats.url.replace("//", "//tocsin:s3cret@")
    return {
        "TOCSIN_QUEUE": url,
        "TOCSIN_FANOUT": url,
        "TOCSIN_QUEUE_MONITORS": f'["{nats.monitor}"]',
        **more,
    }


@pytest.fixture
def server(make_server: MakeServer, nats: NatsServer, postgres: PostgresServer) -> ServerProcess:
    """Start a server that has everything elsewhere."""
    return make_server(env=settings(nats, TOCSIN_STORE=postgres.create())).start()


def is_ready(server: ServerProcess) -> bool:
    """Whether a publish would be durable."""
    try:
        return server.request("GET", "/readyz").status_code == 200
    except httpx.TransportError:
        return False


async def test_an_alert_goes_through_stream_and_store_to_who_is_looking(
    server: ServerProcess,
) -> None:
    producer, key = server.key("producer"), server.key("server")
    async with live_clients(server, key, ["ada"]) as clients:
        first = await asyncio.to_thread(server.publish, producer, id="one", title="By NATS")
        assert first.status_code == 202
        status = await asyncio.to_thread(
            server.request, "GET", f"/v1/alerts/{first.json()['id']}", headers=producer
        )
        assert status.json()["state"] in ("accepted", "processed")
        again = await asyncio.to_thread(server.publish, producer, id="one", title="By NATS")
        assert again.json()["id"] == first.json()["id"]
        other = await asyncio.to_thread(server.publish, producer, id="one", title="Otherwise")
        assert other.status_code == 409
        await asyncio.to_thread(until, lambda: server.titles(key) == ["By NATS"], "it arrives")
        await clients.become_equal("ada", 30)
        assert len(clients.clients["ada"].view()["items"]) == 1
    found = await asyncio.to_thread(server.cli, "doctor")
    assert "what is accepted is safe" in found
    shown = await asyncio.to_thread(server.cli, "check-config")
    assert "s3cret" not in server.log() + found + shown


def test_a_kill_of_nats_under_a_server_loses_and_doubles_nothing(
    server: ServerProcess, nats: NatsServer
) -> None:
    def crash() -> None:
        nats.kill()
        until(lambda: not is_ready(server), "it is not ready without NATS")
        assert not is_accepted(server, producer, "while it is away")
        nats.start()
        until(lambda: is_ready(server), "it is ready again", 60)

    producer = server.key("producer")
    check_delivered(server, publish_over(server, crash))


def test_a_killed_server_loses_nothing_that_the_stream_accepted(server: ServerProcess) -> None:
    check_delivered(server, publish_over(server, server.restart))


def test_publishing_goes_on_while_the_database_is_away(
    server: ServerProcess, postgres: PostgresServer
) -> None:
    producer = server.key("producer")
    postgres.stop()
    assert is_accepted(server, producer, "without a database")
    postgres.start()
    key = server.key("server")
    until(lambda: server.titles(key) == ["without a database"], "it is delivered", 90)


def test_a_server_that_answers_too_early_is_refused_with_the_remedy(
    make_server: MakeServer,
) -> None:
    lazy = NatsServer(sync="1m")
    try:
        lazy.start()
        server = make_server(env=settings(lazy))
        refused = server.try_cli("serve", "--port", "0")
        assert refused.returncode != 0
        assert "set sync_interval to always" in refused.stderr
    finally:
        lazy.remove()
