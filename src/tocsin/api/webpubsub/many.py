"""Something done to many connections, a few hundred per turn of the event loop (I7)."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from tocsin.realtime.odata import Where
from tocsin.realtime.session import Session

_PER_TURN: Final = 256


async def for_each(
    sessions: Sequence[Session], where: Where | None, act: Callable[[Session], object]
) -> None:
    """Do ``act`` to the sessions that are meant and have not ended meanwhile."""
    for start in range(0, len(sessions), _PER_TURN):
        if start:
            await asyncio.sleep(0)
        for session in live(sessions[start : start + _PER_TURN]):
            if where is None or where(session):
                act(session)


def live(sessions: Iterable[Session]) -> list[Session]:
    """Return those that are connections (event streams are none) and have not ended."""
    return [session for session in sessions if session.is_connection and not session.ended]
