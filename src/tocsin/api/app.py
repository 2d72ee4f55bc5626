"""The ASGI application: find the handler, answer, and turn every failure into a problem.  No logic of its own."""

from collections.abc import Sequence
from http import HTTPStatus

import structlog
from prometheus_client import Counter

from tocsin.api.cors import Cors
from tocsin.api.http import (
    ANSWER,
    ClientGoneError,
    Receive,
    Request,
    Response,
    Scope,
    Send,
    Streaming,
)
from tocsin.api.problems import problem, problem_of
from tocsin.api.routing import Router
from tocsin.errors import TocsinError
from tocsin.telemetry import Metrics

log = structlog.get_logger()

_STATUS = {status.value: b"%d %b" % (status, status.phrase.encode()) for status in HTTPStatus}
_NOSNIFF = (b"x-content-type-options", b"nosniff")


class App:
    """Answers HTTP; sockets leave for the gateway before they get here."""

    def __init__(self, router: Router, cors: Cors, metrics: Metrics) -> None:
        self._router = router
        self._cors = cors
        self._metrics = metrics
        self._counted: dict[tuple[str, int], Counter] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        if scope["type"] != "http":
            return
        method, route, request = scope["method"], "none", None
        response: Response | Streaming
        try:
            match = self._router.match(method, scope["raw_path"])
            if match is None and method == "HEAD":
                match = self._router.match("GET", scope["raw_path"])
            if match is None:
                response = self._unmatched(scope)
            else:
                route = match.route
                request = Request(scope, receive, match.params)
                response = await match.handler(request)
        except ClientGoneError:
            return
        except TocsinError as error:
            response = problem_of(error)
        except Exception:
            log.exception("api.failed", method=method, route=route)
            response = problem(500, "internal", "something failed here; the server's log has it")
        more = _unsaid(self._cors.headers(scope), response)
        if request is not None:
            more += request.rate_headers()
        if isinstance(response, Streaming):
            await _stream(send, response, more, with_body=method != "HEAD")
        else:
            body = response.body if method != "HEAD" else b""
            await _send(scope, send, response.status, _fields(response, more), body)
        self._count(route, response.status)

    def routes(self) -> list[tuple[str, str]]:
        """List what is answered, as ``(method, path)``."""
        return self._router.routes()

    def _count(self, route: str, status: int) -> None:
        # Looking up a labelled counter costs more than counting; there are few routes and statuses.
        counter = self._counted.get((route, status))
        if counter is None:
            counter = self._counted[route, status] = self._metrics.requests.labels(route, status)
        counter.inc()

    def _unmatched(self, scope: Scope) -> Response:
        allowed = self._router.methods(scope["raw_path"])
        if scope["method"] == "OPTIONS":
            return self._cors.preflight(scope, allowed)
        refuse = self._router.refusal(scope["raw_path"]) or _refusal
        if allowed:
            detail = f"{scope['method']} is not allowed here; use {' or '.join(allowed)}"
            return refuse(405, detail, allowed)
        return refuse(404, f"there is nothing at {scope['path'][:200]!r}", ())


def _refusal(_status: int, detail: str, allowed: Sequence[str]) -> Response:
    if allowed:
        return problem(405, "method-not-allowed", detail, allowed=allowed)
    return problem(404, "no-such-path", detail)


def _unsaid(
    fields: list[tuple[bytes, bytes]], response: Response | Streaming
) -> list[tuple[bytes, bytes]]:
    """Leave out what the answer itself says: a browser refuses a header of this kind that comes twice."""
    said = {name for name, _ in response.headers} if fields else ()
    return [field for field in fields if field[0] not in said]


def _fields(response: Response, more: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [
        (b"content-type", response.content_type),
        (b"content-length", b"%d" % len(response.body)),
        _NOSNIFF,
        (b"cache-control", response.cache_control),
        *response.headers,
        *more,
    ]


async def _send(
    scope: Scope, send: Send, status: int, fields: list[tuple[bytes, bytes]], body: bytes
) -> None:
    """Send a whole answer, in one write where the server offers that and the client reads."""
    answer = scope.get(ANSWER)
    if answer is not None and answer(_head(status, fields), body):
        return
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})


def _head(status: int, fields: list[tuple[bytes, bytes]]) -> bytes:
    """Encode status and fields.

    Raises:
        ValueError: A field holds a line break, which would end it and begin another.
    """
    head = b"\r\n".join([_STATUS[status], *[b"%b: %b" % field for field in fields]])
    if head.count(b"\n") != len(fields):
        msg = "a header field holds a line break"
        raise ValueError(msg)
    return head


async def _stream(
    send: Send, response: Streaming, more: list[tuple[bytes, bytes]], *, with_body: bool
) -> None:
    """Send parts as they come.  ``send`` waits for a client that does not read, and drops what one that is gone would get."""
    headers = [
        (b"content-type", response.content_type),
        _NOSNIFF,
        (b"cache-control", b"no-store"),
        *response.headers,
        *more,
    ]
    try:
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        if with_body:
            async for chunk in response.chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        await response.chunks.aclose()
