"""Pushes that were given up, for the owner of the data folder (Unix socket) and for admin keys, of every hub."""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from tocsin.api.auth import Authenticator
from tocsin.api.http import Request, Response
from tocsin.api.paging import cursor_of, cursor_text, limit_of
from tocsin.clock import Clock, to_rfc3339
from tocsin.errors import ConflictError, NotFoundError
from tocsin.ports.audit import Deed
from tocsin.ports.dead_pushes import DeadPush
from tocsin.ports.dead_pushes import DeadPushes as KeptPushes


class DeadPushes:
    """The routes of dead pushes.  They go by themselves after a while, so there is none to drop one.

    Which: ``hub``, and ``reason`` is a part of what was answered, in any case.
    """

    def __init__(self, auth: Authenticator, kept: KeptPushes, clock: Clock) -> None:
        self._auth = auth
        self._kept = kept
        self._clock = clock

    async def list(self, request: Request) -> Response:
        """``GET /v1/admin/dead-pushes``: the last given up first, page by page."""
        self._auth.admin(request)
        wanted, following = await self._page(request)
        answer = {"dead": [_describe(one) for one in wanted], "page": {"next": following}}
        return Response(200, msgspec.json.encode(answer))

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

    async def retry_page(self, request: Request, deed: Deed) -> Response:
        """``POST /v1/admin/dead-pushes/retry``: what the list shows at the same cursor, each as if it had never been tried.

        Those whose device is gone are counted, and stay.
        """
        self._auth.admin(request)
        wanted, following = await self._page(request)
        now_us, retried = self._clock.now_us(), 0
        for one in wanted:
            of_push = replace(deed, hub=one.hub, target=one.id)
            retried += await self._kept.retry_push(one.id, now_us, of_push)
        answer = {"retried": retried, "gone": len(wanted) - retried, "page": {"next": following}}
        return Response(202, msgspec.json.encode(answer))

    async def _page(self, request: Request) -> tuple[Sequence[DeadPush], str | None]:
        """Return what is wanted of ``limit`` dead pushes, and where the next ones begin."""
        limit = limit_of(request)
        found = await self._kept.dead_pushes(limit=limit + 1, below=cursor_of(request))
        page = found[:limit]
        following = (page[-1].ended_us, page[-1].id) if len(found) > limit else None
        return [one for one in page if _is_wanted(one, request)], cursor_text(following)


def _is_wanted(push: DeadPush, request: Request) -> bool:
    hub, reason = request.query("hub"), request.query("reason") or ""
    return hub in (None, push.hub) and reason.lower() in push.reason.lower()


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
