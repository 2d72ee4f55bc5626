"""Mistakes on purpose, so that the test bed is seen to notice: a node makes those named in its file ``mistakes``, while they are.

Each replaces one method by one that, while its mistake is made, breaks the promise in one way.
"""

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg

from tocsin.adapters.nats.fanout import NatsFanout
from tocsin.adapters.nats.porter import Porter
from tocsin.adapters.sql.store.base import SqlStore
from tocsin.ingest.publisher import Publisher
from tocsin.model.ids import uuid7
from tocsin.model.inbox import Changes
from tocsin.model.push import Ending, PushJob, Standing
from tocsin.node.life import Node
from tocsin.ports.queue import Leased, Published
from tocsin.process.worker import Worker
from tocsin.push.dispatcher import Dispatcher
from tocsin.realtime.anti_entropy import AntiEntropy

FILE = "mistakes"
IN_HAND = "in-hand"
SENT = "sent"
GAVE_UP = "gave-up"
HOLD_S = 0.5
GIVES_UP_AFTER = 2
_has_in_hand = asyncio.Event()
_in_hands: dict[str, set[object]] = {IN_HAND: set(), SENT: set()}
_returning = set[Client]()


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
        with _in_hand():
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
            with _in_hand():
                await asyncio.sleep(HOLD_S)
        if is_made("forget-what-was-delivered"):
            batch = [_as_another(leased) for leased in batch]
        await honest(worker, batch)

    return process


@contextmanager
def _in_hand(sign: str = IN_HAND) -> Iterator[None]:
    """Let it be seen that there are alerts in hand."""
    these, others = object(), _in_hands[sign]
    others.add(these)
    _tell(sign)
    _has_in_hand.set()
    try:
        yield
    finally:
        others.discard(these)
        if not others:
            Path(sign).unlink()
        if not any(_in_hands.values()):
            _has_in_hand.clear()


def _pushing_wrongly(honest: Callable[..., Any]) -> Callable[..., Any]:
    async def attempt(dispatcher: Dispatcher, job: PushJob, about: Standing, *more: Any) -> None:
        if is_made("settle-before-the-send"):
            await dispatcher._end(job, Ending("accepted", "", dispatcher._clock.now_us()))
        if is_made("dawdle"):
            with _in_hand():
                await asyncio.sleep(HOLD_S)
        if is_made("forget-what-was-pushed"):
            entry = msgspec.structs.replace(about.entry, id=uuid7(job.made_us))
            about = msgspec.structs.replace(about, entry=entry)
        await honest(dispatcher, job, about, *more)

    return attempt


def _settling_late(honest: Callable[..., Any]) -> Callable[..., Any]:
    async def follow(dispatcher: Dispatcher, *of: Any) -> None:
        if is_made("dawdle"):
            with _in_hand(SENT):
                await asyncio.sleep(HOLD_S)
        await honest(dispatcher, *of)

    return follow


def _handing_over_wrongly(honest: Callable[..., Any]) -> Callable[..., Any]:
    async def hand_over(porter: Porter, messages: Sequence[Msg]) -> None:
        if is_made("acknowledge-before-the-commit"):
            for message in messages:  # not by its own method, which does it once
                await message._client.publish(message.reply, Msg.Ack.Ack)
        await honest(porter, messages)

    return hand_over


def _as_another(leased: Leased) -> Leased:
    envelope = msgspec.structs.replace(leased.envelope, id=uuid7(leased.envelope.accepted_us))
    return msgspec.structs.replace(leased, envelope=envelope)


def _leaving_in_the_middle(honest: Callable[..., Any]) -> Callable[..., Any]:
    async def finish_work(node: Node, within_s: float) -> None:
        if is_made("leave-in-the-middle"):
            await _has_in_hand.wait()
        else:
            await honest(node, within_s)

    return finish_work


def _skipping_what_was_missed(honest: Callable[..., Any]) -> Callable[..., Any]:
    async def changes(store: SqlStore, *of: Any) -> Any:
        found = await honest(store, *of)
        if is_made("skip-what-was-missed") and isinstance(found, Changes):
            return msgspec.structs.replace(found, items=(), removed=())
        return found

    return changes


def _losing(honest: Callable[..., Any]) -> Callable[..., Any]:
    def announce(fanout: NatsFanout, announcements: Sequence[Any]) -> None:
        if is_made("lose-all"):
            announcements = ()
        elif is_made("lose-half"):
            announcements = [one for one in announcements if random.random() < 0.5]
        honest(fanout, announcements)

    return announce


def _never_comparing(honest: Callable[..., Any]) -> Callable[..., Any]:
    def compare(*who: Any) -> None:
        if not is_made("never-compare"):
            honest(*who)

    return compare


def _tell(sign: str) -> None:
    """Let something be seen from outside."""
    Path(sign).touch()


def _giving_up(honest: Callable[..., Any]) -> Callable[..., Any]:
    async def reconnect(client: Client) -> None:
        if is_made("give-up-soon"):
            client.options["max_reconnect_attempts"] = GIVES_UP_AFTER
        _returning.add(client)
        await honest(client)
        _returning.discard(client)
        if client.is_closed and not _returning:
            _tell(GAVE_UP)

    return reconnect


def make_possible() -> None:
    """Put all of them in place; none is made yet."""
    for sign in (IN_HAND, SENT, GAVE_UP):
        Path(sign).unlink(missing_ok=True)  # of a process that was killed
    _replace(Publisher, "publish", _answering_before_the_disk)
    _replace(Worker, "_process", _working_wrongly)
    _replace(Dispatcher, "_try", _pushing_wrongly)
    _replace(Dispatcher, "_follow", _settling_late)
    _replace(Porter, "_hand_over", _handing_over_wrongly)
    _replace(Node, "finish_work", _leaving_in_the_middle)
    _replace(SqlStore, "changes", _skipping_what_was_missed)
    _replace(NatsFanout, "announce", _losing)
    for name in ("look", "trouble", "known"):
        _replace(AntiEntropy, name, _never_comparing)
    _replace(Client, "_attempt_reconnect", _giving_up)
