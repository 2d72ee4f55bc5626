"""Answers to readers; each function runs in one read transaction, so all of an answer is of one snapshot."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tocsin.adapters.sql import inboxes, items, stream
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.rows import (
    HeadRow,
    HubRow,
    Row,
    as_json,
    head_of,
    hub_named,
    item_of,
    items_of,
    live_broadcasts,
    states_of,
)
from tocsin.adapters.sql.store.text import sql
from tocsin.model.inbox import (
    Broadcast,
    Changes,
    Entry,
    Head,
    InboxPage,
    MergedPage,
    OlderPage,
    OwnItem,
    Reload,
)
from tocsin.model.position import Position
from tocsin.model.reading import (
    broadcast_entry,
    item_entry,
    merge,
    must_reload,
    page_of,
    shows,
    total_counts,
)
from tocsin.ports.store import Listing

TOP = 2**53  # above every sort
_LISTED, _CHANGED, _NAMED = sql(items.listed), sql(items.changed), sql(items.named)
_LIVE_BREVS, _REVISIONS_OF = sql(stream.live_brevs), sql(inboxes.revisions_of)
_VIEWS = {
    "all": (sql(items.view_all),),
    "unread": (sql(items.view_unread_above), sql(items.view_unread_by_hand)),
    "snoozed": (sql(items.view_snoozed),),
    "archived": (sql(items.view_archived),),
}


class Snapshot(NamedTuple):
    """One inbox as it stands in a read transaction."""

    connection: Connection
    hub: HubRow
    row: HeadRow

    @property
    def head(self) -> Head:
        """The counter row."""
        return self.row.head

    @property
    def position(self) -> Position:
        """Where the inbox stands."""
        return Position(self.hub.stream.epoch, self.head.rev, self.hub.stream.brev)

    def rows(self, query: str, **parameters: object) -> list[Row]:
        """Run a query about this user's rows."""
        return self.connection.execute(
            query, {"user_no": self.row.user_no, **parameters}
        ).fetchall()


def snapshot(connection: Connection, hub: str, user: str) -> Snapshot | None:
    """Find an inbox; None before first contact."""
    home = hub_named(connection, hub)
    row = None if home is None else head_of(connection, home.hub_no, user)
    return None if home is None or row is None else Snapshot(connection, home, row)


def newest_page(at: Snapshot, limit: int, position: Position | None) -> InboxPage | Reload:
    """Answer ``GET /v1/inbox``."""
    if must_reload(position, at.position, at.head.floor):
        return Reload(at.position)
    found, end = page_of(_listed(at, TOP, limit), limit)
    live = live_broadcasts(at.connection, at.hub.hub_no, at.head.b_start)
    states = states_of(at.connection, at.row.user_no)
    return InboxPage(
        position=at.position,
        items=found,
        end=end,
        broadcasts=tuple(live),
        states=tuple(states[row.brev] for row in live if row.brev in states),
        watermarks=at.head.watermarks,
        counts=at.head.counts,
    )


def older_page(
    at: Snapshot, limit: int, before: int, position: Position | None
) -> OlderPage | Reload:
    """Answer a page below ``before``."""
    if must_reload(position, at.position, at.head.floor):
        return Reload(at.position)
    found, end = page_of(_listed(at, before, limit), limit)
    return OlderPage(at.position, found, end, at.head.watermarks)


def _listed(at: Snapshot, before: int, limit: int) -> list[OwnItem]:
    return items_of(at.rows(_LISTED, before=before, limit=limit + 1))


def changes_since(at: Snapshot, since: Position, bound: int) -> Changes | Reload:
    """Answer everything after a position, or ``Reload`` if it is more than ``bound`` rows."""
    if must_reload(since, at.position, at.head.floor):
        return Reload(at.position)
    found = items_of(at.rows(_CHANGED, rev=since.rev, limit=bound + 1))
    every_state = states_of(at.connection, at.row.user_no).values()
    states = tuple(state for state in every_state if state.rev > since.rev)
    if len(found) + len(states) > bound:
        return Reload(at.position)
    moved = at.position.brev != since.brev
    return Changes(
        position=at.position,
        items=tuple(item for item in found if item.marks.deleted_at is None),
        removed=tuple(item.id for item in found if item.marks.deleted_at is not None),
        states=states,
        watermarks=at.head.watermarks,
        counts=at.head.counts,
        broadcasts=_new_broadcasts(at, since) if moved else (),
        live=_live_brevs(at) if moved else None,
    )


def _new_broadcasts(at: Snapshot, since: Position) -> tuple[Broadcast, ...]:
    above = max(at.head.b_start, since.brev)
    return tuple(live_broadcasts(at.connection, at.hub.hub_no, above))


def _live_brevs(at: Snapshot) -> tuple[int, ...]:
    found = at.rows(_LIVE_BREVS, hub_no=at.hub.hub_no, above=at.head.b_start)
    return tuple(row[0] for row in found)


def merged_page(at: Snapshot, listing: Listing) -> MergedPage:
    """Answer a page of a merged view."""
    live = live_broadcasts(at.connection, at.hub.hub_no, at.head.b_start)
    states = states_of(at.connection, at.row.user_no)
    heard = (
        entry
        for row in live
        if listing.category in (None, row.category)
        and listing.severity in (None, row.severity)
        and shows(
            entry := broadcast_entry(row, states.get(row.brev), at.head.watermarks), listing.status
        )
    )
    totals = total_counts(at.head, live, states)
    found = [*_own_entries(at, listing), *heard]
    return merge(found, limit=listing.limit, cursor=listing.cursor, totals=totals)


def _own_entries(at: Snapshot, listing: Listing) -> Iterable[Entry]:
    sort, item_id = listing.cursor or (TOP, "")
    for query in _VIEWS[listing.status]:
        for row in at.rows(
            query,
            category=listing.category,
            severity=listing.severity,
            sort=sort,
            id=item_id,
            read_up_to=at.head.watermarks.read_up_to,
            limit=listing.limit + 1,
        ):
            yield item_entry(item_of(row), at.head.watermarks)


def merged_entry(at: Snapshot, item_id: str) -> Entry | None:
    """Answer one row of the merged view, listed or not; None if it is gone or deleted."""
    entry = _find(at, item_id)
    return None if entry is None or entry.marks.deleted_at is not None else entry


def _find(at: Snapshot, item_id: str) -> Entry | None:
    for row in at.rows(_NAMED, ids=as_json([item_id])):
        return item_entry(item_of(row), at.head.watermarks)
    for broadcast in live_broadcasts(at.connection, at.hub.hub_no, at.head.b_start):
        if broadcast.alert_id == item_id:
            state = states_of(at.connection, at.row.user_no).get(broadcast.brev)
            return broadcast_entry(broadcast, state, at.head.watermarks)
    return None


def positions_of(connection: Connection, hub: str, users: Sequence[str]) -> Mapping[str, Position]:
    """Answer where known users' inboxes stand."""
    home = hub_named(connection, hub)
    if home is None:
        return {}
    found = connection.execute(_REVISIONS_OF, {"hub_no": home.hub_no, "users": as_json(users)})
    epoch, brev = home.stream.epoch, home.stream.brev
    return {user: Position(epoch, rev, brev) for user, rev in found}
