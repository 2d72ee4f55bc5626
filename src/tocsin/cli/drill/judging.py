"""Whether the promise was kept: the ledger against fresh fetches of the inboxes, and those against the clients.  Pure.

Each finding is one breach: a copy of an alert that one person lacks or has twice, a row in which a client differs.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal, NamedTuple

from tocsin.cli.drill.ledger import Entry, Sight

Breach = Literal["lost", "doubled", "stray", "hole", "order"]
BREACHES: tuple[Breach, ...] = ("lost", "doubled", "stray", "hole", "order")


class Finding(NamedTuple):
    """One breach, and the words that say which."""

    breach: Breach
    words: str


class Row(NamedTuple):
    """An own item as lists show it; ``number`` is that of the drill's alert, None for another one's."""

    item_id: str
    alert_id: str
    number: int | None
    sort: int
    seen: bool
    read: bool


class Shown(NamedTuple):
    """What an inbox shows: own items newest first, how many broadcasts, and the counts."""

    rows: tuple[Row, ...]
    broadcasts: int
    unseen: int
    unread: int


class Held(NamedTuple):
    """What a client shows, and the revision of each of the own items."""

    shown: Shown
    revs: tuple[int, ...]


def shown(run: str, items: Sequence[Mapping[str, Any]], counts: Mapping[str, int]) -> Shown:
    """Read rows as the API and the client give them."""
    rows = tuple(_row(run, item) for item in items if "brev" not in item)
    return Shown(rows, len(items) - len(rows), counts["unseen"], counts["unread"])


def number_in(run: str, item: Mapping[str, Any]) -> int | None:
    """Return the number of an alert of this drill; None for any other."""
    data = item["alert"].get("data")
    number = data.get("number") if isinstance(data, dict) and data.get("drill") == run else None
    return number if isinstance(number, int) else None


def _row(run: str, item: Mapping[str, Any]) -> Row:
    number = number_in(run, item)
    return Row(item["id"], item["alert_id"], number, item["sort"], item["seen"], item["read"])


def has_all(user: str, entries: Mapping[int, Entry], fresh: Shown) -> bool:
    """Tell whether nothing is lost."""
    return not any(_lost(user, entries, fresh))


def judge(
    entries: Mapping[int, Entry],
    fresh: Mapping[str, Shown],
    clients: Sequence[tuple[Sight, Held | None]],
) -> list[Finding]:
    """Name every breach.

    Args:
        entries: The alerts by number.
        fresh: What a fetch after the settle time shows, by user; who is not in it is not judged.
        clients: What each client was told, and what it holds; None if it is not in step.
    """
    findings: list[Finding] = []
    for user, inbox in fresh.items():
        findings += _lost(user, entries, inbox)
        findings += _too_many(user, inbox)
        findings += _strays(user, entries, inbox)
        findings += _out_of_batch_order(user, entries, inbox)
    for sight, held in clients:
        findings += _told_twice(sight)
        if sight.user in fresh:
            findings += _holes(sight, held, fresh[sight.user])
        if held is not None:
            findings += _out_of_commit_order(sight, held)
    return findings


def _lost(user: str, entries: Mapping[int, Entry], inbox: Shown) -> Iterator[Finding]:
    there = {row.number for row in inbox.rows}
    for number, entry in entries.items():
        if entry.standing == "acked" and user in entry.people and number not in there:
            yield Finding("lost", f"alert {number} was acked, and {user} does not have it")


def _too_many(user: str, inbox: Shown) -> Iterator[Finding]:
    met: set[int] = set()
    for number in (row.number for row in inbox.rows if row.number is not None):
        if number in met:
            yield Finding("doubled", f"alert {number} stands again in the inbox of {user}")
        met.add(number)


def _told_twice(sight: Sight) -> Iterator[Finding]:
    for number, times in sight.told.items():
        if times > 1:
            yield Finding("doubled", f"alert {number} was told {times} times to {sight.name}")


def _strays(user: str, entries: Mapping[int, Entry], inbox: Shown) -> Iterator[Finding]:
    for row in inbox.rows:
        entry = None if row.number is None else entries.get(row.number)
        if entry is None:
            yield Finding("stray", f"{user} has item {row.item_id}, which this drill did not send")
        elif user not in entry.people:
            yield Finding("stray", f"{user} has alert {row.number}, which is for others")
        elif entry.standing == "refused":
            yield Finding("stray", f"{user} has alert {row.number}, which was refused")


def _out_of_batch_order(user: str, entries: Mapping[int, Entry], inbox: Shown) -> Iterator[Finding]:
    sorts = {row.number: row.sort for row in inbox.rows}
    for number, entry in entries.items():
        before = entry.after
        if before is None or not {before, number} <= sorts.keys():
            continue
        if sorts[number] < sorts[before]:
            words = f"alert {number} came before {before} of its batch, in the inbox of {user}"
            yield Finding("order", words)


def _out_of_commit_order(sight: Sight, held: Held) -> Iterator[Finding]:
    """Of rows that nobody touched, the one with the higher ``sort`` was committed later."""
    rows = zip(held.shown.rows, held.revs, strict=True)
    for (newer, newer_rev), (older, older_rev) in pairwise(rows):
        if newer_rev < older_rev or newer.sort <= older.sort:
            words = f"item {newer.item_id} was committed before the one below it, on {sight.name}"
            yield Finding("order", words)


def _holes(sight: Sight, held: Held | None, inbox: Shown) -> Iterator[Finding]:
    if held is None:
        yield Finding("hole", f"{sight.name} is not in step with its inbox")
        return
    differ = set(held.shown.rows) ^ set(inbox.rows)
    for item_id in sorted({row.item_id for row in differ}):
        yield Finding("hole", f"{sight.name} does not hold item {item_id} as the inbox has it")
    if not differ and held.shown != inbox:
        yield Finding("hole", f"{sight.name} shows other counts, or another order, than its inbox")


def tally(findings: Iterable[Finding]) -> dict[Breach, int]:
    """Count the breaches of each kind."""
    counts = dict.fromkeys(BREACHES, 0)
    for finding in findings:
        counts[finding.breach] += 1
    return counts
