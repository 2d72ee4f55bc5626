"""Mistakes on purpose, so that the test bed is seen to notice: a node makes those named in its file ``mistakes``, while they are.

Each replaces one method by one that, while its mistake is made, breaks the promise in one way.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from nats.aio.client import Client

from tocsin.adapters.nats.fanout import NatsFanout
from tocsin.ingest.publisher import Publisher
from tocsin.model.ids import uuid7
from tocsin.ports.queue import Leased, Published
from tocsin.process.worker import Worker
from tocsin.realtime.anti_entropy import AntiEntropy

FILE = "mistakes"
HOLD_S = 0.5
GIVES_UP_AFTER = 2


def is_made(mistake: str) -> bool:
    """Whether this node makes the mistake now."""
    file = Path(FILE)
    return file.exists() and mistake in file.read_text().split()


def _replace(
    kind: type, name: str, made: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> None:
    honest = vars(kind)[name]
    type.__setattr__(kind, name, made(honest))


def _answering_before_the_disk(honest: Callable[..., Any]) -> Callable[..., Any]:
    async def publish_later(publisher: Publisher, envelopes: Sequence[Any]) -> None:
        await asyncio.sleep(HOLD_S)
        await honest(publisher, envelopes)

    async def publish(publisher: Publisher, envelopes: Sequence[Any]) -> Sequence[Published]:
        if not is_made("answer-before-the-disk"):
            answers: Sequence[Published] = await honest(publisher, envelopes)
            return answers
        publisher._supervisor.start("mistake", publish_later(publisher, envelopes))
        return [Published("accepted", envelope.id) for envelope in envelopes]

    return publish


def _working_wrongly(honest: Callable[..., Any]) -> Callable[..., Any]:
    async def process(worker: Worker, batch: Sequence[Leased]) -> None:
        if is_made("acknowledge-before-the-commit"):
            await worker._source.ack([leased.receipt for leased in batch])
        if is_made("dawdle"):
            await asyncio.sleep(HOLD_S)
        if is_made("forget-what-was-delivered"):
            batch = [_as_another(leased) for leased in batch]
        await honest(worker, batch)

    return process


def _as_another(leased: Leased) -> Leased:
    envelope = msgspec.structs.replace(leased.envelope, id=uuid7(leased.envelope.accepted_us))
    return msgspec.structs.replace(leased, envelope=envelope)


def _losing_half(honest: Callable[..., Any]) -> Callable[..., Any]:
    def announce(fanout: NatsFanout, announcements: Sequence[Any]) -> None:
        if is_made("lose-half"):
            announcements = [one for one in announcements if random.random() < 0.5]
        honest(fanout, announcements)

    return announce


def _never_comparing(honest: Callable[..., Any]) -> Callable[..., Any]:
    def compare(*who: Any) -> None:
        if not is_made("never-compare"):
            honest(*who)

    return compare


def _giving_up(honest: Callable[..., Any]) -> Callable[..., Any]:
    async def reconnect(client: Client) -> None:
        if is_made("give-up-soon"):
            client.options["max_reconnect_attempts"] = GIVES_UP_AFTER
        await honest(client)

    return reconnect


def make_possible() -> None:
    """Put all of them in place; none is made yet."""
    _replace(Publisher, "publish", _answering_before_the_disk)
    _replace(Worker, "_process", _working_wrongly)
    _replace(NatsFanout, "announce", _losing_half)
    for name in ("look", "trouble", "known"):
        _replace(AntiEntropy, name, _never_comparing)
    _replace(Client, "_attempt_reconnect", _giving_up)
