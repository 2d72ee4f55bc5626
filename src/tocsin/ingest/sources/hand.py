"""The messages of one line that are not settled yet, and how each step brings them on.

read -> published -> arrived -> acknowledged.  What cannot be an alert goes to the dead letters instead.  Nothing is settled
before its effect is durable, so whatever ends in between, the message comes again and is a repeat (I1, I2).
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import structlog

from tocsin.clock import Clock
from tocsin.errors import (
    ExpiredError,
    InvalidInputError,
    LineLostError,
    OverloadedError,
    TocsinError,
)
from tocsin.ingest.sources.burial import Burial, Faulty
from tocsin.ingest.sources.reading import Reading
from tocsin.model.alert import Envelope
from tocsin.ports.arrivals import Arrivals
from tocsin.ports.queue import Intake
from tocsin.ports.source import Message, SourceLine
from tocsin.telemetry import Metrics

log = structlog.get_logger()


class Path(NamedTuple):
    """What every line of one source leads to."""

    name: str
    reading: Reading
    max_deliveries: int
    publisher: Intake
    arrivals: Arrivals
    burial: Burial
    clock: Clock
    metrics: Metrics


class Hand:
    """What is in hand, in the state in which it is; ``harmless`` are marks of what earlier hands have read."""

    def __init__(self, path: Path, line: SourceLine, harmless: Collection[int] = ()) -> None:
        self._path = path
        self._line = line
        self._harmless = harmless
        self._read: list[tuple[Message, Envelope]] = []
        self._faulty: list[Faulty] = []
        self._published: dict[str, list[Message]] = {}

    def __len__(self) -> int:
        landing = sum(len(messages) for messages in self._published.values())
        return len(self._read) + len(self._faulty) + landing

    def harmless(self) -> set[int]:
        """Return marks of what was read here: it crashes nobody, and only waits."""
        waiting = [message for message, _ in self._read]
        landing = [message for messages in self._published.values() for message in messages]
        return {_mark(message) for message in (*waiting, *landing)}

    async def take(self, messages: Sequence[Message]) -> None:
        """Read what came; what nobody should get any more is acknowledged at once.

        Raises:
            LineLostError: The line is gone.
        """
        await self._let_go([message for message in messages if self._is_over(message)])

    async def _let_go(self, over: Sequence[Message]) -> None:
        if over:
            await self._line.ack(over)
            self._count("expired", len(over))

    def _is_over(self, message: Message) -> bool:
        path = self._path
        if message.deliveries >= path.max_deliveries and _mark(message) not in self._harmless:
            detail = (
                f"it was handed out {message.deliveries} times before and never came to an end "
                f"(max_deliveries = {path.max_deliveries})"
            )
            self._faulty.append(Faulty(message, "too-many-deliveries", detail))
            return False
        try:
            envelope = path.reading.read(message, path.clock.now_us())
        except ExpiredError:
            return True
        except InvalidInputError as error:
            place = "" if error.pointer is None else f" (at {error.pointer!r})"
            self._faulty.append(Faulty(message, error.code, error.detail + place))
        except Exception as error:
            log.exception("source.reading_failed", source=path.name, exc_info=error)
            detail = f"{type(error).__name__}: {error}"
            self._faulty.append(Faulty(message, "internal", detail))
        else:
            self._read.append((message, envelope))
        return False

    async def step(self) -> TocsinError | None:
        """Bring on whatever can be; return why something has to wait for Tocsin itself, if it does.

        Raises:
            LineLostError: The line is gone.
        """
        try:
            waits = await self._publish()
            await self._acknowledge()
            await self._bury()
        except LineLostError:
            raise
        except TocsinError as error:
            if not error.retryable:
                raise
            return error
        return waits

    async def give_back(self) -> None:
        """Give back everything, at the end of the line; what was published until then comes again as a repeat.

        Raises:
            LineLostError: The line is gone, and so it comes back anyway.
        """
        landing = [message for messages in self._published.values() for message in messages]
        faulty = [each.message for each in self._faulty]
        await self._line.put_back([*(message for message, _ in self._read), *landing, *faulty])

    async def _publish(self) -> TocsinError | None:
        """Publish what was read; what finds no room stays."""
        if not self._read:
            return None
        published = await self._path.publisher.publish([envelope for _, envelope in self._read])
        stays, over, waits = [], [], None
        for (message, envelope), answer in zip(self._read, published, strict=True):
            match answer.outcome:
                case "accepted" | "duplicate":
                    self._published.setdefault(answer.id, []).append(message)
                    self._count(answer.outcome)
                case "conflict":
                    detail = f"the alert {answer.id} has the same id and says something else"
                    self._faulty.append(Faulty(message, "id-conflict", detail))
                case "expired":
                    over.append(message)
                case "full" | "schedule_full" | "unknown":
                    stays.append((message, envelope))
                    detail = f"a publish was answered {answer.outcome!r}"
                    waits = OverloadedError(detail, code="queue-full")
        self._read = stays
        await self._let_go(over)
        return waits

    async def _acknowledge(self) -> None:
        """Let the broker forget what has arrived."""
        if not self._published:
            return
        path = self._path
        on_their_way = set(
            await path.arrivals.on_their_way(path.reading.producer.hub, list(self._published))
        )
        arrived = [alert_id for alert_id in self._published if alert_id not in on_their_way]
        await self._line.ack([each for alert_id in arrived for each in self._published[alert_id]])
        for alert_id in arrived:
            del self._published[alert_id]

    async def _bury(self) -> None:
        """Move what is given up to the dead letters, one by one."""
        while self._faulty:
            await self._path.burial.bury(self._line, self._faulty[0])
            log.error(
                "source.message_dead",
                source=self._path.name,
                reason=self._faulty[0].reason,
                detail=self._faulty[0].detail,
                deliveries=self._faulty[0].message.deliveries,
            )
            del self._faulty[0]
            self._count("dead")

    def _count(self, outcome: str, messages: int = 1) -> None:
        self._path.metrics.source_messages.labels(self._path.name, outcome).inc(messages)


def _mark(message: Message) -> int:
    """Return what tells a message from others within this process."""
    return hash((message.id, message.body))
