"""Statements about webhooks and the batches that they did not take."""

from sqlalchemy import exists, insert, null, or_, select, tuple_, update

from tocsin.adapters.sql.differences import Abandoned
from tocsin.adapters.sql.parts import among, at_most, param
from tocsin.adapters.sql.schema import (
    alerts,
    dead_batches,
    hubs,
    receipt_numbers,
    receipts,
    webhooks,
)

_LEASE = ("leased_by", "lease_ends_us")
_KEPT = [c for c in webhooks.c if c.name not in _LEASE]
add_webhook = insert(webhooks).values({c.name: param(c.name) for c in _KEPT})
newest_receipt = (
    select(receipt_numbers.c.number)
    .join(hubs, hubs.c.hub_no == receipt_numbers.c.hub_no)
    .where(hubs.c.name == param("hub"))
)
webhook = select(*_KEPT).where(webhooks.c.id == param("id"), webhooks.c.hub == param("hub"))
webhooks_of_hub = (
    select(*_KEPT)
    .where(webhooks.c.hub == param("hub"))
    .order_by(webhooks.c.created_us, webhooks.c.id)
)
_that = webhooks.c.id == param("at_id")
change_webhook = (
    update(webhooks)
    .where(_that)
    .values(
        {
            name: param(name)
            for name in (
                "url",
                "facts",
                "key_id",
                "disabled_us",
                "disabled_reason",
                "attempts",
                "due_us",
                "given_up",
            )
        }
    )
)
rotate_secret = (
    update(webhooks)
    .where(_that)
    .values(
        {name: param(name) for name in ("secret", "former_secret", "rotated_us")},
    )
)
remove_webhook = webhooks.delete().where(
    webhooks.c.id == param("id"), webhooks.c.hub == param("hub")
)
disable_webhook = (
    update(webhooks)
    .where(_that, webhooks.c.disabled_us.is_(None))
    .values(disabled_us=param("disabled_us"), disabled_reason=param("disabled_reason"))
)
_PROGRESS = ("cursor", "up_to", "attempts", "began_us", "due_us", "failure", "given_up")
_mine = webhooks.c.leased_by == param("holder")
_due = (webhooks.c.disabled_us.is_(None), webhooks.c.due_us <= param("now_us"))
# Nobody tells it, or who did is gone or has been silent for too long.
_free = or_(
    webhooks.c.leased_by.is_(None),
    _mine,
    webhooks.c.lease_ends_us <= param("now_us"),
    Abandoned(webhooks.c.leased_by),
)
claim_webhook = (
    update(webhooks)
    .where(_that, *_due, _free)
    .values(leased_by=param("holder"), lease_ends_us=param("lease_ends_us"))
)
note_progress = (
    update(webhooks)
    .where(_that, _mine)
    .values({name: param(name) for name in (*_PROGRESS, "lease_ends_us")})
)
release_webhook = update(webhooks).where(_that, _mine).values({name: null() for name in _LEASE})
_something_to_send = exists(
    select(receipts.c.number)
    .join(hubs, hubs.c.hub_no == receipts.c.hub_no)
    .where(hubs.c.name == webhooks.c.hub, receipts.c.number > webhooks.c.cursor)
)
due_webhooks = at_most(
    select(*_KEPT)
    .where(*_due, _free, _something_to_send)
    .order_by(webhooks.c.due_us, webhooks.c.id)
)

bury_batch = insert(dead_batches)
_of_webhook = dead_batches.c.webhook_id == param("webhook_id")
dead_page = at_most(
    select(dead_batches)
    .where(
        _of_webhook,
        tuple_(dead_batches.c.at_us, dead_batches.c.id) < tuple_(param("at_us"), param("id")),
    )
    .order_by(dead_batches.c.at_us.desc(), dead_batches.c.id.desc())
)
dead_batch = select(dead_batches).where(_of_webhook, dead_batches.c.id == param("id"))
drop_dead_batch = dead_batches.delete().where(_of_webhook, dead_batches.c.id == param("id"))
drop_dead_batches = dead_batches.delete().where(_of_webhook)

owners = (
    select(alerts.c.id, alerts.c.key_id)
    .join(hubs, hubs.c.hub_no == alerts.c.hub_no)
    .where(hubs.c.name == param("hub"), among(alerts.c.id, "ids"))
)
