"""The other gateways of a deployment: what they are told, and what they are asked.

Guarantee: a word is told at most once to every gateway that is known, and what one gateway tells or asks another arrives in
that order.  A word on its way when a gateway or the line between them breaks is lost.  Whoever is asked answers, or is told
of as missing: no answer means nothing.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import msgspec


class Word(msgspec.Struct, frozen=True):
    """What a gateway tells the others; ``number`` counts what this ``teller`` told."""

    teller: str
    number: int
    body: bytes


class Answers(msgspec.Struct, frozen=True):
    """What the others answered, in no order, and how many of them did not in time, or failed."""

    given: tuple[bytes, ...] = ()
    missing: int = 0


class Peers(Protocol):
    """The gateways of other processes."""

    @property
    def has_others(self) -> bool:
        """Whether any other gateway is known; without one nothing has to be told or asked."""
        ...

    def tell(self, body: bytes) -> Word:
        """Put a word on its way to every other gateway, and return it.  Never blocks.

        Raises:
            UnavailableError: There is no line to them; nobody was told.
            OverloadedError: Too much waits to be sent; nobody was told.
        """
        ...

    def ask(self, body: bytes) -> Awaitable[Answers]:
        """Put a question on its way to every other gateway; what is returned waits for answers until the deadline.

        Raises:
            UnavailableError: There is no line to them; nobody was asked.
            OverloadedError: Too much waits to be sent; nobody was asked.
        """
        ...

    def told(self) -> Mapping[str, int]:
        """Return the number of the last word of each gateway that was heard here, and of the own ones."""
        ...

    def serve(
        self, heard: Callable[[Word], None], asked: Callable[[bytes], Awaitable[bytes]]
    ) -> None:
        """Be one of the gateways from now on: ``heard`` is called with words, ``asked`` with questions."""
        ...
