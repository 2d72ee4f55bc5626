"""Which requests of the data plane are known as repeats."""

import pytest

from tests.unit.realtime_fakes import FakeClock
from tocsin.api.webpubsub.repeats import GENERATION_S, Repeats
from tocsin.errors import ConflictError
from tocsin.realtime.errands import Asked

ONE = Asked(("chat", "key", "id"), b"content")
OTHER = Asked(ONE.name, b"other content")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def repeats(clock: FakeClock) -> Repeats:
    return Repeats(clock.monotonic_s)


def test_the_second_time_is_a_repeat_for_one_generation_at_least(
    repeats: Repeats, clock: FakeClock
) -> None:
    assert not repeats.is_repeat(ONE, strict=False)
    clock.s += GENERATION_S
    assert repeats.is_repeat(ONE, strict=True)


def test_other_content_is_another_request_or_a_conflict(repeats: Repeats) -> None:
    repeats.remember(ONE)
    with pytest.raises(ConflictError):
        repeats.is_repeat(OTHER, strict=True)
    assert not repeats.is_repeat(OTHER, strict=False)


def test_what_another_gateway_carried_out_is_a_repeat_here(repeats: Repeats) -> None:
    repeats.remember(ONE)
    assert repeats.is_repeat(ONE, strict=True)


def test_what_failed_may_be_tried_again(repeats: Repeats, clock: FakeClock) -> None:
    repeats.is_repeat(ONE, strict=True)
    clock.s += GENERATION_S
    repeats.remember(OTHER.__class__(("chat", "key", "later"), b""))
    repeats.forget(ONE)
    assert not repeats.is_repeat(OTHER, strict=True)
