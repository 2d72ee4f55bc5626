"""What became of each copy of an alert, as far as somebody said so.

Guarantee: a fact of a copy (per device, and per action) is kept once, with the time of its first report; noting it
again changes nothing (I2).  Numbers grow in the order of commits within a hub, so a reader that remembers the last one
misses nothing.  Receipts live as long as the copy they speak of: they go with its tombstone, and with the alert.

Facts about broadcasts are counted per alert and not kept per person: they are in tallies only, never in lists.
"""

from collections.abc import Sequence
from typing import Protocol

from tocsin.model.receipt import Fact, Receipt, Tally, Told


class ReceiptStore(Protocol):
    """Keeps receipts and counts them."""

    async def note(self, told: Sequence[Told]) -> None:
        """Keep what is new, in one transaction, durable when the call returns.

        What does not hold is dropped without a word, so nobody learns what there is (I10): an alert that is unknown, of
        another hub, or that this user never had; an action that the alert does not offer; receipts beyond the bound
        of one copy.

        Raises:
            UnavailableError: Nothing was kept.
        """
        ...

    async def receipts_after(self, hub: str, number: int, limit: int) -> Sequence[Receipt]:
        """List receipts of a hub with a higher number than ``number``, lowest first; none of who is being erased."""
        ...

    async def receipts_of(self, hub: str, alert_id: str, user: str) -> Sequence[Receipt]:
        """List the receipts of one copy, in the order of their numbers."""
        ...

    async def tally(self, hub: str, alert_id: str) -> Tally:
        """Count different people per fact and per action; an unknown alert has an empty tally."""
        ...


class Recorder(Protocol):
    """Takes facts, and writes many together."""

    def keeps(self, hub: str, fact: Fact) -> bool:
        """Tell whether this fact is kept in this hub at all."""
        ...

    def record(self, told: Sequence[Told]) -> None:
        """Keep facts that ``keeps`` wants, soon, without making anybody wait.

        What finds no room is lost, and counted as lost.
        """
        ...

    async def note(self, told: Sequence[Told]) -> None:
        """Keep facts; they are on disk when this returns.

        Raises:
            OverloadedError: There is no room for them; nothing was kept.
            UnavailableError: The store is away; nothing was kept.
            UnknownOutcomeError: It gave no answer; noting again changes nothing (I2).
        """
        ...
