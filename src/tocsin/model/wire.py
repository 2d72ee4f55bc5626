"""The inbox protocol's JSON (docs/reference/inbox-protocol.md), spliced from content that was encoded once.

Contents are never decoded here: an item's bytes are its few own fields around the alert's stored bytes.
"""

from collections.abc import Iterable

import msgspec

from tocsin.clock import to_rfc3339
from tocsin.model.inbox import (
    Broadcast,
    BroadcastEntry,
    ChangeSet,
    Counts,
    Entry,
    Marks,
    OwnItem,
    StateRow,
    Watermarks,
)
from tocsin.model.position import Position

MAX_FRAME_ROWS = 50
# What somebody, or the hub, prefers has changed.  It stands in no stream and has no number: a hint to read them again.
PREFERENCES_FRAME = b'{"tocsin":1,"kind":"preferences"}'
_encode = msgspec.json.encode
_MARKS = Marks.__struct_fields__
_NO_MARKS = Marks()


def marks_json(marks: Marks) -> bytes:
    """Return the set times as ``,"seen_at":"..."`` fields, perhaps nothing."""
    if marks == _NO_MARKS:
        return b""
    return "".join(
        f',"{name}":"{to_rfc3339(value)}"'
        for name in _MARKS
        if (value := getattr(marks, name)) is not None
    ).encode()


def decided_json(decided: tuple[bool, bool] | None) -> bytes:
    """Return ``,"seen":..,"read":..`` for an answer, nothing for a frame."""
    if decided is None:
        return b""
    seen, read = decided
    return b',"seen":%s,"read":%s' % (_encode(seen), _encode(read))


def item_json(item: OwnItem, decided: tuple[bool, bool] | None = None) -> bytes:
    """Encode an own item."""
    return b'{"id":"%s","alert_id":"%s","sort":%d,"rev":%d,"alert":%s%s%s}' % (
        item.id.encode(),
        item.alert_id.encode(),
        item.sort,
        item.rev,
        bytes(item.content),
        marks_json(item.marks),
        decided_json(decided),
    )


def broadcast_json(broadcast: Broadcast, decided: tuple[bool, bool] | None = None) -> bytes:
    """Encode a broadcast; what it says is the same for everybody."""
    return b'{"brev":%d,"alert_id":"%s","sort":%d,"alert":%s%s}' % (
        broadcast.brev,
        broadcast.alert_id.encode(),
        broadcast.sort,
        bytes(broadcast.content),
        decided_json(decided),
    )


def state_json(state: StateRow) -> bytes:
    """Encode what a user did to a broadcast."""
    sort = b"" if state.sort is None else b',"sort":%d' % state.sort
    return b'{"brev":%d,"rev":%d%s%s}' % (state.brev, state.rev, sort, marks_json(state.marks))


def entry_json(entry: Entry) -> bytes:
    """Encode a row of a merged view."""
    brev = b"" if entry.brev is None else b',"brev":%d' % entry.brev
    return b'{"id":"%s","alert_id":"%s","sort":%d%s,"alert":%s%s%s}' % (
        entry.id.encode(),
        entry.alert_id.encode(),
        entry.sort,
        brev,
        bytes(entry.content),
        marks_json(entry.marks),
        decided_json((entry.seen, entry.read)),
    )


def array_json(parts: Iterable[bytes]) -> bytes:
    """Join encoded values to a JSON array."""
    return b"[%s]" % b",".join(parts)


def watermarks_json(watermarks: Watermarks) -> bytes:
    """Encode the four watermarks."""
    return _encode(watermarks)


def counts_json(counts: Counts) -> bytes:
    """Encode the own counts."""
    return b'{"unseen":%d,"unread":%d}' % (counts.unseen, counts.unread)


def change_frame(change: ChangeSet) -> bytes | None:
    """Encode a change set as an ``inbox`` frame; None above 50 rows, which is announced as a head."""
    if change.rows > MAX_FRAME_ROWS:
        return None
    return (
        b'{"tocsin":1,"kind":"inbox","epoch":"%s","rev":%d,"items":%s,"removed":%s,"states":%s,'
        b'"watermarks":%s,"counts":%s}'
    ) % (
        change.epoch.encode(),
        change.rev,
        array_json(item_json(item) for item in change.items),
        _encode(change.removed),
        array_json(state_json(state) for state in change.states),
        watermarks_json(change.watermarks),
        counts_json(change.counts),
    )


def broadcast_frame(entry: BroadcastEntry) -> bytes:
    """Encode an entry of the broadcast stream; the same bytes for everybody."""
    if entry.add is None:
        tail = b'"withdraw":%d' % (entry.withdraw or 0)
    else:
        tail = b'"add":%s' % broadcast_json(entry.add)
    return b'{"tocsin":1,"kind":"broadcast","epoch":"%s","brev":%d,%s}' % (
        entry.epoch.encode(),
        entry.brev,
        tail,
    )


def head_frame(position: Position, spread_ms: int | None = None) -> bytes:
    """Encode where the server stands."""
    spread = b"" if spread_ms is None else b',"spread":%d' % spread_ms
    return b'{"tocsin":1,"kind":"head","epoch":"%s","rev":%d,"brev":%d%s}' % (
        position.epoch.encode(),
        position.rev,
        position.brev,
        spread,
    )


def position_json(position: Position) -> bytes:
    """Encode a position."""
    return _encode(position)
