"""A refusal pauses the device that it came from, ever longer, and a host once enough people meet it."""

from tocsin.model.device import DeviceKey
from tocsin.ports.push import Accepted, Later, Misconfigured, Rejected
from tocsin.push import credentials
from tocsin.push.credentials import ENOUGH, LONGEST_PAUSE_S, Credentials

REFUSED = Misconfigured("403")
DEVICE: DeviceKey = ("h", "ann", "d1")


def test_a_device_is_left_alone_for_twice_as_long_each_time_up_to_a_bound() -> None:
    judged, now_s, pauses = Credentials(), 0.0, []
    for _ in range(10):
        assert judged.weigh("host", DEVICE, REFUSED, now_s) == Later(
            "403", after_s=judged.wait_s(DEVICE, now_s)
        )
        pauses.append(judged.wait_s(DEVICE, now_s))
        now_s += pauses[-1]
        assert judged.wait_s(DEVICE, now_s) == 0
    assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, LONGEST_PAUSE_S, LONGEST_PAUSE_S]


def test_what_was_under_way_with_the_first_makes_the_pause_no_longer() -> None:
    judged = Credentials()
    for _ in range(10):
        judged.weigh("host", DEVICE, REFUSED, 0)
    assert judged.wait_s(DEVICE, 0) == 2
    assert judged.wait_s(DEVICE, 1.5) == 0.5


def test_other_devices_are_not_left_alone_and_what_is_accepted_ends_it() -> None:
    judged = Credentials()
    judged.weigh("host", DEVICE, REFUSED, 0)
    assert judged.wait_s(("h", "ann", "d2"), 0) == 0
    assert judged.weigh("host", DEVICE, Rejected("400"), 0) == Rejected("400")
    assert judged.wait_s(DEVICE, 0) == 2
    judged.weigh("host", DEVICE, Accepted(), 0)
    assert judged.wait_s(DEVICE, 0) == 0


def test_enough_people_are_believed_however_many_devices_one_of_them_has() -> None:
    judged = Credentials()
    for number in range(20):
        assert isinstance(judged.weigh("host", ("h", "eve", f"d{number}"), REFUSED, 0), Later)
    said = [judged.weigh("host", ("h", f"u{n}", "d"), REFUSED, 0) for n in range(1, ENOUGH)]
    assert said == [*[Later("403", after_s=2)] * (ENOUGH - 2), REFUSED]


def test_a_certain_fault_needs_nobody_else() -> None:
    judged = Credentials()
    certain = Misconfigured("no token", certain=True)
    assert judged.weigh("host", DEVICE, certain, 0) == certain
    assert (judged.wait_s(DEVICE, 0), judged.doubted()) == (0, {})


def test_devices_and_hosts_that_are_remembered_have_a_bound() -> None:
    judged = Credentials()
    for number in range(credentials.MOST_DEVICES + 1):
        judged.weigh(f"host{number}", ("h", "eve", f"d{number}"), REFUSED, 0)
    assert judged.wait_s(("h", "eve", "d0"), 0) == 0
    assert judged.wait_s(("h", "eve", "d1"), 0) == 2
    assert len(judged.doubted()) == credentials.MOST_HOSTS
