"""When clients are told of their requests."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from tocsin.realtime.answers import Answers


def test_answers_leave_together_five_milliseconds_after_the_first() -> None:
    timers: list[tuple[float, Callable[[], None]]] = []
    answered: list[bytes] = []
    flushed: list[Any] = []
    writer: Any = SimpleNamespace(flush_soon=flushed.append)
    answers = Answers(writer, lambda *timer: timers.append(timer), lambda *_: None)
    ada, bob = [SimpleNamespace(socket=SimpleNamespace(answer=answered.append)) for _ in range(2)]
    given: Any = [(ada, b"1"), (bob, b"2")]
    for session, frame in given:
        answers.answer(session, frame)
    assert answered == [b"1", b"2"]
    assert flushed == []
    [(delay_s, flush)] = timers
    assert delay_s == 0.005  # sooner, and Microsoft's synchronous client may not be waiting yet
    flush()
    assert flushed == [ada, bob]
    answers.answer(given[0][0], b"3")
    assert len(timers) == 2
