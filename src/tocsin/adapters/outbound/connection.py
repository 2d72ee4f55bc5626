"""One connection to one server: a request, its answer, and perhaps the next."""

import asyncio
from collections.abc import Callable
from typing import Final, cast

from tocsin.adapters.outbound.answer import AnswerReader, NoAnswerError
from tocsin.adapters.outbound.target import Place
from tocsin.ports.outbound import Answer, Method

_BROKEN: Final = "the connection ended before the answer did"


class StaleError(NoAnswerError):
    """The other side ended a connection that had been kept, with no byte of an answer: most likely before it saw the request."""


class Connection(asyncio.Protocol):
    """Has one exchange at a time; whatever comes between two of them ends it."""

    def __init__(
        self, place: Place, most_bytes: int, ended: Callable[["Connection"], None]
    ) -> None:
        """Make it; ``ended`` is called once, when the connection is no more, whoever ended it."""
        self.place = place
        self.is_kept = False
        self._reader = AnswerReader(most_bytes)
        self._ended = ended
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Answer] | None = None
        self._until_s = 0.0
        self._look: asyncio.TimerHandle | None = None

    async def exchange(self, request: bytes, method: Method, until_s: float) -> Answer:
        """Send a request and wait for the answer until that time of the loop; who stops to wait ends the connection.

        Raises:
            NoAnswerError: None came.
            TimeoutError: None came in time.
        """
        self._reader.begin(method)
        if self._transport is None or self._transport.is_closing():
            raise self._broken(None)
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        self._wait_until(until_s)
        try:
            return await self._waiting
        except BaseException:
            self.drop()
            raise
        finally:
            self._waiting = None
            self.is_kept = True

    @property
    def goes_on(self) -> bool:
        """Whether another request may follow."""
        transport = self._transport
        return (
            self._reader.goes_on
            and transport is not None
            and not transport.is_closing()
            and transport.get_write_buffer_size() == 0
        )

    def drop(self) -> None:
        """End it at once, without a farewell that could be waited for."""
        if self._transport is not None:
            self._transport.abort()

    # --- time --------------------------------------------------------------------------------
    def _wait_until(self, until_s: float) -> None:
        """Have an end put to the waiting at that time.

        A timer for each exchange would cost more than its answer does.  So the one of an earlier exchange serves this one
        too, unless it comes too late: it looks, finds that it is not yet time, and goes on.
        """
        self._until_s = until_s
        if self._look is not None:
            if self._look.when() <= until_s:
                return
            self._look.cancel()
        self._look = asyncio.get_running_loop().call_at(until_s, self._look_at_time)

    def _look_at_time(self) -> None:
        self._look = None
        if self._waiting is None or self._waiting.done():
            return
        if asyncio.get_running_loop().time() < self._until_s:
            self._wait_until(self._until_s)
        else:
            self._waiting.set_exception(TimeoutError())

    # --- called by the loop ------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Read on; what nobody waits for ends the connection."""
        if self._waiting is None or self._waiting.done():
            self.drop()
            return
        try:
            answer = self._reader.feed(data)
        except NoAnswerError as failure:
            self._waiting.set_exception(failure)
            self.drop()
        else:
            if answer is not None:
                self._waiting.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits, unless the end was that of the answer."""
        if self._waiting is not None and not self._waiting.done():
            answer = None if exc else self._reader.end()
            if answer is None:
                self._waiting.set_exception(self._broken(exc))
            else:
                self._waiting.set_result(answer)
        if self._look is not None:
            self._look.cancel()
        self._transport = None
        self._ended(self)

    def _broken(self, exc: Exception | None) -> NoAnswerError:
        reason = f"{_BROKEN}: {exc}" if exc else _BROKEN
        if self.is_kept and not self._reader.heard:
            return StaleError("broken", reason)
        return NoAnswerError("broken", reason)
