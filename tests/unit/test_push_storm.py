"""A device gets so many pushes in a while, and no other device waits for that."""

from tocsin.push.storm import REMEMBERED, StormGuard

S = 1_000_000
PHONE, LAPTOP = ("h", "ann", "phone"), ("h", "ann", "laptop")


def test_the_first_pushes_go_and_the_next_waits_until_the_oldest_is_out_of_the_window() -> None:
    guard = StormGuard(3, 60)
    assert [guard.take(PHONE, at * S) for at in (0, 10, 20)] == [None, None, None]
    assert guard.take(PHONE, 30 * S) == 60 * S
    assert guard.take(PHONE, 59 * S) == 60 * S
    assert guard.take(PHONE, 60 * S) is None
    assert guard.take(PHONE, 61 * S) == 70 * S


def test_waiting_does_not_count_and_devices_are_apart() -> None:
    guard = StormGuard(1, 60)
    assert guard.take(PHONE, 0) is None
    for at in range(60):
        assert guard.take(PHONE, at * S) == 60 * S
    assert guard.take(LAPTOP, 1) is None
    assert guard.take(("other", "ann", "phone"), 1) is None
    assert guard.take(PHONE, 60 * S) is None


def test_the_device_that_was_sent_nothing_for_longest_is_forgotten() -> None:
    guard = StormGuard(1, 60)
    guard.take(PHONE, 0)
    guard.take(LAPTOP, 0)
    guard.take(PHONE, 1)
    for number in range(REMEMBERED - 1):
        guard.take(("h", f"u{number}", "d"), 2)
    assert guard.take(PHONE, 3) == 60 * S
    assert guard.take(LAPTOP, 3) is None
