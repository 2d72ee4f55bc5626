"""What a broker accepted comes onto the queue beside the memory store."""

from collections.abc import Container, Sequence

from tocsin.adapters.memory.queue import MemoryQueue
from tocsin.clock import Clock
from tocsin.model.alert import Envelope
from tocsin.ports.handover import reason, verdict
from tocsin.ports.queue import DeadLetter, Published


class MemoryHandover:
    """Takes over at once."""

    def __init__(self, queue: MemoryQueue, alerts: Container[str], clock: Clock) -> None:
        self._queue = queue
        self._alerts = alerts
        self._clock = clock

    async def take_turn(self) -> int:
        """Tell that it is this process's turn: there is no other."""
        return 1

    async def standing(self, envelopes: Sequence[Envelope]) -> Sequence[Published | None]:
        """Tell what stands under the producers' ids."""
        return [self._standing(envelope) for envelope in envelopes]

    async def take_over(self, envelopes: Sequence[Envelope]) -> None:
        """Put envelopes on the queue that are not known yet."""
        now_us = self._clock.now_us()
        for envelope in envelopes:
            if envelope.id in self._alerts or self._queue.find(envelope.id) is not None:
                continue
            stands = self._standing(envelope)
            if stands is None:
                self._queue.take(envelope, now_us)
            elif stands.id != envelope.id:
                letter = DeadLetter(envelope, 0, reason(stands), now_us)
                self._queue.dead[envelope.id] = letter

    def _standing(self, envelope: Envelope) -> Published | None:
        stands = self._queue.remembered(envelope)
        return None if stands is None else verdict(envelope, stands.alert_id, stands.fingerprint)
