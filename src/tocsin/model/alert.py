"""What a producer publishes, and the envelope in which it waits on the queue."""

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

Severity = Literal["info", "success", "warning", "error", "critical"]


class Action(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A button of an alert; ``url`` opens when it is pressed."""

    id: str
    label: str
    url: str | None = None
    style: Literal["default", "primary", "danger"] | None = None


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
    """Who an alert is for: named users, or everybody of the hub."""

    users: tuple[str, ...] = ()
    all: bool = False


class Envelope(msgspec.Struct, frozen=True, omit_defaults=True, array_like=True):
    """One accepted alert on the queue.

    ``content`` is the encoded :class:`Content`.  ``key_id`` is the producer key that owns ``source`` and
    ``producer_id`` (I10); ``producer_id`` is None where the producer gave neither an id nor an Idempotency-Key, and
    then nothing can repeat it.  ``fingerprint`` tells a repeat from a conflict.
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
