"""Gateways on a real NATS server that come, go, die, stall and lose their line."""

import asyncio

import pytest

from tests.acceptance.deadlines import until_async
from tests.ports.nats_fanouts import nats
from tests.ports.nats_peers import OpenPeers, open_peers
from tests.ports.nats_server import NatsServer
from tests.ports.test_peers import Gateway
from tocsin.adapters.nats.peers import NatsPeers
from tocsin.errors import UnavailableError
from tocsin.supervisor import Supervisor

__all__ = ["nats", "open_peers"]

LONG_S = 60.0


async def knows(line: NatsPeers, others: int) -> None:
    """Wait until a gateway knows of so many others."""

    async def does() -> bool:
        return len(line._others) == others

    await until_async(does, f"it knows {others} others", LONG_S)


async def pair(open_peers: OpenPeers, **more: float) -> tuple[NatsPeers, NatsPeers]:
    """Open two gateways that know each other."""
    one, two = await open_peers(**more), await open_peers(**more)
    Gateway("1", one)
    Gateway("2", two)
    await knows(one, 1)
    await knows(two, 1)
    return one, two


async def test_a_gateway_that_starts_knows_those_who_are_there_before_it_serves(
    open_peers: OpenPeers,
) -> None:
    one, _ = await pair(open_peers, beat_s=LONG_S)
    third = await open_peers(beat_s=LONG_S)
    await knows(third, 2)
    assert len(one._others) == 1  # which it is none of, yet
    Gateway("3", third)
    await knows(one, 2)


async def test_a_gateway_that_ends_is_known_to_have_gone(open_peers: OpenPeers) -> None:
    one, two = await pair(open_peers, beat_s=LONG_S)
    await two.close()
    await knows(one, 0)


async def test_a_gateway_that_died_is_not_waited_for(open_peers: OpenPeers) -> None:
    one, two = await pair(open_peers, beat_s=LONG_S, answer_s=LONG_S)
    one._returned_s -= LONG_S  # not just back itself
    assert two._client is not None
    await two._client.close()  # without a farewell, as NATS sees a process that was killed
    asked = asyncio.ensure_future(one.ask(b"?"))
    async with asyncio.timeout(LONG_S / 2):
        while not asked.done():
            one.tell(b"NATS may not have noticed when the question came")
            await asyncio.sleep(0.05)
    answers = await asked
    assert (answers.given, answers.missing, one.has_others) == ((), 0, False)


async def test_a_gateway_that_does_not_answer_is_missing(open_peers: OpenPeers) -> None:
    one, two = await pair(open_peers, beat_s=LONG_S, answer_s=0.3)

    async def never(_body: bytes) -> bytes:
        await asyncio.sleep(LONG_S)
        return b""

    two._asked = never
    answers = await one.ask(b"?")
    assert (answers.given, answers.missing) == ((), 1)


async def test_a_gateway_that_fails_to_answer_is_missing_at_once(open_peers: OpenPeers) -> None:
    one, two = await pair(open_peers, beat_s=LONG_S, answer_s=LONG_S)

    async def fail(_body: bytes) -> bytes:
        raise ValueError("what is that?")

    two._asked = fail
    async with asyncio.timeout(LONG_S / 2):
        answers = await one.ask(b"?")
    assert (answers.given, answers.missing) == ((), 1)


async def test_a_gateway_that_is_silent_for_three_beats_is_forgotten(
    open_peers: OpenPeers,
) -> None:
    one, two = await pair(open_peers, beat_s=0.2)
    two._heard = None
    two._beat_s = LONG_S  # after the one that it is in
    await knows(one, 0)


async def test_who_could_not_hear_forgets_nobody_before_it_is_told_that_its_line_is_back(
    open_peers: OpenPeers,
) -> None:
    one, _ = await pair(open_peers, beat_s=LONG_S)
    await one._parted()
    one._others = dict.fromkeys(one._others, -9 * LONG_S)
    one._forget_silent()  # as with a beat right after the client has connected
    assert one.has_others
    await one._returned()
    one._forget_silent()
    assert one.has_others


async def test_a_server_that_takes_little_at_once_carries_long_words() -> None:
    server, supervisor = NatsServer(max_payload="4KB"), Supervisor()
    server.start()
    lines = [NatsPeers(server.url, supervisor, meet_s=0.05, answer_s=LONG_S) for _ in range(2)]
    try:
        for line in lines:
            await line.start()
        one, _ = (Gateway(str(number), line) for number, line in enumerate(lines))
        await knows(lines[0], 1)
        answers = await one.peers.ask(b"x" * 100_000)
        assert [answer[1:] for answer in answers.given] == [b"x" * 100_000]
    finally:
        await supervisor.stop()
        for line in lines:
            await line.close()
        server.remove()


async def test_without_a_line_nobody_is_told_or_asked_and_afterwards_all_are() -> None:
    server, supervisor = NatsServer(), Supervisor()
    server.start()
    lines = [NatsPeers(server.url, supervisor, beat_s=0.2, meet_s=0.05) for _ in range(2)]
    try:
        for line in lines:
            await line.start()
        one, two = (Gateway(str(number), line) for number, line in enumerate(lines))
        await knows(lines[0], 1)
        server.kill()

        async def is_away() -> bool:
            return not any(line._client.is_connected for line in lines if line._client)

        await until_async(is_away, "both have noticed", LONG_S)
        with pytest.raises(UnavailableError):
            one.peers.tell(b"unheard")
        with pytest.raises(UnavailableError):
            await one.peers.ask(b"unheard")
        assert one.peers.has_others  # or it would take itself for the only one
        await asyncio.to_thread(server.start)

        async def is_heard() -> bool:
            return all(line._client.is_connected for line in lines if line._client)

        await until_async(is_heard, "both are back", LONG_S)

        async def is_answered() -> bool:
            return bool((await one.peers.ask(b"heard")).given)

        await until_async(is_answered, "the other hears again", LONG_S)
        assert set(two.heard) == {b"heard"}
    finally:
        await supervisor.stop()
        for line in lines:
            await line.close()
        server.remove()
