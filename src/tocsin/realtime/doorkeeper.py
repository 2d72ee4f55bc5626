"""Who may come in with a client token: one place that decides it, for sockets, event streams and inbox requests alike."""

from collections.abc import Sequence

from tocsin.clock import Clock
from tocsin.errors import UnauthenticatedError
from tocsin.realtime.tokens import Claims, KeyRing, claimed_hub, verify_token


class Doorkeeper:
    """Checks client tokens, and that they were not revoked."""

    def __init__(self, keyring: KeyRing, endpoints: Sequence[str], clock: Clock) -> None:
        """Make one; a token's audience is the client URL of one of ``endpoints``."""
        self._keyring = keyring
        self._endpoints = tuple(endpoints)
        self._clock = clock

    async def admit(self, hub: str, token: str) -> Claims:
        """Check a token for ``hub``; one without an ``iat`` counts as older than any revocation.

        What is returned holds at the moment of the return: who waits for something else before using it asks again.

        Raises:
            UnauthenticatedError: It does not hold; ``code`` says why.
            UnavailableError: The keys cannot be read now.
        """
        keys = await self._keyring.access_keys(hub)
        while True:
            claims = await self._check(hub, token, keys)
            before, keys = keys, await self._keyring.access_keys(hub)
            if keys == before:  # none was regenerated meanwhile
                return claims

    async def admit_anywhere(self, token: str) -> Claims:
        """Check a token for the hub that it names.

        Raises:
            UnauthenticatedError: As for :meth:`admit`, or it names no hub of this server.
            UnavailableError: The keys cannot be read now.
        """
        return await self.admit(claimed_hub(token), token)

    async def _check(self, hub: str, token: str, keys: tuple[bytes, bytes]) -> Claims:
        now_us = self._clock.now_us()
        claims = verify_token(token, keys=keys, endpoints=self._endpoints, hub=hub, now_us=now_us)
        if claims.user is not None:
            valid_from_us = await self._keyring.valid_from_us(hub, claims.user)
            if (claims.issued_us or 0) <= valid_from_us:
                detail = "this user's tokens were revoked; ask for a new one"
                raise UnauthenticatedError(detail, code="token-revoked")
        return claims
