"""Something done to many connections, a few hundred per turn of the event loop (I7)."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from tocsin.realtime.odata import Where
from tocsin.realtime.session import Session

_DEEDS_PER_TURN: Final = 256


async def for_each(
    sessions: Sequence[Session],
    where: Where | None,
    act: Callable[[Session], object],
    deeds: int = 1,
) -> None:
    """Do ``act``, which does ``deeds`` things, to the sessions that are meant and have not ended meanwhile."""
    per_turn = max(1, _DEEDS_PER_TURN // max(1, deeds))
    for start in range(0, len(sessions), per_turn):
        if start:
            await asyncio.sleep(0)
        for session in live(sessions[start : start + per_turn]):
            if where is None or where(session):
                act(session)


def live(sessions: Iterable[Session]) -> list[Session]:
    """Return those that are connections (event streams are none) and have not ended."""
    return [session for session in sessions if session.is_connection and not session.ended]
