"""What is taken in: judged by what stands in store and stream, and put into the stream."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec
import structlog
from nats.errors import Error
from nats.js.errors import NotFoundError

from tocsin.adapters.nats.line import Line
from tocsin.adapters.nats.sender import Answer, Parcel
from tocsin.clock import Clock
from tocsin.errors import TocsinError, UnavailableError
from tocsin.model.alert import Envelope
from tocsin.ports.handover import Handover, verdict
from tocsin.ports.queue import Published, Queue

log = structlog.get_logger()

_TOLD: Final[Mapping[str, Literal["accepted", "full"]]] = {"accepted": "accepted", "full": "full"}

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Envelope).decode


class Intake:
    """Publishes to the stream.

    A repeat is answered at once where the store knows the producer's id, or the stream still does.  While the store is away
    only the stream is asked; what that lets through is found when the store takes over.  What is late is not put into the stream,
    which is only asked for it; what that does not know is expired if the store does not know it either, else unknown.
    """

    def __init__(self, line: Line, kept: Queue, handover: Handover, clock: Clock) -> None:
        self._line = line
        self._kept = kept
        self._handover = handover
        self._clock = clock

    async def run(self, envelopes: Sequence[Envelope]) -> Sequence[Published]:
        """Answer each envelope, in order.

        Raises:
            UnavailableError: Nothing of it was stored.
        """
        self._line.check_connected()
        stands = await self._standing(envelopes)
        answers = dict(stands or {})
        missing = [envelope for envelope in envelopes if envelope.id not in answers]
        late = [envelope for envelope in missing if envelope.is_late]
        new = [envelope for envelope in missing if not envelope.is_late]
        now_us = self._clock.now_us()
        for_store = [envelope for envelope in new if _is_for_store(envelope, now_us)]
        for_stream = [envelope for envelope in new if not _is_for_store(envelope, now_us)]
        answers |= await self._send(for_stream)
        answers |= await self._keep(for_store, alone=not for_stream)
        answers |= await self._ask(late, "unknown" if stands is None else "expired")
        return [answers[envelope.id] for envelope in envelopes]

    async def _standing(self, envelopes: Sequence[Envelope]) -> dict[str, Published] | None:
        """Tell what stands in the store by the envelopes' ids; None while it is away."""
        try:
            found = await self._handover.standing(envelopes)
        except UnavailableError as error:
            log.warning("queue.repeats_unknown", reason=error.detail)
            return None
        pairs = zip(envelopes, found, strict=True)
        return {envelope.id: stands for envelope, stands in pairs if stands is not None}

    async def _send(self, envelopes: Sequence[Envelope]) -> dict[str, Published]:
        answers = await self._line.sender.send(self._parcels(envelopes))
        if answers and all(answer.outcome == "refused" for answer in answers):
            detail = f"queue: {answers[0].reason}; nothing was stored"
            raise UnavailableError(detail, code="queue-failed")
        for reason in {answer.reason for answer in answers if answer.reason}:
            log.warning("queue.not_accepted", reason=reason)
        return {
            envelope.id: await self._published(envelope, answer)
            for envelope, answer in zip(envelopes, answers, strict=True)
        }

    async def _ask(
        self, late: Sequence[Envelope], unless: Literal["expired", "unknown"]
    ) -> dict[str, Published]:
        """Tell what repeats one that the stream knows; what does not is ``unless``."""
        answers = await self._line.sender.ask(self._parcels(late))
        return {
            envelope.id: await self._repeat(envelope, answer.seq)
            if answer.outcome == "repeat"
            else Published(unless if answer.outcome == "absent" else "unknown", envelope.id)
            for envelope, answer in zip(late, answers, strict=True)
        }

    def _parcels(self, envelopes: Sequence[Envelope]) -> list[Parcel]:
        return [
            Parcel(self._line.stream.subject(envelope.id), _encode(envelope), _message_id(envelope))
            for envelope in envelopes
        ]

    async def _published(self, envelope: Envelope, answer: Answer) -> Published:
        if answer.outcome == "repeat":
            return await self._repeat(envelope, answer.seq)
        # What was refused beside others that were not may be told as unknown: it is repeated either way.
        return Published(_TOLD.get(answer.outcome, "unknown"), envelope.id)

    async def _repeat(self, envelope: Envelope, seq: int) -> Published:
        """Tell what stands under an id that the stream knows: in the stream still, or in the store by now."""
        try:
            first = _decode(await self._line.read(seq))
        except NotFoundError:
            stands = await self._standing([envelope]) or {}
            return stands.get(envelope.id, Published("unknown", envelope.id))
        except (Error, TimeoutError, msgspec.DecodeError):
            return Published("unknown", envelope.id)
        if first.id == envelope.id:
            return Published("accepted", envelope.id)
        return verdict(envelope, first.id, first.fingerprint)

    async def _keep(self, envelopes: Sequence[Envelope], *, alone: bool) -> dict[str, Published]:
        """Put onto the store's queue what a stream cannot keep: times to come, and ids beyond the usual."""
        if not envelopes:
            return {}
        try:
            answers = await self._kept.publish(envelopes)
        except TocsinError:
            if alone:
                raise
            answers = [Published("unknown", envelope.id) for envelope in envelopes]
        return {envelope.id: answer for envelope, answer in zip(envelopes, answers, strict=True)}


def _is_for_store(envelope: Envelope, now_us: int) -> bool:
    return envelope.keeps_id or envelope.is_scheduled(now_us)


def _message_id(envelope: Envelope) -> str:
    """Return what the stream knows a repeat by: the producer's own id, or nothing that anybody could repeat."""
    if envelope.producer_id is None:
        return envelope.id
    parts = (envelope.hub, envelope.key_id, envelope.source, envelope.producer_id)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
