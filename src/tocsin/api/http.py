"""One HTTP request and its answer, on plain ASGI.

No framework stands between: the raw path is split before it is decoded (ids may contain ``%2F``), and the publish route
has nothing to pass through (docs/decisions/0002-plain-asgi.md has the measurement).
"""

from collections.abc import Awaitable, Callable, Collection, Hashable, MutableMapping, Sequence
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote_to_bytes

import msgspec

from tocsin.api.rates import Rate
from tocsin.errors import InvalidInputError, TooLargeError, UnavailableError, UnsupportedError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

JSON = b"application/json"
# In a request's scope, where the server can write a whole answer at once: a function of head and body that tells whether it did.
ANSWER = "tocsin.answer"
_PASSED_ON = (b"forwarded", b"x-forwarded-for", b"x-real-ip", b"via")


class Response(msgspec.Struct, frozen=True):
    """A whole answer; ``headers`` are those beside type and length."""

    status: int
    body: bytes = b""
    content_type: bytes = JSON
    headers: Sequence[tuple[bytes, bytes]] = ()
    cache_control: bytes = b"no-store"


class Chunks(Protocol):
    """The body of an answer that comes in time; ``aclose`` is called in any case."""

    def __aiter__(self) -> "Chunks":
        """Return itself."""
        ...

    async def __anext__(self) -> bytes:
        """Return the next part."""
        ...

    async def aclose(self) -> None:
        """Give up what stands behind it; closing again changes nothing."""
        ...


class Streaming(msgspec.Struct, frozen=True):
    """An answer without a length, 200, whose body is sent as it comes."""

    chunks: Chunks
    content_type: bytes
    headers: Sequence[tuple[bytes, bytes]] = ()
    status: int = 200


class ClientGoneError(UnavailableError):
    """The client hung up before its request was whole; there is nobody to answer."""


class Request:
    """What a handler may ask of a request."""

    __slots__ = ("_limited", "_query", "_receive", "params", "scope")

    def __init__(self, scope: Scope, receive: Receive, params: dict[str, str]) -> None:
        self.scope = scope
        self.params = params
        self._receive = receive
        self._query: dict[str, str] | None = None
        self._limited: tuple[Rate, Hashable] | None = None

    def limit(self, rate: Rate, caller: Hashable) -> None:
        """Count this request against what its caller may ask; once, however often it is looked at.

        Raises:
            RateLimitedError: It asked too much already.
        """
        if self._limited is None:
            self._limited = (rate, caller)
            rate.take(caller)

    def charge(self, count: int) -> None:
        """Count ``count`` more things that came with this one request."""
        if self._limited is not None:
            rate, caller = self._limited
            rate.charge(caller, count)

    def rate_headers(self) -> list[tuple[bytes, bytes]]:
        """Return what tells the caller how much it may still ask; nothing where there is no limit."""
        if self._limited is None:
            return []
        rate, caller = self._limited
        return rate.headers(caller)

    @property
    def is_local(self) -> bool:
        """Whether it came by the Unix socket in the data folder (mode 0600: its owner)."""
        return bool(self.scope.get("tocsin.local"))

    @property
    def from_loopback(self) -> bool:
        """Whether the request comes from this machine; one that a proxy passed on does not, wherever the proxy is."""
        if self.is_local:
            return True
        client = self.scope.get("client")
        return (
            client is not None
            and client[0] in ("127.0.0.1", "::1")
            and all(self.header(name) is None for name in _PASSED_ON)
        )

    def header(self, name: bytes) -> str | None:
        """Return the first header of that (lower-case) name."""
        for key, value in self.scope["headers"]:
            if key == name:
                return str(value, "latin-1")
        return None

    def headers(self, names: Collection[bytes]) -> dict[bytes, str]:
        """Return those of these (lower-case) headers that there are, of each the first."""
        found: dict[bytes, str] = {}
        for key, value in self.scope["headers"]:
            if key in names:
                found.setdefault(key, str(value, "latin-1"))
        return found

    def query(self, name: str) -> str | None:
        """Return the last query parameter of that name, decoded.

        Raises:
            InvalidInputError: The query string is not UTF-8 or has over 50 parameters.
        """
        if not self.scope["query_string"]:
            return None
        if self._query is None:
            try:
                pairs = parse_qsl(
                    self.scope["query_string"].decode("ascii"),
                    keep_blank_values=True,
                    errors="strict",
                    max_num_fields=50,
                )
            except ValueError as error:
                detail = f"the query string cannot be read: {error}"
                raise InvalidInputError(detail, code="invalid-query") from error
            self._query = dict(pairs)
        return self._query.get(name)

    async def disconnected(self) -> None:
        """Return when the client has hung up, or its answer is complete; what it sends meanwhile is dropped."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def body(self, limit: int, limit_name: str) -> bytes:
        """Read the whole body, at most ``limit`` bytes of it.

        Raises:
            TooLargeError: It is longer; what came in is dropped.
            UnsupportedError: It is compressed.
            ClientGoneError: The client hung up before the end.
        """
        for name, value in self.scope["headers"]:
            if name == b"content-length" and int(value) > limit:
                raise _too_large(int(value), limit, limit_name)
            if name == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
                raise _encoded(value)
        message = await self._receive()
        body = _chunk(message)
        if not message.get("more_body"):
            if len(body) > limit:
                raise _too_large(len(body), limit, limit_name)
            return body
        parts, size = [body], len(body)
        while message.get("more_body"):
            message = await self._receive()
            parts.append(_chunk(message))
            size += len(parts[-1])
            if size > limit:
                raise _too_large(size, limit, limit_name)
        return b"".join(parts)


Handler = Callable[[Request], Awaitable[Response | Streaming]]


def _chunk(message: MutableMapping[str, Any]) -> bytes:
    if message["type"] == "http.disconnect":
        raise ClientGoneError("the client hung up")
    return bytes(message.get("body", b""))


def _encoded(encoding: bytes) -> UnsupportedError:
    detail = (
        f"the body has Content-Encoding {encoding.decode('latin-1')[:80]!r}; "
        "only identity is read: send it uncompressed"
    )
    return UnsupportedError(detail, code="unsupported-encoding")


def _too_large(size: int, limit: int, limit_name: str) -> TooLargeError:
    detail = f"the body has {size} bytes or more; at most {limit} are allowed ({limit_name})"
    return TooLargeError(detail, code="body-too-large")


def decode_segment(raw: bytes) -> str:
    """Decode one segment of a raw path.

    Raises:
        InvalidInputError: It is not UTF-8.
    """
    try:
        return unquote_to_bytes(raw).decode()
    except UnicodeDecodeError as error:
        raise InvalidInputError("the path is not UTF-8", code="invalid-path") from error
