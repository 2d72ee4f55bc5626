"""The filter language: what it means, what it refuses, and that no text breaks it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.realtime.dialects import JSON
from tocsin.realtime.odata import FilterError, compile_filter
from tocsin.realtime.session import Session

WORDS = st.sampled_from(
    [
        "userId",
        "connectionId",
        "groups",
        "protocol",
        "'a'",
        "'it''s'",
        "5",
        "-1",
        "null",
        "true",
        "false",
        "(",
        ")",
        ",",
        "eq",
        "ne",
        "gt",
        "le",
        "in",
        "and",
        "or",
        "not",
        "length(",
        "contains(",
        "substring(",
        "indexof(",
        "concat(",
        "tolower(",
    ]
)


def session(user: str | None = "ada") -> Session:
    made = Session("c1", hub="chat", user=user, dialect=JSON)
    made.groups = frozenset({"groupA"})
    return made


@pytest.mark.parametrize(
    ("text", "ada", "nobody"),
    [
        ("userId eq null", False, True),
        ("userId ne 'user1'", True, True),
        ("USERID EQ 'ada'", True, False),
        ("'groupA' in groups and not('groupB' in groups)", True, True),
        ("userId in ('ada', 'ben')", True, False),
        ("not contains(userId, 'x')", True, True),
        ("contains(userId, 'd')", True, False),
        ("startswith(userId, 'a') and endswith(userId, 'a')", True, False),
        ("length(userId) gt 2", True, False),
        ("length(userId) le 2", False, False),
        ("indexof(userId, 'd') eq 1", True, False),
        ("indexof(userId, 'd') eq -1", False, True),
        ("tolower(toupper(userId)) eq trim(' ada ')", True, False),
        ("substring(userId, 1) eq 'da' or substring(userId, 0, 1) eq 'z'", True, False),
        ("concat(userId, 'it''s') eq 'adait''s'", True, False),
        ("connectionId eq 'c1' and true", True, True),
        ("false or (false or true) and protocol eq 'json.webpubsub.azure.v1'", True, True),
    ],
)
def test_a_filter_picks_connections(text: str, ada: bool, nobody: bool) -> None:
    where = compile_filter(text)
    assert (where(session()), where(session(None))) == (ada, nobody)


def test_a_syntax_error_reads_as_the_service_writes_it() -> None:
    with pytest.raises(FilterError) as failure:
        compile_filter("invalid filter")
    assert str(failure.value) == (
        "Invalid syntax for 'invalid filter': Syntax error at position 14 in 'invalid filter'."
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "userId",
        "userId eq",
        "userId gt 'a'",
        "userId eq 5",
        "groups eq 'a'",
        "5 in groups",
        "not length(userId) gt 5",
        "nothing eq 'a'",
        "length(5) eq 1",
        "contains(userId)",
        "userId eq 'open",
        "(userId eq 'a'",
        "userId eq 'a')",
        " or ".join(["userId eq 'a'"] * 101),
        "userId in (" + ",".join(["'a'"] * 102) + ")",
        "(" * 40 + "true" + ")" * 40,
        "not " * 40 + "true",
        "true or " * 2_000 + "true",
    ],
)
def test_what_is_no_filter_or_over_a_bound_is_refused(text: str) -> None:
    with pytest.raises(FilterError):
        compile_filter(text)


@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=30).map(" ".join)))
def test_any_text_is_a_filter_or_refused_and_a_filter_judges_everybody(text: str) -> None:
    try:
        where = compile_filter(text)
    except FilterError:
        return
    assert where(session()) in (True, False)
    assert where(session(None)) in (True, False)
