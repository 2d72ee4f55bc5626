"""Messages that cannot become alerts: given to the broker's dead letters, or kept among Tocsin's own (I11)."""

import base64
import uuid
from typing import Final, NamedTuple

import msgspec

from tocsin.clock import Clock, to_rfc3339
from tocsin.ingest.admission import Producer
from tocsin.model.alert import Audience, Content, Envelope
from tocsin.ports.queue import DeadLetter, DeadLetters
from tocsin.ports.source import Message, SourceLine

# Of a longer body the beginning is kept, with its length.
KEPT_BYTES: Final = 1_048_576
_TITLE: Final = "A message that could not be read"
_NAMES: Final = uuid.UUID("8f3c1f0e-5d0a-5c5b-9a67-0d9f6f0f7c11")


class Faulty(NamedTuple):
    """A message that is given up: why, as a code and as a sentence."""

    message: Message
    reason: str
    detail: str


class Burial:
    """Where the unreadable messages of one source go.

    Tocsin's own dead letters name nobody as their audience, and have the message as their data.
    """

    def __init__(
        self, producer: Producer, dead: DeadLetters, clock: Clock, *, by_broker: bool
    ) -> None:
        self._producer = producer
        self._dead = dead
        self._clock = clock
        self._by_broker = by_broker

    async def bury(self, line: SourceLine, faulty: Faulty) -> None:
        """Move one message to the dead letters; the broker forgets it only after it is there.

        Raises:
            LineLostError: The line is gone; the message comes again.
            UnavailableError: The store did not keep it; try again.
        """
        if self._by_broker:
            await line.reject(faulty.message, reason=faulty.reason, detail=faulty.detail)
            return
        await self._dead.keep_dead(self._letter(faulty))
        await line.ack([faulty.message])

    def _letter(self, faulty: Faulty) -> DeadLetter:
        now_us = self._clock.now_us()
        message, producer = faulty.message, self._producer
        content = Content(
            source=producer.name,
            title=_TITLE,
            severity="error",
            created_at=to_rfc3339(now_us),
            data=msgspec.Raw(msgspec.json.encode(_shown(message))),
        )
        envelope = Envelope(
            id=_letter_id(producer, message),
            hub=producer.hub,
            key_id=producer.key_id,
            audience=Audience(),
            content=msgspec.Raw(msgspec.json.encode(content)),
            accepted_us=now_us,
            source=producer.name,
        )
        reason = f"{faulty.reason}: {faulty.detail}"[:500]
        return DeadLetter(envelope, message.deliveries + 1, reason, now_us)


def _letter_id(producer: Producer, message: Message) -> str:
    """Return the same id for the same message, so that one that comes again is one letter."""
    name = f"{producer.key_id}\n{message.id}\n".encode() + message.body
    return str(uuid.uuid5(_NAMES, name.decode("latin-1")))


def _shown(message: Message) -> dict[str, object]:
    shown: dict[str, object] = {
        "message_id": message.id,
        "content_type": message.content_type,
        "headers": message.headers,
        "bytes": len(message.body),
    }
    kept = message.body[:KEPT_BYTES]
    try:
        shown["body"] = kept.decode()
    except UnicodeDecodeError:
        shown["body_base64"] = base64.b64encode(kept).decode()
    return shown
