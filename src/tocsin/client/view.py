"""What is drawn: own items and listed broadcasts in one order, and the counts of both (sync contract, rule 6)."""

from collections.abc import Iterator

from tocsin.client.overlay import Layered
from tocsin.client.rules import MARKS, NO_STATE, Row, is_read, is_seen, listed, weight
from tocsin.client.state import InboxState


def drawn_items(layer: Layered | InboxState) -> list[Row]:
    """Return what lists show, newest first, each with ``seen`` and ``read`` decided."""
    rows = [row for row in _rows(layer) if layer.end is None or row["sort"] >= layer.end]
    rows.sort(key=lambda row: (row["sort"], row["id"]), reverse=True)
    return rows


def shown_counts(layer: Layered | InboxState) -> Row:
    """Return the own counts plus all live broadcasts that are listed and not seen (not read)."""
    weights = [
        weight(layer.states.get(brev, NO_STATE), brev, layer.watermarks)
        for brev in layer.broadcasts
    ]
    return {
        "unseen": layer.counts["unseen"] + sum(w[0] for w in weights),
        "unread": layer.counts["unread"] + sum(w[1] for w in weights),
    }


def _rows(layer: Layered | InboxState) -> Iterator[Row]:
    for item in layer.items.values():
        if listed(item):
            yield {**item, **_decided(item, None, layer.watermarks)}
    for brev, broadcast in layer.broadcasts.items():
        state = layer.states.get(brev, NO_STATE)
        if not listed(state):
            continue
        row = {**broadcast, "id": broadcast["alert_id"], **_decided(state, brev, layer.watermarks)}
        if state.get("sort") is not None:
            row["sort"] = state["sort"]
        row.update({name: state[name] for name in MARKS if state.get(name)})
        yield row


def _decided(row: Row, brev: int | None, watermarks: Row) -> Row:
    return {"seen": is_seen(row, brev, watermarks), "read": is_read(row, brev, watermarks)}
