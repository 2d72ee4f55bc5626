"""Keeping alerts from people who were erased while a worker held them.

This process remembers the names that it erased itself, and reads those that others began to erase.  What others began and
finished since an alert was leased is nobody's name any more: then what the queue says by now counts, from which an erasure
takes the name before it is finished (docs/decisions/0019-several-processes-on-one-database.md).
"""

from collections.abc import Sequence
from typing import Final

from tocsin.adapters.sql import editions, holdings, waiting
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.queue import decode_envelope
from tocsin.adapters.sql.store.rows import as_json
from tocsin.adapters.sql.store.text import sql
from tocsin.model.alert import Envelope
from tocsin.model.erasure import without

# Erased names are remembered for alerts that a worker holds, which takes seconds; this many is more than enough.
_REMEMBERED: Final = 10_000
_OPEN, _EDITION = sql(holdings.open_erasures), sql(editions.edition)
_PAYLOADS = sql(waiting.waiting_payloads)


class ErasedMeanwhileError(Exception):
    """Somebody was erased by another process: the delivery has to look at that, and is to be run again."""


class Sparing:
    """Who must not get what was accepted before; ``shared`` says that other processes erase people too.

    For the writing thread.
    """

    def __init__(self, *, shared: bool) -> None:
        self._shared = shared
        self._gone: dict[tuple[str, str], int] = {}
        # How many erasures had begun when names were last read; and so when the worker leased what it holds, or earlier.
        self._seen = self._leased = 0

    def remember(self, whom: tuple[str, str], at_us: int) -> None:
        """Note who is erased, by hub and name."""
        if len(self._gone) >= _REMEMBERED:
            del self._gone[next(iter(self._gone))]
        self._gone[whom] = at_us

    def forget(self, whom: tuple[str, str]) -> None:
        """Take that back: nobody was erased."""
        self._gone.pop(whom, None)

    def leases(self) -> None:
        """Note that the worker holds nothing of before, and leases anew."""
        self._leased = self._seen

    def spared(self, connection: Connection, envelopes: Sequence[Envelope]) -> Sequence[Envelope]:
        """Return what may still be delivered, without people who were erased since it was accepted."""
        if self._leased != self._seen:
            envelopes = _by_now(connection, envelopes)
        if not self._gone:
            return envelopes
        return [kept for told in envelopes if (kept := self._spare(told)) is not None]

    def check(self, connection: Connection) -> None:
        """See, after a delivery has all its locks, that nobody was erased of whom it does not know.

        Whoever erases somebody from now on waits for these locks, and then finds what was delivered.

        Raises:
            ErasedMeanwhileError: Somebody was; the names are known now.
        """
        if not self._shared:
            return
        row = connection.execute(_EDITION, {"kept": "erasures"}).fetchone()
        number = 0 if row is None else row[0]
        if number != self._seen:
            for _, hub, user, at_us in connection.execute(_OPEN).fetchall():
                self.remember((hub, user), at_us)
            self._seen = number
            raise ErasedMeanwhileError

    def _spare(self, envelope: Envelope) -> Envelope | None:
        left: Envelope | None = envelope
        for user in envelope.audience.users:
            erased_us = self._gone.get((envelope.hub, user))
            if erased_us is not None and left is not None:
                left = without(left, user, erased_us)
        return left


def _by_now(connection: Connection, envelopes: Sequence[Envelope]) -> Sequence[Envelope]:
    """Return what the queue says of these by now; what left it is delivered already, or for nobody any more."""
    ids = as_json(envelope.id for envelope in envelopes)
    found = [decode_envelope(row[0]) for row in connection.execute(_PAYLOADS, {"ids": ids})]
    by_id = {told.id: told for told in found}
    return [by_id[told.id] for told in envelopes if told.id in by_id]
