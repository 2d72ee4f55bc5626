"""The webhooks of the memory store."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Raw
from msgspec.json import encode
from msgspec.structs import replace

from tocsin.adapters.memory.deeds import MemoryDeeds
from tocsin.adapters.memory.tables import Tables
from tocsin.model.erasure import events_about
from tocsin.model.webhook import DeadBatch, Progress, Secrets, Webhook
from tocsin.ports.audit import Deed


class MemoryWebhooks:
    """Keeps webhooks and dead batches by their ids."""

    def __init__(self, tables: Tables, deeds: MemoryDeeds) -> None:
        self._deeds = deeds
        self._tables = tables
        self._webhooks: dict[str, Webhook] = {}
        self._dead: dict[str, DeadBatch] = {}
        # One process has this store, so that nobody takes anything from it.
        self._held: set[str] = set()

    async def add_webhook(self, webhook: Webhook, deed: Deed | None = None) -> None:
        """Keep a new one, its cursor behind the hub's newest receipt."""
        cursor = self._tables.hub(webhook.hub).last_receipt
        progress = replace(webhook.progress, cursor=cursor)
        self._webhooks[webhook.id] = replace(webhook, progress=progress)
        self._deeds.keep(deed)

    async def webhook(self, hub: str, webhook_id: str) -> Webhook | None:
        """Return one of a hub."""
        found = self._webhooks.get(webhook_id)
        return found if found is not None and found.hub == hub else None

    async def webhooks(self, hub: str) -> Sequence[Webhook]:
        """List those of a hub, oldest first."""
        found = (one for one in self._webhooks.values() if one.hub == hub)
        return sorted(found, key=lambda one: (one.created_us, one.id))

    async def change_webhook(self, webhook: Webhook, deed: Deed | None = None) -> None:
        """Replace what may be changed; what is due is due at once."""
        self._change(
            webhook.id,
            url=webhook.url,
            facts=webhook.facts,
            key_id=webhook.key_id,
            disabled_us=webhook.disabled_us,
            disabled_reason=webhook.disabled_reason,
        )
        known = self._webhooks.get(webhook.id)
        if known is not None:
            again = replace(known.progress, attempts=0, due_us=0, given_up=0)
            self._change(webhook.id, progress=again)
            self._deeds.keep(deed)

    async def rotate_secret(
        self, webhook_id: str, secrets: Secrets, deed: Deed | None = None
    ) -> None:
        """Replace the secrets."""
        if webhook_id in self._webhooks:
            self._change(webhook_id, secrets=secrets)
            self._deeds.keep(deed)

    async def remove_webhook(self, hub: str, webhook_id: str, deed: Deed | None = None) -> bool:
        """Forget one with its dead batches."""
        if await self.webhook(hub, webhook_id) is None:
            return False
        del self._webhooks[webhook_id]
        self._held.discard(webhook_id)
        self._dead = {i: one for i, one in self._dead.items() if one.webhook_id != webhook_id}
        self._deeds.keep(deed)
        return True

    async def due_webhooks(self, now_us: int, limit: int) -> Sequence[Webhook]:
        """List enabled ones that have something to send, longest due first."""
        due = (
            one
            for one in self._webhooks.values()
            if _is_due(one, now_us)
            and any(r.number > one.progress.cursor for r in self._tables.hub(one.hub).receipts)
        )
        return sorted(due, key=lambda one: (one.progress.due_us, one.id))[:limit]

    async def claim_webhook(self, webhook_id: str, now_us: int, until_us: int) -> bool:  # noqa: ARG002 -- nobody waits for its end
        """Take it, if it is due."""
        known = self._webhooks.get(webhook_id)
        if known is None or not _is_due(known, now_us):
            return False
        self._held.add(webhook_id)
        return True

    async def release_webhook(self, webhook_id: str) -> None:
        """Let it go."""
        self._held.discard(webhook_id)

    async def note_progress(self, webhook_id: str, progress: Progress, until_us: int) -> bool:  # noqa: ARG002 -- as above
        """Keep how far it is, if it is held."""
        if webhook_id in self._held:
            self._change(webhook_id, progress=progress)
        return webhook_id in self._held

    async def disable_webhook(self, webhook_id: str, now_us: int, reason: str) -> None:
        """Disable one; its cursor stays where it is."""
        known = self._webhooks.get(webhook_id)
        if known is not None and known.disabled_us is None:
            self._change(webhook_id, disabled_us=now_us, disabled_reason=reason)

    async def bury_batch(self, batch: DeadBatch, progress: Progress, until_us: int) -> bool:
        """Keep a batch that was given up, and how far its webhook is thereby, if that is held."""
        held = await self.note_progress(batch.webhook_id, progress, until_us)
        if held:
            self._dead[batch.id] = batch
        return held

    async def dead_batches(
        self, webhook_id: str, *, limit: int, below: tuple[int, str] | None = None
    ) -> Sequence[DeadBatch]:
        """List what was given up, newest first."""
        found = (
            one
            for one in self._dead.values()
            if one.webhook_id == webhook_id and (below is None or (one.at_us, one.id) < below)
        )
        return sorted(found, key=lambda one: (one.at_us, one.id), reverse=True)[:limit]

    async def dead_batch(self, webhook_id: str, batch_id: str) -> DeadBatch | None:
        """Return one."""
        found = self._dead.get(batch_id)
        return found if found is not None and found.webhook_id == webhook_id else None

    async def drop_dead_batch(
        self, webhook_id: str, batch_id: str, deed: Deed | None = None
    ) -> bool:
        """Forget one for good."""
        if await self.dead_batch(webhook_id, batch_id) is None:
            return False
        del self._dead[batch_id]
        self._deeds.keep(deed)
        return True

    async def owners(self, hub: str, alert_ids: Sequence[str]) -> Mapping[str, str]:
        """Tell with which key each alert was published."""
        found = (self._tables.alerts.get(alert_id) for alert_id in alert_ids)
        return {
            alert.envelope.id: alert.envelope.key_id
            for alert in found
            if alert is not None and alert.envelope.hub == hub
        }

    def _change(self, webhook_id: str, **fields: object) -> None:
        known = self._webhooks.get(webhook_id)
        if known is not None:
            self._webhooks[webhook_id] = replace(known, **fields)

    def events_about(self, hub: str, user: str) -> Iterator[list[Raw]]:
        """Find what dead batches tell of a person, a list for each that does."""
        for batch in self._dead.values():
            about, _ = events_about(batch.body, hub, user)
            if about:
                yield about

    def forget_person(self, hub: str, user: str) -> int:
        """Take a person out of dead batches, and drop those about nobody else; return how many changed."""
        changed = 0
        for batch in list(self._dead.values()):
            about, others = events_about(batch.body, hub, user)
            changed += bool(about)
            if about and others:
                self._dead[batch.id] = replace(batch, body=encode(others), receipts=len(others))
            elif about:
                del self._dead[batch.id]
        return changed


def _is_due(webhook: Webhook, now_us: int) -> bool:
    return webhook.disabled_us is None and webhook.progress.due_us <= now_us
