"""ntfy's ways to publish: a text with headers or query parameters, or a JSON message.

Format: https://docs.ntfy.sh/publish/
The topic is a topic of the hub.  Emojis for tags, attached files, e-mails, calls, and the actions ``http``, ``broadcast``
and ``copy``, which need ntfy's own app, are left out.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from typing import ClassVar, Final

import msgspec

from tocsin.clock import US_PER_S, to_rfc3339
from tocsin.errors import InvalidInputError, TocsinError
from tocsin.ingest.shims.notice import (
    MESSAGE_BYTES,
    Destination,
    Fields,
    Incoming,
    Publish,
    Reading,
    alert_fields,
    destination_of_url,
    read_json,
    thread_of,
)
from tocsin.model.alert import Severity

_EMPTY: Final = "triggered"  # what ntfy shows for a message without a text
_UNITS_S: Final[Mapping[str, int]] = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_DURATION = re.compile(r"(\d{1,9})\s*([smhd])[a-z]*\s*", re.IGNORECASE)
_UNIX = re.compile(r"\d{9,11}")
_PRIORITIES: Final[Mapping[str, int]] = {
    "min": 1,
    "low": 2,
    "default": 3,
    "high": 4,
    "max": 5,
    "urgent": 5,
    **{str(number): number for number in range(1, 6)},
}
_SEVERITY: Final[Mapping[int, Severity]] = {4: "warning", 5: "critical"}
# A browser's own header of that name (RFC 9218), e.g. `u=3, i`.
_HTTP_PRIORITY = re.compile(r"(u=\d)?,?\s*i?")


class Action(msgspec.Struct, frozen=True):
    """A button; only ``view`` has a URL for people."""

    action: str
    label: str = ""
    url: str | None = None


class Message(msgspec.Struct, frozen=True):
    """What a sender says, whichever way."""

    topic: str
    message: str = ""
    title: str | None = None
    priority: int | None = None
    tags: list[str] | None = None
    click: str | None = None
    icon: str | None = None
    attach: str | None = None
    actions: list[Action] | None = None
    delay: str | None = None
    sequence_id: str | None = None


_message = msgspec.json.Decoder(Message)
_actions = msgspec.json.Decoder(list[Action])


class Ntfy:
    """The shim."""

    key_in_body: ClassVar[bool] = False
    most_bytes: ClassVar[int | None] = MESSAGE_BYTES

    def key(self, incoming: Incoming) -> str | None:
        """Return the key of ``?auth=``: an ``Authorization`` header, or a bare key, in base64."""
        text = incoming.query("auth")
        if text is None:
            return None
        try:
            padded = text.replace("+", "-").replace("/", "_") + "=" * (-len(text) % 4)
            return base64.urlsafe_b64decode(padded).decode()
        except (binascii.Error, ValueError):
            return text

    def read(self, incoming: Incoming) -> Reading:
        """Read a message: a text for the topic in the path, or JSON that names its topic."""
        topic = incoming.params.get("topic")
        said = read_json(_message, incoming.body) if topic is None else _from_text(incoming, topic)
        sequence = said.sequence_id
        thread = None if sequence is None else thread_of("ntfy", said.topic, sequence)
        to = destination_of_url(incoming) or Destination(topics=(said.topic,))
        notice = Publish(_fields(said, incoming.now_us), to, thread)
        return Reading([notice], lambda ids: _answer(said, incoming.now_us, ids[0]))

    def refused(self, status: int, error: TocsinError) -> bytes:
        """Return a refusal as ntfy has it; its codes begin with the status."""
        code = status * 100 + (status in (401, 403))
        return msgspec.json.encode({"code": code, "http": status, "error": error.detail})


def _fields(said: Message, now_us: int) -> Fields:
    priority = said.priority or 3
    fields = alert_fields(
        title=said.title or "",
        body=said.message or _EMPTY,
        severity=_SEVERITY.get(priority, "info"),
        category=said.topic,
        url=said.click or said.attach,
        icon=said.icon,
        actions=[
            (f"view-{number}", action.label or "Open", action.url)
            for number, action in enumerate(said.actions or (), 1)
            if action.action == "view"
        ],
        data={"tags": said.tags, "priority": priority} if said.tags else None,
    )
    if said.delay:
        fields["deliver_at"] = to_rfc3339(_due_us(said.delay, now_us))
    return fields


def _answer(said: Message, now_us: int, alert_id: str) -> bytes:
    """Return the message as ntfy tells it to its subscribers."""
    due_us = _due_us(said.delay, now_us) if said.delay else now_us
    told = {
        "id": alert_id,
        "time": due_us // US_PER_S,
        "event": "message",
        "topic": said.topic,
        "title": said.title,
        "message": said.message or _EMPTY,
        "priority": said.priority,
        "tags": said.tags,
        "click": said.click,
        "icon": said.icon,
        "actions": said.actions,
        "sequence_id": said.sequence_id,
    }
    return msgspec.json.encode({name: value for name, value in told.items() if value})


def _from_text(incoming: Incoming, topic: str) -> Message:
    """Read a message whose text is the body, or the parameter ``message``."""

    def said(*names: str) -> str | None:
        return _parameter(incoming, *names)

    try:
        text = incoming.body.decode()
    except UnicodeDecodeError as error:
        detail = "the body is no text in UTF-8; attached files are not taken, send a link (Attach)"
        raise InvalidInputError(detail, code="invalid-field") from error
    tags = said("tags", "tag", "ta")
    actions = said("actions", "action")
    return Message(
        topic=topic,
        message=(said("message", "m") or "").replace("\\n", "\n") or text,
        title=said("title", "ti", "t"),
        priority=_priority(said("priority", "prio", "p")),
        tags=[tag.strip() for tag in tags.split(",") if tag.strip()] if tags else None,
        click=said("click"),
        icon=said("icon"),
        attach=said("attach", "a"),
        actions=_read_actions(actions) if actions else None,
        delay=said("delay", "at", "in"),
        sequence_id=said("sequence-id", "sid"),
    )


def _parameter(incoming: Incoming, *names: str) -> str | None:
    """Return the first header, or else query parameter, of these names; the first name may have ``X-`` before it."""
    spelled = (f"x-{names[0]}", *names)
    for name in spelled:
        header = incoming.header(name.encode())
        if header:
            return _decode_header(header)
    return next((text for name in spelled if (text := incoming.query(name))), None)


def _decode_header(header: str) -> str:
    """Read a header that is UTF-8 as it is, or in the words of RFC 2047 (``=?UTF-8?B?...?=``)."""
    text = header.encode("latin-1", "replace").decode(errors="replace").strip()
    if "=?" not in text:
        return text
    try:
        return str(make_header(decode_header(text)))
    except (HeaderParseError, LookupError, ValueError):
        return text


def _priority(text: str | None) -> int | None:
    if text is None or _HTTP_PRIORITY.fullmatch(text):
        return None
    number = _PRIORITIES.get(text.strip().lower())
    if number is None:
        detail = f"priority {text!r:.40} is not 1 to 5, min, low, default, high, max or urgent"
        raise InvalidInputError(detail, code="invalid-field")
    return number


def _due_us(text: str, now_us: int) -> int:
    """Return when a delay ends: a Unix time, or durations after ``now_us``.

    Raises:
        InvalidInputError: It is neither; words for days and hours (``tomorrow, 10am``) need a time zone, and are not read.
    """
    text = text.strip()
    if _UNIX.fullmatch(text):
        return int(text) * US_PER_S
    parts = _DURATION.findall(text)
    if not parts or _DURATION.sub("", text):
        detail = f"delay {text!r:.40} is neither a Unix time nor a duration such as 30m or 1h 30m"
        raise InvalidInputError(detail, code="invalid-time")
    return now_us + sum(int(number) * _UNITS_S[unit.lower()] for number, unit in parts) * US_PER_S


def _read_actions(text: str) -> list[Action]:
    """Read actions as JSON, or in ntfy's short form: ``view, Open, https://example.org; ...``."""
    if text.lstrip().startswith("["):
        return read_json(_actions, text.encode(errors="replace"))
    return [_short_action(part) for part in text.split(";") if part.strip()]


def _short_action(text: str) -> Action:
    """Read one action: its kind, label and URL by place or by name (``label=Open``)."""
    names, said = ["action", "label", "url"], {}
    for part in text.split(","):
        name, equals, value = part.strip().partition("=")
        if not equals or name not in ("action", "label", "url", "clear"):
            name, value = names[0] if names else "", part.strip()
        if name in names:
            names.remove(name)
            said[name] = value.strip("\"' ")
    return Action(said.get("action", ""), said.get("label", ""), said.get("url"))
