"""Pushes as they are kept, from the transaction that writes an item until a while after their end.

Guarantee: a push is made in the transaction that makes the item, for every device that its user has then; a broadcast makes
one row, from which the pushes of its hub's devices are made chunk by chunk.  A leased push that nobody settles comes again
(at least once), with the same delivery id and its tries counted.  What has ended never comes again.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from tocsin.model.push import Ending, PushJob, PutBack, Standing
from tocsin.model.receipt import Told


class PushStore(Protocol):
    """Keeps pushes."""

    async def resume_pushes(self, now_us: int) -> None:
        """Make due at once what an ended process had leased."""
        ...

    async def next_push_us(self) -> int | None:
        """Tell when the next push is due, 0 for a broadcast that waits to be spread; None if nothing waits."""
        ...

    async def spread_pushes(self, limit: int) -> int:
        """Make pushes of the oldest waiting broadcast for its next ``limit`` devices; returns how many were looked at."""
        ...

    async def lease_pushes(self, now_us: int, until_us: int, limit: int) -> Sequence[PushJob]:
        """Take pushes that are due, the longest due first, and count a try of each; they are due again at ``until_us``.

        None is of who is being erased.
        """
        ...

    async def standings(self, numbers: Sequence[int]) -> Mapping[int, Standing | None]:
        """Tell how the inboxes stand to these pushes, in one snapshot; None where no inbox says their alert (any more).

        Those that have ended meanwhile are left out.
        """
        ...

    async def held_elsewhere(self, number: int) -> bool:
        """Tell whether another process has a held push to the same device in hand.

        Of two that ask one at least is told so; when nobody has one any more, whatever went out with it has ended.
        """
        ...

    async def held_beside(self, number: int, limit: int) -> Sequence[int]:
        """Return the other held pushes to the same device, at most ``limit`` and the newest first, due or not."""
        ...

    async def put_back_pushes(self, back: Sequence[PutBack]) -> None:
        """Make leased pushes due at other times; what has ended meanwhile stays so."""
        ...

    async def end_push(
        self, job: PushJob, ending: Ending, told: Sequence[Told], summed: Mapping[int, str]
    ) -> None:
        """End a push and note what became of it, the device's last success or failure, and receipts, in one transaction.

        After ``gone`` the device is gone too, unless it registered again since the push was leased.  Ending one that has
        ended changes nothing, but that a push which was cancelled while it was sent counts as accepted.  ``summed`` are
        the pushes that went out with it, and what is said of them: they end as ``summed``.
        """
        ...

    async def withdraw_pushes(self, users: Sequence[tuple[str, str]], now_us: int) -> int:
        """Make withdrawals for devices of these users, ``(hub, user)``, that show what has outlived itself.

        Only devices that can take something back get one, and one for each notification: a summary is taken back once all
        its alerts have outlived themselves.  Returns how many were made.
        """
        ...

    async def withdraw_after(self, place: int, now_us: int, limit: int) -> int | None:
        """Do so for the next ``limit`` users who have such devices; returns the place to go on from, None at the end."""
        ...

    async def cancel_shown(self, told: Sequence[Told]) -> None:
        """End pushes about copies that were shown on a visible page, also those that a broadcast is still to make."""
        ...
