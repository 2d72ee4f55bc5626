"""One event stream from the gateway: ``GET /v1/inbox/stream`` as Server-Sent Events (docs/reference/http-api.md).

It can only be listened to.  Whatever it missed is healed by the inbox position, as after a socket.
"""

from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
import msgspec

from tocsin.client.socket import ABNORMAL, CONNECT_DEADLINE_S, Closed

# The server shows every 30 s that it is there.
SILENT_S = 75.0
_TIMES = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_DEADLINE_S, sock_read=SILENT_S)


class InboxStream:
    """Runs one stream after the other; ``opened`` and ``heard`` are called for each."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        *,
        opened: Callable[[], None],
        heard: Callable[[Any], None],
    ) -> None:
        self._session = session
        self._url = url
        self._opened = opened
        self._heard = heard

    async def run(self, headers: Mapping[str, str]) -> Closed:
        """Open it and pass on what the server says until it ends.

        Raises:
            aiohttp.ClientError: It was refused, or broke.
            TimeoutError: Nothing came for 75 s.
        """
        async with self._session.get(
            self._url, headers=headers, timeout=_TIMES, raise_for_status=True, allow_redirects=False
        ) as response:
            self._opened()
            rest = b""
            async for chunk in response.content.iter_any():
                *events, rest = (rest + chunk).split(b"\n\n")
                for event in events:
                    name, data = _field(event, b"event"), _field(event, b"data")
                    if name == b"end":
                        end = msgspec.json.decode(data)
                        return Closed(end["code"], end["reason"])
                    if data and not name:
                        self._heard(msgspec.json.decode(data))
        return Closed(ABNORMAL, "")


def _field(event: bytes, name: bytes) -> bytes:
    start = name + b": "
    found = (line for line in event.split(b"\n") if line.startswith(start))
    return next(found, b"").removeprefix(start)
