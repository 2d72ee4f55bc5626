"""Live connections and their tokens on a whole node: cut, prolonged, and refused; and tokens of an issuer, end to end."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import websockets
from aiohttp import web
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.unit.issuing import EC_KEY, OTHER_RSA_KEY, RSA_KEY, issued, jwk
from tests.wire.served_node import Served, serving
from tocsin.clock import US_PER_S, SystemClock
from tocsin.config import Hub, Issuer, Outbound
from tocsin.node import life
from tocsin.realtime import key_set
from tocsin.realtime.tokens import sign_token

RELIABLE = [Subprotocol("json.reliable.webpubsub.azure.v1")]
LOOPBACK = Outbound(allow=("127.0.0.1/32",))
PLAIN_JSON = [Subprotocol("json.webpubsub.azure.v1")]


async def token_of(served: Served, user: str = "ada", ttl_s: int = 60, **said: Any) -> str:
    return sign_token(
        await served.node.keyring.open_hub(said.pop("hub", "default")),
        endpoint=f"http://{served.http.base_url.netloc.decode()}",
        hub=said.pop("aud", "default"),
        user=user,
        ttl_s=ttl_s,
        now_us=served.node.clock.now_us(),
        **said,
    )[0]


def address(served: Served, token: str, hub: str = "default") -> str:
    host = served.http.base_url.netloc.decode()
    return f"ws://{host}/client/hubs/{hub}?access_token={token}"


async def receive(ws: ClientConnection) -> Any:
    async with asyncio.timeout(30):
        return json.loads(await ws.recv())


async def closed(ws: ClientConnection) -> tuple[int | None, str | None]:
    async with asyncio.timeout(30):
        await ws.wait_closed()
    return ws.close_code, ws.close_reason


async def renew(ws: ClientConnection, token: str, ack_id: int = 1) -> Any:
    event = {"type": "event", "event": "tocsin.token", "ackId": ack_id, "dataType": "text"}
    await ws.send(json.dumps(event | {"data": token}))
    while (answer := await receive(ws))["type"] != "ack":
        pass
    return answer


class ClockAhead(SystemClock):
    """Goes as the machine's does, from when it was set forward to."""

    def __init__(self) -> None:
        self._ahead_us = 0

    def set_forward(self, seconds: int) -> None:
        self._ahead_us += seconds * US_PER_S

    def now_us(self) -> int:
        return super().now_us() + self._ahead_us


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ClockAhead:
    """The clock of nodes that are opened."""
    ahead = ClockAhead()
    monkeypatch.setattr(life, "SystemClock", lambda: ahead)
    return ahead


async def test_a_connection_is_asked_for_a_token_and_ends_with_the_last_one(
    tmp_path: Path, clock: ClockAhead
) -> None:
    hubs = {"default": Hub(cut_at_expiry=True)}
    async with serving(tmp_path, hubs=hubs, anti_entropy_s=0.05) as served:
        token = await token_of(served, ttl_s=600, scope="inbox")
        async with connect(address(served, token), subprotocols=RELIABLE) as ws:
            for number in (1, 2):
                clock.set_forward(560)
                while (await receive(ws)).get("data", {}).get("kind") != "token":
                    pass
                fresh = await token_of(served, ttl_s=600, scope="inbox")
                assert (await renew(ws, fresh, number))["success"]
            clock.set_forward(600)
            assert await closed(ws) == (4401, "token-expired")


async def test_without_the_option_a_connection_outlives_its_token(
    tmp_path: Path, clock: ClockAhead
) -> None:
    hubs = {"strict": Hub(cut_at_expiry=True)}
    async with serving(tmp_path, hubs=hubs, anti_entropy_s=0.05) as served:
        strict = await token_of(served, hub="strict", aud="strict")
        async with (
            connect(address(served, strict, "strict"), subprotocols=PLAIN_JSON) as cut,
            connect(address(served, await token_of(served)), subprotocols=PLAIN_JSON) as ws,
        ):
            await receive(ws)
            clock.set_forward(60)
            assert await closed(cut) == (4401, "token-expired")
            await ws.send('{"type":"ping"}')
            assert (await receive(ws))["type"] == "pong"


async def test_only_a_good_token_of_the_same_user_and_hub_prolongs(tmp_path: Path) -> None:
    async with serving(tmp_path, hubs={"default": Hub(cut_at_expiry=True)}) as served:
        token = await token_of(served, scope="inbox")
        async with connect(address(served, token), subprotocols=RELIABLE) as ws:
            await receive(ws)
            [session] = list(served.node.gateway.hubs)
            before = session.expires_us
            refused = {
                "of another user": await token_of(served, "ben", 3600, scope="inbox"),
                "of nobody": await token_of(served, "", 3600, scope="inbox"),
                "without the inbox": await token_of(served, ttl_s=3600),
                "of another hub": await token_of(
                    served, ttl_s=3600, scope="inbox", hub="other", aud="other"
                ),
                "of another hub's key": await token_of(
                    served, ttl_s=3600, scope="inbox", hub="other"
                ),
                "ended": await token_of(served, ttl_s=-1, scope="inbox"),
                "no token": "é",
            }
            for number, (why, bad) in enumerate(refused.items()):
                answer = await renew(ws, bad, number)
                assert (answer["success"], answer["error"]["name"]) == (False, "Forbidden"), why
                assert len(answer["error"]["message"]) > 10
            assert session.expires_us == before
            await served.http.post("/v1/users/eve/revoke-tokens", headers=served.key)
            longer = await token_of(served, ttl_s=3600, scope="inbox")
            assert (await renew(ws, longer, 100))["success"]
            assert session.expires_us > before
            shorter = await token_of(served, ttl_s=60, scope="inbox")
            kept = session.expires_us
            assert (await renew(ws, shorter, 101))["success"]
            assert session.expires_us == kept


async def test_a_foreign_token_and_one_of_nobody_are_refused_alike(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        foreign = await token_of(served, hub="south", scope="inbox")
        nobodys = sign_token(
            (b"n" * 64, b"n" * 64),
            endpoint=f"http://{served.http.base_url.netloc.decode()}",
            hub="default",
            user="ada",
            ttl_s=60,
            now_us=SystemClock().now_us(),
            scope="inbox",
        )[0]
        token = await token_of(served)
        async with connect(address(served, token), subprotocols=PLAIN_JSON) as ws:
            await receive(ws)
            assert await renew(ws, foreign) == await renew(ws, nobodys)


async def test_a_connection_that_was_prolonged_follows_the_key_of_its_newest_token(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path) as served:
        primary, secondary = await served.node.keyring.open_hub("default")
        endpoint = f"http://{served.http.base_url.netloc.decode()}"
        by_second = sign_token(
            (secondary, primary),
            endpoint=endpoint,
            hub="default",
            user="ada",
            ttl_s=600,
            now_us=SystemClock().now_us(),
        )[0]
        token = await token_of(served)
        async with connect(address(served, token), subprotocols=PLAIN_JSON) as ws:
            assert (await renew(ws, by_second))["success"]
            await served.node.keyring.regenerate("default", "primary")
            served.node.gateway.key_regenerated("default", "primary")
            await ws.send('{"type":"ping"}')
            assert (await receive(ws))["type"] in {"pong", "system"}
            await served.node.keyring.regenerate("default", "secondary")
            served.node.gateway.key_regenerated("default", "secondary")
            assert await closed(ws) == (4401, "key-regenerated")


class KeyServer:
    """Publishes a key set over HTTP on loopback."""

    def __init__(self) -> None:
        self.keys = [jwk(RSA_KEY, "r"), jwk(EC_KEY, "e")]
        self.reads = 0
        self.port = 0

    async def answer(self, _request: web.Request) -> web.Response:
        self.reads += 1
        return web.json_response({"keys": self.keys})


@asynccontextmanager
async def key_server() -> AsyncIterator[KeyServer]:
    keys, application = KeyServer(), web.Application()
    application.router.add_get("/keys", keys.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        keys.port = runner.addresses[0][1]
        yield keys
    finally:
        await runner.cleanup()


def issuer_at(keys: KeyServer) -> Issuer:
    return Issuer(
        jwks_url=f"http://127.0.0.1:{keys.port}/keys",
        issuer="https://login.example/",
        audience="tocsin",
        inbox_value="inbox",
    )


async def test_tokens_of_an_issuer_open_socket_inbox_and_stream(tmp_path: Path) -> None:
    async with key_server() as keys:
        hubs = {"shop": Hub(issuer=issuer_at(keys))}
        async with serving(tmp_path, hubs=hubs, outbound=LOOPBACK) as served:
            token = issued(SystemClock().now_us(), scope="openid inbox")
            async with connect(address(served, token, "shop"), subprotocols=RELIABLE) as ws:
                assert (await receive(ws))["userId"] == "ada"
                while (await receive(ws)).get("data", {}).get("kind") != "head":
                    pass
            headers = {"authorization": f"Bearer {token}"}
            answer = await served.http.get("/v1/inbox", headers=headers)
            assert answer.status_code == 200
            async with served.stream(authorization=f"Bearer {token}") as stream:
                assert (await stream.event()).data["kind"] == "head"
            plain = issued(SystemClock().now_us(), EC_KEY, "ES256", {"kid": "e"})
            answer = await served.http.get(
                "/v1/inbox", headers={"authorization": f"Bearer {plain}"}
            )
            assert (answer.status_code, answer.json()["code"]) == (403, "no-inbox-scope")
            stolen = issued(SystemClock().now_us(), OTHER_RSA_KEY, scope="inbox")
            for path, opened in (
                (address(served, stolen, "shop"), 401),
                (address(served, token), 401),
            ):
                with pytest.raises(websockets.InvalidStatus) as refused:
                    await connect(path)
                assert refused.value.response.status_code == opened
            assert keys.reads == 1


async def test_a_key_that_leaves_its_issuers_set_ends_what_it_opened_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for pause in ("_FRESH_S", "_PAUSE_S"):
        monkeypatch.setattr(key_set, pause, 0.0)
    async with key_server() as keys:
        hubs = {"shop": Hub(issuer=issuer_at(keys))}
        often: dict[str, Any] = {"outbound": LOOPBACK, "anti_entropy_s": 0.05}
        async with serving(tmp_path, hubs=hubs, **often) as served:
            now_us = SystemClock().now_us()
            leaving = issued(now_us, scope="inbox")
            staying = issued(now_us, EC_KEY, "ES256", {"kid": "e"}, scope="inbox")
            own = await token_of(served, hub="shop", aud="shop")
            async with (
                connect(address(served, leaving, "shop"), subprotocols=RELIABLE) as ended,
                connect(address(served, staying, "shop"), subprotocols=RELIABLE) as other,
                connect(address(served, own, "shop"), subprotocols=RELIABLE) as ours,
                served.stream(authorization=f"Bearer {leaving}") as stream,
            ):
                await stream.event()
                before = keys.reads
                async with asyncio.timeout(30):
                    while keys.reads < before + 3:  # noqa: ASYNC110 -- the connections live on over some reads
                        await asyncio.sleep(0.01)
                del keys.keys[0]
                assert await closed(ended) == (4401, "key-regenerated")
                while (event := await stream.event()).kind != "end":
                    pass
                assert event.data == {"code": 4401, "reason": "key-regenerated"}
                for ws in (other, ours):
                    await ws.send('{"type":"ping"}')
                    while (await receive(ws))["type"] != "pong":
                        pass


async def test_a_key_set_on_a_private_address_is_not_read_unless_it_is_allowed(
    tmp_path: Path,
) -> None:
    async with (
        key_server() as keys,
        serving(tmp_path, hubs={"shop": Hub(issuer=issuer_at(keys))}) as served,
    ):
        with pytest.raises(websockets.InvalidStatus) as refused:
            await connect(address(served, issued(SystemClock().now_us()), "shop"))
        assert refused.value.response.status_code == 503
        body = json.loads(refused.value.response.body or b"")
        assert body["code"] == "issuer-unreachable"
        assert keys.reads == 0
