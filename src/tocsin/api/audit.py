"""The one way through which routes go that change rights or data, or show what is secret: each leaves a deed in the log.

What changes the store gets its deed as an argument, and hands it to the store with the change: both are in one transaction.
What changes nothing there is noted when it is done, and before its answer: whoever got an answer left a trace.  Refusals are
noted too, once it is known who asks; what has no good key leaves none.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from tocsin.api.auth import Authenticator, Principal, managed_hub
from tocsin.api.bodies import read_json
from tocsin.api.http import Handler, Request, Response, Streaming
from tocsin.api.paging import integer, limit_of
from tocsin.api.seal import Seal
from tocsin.clock import Clock, to_rfc3339
from tocsin.errors import ForbiddenError, TocsinError
from tocsin.ports.audit import AuditLog, Deed, DeedFilter, backup_deed

_TARGET_CHARS = 256
_PATH_CHARS = 4_096  # Linux's own limit


class BackupNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``POST /v1/admin/backups``: ``begun`` first, then ``done`` or the code of what went wrong."""

    archive: Annotated[str, Meta(min_length=1, max_length=_PATH_CHARS)]
    outcome: Annotated[str, Meta(pattern="^[a-z][a-z-]{0,39}$")]
    with_key: bool


_backup_note = msgspec.json.Decoder(BackupNote)
Changing = Callable[[Request, Deed], Awaitable[Response]]
"""A handler that hands its deed to the store, with what it knows of the target."""

DONE = "done"
_NAMES = ("id", "which", "topic")  # in paths, of what is acted on


class Audit:
    """Wraps handlers, and lists what they left."""

    def __init__(self, auth: Authenticator, log: AuditLog, seal: Seal, clock: Clock) -> None:
        self._auth = auth
        self._log = log
        self._seal = seal
        self._clock = clock

    def kept(self, action: str, handler: Changing) -> Handler:
        """Return a handler that has the store keep its deed as ``action``."""

        async def audited(request: Request) -> Response:
            deed = self._deed(action, request)
            try:
                return await handler(request, deed)
            except TocsinError as error:
                await self._log.note(replace(deed, outcome=error.code))
                raise

        return audited

    def noted(self, action: str, handler: Handler) -> Handler:
        """Return a handler that is noted as ``action`` when it is done: one that changes nothing in the store."""

        async def audited(request: Request) -> Response | Streaming:
            deed = self._deed(action, request)
            try:
                response = await handler(request)
            except TocsinError as error:
                await self._log.note(replace(deed, outcome=error.code))
                raise
            await self._log.note(deed)
            return response

        return audited

    async def backup(self, request: Request) -> Response:
        """``POST /v1/admin/backups``: the owner of the data folder copies it, beside this server, or has.

        Raises:
            ForbiddenError: It did not come by the Unix socket.
        """
        self._auth.admin(request)
        if not request.is_local:
            detail = "only the owner of the data folder makes backups: run `tocsin backup` beside the server"
            raise ForbiddenError(detail, code="local-only")
        told = await read_json(request, _backup_note)
        await self._log.note(
            backup_deed(
                told.archive, told.outcome, with_key=told.with_key, now_us=self._clock.now_us()
            )
        )
        return Response(204)

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

    def _deed(self, action: str, request: Request) -> Deed:
        principal = self._auth.key(request)
        return Deed(
            hub=principal.hub,
            actor=principal.key_id,
            actor_name=principal.name,
            action=action,
            target=self._target(principal, request),
            outcome=DONE,
            at_us=self._clock.now_us(),
        )

    def _target(self, principal: Principal, request: Request) -> str:
        """Name what the path names; a person by pseudonym, since the log outlives an erasure."""
        user = request.params.get("user")
        if user is not None:
            return self._seal.pseudonym(principal.hub, user)
        named = (request.params[name] for name in _NAMES if name in request.params)
        return next(named, "")[:_TARGET_CHARS]


def _describe(deed: Deed) -> dict[str, object]:
    return {
        "at": to_rfc3339(deed.at_us),
        "hub": deed.hub,
        "actor": deed.actor,
        "actor_name": deed.actor_name,
        "action": deed.action,
        "target": deed.target,
        "outcome": deed.outcome,
        "detail": deed.detail,
    }
