"""Devices over HTTP: what is checked at registration, whose they are, and what is told of them."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.unit.api_server import Server, running
from tocsin.ports.push import Gone, Later, Misconfigured, Rejected

ENDPOINT = "https://fcm.googleapis.com/fcm/send/abc"
FCM = {"platform": "fcm", "channel": {"token": "t1"}}


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with running() as server:
        yield server


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def point() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def subscription(**channel: Any) -> dict[str, Any]:
    keys = {"p256dh": b64(point()), "auth": b64(b"a" * 16)}
    said = {"endpoint": ENDPOINT, "expirationTime": None, "keys": keys, **channel}
    return {"platform": "webpush", "channel": said}


async def put(
    server: Server, body: dict[str, Any], device: str = "d1", user: str = "ada"
) -> httpx.Response:
    headers = await server.token(user)
    return await server.http.put(f"/v1/devices/{device}", json=body, headers=headers)


async def get(server: Server, path: str = "/v1/devices", user: str = "ada") -> Any:
    answer = await server.http.get(path, headers=await server.token(user))
    return answer.json()


async def test_a_browser_registers_what_its_subscription_says(server: Server) -> None:
    config = (await server.http.get("/v1/push/config")).json()
    assert config["accepted_keys"] == [
        {"id": config["vapid_key"], "public_key": config["application_server_key"]}
    ]
    body = subscription(vapid_key=config["application_server_key"])
    traits = {"tags": ["beta"], "locale": "de-CH", "time_zone": "Europe/Zurich", "app_version": "1"}
    first = await put(server, {**body, **traits})
    again = await put(server, {**body, **traits})
    assert (first.status_code, again.status_code) == (201, 200)
    told = again.json()
    assert (
        told.items()
        >= {
            "installation_id": "d1",
            "platform": "webpush",
            "state": "active",
            "vapid_key": config["vapid_key"],
            "last_success_at": None,
            **traits,
        }.items()
    )
    assert "endpoint" not in first.text
    assert await get(server) == {"devices": [told]}
    assert await get(server, "/v1/devices/d1") == told


@pytest.mark.parametrize(
    ("channel", "code", "pointer"),
    [
        ({"endpoint": "https://evil.example/x"}, "push-host-not-allowed", "endpoint"),
        ({"endpoint": "ftp://fcm.googleapis.com/x"}, "push-host-not-allowed", "endpoint"),
        ({"endpoint": "https://fcm.googleapis.com@10.0.0.1/"}, "push-host-not-allowed", "endpoint"),
        ({"keys": {"p256dh": "BA", "auth": b64(b"a" * 16)}}, "invalid-device", "keys/p256dh"),
        (
            {"keys": {"p256dh": b64(b"\4" + b"x" * 64), "auth": b64(b"a" * 16)}},
            "invalid-device",
            "keys/p256dh",
        ),
        ({"keys": {"p256dh": b64(point()), "auth": "????"}}, "invalid-device", "keys/auth"),
        ({"vapid_key": "unknown"}, "vapid-key-void", "vapid_key"),
    ],
)
async def test_a_subscription_that_cannot_be_sent_to_is_refused(
    server: Server, channel: dict[str, Any], code: str, pointer: str
) -> None:
    answer = await put(server, subscription(**channel))
    assert answer.status_code == 400, answer.text
    assert (answer.json()["code"], answer.json()["pointer"]) == (code, f"/channel/{pointer}")
    assert await get(server) == {"devices": []}


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"tags": ["ok", "with blank"]}, "/tags/1"),
        ({"locale": "german!"}, "/locale"),
        ({"time_zone": "Mars/Olympus"}, "/time_zone"),
        ({"time_zone": "../../etc/passwd"}, "/time_zone"),
        ({"channel": {"token": "a", "fid": "b"}}, "/channel"),
        ({"channel": {}}, "/channel"),
    ],
)
async def test_what_an_installation_says_of_itself_keeps_the_rules(
    server: Server, fields: dict[str, Any], pointer: str
) -> None:
    answer = await put(server, FCM | fields)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-device")
    assert answer.json()["pointer"] == pointer


async def test_a_patch_changes_what_it_names_and_null_takes_away(server: Server) -> None:
    await put(server, {**FCM, "locale": "de", "tags": ["a"], "app_version": "1"})
    change = {"locale": None, "app_version": "2", "channel": {"fid": "f1"}}
    headers = await server.token("ada")
    answer = await server.http.patch("/v1/devices/d1", json=change, headers=headers)
    told = answer.json()
    assert (told["locale"], told["tags"], told["app_version"]) == (None, ["a"], "2")
    kept = await server.store.devices.device("default", "ada", "d1")
    assert kept is not None
    assert kept.channel.handle == "f1"
    wrong = await server.http.patch("/v1/devices/d1", json={"channel": 1}, headers=headers)
    assert (wrong.status_code, wrong.json()["code"]) == (400, "invalid-device")


async def test_devices_are_their_users_own(server: Server) -> None:
    await put(server, FCM)
    answers = [
        await server.http.request(
            method, f"/v1/devices/{device}", headers=await server.token("ben")
        )
        for device in ("d1", "nothing")
        for method in ("GET", "DELETE", "PATCH")
    ]
    assert [one.status_code for one in answers] == [404, 204, 404] * 2
    key = await server.key("server")
    told = await server.http.get("/v1/devices?user=ada", headers=key)
    assert [one["installation_id"] for one in told.json()["devices"]] == ["d1"]
    gone = await server.http.delete("/v1/devices/d1?user=ada", headers=key)
    assert (gone.status_code, await get(server)) == (204, {"devices": []})


async def test_the_next_user_of_a_browser_takes_it_over(server: Server) -> None:
    await put(server, FCM)
    await put(server, FCM, "d2", "ben")
    assert await get(server) == {"devices": []}
    assert len((await get(server, user="ben"))["devices"]) == 1


async def test_of_too_many_devices_the_one_not_heard_of_for_longest_gives_way(
    server: Server,
) -> None:
    for number in range(4):
        await put(server, {"platform": "fcm", "channel": {"token": f"t{number}"}}, f"d{number}")
        server.clock.advance(1)
    told = (await get(server))["devices"]
    assert [one["installation_id"] for one in told] == ["d1", "d2", "d3"]


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (None, {"outcome": "accepted", "reason": None}),
        (Gone("410"), {"outcome": "gone", "reason": "410"}),
        (Later("503"), {"outcome": "later", "reason": "503"}),
        (Rejected("413"), {"outcome": "failed", "reason": "413"}),
        (Misconfigured("401"), {"outcome": "failed", "reason": "401"}),
    ],
)
async def test_a_test_push_tells_what_the_push_service_said(
    server: Server, outcome: Any, told: dict[str, Any]
) -> None:
    await put(server, FCM)
    server.provider.outcomes = [] if outcome is None else [outcome]
    headers = await server.token("ada")
    answer = await server.http.post("/v1/devices/d1/test", headers=headers)
    assert answer.json() == told
    device = await get(server, "/v1/devices/d1")
    assert (device["last_success_at"] is None) == (outcome is not None)
    assert device["last_failure"] == told["reason"]
    assert device["state"] == ("gone" if isinstance(outcome, Gone) else "active")
    if device["state"] == "gone":
        again = await server.http.post("/v1/devices/d1/test", headers=headers)
        assert again.json() == told
        assert len(server.provider.sent) == 1


async def test_a_patch_brings_no_device_back_but_a_new_channel_does(server: Server) -> None:
    await put(server, FCM)
    headers = await server.token("ada")
    server.provider.outcomes = [Gone("unregistered")]
    await server.http.post("/v1/devices/d1/test", headers=headers)
    for change, state in (({"locale": "de"}, "gone"), ({"channel": {"token": "new"}}, "active")):
        answer = await server.http.patch("/v1/devices/d1", json=change, headers=headers)
        assert (answer.status_code, answer.json()["state"]) == (200, state)
        assert answer.json()["locale"] == "de"
    assert (await get(server, "/v1/devices/d1"))["state"] == "active"


async def test_test_pushes_are_few(server: Server) -> None:
    await put(server, FCM)
    headers = await server.token("ada")
    answers = [await server.http.post("/v1/devices/d1/test", headers=headers) for _ in range(6)]
    assert [one.status_code for one in answers] == [200] * 5 + [429]
    assert answers[-1].json()["code"] == "rate-limited"
    server.clock.advance(60)
    again = await server.http.post("/v1/devices/d1/test", headers=headers)
    assert again.status_code == 200


async def test_two_vapid_keys_are_valid_while_browsers_change(server: Server) -> None:
    admin = await server.key("admin")
    old = (await server.http.get("/v1/push/config")).json()["vapid_key"]
    await put(server, subscription())
    server.clock.advance(1)
    new = (await server.http.post("/v1/admin/vapid-keys", headers=admin)).json()["id"]
    config = (await server.http.get("/v1/push/config")).json()
    assert config["vapid_key"] == new
    assert [key["id"] for key in config["accepted_keys"]] == [old, new]
    third = await server.http.post("/v1/admin/vapid-keys", headers=admin)
    assert (third.status_code, third.json()["code"]) == (409, "vapid-keys-full")
    current = await server.http.delete(f"/v1/admin/vapid-keys/{new}", headers=admin)
    assert (current.status_code, current.json()["code"]) == (409, "vapid-key-current")
    retired = await server.http.delete(f"/v1/admin/vapid-keys/{old}", headers=admin)
    assert retired.json() == {"id": old, "devices": 1}
    again = await server.http.delete(f"/v1/admin/vapid-keys/{old}", headers=admin)
    assert (again.status_code, again.json()["code"]) == (404, "vapid-key-not-found")
    device = await get(server, "/v1/devices/d1")
    assert (device["state"], device["gone_reason"]) == ("gone", "vapid-key-retired")
    listed = (await server.http.get("/v1/admin/vapid-keys", headers=admin)).json()["vapid_keys"]
    assert [(key["id"], key["state"]) for key in listed] == [(old, "retired"), (new, "current")]
    log = (await server.http.get("/v1/admin/audit", headers=admin)).json()["deeds"]
    done = [(deed["action"], deed["target"]) for deed in log if deed["outcome"] == "done"]
    assert done == [("vapid.retire", old), ("vapid.rotate", new)]


async def test_the_trace_tells_for_each_device_what_became_of_its_push(server: Server) -> None:
    await put(server, FCM)
    alert_id = (await server.publish()).json()["id"]
    path = f"/v1/alerts/{alert_id}/trace?user=ada"
    key = await server.key("server")
    told = (await server.http.get(path, headers=key)).json()["events"]
    assert [(one["fact"], one["device"]) for one in told if "device" in one] == [
        ("push_waiting", "d1")
    ]
    await server.store.devices.remove_device("default", "ada", "d1")
    told = (await server.http.get(path, headers=key)).json()["events"]
    assert [(one["fact"], one["detail"]) for one in told if "device" in one] == [
        ("push_cancelled", "fcm, not sent: device-removed")
    ]
