"""When a client takes its sockets for blocked, and when it does not."""

from random import Random
from typing import Any

import aiohttp
import pytest

from tocsin.client.line import Line
from tocsin.client.socket import ABNORMAL, Closed
from tocsin.testing import ManualClock


class Socket:
    """Ends as the script says, one entry for each connection."""

    is_greeted = False

    def __init__(self, *script: Closed | Exception) -> None:
        self._script = list(script)

    async def run(self, url: str) -> Closed:
        end = self._script.pop(0)
        if isinstance(end, Exception):
            raise end
        return end


class Stream:
    async def run(self, headers: Any) -> Closed:
        return Closed(1000, "")


def away() -> Exception:
    key: Any = None
    return aiohttp.ClientConnectorError(key, OSError("refused"))


async def transports(*script: Closed | Exception) -> list[str]:
    """Return what each line was, for as many sockets as the script has, and one more line."""

    async def url() -> str:
        return "ws://tocsin.test/"

    socket: Any = Socket(*script)
    stream: Any = Stream()
    line = Line(socket, stream, url=url, headers=dict, clock=ManualClock(), random=Random(1))
    seen: list[str] = []
    for end in script:
        if isinstance(end, Exception):
            with pytest.raises(type(end)):
                await line.run()
        else:
            assert await line.run() == end
        seen.append(line.transport)
    if line._blocked >= 2:
        await line.run()
        seen.append(line.transport)
    return seen


async def test_two_sockets_that_break_at_once_lead_to_a_stream() -> None:
    cut = Closed(ABNORMAL, "")
    assert await transports(cut, cut) == ["socket", "socket", "stream"]


async def test_a_server_that_is_away_blocks_nothing() -> None:
    assert await transports(away(), away(), away()) == ["socket", "socket", "socket"]
