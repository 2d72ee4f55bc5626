"""Exchanges on one connection that follow each other: each ends at its own time, whatever timer the one before set."""

import asyncio

import pytest

from tests.wire.hostile_server import OK
from tocsin.adapters.outbound.connection import Connection
from tocsin.adapters.outbound.target import Place

PLACE = Place("https", "example.org", 443)
LONG_S = 60.0
SHORT_S = 0.01


class Nowhere(asyncio.Transport):
    """Takes what is written, and is open until it is aborted."""

    def __init__(self) -> None:
        super().__init__()
        self._aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        pass

    def is_closing(self) -> bool:
        return self._aborted

    def abort(self) -> None:
        self._aborted = True

    def get_write_buffer_size(self) -> int:
        return 0


def connected() -> Connection:
    connection = Connection(PLACE, 1_000, lambda _: None)
    connection.connection_made(Nowhere())
    return connection


async def exchange_at_once(connection: Connection, until_s: float) -> None:
    asyncio.get_running_loop().call_soon(connection.data_received, OK)
    answer = await connection.exchange(b"", "GET", until_s)
    assert answer.status == 200


async def test_a_short_exchange_after_a_long_one_ends_at_its_own_time() -> None:
    loop, connection = asyncio.get_running_loop(), connected()
    await exchange_at_once(connection, loop.time() + LONG_S)
    with pytest.raises(TimeoutError):
        await connection.exchange(b"", "GET", loop.time() + SHORT_S)
    assert not connection.goes_on


async def test_a_long_exchange_after_a_short_one_is_not_ended_at_the_time_of_that_one() -> None:
    loop, connection = asyncio.get_running_loop(), connected()
    until_s = loop.time() + SHORT_S
    await exchange_at_once(connection, until_s)
    loop.call_at(until_s + SHORT_S, connection.data_received, OK)
    answer = await connection.exchange(b"", "GET", loop.time() + LONG_S)
    assert answer.status == 200
    assert connection.goes_on


async def test_an_exchange_after_a_time_that_passed_in_idleness_has_an_end_too() -> None:
    loop, connection, passed = asyncio.get_running_loop(), connected(), asyncio.Event()
    until_s = loop.time() + SHORT_S
    await exchange_at_once(connection, until_s)
    loop.call_at(until_s + SHORT_S, passed.set)
    await passed.wait()
    with pytest.raises(TimeoutError):
        await connection.exchange(b"", "GET", loop.time() + SHORT_S)
