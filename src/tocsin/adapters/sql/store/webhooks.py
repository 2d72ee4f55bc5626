"""Webhooks in the store."""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import asdict

from tocsin.adapters.sql import webhooks
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.deeds import changed, keep
from tocsin.adapters.sql.store.readers import Readers
from tocsin.adapters.sql.store.rows import Row, as_json
from tocsin.adapters.sql.store.text import sql
from tocsin.adapters.sql.store.writer import Writer
from tocsin.model.receipt import Fact
from tocsin.model.webhook import DeadBatch, Progress, Secrets, Webhook
from tocsin.ports.audit import Deed

_ADD, _NEWEST = sql(webhooks.add_webhook), sql(webhooks.newest_receipt)
_ONE, _OF_HUB, _DUE = (
    sql(webhooks.webhook),
    sql(webhooks.webhooks_of_hub),
    sql(webhooks.due_webhooks),
)
_CHANGE, _ROTATE = sql(webhooks.change_webhook), sql(webhooks.rotate_secret)
_REMOVE, _DISABLE = sql(webhooks.remove_webhook), sql(webhooks.disable_webhook)
_CLAIM, _RELEASE = sql(webhooks.claim_webhook), sql(webhooks.release_webhook)
_NOTE, _BURY = sql(webhooks.note_progress), sql(webhooks.bury_batch)
_DEAD, _DEAD_PAGE = sql(webhooks.dead_batch), sql(webhooks.dead_page)
_DROP_DEAD, _DROP_ALL_DEAD = sql(webhooks.drop_dead_batch), sql(webhooks.drop_dead_batches)
_OWNERS = sql(webhooks.owners)

_TOP_US = 2**53  # after every time
_facts = msgspec.json.Decoder(tuple[Fact, ...])


class SqlWebhooks:
    """The webhooks of one store."""

    def __init__(self, writer: Writer, readers: Readers, holder: int) -> None:
        self._writer = writer
        self._readers = readers
        self._holder = holder

    async def add_webhook(self, webhook: Webhook, deed: Deed | None = None) -> None:
        """Keep a new one, its cursor behind the hub's newest receipt."""

        def job(connection: Connection) -> None:
            newest = connection.execute(_NEWEST, {"hub": webhook.hub}).fetchone()
            cursor = 0 if newest is None else newest[0]
            connection.execute(_ADD, {**_columns(webhook), "cursor": cursor})
            keep(connection, deed)

        await self._writer.run(job)

    async def webhook(self, hub: str, webhook_id: str) -> Webhook | None:
        """Return one of a hub."""
        named = {"hub": hub, "id": webhook_id}
        row = await self._readers.run(lambda c: c.execute(_ONE, named).fetchone())
        return None if row is None else _webhook(row)

    async def webhooks(self, hub: str) -> Sequence[Webhook]:
        """List those of a hub, oldest first."""
        rows = await self._readers.run(lambda c: c.execute(_OF_HUB, {"hub": hub}).fetchall())
        return [_webhook(row) for row in rows]

    async def change_webhook(self, webhook: Webhook, deed: Deed | None = None) -> None:
        """Replace what may be changed; what is due is due at once."""
        row = {**_columns(webhook), "at_id": webhook.id, "attempts": 0, "due_us": 0, "given_up": 0}
        await self._writer.run(lambda c: changed(c, _CHANGE, row, deed))

    async def rotate_secret(
        self, webhook_id: str, secrets: Secrets, deed: Deed | None = None
    ) -> None:
        """Replace the secrets."""
        row = {**_secret_columns(secrets), "at_id": webhook_id}
        await self._writer.run(lambda c: changed(c, _ROTATE, row, deed))

    async def remove_webhook(self, hub: str, webhook_id: str, deed: Deed | None = None) -> bool:
        """Forget one with its dead batches."""

        def job(connection: Connection) -> bool:
            removed = changed(connection, _REMOVE, {"hub": hub, "id": webhook_id}, deed)
            if removed:
                connection.execute(_DROP_ALL_DEAD, {"webhook_id": webhook_id})
            return removed

        return await self._writer.run(job)

    async def due_webhooks(self, now_us: int, limit: int) -> Sequence[Webhook]:
        """List enabled ones that have something to send and that no other process tells, longest due first."""
        bounds = {"now_us": now_us, "holder": self._holder, "limit": limit}
        rows = await self._readers.run(lambda c: c.execute(_DUE, bounds).fetchall())
        return [_webhook(row) for row in rows]

    async def claim_webhook(self, webhook_id: str, now_us: int, until_us: int) -> bool:
        """Take it, if it is due and no other process has it."""
        row = {**self._lease(webhook_id, until_us), "now_us": now_us}
        return await self._writer.run(lambda c: c.execute(_CLAIM, row).rowcount > 0)

    async def release_webhook(self, webhook_id: str) -> None:
        """Let it go, if it is held."""
        row = {"at_id": webhook_id, "holder": self._holder}
        await self._writer.run(lambda c: c.execute(_RELEASE, row).rowcount)

    async def note_progress(self, webhook_id: str, progress: Progress, until_us: int) -> bool:
        """Keep how far it is, if it is still held, and hold it until then."""
        row = {**asdict(progress), **self._lease(webhook_id, until_us)}
        return await self._writer.run(lambda c: c.execute(_NOTE, row).rowcount > 0)

    async def disable_webhook(self, webhook_id: str, now_us: int, reason: str) -> None:
        """Disable one; its cursor stays where it is."""
        row = {"at_id": webhook_id, "disabled_us": now_us, "disabled_reason": reason}
        await self._writer.run(lambda c: c.execute(_DISABLE, row).rowcount)

    async def bury_batch(self, batch: DeadBatch, progress: Progress, until_us: int) -> bool:
        """Keep a batch that was given up, and how far its webhook is thereby, if that is still held."""
        row = {**asdict(progress), **self._lease(batch.webhook_id, until_us)}

        def job(connection: Connection) -> bool:
            held = connection.execute(_NOTE, row).rowcount > 0
            if held:
                connection.execute(_BURY, asdict(batch))
            return held

        return await self._writer.run(job)

    async def dead_batches(
        self, webhook_id: str, *, limit: int, below: tuple[int, str] | None = None
    ) -> Sequence[DeadBatch]:
        """List what was given up, newest first."""
        at_us, batch_id = below or (_TOP_US, "")
        page = {"webhook_id": webhook_id, "at_us": at_us, "id": batch_id, "limit": limit}
        rows = await self._readers.run(lambda c: c.execute(_DEAD_PAGE, page).fetchall())
        return [_dead(row) for row in rows]

    async def dead_batch(self, webhook_id: str, batch_id: str) -> DeadBatch | None:
        """Return one."""
        named = {"webhook_id": webhook_id, "id": batch_id}
        row = await self._readers.run(lambda c: c.execute(_DEAD, named).fetchone())
        return None if row is None else _dead(row)

    async def drop_dead_batch(
        self, webhook_id: str, batch_id: str, deed: Deed | None = None
    ) -> bool:
        """Forget one for good."""
        named = {"webhook_id": webhook_id, "id": batch_id}
        return await self._writer.run(lambda c: changed(c, _DROP_DEAD, named, deed))

    async def owners(self, hub: str, alert_ids: Sequence[str]) -> Mapping[str, str]:
        """Tell with which key each alert was published."""
        named = {"hub": hub, "ids": as_json(alert_ids)}
        return dict(await self._readers.run(lambda c: c.execute(_OWNERS, named).fetchall()))

    def _lease(self, webhook_id: str, until_us: int) -> dict[str, object]:
        return {"at_id": webhook_id, "holder": self._holder, "lease_ends_us": until_us}


def _columns(webhook: Webhook) -> dict[str, object]:
    return {
        "id": webhook.id,
        "hub": webhook.hub,
        "url": webhook.url,
        "facts": as_json(webhook.facts),
        "key_id": webhook.key_id,
        **_secret_columns(webhook.secrets),
        "created_us": webhook.created_us,
        "disabled_us": webhook.disabled_us,
        "disabled_reason": webhook.disabled_reason,
        **asdict(webhook.progress),
    }


def _secret_columns(secrets: Secrets) -> dict[str, object]:
    return {
        "secret": secrets.current,
        "former_secret": secrets.former,
        "rotated_us": secrets.rotated_us,
    }


def _webhook(row: Row) -> Webhook:
    webhook_id, hub, url, facts, key_id, secret, former, rotated_us, created_us = row[:9]
    names = Progress.__struct_fields__
    return Webhook(
        id=webhook_id,
        hub=hub,
        url=url,
        facts=_facts.decode(facts),
        key_id=key_id,
        secrets=Secrets(secret, former, rotated_us),
        created_us=created_us,
        disabled_us=row[9],
        disabled_reason=row[10],
        progress=Progress(**dict(zip(names, row[11:], strict=True))),
    )


def _dead(row: Row) -> DeadBatch:
    return DeadBatch(**dict(zip(DeadBatch.__struct_fields__, row, strict=True)))
