"""API keys: for the owner of the data folder (Unix socket) and for admin keys."""

from typing import Annotated

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from tocsin.api.auth import Authenticator, managed_hub
from tocsin.api.bodies import read_json
from tocsin.api.http import Request, Response
from tocsin.api.keyring import KeyRing
from tocsin.clock import to_rfc3339
from tocsin.errors import NotFoundError
from tocsin.model.ids import canonical_hub
from tocsin.ports.audit import Deed
from tocsin.ports.store import ApiKey, Role


class KeyRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``POST /v1/admin/keys``; without a hub the one of the caller."""

    role: Role
    name: Annotated[str, Meta(min_length=1, max_length=256)] | None = None
    hub: str | None = None


_key_request = msgspec.json.Decoder(KeyRequest)


class Admin:
    """The routes of administrators."""

    def __init__(self, auth: Authenticator, keyring: KeyRing) -> None:
        self._auth = auth
        self._keyring = keyring

    async def create_key(self, request: Request, deed: Deed) -> Response:
        """``POST /v1/admin/keys``: the only time the key itself is shown."""
        principal = self._auth.admin(request)
        wanted = await read_json(request, _key_request)
        hub = principal.hub if wanted.hub is None else canonical_hub(wanted.hub)
        name = wanted.name or wanted.role
        text, key = await self._keyring.create(hub, wanted.role, name, deed)
        return Response(201, msgspec.json.encode({"key": text, **_describe(key)}))

    async def list_keys(self, request: Request) -> Response:
        """``GET /v1/admin/keys?hub=``: revoked ones too, oldest first."""
        hub = managed_hub(self._auth.admin(request), request)
        keys = [_describe(key) for key in self._keyring.all(hub)]
        return Response(200, msgspec.json.encode({"keys": keys}))

    async def revoke_key(self, request: Request, deed: Deed) -> Response:
        """``DELETE /v1/admin/keys/{id}``: at once; repeating it changes nothing."""
        self._auth.admin(request)
        key_id = request.params["id"]
        key = self._keyring.find(key_id)
        if key is None:
            detail = f"there is no key {key_id[:40]!r}; `tocsin key list` shows their ids"
            raise NotFoundError(detail, code="key-not-found")
        await self._keyring.revoke(key_id, replace(deed, hub=key.hub))
        return Response(204)


def _describe(key: ApiKey) -> dict[str, str]:
    described = {
        "id": key.id,
        "hub": key.hub,
        "role": key.role,
        "name": key.name,
        "created_at": to_rfc3339(key.created_us),
    }
    if key.revoked_us is not None:
        described["revoked_at"] = to_rfc3339(key.revoked_us)
    return described
