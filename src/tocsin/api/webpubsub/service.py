"""What all operations of the data plane share: who asks, in which hub and version, and how refusals look."""

from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import parse_qs

from tocsin.api.http import ClientGoneError, Handler, Request, Response
from tocsin.api.webpubsub.access import ServiceAccess
from tocsin.api.webpubsub.answers import API_VERSIONS, ParameterError, done, refusal_of
from tocsin.api.webpubsub.repeats import Repeats
from tocsin.errors import InvalidInputError, TocsinError
from tocsin.model.ids import canonical_hub
from tocsin.realtime.odata import FilterError, Where, compile_filter
from tocsin.realtime.request import LONGEST_TTL_S, MAX_GROUP, is_group
from tocsin.realtime.session import Session

_MAX_PARAMETERS: Final = 2_000
_MAX_REPEAT_ID: Final = 256


class Call:
    """One admitted request."""

    __slots__ = ("_query", "caller", "hub", "request")

    def __init__(
        self, request: Request, hub: str, query: dict[str, list[str]], caller: str
    ) -> None:
        self.request = request
        self.hub = hub
        self.caller = caller
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

    def where(self) -> Where | None:
        """Return who is meant by ``filter`` and ``excluded``; None for everybody.

        Raises:
            ParameterError: The filter is none.
        """
        text = self.one("filter")
        chosen = None if text is None else where_of(text)
        excluded = frozenset(self.many("excluded"))
        if not excluded:
            return chosen
        if chosen is None:
            return lambda session: session.id not in excluded

        def where(session: Session) -> bool:
            return session.id not in excluded and chosen(session)

        return where


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
                return await operation(await self._call(request))
            except ClientGoneError:
                raise
            except TocsinError as error:
                return refusal_of(error)

        return handler

    def is_repeat(self, call: Call, body: bytes = b"") -> bool:
        """Tell whether this very request was carried out before, by its id; one without an id never was.

        An ``Idempotency-Key`` stands for one content only; of an ``x-ms-client-request-id`` nobody promised that.
        """
        request = call.request
        key = request.header(b"idempotency-key")
        name = key or request.header(b"x-ms-client-request-id")
        if not name or len(name) > _MAX_REPEAT_ID:
            return False
        scope = request.scope
        content = hash((scope["raw_path"], scope["query_string"], body))
        return self._repeats.is_repeat((call.hub, call.caller, name), content, strict=bool(key))

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


def where_of(text: str) -> Where:
    """Compile a filter.

    Raises:
        ParameterError: It is none.
    """
    try:
        return compile_filter(text)
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
