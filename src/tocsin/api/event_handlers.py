"""Event handlers of a hub: the applications that decide about its connections and take their events."""

from typing import Annotated

import msgspec
from msgspec import Meta

from tocsin.api.auth import Authenticator
from tocsin.api.bodies import read_json
from tocsin.api.http import Request, Response
from tocsin.clock import Clock, to_rfc3339
from tocsin.config import WantedHandler
from tocsin.events.rules import Rule, Rules
from tocsin.model.event_handler import SystemEvent
from tocsin.ports.audit import Deed


class HandlerRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``POST /v1/admin/event-handlers``."""

    url: str
    user_events: str = ""
    system_events: Annotated[tuple[SystemEvent, ...], Meta(max_length=3)] = ()
    authorization: str | None = None


_request = msgspec.json.Decoder(HandlerRequest)
_encode = msgspec.json.encode


class EventHandlers:
    """The routes of event handlers, for administrators."""

    def __init__(self, auth: Authenticator, rules: Rules, clock: Clock) -> None:
        self._auth = auth
        self._rules = rules
        self._clock = clock

    async def create(self, request: Request, deed: Deed) -> Response:
        """``POST /v1/admin/event-handlers``: asked after those that are there."""
        hub = self._auth.admin(request).hub
        body = await read_json(request, _request)
        wanted = WantedHandler(**msgspec.structs.asdict(body))
        rule = await self._rules.add(hub, wanted, self._clock.now_us(), deed)
        return Response(201, _encode(_describe(rule)))

    async def list(self, request: Request) -> Response:
        """``GET /v1/admin/event-handlers``: those of the hub, in the order in which they are asked."""
        found = self._rules.of(self._auth.admin(request).hub)
        return Response(200, _encode({"event_handlers": [_describe(rule) for rule in found]}))

    async def remove(self, request: Request, deed: Deed) -> Response:
        """``DELETE /v1/admin/event-handlers/{id}``: from the next event on."""
        hub = self._auth.admin(request).hub
        await self._rules.remove(hub, request.params["id"], deed)
        return Response(204)

    async def test(self, request: Request) -> Response:
        """``POST /v1/admin/event-handlers/{id}/test``: make the handshake of abuse protection now."""
        hub = self._auth.admin(request).hub
        trouble = await self._rules.named(hub, request.params["id"]).validation.again()
        return Response(200, _encode({"allowed": trouble is None, "reason": trouble}))


def _describe(rule: Rule) -> dict[str, object]:
    handler = rule.handler
    return {
        "id": handler.id,
        "hub": handler.hub,
        "url": handler.url,
        "user_events": handler.user_events,
        "system_events": handler.system_events,
        "has_authorization": bool(rule.headers),
        "from_file": rule.from_file,
        "created_at": None if rule.from_file else to_rfc3339(handler.created_us),
    }
