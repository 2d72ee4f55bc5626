"""The composition root: settings in, a running node out.  The only place that names adapters."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import structlog

from tocsin.adapters.fcm.provider import Fcm
from tocsin.adapters.fcm.service_account import read_service_account
from tocsin.adapters.memory.fanout import MemoryFanout
from tocsin.adapters.outbound.client import OutboundClient
from tocsin.adapters.sql.store.base import SqlStore
from tocsin.adapters.sqlite.care import SqliteCare
from tocsin.adapters.sqlite.store import SqliteStore
from tocsin.adapters.webpush.provider import WebPush
from tocsin.api.access_keys import AccessKeyRoutes
from tocsin.api.admin import Admin
from tocsin.api.alerts import Alerts
from tocsin.api.app import App
from tocsin.api.audit import Audit
from tocsin.api.auth import Authenticator
from tocsin.api.client_tokens import ClientTokens
from tocsin.api.cors import Cors
from tocsin.api.dead_letters import DeadLetters
from tocsin.api.dead_pushes import DeadPushes
from tocsin.api.demo import Demo
from tocsin.api.devices import Devices
from tocsin.api.doctor import Doctor
from tocsin.api.dry_run import DryRun
from tocsin.api.endpoints import Endpoints, find_endpoints
from tocsin.api.event_handlers import EventHandlers
from tocsin.api.events import Events
from tocsin.api.http import Receive, Scope, Send
from tocsin.api.inbox import Inbox
from tocsin.api.keyring import KeyRing
from tocsin.api.operations import Operations
from tocsin.api.own_topics import OwnTopics
from tocsin.api.people import People
from tocsin.api.preferences import PreferenceRoutes
from tocsin.api.published import Published
from tocsin.api.rates import Callers
from tocsin.api.receipts import Receipts
from tocsin.api.routes import Resources, build_router
from tocsin.api.seal import KEY_FILE, open_seal
from tocsin.api.shims import Shims
from tocsin.api.stream import InboxStream
from tocsin.api.topics import Topics
from tocsin.api.vapid_keys import VapidKeyRoutes
from tocsin.api.web_files import WebFiles
from tocsin.api.webhooks import Webhooks
from tocsin.api.webpubsub.access import ServiceAccess
from tocsin.api.webpubsub.routes import DataPlane
from tocsin.clock import US_PER_S, SystemClock
from tocsin.config import Hub, Outbound, Settings, WantedHandler
from tocsin.errors import ConfigError
from tocsin.events.caller import Caller
from tocsin.events.lines import Lines
from tocsin.events.registry import Registry
from tocsin.events.rules import Rules, read_file
from tocsin.events.sender import Sender
from tocsin.events.validation import Validator
from tocsin.inbox.actor import Actor
from tocsin.inbox.eraser import Eraser
from tocsin.inbox.recorder import Recorder
from tocsin.ingest.episodes import Episodes
from tocsin.ingest.publisher import Publisher
from tocsin.ingest.withdrawer import Withdrawer
from tocsin.model.device import Platform
from tocsin.model.event_handler import VALIDATE
from tocsin.model.push_host import KNOWN_PUSH_HOSTS
from tocsin.ports.care import FolderCare
from tocsin.ports.limits import StoreLimits
from tocsin.ports.push import PushProvider
from tocsin.process.sweeper import Sweeper
from tocsin.process.worker import PATIENCE_S, Worker
from tocsin.push.dispatcher import Dispatcher
from tocsin.push.gate import Gate
from tocsin.push.health import PushHealth
from tocsin.push.recaller import Recaller
from tocsin.push.registrar import Registrar
from tocsin.push.storm import StormGuard
from tocsin.push.tester import Tester
from tocsin.push.vapid import VapidRing
from tocsin.realtime.doorkeeper import Doorkeeper
from tocsin.realtime.gateway import Gateway
from tocsin.realtime.issuer import Issuer
from tocsin.realtime.key_set import KeySet
from tocsin.realtime.revocations import Revocations
from tocsin.realtime.settings import GatewaySettings, Replay
from tocsin.supervisor import Supervisor
from tocsin.telemetry import Metrics

log = structlog.get_logger()

# Each beat also pings, and a dead peer has to be noticed.
LONGEST_BEAT_S = 30.0
# For a handshake, without the time its event handler takes.
HANDSHAKE_S = 10.0
_DAY_US = 86_400 * US_PER_S


class Node:
    """One process of Tocsin, put together and not yet listening."""

    def __init__(self, settings: Settings, store: SqlStore, endpoints: Endpoints) -> None:
        self.settings = settings
        self.store = store
        self.endpoints = endpoints
        self.clock = SystemClock()
        self.metrics = Metrics()
        self.supervisor = Supervisor()
        self.fanout = MemoryFanout()
        self.seal = open_seal(settings.data_dir)
        revocations = Revocations(store.people, self.seal.pseudonym, self.clock)
        self.keyring = KeyRing(store, self.seal, self.clock, revocations)
        self.eraser = Eraser(store.erasures, self.supervisor)
        self.outbound = OutboundClient(settings.outbound, self.metrics)
        self.recorder = Recorder(
            store.receipts,
            {name: hub.receipts for name, hub in settings.hubs.items()},
            Hub().receipts,
            store.pushes,
            self.metrics,
        )
        self.sender = Sender(
            receipts=store.receipts,
            webhooks=store.webhooks,
            outbound=self.outbound,
            seal=self.seal,
            clock=self.clock,
            supervisor=self.supervisor,
            metrics=self.metrics,
            patience=settings.webhooks,
        )
        self.registry = Registry(
            store.webhooks, self.outbound, self.seal, self.clock, settings.webhooks.per_hub
        )
        self.doorkeeper = Doorkeeper(
            self.keyring, endpoints.accepted, self.clock, self._issuers(settings.hubs)
        )
        self.handlers_outbound = OutboundClient(_handlers_outbound(settings), self.metrics)
        origin = urlsplit(endpoints.public).netloc
        asking = settings.event_handlers
        validator = Validator(
            self.handlers_outbound, origin, self.clock, self.supervisor, asking.timeout_s
        )
        self.rules = Rules(
            store.event_handlers, self.handlers_outbound, self.seal, validator, asking.per_hub
        )
        self.lines = Lines(
            self.rules,
            Caller(self.handlers_outbound, self.keyring, origin, self.clock),
            asking,
            self.supervisor,
            self.metrics,
        )
        self.gateway = Gateway(
            store=store,
            doorkeeper=self.doorkeeper,
            fanout=self.fanout,
            clock=self.clock,
            supervisor=self.supervisor,
            settings=_gateway_settings(settings),
            endpoints=endpoints.accepted,
            recorder=self.recorder,
            handlers=self.lines,
        )
        self._working: asyncio.Task[None] | None = None
        self.publisher = Publisher(store.queue, self.supervisor, self.metrics)
        self.worker = Worker(store.queue, store, self.fanout, self.clock, self.metrics, self._calm)
        self.sweeper = Sweeper(store, self.fanout)
        self.push_outbound = OutboundClient(_push_outbound(settings), self.metrics)
        self.vapid = VapidRing(store.vapid_keys, store.devices, self.seal, self.clock)
        self.providers = self._providers()
        self.tester = Tester(self.providers, store.devices, self.clock, settings.push.app_url)
        self.recaller = Recaller(store.pushes, self.clock)
        self.fanout.listen(self.recaller.heard, self.recaller.look_at_all)
        self.dispatcher = Dispatcher(
            pushes=store.pushes,
            providers=self.providers,
            recorder=self.recorder,
            clock=self.clock,
            gate=Gate(
                self.gateway.is_present,
                store.preferences,
                StormGuard(settings.push.storm_pushes, settings.push.storm_s),
            ),
            supervisor=self.supervisor,
            metrics=self.metrics,
            settings=settings.push,
        )
        self.fanout.listen(self.dispatcher.heard, self.dispatcher.wake)
        self.app = App(build_router(self._resources()), Cors(settings.hubs), self.metrics)

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, settings: Settings, endpoints: Endpoints | None = None
    ) -> AsyncIterator["Node"]:
        """Open the data folder and put a node together; close it at the end.

        Raises:
            ConfigError: The folder cannot be used, another process holds it, or its schema is newer than this program.
        """
        tls = settings.tls_cert is not None
        found = endpoints or find_endpoints(
            settings.host,
            settings.port,
            settings.public_url,
            tls=tls,
            others=settings.other_urls,
        )
        store = await _open_store(settings)
        try:
            node = cls(settings, store, found)
            try:
                await node.keyring.load()
                node.rules.read_file(_handlers_in_file(settings))
                await node.vapid.load()
                await node.rules.load()
                await node.eraser.resume()
                yield node
            finally:
                await node.supervisor.stop()
                await node.outbound.close()
                await node.handlers_outbound.close()
                await node.push_outbound.close()
        finally:
            await store.close()

    async def local_app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of the data folder's owner."""
        scope["tocsin.local"] = True
        await self.app(scope, receive, send)

    def start(self) -> None:
        """Start processing, sweeping and the gateway."""
        self._working = self.supervisor.keep("process.worker", self.worker.run)
        self.supervisor.keep("process.sweeper", self.sweeper.run)
        self.supervisor.keep("inbox.recorder", self.recorder.run)
        self.supervisor.keep("events.sender", self.sender.run)
        self.supervisor.keep("push.dispatcher", self.dispatcher.run)
        self.supervisor.keep("push.recaller", self.recaller.run)
        self.gateway.start()

    async def finish_work(self, within_s: float) -> None:
        """Lease nothing more and let the batch in hand end, for at most ``within_s`` seconds.

        What is not finished then is leased again after the next start (I2).
        """
        self.worker.stop()
        self.dispatcher.stop()
        ending = [asyncio.ensure_future(self.lines.finish(within_s))]
        if self._working is not None:
            ending.append(self._working)
        await asyncio.wait(ending, timeout=within_s)
        await self.recorder.flush()

    async def _calm(self, within_s: float) -> None:
        """Let what was taken in, and what is known of earlier deliveries, reach the disk first."""
        await self.publisher.calm(within_s)
        await self.recorder.caught_up(PATIENCE_S)

    def _providers(self) -> Mapping[Platform, PushProvider]:
        push, outbound = self.settings.push, self.push_outbound
        browsers = WebPush(
            outbound,
            self.vapid,
            self.clock,
            subject=push.subject,
            topic_secret=self.seal.derived("push topics"),
            hosts=(*KNOWN_PUSH_HOSTS, *push.hosts),
        )
        if push.fcm_service_account is None:
            return {"webpush": browsers}
        account = read_service_account(push.fcm_service_account)
        return {"webpush": browsers, "fcm": Fcm(account, outbound, self.clock, push.fcm_url)}

    def _registrar(self) -> Registrar:
        return Registrar(
            self.store.devices,
            self.vapid,
            self.push_outbound,
            self.clock,
            platforms=frozenset(self.providers),
            hosts=self.settings.push.hosts,
            most=self.settings.limits.devices_per_user,
        )

    def _issuers(self, hubs: Mapping[str, Hub]) -> dict[str, Issuer]:
        issuers = {}
        for name, hub in hubs.items():
            said = hub.issuer
            if said is not None:
                keys = KeySet(
                    said.jwks_url, said.algorithms, self.outbound, self.clock, self.supervisor
                )
                issuers[name] = Issuer(name, said, keys)
        return issuers

    def _resources(self) -> Resources:
        settings, store = self.settings, self.store
        auth = Authenticator(self.keyring, self.doorkeeper, Callers(settings.rates, self.clock))
        withdrawer = Withdrawer(store, self.fanout)
        episodes = Episodes(
            self.publisher, withdrawer, store.queue, store, self.clock, settings.limits
        )
        alerts = Alerts(
            auth,
            self.publisher,
            withdrawer,
            store,
            store.receipts,
            self.clock,
            settings.limits,
        )
        tokens = ClientTokens(
            auth, self.keyring, store, self.endpoints, self.clock, settings.limits
        )
        receipts = Receipts(auth, self.recorder, store.traces, self.clock)
        return Resources(
            alerts=alerts,
            published=Published(auth, store),
            events=Events(auth, alerts, self.clock, settings.limits),
            dry_run=DryRun(auth, alerts, store.topics),
            topics=Topics(auth, store.topics, settings.limits),
            own_topics=OwnTopics(auth, store.topics, settings.hubs, settings.limits),
            shims=Shims(auth, episodes, self.clock, settings.limits, settings.hubs),
            tokens=tokens,
            inbox=Inbox(auth, store, Actor(store, self.fanout, self.recorder, self.clock)),
            receipts=receipts,
            stream=InboxStream(auth, self.keyring, self.gateway, store),
            admin=Admin(auth, self.keyring),
            access_keys=AccessKeyRoutes(auth, self.keyring, self.endpoints, self.gateway),
            dead=DeadLetters(auth, store.queue),
            dead_pushes=DeadPushes(auth, store.dead_pushes, self.clock),
            devices=Devices(
                auth, store.devices, self._registrar(), self.vapid, self.tester, self.clock
            ),
            vapid_keys=VapidKeyRoutes(auth, self.vapid),
            doctor=Doctor(auth, store, store, self.clock, PushHealth(self.dispatcher).findings),
            event_handlers=EventHandlers(auth, self.rules, self.clock),
            webhooks=Webhooks(auth, self.keyring, store.webhooks, self.registry, self.sender),
            people=People(
                auth,
                self.keyring.revocations,
                self.gateway,
                self.eraser,
                store.erasures,
                store.holdings,
                self.seal,
                self.clock,
            ),
            preferences=PreferenceRoutes(auth, store.preferences, self.fanout),
            audit=Audit(auth, store.deeds, self.seal, self.clock),
            operations=Operations(
                auth, store, store.queue, self.metrics, self.clock, self.gateway.stats
            ),
            data_plane=DataPlane(
                access=ServiceAccess(auth, self.keyring, self.endpoints, self.clock),
                keyring=self.keyring,
                gateway=self.gateway,
                endpoints=self.endpoints,
                clock=self.clock,
                limits=settings.limits,
            ),
            web=WebFiles(),
            demo=Demo(auth, alerts, receipts, tokens, self.endpoints) if settings.demo else None,
        )


async def _open_store(settings: Settings) -> SqlStore:
    clock, limits = SystemClock(), _store_limits(settings)
    if settings.store is None:
        return await SqliteStore.open(settings.data_dir, clock, limits)
    try:
        from tocsin.adapters.postgres.store import PostgresStore
    except ImportError as error:
        raise _without_driver(error) from error
    return await PostgresStore.open(
        settings.store.get_secret_value(),
        settings.data_dir,
        clock,
        limits,
        may_lose=settings.store_may_lose,
    )


def care_of(settings: Settings) -> FolderCare:
    """Return what looks after the store and its data folder, whether or not a server runs on it."""
    if settings.store is None:
        return SqliteCare(settings.data_dir, KEY_FILE, SystemClock())
    try:
        from tocsin.adapters.postgres.care import PostgresCare
    except ImportError as error:
        raise _without_driver(error) from error
    url = settings.store.get_secret_value()
    return PostgresCare(url, settings.data_dir, KEY_FILE, may_lose=settings.store_may_lose)


def _without_driver(error: ImportError) -> ConfigError:
    detail = f"store names PostgreSQL, whose driver is not installed ({error}): pip install 'tocsin[postgres]'"
    return ConfigError(detail)


def _store_limits(settings: Settings) -> StoreLimits:
    limits, retention = settings.limits, settings.retention
    return StoreLimits(
        broadcasts_per_hub=limits.broadcasts_per_hub,
        broadcast_ttl_us=retention.broadcast_days * _DAY_US,
        tombstone_us=retention.tombstones_days * _DAY_US,
        read_retention_us=retention.read_items_days * _DAY_US,
        key_memory_us=retention.producer_keys_days * _DAY_US,
        kept_ids_per_hub=limits.open_episodes,
        audit_us=retention.audit_days * _DAY_US,
        push_memory_us=retention.pushes_days * _DAY_US,
        topics_per_hub=limits.topics_per_hub,
        queue_rows=limits.queue_alerts,
        scheduled_rows=limits.scheduled_alerts,
        low_water_bytes=limits.free_disk_bytes,
    )


def _handlers_in_file(settings: Settings) -> dict[str, tuple[WantedHandler, ...]]:
    return {name: hub.event_handlers for name, hub in settings.hubs.items()}


def check_push(settings: Settings) -> None:
    """See that Firebase's key file, if there is one, can be used.

    Raises:
        ConfigError: It cannot; the detail says why.
    """
    if settings.push.fcm_service_account is not None:
        read_service_account(settings.push.fcm_service_account)


async def check_event_handlers(settings: Settings) -> None:
    """See that the event handlers of the settings can be, and may be called; their names are resolved.

    A server starts even so where only the call is not allowed: what a name resolves to may change any time.

    Raises:
        ConfigError: Some cannot; the detail names all that may not be called.
    """
    outbound = OutboundClient(_handlers_outbound(settings), Metrics())
    refused = []
    try:
        for handler, _authorization, where in read_file(_handlers_in_file(settings)):
            refusal = await outbound.refusal(handler.address(VALIDATE))
            if refusal is not None:
                refused.append(f"{where}: {refusal.reason}")
    finally:
        await outbound.close()
    if refused:
        raise ConfigError("\n".join(refused))


def _handlers_outbound(settings: Settings) -> Outbound:
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


def _push_outbound(settings: Settings) -> Outbound:
    """Give pushes connections of their own, as many as the dispatcher may have calls under way to one push service."""
    calls = settings.push.calls_per_host + settings.push.lingering_per_host
    return settings.outbound.model_copy(
        update={
            "connections": max(settings.outbound.connections, 4 * calls),
            "connections_per_host": calls,
        }
    )


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
        permessage_deflate=settings.permessage_deflate,
        cut_at_expiry=frozenset(name for name, hub in settings.hubs.items() if hub.cut_at_expiry),
        allowed_origins={name: hub.allowed_origins for name, hub in settings.hubs.items()},
    )
