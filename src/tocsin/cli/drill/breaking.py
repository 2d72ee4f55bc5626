"""Breaking things on purpose: the command of ``--break``."""

import asyncio
import tempfile
from typing import NamedTuple

from tocsin.clock import Clock

LONGEST_S = 120.0
_TOLD_BYTES = 300


class Break(NamedTuple):
    """One run of the command; ``code`` is None if it was ended because it took too long."""

    at_s: float
    took_s: float
    code: int | None
    words: str


async def run_break(command: str, began_s: float, clock: Clock) -> Break:
    """Run the command in a shell to its end, for at most two minutes; what it starts in the background lives on.

    It has a session of its own, so that a Ctrl-C meant for the drill does not leave a service half restarted; when the drill is
    cut short the command is waited for.
    """
    started_s = clock.monotonic_s()
    with (
        tempfile.TemporaryFile() as output
    ):  # not a pipe: that would be held by whatever goes on in the background
        process = await asyncio.create_subprocess_shell(
            command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        ended = asyncio.ensure_future(_ended(process))
        try:
            code = await asyncio.shield(ended)
        except asyncio.CancelledError:
            await ended
            raise
        output.seek(0)
        words = output.read()[-_TOLD_BYTES:].decode(errors="replace").strip()
    return Break(started_s - began_s, clock.monotonic_s() - started_s, code, words)


async def _ended(process: asyncio.subprocess.Process) -> int | None:
    try:
        async with asyncio.timeout(LONGEST_S):
            return await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
        return None
