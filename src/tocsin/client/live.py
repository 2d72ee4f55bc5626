"""The inbox of one person, live: the client machine with a socket, HTTP and timers around it."""

import asyncio
import uuid
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from random import Random
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, quote, urlsplit

import aiohttp
import msgspec
from yarl import URL

from tocsin.client.comeback import Comeback
from tocsin.client.core import InboxCore
from tocsin.client.line import Line, Transport
from tocsin.client.received import Received
from tocsin.client.rules import Row
from tocsin.client.socket import InboxSocket
from tocsin.client.stream import InboxStream
from tocsin.clock import Clock, SystemClock
from tocsin.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    TocsinError,
    UnavailableError,
)
from tocsin.supervisor import Supervisor

MAX_EVENTS = 1000
_REQUEST_DEADLINE_S = 15.0
_UNAUTHENTICATED = 401
_NOT_FOUND = 404
_NO_CONTENT = 204
_REFUSED = (400, 413)
_TOLD = frozenset({"arrived", "changed", "refused"})

UrlProvider = Callable[[], Awaitable[str]]


class InboxClient:
    """Holds one inbox equal to the server's, in memory, from ``start`` to ``close``.

    Args:
        client_url: A client URL as ``POST /v1/client-tokens`` returns it, or a coroutine function that fetches one; it is
            asked before each connection, and when a token is refused.
        base_url: Where the HTTP API is, e.g. ``http://127.0.0.1:8080``.
        session: Carries socket and requests; the caller closes it.
        options: Limits of the machine (docs/reference/client-core.md).
        clock: Tells the time.
        random: Draws every jitter.
        device: Names this installation in receipts; keep it. Default: a random one, for the life of this object.
        gateway_url: Where event streams are, if processes with the role ``gateway`` have another address than ``base_url``.
    """

    def __init__(
        self,
        client_url: str | UrlProvider,
        base_url: str,
        session: aiohttp.ClientSession,
        *,
        options: dict[str, int] | None = None,
        clock: Clock | None = None,
        random: Random | None = None,
        device: str | None = None,
        gateway_url: str | None = None,
    ) -> None:
        self._device = device or str(uuid.uuid4())
        self._client_url = client_url
        self._base_url = base_url.rstrip("/")
        self._session = session
        self._clock = clock or SystemClock()
        self._random = random or Random()  # noqa: S311 - jitter, not a secret
        self._core = InboxCore(options)
        self._comeback = Comeback(self._random)
        self._line = Line(
            InboxSocket(session, self._clock, opened=self._opened, heard=self._heard),
            InboxStream(
                session,
                f"{(gateway_url or base_url).rstrip('/')}/v1/inbox/stream",
                opened=self._opened,
                heard=self._heard,
            ),
            url=self._socket_url,
            headers=self._headers,
            clock=self._clock,
            random=self._random,
        )
        self._tasks = Supervisor()
        self._received = Received(self.tell, self._tasks, self._clock)
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._token = ""
        self._connected = self._closed = False
        self._events: deque[Row] = deque(maxlen=MAX_EVENTS)
        self._stepped = asyncio.Event()
        self._answers: dict[str, asyncio.Future[None]] = {}

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._step("start", stored=None)
        self._tasks.keep("inbox socket", self._keep_connected)

    async def close(self) -> None:
        """End connection, requests and timers; whoever waits in ``act`` is cancelled."""
        self._closed = True
        await self._tasks.stop()
        for timer in self._timers.values():
            timer.cancel()
        for answer in self._answers.values():
            answer.cancel()
        self._wake()

    def view(self) -> Row:
        """Return what is to be drawn now, own actions applied."""
        return self._core.view()

    def load_older(self) -> None:
        """Ask for the next page; the view grows when it is here."""
        self._step("load_older")

    async def synced(self) -> None:
        """Wait until nothing is known to be missing and no action is left."""
        while True:
            view = self._core.view()
            if view["synced"] and not view["pending"]:
                return
            await self._next_step()

    async def events(self) -> AsyncIterator[Row]:
        """Yield ``arrived``, ``changed`` and ``refused`` effects, for one reader, until ``close``.

        A reader that falls behind by more than ``MAX_EVENTS`` loses the oldest; ``changed`` is told once for many.
        """
        while True:
            while self._events:
                yield self._events.popleft()
            if self._closed:
                return
            await self._next_step()

    async def act(self, action: Row) -> None:
        """Do what the user wants: shown at once, returns when the server's state includes it.

        Args:
            action: An action of docs/reference/client-core.md, e.g. ``{"type": "mark", "action": "read"}``.

        Raises:
            NotFoundError: There is no such item.
            ConflictError: It was refused for another reason; the code says which.
        """
        op_id = str(uuid.uuid4())
        answer = asyncio.get_running_loop().create_future()
        self._answers[op_id] = answer
        try:
            self._step("act", op_id=op_id, action=action)
            await answer
        finally:
            del self._answers[op_id]

    async def tell(self, receipts: Sequence[Row]) -> None:
        """Tell what happened to alerts here; they are on disk when this returns, and saying it again changes nothing.

        Args:
            receipts: 1 to 200 receipts of docs/reference/receipts.md, e.g. ``{"alert_id": "...", "fact": "shown"}``.

        Raises:
            InvalidInputError: One of them breaks the rules; nothing was kept.
            UnavailableError: There was no answer, or the server could not do it; tell it again.
        """
        request = {"method": "POST", "path": "/v1/inbox/receipts", "body": {"receipts": receipts}}
        try:
            if not self._token:
                await self._fresh_url()
            status, body = await self._ask(request)
            if status == _UNAUTHENTICATED:
                await self._fresh_url()
                status, body = await self._ask(request)
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError) as error:
            detail = f"the receipts were not answered: {error!r}"
            raise UnavailableError(detail) from error
        if status != _NO_CONTENT:
            raise _untold(status, body or {})

    # The line

    @property
    def transport(self) -> Transport:
        """What frames come over: ``socket``, or ``stream`` (Server-Sent Events) where sockets are blocked."""
        return self._line.transport

    async def _keep_connected(self) -> None:
        while True:
            code, reason = None, ""
            began_s = self._clock.monotonic_s()
            try:
                code, reason = await self._line.run()
            except (aiohttp.ClientError, TimeoutError):
                pass
            finally:
                self._lost()
            stood_s = self._clock.monotonic_s() - began_s
            await asyncio.sleep(self._comeback.pause_s(code, reason, stood_s=stood_s))

    def _opened(self) -> None:
        self._connected = True
        self._step("socket_open")

    def _heard(self, data: object) -> None:
        self._step("frame", frame=data)

    def _lost(self) -> None:
        if self._connected and not self._closed:
            self._step("socket_closed")
        self._connected = False

    async def _socket_url(self) -> str:
        return f"{await self._fresh_url()}&device={quote(self._device, safe='')}"

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}", "Tocsin-Device": self._device}

    async def _fresh_url(self) -> str:
        given = self._client_url
        url = given if isinstance(given, str) else await given()
        tokens = parse_qs(urlsplit(url).query).get("access_token")
        if tokens is None:
            raise InvalidInputError("the client URL has no access_token", code="invalid-url")
        self._token = tokens[0]
        return url

    # The machine

    def _step(self, kind: str, **fields: object) -> None:
        now_ms = self._clock.now_us() // 1000
        event = {"type": kind, "now": now_ms, "random": self._random.random(), **fields}
        for effect in self._core.step(event):
            self._carry_out(effect)
        self._settle_actions()
        self._wake()

    def _carry_out(self, effect: Row) -> None:
        kind = effect["type"]
        if kind == "request":
            self._tasks.start("inbox request", self._request(effect))
        elif kind == "timer":
            self._set_timer(effect["timer"], effect["delay_ms"])
        elif kind == "cancel":
            self._timers.pop(effect["timer"]).cancel()
        elif kind in _TOLD:
            if kind == "arrived" and self.transport == "stream":
                self._received.note(effect["items"])
            self._tell(effect)

    def _tell(self, effect: Row) -> None:
        answer = self._answers.get(effect.get("op_id", ""))
        if answer is not None and not answer.done():
            answer.set_exception(_refusal(effect))
        if not (self._events and effect == self._events[-1]):
            self._events.append(effect)

    def _set_timer(self, timer: str, delay_ms: int) -> None:
        if (running := self._timers.get(timer)) is not None:
            running.cancel()
        loop = asyncio.get_running_loop()
        self._timers[timer] = loop.call_later(delay_ms / 1000, self._ring, timer)

    def _ring(self, timer: str) -> None:
        del self._timers[timer]
        self._step("timer", timer=timer)

    def _settle_actions(self) -> None:
        if not self._answers:
            return
        queued = {entry["op_id"] for entry in self._core.snapshot()["queue"]}
        for op_id, answer in self._answers.items():
            if op_id not in queued and not answer.done():
                answer.set_result(None)

    def _wake(self) -> None:
        self._stepped.set()
        self._stepped = asyncio.Event()

    async def _next_step(self) -> None:
        await self._stepped.wait()

    # Requests

    async def _request(self, effect: Row) -> None:
        number = effect["request"]
        try:
            status, body = await self._ask(effect)
            if status == _UNAUTHENTICATED:
                await self._fresh_url()
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError):
            self._step("failed", request=number)
        else:
            self._step("answer", request=number, status=status, body=body)

    async def _ask(self, effect: Row) -> tuple[int, Any]:
        headers = self._headers()
        if "key" in effect:
            headers["Idempotency-Key"] = effect["key"]
        data = None
        if "body" in effect:
            headers["Content-Type"] = "application/json"
            data = msgspec.json.encode(effect["body"])
        async with (
            asyncio.timeout(_REQUEST_DEADLINE_S),
            self._session.request(
                effect["method"],
                URL(self._base_url + effect["path"], encoded=True),
                data=data,
                headers=headers,
                allow_redirects=False,
            ) as response,
        ):
            return response.status, msgspec.json.decode(await response.read() or b"null")


def _untold(status: int, problem: Row) -> TocsinError:
    detail = problem.get("detail", f"the receipts were answered with {status}")
    if status in _REFUSED:
        return InvalidInputError(detail, code=problem.get("code"), pointer=problem.get("pointer"))
    return UnavailableError(detail, code=problem.get("code"))


def _refusal(effect: Row) -> TocsinError:
    problem = effect["problem"] or {}
    code = problem.get("code", "action-dropped")
    detail = problem.get(
        "detail", "the action was never sent: it is too old, or nothing was read yet"
    )
    kind = NotFoundError if effect["status"] == _NOT_FOUND else ConflictError
    return kind(detail, code=code)
