"""When an item is read, seen, listed and counted."""

import itertools

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.model.inbox import Counts, Head, Marks, OwnItem, StateRow, Watermarks
from tocsin.model.plan import next_sort, plan_rows
from tocsin.model.position import Position
from tocsin.model.reading import must_reload
from tocsin.model.rules import (
    Cover,
    count_item,
    cover_of_state,
    decide_item,
    is_read,
    is_seen,
)

TIMES = (None, 7)


def item(sort: int = 5, **marks: int) -> OwnItem:
    return OwnItem("i", "i", sort, 1, msgspec.Raw(b"{}"), Marks(**marks))


@pytest.mark.parametrize(("seen", "read"), list(itertools.product((False, True), repeat=2)))
def test_without_times_the_watermark_decides(seen: bool, read: bool) -> None:
    assert is_read(Marks(), Cover(seen, read)) is read
    assert is_seen(Marks(), Cover(seen, read)) is (seen or read)


def test_a_row_s_own_times_come_before_the_watermark() -> None:
    assert is_read(Marks(read_at=1), Cover(False, False))
    assert not is_read(Marks(unread_at=1), Cover(True, True))
    assert is_seen(Marks(unread_at=1), Cover(True, True))
    assert is_seen(Marks(seen_at=1), Cover(False, False))


@settings(deadline=None)
@given(
    marks=st.builds(Marks, *[st.sampled_from(TIMES)] * 3),
    cover=st.builds(Cover, st.booleans(), st.booleans()),
)
def test_read_implies_seen(marks: Marks, cover: Cover) -> None:
    assert is_seen(marks, cover) or not is_read(marks, cover)


def test_a_watermark_reaches_what_is_at_it() -> None:
    assert decide_item(item(5), Watermarks(5, 5)) == (True, True)
    assert decide_item(item(6), Watermarks(5, 5)) == (False, False)
    assert decide_item(item(5), Watermarks(5, 4)) == (True, False)


def test_a_broadcast_is_reached_by_brev_until_it_woke() -> None:
    marks = Watermarks(seen_up_to=10, read_up_to=10, b_seen_up_to=3, b_read_up_to=2)
    assert cover_of_state(StateRow(3, 1), marks) == (True, False)
    assert cover_of_state(StateRow(3, 1, sort=11), marks) == (False, False)
    assert cover_of_state(StateRow(9, 1, sort=10), marks) == (True, True)


@pytest.mark.parametrize("field", ["deleted_at", "archived_at", "snoozed_until"])
def test_what_is_not_listed_counts_nothing(field: str) -> None:
    assert count_item(item(**{field: 1}), Watermarks()) == Counts()
    assert count_item(item(), Watermarks()) == Counts(1, 1)
    assert count_item(None, Watermarks()) == Counts()


def test_a_sort_is_the_time_or_the_next_number() -> None:
    assert next_sort(5, 9) == 9
    assert next_sort(9, 9) == 10
    assert next_sort(9, 3) == 10


def test_no_rows_make_no_plan() -> None:
    assert plan_rows(Head("ann", rev=3), []) is None


@settings(deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.booleans(),
            *[st.builds(Marks, *[st.sampled_from(TIMES)] * 6)] * 2,
            st.integers(1, 9),
        ),
        max_size=6,
    ),
    seen=st.integers(0, 9),
    read=st.integers(0, 9),
)
def test_counts_move_by_what_each_change_makes(
    rows: list[tuple[bool, Marks, Marks, int]], seen: int, read: int
) -> None:
    watermarks = Watermarks(max(seen, read), read)
    changes = [
        (
            OwnItem(str(n), "a", sort, 1, msgspec.Raw(b"{}"), old) if was else None,
            OwnItem(str(n), "a", sort, 1, msgspec.Raw(b"{}"), new),
        )
        for n, (was, old, new, sort) in enumerate(rows)
    ]
    before = [count_item(old, watermarks) for old, _ in changes]
    after = [count_item(new, watermarks) for _, new in changes]
    head = Head("ann", rev=3, watermarks=watermarks, counts=_sum(before))
    plan = plan_rows(head, changes)
    if plan is not None:
        assert plan.head.counts == _sum(after)
        assert {row.rev for row in plan.items} == {plan.head.rev} == {4}


def _sum(counts: list[Counts]) -> Counts:
    return Counts(sum(c.unseen for c in counts), sum(c.unread for c in counts))


@pytest.mark.parametrize(
    ("asked", "reload"),
    [
        (None, False),
        (Position("e", 5, 2), False),
        (Position("e", 3, 0), False),
        (Position("e", 2, 2), True),
        (Position("e", 6, 2), True),
        (Position("e", 5, 3), True),
        (Position("f", 5, 2), True),
    ],
)
def test_a_position_is_served_unless_it_is_foreign_ahead_or_purged_past(
    asked: Position | None, reload: bool
) -> None:
    assert must_reload(asked, Position("e", 5, 2), floor=3) is reload
