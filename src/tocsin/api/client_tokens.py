"""Client tokens: what a backend gives its signed-in user, so that the user's browser may connect."""

from typing import Annotated

import msgspec
from msgspec import Meta

from tocsin.api.auth import Authenticator
from tocsin.api.bodies import read_json
from tocsin.api.endpoints import Endpoints
from tocsin.api.http import Request, Response
from tocsin.api.keyring import KeyRing
from tocsin.clock import US_PER_S, Clock, to_rfc3339
from tocsin.config import Limits
from tocsin.errors import InvalidInputError
from tocsin.model.ids import check_id
from tocsin.ports.store import InboxStore
from tocsin.realtime.tokens import INBOX_SCOPE, sign_token

DEFAULT_TTL_S = 3_600

Names = Annotated[tuple[str, ...], Meta(max_length=1_000)]


class TokenRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``POST /v1/client-tokens``; without ``ttl_s`` an hour, or less where the limit is less."""

    user_id: str
    ttl_s: Annotated[int, Meta(gt=0)] | None = None
    roles: Names = ()
    groups: Names = ()


_decoder = msgspec.json.Decoder(TokenRequest)


class ClientTokens:
    """Issues tokens with the scope ``inbox``."""

    def __init__(
        self,
        auth: Authenticator,
        keyring: KeyRing,
        store: InboxStore,
        endpoints: Endpoints,
        clock: Clock,
        limits: Limits,
    ) -> None:
        self._auth = auth
        self._keyring = keyring
        self._store = store
        self._endpoints = endpoints
        self._clock = clock
        self._limits = limits

    async def create(self, request: Request) -> Response:
        """``POST /v1/client-tokens`` with a server key."""
        hub = self._auth.server(request).hub
        wanted = await read_json(request, _decoder)
        if wanted.ttl_s is not None and wanted.ttl_s > self._limits.token_ttl_s:
            detail = (
                f"ttl_s is {wanted.ttl_s}; at most {self._limits.token_ttl_s} is allowed "
                "(limits.token_ttl_s)"
            )
            raise InvalidInputError(detail, code="invalid-field", pointer="/ttl_s")
        return Response(200, msgspec.json.encode(await self.issue(hub, wanted)))

    async def issue(self, hub: str, wanted: TokenRequest) -> dict[str, str]:
        """Sign a token; returns ``token``, the client ``url`` that carries it, and ``expires_at``.

        It is the user's first contact if there was none: broadcasts from now on are in the inbox.
        """
        user = check_id(wanted.user_id, "user_id", "/user_id")
        await self._store.head(hub, user)
        valid_from_us = await self._keyring.valid_from_us(hub, user)
        token, expires_s = sign_token(
            await self._keyring.open_hub(hub),
            endpoint=self._endpoints.public,
            hub=hub,
            user=user,
            ttl_s=wanted.ttl_s or min(DEFAULT_TTL_S, self._limits.token_ttl_s),
            now_us=max(self._clock.now_us(), valid_from_us + 1),
            scope=INBOX_SCOPE,
            roles=wanted.roles,
            groups=wanted.groups,
        )
        return {
            "token": token,
            "url": self._endpoints.socket_url(hub, token),
            "expires_at": to_rfc3339(expires_s * US_PER_S),
        }
