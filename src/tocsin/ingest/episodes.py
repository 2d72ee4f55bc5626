"""Carrying out notices: publish what is new, replace what changed, withdraw what is over.

Monitoring systems repeat themselves, and name what they speak of by keys of their own (threads).  An alert of a thread
gets the producer id ``THREAD.EPISODE.BEFORE.TO.CONTENT``, where BEFORE is the alert before it.  So a repeat is a duplicate
even if it comes twice at once, and the newest alert of a thread is the last id of a range, within one producer key (I10).
One key may tell several audiences about a thread, each by an address of its own: what is new is decided for each.

The ids are remembered as long as their alerts stand (``Envelope.keeps_id``), so an episode is known however long it lasts.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final

import msgspec
from msgspec.structs import replace

from tocsin.clock import Clock
from tocsin.config import Limits
from tocsin.errors import InvalidInputError, TooLargeError
from tocsin.ingest.admission import Producer, admit, decode_alert
from tocsin.ingest.shims.notice import Destination, Fields, Notice, Publish, Withdraw
from tocsin.ingest.withdrawer import Withdrawer
from tocsin.model.alert import Envelope
from tocsin.ports.producer_ids import IdRange, NamedAlert, ProducerIds
from tocsin.ports.queue import Intake, Published
from tocsin.ports.store import InboxStore

# Older alerts of an episode were replaced wherever they were unread; this many may stand beside it, snoozed or archived.
MOST_STANDING: Final = 100
_NOTHING_BEFORE: Final = "0"  # sorts before every id of an alert
_OPEN: Final = "open"  # the episode of a thread whose sender names none
_ASIDE: Final = "aside"
_encode = msgspec.json.encode

Answer = Published | InvalidInputError


class _Said(msgspec.Struct, frozen=True):
    """An alert of an episode as its id tells it: to whom (a digest), what (a digest), and whether it was a word aside."""

    alert_id: str
    to: str
    content: str
    aside: bool


class _History(msgspec.Struct, frozen=True):
    """What was said in an episode: the newest alert, whether it still stands, and what one audience heard last."""

    newest: _Said
    stands: bool
    heard: _Said | None


class Episodes:
    """Keeps inboxes in step with what producers say about threads."""

    def __init__(
        self,
        publisher: Intake,
        withdrawer: Withdrawer,
        ids: ProducerIds,
        store: InboxStore,
        clock: Clock,
        limits: Limits,
    ) -> None:
        self._publisher = publisher
        self._withdrawer = withdrawer
        self._ids = ids
        self._store = store
        self._clock = clock
        self._limits = limits

    async def carry_out(
        self,
        producer: Producer,
        notices: Sequence[Notice],
        default: Destination,
        idempotency_key: str | None = None,
    ) -> Sequence[Answer]:
        """Carry out notices; one that is refused holds up no other, and repeating all of them is harmless.

        ``default`` is who a notice is for that names nobody; ``idempotency_key`` makes one without a thread repeatable.
        The answers are those of what there was to publish, in no order that means anything.

        Raises:
            OverloadedError: Not all is done; repeat.
            UnavailableError: Not all is done; repeat.
            UnknownOutcomeError: Perhaps not all is done; repeat.
        """
        answers: list[Answer] = []
        fresh: list[tuple[Publish, Envelope]] = []
        for notice in notices:
            if isinstance(notice, Withdraw):
                await self._withdraw(producer, notice.thread, notice.episode)
                continue
            decided = await self._decide(producer, notice, default, idempotency_key)
            if isinstance(decided, Envelope):
                fresh.append((notice, decided))
            elif decided is not None:
                answers.append(decided)
        step = self._limits.batch_alerts
        for begin in range(0, len(fresh), step):
            answers += await self._publish(producer, fresh[begin : begin + step])
        return answers

    async def _publish(
        self, producer: Producer, fresh: Sequence[tuple[Publish, Envelope]]
    ) -> Sequence[Published]:
        published = await self._publisher.publish([envelope for _, envelope in fresh])
        for (notice, envelope), answer in zip(fresh, published, strict=True):
            # What a broadcast says never changes, so the one before it has to go.
            if envelope.audience.all and notice.thread and answer.outcome == "accepted":
                await self._withdraw_before(producer, notice.thread, notice.episode, answer.id)
        return published

    async def _decide(
        self,
        producer: Producer,
        notice: Publish,
        default: Destination,
        idempotency_key: str | None,
    ) -> Envelope | Answer | None:
        """Return what to publish, or why not; None for a word aside that nobody would hear."""
        to = notice.to or default
        if not to:
            return None if notice.aside else _nobody(producer)
        fields = {**notice.fields, "to": to.audience()}
        if notice.thread is not None:
            mark = _digest(fields["to"])
            history = await self._history(producer, notice.thread, notice.episode, mark)
            name = _next_name(notice, history, mark, _digest(fields))
            if name is None:
                return None if history is None else Published("duplicate", history.newest.alert_id)
            fields["id"] = f"{_begin(notice.thread, notice.episode)}{name}"
            if not to.all:
                fields["collapse_key"] = notice.thread
        try:
            admitted = self._admit(producer, fields, idempotency_key)
            return replace(admitted, keeps_id=notice.thread is not None)
        except InvalidInputError as error:
            error.pointer = None  # it leads into the alert, which its sender never saw
            return error

    def _admit(self, producer: Producer, fields: Fields, idempotency_key: str | None) -> Envelope:
        """Admit an alert; if it is too large without its data, then with less and less text."""

        def admitted(some: Fields) -> Envelope:
            request = decode_alert(_encode(some), limits)
            return admit(request, producer, limits, now_us, idempotency_key=idempotency_key)

        limits, now_us = self._limits, self._clock.now_us()
        for smaller in _smaller(fields):
            with suppress(TooLargeError):
                return admitted(smaller)
        return admitted({name: fields[name] for name in fields.keys() - {"data", "body"}})

    async def _withdraw(self, producer: Producer, thread: str, episode: str | None) -> None:
        """Withdraw what stands of an episode."""
        said = await self._said(producer, thread, episode)
        await self._withdraw_each(producer, said)

    async def _withdraw_before(
        self, producer: Producer, thread: str, episode: str | None, alert_id: str
    ) -> None:
        """Withdraw what the audience of an alert heard before it in its episode."""
        said = await self._said(producer, thread, episode)
        audiences = {one.to for one in said if one.alert_id == alert_id}
        before = [one for one in said if one.to in audiences and one.alert_id != alert_id]
        await self._withdraw_each(producer, before)

    async def _withdraw_each(self, producer: Producer, newest_first: Sequence[_Said]) -> None:
        """Withdraw alerts, the newest last: an episode is over when that is gone, and what is cut off is done again."""
        for one in reversed(newest_first):
            if await self._stands(producer, one):
                await self._withdrawer.withdraw(producer.hub, one.alert_id)

    async def _history(
        self, producer: Producer, thread: str, episode: str | None, to: str
    ) -> _History | None:
        said = await self._said(producer, thread, episode)
        if not said:
            return None
        newest = said[0]
        heard = next((one for one in said if one.to == to), None)
        # An older one may be of an earlier episode, which is over.
        if heard is not None and not await self._stands(producer, heard):
            heard = None
        return _History(newest, await self._stands(producer, newest), heard)

    async def _said(self, producer: Producer, thread: str, episode: str | None) -> Sequence[_Said]:
        """Return what was said in an episode, the newest first; of an open one, before it was opened too."""
        begin = _begin(thread, episode)
        # Behind every id that begins so: what follows is a digit or a letter of ASCII.
        ids = IdRange(producer.hub, producer.key_id, producer.name, begin, f"{begin}~")
        return [_said(alert) for alert in await self._ids.named(ids, limit=MOST_STANDING)]

    async def _stands(self, producer: Producer, said: _Said) -> bool:
        """Whether an alert was not withdrawn, by whomever."""
        status = await self._store.alert(producer.hub, said.alert_id)
        return status is not None and status.state != "withdrawn"


def _said(alert: NamedAlert) -> _Said:
    to, content, *aside = alert.producer_id.split(".")[3:]
    return _Said(alert.alert_id, to, content, bool(aside))


def _begin(thread: str, episode: str | None) -> str:
    return f"{thread}.{episode or _OPEN}."


def _next_name(notice: Publish, history: _History | None, to: str, content: str) -> str | None:
    """Return how the id of what comes next ends; None if it would say nothing new.

    What is over and said again fires on: senders that lose sight of a thing end it, and know when it began once they see
    it again.  Only a word aside comes too late then.  A word aside is named after what it is about, so that a repeat of that is still known as one.
    """
    if history is None:
        return None if notice.aside else f"{_NOTHING_BEFORE}.{to}.{content}"
    before, heard = history.newest.alert_id, history.heard
    if not history.stands:
        return None if notice.aside else f"{before}.{to}.{content}"
    if heard is None:
        return f"{before}.{to}.{content}"
    if notice.aside:
        return None if heard.aside else f"{before}.{to}.{heard.content}.{_ASIDE}"
    return None if heard.content == content else f"{before}.{to}.{content}"


def _digest(value: object) -> str:
    return hashlib.blake2b(_encode(value), digest_size=16).hexdigest()


def _smaller(fields: Fields) -> Iterator[Fields]:
    """Yield an alert, then without data, then with half of its body again and again."""
    yield fields
    bare = {name: value for name, value in fields.items() if name != "data"}
    body = str(bare.get("body", ""))
    while body:
        yield {**bare, "body": body}
        half = body[: len(body) // 2]
        body = f"{half}…" if half else ""


def _nobody(producer: Producer) -> InvalidInputError:
    detail = (
        "nobody says who this is for: add ?to_users=ada,ben (or ?to_topics=, ?to_all=true) to the URL, "
        "name `tocsin_users` or `tocsin_topics` in what is sent, or set "
        f"hubs.{producer.hub}.audiences for the key {producer.name!r}"
    )
    return InvalidInputError(detail, code="audience-missing")
