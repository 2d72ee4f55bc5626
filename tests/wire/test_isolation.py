"""The isolation matrix (I10): two hubs, two users each, every route and frame, ids of others and ids of nobody.

No answer holds a byte of somebody else's, and asking with somebody's id looks exactly like asking with nobody's: status,
headers and body are the same but for the id itself, times, and what is drawn anew for each answer.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import websockets
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.wire.isolation_routes import FRAMES, PUBLIC, ROUTES, Ask
from tests.wire.isolation_world import Caller, Ids, World
from tests.wire.served_node import serving
from tocsin.api.web_files import WebFiles
from tocsin.config import Rates
from tocsin.realtime import requests

RELIABLE = [Subprotocol("json.reliable.webpubsub.azure.v1")]
# What differs from answer to answer whatever is asked for.
DRAWN = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\dT[\d:.]+Z)|(?P<uuid>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})|(?P<token>eyJ[\w.-]+)"
    r'|(?<="time":)(?P<second>\d{10})'
    r"|(?P<pseudonym>\b[0-9a-f]{32}\b)"
)
DRAWN_HEADERS = ("date", "content-length", "ratelimit")
UNKNOWN_ROUTE = (
    "the isolation matrix does not know {}: add a line to ROUTES in tests/wire/isolation_routes.py that says how to "
    "call it, with $kinds where ids stand; a new kind of id needs one of somebody's in World.fill and one of "
    "nobody's in World.nobody (isolation_world.py). Only what is about no hub goes into PUBLIC."
)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    # It waits for alerts by asking again and again, on a busy machine more often than a person may.
    rates = Rates(user_requests=10**6)
    async with serving(tmp_path, demo=True, rates=rates) as served:
        world = World(served)
        await world.fill()
        yield world


def routes_of(world: World) -> list[tuple[str, str]]:
    """List what the router answers, but for the files of the web client, which are the same for everybody."""
    files = files_of()
    return [route for route in world.served.node.app.routes() if route not in files]


def files_of() -> set[tuple[str, str]]:
    return {("GET", path) for path in WebFiles().paths(demo=True)}


async def test_the_matrix_knows_every_route_and_frame(world: World) -> None:
    known = set(ROUTES) | PUBLIC
    served = {f"{method} {path}" for method, path in routes_of(world)}
    assert served <= known, UNKNOWN_ROUTE.format(sorted(served - known))
    assert known <= served, f"there are no such routes: {sorted(known - served)}"
    assert set(FRAMES) == set(requests._HANDLERS), "FRAMES has one line for each kind of message"


async def test_foreign_and_unknown_look_alike_on_every_route(world: World) -> None:
    before = await world.holdings("south")
    async with live_south(world) as south:
        for caller in world.callers():
            for foreign in caller.foreign:
                for route, ask in ROUTES.items():
                    theirs = await answer_to(world, caller, route, ask, foreign)
                    nobodys = await answer_to(world, caller, route, ask, world.nobody())
                    assert theirs == nobodys, (caller.name, route)
        await south.send('{"type":"ping"}')
        while (told := await receive(south))["type"] != "pong":
            assert "To whom" not in json.dumps(told)
    assert await world.holdings("south") == before


async def test_the_data_plane_of_another_hub_is_as_closed_as_one_of_nobody(world: World) -> None:
    for caller in world.callers():
        for route, ask in ROUTES.items():
            if "/api/hubs/" in route:
                answers = [
                    await answer_to(world, caller, route, ask, world.nobody() | {"hub": hub})
                    for hub in ("south", "nowhere")
                ]
                assert answers[0] == answers[1], (caller.name, route)
                assert answers[0][0] in (401, 403)


async def test_what_others_have_is_in_no_answer_to_a_plain_question(world: World) -> None:
    """Whoever names no id at all: lists, inboxes, streams and refusals hold nothing of anybody else."""
    own: Ids = {"user": "ada", "epoch": "e"}
    for caller in world.callers():
        for method, path in routes_of(world):
            if f"{method} {path}" not in PUBLIC and "{" not in path:
                ask = ROUTES[f"{method} {path}"]._replace(query="user=ada")
                await answer_to(world, caller, f"{method} {path}", ask, world.nobody() | own)


async def answer_to(world: World, caller: Caller, route: str, ask: Ask, ids: Ids) -> Any:
    """Ask, look for what must not be told, and return what is left when ids and drawn things are taken out."""
    method, path = route.split(" ")
    kinds = {"id": ask.id, "user": ask.user}
    path = re.sub(r"\{(\w+)\}", lambda found: f"${kinds.get(found[1], found[1])}", path)
    url = fill(path, ids, quoting=True)
    if ask.query:
        url += "?" + fill(ask.query, ids, quoting=True)
    body = None if ask.body is None else fill(json.dumps(ask.body), ids)
    headers = {**caller.headers, **ask.headers}
    async with world.served.http.stream(method, url, headers=headers, content=body) as answer:
        text = await text_of(answer)
    drawn_out = drawn_out_of(ids)
    told = drawn_out(text)
    for secret in caller.secret:
        assert secret not in re.sub("hub=south|'south'", "", told), (caller.name, route, told)
    kept = {
        name: drawn_out(value)
        for name, value in answer.headers.items()
        if not name.startswith(DRAWN_HEADERS)
    }
    return answer.status_code, kept, told


async def text_of(answer: httpx.Response) -> str:
    """Read an answer; of one without an end, the first event."""
    async with asyncio.timeout(30):
        if not answer.headers.get("content-type", "").startswith("text/event-stream"):
            return (await answer.aread()).decode()
        lines = []
        async for line in answer.aiter_lines():
            if not line:
                break
            lines.append(line)
        return "\n".join(lines)


def fill(text: str, ids: Ids, *, quoting: bool = False) -> str:
    def one(found: re.Match[str]) -> str:
        value = ids.get(found[1], "south")  # a hub's name is no secret
        return quote(value, safe="") if quoting else value

    return re.sub(r"\$(\w+)", one, text)


def drawn_out_of(ids: Ids) -> Callable[[str], str]:
    """Return what takes these ids and drawn things out of a text."""
    kinds = {value: kind for kind, value in reversed(ids.items())}
    any_of = "|".join(re.escape(value) for value in sorted(kinds, key=len, reverse=True))
    # A short name may stand within the digits of an id.
    named = re.compile(rf"(?<![0-9A-Za-z])(?:{any_of})(?![0-9A-Za-z])")

    def drawn_out(text: str) -> str:
        text = named.sub(lambda found: f"<{kinds[found[0]]}>", text) if kinds else text
        return DRAWN.sub(lambda found: f"<{found.lastgroup}>", text)

    return drawn_out


async def test_foreign_and_unknown_look_alike_in_every_frame(world: World) -> None:
    async with live(world, "north", "ada") as north, live_south(world):
        await receive(north)
        for caller in world.callers():
            for foreign in caller.foreign:
                for kind, frame in FRAMES.items():
                    theirs = await frames_after(north, caller, frame, foreign)
                    nobodys = await frames_after(north, caller, frame, world.nobody())
                    assert theirs == nobodys, kind


async def test_what_happens_elsewhere_reaches_no_other_socket(world: World) -> None:
    async with live(world, "north", "ada") as north:
        await world.ids("south", "producer", "ada")
        await world.ids("north", "producer", "ben")
        said = {"to": {"all": True}, "title": "south to all"}
        await world.post("/v1/alerts", said, world.key("south", "producer"))
        await world.ids("south", "producer", "cleo")  # so the broadcast was processed before
        client = next(caller for caller in world.callers() if caller.name == "client")
        await frames_after(north, client, {"type": "ping"}, {})


async def test_a_foreign_connection_is_recovered_no_more_than_an_unknown_one(world: World) -> None:
    async with live(world, "south", "cleo") as south:
        hello = await receive(south)
        refusals = []
        for connection_id in (hello["connectionId"], world.nobody()["connection"]):
            query = f"awps_connection_id={connection_id}&awps_reconnection_token={hello['reconnectionToken']}"
            async with connect(address(world, "north", query), subprotocols=RELIABLE) as ws:
                with pytest.raises(websockets.ConnectionClosed) as closed:
                    await ws.recv()
                assert closed.value.rcvd is not None
                refusals.append((closed.value.rcvd.code, closed.value.rcvd.reason))
        assert refusals == [(1008, "recovery-impossible")] * 2


async def test_a_token_opens_no_socket_of_another_hub(world: World) -> None:
    refused = []
    for hub in ("south", "nowhere"):
        query = f"access_token={world.tokens['north', 'ada']}"
        with pytest.raises(websockets.InvalidStatus) as failure:
            await connect(address(world, hub, query), subprotocols=RELIABLE)
        answer = failure.value.response
        refused.append((answer.status_code, answer.body))
    assert refused[0] == refused[1]
    assert refused[0][0] == 401


@asynccontextmanager
async def live_south(world: World) -> AsyncIterator[ClientConnection]:
    """Connect Cleo, in a group; callers try the ids of both."""
    async with live(world, "south", "cleo") as south:
        connection_id = (await receive(south))["connectionId"]
        session = world.served.node.gateway.hubs.get(connection_id)
        assert session is not None
        world.served.node.gateway.hubs.join(session, "south-group")
        world.live_south = {"connection": connection_id, "group": "south-group"}
        yield south


def live(world: World, hub: str, user: str) -> Any:
    query = f"access_token={world.tokens[hub, user]}"
    return connect(address(world, hub, query), subprotocols=RELIABLE)


def address(world: World, hub: str, query: str) -> str:
    host = world.served.http.base_url.netloc.decode()
    return f"ws://{host}/client/hubs/{hub}?{query}"


async def receive(ws: ClientConnection) -> Any:
    async with asyncio.timeout(30):
        return json.loads(await ws.recv())


async def frames_after(
    ws: ClientConnection, caller: Caller, frame: dict[str, Any], ids: Ids
) -> list[str]:
    """Send a frame and return the answers up to the pong of a ping sent after it; news of the inbox are only searched."""
    await ws.send(fill(json.dumps(frame), ids))
    await ws.send('{"type":"ping"}')
    answers, drawn_out = [], drawn_out_of(ids)
    pongs = 2 if frame["type"] == "ping" else 1
    while pongs:
        told = await receive(ws)
        text = drawn_out(json.dumps(told))
        for secret in caller.secret:
            assert secret not in text, text
        pongs -= told["type"] == "pong"
        if told["type"] != "message":
            answers.append(text)
    return answers
