"""Who may come in with a client token: one place that decides it, for sockets, event streams and inbox requests alike.

Two kinds of tokens are good: those that an access key of the hub signed, always with HS256, and those of the hub's own
issuer, never with HS256.  So no key of one kind is ever tried on a token of the other.
"""

from collections.abc import Mapping, Sequence
from hashlib import blake2b

from tocsin.clock import Clock
from tocsin.errors import UnauthenticatedError
from tocsin.realtime.issuer import Issuer
from tocsin.realtime.tokens import ALGORITHM, Claims, KeyRing, claimed, hub_in, verify_token

_NO_ISSUERS: Mapping[str, Issuer] = {}


class Doorkeeper:
    """Checks client tokens, and that they were not revoked."""

    def __init__(
        self,
        keyring: KeyRing,
        endpoints: Sequence[str],
        clock: Clock,
        issuers: Mapping[str, Issuer] = _NO_ISSUERS,
    ) -> None:
        """Make one; a hub's own tokens name the client URL of one of ``endpoints``, ``issuers`` are by hub."""
        self._keyring = keyring
        self._endpoints = tuple(endpoints)
        self._clock = clock
        self._issuers = issuers

    async def admit(self, hub: str, token: str) -> Claims:
        """Check a token for ``hub``; one without an ``iat`` counts as older than any revocation.

        What is returned holds at the moment of the return: who waits for something else before using it asks again.

        Raises:
            UnauthenticatedError: It does not hold; ``code`` says why.
            UnavailableError: The keys cannot be read now.
        """
        issuer = self._issuers.get(hub)
        if issuer is not None and claimed(token)[0].get("alg") != ALGORITHM:
            claims = await issuer.verify(token, self._clock.now_us())
            await self._check_revoked(claims)
            return claims
        keys = await self._keyring.access_keys(hub)
        while True:
            claims = verify_token(
                token,
                keys=keys,
                endpoints=self._endpoints,
                hub=hub,
                now_us=self._clock.now_us(),
            )
            await self._check_revoked(claims)
            before, keys = keys, await self._keyring.access_keys(hub)
            if keys == before:  # none was regenerated meanwhile
                return claims

    def knows_key(self, hub: str, key_id: str) -> bool:
        """Whether a key that an issuer of ``hub`` signed a token with is still one of its keys, as far as is known."""
        issuer = self._issuers.get(hub)
        return issuer is None or issuer.has_key(key_id)

    async def standing(self, hub: str, user: str | None) -> bytes:
        """Return what changes when a hub's access keys do, or when a user's tokens are revoked, as far as it is known.

        Raises:
            UnavailableError: It cannot be read now.
        """
        valid_from_us = -1 if user is None else await self._keyring.valid_from_us(hub, user)
        keys = await self._keyring.access_keys(hub)
        return blake2b(repr((keys, valid_from_us)).encode(), digest_size=16).digest()

    async def admit_anywhere(self, token: str) -> Claims:
        """Check a token for the hub that it names, by a client URL or as its issuer does.

        Raises:
            UnauthenticatedError: As for :meth:`admit`, or it names no hub of this server.
            UnavailableError: The keys cannot be read now.
        """
        _, claims = claimed(token)
        hub = hub_in(claims.get("aud"))
        if hub is None:
            hub = next((i.hub for i in self._issuers.values() if i.is_named_by(claims)), None)
        if hub is None:
            detail = "this is neither an API key nor a client token of this server"
            raise UnauthenticatedError(detail, code="token-malformed")
        return await self.admit(hub, token)

    async def _check_revoked(self, claims: Claims) -> None:
        if claims.user is not None:
            valid_from_us = await self._keyring.valid_from_us(claims.hub, claims.user)
            if (claims.issued_us or 0) <= valid_from_us:
                detail = "this user's tokens were revoked; ask for a new one"
                raise UnauthenticatedError(detail, code="token-revoked")
