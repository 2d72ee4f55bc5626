"""What a client may make the HTTP side hold, and for how long; time by hand."""

import asyncio
import gc
import json
import weakref
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from tocsin.api.http import ANSWER
from tocsin.api.http_guard import HttpGuard, HttpLimits, Watch

LIMITS = HttpLimits(head_bytes=1000, head_s=10, body_s=30, body_bytes_per_s=100)
HEAD = b"POST /x HTTP/1.1\r\nHost: h\r\n"


class Loop:
    """The running loop with a clock of its own; timers are only noted."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.timers = 0
        self._loop = asyncio.get_running_loop()

    def time(self) -> float:
        return self.now_s

    def call_later(self, delay: float, callback: Any, *args: Any) -> asyncio.TimerHandle:
        self.timers += 1
        handle = self._loop.call_later(3600, lambda: None)
        handle.cancel()
        return handle

    def create_task(self, coroutine: Any) -> asyncio.Task[Any]:
        return self._loop.create_task(coroutine)


class Transport:
    def __init__(self) -> None:
        self.written, self.writes = b"", 0
        self.closing = self.aborted = False

    def get_extra_info(self, name: str) -> Any:
        return None

    def write(self, data: bytes) -> None:
        self.written += data
        self.writes += 1

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    def abort(self) -> None:
        self.closing = self.aborted = True

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


async def echo_size(scope: Any, receive: Any, send: Any) -> None:
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message["body"]), message["more_body"]
    body = b"%d" % size
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Client:
    """One connection to a guarded server, and the time."""

    def __init__(self, app: Any = echo_size, *, ws: Any = "auto") -> None:
        self.loop, self.transport, self.watch = Loop(), Transport(), Watch(LIMITS)
        config = uvicorn.Config(app, ws=ws, lifespan="off", log_config=None, access_log=False)
        config.load()
        self.guard: HttpGuard = self.watch(
            config=config, server_state=ServerState(), app_state={}, _loop=self.loop
        )
        self.guard.connection_made(self.transport)  # type: ignore[arg-type]

    async def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            if not self.transport.closing:
                self.guard.data_received(piece)
            await asyncio.sleep(0)
        for _ in range(5):
            await asyncio.sleep(0)

    def wait(self, seconds: float) -> None:
        for _ in range(int(seconds)):
            self.loop.now_s += 1
            self.watch.check(self.loop.now_s)

    @property
    def refusal(self) -> tuple[int, str]:
        """Status and code of the last answer, which closed the connection."""
        assert self.transport.closing
        head, _, body = self.transport.written.rpartition(b"\r\n\r\n")
        line = head[head.rindex(b"HTTP/1.1 ") :]
        assert b"Content-Type: application/problem+json" in line
        assert b"Connection: close" in line
        return int(line.split()[1]), json.loads(body)["code"]


async def test_whole_request_is_answered_and_watched_no_more() -> None:
    client = Client()
    await client.send(HEAD + b"Content-Length: 3\r\n\r\nabc")
    assert client.transport.written.endswith(b"\r\n\r\n3")
    assert len(client.watch) == 0
    client.wait(4)
    assert not client.transport.closing


async def test_connection_that_rests_is_closed_and_one_that_asks_again_is_not() -> None:
    client = Client()
    for _ in range(5):
        await client.send(HEAD + b"Content-Length: 0\r\n\r\n")
        client.wait(4)
        assert not client.transport.closing
    client.wait(2)  # uvicorn's keep-alive time is 5 s
    assert client.transport.closing
    assert not client.transport.aborted


@pytest.mark.parametrize("cut", [1, 7, 100, 1_000_000])
@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nX: " + b"x" * 2000,
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 400,
        b"GET /" + b"x" * 2000,
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 400 + b"\r\n",
    ],
)
async def test_head_above_the_limit_is_cut_off_however_it_comes(head: bytes, cut: int) -> None:
    client = Client()
    await client.send(*(head[i : i + cut] for i in range(0, len(head), cut)))
    assert client.refusal == (431, "head-too-large")


async def test_head_below_the_limit_passes_and_a_large_body_is_not_counted() -> None:
    client = Client()
    await client.send(
        HEAD + b"X: " + b"x" * 800 + b"\r\nContent-Length: 5000\r\n\r\n" + b"b" * 5000
    )
    assert client.transport.written.endswith(b"5000")


async def test_body_of_one_request_does_not_count_for_the_head_of_the_next() -> None:
    client = Client()
    request = HEAD + b"Content-Length: 5000\r\n\r\n" + b"b" * 5000
    await client.send(request + request[:10], request[10:])
    assert client.transport.written.count(b"HTTP/1.1 200") == 2


CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("start", [b"0\r\nX: ", b"5;"])
async def test_trailer_or_chunk_head_without_an_end_is_cut_off(start: bytes) -> None:
    client = Client()
    await client.send(CHUNKED + start, *[b"x" * 100] * 40)
    assert client.refusal == (431, "head-too-large")
    client.guard.connection_lost(None)
    await client.send()


async def test_body_in_chunks_of_one_byte_passes() -> None:
    client = Client()
    await client.send(CHUNKED, *[b"1\r\nb\r\n"] * 3000, b"0\r\n\r\n")
    assert client.transport.written.endswith(b"3000")


async def test_trailer_is_no_header() -> None:
    names: list[bytes] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await echo_size(scope, receive, send)
        names.extend(name for name, _ in scope["headers"])

    client = Client(app)
    await client.send(CHUNKED + b"0\r\nAuthorization: Bearer x\r\n\r\n")
    assert client.transport.written.endswith(b"0")
    assert names == [b"host", b"transfer-encoding"]


async def answer_whole(scope: Any, receive: Any, send: Any) -> None:
    if not scope[ANSWER](b"200 OK\r\ncontent-length: 2", b"ok"):
        await echo_size(scope, receive, send)


async def test_whole_answer_is_one_write_and_the_next_request_follows() -> None:
    client = Client(answer_whole)
    await client.send(HEAD + b"Content-Length: 0\r\n\r\n")
    assert client.transport.writes == 1
    assert client.transport.written.endswith(b"content-length: 2\r\n\r\nok")
    await client.send(HEAD + b"Content-Length: 0\r\n\r\n")
    assert client.transport.written.count(b"HTTP/1.1 200 OK") == 2
    assert not client.transport.closing


async def test_an_answered_request_leaves_nothing_for_the_collector() -> None:
    requests: list[weakref.ref[Any]] = []

    class Seen:
        """Stands in a request's scope, and so lives as long as the request."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["seen"] = seen = Seen()
        requests.append(weakref.ref(seen))
        await answer_whole(scope, receive, send)

    client = Client(app)
    gc.disable()
    try:
        for _ in range(3):
            await client.send(HEAD + b"Content-Length: 0\r\n\r\n")
    finally:
        gc.enable()
    assert [request() is None for request in requests[:2]] == [True, True]


async def test_whole_answer_closes_where_the_client_asked_for_it() -> None:
    client = Client(answer_whole)
    await client.send(HEAD + b"Connection: close\r\nContent-Length: 0\r\n\r\n")
    assert b"\r\nconnection: close\r\n\r\nok" in client.transport.written
    assert client.transport.closing


async def test_pipelined_requests_are_answered_in_their_order() -> None:
    client = Client(answer_whole)
    await client.send(2 * (HEAD + b"Content-Length: 0\r\n\r\n"))
    assert client.transport.written.count(b"\r\n\r\nok") == 2


async def test_whole_answer_waits_for_a_client_that_does_not_read() -> None:
    client = Client(answer_whole)
    client.guard.pause_writing()
    await client.send(HEAD + b"Content-Length: 0\r\n\r\n")
    assert client.transport.written == b""
    client.guard.resume_writing()
    await client.send()
    assert client.transport.written.endswith(b"\r\n\r\n0")


async def test_upgrade_behind_an_unanswered_request_is_refused_after_its_answer() -> None:
    client = Client()
    upgrade = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    await client.send(HEAD + b"Content-Length: 3\r\n\r\nabc" + upgrade)
    assert client.transport.written.startswith(b"HTTP/1.1 200")
    assert b"101" not in client.transport.written
    assert client.transport.closing


@pytest.mark.parametrize("wanted", [b"websocket", b"h2c"])
async def test_upgrade_that_is_not_done_here_is_answered_as_a_request_and_logs_nothing(
    wanted: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    client = Client(ws="none")
    await client.send(
        b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: " + wanted + b"\r\n\r\n"
    )
    assert client.transport.written.startswith(b"HTTP/1.1 200")
    assert client.transport.written.endswith(b"\r\n\r\n0")
    await client.send(HEAD + b"Content-Length: 3\r\n\r\nabc")
    assert client.transport.written.endswith(b"\r\n\r\n3")
    assert caplog.messages == []


async def test_slow_head_is_cut_off_however_busy_the_client_looks() -> None:
    client = Client()
    await client.send(HEAD)
    for _ in range(9):
        client.wait(1)
        await client.send(b"X: y\r\n")
    assert not client.transport.closing
    client.wait(2)
    assert client.refusal == (408, "head-timeout")


async def test_client_that_never_says_anything_is_closed_without_an_answer() -> None:
    client = Client()
    client.wait(11)
    assert client.transport.closing
    assert client.transport.written == b""


async def test_empty_lines_do_not_keep_a_connection_alive() -> None:
    client = Client()
    await client.send(HEAD + b"Content-Length: 0\r\n\r\n")
    for _ in range(12):
        await client.send(b"\r\n")
        client.wait(1)
    assert client.transport.closing


async def test_body_that_stops_is_cut_off() -> None:
    client = Client()
    await client.send(HEAD + b"Content-Length: 9000\r\n\r\n", b"b" * 8000)
    client.wait(29)
    assert not client.transport.closing
    client.wait(2)
    assert client.refusal == (408, "body-timeout")
    client.guard.connection_lost(None)
    await client.send()


async def test_body_that_trickles_is_cut_off_and_a_steady_one_is_not() -> None:
    slow, steady = Client(), Client()
    for client in (slow, steady):
        await client.send(HEAD + b"Content-Length: 90000\r\n\r\n")
    for _ in range(60):
        await slow.send(b"b")
        await steady.send(b"b" * 150)
        slow.wait(1)
        steady.wait(1)
    assert slow.refusal == (408, "body-timeout")
    assert not steady.transport.closing
    for client in (slow, steady):
        client.guard.connection_lost(None)
        await client.send()


async def test_client_is_not_blamed_while_the_server_does_not_read() -> None:
    client = Client()
    await client.send(HEAD + b"Content-Length: 90000\r\n\r\n")
    client.guard.flow.pause_reading()
    client.wait(300)
    assert not client.transport.closing
    client.guard.connection_lost(None)
    await client.send()


async def test_client_that_does_not_read_its_answer_is_cut_off() -> None:
    client = Client()
    await client.send(HEAD + b"Content-Length: 0\r\n\r\n")
    client.guard.pause_writing()
    client.wait(4)
    client.guard.resume_writing()
    await client.send(HEAD + b"Content-Length: 0\r\n\r\n")
    client.guard.pause_writing()
    client.wait(29)
    assert not client.transport.aborted
    client.wait(2)
    assert client.transport.aborted


async def test_no_http_is_a_problem() -> None:
    client = Client()
    await client.send(b"\x16\x03\x01 hello?\r\n\r\n")
    assert client.refusal == (400, "bad-request")


async def test_fault_of_one_connection_does_not_stop_the_timer_of_all() -> None:
    client = Client()

    def faulty(now_s: float) -> None:
        raise RuntimeError("a fault of ours")

    client.guard.check = faulty  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        client.watch._tick(client.loop)  # type: ignore[arg-type]
    assert client.loop.timers == 2


async def test_one_timer_serves_all_and_none_runs_when_nobody_waits() -> None:
    first = Client()
    assert first.loop.timers == 1
    first.watch._tick(first.loop)  # type: ignore[arg-type]
    assert first.loop.timers == 2
    await first.send(HEAD + b"Content-Length: 0\r\n\r\n")
    assert first.loop.timers == 2
    first.loop.now_s += 6  # it has rested for long enough
    first.watch._tick(first.loop)  # type: ignore[arg-type]
    assert first.transport.closing
    assert first.loop.timers == 2
