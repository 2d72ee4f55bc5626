"""Carrying what a stream has to the store: by one process at a time, in the order of the stream, for batches keep theirs."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Final

import msgspec
import structlog
from nats.aio.msg import Msg
from nats.errors import Error

from tocsin.adapters.nats.line import Line
from tocsin.errors import TocsinError
from tocsin.model.alert import Envelope
from tocsin.ports.handover import Handover

log = structlog.get_logger()

_ANSWER_S: Final = 2.0
_WAIT_S: Final = 1.0
# For a message that nobody here can read; a newer node may.
_UNREADABLE_S: Final = 60.0

_decode = msgspec.json.Decoder(Envelope).decode


class Porter:
    """Has the store take over messages, in one commit each time, and then acknowledges them.

    It begins with the oldest message whenever its turn comes, or the store did not take what it had.
    """

    def __init__(self, line: Line, handover: Handover) -> None:
        self._line = line
        self._handover = handover
        self._turn: int | None = None
        self._carrying = asyncio.Lock()
        self._going_on: asyncio.Task[None] | None = None

    async def carry(self, limit: int) -> None:
        """Carry up to ``limit`` messages that are there now, if it is this process's turn.

        Raises:
            UnavailableError: The store is away.
        """
        async with self._carrying:
            if not await self._is_my_turn():
                return
            messages = await self._line.pull.now(limit)
            if self._line.pull.is_whole:
                await self._hand_over(messages)
            else:  # what was lost on its way comes again when it begins anew
                self._turn = None

    async def wait(self, timeout_s: float) -> None:
        """Return when there may be something to carry, at the latest after ``timeout_s`` seconds.

        Raises:
            UnavailableError: The store is away.
        """
        async with self._carrying:
            is_my_turn = await self._is_my_turn()
        if is_my_turn:
            await self._line.pull.wait(timeout_s)
        else:
            await asyncio.sleep(timeout_s)

    def go_on(self, limit: int) -> None:
        """Carry what comes while alerts are worked on here: others may have time for it."""
        if self._turn is not None:
            self._going_on = asyncio.ensure_future(self._go_on(limit))

    async def close(self) -> None:
        """Carry nothing more; return when what was under way is finished."""
        self.pause()
        async with self._carrying:
            pass

    def pause(self) -> None:
        """Begin to carry nothing more; what is under way is finished."""
        if self._going_on is not None:
            self._going_on.cancel()
            self._going_on = None

    async def _go_on(self, limit: int) -> None:
        while self._turn is not None:
            if not await self._line.pull.wait(_WAIT_S):
                continue
            # A handover that is cut off would leave its messages behind those that follow.
            await asyncio.shield(self._carry_more(limit))

    async def _carry_more(self, limit: int) -> None:
        try:
            await self.carry(limit)
        except TocsinError as error:
            log.warning("queue.not_carried", reason=error.detail)

    async def _is_my_turn(self) -> bool:
        turn = await self._handover.take_turn()
        if turn != self._turn:
            self._turn = turn if turn is not None and await self._line.begin_anew() else None
        return self._turn is not None

    async def _hand_over(self, messages: Sequence[Msg]) -> None:
        """Hand messages over, and acknowledge them; the answer to the last one says it of all."""
        if not messages:
            return
        try:
            await self._handover.take_over([_decode(message.data) for message in messages])
        except TocsinError:
            self._turn = None  # and so it begins anew, or what comes next would overtake
            raise
        except Exception:
            if len(messages) > 1:  # one of them is at fault, and is found by halves
                half = len(messages) // 2
                await self._hand_over(messages[:half])
                await self._hand_over(messages[half:])
                return
            (message,) = messages
            log.exception("queue.unreadable", subject=message.subject, bytes=len(message.data))
            await message.nak(delay=_UNREADABLE_S)
        else:
            for message in messages[:-1]:
                await message.ack()
            with contextlib.suppress(
                Error, TimeoutError
            ):  # what was not heard comes again, and is known
                await messages[-1].ack_sync(_ANSWER_S)
