"""The rows of the memory store: plain dicts, one per table of the real ones."""

from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec.structs import replace

from tocsin.model.alert import Envelope
from tocsin.model.commands import Outcome
from tocsin.model.device import Device
from tocsin.model.inbox import Broadcast, Head, OwnItem, StateRow
from tocsin.model.plan import Plan, first_head
from tocsin.model.position import Position
from tocsin.model.preference import HubPreferences, Preferences
from tocsin.model.push import Ending, PushRecord
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
    devices: dict[str, Device] = field(default_factory=dict)

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
    ``handles`` are of devices, by their digest.
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
    handles: dict[bytes, Device] = field(default_factory=dict)

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
class PushRow:
    """A push and what is known of it; ``leased`` while somebody has it.

    ``shown_by``: the push that shows it, itself or a summary, while the device can take it back.  ``tag`` is of a summary,
    and of its withdrawal: what the device knows it by.
    """

    id: str
    hub: str
    inbox: Inbox
    alert_id: str
    record: PushRecord
    leased: bool = False
    shown_by: int | None = None
    tag: str | None = None

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """What there is at most one push of."""
        said = self.record
        return (self.hub, self.inbox.head.user, self.alert_id, said.device, said.kind)

    def end(self, ending: Ending) -> bool:
        """End it; False if it has ended."""
        if self.record.end is not None:
            return False
        self._end(ending)
        return True

    def end_late(self, ending: Ending) -> None:
        """Note what became of it although it was cancelled on its way."""
        if self.record.end == "cancelled":
            self._end(ending)

    def _end(self, ending: Ending) -> None:
        over = {"end": ending.end, "reason": ending.reason, "ended_us": ending.at_us}
        self.record = replace(self.record, due_us=None, **over)
        self.shown_by = None


@dataclass
class Spread:
    """A broadcast on its way to the devices of its hub: those up to ``after`` have their push."""

    hub: str
    brev: int
    made_us: int
    after: tuple[str, str] = ("", "")


@dataclass
class Tables:
    """Everything a memory store holds; ``spreads`` are by alert."""

    hubs: dict[str, Hub] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)
    pushes: dict[int, PushRow] = field(default_factory=dict)
    last_push: int = 0
    push_keys: dict[tuple[str, str, str, str, str], int] = field(default_factory=dict)
    """Numbers of pushes by hub, user, alert, device and kind, which have one at most."""
    spreads: dict[str, Spread] = field(default_factory=dict)
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

    def add_push(self, row: PushRow) -> None:
        """Keep a push, unless there is one of the same alert, device and kind."""
        if row.key not in self.push_keys:
            self.last_push += 1
            self.pushes[self.last_push] = row
            self.push_keys[row.key] = self.last_push

    def drop_push(self, number: int) -> None:
        """Forget a push."""
        self.push_keys.pop(self.pushes.pop(number).key, None)

    def is_standing(self, row: PushRow) -> bool:
        """Tell whether the person of a push is still there, and not being erased."""
        return self.hub(row.hub).inboxes.get(row.inbox.head.user) is row.inbox

    def records(self, inbox: Inbox, alert_id: str) -> tuple[PushRecord, ...]:
        """Return what became of the pushes of one copy."""
        rows = self.pushes.values()
        return tuple(r.record for r in rows if r.inbox is inbox and r.alert_id == alert_id)
