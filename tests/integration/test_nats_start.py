"""A JetStream that has much to do when a process starts: it is waited for."""

import asyncio
import os
import signal
from typing import Any

import pytest
from nats.aio.client import Client

from tests.ports.nats_server import running_nats
from tocsin.adapters.nats import line
from tocsin.adapters.nats.connection import connect

# Far longer than an answer is waited for later on, and shorter than a connection is kept that says nothing.
LATE_S = 4.0


async def test_a_stream_that_answers_late_is_waited_for_at_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with running_nats() as server:

        async def connect_and_freeze(*place: Any, **told: Any) -> Client:
            client = await connect(*place, **told)
            os.kill(server.pid, signal.SIGSTOP)
            asyncio.get_running_loop().call_later(LATE_S, os.kill, server.pid, signal.SIGCONT)
            return client

        monkeypatch.setattr(line, "connect", connect_and_freeze)
        terms = line.Terms(1_000, 100_000, monitors=(server.monitor,))
        async with line.Line.opened(server.url, terms) as opened:
            assert (await opened.state()).messages == 0
