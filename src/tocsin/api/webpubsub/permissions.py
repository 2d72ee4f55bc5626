"""What a live connection may do with a group."""

from tocsin.api.http import Response
from tocsin.api.webpubsub.answers import ParameterError, RefusedError, done, not_found
from tocsin.api.webpubsub.service import Call, checked_group
from tocsin.realtime.gateway import Gateway
from tocsin.realtime.rights import GRANTABLE, MAX_LITERALS, Action


class Permissions:
    """``/api/hubs/{hub}/permissions/{permission}/connections/{connection}``; ``targetName`` is the group."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def grant(self, call: Call) -> Response:
        """``PUT``."""
        action, group, name = *_what(call), call.path("connection")
        session = self._gateway.hubs.connection(call.hub, name)
        if session is None:
            raise not_found("Info", "Connection", name)
        if not session.grant(action, group):
            message = f"The connection has {MAX_LITERALS} groups granted, and may have no more."
            raise RefusedError(409, "Error.Connection.Conflict", "Connection", message)
        return done(200)

    async def check(self, call: Call) -> Response:
        """``HEAD``: 200 if it is granted for that group, or for all."""
        action, group, name = *_what(call), call.path("connection")
        session = self._gateway.hubs.connection(call.hub, name)
        if session is None:
            raise not_found("Info", "Connection", name)
        if not session.rights.granted(action, group):
            raise not_found("Info", "Permission", action)
        return done(200)

    async def revoke(self, call: Call) -> Response:
        """``DELETE``; membership stays."""
        action, group = _what(call)
        session = self._gateway.hubs.connection(call.hub, call.path("connection"))
        if session is not None:
            session.withdraw_grant(action, group)
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
