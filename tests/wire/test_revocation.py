"""Revoked tokens at the sockets and streams of a whole node, and after a restart."""

import asyncio
import hashlib
import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
import websockets
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.wire.served_node import Served, serving

RELIABLE = [Subprotocol("json.reliable.webpubsub.azure.v1")]


def address(served: Served, query: str) -> str:
    return f"ws://{served.http.base_url.netloc.decode()}/client/hubs/default?{query}"


async def hello(ws: ClientConnection) -> Any:
    async with asyncio.timeout(30):
        return json.loads(await ws.recv())


async def closed(ws: ClientConnection) -> tuple[int | None, str | None]:
    async with asyncio.timeout(30):
        await ws.wait_closed()
    return ws.close_code, ws.close_reason


async def revoke(served: Served, user: str = "ada") -> None:
    answer = await served.http.post(f"/v1/users/{user}/revoke-tokens", headers=served.key)
    assert answer.status_code == 200


async def test_live_sockets_and_streams_end_and_others_go_on(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        old, bens = await served.token(), await served.token("ben")
        async with (
            connect(address(served, f"access_token={old}"), subprotocols=RELIABLE) as socket,
            connect(address(served, f"access_token={bens}"), subprotocols=RELIABLE) as other,
            served.stream(f"?access_token={old}") as stream,
        ):
            await hello(socket)
            await hello(other)
            assert (await stream.event()).data["kind"] == "head"
            await revoke(served)
            assert await closed(socket) == (4401, "revoked")
            end = await stream.event()
            assert (end.kind, end.data) == ("end", {"code": 4401, "reason": "revoked"})
            await other.send('{"type":"ping"}')
            while (await hello(other))["type"] != "pong":
                pass
            with pytest.raises(websockets.InvalidStatus) as refused:
                await connect(address(served, f"access_token={old}"), subprotocols=RELIABLE)
            assert json.loads(refused.value.response.body or b"")["code"] == "token-revoked"
            new = await served.token()
            async with connect(address(served, f"access_token={new}"), subprotocols=RELIABLE) as ws:
                assert (await hello(ws))["userId"] == "ada"


async def test_a_dropped_connection_is_not_recovered_after_a_revocation(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        url = address(served, f"access_token={await served.token()}")
        async with connect(url, subprotocols=RELIABLE) as ws:
            told = await hello(ws)
            ws.transport.abort()
        await revoke(served)
        query = (
            f"awps_connection_id={told['connectionId']}"
            f"&awps_reconnection_token={told['reconnectionToken']}"
        )
        async with connect(address(served, query), subprotocols=RELIABLE) as ws:
            assert await closed(ws) == (1008, "recovery-impossible")


async def test_a_revocation_outlives_the_process(tmp_path: Path) -> None:
    async with serving(tmp_path, public_url="http://a.example") as served:
        old = await served.token()
        await revoke(served)
    async with serving(tmp_path, public_url="http://a.example") as served:
        headers = {"authorization": f"Bearer {old}"}
        answer = await served.http.get("/v1/inbox", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "token-revoked")


async def regenerate(served: Served, which: str) -> None:
    admin, _ = await served.node.keyring.create("default", "admin", "ops")
    path = f"/v1/admin/access-keys/{which}/regenerate"
    answer = await served.http.post(path, headers={"authorization": f"Bearer {admin}"})
    assert answer.status_code == 200
    known = set(await served.node.keyring.access_keys("default"))
    fingerprints = {hashlib.sha256(key).hexdigest()[:12] for key in known}
    assert answer.json()["fingerprint"] in fingerprints


async def signed_by(served: Served, place: int, hub: str = "default") -> str:
    """Sign a token as an SDK does that has one of the two connection strings."""
    keys = await served.node.keyring.open_hub(hub)
    claims = {
        "aud": f"http://{served.http.base_url.netloc.decode()}/client/hubs/{hub}",
        "exp": int(time.time()) + 60,
        "sub": "sdk",
    }
    return jwt.encode(claims, keys[place], algorithm="HS256")


async def test_a_regenerated_key_ends_what_it_opened_and_nothing_else(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        first, second = await signed_by(served, 0), await signed_by(served, 1)
        ours = await served.token()
        async with (
            connect(address(served, f"access_token={first}"), subprotocols=RELIABLE) as old,
            connect(address(served, f"access_token={second}"), subprotocols=RELIABLE) as other,
            served.stream(f"?access_token={ours}") as stream,
        ):
            await hello(old)
            await hello(other)
            await stream.event()
            await regenerate(served, "primary")
            assert await closed(old) == (4401, "key-regenerated")
            assert (await stream.event()).data == {"code": 4401, "reason": "key-regenerated"}
            await other.send('{"type":"ping"}')
            assert (await hello(other))["type"] == "pong"
        for token, good in ((first, False), (second, True), (await signed_by(served, 0), True)):
            if good:
                async with connect(address(served, f"access_token={token}")):
                    continue
            with pytest.raises(websockets.InvalidStatus) as refused:
                await connect(address(served, f"access_token={token}"))
            assert json.loads(refused.value.response.body or b"")["code"] == "token-signature"
        answer = await served.http.get("/v1/inbox", headers={"authorization": f"Bearer {ours}"})
        assert (answer.status_code, answer.json()["code"]) == (401, "token-signature")


async def test_a_regenerated_key_ends_dropped_connections_too(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        token = await signed_by(served, 1)
        async with connect(address(served, f"access_token={token}"), subprotocols=RELIABLE) as ws:
            told = await hello(ws)
            ws.transport.abort()
        await regenerate(served, "secondary")
        query = (
            f"awps_connection_id={told['connectionId']}"
            f"&awps_reconnection_token={told['reconnectionToken']}"
        )
        async with connect(address(served, query), subprotocols=RELIABLE) as ws:
            assert await closed(ws) == (1008, "recovery-impossible")


async def test_a_regenerated_key_outlives_the_process(tmp_path: Path) -> None:
    async with serving(tmp_path, public_url="http://a.example") as served:
        await served.node.keyring.open_hub("default")
        await regenerate(served, "primary")
        kept = await served.node.keyring.access_keys("default")
    async with serving(tmp_path, public_url="http://a.example") as served:
        assert await served.node.keyring.access_keys("default") == kept
