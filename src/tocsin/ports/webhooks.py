"""Webhooks as they are kept: registrations, how far each receiver was told, and what was given up.

Guarantee: every write is one transaction, durable when its call returns.  Receipts below a cursor are never told again;
those above it are never forgotten before their copies are.  At most one process holds a webhook: until it lets go of it,
ends, or lets its time run out; who lost it to another one changes nothing of it any more.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from tocsin.model.webhook import DeadBatch, Progress, Secrets, Webhook
from tocsin.ports.audit import Deed


class WebhookStore(Protocol):
    """Keeps webhooks."""

    async def add_webhook(self, webhook: Webhook, deed: Deed | None = None) -> None:
        """Keep a new one; its cursor stands behind the hub's newest receipt, so it is told what comes from now on."""
        ...

    async def webhook(self, hub: str, webhook_id: str) -> Webhook | None:
        """Return one of a hub."""
        ...

    async def webhooks(self, hub: str) -> Sequence[Webhook]:
        """List those of a hub, oldest first."""
        ...

    async def change_webhook(self, webhook: Webhook, deed: Deed | None = None) -> None:
        """Replace the address, the wishes and whether it is disabled; what is due is due at once.

        Nothing happens if there is none of that id.
        """
        ...

    async def rotate_secret(
        self, webhook_id: str, secrets: Secrets, deed: Deed | None = None
    ) -> None:
        """Replace the secrets."""
        ...

    async def remove_webhook(self, hub: str, webhook_id: str, deed: Deed | None = None) -> bool:
        """Forget one with its dead batches; False if there is none."""
        ...

    async def due_webhooks(self, now_us: int, limit: int) -> Sequence[Webhook]:
        """List enabled ones of every hub that have something to send by now, longest due first.

        Those that another process holds are not among them.
        """
        ...

    async def claim_webhook(self, webhook_id: str, now_us: int, until_us: int) -> bool:
        """Hold one until then; False if another process holds it, or it is not due, disabled or gone.

        Who holds it already may claim it again.
        """
        ...

    async def release_webhook(self, webhook_id: str) -> None:
        """Let go of it; nothing happens if this process does not hold it."""
        ...

    async def note_progress(self, webhook_id: str, progress: Progress, until_us: int) -> bool:
        """Keep how far it is, and hold it until then; False, and nothing is kept, if this process does not hold it."""
        ...

    async def disable_webhook(self, webhook_id: str, now_us: int, reason: str) -> None:
        """Disable one; its cursor stays where it is."""
        ...

    async def bury_batch(self, batch: DeadBatch, progress: Progress, until_us: int) -> bool:
        """Keep a batch that was given up, and how far its webhook is thereby, in one transaction (I11).

        It is held until then.  False, and nothing is kept, if this process does not hold it.
        """
        ...

    async def dead_batches(
        self, webhook_id: str, *, limit: int, below: tuple[int, str] | None = None
    ) -> Sequence[DeadBatch]:
        """List what was given up, newest first; ``below`` is the ``(at_us, id)`` to stay below."""
        ...

    async def dead_batch(self, webhook_id: str, batch_id: str) -> DeadBatch | None:
        """Return one."""
        ...

    async def drop_dead_batch(
        self, webhook_id: str, batch_id: str, deed: Deed | None = None
    ) -> bool:
        """Forget one for good; False if there is none."""
        ...

    async def owners(self, hub: str, alert_ids: Sequence[str]) -> Mapping[str, str]:
        """Tell with which key each of a hub's processed alerts was published; unknown ones are left out."""
        ...
