"""Taking an erased person out of what is still on its way: alerts, and messages to webhooks."""

from urllib.parse import quote

import msgspec
from msgspec.structs import replace

from tocsin.model.alert import Envelope


class _Data(msgspec.Struct, frozen=True):
    user: str | None = None


class _Event(msgspec.Struct, frozen=True):
    """The part of a webhook's event that tells whom it is about; its source names the hub."""

    source: str
    data: _Data = _Data()


_events = msgspec.json.Decoder(list[msgspec.Raw])
_event = msgspec.json.Decoder(_Event)


def events_about(body: bytes, hub: str, user: str) -> tuple[list[msgspec.Raw], list[msgspec.Raw]]:
    """Part the events of a message to a webhook: those about a person, and the others."""
    about: list[msgspec.Raw] = []
    others: list[msgspec.Raw] = []
    for raw in _events.decode(body):
        event = _event.decode(raw)
        mine = event.data.user == user and event.source == f"/hubs/{quote(hub, safe='')}"
        (about if mine else others).append(raw)
    return about, others


def without(envelope: Envelope, user: str, erased_us: int) -> Envelope | None:
    """Return an alert without a person who was erased at ``erased_us``; None if it is for nobody else.

    One that was accepted later is for whoever has the name now.
    """
    audience = envelope.audience
    if envelope.accepted_us > erased_us or user not in audience.users:
        return envelope
    others = tuple(name for name in audience.users if name != user)
    if not others and not audience.topics:
        return None
    return replace(envelope, audience=replace(audience, users=others))
