"""How event handlers are wired."""

from urllib.parse import urlsplit

from tocsin.adapters.outbound.client import OutboundClient
from tocsin.api.keyring import KeyRing
from tocsin.config import Outbound, Settings, WantedHandler
from tocsin.errors import ConfigError
from tocsin.events.caller import Caller
from tocsin.events.lines import Lines
from tocsin.events.rules import Rules, read_file
from tocsin.events.validation import Validator
from tocsin.model.event_handler import VALIDATE
from tocsin.node.ground import Ground
from tocsin.telemetry import Metrics


class Handlers:
    """The event handlers of the file and of the store, and the lines on which they are asked."""

    def __init__(self, ground: Ground, keyring: KeyRing) -> None:
        asking, clock = ground.settings.event_handlers, ground.clock
        origin = urlsplit(ground.endpoints.public).netloc
        self.outbound = OutboundClient(_outbound(ground.settings), ground.metrics)
        validator = Validator(self.outbound, origin, clock, ground.supervisor, asking.timeout_s)
        self.rules = Rules(
            ground.store.event_handlers, self.outbound, ground.seal, validator, asking.per_hub
        )
        self.lines = Lines(
            self.rules,
            Caller(self.outbound, keyring, origin, clock),
            asking,
            ground.supervisor,
            ground.metrics,
        )


def in_file(settings: Settings) -> dict[str, tuple[WantedHandler, ...]]:
    """Return the event handlers that the settings have, by hub."""
    return {name: hub.event_handlers for name, hub in settings.hubs.items()}


async def check_event_handlers(settings: Settings) -> None:
    """See that the event handlers of the settings can be, and may be called; their names are resolved.

    A server starts even so where only the call is not allowed: what a name resolves to may change any time.

    Raises:
        ConfigError: Some cannot; the detail names all that may not be called.
    """
    outbound = OutboundClient(_outbound(settings), Metrics())
    refused = []
    try:
        for handler, _authorization, where in read_file(in_file(settings)):
            refusal = await outbound.refusal(handler.address(VALIDATE))
            if refusal is not None:
                refused.append(f"{where}: {refusal.reason}")
    finally:
        await outbound.close()
    if refused:
        raise ConfigError("\n".join(refused))


def _outbound(settings: Settings) -> Outbound:
    """Give event handlers connections of their own: who waits for one delays no webhook and no push (I6)."""
    asking = settings.event_handlers
    return settings.outbound.model_copy(
        update={
            "connections": max(settings.outbound.connections, asking.calls_per_hub),
            "connections_per_host": asking.calls_per_hub,
            "answer_bytes": asking.answer_bytes,
            "total_s": asking.timeout_s,
        }
    )
