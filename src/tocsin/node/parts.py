"""What a node is made of: which adapter stands behind which port, and who is given whom."""

from tocsin.adapters.outbound.client import OutboundClient
from tocsin.api.keyring import KeyRing
from tocsin.config import Hub, Settings
from tocsin.events.registry import Registry
from tocsin.events.sender import Sender
from tocsin.inbox.eraser import Eraser
from tocsin.inbox.recorder import Recorder
from tocsin.ingest.publisher import Publisher
from tocsin.node.ground import Ground
from tocsin.node.handlers import Handlers
from tocsin.node.pushing import Pushing
from tocsin.node.sources import Sources
from tocsin.process.sweeper import Sweeper
from tocsin.process.worker import PATIENCE_S, Worker
from tocsin.realtime.doorkeeper import Doorkeeper
from tocsin.realtime.gateway import Gateway
from tocsin.realtime.issuer import Issuer
from tocsin.realtime.key_set import KeySet
from tocsin.realtime.revocations import Revocations
from tocsin.realtime.settings import GatewaySettings, Replay

# Each beat also pings, and a dead peer has to be noticed.
LONGEST_BEAT_S = 30.0
# For a handshake, without the time its event handler takes.
HANDSHAKE_S = 10.0


class Parts:
    """Everything that a node is made of, each part given those it needs."""

    def __init__(self, ground: Ground) -> None:
        settings, store, clock = ground.settings, ground.store, ground.clock
        metrics, supervisor, tracing = ground.metrics, ground.supervisor, ground.tracing
        self.ground = ground
        revocations = Revocations(store.people, ground.seal.pseudonym, clock)
        self.keyring = KeyRing(store, ground.seal, clock, revocations)
        self.eraser = Eraser(store.erasures, supervisor)
        self.outbound = OutboundClient(settings.outbound, metrics)
        self.recorder = Recorder(
            store.receipts,
            {name: hub.receipts for name, hub in settings.hubs.items()},
            Hub().receipts,
            store.pushes,
            metrics,
        )
        self.receipts = tracing.recorder(self.recorder)
        self.sender = Sender(
            receipts=store.receipts,
            webhooks=store.webhooks,
            outbound=self.outbound,
            seal=ground.seal,
            clock=clock,
            supervisor=supervisor,
            metrics=metrics,
            patience=settings.webhooks,
            call_s=settings.outbound.total_s,
        )
        self.registry = Registry(
            store.webhooks, self.outbound, ground.seal, clock, settings.webhooks.per_hub
        )
        self.doorkeeper = Doorkeeper(
            self.keyring, ground.endpoints.accepted, clock, _issuers(ground, self.outbound)
        )
        self.handlers = Handlers(ground, self.keyring)
        self.gateway = Gateway(
            store=store,
            doorkeeper=self.doorkeeper,
            fanout=ground.fanout,
            peers=ground.peers,
            clock=clock,
            supervisor=supervisor,
            settings=_gateway_settings(settings),
            endpoints=ground.endpoints.accepted,
            recorder=self.receipts,
            handlers=self.handlers.lines,
            recovery_secret=ground.seal.derived("recovery"),
        )
        self.publisher = Publisher(ground.queue, supervisor, metrics)
        self.intake = tracing.intake(self.publisher)
        # What a broker keeps until it has arrived is not put into another one meanwhile: the store knows where it is.
        into_store = Publisher(store.queue, supervisor, metrics)
        self.sources = Sources(ground, tracing.intake(into_store))
        self.worker = Worker(
            ground.queue,
            tracing.deliveries(store),
            tracing.announcer(ground.fanout),
            clock,
            metrics,
            self._calm,
        )
        self.sweeper = Sweeper(store, ground.fanout)
        self.pushing = Pushing(ground, self.receipts, self.gateway.is_present)

    async def _calm(self, within_s: float) -> None:
        """Let what was taken in, and what is known of earlier deliveries, reach the disk first."""
        await self.publisher.calm(within_s)
        await self.recorder.caught_up(PATIENCE_S)


def _issuers(ground: Ground, outbound: OutboundClient) -> dict[str, Issuer]:
    issuers = {}
    for name, hub in ground.settings.hubs.items():
        said = hub.issuer
        if said is not None:
            keys = KeySet(said.jwks_url, said.algorithms, outbound, ground.clock, ground.supervisor)
            issuers[name] = Issuer(name, said, keys)
    return issuers


def _gateway_settings(settings: Settings) -> GatewaySettings:
    limits = settings.limits
    return GatewaySettings(
        message_bytes=limits.message_bytes,
        outbox_bytes=limits.outbox_bytes,
        replay=Replay(limits.replay_messages, limits.replay_bytes),
        detached_bytes=limits.detached_bytes,
        connections_per_user=limits.connections_per_user,
        groups_per_connection=limits.groups_per_connection,
        messages=settings.rates.connection_messages,
        messages_window_s=settings.rates.connection_window_s,
        handshake_s=HANDSHAKE_S + settings.event_handlers.timeout_s,
        beat_s=min(settings.anti_entropy_s, LONGEST_BEAT_S),
        recovery_window_s=settings.recovery_window_s,
        comeback_s=settings.drain_comeback_s,
        permessage_deflate=settings.permessage_deflate,
        cut_at_expiry=frozenset(name for name, hub in settings.hubs.items() if hub.cut_at_expiry),
        allowed_origins={name: hub.allowed_origins for name, hub in settings.hubs.items()},
    )
