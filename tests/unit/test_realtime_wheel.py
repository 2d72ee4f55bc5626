"""The timing wheel: never early, at most a tick late, one entry at a time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.realtime.wheel import TICK_S, Wheel


class Entry:
    def __init__(self) -> None:
        self.wheel_slot = -1
        self.called_s: list[float] = []

    def on_time(self, now_s: float) -> None:
        self.called_s.append(now_s)


@given(st.floats(0, 1000), st.floats(0, 500))
def test_entry_is_called_once_not_early_and_at_most_a_tick_late(delay: float, start: float) -> None:
    wheel, entry = Wheel(start), Entry()
    wheel.schedule(entry, start, delay)
    wheel.advance(start + delay - 0.001)
    assert entry.called_s == []
    wheel.advance(start + delay + TICK_S + 0.001)
    assert len(entry.called_s) == 1
    wheel.advance(start + 3000)
    assert len(entry.called_s) == 1


def test_scheduling_again_replaces_and_cancelling_forgets() -> None:
    wheel, moved, gone = Wheel(0), Entry(), Entry()
    wheel.schedule(moved, 0, 1)
    wheel.schedule(moved, 0, 10)
    wheel.schedule(gone, 0, 1)
    wheel.cancel(gone)
    wheel.cancel(gone)
    wheel.advance(5)
    assert (moved.called_s, gone.called_s) == ([], [])
    wheel.advance(11)
    assert moved.called_s == [11]


def test_entry_may_schedule_itself_again_from_its_call() -> None:
    wheel = Wheel(0)

    class Beat(Entry):
        def on_time(self, now_s: float) -> None:
            super().on_time(now_s)
            wheel.schedule(self, now_s, 2)

    beat = Beat()
    wheel.schedule(beat, 0, 2)
    for now in range(1, 9):
        wheel.advance(now)
    assert beat.called_s == [2, 4, 6, 8]


def test_a_long_pause_calls_everything_that_was_due() -> None:
    wheel, entries = Wheel(0), [Entry() for _ in range(50)]
    for i, entry in enumerate(entries):
        wheel.schedule(entry, 0, i * 10)
    wheel.advance(100_000)
    assert all(entry.called_s == [100_000] for entry in entries)


def test_a_delay_longer_than_the_wheel_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than the wheel"):
        Wheel(0).schedule(Entry(), 0, 2000)
