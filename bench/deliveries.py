"""One message to many connections, by ways that do more and more: what of a delivery's cost belongs to what."""

import asyncio
import socket
import time
from collections.abc import Callable, Sequence

from tocsin.realtime.dialects import RELIABLE_JSON
from tocsin.realtime.direct import direct_sink
from tocsin.realtime.message import Message
from tocsin.realtime.session import Session
from tocsin.realtime.sink import Sink
from tocsin.realtime.spread import Steps, write_at_once
from tocsin.realtime.writer import SOCKETS_PER_TURN
from tocsin.serving import calm_collector

BARE = "socket.send"
PAST = "past the transports"
THROUGH = "transport.write"
SESSIONS_PAST = "sessions, past the transports"
SESSIONS_THROUGH = "sessions, transport.write"
WAYS = (BARE, PAST, THROUGH, SESSIONS_PAST, SESSIONS_THROUGH)
_SEQUENCE_ID = 100
_ALL = 2**63


class Deliveries:
    """Plain connections for each way.  Run it in a process of its own (``bench.child``)."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=4_096)
        self._kept: list[object] = []
        self._sessions: dict[str, list[Session]] = {}
        self._send: dict[str, Callable[[Message], None]] = {}

    async def port(self) -> int:
        """Return where to connect."""
        return int(self._listener.getsockname()[1])

    async def accept(self, way: str, count: int) -> None:
        """Take ``count`` connections that are written to in one of the ways."""
        accepted = [self._listener.accept()[0] for _ in range(count)]
        if way == BARE:
            self._send[way] = lambda message: _send_bare(accepted, message)
            return
        transports = [await _transport(each) for each in accepted]
        self._kept += transports
        sinks = [_sink(each, past=way in {PAST, SESSIONS_PAST}) for each in transports]
        if way in {PAST, THROUGH}:
            self._send[way] = lambda message: _write_all(sinks, message)
        else:
            sessions = self._sessions[way] = [_session(sink) for sink in sinks]
            self._send[way] = lambda message: _write_to(sessions, message)

    async def calm(self) -> None:
        """Do as the server when it begins to serve."""
        calm_collector()

    async def send(self, way: str, body: bytes) -> int:
        """Send a message to all connections of a way; return the processor time of that alone (ns)."""
        message, send = Message(body), self._send[way]
        began_ns = time.thread_time_ns()
        send(message)
        took_ns = time.thread_time_ns() - began_ns
        for session in self._sessions.get(way, ()):
            session.acknowledge(_ALL)
        return took_ns


async def _transport(accepted: socket.socket) -> asyncio.Transport:
    accepted.setblocking(False)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_accepted_socket(asyncio.Protocol, accepted)
    return transport


def _sink(transport: asyncio.Transport, *, past: bool) -> Sink:
    sink = direct_sink(transport) if past else transport
    assert sink is not None
    return sink


def _session(sink: Sink) -> Session:
    session = Session("", hub="bench", user=None, dialect=RELIABLE_JSON, inbox=True)
    session.sink = sink
    return session


def _send_bare(sockets: Sequence[socket.socket], message: Message) -> None:
    frame = RELIABLE_JSON.encode((message,), _SEQUENCE_ID)
    for each in sockets:
        each.send(frame)


def _write_all(sinks: Sequence[Sink], message: Message) -> None:
    frame = RELIABLE_JSON.encode((message,), _SEQUENCE_ID)
    size = len(frame)
    for sink in sinks:
        sent = sink.write(frame)
        assert sent == size or sent is None


def _write_to(sessions: Sequence[Session], message: Message) -> None:
    steps = Steps([message])
    for start in range(0, len(sessions), SOCKETS_PER_TURN):
        write_at_once(sessions[start : start + SOCKETS_PER_TURN], steps)
