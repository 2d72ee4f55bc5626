"""Every operation of a store that takes a deed: what must be there first, and how to see that it took effect."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from msgspec.structs import replace

from tests.ports.test_dead_letters import buried
from tests.ports.world import World, envelope
from tocsin.model.event_handler import EventHandler
from tocsin.model.preference import HubPreferences
from tocsin.model.webhook import DeadBatch, Progress, Secrets, Webhook
from tocsin.ports.audit import Deed
from tocsin.ports.erasure import ErasureRequest
from tocsin.ports.store import AccessKeys, ApiKey
from tocsin.ports.vapid import SealedVapidKey

KEY = ApiKey("k1", "h", "producer", "billing", b"digest", 1)
HOOK = Webhook(
    id="w1",
    hub="h",
    url="https://a.example",
    facts=(),
    key_id=None,
    secrets=Secrets(b"sealed"),
    created_us=1,
)
HANDLER = EventHandler(
    id="e1", hub="h", url="https://a.example/{event}", user_events="*", created_us=1
)
PAIR = SealedVapidKey("v1", b"sealed", "public", 1)
BATCH = DeadBatch(
    id="b1",
    webhook_id="w1",
    body=b"[]",
    receipts=2,
    attempts=3,
    reason="answered 500",
    at_us=1,
)


class Case(NamedTuple):
    """``act`` carries a deed; ``look`` tells something that changes with it; ``again`` whether a repeat changes more."""

    name: str
    prepare: Callable[[World], Awaitable[Any]]
    act: Callable[[World, Deed], Awaitable[Any]]
    look: Callable[[World], Awaitable[Any]]
    again: bool = False
    people: int | None = None


async def nothing(_world: World) -> None:
    """Need nothing first."""


async def _with_hook(world: World) -> None:
    await world.store.webhooks.add_webhook(HOOK)
    await world.store.webhooks.claim_webhook(HOOK.id, 1, 2)
    await world.store.webhooks.bury_batch(BATCH, Progress(), 2)


async def _with_letter(world: World) -> None:
    await buried(world, "poison")


async def _subscribed(world: World) -> None:
    await world.store.topics.subscribe("h", "ops", ["ann", "bob"])


async def _letter(world: World) -> str:
    letters = await world.store.queue.dead_letters(limit=1)
    return letters[0].envelope.id if letters else "gone"


async def _revive(world: World, deed: Deed) -> None:
    await world.store.queue.revive(await _letter(world), deed)


async def _drop(world: World, deed: Deed) -> None:
    await world.store.queue.drop_dead(await _letter(world), deed)


async def _delivered(world: World) -> None:
    await world.store.deliver([envelope("ann", id="told")])


async def _waiting(world: World) -> None:
    await world.store.queue.publish([envelope("ann", id="told")])


async def _hooks(world: World) -> object:
    return await world.store.webhooks.webhooks("h")


async def _topic(world: World) -> object:
    return await world.store.topics.subscribers("h", "ops", after="", limit=9)


async def _state(world: World) -> object:
    status = await world.store.alert("h", "told")
    return None if status is None else status.state


CASES = (
    Case(
        "key.create",
        nothing,
        lambda w, d: w.store.add_key(KEY, d),
        lambda w: w.store.keys(),
    ),
    Case(
        "key.revoke",
        lambda w: w.store.add_key(KEY),
        lambda w, d: w.store.revoke_key("k1", 5, d),
        lambda w: w.store.keys(),
    ),
    Case(
        "access-key.regenerate",
        lambda w: w.store.open_hub("h", AccessKeys(b"1", b"2")),
        lambda w, d: w.store.replace_access_key("h", "primary", b"3", d),
        lambda w: w.store.access_keys("h"),
        again=True,
    ),
    Case(
        "user.revoke-tokens",
        nothing,
        lambda w, d: w.store.people.revoke_tokens("p", 5, d),
        lambda w: w.store.people.valid_from_us("p"),
        again=True,
    ),
    Case(
        "user.erase",
        _delivered,
        lambda w, d: w.store.erasures.begin_erasure(
            ErasureRequest(f"e{d.at_us}", "h", "ann", "p", "key"), d
        ),
        lambda w: w.store.erasures.erasures("h", limit=9),
        again=True,
    ),
    Case(
        "vapid.create",
        nothing,
        lambda w, d: w.store.vapid_keys.add_vapid_key(PAIR, d),
        lambda w: w.store.vapid_keys.vapid_keys(),
    ),
    Case(
        "vapid.retire",
        lambda w: w.store.vapid_keys.add_vapid_key(PAIR),
        lambda w, d: w.store.vapid_keys.retire_vapid_key("v1", 5, d),
        lambda w: w.store.vapid_keys.vapid_keys(),
    ),
    Case("dead.retry", _with_letter, _revive, _letter),
    Case("dead.drop", _with_letter, _drop, _letter),
    Case("webhook.create", nothing, lambda w, d: w.store.webhooks.add_webhook(HOOK, d), _hooks),
    Case(
        "webhook.change",
        _with_hook,
        lambda w, d: w.store.webhooks.change_webhook(replace(HOOK, url="https://b.example"), d),
        _hooks,
        again=True,
    ),
    Case(
        "webhook.rotate",
        _with_hook,
        lambda w, d: w.store.webhooks.rotate_secret("w1", Secrets(b"new", b"sealed", 5), d),
        _hooks,
        again=True,
    ),
    Case(
        "webhook.remove",
        _with_hook,
        lambda w, d: w.store.webhooks.remove_webhook("h", "w1", d),
        _hooks,
    ),
    Case(
        "webhook.drop",
        _with_hook,
        lambda w, d: w.store.webhooks.drop_dead_batch("w1", "b1", d),
        lambda w: w.store.webhooks.dead_batches("w1", limit=9),
    ),
    Case(
        "event-handler.create",
        nothing,
        lambda w, d: w.store.event_handlers.add_event_handler(HANDLER, d),
        lambda w: w.store.event_handlers.event_handlers(),
    ),
    Case(
        "event-handler.remove",
        lambda w: w.store.event_handlers.add_event_handler(HANDLER),
        lambda w, d: w.store.event_handlers.remove_event_handler("h", "e1", d),
        lambda w: w.store.event_handlers.event_handlers(),
    ),
    Case(
        "preferences.change",
        nothing,
        lambda w, d: w.store.preferences.keep_hub_preferences(
            "h", HubPreferences(critical_exempt=True), deed=d
        ),
        lambda w: w.store.preferences.preferences("h", []),
    ),
    Case(
        "topic.subscribe",
        lambda w: w.store.topics.subscribe("h", "ops", ["ann"]),
        lambda w, d: w.store.topics.subscribe("h", "ops", ["ann", "bob", "cid"], deed=d),
        _topic,
        people=2,
    ),
    Case(
        "topic.unsubscribe",
        _subscribed,
        lambda w, d: w.store.topics.unsubscribe("h", "ops", ["ann", "cid"], d),
        _topic,
        people=1,
    ),
    Case(
        "alert.withdraw",
        _delivered,
        lambda w, d: w.store.withdraw("h", "told", d),
        _state,
    ),
    Case(
        "alert.withdraw while it waits",
        _waiting,
        lambda w, d: w.store.withdraw("h", "told", d),
        _state,
    ),
)
