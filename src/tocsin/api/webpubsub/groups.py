"""Who is in which group; an application needs no role for it."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from tocsin.api.bodies import read_json
from tocsin.api.http import Response
from tocsin.api.webpubsub.answers import conflict, done, not_found
from tocsin.api.webpubsub.service import Call, Service, checked_group, where_of
from tocsin.realtime.errands import Find, Join, Leave, Outcome, Whom
from tocsin.realtime.everywhere import Everywhere


class Membership(msgspec.Struct, frozen=True):
    """The body of ``:addToGroups`` and ``:removeFromGroups``; without a filter every connection is meant."""

    groups: Annotated[tuple[str, ...], Meta(max_length=1_000)]
    filter: str | None = None


_membership: Final = msgspec.json.Decoder(Membership)


class Groups:
    """The operations on groups and memberships, whichever gateway holds the connections."""

    def __init__(self, service: Service, everywhere: Everywhere) -> None:
        self._service = service
        self._everywhere = everywhere

    async def exists(self, call: Call) -> Response:
        """``HEAD /api/hubs/{hub}/groups/{group}``: a group with nobody in it does not exist."""
        group = call.group()
        if not (await self._everywhere.do(Find(Whom(call.hub, "group", group)))).found:
            raise not_found("Warning", "Group", group)
        return done(200)

    async def add_many(self, call: Call) -> Response:
        """``POST /api/hubs/{hub}/:addToGroups``; a connection that is in too many groups already joins no more."""
        return await self._change(call, Join)

    async def remove_many(self, call: Call) -> Response:
        """``POST /api/hubs/{hub}/:removeFromGroups``."""
        return await self._change(call, Leave)

    async def add_connection(self, call: Call) -> Response:
        """``PUT /api/hubs/{hub}/groups/{group}/connections/{connection}``."""
        outcome = await self._everywhere.do(Join(call.connection(), (call.group(),)))
        if not outcome.found:
            raise not_found("Error", "Connection", call.path("connection"))
        return _joined(outcome)

    async def remove_connection(self, call: Call) -> Response:
        """``DELETE /api/hubs/{hub}/groups/{group}/connections/{connection}``."""
        await self._everywhere.do(Leave(call.connection(), (call.group(),)))
        return done(204)

    async def remove_connection_from_all(self, call: Call) -> Response:
        """``DELETE /api/hubs/{hub}/connections/{connection}/groups``."""
        await self._everywhere.do(Leave(call.connection()))
        return done(204)

    async def add_user(self, call: Call) -> Response:
        """``PUT /api/hubs/{hub}/users/{user}/groups/{group}``: the connections that the user has now."""
        outcome = await self._everywhere.do(Join(call.user(), (call.group(),)))
        if not outcome.found:
            raise not_found("Warning", "User", call.path("user"))
        return _joined(outcome)

    async def remove_user(self, call: Call) -> Response:
        """``DELETE /api/hubs/{hub}/users/{user}/groups/{group}``."""
        await self._everywhere.do(Leave(call.user(), (call.group(),)))
        return done(204)

    async def remove_user_from_all(self, call: Call) -> Response:
        """``DELETE /api/hubs/{hub}/users/{user}/groups``."""
        await self._everywhere.do(Leave(call.user()))
        return done(204)

    async def _change(self, call: Call, change: type[Join] | type[Leave]) -> Response:
        wanted = await read_json(call.request, _membership)
        groups = tuple(checked_group(group) for group in wanted.groups)
        whom = Whom(call.hub, "all", filter=wanted.filter)
        where = where_of(whom)
        if not self._service.is_repeat(call, msgspec.json.encode(wanted)):
            await self._everywhere.do(change(whom, groups), where)
        return done(200)


def _joined(outcome: Outcome) -> Response:
    """Answer for connections that joined a group.

    Raises:
        RefusedError: One of them is in too many.
    """
    if outcome.refused is not None:
        raise conflict(outcome.refused)
    return done(200)
