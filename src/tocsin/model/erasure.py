"""Taking an erased person out of alerts that are still on their way."""

from msgspec.structs import replace

from tocsin.model.alert import Envelope


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
