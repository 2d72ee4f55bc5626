"""Gateways that tell and ask each other; of an adapter for one process there are no others."""

import asyncio
from collections.abc import Sequence
from importlib.util import find_spec
from typing import NamedTuple

import pytest

from tests.acceptance.deadlines import until_async
from tocsin.adapters.memory.peers import NoPeers
from tocsin.ports.peers import Peers, Word

# NATS needs a driver that Tocsin can do without, and so can these tests; tests/integration cannot.
KINDS = ["memory"]
if find_spec("nats") is not None:
    from tests.ports.nats_fanouts import nats
    from tests.ports.nats_peers import OpenPeers, open_peers

    __all__ = ["nats", "open_peers"]
    KINDS.append("nats")

LONGEST = 1_000_000


class Gateway:
    """One that keeps what it is told, and answers a question with its name and the question."""

    def __init__(self, name: str, peers: Peers) -> None:
        self.name, self.peers = name, peers
        self.heard: list[bytes] = []
        self.words: list[Word] = []
        peers.serve(self._hear, self._answer)

    def _hear(self, word: Word) -> None:
        self.words.append(word)
        self.heard.append(word.body)

    async def _answer(self, body: bytes) -> bytes:
        self.heard.append(body)
        return self.name.encode() + body


class Together(NamedTuple):
    """A gateway, and all others."""

    speaker: Gateway
    others: Sequence[Gateway]


@pytest.fixture
def memory_gateways() -> Together:
    return Together(Gateway("only", NoPeers()), ())


@pytest.fixture
async def nats_gateways(open_peers: "OpenPeers") -> Together:
    lines = [await open_peers() for _ in range(3)]
    first, *others = [Gateway(str(number), line) for number, line in enumerate(lines)]

    async def all_know() -> bool:
        return all(len(line._others) == 2 for line in lines)

    await until_async(all_know, "each knows the two others", 60)
    return Together(first, others)


@pytest.fixture(params=KINDS)
def gateways(request: pytest.FixtureRequest) -> Together:
    """Open the gateways of the adapter under test."""
    opened: Together = request.getfixturevalue(f"{request.param}_gateways")
    return opened


async def hear(gateways: Together, *said: bytes) -> None:
    """Wait until all others have heard this, and nothing else."""

    async def heard() -> bool:
        return all(len(other.heard) >= len(said) for other in gateways.others)

    await until_async(heard, "it is heard", 60)
    assert [other.heard for other in gateways.others] == [list(said)] * len(gateways.others)


async def test_whoever_has_no_others_knows(gateways: Together) -> None:
    assert gateways.speaker.peers.has_others == bool(gateways.others)


async def test_a_word_reaches_every_other_gateway_once_and_not_the_teller(
    gateways: Together,
) -> None:
    gateways.speaker.peers.tell(b"word")
    await hear(gateways, b"word")
    assert gateways.speaker.heard == []


async def test_words_and_questions_arrive_in_the_order_in_which_they_were_said(
    gateways: Together,
) -> None:
    peers = gateways.speaker.peers
    words = [b"%d" % number for number in range(500)]
    for word in words:
        peers.tell(word)
    await peers.ask(b"?")
    await hear(gateways, *words, b"?")


async def test_long_words_arrive_whole_between_short_ones(gateways: Together) -> None:
    words = [b"short", b"x" * LONGEST, b"", b"y" * LONGEST + b"end", b"short again"]
    for word in words:
        gateways.speaker.peers.tell(word)
    await hear(gateways, *words)


async def test_every_other_gateway_answers_a_question(gateways: Together) -> None:
    answers = await gateways.speaker.peers.ask(b"?")
    assert sorted(answers.given) == [b"%b?" % other.name.encode() for other in gateways.others]
    assert answers.missing == 0


async def test_long_questions_get_long_answers(gateways: Together) -> None:
    question = b"x" * LONGEST
    answers = await gateways.speaker.peers.ask(question)
    assert [answer[1:] for answer in answers.given] == [question] * len(gateways.others)


async def test_many_questions_at_once_get_their_own_answers(gateways: Together) -> None:
    asked = [gateways.speaker.peers.ask(b"%d" % number) for number in range(200)]
    for number, waiting in enumerate(asked):
        answers = await waiting
        expected = [b"%b%d" % (other.name.encode(), number) for other in gateways.others]
        assert sorted(answers.given) == expected


async def test_words_are_numbered_by_their_teller(gateways: Together) -> None:
    for _ in range(3):
        gateways.speaker.peers.tell(b"word")
    await hear(gateways, *[b"word"] * 3)
    for other in gateways.others:
        first = other.words[0]
        assert [word.number for word in other.words] == [first.number + n for n in range(3)]
        assert other.peers.told()[first.teller] == first.number + 2
        assert gateways.speaker.peers.told()[first.teller] == first.number + 2


async def test_each_hears_the_others_and_not_itself(gateways: Together) -> None:
    for gateway in (gateways.speaker, *gateways.others):
        gateway.peers.tell(gateway.name.encode())
    everybody = (gateways.speaker, *gateways.others)
    for gateway in everybody:
        expected = sorted(other.name.encode() for other in everybody if other is not gateway)
        while sorted(gateway.heard) != expected:  # noqa: ASYNC110 -- what is waited for has no event
            await asyncio.sleep(0.01)
