"""Who asks: an API key, a client token, or the owner of the data folder by its Unix socket (I10)."""

from typing import Literal

import msgspec

from tocsin.api.http import Request
from tocsin.api.keyring import PREFIX, KeyRing
from tocsin.api.rates import Callers
from tocsin.errors import ForbiddenError, InvalidInputError, UnauthenticatedError
from tocsin.ingest.admission import Producer
from tocsin.model.ids import canonical_hub, check_id
from tocsin.ports.audit import LOCAL
from tocsin.realtime.doorkeeper import Doorkeeper

DEFAULT_HUB = "default"
HUB_HEADER = b"tocsin-hub"
NEVER_US = 2**63 - 1

Rank = Literal["producer", "server", "admin", "user"]


class Principal(msgspec.Struct, frozen=True):
    """Who asks, in which hub.  ``user`` only for a client token; ``key_id`` and ``name`` only for a key."""

    rank: Rank
    hub: str
    key_id: str = ""
    name: str = ""
    user: str = ""


class Reader(msgspec.Struct, frozen=True):
    """Whose inbox may be read, and until when; a key's right ends when the key ``key_id`` is revoked.

    ``signer`` is the key behind a client token.
    """

    hub: str
    user: str
    expires_us: int
    key_id: str = ""
    signer: str | None = None


class Authenticator:
    """Turns the ``Authorization`` header into a principal, and principals into what a route needs.

    Whoever is told apart here is also counted here, against what one key or one person may ask (``rates.py``): before
    the body is read, and on every route alike.
    """

    def __init__(self, keyring: KeyRing, doorkeeper: Doorkeeper, callers: Callers) -> None:
        self._callers = callers
        self._keyring = keyring
        self._doorkeeper = doorkeeper

    def producer(self, request: Request) -> Producer:
        """Return who publishes.

        Raises:
            UnauthenticatedError: There is no good key.
            ForbiddenError: It is a client token; those publish nothing.
        """
        principal = self._of_key(request)
        return Producer(principal.key_id, principal.hub, principal.name)

    def producer_of(self, request: Request, key: str) -> Producer:
        """Return who publishes with an API key that came in another place than as a bearer.

        Raises:
            UnauthenticatedError: It is none.
        """
        principal = self._principal(request, key)
        return Producer(principal.key_id, principal.hub, principal.name)

    def server(self, request: Request) -> Principal:
        """Return a principal that may act for any user of its hub: a server or admin key.

        Raises:
            UnauthenticatedError: There is no good key.
            ForbiddenError: It is a producer key or a client token.
        """
        principal = self._of_key(request)
        if principal.rank not in ("server", "admin"):
            raise _wrong_rank(principal, "a server key")
        return principal

    def service(self, request: Request, hub: str) -> Principal:
        """Return a principal that may act for everybody in ``hub``; an administrator may in any.

        Raises:
            UnauthenticatedError: There is no good key.
            ForbiddenError: It is no server key, or one of another hub; whether there is such a hub is not told.
        """
        principal = self.server(request)
        if principal.rank != "admin" and principal.hub != hub:
            detail = f"the key {principal.key_id} is of another hub; use a server key of this one"
            raise ForbiddenError(detail, code="wrong-hub")
        return principal

    def count_signed(self, request: Request, hub: str) -> None:
        """Count a request signed with an access key of ``hub`` against what one key may ask.

        Raises:
            RateLimitedError: It asked too much already.
        """
        if self._callers.keys is not None:
            request.limit(self._callers.keys, ("access-key", hub))

    def admin(self, request: Request) -> Principal:
        """Return the administrator.

        Raises:
            UnauthenticatedError: There is no good key.
            ForbiddenError: It is no admin key.
        """
        principal = self._of_key(request)
        if principal.rank != "admin":
            raise _wrong_rank(principal, "an admin key")
        return principal

    def key(self, request: Request) -> Principal:
        """Return whoever holds any API key.

        Raises:
            UnauthenticatedError: There is no good key.
            ForbiddenError: It is a client token.
        """
        return self._of_key(request)

    async def inbox(self, request: Request) -> tuple[str, str]:
        """Return the hub and user whose inbox is asked for; see :meth:`reader`."""
        reader = await self.reader(request)
        return reader.hub, reader.user

    async def reader(self, request: Request, *, token_in_query: bool = False) -> Reader:
        """Return whose inbox is asked for.

        A client token with the scope ``inbox`` names its own user; a server or admin key names one by ``?user=``.
        With ``token_in_query`` the token may come as ``?access_token=`` (``EventSource`` sets no headers); keys never do.

        Raises:
            UnauthenticatedError: Neither key nor token holds.
            ForbiddenError: The token has no inbox scope, or the key may not read inboxes.
            InvalidInputError: A key came without ``?user=``.
        """
        token = None
        if token_in_query and request.header(b"authorization") is None:
            token = request.query("access_token")
        if token is None:
            token = None if request.is_local else bearer(request)
            if token is None or token.startswith(f"{PREFIX}_"):
                principal = self.server(request)
                user = request.query("user")
                if user is None:
                    raise InvalidInputError("name the inbox: add ?user=USER", code="user-missing")
                return Reader(principal.hub, check_id(user, "user"), NEVER_US, principal.key_id)
        claims = await self._doorkeeper.admit_anywhere(token)
        if claims.user is None or not claims.opens_inbox:
            detail = (
                "this token has no inbox scope; get one from POST /v1/client-tokens "
                "(tokens of the Web PubSub SDKs do not open inboxes)"
            )
            raise ForbiddenError(detail, code="no-inbox-scope")
        if self._callers.users is not None:
            request.limit(self._callers.users, (claims.hub, claims.user))
        return Reader(claims.hub, claims.user, claims.expires_us, signer=claims.signer)

    def _of_key(self, request: Request) -> Principal:
        if request.is_local:
            return Principal("admin", _named_hub(request, DEFAULT_HUB), LOCAL, LOCAL)
        text = bearer(request)
        if not text.startswith(f"{PREFIX}_"):
            raise ForbiddenError(
                "a client token does not open this; use an API key", code="key-needed"
            )
        return self._principal(request, text)

    def _principal(self, request: Request, text: str) -> Principal:
        key = self._keyring.check(text)
        if self._callers.keys is not None:
            request.limit(self._callers.keys, key.id)
        hub = _named_hub(request, key.hub) if key.role == "admin" else key.hub
        return Principal(key.role, hub, key.id, key.name)


def managed_hub(principal: Principal, request: Request) -> str | None:
    """Return the hub that an administrator asks about, by ``?hub=`` or as for other routes.

    None is every hub: for the owner of the data folder, who named none.
    """
    named = request.query("hub")
    if named is not None:
        return canonical_hub(named)
    return None if request.is_local and request.header(HUB_HEADER) is None else principal.hub


def bearer(request: Request) -> str:
    """Return the key or token of the ``Authorization`` header.

    Raises:
        UnauthenticatedError: There is none.
    """
    header = request.header(b"authorization")
    scheme, _, text = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not text.strip():
        raise UnauthenticatedError("send a key or token as `Authorization: Bearer ...`")
    return text.strip()


def _named_hub(request: Request, default: str) -> str:
    name = request.header(HUB_HEADER)
    return default if name is None else canonical_hub(name)


def _wrong_rank(principal: Principal, needed: str) -> ForbiddenError:
    detail = f"the {principal.rank} key {principal.key_id} ({principal.name}) cannot do this; use {needed}"
    return ForbiddenError(detail, code="wrong-role")
