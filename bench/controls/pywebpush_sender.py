"""What one would write with pywebpush: its one call for a message, in asyncio, with the session that it lets one share.

Without the session it opens a connection for each message.
"""

from collections.abc import Sequence

import aiohttp
from bench.load.browsers import Subscription, payload
from bench.load.pushes import in_flight
from pywebpush import Vapid, webpush_async

_TIMEOUT_S = 10


class PywebpushSender:
    """Sends as fast as answers come.  Run it in a process of its own (``bench.child``)."""

    async def aim(self, subscriptions: Sequence[Subscription]) -> None:
        """Say to whom to send."""
        self._key = Vapid()
        self._key.generate_keys()
        self._session = aiohttp.ClientSession()
        self._to = [dict(one.said()) for one in subscriptions]
        self._payload = payload().decode()

    async def send(self, count: int) -> None:
        """Send ``count`` pushes; what is not accepted raises."""
        await in_flight(self._one, count)

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def _one(self, number: int) -> None:
        await webpush_async(
            self._to[number % len(self._to)],
            self._payload,
            self._key,
            {"sub": "mailto:bench@example.org"},
            ttl=3_600,
            timeout=_TIMEOUT_S,
            aiohttp_session=self._session,
        )
