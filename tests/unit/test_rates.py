"""Token buckets: what is let in, when to come back, and how much is kept of callers."""

import pytest

from tocsin.api import rates
from tocsin.api.rates import Rate
from tocsin.errors import RateLimitedError
from tocsin.testing import ManualClock


def told(rate: Rate, caller: str = "a") -> str:
    return dict(rate.headers(caller))[b"ratelimit"].decode()


def make(clock: ManualClock, quota: int = 10, window_s: float = 5) -> Rate:
    return Rate("key", quota, window_s, clock.monotonic_s)


def test_as_many_as_the_quota_are_let_in_at_once_and_then_as_many_as_come_back() -> None:
    clock = ManualClock()
    rate = make(clock)
    for left in range(9, -1, -1):
        rate.take("a")
        assert told(rate).startswith(f'"key";r={left};')
    with pytest.raises(RateLimitedError):
        rate.take("a")
    with pytest.raises(RateLimitedError) as refused:
        rate.take("a")
    assert refused.value.retry_after_s == 1
    clock.advance(0.5)
    rate.take("a")
    with pytest.raises(RateLimitedError):
        rate.take("a")


def test_the_fields_tell_policy_rest_and_when_all_of_it_is_back() -> None:
    clock = ManualClock()
    rate = make(clock)
    assert rate.headers("a") == [
        (b"ratelimit-policy", b'"key";q=10;w=5'),
        (b"ratelimit", b'"key";r=10;t=0'),
    ]
    for _ in range(4):
        rate.take("a")
    assert told(rate) == '"key";r=6;t=2'
    clock.advance(60)
    assert told(rate) == '"key";r=10;t=0'


def test_callers_do_not_share() -> None:
    rate = make(ManualClock(), quota=1)
    rate.take("a")
    rate.take("b")
    with pytest.raises(RateLimitedError):
        rate.take("a")


def test_a_batch_may_be_larger_than_the_quota_and_is_paid_for_later() -> None:
    clock = ManualClock()
    rate = make(clock)
    rate.take("a")
    rate.charge("a", 29)
    assert told(rate) == '"key";r=0;t=15'
    with pytest.raises(RateLimitedError) as refused:
        rate.take("a")
    assert refused.value.retry_after_s == 11
    clock.advance(11)
    rate.take("a")


def test_what_is_full_again_is_forgotten() -> None:
    clock = ManualClock()
    rate = make(clock)
    for number in range(999):
        rate.take(number)
    clock.advance(4)
    rate.take("a")
    assert set(rate._full_at_s) == {"a"}


def test_callers_are_bounded_even_if_all_of_them_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MAX_CALLERS", 4_000)
    rate = make(ManualClock())
    most = 0
    for number in range(20_000):
        rate.take(number)
        most = max(most, len(rate._full_at_s))
    assert most <= 4_000
