"""Connections to a server: nobody waits in httpx's pool, and few are open at once all the same.

httpx's pool (httpcore 1.0.9) makes a connection for the first who waits for one.  If that caller gives up in the same moment, the
connection is never opened and never dropped, and its place is lost: an outage with more calls under way than places took all of them, and
nothing was sent any more, however well the server was.
"""

import asyncio
from typing import Any, Final

import httpx

AT_ONCE: Final = 100
# Without a bound nobody waits.
UNBOUNDED: Final = httpx.Limits(max_connections=None, max_keepalive_connections=AT_ONCE)


class Connections(httpx.Client):
    """An httpx client in which each thread that sends something has a connection."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 -- httpx's own
        """Connect to nothing yet."""
        super().__init__(limits=UNBOUNDED, **options)


class AsyncConnections(httpx.AsyncClient):
    """An httpx client with at most 100 requests under way; further ones wait, for as long as their caller does."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 -- httpx's own
        """Connect to nothing yet; a ``transport`` among the options needs to be unbounded itself."""
        super().__init__(limits=UNBOUNDED, **options)
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def request(self, *args: Any, **options: Any) -> httpx.Response:  # noqa: ANN401 -- as above
        """Send a request and read the whole answer."""
        async with self._gate:
            return await super().request(*args, **options)
