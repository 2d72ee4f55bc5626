"""Web Push against a service that verifies everything: what is sent, and what each answer means."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest

from tests.ports.turned_clock import TurnedClock
from tests.push_services.receiving import decode
from tests.push_services.running import serving
from tests.push_services.web_push import WebPushService
from tests.unit.pushing import ALERT, TITLE, Keys, notice, push_to, way_out
from tests.unit.scripted_outbound import ScriptedOutbound
from tocsin.adapters.webpush.provider import WebPush
from tocsin.adapters.webpush.vapid import MOST_TOKENS, VapidTokens
from tocsin.clock import SystemClock
from tocsin.model.device import FcmChannel, WebPushChannel
from tocsin.model.push_host import KNOWN_PUSH_HOSTS
from tocsin.ports.outbound import Answer, Refused
from tocsin.ports.push import Accepted, Gone, Later, Misconfigured, PushOutcome, Rejected
from tocsin.push.payloads import web_push_payload

HOUR_US = 3_600_000_000
SUBJECT = "mailto:ops@example.org"


class Stage:
    """A provider, the service it calls, and the way there."""

    def __init__(self, service: WebPushService, provider: WebPush, keys: Keys) -> None:
        self.service = service
        self.provider = provider
        self.keys = keys

    def channel(self, behaviour: str = "ok") -> WebPushChannel:
        said = self.service.subscribe(behaviour)
        keys = said["keys"]
        return WebPushChannel(said["endpoint"], decode(keys["p256dh"]), decode(keys["auth"]), "new")

    async def send(self, behaviour: str, **changes: Any) -> PushOutcome:
        outcome = await self.provider.send(push_to(self.channel(behaviour), **changes))
        assert self.service.faults == []
        assert self.service.strayed == []
        return outcome


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    keys = Keys("old", "new")
    async with serving(WebPushService()) as service, way_out(total_s=1) as outbound:
        hosts = (*KNOWN_PUSH_HOSTS, service.origin.removeprefix("http://"))
        provider = WebPush(
            outbound, keys, SystemClock(), subject=SUBJECT, topic_secret=b"s" * 32, hosts=hosts
        )
        yield Stage(service, provider, keys)


async def test_a_push_arrives_whole_with_everything_a_service_asks_for(stage: Stage) -> None:
    assert await stage.send("ok", urgency="high", collapse="item") == Accepted()
    [came] = stage.service.received
    assert (came.message["id"], came.message["notification"]["title"]) == (ALERT, TITLE)
    assert (came.ttl_s, came.urgency, came.wns_type) == (3_600, "high", None)
    assert came.topic is not None
    assert came.bytes == len(push_to(stage.channel()).payload) + 103


async def test_without_a_collapse_key_there_is_no_topic(stage: Stage) -> None:
    await stage.send("ok")
    assert stage.service.received[0].topic is None


async def test_a_topic_is_the_same_for_one_endpoint_and_says_nothing_to_others(
    stage: Stage,
) -> None:
    one, other = stage.channel(), stage.channel()
    for channel, collapse in ((one, "a"), (one, "a"), (one, "b"), (other, "a")):
        await stage.provider.send(push_to(channel, collapse=collapse))
    topics = [came.topic for came in stage.service.received]
    assert topics[0] == topics[1]
    assert len(set(topics)) == 3


@pytest.mark.parametrize(("asked", "sent"), [(0, 60), (59, 60), (61, 61), (10**9, 2_419_200)])
async def test_a_life_stays_within_what_services_take(stage: Stage, asked: int, sent: int) -> None:
    await stage.send("ok", ttl_s=asked)
    assert stage.service.received[0].ttl_s == sent


LATER = {"whole_host": True}
TABLE: list[tuple[str, PushOutcome]] = [
    ("ok", Accepted()),
    ("200", Accepted()),
    ("202", Accepted()),
    ("204", Accepted()),
    ("redirect", Rejected("answered 307")),
    ("redirect-303", Rejected("answered 303")),
    ("400", Rejected("answered 400: bad crypto")),
    ("apple-ttl", Rejected("answered 400: BadTtl")),
    ("apple-urgency", Rejected("answered 400: BadUrgency")),
    ("401", Misconfigured("answered 401: no VAPID")),
    ("403", Misconfigured("answered 403: invalid VAPID")),
    (
        "mozilla-109",
        Misconfigured("answered 401: Request did not validate: expired token. (errno 109)"),
    ),
    ("apple-jwt", Misconfigured("answered 403: BadJwtToken")),
    ("404", Gone("answered 404")),
    ("410", Gone("answered 410")),
    ("mozilla-103", Gone("answered 404: Push subscription has expired. (errno 103)")),
    ("mozilla-106", Gone("answered 410: Subscription was removed. (errno 106)")),
    ("405", Rejected("answered 405")),
    ("413", Rejected("answered 413")),
    ("429", Later("answered 429", **LATER)),
    ("429-seconds", Later("answered 429", 120, **LATER)),
    ("500", Later("answered 500")),
    ("502", Later("answered 502")),
    ("503", Later("answered 503", **LATER)),
    ("503-seconds", Later("answered 503", 7, **LATER)),
    ("504", Later("answered 504")),
    ("mozilla-201", Later("answered 503: Use exponential back-off. (errno 201)", 120, **LATER)),
    ("mozilla-202", Later("answered 500: Try again. (errno 202)", 0)),
]


@pytest.mark.parametrize(("behaviour", "outcome"), TABLE, ids=[row[0] for row in TABLE])
async def test_every_answer_has_one_meaning(
    stage: Stage, behaviour: str, outcome: PushOutcome
) -> None:
    assert await stage.send(behaviour) == outcome
    assert stage.service.requests[behaviour] == 1


@pytest.mark.parametrize("behaviour", ["401", "403", "mozilla-109", "apple-jwt"])
async def test_what_a_device_may_be_behind_is_no_certain_fault_of_ours(
    stage: Stage, behaviour: str
) -> None:
    outcome = await stage.send(behaviour)
    assert isinstance(outcome, Misconfigured)
    assert not outcome.certain


@pytest.mark.parametrize("behaviour", ["apple-key", "apple-key-403", "mozilla-key", "fcm-key"])
async def test_a_subscription_of_another_key_is_gone_and_nothing_else_is(
    stage: Stage, behaviour: str
) -> None:
    outcome = await stage.send(behaviour)
    assert isinstance(outcome, Gone)
    assert "belongs to another key" in outcome.reason


async def test_a_date_to_come_back_at_is_understood(stage: Stage) -> None:
    outcome = await stage.send("429-date")
    assert isinstance(outcome, Later)
    assert outcome.after_s is not None
    assert 80 < outcome.after_s <= 100


async def test_a_topic_that_is_not_taken_is_left_out_once(stage: Stage) -> None:
    assert await stage.send("apple-topic", collapse="item") == Accepted()
    first, second = stage.service.received
    assert (first.topic is None, second.topic) == (False, None)
    assert await stage.send("apple-topic") == Accepted()


async def test_a_message_that_is_too_large_is_sent_once_more_as_its_least(stage: Stage) -> None:
    payload = web_push_payload(notice(body="word " * 400))
    outcome = await stage.send("small", payload=payload.full, least=payload.least)
    assert outcome == Accepted()
    first, second = stage.service.received
    assert second.message["id"] == first.message["id"] == ALERT
    assert "body" not in second.message["notification"]
    assert await stage.send("413", least=payload.least) == Rejected("answered 413")
    assert stage.service.requests["413"] == 2


@pytest.mark.parametrize(
    ("behaviour", "kind"), [("hang", "timeout"), ("huge", "too-large"), ("cut", "broken")]
)
async def test_a_service_that_gives_no_answer_is_tried_later(
    stage: Stage, behaviour: str, kind: str
) -> None:
    outcome = await stage.send(behaviour)
    assert isinstance(outcome, Later)
    assert outcome.reason.startswith(kind)
    assert not outcome.whole_host


async def test_a_slow_service_delays_nobody_else(stage: Stage) -> None:
    async with asyncio.TaskGroup() as group:
        hanging = group.create_task(stage.send("hang"))
        assert await stage.send("ok") == Accepted()
        assert await stage.send("slow") == Accepted()
        assert not hanging.done()
        stage.service.end()
    assert hanging.result() == Accepted()


async def test_nobody_there_is_a_fact_about_the_host(stage: Stage) -> None:
    async with serving(WebPushService()) as closed:
        said = closed.subscribe()
    hosts = (closed.origin.removeprefix("http://"),)
    channel = WebPushChannel(said["endpoint"], stage.channel().p256dh, b"a" * 16, "new")
    async with way_out() as outbound:
        provider = WebPush(
            outbound, stage.keys, SystemClock(), subject=None, topic_secret=b"", hosts=hosts
        )
        outcome = await provider.send(push_to(channel))
    assert isinstance(outcome, Later)
    assert (outcome.reason.partition(":")[0], outcome.whole_host) == ("unreachable", True)
    assert said["endpoint"].rpartition("/")[2] not in outcome.reason.replace(closed.origin, "")


async def test_one_token_serves_an_origin_and_says_for_whom_it_is(stage: Stage) -> None:
    for _ in range(3):
        await stage.send("ok")
    [authorization] = stage.service.tokens
    token = authorization.removeprefix("vapid t=").partition(",")[0]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims.keys() == {"aud", "exp", "sub"}
    assert (claims["aud"], claims["sub"]) == (stage.service.origin, SUBJECT)


async def test_two_services_in_one_process_get_a_token_each(stage: Stage) -> None:
    async with serving(WebPushService()) as other, way_out() as outbound:
        hosts = [one.origin.removeprefix("http://") for one in (stage.service, other)]
        provider = WebPush(
            outbound, stage.keys, SystemClock(), subject=None, topic_secret=b"", hosts=hosts
        )
        for service in (stage.service, other):
            stage.service = service
            assert await provider.send(push_to(stage.channel())) == Accepted()
            assert service.faults == []


async def test_a_subscription_is_signed_for_with_the_key_it_was_made_with(stage: Stage) -> None:
    channel = stage.channel()
    for key_id in ("old", "new"):
        old = WebPushChannel(channel.endpoint, channel.p256dh, channel.auth, key_id)
        assert await stage.provider.send(push_to(old)) == Accepted()
    used = {authorization.partition("k=")[2] for authorization in stage.service.tokens}
    assert used == {key.public_key for key in stage.keys.valid.values()}
    del stage.keys.valid["old"]
    old = WebPushChannel(channel.endpoint, channel.p256dh, channel.auth, "old")
    assert isinstance(await stage.provider.send(push_to(old)), Gone)
    assert len(stage.service.received) == 2


def test_a_token_is_renewed_an_hour_before_its_end_and_not_sooner() -> None:
    clock, keys = TurnedClock(), Keys("k", "l")
    tokens = VapidTokens(keys, SUBJECT, clock)
    first = tokens.authorization("https://a.example", "k")
    clock.us += 11 * HOUR_US - 1_000_000
    assert tokens.authorization("https://a.example", "k") == first
    assert tokens.authorization("https://b.example", "k") != first
    assert tokens.authorization("https://a.example", "l") != first
    clock.us += 1_000_000
    later = tokens.authorization("https://a.example", "k")
    assert later != first
    clock.us -= HOUR_US
    assert tokens.authorization("https://a.example", "k") != later


def test_tokens_that_are_kept_have_a_bound() -> None:
    tokens = VapidTokens(Keys("k"), None, TurnedClock())
    first = tokens.authorization("https://0.example", "k")
    for number in range(1, MOST_TOKENS):
        tokens.authorization(f"https://{number}.example", "k")
    assert tokens.authorization("https://0.example", "k") == first
    tokens.authorization("https://more.example", "k")
    assert tokens.authorization("https://0.example", "k") != first


def scripted(*outcomes: Any) -> tuple[WebPush, ScriptedOutbound]:
    outbound = ScriptedOutbound(*outcomes)
    provider = WebPush(
        outbound,
        Keys("new"),
        TurnedClock(),
        subject=SUBJECT,
        topic_secret=b"s",
        hosts=KNOWN_PUSH_HOSTS,
    )
    return provider, outbound


def channel_at(endpoint: str, stage: Stage) -> WebPushChannel:
    return WebPushChannel(endpoint, stage.channel().p256dh, b"a" * 16, "new")


async def test_only_microsoft_is_told_what_only_microsoft_asks_for(stage: Stage) -> None:
    provider, outbound = scripted()
    for host in ("wns2-par02p.notify.windows.com", "web.push.apple.com"):
        channel = channel_at(f"https://{host}/w/1", stage)
        assert await provider.send(push_to(channel)) == Accepted()
        assert provider.host(channel) == host
    windows, apple = (dict(call.headers) for call in outbound.calls)
    assert windows.pop("X-WNS-Type") == "wns/raw"
    assert windows.keys() == apple.keys()


async def test_what_cannot_be_sent_is_not_tried(stage: Stage) -> None:
    provider, outbound = scripted()
    channel = channel_at("https://web.push.apple.com/1", stage)
    outcomes = [
        await provider.send(push_to(channel, withdraws=True)),
        await provider.send(push_to(channel, payload=b"x" * 3_994)),
        await provider.send(push_to(channel, least=b"x" * 3_994)),
        await provider.send(push_to(channel_at("https://10.0.0.1/1", stage))),
    ]
    assert all(isinstance(outcome, Rejected) for outcome in outcomes)
    broken = WebPushChannel(channel.endpoint, bytes(65), b"a" * 16, "new")
    assert isinstance(await provider.send(push_to(broken)), Gone)
    assert outbound.calls == []
    with pytest.raises(TypeError):
        await provider.send(push_to(FcmChannel("x")))


async def test_an_address_that_may_not_be_called_is_no_fault_of_the_provider(stage: Stage) -> None:
    provider, _ = scripted(Refused("'x' is private"))
    outcome = await provider.send(push_to(channel_at("https://web.push.apple.com/1", stage)))
    assert outcome == Rejected("not called: 'x' is private")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\xff\xfe" * 400, "answered 400: " + "\ufffd" * 200),
        (b"a\x00\x1b[31mb\n", "answered 400: a[31mb"),
        (b"[1]", "answered 400: [1]"),
        (b'{"reason": 5}', 'answered 400: {"reason": 5}'),
        (b'{"error": "Bad"}', "answered 400: Bad"),
        (b"", "answered 400"),
        (b'{"x":' * 12_000, "answered 400: " + '{"x":' * 40),
    ],
)
async def test_the_words_of_a_service_are_cut_and_plain(
    stage: Stage, body: bytes, reason: str
) -> None:
    provider, _ = scripted(Answer(400, body=body))
    outcome = await provider.send(push_to(channel_at("https://web.push.apple.com/1", stage)))
    assert outcome == Rejected(reason)
