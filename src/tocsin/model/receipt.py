"""Receipts: facts about one person's copy of an alert, per device, each with the time at which it first was true."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

Fact = Literal[
    "stored", "written", "received", "shown", "seen", "read", "acted", "pushed", "push_failed"
]
TOLD_FACTS: Final[tuple[Fact, ...]] = ("written", "received", "shown", "seen", "read", "acted")

Key = tuple[str, str, str]
"""What a copy has at most one receipt of: fact, action and device, the last two "" where there is none."""


class Told(msgspec.Struct, frozen=True):
    """A fact as it was reported; whether the user has that alert is checked when it is noted."""

    hub: str
    alert_id: str
    user: str
    fact: Fact
    at_us: int
    device: str | None = None
    action: str | None = None

    @property
    def key(self) -> Key:
        """Return what tells a repeat."""
        return (self.fact, self.action or "", self.device or "")


class Receipt(msgspec.Struct, frozen=True):
    """A fact that was noted.  ``number`` grows in the order of commits, per hub; there may be gaps.

    ``device`` is the installation that a client names, or the id of the connection.  ``action`` is the pressed one's
    id, of ``acted`` only.
    """

    number: int
    hub: str
    alert_id: str
    user: str
    device: str | None
    fact: Fact
    action: str | None
    at_us: int


class Tally(msgspec.Struct, frozen=True):
    """How many different people each fact holds for, and how many pressed each action.

    For a broadcast both are estimates (``model/sketch.py``).
    """

    facts: Mapping[str, int] = {}
    actions: Mapping[str, int] = {}


class _Pressable(msgspec.Struct):
    id: str


class _Offer(msgspec.Struct):
    actions: tuple[_Pressable, ...] = ()


_offer = msgspec.json.Decoder(_Offer)


def offered_actions(content: msgspec.Raw | bytes) -> frozenset[str]:
    """Return the ids of the actions that an alert's encoded content offers."""
    return frozenset(action.id for action in _offer.decode(content).actions)


def placed(told: Iterable[Told]) -> list[tuple[Told, int]]:
    """Leave out repeats, and tell of each fact how many of the same copy come before it."""
    seen: set[tuple[str, str, Key]] = set()
    places: dict[tuple[str, str], int] = {}
    kept = []
    for one in told:
        copy = (one.alert_id, one.user)
        if (whole := (*copy, one.key)) in seen:
            continue
        seen.add(whole)
        place = places.get(copy, 0)
        places[copy] = place + 1
        kept.append((one, place))
    return kept


def news(
    told: Iterable[Told], known: Collection[Key], room: int, accepted_us: int, now_us: int
) -> list[Told]:
    """Return what of the facts about one copy is new: the first report wins.

    A time before the alert or in the future is a wrong clock and is cut.  ``room`` bounds the receipts of one copy;
    beyond it devices are refused, whatever they say.
    """
    return [
        replace(one, at_us=max(accepted_us, min(one.at_us, now_us)))
        for one, place in placed(told)
        if one.key not in known and len(known) + place < room
    ]


def by_copy(told: Iterable[Told]) -> dict[tuple[str, str], list[Told]]:
    """Group facts of one hub by ``(alert_id, user)``."""
    copies: dict[tuple[str, str], list[Told]] = {}
    for one in told:
        copies.setdefault((one.alert_id, one.user), []).append(one)
    return copies


def by_hub(told: Iterable[Told]) -> dict[str, list[Told]]:
    """Group facts by hub."""
    hubs: dict[str, list[Told]] = {}
    for one in told:
        hubs.setdefault(one.hub, []).append(one)
    return hubs


def tally_of(counted: Sequence[tuple[str, str, int]]) -> Tally:
    """Make a tally of ``(fact, action, people)``; action "" stands for the fact as a whole."""
    return Tally(
        facts={fact: people for fact, action, people in counted if not action},
        actions={action: people for _, action, people in counted if action},
    )
