"""The rows of the memory store: plain dicts, one per table of the real ones."""

from dataclasses import dataclass, field
from typing import NamedTuple

from tocsin.model.alert import Envelope
from tocsin.model.commands import Outcome
from tocsin.model.inbox import Broadcast, Head, OwnItem, StateRow
from tocsin.model.plan import Plan, first_head
from tocsin.model.position import Position
from tocsin.model.preference import HubPreferences, Preferences
from tocsin.model.receipt import Receipt
from tocsin.model.stream import Stream, new_epoch


class Kept(NamedTuple):
    """What a person prefers, and since when."""

    preferences: Preferences
    changed_us: int


@dataclass
class Inbox:
    """One user's head, rows and remembered answers (``op_id`` to outcome and time).

    ``collapses`` tells for an alert which one took its place, and when.
    """

    head: Head
    items: dict[str, OwnItem] = field(default_factory=dict)
    states: dict[int, StateRow] = field(default_factory=dict)
    ops: dict[str, tuple[Outcome, int]] = field(default_factory=dict)
    collapses: dict[str, tuple[str, int]] = field(default_factory=dict)
    preferences: Kept | None = None

    def listed(self) -> list[OwnItem]:
        """Return own listed items, newest first."""
        return sorted((i for i in self.items.values() if i.marks.listed), key=lambda i: -i.sort)

    def write(self, plan: Plan) -> None:
        """Put the planned rows in place."""
        self.head = plan.head
        self.items.update((item.id, item) for item in plan.items)
        self.states.update((state.brev, state) for state in plan.states)


@dataclass
class Hub:
    """One hub's stream, its live broadcasts by ``brev`` in order, its inboxes by user, and its receipts.

    ``heard`` has the ``brev`` of every broadcast, dead ones too, by alert.  ``sketches`` are by alert, fact and action,
    ``topics`` since when each user subscribes.  Revisions of new users begin at ``rev_floor``.
    """

    stream: Stream
    live: dict[int, Broadcast] = field(default_factory=dict)
    inboxes: dict[str, Inbox] = field(default_factory=dict)
    heard: dict[str, int] = field(default_factory=dict)
    receipts: list[Receipt] = field(default_factory=list)
    last_receipt: int = 0
    sketches: dict[tuple[str, str, str], bytes] = field(default_factory=dict)
    topics: dict[str, dict[str, int]] = field(default_factory=dict)
    rev_floor: int = 0
    preferences: HubPreferences = field(default_factory=HubPreferences)

    def visible(self, head: Head, above: int = 0) -> list[Broadcast]:
        """Return the live broadcasts of an inbox, those above ``above``."""
        return [row for brev, row in self.live.items() if brev > max(head.b_start, above)]

    def position(self, head: Head) -> Position:
        """Return where an inbox stands."""
        return Position(self.stream.epoch, head.rev, self.stream.brev)


@dataclass
class Alert:
    """A processed alert; ``recipients`` is None for a broadcast, 0 for one that was withdrawn or expired on its way.

    ``after`` is the last one who has it while more are to get it, else None.
    """

    envelope: Envelope
    processed_us: int
    recipients: int | None
    withdrawn_us: int | None = None
    expired_us: int | None = None
    after: str | None = None


@dataclass
class Tables:
    """Everything a memory store holds."""

    hubs: dict[str, Hub] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)
    withdrawals: set[tuple[str, str]] = field(default_factory=set)
    """Hub and id of alerts whose withdrawal is not finished."""

    def hub(self, name: str) -> Hub:
        """Return a hub, made at its first mention with an epoch of its own."""
        if name not in self.hubs:
            self.hubs[name] = Hub(Stream(name, new_epoch()))
        return self.hubs[name]

    def inbox(self, hub: str, user: str) -> Inbox:
        """Return an inbox, made at first contact: broadcasts count for it from here on."""
        home = self.hub(hub)
        if user not in home.inboxes:
            home.inboxes[user] = Inbox(first_head(user, home.stream.brev, home.rev_floor))
        return home.inboxes[user]
