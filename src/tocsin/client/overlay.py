"""Own actions drawn before the server has answered: functions of the state below them (sync contract, rule 7).

An action that has already happened below changes nothing here, so nothing is counted twice.
"""

from collections.abc import Iterator, Sequence

from tocsin.client.rules import (
    NO_STATE,
    Row,
    covered,
    is_read,
    is_seen,
    listed,
    weight,
)
from tocsin.client.state import InboxState
from tocsin.clock import to_rfc3339


class Layered:
    """A copy of the state that overlays may write on; hidden own items stay in it, unlisted."""

    def __init__(self, state: InboxState) -> None:
        self.epoch = state.position and state.position["epoch"]
        self.end = state.end
        self.items = dict(state.items)
        self.broadcasts = state.broadcasts
        self.states = dict(state.states)
        self.watermarks = state.watermarks
        self.counts = state.counts

    def row(self, item_id: str, alert_id: str) -> tuple[Row, int | None] | None:
        """Find what ``item_id`` names, if it still says ``alert_id``: the row, and a broadcast's ``brev``."""
        item = self.items.get(item_id)
        if item is not None:
            return (item, None) if item["alert_id"] == alert_id else None
        if item_id != alert_id:
            return None
        for brev, broadcast in self.broadcasts.items():
            if broadcast["alert_id"] == alert_id:
                return self.states.get(brev, NO_STATE), brev
        return None

    def rows(self) -> Iterator[tuple[Row, int | None, str | None]]:
        """Go through all rows: the row, a broadcast's ``brev``, and the alert's category."""
        for item in list(self.items.values()):
            yield item, None, item["alert"].get("category")
        for brev, broadcast in self.broadcasts.items():
            yield self.states.get(brev, NO_STATE), brev, broadcast["alert"].get("category")

    def put(self, row: Row, brev: int | None) -> None:
        """Replace a row, and move the own counts by the difference."""
        if brev is not None:
            self.states[brev] = row
            return
        before = weight(self.items[row["id"]], None, self.watermarks)
        after = weight(row, None, self.watermarks)
        self.items[row["id"]] = row
        self.counts = {
            "unseen": self.counts["unseen"] + after[0] - before[0],
            "unread": self.counts["unread"] + after[1] - before[1],
        }


def layered(state: InboxState, queue: Sequence[Row]) -> Layered:
    """Lay the queue's actions over the state, in order."""
    layer = Layered(state)
    for entry in queue:
        action, at = entry["action"], to_rfc3339(entry["at"] * 1000)
        if action["type"] == "patch":
            for patch in action["patches"]:
                _patch(layer, patch, at)
        elif action["type"] == "restore":
            _restore(layer, action)
        elif action["up_to"]["epoch"] == layer.epoch:
            _mark(layer, action, at)
    return layer


def _patch(layer: Layered, patch: Row, at: str) -> None:
    found = layer.row(patch["id"], patch["alert_id"])
    if found is None or found[0].get("deleted_at"):
        return
    row, brev = dict(found[0]), found[1]
    if "read" in patch:
        _set_read(row, brev, layer.watermarks, at, read=patch["read"])
    if patch.get("seen"):
        row["seen_at"] = row.get("seen_at") or at
    if "archived" in patch:
        row["archived_at"] = at if patch["archived"] else None
    if "snoozed_until" in patch:
        row["snoozed_until"] = patch["snoozed_until"]
    if patch.get("deleted"):
        row["deleted_at"] = at
    layer.put(row, brev)


def _set_read(row: Row, brev: int | None, watermarks: Row, at: str, *, read: bool) -> None:
    """Write read or unread into a copied row.  Unread keeps it seen, and is told only against a watermark."""
    if read:
        row["read_at"], row["unread_at"] = row.get("read_at") or at, None
        return
    if is_seen(row, brev, watermarks):
        row["seen_at"] = row.get("seen_at") or at
    row["read_at"] = None
    if covered(row, brev, watermarks, "read"):
        row["unread_at"] = row.get("unread_at") or at


def _restore(layer: Layered, action: Row) -> None:
    found = layer.row(action["id"], action["alert_id"])
    if found is not None and found[0].get("deleted_at"):
        layer.put({**found[0], "deleted_at": None}, found[1])


def _mark(layer: Layered, action: Row, at: str) -> None:
    up_to = action["up_to"]
    line = {
        f"{prefix}{kind}_up_to": up_to[field]
        for prefix, field in (("", "sort"), ("b_", "brev"))
        for kind in ("seen", "read")
    }
    below = [
        (row, brev, category)
        for row, brev, category in layer.rows()
        if covered(row, brev, line, "read") and not row.get("deleted_at")
    ]
    if action.get("category") is None:
        _raise_watermarks(layer, action, at, [(row, brev) for row, brev, _ in below])
        return
    for row, brev, category in below:
        if category == action["category"] and listed(row):
            _mark_row(layer, row, brev, action["action"], at)


def _mark_row(layer: Layered, row: Row, brev: int | None, action: str, at: str) -> None:
    if action == "read" and not is_read(row, brev, layer.watermarks):
        layer.put({**row, "read_at": at, "unread_at": None}, brev)
    elif action == "seen" and not is_seen(row, brev, layer.watermarks):
        layer.put({**row, "seen_at": at}, brev)


def _raise_watermarks(
    layer: Layered, action: Row, at: str, below: list[tuple[Row, int | None]]
) -> None:
    """Raise the watermarks, and take from the own counts what that covers, older items than those held too."""
    up_to, read = action["up_to"], action["action"] == "read"
    if read:
        for row, brev in below:
            if row.get("unread_at"):
                layer.put({**row, "read_at": at, "unread_at": None}, brev)
    before = _held_counts(layer)
    for kind in ("seen", "read") if read else ("seen",):
        layer.watermarks = {
            **layer.watermarks,
            f"{kind}_up_to": max(layer.watermarks[f"{kind}_up_to"], up_to["sort"]),
            f"b_{kind}_up_to": max(layer.watermarks[f"b_{kind}_up_to"], up_to["brev"]),
        }
    after = _held_counts(layer)
    covers_older = layer.end is None or up_to["sort"] >= layer.end
    counts = {name: layer.counts[name] + after[name] - before[name] for name in after}
    for name in ("unseen", "unread") if read else ("unseen",):
        if covers_older:
            counts[name] = after[name]
    layer.counts = counts


def _held_counts(layer: Layered) -> Row:
    weights = [weight(item, None, layer.watermarks) for item in layer.items.values()]
    return {"unseen": sum(w[0] for w in weights), "unread": sum(w[1] for w in weights)}
