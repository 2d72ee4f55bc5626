"""What a backend decides about one of its people: for server and admin keys."""

import msgspec
from msgspec.structs import replace

from tocsin.api.auth import Authenticator, managed_hub
from tocsin.api.export import NDJSON, Export
from tocsin.api.http import Request, Response, Streaming
from tocsin.api.paging import limit_of
from tocsin.api.seal import Seal
from tocsin.clock import Clock, to_rfc3339
from tocsin.inbox.eraser import Eraser
from tocsin.model.ids import check_id, uuid7
from tocsin.ports.audit import Deed
from tocsin.ports.erasure import Erasure, ErasureRequest, ErasureStore, HoldingStore
from tocsin.realtime.gateway import Gateway
from tocsin.realtime.revocations import Revocations


class People:
    """The routes about a person."""

    def __init__(
        self,
        auth: Authenticator,
        revocations: Revocations,
        gateway: Gateway,
        eraser: Eraser,
        records: ErasureStore,
        holdings: HoldingStore,
        seal: Seal,
        clock: Clock,
    ) -> None:
        self._auth = auth
        self._revocations = revocations
        self._gateway = gateway
        self._eraser = eraser
        self._records = records
        self._holdings = holdings
        self._seal = seal
        self._clock = clock

    async def revoke_tokens(self, request: Request, deed: Deed) -> Response:
        """``POST /v1/users/{user}/revoke-tokens``: every token issued until now is void, live connections end."""
        hub = self._auth.server(request).hub
        user = check_id(request.params["user"], "user")
        valid_from_us = await self._revoke(hub, user, deed)
        answer = {"user": user, "revoked_at": to_rfc3339(valid_from_us)}
        return Response(200, msgspec.json.encode(answer))

    async def erase(self, request: Request, deed: Deed) -> Response:
        """``DELETE /v1/users/{user}``: 200 when all of it is gone, 202 while the rest goes by itself.

        The tokens are void first, and the connections end, so that no client of the person mentions the name again: a deed
        of its own, since a crash may come after it.
        """
        principal = self._auth.server(request)
        hub, user = principal.hub, check_id(request.params["user"], "user")
        await self._revoke(hub, user, replace(deed, action="user.revoke-tokens"))
        record = await self._eraser.erase(
            ErasureRequest(
                uuid7(self._clock.now_us()),
                hub,
                user,
                self._seal.pseudonym(hub, user),
                principal.key_id,
            ),
            deed,
        )
        status = 202 if record.finished_us is None else 200
        return Response(status, msgspec.json.encode(_describe(record)))

    async def export(self, request: Request) -> Streaming:
        """``GET /v1/users/{user}/export``: everything that is held of a person, a line each."""
        hub = self._auth.server(request).hub
        user = check_id(request.params["user"], "user")
        return Streaming(Export(self._holdings, hub, user, self._clock.now_us()), NDJSON)

    async def erasures(self, request: Request) -> Response:
        """``GET /v1/admin/erasures``: the records, newest first, page by page."""
        hub = managed_hub(self._auth.admin(request), request)
        limit, below = limit_of(request), request.query("cursor")
        found = await self._records.erasures(hub, limit=limit + 1, below=below)
        page = found[:limit]
        answer = {
            "erasures": [_describe(record) for record in page],
            "page": {"next": page[-1].id if len(found) > limit else None},
        }
        return Response(200, msgspec.json.encode(answer))

    async def _revoke(self, hub: str, user: str, deed: Deed) -> int:
        valid_from_us = await self._revocations.revoke(hub, user, deed)
        self._gateway.revoke(hub, user)
        return valid_from_us


def _describe(record: Erasure) -> dict[str, object]:
    described: dict[str, object] = {
        "id": record.id,
        "hub": record.hub,
        "pseudonym": record.pseudonym,
        "asked_by": record.key_id,
        "asked_at": to_rfc3339(record.at_us),
        "counts": record.counts,
    }
    if record.finished_us is not None:
        described["finished_at"] = to_rfc3339(record.finished_us)
    return described
