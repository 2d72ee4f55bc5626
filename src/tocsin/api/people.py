"""What a backend decides about one of its people: for server and admin keys."""

import msgspec

from tocsin.api.auth import Authenticator
from tocsin.api.http import Request, Response
from tocsin.clock import to_rfc3339
from tocsin.model.ids import check_id
from tocsin.realtime.gateway import Gateway
from tocsin.realtime.revocations import Revocations


class People:
    """The routes about a person."""

    def __init__(self, auth: Authenticator, revocations: Revocations, gateway: Gateway) -> None:
        self._auth = auth
        self._revocations = revocations
        self._gateway = gateway

    async def revoke_tokens(self, request: Request) -> Response:
        """``POST /v1/users/{user}/revoke-tokens``: every token issued until now is void, live connections end."""
        hub = self._auth.server(request).hub
        user = check_id(request.params["user"], "user")
        valid_from_us = await self._revocations.revoke(hub, user)
        self._gateway.revoke(hub, user)
        answer = {"user": user, "revoked_at": to_rfc3339(valid_from_us)}
        return Response(200, msgspec.json.encode(answer))
