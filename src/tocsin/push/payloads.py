"""What a device is told about one alert: JSON for Web Push, the message of FCM, and FCM's withdrawal.

Web Push:  one format for all browsers, that of Declarative Web Push (W3C Push API) with members of our own beside it.
           Browsers that know it show ``notification`` by themselves; elsewhere the service worker does.  Without
           ``app_url`` an alert may have nothing to open as a whole URL, and then the message is not declarative.
FCM:       ``notification``, ``data`` (strings only), and what Android and Apple devices need of the alert; how it
           travels (collapsing, priority, life) is added by the adapter.
Length:    bridged routes of push services cap a message near 2,744 bytes in base64, so it keeps to ``TARGET_BYTES``
           in UTF-8.  Left out in this order, until the body has ``KEPT_BODY_BYTES``: icon, the end of a long title,
           actions, url.  Then the body is cut.
"""

import unicodedata
from collections.abc import Callable, Iterator
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from tocsin.model.alert import Action, Content, Severity
from tocsin.model.links import absolute_link, safe_link

VERSION: Final = 1
TARGET_BYTES: Final = 2_048
KEPT_BODY_BYTES: Final = 256
TITLE_BYTES: Final = 256
LEAST_TITLE_BYTES: Final = 80
# What browsers show at most (``Notification.maxActions``).
SHOWN_ACTIONS: Final = 2
# The address of the app is the administrator's, and has to leave room for an alert.
LONGEST_APP_URL: Final = 512

_ELLIPSIS: Final = "\u2026"
_JOINER: Final = "\u200d"
_DECLARATIVE: Final = 8030
_encode = msgspec.json.encode
Encoder = Callable[[Content], bytes]


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """An alert as one person's devices get it.

    ``tag`` names what is shown: a later notice of the same tag replaces it, so it is the item's id, which outlives
    collapsing (a broadcast's alert id).  ``badge`` is the person's unread count.  ``app_url`` is where the app lives,
    at most ``LONGEST_APP_URL`` characters.  ``summary`` counts the alerts that it stands for, if it is not one alone: then
    nothing of the inbox is dealt with by pressing it.
    """

    alert_id: str
    tag: str
    content: Content
    badge: int | None = None
    app_url: str | None = None
    summary: int | None = None


class Payload(msgspec.Struct, frozen=True):
    """The message, and the least that still says something, for services that find it too large."""

    full: bytes
    least: bytes


class _Button(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    label: str
    url: str | None = None


class _Notification(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    title: str
    tag: str
    dir: Literal["auto"]
    body: str | None = None
    navigate: str | None = None
    icon: str | None = None
    app_badge: str | None = None


class _Message(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    id: str
    v: int
    severity: Severity
    notification: _Notification
    web_push: int | None = None
    url: str | None = None
    actions: tuple[_Button, ...] = ()
    summary: int | None = None


def web_push_payload(notice: Notice) -> Payload:
    """Return the JSON for a browser."""
    content = notice.content
    least = replace(
        content, title=_cut(content.title, LEAST_TITLE_BYTES), body=None, url=None, icon=None
    )

    def encode(part: Content) -> bytes:
        return _encode(_message(notice, part))

    return Payload(_fitted(content, encode), encode(replace(least, actions=())))


def fcm_payload(notice: Notice) -> bytes:
    """Return the message for Firebase, without its addressee."""
    return _fitted(notice.content, lambda part: _encode(_fcm_message(notice, part)))


def fcm_withdrawal(alert_id: str, tag: str, badge: int | None = None) -> bytes:
    """Return the message that takes back what was shown under ``tag``; nothing is shown for it."""
    aps: dict[str, int] = {"content-available": 1}
    data = {"type": "withdraw", "v": str(VERSION), "id": alert_id, "tag": tag}
    if badge is not None:
        aps["badge"] = badge
        data["badge"] = str(badge)
    return _encode({"data": data, "apns": {"payload": {"aps": aps}}})


def _message(notice: Notice, content: Content) -> _Message:
    navigate = absolute_link(content.url, notice.app_url) or absolute_link(notice.app_url, None)
    return _Message(
        web_push=None if navigate is None else _DECLARATIVE,
        notification=_Notification(
            title=content.title,
            body=content.body,
            navigate=navigate,
            tag=notice.tag,
            icon=absolute_link(content.icon, notice.app_url),
            app_badge=None if notice.badge is None else str(notice.badge),
            dir="auto",
        ),
        id=notice.alert_id,
        v=VERSION,
        severity=content.severity,
        url=safe_link(content.url),
        actions=_buttons(content.actions),
        summary=notice.summary,
    )


def _fcm_message(notice: Notice, content: Content) -> dict[str, object]:
    data = {
        "type": "alert",
        "v": str(VERSION),
        "id": notice.alert_id,
        "tag": notice.tag,
        "severity": content.severity,
    }
    if notice.summary is not None:
        data["summary"] = str(notice.summary)
    url = safe_link(content.url)
    if url is not None:
        data["url"] = url
    if content.actions:
        data["actions"] = _encode(_buttons(content.actions)).decode()
    shown: dict[str, object] = {"tag": notice.tag}
    aps: dict[str, object] = {"sound": "default", "thread-id": notice.tag}
    if notice.badge is not None:
        data["badge"] = str(notice.badge)
        shown["notification_count"] = notice.badge
        aps["badge"] = notice.badge
    said = {"title": content.title}
    if content.body is not None:
        said["body"] = content.body
    return {
        "notification": said,
        "data": data,
        "android": {"notification": shown},
        "apns": {"payload": {"aps": aps}},
    }


def _buttons(actions: tuple[Action, ...]) -> tuple[_Button, ...]:
    return tuple(_Button(one.id, one.label, safe_link(one.url)) for one in actions[:SHOWN_ACTIONS])


def _fitted(content: Content, encode: Encoder) -> bytes:
    """Encode as much of an alert as there is room for."""
    whole = encode(content)
    if len(whole) <= TARGET_BYTES:
        return whole
    body = content.body or ""
    wanted = min(_cost(body), KEPT_BODY_BYTES)
    room, part = 0, content
    for part in _reduced(content):
        room = TARGET_BYTES - len(encode(replace(part, body="")))
        if room >= wanted:
            break
    return encode(replace(part, body=_cut(body, max(room, 0)) or None))


def _reduced(content: Content) -> Iterator[Content]:
    """Yield the alert with less and less of it."""
    yield content
    yield (part := replace(content, icon=None))
    yield (part := replace(part, title=_cut(part.title, TITLE_BYTES)))
    yield (part := replace(part, actions=()))
    yield replace(part, url=None)


def _cost(text: str) -> int:
    """Return the bytes of a text within JSON."""
    return len(_encode(text)) - 2


def _cut(text: str, room: int) -> str:
    """Return as much of a text as ``room`` bytes of JSON hold, an ellipsis where it was cut, "" if not even that."""
    if _cost(text) <= room:
        return text
    room -= _cost(_ELLIPSIS)
    low, high = 0, min(len(text), max(room, 0))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _cost(text[:middle]) <= room else (low, middle - 1)
    kept = text[: _boundary(text, low)].rstrip()
    return kept + _ELLIPSIS if room >= 0 and kept else ""


def _boundary(text: str, end: int) -> int:
    """Return the last place up to ``end`` where no composed character is cut; ``end`` itself if there is none."""
    place = end
    while 0 < place < len(text) and (_extends(text[place]) or text[place - 1] == _JOINER):
        place -= 1
    flags = 0
    while place - flags > 0 and _is_flag_half(text[place - flags - 1]):
        flags += 1
    if flags % 2 and place < len(text) and _is_flag_half(text[place]):
        place -= 1
    return place or end


def _extends(character: str) -> bool:
    """Whether a character belongs to the one before it: marks, joiners, variation selectors, skin tones."""
    return (
        character == _JOINER
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or unicodedata.category(character).startswith("M")
    )


def _is_flag_half(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
