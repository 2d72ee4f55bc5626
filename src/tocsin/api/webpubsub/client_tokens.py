"""Client tokens as Azure's data plane issues them: they open a socket, never an inbox."""

from typing import Final

from tocsin.api.endpoints import Endpoints
from tocsin.api.http import Response
from tocsin.api.keyring import KeyRing
from tocsin.api.webpubsub.answers import ParameterError, done
from tocsin.api.webpubsub.service import Call, checked_group
from tocsin.clock import Clock
from tocsin.model.ids import check_id
from tocsin.realtime.tokens import sign_token

_DEFAULT_MINUTES: Final = 60


class ServiceTokens:
    """``:generateToken``."""

    def __init__(self, keyring: KeyRing, endpoints: Endpoints, clock: Clock, most_s: int) -> None:
        self._keyring = keyring
        self._endpoints = endpoints
        self._clock = clock
        self._most_s = most_s

    async def generate(self, call: Call) -> Response:
        """``POST /api/hubs/{hub}/:generateToken``."""
        minutes = call.number("minutesToExpire", 1, max(1, self._most_s // 60))
        if (kind := call.one("clientType") or "Default").lower() != "default":
            raise ParameterError("clientType", f"{kind[:40]!r} is not served; use Default")
        user = call.one("userId") or None
        now_us = self._clock.now_us()
        if user is not None:
            valid_from_us = await self._keyring.valid_from_us(call.hub, check_id(user, "userId"))
            now_us = max(now_us, valid_from_us + 1)
        token, _ = sign_token(
            await self._keyring.open_hub(call.hub),
            endpoint=self._endpoints.public,
            hub=call.hub,
            user=user,
            ttl_s=60 * minutes if minutes else min(60 * _DEFAULT_MINUTES, self._most_s),
            now_us=now_us,
            roles=call.many("role"),
            groups=[checked_group(group) for group in call.many("group")],
        )
        return done(200, {"token": token})
