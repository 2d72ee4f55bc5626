"""The one way through which routes go that change rights or data, or show what is secret: each leaves a deed in the log.

A deed is noted right after the action, and before its answer: whoever got an answer left a trace.  Refusals are noted too, once
it is known who asks; what has no good key leaves none.
"""

import msgspec

from tocsin.api.auth import Authenticator, Principal, managed_hub
from tocsin.api.http import Handler, Request, Response, Streaming
from tocsin.api.paging import integer, limit_of
from tocsin.api.seal import Seal
from tocsin.clock import Clock, to_rfc3339
from tocsin.errors import TocsinError
from tocsin.ports.audit import AuditLog, Deed, DeedFilter

DONE = "done"
_TARGET_CHARS = 256


class Audit:
    """Wraps handlers, and lists what they left."""

    def __init__(self, auth: Authenticator, log: AuditLog, seal: Seal, clock: Clock) -> None:
        self._auth = auth
        self._log = log
        self._seal = seal
        self._clock = clock

    def of(self, action: str, handler: Handler) -> Handler:
        """Return a handler that does what ``handler`` does, and notes it as ``action``."""

        async def audited(request: Request) -> Response | Streaming:
            principal = self._auth.key(request)
            try:
                response = await handler(request)
            except TocsinError as error:
                await self._note(principal, action, request, error.code)
                raise
            await self._note(principal, action, request, DONE)
            return response

        return audited

    async def list(self, request: Request) -> Response:
        """``GET /v1/admin/audit``: newest first, page by page."""
        principal = self._auth.admin(request)
        limit, cursor = limit_of(request), request.query("cursor")
        hub, user, target = (
            managed_hub(principal, request),
            request.query("user"),
            request.query("target"),
        )
        if user is not None:
            target = self._seal.pseudonym(hub or principal.hub, user)
        found = await self._log.deeds(
            DeedFilter(
                hub=hub,
                actor=request.query("actor"),
                action=request.query("action"),
                target=target,
                below=None if cursor is None else integer(cursor, "cursor"),
                limit=limit + 1,
            )
        )
        page = found[:limit]
        more = str(page[-1].number) if len(found) > limit else None
        answer = {"deeds": [_describe(deed) for deed in page], "page": {"next": more}}
        return Response(200, msgspec.json.encode(answer))

    async def _note(
        self, principal: Principal, action: str, request: Request, outcome: str
    ) -> None:
        deed = Deed(
            hub=request.target_hub or principal.hub,
            actor=principal.key_id,
            actor_name=principal.name,
            action=action,
            target=self._target(principal, request),
            outcome=outcome,
            at_us=self._clock.now_us(),
        )
        await self._log.note(deed)

    def _target(self, principal: Principal, request: Request) -> str:
        """Name what it was done to; a person by pseudonym, since the log outlives an erasure."""
        user = request.params.get("user")
        if user is not None:
            return self._seal.pseudonym(principal.hub, user)
        return (request.target or request.params.get("id", ""))[:_TARGET_CHARS]


def _describe(deed: Deed) -> dict[str, str]:
    return {
        "at": to_rfc3339(deed.at_us),
        "hub": deed.hub,
        "actor": deed.actor,
        "actor_name": deed.actor_name,
        "action": deed.action,
        "target": deed.target,
        "outcome": deed.outcome,
    }
