"""The answers of the inbox API (docs/reference/inbox-protocol.md), encoded from what the store returned.

The HTTP API sends these bytes, and the model test feeds them to the clients, so the proof covers the real shapes.
"""

from collections.abc import Mapping

import msgspec

from tocsin.model.commands import Done, Outcome
from tocsin.model.inbox import Changes, InboxPage, MergedPage, OlderPage, Reload
from tocsin.model.rules import decide_broadcast, decide_item
from tocsin.model.wire import (
    array_json,
    broadcast_json,
    change_frame,
    counts_json,
    entry_json,
    item_json,
    position_json,
    state_json,
    watermarks_json,
)

_encode = msgspec.json.encode
_REFUSALS: Mapping[str, tuple[int, str]] = {
    "item-not-found": (404, "There is no such item"),
    "item-changed": (409, "The item changed"),
    "epoch-changed": (409, "The inbox was restored"),
    "not-restorable": (409, "The item cannot be restored"),
}


def inbox_answer(page: InboxPage) -> bytes:
    """Encode the newest page with all that belongs to its position."""
    marks = page.watermarks
    states = {row.brev: row for row in page.states}
    return (
        b'{"position":%s,"items":%s,"end":%s,"broadcasts":%s,"states":%s,"watermarks":%s,"counts":%s}'
    ) % (
        position_json(page.position),
        array_json(item_json(item, decide_item(item, marks)) for item in page.items),
        _encode(page.end),
        array_json(
            broadcast_json(entry, decide_broadcast(entry, states.get(entry.brev), marks))
            for entry in page.broadcasts
        ),
        array_json(state_json(row) for row in page.states),
        watermarks_json(marks),
        counts_json(page.counts),
    )


def older_answer(page: OlderPage) -> bytes:
    """Encode an older page of own items."""
    return b'{"position":%s,"items":%s,"end":%s}' % (
        position_json(page.position),
        array_json(item_json(item, decide_item(item, page.watermarks)) for item in page.items),
        _encode(page.end),
    )


def changes_answer(changes: Changes) -> bytes:
    """Encode everything after a position; ``broadcasts`` and ``live`` only if ``brev`` moved."""
    marks = changes.watermarks
    stream = b""
    if changes.live is not None:
        states = {row.brev: row for row in changes.states}
        stream = b',"broadcasts":%s,"live":%s' % (
            array_json(
                broadcast_json(entry, decide_broadcast(entry, states.get(entry.brev), marks))
                for entry in changes.broadcasts
            ),
            _encode(changes.live),
        )
    return (
        b'{"position":%s,"items":%s,"removed":%s,"states":%s,"watermarks":%s,"counts":%s%s}'
    ) % (
        position_json(changes.position),
        array_json(item_json(item, decide_item(item, marks)) for item in changes.items),
        _encode(changes.removed),
        array_json(state_json(row) for row in changes.states),
        watermarks_json(marks),
        counts_json(changes.counts),
        stream,
    )


def reload_answer(reload: Reload) -> bytes:
    """Encode that the client's position cannot be served from."""
    return b'{"reload":true,"position":%s}' % position_json(reload.position)


def entries_answer(page: MergedPage) -> bytes:
    """Encode a page of the merged view; the cursor is ``SORT:ID``."""
    following = None if page.next is None else f"{page.next[0]}:{page.next[1]}"
    return b'{"items":%s,"page":{"next":%s},"totals":%s}' % (
        array_json(entry_json(entry) for entry in page.entries),
        _encode(following),
        counts_json(page.totals),
    )


def outcome_answer(outcome: Outcome) -> tuple[int, bytes]:
    """Return status and body of an action's answer.

    ``change`` is the frame where one change set was made that fits into one; else it is null, and ``rev`` tells the client
    that it is behind.  A refusal is a problem (RFC 9457).
    """
    if isinstance(outcome, Done):
        frame = change_frame(outcome.changes[0]) if len(outcome.changes) == 1 else None
        body = b'{"epoch":%s,"rev":%d,"change":%s}'
        return 200, body % (_encode(outcome.epoch), outcome.rev, frame or b"null")
    status, title = _REFUSALS[outcome.code]
    problem = {
        "type": f"urn:tocsin:error:{outcome.code}",
        "title": title,
        "status": status,
        "detail": outcome.detail,
        "code": outcome.code,
    }
    return status, _encode(problem)
