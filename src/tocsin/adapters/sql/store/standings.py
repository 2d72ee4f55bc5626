"""How inboxes stand to pushes, from one snapshot."""

from collections.abc import Iterable, Sequence

from tocsin.adapters.sql import items, pushes
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.queries import Snapshot
from tocsin.adapters.sql.store.rows import (
    Row,
    as_json,
    heads_by_no,
    hub_numbered,
    item_of,
    live_broadcasts,
    states_of,
)
from tocsin.adapters.sql.store.text import sql
from tocsin.model.inbox import Entry
from tocsin.model.push import Standing
from tocsin.model.reading import broadcast_entry, item_entry, total_counts

_COPIES, _SAYING = sql(pushes.copies), sql(items.saying)


def snapshots_of(connection: Connection, user_nos: Iterable[int]) -> dict[int, Snapshot]:
    """Return the snapshots of users by their numbers."""
    return {
        user_no: Snapshot(connection, hub_numbered(connection, row.hub_no), row)
        for user_no, row in heads_by_no(connection, user_nos).items()
    }


def standings(connection: Connection, numbers: Sequence[int]) -> dict[int, Standing | None]:
    """Tell how inboxes stand to pushes that have not ended, by the numbers of these."""
    found = connection.execute(_COPIES, {"push_nos": as_json(numbers)}).fetchall()
    at = snapshots_of(connection, {row[1] for row in found})
    return {row[0]: standing(at[row[1]], row[2:]) for row in found if row[1] in at}


def standing(at: Snapshot, alert: Row) -> Standing | None:
    """Tell how one inbox stands to an alert: its number, id, category, severity, and when it was withdrawn."""
    alert_no, alert_id, category, severity, withdrawn_us = alert
    states = states_of(at.connection, at.row.user_no)
    live = live_broadcasts(at.connection, at.hub.hub_no, at.head.b_start)
    found: tuple[Entry, int | None] | None = None
    collapses = False
    for row in at.rows(_SAYING, alert_no=alert_no):
        item = item_of(row)
        found = item_entry(item, at.head.watermarks), item.expires_us
        collapses = item.collapse_key is not None
    for told in live:
        if told.alert_id == alert_id:
            state = states.get(told.brev)
            found = broadcast_entry(told, state, at.head.watermarks), told.expires_us
    if found is None:
        return None
    entry, expires_us = found
    return Standing(
        entry=entry,
        category=category,
        severity=severity,
        expires_us=expires_us,
        withdrawn=withdrawn_us is not None,
        unread=total_counts(at.head, live, states).unread,
        collapses=collapses,
    )
