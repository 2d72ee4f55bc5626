"""What a webhook's receiver reads: receipts as a batch of CloudEvents 1.0 in JSON.

The id of an event is made of what it says, so a fact has one id however often, and in whatever message, it is sent.
"""

import hashlib
from collections.abc import Sequence
from urllib.parse import quote

import msgspec

from tocsin.clock import to_rfc3339
from tocsin.model.receipt import Fact, Receipt

CONTENT_TYPE = "application/cloudevents-batch+json"
_PING = "tocsin.webhook.ping"
_ID_DIGITS = 32


class Message(msgspec.Struct, frozen=True):
    """One request to a receiver; ``receipts`` counts those in it."""

    id: str
    body: bytes
    receipts: int


class _Told(msgspec.Struct, frozen=True, omit_defaults=True):
    alert_id: str
    user: str
    fact: Fact
    at: str
    device: str | None = None
    action: str | None = None


class _Event(msgspec.Struct, frozen=True, omit_defaults=True):
    specversion: str
    id: str
    source: str
    type: str
    time: str
    datacontenttype: str
    data: _Told | dict[str, str]
    subject: str | None = None
    sequence: str | None = None


_encode = msgspec.json.Encoder().encode


def receipt_message(webhook_id: str, receipts: Sequence[Receipt]) -> Message:
    """Write receipts of one hub, in order; the same receipts make the same message."""
    events = [_receipt_event(receipt) for receipt in receipts]
    name = _digest(webhook_id, *(event.id for event in events))
    return Message(f"msg_{name}", _encode(events), len(events))


def ping_message(webhook_id: str, hub: str, now_us: int) -> Message:
    """Write a message that says nothing but that it came."""
    name = _digest(webhook_id, "ping", str(now_us))
    event = _event(name, hub, _PING, now_us, {"webhook_id": webhook_id})
    return Message(f"msg_{name}", _encode([event]), 0)


def _receipt_event(receipt: Receipt) -> _Event:
    at = to_rfc3339(receipt.at_us)
    told = _Told(receipt.alert_id, receipt.user, receipt.fact, at, receipt.device, receipt.action)
    name = _digest(
        receipt.hub,
        receipt.alert_id,
        receipt.user,
        receipt.fact,
        receipt.device or "",
        receipt.action or "",
    )
    event = _event(name, receipt.hub, f"tocsin.receipt.{receipt.fact}", receipt.at_us, told)
    return msgspec.structs.replace(event, subject=receipt.alert_id, sequence=str(receipt.number))


def _event(name: str, hub: str, kind: str, at_us: int, data: _Told | dict[str, str]) -> _Event:
    source = f"/hubs/{quote(hub, safe='')}"
    return _Event("1.0", name, source, kind, to_rfc3339(at_us), "application/json", data)


def _digest(*parts: str) -> str:
    return hashlib.sha256(_encode(parts)).hexdigest()[:_ID_DIGITS]
