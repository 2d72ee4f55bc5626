"""Firebase against an API that verifies everything: what is sent, how it is let in, and what each answer means."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from tests.ports.turned_clock import TurnedClock
from tests.push_services.fcm import FcmService
from tests.push_services.receiving import CURVE
from tests.push_services.running import serving
from tests.unit.pushing import ALERT, ITEM, TITLE, notice, push_to, way_out
from tests.unit.scripted_outbound import ScriptedOutbound
from tocsin.adapters.fcm.access import FAILURE_HOLDS_S
from tocsin.adapters.fcm.provider import Fcm
from tocsin.adapters.fcm.service_account import ServiceAccount, read_service_account
from tocsin.clock import SystemClock
from tocsin.errors import ConfigError
from tocsin.model.alert import Action
from tocsin.model.device import FcmChannel, WebPushChannel
from tocsin.ports.outbound import Answer, Refused
from tocsin.ports.push import (
    FCM_BYTES,
    Accepted,
    Gone,
    Later,
    Misconfigured,
    Push,
    PushOutcome,
    Rejected,
)
from tocsin.push.payloads import fcm_payload, fcm_withdrawal


class Stage:
    """A provider and the project that it sends for."""

    def __init__(self, service: FcmService, account: ServiceAccount, provider: Fcm) -> None:
        self.service = service
        self.account = account
        self.provider = provider

    async def send(self, behaviour: str, **changes: Any) -> PushOutcome:
        outcome = await self.provider.send(push(f"{behaviour}:abc", **changes))
        assert self.service.faults == []
        assert self.service.strayed == []
        return outcome


def push(handle: str, **changes: Any) -> Push:
    channel = FcmChannel(handle, changes.pop("kind", "token"))
    return push_to(channel, **({"payload": fcm_payload(notice(body="In full."))} | changes))


def account_of(service: FcmService, folder: Path, **changes: Any) -> ServiceAccount:
    path = folder / "account.json"
    path.write_text(json.dumps(service.service_account() | changes))
    return read_service_account(path)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with serving(FcmService()) as service, way_out(total_s=1) as outbound:
        account = account_of(service, tmp_path)
        yield Stage(service, account, Fcm(account, outbound, SystemClock(), service.origin))


async def test_a_message_arrives_with_all_that_both_systems_need(stage: Stage) -> None:
    outcome = await stage.send("ok", urgency="high", collapse=ITEM, collapses=True)
    assert outcome == Accepted("projects/tocsin-test/messages/1")
    message = stage.service.received[0].message
    assert message["token"] == "ok:abc"
    assert message["notification"] == {"title": TITLE, "body": "In full."}
    assert message["data"]["id"] == ALERT
    assert message["android"] == {
        "priority": "high",
        "ttl": "3600s",
        "collapse_key": ITEM,
        "notification": {"tag": ITEM, "notification_count": 3},
    }
    headers = message["apns"]["headers"]
    assert headers.pop("apns-expiration").isdigit()
    assert headers == {
        "apns-push-type": "alert",
        "apns-priority": "10",
        "apns-collapse-id": ITEM,
    }
    assert message["apns"]["payload"]["aps"]["badge"] == 3


async def test_only_what_another_alert_may_replace_takes_one_of_a_devices_four_keys(
    stage: Stage,
) -> None:
    await stage.send("ok", collapse=ITEM)
    message = stage.service.received[0].message
    assert "collapse_key" not in message["android"]
    assert message["android"]["notification"]["tag"] == ITEM
    assert message["apns"]["headers"]["apns-collapse-id"] == ITEM


async def test_an_installation_id_is_sent_as_one(stage: Stage) -> None:
    assert isinstance(await stage.send("ok", kind="fid"), Accepted)
    message = stage.service.received[0].message
    assert (message["fid"], "token" in message) == ("ok:abc", False)


async def test_a_withdrawal_is_told_in_the_background(stage: Stage) -> None:
    payload = fcm_withdrawal(ALERT, ITEM, 2)
    assert isinstance(await stage.send("ok", payload=payload, withdraws=True), Accepted)
    message = stage.service.received[0].message
    assert "notification" not in message
    assert message["data"]["type"] == "withdraw"
    assert message["android"] == {"priority": "normal", "ttl": "3600s"}
    headers = message["apns"]["headers"]
    assert (headers["apns-push-type"], headers["apns-priority"]) == ("background", "5")


async def test_a_life_and_a_collapse_id_stay_within_their_bounds(stage: Stage) -> None:
    await stage.send("ok", ttl_s=10**9, collapse="\u00fc" * 256, collapses=True, urgency="very-low")
    message = stage.service.received[0].message
    assert message["android"]["ttl"] == "2419200s"
    assert message["android"]["collapse_key"] == "\u00fc" * 256
    assert len(message["apns"]["headers"]["apns-collapse-id"]) == 64
    assert message["apns"]["headers"]["apns-priority"] == "5"


async def test_the_largest_alert_is_taken_and_a_larger_payload_not_sent(stage: Stage) -> None:
    one = notice(title="t" * 512, body="\u2028" * 9_000, actions=(Action("a", "A" * 128),) * 5)
    assert isinstance(await stage.send("ok", payload=fcm_payload(one)), Accepted)
    assert isinstance(await stage.send("ok", payload=b" " * (FCM_BYTES + 1)), Rejected)
    assert isinstance(await stage.send("ok", payload=b"[]"), Rejected)
    assert len(stage.service.received) == 1


HOST = {"whole_host": True}
TABLE: list[tuple[str, PushOutcome]] = [
    ("unregistered", Gone("answered 404 UNREGISTERED: said so")),
    ("not-found", Rejected("answered 404 NOT_FOUND: said so")),
    ("bad-token", Gone("answered 400 INVALID_ARGUMENT: said so")),
    ("bad-request", Rejected("answered 400 INVALID_ARGUMENT: said so")),
    ("sender", Gone("answered 403 SENDER_ID_MISMATCH: said so")),
    ("quota", Later("answered 429 QUOTA_EXCEEDED: said so", 60, **HOST)),
    ("quota-seconds", Later("answered 429 QUOTA_EXCEEDED: said so", 90, **HOST)),
    ("unavailable", Later("answered 503 UNAVAILABLE: said so", 10, **HOST)),
    ("unavailable-seconds", Later("answered 503 UNAVAILABLE: said so", 33, **HOST)),
    ("internal", Later("answered 500 INTERNAL: said so", 10)),
    ("third-party", Misconfigured("answered 401 THIRD_PARTY_AUTH_ERROR: said so")),
    ("denied", Misconfigured("answered 403 PERMISSION_DENIED: said so", certain=True)),
    ("teapot", Rejected("answered 418 UNKNOWN: said so")),
    ("redirect", Rejected("answered 307")),
    ("nonsense", Accepted()),
]


@pytest.mark.parametrize(("behaviour", "outcome"), TABLE, ids=[row[0] for row in TABLE])
async def test_every_answer_has_one_meaning(
    stage: Stage, behaviour: str, outcome: PushOutcome
) -> None:
    assert await stage.send(behaviour) == outcome
    assert stage.service.requests[behaviour] == 1


@pytest.mark.parametrize(
    ("behaviour", "kind"), [("hang", "timeout"), ("huge", "too-large"), ("cut", "broken")]
)
async def test_an_api_that_gives_no_answer_is_tried_later(
    stage: Stage, behaviour: str, kind: str
) -> None:
    outcome = await stage.send(behaviour)
    assert isinstance(outcome, Later)
    assert outcome.reason.startswith(kind)


async def test_an_endlessly_nested_answer_is_an_answer_like_others(stage: Stage) -> None:
    granted = Answer(200, body=b'{"access_token": "t", "expires_in": 3599}')
    deep = b'{"error":' * 7_000
    for outcomes, outcome in (
        ([granted, Answer(500, body=deep)], Later("answered 500", 10)),
        ([granted, Answer(200, body=deep)], Accepted()),
        ([Answer(400, body=deep)], Misconfigured("no access token: answered 400", certain=True)),
    ):
        provider = Fcm(stage.account, ScriptedOutbound(*outcomes), TurnedClock())
        assert await provider.send(push("ok:1")) == outcome


async def test_one_access_token_serves_all_who_wait_for_it(stage: Stage) -> None:
    async with asyncio.TaskGroup() as group:
        sends = [group.create_task(stage.send("ok")) for _ in range(50)]
    assert all(isinstance(one.result(), Accepted) for one in sends)
    assert (stage.service.requests["token"], stage.service.grants) == (1, 1)


async def test_a_token_that_was_refused_is_fetched_anew_once(stage: Stage) -> None:
    await stage.send("ok")
    stage.service.revoke()
    async with asyncio.TaskGroup() as group:
        sends = [group.create_task(stage.send("ok")) for _ in range(20)]
    assert all(isinstance(one.result(), Accepted) for one in sends)
    assert stage.service.grants == 2
    outcome = await stage.send("unauthenticated")
    assert outcome == Misconfigured("answered 401 UNAUTHENTICATED: said so", certain=True)
    assert stage.service.requests["unauthenticated"] == 2
    assert isinstance(await stage.send("ok"), Accepted)


async def test_an_apps_certificate_at_fault_costs_no_token_and_is_of_some_devices_only(
    stage: Stage,
) -> None:
    outcome = await stage.send("third-party")
    assert isinstance(outcome, Misconfigured)
    assert not outcome.certain
    assert stage.service.grants == 1


async def test_a_token_is_renewed_before_it_ends(tmp_path: Path) -> None:
    async with serving(FcmService()) as service, way_out() as outbound:
        clock = Turnable()
        provider = Fcm(account_of(service, tmp_path), outbound, clock, service.origin)
        for passed, grants in ((0, 1), (3_373, 1), (2, 2)):
            clock.passed_s += passed
            assert isinstance(await provider.send(push("ok:1")), Accepted)
            assert service.grants == grants


class Turnable(SystemClock):
    """Tells the time of day, and has as much time pass as is wanted."""

    def __init__(self) -> None:
        self.passed_s = 0.0

    def monotonic_s(self) -> float:
        return self.passed_s


@pytest.mark.parametrize(
    ("behaviour", "outcome"),
    [
        (
            "denied",
            Misconfigured(
                "no access token: answered 400: invalid_grant Invalid JWT Signature.",
                certain=True,
            ),
        ),
        ("401", Misconfigured("no access token: answered 401", certain=True)),
        ("redirect", Misconfigured("no access token: answered 307", certain=True)),
        ("500", Later("no access token: answered 500", 11, **HOST)),
        ("429", Later("no access token: answered 429", 11, **HOST)),
        ("nonsense", Later("no access token: answered 200, and not with a token", **HOST)),
        (
            "hang",
            Later("no access token: timeout: no whole answer within 1 s", None, **HOST),
        ),
    ],
)
async def test_without_a_token_nothing_is_sent(
    stage: Stage, behaviour: str, outcome: PushOutcome
) -> None:
    stage.service.token_behaviour = behaviour
    assert await stage.send("ok") == outcome
    assert stage.service.received == []


async def test_a_failed_fetch_serves_those_behind_it_too_and_is_not_kept(tmp_path: Path) -> None:
    async with serving(FcmService()) as service, way_out() as outbound:
        clock = Turnable()
        provider = Fcm(account_of(service, tmp_path), outbound, clock, service.origin)
        service.token_behaviour = "500"
        async with asyncio.TaskGroup() as group:
            sends = [group.create_task(provider.send(push("ok:1"))) for _ in range(20)]
        assert all(isinstance(one.result(), Later) for one in sends)
        assert service.requests["token"] == 1
        service.token_behaviour = "ok"
        clock.passed_s += FAILURE_HOLDS_S
        assert isinstance(await provider.send(push("ok:1")), Accepted)


async def test_an_address_that_may_not_be_called_is_a_fault_of_the_settings(stage: Stage) -> None:
    granted = Answer(200, body=b'{"access_token": "t", "expires_in": 3599}')
    provider = Fcm(stage.account, ScriptedOutbound(Refused("private")), TurnedClock())
    outcome = await provider.send(push("ok:1"))
    assert outcome == Misconfigured("Google's token endpoint is not called: private", certain=True)
    outbound = ScriptedOutbound(granted, Refused("private"))
    provider = Fcm(stage.account, outbound, TurnedClock())
    outcome = await provider.send(push("ok:1"))
    assert outcome == Misconfigured("not called: private", certain=True)


async def test_the_real_api_is_called_by_default(stage: Stage) -> None:
    granted = Answer(200, body=b'{"access_token": "t", "expires_in": 3599}')
    outbound = ScriptedOutbound(granted)
    provider = Fcm(stage.account, outbound, TurnedClock())
    await provider.send(push("ok:1"))
    url = "https://fcm.googleapis.com/v1/projects/tocsin-test/messages:send"
    assert outbound.calls[1].url == url
    assert dict(outbound.calls[1].headers)["authorization"] == "Bearer t"
    assert provider.host(FcmChannel("x")) == "fcm.googleapis.com"
    with pytest.raises(TypeError):
        await provider.send(push_to(WebPushChannel("https://e.example", b"", b"", "k")))


def pem_of(key: Any) -> str:
    pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem.decode()


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"type": "authorized_user"}, "its type is 'authorized_user'"),
        ({"project_id": "../x"}, "project_id '../x' is no project's"),
        ({"project_id": ""}, "project_id '' is no project's"),
        ({"client_email": None}, "no service account's key file"),
        ({"token_uri": "file:///etc/passwd"}, "token_uri 'file:///etc/passwd' is no https URL"),
        ({"private_key": "secret"}, "no PEM key"),
        ({"private_key": pem_of(ec.generate_private_key(CURVE))}, "no RSA key"),
        (
            {
                "private_key": pem_of(
                    rsa.generate_private_key(public_exponent=65_537, key_size=1024)
                )
            },
            "no RSA key of 2048 bits",
        ),
    ],
)
def test_a_key_file_that_is_none_is_told_at_the_start(
    tmp_path: Path, changes: dict[str, Any], fault: str
) -> None:
    service = FcmService()
    service.origin = "https://oauth2.googleapis.com"
    with pytest.raises(ConfigError) as caught:
        account_of(service, tmp_path, **changes)
    assert fault in caught.value.detail
    assert "push.fcm_service_account" in caught.value.detail
    assert "secret" not in caught.value.detail


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"[]", b'{"a":' * 9_000])
def test_a_file_that_is_no_json_is_told_at_the_start(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "account.json"
    with pytest.raises(ConfigError, match="cannot be read"):
        read_service_account(path)
    path.write_bytes(text)
    with pytest.raises(ConfigError, match="no service account's key file"):
        read_service_account(path)


def test_a_service_account_does_not_show_its_key(stage: Stage) -> None:
    assert repr(stage.account) == "ServiceAccount('push@tocsin-test.iam.gserviceaccount.com')"
    assert msgspec.structs.asdict(stage.account)["key"] is stage.account.key
