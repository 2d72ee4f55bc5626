"""How sources are wired."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence

from tocsin.clock import Clock, SystemClock
from tocsin.config import Settings, Source
from tocsin.errors import ConfigError, InvalidInputError
from tocsin.ingest.sources.burial import Burial
from tocsin.ingest.sources.hand import Path
from tocsin.ingest.sources.reader import SourceReader
from tocsin.ingest.sources.reading import Reading
from tocsin.node.ground import Ground
from tocsin.ports.care import Finding
from tocsin.ports.queue import Intake
from tocsin.ports.source import MessageSource
from tocsin.supervisor import Supervisor


def _rabbitmq(source: Source, _clock: Clock) -> MessageSource:
    _only(source, "RabbitMQ", "queue")
    if source.queue is None:
        raise ConfigError("queue is missing: name the queue, which must exist")
    try:
        from tocsin.adapters.rabbitmq.source import RabbitMq
    except ImportError as error:
        raise _without_driver("RabbitMQ", "rabbitmq", error) from error
    return RabbitMq(source.url.get_secret_value(), source.queue, held=source.held)


def _servicebus(source: Source, clock: Clock) -> MessageSource:
    _only(source, "Service Bus", "queue", "topic", "subscription")
    match source.queue, source.topic, source.subscription:
        case str(queue), None, None:
            place: str | tuple[str, str] = queue
        case None, str(topic), str(subscription):
            place = (topic, subscription)
        case _:
            raise ConfigError("name the queue; or instead of it topic and subscription, both")
    try:
        from tocsin.adapters.servicebus.source import ServiceBus
    except ImportError as error:
        raise _without_driver("Azure Service Bus", "servicebus", error) from error
    try:
        return ServiceBus(source.url.get_secret_value(), clock, place)
    except ValueError as error:
        detail = f"url is no connection string of Service Bus: {error}"
        raise ConfigError(detail) from error


def _nats(source: Source, _clock: Clock) -> MessageSource:
    _only(source, "NATS", "stream", "consumer", "subject")
    if source.stream is None:
        raise ConfigError("stream is missing: name the stream, which must exist")
    if source.consumer is None:
        raise ConfigError("consumer is missing: name the durable consumer, e.g. tocsin")
    try:
        from tocsin.adapters.nats.source import NatsSource, Taken
    except ImportError as error:
        raise _without_driver("NATS", "nats", error) from error
    taken = Taken(source.stream, source.consumer, source.subject)
    return NatsSource(source.url.get_secret_value(), taken)


def _only(source: Source, broker: str, *own: str) -> None:
    """See that no place is named of which this broker has none."""
    others = [name for name in _PLACES if name not in own and getattr(source, name) is not None]
    if others:
        detail = f"{broker} has no {' and no '.join(others)}; it has {', '.join(own)}"
        raise ConfigError(detail)


_PLACES = ("queue", "topic", "subscription", "stream", "consumer", "subject")
# The beginnings of URLs, what makes such a source, and whether its broker always has a place for dead letters.
_BROKERS: Mapping[str, tuple[Callable[[Source, Clock], MessageSource], bool]] = {
    r"amqps?://.": (_rabbitmq, False),
    r"(?i)endpoint=sb://.": (_servicebus, True),
    r"(nats|tls)://[^/]+/?$": (_nats, False),
}


class Sources:
    """Every source of the settings, or none where other processes have that role; nothing connects before :meth:`start`."""

    def __init__(self, ground: Ground, publisher: Intake) -> None:
        settings = ground.settings
        # A reader that is never started would tell by its metrics, and the doctor, that its broker is away.
        sources = settings.sources if "sources" in settings.roles else {}
        self.readers = [
            _reader(name, source, ground, publisher) for name, source in sources.items()
        ]
        self._running: list[asyncio.Task[None]] = []

    def start(self, supervisor: Supervisor) -> None:
        """Read every source, each in a task of its own."""
        self._running = [
            supervisor.keep(f"source.{reader.name}", reader.run) for reader in self.readers
        ]

    async def finish(self, within_s: float) -> None:
        """Receive nothing more, and let what is in hand come to its end; the rest comes again (I2)."""
        for reader in self.readers:
            reader.stop()
        if self._running:
            await asyncio.wait(self._running, timeout=within_s)

    def findings(self) -> Sequence[Finding]:
        """Tell how each is, for ``tocsin doctor``."""
        return [reader.finding() for reader in self.readers]


def check_sources(settings: Settings) -> None:
    """See that the sources of the settings can be, without connecting to any.

    Raises:
        ConfigError: One cannot; the detail names it and the remedy.
    """
    for name, source in settings.sources.items():
        _made(name, source, settings, SystemClock())


def _reader(name: str, source: Source, ground: Ground, publisher: Intake) -> SourceReader:
    reading, broker, buries = _made(name, source, ground.settings, ground.clock)
    by_broker = buries if source.dead_letters is None else source.dead_letters == "broker"
    path = Path(
        name=name,
        reading=reading,
        max_deliveries=source.max_deliveries,
        publisher=publisher,
        arrivals=ground.store.arrivals,
        burial=Burial(reading.producer, ground.store.queue, ground.clock, by_broker=by_broker),
        clock=ground.clock,
        metrics=ground.metrics,
    )
    return SourceReader(path, broker, source.held)


def _made(
    name: str, source: Source, settings: Settings, clock: Clock
) -> tuple[Reading, MessageSource, bool]:
    try:
        return Reading(name, source, settings.limits), *_broker(source, clock)
    except (ConfigError, InvalidInputError) as error:
        detail = f"sources.{name}: {error.detail}"
        raise ConfigError(detail) from error


def _broker(source: Source, clock: Clock) -> tuple[MessageSource, bool]:
    url = source.url.get_secret_value()
    for beginning, (make, buries) in _BROKERS.items():
        if re.match(beginning, url):
            return make(source, clock), buries
    detail = (
        "url is of no broker that is known: write amqp://USER:PASSWORD@HOST/VHOST for RabbitMQ, "
        "the connection string of Azure Service Bus, or nats://USER:PASSWORD@HOST:PORT,HOST:PORT"
    )
    raise ConfigError(detail)


def _without_driver(broker: str, extra: str, error: ImportError) -> ConfigError:
    detail = f"the driver of {broker} is not installed ({error}): pip install 'tocsin[{extra}]'"
    return ConfigError(detail)
