"""Who is in which group; an application needs no role for it."""

from collections.abc import Callable
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from tocsin.api.bodies import read_json
from tocsin.api.http import Response
from tocsin.api.webpubsub.answers import RefusedError, done, not_found
from tocsin.api.webpubsub.many import for_each, live
from tocsin.api.webpubsub.service import Call, Service, checked_group, where_of
from tocsin.realtime.gateway import Gateway
from tocsin.realtime.session import Session


class Membership(msgspec.Struct, frozen=True):
    """The body of ``:addToGroups`` and ``:removeFromGroups``; without a filter every connection is meant."""

    groups: Annotated[tuple[str, ...], Meta(max_length=1_000)]
    filter: str | None = None


_membership: Final = msgspec.json.Decoder(Membership)


class Groups:
    """The operations on groups and memberships."""

    def __init__(self, service: Service, gateway: Gateway) -> None:
        self._service = service
        self._gateway = gateway

    async def exists(self, call: Call) -> Response:
        """``HEAD /api/hubs/{hub}/groups/{group}``: a group with nobody in it does not exist."""
        group = call.group()
        if not self._gateway.hubs.of_group(call.hub, group):
            raise not_found("Warning", "Group", group)
        return done(200)

    async def add_many(self, call: Call) -> Response:
        """``POST /api/hubs/{hub}/:addToGroups``; a connection that is in too many groups already joins no more."""
        return await self._change(call, self._gateway.hubs.join)

    async def remove_many(self, call: Call) -> Response:
        """``POST /api/hubs/{hub}/:removeFromGroups``."""
        return await self._change(call, self._gateway.hubs.leave)

    async def add_connection(self, call: Call) -> Response:
        """``PUT /api/hubs/{hub}/groups/{group}/connections/{connection}``."""
        group, name = call.group(), call.path("connection")
        session = self._gateway.hubs.connection(call.hub, name)
        if session is None:
            raise not_found("Error", "Connection", name)
        self._join(session, group)
        return done(200)

    async def remove_connection(self, call: Call) -> Response:
        """``DELETE /api/hubs/{hub}/groups/{group}/connections/{connection}``."""
        group = call.group()
        session = self._gateway.hubs.connection(call.hub, call.path("connection"))
        if session is not None:
            self._gateway.hubs.leave(session, group)
        return done(204)

    async def remove_connection_from_all(self, call: Call) -> Response:
        """``DELETE /api/hubs/{hub}/connections/{connection}/groups``."""
        session = self._gateway.hubs.connection(call.hub, call.path("connection"))
        if session is not None:
            self._leave_all(session)
        return done(204)

    async def add_user(self, call: Call) -> Response:
        """``PUT /api/hubs/{hub}/users/{user}/groups/{group}``: the connections that the user has now."""
        group, user = call.group(), call.path("user")
        sessions = live(self._gateway.hubs.of_user(call.hub, user))
        if not sessions:
            raise not_found("Warning", "User", user)
        for session in sessions:
            self._join(session, group)
        return done(200)

    async def remove_user(self, call: Call) -> Response:
        """``DELETE /api/hubs/{hub}/users/{user}/groups/{group}``."""
        group = call.group()
        for session in live(self._gateway.hubs.of_user(call.hub, call.path("user"))):
            self._gateway.hubs.leave(session, group)
        return done(204)

    async def remove_user_from_all(self, call: Call) -> Response:
        """``DELETE /api/hubs/{hub}/users/{user}/groups``."""
        for session in live(self._gateway.hubs.of_user(call.hub, call.path("user"))):
            self._leave_all(session)
        return done(204)

    async def _change(self, call: Call, change: Callable[[Session, str], object]) -> Response:
        wanted = await read_json(call.request, _membership)
        groups = [checked_group(group) for group in wanted.groups]
        where = None if wanted.filter is None else where_of(wanted.filter)
        if not self._service.is_repeat(call, msgspec.json.encode(wanted)):

            def act(session: Session) -> None:
                for group in groups:
                    change(session, group)

            await for_each(self._gateway.hubs.of_hub(call.hub), where, act, len(groups))
        return done(200)

    def _join(self, session: Session, group: str) -> None:
        refused = self._gateway.hubs.join(session, group)
        if refused is not None:
            raise RefusedError(409, "Error.Connection.Conflict", "Connection", refused.message)

    def _leave_all(self, session: Session) -> None:
        for group in session.groups:
            self._gateway.hubs.leave(session, group)
