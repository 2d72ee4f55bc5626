"""Gotify's ``POST /message``.

Format: https://gotify.net/docs/pushmsg
A message may be JSON, a form (``curl -F`` or ``--data``) or query parameters.
"""

import uuid
from datetime import UTC, datetime
from email.message import Message as EmailMessage
from email.parser import BytesParser
from email.policy import compat32
from typing import Any, ClassVar, Final
from urllib.parse import parse_qsl

import msgspec

from tocsin.clock import US_PER_S
from tocsin.errors import InvalidInputError, TocsinError
from tocsin.ingest.shims.notice import (
    MESSAGE_BYTES,
    Incoming,
    Publish,
    Reading,
    alert_fields,
    read_json,
)
from tocsin.model.alert import Severity

MAX_FIELDS: Final = 50
_DIGITS: Final = 10
# From here on Gotify's own app rings; from the higher one on it insists.
_NORMAL: Final = 4
_HIGH: Final = 8


class Message(msgspec.Struct, frozen=True):
    """What a sender says."""

    message: str
    title: str | None = None
    priority: int | None = None
    extras: dict[str, Any] | None = None


_message = msgspec.json.Decoder(Message)


class Gotify:
    """The shim."""

    key_in_body: ClassVar[bool] = False
    most_bytes: ClassVar[int | None] = MESSAGE_BYTES

    def key(self, incoming: Incoming) -> str | None:
        """Return the application's token."""
        return incoming.header(b"x-gotify-key") or incoming.query("token")

    def read(self, incoming: Incoming) -> Reading:
        """Read a message."""
        message = _read(incoming)
        click = _within(message.extras, "client::notification", "click", "url")
        fields = alert_fields(
            title=message.title or "",
            body=message.message,
            severity=_severity(message.priority or 0),
            url=click if isinstance(click, str) else None,
            data={"extras": message.extras} if message.extras else None,
        )
        return Reading([Publish(fields)], lambda ids: _answer(message, incoming.now_us, ids[0]))

    def refused(self, status: int, error: TocsinError) -> bytes:
        """Return a refusal as Gotify has it."""
        refusal = {"error": error.code, "errorCode": status, "errorDescription": error.detail}
        return msgspec.json.encode(refusal)


def _answer(message: Message, now_us: int, alert_id: str) -> bytes:
    """Return the message as Gotify keeps it.  Its ids are numbers: here the milliseconds of the alert's own id."""
    told: dict[str, object] = {
        "id": uuid.UUID(alert_id).int >> 80,
        "appid": 0,
        "message": message.message,
        "title": message.title or "",
        "priority": message.priority or 0,
        "date": datetime.fromtimestamp(now_us / US_PER_S, UTC),
    }
    if message.extras:
        told["extras"] = message.extras
    return msgspec.json.encode(told)


def _severity(priority: int) -> Severity:
    if priority > _HIGH:
        return "critical"
    if priority == _HIGH:
        return "error"
    return "warning" if priority >= _NORMAL else "info"


def _within(value: object, *path: str) -> object:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _read(incoming: Incoming) -> Message:
    kind = incoming.header(b"content-type") or ""
    if kind.partition(";")[0].strip().lower() == "application/json":
        return read_json(_message, incoming.body)
    form = _form(kind, incoming.body)

    def said(name: str) -> str | None:
        return form.get(name) or incoming.query(name)

    message = said("message")
    if not message:
        detail = "Field 'message' is required"
        raise InvalidInputError(detail, code="invalid-field", pointer="/message")
    return Message(message, said("title"), _priority(said("priority")))


def _priority(text: str | None) -> int | None:
    if not text:
        return None
    try:
        return int(text[:_DIGITS])
    except ValueError:
        detail = f"priority {text!r:.40} is no number"
        raise InvalidInputError(detail, code="invalid-field", pointer="/priority") from None


def _form(kind: str, body: bytes) -> dict[str, str]:
    """Read the fields of a form; what is no form has none."""
    if kind.lower().startswith("multipart/form-data"):
        return _multipart(kind, body)
    try:
        pairs = parse_qsl(body.decode(errors="replace"), max_num_fields=MAX_FIELDS)
    except ValueError as error:
        detail = f"the form cannot be read: {error}"
        raise InvalidInputError(detail, code="invalid-field") from error
    return dict(pairs)


def _multipart(kind: str, body: bytes) -> dict[str, str]:
    head = f"content-type: {kind}\r\n\r\n".encode(errors="replace")
    parts = BytesParser(policy=compat32).parsebytes(head + body).get_payload()
    form = {}
    for part in parts[:MAX_FIELDS] if isinstance(parts, list) else ():
        if isinstance(part, EmailMessage):
            name = part.get_param("name", header="content-disposition")
            value = part.get_payload(decode=True)
            if isinstance(name, str) and isinstance(value, bytes):
                form[name] = value.decode(errors="replace")
    return form
