"""Runs: messages that many connections were sent one after the other, kept once for all of them.

A connection that is written to with others needs no queue of its own for its recovery.  All who were sent the same stand at
one place of a run, whatever their sequence ids; a spread takes them one step further (:mod:`tocsin.realtime.spread`).  A
connection that gets something of its own leaves the run and takes along what it was sent there (``Outbox.settle``).

Bound (I6):  a run ends after so many messages or bytes.  It lives as long as somebody is in it, and who has acknowledged
             everything is not.
"""

from collections.abc import Sequence
from typing import Final

from tocsin.realtime.message import Message

_RUN_MESSAGES: Final = 64
_RUN_BYTES: Final = 256 * 1024


class Place:
    """A place in a run, compared by identity: behind ``count`` of its messages, of ``size`` bytes in all."""

    __slots__ = ("_messages", "count", "size")

    def __init__(self, messages: list[Message], size: int) -> None:
        self.count = len(messages)
        self._messages = messages  # of the whole run, which may go on behind this place
        self.size = size

    @classmethod
    def beginning(cls) -> "Place":
        """Begin a run."""
        return cls([], 0)

    @property
    def is_open(self) -> bool:
        """Whether the run can go on from here: nothing was sent from here before, and it is not too long."""
        count = self.count
        return count == len(self._messages) and count < _RUN_MESSAGES and self.size < _RUN_BYTES

    def go_on(self, messages: Sequence[Message], size: int) -> "Place":
        """Let the run go on from here with ``messages``, of ``size`` bytes in all; return where that leads."""
        self._messages.extend(messages)
        return Place(self._messages, self.size + size)

    def since(self, entered: int) -> list[Message]:
        """Return the messages before this place, but the first ``entered`` of the run."""
        return self._messages[entered : self.count]
