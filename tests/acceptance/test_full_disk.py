"""A disk that is really full beneath a server: publishers are told, what was accepted stays, and with room all goes on.

Where this user may mount no small disk, the files of the server may grow no more instead, and PostgreSQL crashes.
"""

import asyncio
import resource
import signal
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress

import psycopg
import pytest

from tests.acceptance.conftest import MakeServer
from tests.acceptance.deadlines import until
from tests.acceptance.live_clients import live_clients
from tests.acceptance.server_process import ServerProcess
from tests.ports.postgres_server import OWNER, PostgresServer, running_postgres
from tests.ports.small_disk import SmallDisk, small_disk

pytestmark = pytest.mark.acceptance

# PostgreSQL begins with 40, and its log may take 80 more.
DISK_MB = 160
# More than what the server tells takes, and less than its database soon does.
FILE_BYTES = 2 * 1024 * 1024
BODY = "x" * 2_000
HEALS_S = 120.0


class Publisher:
    """Publishes alerts to Ada, each under its id until it is accepted; ``accepted`` are the titles of those that were."""

    def __init__(self, server: ServerProcess, key: Mapping[str, str]) -> None:
        self.accepted: list[str] = []
        self._server = server
        self._key = key

    def publish(self) -> str:
        """Publish the next one, or again what was refused; return the code of a refusal."""
        title = f"title-{len(self.accepted):03}"
        answer = self._server.publish(self._key, id=title, title=title, body=BODY)
        if answer.status_code == 202:
            self.accepted.append(title)
            return ""
        assert answer.status_code == 503, answer.text
        return str(answer.json()["code"])

    def until_refused(self) -> str:
        """Publish until one is refused; return the code."""
        return until(self.publish, "one is refused", HEALS_S)

    def until_accepted(self) -> None:
        """Publish until one is accepted."""
        until(lambda: not self.publish(), "one is accepted", HEALS_S)


async def outlive(server: ServerProcess, outage: AbstractContextManager[None], codes: str) -> None:
    """Publish before an outage, in it until one is refused, and after it; see that Ada and her client have what was accepted."""
    key = server.key("server")
    publisher = Publisher(server, key)
    async with live_clients(server, key, ["ada"]) as clients:
        await asyncio.to_thread(publisher.until_accepted)
        with outage:
            code = await asyncio.to_thread(publisher.until_refused)
        assert code in codes.split()
        await asyncio.to_thread(publisher.until_accepted)

        def has_all() -> bool:
            return len(server.titles(key)) >= len(publisher.accepted)

        await asyncio.to_thread(until, has_all, "everything is delivered", HEALS_S)
        assert sorted(server.titles(key)) == publisher.accepted
        await clients.become_equal("ada", HEALS_S)


@contextmanager
def files_that_cannot_grow(server: ServerProcess) -> Iterator[None]:
    """Let the kernel refuse whatever the server writes far into a file."""
    before = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (FILE_BYTES, before[1]))
    try:
        yield
    finally:
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, before)


async def test_what_was_accepted_outlives_a_full_disk(make_server: MakeServer) -> None:
    with small_disk(DISK_MB) as disk:
        no_reserve = {"TOCSIN_LIMITS__FREE_DISK_BYTES": "0"}
        server = make_server(wrapper=disk.inside if disk else (), env=no_reserve)
        if disk is None:
            await outlive(
                server.start(), files_that_cannot_grow(server), "store-failed unknown-outcome"
            )
            return
        server.data_dir = disk.make("data")
        await outlive(server.start(), disk.filled(), "disk-full")
        server.kill()


@contextmanager
def ended_by_its_disk(postgres: PostgresServer, disk: SmallDisk | None) -> Iterator[None]:
    """Have PostgreSQL end because it cannot even write its log; with room again it is started."""
    if disk is None:
        postgres.stop(signal.SIGQUIT)
        yield
    else:
        with disk.filled():
            until(lambda: ends_by_its_log(postgres), "there is no room for the log", HEALS_S)
            yield
    postgres.start()


def ends_by_its_log(postgres: PostgresServer) -> bool:
    """Add much to the log; tell whether the server has ended, which it does not when it only refuses a session."""
    with suppress(psycopg.OperationalError):
        postgres.ask("SELECT pg_logical_emit_message(false, 'test', repeat('x', 1000000))")
    return postgres.has_ended()


async def test_what_was_accepted_outlives_a_postgresql_that_its_full_disk_ended(
    make_server: MakeServer,
) -> None:
    with (
        small_disk(DISK_MB, OWNER) as disk,
        running_postgres(
            disk.make("data") if disk else None, restart_after_crash="off"
        ) as postgres,
    ):
        server = make_server(env={"TOCSIN_STORE": postgres.create()}).start()
        await outlive(server, ended_by_its_disk(postgres, disk), "store-failed disk-full")
        server.kill()
