"""Connections by their id, and closing many of them."""

from msgspec.structs import replace

from tocsin.api.http import Response
from tocsin.api.webpubsub.answers import done, not_found
from tocsin.api.webpubsub.service import Call, Service
from tocsin.realtime.errands import Close, Find, Whom
from tocsin.realtime.everywhere import Everywhere


class Connections:
    """The operations on connections, whichever gateway holds them."""

    def __init__(self, service: Service, everywhere: Everywhere) -> None:
        self._service = service
        self._everywhere = everywhere

    async def exists(self, call: Call) -> Response:
        """``HEAD /api/hubs/{hub}/connections/{connection}``."""
        if not (await self._everywhere.do(Find(call.connection()))).found:
            raise not_found("Warning", "Connection", call.path("connection"))
        return done(200)

    async def close(self, call: Call) -> Response:
        """``DELETE /api/hubs/{hub}/connections/{connection}``; one that is not there is closed."""
        await self._everywhere.do(Close(call.connection(), call.one("reason") or ""))
        return done(204)

    async def close_all(self, call: Call) -> Response:
        """``POST /api/hubs/{hub}/:closeConnections``."""
        return await self._close(call, Whom(call.hub, "all"))

    async def close_group(self, call: Call) -> Response:
        """``POST /api/hubs/{hub}/groups/{group}/:closeConnections``."""
        return await self._close(call, Whom(call.hub, "group", call.group()))

    async def close_user(self, call: Call) -> Response:
        """``POST /api/hubs/{hub}/users/{user}/:closeConnections``."""
        return await self._close(call, call.user())

    async def _close(self, call: Call, whom: Whom) -> Response:
        whom = replace(whom, excluded=tuple(call.many("excluded")))
        if not self._service.is_repeat(call):
            await self._everywhere.do(Close(whom, call.one("reason") or ""), whom.where())
        return done(204)
