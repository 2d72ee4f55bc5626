"""Erasing a person: the name at once, the rows soon after, whatever happens in between."""

import asyncio
from typing import Final

from tocsin.ports.audit import Deed
from tocsin.ports.erasure import Erasure, ErasureRequest, ErasureStore
from tocsin.supervisor import Supervisor

WAIT_S: Final = 5.0


class Eraser:
    """Begins erasures and sees to it that each one is finished."""

    def __init__(self, store: ErasureStore, supervisor: Supervisor) -> None:
        self._store = store
        self._supervisor = supervisor

    async def resume(self) -> None:
        """Go on with what an earlier process began; to be called before anything is delivered."""
        for erasure_id in await self._store.unfinished_erasures():
            self._finish(erasure_id)

    async def erase(self, request: ErasureRequest, deed: Deed | None = None) -> Erasure:
        """Erase a person; the record is unfinished if that takes longer than 5 s, and then it goes on without the caller.

        Raises:
            UnavailableError: Nothing was begun.
        """
        begun = await self._store.begin_erasure(request, deed)
        finishing = self._finish(begun.id)
        done, _ = await asyncio.wait([finishing], timeout=WAIT_S)
        return await self._store.finish_erasure(begun.id) if done else begun

    def _finish(self, erasure_id: str) -> asyncio.Task[None]:
        async def finish() -> None:
            await self._store.finish_erasure(erasure_id)

        return self._supervisor.keep("inbox.erase", finish)
