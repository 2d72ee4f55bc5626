"""Who holds whom: what each gateway says of the users that are connected to it, and what others make of it.

A gateway tells changes of its holdings, each with the number it follows on, and beats when nothing changed.  Every message
says how many it holds, so whoever lost one knows.  A gateway of which not everything is known is taken to hold everybody:
doubt costs messages, never an announcement.

A user is known by a mark of 8 bytes.  Two with the same mark are sent each other's announcements, and whoever does not hold
them drops these.
"""

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Final

import msgspec

MARK_BYTES: Final = 8
ANEW: Final = -1
# Of one message: 32 KiB, far below what servers take.
MARKS_AT_ONCE: Final = 4_096


class Said(msgspec.Struct, frozen=True, array_like=True):
    """What one gateway says: from number ``since`` on to ``number``, these came and these went; ``count`` it holds now.

    With ``since`` -1 nothing that was said before counts.  A beat has nothing that came or went.
    """

    gateway: str
    since: int
    number: int
    count: int
    came: bytes = b""
    went: bytes = b""


def mark(hub: str, user: str) -> bytes:
    """Return the mark of a user; no hub has a NUL in its name."""
    return blake2b(f"{hub}\0{user}".encode(), digest_size=MARK_BYTES).digest()


class Holdings:
    """What this gateway holds, and what of it the others were not told yet."""

    def __init__(self, gateway: str) -> None:
        self._gateway = gateway
        self._number = 0
        self._held: set[bytes] = set()
        self._came: set[bytes] = set()
        self._went: set[bytes] = set()

    def __bool__(self) -> bool:
        """Tell whether there is something to tell."""
        return bool(self._came or self._went)

    def add(self, one: bytes) -> bool:
        """Hold a mark; whether it is new."""
        if one in self._held:
            return False
        self._held.add(one)
        self._came.add(one)
        self._went.discard(one)
        return True

    def drop(self, one: bytes) -> None:
        """Hold a mark no more."""
        if one in self._held:
            self._held.discard(one)
            self._came.discard(one)
            self._went.add(one)

    def changes(self) -> list[Said]:
        """Return what the others were not told yet; a beat if there is nothing."""
        if not self:
            return [self._say(self._number)]
        if len(self._went) > MARKS_AT_ONCE:
            return self.whole()
        came, went = self._came, self._went
        self._came, self._went = set(), set()
        since, self._number = self._number, self._number + 1
        first, *more = _chunks(came) or [b""]
        return [
            self._say(since, first, b"".join(went)),
            *(self._say(self._number, chunk) for chunk in more),
        ]

    def whole(self) -> list[Said]:
        """Return everything that is held, for those who do not know it."""
        self._came, self._went = set(), set()
        self._number += 1
        first, *more = _chunks(self._held) or [b""]
        return [self._say(ANEW, first), *(self._say(self._number, chunk) for chunk in more)]

    def farewell(self) -> Said:
        """Return what says that nothing is held any more."""
        return Said(self._gateway, ANEW, self._number + 1, 0)

    def _say(self, since: int, came: bytes = b"", went: bytes = b"") -> Said:
        return Said(self._gateway, since, self._number, len(self._held), came, went)


class _Known:
    """What is known of one gateway."""

    __slots__ = ("exact", "heard_s", "marks", "number")

    def __init__(self) -> None:
        self.number = ANEW
        self.marks: set[bytes] = set()
        self.exact = False
        self.heard_s = 0.0


class Roster:
    """What the other gateways say that they hold."""

    def __init__(self, silence_s: float) -> None:
        """Make it; a gateway that says nothing for ``silence_s`` seconds is forgotten."""
        self._silence_s = silence_s
        self._known: dict[str, _Known] = {}

    def hear(self, said: Said, now_s: float) -> bool:
        """Take in what a gateway says; whether it is to be asked for everything.

        Only a beat leads to that, so a gateway is asked at most as often as it beats.
        """
        known = self._known.setdefault(said.gateway, _Known())
        known.heard_s = now_s
        if said.since == ANEW:
            known.marks = set()
        elif said.since != known.number:
            known.exact, known.number = False, ANEW - 1
            return not (said.came or said.went)
        known.number = said.number
        known.marks.difference_update(_marks(said.went))
        known.marks.update(_marks(said.came))
        known.exact = len(known.marks) == said.count
        return not (known.exact or said.came or said.went)

    def holders(self, one: bytes) -> Iterator[str]:
        """Go through the gateways that hold a mark, or may."""
        return (
            name for name, known in self._known.items() if not known.exact or one in known.marks
        )

    def doubt(self) -> None:
        """Take everything that is known to be wrong: something may have been missed."""
        for known in self._known.values():
            known.exact, known.number = False, ANEW - 1

    def forget_silent(self, now_s: float) -> None:
        """Forget the gateways that have not been heard of for long."""
        for name, known in list(self._known.items()):
            if now_s - known.heard_s > self._silence_s:
                del self._known[name]


def _marks(joined: bytes) -> Iterator[bytes]:
    return (joined[at : at + MARK_BYTES] for at in range(0, len(joined), MARK_BYTES))


def _chunks(marks: Iterable[bytes]) -> list[bytes]:
    joined = b"".join(marks)
    step = MARK_BYTES * MARKS_AT_ONCE
    return [joined[at : at + step] for at in range(0, len(joined), step)]
