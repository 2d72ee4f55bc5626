"""A push service for very many browsers: it reads no more of a push than its path, and misbehaves by that.

An endpoint is ``/BEHAVIOUR/ID``.  ``python -m tests.push_services.crowd`` writes ``{"origin": ...}`` and serves until its standard
input ends; ``GET /report`` tells how often each endpoint that is ``ok`` was called, and who strayed to another path.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from typing import cast

from tests.push_services.running import serve_until_input_ends

SLOW_S = 1.5
DRIP_S = 0.05
BEHAVIOURS = ("slow", "drip", "hang", "huge", "redirect", "reset", "cut", "garbage", "busy", "head")
_TAKEN = b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n"
_SAID = {
    "ok": _TAKEN,
    "redirect": b"HTTP/1.1 307 X\r\nlocation: /stray\r\ncontent-length: 0\r\n\r\n",
    "garbage": b"\x00\xff" * 100,
    "busy": b"HTTP/1.1 503 Busy\r\nretry-after: 86400\r\ncontent-length: 0\r\n\r\n",
    "head": b"HTTP/1.1 201 Created\r\nx-long: " + b"a" * 100_000,
}


class Crowd:
    """What came, and the connections that are kept busy."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        self.strayed = 0

    def report(self) -> bytes:
        said = json.dumps({"taken": self.taken, "strayed": self.strayed}).encode()
        return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(said), said)


class Endpoint(asyncio.Protocol):
    """One connection; requests come whole or in parts."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while (end := self._unread.find(b"\r\n\r\n")) >= 0:
            head = self._unread[:end].decode()
            length = int(head.lower().partition("content-length: ")[2].partition("\r\n")[0] or 0)
            if len(self._unread) < end + 4 + length:
                return
            self._unread = self._unread[end + 4 + length :]
            self._answer(*head.split(" ", 2)[1].strip("/").split("/"))

    def _answer(self, behaviour: str, name: str = "") -> None:
        loop = asyncio.get_running_loop()
        specials: dict[str, Callable[[], object]] = {
            "report": lambda: self._transport.write(self._crowd.report()),
            "slow": lambda: loop.call_later(SLOW_S, self._transport.write, _TAKEN),
            "drip": self._drip,
            "hang": lambda: None,
            "huge": self._pour,
            "reset": self._transport.abort,
            "cut": self._cut,
        }
        if behaviour == "ok":
            self._crowd.taken[name] += 1
        if behaviour in specials:
            specials[behaviour]()
        elif behaviour in _SAID:
            self._transport.write(_SAID[behaviour])
        else:
            self._crowd.strayed += 1

    def _cut(self) -> None:
        self._transport.write(_TAKEN[:20])
        self._transport.close()

    def _drip(self, at: int = 0) -> None:
        if at < len(_TAKEN) and not self._transport.is_closing():
            self._transport.write(_TAKEN[at : at + 1])
            asyncio.get_running_loop().call_later(DRIP_S, self._drip, at + 1)

    def _pour(self, started: bool = False) -> None:
        if not self._transport.is_closing():
            head = b"" if started else b"HTTP/1.1 201 Created\r\n\r\n"
            self._transport.write(head + b"a" * 65_536)
            asyncio.get_running_loop().call_later(DRIP_S, self._pour, True)


async def main() -> None:
    """Serve until standard input ends."""
    crowd = Crowd()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Endpoint(crowd), "127.0.0.1", 0, backlog=1_024)
    async with server:
        await serve_until_input_ends(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")


if __name__ == "__main__":
    asyncio.run(main())
