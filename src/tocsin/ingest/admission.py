"""Admission: what a producer sent becomes an envelope, or is refused with its place and reason.

Size, shape and rules are checked before any I/O.  The content is encoded here, once; from now on its bytes are copied.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import replace

from tocsin.clock import US_PER_S, from_datetime, to_rfc3339
from tocsin.config import Limits
from tocsin.errors import ExpiredError, InvalidInputError, TooLargeError
from tocsin.ingest.complaints import why_no_json, words_at
from tocsin.model.alert import Action, Audience, Content, Envelope, Link, Severity
from tocsin.model.ids import check_id, uuid7
from tocsin.model.trace import well_formed

MAX_ACTIONS = 5
_DAY_US = 86_400 * US_PER_S
_LONGEST_LIFE_US = 5 * 366 * _DAY_US

# msgspec has no optional Raw; an empty one is no JSON, so nobody can send it.
NO_DATA = msgspec.Raw(b"")

Title = Annotated[str, Meta(min_length=1, max_length=512)]
Body = Annotated[str, Meta(max_length=32_768)]


class AlertRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The body of ``POST /v1/alerts`` and each element of a batch."""

    to: Audience
    title: Title
    id: str | None = None
    source: str | None = None
    body: Body | None = None
    severity: Severity = "info"
    category: str | None = None
    collapse_key: str | None = None
    url: Link | None = None
    icon: Link | None = None
    actions: Annotated[tuple[Action, ...], Meta(max_length=MAX_ACTIONS)] = ()
    data: msgspec.Raw = NO_DATA
    deliver_at: datetime | None = None
    expires_at: datetime | None = None


class Producer(msgspec.Struct, frozen=True):
    """Who publishes: the key owns its ids and sources (I10); ``name`` is the default source."""

    key_id: str
    hub: str
    name: str


class LateError(ExpiredError):
    """It had expired when it came, so it is refused, unless ``envelope`` repeats an alert that was accepted in time.

    Only the queue knows, and so whoever answers a producer asks it.
    """

    def __init__(self, detail: str, *, pointer: str, envelope: Envelope) -> None:
        super().__init__(detail, pointer=pointer)
        self.envelope = envelope


_PLACE = re.compile(r" - at (?P<key>`key` in )?`\$(?P<place>.*)`$")
_STEP = re.compile(r"\[(\.\.\.|\d+)\]|\.([^.\[\]]+)")
_decoder = msgspec.json.Decoder(AlertRequest)
_encode = msgspec.json.encode


def decode_alert(raw: bytes, limits: Limits, pointer: str = "") -> AlertRequest:
    """Read one alert.

    Raises:
        InvalidInputError: It is no JSON, not UTF-8, has a wrong type or an unknown field; the pointer tells where.
        TooLargeError: It is larger than ``limits.alert_bytes`` or its data is nested too deep.
    """
    if len(raw) > limits.alert_bytes:
        detail = (
            f"the alert has {len(raw)} bytes; at most {limits.alert_bytes} are allowed "
            "(limits.alert_bytes); shorten body or data, or split the audience"
        )
        raise TooLargeError(detail, code="alert-too-large", pointer=pointer or None)
    try:
        # Raw parts are passed through unread, and a frame that is no UTF-8 would end connections.
        raw.decode()
        return _decoder.decode(raw)
    except UnicodeDecodeError as error:
        detail = f"the body is not UTF-8 at byte {error.start}"
        raise InvalidInputError(detail, code="invalid-json", pointer=pointer or None) from error
    except msgspec.ValidationError as error:
        raise refused_field(error, pointer, kind=AlertRequest) from error
    except msgspec.DecodeError as error:
        detail = f"the body is not JSON: {why_no_json(raw, error)}"
        raise InvalidInputError(detail, code="invalid-json", pointer=pointer or None) from error
    except RecursionError as error:
        raise _too_deep(limits, pointer) from error


def refused_field(
    error: msgspec.DecodeError, prefix: str = "", *, kind: object = None
) -> InvalidInputError:
    """Turn msgspec's complaint into ours, with a JSON pointer to the field; "" is the whole (RFC 6901).

    Of what was read as ``kind`` the words are named, where only some would do.
    """
    text = str(error)
    match = _PLACE.search(text)
    steps = _STEP.findall(match["place"]) if match else []
    pointer = prefix + "".join(f"/{index or name}" for index, name in steps)
    detail = text[: match.start()] if match else text
    if match and detail.startswith("Invalid enum value"):
        words = words_at(kind, steps, of_key=match["key"] is not None)
        detail += f"; one of {', '.join(_encode(word).decode() for word in words)}" if words else ""
    return InvalidInputError(detail, code="invalid-field", pointer=pointer)


def admit(
    request: AlertRequest,
    producer: Producer,
    limits: Limits,
    now_us: int,
    *,
    idempotency_key: str | None = None,
    pointer: str = "",
) -> Envelope:
    """Check the rules that types cannot tell, and make the envelope.

    ``id`` (with ``source``) makes repeats safe; where it is missing, ``idempotency_key`` does; without either
    the alert cannot be repeated.  A ``deliver_at`` that has passed means at once, so that a repeat stays a repeat.

    Raises:
        InvalidInputError: A rule is broken; code, pointer, limit and remedy are named.
        LateError: Its ``expires_at`` has passed, and it may be a repeat.
        ExpiredError: Its ``expires_at`` has passed, and nothing can be repeated by it.
    """
    audience = _check_audience(request.to, limits, pointer)
    source = (
        producer.name
        if request.source is None
        else check_id(request.source, "source", f"{pointer}/source")
    )
    if request.category is not None:
        check_id(request.category, "category", f"{pointer}/category")
    _check_actions(request.actions, f"{pointer}/actions")
    collapse_key = _check_collapse_key(request, pointer)
    owner, repeat_key = _repeat_key(request, source, idempotency_key, pointer)
    deliver_us = _check_delivery(request.deliver_at, now_us, limits, pointer)
    shown_us = now_us if deliver_us is None else deliver_us
    expires_us = _check_expiry(request.expires_at, shown_us, now_us, pointer)
    data = _check_data(request.data, limits, pointer)
    content = _encode(
        Content(
            source=source,
            title=request.title,
            severity=request.severity,
            created_at=to_rfc3339(shown_us),
            body=request.body,
            category=request.category,
            url=request.url,
            icon=request.icon,
            actions=request.actions,
            data=data,
            expires_at=None if expires_us is None else to_rfc3339(expires_us),
        )
    )
    envelope = Envelope(
        id=uuid7(now_us),
        hub=producer.hub,
        key_id=producer.key_id,
        audience=audience,
        content=msgspec.Raw(content),
        accepted_us=now_us,
        source=owner,
        producer_id=repeat_key,
        fingerprint=b"" if repeat_key is None else _fingerprint(request, data),
        category=request.category,
        severity=request.severity,
        collapse_key=collapse_key,
        expires_us=expires_us,
        deliver_us=deliver_us,
    )
    if envelope.is_late:
        raise _late(envelope, f"{pointer}/expires_at")
    return envelope


def caused_by(envelope: Envelope, traceparent: object) -> Envelope:
    """Return the envelope as led to by somebody's span (W3C ``traceparent``); what is none is ignored."""
    cause = well_formed(traceparent) if isinstance(traceparent, str) else None
    return envelope if cause is None else replace(envelope, traceparent=cause)


def _repeat_key(
    request: AlertRequest, source: str, idempotency_key: str | None, pointer: str
) -> tuple[str, str | None]:
    # An empty source is no legal one, so keys from the header never meet ids from the body.
    if request.id is not None:
        return source, check_id(request.id, "id", f"{pointer}/id")
    if idempotency_key is not None:
        return "", check_id(idempotency_key, "Idempotency-Key")
    return source, None


def _check_actions(actions: Sequence[Action], place: str) -> None:
    seen: set[str] = set()
    for index, action in enumerate(actions):
        name = check_id(action.id, "the id of an action", f"{place}/{index}/id")
        if name in seen:
            detail = f"two actions have the id {name[:80]!r}, by which a press is told; give each its own"
            raise InvalidInputError(detail, code="invalid-id", pointer=f"{place}/{index}/id")
        seen.add(name)


def _check_collapse_key(request: AlertRequest, pointer: str) -> str | None:
    if request.collapse_key is None:
        return None
    place = f"{pointer}/collapse_key"
    if request.to.all:
        detail = "what a broadcast says never changes; withdraw the old one and publish the new one"
        raise InvalidInputError(detail, code="invalid-field", pointer=place)
    return check_id(request.collapse_key, "collapse_key", place)


def _check_audience(audience: Audience, limits: Limits, pointer: str) -> Audience:
    if audience.all == bool(audience.users or audience.topics):
        raise InvalidInputError(
            'the audience is {"users": ["..."]}, {"topics": ["..."]} or both; or {"all": true}',
            code="invalid-audience",
            pointer=f"{pointer}/to",
        )
    place = f"{pointer}/to"
    _check_names(audience.users, "user", limits.audience_users, f"{place}/users")
    _check_names(audience.topics, "topic", limits.audience_topics, f"{place}/topics")
    return audience


def _check_names(names: Sequence[str], what: str, limit: int, place: str) -> None:
    if len(names) > limit:
        detail = (
            f"the audience names {len(names)} {what}s; at most {limit} "
            f"are allowed (limits.audience_{what}s); send several alerts"
        )
        raise TooLargeError(detail, code="audience-too-large", pointer=place)
    for index, name in enumerate(names):
        check_id(name, what, f"{place}/{index}")


def _check_delivery(
    deliver_at: datetime | None, now_us: int, limits: Limits, pointer: str
) -> int | None:
    if deliver_at is None:
        return None
    place = f"{pointer}/deliver_at"
    deliver_us = _read_time(deliver_at, place)
    if deliver_us > now_us + limits.schedule_days * _DAY_US:
        detail = (
            f"deliver_at {to_rfc3339(deliver_us)} is more than {limits.schedule_days} days away "
            "(limits.schedule_days); publish it nearer to its time"
        )
        raise InvalidInputError(detail, code="invalid-time", pointer=place)
    return deliver_us if deliver_us > now_us else None


def _check_expiry(
    expires_at: datetime | None, shown_us: int, now_us: int, pointer: str
) -> int | None:
    if expires_at is None:
        return None
    place = f"{pointer}/expires_at"
    expires_us = _read_time(expires_at, place)
    # One that has passed is judged last: it may be a repeat.
    if expires_us > now_us and not shown_us < expires_us <= now_us + _LONGEST_LIFE_US:
        detail = (
            f"expires_at {to_rfc3339(expires_us)} is not after the alert's delivery "
            f"({to_rfc3339(shown_us)}), or more than five years away"
        )
        raise InvalidInputError(detail, code="invalid-time", pointer=place)
    return expires_us


def _late(envelope: Envelope, place: str) -> ExpiredError:
    detail = (
        f"expires_at {to_rfc3339(envelope.expires_us or 0)} has passed (it is {to_rfc3339(envelope.accepted_us)}), "
        "so nobody would get the alert; publish it with a later one"
    )
    if envelope.producer_id is None:
        return ExpiredError(detail, pointer=place)
    return LateError(detail, pointer=place, envelope=envelope)


def _read_time(stamp: datetime, place: str) -> int:
    try:
        return from_datetime(stamp)
    except ValueError as error:
        raise InvalidInputError(str(error), code="invalid-time", pointer=place) from error


def _check_data(data: msgspec.Raw, limits: Limits, pointer: str) -> msgspec.Raw | UnsetType:
    """Return the data without the blanks between its parts, so that one line is one frame; numbers and strings stay as written."""
    raw = bytes(data)
    if raw in (b"", b"null"):
        return UNSET
    # It was passed over unread, and may hold a number (1e999) on which clients would stumble.
    try:
        depth = _depth(msgspec.json.decode(raw))
        compact = msgspec.json.format(raw, indent=-1)
    except msgspec.DecodeError as error:
        raise refused_field(error, f"{pointer}/data") from error
    except RecursionError as error:
        raise _too_deep(limits, pointer) from error
    if depth > limits.data_depth:
        raise _too_deep(limits, pointer)
    return msgspec.Raw(compact)


def _depth(value: object) -> int:
    deepest, stack = 0, [(value, 1)]
    while stack:
        node, level = stack.pop()
        if isinstance(node, dict | list):
            deepest = max(deepest, level)
            stack.extend(
                (n, level + 1) for n in (node.values() if isinstance(node, dict) else node)
            )
    return deepest


def _too_deep(limits: Limits, pointer: str) -> TooLargeError:
    detail = (
        f"data is nested deeper than {limits.data_depth} levels (limits.data_depth); flatten it"
    )
    return TooLargeError(detail, code="too-deep", pointer=f"{pointer}/data")


def _fingerprint(request: AlertRequest, data: msgspec.Raw | UnsetType) -> bytes:
    """Digest what the alert says; ``data`` is the checked one, for blanks between its parts say nothing, nor do zones of times."""
    if data is not UNSET:
        request = replace(request, data=data)
    if request.deliver_at is not None:
        request = replace(request, deliver_at=request.deliver_at.astimezone(UTC))
    if request.expires_at is not None:
        request = replace(request, expires_at=request.expires_at.astimezone(UTC))
    return hashlib.blake2b(_encode(request), digest_size=16).digest()
