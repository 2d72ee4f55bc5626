"""What stands in front of the parts of a node that is traced."""

from tocsin.adapters.otel.parts import (
    TracedAnnouncer,
    TracedDeliveries,
    TracedIntake,
    TracedProvider,
    TracedRecorder,
)
from tocsin.adapters.otel.spans import Spans
from tocsin.clock import Clock
from tocsin.model.device import Platform
from tocsin.ports.fanout import Announcer
from tocsin.ports.push import PushProvider
from tocsin.ports.queue import Intake
from tocsin.ports.receipts import Recorder
from tocsin.ports.store import Deliveries


class Traced:
    """Puts spans around parts."""

    def __init__(self, spans: Spans, clock: Clock) -> None:
        self._spans = spans
        self._clock = clock

    def intake(self, intake: Intake) -> Intake:
        """Return where alerts are taken in, with the beginnings of traces."""
        return TracedIntake(intake, self._spans, self._clock)

    def deliveries(self, deliveries: Deliveries) -> Deliveries:
        """Return what brings alerts into inboxes, with spans."""
        return TracedDeliveries(deliveries, self._spans, self._clock)

    def announcer(self, announcer: Announcer) -> Announcer:
        """Return what takes announcements of arrivals, with spans."""
        return TracedAnnouncer(announcer, self._spans, self._clock)

    def recorder(self, recorder: Recorder) -> Recorder:
        """Return what takes receipts, with spans."""
        return TracedRecorder(recorder, self._spans, self._clock)

    def provider(self, platform: Platform, provider: PushProvider) -> PushProvider:
        """Return what pushes, with spans."""
        return TracedProvider(provider, platform, self._spans, self._clock)
