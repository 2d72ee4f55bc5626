"""Who is online: users of a hub or a group, and their connections, page by page in the order of their ids.

Nothing is remembered between pages.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote, urlencode

from tocsin.api.endpoints import Endpoints
from tocsin.api.http import Response
from tocsin.api.webpubsub.answers import NEWEST, ParameterError, done, not_found
from tocsin.api.webpubsub.service import Call
from tocsin.realtime.errands import Find, Listed, Listing, Whom
from tocsin.realtime.everywhere import Everywhere

PAGE: Final = 200
_MOST: Final = 999_999_999


class Users:
    """The operations that tell who is there."""

    def __init__(self, everywhere: Everywhere, endpoints: Endpoints) -> None:
        self._everywhere = everywhere
        self._public = endpoints.public.rstrip("/")

    async def exists(self, call: Call) -> Response:
        """``HEAD /api/hubs/{hub}/users/{user}``."""
        if not (await self._everywhere.do(Find(call.user()))).found:
            raise not_found("Warning", "User", call.path("user"))
        return done(200)

    async def connections_of_hub(self, call: Call) -> Response:
        """``GET /api/hubs/{hub}/connections`` (not in Azure)."""
        return await self._connections(call, Whom(call.hub, "all"))

    async def connections_of_group(self, call: Call) -> Response:
        """``GET /api/hubs/{hub}/groups/{group}/connections``."""
        return await self._connections(call, Whom(call.hub, "group", call.group()))

    async def users_of_hub(self, call: Call) -> Response:
        """``GET /api/hubs/{hub}/users`` (not in Azure): who is online, with how many connections."""
        return await self._users(call, Whom(call.hub, "all"))

    async def users_of_group(self, call: Call) -> Response:
        """``GET /api/hubs/{hub}/groups/{group}/users`` (not in Azure)."""
        return await self._users(call, Whom(call.hub, "group", call.group()))

    async def _connections(self, call: Call, whom: Whom) -> Response:
        page, following = await self._page(call, whom, by_user=False)
        value = [_described(one) for one in page]
        return done(200, {"value": value, "nextLink": following})

    async def _users(self, call: Call, whom: Whom) -> Response:
        page, following = await self._page(call, whom, by_user=True)
        value = [{"userId": one.name, "connections": one.connections} for one in page]
        return done(200, {"value": value, "nextLink": following})

    async def _page(
        self, call: Call, whom: Whom, *, by_user: bool
    ) -> tuple[Sequence[Listed], str | None]:
        """Return who is on this page, and where the next one is.

        Raises:
            ParameterError: A parameter is out of range, or the token is none that was given.
        """
        top = call.number("top", 1, _MOST)
        size = call.number("maxpagesize", 1, PAGE) or PAGE
        size = size if top is None else min(size, top)
        after = _position(call.one("continuationToken"))
        found = await self._everywhere.list(Listing(whom, after, size + 1, by_user))
        page = found[:size]
        left = None if top is None else top - len(page)
        if len(found) <= size or left == 0:
            return page, None
        more = {"continuationToken": _token(page[-1].name), "maxpagesize": size}
        more |= {} if left is None else {"top": left}
        more["api-version"] = call.one("api-version") or NEWEST
        path = quote(call.request.scope["raw_path"].decode("ascii", "replace"), safe="/%:")
        return page, f"{self._public}{path}?{urlencode(more)}"


def _described(one: Listed) -> dict[str, str]:
    described = {"connectionId": one.name}
    return described if one.user is None else described | {"userId": one.user}


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
