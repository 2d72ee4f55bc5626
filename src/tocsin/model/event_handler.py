"""Event handlers: the applications that a hub asks about connections, and tells what clients say."""

import re
from collections.abc import Sequence
from typing import Literal, get_args
from urllib.parse import quote

import msgspec

from tocsin.errors import InvalidInputError

SystemEvent = Literal["connect", "connected", "disconnected"]
SYSTEM_EVENTS: tuple[SystemEvent, ...] = get_args(SystemEvent)
# What stands for the event when a handler is asked whether it wants to be called at all.
VALIDATE = "validate"
MAX_PATTERN = 4096
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,127}")
_PLACEHOLDERS = ("{hub}", "{event}")


class EventHandler(msgspec.Struct, frozen=True, kw_only=True):
    """One handler of a hub.

    ``url`` is a template with ``{hub}`` and ``{event}``.  ``user_events`` is ``*``, names with commas between them, or
    "" for none.  ``authorization`` is the value of the header of that name, sealed.  ``created_us`` orders those of a
    hub.
    """

    id: str
    hub: str
    url: str
    user_events: str = ""
    system_events: tuple[SystemEvent, ...] = ()
    authorization: bytes | None = None
    created_us: int = 0

    def user_event_names(self) -> frozenset[str]:
        """Return the names that stand in ``user_events``, in lower case."""
        return frozenset(name.strip().lower() for name in self.user_events.split(","))

    def address(self, event: str) -> str:
        """Return where this event goes."""
        return fill_in(self.url, self.hub, event)


def fill_in(template: str, hub: str, event: str) -> str:
    """Put hub and event into a template, percent-encoded."""
    return template.replace("{hub}", quote(hub, safe="")).replace("{event}", quote(event, safe=""))


def check_template(template: str) -> None:
    """See that only path and query of a template depend on the event, so that it always names one server.

    Raises:
        InvalidInputError: There is another placeholder, or one in the host.
    """
    rest = template
    for placeholder in _PLACEHOLDERS:
        rest = rest.replace(placeholder, "")
    authority = template.partition("://")[2].partition("/")[0]
    if "{" in rest or "}" in rest or "{" in authority:
        detail = "the URL may have {hub} and {event} in its path and query, and no other braces"
        raise InvalidInputError(detail, code="event-handler-url", pointer="/url")


def check_events(user_events: str, system_events: Sequence[str]) -> None:
    """See that a handler takes events, and that these can be.

    Raises:
        InvalidInputError: It takes none, or one that cannot be.
    """
    names = [name.strip() for name in user_events.split(",")] if user_events else []
    wrong = [name for name in names if name != "*" and _NAME.fullmatch(name) is None]
    if wrong or len(user_events) > MAX_PATTERN:
        detail = (
            f"user_events is * or names with commas between them, {MAX_PATTERN} characters in all; "
            f"{wrong[0][:80] if wrong else user_events[:80]!r} is no event name"
        )
        raise InvalidInputError(detail, code="event-handler-events", pointer="/user_events")
    unknown = set(system_events).difference(SYSTEM_EVENTS)
    if unknown:
        detail = f"system_events are {', '.join(SYSTEM_EVENTS)}; {min(unknown)[:80]!r} is none"
        raise InvalidInputError(detail, code="event-handler-events", pointer="/system_events")
    if not names and not system_events:
        detail = "an event handler takes events: name user_events, system_events or both"
        raise InvalidInputError(detail, code="event-handler-events", pointer="/user_events")
