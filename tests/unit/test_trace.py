"""Traces of alerts: whose traceparent counts, and which alerts are recorded."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.model.ids import made_us, uuid7
from tocsin.model.trace import Sampling, read_trace_parent, trace_id, well_formed

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
NOW_US = 1_795_375_511_123_456
MANY = 2_000


def test_a_traceparent_is_read() -> None:
    text = well_formed(f"00-{TRACE}-{SPAN}-01")
    assert text is not None
    parent = read_trace_parent(text)
    assert (f"{parent.trace_id:032x}", f"{parent.span_id:016x}") == (TRACE, SPAN)
    assert parent.sampled


@pytest.mark.parametrize(("flags", "sampled"), [("00", False), ("02", False), ("03", True)])
def test_only_one_flag_says_that_it_is_recorded(flags: str, sampled: bool) -> None:
    assert read_trace_parent(f"00-{TRACE}-{SPAN}-{flags}").sampled is sampled


def test_of_later_versions_what_is_known_counts() -> None:
    known = f"01-{TRACE}-{SPAN}-01"
    assert well_formed(f"{known}-what-ever") == well_formed(known) == known


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01\n",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"01-{TRACE}-{SPAN}-01more",
    ],
)
def test_what_is_no_traceparent_is_none(text: str) -> None:
    assert well_formed(text) is None


def test_the_trace_has_the_id_of_its_alert() -> None:
    alert_id = uuid7(NOW_US)
    assert trace_id(alert_id) == uuid.UUID(alert_id).int
    assert NOW_US - 1 <= made_us(alert_id) <= NOW_US


def test_with_a_share_of_one_all_are_taken_and_with_half_about_half() -> None:
    ids = [uuid7(NOW_US) for _ in range(MANY)]
    assert all(map(Sampling(1).takes, ids))
    # Outside of this by chance once in more than 10**15 runs.
    assert MANY * 0.4 < sum(map(Sampling(0.5).takes, ids)) < MANY * 0.6
    assert sum(map(Sampling(0).takes, ids)) < MANY * 0.01


@given(st.floats(0, 1), st.floats(0, 1))
def test_what_a_smaller_share_takes_a_larger_one_takes_too(one: float, other: float) -> None:
    fewer, more = sorted((one, other))
    ids = [uuid7(NOW_US) for _ in range(20)]
    assert {each for each in ids if Sampling(fewer).takes(each)} <= {
        each for each in ids if Sampling(more).takes(each)
    }


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 1])
def test_an_id_can_be_moved_among_those_that_are_taken_and_stays_an_id_of_its_time(
    share: float,
) -> None:
    sampling = Sampling(share)
    moved = {sampling.among(uuid7(NOW_US)) for _ in range(MANY)}
    assert len(moved) == MANY
    for each in moved:
        assert sampling.takes(each)
        assert (uuid.UUID(each).version, made_us(each)) == (7, made_us(uuid7(NOW_US)))


@pytest.mark.parametrize(
    "text", ["", "zzzz", "~" * 36, "019e2f6b-0000-7000-8000-ffffffffffff\n", "f" * 36]
)
def test_what_is_no_id_of_an_alert_is_not_taken(text: str) -> None:
    assert not Sampling(1).takes(text)
