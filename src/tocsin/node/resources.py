"""What answers requests, each resource given the parts it needs."""

from tocsin.api.access_keys import AccessKeyRoutes
from tocsin.api.admin import Admin
from tocsin.api.alerts import Alerts
from tocsin.api.audit import Audit
from tocsin.api.auth import Authenticator
from tocsin.api.client_tokens import ClientTokens
from tocsin.api.dead_letters import DeadLetters
from tocsin.api.dead_pushes import DeadPushes
from tocsin.api.demo import Demo
from tocsin.api.devices import Devices
from tocsin.api.doctor import Doctor
from tocsin.api.dry_run import DryRun
from tocsin.api.event_handlers import EventHandlers
from tocsin.api.events import Events
from tocsin.api.inbox import Inbox
from tocsin.api.operations import Operations
from tocsin.api.own_topics import OwnTopics
from tocsin.api.people import People
from tocsin.api.preferences import PreferenceRoutes
from tocsin.api.published import Published
from tocsin.api.rates import Callers
from tocsin.api.receipts import Receipts
from tocsin.api.routes import Resources
from tocsin.api.shims import Shims
from tocsin.api.stream import InboxStream
from tocsin.api.topics import Topics
from tocsin.api.vapid_keys import VapidKeyRoutes
from tocsin.api.web_files import WebFiles
from tocsin.api.webhooks import Webhooks
from tocsin.api.webpubsub.access import ServiceAccess
from tocsin.api.webpubsub.routes import DataPlane
from tocsin.inbox.actor import Actor
from tocsin.ingest.episodes import Episodes
from tocsin.ingest.withdrawer import Withdrawer
from tocsin.node.parts import Parts
from tocsin.push.health import PushHealth


def resources(parts: Parts) -> Resources:
    """Put what answers requests in front of the parts."""
    ground, pushing = parts.ground, parts.pushing
    settings, store, clock = ground.settings, ground.store, ground.clock
    auth = Authenticator(parts.keyring, parts.doorkeeper, Callers(settings.rates, clock))
    withdrawer = Withdrawer(store, ground.fanout)
    episodes = Episodes(parts.intake, withdrawer, ground.queue, store, clock, settings.limits)
    alerts = Alerts(
        auth,
        parts.intake,
        withdrawer,
        store,
        store.receipts,
        clock,
        settings.limits,
    )
    tokens = ClientTokens(auth, parts.keyring, store, ground.endpoints, clock, settings.limits)
    receipts = Receipts(auth, parts.receipts, store.traces, clock)
    return Resources(
        alerts=alerts,
        published=Published(auth, store),
        events=Events(auth, alerts, clock, settings.limits),
        dry_run=DryRun(auth, alerts, store.topics),
        topics=Topics(auth, store.topics, settings.limits),
        own_topics=OwnTopics(auth, store.topics, settings.hubs, settings.limits),
        shims=Shims(auth, episodes, clock, settings.limits, settings.hubs),
        tokens=tokens,
        inbox=Inbox(auth, store, Actor(store, ground.fanout, parts.receipts, clock)),
        receipts=receipts,
        stream=InboxStream(auth, parts.keyring, parts.gateway, store),
        admin=Admin(auth, parts.keyring),
        access_keys=AccessKeyRoutes(auth, parts.keyring, ground.endpoints, parts.gateway),
        dead=DeadLetters(auth, ground.queue),
        dead_pushes=DeadPushes(auth, store.dead_pushes, clock),
        devices=Devices(
            auth, store.devices, pushing.registrar, pushing.vapid, pushing.tester, clock
        ),
        vapid_keys=VapidKeyRoutes(auth, pushing.vapid),
        doctor=Doctor(
            auth,
            store,
            ground.queue,
            store,
            clock,
            (PushHealth(pushing.dispatcher).findings, parts.sources.findings),
        ),
        event_handlers=EventHandlers(auth, parts.handlers.rules, clock),
        webhooks=Webhooks(auth, parts.keyring, store.webhooks, parts.registry, parts.sender),
        people=People(
            auth,
            parts.keyring.revocations,
            parts.gateway,
            parts.eraser,
            store.erasures,
            store.holdings,
            ground.seal,
            clock,
        ),
        preferences=PreferenceRoutes(auth, store.preferences, ground.fanout),
        audit=Audit(auth, store.deeds, ground.seal, clock),
        operations=Operations(
            auth,
            store,
            ground.queue,
            ground.metrics,
            clock,
            parts.gateway.stats,
            ground.leaving.is_set,
        ),
        data_plane=DataPlane(
            access=ServiceAccess(auth, parts.keyring, ground.endpoints, clock),
            keyring=parts.keyring,
            gateway=parts.gateway,
            endpoints=ground.endpoints,
            clock=clock,
            limits=settings.limits,
        ),
        web=WebFiles(),
        demo=Demo(auth, alerts, receipts, tokens, ground.endpoints) if settings.demo else None,
    )
