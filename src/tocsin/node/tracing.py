"""Whether alerts are traced: if not, nothing of it is imported, and the parts stand in front of each other as they are."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from tocsin.clock import Clock
from tocsin.config import Settings
from tocsin.errors import ConfigError
from tocsin.model.device import Platform
from tocsin.ports.fanout import Announcer
from tocsin.ports.push import PushProvider
from tocsin.ports.queue import Intake
from tocsin.ports.receipts import Recorder
from tocsin.ports.store import Deliveries


class Tracing(Protocol):
    """Puts something in front of the parts that take an alert on its way, or nothing."""

    def intake(self, intake: Intake) -> Intake:
        """Return where alerts are taken in."""
        ...

    def deliveries(self, deliveries: Deliveries) -> Deliveries:
        """Return what brings alerts into inboxes."""
        ...

    def announcer(self, announcer: Announcer) -> Announcer:
        """Return what takes announcements of arrivals."""
        ...

    def recorder(self, recorder: Recorder) -> Recorder:
        """Return what takes receipts."""
        ...

    def provider(self, platform: Platform, provider: PushProvider) -> PushProvider:
        """Return what pushes."""
        ...


class Untraced:
    """Puts nothing in front of anything."""

    def intake(self, intake: Intake) -> Intake:
        """Return it as it is."""
        return intake

    def deliveries(self, deliveries: Deliveries) -> Deliveries:
        """Return it as it is."""
        return deliveries

    def announcer(self, announcer: Announcer) -> Announcer:
        """Return it as it is."""
        return announcer

    def recorder(self, recorder: Recorder) -> Recorder:
        """Return it as it is."""
        return recorder

    def provider(self, platform: Platform, provider: PushProvider) -> PushProvider:  # noqa: ARG002 -- for those that are traced
        """Return it as it is."""
        return provider


@asynccontextmanager
async def opened_tracing(settings: Settings, clock: Clock) -> AsyncIterator[Tracing]:
    """Trace alerts if the settings say where to, and send the last spans at the end.

    Raises:
        ConfigError: OpenTelemetry is not installed.
    """
    endpoint = settings.traces.endpoint
    if endpoint is None:
        yield Untraced()
        return
    check_tracing(settings)
    from tocsin.adapters.otel.pipeline import opened_spans
    from tocsin.adapters.otel.tracing import Traced

    async with opened_spans(endpoint, settings.traces.share, settings.roles) as spans:
        yield Traced(spans, clock)


def check_tracing(settings: Settings) -> None:
    """See that what traces need is installed, if they are asked for.

    Raises:
        ConfigError: It is not.
    """
    if settings.traces.endpoint is None:
        return
    try:
        import tocsin.adapters.otel.pipeline  # noqa: F401 -- whether it can be is the question
    except ImportError as error:
        detail = (
            f"traces.endpoint is set, and OpenTelemetry is not installed ({error}): "
            "pip install 'tocsin[otel]'"
        )
        raise ConfigError(detail) from error
