"""A WebSocket client that costs little: it reads frames by their heads and looks into none of them."""

import asyncio
import base64
import os
import time
from abc import ABC, abstractmethod

TEXT = 0x81
BINARY = 0x82
_HEAD_END = b"\r\n\r\n"
_PING = 0x89
_PONG = 0x8A
_CLOSE = 0x88
_MASKED = 0x80
_LENGTH_16 = 126
_LENGTH_64 = 127
_HEAD = (
    "GET {} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n"
)


def upgrade(path: str, subprotocol: str = "") -> bytes:
    """Return the request for a WebSocket; it offers no extension, so nothing is compressed."""
    offered = f"Sec-WebSocket-Protocol: {subprotocol}\r\n" if subprotocol else ""
    return f"{_HEAD.format(path)}{offered}\r\n".encode()


def frame(first: int, payload: bytes) -> bytes:
    """Return a client's frame of at most 65,535 bytes; its mask is zeros, so the payload stays as it is."""
    if len(payload) < _LENGTH_16:
        length = bytes((_MASKED | len(payload),))
    else:
        length = bytes((_MASKED | _LENGTH_16,)) + len(payload).to_bytes(2)
    return bytes((first,)) + length + bytes(4) + payload


class Client(asyncio.Protocol, ABC):
    """One connection; ``open`` is done when it was upgraded, or at once if there is nothing to ask for."""

    __slots__ = ("_request", "_rest", "_transport", "_upgraded", "open")

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._rest = b""
        self._upgraded = not request
        self._transport: asyncio.Transport | None = None
        self.open: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # TCP always is one
        """Ask for the upgrade."""
        self._transport = transport
        if self._request:
            transport.write(self._request)
        else:
            self.upgraded()

    def data_received(self, data: bytes) -> None:
        """Pass on whole frames, and keep the beginning of the next."""
        now_ns = time.monotonic_ns()
        if self._rest:
            data = self._rest + data
        start = 0 if self._upgraded else self._read_answer(data)
        end = start if start < 0 else self._end_of_frames(data, start)
        if end < 0:
            self._rest = data
            return
        self._rest = data[end:]
        if end > start:
            self.heard(data[start:end], now_ns)

    def upgraded(self) -> None:
        """Go on after the handshake."""
        self.open.set_result(None)

    @abstractmethod
    def heard(self, frames: bytes, now_ns: int) -> None:
        """Take whole frames that came together, at a moment of the monotonic clock."""

    def dismissed(self, reason: bytes) -> None:
        """End the measurement, if it is not told otherwise: it would be one of fewer connections."""
        msg = f"closed by the server: {reason!r}"
        raise ConnectionError(msg)

    def write(self, frames: bytes) -> None:
        """Send ready frames."""
        assert self._transport is not None
        self._transport.write(frames)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail whoever waits for the connection."""
        if not self.open.done():
            self.open.set_exception(ConnectionError(f"hung up in the handshake: {exc}"))

    def _read_answer(self, data: bytes) -> int:
        """Read the answer to the upgrade; return where frames begin, below 0 if it is not whole."""
        head = data.find(_HEAD_END)
        if head < 0:
            return -1
        if not data.startswith(b"HTTP/1.1 101"):
            self.open.set_exception(ConnectionError(data[:head].decode()))
            return -1
        self._upgraded = True
        self.upgraded()
        return head + len(_HEAD_END)

    def _end_of_frames(self, data: bytes, at: int) -> int:
        """Return where the last whole frame ends; answer pings on the way."""
        end = len(data)
        while at + 2 <= end:
            size, begin = data[at + 1], at + 2
            if size == _LENGTH_16:
                size, begin = int.from_bytes(data[begin : begin + 2]), begin + 2
            elif size == _LENGTH_64:
                size, begin = int.from_bytes(data[begin : begin + 8]), begin + 8
            if begin + size > end:
                break
            if data[at] == _PING:
                self.write(frame(_PONG, data[begin : begin + size]))
            elif data[at] == _CLOSE:
                self.dismissed(data[begin : begin + size])
            at = begin + size
        return at
