"""What is done to many connections leaves turns of the event loop to others (I7)."""

import asyncio

import pytest

from tests.unit.realtime_fakes import session
from tocsin.realtime.many import for_each
from tocsin.realtime.session import Session


@pytest.mark.parametrize(("deeds", "turns"), [(1, 2), (128, 256), (1_000, 512)])
async def test_the_more_is_done_to_each_the_fewer_are_served_in_one_turn(
    deeds: int, turns: int
) -> None:
    turn, seen = 0, []

    async def count_turns() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    def act(_session: Session) -> None:
        seen.append(turn)

    others = asyncio.ensure_future(count_turns())
    await for_each([session(f"u{n}") for n in range(512)], None, act, deeds)
    others.cancel()
    assert len(seen) == 512
    assert len(set(seen)) == turns


async def test_who_ends_meanwhile_is_left_out() -> None:
    sessions = [session(f"u{n}") for n in range(3)]
    done: list[Session] = []

    def act(one: Session) -> None:
        done.append(one)
        sessions[-1].ended = True

    await for_each(sessions, None, act, deeds=256)
    assert done == sessions[:2]
