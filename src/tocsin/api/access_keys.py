"""Access keys of a hub and the connection strings made of them: for the owner of the data folder and for admin keys."""

import hashlib
from typing import get_args

import msgspec

from tocsin.api.auth import Authenticator
from tocsin.api.endpoints import Endpoints
from tocsin.api.http import Request, Response
from tocsin.api.keyring import KeyRing
from tocsin.errors import InvalidInputError, NotFoundError
from tocsin.ports.audit import Deed
from tocsin.ports.store import KeyName
from tocsin.realtime.gateway import Gateway

_NAMES: tuple[KeyName, ...] = get_args(KeyName)
_FINGERPRINT = 12


class AccessKeyRoutes:
    """The routes about the two keys that sign client tokens."""

    def __init__(
        self, auth: Authenticator, keyring: KeyRing, endpoints: Endpoints, gateway: Gateway
    ) -> None:
        self._auth = auth
        self._keyring = keyring
        self._endpoints = endpoints
        self._gateway = gateway

    async def list(self, request: Request) -> Response:
        """``GET /v1/admin/access-keys``: both by fingerprint, made now if the hub had none."""
        hub = self._auth.admin(request).hub
        keys = await self._keyring.open_hub(hub)
        described = [_describe(*pair) for pair in zip(_NAMES, keys, strict=True)]
        return Response(200, msgspec.json.encode({"hub": hub, "access_keys": described}))

    async def regenerate(self, request: Request, deed: Deed) -> Response:
        """``POST /v1/admin/access-keys/{which}/regenerate``: what the old key signed is void, and its connections end."""
        hub = self._auth.admin(request).hub
        named = request.params["which"]
        which = _which(named)
        if which is None:
            detail = f"there is no access key {named[:40]!r}; they are primary and secondary"
            raise NotFoundError(detail, code="key-not-found")
        keys = await self._keyring.regenerate(hub, which, deed)
        self._gateway.key_regenerated(hub, which)
        described = _describe(which, keys[_NAMES.index(which)])
        return Response(200, msgspec.json.encode({"hub": hub, **described}))

    async def connection_string(self, request: Request) -> Response:
        """``GET /v1/admin/connection-string?key=``: for the Web PubSub SDKs of a backend."""
        hub = self._auth.admin(request).hub
        named = request.query("key") or "primary"
        which = _which(named)
        if which is None:
            detail = f"key is {named[:40]!r}; it is primary or secondary"
            raise InvalidInputError(detail, code="invalid-query")
        key = (await self._keyring.open_hub(hub))[_NAMES.index(which)]
        text = f"Endpoint={self._endpoints.public};AccessKey={key.decode()};Version=1.0;"
        return Response(200, msgspec.json.encode({"connection_string": text, "hub": hub}))


def _which(name: str) -> KeyName | None:
    return next((known for known in _NAMES if known == name), None)


def _describe(name: KeyName, key: bytes) -> dict[str, str]:
    """Name a key without showing it: a key has 384 random bits, so nothing follows from a part of its hash."""
    return {"name": name, "fingerprint": hashlib.sha256(key).hexdigest()[:_FINGERPRINT]}
