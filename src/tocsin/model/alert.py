"""What a producer publishes, and the envelope in which it waits on the queue."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import replace

Severity = Literal["info", "success", "warning", "error", "critical"]
Label = Annotated[str, Meta(min_length=1, max_length=128)]
Link = Annotated[str, Meta(min_length=1, max_length=2_048)]


Style = Literal["default", "primary", "danger"]


class Action(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A button of an alert, told by its ``id`` from its others; ``url`` opens when it is pressed."""

    id: str
    label: Label
    url: Link | None = None
    style: Style | None = None


class Content(msgspec.Struct, frozen=True, omit_defaults=True):
    """What people see.  Encoded once at ingest; the same bytes go to disk, frame and answer."""

    source: str
    title: str
    severity: Severity
    created_at: str
    body: str | None = None
    category: str | None = None
    url: str | None = None
    icon: str | None = None
    actions: tuple[Action, ...] = ()
    data: msgspec.Raw | UnsetType = UNSET
    expires_at: str | None = None


class Audience(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Who an alert is for: named users and subscribers of topics, together; or everybody of the hub."""

    users: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    all: bool = False

    @property
    def expands(self) -> bool:
        """Whether its people are found only when it is processed, chunk by chunk."""
        return bool(self.topics)

    def names(self, user: str) -> bool | None:
        """Tell whether it is for ``user``; None where only its expansion will tell."""
        if self.all or user in self.users:
            return True
        return None if self.expands else False


class Envelope(msgspec.Struct, frozen=True, omit_defaults=True, array_like=True):
    """One accepted alert on the queue.

    ``content`` is the encoded :class:`Content`.  ``key_id`` is the producer key that owns ``source`` and
    ``producer_id`` (I10); ``producer_id`` is None where the producer gave neither an id nor an Idempotency-Key, and
    then nothing can repeat it.  ``fingerprint`` tells a repeat from a conflict.  ``deliver_us`` is the time before which
    nobody gets it, None for at once.  ``keeps_id``: its producer's id is remembered as long as it stands.
    ``traceparent`` is its producer's own span, if there is one; it says so at its acceptance and is not kept.
    ``batch`` is a number common to those that were published together and keep their order; None for one by itself.
    """

    id: str
    hub: str
    key_id: str
    audience: Audience
    content: msgspec.Raw
    accepted_us: int
    source: str = ""
    producer_id: str | None = None
    fingerprint: bytes = b""
    category: str | None = None
    severity: Severity = "info"
    collapse_key: str | None = None
    expires_us: int | None = None
    deliver_us: int | None = None
    keeps_id: bool = False
    traceparent: str | None = None
    batch: int | None = None

    @property
    def due_us(self) -> int:
        """When people should have had it: at its acceptance, or at the time that its producer set."""
        return self.accepted_us if self.deliver_us is None else self.deliver_us

    @property
    def is_late(self) -> bool:
        """Whether it had expired when it came, so that it can only repeat one that was accepted in time."""
        return self.is_expired(self.accepted_us)

    def is_scheduled(self, now_us: int) -> bool:
        """Tell whether its time is still to come."""
        return self.deliver_us is not None and self.deliver_us > now_us

    def is_expired(self, now_us: int) -> bool:
        """Tell whether nobody should get it any more."""
        return self.expires_us is not None and self.expires_us <= now_us


def in_order(envelopes: Sequence[Envelope]) -> Sequence[Envelope]:
    """Mark what is published by one call as a batch, which keeps its order.

    Alerts that wait for their time, and those whose people are found chunk by chunk, have no order and stay as they are.
    """
    if len(envelopes) < 2:  # noqa: PLR2004 -- one is no batch
        return envelopes
    # 60 of the random bits of an id.
    batch = int(envelopes[0].id.replace("-", "")[-15:], 16)
    return [
        envelope
        if envelope.audience.expands or envelope.deliver_us is not None
        else replace(envelope, batch=batch)
        for envelope in envelopes
    ]
