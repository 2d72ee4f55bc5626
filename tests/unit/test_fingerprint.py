"""When two publishes under one id say the same: blanks between the parts of data are nothing, nor are zones; all else counts."""

import re

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tocsin.config import Limits
from tocsin.ingest.admission import Producer, admit, decode_alert
from tocsin.model.alert import Envelope

LIMITS = Limits()
PRODUCER = Producer("key", "h", "shop")
NOW_US = 1_795_375_511_123_456
_STRING_OR_BLANKS = re.compile(r'("(?:[^"\\]|\\.)*")|[ \t\r\n]+')


def admit_raw(raw: bytes) -> Envelope:
    return admit(decode_alert(raw, LIMITS), PRODUCER, LIMITS, NOW_US)


def admitted(data: str) -> Envelope:
    return admit_raw(b'{"id":"1","to":{"all":true},"title":"t","data":%b}' % data.encode())


def fingerprint(data: str) -> bytes:
    return admitted(data).fingerprint


def without_blanks(data: str) -> str:
    return _STRING_OR_BLANKS.sub(lambda found: found[1] or "", data)


# Legal JSON as writers of every kind write it, part by part

blanks = st.text(" \t\r\n", max_size=3)
characters = st.characters(codec="utf-8", exclude_characters='"\\', exclude_categories=["Cc"])
escapes = st.sampled_from([r"\"", r"\\", r"\/", r"\n", r"\t", r"\u0020", r"\u00e9", r"\ud83d\ude00"])  # fmt: skip
strings = st.lists(characters | escapes | st.sampled_from([" ", "  "]), max_size=6).map(
    lambda parts: f'"{"".join(parts)}"'
)
numbers = st.from_regex(r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?", fullmatch=True)  # fmt: skip
words = st.sampled_from(["true", "false", "null"])
Parts = list[str]


def joined(some: list[Parts]) -> Parts:
    """Return the parts of all with commas between them."""
    return [part for parts in some for part in [",", *parts]][1:]


def nested(inner: st.SearchStrategy[Parts]) -> st.SearchStrategy[Parts]:
    members = st.tuples(strings, inner).map(lambda pair: [pair[0], ":", *pair[1]])
    return st.lists(inner, max_size=3).map(lambda some: ["[", *joined(some), "]"]) | st.lists(
        members, max_size=3
    ).map(lambda some: ["{", *joined(some), "}"])


documents = st.recursive((strings | numbers | words).map(lambda part: [part]), nested, max_leaves=9)


@st.composite
def spaced(draw: st.DrawFn) -> tuple[str, str]:
    """Draw a document as it is, and with blanks anywhere between its parts."""
    parts = draw(documents)
    return "".join(parts), draw(blanks) + "".join(part + draw(blanks) for part in parts)


@st.composite
def changed(draw: st.DrawFn) -> tuple[str, str]:
    """Draw a document, and what becomes of it when a few of its characters are others; that may be no JSON."""
    text, _ = draw(spaced())
    begin = draw(st.integers(0, len(text)))
    end = draw(st.integers(begin, min(begin + 2, len(text))))
    written = draw(st.text(' \n"\\[]{},:.eE+-0123456789u', max_size=2))
    return text, text[:begin] + written + text[end:]


def is_taken(data: str) -> bool:
    try:
        msgspec.json.decode(data)
    except msgspec.DecodeError:
        return False
    return True


@given(spaced())
@example(("1.0000000000000000001", " 1.0000000000000000001\n"))
@example((r'{"a \" , b":[1,2]}', '\t{ "a \\" , b" :\r\n[ 1 , 2 ] }'))
@example(("9" * 400, f" {'9' * 400} "))
@example(("[" * LIMITS.data_depth + "]" * LIMITS.data_depth, "[\n" * LIMITS.data_depth + "] " * LIMITS.data_depth))  # fmt: skip
def test_blanks_between_the_parts_of_data_say_nothing(two: tuple[str, str]) -> None:
    bare, wide = two
    assert fingerprint(wide) == fingerprint(bare)
    sent = msgspec.json.decode(admitted(wide).content, type=dict[str, msgspec.Raw]).get("data")
    assert sent is None if bare == "null" else sent == msgspec.Raw(bare.encode())


@given(changed())
@example(("1.0000000000000000001", "1.0"))
@example(("1.0", "1.00"))
@example(("1", "1e0"))
@example(("-0", "0"))
@example(('{"a":1,"a":2}', '{"a":2}'))
@example(('{"a":1,"b":2}', '{"b":2,"a":1}'))
@example(('"\u00e9"', r'"\u00e9"'))
@example(('"a b"', '"a  b"'))
@example(('["a","b"]', '["a" , "b"]'))
@example((r'"\\"', r'"\\ "'))
@example(("null", '""'))
def test_every_other_change_of_data_is_other_content(two: tuple[str, str]) -> None:
    first, second = two
    if is_taken(second):
        same = without_blanks(first) == without_blanks(second)
        assert (fingerprint(first) == fingerprint(second)) == same


def test_what_was_written_without_blanks_keeps_the_fingerprint_it_always_had() -> None:
    known = '{"n":[1.50,-0],"caf\u00e9":"\\u00e9","a":null,"a":{}}'
    assert fingerprint(known).hex() == "631844f51a1bcc297bf96be14e590ae0"


def timed(deliver_at: str, expires_at: str) -> bytes:
    raw = '{"id":"1","to":{"all":true},"title":"t","deliver_at":"%s","expires_at":"%s"}'
    return admit_raw((raw % (deliver_at, expires_at)).encode()).fingerprint


@pytest.mark.parametrize(
    ("deliver_at", "expires_at", "same"),
    [
        ("2027-01-01T00:00:00Z", "2027-01-02T00:00:00.5Z", True),
        ("2027-01-01T00:00:00+00:00", "2027-01-02T00:00:00.500Z", True),
        ("2027-01-01T01:00:00+01:00", "2027-01-02T00:00:00.5Z", True),
        ("2026-12-31T12:00:00-12:00", "2027-01-02T05:30:00.5+05:30", True),
        ("2027-01-01T00:00:00+01:00", "2027-01-02T00:00:00.5Z", False),
        ("2027-01-01T00:00:00Z", "2027-01-02T00:00:00.500001Z", False),
    ],
)
def test_a_time_is_the_same_in_every_zone_and_in_utc_has_the_fingerprint_it_always_had(
    deliver_at: str, expires_at: str, *, same: bool
) -> None:
    known = "bee0fdf3c4f02a92942e018548be3159"
    assert (timed(deliver_at, expires_at).hex() == known) == same


def test_data_that_says_null_is_other_content_than_none() -> None:
    raw = b'{"id":"1","to":{"all":true},"title":"t"%b}'
    none, null = (admit_raw(raw % more) for more in (b"", b',"data": null '))
    assert none.content == null.content
    assert none.fingerprint != null.fingerprint
