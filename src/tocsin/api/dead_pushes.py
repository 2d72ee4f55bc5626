"""Pushes that were given up, for the owner of the data folder (Unix socket) and for admin keys, of every hub."""

import msgspec
from msgspec.structs import replace

from tocsin.api.auth import Authenticator
from tocsin.api.http import Request, Response
from tocsin.api.paging import cursor_of, limit_of, newest_page
from tocsin.clock import Clock, to_rfc3339
from tocsin.errors import ConflictError, NotFoundError
from tocsin.ports.audit import Deed
from tocsin.ports.dead_pushes import DeadPush
from tocsin.ports.dead_pushes import DeadPushes as KeptPushes


class DeadPushes:
    """The routes of dead pushes.  They go by themselves after a while, so there is none to drop one."""

    def __init__(self, auth: Authenticator, kept: KeptPushes, clock: Clock) -> None:
        self._auth = auth
        self._kept = kept
        self._clock = clock

    async def list(self, request: Request) -> Response:
        """``GET /v1/admin/dead-pushes``: the last given up first, page by page."""
        self._auth.admin(request)
        limit = limit_of(request)
        found = await self._kept.dead_pushes(limit=limit + 1, below=cursor_of(request))
        places = [(one.ended_us, one.id) for one in found]
        return newest_page("dead", [_describe(one) for one in found], places, limit)

    async def retry(self, request: Request, deed: Deed) -> Response:
        """``POST /v1/admin/dead-pushes/{id}/retry``: once more, as if it had never been tried.

        Raises:
            NotFoundError: There is no such dead push.
            ConflictError: Its device is no longer reached.
        """
        self._auth.admin(request)
        push_id = request.params["id"]
        push = await self._kept.dead_push(push_id)
        if push is None:
            detail = f"there is no dead push {push_id[:80]!r}; `tocsin dead pushes` shows them"
            raise NotFoundError(detail, code="dead-push-not-found")
        of_hub = replace(deed, hub=push.hub)
        if not await self._kept.retry_push(push_id, self._clock.now_us(), of_hub):
            detail = f"the device {push.device!r} is gone; it registers again when its app starts"
            raise ConflictError(detail, code="push-device-gone")
        return Response(202, msgspec.json.encode({"id": push_id, "status": "waiting"}))


def _describe(push: DeadPush) -> dict[str, object]:
    return {
        "id": push.id,
        "hub": push.hub,
        "user": push.user,
        "alert_id": push.alert_id,
        "installation_id": push.device,
        "platform": push.platform,
        "end": push.end,
        "reason": push.reason,
        "attempts": push.attempts,
        "made_at": to_rfc3339(push.made_us),
        "dead_at": to_rfc3339(push.ended_us),
    }
