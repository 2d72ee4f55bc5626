"""VAPID keys over HTTP: which there are, another one, and the end of the older one; for administrators."""

import msgspec

from tocsin.api.auth import Authenticator
from tocsin.api.http import Request, Response
from tocsin.clock import to_rfc3339
from tocsin.ports.audit import Deed
from tocsin.push.vapid import VapidRing


class VapidKeyRoutes:
    """The routes of VAPID keys, which are the whole server's."""

    def __init__(self, auth: Authenticator, vapid: VapidRing) -> None:
        self._auth = auth
        self._vapid = vapid

    async def list(self, request: Request) -> Response:
        """``GET /v1/admin/vapid-keys``: oldest first, retired ones too, never the private part."""
        self._auth.admin(request)
        current = self._vapid.current.id
        described = [
            {
                "id": key.id,
                "public_key": key.public_key,
                "state": "current"
                if key.id == current
                else "valid"
                if key.retired_us is None
                else "retired",
                "created_at": to_rfc3339(key.created_us),
                "retired_at": None if key.retired_us is None else to_rfc3339(key.retired_us),
            }
            for key in await self._vapid.all()
        ]
        return Response(200, msgspec.json.encode({"vapid_keys": described}))

    async def rotate(self, request: Request, deed: Deed) -> Response:
        """``POST /v1/admin/vapid-keys``: browsers subscribe with a new key from now on, and the old one stays valid."""
        self._auth.admin(request)
        made = await self._vapid.rotate(deed)
        return Response(201, msgspec.json.encode({"id": made.id, "public_key": made.public_key}))

    async def retire(self, request: Request, deed: Deed) -> Response:
        """``DELETE /v1/admin/vapid-keys/{id}``: what subscribed with it is reached no more."""
        self._auth.admin(request)
        devices = await self._vapid.retire(request.params["id"], deed)
        return Response(200, msgspec.json.encode({"id": request.params["id"], "devices": devices}))
