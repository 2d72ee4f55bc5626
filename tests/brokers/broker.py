"""What the tests of sources ask of a broker, whichever it is."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from tocsin.ports.source import MessageSource


class Sent(msgspec.Struct, frozen=True):
    """A message as a sender makes it."""

    body: bytes
    id: str | None = None
    content_type: str | None = None
    headers: Mapping[str, Any] = {}


class Broker(Protocol):
    """A real broker, or one that stands in for it on the wire."""

    def settings(self, queue: str) -> dict[str, Any]:
        """Return ``[sources.NAME]`` for a queue."""
        ...

    def source(self, queue: str, *, held: int = 100, **instead: str) -> MessageSource:
        """Return the source of a queue; ``instead`` replaces settings."""
        ...

    def told(self, headers: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return headers as a receiver is told them."""
        ...

    async def make_queue(self, **more: Any) -> str:
        """Make a queue whose dead letters are kept; return its name."""
        ...

    async def send(self, queue: str, *messages: Sent) -> None:
        """Send messages; they are there when this returns."""
        ...

    async def left(self, queue: str) -> int:
        """Count the messages that nobody holds."""
        ...

    async def dead(self, queue: str) -> Sequence[tuple[bytes, str]]:
        """Take the dead letters of a queue: body and reason of each."""
        ...

    def stop(self) -> None:
        """Stop it, with what it has kept."""
        ...

    def start(self) -> None:
        """Start it again."""
        ...
