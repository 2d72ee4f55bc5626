"""Messages of an application to its connections: to all, a group, a user, one."""

from typing import Final

from tocsin.api.bodies import media_type
from tocsin.api.http import Response
from tocsin.api.webpubsub.answers import done
from tocsin.api.webpubsub.service import Call, Service, where_of
from tocsin.errors import InvalidInputError, UnsupportedError
from tocsin.model.data_type import DataType, is_of
from tocsin.realtime.errands import Whom
from tocsin.realtime.gateway import Gateway
from tocsin.realtime.message import NEVER_S, Message
from tocsin.realtime.metadata import check_metadata
from tocsin.realtime.request import MalformedError

_TYPES: Final[dict[str, DataType]] = {
    "application/json": "json",
    "text/plain": "text",
    "application/octet-stream": "binary",
}
_METADATA: Final = b"x-webpubsub-metadata-"


class Sends:
    """The ``:send`` operations.  A repeat is answered like the first, and not sent."""

    def __init__(self, service: Service, gateway: Gateway, message_bytes: int) -> None:
        self._service = service
        self._gateway = gateway
        self._message_bytes = message_bytes

    async def to_all(self, call: Call) -> Response:
        """``POST /api/hubs/{hub}/:send``."""
        return await self._send(call, call.whom("all"))

    async def to_group(self, call: Call) -> Response:
        """``POST /api/hubs/{hub}/groups/{group}/:send``."""
        group = call.group()
        return await self._send(call, call.whom("group", group), group)

    async def to_user(self, call: Call) -> Response:
        """``POST /api/hubs/{hub}/users/{user}/:send``."""
        return await self._send(call, call.whom("user", call.path("user")))

    async def to_connection(self, call: Call) -> Response:
        """``POST /api/hubs/{hub}/connections/{connection}/:send``; 202 also if there is none of that id."""
        return await self._send(call, call.connection())

    async def _send(self, call: Call, whom: Whom, group: str | None = None) -> Response:
        where = where_of(whom)
        message = await self._message(call, group)
        if message is not None:
            self._gateway.everywhere.send(whom, message, where, call.asked)
        return done(202)

    async def _message(self, call: Call, group: str | None = None) -> Message | None:
        """Read the message; None if it was sent before.

        Raises:
            UnsupportedError: Its type is none that can be sent.
            InvalidInputError: It is not what its type says, or its metadata break a rule.
        """
        kind = media_type(call.request)
        data_type = _TYPES.get(kind)
        if data_type is None:
            detail = f"Content-Type {kind[:80]!r} cannot be sent; use {', '.join(_TYPES)}"
            raise UnsupportedError(detail, code="unsupported-content-type")
        ttl_s = call.ttl_s()
        metadata = _metadata(call)
        body = await call.request.body(self._message_bytes, "limits.message_bytes")
        if not is_of(data_type, body):
            detail = f"the body is no {data_type} in UTF-8"
            raise InvalidInputError(detail, code="invalid-json")
        if self._service.is_repeat(call, body):
            return None
        return Message(
            body,
            data_type=data_type,
            group=group,
            metadata=metadata,
            expires_s=self._gateway.now_s() + ttl_s if ttl_s else NEVER_S,
        )


def _metadata(call: Call) -> dict[str, str] | None:
    """Return what ``X-WebPubSub-Metadata-*`` headers say."""
    given = {
        name[len(_METADATA) :].decode("latin-1"): value.decode("latin-1")
        for name, value in call.request.scope["headers"]
        if name.startswith(_METADATA)
    }
    try:
        return dict(check_metadata(given)) or None
    except MalformedError as error:
        raise InvalidInputError(str(error), code="invalid-metadata") from None
