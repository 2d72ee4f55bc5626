"""What a live connection may do with a group."""

from tocsin.api.http import Response
from tocsin.api.webpubsub.answers import ParameterError, conflict, done, not_found
from tocsin.api.webpubsub.service import Call, checked_group
from tocsin.realtime.errands import Check, Grant, Withdraw
from tocsin.realtime.everywhere import Everywhere
from tocsin.realtime.rights import GRANTABLE, Action


class Permissions:
    """``/api/hubs/{hub}/permissions/{permission}/connections/{connection}``; ``targetName`` is the group."""

    def __init__(self, everywhere: Everywhere) -> None:
        self._everywhere = everywhere

    async def grant(self, call: Call) -> Response:
        """``PUT``."""
        outcome = await self._everywhere.do(Grant(call.connection(), *_what(call)))
        if not outcome.found:
            raise not_found("Info", "Connection", call.path("connection"))
        if outcome.refused is not None:
            raise conflict(outcome.refused)
        return done(200)

    async def check(self, call: Call) -> Response:
        """``HEAD``: 200 if it is granted for that group, or for all."""
        action, group = _what(call)
        outcome = await self._everywhere.do(Check(call.connection(), action, group))
        if not outcome.found:
            raise not_found("Info", "Connection", call.path("connection"))
        if not outcome.granted:
            raise not_found("Info", "Permission", action)
        return done(200)

    async def revoke(self, call: Call) -> Response:
        """``DELETE``; membership stays."""
        await self._everywhere.do(Withdraw(call.connection(), *_what(call)))
        return done(204)


def _what(call: Call) -> tuple[Action, str]:
    """Return action and group.

    Raises:
        ParameterError: There is no such permission, or no ``targetName``.
        InvalidInputError: The group cannot be one.
    """
    said = call.path("permission")
    action = next((action for action in GRANTABLE if action.lower() == said.lower()), None)
    if action is None:
        raise ParameterError("permission", f"{said[:40]!r} is none of {', '.join(GRANTABLE)}")
    group = call.one("targetName")
    if group is None:
        raise ParameterError("targetName", "name the group: add targetName")
    return action, checked_group(group)
