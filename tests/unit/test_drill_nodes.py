"""The servers under a drill: requests are spread over them, and one that is away costs an attempt; what each is to do is asked first."""

from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from tests.unit.api_server import running
from tocsin.api.routes import build_router
from tocsin.cli.drill.duties import API, LIVE, Ask, Duty, as_client, check_duty
from tocsin.cli.drill.nodes import Node, Nodes
from tocsin.client.attempts import Lost, Patience, Reply
from tocsin.client.refusal import RefusedError
from tocsin.config import ROLES, Role
from tocsin.errors import ConfigError, UnavailableError

BESIDE = Node(httpx.AsyncClient(), None)


def node_that(answers: httpx.Response | Exception, asked: list[str], name: str) -> Node:
    def answer(_: httpx.Request) -> httpx.Response:
        asked.append(name)
        if isinstance(answers, Exception):
            raise answers
        return answers

    http = httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://x")
    return Node(http, f"https://{name}")


async def test_a_repeat_goes_to_the_next_node_and_each_request_begins_at_another() -> None:
    asked: list[str] = []
    well = node_that(httpx.Response(202, json={"id": "7", "status": "accepted"}), asked, "well")
    away = node_that(httpx.ConnectError("refused"), asked, "away")
    nodes = Nodes([well, away], Patience())
    trail: list[Reply | Lost] = []
    for _ in range(2):
        plan = nodes.publishing.publish({"to": {"users": ["ada"]}, "title": "t", "id": "1"})
        assert (await nodes.run(plan, trail)).id == "7"
    assert asked == ["away", "well", "well"]
    assert [type(told) for told in trail] == [Lost, Reply, Reply]


async def test_a_refusal_is_not_repeated_at_another_node() -> None:
    asked: list[str] = []
    problem = httpx.Response(403, json={"code": "wrong-role", "detail": "no"})
    nodes = Nodes([node_that(problem, asked, name) for name in ("a", "b")], Patience())
    with pytest.raises(RefusedError):
        await nodes.ask("GET", "/v1/inbox/items")
    assert len(asked) == 1


GIVEN = "wss://public.example/client/hubs/h?access_token=x"
UNREACHED = node_that(ValueError(), [], "a"), node_that(ValueError(), [], "b")


def test_clients_of_a_node_connect_to_that_node() -> None:
    nodes = Nodes(UNREACHED, Patience())
    socket = "wss://b/client/hubs/h?access_token=x"
    assert nodes.of(1).addresses(GIVEN) == (socket, "https://b", "https://b")
    beside = Nodes([BESIDE], Patience())
    assert beside.of(3).addresses(GIVEN) == (
        GIVEN,
        "https://public.example",
        "https://public.example",
    )


def test_clients_are_spread_over_gateways_where_there_are_some_and_ask_their_node() -> None:
    nodes = Nodes(UNREACHED, Patience(), ["http://g0", "http://g1", "http://g2"])
    assert [nodes.of(place).addresses(GIVEN)[1:] for place in range(4)] == [
        ("https://a", "http://g0"),
        ("https://b", "http://g1"),
        ("https://a", "http://g2"),
        ("https://b", "http://g0"),
    ]
    assert nodes.of(2).addresses(GIVEN).socket == "ws://g2/client/hubs/h?access_token=x"
    beside = Nodes([BESIDE], Patience(), ["https://g"])
    socket = "wss://g/client/hubs/h?access_token=x"
    assert beside.of(1).addresses(GIVEN) == (socket, "https://public.example", "https://g")


# What they are asked to do


def problem(status: int, code: str) -> Reply:
    return Reply(status, msgspec.json.encode({"code": code, "detail": f"this is {code}"}))


def saying(*told: Reply | Lost) -> tuple[Ask, list[str]]:
    """Return a server that says this in turn, the last again and again, and what it is asked."""
    asked: list[str] = []

    async def ask(path: str, _timeout_s: float) -> Reply | Lost:
        asked.append(path)
        return told[min(len(asked), len(told)) - 1]

    return ask, asked


@pytest.mark.parametrize(
    ("duty", "answer"),
    [
        (API, problem(401, "unauthenticated")),
        (API, problem(400, "user-missing")),
        (API, problem(429, "rate-limited")),
        (LIVE, problem(400, "upgrade-needed")),
    ],
)
async def test_a_server_that_refuses_does_what_it_is_asked_to(duty: Duty, answer: Reply) -> None:
    ask, asked = saying(answer)
    await check_duty(duty, "https://a", ask, Patience())
    assert asked == [duty.path]


async def test_a_server_that_is_away_or_not_ready_is_waited_for() -> None:
    away, not_ready = Lost("ConnectError refused"), problem(503, "store-failed")
    ask, asked = saying(away, not_ready, problem(401, "unauthenticated"))
    await check_duty(API, "https://a", ask, Patience())
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Lost("ConnectError refused"), "ConnectError refused"),
        (problem(503, "store-failed"), "this is store-failed"),
        (Reply(502, b"Bad Gateway"), "answered 502, but not as Tocsin does: Bad Gateway"),
    ],
)
async def test_a_server_that_stays_away_is_named(answer: Reply | Lost, words: str) -> None:
    ask, _ = saying(answer)
    with pytest.raises(UnavailableError) as raised:
        await check_duty(LIVE, "https://a", ask, Patience(deadline_s=0.1))
    assert raised.value.detail.startswith("https://a gave no answer within 0.1 s")
    assert words in raised.value.detail


@pytest.mark.parametrize(
    ("duty", "words"),
    [
        (API, ("https://a has not the role api", "GET /v1/inbox", "--endpoint", "--gateway")),
        (LIVE, ("https://a has not the role gateway", "GET /client/hubs/default", "--gateway")),
    ],
)
async def test_a_server_of_another_role_is_told_at_once_with_the_remedy(
    duty: Duty, words: tuple[str, ...]
) -> None:
    ask, asked = saying(problem(404, "no-such-path"))
    with pytest.raises(ConfigError) as raised:
        await check_duty(duty, "https://a", ask, Patience())
    assert all(word in raised.value.detail for word in words)
    assert len(asked) == 1


@pytest.mark.parametrize("answer", [Reply(200, b"<html>"), Reply(404, b""), Reply(301, b"{}")])
async def test_what_is_not_tocsin_is_told_at_once(answer: Reply) -> None:
    ask, asked = saying(answer)
    with pytest.raises(ConfigError, match=r"https://a is no server of Tocsin's.*right address"):
        await check_duty(API, "https://a", ask, Patience())
    assert len(asked) == 1


@pytest.mark.parametrize(("duty", "role"), [(API, "api"), (LIVE, "gateway")])
async def test_only_the_role_answers_what_its_servers_are_asked(duty: Duty, role: Role) -> None:
    assert duty.role == role
    async with running() as server:
        for one in ROLES:
            answered = build_router(server.resources, [one]).match("GET", duty.path.encode())
            assert (answered is not None) == (one == role)


@pytest.fixture
async def gateway() -> AsyncIterator[TestServer]:
    async def refuse(_: web.Request) -> web.Response:
        return web.json_response({"code": "upgrade-needed", "detail": "it is a socket"}, status=400)

    async def nothing(_: web.Request) -> web.Response:
        return web.json_response({"code": "no-such-path", "detail": "nothing"}, status=404)

    app = web.Application()
    app.router.add_get(LIVE.path, refuse)
    app.router.add_get("/{rest:.*}", nothing)
    server = TestServer(app)
    async with server:
        yield server


async def test_every_endpoint_and_every_gateway_is_asked(gateway: TestServer) -> None:
    url, asked = str(gateway.make_url("")).rstrip("/"), list[str]()
    unauthenticated = httpx.Response(401, json={"code": "unauthenticated", "detail": "no"})
    nodes = [node_that(unauthenticated, asked, name) for name in ("a", "b")]
    await Nodes(nodes, Patience(), [url]).check()
    assert asked == ["a", "b"]
    no_api = node_that(httpx.Response(404, json={"code": "x", "detail": "no"}), [], "c")
    with pytest.raises(ConfigError, match="https://c has not the role api"):
        await Nodes([*nodes, no_api], Patience(), [url]).check()
    with pytest.raises(ConfigError, match=f"{url}/none has not the role gateway"):
        await Nodes(nodes, Patience(), [url, f"{url}/none"]).check()
    both = [nodes[0]._replace(url=url), nodes[1]._replace(url=f"{url}/none")]
    with pytest.raises(ConfigError, match=f"{url}/none has not the role gateway"):
        await Nodes(both, Patience()).check()


async def test_a_gateway_that_is_not_there_is_named() -> None:
    away = f"http://127.0.0.1:{unused_port()}"
    with pytest.raises(UnavailableError, match=f"{away} gave no answer within 0.1 s"):
        await check_duty(LIVE, away, as_client(away), Patience(deadline_s=0.1))


async def test_where_the_server_beside_leads_clients_is_asked_too(gateway: TestServer) -> None:
    given = f"{gateway.make_url('/client/hubs/h')}?access_token=x".replace("http", "ws", 1)
    for gateways in ([], ["https://g"]):
        nodes = Nodes([BESIDE], Patience(), gateways)
        with pytest.raises(ConfigError, match=r"\(public_url\) has not the role api"):
            await nodes.check_told(nodes.addresses(given))
    named = Nodes(UNREACHED, Patience())  # checked before
    await named.check_told(named.addresses(given))
