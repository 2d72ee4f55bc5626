"""Connections to a server: nobody waits in httpx's pool, and few are open at once all the same.

That pool loses the place of a caller who gives up in the moment in which it is his turn, until none is left and nothing is sent any
more, however well the server is (docs/decisions/0029-nobody-waits-in-httpx-s-pool.md has the measurement).
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
