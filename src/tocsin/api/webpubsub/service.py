"""What all operations of the data plane share: who asks, in which hub and version, and how refusals look."""

from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import Final
from urllib.parse import parse_qs

from tocsin.api.http import ClientGoneError, Handler, Request, Response
from tocsin.api.webpubsub.access import ServiceAccess
from tocsin.api.webpubsub.answers import API_VERSIONS, ParameterError, done, refusal_of
from tocsin.api.webpubsub.repeats import Repeats
from tocsin.errors import InvalidInputError, TocsinError
from tocsin.model.ids import canonical_hub
from tocsin.realtime.errands import Asked, Kind, Whom
from tocsin.realtime.odata import FilterError, Where
from tocsin.realtime.request import LONGEST_TTL_S, MAX_GROUP, is_group

_MAX_PARAMETERS: Final = 2_000
_MAX_REPEAT_ID: Final = 256


class Call:
    """One admitted request; ``asked`` is what it is known by once it is carried out."""

    __slots__ = ("_query", "asked", "caller", "hub", "request")

    def __init__(
        self, request: Request, hub: str, query: dict[str, list[str]], caller: str
    ) -> None:
        self.request = request
        self.hub = hub
        self.caller = caller
        self.asked: Asked | None = None
        self._query = query

    def many(self, name: str) -> list[str]:
        """Return every value of a query parameter."""
        return self._query.get(name, [])

    def one(self, name: str) -> str | None:
        """Return the last value of a query parameter."""
        values = self._query.get(name)
        return values[-1] if values else None

    def path(self, name: str) -> str:
        """Return a decoded part of the path."""
        return self.request.params[name]

    def group(self) -> str:
        """Return the group in the path.

        Raises:
            InvalidInputError: It cannot be a group's name.
        """
        return checked_group(self.path("group"))

    def number(self, name: str, low: int, high: int) -> int | None:
        """Return a query parameter that is a number.

        Raises:
            ParameterError: It is none, or out of range.
        """
        text = self.one(name)
        if text is None:
            return None
        if text.isascii() and text.isdigit() and len(text) < 10 and low <= int(text) <= high:  # noqa: PLR2004 -- a number, and no long one
            return int(text)
        raise ParameterError(name, f"{name} is {text[:40]!r}; {low} to {high} are allowed")

    def ttl_s(self) -> int:
        """Return how long a message lives, in seconds; 0 is for ever."""
        return self.number("messageTtlSeconds", 0, LONGEST_TTL_S) or 0

    def whom(self, kind: Kind, name: str = "") -> Whom:
        """Return who is meant: ``kind`` and ``name``, ``filter`` and ``excluded``."""
        return Whom(self.hub, kind, name, self.one("filter"), tuple(self.many("excluded")))

    def connection(self) -> Whom:
        """Return that the connection in the path is meant."""
        return Whom(self.hub, "connection", self.path("connection"))

    def user(self) -> Whom:
        """Return that the connections of the user in the path are meant."""
        return Whom(self.hub, "user", self.path("user"))


Operation = Callable[[Call], Awaitable[Response]]


class Service:
    """Turns operations into handlers."""

    def __init__(self, access: ServiceAccess, repeats: Repeats) -> None:
        self._access = access
        self._repeats = repeats

    def operation(self, operation: Operation) -> Handler:
        """Admit the caller, read hub and version, and answer refusals in the service's shape."""

        async def handler(request: Request) -> Response:
            try:
                call = await self._call(request)
                return await self._done(call, operation)
            except ClientGoneError:
                raise
            except TocsinError as error:
                return refusal_of(error)

        return handler

    async def _done(self, call: Call, operation: Operation) -> Response:
        """Carry an operation out; one that failed is no reason to take the next try for a repeat."""
        try:
            return await operation(call)
        except TocsinError:
            if call.asked is not None:
                self._repeats.forget(call.asked)
            raise

    def is_repeat(self, call: Call, body: bytes = b"") -> bool:
        """Tell whether this very request was carried out before, by its id; one without an id never was.

        An ``Idempotency-Key`` stands for one content only; of an ``x-ms-client-request-id`` nobody promised that.
        """
        request = call.request
        key = request.header(b"idempotency-key")
        name = key or request.header(b"x-ms-client-request-id")
        if not name or len(name) > _MAX_REPEAT_ID:
            return False
        asked = Asked((call.hub, call.caller, name), _content(request, body))
        if self._repeats.is_repeat(asked, strict=bool(key)):
            return True
        call.asked = asked
        return False

    async def _call(self, request: Request) -> Call:
        hub = canonical_hub(request.params["hub"])
        caller = await self._access.admit(request, hub)
        query = _read_query(request.scope["query_string"])
        versions = query.get("api-version", [])
        if len(versions) > 1 or (versions and versions[0] not in API_VERSIONS):
            said = ", ".join(versions)[:80]
            message = f"api-version {said!r} is not supported; use one of {', '.join(API_VERSIONS)}"
            raise ParameterError("api-version", message)
        return Call(request, hub, query, caller)


def _content(request: Request, body: bytes) -> bytes:
    """Return what stands for a request's content, at every gateway the same."""
    digest = blake2b(request.scope["raw_path"], digest_size=8)
    digest.update(b"?" + request.scope["query_string"] + b"\n")
    digest.update(body)
    return digest.digest()


async def health(_request: Request) -> Response:
    """``HEAD /api/health``: the server answers."""
    return done(200)


def checked_group(name: str) -> str:
    """Return a group's name.

    Raises:
        InvalidInputError: It cannot be one.
    """
    if not is_group(name):
        detail = f"Invalid group name. Valid group name should be in between 1 and {MAX_GROUP} characters long."
        raise InvalidInputError(detail, code="invalid-group")
    return name


def where_of(whom: Whom) -> Where | None:
    """Return who is picked among those who are meant; None for everybody.

    Raises:
        ParameterError: The filter is none.
    """
    try:
        return whom.where()
    except FilterError as error:
        raise ParameterError("filter", f"{error} (Parameter 'filter')") from None


def _read_query(raw: bytes) -> dict[str, list[str]]:
    try:
        return parse_qs(
            raw.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MAX_PARAMETERS,
        )
    except ValueError as error:
        detail = f"the query string cannot be read: {error}"
        raise InvalidInputError(detail, code="invalid-query") from error
