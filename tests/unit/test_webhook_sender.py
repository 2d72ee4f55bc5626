"""Receivers are told everything, in order, at least once, and a bad one delays nobody."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from cryptography.fernet import Fernet

from tests.ports.world import envelope
from tests.unit.scripted_outbound import ScriptedOutbound
from tocsin.adapters.memory.store import MemoryStore
from tocsin.api.seal import Seal
from tocsin.config import Webhooks as Patience
from tocsin.events.registry import Registry
from tocsin.events.sender import BOTH_SECRETS_US, MOST_DEAD, SCAN, Sender
from tocsin.model.receipt import Fact, Told
from tocsin.model.webhook import Progress, Webhook
from tocsin.ports.outbound import Answer, Call, Failed, Refused
from tocsin.supervisor import Supervisor
from tocsin.telemetry import Metrics
from tocsin.testing import ManualClock

URL = "https://receiver.example/hook"
HOLD_US = 60_000_000


@dataclass
class World:
    """A sender on the memory store, with a way out that a test scripts."""

    store: MemoryStore
    clock: ManualClock
    outbound: ScriptedOutbound
    registry: Registry
    sender: Sender
    metrics: Metrics
    supervisor: Supervisor

    async def webhook(self, *facts: Fact, key_id: str | None = None, url: str = URL) -> str:
        made, self.secret = await self.registry.register("h", url, facts, key_id)
        return made.id

    async def kept(self, webhook_id: str) -> Webhook:
        found = await self.store.webhooks.webhook("h", webhook_id)
        assert found is not None
        return found

    async def receipts(self, *devices: str, fact: Fact = "shown", key_id: str = "k") -> str:
        told = envelope("ann", key_id=key_id)
        await self.store.deliver([told])
        now_us = self.clock.now_us()
        await self.store.receipts.note(
            [Told("h", told.id, "ann", fact, now_us, device=device) for device in devices]
        )
        return told.id

    async def turns(self, webhook_id: str) -> int:
        """Hold a webhook until nothing may follow at once; return how many turns that took."""
        turns = 1
        await self.hold(webhook_id)
        while await self.sender.turn("h", webhook_id):
            turns += 1
        await self.store.webhooks.release_webhook(webhook_id)
        return turns

    async def hold(self, webhook_id: str) -> None:
        now_us = self.clock.now_us()
        await self.store.webhooks.claim_webhook(webhook_id, now_us, now_us + HOLD_US)

    def devices(self) -> list[list[str]]:
        return [[event["data"]["device"] for event in events(call)] for call in self.outbound.calls]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    clock, metrics, supervisor = ManualClock(), Metrics(), Supervisor()
    store, outbound = MemoryStore(clock), ScriptedOutbound()
    seal = Seal(Fernet.generate_key())
    sender = Sender(
        receipts=store.receipts,
        webhooks=store.webhooks,
        outbound=outbound,
        seal=seal,
        clock=clock,
        supervisor=supervisor,
        metrics=metrics,
        patience=Patience(batch_receipts=3, attempts=2, first_retry_s=10),
        call_s=15,
    )
    registry = Registry(store.webhooks, outbound, seal, clock, 20)
    yield World(store, clock, outbound, registry, sender, metrics, supervisor)
    await supervisor.stop()


def events(call: Call) -> list[dict[str, Any]]:
    decoded: list[dict[str, Any]] = msgspec.json.decode(call.body)
    return decoded


def header(call: Call, name: str) -> str:
    return dict(call.headers)[name]


def signature(secret: str, call: Call) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    told = f"{header(call, 'webhook-id')}.{header(call, 'webhook-timestamp')}.".encode() + call.body
    return "v1," + base64.b64encode(hmac.new(key, told, hashlib.sha256).digest()).decode()


async def test_a_receipt_is_told_as_an_event_and_signed(world: World) -> None:
    webhook = await world.webhook()
    alert_id = await world.receipts("d1", fact="read")
    await world.turns(webhook)
    [call] = world.outbound.calls
    assert (call.url, call.method, call.purpose) == (URL, "POST", "webhook")
    assert header(call, "content-type") == "application/cloudevents-batch+json"
    assert header(call, "webhook-timestamp") == str(world.clock.now_us() // 1_000_000)
    assert header(call, "webhook-signature") == signature(world.secret, call)
    [event] = events(call)
    assert len(event.pop("id")) == 32
    assert event == {
        "specversion": "1.0",
        "source": "/hubs/h",
        "type": "tocsin.receipt.read",
        "subject": alert_id,
        "sequence": "1",
        "time": "2027-01-15T08:00:00.000Z",
        "datacontenttype": "application/json",
        "data": {
            "alert_id": alert_id,
            "user": "ann",
            "device": "d1",
            "fact": "read",
            "at": "2027-01-15T08:00:00.000Z",
        },
    }


async def test_receipts_come_in_order_in_batches_and_each_once(world: World) -> None:
    webhook = await world.webhook()
    await world.receipts(*"abcdefgh")
    await world.turns(webhook)
    assert world.devices() == [list("abc"), list("def"), list("gh")]
    await world.turns(webhook)
    assert len(world.outbound.calls) == 3
    ids = [event["id"] for call in world.outbound.calls for event in events(call)]
    assert len(set(ids)) == 8


async def test_only_wanted_facts_are_told_and_the_others_are_passed(world: World) -> None:
    webhook = await world.webhook("read", "acted")
    await world.receipts(*(f"d{n}" for n in range(20)), fact="shown")
    await world.receipts("wanted", fact="read")
    await world.turns(webhook)
    assert world.devices() == [["wanted"]]
    assert await world.store.webhooks.due_webhooks(world.clock.now_us(), 9) == []


async def test_many_receipts_that_nobody_wants_are_passed_in_bounded_steps(world: World) -> None:
    webhook = await world.webhook("read")
    for _ in range(SCAN // 20 + 1):
        await world.receipts(*(f"d{n}" for n in range(20)))
    await world.receipts("wanted", fact="read")
    assert await world.turns(webhook) == 3  # a pass, the batch, nothing left
    assert world.devices() == [["wanted"]]


async def test_only_alerts_of_the_wanted_key_are_told(world: World) -> None:
    webhook = await world.webhook(key_id="mine")
    await world.receipts("theirs", key_id="other")
    await world.receipts("ours", key_id="mine")
    await world.turns(webhook)
    assert world.devices() == [["ours"]]


async def test_a_message_that_was_not_taken_comes_again_the_same(world: World) -> None:
    webhook = await world.webhook()
    world.outbound.outcomes = [Answer(500)]
    await world.receipts("a")
    await world.turns(webhook)
    await world.receipts("b")  # does not get into the message under way
    progress = (await world.kept(webhook)).progress
    assert (progress.attempts, progress.failure) == (1, "answered 500")
    assert await world.store.webhooks.due_webhooks(world.clock.now_us(), 9) == []
    world.clock.advance(10)
    assert len(await world.store.webhooks.due_webhooks(world.clock.now_us(), 9)) == 1
    await world.turns(webhook)
    first, again, _ = world.outbound.calls
    assert world.devices() == [["a"], ["a"], ["b"]]
    assert header(first, "webhook-id") == header(again, "webhook-id")
    assert first.body == again.body
    assert header(first, "webhook-timestamp") != header(again, "webhook-timestamp")
    assert (await world.kept(webhook)).progress.failure is None


async def test_a_crash_after_the_receiver_took_it_sends_the_same_message_again(
    world: World,
) -> None:
    webhook = await world.webhook()
    await world.receipts("a", "b")
    before = (await world.kept(webhook)).progress
    await world.turns(webhook)
    # What was on disk when the call went out: the batch was fixed, and counted.
    under_way = Progress(cursor=before.cursor, up_to=2, attempts=1, began_us=world.clock.now_us())
    await world.hold(webhook)
    await world.store.webhooks.note_progress(webhook, under_way, HOLD_US)
    await world.receipts("c")
    await world.turns(webhook)
    first, again, later = world.outbound.calls
    assert world.devices() == [["a", "b"], ["a", "b"], ["c"]]
    assert header(first, "webhook-id") == header(again, "webhook-id")
    assert header(again, "webhook-id") != header(later, "webhook-id")


async def test_what_is_never_taken_is_given_up_with_its_reason_and_the_next_goes_on(
    world: World,
) -> None:
    webhook = await world.webhook()
    await world.receipts("a")
    world.outbound.outcomes = [Failed("timeout", "late"), Refused("loopback")]
    await world.turns(webhook)
    world.clock.advance(10)
    await world.turns(webhook)
    await world.receipts("b")
    await world.turns(webhook)
    [dead] = await world.store.webhooks.dead_batches(webhook, limit=9)
    assert (dead.attempts, dead.receipts, dead.reason) == (2, 1, "not called: loopback")
    assert dead.body == world.outbound.calls[0].body
    assert world.devices() == [["a"], ["a"], ["b"]]
    assert (await world.kept(webhook)).progress.given_up == 0


async def test_a_dead_batch_is_sent_once_more_under_its_own_id_and_forgotten_if_taken(
    world: World,
) -> None:
    webhook_id = await world.webhook()
    await world.receipts("a")
    world.outbound.outcomes = [Answer(500)] * 3
    await world.turns(webhook_id)
    world.clock.advance(10)
    await world.turns(webhook_id)
    webhook = await world.kept(webhook_id)
    [dead] = await world.store.webhooks.dead_batches(webhook_id, limit=9)
    assert await world.sender.resend(webhook, dead) == "answered 500"
    assert len(await world.store.webhooks.dead_batches(webhook_id, limit=9)) == 1
    assert await world.sender.resend(webhook, dead) is None
    assert await world.store.webhooks.dead_batches(webhook_id, limit=9) == []
    assert len({header(call, "webhook-id") for call in world.outbound.calls}) == 1


async def test_three_batches_given_up_in_a_row_disable_the_webhook_and_lose_nothing_more(
    world: World,
) -> None:
    webhook = await world.webhook()
    await world.receipts(*"abcdefghijkl")
    world.outbound.outcomes = [Answer(500)] * 6
    for _ in range(20):
        await world.turns(webhook)
        world.clock.advance(20)
    kept = await world.kept(webhook)
    assert kept.disabled_reason == "3 batches in a row were given up; the last: answered 500"
    assert len(world.outbound.calls) == 6
    await world.registry.change(kept, kept, enabled=True)
    await world.turns(webhook)
    assert world.devices()[6:] == [list("jkl")]


async def test_a_webhook_with_too_many_dead_batches_waits_for_a_decision(world: World) -> None:
    webhook = await world.webhook()
    for _ in range(MOST_DEAD):
        assert (await world.kept(webhook)).disabled_us is None
        await world.receipts("a")
        world.outbound.outcomes = [Answer(500), Answer(500), Answer(200)]
        for _ in range(2):
            await world.turns(webhook)
            world.clock.advance(20)
        await world.receipts("b")
        await world.turns(webhook)
    kept = await world.kept(webhook)
    assert kept.disabled_reason == "100 dead batches wait; retry or drop them"


async def test_a_receiver_that_is_gone_is_disabled_and_goes_on_where_it_stood(
    world: World,
) -> None:
    webhook = await world.webhook()
    await world.receipts("a")
    world.outbound.outcomes = [Answer(410)]
    await world.turns(webhook)
    kept = await world.kept(webhook)
    assert (kept.disabled_us, kept.disabled_reason) == (world.clock.now_us(), "answered 410")
    await world.turns(webhook)
    assert len(world.outbound.calls) == 1
    await world.registry.change(kept, kept, enabled=True)
    await world.turns(webhook)
    assert world.devices() == [["a"], ["a"]]


async def test_a_rotated_secret_signs_beside_the_former_one_for_a_day(world: World) -> None:
    webhook = await world.webhook()
    former = world.secret
    _, current = await world.registry.rotate(await world.kept(webhook))
    await world.receipts("a")
    await world.turns(webhook)
    world.clock.advance(BOTH_SECRETS_US / 1_000_000)
    await world.receipts("b")
    await world.turns(webhook)
    both, alone = world.outbound.calls
    expected = f"{signature(current, both)} {signature(former, both)}"
    assert header(both, "webhook-signature") == expected
    assert header(alone, "webhook-signature") == signature(current, alone)


async def test_secrets_are_not_stored_as_they_are_shown(world: World) -> None:
    webhook = await world.webhook()
    raw = base64.b64decode(world.secret.removeprefix("whsec_"))
    assert raw not in (await world.kept(webhook)).secrets.current


async def test_a_ping_says_which_webhook_it_tests_and_what_came_of_it(world: World) -> None:
    webhook = await world.kept(await world.webhook())
    world.outbound.outcomes = [Answer(204), Answer(401, body=b"who?")]
    assert await world.sender.ping(webhook) is None
    assert await world.sender.ping(webhook) == "answered 401: who?"
    [event] = events(world.outbound.calls[0])
    assert event["type"] == "tocsin.webhook.ping"
    assert event["data"] == {"webhook_id": webhook.id}


async def test_who_lost_a_webhook_meanwhile_notes_nothing_and_stops(world: World) -> None:
    webhook = await world.webhook()
    await world.receipts(*"abcdef")
    before = (await world.kept(webhook)).progress
    world.outbound.outcomes = [Answer(410)]
    assert not await world.sender.turn("h", webhook)  # nobody holds it: nothing is sent
    assert world.outbound.calls == []
    await world.hold(webhook)
    world.outbound.during = lambda: world.store.webhooks.release_webhook(webhook)
    assert not await world.sender.turn("h", webhook)
    kept = await world.kept(webhook)
    assert (kept.disabled_us, kept.progress.cursor) == (None, before.cursor)
    assert len(world.outbound.calls) == 1


async def test_a_receiver_that_hangs_delays_no_other(world: World) -> None:
    world.outbound.hangs = "https://slow.example/"
    await world.webhook(url="https://slow.example/")
    await world.webhook(url="https://quick.example/")
    await world.receipts("a")
    await world.receipts("b")
    async with asyncio.timeout(30):
        while len(world.outbound.calls) < 2:
            await world.sender.step()
            await asyncio.sleep(0)
        await world.receipts("c")
        while len(world.outbound.calls) < 3:
            await world.sender.step()
            await asyncio.sleep(0)
    urls = [call.url for call in world.outbound.calls]
    assert sorted(urls[:2]) == ["https://quick.example/", "https://slow.example/"]
    assert urls[2] == "https://quick.example/"


async def test_tries_are_counted_by_what_came_of_them(world: World) -> None:
    webhook = await world.webhook()
    await world.receipts("a", "b")
    world.outbound.outcomes = [Answer(500), Answer(200)]
    await world.turns(webhook)
    world.clock.advance(10)
    await world.turns(webhook)

    def counted(name: str, **labels: str) -> float | None:
        return world.metrics.registry.get_sample_value(name, labels)

    assert counted("tocsin_webhook_batches_total", outcome="again") == 1
    assert counted("tocsin_webhook_batches_total", outcome="taken") == 1
    assert counted("tocsin_webhook_receipts_total") == 2
