"""Many sessions closed: spread over time on shutdown (I9), or some hundreds per turn of the loop (I7)."""

import asyncio
import math
import random
from collections.abc import Callable, Sequence
from typing import Final

from tocsin.realtime.frames import CLOSE_GOING_AWAY
from tocsin.realtime.session import Session
from tocsin.realtime.writer import SOCKETS_PER_TURN

_STEP_S: Final = 0.05
_CLOSES_PER_STEP: Final = 10

Close = Callable[[Session, int, str], None]


async def send_away(
    sessions: list[Session], close: Close, over_s: float, comeback_s: float
) -> None:
    """Close sessions with 1001, in any order, over so many seconds; a few take less.

    Clients are told to be back after ``comeback_s`` and one millisecond for each of them; each chooses a time between half
    of that and all of it.
    """
    random.shuffle(sessions)
    reason = f"retry-after-ms={round(comeback_s * 1000) + len(sessions)}"
    steps = max(1, round(over_s / _STEP_S))
    per_step = max(_CLOSES_PER_STEP, math.ceil(len(sessions) / steps))
    for start in range(0, len(sessions), per_step):
        if start:
            await asyncio.sleep(_STEP_S)
        for session in sessions[start : start + per_step]:
            close(session, CLOSE_GOING_AWAY, reason)


async def close_all(sessions: Sequence[Session], close: Close, code: int, reason: str) -> None:
    """Close sessions, so many per turn of the loop."""
    for start in range(0, len(sessions), SOCKETS_PER_TURN):
        for session in sessions[start : start + SOCKETS_PER_TURN]:
            close(session, code, reason)
        await asyncio.sleep(0)
