"""Connections by their id, and closing many of them."""

from collections.abc import Sequence

from tocsin.api.http import Response
from tocsin.api.webpubsub.answers import done, not_found
from tocsin.api.webpubsub.many import for_each
from tocsin.api.webpubsub.service import Call, Service
from tocsin.realtime.gateway import Gateway
from tocsin.realtime.session import Session


class Connections:
    """The operations on connections."""

    def __init__(self, service: Service, gateway: Gateway) -> None:
        self._service = service
        self._gateway = gateway

    async def exists(self, call: Call) -> Response:
        """``HEAD /api/hubs/{hub}/connections/{connection}``."""
        name = call.path("connection")
        if self._gateway.hubs.connection(call.hub, name) is None:
            raise not_found("Warning", "Connection", name)
        return done(200)

    async def close(self, call: Call) -> Response:
        """``DELETE /api/hubs/{hub}/connections/{connection}``; one that is not there is closed."""
        session = self._gateway.hubs.connection(call.hub, call.path("connection"))
        if session is not None:
            self._gateway.close_connection(session, call.one("reason") or "")
        return done(204)

    async def close_all(self, call: Call) -> Response:
        """``POST /api/hubs/{hub}/:closeConnections``."""
        return await self._close(call, self._gateway.hubs.of_hub(call.hub))

    async def close_group(self, call: Call) -> Response:
        """``POST /api/hubs/{hub}/groups/{group}/:closeConnections``."""
        return await self._close(call, self._gateway.hubs.of_group(call.hub, call.group()))

    async def close_user(self, call: Call) -> Response:
        """``POST /api/hubs/{hub}/users/{user}/:closeConnections``."""
        return await self._close(call, self._gateway.hubs.of_user(call.hub, call.path("user")))

    async def _close(self, call: Call, sessions: Sequence[Session]) -> Response:
        excluded = frozenset(call.many("excluded"))
        reason = call.one("reason") or ""
        if not self._service.is_repeat(call):
            await for_each(
                tuple(sessions),
                lambda session: session.id not in excluded,
                lambda session: self._gateway.close_connection(session, reason),
            )
        return done(204)
