"""Connections of the guarded way out are kept, bounded, handed on in turn, and given up when something is odd."""

import asyncio
import socket

import pytest

from tests.wire.gateway_fixture import eventually
from tests.wire.hostile_server import OK, hangs, listening, says
from tests.wire.test_outbound import addresses, call, client
from tocsin.adapters.outbound import pool
from tocsin.ports.outbound import Answer, Failed, Method, Outcome, Refused


def statuses(outcomes: list[Outcome]) -> list[int]:
    assert all(isinstance(one, Answer) for one in outcomes), outcomes
    return [one.status for one in outcomes if isinstance(one, Answer)]


async def test_one_connection_serves_one_call_after_the_other() -> None:
    async with listening(says(OK)) as server, client() as outbound:
        outcomes = [await outbound.send(call(server.url)) for _ in range(20)]
    assert statuses(outcomes) == [200] * 20
    assert server.accepted == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n",
        OK + b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n",
        OK + b"garbage",
    ],
    ids=["close", "http-1.0", "another-answer", "garbage"],
)
async def test_a_connection_that_is_over_or_odd_serves_no_other_call(answer: bytes) -> None:
    async with listening(says(answer)) as server, client() as outbound:
        outcomes = [await outbound.send(call(server.url)) for _ in range(3)]
        assert statuses(outcomes) == [200] * 3
        assert server.accepted == 3
        await eventually(lambda: not server.open)


async def test_what_comes_between_two_calls_ends_the_connection() -> None:
    async with listening(says(OK)) as server, client() as outbound:
        await outbound.send(call(server.url))
        [writer] = server.open
        writer.write(b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n")
        await eventually(lambda: not server.open)
        assert statuses([await outbound.send(call(server.url))]) == [200]
    assert server.accepted == 2


async def test_a_connection_that_the_other_side_ended_is_not_used_again() -> None:
    async def farewell(writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        writer.close()

    async with listening(farewell) as server, client() as outbound:
        for _ in range(3):
            assert statuses([await outbound.send(call(server.url))]) == [200]
            await eventually(lambda: not server.open)
    assert server.accepted == 3


class _EndsKept:
    """Answers the first request of a connection, and ends it at the second without a word."""

    def __init__(self) -> None:
        self._answered: set[asyncio.StreamWriter] = set()

    async def __call__(self, writer: asyncio.StreamWriter) -> None:
        if writer in self._answered:
            writer.transport.abort()
            return
        self._answered.add(writer)
        writer.write(OK)


@pytest.mark.parametrize(("method", "repeatable"), [("POST", True), ("GET", False)])
async def test_a_kept_connection_that_was_at_its_end_costs_another_one_and_no_call(
    method: Method, repeatable: bool
) -> None:
    async with listening(_EndsKept()) as server, client() as outbound:
        said = call(server.url, method=method, repeatable=repeatable)
        outcomes = [await outbound.send(said) for _ in range(3)]
    assert statuses(outcomes) == [200] * 3
    assert (server.accepted, len(server.heads)) == (3, 5)


async def test_what_must_not_be_doubled_is_not_sent_again() -> None:
    async with listening(_EndsKept()) as server, client() as outbound:
        outcomes = [await outbound.send(call(server.url)) for _ in range(2)]
    assert isinstance(outcomes[1], Failed)
    assert outcomes[1].kind == "broken"
    assert len(server.heads) == 2


async def test_a_call_is_not_repeated_on_a_new_connection_or_after_a_byte_of_the_answer() -> None:
    async def never(writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    answered = list[int]()

    async def begins(writer: asyncio.StreamWriter) -> None:
        answered.append(1)
        writer.write(OK if len(answered) == 1 else b"H")
        await writer.drain()
        if len(answered) > 1:
            writer.close()

    async with listening(never) as silent, listening(begins) as torn, client() as outbound:
        first = await outbound.send(call(silent.url, repeatable=True))
        await outbound.send(call(torn.url, repeatable=True))
        second = await outbound.send(call(torn.url, repeatable=True))
    assert (len(silent.heads), len(torn.heads)) == (1, 2)
    for failed in (first, second):
        assert isinstance(failed, Failed)
        assert failed.kind == "broken"


async def test_a_call_that_came_too_late_leaves_no_answer_to_the_next() -> None:
    slow = asyncio.Event()

    async def late(writer: asyncio.StreamWriter) -> None:
        answer = (
            OK if "/second " in server.heads[-1] else b"HTTP/1.1 418 X\r\ncontent-length: 0\r\n\r\n"
        )
        await slow.wait()
        writer.write(answer)

    async with listening(late) as server, client(connections_per_host=1) as outbound:
        first = await outbound.send(call(f"{server.url}/first", total_s=0.2))
        assert isinstance(first, Failed)
        slow.set()
        assert statuses([await outbound.send(call(f"{server.url}/second"))]) == [200]


async def test_connections_to_one_server_are_bounded_and_handed_on_in_turn() -> None:
    order = list[int]()

    async with listening(says(OK)) as server, client(connections_per_host=2) as outbound:

        async def one(number: int) -> None:
            assert isinstance(await outbound.send(call(server.url)), Answer)
            order.append(number)

        await asyncio.gather(*(one(number) for number in range(50)))
        assert server.accepted == 2
    assert sorted(order) == list(range(50))
    assert max(abs(place - number) for place, number in enumerate(order)) <= 2


async def test_an_idle_connection_gives_way_to_another_server() -> None:
    async with (
        listening(says(OK)) as first,
        listening(says(OK)) as second,
        client(connections=1) as outbound,
    ):
        for server in (first, second, first, second):
            assert statuses([await outbound.send(call(server.url))]) == [200]
            await eventually(lambda: len(first.open) + len(second.open) == 1)
    assert (first.accepted, second.accepted) == (2, 2)


async def test_who_waits_longest_is_next_whatever_server_it_calls() -> None:
    async with (
        listening(says(OK)) as first,
        listening(says(OK)) as second,
        client(connections=1, connections_per_host=1) as outbound,
    ):
        done = list[str]()

        async def one(name: str, url: str) -> None:
            assert isinstance(await outbound.send(call(url)), Answer)
            done.append(name)

        turns = [("a", first.url), ("a", first.url), ("b", second.url), ("a", first.url)]
        await asyncio.gather(*(one(*turn) for turn in turns))
    assert done == ["a", "a", "b", "a"]


async def test_who_gives_up_waiting_takes_no_room_with_him() -> None:
    async with (
        listening(hangs) as stuck,
        listening(says(OK)) as quick,
        client(connections=2, connections_per_host=1) as outbound,
    ):
        held = asyncio.create_task(outbound.send(call(stuck.url)))
        await eventually(lambda: len(stuck.heads) == 1)
        late = await asyncio.gather(
            *(outbound.send(call(stuck.url, total_s=0.1)) for _ in range(20))
        )
        assert {one.kind for one in late if isinstance(one, Failed)} == {"timeout"}
        held.cancel()
        await asyncio.wait([held])
        again = [asyncio.create_task(outbound.send(call(stuck.url))) for _ in range(3)]
        await eventually(lambda: len(stuck.heads) == 2)
        assert statuses([await outbound.send(call(quick.url))]) == [200]
        again[0].cancel()
        await eventually(lambda: len(stuck.heads) == 3)
        for one in again:
            one.cancel()
        await asyncio.wait(again)
    assert stuck.accepted == 3


async def test_idle_connections_are_ended_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "KEPT_S", 0.1)
    async with listening(says(OK)) as server, client() as outbound:
        assert statuses([await outbound.send(call(server.url))]) == [200]
        await eventually(lambda: not server.open)
        assert statuses([await outbound.send(call(server.url))]) == [200]
    assert server.accepted == 2


async def test_closing_ends_the_calls_under_way_and_those_that_wait() -> None:
    async with listening(hangs) as server, client(connections_per_host=1) as outbound:
        calls = [asyncio.create_task(outbound.send(call(server.url))) for _ in range(3)]
        await eventually(lambda: len(server.heads) == 1)
        await outbound.close()
        outcomes = [await one for one in calls]
        outcomes.append(await outbound.send(call(server.url)))
    assert [one.kind for one in outcomes if isinstance(one, Failed)] == ["broken"] * 4


async def test_an_address_that_does_not_answer_delays_the_next_by_a_moment() -> None:
    allowed = ("127.0.0.1", "127.0.0.2", "two.example")
    lookup = addresses("127.0.0.2", "127.0.0.1")
    async with listening(says(OK)) as server, client(allowed, lookup=lookup) as outbound:
        # A queue of one connection that nobody accepts: further ones get no answer.
        mute = ("127.0.0.2", server.port)
        with socket.create_server(mute, backlog=0):
            fillers = [socket.socket() for _ in range(3)]
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(mute)
            answer = await outbound.send(call(f"http://two.example:{server.port}/"))
            for filler in fillers:
                filler.close()
    assert statuses([answer]) == [200]


@pytest.mark.parametrize("value", ["a\r\nx: y", "a\ny", "a\ry", "a\0"])
async def test_a_header_never_becomes_two(value: str) -> None:
    async with listening(says(OK)) as server, client() as outbound:
        outcome = await outbound.send(call(server.url, headers=[("x-said", value)]))
    assert isinstance(outcome, Refused)
    assert server.accepted == 0


@pytest.mark.parametrize(
    ("path", "target"),
    [("", "/"), ("?a=b", "/?a=b"), ("/a%20b?c=%C3%A9#part", "/a%20b?c=%C3%A9")],
)
async def test_the_target_is_what_the_url_says(path: str, target: str) -> None:
    async with listening(says(OK)) as server, client() as outbound:
        await outbound.send(call(f"http://127.0.0.1:{server.port}{path}", method="GET", body=b""))
    [head] = server.heads
    assert head.startswith(f"GET {target} HTTP/1.1\r\nhost: 127.0.0.1:{server.port}\r\n")
    assert "content-length" not in head
