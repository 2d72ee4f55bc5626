"""Finds what devices still show although it was dealt with elsewhere, and has it taken back.

Announcements say whose inbox changed.  They may be lost (I5), and what ends for everybody names nobody, so everybody who is
shown something is looked at as well: at the start, after something about everybody, and now and then.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from tocsin.clock import Clock
from tocsin.ports.fanout import Announcement
from tocsin.ports.pushes import PushStore

POLL_S: Final = 0.5
USERS_AT_ONCE: Final = 200
ROUND_S: Final = 60.0
# More of them, and a round does it.
MOST_CHANGED: Final = 10_000


class Recaller:
    """Hears of changes and makes withdrawals, which the dispatcher sends like every push."""

    def __init__(self, pushes: PushStore, clock: Clock) -> None:
        self._pushes = pushes
        self._clock = clock
        self._changed: dict[tuple[str, str], None] = {}
        self._round_at_s = clock.monotonic_s()
        self._place: int | None = None

    def heard(self, announcements: Sequence[Announcement]) -> None:
        """Note whose inbox changed; what only arrived takes nothing back."""
        for told in announcements:
            if told.user is None or len(self._changed) >= MOST_CHANGED:
                self.look_at_all()
            elif not told.alert_ids:
                self._changed[told.hub, told.user] = None

    def look_at_all(self) -> None:
        """Begin a round with the next step."""
        self._round_at_s = self._clock.monotonic_s()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self.step()
            await asyncio.sleep(POLL_S)

    async def step(self) -> None:
        """Look at some of those whose inbox changed, and at the next ones of a round."""
        now_us = self._clock.now_us()
        some = list(self._changed)[:USERS_AT_ONCE]
        if some:
            await self._pushes.withdraw_pushes(some, now_us)
        for one in some:
            del self._changed[one]
        if self._place is None and self._clock.monotonic_s() >= self._round_at_s:
            self._place = 0
            self._round_at_s = self._clock.monotonic_s() + ROUND_S
        if self._place is not None:
            self._place = await self._pushes.withdraw_after(self._place, now_us, USERS_AT_ONCE)
