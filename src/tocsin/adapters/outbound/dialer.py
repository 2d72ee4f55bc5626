"""New connections: to an address that was checked, and to a server whose certificate holds."""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from tocsin.adapters.outbound.answer import NoAnswerError
from tocsin.adapters.outbound.connection import Connection
from tocsin.adapters.outbound.guard import plain_name
from tocsin.adapters.outbound.resolver import GuardedResolver
from tocsin.adapters.outbound.target import Place

# What an address gets before the next one is tried beside it (RFC 8305 section 5).
HEAD_START_S: Final = 0.25

Ended = Callable[[Connection], None]


class Dialer:
    """Connects within ``connect_s``, lookup and handshake included."""

    def __init__(
        self, resolver: GuardedResolver, tls: ssl.SSLContext, connect_s: float, most_bytes: int
    ) -> None:
        """Make it; answers on its connections have at most ``most_bytes``."""
        self._resolver = resolver
        self._tls = tls
        self._connect_s = connect_s
        self._most_bytes = most_bytes

    async def dial(self, place: Place, ended: Ended) -> Connection:
        """Connect.

        Raises:
            NoAnswerError: There is no connection; the other side has seen nothing.
            NotAllowedError: No address of that name may be called.
        """
        try:
            async with asyncio.timeout(self._connect_s):
                addresses = await self._addresses(place)
                return await self._first(addresses, place, ended)
        except TimeoutError:
            reason = f"no connection within {self._connect_s:g} s"
            raise NoAnswerError("timeout", reason) from None

    async def _addresses(self, place: Place) -> Sequence[str]:
        try:
            return await self._resolver.addresses(place.host, place.port)
        except OSError as error:
            reason = f"the name has no address now: {error}"
            raise NoAnswerError("unresolved", reason) from error

    async def _first(self, addresses: Sequence[str], place: Place, ended: Ended) -> Connection:
        """Return the first connection that comes about: an address that does not answer delays the next by a moment."""
        if len(addresses) == 1:
            return await self._connect(addresses[0], place, ended)
        loop, untried = asyncio.get_running_loop(), deque(addresses)
        trying, failures = set[asyncio.Task[Connection]](), list[BaseException]()
        try:
            while untried or trying:
                if untried:
                    attempt = self._connect(untried.popleft(), place, ended)
                    trying.add(loop.create_task(attempt))
                done, trying = await asyncio.wait(
                    trying,
                    timeout=HEAD_START_S if untried else None,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                made = [one for one in done if one.exception() is None]
                trying.update(made[1:])
                if made:
                    return made[0].result()
                failures += [error for one in done if (error := one.exception())]
            raise failures[0]
        finally:
            for one in trying:
                one.add_done_callback(_drop)
                one.cancel()

    async def _connect(self, address: str, place: Place, ended: Ended) -> Connection:
        loop, secure = asyncio.get_running_loop(), place.scheme == "https"
        try:
            _, connection = await loop.create_connection(
                lambda: Connection(place, self._most_bytes, ended),
                address,
                place.port,
                ssl=self._tls if secure else None,
                server_hostname=plain_name(place.host) if secure else None,
            )
        except ssl.SSLError as error:
            reason = f"certificate or TLS do not hold: {error}"
            raise NoAnswerError("tls", reason) from error
        except OSError as error:
            raise NoAnswerError("unreachable", f"no connection: {error}") from error
        return connection


def _drop(attempt: asyncio.Task[Connection]) -> None:
    """End a connection that nobody needs any more."""
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().drop()
