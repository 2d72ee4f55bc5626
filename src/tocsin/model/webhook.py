"""Webhooks: who is told of receipts, how far, and what could not be told.  Times are microseconds since 1970."""

from collections.abc import Mapping, Sequence

import msgspec

from tocsin.model.receipt import Fact, Receipt


class Secrets(msgspec.Struct, frozen=True):
    """What a webhook's messages are signed with, sealed as it is stored.

    ``former`` was replaced at ``rotated_us``, and signs beside the new one for a day.
    """

    current: bytes
    former: bytes | None = None
    rotated_us: int = 0


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a webhook's receiver was told.

    Receipts up to number ``cursor`` are dealt with.  Those above it, up to ``up_to``, are the batch under way; None when
    there is none.  ``attempts`` counts the tries of that batch, this one included, ``began_us`` is the time of the first,
    ``due_us`` that of the next.  ``failure`` is what came of the last try, if it failed.  ``given_up`` counts the batches
    given up since one was taken.
    """

    cursor: int = 0
    up_to: int | None = None
    attempts: int = 0
    began_us: int = 0
    due_us: int = 0
    failure: str | None = None
    given_up: int = 0


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """A receiver of receipts.

    ``facts`` are those it wants, all when empty; with ``key_id`` only of alerts published with that key.  One with a
    ``disabled_reason`` is told nothing, until somebody enables it.
    """

    id: str
    hub: str
    url: str
    facts: tuple[Fact, ...]
    key_id: str | None
    secrets: Secrets
    created_us: int
    disabled_us: int | None = None
    disabled_reason: str | None = None
    progress: Progress = Progress()

    def wants(self, receipt: Receipt) -> bool:
        """Tell whether a receipt's fact is one of those asked for."""
        return not self.facts or receipt.fact in self.facts


class DeadBatch(msgspec.Struct, frozen=True, kw_only=True):
    """A message that was given up: what it says, after how many attempts, why, and when."""

    id: str
    webhook_id: str
    body: bytes
    receipts: int
    attempts: int
    reason: str
    at_us: int


def first_wanted(
    webhook: Webhook, found: Sequence[Receipt], owners: Mapping[str, str], limit: int
) -> Sequence[Receipt]:
    """Return the first receipts that a webhook wants; ``owners`` tells the key of each alert."""
    wanted = (
        receipt
        for receipt in found
        if webhook.wants(receipt) and webhook.key_id in (None, owners.get(receipt.alert_id))
    )
    return [receipt for receipt, _ in zip(wanted, range(limit), strict=False)]
