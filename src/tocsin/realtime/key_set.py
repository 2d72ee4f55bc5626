"""The public keys of an application's own issuer (JSON Web Key Set), fetched, kept and judged.

Fetching:  through the guarded port (I13), once for all who wait for it.  A set is good for five minutes and is then read
           again behind the scenes; an unknown key has it read at once.  However many tokens with unknown keys come,
           there are 30 s between two reads, 5 s after a read that failed.
Leaving:   a key that is no more in the set signs nothing new, and ends the connections that it opened as soon as they are
           looked at (``token_life.py``): that look, too, has an old set read again.
Trouble:   while the issuer is away the last set counts for a day, and no connection ends.
Bounds:    64 keys of a set are looked at; ``outbound.answer_bytes`` bounds its text.
Source:    RFC 7517 and 7518.
"""

import asyncio
import hashlib
from collections.abc import Collection, Mapping
from typing import Any, Final, Literal

import jwt
import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tocsin.clock import Clock
from tocsin.errors import UnavailableError
from tocsin.ports.outbound import Answer, Call, Outbound
from tocsin.supervisor import Supervisor

log = structlog.get_logger()

Algorithm = Literal["RS256", "ES256"]
_FRESH_S: Final = 300.0
_STALE_S: Final = 86_400.0
_PAUSE_S: Final = 30.0
_RETRY_S: Final = 5.0
_FETCH_S: Final = 5.0
_MAX_KEYS: Final = 64
_RSA_BITS: Final = range(2048, 8193)
_ALGORITHMS: Final[dict[tuple[str, str | None], Algorithm]] = {
    ("RSA", None): "RS256",
    ("EC", "P-256"): "ES256",
}


class SigningKey(msgspec.Struct, frozen=True):
    """A public key and the only algorithm that it verifies; what a token says about that changes nothing.

    ``id`` is made of the key itself, whatever the set calls it.
    """

    id: str
    algorithm: Algorithm
    key: Any


class _Head(msgspec.Struct, frozen=True):
    """What a key of a set says about itself."""

    kty: str
    crv: str | None = None
    alg: str | None = None
    use: str = "sig"
    key_ops: tuple[str, ...] = ("verify",)
    kid: str | None = None


class _Set(msgspec.Struct, frozen=True):
    keys: list[dict[str, Any]]


_decode_set = msgspec.json.Decoder(_Set).decode


class KeySet:
    """Finds keys by their id."""

    def __init__(
        self,
        url: str,
        algorithms: Collection[Algorithm],
        outbound: Outbound,
        clock: Clock,
        supervisor: Supervisor,
    ) -> None:
        """Make one; nothing is fetched before a key is asked for."""
        self._url = url
        self._algorithms = frozenset(algorithms)
        self._outbound = outbound
        self._clock = clock
        self._supervisor = supervisor
        self._keys: Mapping[str | None, SigningKey] = {}
        self._read_s: float | None = None
        self._next_read_s = clock.monotonic_s()
        self._reading: asyncio.Task[None] | None = None

    async def find(self, kid: str | None) -> SigningKey | None:
        """Return the key of that id, or without one the only key of a set; None if there is none.

        Raises:
            UnavailableError: No set could be read, or none for a day.
        """
        if self._age_s() > _STALE_S or kid not in self._keys:
            await self._refresh()
        elif self._age_s() > _FRESH_S:
            self._begin_reading()
        if self._age_s() > _STALE_S:
            detail = "the keys of this hub's issuer cannot be read now; try again later"
            raise UnavailableError(detail, code="issuer-unreachable")
        return self._keys.get(kid)

    def holds(self, key_id: str) -> bool:
        """Whether the last set that was read has this key; True before any was."""
        if self._age_s() > _FRESH_S:
            self._begin_reading()
        return self._read_s is None or any(key.id == key_id for key in self._keys.values())

    def _age_s(self) -> float:
        return float("inf") if self._read_s is None else self._clock.monotonic_s() - self._read_s

    async def _refresh(self) -> None:
        reading = self._begin_reading()
        if reading is not None:
            # One who hangs up while waiting does not take the read away from the others.
            await asyncio.shield(reading)

    def _begin_reading(self) -> asyncio.Task[None] | None:
        """Return the read that is under way, begun now if it may be; None if it is too soon for another."""
        if self._reading is None and self._clock.monotonic_s() >= self._next_read_s:
            self._reading = self._supervisor.start("key-set.read", self._read())
        return self._reading

    async def _read(self) -> None:
        try:
            found = self._parse(
                await self._outbound.send(
                    Call(
                        purpose="key-set",
                        url=self._url,
                        method="GET",
                        headers=(("accept", "application/json"),),
                        total_s=_FETCH_S,
                    )
                )
            )
            now_s = self._clock.monotonic_s()
            if found is not None:
                self._keys, self._read_s = found, now_s
            self._next_read_s = now_s + (_RETRY_S if found is None else _PAUSE_S)
        finally:
            self._reading = None

    def _parse(self, outcome: object) -> Mapping[str | None, SigningKey] | None:
        """Return the keys of a set that are of use; None if this is no set."""
        if not isinstance(outcome, Answer) or outcome.status != 200:  # noqa: PLR2004 -- HTTP's OK
            said = outcome.status if isinstance(outcome, Answer) else outcome
            log.warning("key-set.unread", url=self._url, outcome=str(said))
            return None
        try:
            listed = _decode_set(outcome.body).keys
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            log.warning("key-set.unread", url=self._url, outcome=str(error))
            return None
        keys: dict[str | None, SigningKey] = {}
        for jwk in listed[:_MAX_KEYS]:
            key = signing_key(jwk, self._algorithms)
            if key is not None:
                keys.setdefault(jwk.get("kid"), key)
        if len(keys) == 1:  # then a token need not say which
            keys[None] = next(iter(keys.values()))
        return keys


def signing_key(jwk: Mapping[str, Any], allowed: Collection[Algorithm]) -> SigningKey | None:
    """Return a key of a set with its algorithm; None for one that verifies nothing here.

    Symmetric and private keys, those for encryption, RSA below 2048 bits and other curves than P-256 are of no use.
    """
    try:
        head = msgspec.convert(jwk, _Head)
    except msgspec.ValidationError:
        return None
    algorithm = _ALGORITHMS.get((head.kty, head.crv))
    usable = (
        algorithm in allowed
        and head.alg in (None, algorithm)
        and head.use == "sig"
        and "verify" in head.key_ops
        and "d" not in jwk
    )
    if algorithm is None or not usable:
        return None
    try:
        key = jwt.PyJWK(dict(jwk), algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    if isinstance(key, RSAPublicKey) and key.key_size not in _RSA_BITS:
        return None
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return SigningKey(hashlib.sha256(der).hexdigest(), algorithm, key)
