"""Where a client stands: ``(epoch, rev, brev)``.

``(epoch, rev)`` names exactly one state of an inbox's own part, ``(epoch, brev)`` one of the hub's broadcast stream.
"""

import re

import msgspec

from tocsin.errors import InvalidInputError

# The epoch is what a store makes of it: dots stand between its parts where it names a line of history.
_TEXT = re.compile(r"([a-z0-9.]{1,64}):(\d{1,16}):(\d{1,16})", re.ASCII)


class Position(msgspec.Struct, frozen=True):
    """A place in one user's inbox and in the hub's broadcast stream."""

    epoch: str
    rev: int
    brev: int

    def __str__(self) -> str:
        return f"{self.epoch}:{self.rev}:{self.brev}"


def parse_position(text: str) -> Position:
    """Read ``EPOCH:REV:BREV``.

    Raises:
        InvalidInputError: it is not of that form.
    """
    match = _TEXT.fullmatch(text)
    if match is None:
        detail = f"position {text[:80]!r} is not EPOCH:REV:BREV, e.g. k3x9:41:7"
        raise InvalidInputError(detail, code="invalid-position")
    return Position(match[1], int(match[2]), int(match[3]))
