"""How alerts arrive in one inbox: a new item each, or a collapse into the one that waits (sync.md, section 2)."""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from tocsin.model.alert import Envelope
from tocsin.model.inbox import Head, Marks, OwnItem, Watermarks
from tocsin.model.plan import ItemChange, Plan, next_sort, plan_rows
from tocsin.model.rules import decide_item


def owned_collapse_key(envelope: Envelope) -> str | None:
    """Return the collapse key as it is stored: bound to the producer key that owns it (I10).

    The separator is a control character, which no id may hold.
    """
    if envelope.collapse_key is None:
        return None
    return f"{envelope.key_id}\x1f{envelope.collapse_key}"


def newest_by_key(items: Iterable[OwnItem]) -> dict[str, OwnItem]:
    """Return the newest item of each owned collapse key, whatever its marks."""
    newest: dict[str, OwnItem] = {}
    for item in items:
        key = item.collapse_key
        if key is not None and (key not in newest or newest[key].sort < item.sort):
            newest[key] = item
    return newest


def arrive(
    head: Head, envelopes: Iterable[Envelope], newest: Mapping[str, OwnItem], now_us: int
) -> Plan | None:
    """Plan the arrival of alerts in one inbox, in order, as one change.

    Args:
        head: The counter row.
        envelopes: The alerts, none of which this inbox has had.
        newest: The newest own item of each owned collapse key among them, whatever its marks.
        now_us: The time.
    """
    by_key = dict(newest)
    changes: dict[str, ItemChange] = {}
    collapses: list[tuple[str, str]] = []
    last_sort = head.last_sort
    for envelope in envelopes:
        last_sort = next_sort(last_sort, now_us)
        key = owned_collapse_key(envelope)
        stands = None if key is None else by_key.get(key)
        item = _item(envelope, key, last_sort, _collapsible(stands, head.watermarks))
        before = stands if stands is not None and stands.id == item.id else None
        if before is not None:
            collapses.append((before.alert_id, envelope.id))
        if item.id in changes:
            before = changes[item.id][0]
        changes[item.id] = (before, item)
        if key is not None:
            by_key[key] = item
    plan = plan_rows(head, list(changes.values()), last_sort=last_sort)
    return replace(plan, collapses=tuple(collapses)) if plan and collapses else plan


def _collapsible(stands: OwnItem | None, watermarks: Watermarks) -> OwnItem | None:
    """Return the item if it may say something new: it is listed and unread."""
    if stands is None or not stands.marks.listed:
        return None
    return None if decide_item(stands, watermarks)[1] else stands


def _item(envelope: Envelope, key: str | None, sort: int, stands: OwnItem | None) -> OwnItem:
    if stands is None:
        return OwnItem(
            id=envelope.id,
            alert_id=envelope.id,
            sort=sort,
            rev=0,
            content=envelope.content,
            category=envelope.category,
            severity=envelope.severity,
            collapse_key=key,
            expires_us=envelope.expires_us,
        )
    return replace(
        stands,
        alert_id=envelope.id,
        sort=sort,
        content=envelope.content,
        marks=Marks(),
        category=envelope.category,
        severity=envelope.severity,
        expires_us=envelope.expires_us,
    )
