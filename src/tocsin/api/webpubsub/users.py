"""Who is online: users of a hub or a group, and their connections, page by page in the order of their ids.

A page goes once over those who are online and keeps the smallest ids, so nothing is remembered between pages.
"""

import base64
import binascii
from collections import Counter
from collections.abc import Iterable, Sequence
from heapq import nsmallest
from typing import Final
from urllib.parse import quote, urlencode

from tocsin.api.endpoints import Endpoints
from tocsin.api.http import Response
from tocsin.api.webpubsub.answers import NEWEST, ParameterError, done, not_found
from tocsin.api.webpubsub.many import live
from tocsin.api.webpubsub.service import Call
from tocsin.realtime.hub import Hubs
from tocsin.realtime.session import Session

PAGE: Final = 200
_MOST: Final = 999_999_999


class Users:
    """The operations that tell who is there."""

    def __init__(self, hubs: Hubs, endpoints: Endpoints) -> None:
        self._hubs = hubs
        self._public = endpoints.public.rstrip("/")

    async def exists(self, call: Call) -> Response:
        """``HEAD /api/hubs/{hub}/users/{user}``."""
        user = call.path("user")
        if not live(self._hubs.of_user(call.hub, user)):
            raise not_found("Warning", "User", user)
        return done(200)

    async def connections_of_hub(self, call: Call) -> Response:
        """``GET /api/hubs/{hub}/connections`` (not in Azure)."""
        return self._connections(call, self._hubs.of_hub(call.hub))

    async def connections_of_group(self, call: Call) -> Response:
        """``GET /api/hubs/{hub}/groups/{group}/connections``."""
        return self._connections(call, self._hubs.of_group(call.hub, call.group()))

    async def users_of_hub(self, call: Call) -> Response:
        """``GET /api/hubs/{hub}/users`` (not in Azure): who is online, with how many connections."""
        return self._users(call, self._hubs.of_hub(call.hub))

    async def users_of_group(self, call: Call) -> Response:
        """``GET /api/hubs/{hub}/groups/{group}/users`` (not in Azure)."""
        return self._users(call, self._hubs.of_group(call.hub, call.group()))

    def _connections(self, call: Call, sessions: Sequence[Session]) -> Response:
        found = {session.id: session for session in live(sessions)}
        page, following = self._page(call, found)
        value = [_described(found[name]) for name in page]
        return done(200, {"value": value, "nextLink": following})

    def _users(self, call: Call, sessions: Sequence[Session]) -> Response:
        found = Counter(s.user for s in live(sessions) if s.user is not None)
        page, following = self._page(call, found)
        value = [{"userId": user, "connections": found[user]} for user in page]
        return done(200, {"value": value, "nextLink": following})

    def _page(self, call: Call, names: Iterable[str]) -> tuple[list[str], str | None]:
        """Return the names of this page, and where the next one is.

        Raises:
            ParameterError: A parameter is out of range, or the token is none that was given.
        """
        top = call.number("top", 1, _MOST)
        size = call.number("maxpagesize", 1, PAGE) or PAGE
        size = size if top is None else min(size, top)
        after = _position(call.one("continuationToken"))
        found = nsmallest(size + 1, (name for name in names if name > after))
        page = found[:size]
        left = None if top is None else top - len(page)
        if len(found) <= size or left == 0:
            return page, None
        more = {"continuationToken": _token(page[-1]), "maxpagesize": size}
        more |= {} if left is None else {"top": left}
        more["api-version"] = call.one("api-version") or NEWEST
        path = quote(call.request.scope["raw_path"].decode("ascii", "replace"), safe="/%:")
        return page, f"{self._public}{path}?{urlencode(more)}"


def _described(session: Session) -> dict[str, str]:
    described = {"connectionId": session.id}
    return described if session.user is None else described | {"userId": session.user}


def _token(last: str) -> str:
    return base64.urlsafe_b64encode(last.encode()).decode()


def _position(token: str | None) -> str:
    """Return the name to go on after; empty for the first page."""
    if token is None:
        return ""
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        message = f"continuationToken {token[:40]!r} is none that an answer gave"
        raise ParameterError("continuationToken", message) from None
