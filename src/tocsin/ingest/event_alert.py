"""What a CloudEvent says as an alert.

Its data is the alert, as ``POST /v1/alerts`` takes it; what that leaves out comes from the event's attributes.  The
result goes through the same admission as every alert, so no rule of an alert stands here.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from tocsin.config import Limits
from tocsin.errors import InvalidInputError
from tocsin.ingest.admission import Producer, admit, caused_by, decode_alert
from tocsin.ingest.cloudevents import (
    CloudEvent,
    Value,
    parse_attributes,
    parse_binary,
    parse_structured,
)
from tocsin.model.alert import Envelope

# Fields of an alert, and the attribute that says it where the data does not.
_FILLED: Final[Mapping[str, str]] = {
    "id": "id",
    "source": "source",
    "to": "subject",
    "category": "type",
    "severity": "severity",
    "deliver_at": "deliverytime",
    "expires_at": "expirytime",
}
_ATTRIBUTES_ONLY: Final = ("id", "source")
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode = msgspec.json.encode


def admit_structured(
    raw: bytes, producer: Producer, limits: Limits, now_us: int, pointer: str = ""
) -> Envelope:
    """Admit the alert of an event in the JSON format; ``pointer`` is the event's place in the body.

    Raises:
        InvalidInputError: The event or the alert in it breaks a rule; the pointer tells where.
    """
    try:
        return _admit(parse_structured(raw), producer, limits, now_us)
    except InvalidInputError as error:
        if pointer:
            error.pointer = pointer + (error.pointer or "")
        raise


def admit_binary(
    headers: Iterable[tuple[bytes, bytes]],
    body: bytes,
    producer: Producer,
    limits: Limits,
    now_us: int,
) -> Envelope:
    """Admit the alert of an event whose attributes are headers.

    Raises:
        InvalidInputError: The event or the alert in it breaks a rule; without a pointer it is a header's fault.
    """
    return _admit(parse_binary(headers, body), producer, limits, now_us)


def admit_attributes(
    attributes: Mapping[str, Value],
    data: bytes,
    producer: Producer,
    limits: Limits,
    now_us: int,
) -> Envelope:
    """Admit the alert of an event whose attributes came beside its data, as values.

    Raises:
        InvalidInputError: The event or the alert in it breaks a rule; without a pointer it is an attribute's fault.
    """
    return _admit(parse_attributes(attributes, data), producer, limits, now_us)


def _admit(event: CloudEvent, producer: Producer, limits: Limits, now_us: int) -> Envelope:
    fields = _read_data(event)
    filled = {
        field: attribute
        for field, attribute in _FILLED.items()
        if field not in fields and attribute in event.attributes
    }
    said = {field: _said(field, event.attributes[attribute]) for field, attribute in filled.items()}
    if "to" not in fields and "to" not in said:
        detail = "nobody is named: the event needs a `subject` (a user), or a `to` in its data"
        raise InvalidInputError(detail, code="invalid-audience", pointer=event.data_at)
    try:
        request = decode_alert(_encode({**said, **fields}), limits)
        envelope = admit(request, producer, limits, now_us)
    except InvalidInputError as error:
        error.pointer = _place(error.pointer, event.data_at, filled)
        raise
    # Its extension for distributed tracing: who brings it may know better, and says so by a header.
    return caused_by(envelope, event.attributes.get("traceparent"))


def _said(field: str, value: Value) -> object:
    return {"users": [value]} if field == "to" else value


def _read_data(event: CloudEvent) -> dict[str, msgspec.Raw]:
    """Return the fields of the alert in the event's data, unread."""
    place = event.data_at
    if not event.has_json:
        detail = (
            f"the data is {event.attributes['datacontenttype']!r:.80}; only JSON can be an alert"
        )
        raise InvalidInputError(detail, code="invalid-event", pointer=place)
    if event.data is None:
        detail = "the event has no data; an alert needs a title at least"
        raise InvalidInputError(detail, code="invalid-event", pointer=place)
    try:
        fields = _object.decode(event.data)
    except msgspec.ValidationError as error:
        detail = "the data is no JSON object with the fields of an alert"
        raise InvalidInputError(detail, code="invalid-event", pointer=place) from error
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError) as error:
        detail = f"the data is not JSON in UTF-8: {error}"
        raise InvalidInputError(detail, code="invalid-json", pointer=place) from error
    for name in _ATTRIBUTES_ONLY:
        if name in fields:
            detail = f"the data may not have `{name}`: it is an attribute of the event"
            pointer = f"{event.data_at}/{name}"
            raise InvalidInputError(detail, code="invalid-event", pointer=pointer)
    return fields


def _place(pointer: str | None, data_at: str, filled: Mapping[str, str]) -> str | None:
    """Turn a pointer into the alert into one into the event; None for a header."""
    if pointer is None:
        return None
    field = pointer.split("/", 2)[1] if pointer else ""
    if field in filled:
        return f"/{filled[field]}" if data_at else None
    if data_at == "/data_base64":  # nothing points into an encoded text
        return data_at
    return data_at + pointer
