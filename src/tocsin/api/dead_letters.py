"""Dead letters: what was given up, for the owner of the data folder (Unix socket) and for admin keys, of every hub."""

import msgspec
from msgspec.structs import replace

from tocsin.api.auth import Authenticator
from tocsin.api.http import Request, Response
from tocsin.api.paging import cursor_of, limit_of, newest_page
from tocsin.clock import to_rfc3339
from tocsin.errors import ConflictError, NotFoundError
from tocsin.model.alert import Audience
from tocsin.ports.audit import Deed
from tocsin.ports.queue import DeadLetter
from tocsin.ports.queue import DeadLetters as KeptLetters


class DeadLetters:
    """The routes of dead letters."""

    def __init__(self, auth: Authenticator, kept: KeptLetters) -> None:
        self._auth = auth
        self._kept = kept

    async def list(self, request: Request) -> Response:
        """``GET /v1/admin/dead``: newest first, page by page."""
        self._auth.admin(request)
        limit = limit_of(request)
        found = await self._kept.dead_letters(limit=limit + 1, below=cursor_of(request))
        places = [(letter.at_us, letter.envelope.id) for letter in found]
        return newest_page("dead", [_describe(letter) for letter in found], places, limit)

    async def show(self, request: Request) -> Response:
        """``GET /v1/admin/dead/{id}``: with what it says and whom it is for."""
        letter = await self._named(request)
        envelope = letter.envelope
        answer = {**_describe(letter), "to": envelope.audience, "alert": envelope.content}
        return Response(200, msgspec.json.encode(answer))

    async def retry(self, request: Request, deed: Deed) -> Response:
        """``POST /v1/admin/dead/{id}/retry``: back to the queue, as if it had never been tried."""
        envelope = (await self._named(request)).envelope
        alert_id = envelope.id
        if envelope.audience == Audience():
            detail = (
                f"the dead letter {alert_id} is a message that could not be read, so it names nobody: have its sender "
                "send it again, or publish what it says; then drop it"
            )
            raise ConflictError(detail, code="dead-letter-unreadable")
        if not await self._kept.revive(alert_id, replace(deed, hub=envelope.hub)):
            raise _no_letter(request)
        return Response(202, msgspec.json.encode({"id": alert_id, "status": "accepted"}))

    async def drop(self, request: Request, deed: Deed) -> Response:
        """``DELETE /v1/admin/dead/{id}``: for good."""
        envelope = (await self._named(request)).envelope
        if not await self._kept.drop_dead(envelope.id, replace(deed, hub=envelope.hub)):
            raise _no_letter(request)
        return Response(204)

    async def _named(self, request: Request) -> DeadLetter:
        self._auth.admin(request)
        letter = await self._kept.dead_letter(request.params["id"])
        if letter is None:
            raise _no_letter(request)
        return letter


def _describe(letter: DeadLetter) -> dict[str, object]:
    envelope = letter.envelope
    return {
        "id": envelope.id,
        "hub": envelope.hub,
        "key_id": envelope.key_id,
        "reason": letter.reason,
        "attempts": letter.attempts,
        "accepted_at": to_rfc3339(envelope.accepted_us),
        "dead_at": to_rfc3339(letter.at_us),
    }


def _no_letter(request: Request) -> NotFoundError:
    detail = f"there is no dead letter {request.params['id'][:80]!r}; `tocsin dead list` shows them"
    return NotFoundError(detail, code="dead-letter-not-found")
