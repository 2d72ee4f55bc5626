"""The user's actions on their way to the server: in order, one at a time, each until it is answered (rule 7).

Entries are ``{"op_id", "action", "at", "answered"}``; they are replaced, never changed in place.
"""

from collections.abc import Callable

from tocsin.client.rules import Row

REMEMBERED = 1000
REPEATED = frozenset({401, 408, 425, 429})


def is_refusal(status: int) -> bool:
    """Tell whether the answer says no; anything else but 200 leaves the outcome unknown."""
    return 400 <= status < 500 and status not in REPEATED  # noqa: PLR2004 - HTTP's client errors


class ActionQueue:
    """Entries in the order they were done.  Answered ones stay until the position has reached their revision."""

    def __init__(self, entries: list[Row]) -> None:
        self.entries = entries
        self._had: dict[str, None] = {}
        self._note(entries)

    def add(self, op_id: str, action: Row, at: int) -> None:
        """Put an action at the end."""
        entry = {"op_id": op_id, "action": action, "at": at, "answered": None}
        self.entries = [*self.entries, entry]
        self._note([entry])

    def take_over(self, entries: list[Row]) -> None:
        """Add what another tab had still to send and this one never had: what is gone from here was answered."""
        fresh = [
            entry
            for entry in entries
            if entry["answered"] is None and entry["op_id"] not in self._had
        ]
        self.entries = [*self.entries, *fresh]
        self._note(fresh)

    def next(self) -> Row | None:
        """Return the first entry without an answer."""
        return next((entry for entry in self.entries if entry["answered"] is None), None)

    def remove(self, op_id: str) -> None:
        """Forget an action that is refused."""
        self.entries = [entry for entry in self.entries if entry["op_id"] != op_id]

    def answer(self, op_id: str, epoch: str, rev: int) -> None:
        """Note where the inbox stood when the server had done it."""
        answered = {"epoch": epoch, "rev": rev}
        self.entries = [
            {**entry, "answered": answered} if entry["op_id"] == op_id else entry
            for entry in self.entries
        ]

    def drop_reached(self, position: Row) -> bool:
        """Forget what the position includes; tell whether there was any."""
        return self._keep_unless(
            lambda answered: (
                answered["epoch"] == position["epoch"] and answered["rev"] <= position["rev"]
            )
        )

    def drop_other_epochs(self, epoch: str) -> bool:
        """Forget what was answered before a restore: the state just read has it, or it was rolled back."""
        return self._keep_unless(lambda answered: answered["epoch"] != epoch)

    def _note(self, entries: list[Row]) -> None:
        """Remember the last op-ids that were ever in the queue."""
        self._had.update((entry["op_id"], None) for entry in entries)
        while len(self._had) > REMEMBERED:
            del self._had[next(iter(self._had))]

    def _keep_unless(self, done: Callable[[Row], bool]) -> bool:
        before = len(self.entries)
        self.entries = [
            entry
            for entry in self.entries
            if entry["answered"] is None or not done(entry["answered"])
        ]
        return len(self.entries) != before
