"""Stopping: a first signal asks, a second one cuts short whatever the first began."""

import asyncio

from tocsin.serving import StopSignals, within


async def test_the_first_signal_asks_and_the_second_hurries() -> None:
    stop = StopSignals()
    told = []
    for _ in range(3):
        told.append((stop.asked.is_set(), stop.hurry.is_set()))
        stop.heard()
    assert told == [(False, False), (True, False), (True, True)]


async def test_a_step_is_given_its_time() -> None:
    given = []

    async def step(seconds: float) -> None:
        given.append(seconds)

    await within(5, step, asyncio.Event())
    assert given == [5]


async def test_a_step_under_way_is_cut_short_by_hurry_and_ends_with_no_time() -> None:
    hurry, given = asyncio.Event(), []

    async def step(seconds: float) -> None:
        given.append(seconds)
        hurry.set()
        await asyncio.sleep(seconds)

    await asyncio.wait_for(within(3600, step, hurry), 30)
    assert given == [3600, 0]
