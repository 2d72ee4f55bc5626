"""The gateway of a single process: there are no others."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from tocsin.ports.peers import Answers, Word


class NoPeers:
    """Nobody to tell, nobody to ask."""

    has_others = False

    def tell(self, body: bytes) -> Word:
        """Return the word: everybody has been told."""
        return Word("", 0, body)

    async def ask(self, body: bytes) -> Answers:  # noqa: ARG002 -- nobody hears it
        """Return no answers, and that none is missing."""
        return Answers()

    def told(self) -> Mapping[str, int]:
        """Return nothing: nobody ever told anything."""
        return MappingProxyType({})

    def serve(
        self, heard: Callable[[Word], None], asked: Callable[[bytes], Awaitable[bytes]]
    ) -> None:
        """Do nothing: neither will be called."""
