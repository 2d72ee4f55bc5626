"""Roles as Web PubSub documents them, wildcards included."""

import itertools
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tocsin.realtime.rights import MAX_LITERALS, Pattern, Rights


def test_a_role_without_a_group_is_for_all_groups_and_one_with_it_for_that_one() -> None:
    rights = Rights(["webpubsub.sendToGroup", "webpubsub.joinLeaveGroup.a.b", "nonsense", ""])
    assert rights.may("sendToGroup", "whatever")
    assert rights.may("joinLeaveGroup", "a.b")
    assert not rights.may("joinLeaveGroup", "A.b")
    assert not rights.may("joinLeaveGroup", "a")


@pytest.mark.parametrize(
    ("pattern", "fits", "fails"),
    [
        ("room.*", ["room.", "room.1"], ["room", "room.1.2", "xroom.1"]),
        ("room.**", ["room.", "room.1.2"], ["room"]),
        ("r??m", ["room", "r--m"], ["r.om", "rom", "rooom"]),
        (r"a\*b", ["a*b"], ["aXb", "ab"]),
        ("*.log", [".log", "x.log"], ["x.y.log"]),
        ("**.log", ["x.y.log", ".log"], ["log"]),
        ("", [""], ["a"]),
    ],
)
def test_wildcards_match_as_documented(pattern: str, fits: list[str], fails: list[str]) -> None:
    rights = Rights([f"webpubsub.sendToGroups.{pattern}"])
    assert [rights.may("sendToGroup", name) for name in fits] == [True] * len(fits)
    assert [rights.may("sendToGroup", name) for name in fails] == [False] * len(fails)
    assert not any(rights.may("joinLeaveGroup", name) for name in fits)


@pytest.mark.parametrize("bad", ["a" * 1025, "*a*a*a*a*a*", "a\\"])
def test_a_pattern_beyond_the_bounds_grants_nothing(bad: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        Pattern(bad)
    assert not Rights([f"webpubsub.sendToGroups.{bad}"]).may("sendToGroup", bad)


_PIECES = {"a": "a", "b": "b", ".": r"\.", "?": r"[^.]", "*": r"[^.]*", "**": r".*"}


@given(st.lists(st.sampled_from(sorted(_PIECES)), max_size=6), st.text("ab.", max_size=8))
def test_a_pattern_matches_what_the_same_regular_expression_does(
    pieces: list[str], text: str
) -> None:
    pattern = "".join(pieces)
    side_by_side = any(a[0] == b[0] == "*" for a, b in itertools.pairwise(pieces))
    assume(not side_by_side and pattern.count("*") <= 5)
    expression = re.compile("".join(_PIECES[piece] for piece in pieces), re.DOTALL)
    assert Pattern(pattern).matches(text) == (expression.fullmatch(text) is not None)


def test_a_hostile_pattern_takes_no_longer_than_its_text() -> None:
    assert not Pattern("*a*a*a*a*b").matches("a" * 1024)


def test_grants_are_given_and_taken_one_by_one() -> None:
    rights = Rights()
    assert rights.grant("sendToGroup", "g")
    assert rights.granted("sendToGroup", "g")
    rights.revoke("sendToGroup", "g")
    assert not rights.may("sendToGroup", "g")
    assert rights.grant("joinLeaveGroup", None)
    assert rights.granted("joinLeaveGroup", None)
    rights.revoke("joinLeaveGroup", None)
    assert not rights.may("joinLeaveGroup", "g")


def test_a_connection_has_a_thousand_literal_grants_at_most() -> None:
    rights = Rights()
    assert all(rights.grant("sendToGroup", str(number)) for number in range(MAX_LITERALS))
    assert rights.grant("sendToGroup", "0")
    assert not rights.grant("sendToGroup", "one more")


def test_rights_are_made_anew_from_their_roles() -> None:
    given = [
        "webpubsub.joinLeaveGroup",
        "webpubsub.sendToGroup.literal.*",
        "webpubsub.sendToGroups.room-?",
        "webpubsub.getGroupState.all-*",
    ]
    rights = Rights(given)
    rights.grant("sendToGroup", "granted")
    again = Rights(rights.roles())
    assert sorted(again.roles()) == sorted(rights.roles())
    for asked in (
        ("joinLeaveGroup", "any"),
        ("sendToGroup", "literal.*"),
        ("sendToGroup", "room-1"),
        ("sendToGroup", "granted"),
        ("getGroupState", "all-of-it"),
    ):
        assert again.may(*asked)
    assert not again.may("sendToGroup", "literal.x")
    assert not again.may("setGroupState", "any")
    assert Rights().roles() == ()
