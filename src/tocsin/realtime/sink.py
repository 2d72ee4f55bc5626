"""What frames of a connection are written to: a transport, its socket, or what compresses them on the way."""

from typing import Protocol


class Sink(Protocol):
    """Where frames go."""

    def write(self, data: bytes, /) -> int | None:
        """Take whole frames; return how many of their bytes left at once, None if the rest is looked after."""
        ...
