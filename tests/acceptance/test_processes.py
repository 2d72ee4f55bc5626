"""Several processes on one PostgreSQL and one NATS do what one does, and any of them may be killed."""

import asyncio
import json
import os
import re
import shutil
import signal
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import aiohttp
import httpx
import nats as nats_py
import pytest

from tests.acceptance import test_ledger
from tests.acceptance.conftest import MakeServer
from tests.acceptance.deadlines import until
from tests.acceptance.live_clients import live_clients
from tests.acceptance.push_browsers import Browsers, push_environment
from tests.acceptance.server_process import ServerProcess, free_port
from tests.acceptance.tcp_proxy import proxy_by
from tests.acceptance.test_drill import RunningDrill, is_clean, secret_of
from tests.acceptance.test_ledger import HEALED_S, USERS, Ledger, check_inboxes
from tests.acceptance.test_webhooks import QUICK, Ada, Hold, Registered, devices
from tests.acceptance.webhook_receiver import receiving
from tests.cluster.front import front_of
from tests.ports.nats_server import NatsServer, running_nats
from tests.ports.postgres_server import PostgresServer, running_postgres
from tests.push_services.running import process
from tocsin.api.seal import KEY_FILE
from tocsin.client import comeback

pytestmark = pytest.mark.acceptance

IN_FLIGHT = 3  # so that inboxes stay small however long a start takes
ACCEPTED_BETWEEN_KILLS = 30
ENDS_S = 60.0
GRACE_S = 3_600  # far longer than a test takes, and than a push is leased
Env = Mapping[str, str]


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with running_postgres() as made:
        yield made


@pytest.fixture(scope="module")
def nats() -> Iterator[NatsServer]:
    with running_nats() as made:
        yield made


@pytest.fixture
def shared(postgres: PostgresServer, nats: NatsServer) -> dict[str, str]:
    """Return the settings that the processes of a test have in common."""
    url = postgres.create()
    name = url.split("/")[3].split("?", maxsplit=1)[0]
    return {
        "TOCSIN_STORE": url,
        "TOCSIN_FANOUT": f"{nats.url}/{name}",
        "TOCSIN_LIMITS__BROADCASTS_PER_HUB": "5000",
    }


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def beside(first: ServerProcess, make_server: MakeServer, env: Env) -> ServerProcess:
    """Make another process with the same key file, which is not started yet."""
    made = make_server(env=env)
    made.data_dir.mkdir(mode=0o700)
    shutil.copy(first.data_dir / KEY_FILE, made.data_dir)
    return made


async def test_of_two_processes_on_one_port_either_may_be_killed_and_nothing_is_lost_or_doubled(
    make_server: MakeServer,
    shared: dict[str, str],
    http: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(comeback, "LONGEST_PAUSE_S", 0.5)
    monkeypatch.setattr(test_ledger, "IN_FLIGHT", IN_FLIGHT)
    first = await asyncio.to_thread(make_server(env=shared).start)
    key = await asyncio.to_thread(first.key, "server")
    second = beside(first, make_server, {**shared, "TOCSIN_ROLES": "api,gateway,processor"})
    second.port = first.port
    await asyncio.to_thread(second.start)
    ledger = Ledger(first, key)
    async with live_clients(first, key, USERS) as clients:
        async with asyncio.TaskGroup() as publishing:
            publishing.create_task(ledger.run())
            for victim in (first, second):
                await ledger.accepts(ACCEPTED_BETWEEN_KILLS)
                await asyncio.to_thread(victim.kill)
                await ledger.accepts(ACCEPTED_BETWEEN_KILLS)  # by the one that is left
                await asyncio.to_thread(victim.start)
            ledger.stop()
        await check_inboxes(http, first, key, ledger)
        await asyncio.gather(*(clients.become_equal(user, HEALED_S) for user in USERS))


@pytest.fixture
def split(
    make_server: MakeServer, shared: dict[str, str]
) -> tuple[ServerProcess, ServerProcess, ServerProcess]:
    """Run a process for the API, one for live connections, and one that processes."""
    gateway = make_server()
    common = {**shared, "TOCSIN_PUBLIC_URL": gateway.url}
    api = make_server(env={**common, "TOCSIN_ROLES": "api"}).start()
    processor = beside(api, make_server, {**common, "TOCSIN_ROLES": "processor,dispatcher"})
    port, gateway = gateway.port, beside(api, make_server, {**common, "TOCSIN_ROLES": "gateway"})
    gateway.port = port
    return api, gateway.start(), processor.start()


async def test_roles_in_processes_of_their_own_bring_alerts_to_live_clients_though_they_are_killed(
    split: Sequence[ServerProcess], http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comeback, "LONGEST_PAUSE_S", 0.5)
    monkeypatch.setattr(test_ledger, "IN_FLIGHT", IN_FLIGHT)
    api, _, processor = split
    key = await asyncio.to_thread(api.key, "server")
    ledger = Ledger(api, key)
    async with live_clients(api, key, USERS) as clients:
        async with asyncio.TaskGroup() as publishing:
            publishing.create_task(ledger.run())
            for victim in (processor, api):
                await ledger.accepts(ACCEPTED_BETWEEN_KILLS)
                await clients.move()
                await asyncio.to_thread(victim.restart)
            ledger.stop()
        await check_inboxes(http, api, key, ledger)
        await asyncio.gather(*(clients.become_equal(user, HEALED_S) for user in USERS))


def opened(gateways: Sequence[ServerProcess]) -> int:
    """Return how many connections gateways were asked for and gave."""
    pages = [gateway.request("GET", "/metrics").text for gateway in gateways]
    found = [
        re.findall(r"^tocsin_connections_opened_total (\S+)$", page, re.MULTILINE) for page in pages
    ]
    return sum(int(float(number)) for (number,) in found)


async def test_gateways_that_are_replaced_hand_over_each_client_once_and_nothing_is_lost(
    make_server: MakeServer,
    shared: dict[str, str],
    http: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(test_ledger, "IN_FLIGHT", IN_FLIGHT)
    api = make_server()
    ports: list[int] = []
    async with proxy_by(front_of([api.port], ports)) as front:
        common = {
            **shared,
            "TOCSIN_PUBLIC_URL": f"http://127.0.0.1:{front.port}",
            "TOCSIN_DRAIN_S": "2",
        }
        api.env |= {**common, "TOCSIN_ROLES": "api,processor"}
        await asyncio.to_thread(api.start)
        key = await asyncio.to_thread(api.key, "server")
        old, new = [
            [beside(api, make_server, {**common, "TOCSIN_ROLES": "gateway"}) for _ in range(2)]
            for _ in range(2)
        ]
        await asyncio.gather(*(asyncio.to_thread(one.start) for one in old))
        ports += [one.port for one in old]
        ledger = Ledger(api, key)
        async with live_clients(api, key, USERS) as clients:
            async with asyncio.TaskGroup() as publishing:
                publishing.create_task(ledger.run())
                await ledger.accepts(ACCEPTED_BETWEEN_KILLS)
                await asyncio.gather(*(asyncio.to_thread(one.start) for one in new))
                ports[:] = [one.port for one in new]
                await asyncio.gather(*(asyncio.to_thread(one.stop) for one in old))
                await ledger.accepts(ACCEPTED_BETWEEN_KILLS)
                ledger.stop()
            await check_inboxes(http, api, key, ledger)
            await asyncio.gather(*(clients.become_equal(user, HEALED_S) for user in USERS))
        assert await asyncio.to_thread(opened, new) == len(USERS)


def test_each_process_answers_what_its_roles_are_and_what_one_revokes_ends_at_the_others(
    split: Sequence[ServerProcess],
) -> None:
    api, gateway, processor = split
    key = api.key("server")
    assert gateway.publish(key).status_code == processor.publish(key).status_code == 404
    assert api.request("GET", "/client/hubs/default").status_code == 404
    upgrade = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        "sec-websocket-version": "13",
    }
    for server in (api, processor):
        refused = server.request("GET", "/client/hubs/default", headers=upgrade)
        assert (refused.status_code, refused.json()["code"]) == (404, "no-such-path")
        assert "WebSocket library" not in server.log()
    refused = gateway.request("GET", "/client/hubs/default", headers=upgrade)
    assert (refused.status_code, refused.json()["code"]) == (401, "token-missing")
    for server in split:
        assert server.request("GET", "/readyz").status_code == 200
    token = {"authorization": f"Bearer {api.client_token(key)['token']}"}
    with httpx.stream(
        "GET", f"{gateway.url}/v1/inbox/stream", headers=token, timeout=ENDS_S
    ) as stream:
        assert stream.status_code == 200
        lines = stream.iter_lines()
        next(lines)
        revoked = api.request("POST", "/v1/users/ada/revoke-tokens", headers=key)
        assert revoked.status_code == 200
        for _ in lines:  # until it ends
            pass
    refused = gateway.request("GET", "/v1/inbox/stream", headers=token)
    assert (refused.status_code, refused.json()["code"]) == (401, "token-revoked")


def test_a_drill_is_told_which_processes_publish_and_which_are_live(
    make_server: MakeServer, shared: dict[str, str]
) -> None:
    # What stands in front is not there: only the addresses of the processes are of use.
    common = {**shared, "TOCSIN_PUBLIC_URL": f"http://127.0.0.1:{free_port()}"}
    api = make_server(env={**common, "TOCSIN_ROLES": "api,processor,dispatcher"}).start()
    gateway = beside(api, make_server, {**common, "TOCSIN_ROLES": "gateway"}).start()
    key = api.key("server")
    secret = ("--key", secret_of(key))
    for words, *options in (
        (
            f"{gateway.url} has not the role api",
            f"--endpoint={api.url}",
            f"--endpoint={gateway.url}",
        ),
        (f"{api.url} has not the role gateway", f"--endpoint={api.url}"),
        (
            f"{api.url} has not the role gateway",
            f"--endpoint={api.url}",
            f"--gateway={gateway.url}",
            f"--gateway={api.url}",
        ),
        ("(public_url) gave no answer within 10 s", f"--gateway={gateway.url}", "--settle=10"),
    ):
        refused = api.try_cli("drill", *secret, *options)
        assert refused.returncode == 1, refused.stderr
        assert words in refused.stderr
        assert is_clean(api, key)
    there = (*secret, "--endpoint", api.url, "--gateway", gateway.url)
    drill = RunningDrill(api, "--duration", "5", "--drop-every", "0.5", *there)
    drill.begin_break()
    gateway.restart()
    drill.end_break()
    code, ledger, told = drill.ended()
    assert code == 0, told
    assert ledger["verdict"] == "passed"
    assert ledger["alerts"]["acked"] == ledger["alerts"]["published"] == 150
    assert ledger["dropped"] > 0
    assert is_clean(api, key)


async def send_order(nats: NatsServer, stream: str) -> None:
    """Make a stream with a message for Ada in it."""
    client = await nats_py.connect(nats.url)
    await client.jetstream().add_stream(name=stream, subjects=[stream])
    order = {"id": "1", "to": {"users": ["ada"]}, "title": "sent"}
    await client.jetstream().publish(stream, json.dumps(order).encode())
    await client.close()


def test_what_brokers_have_is_taken_by_a_process_of_its_own(
    make_server: MakeServer, shared: dict[str, str], nats: NatsServer
) -> None:
    orders = {"url": nats.url, "stream": "ORDERS", "consumer": "tocsin"}
    env = {**shared, "TOCSIN_SOURCES": json.dumps({"orders": orders})}
    rest = make_server(env={**env, "TOCSIN_ROLES": "api,gateway,processor,dispatcher"}).start()
    key = rest.key("server")
    asyncio.run(send_order(nats, "ORDERS"))
    sources = beside(rest, make_server, {**env, "TOCSIN_ROLES": "sources"}).start()
    until(lambda: rest.titles(key) == ["sent"], "the message is an alert", ENDS_S)
    accepted = 'tocsin_source_messages_total{outcome="accepted",source="orders"} 1.0'
    until(lambda: accepted in sources.request("GET", "/metrics").text, "it was taken", ENDS_S)
    assert "tocsin_source_connected{" not in rest.request("GET", "/metrics").text


def test_a_key_made_at_one_process_is_good_at_another_that_runs(
    make_server: MakeServer, shared: dict[str, str]
) -> None:
    first = make_server(env=shared).start()
    second = beside(first, make_server, {**shared, "TOCSIN_ROLES": "api"}).start()
    key = first.key("producer")
    until(lambda: second.publish(key).status_code == 202, "the key is known to the other", ENDS_S)


def test_one_of_two_dispatchers_tells_a_webhook_and_the_other_goes_on_when_that_is_killed(
    make_server: MakeServer, shared: dict[str, str]
) -> None:
    # A frozen one keeps what it has in hand for longer than this test takes.
    common = {**shared, **QUICK, "TOCSIN_OUTBOUND__TOTAL_S": "300"}
    api = make_server(env={**common, "TOCSIN_ROLES": "api,processor"}).start()
    first, second = [
        beside(api, make_server, {**common, "TOCSIN_ROLES": "dispatcher"}) for _ in range(2)
    ]
    first.start()
    with receiving() as receiver, receiving() as other:
        Registered(api, receiver.url)
        hold = receiver.before_answer = Hold()
        ada = Ada(api)
        alert_id = ada.alert()
        ada.tell(alert_id, "read", "d0")
        assert hold.came.wait(ENDS_S)
        os.kill(first.pid, signal.SIGSTOP)
        second.start()
        Registered(api, other.url)
        for number in range(1, 12):
            ada.tell(alert_id, "read", f"d{number}")
        until(other.events, "the second one tells what the first does not hold", ENDS_S)
        assert len(receiver.messages) == 1
        receiver.before_answer = lambda _message: None
        first.kill()
        hold.released.set()
        until(lambda: len(receiver.events()) > 12, "the second one goes on", ENDS_S)
    one, again, *_ = receiver.messages
    assert (one.id, one.body) == (again.id, again.body)
    assert devices(receiver.events()) == ["d0", *(f"d{number}" for number in range(12))]


def goes_at_once(browsers: Browsers, user: str) -> bool:
    """Publish an alert, and tell whether its push went or waits out its grace."""
    alert_id = browsers.publish(user)
    # Until it is decided a push waits for the dispatcher, or for the end of its lease.
    much_later = datetime.now(UTC) + timedelta(seconds=GRACE_S / 2)

    def decided() -> str | None:
        for event in browsers.events(alert_id, user):
            is_put_off = datetime.fromisoformat(event["at"]) > much_later
            if is_put_off or event["fact"] != "push_waiting":
                return event["fact"]
        return None

    fact = until(decided, "the dispatcher has decided", ENDS_S)
    assert fact in {"pushed", "push_waiting"}
    return fact == "pushed"


def test_a_push_goes_at_once_unless_its_user_is_connected_at_the_gateway_of_another_process(
    make_server: MakeServer, shared: dict[str, str]
) -> None:
    with process("web-push") as origin:
        env = {**shared, **push_environment(origin, TOCSIN_PUSH__GRACE_S=str(GRACE_S))}
        api = make_server(env={**env, "TOCSIN_ROLES": "api,processor"}).start()
        browsers = Browsers(api, origin, api.key("server"))
        gateway = beside(api, make_server, {**env, "TOCSIN_ROLES": "gateway"}).start()
        names = browsers.register("ada", "bob")
        with httpx.stream(
            "GET",
            f"{gateway.url}/v1/inbox/stream?user=ada",
            headers=browsers.key,
            timeout=ENDS_S,
        ) as stream:
            assert stream.status_code == 200
            beside(api, make_server, {**env, "TOCSIN_ROLES": "dispatcher"}).start()
            until(lambda: goes_at_once(browsers, "bob"), "it is known that Bob is nowhere", ENDS_S)
            assert not goes_at_once(browsers, "ada")
            assert not any(name == names["ada"] for name, _ in browsers.received())
        until(lambda: goes_at_once(browsers, "ada"), "it is known that Ada went", ENDS_S)
