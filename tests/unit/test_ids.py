"""Identifiers."""

import os
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.errors import InvalidInputError
from tocsin.model.ids import canonical_hub, check_id, uuid7
from tocsin.model.position import Position, parse_position

TIMES = st.integers(min_value=0, max_value=2**53)


@given(TIMES, TIMES)
def test_ids_are_uuids_of_version_7_and_sort_by_time(earlier: int, later: int) -> None:
    first, second = uuid7(min(earlier, later)), uuid7(max(earlier, later))
    assert uuid.UUID(first).version == 7
    assert uuid.UUID(first).variant == uuid.RFC_4122
    # 12 bits hold a thousandth of a millisecond in steps of a quarter of a microsecond.
    assert first[:18] <= second[:18]


def test_ids_of_one_moment_differ() -> None:
    assert len({uuid7(1_795_375_511_000_000) for _ in range(1000)}) == 1000


@pytest.mark.parametrize("value", ["", "x" * 257, "a\n", "\x7f", "\ud800"])
def test_what_cannot_be_an_id_is_refused(value: str) -> None:
    with pytest.raises(InvalidInputError):
        check_id(value, "user")


@pytest.mark.parametrize("value", ["x", " ", "a/b", "ä", "x" * 256, "💬"])
def test_ids_are_kept_as_they_are(value: str) -> None:
    assert check_id(value, "user") == value


def test_hubs_are_compared_without_case() -> None:
    assert canonical_hub("Shop`1,.[]_") == "shop`1,.[]_"


@pytest.mark.parametrize("value", ["", "1a", "a-b", "a/b", "x" * 129, "ä"])
def test_what_cannot_be_a_hub_is_refused(value: str) -> None:
    with pytest.raises(InvalidInputError):
        canonical_hub(value)


@given(st.from_regex(r"[a-z0-9]{1,32}", fullmatch=True), TIMES, TIMES)
def test_a_position_is_read_as_it_is_written(epoch: str, rev: int, brev: int) -> None:
    position = Position(epoch, rev, brev)
    assert parse_position(str(position)) == position


@pytest.mark.parametrize(
    "text", ["", "a", "a:1", "a:1:2:3", "A:1:2", "a:-1:2", "a:1:2 ", "a:\u0661:2"]
)
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        parse_position(text)


def test_a_forked_process_makes_other_ids_than_its_parent() -> None:
    uuid7(1)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, uuid7(1).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        assert told.read() != uuid7(1)
    assert os.waitpid(child, 0)[1] == 0
