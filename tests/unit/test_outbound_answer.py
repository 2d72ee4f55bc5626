"""An answer is read whole or refused, however its bytes come, and never costs more memory than its bounds."""

import itertools
import tracemalloc

import pytest

from tocsin.adapters.outbound.answer import FRAMING, HEAD_BYTES, AnswerReader, NoAnswerError
from tocsin.ports.outbound import Answer, Method

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
BOUND = HEAD_BYTES + FRAMING * 1_000


def reader(method: Method = "POST") -> AnswerReader:
    made = AnswerReader(1_000)
    made.begin(method)
    return made


def read(data: bytes, piece: int | None = None) -> Answer | None:
    one, step = reader(), piece or len(data)
    answers = [one.feed(data[start : start + step]) for start in range(0, len(data), step)]
    assert not any(answers[:-1]), "it is whole when all of it came, and no sooner"
    return answers[-1]


@pytest.mark.parametrize("piece", [1, 2, 7, None])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (OK, Answer(200, (("content-length", "2"),), b"ok")),
        (b"HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n", Answer(204, (("x-a", "b"),))),
        (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n", None),
        (CHUNKED + b"2\r\nok\r\n1;x=y\r\n!\r\n0\r\nlate: x\r\n\r\n", Answer(200, (), b"ok!")),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 X\r\nlink: a\r\n\r\n" + OK, None),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", None),
    ],
)
def test_an_answer_is_the_same_however_it_is_cut(
    data: bytes, expected: Answer | None, piece: int | None
) -> None:
    answer = read(data, piece)
    assert answer is not None
    assert answer == read(data)
    if expected is not None:
        assert (answer.status, answer.body) == (expected.status, expected.body)
        assert set(expected.headers) <= set(answer.headers)
    assert answer.header("link") is None, "interim answers say nothing of the final one"


@pytest.mark.parametrize(
    ("data", "goes_on"),
    [
        (OK, True),
        (CHUNKED + b"0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n", False),
        (OK + b"HTTP/1.1 200 OK\r\n", False),
        (OK + b"garbage", False),
        (OK + OK, False),
        (OK + b"\x00", False),
    ],
)
def test_another_answer_follows_only_where_nothing_is_left_over(data: bytes, goes_on: bool) -> None:
    one = reader()
    answer = one.feed(data)
    assert answer is not None
    assert answer.body in (b"ok", b"")
    assert one.goes_on is goes_on


def test_one_answer_comes_after_the_other() -> None:
    one = reader()
    assert one.feed(OK) == read(OK)
    one.begin("POST")
    later = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"
    assert one.feed(later) == Answer(404, (("content-length", "0"),))


def test_an_answer_to_head_has_no_body_and_ends_the_connection() -> None:
    one = reader("HEAD")
    answer = one.feed(b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n")
    assert answer == Answer(200, (("content-length", "7"),))
    assert not one.goes_on


def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    one = reader()
    assert one.feed(b"HTTP/1.1 200 OK\r\n\r\nall of") is None
    assert one.feed(b" it") is None
    assert one.end() == Answer(200, (), b"all of it")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        OK[:-1],
        CHUNKED + b"2\r\nok\r\n",
        CHUNKED + b"2\r\nok\r\n0\r\n",
    ],
)
def test_an_answer_that_stops_short_is_none(data: bytes) -> None:
    one = reader()
    if data:
        assert one.feed(data) is None
    assert one.end() is None


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 2x0 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ncontent-length: 0x2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\na: b\x00\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
        CHUNKED + b"z\r\n",
        CHUNKED + b"-1\r\n",
        CHUNKED + b"fffffffffffffffff\r\n",
    ],
)
def test_what_is_no_answer_is_malformed(data: bytes) -> None:
    with pytest.raises(NoAnswerError) as failed:
        reader().feed(data)
    assert failed.value.kind == "malformed"


@pytest.mark.parametrize(
    ("start", "part", "kind"),
    [
        (b"HTTP/1.1 200 ", b"a" * 1_000, "malformed"),
        (b"HTTP/1.1 200 OK\r\na: ", b"a" * 1_000, "malformed"),
        (b"HTTP/1.1 200 OK\r\n", b"a" * 1_000, "malformed"),
        (b"HTTP/1.1 200 OK\r\n", b"a: b\r\n" * 100, "malformed"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100, "malformed"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 1_000, "too-large"),
        (CHUNKED, b"1\r\na\r\n" * 100, "too-large"),
        (CHUNKED + b"1;", b"a" * 1_000, "too-large"),
        (CHUNKED + b"0\r\nlate: ", b"a" * 1_000, "too-large"),
        (CHUNKED + b"0\r\n", b"a: b\r\n" * 100, "too-large"),
    ],
    ids=[
        "reason",
        "field",
        "name",
        "fields",
        "interim",
        "body",
        "chunks",
        "extension",
        "trailer",
        "trailers",
    ],
)
def test_what_never_ends_is_cut_off_at_its_bound(start: bytes, part: bytes, kind: str) -> None:
    one = reader()
    tracemalloc.start()
    try:
        with pytest.raises(NoAnswerError) as failed:
            feed_for_ever(one, start, part)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert failed.value.kind == kind
    assert peak < 40 * BOUND


def feed_for_ever(one: AnswerReader, start: bytes, part: bytes) -> None:
    """Feed a start and then the same part, until that is refused; fails if it is not at the bound."""
    fed = 0
    for piece in itertools.chain([start], itertools.repeat(part)):
        assert fed <= BOUND
        one.feed(piece)
        fed += len(piece)


def test_a_huge_head_that_comes_at_once_is_too_much_too() -> None:
    head = b"HTTP/1.1 200 OK\r\n" + b"".join(b"a%d: b\r\n" % n for n in range(9_000)) + b"\r\n"
    with pytest.raises(NoAnswerError, match="its head has more than"):
        reader().feed(head)
