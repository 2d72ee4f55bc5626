"""What is held of a person, and its end.

Guarantee: once ``begin_erasure`` has returned, the person is nobody's any more: whoever mentions the name makes a new
user, whose positions begin above every one that a client of the old one can hold (I12, docs/decisions).  The rows go
afterwards, in bounded transactions between which everything else goes on, and a crash loses no progress.

What remains is a record that names nobody: a pseudonym (``api/seal.py``), who asked, when, and how many rows of each kind.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from tocsin.ports.audit import Deed


class ErasureRequest(msgspec.Struct, frozen=True):
    """Whom to erase, and who asks: the id of the key, or ``local`` for the owner of the data folder."""

    id: str
    hub: str
    user: str
    pseudonym: str
    key_id: str


class Erasure(msgspec.Struct, frozen=True):
    """The record of an erasure; ``counts`` are rows by kind, and ``finished_us`` is None while some are left."""

    id: str
    hub: str
    pseudonym: str
    key_id: str
    at_us: int
    finished_us: int | None
    counts: Mapping[str, int]


class Place(msgspec.Struct, frozen=True):
    """Where to go on reading: after which row of which kind."""

    kind: int = 0
    after: int | str | None = None


class Held(msgspec.Struct, frozen=True):
    """One row that is held of a person.

    Names ending in ``_at``, ``_us`` or ``_until`` are times in microseconds; contents are JSON as it was accepted.
    """

    kind: str
    fields: Mapping[str, object]


class HeldPage(msgspec.Struct, frozen=True):
    """Some rows, perhaps none, and where to go on; ``next`` is None at the end."""

    rows: Sequence[Held]
    next: Place | None


class ErasureStore(Protocol):
    """Erases people."""

    async def begin_erasure(self, request: ErasureRequest, deed: Deed | None = None) -> Erasure:
        """Take the name away from what is held, in one transaction, and record the request.

        Asked for again, or for a user nobody mentioned, it makes another record.
        """
        ...

    async def finish_erasure(self, erasure_id: str) -> Erasure:
        """Drop what is held, and what waits for that person alone, chunk by chunk; returns the finished record.

        After a failure or a crash, call it again: it goes on.  One that is finished is returned as it is.

        Raises:
            UnavailableError: The disk did not take a chunk; those before it are gone.
        """
        ...

    async def unfinished_erasures(self) -> Sequence[str]:
        """Return the ids of what was begun; to be called before anything is delivered, and when others began more."""
        ...

    async def erasures(
        self, hub: str | None, *, limit: int, below: str | None = None
    ) -> Sequence[Erasure]:
        """List records of one hub or all, newest first; ``below`` is the id to stay below."""
        ...


class HoldingStore(Protocol):
    """Tells what is held of a person."""

    async def held(self, hub: str, user: str, place: Place, *, limit: int) -> HeldPage:
        """Read some of what is held of a person.  Each page is a snapshot of its own."""
        ...
