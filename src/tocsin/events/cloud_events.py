"""Events of connections as CloudEvents 1.0 over HTTP, the way Web PubSub sends them, and what their answers mean.

Source:  https://learn.microsoft.com/azure/azure-web-pubsub/reference-cloud-events
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final, NamedTuple
from urllib.parse import quote

import msgspec

from tocsin.model.data_type import DataType, is_of
from tocsin.ports.event_handlers import (
    Client,
    Opening,
    Rejection,
    Reply,
    Trouble,
    UserEvent,
    Welcome,
)
from tocsin.ports.outbound import Answer

VERSION: Final = "1.0"
JSON: Final = "application/json; charset=utf-8"
_CONTENT_TYPES: Final[dict[DataType, str]] = {
    "text": "text/plain; charset=utf-8",
    "json": JSON,
    "binary": "application/octet-stream",
    "protobuf": "application/x-protobuf",
}
_DATA_TYPES: Final[dict[str, DataType]] = {
    kind.partition(";")[0]: name for name, kind in _CONTENT_TYPES.items()
}
_METADATA: Final = "X-WebPubSub-Metadata-"
_SHOWN: Final = 500
# Printable ASCII but the percent sign: what a header field holds as it is.
_PLAIN: Final = "".join(chr(c) for c in range(0x20, 0x7F) if chr(c) != "%")
_encode = msgspec.json.encode


class Event(NamedTuple):
    """What is told: ``name`` as in ``ce-eventName``; ``metadata`` rides in headers of its own."""

    name: str
    system: bool
    content_type: str
    body: bytes
    metadata: Mapping[str, str] = {}


class _Welcome(msgspec.Struct, rename="camel"):
    user_id: str | None = None
    groups: tuple[str, ...] | None = None
    roles: tuple[str, ...] | None = None
    subprotocol: str | None = None


_decode_welcome = msgspec.json.Decoder(_Welcome).decode


def connect_event(opening: Opening) -> Event:
    """Return the question whether a client may connect."""
    body = {
        "claims": opening.claims,
        "query": opening.query,
        "headers": opening.headers,
        "subprotocols": opening.subprotocols,
        "clientCertificates": [],
    }
    return Event("connect", True, JSON, _encode(body))


def connected_event() -> Event:
    """Return the news that a connection is there."""
    return Event("connected", True, JSON, b"{}")


def disconnected_event(reason: str) -> Event:
    """Return the news that it is gone."""
    return Event("disconnected", True, JSON, _encode({"reason": reason}))


def user_event(event: UserEvent) -> Event:
    """Return what a client says."""
    return Event(event.name, False, _CONTENT_TYPES[event.data_type], event.data, event.metadata)


def event_headers(
    event: Event, client: Client, *, number: int, time: str, signature: str, state: str
) -> list[tuple[str, str]]:
    """Return the headers that say what happened, where, and to whom; empty ones are left out."""
    kind = f"sys.{event.name}" if event.system else f"user.{event.name}"
    fields = (
        ("Content-Type", event.content_type),
        ("ce-specversion", VERSION),
        ("ce-type", f"azure.webpubsub.{kind}"),
        ("ce-source", f"/hubs/{client.hub}/client/{client.connection_id}"),
        ("ce-id", str(number)),
        ("ce-time", time),
        ("ce-signature", signature),
        ("ce-userId", _ascii(client.user or "")),
        ("ce-connectionId", client.connection_id),
        ("ce-hub", client.hub),
        ("ce-eventName", event.name),
        ("ce-subprotocol", _ascii(client.subprotocol or "")),
        ("ce-connectionState", state),
    )
    metadata = [(_METADATA + name, value) for name, value in event.metadata.items()]
    return [(name, value) for name, value in fields if value] + metadata


def sign(keys: Sequence[bytes], connection_id: str) -> str:
    """Return ``ce-signature``: the connection id signed with each key, the primary one first."""
    content = connection_id.encode()
    return ",".join(f"sha256={hmac.digest(key, content, hashlib.sha256).hex()}" for key in keys)


def state_of(answer: Answer) -> str | None:
    """Return the state that an answer sets; None if it sets none that a header could carry back."""
    state = answer.header("ce-connectionstate")
    return state if state is not None and state.isascii() and state.isprintable() else None


def read_connect_answer(answer: Answer) -> Welcome | Rejection | Trouble:
    """Return what a handler decided about a client."""
    if not _is_success(answer):
        if answer.status // 100 == 4:  # noqa: PLR2004 -- the class of refusals
            said = answer.body[:_SHOWN].decode(errors="replace")
            return Rejection(answer.status, "".join(c for c in said if c.isprintable()))
        return Trouble(f"The event handler answered {answer.status}.")
    if not answer.body:
        return Welcome()
    try:
        wanted = _decode_welcome(answer.body)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return Trouble("The event handler's answer to connect is no JSON of the documented shape.")
    return Welcome(
        wanted.user_id or None, wanted.groups or (), wanted.roles, wanted.subprotocol or None
    )


def read_event_answer(answer: Answer) -> Reply | Trouble:
    """Return what a handler answered to an event."""
    if not _is_success(answer):
        return Trouble(f"The event handler answered {answer.status}.")
    if not answer.body:
        return Reply()
    content_type = (answer.header("content-type") or "").partition(";")[0].strip().lower()
    data_type = _DATA_TYPES.get(content_type)
    if data_type is None or not is_of(data_type, answer.body):
        return Trouble(f"The event handler's answer is not of its type, {content_type[:80]!r}.")
    return Reply(data_type, answer.body)


def _is_success(answer: Answer) -> bool:
    return HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES


def _ascii(text: str) -> str:
    """Return a header's value: percent signs and what is not ASCII are percent-encoded, the rest stays."""
    return quote(text, safe=_PLAIN)
