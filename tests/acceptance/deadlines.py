"""Waiting for what another process does: look again and again, until a deadline that is generous and not a hope."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

LOOK_EVERY_S = 0.02


def until(find: Callable[[], T | None], what: str, within_s: float = 60.0) -> T:
    """Return the first true result of ``find``.

    Raises:
        AssertionError: There was none in time; the message says what was waited for.
    """
    deadline = time.monotonic() + within_s
    while not (found := find()):
        assert time.monotonic() < deadline, f"{what}: not within {within_s:g} s"
        time.sleep(LOOK_EVERY_S)
    return found


async def until_async(
    find: Callable[[], Awaitable[T | None]], what: str, within_s: float = 60.0
) -> T:
    """Return the first true result of awaiting ``find()``.

    Raises:
        AssertionError: There was none in time; the message says what was waited for.
    """
    deadline = time.monotonic() + within_s
    while not (found := await find()):
        assert time.monotonic() < deadline, f"{what}: not within {within_s:g} s"
        await asyncio.sleep(LOOK_EVERY_S)
    return found
