"""Lets so many through in one turn of the event loop, so that thousands who come at once do not fill one turn.

What else happens in the loop, publishes above all, gets its share of the time between them (I7).
"""

import asyncio
from collections import deque


class Turnstile:
    """Those who come pass in the order of their coming."""

    def __init__(self, per_turn: int) -> None:
        """Let ``per_turn`` pass in each turn of the loop."""
        self._per_turn = per_turn
        self._free = per_turn
        self._waiting: deque[asyncio.Future[None]] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    async def enter(self) -> None:
        """Pass, perhaps in a later turn; who is cancelled meanwhile takes nobody's place."""
        loop = asyncio.get_running_loop()
        if self._free == self._per_turn:
            loop.call_soon(self._turn)
        if self._free:
            self._free -= 1
            return
        passes = loop.create_future()
        self._waiting.append(passes)
        await passes

    def _turn(self) -> None:
        self._free = self._per_turn
        while self._free and self._waiting:
            passes = self._waiting.popleft()
            if not passes.done():
                self._free -= 1
                passes.set_result(None)
        if self._free < self._per_turn:
            asyncio.get_running_loop().call_soon(self._turn)
