"""Much to do at once, but not too much."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

AT_ONCE = 32


async def each(works: Iterable[Callable[[], Awaitable[None]]]) -> None:
    """Do all of it, begun in order, at most 32 at once; what fails ends the rest."""
    rest = iter(works)

    async def work() -> None:
        for one in rest:
            await one()

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(work())
