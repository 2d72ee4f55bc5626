"""Access keys by the API: which there are, the change of one, and tokens that name the server in odd ways."""

import asyncio
import re
from typing import Any

import jwt
import pytest

from tests.unit.api_server import Server
from tocsin.errors import UnauthenticatedError
from tocsin.realtime.doorkeeper import Doorkeeper
from tocsin.realtime.tokens import sign_token
from tocsin.testing import ManualClock

KEYS = (b"p" * 32, b"s" * 32)
ENDPOINTS = ("https://alerts.example", "http://127.0.0.1:8080", "http://proxy.example/base/")


class ChangingKeys:
    """Replaces the primary key while somebody asks for a user's revocation."""

    def __init__(self) -> None:
        self.keys = KEYS

    async def access_keys(self, hub: str) -> tuple[bytes, bytes]:
        return self.keys

    async def valid_from_us(self, hub: str, user: str) -> int:
        await asyncio.sleep(0)
        self.keys = (b"n" * 32, b"s" * 32)
        return -1


def door(keyring: Any) -> Doorkeeper:
    return Doorkeeper(keyring, ENDPOINTS, ManualClock())


def signed(aud: Any, key: bytes = KEYS[0], **claims: Any) -> str:
    now_s = ManualClock().now_us() // 1_000_000
    return jwt.encode({"aud": aud, "exp": now_s + 60, **claims}, key, algorithm="HS256")


async def test_a_key_replaced_while_a_token_is_checked_signed_nothing() -> None:
    now_us = ManualClock().now_us()
    token, _ = sign_token(KEYS, endpoint=ENDPOINTS[0], hub="h", user="ada", ttl_s=60, now_us=now_us)
    with pytest.raises(UnauthenticatedError) as refused:
        await door(ChangingKeys()).admit("h", token)
    assert refused.value.code == "token-signature"


@pytest.mark.parametrize(
    "aud",
    [
        "http://alerts.example/client/hubs/Chat",
        "https://alerts.example:443/client/hubs/chat",
        "HTTPS://Alerts.Example/Client/hubs/CHAT/",
        "https://alerts.example/client/hubs/chat?x=1",
        "https://alerts.example/client/hubs/%63hat",
        "http://proxy.example/base/client/hubs/chat",
        ["https://elsewhere.example/client/hubs/other", "http://127.0.0.1:8080/client/hubs/chat"],
        [7, None, "http://127.0.0.1:8080/client/hubs/chat"],
    ],
)
async def test_the_forms_in_which_sdks_and_proxies_name_a_hub_are_all_good(aud: Any) -> None:
    class Keys(ChangingKeys):
        async def valid_from_us(self, hub: str, user: str) -> int:
            return -1

    assert (await door(Keys()).admit("chat", signed(aud))).hub == "chat"
    if not isinstance(aud, list) or aud[0] == 7:
        assert (await door(Keys()).admit_anywhere(signed(aud))).hub == "chat"


@pytest.mark.parametrize(
    "aud",
    [
        "ws://alerts.example/client/hubs/chat",
        "https://alerts.example:444/client/hubs/chat",
        "https://alerts.example/client/hubs/chat/more",
        "https://alerts.example/base/client/hubs/chat",
        "http://proxy.example/client/hubs/chat",
        "/client/hubs/chat",
        "https://alerts.example@elsewhere.example/client/hubs/chat",
        "chat",
        "",
        None,
        [],
        {},
    ],
)
async def test_an_audience_elsewhere_opens_nothing(aud: Any) -> None:
    with pytest.raises(UnauthenticatedError) as refused:
        await door(ChangingKeys()).admit("chat", signed(aud))
    assert refused.value.code == "token-audience"


async def test_keys_are_listed_by_fingerprint_and_changed_one_by_one(server: Server) -> None:
    admin = await server.key("admin")

    async def listed() -> dict[str, str]:
        answer = await server.http.get("/v1/admin/access-keys", headers=admin)
        return {key["name"]: key["fingerprint"] for key in answer.json()["access_keys"]}

    async def connection_string(query: str) -> str:
        answer = await server.http.get(f"/v1/admin/connection-string{query}", headers=admin)
        return str(answer.json()["connection_string"])

    before = await listed()
    assert set(before) == {"primary", "secondary"}
    assert all(re.fullmatch("[0-9a-f]{12}", shown) for shown in before.values())
    primary, secondary = await connection_string(""), await connection_string("?key=secondary")
    path = "/v1/admin/access-keys/primary/regenerate"
    made = (await server.http.post(path, headers=admin)).json()
    after = await listed()
    assert after == {"primary": made["fingerprint"], "secondary": before["secondary"]}
    assert after["primary"] != before["primary"]
    assert await connection_string("") != primary
    assert await connection_string("?key=secondary") == secondary


async def test_other_names_than_the_two_are_refused(server: Server) -> None:
    admin = await server.key("admin")
    answer = await server.http.post("/v1/admin/access-keys/third/regenerate", headers=admin)
    assert (answer.status_code, answer.json()["code"]) == (404, "key-not-found")
    answer = await server.http.get("/v1/admin/connection-string?key=third", headers=admin)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-query")


async def test_two_changes_at_once_both_hold(server: Server) -> None:
    keyring = server.keyring
    before = await keyring.open_hub("h")
    await asyncio.gather(keyring.regenerate("h", "primary"), keyring.regenerate("h", "secondary"))
    after = await keyring.access_keys("h")
    assert not set(before) & set(after)


async def test_only_an_admin_key_changes_them(server: Server) -> None:
    for role in ("producer", "server"):
        answer = await server.http.post(
            "/v1/admin/access-keys/primary/regenerate",
            headers=await server.key(role),
        )
        assert answer.status_code == 403
