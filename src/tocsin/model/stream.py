"""The hub's own numbered list of what was said to everybody (sync.md, section 1)."""

import os
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from tocsin.model.alert import Envelope
from tocsin.model.inbox import Broadcast, BroadcastEntry
from tocsin.model.plan import next_sort


def new_epoch() -> str:
    """Draw an epoch: 16 characters that no other store, and no earlier life of this one, had."""
    return os.urandom(8).hex()


class Stream(msgspec.Struct, frozen=True):
    """The hub's row: whoever adds to the stream locks it, last of all rows."""

    hub: str
    epoch: str
    brev: int = 0
    last_sort: int = 0


def add_broadcast(
    stream: Stream, envelope: Envelope, now_us: int, ttl_us: int
) -> tuple[Stream, BroadcastEntry]:
    """Return the stream after an ``add``, and the entry; without an expiry it gets ``now + ttl``."""
    brev, sort = stream.brev + 1, next_sort(stream.last_sort, now_us)
    broadcast = Broadcast(
        brev=brev,
        alert_id=envelope.id,
        sort=sort,
        content=envelope.content,
        category=envelope.category,
        severity=envelope.severity,
        expires_us=now_us + ttl_us if envelope.expires_us is None else envelope.expires_us,
    )
    after = replace(stream, brev=brev, last_sort=sort)
    return after, BroadcastEntry(stream.epoch, stream.hub, brev, add=broadcast)


def withdraw_broadcasts(
    stream: Stream, brevs: Sequence[int]
) -> tuple[Stream, tuple[BroadcastEntry, ...]]:
    """Return the stream after one ``withdraw`` for each of the live broadcasts named, and the entries."""
    entries = tuple(
        BroadcastEntry(stream.epoch, stream.hub, stream.brev + number, withdraw=brev)
        for number, brev in enumerate(brevs, 1)
    )
    return replace(stream, brev=stream.brev + len(entries)), entries


def too_many(live: Sequence[int], bound: int) -> Sequence[int]:
    """Return the oldest of the live broadcasts (given in ascending order) that are over the bound."""
    return live[: max(0, len(live) - bound)]
