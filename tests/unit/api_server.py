"""The HTTP application on the memory store, called in process."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec
from cryptography.fernet import Fernet

from tests.unit.realtime_fakes import NoHandlers
from tests.unit.scripted_outbound import ScriptedOutbound
from tests.unit.scripted_provider import ScriptedProvider
from tocsin.adapters.memory.fanout import MemoryFanout
from tocsin.adapters.memory.peers import NoPeers
from tocsin.adapters.memory.store import MemoryStore
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
from tocsin.api.endpoints import find_endpoints
from tocsin.api.event_handlers import EventHandlers
from tocsin.api.events import Events
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
from tocsin.api.seal import Seal
from tocsin.api.shims import Shims
from tocsin.api.stream import InboxStream
from tocsin.api.topics import Topics
from tocsin.api.vapid_keys import VapidKeyRoutes
from tocsin.api.web_files import WebFiles
from tocsin.api.webhooks import Webhooks
from tocsin.api.webpubsub.access import ServiceAccess
from tocsin.api.webpubsub.routes import DataPlane
from tocsin.config import Hub, Limits, Rates
from tocsin.config import Webhooks as Patience
from tocsin.events.registry import Registry
from tocsin.events.rules import Rules
from tocsin.events.sender import Sender
from tocsin.events.validation import Validator
from tocsin.inbox.actor import Actor
from tocsin.inbox.eraser import Eraser
from tocsin.inbox.recorder import Recorder
from tocsin.ingest.episodes import Episodes
from tocsin.ingest.publisher import Publisher
from tocsin.ingest.withdrawer import Withdrawer
from tocsin.ports.care import Finding
from tocsin.ports.fanout import Announcement
from tocsin.ports.store import Role
from tocsin.process.worker import Worker
from tocsin.push.registrar import Registrar
from tocsin.push.tester import Tester
from tocsin.push.vapid import VapidRing
from tocsin.realtime.doorkeeper import Doorkeeper
from tocsin.realtime.gateway import Gateway
from tocsin.realtime.revocations import Revocations
from tocsin.realtime.settings import GatewaySettings
from tocsin.supervisor import Supervisor
from tocsin.telemetry import Metrics
from tocsin.testing import ManualClock

ORIGIN = "https://app.example"
# Read once: nothing changes them, and they are hundreds.
WEB_FILES = WebFiles()
HUBS = {"default": Hub(allowed_origins=(ORIGIN,), open_topics=("news", "build-*"))}


@dataclass
class Server:
    """The application and what stands behind it."""

    http: httpx.AsyncClient
    store: MemoryStore
    fanout: MemoryFanout
    keyring: KeyRing
    worker: Worker
    clock: ManualClock
    recorder: Recorder
    sender: Sender
    outbound: ScriptedOutbound
    app: App
    provider: ScriptedProvider
    of_push: list[Finding]
    resources: Resources
    leaving: asyncio.Event

    async def key(self, role: Role = "producer", hub: str = "default") -> dict[str, str]:
        """Make a key and return the header that carries it."""
        text, _ = await self.keyring.create(hub, role, f"{role}-name")
        return {"authorization": f"Bearer {text}"}

    async def token(self, user: str, hub: str = "default") -> dict[str, str]:
        """Issue a client token and return the header that carries it."""
        answer = await self.http.post(
            "/v1/client-tokens", json={"user_id": user}, headers=await self.key("server", hub)
        )
        return {"authorization": f"Bearer {answer.json()['token']}"}

    def frames(self) -> list[dict[str, Any]]:
        """Return the list that every frame announced from now on is put on."""
        frames: list[dict[str, Any]] = []

        def heard(announcements: Sequence[Announcement]) -> None:
            frames.extend(msgspec.json.decode(one.body) for one in announcements)

        self.fanout.listen(heard, lambda: None)
        return frames

    async def publish(self, **alert: object) -> httpx.Response:
        """Publish one alert to Ada, unless told otherwise, and process it."""
        body = {"to": {"users": ["ada"]}, "title": "Hello", **alert}
        answer = await self.http.post("/v1/alerts", json=body, headers=await self.key())
        await self.worker.step()
        return answer


@asynccontextmanager
async def running(
    limits: Limits | None = None,
    *,
    demo: bool = False,
    client: str = "203.0.113.9",
    hubs: Mapping[str, Hub] | None = None,
    rates: Rates | None = None,
) -> AsyncIterator[Server]:
    """Put an application together on the memory store."""
    limits = limits or Limits()
    clock, metrics, supervisor = ManualClock(), Metrics(), Supervisor()
    store, fanout = MemoryStore(clock), MemoryFanout()
    endpoints = find_endpoints("127.0.0.1", 8080, None, tls=False)
    seal = Seal(Fernet.generate_key())
    keyring = KeyRing(store, seal, clock, Revocations(store.people, seal.pseudonym, clock))
    doorkeeper = Doorkeeper(keyring, endpoints.accepted, clock)
    auth = Authenticator(keyring, doorkeeper, Callers(rates or Rates(), clock))
    publisher, withdrawer = Publisher(store.queue, supervisor, metrics), Withdrawer(store, fanout)
    alerts = Alerts(auth, publisher, withdrawer, store, store.receipts, clock, limits)
    recorder = Recorder(store.receipts, {}, Hub().receipts, store.pushes, metrics)
    supervisor.keep("inbox.recorder", recorder.run)
    episodes = Episodes(publisher, withdrawer, store.queue, store, clock, limits)
    tokens = ClientTokens(auth, keyring, store, endpoints, clock, limits)
    gateway = Gateway(  # never started: it accepts nobody
        store=store,
        doorkeeper=doorkeeper,
        fanout=fanout,
        peers=NoPeers(),
        clock=clock,
        supervisor=supervisor,
        settings=GatewaySettings(),
        endpoints=endpoints.accepted,
        recorder=recorder,
        handlers=NoHandlers(),
    )
    patience, outbound, leaving = Patience(), ScriptedOutbound(), asyncio.Event()
    validator = Validator(outbound, "127.0.0.1:8080", clock, supervisor, 10)
    rules = Rules(store.event_handlers, outbound, seal, validator, 20)
    rules.read_file({n: h.event_handlers for n, h in (hubs or {}).items()})
    sender = Sender(
        receipts=store.receipts,
        webhooks=store.webhooks,
        outbound=outbound,
        seal=seal,
        clock=clock,
        supervisor=supervisor,
        metrics=metrics,
        patience=patience,
        call_s=15,
    )
    vapid = VapidRing(store.vapid_keys, store.devices, seal, clock)
    await vapid.load()
    registrar = Registrar(
        store.devices,
        vapid,
        outbound,
        clock,
        platforms=frozenset({"webpush", "fcm"}),
        hosts=(),
        most=3,
    )
    provider, of_push = ScriptedProvider(), list[Finding]()
    tester = Tester({"fcm": provider}, store.devices, clock, None)
    receipts = Receipts(auth, recorder, store.traces, clock)
    resources = Resources(
        alerts=alerts,
        published=Published(auth, store),
        events=Events(auth, alerts, clock, limits),
        dry_run=DryRun(auth, alerts, store.topics),
        topics=Topics(auth, store.topics, limits),
        own_topics=OwnTopics(auth, store.topics, HUBS, limits),
        shims=Shims(auth, episodes, clock, limits, hubs or {}),
        tokens=tokens,
        inbox=Inbox(auth, store, Actor(store, fanout, recorder, clock)),
        receipts=receipts,
        stream=InboxStream(auth, keyring, gateway, store),
        admin=Admin(auth, keyring),
        access_keys=AccessKeyRoutes(auth, keyring, endpoints, gateway),
        dead=DeadLetters(auth, store.queue),
        dead_pushes=DeadPushes(auth, store.dead_pushes, clock),
        devices=Devices(auth, store.devices, registrar, vapid, tester, clock),
        vapid_keys=VapidKeyRoutes(auth, vapid),
        doctor=Doctor(auth, store, store.queue, store, clock, [lambda: of_push]),
        people=People(
            auth,
            keyring.revocations,
            gateway,
            Eraser(store.erasures, supervisor),
            store.erasures,
            store.holdings,
            seal,
            clock,
        ),
        preferences=PreferenceRoutes(auth, store.preferences, fanout),
        audit=Audit(auth, store.deeds, seal, clock),
        operations=Operations(
            auth, store, store.queue, metrics, clock, gateway.stats, leaving.is_set
        ),
        event_handlers=EventHandlers(auth, rules, clock),
        webhooks=Webhooks(
            auth,
            keyring,
            store.webhooks,
            Registry(store.webhooks, outbound, seal, clock, patience.per_hub),
            sender,
        ),
        data_plane=DataPlane(
            access=ServiceAccess(auth, keyring, endpoints, clock),
            keyring=keyring,
            gateway=gateway,
            endpoints=endpoints,
            clock=clock,
            limits=limits,
        ),
        web=WEB_FILES,
        demo=Demo(auth, alerts, receipts, tokens, endpoints) if demo else None,
    )
    app = App(build_router(resources), Cors(HUBS), metrics)
    worker = Worker(store.queue, store, fanout, clock, metrics)
    transport = httpx.ASGITransport(app, client=(client, 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as http:
        try:
            yield Server(
                http,
                store,
                fanout,
                keyring,
                worker,
                clock,
                recorder,
                sender,
                outbound,
                app,
                provider,
                of_push,
                resources,
                leaving,
            )
        finally:
            await supervisor.stop()
