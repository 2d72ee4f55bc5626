"""What a client holds of an inbox, and how frames and answers change it (sync contract, section 4, rule 5).

Rows are the protocol's JSON.  They are replaced, never changed in place, so snapshots may share them.
"""

from collections.abc import Iterable

from tocsin.client.rules import NO_STATE, Row, listed

NO_WATERMARKS: Row = {"seen_up_to": 0, "read_up_to": 0, "b_seen_up_to": 0, "b_read_up_to": 0}
NO_COUNTS: Row = {"unseen": 0, "unread": 0}


class InboxState:
    """Own listed items down to ``end`` (None: all of them), the live broadcasts, and what belongs to the position."""

    def __init__(self) -> None:
        self.position: Row | None = None
        self.items: dict[str, Row] = {}
        self.end: int | None = None
        self.broadcasts: dict[int, Row] = {}
        self.states: dict[int, Row] = {}
        self.watermarks: Row = NO_WATERMARKS
        self.counts: Row = NO_COUNTS

    @classmethod
    def restored(cls, snapshot: Row) -> "InboxState":
        """Return the state a snapshot holds."""
        state = cls()
        state.position = snapshot["position"]
        state._replace(snapshot)
        return state

    def snapshot(self) -> Row:
        """Return the state as plain JSON."""
        return {
            "position": self.position,
            "items": list(self.items.values()),
            "end": self.end,
            "broadcasts": list(self.broadcasts.values()),
            "states": list(self.states.values()),
            "watermarks": self.watermarks,
            "counts": self.counts,
        }

    def apply_inbox(self, answer: Row) -> None:
        """Begin anew with the newest page."""
        self.position = answer["position"]
        self._replace(answer)

    def apply_older(self, answer: Row) -> None:
        """Put an older page in; the position stays, so a page that ran ahead is healed later."""
        self.end = answer.get("end")
        self._put_items(answer["items"])

    def apply_changes(self, answer: Row) -> None:
        """Catch up with everything after the position."""
        self.position = answer["position"]
        self._apply_own(answer)
        for broadcast in answer.get("broadcasts") or ():
            self.broadcasts[broadcast["brev"]] = _kept(broadcast)
        live = answer.get("live")
        if live is not None:
            self._forget_all_but(set(live), answer["position"]["brev"])

    def apply_inbox_frame(self, frame: Row) -> None:
        """Apply the change set that follows the position."""
        assert self.position is not None  # noqa: S101 - the machine keeps frames until there is one
        self.position = {**self.position, "rev": frame["rev"]}
        self._apply_own(frame)

    def apply_broadcast_frame(self, frame: Row) -> None:
        """Apply the stream entry that follows the position; state rows are the user's, and stay."""
        assert self.position is not None  # noqa: S101 - the machine keeps frames until there is one
        self.position = {**self.position, "brev": frame["brev"]}
        if (broadcast := frame.get("add")) is not None:
            self.broadcasts[broadcast["brev"]] = _kept(broadcast)
        else:
            self.broadcasts.pop(frame["withdraw"], None)

    def up_to(self, top: float) -> Row | None:
        """Return what a mark covers that begins with the row drawn at ``top``; None while nothing is known.

        Own items and woken broadcasts are covered by ``sort``, others by ``brev``.  A broadcast's own ``sort`` is the
        hub's and says nothing about which own items this user had: it is never taken.
        """
        if self.position is None:
            return None
        sorts: list[int] = [item["sort"] for item in self.items.values()]
        sorts += [self.states.get(brev, NO_STATE).get("sort") or 0 for brev in self.broadcasts]
        newer = [brev - 1 for brev, entry in self.broadcasts.items() if entry["sort"] > top]
        return {
            "epoch": self.position["epoch"],
            "sort": max((min(self.end or 0, top), *(sort for sort in sorts if sort <= top))),
            "brev": min((self.position["brev"], *newer)),
        }

    def _replace(self, whole: Row) -> None:
        self.end = whole.get("end")
        self.items = {item["id"]: _kept(item) for item in whole["items"]}
        self.broadcasts = {entry["brev"]: _kept(entry) for entry in whole["broadcasts"]}
        self.states = {row["brev"]: row for row in whole["states"]}
        self.watermarks, self.counts = whole["watermarks"], whole["counts"]

    def _apply_own(self, change: Row) -> None:
        self._put_items(change["items"])
        for item_id in change["removed"]:
            self.items.pop(item_id, None)
        for row in change["states"]:
            self.states[row["brev"]] = row
        self.watermarks, self.counts = change["watermarks"], change["counts"]

    def _put_items(self, items: Iterable[Row]) -> None:
        for item in items:
            if listed(item) and (self.end is None or item["sort"] >= self.end):
                self.items[item["id"]] = _kept(item)
            else:
                self.items.pop(item["id"], None)

    def _forget_all_but(self, live: set[int], up_to: int) -> None:
        self.broadcasts = {brev: row for brev, row in self.broadcasts.items() if brev in live}
        self.states = {
            brev: row for brev, row in self.states.items() if brev in live or brev > up_to
        }


def _kept(row: Row) -> Row:
    """Leave out what the server decided: a watermark may rise later, and then it would be stale."""
    if "seen" in row or "read" in row:
        return {name: value for name, value in row.items() if name not in {"seen", "read"}}
    return row
