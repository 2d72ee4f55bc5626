"""A host rests when enough people are put off on its behalf, never longer than the bound, and no longer than it has to."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.push_stage import Stage, stage
from tocsin.model.device import FcmChannel
from tocsin.model.push import Ending
from tocsin.ports.push import Accepted, Later
from tocsin.push.credentials import Person
from tocsin.push.rest import BELIEVED, PARTS, HostRest
from tocsin.push.verdict import judge

PEOPLE: list[Person] = [("h", name) for name in ("ann", "ben", "cid", "dan")]
US_PER_S = 1_000_000


def resting(for_s: float, now_s: float = 1_000) -> HostRest:
    """Return a host that was just believed to want a rest."""
    rest = HostRest("host")
    for person in PEOPLE[:BELIEVED]:
        rest.ask(person, for_s, "503", now_s)
    return rest


def test_one_person_however_often_does_not_put_a_host_to_rest() -> None:
    rest = HostRest("host")
    for _ in range(20):
        assert not rest.ask(PEOPLE[0], 900, "503", 0)
    assert rest.wait_s(1, 0) == 0


def test_as_many_people_in_a_row_as_are_believed_do() -> None:
    rest = HostRest("host")
    asked = [rest.ask(person, 80, "503", 0) for person in PEOPLE]
    assert asked == [False, False, True, True]
    assert rest.wait_s(1, 0) == pytest.approx(80 / PARTS)


def test_what_is_accepted_between_them_shows_that_it_is_not_the_host() -> None:
    rest = HostRest("host")
    for person in PEOPLE * 5:
        rest.ask(person, 900, "503", 0)
        rest.accepted(1)
    assert rest.wait_s(1, 0) == 0


def test_one_push_goes_after_each_part_of_a_rest() -> None:
    rest = resting(for_s=80)
    went = [
        number for number in range(1, 90) if not rest.wait_s(number, 1_000 + number) and number < 80
    ]
    assert went == [10, 20, 30, 40, 50, 60, 70]
    assert rest.wait_s(100, 1_080) == 0


def test_the_rest_ends_when_the_push_that_went_to_see_is_accepted() -> None:
    rest = resting(for_s=80)
    assert rest.wait_s(1, 1_010) == 0
    assert rest.wait_s(2, 1_010) == 10
    rest.accepted(1)
    assert rest.wait_s(2, 1_010) == 0


def test_what_was_under_way_before_the_rest_does_not_end_it() -> None:
    rest = resting(for_s=80)
    rest.accepted(7)
    assert rest.wait_s(1, 1_000) > 0


def test_a_push_that_went_to_see_in_vain_makes_the_rest_begin_anew() -> None:
    rest = resting(for_s=80)
    assert rest.wait_s(1, 1_010) == 0
    assert rest.ask(PEOPLE[0], 80, "503", 1_010)
    assert rest.until_s == 1_090
    assert rest.wait_s(2, 1_010) == pytest.approx(10)


def test_nobody_goes_to_see_while_a_person_has_to_mend_something() -> None:
    rest = HostRest("host")
    rest.pause(300, "bad credentials", 0)
    assert [rest.wait_s(number, number) for number in (1, 100, 299)] == [299, 200, 1]
    assert rest.wait_s(1, 300) == 0


@pytest.mark.parametrize(("asked_s", "waits_s"), [(10, 10), (900, 900), (10**9, 900), (None, 1)])
def test_a_service_cannot_ask_for_a_longer_wait_than_the_bound(
    asked_s: float | None, waits_s: float
) -> None:
    said = Later("429", asked_s, whole_host=True)
    verdict = judge(said, 1, 0, 10**12, longest_s=900, chance=0.5)
    assert not isinstance(verdict, Ending)
    assert verdict.due_us == waits_s * US_PER_S
    assert verdict.rest is not None
    assert verdict.rest.for_s == waits_s


@pytest.fixture
async def play() -> AsyncIterator[Stage]:
    async with stage(retry_after_s=80) as play:
        for _, user in PEOPLE:
            await play.register(user, channel=FcmChannel(f"host|{user}"))
        yield play


def handles(play: Stage) -> list[str]:
    return [push.channel.handle.partition("|")[2] for push in play.provider.sent]


async def test_a_device_that_is_put_off_does_not_put_off_the_others(play: Stage) -> None:
    play.provider.outcomes = [Later("503", 10**6, whole_host=True)]
    await play.alert("ann")
    await play.work()
    await play.alert("ben")
    await play.work()
    assert handles(play) == ["ann", "ben"]
    await play.turn(79)
    assert handles(play) == ["ann", "ben"]
    await play.turn(30)
    assert handles(play) == ["ann", "ben", "ann"]


async def test_a_host_that_refuses_everybody_gets_its_rest_and_little_to_see_by(
    play: Stage,
) -> None:
    play.provider.outcomes = [Later("503", 10**6, whole_host=True)] * 1_000
    for _, user in PEOPLE[:BELIEVED]:
        await play.alert(user)
    await play.work()
    assert len(play.provider.sent) == BELIEVED
    for _ in range(80):
        await play.alert("dan")
        await play.turn(1)
    assert BELIEVED < len(play.provider.sent) <= BELIEVED + PARTS


async def test_all_that_waits_goes_soon_after_the_host_takes_something_again(play: Stage) -> None:
    play.provider.outcomes = [Later("503", 80, whole_host=True)] * BELIEVED
    for _, user in PEOPLE[:BELIEVED]:
        await play.alert(user)
    await play.work()
    play.provider.outcomes = [Accepted()] * 100
    for _ in range(20):
        await play.alert("dan")
    await play.work()
    assert len(play.provider.sent) == BELIEVED
    for _ in range(30):
        await play.turn(1)
    assert handles(play).count("dan") == 20
