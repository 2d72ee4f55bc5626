"""Which items arrived live and deserve a toast: new to this client, unread, and each alert once."""

from collections.abc import Iterable, Mapping

from tocsin.client.rules import NO_STATE, Row, weight
from tocsin.client.state import InboxState

REMEMBERED = 1000
_NEW = (1, 1)


class Arrivals:
    """Remembers the newest own ``sort`` known and the last alerts that were told."""

    def __init__(self) -> None:
        self._newest = 0
        self._told: dict[str, None] = {}

    def note(self, items: Iterable[Row]) -> None:
        """Take own items as held: what is not newer than these never arrived live."""
        self._newest = max((self._newest, *(item["sort"] for item in items)))

    def in_frame(self, frame: Row, state: InboxState) -> list[Row]:
        """Return what a frame brings that was not there.

        A late or doubled one brings nothing, nor does one before the first answer: it cannot be told from what was there.
        """
        position = state.position
        if position is None or frame["epoch"] != position["epoch"]:
            return []
        if frame["kind"] == "inbox" and frame["rev"] > position["rev"]:
            return self._own(frame)
        add = frame.get("add")
        if add is not None and frame["brev"] > position["brev"]:
            return self._broadcasts([add], state.states, state.watermarks)
        return []

    def in_changes(self, answer: Row, state: InboxState) -> list[Row]:
        """Return what an answer brings that was not there, where announcements were lost."""
        states = {**state.states, **{row["brev"]: row for row in answer["states"]}}
        broadcasts = answer.get("broadcasts") or []
        return self._own(answer) + self._broadcasts(broadcasts, states, answer["watermarks"])

    def _own(self, change: Row) -> list[Row]:
        fresh = [
            item
            for item in change["items"]
            if item["sort"] > self._newest and weight(item, None, change["watermarks"]) == _NEW
        ]
        return self._once(fresh)

    def _broadcasts(
        self, broadcasts: Iterable[Row], states: Mapping[int, Row], watermarks: Row
    ) -> list[Row]:
        return self._once(
            row
            for row in broadcasts
            if weight(states.get(row["brev"], NO_STATE), row["brev"], watermarks) == _NEW
        )

    def _once(self, rows: Iterable[Row]) -> list[Row]:
        """Leave out alerts told before; the memory is bounded."""
        fresh = [row for row in rows if row["alert_id"] not in self._told]
        self._told.update(dict.fromkeys(row["alert_id"] for row in fresh))
        while len(self._told) > REMEMBERED:
            del self._told[next(iter(self._told))]
        return fresh
