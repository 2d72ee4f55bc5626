"""A crowd passes a few per turn of the loop, in order."""

import asyncio

from tocsin.api.turnstile import Turnstile


async def test_a_crowd_passes_a_few_per_turn_and_others_run_between() -> None:
    turnstile, passed, seen = Turnstile(2), [], []

    async def come(number: int) -> None:
        await turnstile.enter()
        passed.append(number)

    async with asyncio.TaskGroup() as crowd:
        comers = [crowd.create_task(come(number)) for number in range(9)]
        while not all(comer.done() for comer in comers):
            await asyncio.sleep(0)
            seen.append(len(passed))
    assert passed == list(range(9))
    growth = [after - before for before, after in zip([0, *seen], seen, strict=False)]
    assert max(growth) == 2


async def test_one_alone_passes_at_once() -> None:
    turnstile = Turnstile(1)
    entering = turnstile.enter()
    try:
        entering.send(None)
    except StopIteration:
        pass
    else:
        raise AssertionError("it waited")
    await asyncio.sleep(0)
    await turnstile.enter()


async def test_who_is_cancelled_takes_nobodys_place() -> None:
    turnstile, passed = Turnstile(1), []

    async def come(number: int) -> None:
        await turnstile.enter()
        passed.append(number)

    comers = [asyncio.create_task(come(number)) for number in range(4)]
    await asyncio.sleep(0)
    assert (passed, len(turnstile)) == ([0], 3)
    comers[1].cancel()
    await asyncio.wait(comers)
    assert (passed, len(turnstile)) == ([0, 2, 3], 0)
