"""Two nodes on one fan-out, one that announces and one that hears, for every adapter."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from tests.acceptance.deadlines import until_async
from tocsin.ports.fanout import Announcement, Fanout


class Ear:
    """Listens, and keeps what it was told."""

    def __init__(self, fanout: Fanout) -> None:
        self.fanout = fanout
        self.heard: list[Announcement] = []
        self.troubles = 0
        self.known: list[tuple[str, str]] = []
        fanout.listen(self.heard.extend, self._trouble, self.known.extend)

    def _trouble(self) -> None:
        self.troubles += 1

    async def hears(self, *announcements: Announcement) -> None:
        """Wait until it has heard these, whatever else it hears."""
        await self.becomes(lambda: set(announcements) <= set(self.heard), f"{announcements} heard")

    async def becomes(self, is_so: Callable[[], bool], what: str) -> None:
        """Wait for a fact."""

        async def look() -> bool:
            return is_so()

        await until_async(look, what, 60)


class Nodes(Protocol):
    """Two nodes; of an adapter for one process they are the same."""

    speaker: Fanout
    hearer: Fanout

    async def met(self) -> None:
        """Wait until they know of each other."""


def are_two(nodes: Nodes) -> bool:
    """Tell whether there is another node at all."""
    return nodes.speaker is not nodes.hearer


def said(user: str | None, number: int = 1, body: bytes = b"{}", hub: str = "h") -> Announcement:
    return Announcement(hub, user, number, body)


async def turns(count: int = 5) -> None:
    """Let the loop go on."""
    for _ in range(count):
        await asyncio.sleep(0)


def numbered(user: str, count: int) -> Sequence[Announcement]:
    return [said(user, number) for number in range(1, count + 1)]
