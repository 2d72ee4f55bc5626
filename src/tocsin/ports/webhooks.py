"""Webhooks as they are kept: registrations, how far each receiver was told, and what was given up.

Guarantee: every write is one transaction, durable when its call returns.  Receipts below a cursor are never told again;
those above it are never forgotten before their copies are.
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
        """List enabled ones of every hub that have something to send by now, longest due first."""
        ...

    async def note_progress(self, webhook_id: str, progress: Progress) -> None:
        """Keep how far it is."""
        ...

    async def disable_webhook(self, webhook_id: str, now_us: int, reason: str) -> None:
        """Disable one; its cursor stays where it is."""
        ...

    async def bury_batch(self, batch: DeadBatch, progress: Progress) -> None:
        """Keep a batch that was given up, and how far its webhook is thereby, in one transaction (I11).

        Nothing is kept if the webhook is gone.
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
