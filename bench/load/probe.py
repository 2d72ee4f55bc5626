"""A producer that times its answers while something else goes on."""

import asyncio
import json
import time

_PAUSE_S = 0.01


class Probe:
    """It publishes one alert after the other, from ``begin`` to ``end``."""

    def __init__(self) -> None:
        self._over = False
        self._publishing: asyncio.Task[list[int]] | None = None

    async def begin(self, port: int, key: str) -> None:
        """Publish until it is ended."""
        self._over = False
        self._publishing = asyncio.create_task(self._publish(port, _request(key)))

    async def end(self) -> list[int]:
        """Return the nanoseconds that each answer took."""
        assert self._publishing is not None
        self._over = True
        return await self._publishing

    async def _publish(self, port: int, request: bytes) -> list[int]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        took: list[int] = []
        try:
            while not self._over:
                began = time.monotonic_ns()
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                if not head.startswith(b"HTTP/1.1 202"):
                    raise ConnectionError(head.decode())
                size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                await reader.readexactly(size)
                took.append(time.monotonic_ns() - began)
                await asyncio.sleep(_PAUSE_S)
        finally:
            writer.close()
        return took


def _request(key: str) -> bytes:
    body = json.dumps({"to": {"users": ["nobody"]}, "title": "Probe"}).encode()
    return (
        b"POST /v1/alerts HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %b\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
    ) % (key.encode(), len(body), body)
