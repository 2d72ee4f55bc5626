"""PagerDuty's Events API, version 2.

Format: https://developer.pagerduty.com/docs/events-api-v2-overview
``trigger`` publishes, ``acknowledge`` says so in the same place, ``resolve`` withdraws and ends the episode.
"""

import uuid
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

import msgspec

from tocsin.errors import InvalidInputError, TocsinError
from tocsin.ingest.shims.notice import (
    MESSAGE_BYTES,
    Destination,
    Fields,
    Incoming,
    Notice,
    Publish,
    Reading,
    Withdraw,
    alert_fields,
    choice,
    destination,
    read_json,
    severity_of,
    thread_of,
)
from tocsin.model.alert import Severity


class Details(msgspec.Struct, frozen=True):
    """What an event is about."""

    summary: str
    source: str = ""
    severity: str | None = None
    component: str | None = None
    group: str | None = None
    kind: str | None = msgspec.field(default=None, name="class")
    custom_details: Any = None


class Link(msgspec.Struct, frozen=True):
    """A link of an event."""

    href: str
    text: str | None = None


class Event(msgspec.Struct, frozen=True):
    """The body of a request."""

    event_action: Literal["trigger", "acknowledge", "resolve"]
    dedup_key: Annotated[str, msgspec.Meta(max_length=255)] | None = None
    payload: Details | None = None
    links: list[Link] | None = None
    client: str | None = None
    client_url: str | None = None


class _Keyed(msgspec.Struct, frozen=True):
    """The part of a body that says who sends it."""

    routing_key: str | None = None


_PREFIX: Final = {"trigger": "", "acknowledge": "Acknowledged: ", "resolve": "Resolved: "}
_SEVERITY: Final[Mapping[str, Severity]] = {"acknowledge": "info", "resolve": "success"}
_event = msgspec.json.Decoder(Event)
_keyed = msgspec.json.Decoder(_Keyed)


class PagerDuty:
    """The shim."""

    key_in_body: ClassVar[bool] = True
    most_bytes: ClassVar[int | None] = MESSAGE_BYTES

    def key(self, incoming: Incoming) -> str | None:
        """Return the routing key."""
        return read_json(_keyed, incoming.body).routing_key

    def read(self, incoming: Incoming) -> Reading:
        """Read an event."""
        event = read_json(_event, incoming.body)
        _check(event)
        dedup_key = event.dedup_key or uuid.uuid4().hex
        thread = thread_of("pagerduty", dedup_key)
        updates = choice(incoming, "resolved", "withdraw", "update") == "update"
        notice: Notice = Withdraw(thread)
        if event.event_action != "resolve" or updates:
            aside = event.event_action == "acknowledge"
            notice = Publish(_fields(event, dedup_key), _named_by(event), thread, aside=aside)
        taken = {"status": "success", "message": "Event processed", "dedup_key": dedup_key}
        return Reading([notice], lambda _ids: msgspec.json.encode(taken))

    def refused(self, _status: int, error: TocsinError) -> bytes:
        """Return a refusal as the Events API has it."""
        invalid = isinstance(error, InvalidInputError)
        refusal = {
            "status": "invalid event" if invalid else error.code,
            "message": "Event object is invalid" if invalid else "Event was not processed",
            "errors": [f"{error.pointer}: {error.detail}" if error.pointer else error.detail],
        }
        return msgspec.json.encode(refusal)


def _check(event: Event) -> None:
    if event.event_action == "trigger" and event.payload is None:
        detail = "a trigger has a payload with a summary"
        raise InvalidInputError(detail, code="invalid-field", pointer="/payload")
    if event.event_action != "trigger" and not event.dedup_key:
        detail = f"{event.event_action} needs the dedup_key of what it is about"
        raise InvalidInputError(detail, code="invalid-field", pointer="/dedup_key")


def _fields(event: Event, dedup_key: str) -> Fields:
    """Return what an event says; one that is no trigger may have nothing but its key."""
    about = event.payload or Details(dedup_key)
    links = [
        (f"link-{n}", one.text or one.href, one.href) for n, one in enumerate(event.links or ())
    ]
    return alert_fields(
        title=_PREFIX[event.event_action] + (about.summary.strip() or dedup_key),
        body=_body(about),
        severity=_SEVERITY.get(event.event_action) or severity_of(about.severity),
        category=about.kind,
        url=event.client_url or (links[0][2] if links else None),
        actions=links,
        data={"pagerduty": about, "client": event.client},
    )


def _body(about: Details) -> str:
    places = {"Source": about.source, "Component": about.component, "Group": about.group}
    return "\n".join(f"{name}: {value}" for name, value in places.items() if value)


def _named_by(event: Event) -> Destination:
    """Return whom an event names, by ``tocsin_users`` and ``tocsin_topics`` among its custom details."""
    details = event.payload.custom_details if event.payload else None
    if not isinstance(details, dict):
        return Destination()
    return destination(lambda name: str(details[name]) if name in details else None, "tocsin")
