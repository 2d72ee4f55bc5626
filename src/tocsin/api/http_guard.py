"""uvicorn's HTTP protocol with bounds on what a client may make it hold, and for how long.

As it comes, uvicorn takes a head of any size and waits for ever for the rest of a request.  Here a head has a limit and
a deadline (431, 408), a body has to keep coming (408), and a client that does not read its answer is cut off.  How large
a body may be is the API's business: it knows the route.

One timer serves all, once a second: it looks at connections that keep the server waiting, and closes those that asked
for nothing in uvicorn's keep-alive time (a timer for each answer cost as much as its routing).
"""

import asyncio
from functools import partial
from http import HTTPStatus
from itertools import takewhile
from typing import Any, Final

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from tocsin.api.http import ANSWER, Response
from tocsin.api.problems import problem

_TICK_S: Final = 1.0
# How long a body may still come in after its request was refused: closing at once would take the refusal with it.
_LINGER_S: Final = 2.0
# What a chunked body may spend on each of its bytes; the smallest chunks take five.
_CHUNK_COST: Final = 8


class HttpLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes in bytes, times in seconds.

    ``head_s`` is for the whole head, ``body_s`` for a pause within a body and for a client that does not read.
    A body that takes longer than ``body_s`` has to come with ``body_bytes_per_s`` on average.
    """

    head_bytes: int = 64 * 1024
    head_s: float = 10.0
    body_s: float = 30.0
    body_bytes_per_s: int = 1024


class HeadTooLargeError(Exception):
    """Raised into the parser so that it stops; the refusal has been written."""


class Watch:
    """Makes the protocols of one server, and looks after those that keep it waiting."""

    def __init__(self, limits: HttpLimits) -> None:
        self.limits = limits
        self._guards: set[HttpGuard] = set()
        self._idle: dict[HttpGuard, float] = {}  # by when they are closed; the first is due first
        self._timer: asyncio.TimerHandle | None = None

    def __call__(self, **uvicorn: Any) -> "HttpGuard":  # noqa: ANN401 -- uvicorn's config and state
        """Make a protocol; give the watch to uvicorn as ``http=``."""
        return HttpGuard(self, **uvicorn)

    def __len__(self) -> int:
        return len(self._guards)

    def add(self, guard: "HttpGuard") -> None:
        """Look at ``guard`` from now on."""
        self._guards.add(guard)
        self._run(guard.loop)

    def discard(self, guard: "HttpGuard") -> None:
        """Look at ``guard`` no more."""
        self._guards.discard(guard)

    def rest(self, guard: "HttpGuard", until_s: float) -> None:
        """Close ``guard`` at ``until_s`` unless it wakes before; all rest equally long."""
        self._idle[guard] = until_s
        self._run(guard.loop)

    def wake(self, guard: "HttpGuard") -> None:
        """Let ``guard`` rest no more."""
        self._idle.pop(guard, None)

    def check(self, now_s: float) -> None:
        """Cut off every client that took too long, and close who rested long enough."""
        for guard in tuple(self._guards):
            guard.check(now_s)
        for guard in [*takewhile(lambda guard: self._idle[guard] <= now_s, self._idle)]:
            del self._idle[guard]
            guard.timeout_keep_alive_handler()

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is None:
            self._timer = loop.call_later(_TICK_S, self._tick, loop)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            self.check(loop.time())
        finally:
            self._timer = None
            if self._guards or self._idle:
                self._run(loop)


class HttpGuard(HttpToolsProtocol):
    """One HTTP connection.

    It is in a head (from the first byte, or from the start of the connection), in a body, or idle between requests.
    """

    def __init__(self, watch: Watch, **uvicorn: Any) -> None:  # noqa: ANN401 -- uvicorn's
        super().__init__(**uvicorn)
        self._watch = watch
        self._limits = watch.limits
        self._in_head = True
        self._in_body = False
        self._completed = False  # a request ended within the bytes being fed
        self._fed_bytes = 0  # raw, since the head or the body began
        self._body_bytes = 0  # of these, what is body and not heads of chunks or trailers
        self._began_s = 0.0
        self._progress_s = 0.0
        self._answered_s = 0.0  # when the last response was complete
        self._unread_s: float | None = None  # since when the client has not read
        self._handed_over = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._begin_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop looking."""
        self._watch.discard(self)
        self._watch.wake(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, and note whether a request is left unfinished."""
        self._watch.wake(self)
        if not self._in_head and not self._in_body:
            self._in_head = True
            self._begin_waiting()
        self._completed = False
        super().data_received(data)
        if self._handed_over or self.transport.is_closing():
            return
        self._fed_bytes = 0 if self._completed else self._fed_bytes + len(data)
        if self._in_head and self._fed_bytes > self._limits.head_bytes:
            self._refuse_head()
        elif self._in_body:
            self._progress_s = self.loop.time()
            self._check_chunks()
        elif not self._in_head and self._unread_s is None:
            self._watch.discard(self)

    def handle_websocket_upgrade(self) -> None:
        """Hand the transport over and keep nothing, so that this object can go.

        Behind a request that is not answered yet it is refused: that answer would be written into the socket.
        """
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            detail = "a WebSocket cannot begin before the requests in front of it are answered"
            self._refuse(HTTPStatus.BAD_REQUEST, "bad-request", detail)
            return
        self._watch.discard(self)
        self._handed_over = True
        super().handle_websocket_upgrade()
        self.transport = self.flow = self.parser = self.scope = self.headers = None  # type: ignore[assignment]

    def _unsupported_upgrade_warning(self) -> None:
        """Log nothing: an upgrade that is not done here was answered as a request without it (uvicorn names libraries)."""

    # Called by the parser

    def on_message_begin(self) -> None:
        """Begin a head."""
        self._in_head = True
        if self._completed:
            self._begin_waiting()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Begin the body; fields behind it (trailers) are dropped, since whoever is in front vouches for heads only."""
        size = len(self.url) + sum([len(name) + len(value) + 4 for name, value in self.headers])
        if size > self._limits.head_bytes:
            self._refuse_head()
            raise HeadTooLargeError
        self._in_head, self._in_body = False, True
        self._fed_bytes = self._body_bytes = 0
        self._began_s = self._progress_s = self.loop.time()
        before = self.cycle
        super().on_headers_complete()
        if self.cycle is not before:  # else it is an upgrade, which still needs its head
            self.headers = []
            self.scope[ANSWER] = partial(_answer, self.cycle)  # type: ignore[literal-required]  # ours

    def on_body(self, body: bytes) -> None:
        """Count a part of the body."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End the request."""
        self._in_body, self._completed = False, True
        super().on_message_complete()

    # Flow of the answer

    def on_response_complete(self) -> None:
        """Note when; the rest of a body that was refused early may come for a moment only.

        Go on with the next request, if it is there already, or rest: as uvicorn does, without a timer of its own.
        """
        self._answered_s = self.loop.time()
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self._watch.rest(self, self._answered_s + self.timeout_keep_alive)

    def pause_writing(self) -> None:
        """Note since when the client does not read."""
        super().pause_writing()
        self._unread_s = self.loop.time()
        self._watch.add(self)

    def resume_writing(self) -> None:
        """The client reads again."""
        super().resume_writing()
        self._unread_s = None

    # Cutting off

    def check(self, now_s: float) -> None:
        """Cut the client off if it has kept the server waiting for too long."""
        if self._unread_s is not None and now_s - self._unread_s > self._limits.body_s:
            self.transport.abort()
        elif self._in_head:
            self._check_head(now_s)
        elif self._in_body:
            self._check_body(now_s)
        elif self._unread_s is None:
            self._watch.discard(self)

    def _check_head(self, now_s: float) -> None:
        if now_s - self._began_s <= self._limits.head_s:
            return
        if self._fed_bytes:
            detail = f"the request head did not come within {self._limits.head_s:g} s"
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "head-timeout", detail)
        else:
            self.transport.close()

    def _check_chunks(self) -> None:
        """Cut off a body that is hardly one: the parser keeps a trailer of any size, and chunk heads have no end."""
        allowed = 2 * self._limits.head_bytes + _CHUNK_COST * self._body_bytes
        if self._fed_bytes - self._body_bytes > allowed:
            self._refuse_head()

    def _check_body(self, now_s: float) -> None:
        limits = self._limits
        if self.cycle.response_complete:
            if now_s - self._answered_s > _LINGER_S:
                self.transport.close()
            return
        if self.flow.read_paused or self.cycle.waiting_for_100_continue:
            self._began_s = self._progress_s = now_s  # the server itself does not read
            self._fed_bytes = 0
            return
        elapsed = now_s - self._began_s
        stalled = now_s - self._progress_s > limits.body_s
        if stalled or (
            elapsed > limits.body_s and self._fed_bytes < elapsed * limits.body_bytes_per_s
        ):
            detail = f"the request body paused for {limits.body_s:g} s or came too slowly"
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "body-timeout", detail)

    def _begin_waiting(self) -> None:
        self._began_s = self.loop.time()
        self._fed_bytes = 0
        self._watch.add(self)

    def _refuse_head(self) -> None:
        most = self._limits.head_bytes
        detail = f"the request head is above {most} B (limits.head_bytes); send a shorter URL, or fewer or smaller headers"
        self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "head-too-large", detail)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP; nothing if a better refusal is on its way."""
        if not self.transport.is_closing():
            self._refuse(HTTPStatus.BAD_REQUEST, "bad-request", msg)

    def _refuse(self, status: HTTPStatus, code: str, detail: str) -> None:
        """Answer with a problem document, unless another answer has begun, and close.

        Whole requests that came before the fault are still answered; the last of these answers closes.
        """
        self._watch.discard(self)
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete and not self._in_body:
            cycle.keep_alive = False
            return
        if cycle is None or cycle.response_complete or not cycle.response_started:
            self.transport.write(closing_answer(problem(status, code, detail, title=status.phrase)))
        self.transport.close()


def _answer(cycle: RequestResponseCycle, head: bytes, body: bytes) -> bool:
    """Write a whole answer at once; False, and nothing is written, if the client does not read or something was sent.

    Sending it through ASGI takes two writes (docs/decisions/0007-one-write-per-answer.md).
    ``head`` is what stands between the status line's version and the empty line.
    """
    if cycle.response_started or cycle.disconnected or cycle.flow.write_paused:
        return False
    cycle.response_started = cycle.response_complete = True
    cycle.waiting_for_100_continue = False
    if cycle.keep_alive:
        cycle.transport.write(b"HTTP/1.1 %b\r\n\r\n%b" % (head, body))
    else:
        cycle.transport.write(b"HTTP/1.1 %b\r\nconnection: close\r\n\r\n%b" % (head, body))
        cycle.transport.close()
    cycle.message_event.set()
    # This function holds the cycle and stands in its scope: only the collector would free the request.
    del cycle.scope[ANSWER]  # type: ignore[misc]  # ours
    cycle.on_response()
    return True


def closing_answer(response: Response) -> bytes:
    """Encode an answer that is written straight to a transport which closes after it."""
    fields = [
        b"HTTP/1.1 %d %b" % (response.status, HTTPStatus(response.status).phrase.encode()),
        b"Content-Type: %b" % response.content_type,
        b"Content-Length: %d" % len(response.body),
        *(b"%b: %b" % field for field in response.headers),
        b"Connection: close",
    ]
    return b"\r\n".join(fields) + b"\r\n\r\n" + response.body


def guarded_protocol(head_bytes: int, head_s: float, body_s: float) -> Watch:
    """Return what to give uvicorn as ``http=``: its protocol with these limits."""
    return Watch(HttpLimits(head_bytes=head_bytes, head_s=head_s, body_s=body_s))
