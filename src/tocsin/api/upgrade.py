"""The way from HTTP to a live socket, outside ASGI.

uvicorn instantiates its WebSocket class for each upgrade, calls ``connection_made`` and hands over the request head as
bytes.  What it gets here reads the head, asks the gateway, and gives the transport to a :class:`Connection`; nothing of
the HTTP side survives that.

A first connect is refused with a problem document before the upgrade.  A recovery is always upgraded, and refused with
close code 1008: on any HTTP error Microsoft's clients would retry for 30 s.
"""

import asyncio
import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Final, cast
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

import msgspec
import structlog

from tocsin.api.cors import VARY_ORIGIN
from tocsin.api.http_guard import closing_answer
from tocsin.api.problems import problem_of
from tocsin.api.turnstile import Turnstile
from tocsin.errors import (
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    OverloadedError,
    TocsinError,
    UnauthenticatedError,
    UnavailableError,
)
from tocsin.model.ids import canonical_hub, check_id
from tocsin.ports.event_handlers import Opening
from tocsin.realtime.deflate import Terms
from tocsin.realtime.dialects import PLAIN, choose_dialect
from tocsin.realtime.frames import CLOSE_POLICY, encode_close
from tocsin.realtime.gateway import Gateway
from tocsin.realtime.request import MAX_GROUP, is_group
from tocsin.realtime.session import Session

log = structlog.get_logger()

_ACCEPT_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3
_KEY_BYTES: Final = 16
_EARLY_BYTES: Final = 64 * 1024
# How much of a turn of the loop handshakes may take while others come.
_SLICE_S: Final = 0.0005
_PATH: Final = "/client/hubs/"
_LEGACY_PATHS: Final = ("/client", "/client/")


class Handshake(msgspec.Struct, frozen=True):
    """A client's opening request, taken apart.  Header names are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    query_string: str = ""

    @property
    def subprotocols(self) -> list[str]:
        """The subprotocols the client offers, in its order."""
        offered = self.headers.get("sec-websocket-protocol", "")
        return [name for part in offered.split(",") if (name := part.strip())]

    @property
    def token(self) -> str | None:
        """The access token, from the query or else the Authorization header."""
        from_query = self.query.get("access_token")
        if from_query:
            return from_query
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() or None if scheme.lower() == "bearer" else None


def parse_handshake(head: bytes) -> Handshake:
    """Take a request head apart; of a repeated header or parameter the first counts, lists are joined.

    Raises:
        InvalidInputError: It is no request head.
    """
    line, *rest = head.decode("latin-1").split("\r\n")
    try:
        method, target, _version = line.split(" ")
        parts = urlsplit(target)
        query = dict(reversed(parse_qsl(parts.query, keep_blank_values=True)))
    except ValueError:
        raise InvalidInputError("the request line cannot be read", code="bad-request") from None
    headers: dict[str, str] = {}
    for field in rest:
        name, colon, value = field.partition(":")
        if colon:
            name, value = name.strip().lower(), value.strip()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return Handshake(method, parts.path, query, headers, parts.query)


def opening_of(handshake: Handshake, claims: Mapping[str, Any]) -> Opening:
    """Return what event handlers may know of a request and of a token's claims: no token, and nothing secret."""
    query = parse_qs(handshake.query_string, keep_blank_values=True)
    query.pop("access_token", None)
    headers = {
        name: [value] for name, value in handshake.headers.items() if name != "authorization"
    }
    said = {name: _claim_values(value) for name, value in claims.items()}
    return Opening(said, query, headers, handshake.subprotocols)


def _draining() -> OverloadedError:
    return OverloadedError("the server is shutting down", code="draining")


def _claim_values(value: object) -> list[str]:
    """Return a claim as strings, one for each element of a list; what is no string becomes JSON."""
    values = value if isinstance(value, list) else [value]
    return [v if isinstance(v, str) else json.dumps(v) for v in values]


def hub_of(handshake: Handshake) -> str:
    """Return the hub that is asked for, in its one form.

    Raises:
        InvalidInputError: The name cannot be a hub's.
        NotFoundError: It is not a client path.
    """
    path = handshake.path
    if path.startswith(_PATH):
        return canonical_hub(unquote(path[len(_PATH) :]))
    if path in _LEGACY_PATHS and "hub" in handshake.query:
        return canonical_hub(handshake.query["hub"])
    raise NotFoundError("there is no socket here; connect to /client/hubs/HUB", code="not-found")


def plain_group(handshake: Handshake) -> str | None:
    """Return the group that a client without a subprotocol wants to speak to; None if its frames are events.

    Raises:
        InvalidInputError: The mode is none, or the group cannot be one.
    """
    mode = handshake.query.get("webpubsub_mode", "sendEvent")
    match mode.lower():
        case "sendevent":
            return None
        case "sendtogroup":
            group = handshake.query.get("group", "")
            if not is_group(group):
                detail = f"webpubsub_mode sendToGroup needs &group= of 1 to {MAX_GROUP} characters"
                raise InvalidInputError(detail, code="invalid-group")
            return group
        case _:
            detail = f"webpubsub_mode is {mode[:40]!r}; sendEvent and sendToGroup are possible"
            raise InvalidInputError(detail, code="invalid-query")


def check_websocket(handshake: Handshake) -> None:
    """Check what RFC 6455 section 4.2.1 asks of the opening request.

    Raises:
        InvalidInputError: Something is missing or wrong.
    """
    key = handshake.headers.get("sec-websocket-key", "")
    try:
        size = len(base64.b64decode(key, validate=True))
    except (binascii.Error, ValueError):
        size = 0
    if handshake.method != "GET" or size != _KEY_BYTES:
        detail = "a WebSocket begins with GET and a Sec-WebSocket-Key of 16 bytes in base64"
        raise InvalidInputError(detail, code="bad-handshake")
    if handshake.headers.get("sec-websocket-version") != "13":
        raise InvalidInputError("Sec-WebSocket-Version must be 13", code="bad-handshake")


def check_origin(handshake: Handshake, own: tuple[str, ...], allowed: tuple[str, ...]) -> None:
    """Refuse a browser page of another site, unless its origin is allowed.

    Raises:
        ForbiddenError: The Origin is neither this server's nor allowed.
    """
    origin = handshake.headers.get("origin")
    if origin is None or origin.rstrip("/").lower() in {o.rstrip("/").lower() for o in allowed}:
        return
    host = handshake.headers.get("host", "").lower()
    if _authority(origin) not in {_authority(f"//{host}"), *(_authority(e) for e in own)}:
        detail = f"origin {origin[:200]!r} may not connect; add it to allowed_origins of the hub"
        raise ForbiddenError(detail, code="origin-not-allowed")


def _authority(address: str) -> str | None:
    """Return host and port of an address in lower case, default ports left out; None if it has none."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    if not parts.hostname:
        return None
    return parts.hostname if port in {None, 80, 443} else f"{parts.hostname}:{port}"


def accept_head(
    handshake: Handshake, subprotocol: str | None, compression: Terms | None = None
) -> bytes:
    """Return the 101 answer."""
    key = handshake.headers["sec-websocket-key"]
    digest = hashlib.sha1(key.encode() + _ACCEPT_GUID, usedforsecurity=False).digest()
    echo = "" if subprotocol is None else f"Sec-WebSocket-Protocol: {subprotocol}\r\n"
    if compression is not None:
        echo += f"Sec-WebSocket-Extensions: {compression.answer}\r\n"
    return (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {base64.b64encode(digest).decode()}\r\n{echo}\r\n"
    ).encode()


class Upgrade(asyncio.Protocol):
    """Holds a transport from the opening request to the answer."""

    def __init__(self, gateway: Gateway, turnstile: Turnstile) -> None:
        self._gateway = gateway
        self._turnstile = turnstile
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._head = b""
        self._early = b""
        self._until_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport over."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take the head, and later what the client sends before it has an answer."""
        transport = self._transport
        if transport is None:
            return
        if not self._head:
            transport.pause_reading()
            self._head = data
            self._until_s = self._gateway.now_s() + self._gateway.settings.handshake_s
            self._turnstile.enter(self._begin)
        elif len(self._early) + len(data) > _EARLY_BYTES:
            transport.abort()
        else:
            self._early += data

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- asyncio's signature
        """Stop: nobody waits for the answer."""
        self._transport = None
        if self._task is not None:
            self._task.cancel()

    def _begin(self) -> None:
        """Begin to answer, unless the client has gone."""
        if self._transport is not None:
            answering = self._answer(self._transport, self._head)
            self._task = self._gateway.supervisor.start("upgrade", answering)

    async def _answer(self, transport: asyncio.Transport, head: bytes) -> None:
        """Let the client in, or say why not."""
        try:
            async with asyncio.timeout(self._until_s - self._gateway.now_s()):
                handshake = parse_handshake(head)
                check_websocket(handshake)
                await self._admit(transport, handshake)
        except TocsinError as error:
            log.info("upgrade.refused", code=error.code)
            self._refuse(transport, error)
        except asyncio.CancelledError:
            transport.abort()
            raise
        except TimeoutError:
            self._refuse(transport, UnavailableError("the handshake took too long; try again"))
        except Exception:  # nobody else would end the connection
            log.exception("upgrade.failed")
            self._refuse(transport, TocsinError("something failed here; the server's log has it"))

    def _refuse(self, transport: asyncio.Transport, error: TocsinError) -> None:
        refusal = problem_of(error)
        headers = [*refusal.headers, VARY_ORIGIN]
        if error.code == "bad-handshake":  # RFC 6455 section 4.4
            headers.append((b"sec-websocket-version", b"13"))
        transport.write(closing_answer(msgspec.structs.replace(refusal, headers=headers)))
        transport.close()

    async def _admit(self, transport: asyncio.Transport, handshake: Handshake) -> None:
        """Find or make the session, and give it the transport."""
        gateway = self._gateway
        hub = hub_of(handshake)
        allowed = gateway.settings.allowed_origins.get(hub, ())
        check_origin(handshake, gateway.endpoints, allowed)
        if not gateway.accepting:
            raise _draining()
        connection_id = handshake.query.get("awps_connection_id")
        if connection_id is not None:
            token = handshake.query.get("awps_reconnection_token", "")
            if gateway.moves.are_possible(connection_id, token):
                await gateway.moves.fetch(hub, connection_id)
            self._recover(
                transport, handshake, gateway.reception.recover(hub, connection_id, token)
            )
        else:
            await self._connect(transport, handshake, hub)

    def _recover(
        self, transport: asyncio.Transport, handshake: Handshake, session: Session | None
    ) -> None:
        offered = handshake.subprotocols
        if session is None:
            _, subprotocol = choose_dialect(offered)
            refusal = encode_close(CLOSE_POLICY, "recovery-impossible")
            transport.write(accept_head(handshake, subprotocol) + refusal)
            transport.close()
        else:
            # It goes on as it began, whatever is offered now.
            subprotocol = session.dialect.as_offered(offered)
            compression = self._compression(handshake)
            answer = accept_head(handshake, subprotocol, compression)
            greeting = self._gateway.reception.greeting_again(session)
            self._attach(transport, session, answer + greeting, compression)

    async def _connect(self, transport: asyncio.Transport, handshake: Handshake, hub: str) -> None:
        gateway = self._gateway
        if handshake.token is None:
            detail = "no access token; add ?access_token= or an Authorization header"
            raise UnauthenticatedError(detail, code="token-missing")
        device = handshake.query.get("device")
        if device is not None:
            check_id(device, "device")
        claims = await gateway.authenticate(hub, handshake.token)
        admission = await gateway.admit(
            claims, handshake.subprotocols, lambda: opening_of(handshake, claims.said)
        )
        if not gateway.accepting:
            raise _draining()
        if admission.talk is not None:
            # While the event handler was asked the token may have ended, or been revoked.
            await gateway.authenticate(hub, handshake.token)
        speaks_to = plain_group(handshake) if admission.dialect is PLAIN else None
        session = gateway.reception.open_session(
            admission.claims, admission.dialect, device, speaks_to, admission.talk
        )
        gateway.upstream.introduce(session, admission.subprotocol)
        compression = self._compression(handshake)
        answer = accept_head(handshake, admission.subprotocol, compression)
        self._attach(transport, session, answer + gateway.reception.greeting(session), compression)

    def _compression(self, handshake: Handshake) -> Terms | None:
        return self._gateway.compression(handshake.headers.get("sec-websocket-extensions", ""))

    def _attach(
        self,
        transport: asyncio.Transport,
        session: Session,
        answer: bytes,
        compression: Terms | None,
    ) -> None:
        transport.write(answer)
        connection = self._gateway.attach(session, transport, compression)
        transport.set_protocol(connection)
        self._transport = None
        if self._early:
            connection.data_received(self._early)
        transport.resume_reading()


def socket_upgrade(gateway: Gateway) -> Callable[..., asyncio.Protocol]:
    """Return what to give uvicorn as ``ws=``."""
    turnstile = Turnstile(_SLICE_S)

    def make(**_uvicorn: Any) -> Upgrade:  # noqa: ANN401 -- uvicorn's config and state, not needed here
        return Upgrade(gateway, turnstile)

    return make
