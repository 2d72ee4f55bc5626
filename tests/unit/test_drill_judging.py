"""The judgement of a drill: a world in which the promise was kept has no breach, and each kind of breach is seen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tocsin.cli.drill.judging import (
    Breach,
    Held,
    Row,
    Shown,
    has_all,
    judge,
    number_in,
    shown,
    tally,
)
from tocsin.cli.drill.ledger import Entry, Ledger, Sight, Standing

PEOPLE = ("ada", "ben", "chloe")
RUN = "r1"
# However loaded the machine is.
relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=50)
STANDINGS: tuple[Standing, ...] = ("acked", "acked", "acked", "refused", "unsettled")


@dataclass
class World:
    """Alerts, inboxes, and two clients for each person, as a server that keeps its promise would have them."""

    entries: dict[int, Entry]
    fresh: dict[str, Shown] = field(default_factory=dict)
    clients: list[tuple[Sight, Held | None]] = field(default_factory=list)

    def settle(self) -> None:
        """Fill inboxes and clients with what was accepted."""
        for user in PEOPLE:
            numbers = [
                number
                for number, entry in self.entries.items()
                if user in entry.people and entry.standing == "acked"
            ]
            rows = tuple(row_of(number) for number in reversed(numbers))
            self.fresh[user] = Shown(rows, 0, len(rows), len(rows))
            revs = tuple(reversed(range(1, len(rows) + 1)))
            for place in range(2):
                sight = Sight(f"{user}-{place}", user)
                for number in numbers[place:]:  # what came while it was away is not told live
                    sight.told[number] += 1
                self.clients.append((sight, Held(self.fresh[user], revs)))

    def breaches(self) -> Mapping[Breach, int]:
        """Judge."""
        return tally(judge(self.entries, self.fresh, self.clients))


def row_of(number: int, *, item: str = "", sort: int | None = None) -> Row:
    name = item or f"item-{number}"
    return Row(name, f"id-{name}", number, 1000 + number if sort is None else sort, False, False)


def with_rows(inbox: Shown, *rows: Row) -> Shown:
    return inbox._replace(rows=tuple(rows))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    entries: dict[int, Entry] = {}
    count = draw(st.integers(3, 12))
    for number in range(count):
        people = tuple(draw(st.lists(st.sampled_from(PEOPLE), min_size=1, unique=True)))
        standing = draw(st.sampled_from(STANDINGS))
        entries[number] = Entry(people, float(number), standing)
        if number and draw(st.booleans()):
            entries[number].after = number - 1
    entries[count] = Entry(PEOPLE, float(count), "acked")
    entries[count + 1] = Entry(PEOPLE, float(count + 1), "acked", after=count)
    world = World(entries)
    world.settle()
    return world


@relaxed
@given(worlds())
def test_a_promise_that_was_kept_has_no_breach(world: World) -> None:
    assert set(world.breaches().values()) == {0}


@relaxed
@given(worlds(), st.data())
def test_an_acked_alert_that_is_not_there_is_lost(world: World, data: st.DataObject) -> None:
    user = data.draw(st.sampled_from(PEOPLE))
    inbox = world.fresh[user]
    gone = data.draw(st.sampled_from(inbox.rows))
    world.fresh[user] = with_rows(inbox, *(row for row in inbox.rows if row != gone))
    assert not has_all(user, world.entries, world.fresh[user])
    assert world.breaches()["lost"] == 1


@relaxed
@given(worlds(), st.data())
def test_what_is_not_settled_may_be_there_or_not(world: World, data: st.DataObject) -> None:
    user = data.draw(st.sampled_from(PEOPLE))
    open_ones = [n for n, e in world.entries.items() if e.standing == "unsettled"]
    theirs = [number for number in open_ones if user in world.entries[number].people]
    there = data.draw(st.lists(st.sampled_from(theirs), unique=True)) if theirs else []
    rows = sorted(
        (*world.fresh[user].rows, *(row_of(number) for number in there)), key=lambda row: -row.sort
    )
    world.fresh[user] = with_rows(world.fresh[user], *rows)
    breaches = world.breaches()
    assert breaches["lost"] == breaches["stray"] == breaches["doubled"] == breaches["order"] == 0


@relaxed
@given(worlds(), st.data())
def test_a_second_item_for_one_alert_is_doubled(world: World, data: st.DataObject) -> None:
    user = data.draw(st.sampled_from(PEOPLE))
    inbox = world.fresh[user]
    again = data.draw(st.sampled_from(inbox.rows))
    assert again.number is not None
    copy = row_of(again.number, item="copy", sort=5000)
    world.fresh[user] = with_rows(inbox, copy, *inbox.rows)
    assert world.breaches()["doubled"] == 1


@relaxed
@given(worlds(), st.data())
def test_an_alert_told_twice_on_one_client_is_doubled(world: World, data: st.DataObject) -> None:
    sight, _ = data.draw(st.sampled_from(world.clients))
    sight.told[data.draw(st.sampled_from(sorted(world.entries)))] = 2
    assert world.breaches()["doubled"] == 1


@relaxed
@given(worlds())
def test_an_alert_told_to_several_clients_of_a_person_is_not_doubled(world: World) -> None:
    told = [sight.told for sight, _ in world.clients if sight.user == "ada"]
    assert any(told[0][number] and told[1][number] for number in world.entries)
    assert world.breaches()["doubled"] == 0


@pytest.mark.parametrize(
    "row", [row_of(0), row_of(1), row_of(99), row_of(2)._replace(number=None)], ids=str
)
def test_what_an_inbox_must_not_have_is_stray(row: Row) -> None:
    world = World({0: Entry(("ben",), 0.0, "acked"), 1: Entry(("ada",), 0.0, "refused")})
    world.settle()
    world.fresh["ada"] = with_rows(world.fresh["ada"], row)
    assert world.breaches()["stray"] == 1


Change = Callable[[Held], Held | None]


def lacks_first(held: Held) -> Held:
    return Held(with_rows(held.shown, *held.shown.rows[1:]), held.revs[1:])


def shows_read(held: Held) -> Held:
    first = held.shown.rows[0]._replace(read=True)
    return held._replace(shown=with_rows(held.shown, first, *held.shown.rows[1:]))


def counts_wrongly(held: Held) -> Held:
    return held._replace(shown=held.shown._replace(unread=held.shown.unread + 1))


def is_away(_: Held) -> None:
    return None


@pytest.mark.parametrize("change", [lacks_first, shows_read, counts_wrongly, is_away])
@relaxed
@given(world=worlds(), place=st.integers(0, 5))
def test_a_client_that_differs_from_its_inbox_has_a_hole(
    change: Change, world: World, place: int
) -> None:
    sight, held = world.clients[place]
    assert held is not None
    world.clients[place] = (sight, change(held))
    assert world.breaches()["hole"] == 1


@relaxed
@given(worlds(), st.sampled_from(PEOPLE))
def test_a_batch_that_stands_in_another_order_is_a_break(world: World, user: str) -> None:
    inbox = world.fresh[user]
    second, first, *others = inbox.rows
    swapped = (first._replace(sort=second.sort), second._replace(sort=first.sort))
    world.fresh[user] = with_rows(inbox, *swapped, *others)
    assert world.breaches()["order"] >= 1


@relaxed
@given(worlds(), st.sampled_from(PEOPLE))
def test_no_order_is_asked_of_what_needed_a_repeat(world: World, user: str) -> None:
    inbox = world.fresh[user]
    for entry in world.entries.values():
        entry.after = None
    second, first, *others = inbox.rows
    swapped = (first._replace(sort=second.sort), second._replace(sort=first.sort))
    world.fresh[user] = with_rows(inbox, *swapped, *others)
    assert world.breaches()["order"] == 0


@relaxed
@given(worlds(), st.integers(0, 5))
def test_a_client_with_revisions_in_another_order_is_a_break(world: World, place: int) -> None:
    sight, held = world.clients[place]
    assert held is not None
    last, before, *others = held.revs
    world.clients[place] = (sight, held._replace(revs=(before, last, *others)))
    assert world.breaches() == {"lost": 0, "doubled": 0, "stray": 0, "hole": 0, "order": 1}


def test_items_of_one_change_share_its_revision() -> None:
    world = World({number: Entry(("ada",), 0.0, "acked") for number in range(3)})
    world.settle()
    world.clients = [
        (sight, held and held._replace(revs=(1,) * len(held.revs))) for sight, held in world.clients
    ]
    assert world.breaches()["order"] == 0


def test_rows_are_read_as_the_api_gives_them() -> None:
    own = {
        "id": "i",
        "alert_id": "a",
        "sort": 7,
        "alert": {"data": {"drill": RUN, "number": 3}},
        "seen": True,
        "read": False,
    }
    broadcast = {**own, "brev": 4}
    row = Row("i", "a", 3, 7, True, False)
    assert shown(RUN, [own, broadcast], {"unseen": 1, "unread": 2}) == Shown((row,), 1, 1, 2)


@pytest.mark.parametrize(
    "alert",
    [{}, {"data": None}, {"data": [1]}, {"data": {"drill": "r2", "number": 3}}]
    + [{"data": {"drill": RUN, "number": number}} for number in ("3", None)],
    ids=str,
)
def test_alerts_of_others_have_no_number(alert: dict[str, object]) -> None:
    assert number_in(RUN, {"alert": alert}) is None


# The ledger


def test_a_client_is_owed_what_was_acked_until_it_has_it() -> None:
    ledger = Ledger()
    sight = ledger.watch("client 0", "ada")
    ledger.begin(range(2), ("ada",), 1.0)
    ledger.settle(0, "acked", 2.0)
    assert not sight.lacks_something(2.05)
    assert sight.lacks_something(2.5)
    ledger.tell(sight, 0, 3.6)
    assert not sight.lacks_something(9.0)
    ledger.tell(sight, 1, 4.0)  # before the answer to the publish
    ledger.settle(1, "acked", 5.0)
    assert not sight.lacks_something(9.0)
    assert list(ledger.publish_times()) == [1.0, 4.0]
    assert list(ledger.client_times()) == [pytest.approx(2.6), 3.0]


def test_only_a_batch_that_one_answer_took_has_an_order() -> None:
    ledger = Ledger()
    ledger.begin(range(6), ("ada",), 0.0)
    ledger.attempted(range(3), attempts=1, unanswered=False)
    ledger.attempted(range(3, 6), attempts=2, unanswered=True)
    assert [entry.after for entry in ledger.entries.values()] == [None, 0, 1, None, None, None]
    assert ledger.unknown() == 3


def test_refusals_are_counted_with_their_reasons() -> None:
    ledger = Ledger()
    ledger.begin(range(3), ("ada",), 0.0)
    ledger.settle(0, "refused", 1.0, "too large")
    ledger.settle(1, "refused", 1.0, "too large")
    assert (ledger.count("refused"), ledger.count("unsettled")) == (2, 1)
    assert ledger.reasons == {"too large": 2}
