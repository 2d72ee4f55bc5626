"""States of bell, inbox and toasts, as data: what the client shows, and what the person has done by then."""

from collections.abc import Mapping, Sequence
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
MANY = [
    item(f"many{number}", number * MINUTE_MS, f"Order {1200 - number} has left the house")
    for number in range(40)
]
FRESH = [
    item(f"fresh{number}", -number * MINUTE_MS, "The lift is stuck between two floors")
    for number in (2, 1)
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
    """One state: what the client is like, and the steps that lead to it: what is pressed, what is focused, keys, news.

    ``shows`` is the part of the element by which it is known, ``says`` what stands in it, by language.
    """

    view: Json = field(default_factory=shown)
    more: Json = field(default_factory=dict)
    properties: Json = field(default_factory=dict)
    press: Sequence[str] = ()
    focus: str = ""
    keys: Sequence[str] = ()
    then: Json | None = None
    """What the client shows after all that."""
    tells: Mapping[str, Any] = field(default_factory=dict)
    """The last of it: what the client tells, by event."""
    waits: bool = False
    """Whether it comes only after some seconds without a line."""
    shows: str = ""
    says: Mapping[str, str] = field(default_factory=dict)


DOWN = {"status": "recovering"}


def said(english: str, german: str) -> dict[str, str]:
    return {"en": english, "de": german}


def listed(tab: str, part: str) -> str:
    """Return the selector of a part of the list while that tab is open."""
    return f"header:has(#{tab}[aria-selected='true']) ~ .stage {part}"


EMPTY = said("Nothing here yet.", "Noch nichts da.")
LOADING = said("Loading", "Wird geladen")

INBOX: dict[str, State] = {
    "full": State(shows=listed("all", "[data-key=checkout].read")),
    "more to load": State(
        shown(complete=False, end=1),
        shows=".older button",
        says=said("Load more", "Mehr laden"),
    ),
    "loading older": State(
        shown(complete=False, end=1),
        press=[".older button"],
        shows=".older button[aria-disabled=true]",
        says=said("Loading older alerts", "Ältere Meldungen werden geladen"),
    ),
    "new ones out of sight": State(
        shown(MANY),
        focus="[data-key=many0] .title",
        keys=["End"],
        then=shown([*FRESH, *MANY]),
        shows=".pill",
        says=said("2 new", "2 neu"),
    ),
    "act refused": State(
        tells={"refused": {}},
        shows=".notice",
        says=said("That alert has changed meanwhile", "Die Meldung hat sich inzwischen geändert"),
    ),
    "page": State(
        properties={"variant": "page"},
        shows=listed("all", "[data-key=checkout].read"),
    ),
    "page with many selected": State(
        properties={"variant": "page"},
        press=["[data-key=comment] .pick"],
        keys=["*"],
        shows=".chosen-count",
        says=said("8 selected", "8 ausgewählt"),
    ),
    "skeleton": State({"status": "starting"}, shows="[aria-busy=true]", says=LOADING),
    "empty": State(shown([]), shows=listed("all", ".state"), says=EMPTY),
    "all read": State(
        shown([one for one in ITEMS if one["read"]]),
        press=["#unread"],
        shows=listed("unread", ".state"),
        says=said("You have read everything.", "Sie haben alles gelesen."),
    ),
    "unread": State(
        press=["#unread"],
        shows=listed("unread", ".list:not(:has(.row.read)):has(.row.unread)"),
        says=said("today", "heute"),
    ),
    "snoozed": State(
        more={"lists": {"snoozed": ASLEEP}},
        press=["#snoozed"],
        shows=listed("snoozed", "[data-key=backup] time"),
        says=said("Until 6:00", "Bis 18:00"),
    ),
    "nothing snoozed": State(
        press=["#snoozed"],
        shows=listed("snoozed", ".state"),
        says=said("What you snooze waits here.", "Was Sie zurückstellen, wartet hier."),
    ),
    "archived": State(
        more={"lists": {"archived": ITEMS[3:]}},
        press=["#archived"],
        shows=listed("archived", "[data-key=payment]"),
        says=said("7:20", "19:20"),
    ),
    "nothing archived": State(
        press=["#archived"],
        shows=listed("archived", ".state"),
        says=said("What you archive is kept here.", "Was Sie archivieren, liegt hier."),
    ),
    "archive fails": State(
        more={"lists": {"archived": None}},
        press=["#archived"],
        shows=listed("archived", ".state[role=alert]"),
        says=said("cannot be reached right now", "gerade nicht erreichbar"),
    ),
    "unreachable": State(
        {"status": "offline"},
        DOWN,
        waits=True,
        shows=listed("all", ".state[role=alert]"),
        says=said("cannot be reached right now", "gerade nicht erreichbar"),
    ),
    "refused": State(
        {"status": "refused"},
        shows=".state[role=alert]",
        says=said("You are not signed in here any more.", "Sie sind hier nicht mehr angemeldet."),
    ),
    "offline": State(
        shown(status="offline"),
        DOWN,
        waits=True,
        shows=".line",
        says=said("Offline, up to date as of 3:15", "Offline, Stand 15:15"),
    ),
    "reconnecting": State(
        shown(status="reconnecting"),
        DOWN,
        waits=True,
        shows=".line",
        says=said(
            "Reconnecting, up to date as of 3:15",
            "Verbindung wird wiederhergestellt, Stand 15:15",
        ),
    ),
    "filter": State(
        press=["[aria-controls=filters]"],
        shows="#filters",
        says=said("Any severity", "Jede Dringlichkeit"),
    ),
    "selected": State(
        press=["[data-key=comment] .pick"],
        keys=["j", "x"],
        shows=".chosen-count",
        says=said("2 selected", "2 ausgewählt"),
    ),
    "undo": State(
        focus="[data-key=comment] .title",
        keys=["e"],
        shows=".notice button",
        says=said("Undo", "Rückgängig"),
    ),
    "row menu": State(
        press=["[data-key=comment] .more"],
        shows="[role=menu]",
        says=said(
            "Mark this and all older as read", "Diese und alle älteren als gelesen markieren"
        ),
    ),
    "snooze": State(
        focus="[data-key=comment] .title",
        keys=["h"],
        shows="[role=menu]",
        says=said("In an hour", "In einer Stunde"),
    ),
    "keys": State(
        focus="[data-key=comment] .title",
        keys=["?"],
        shows=".menu[role=dialog]",
        says=said("Select up to here", "Bis hierher auswählen"),
    ),
    "row focused": State(
        focus="[data-key=backup] .title", keys=["j"], shows="[data-key=comment] .title:focus"
    ),
}
BELL: dict[str, State] = {
    "none new": State(shown([]), shows=".bell:not(:has(.badge))"),
    "some new": State(shows=".badge", says=said("3", "3")),
    "very many": State(
        shown(counts={"unseen": 120, "unread": 120}), shows=".badge", says=said("99+", "99+")
    ),
    "open": State(press=[".bell"], shows=".panel [data-key=backup]"),
    "open and empty": State(shown([]), press=[".bell"], shows=".panel .state", says=EMPTY),
    "open and waiting": State(
        {"status": "starting"}, press=[".bell"], shows=".panel [aria-busy=true]", says=LOADING
    ),
    "drawer": State(
        properties={"opens": "drawer"}, press=[".bell"], shows=".panel.drawer [data-key=backup]"
    ),
    "popover": State(
        properties={"opens": "popover"},
        press=[".bell"],
        shows=".panel:not(.drawer) [data-key=backup]",
    ),
}
TOASTS: dict[str, State] = {
    "with buttons": State(tells={"arrived": ITEMS[:1]}, shows=".choice"),
    "more than fit": State(
        tells={
            "arrived": [
                {**one, "alert": {**one["alert"], "severity": "critical"}} for one in ITEMS[:5]
            ]
        },
        shows=".more",
        says=said("more", "weitere"),
    ),
    "burst": State(
        tells={"arrived": MANY},
        shows=".summary",
        says=said("40 new alerts", "40 neue Meldungen"),
    ),
}
