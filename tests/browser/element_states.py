"""States of bell and inbox, as data: what the client shows, and what the person has done by then."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

# A Wednesday, 15:20 in UTC; the page's clock stands there.
NOW_MS = 1_763_565_600_000
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

Json = dict[str, Any]


def item(name: str, age_ms: int, title: str, *, read: bool = False, **alert: Any) -> Json:
    """Return one row as the client has it, `age_ms` old."""
    at = NOW_MS - age_ms
    said = {"source": "test", "title": title, "severity": "info", "created_at": "", **alert}
    return {
        "id": name,
        "alert_id": f"alert-{name}",
        "sort": at * 1_000,
        "alert": said,
        "seen": read,
        "read": read,
    }


ITEMS = [
    item(
        "backup",
        2 * MINUTE_MS,
        "Nightly backup failed",
        severity="error",
        category="operations",
        body="The volume db-3 has 1.2 GB left; the dump needs 4 GB. The last good backup is from Tuesday 02:00.",
        actions=[
            {"id": "retry", "label": "Run again", "style": "primary"},
            {"id": "log", "label": "Open the log", "url": "/logs/backup"},
        ],
    ),
    item(
        "comment",
        41 * MINUTE_MS,
        "Mara commented on “Quarterly plan”",
        category="comments",
        url="/plans/7#comment-12",
        body="I moved the hiring numbers to the second page, please have a look before noon.",
    ),
    item(
        "checkout",
        3 * HOUR_MS,
        "Checkout is down in Frankfurt",
        severity="critical",
        category="operations",
        body="Since 12:18 no payment went through. Two people are on it.",
        read=True,
    ),
    item(
        "payment",
        20 * HOUR_MS,
        "Payment of €1,240.00 received from Nordwind GmbH",
        severity="success",
        category="payments",
        read=True,
    ),
    item(
        "arabic",
        26 * HOUR_MS,
        "وصل الطرد إلى الباب",
        body="تركه الساعي عند الجيران في الطابق الثاني.",
    ),
    item(
        "certificate",
        3 * DAY_MS,
        "The certificate of mail.example.org expires in six days",
        severity="warning",
        category="operations",
        url="https://certificates.example.org/mail",
        read=True,
    ),
    item("long", 9 * DAY_MS, "W" * 120, body="unbroken" * 40, read=True),
    item("invoice", 45 * DAY_MS, "Invoice 2025-117 was paid", severity="success", read=True),
]
ASLEEP = [
    {**one, "snoozed_until": until}
    for one, until in zip(
        ITEMS,
        ("2025-11-19T18:00:00Z", "2025-11-20T09:00:00Z", "2025-11-24T09:00:00Z"),
        strict=False,
    )
]
POSITION = {"epoch": "e", "rev": 9, "brev": 0}


def shown(items: Sequence[Json] = ITEMS, **more: Any) -> Json:
    """Return the view of an inbox that is up to date."""
    unread = sum(not one["read"] for one in items)
    return {
        "items": list(items),
        "counts": {"unseen": unread, "unread": unread},
        "position": POSITION,
        "as_of": NOW_MS - 5 * MINUTE_MS,
        "status": "live",
        **more,
    }


@dataclass(frozen=True)
class State:
    """One state: what the client is like, and the steps that lead to it: what is pressed, what is focused, keys."""

    view: Json = field(default_factory=shown)
    more: Json = field(default_factory=dict)
    press: Sequence[str] = ()
    focus: str = ""
    keys: Sequence[str] = ()
    waits: bool = False
    """Whether it comes only after some seconds without a line."""


DOWN = {"status": "recovering"}

INBOX: dict[str, State] = {
    "full": State(),
    "more to load": State(shown(complete=False, end=1)),
    "skeleton": State({"status": "starting"}),
    "empty": State(shown([])),
    "all read": State(shown([one for one in ITEMS if one["read"]]), press=["#unread"]),
    "unread": State(press=["#unread"]),
    "snoozed": State(more={"lists": {"snoozed": ASLEEP}}, press=["#snoozed"]),
    "nothing snoozed": State(press=["#snoozed"]),
    "archived": State(more={"lists": {"archived": ITEMS[3:]}}, press=["#archived"]),
    "nothing archived": State(press=["#archived"]),
    "archive fails": State(more={"lists": {"archived": None}}, press=["#archived"]),
    "unreachable": State({"status": "offline"}, DOWN, waits=True),
    "refused": State({"status": "refused"}),
    "offline": State(shown(status="offline"), DOWN, waits=True),
    "reconnecting": State(shown(status="reconnecting"), DOWN, waits=True),
    "filter": State(press=["[aria-controls=filters]"]),
    "selected": State(press=["[data-key=comment] .pick"], keys=["j", "x"]),
    "undo": State(focus="[data-key=comment] .title", keys=["e"]),
    "row menu": State(press=["[data-key=comment] .more"]),
    "snooze": State(focus="[data-key=comment] .title", keys=["h"]),
    "keys": State(focus="[data-key=comment] .title", keys=["?"]),
    "row focused": State(focus="[data-key=backup] .title", keys=["j"]),
}
BELL: dict[str, State] = {
    "none new": State(shown([])),
    "some new": State(),
    "very many": State(shown(counts={"unseen": 120, "unread": 120})),
    "open": State(press=[".bell"]),
    "open and empty": State(shown([]), press=[".bell"]),
    "open and waiting": State({"status": "starting"}, press=[".bell"]),
}
